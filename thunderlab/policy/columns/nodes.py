"""What an expression is while it is compiled to columns: a constant, a column of cells, the fields of a record, the items of a set, or nothing at all.

In every column **null is an error**: Cedar's strict operators have no value when an operand has none, and so have Polars'. What differs is mended where it does.
The cells of a type: booleans, integers and strings are Polars' own; an entity is its id, since its type is known; `decimal` is in ten-thousandths, `datetime`
and `duration` in milliseconds; an `ipaddr` is its text in one spelling; a set is a list, with 0 and 1 for booleans.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from thunderlab.policy.language.types import EntityOf, Plain, Primitive, RecordType, SetType, Type
from thunderlab.policy.language.values import Address, Datetime, Decimal, Duration, Record, Set, Uid, Value, unkeyed

BOOL, LONG, STRING = Plain("Bool"), Plain("Long"), Plain("String")
DECIMAL, DATETIME, DURATION, IPADDR = Plain("decimal"), Plain("datetime"), Plain("duration"), Plain("ipaddr")

PYTHON_TYPES: dict[Primitive, type] = {
    "Bool": bool,
    "Long": int,
    "String": str,
    "decimal": Decimal,
    "datetime": Datetime,
    "duration": Duration,
    "ipaddr": Address,
}
_PRIMITIVES: dict[type, Plain] = {kind: Plain(name) for name, kind in PYTHON_TYPES.items()}


class Misfit(Exception):  # noqa: N818 - no error of anybody's: the answer to a question
    """A value is not of the type a column is of."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The same value for every row."""

    value: Value


@dataclass(frozen=True, slots=True, eq=False)
class Never:
    """An error in every row."""


@dataclass(frozen=True, slots=True, eq=False)
class Opaque:
    """Something that columns cannot express, and why."""

    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A column of values of one type.

    Attributes:
        type: of its values; no record.
        expr: what computes it; null where there is an error.
        errs: whether it may be null.
        level: how many stages of kept columns it builds on.
    """

    type: Type
    expr: pl.Expr
    errs: bool
    level: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """A record, by its attributes.

    Attributes:
        names: those it may have.
        get: gives whether an attribute is there, a boolean, and its value.
        ok: a column that is true, or null where the record itself is an error; None when it never is.
    """

    names: frozenset[str]
    get: Callable[[str], tuple[Node, Node]]
    ok: Cells | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """A set, by the expressions of its items."""

    items: tuple[Node, ...]


Node = Known | Never | Opaque | Cells | Fields | Items


@dataclass(slots=True)
class Sheet:
    """The columns that are computed before others build on them, so that nothing is computed twice."""

    stages: list[list[pl.Expr]] = field(default_factory=list)
    _count: int = 0

    def keep(self, cells: Cells) -> Cells:
        """Return the same cells as a column that is computed once."""
        if cells.expr.meta.is_column():
            return cells
        while len(self.stages) <= cells.level:
            self.stages.append([])
        name = f"#{self._count}"
        self._count += 1
        self.stages[cells.level].append(cells.expr.alias(name))
        return Cells(cells.type, pl.col(name), cells.errs, cells.level + 1)

    def fill(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame with all those columns added."""
        for stage in self.stages:
            frame = frame.with_columns(stage)
        return frame


def scalar(type_: Type) -> bool:
    """Return whether values of a type are single cells."""
    return isinstance(type_, Plain | EntityOf)


def dtype_of(type_: Type) -> Any:
    """Return the dtype of the cells of a type.

    >>> dtype_of(SetType(DECIMAL))
    List(Int64)
    """
    match type_:
        case Plain("Bool"):
            return pl.Boolean
        case Plain("String" | "ipaddr") | EntityOf():
            return pl.String
        case Plain():
            return pl.Int64
        case SetType(of):
            return pl.List(pl.Int8 if of == BOOL else dtype_of(of))
        case RecordType(attributes):
            return pl.Struct({name: dtype_of(attribute.type) for name, attribute in attributes.items()})


def cell(value: Value, type_: Type) -> Any:
    """Return what stands for a value in a column of a type.

    Raises:
        Misfit: when it is not of that type.

    >>> cell(Decimal(12500), DECIMAL), cell(Uid("User", "ada"), EntityOf("User"))
    (12500, 'ada')
    """
    if isinstance(type_, EntityOf):
        if type(value) is Uid and value.type == type_.name:
            return value.id
        raise Misfit
    if isinstance(type_, SetType):
        if type(value) is not Set or not scalar(type_.of):
            raise Misfit
        items = [cell(unkeyed(key), type_.of) for key in value.keys]
        return [int(item) for item in items] if type_.of == BOOL else items
    if isinstance(type_, RecordType) or type(value) is not PYTHON_TYPES[type_.name]:
        raise Misfit
    match value:
        case Decimal(units):
            return units
        case Datetime(ms) | Duration(ms):
            return ms
        case Address():
            return spelled(value)
    return value


def spelled(address: Address) -> str:
    """Return the one spelling of an address in a column: version, number and prefix."""
    return f"{address.version} {address.number} {address.prefix}"


def address(spelling: str) -> Address:
    """Return the address of a spelling.

    >>> address(spelled(Address(4, 1, 32)))
    Address(version=4, number=1, prefix=32)
    """
    return Address(*map(int, spelling.split(" ")))


def type_of(value: Value) -> Type | None:
    """Return the type of a value that single cells can hold; None for a record, and for a set that is empty, mixed or of other than single cells."""
    if type(value) is Uid:
        return EntityOf(value.type)
    if type(value) is Set:
        types = {type_of(unkeyed(key)) for key in value.keys}
        of = types.pop() if len(types) == 1 else None
        return SetType(of) if of is not None and scalar(of) else None
    return _PRIMITIVES.get(type(value))


def literal(value: Value, type_: Type) -> pl.Expr:
    """Return a value as a column of its type.

    Raises:
        Misfit: when it is not of that type.
    """
    return pl.lit(cell(value, type_), dtype=dtype_of(type_))


def cells_of(node: Node, type_: Type) -> Cells | None:
    """Return a node as cells of a type; None when it is not of that type."""
    if isinstance(node, Cells):
        return node if node.type == type_ else None
    if isinstance(node, Never):
        return Cells(type_, pl.lit(None, dtype=dtype_of(type_)), errs=True)
    if isinstance(node, Known):
        try:
            return Cells(type_, literal(node.value, type_), errs=False)
        except Misfit:
            return None
    return None


def fields_of(node: Node) -> Fields | None:
    """Return a node as the fields of a record; None when it is none."""
    if isinstance(node, Fields):
        return node
    if isinstance(node, Known) and type(record := node.value) is Record:
        return Fields(frozenset(record), lambda name: (Known(True), Known(record[name])) if name in record else ABSENT)
    return None


ABSENT: tuple[Node, Node] = (Known(False), Never())


def derived(type_: Type, expr: pl.Expr, *operands: Cells, errs: bool | None = None) -> Cells:
    """Return cells computed from others: an error where one of those is, unless said otherwise."""
    may = any(operand.errs for operand in operands) if errs is None else errs
    return Cells(type_, expr, may, max((operand.level for operand in operands), default=0))


def guards(nodes: Iterable[Node]) -> list[Cells]:
    """Return the columns that are null where one of these nodes is an error."""
    found: list[Cells] = []
    for node in nodes:
        if isinstance(node, Cells) and node.errs:
            found.append(node)
        elif isinstance(node, Fields) and node.ok is not None:
            found.append(node.ok)
        elif isinstance(node, Items):
            found += guards(node.items)
    return found


def strict(cells: Cells, *nodes: Node) -> Cells:
    """Return cells that are an error as well where one of these nodes is."""
    needed = guards(nodes)
    if not needed:
        return cells
    there = pl.all_horizontal([guard.expr.is_not_null() for guard in needed])
    return derived(cells.type, pl.when(there).then(spread(cells)), cells, *needed, errs=True)


def spread(cells: Cells) -> pl.Expr:
    """Return cells as a column of a row's own, even when they are one constant.

    A `when` that takes a constant for every row makes a constant again (Polars 2.1), which is refused where a column is wanted; a constant that
    is spelled out, however, is one to Polars, too, unless it is looked up in a series of two.
    """
    if not cells.expr.meta.is_literal():
        return cells.expr
    one = pl.select(cells.expr).to_series()
    return pl.lit(pl.concat([one, one])).gather(pl.int_range(pl.len(), dtype=pl.UInt32) % 2)


def constantly(value: bool, *nodes: Node) -> Node:
    """Return a boolean that is the same in every row but those where one of these nodes is an error."""
    if not guards(nodes):
        return Known(value)
    return strict(Cells(BOOL, pl.lit(value), errs=False), *nodes)


def worst(nodes: Sequence[Node]) -> Never | Opaque | None:
    """Return what an operator with these operands is for sure: an error if one is, else inexpressible if one is, else None."""
    for kind in (Never, Opaque):
        for node in nodes:
            if isinstance(node, kind):
                return node
    return None
