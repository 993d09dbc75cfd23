"""Sets as lists: columns of lists, what is common to two of them, and whether they hold a value."""

from __future__ import annotations

import polars as pl

from thunderlab.policy.columns.nodes import (
    BOOL,
    STRING,
    Cells,
    Items,
    Known,
    Misfit,
    Node,
    cell,
    cells_of,
    derived,
    dtype_of,
    scalar,
    strict,
    type_of,
)
from thunderlab.policy.language.types import SetType, Type
from thunderlab.policy.language.values import Set, Value, unkeyed

INEXPRESSIBLE = "a set of sets or records"


def list_of(node: Node) -> Cells | None:
    """Return a set as a column of lists; None when its items are of several types, or no single cells."""
    if isinstance(node, Cells):
        assert isinstance(node.type, SetType)
        return node if scalar(node.type.of) else None
    if isinstance(node, Known):
        assert isinstance(node.value, Set)
        type_ = type_of(node.value) if node.value.keys else SetType(STRING)
        return None if type_ is None else constant_list([unkeyed(key) for key in node.value.keys], type_.of)  # type: ignore[union-attr]
    assert isinstance(node, Items)
    return _list_of_items(node)


def _list_of_items(node: Items) -> Cells | None:
    of = next((item.type for item in node.items if isinstance(item, Cells) and scalar(item.type)), None)
    if of is None:
        return None
    columns = [one for one in (cells_of(item, of) for item in node.items) if one is not None]
    if len(columns) < len(node.items):
        return None
    inner = pl.Int8 if of == BOOL else dtype_of(of)
    expr = pl.concat_list([one.expr.cast(inner) if of == BOOL else one.expr for one in columns])
    return strict(derived(SetType(of), expr, *columns, errs=False), *columns)


def constant_list(values: list[Value], of: Type) -> Cells:
    """Return values of one type as a column of the same list in every row.

    Raises:
        Misfit: when one of them is of another type.
    """
    items = [cell(value, of) for value in values]
    type_ = SetType(of)
    cells = [int(item) for item in items] if of == BOOL else items
    return Cells(type_, pl.lit(pl.Series([cells], dtype=dtype_of(type_))), errs=False)


def fitting(node: Known, of: Type) -> tuple[list[Value], int]:
    """Return those values of a constant set that are of a type, and how many are not."""
    assert isinstance(node.value, Set)
    fit: list[Value] = []
    for value in map(unkeyed, node.value.keys):
        try:
            cell(value, of)
        except Misfit:
            continue
        fit.append(value)
    return fit, len(node.value.keys) - len(fit)


def holds(container: Cells, value: Cells) -> Cells:
    """Return whether the lists of a column hold the values of another of the same type."""
    assert isinstance(container.type, SetType)
    expr = value.expr.cast(pl.Int8) if value.type == BOOL else value.expr
    # A list is never said to hold null; Cedar says there is no answer.
    return strict(derived(BOOL, container.expr.list.contains(expr), container, value, errs=container.errs), value)


def one_of(value: Cells, values: list[Value]) -> Cells:
    """Return whether the cells of a column are among constants of their type."""
    raw = pl.Series([cell(one, value.type) for one in values], dtype=dtype_of(value.type))
    return derived(BOOL, value.expr.is_in(raw.implode()), value)


def empty(container: Cells) -> Cells:
    """Return whether lists are empty."""
    return derived(BOOL, container.expr.list.len() == 0, container)


def subset(inner: Cells, outer: Cells) -> Cells:
    """Return whether all of one list are in another."""
    return _compared("difference", inner, outer)


def same(left: Cells, right: Cells) -> Cells:
    """Return whether two lists are the same set."""
    return _compared("symmetric", left, right)


def disjoint(left: Cells, right: Cells) -> Cells:
    """Return whether two lists have nothing in common."""
    return _compared("intersection", left, right)


def _compared(how: str, left: Cells, right: Cells) -> Cells:
    one, other = left.expr.list, right.expr
    found = {"difference": one.set_difference, "symmetric": one.set_symmetric_difference, "intersection": one.set_intersection}[how](other)
    return derived(BOOL, found.list.len() == 0, left, right)
