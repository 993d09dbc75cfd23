"""What the columns of a frame hold, checked against the schema and brought into one form.

Accepted for a context's attribute, null meaning that it is absent:

| schema | dtypes |
|---|---|
| `Bool` | Boolean |
| `Long` | integers of any width, signed or not; a value beyond 64 bits makes its request invalid, floats are refused |
| `String` | String, Categorical, Enum |
| an entity | Struct of `type` and `id`, or just the id as `String`, since the schema names the type |
| `Set<T>` | List, Array |
| a record | Struct; fields of other actions may stand beside its own, and are null in its rows |
| `decimal` | String such as `"1.25"`, or Decimal of at most four places |
| `datetime` | String, or Datetime (without a time zone it is UTC), in whole milliseconds |
| `duration` | String, or Duration, in whole milliseconds |
| `ipaddr` | String |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from thunderlab.policy.columns.nodes import cell, dtype_of
from thunderlab.policy.columns.tables import each_different
from thunderlab.policy.language.extensions import CONSTRUCTORS
from thunderlab.policy.language.types import EntityOf, Plain, Primitive, RecordType, SetType, Type, Vocabulary

_TEXT: dict[Primitive, Callable[[str], Any]] = {
    "decimal": CONSTRUCTORS["decimal"].call,
    "datetime": CONSTRUCTORS["datetime"].call,
    "duration": CONSTRUCTORS["duration"].call,
    "ipaddr": CONSTRUCTORS["ip"].call,
}
_PER_MS = {"ms": 1, "us": 1_000, "ns": 1_000_000}
_PLACES = 4


class Unfit(Exception):  # noqa: N818 - becomes an InputError, or the fault of single requests
    """A column's dtype cannot hold what the schema says.

    Attributes:
        where: the attribute.
        what: what is wrong.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where, self.what = where, what


@dataclass(frozen=True, slots=True)
class Fault:
    """What makes a request invalid, and in which rows."""

    expr: pl.Expr
    what: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A column in its one form.

    Attributes:
        expr: the cells.
        faults: what is wrong with them where.
        changed: whether they differ from what is in the frame.
    """

    expr: pl.Expr
    faults: list[Fault] = field(default_factory=list)
    changed: bool = True


def taken(expr: pl.Expr, dtype: pl.DataType, type_: Type, where: str, vocabulary: Vocabulary) -> Taken:
    """Return a column as cells of a type.

    Args:
        expr: the column.
        dtype: of the column.
        type_: what the schema says it holds.
        where: its name, for messages.
        vocabulary: the schema.

    Raises:
        Unfit: when a column of this dtype cannot hold it.
    """
    if dtype == pl.Null:
        return Taken(expr.cast(dtype_of(type_)))
    match type_:
        case Plain("Bool"):
            return Taken(_checked(expr, dtype == pl.Boolean, dtype, "booleans", where), changed=False)
        case Plain("Long"):
            return _integers(expr, dtype, where)
        case Plain("String"):
            return _strings(expr, dtype, where)
        case Plain(name):
            return _extension(expr, dtype, name, where)
        case EntityOf(name):
            return _entities(expr, dtype, name, where, vocabulary)
        case SetType(of):
            return _lists(expr, dtype, of, where, vocabulary)
        case RecordType():
            return _structs(expr, dtype, type_, where, vocabulary)


def _checked(expr: pl.Expr, fits: bool, dtype: pl.DataType, expected: str, where: str) -> pl.Expr:
    if not fits:
        raise Unfit(where, f"expected {expected}, got a column of {dtype}")
    return expr


def is_text(dtype: pl.DataType | type[pl.DataType]) -> bool:
    """Return whether a column of a dtype holds strings."""
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _strings(expr: pl.Expr, dtype: pl.DataType, where: str) -> Taken:
    _checked(expr, is_text(dtype), dtype, "strings", where)
    return Taken(expr, changed=False) if dtype == pl.String else Taken(expr.cast(pl.String))


def _integers(expr: pl.Expr, dtype: pl.DataType, where: str) -> Taken:
    _checked(expr, dtype.is_integer(), dtype, "integers", where)
    if dtype == pl.Int64:
        return Taken(expr, changed=False)
    narrowed = expr.cast(pl.Int64, strict=False)
    if dtype in (pl.UInt64, pl.Int128, pl.UInt128):
        return Taken(narrowed, [Fault(_lost(expr, narrowed), f"{where}: an integer beyond 64 bits")])
    return Taken(narrowed)


def _lost(expr: pl.Expr, made: pl.Expr) -> pl.Expr:
    """Return where something became nothing."""
    return expr.is_not_null() & made.is_null()


def _extension(expr: pl.Expr, dtype: pl.DataType, name: Primitive, where: str) -> Taken:
    if is_text(dtype):
        call, type_ = _TEXT[name], Plain(name)
        text = expr if dtype == pl.String else expr.cast(pl.String)
        target = dtype_of(type_)
        made = text.map_batches(lambda series: each_different(series, target, lambda one: cell(call(one), type_)), return_dtype=target)
        return Taken(made, [Fault(_lost(text, made), f"{where}: a text that is no {name}")])
    if isinstance(dtype, pl.Decimal) and name == "decimal":
        _checked(expr, dtype.scale <= _PLACES, dtype, f"at most {_PLACES} places", where)
        made = (expr.to_physical().cast(pl.Int128) * 10 ** (_PLACES - dtype.scale)).cast(pl.Int64, strict=False)
        return Taken(made, [Fault(_lost(expr, made), f"{where}: a decimal beyond 64 bits")])
    if (isinstance(dtype, pl.Datetime) and name == "datetime") or (isinstance(dtype, pl.Duration) and name == "duration"):
        per_ms, ticks = _PER_MS[dtype.time_unit], expr.to_physical()
        if per_ms == 1:
            return Taken(ticks)
        return Taken(ticks // per_ms, [Fault((ticks % per_ms != 0).fill_null(value=False), f"{where}: no whole milliseconds")])
    accepted = {"decimal": "strings or decimals", "datetime": "strings or datetimes", "duration": "strings or durations"}
    raise Unfit(where, f"expected {accepted.get(name, 'strings')} for {name}, got a column of {dtype}")


def _entities(expr: pl.Expr, dtype: pl.DataType, name: str, where: str, vocabulary: Vocabulary) -> Taken:
    kind = vocabulary.entities.get(name)
    faults: list[Fault] = []
    if isinstance(dtype, pl.Struct):
        fields = {one.name: one.dtype for one in dtype.fields}
        fits = set(fields) == {"type", "id"} and all(one == pl.Null or is_text(one) for one in fields.values())  # type: ignore[arg-type]
        _checked(expr, fits, dtype, "entities with type and id", where)
        types, ids = (expr.struct.field(part).cast(pl.String) for part in ("type", "id"))
        wrong = expr.is_not_null() & ((types != name).fill_null(value=True) | ids.is_null())
        faults.append(Fault(wrong, f"{where}: expected an entity of type {name}"))
        changed = True
    else:
        _checked(expr, is_text(dtype), dtype, f"entities of type {name}", where)
        ids, changed = (expr, False) if dtype == pl.String else (expr.cast(pl.String), True)
    if kind is not None and kind.ids is not None:
        faults.append(unlisted(ids, kind.ids, f"{where}: no entity of the enumerated type {name}"))
    return Taken(ids, faults, changed)


def unlisted(ids: pl.Expr, listed: frozenset[str], what: str) -> Fault:
    """Return the fault of an id that is not one of an enumerated type."""
    return Fault(ids.is_not_null() & ~ids.is_in(pl.Series(sorted(listed), dtype=pl.String).implode()), what)


def _lists(expr: pl.Expr, dtype: pl.DataType, of: Type, where: str, vocabulary: Vocabulary) -> Taken:
    if not isinstance(dtype, pl.List | pl.Array):
        raise Unfit(where, f"expected sets, got a column of {dtype}")
    inner_dtype = dtype.inner
    assert isinstance(inner_dtype, pl.DataType)
    lists = expr if isinstance(dtype, pl.List) else expr.cast(pl.List(inner_dtype))
    inner = taken(pl.element(), inner_dtype, of, f"{where}: an item", vocabulary)
    faults = [Fault(lists.list.eval(pl.element().is_null()).list.any().fill_null(value=False), f"{where}: an item is null")]
    faults += [Fault(lists.list.eval(fault.expr).list.any().fill_null(value=False), fault.what) for fault in inner.faults]
    cells = inner.expr.cast(pl.Int8) if of == Plain("Bool") else inner.expr
    if inner.changed or of == Plain("Bool"):
        lists = lists.list.eval(cells)
    return Taken(lists, faults)


def _structs(expr: pl.Expr, dtype: pl.DataType, type_: RecordType, where: str, vocabulary: Vocabulary) -> Taken:
    """Return records within a set; their absent attributes are null."""
    made: list[pl.Expr] = []
    faults: list[Fault] = []
    for part in members(expr, dtype, type_, where):
        faults += part.faults
        if part.type is not None:
            one = (
                Taken(pl.lit(None, dtype=dtype_of(part.type)))
                if part.expr is None
                else taken(part.expr, part.dtype, part.type, part.where, vocabulary)
            )
            made.append(one.expr.alias(part.name))
            faults += one.faults
    struct = pl.struct(made) if made else pl.lit(None, dtype=dtype_of(type_))
    return Taken(pl.when(expr.is_not_null()).then(struct), faults)


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute of a record.

    Attributes:
        name: the attribute.
        where: its name with those of the records around it.
        type: what the schema says it is; None when the schema does not speak of it.
        required: whether the schema wants it.
        expr: its column in the frame; None when there is none.
        dtype: of that column.
        faults: what is wrong with its being there or not.
    """

    name: str
    where: str
    type: Type | None
    required: bool
    expr: pl.Expr | None
    dtype: pl.DataType
    faults: list[Fault]


def members(expr: pl.Expr | None, dtype: pl.DataType, type_: RecordType, where: str, *, always: bool = False) -> list[Member]:
    """Return the attributes of a column of records, those that the schema speaks of and those it does not.

    Args:
        expr: the column; None when there is none.
        dtype: of the column.
        type_: what the schema says it holds.
        where: its name, for messages.
        always: whether null stands for a record without any attributes rather than for no record.

    Raises:
        Unfit: when the column is none of records.
    """
    if expr is not None and not isinstance(dtype, pl.Struct | pl.Null):
        raise Unfit(where, f"expected records, got a column of {dtype}")
    columns: dict[str, Any] = {one.name: one.dtype for one in dtype.fields} if isinstance(dtype, pl.Struct) and expr is not None else {}
    found: list[Member] = []
    for name, attribute in type_.attributes.items():
        own_dtype = columns.pop(name, None)
        own = None if own_dtype is None or expr is None else expr.struct.field(name)
        around = pl.lit(value=True) if expr is None or always else expr.is_not_null()
        gone = around if own is None else around & own.is_null()
        faults = [Fault(gone, f"{where}.{name}: is missing")] if attribute.required else []
        found.append(Member(name, f"{where}.{name}", attribute.type, attribute.required, own, own_dtype or pl.Null(), faults))
    for name, extra in columns.items():
        assert expr is not None
        column = expr.struct.field(name)
        fault = Fault(column.is_not_null(), f"{where}.{name}: the schema has no such attribute here")
        found.append(Member(name, f"{where}.{name}", None, False, column, extra, [fault]))
    return found


def natural(type_: Type) -> pl.DataType:
    """Return a dtype that a column of a type may have.

    >>> natural(SetType(Plain("decimal")))
    List(String)
    """
    match type_:
        case SetType(of):
            return pl.List(natural(of))
        case RecordType(attributes):
            return pl.Struct({name: natural(attribute.type) for name, attribute in attributes.items()})
        case Plain("Bool"):
            return pl.Boolean()
        case Plain("Long"):
            return pl.Int64()
    return pl.String()


def examine(dtype: pl.DataType, type_: Type, where: str, vocabulary: Vocabulary) -> None:
    """Find out whether a column can hold what the schema says.

    Raises:
        Unfit: when it cannot.
    """
    column = pl.col("any")
    if isinstance(type_, RecordType):
        for member in members(column, dtype, type_, where):
            if member.type is not None and member.expr is not None:
                examine(member.dtype, member.type, member.where, vocabulary)
    else:
        taken(column, dtype, type_, where, vocabulary)
