"""The operators that are the same for any column of their types: order, arithmetic, `like`, and the functions of the extensions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from thunderlab.policy.columns.nodes import (
    BOOL,
    DATETIME,
    DECIMAL,
    DURATION,
    IPADDR,
    LONG,
    STRING,
    Cells,
    Known,
    Never,
    Node,
    address,
    cell,
    cells_of,
    derived,
)
from thunderlab.policy.columns.tables import mapped
from thunderlab.policy.language.extensions import DAY, FUNCTIONS, HOUR, MINUTE, SECOND
from thunderlab.policy.language.types import Plain

_ORDERED = (LONG, DATETIME, DURATION)
_COMPARE: dict[str, Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_DECIMALS = {"lessThan": "<", "lessThanOrEqual": "<=", "greaterThan": ">", "greaterThanOrEqual": ">="}
_UNITS = {"toSeconds": SECOND, "toMinutes": MINUTE, "toHours": HOUR, "toDays": DAY}
_CONSTRUCTORS = {"decimal": DECIMAL, "datetime": DATETIME, "duration": DURATION, "ip": IPADDR}


def compared(name: str, left: Node, right: Node) -> Node:
    """Return `a < b` and its likes, of two integers, moments or durations."""
    pair = next((pair for type_ in _ORDERED if (pair := _pair(left, right, type_))), None)
    return derived(BOOL, _COMPARE[name](pair[0].expr, pair[1].expr), *pair) if pair else Never()


def calculated(first: Node, steps: Sequence[tuple[str, Node]]) -> Node:
    """Return a run of arithmetic, each step in 128 bits and an error when it leaves 64: the product of two numbers of 64 bits fits."""
    total = cells_of(first, LONG)
    for name, node in steps:
        operand = cells_of(node, LONG)
        if total is None or operand is None:
            return Never()
        total = derived(LONG, _long(_wide(total.expr, name, operand.expr)), total, operand, errs=True)
    assert total is not None
    return total


def negated(node: Node) -> Node:
    """Return `-a`."""
    return calculated(Known(0), [("-", node)])


def _wide(left: pl.Expr, name: str, right: pl.Expr) -> pl.Expr:
    one, other = left.cast(pl.Int128), right.cast(pl.Int128)
    return one + other if name == "+" else one - other if name == "-" else one * other


def _long(expr: pl.Expr) -> pl.Expr:
    """Return integers of 128 bits in 64, null where they do not fit."""
    return expr.cast(pl.Int64, strict=False)


def like(node: Node, pattern: tuple[str, ...]) -> Node:
    """Return `a like "..."`."""
    if not (isinstance(node, Cells) and node.type == STRING):
        return Never()
    text = node.expr.str
    first, last = pattern[0], pattern[-1]
    if len(pattern) == 1:
        return derived(BOOL, node.expr == pl.lit(first), node)
    between = [piece for piece in pattern[1:-1] if piece]
    if not first and not last and len(between) == 1:
        return derived(BOOL, text.contains(between[0], literal=True), node)
    if between:
        middle = "".join(f".*{_escaped(piece)}" for piece in between)
        return derived(BOOL, text.contains(f"(?s)^{_escaped(first)}{middle}.*{_escaped(last)}$"), node)
    # Without the length, "a" would be like "a*a".
    long_enough = text.len_bytes() >= len((first + last).encode())
    tests = [text.starts_with(first)] * bool(first) + [text.ends_with(last)] * bool(last) + [long_enough]
    expr = tests[0]
    for test in tests[1:]:
        expr = expr & test
    return derived(BOOL, expr, node)


def _escaped(piece: str) -> str:
    """Return a regular expression of Rust's for a text."""
    return "".join(one if one.isascii() and one.isalnum() else f"\\x{{{ord(one):x}}}" for one in piece)


def extension(name: str, operands: Sequence[Node]) -> Node:
    """Return a function or method of an extension."""
    if len(operands) != len(FUNCTIONS[name].takes):
        return Never()
    if name in _CONSTRUCTORS:
        text, type_, call = operands[0], _CONSTRUCTORS[name], FUNCTIONS[name].call
        return mapped(text, type_, lambda one: cell(call(one), type_)) if isinstance(text, Cells) and text.type == STRING else Never()
    if name in _DECIMALS:
        pair = _pair(operands[0], operands[1], DECIMAL)
        return derived(BOOL, _COMPARE[_DECIMALS[name]](pair[0].expr, pair[1].expr), *pair) if pair else Never()
    if name.startswith("is"):
        return _of_addresses(name, operands)
    return _of_time(name, operands)


def _of_addresses(name: str, operands: Sequence[Node]) -> Node:
    call = FUNCTIONS[name].call
    cells = [one for one in (cells_of(operand, IPADDR) for operand in operands) if one is not None]
    if len(cells) < len(operands):
        return Never()
    if len(cells) == 1:
        return mapped(cells[0], BOOL, lambda one: call(address(one)))
    both = derived(STRING, pl.concat_str(cells[0].expr, cells[1].expr, separator=","), *cells)
    return mapped(both, BOOL, lambda pair: call(*map(address, pair.split(","))))


def _of_time(name: str, operands: Sequence[Node]) -> Node:
    """Return a method of moments or durations, all in milliseconds."""
    if name in ("offset", "durationSince"):
        one, other = cells_of(operands[0], DATETIME), cells_of(operands[1], DURATION if name == "offset" else DATETIME)
        if one is None or other is None:
            return Never()
        wide = _wide(one.expr, "+" if name == "offset" else "-", other.expr)
        return derived(DATETIME if name == "offset" else DURATION, _long(wide), one, other, errs=True)
    of = cells_of(operands[0], DATETIME if name in ("toDate", "toTime") else DURATION)
    if of is None:
        return Never()
    if name == "toTime":
        return derived(DURATION, of.expr % DAY, of)
    if name == "toDate":
        return derived(DATETIME, _long(of.expr.cast(pl.Int128) - (of.expr % DAY).cast(pl.Int128)), of, errs=True)
    if name == "toMilliseconds":
        return derived(LONG, of.expr, of)
    unit = _UNITS[name]
    # Polars divides towards minus infinity, Cedar towards zero.
    return derived(LONG, of.expr // unit + ((of.expr < 0) & (of.expr % unit != 0)).cast(pl.Int64), of)


def _pair(left: Node, right: Node, type_: Plain) -> tuple[Cells, Cells] | None:
    one, other = cells_of(left, type_), cells_of(right, type_)
    return (one, other) if one is not None and other is not None else None
