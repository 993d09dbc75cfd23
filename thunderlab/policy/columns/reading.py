"""The rows of one environment, read: their cells, what is wrong with them, and single requests made of them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl

from thunderlab.policy.columns.compiler import Environment
from thunderlab.policy.columns.layout import Fault, Member, Unfit, members, taken, unlisted
from thunderlab.policy.columns.nodes import (
    ABSENT,
    BOOL,
    Cells,
    Fields,
    Known,
    Never,
    Node,
    address,
    constantly,
    strict,
)
from thunderlab.policy.language.types import EntityOf, Plain, RecordType, SetType, Type, Vocabulary
from thunderlab.policy.language.values import Datetime, Decimal, Duration, Record, Set, Uid, key
from thunderlab.policy.requests.entities import Entities
from thunderlab.policy.requests.request import Request

CONTEXT = "context"


class _Leaf(NamedTuple):
    """An attribute that is one column of cells."""

    column: str
    type: Type
    required: bool


class _Branch(NamedTuple):
    """An attribute that is a record: the column that says where it is, and its attributes."""

    present: str | None
    parts: dict[str, _Leaf | _Branch]


class Reading:
    """How the rows of an environment are read.

    Args:
        environment: what its rows have in common; it is one the schema knows.
        dtype: of the frame's context; None when it has none.
        vocabulary: the schema.

    Attributes:
        columns: what to compute of the frame, each with its name.
        faults: what makes rows invalid.
        variables: what the four variables of a policy are.
    """

    def __init__(self, environment: Environment, dtype: pl.DataType | None, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._environment = environment
        self.columns = [pl.col("principal_id").cast(pl.String).alias("principal"), pl.col("resource_id").cast(pl.String).alias("resource")]
        self.faults: list[Fault] = []
        self.variables: dict[str, Node] = {"action": Known(environment.action)}
        for role, kind in (("principal", environment.principal_type), ("resource", environment.resource_type)):
            self._take_entity(role, kind)
        type_ = vocabulary.actions[environment.action].context
        expr = None if dtype is None else pl.col(CONTEXT)
        fields, parts = self._record(expr, dtype or pl.Null(), type_, CONTEXT, None)
        self.variables[CONTEXT] = fields
        self._context = _Branch(None, parts)

    def _take_entity(self, role: str, kind: str) -> None:
        column = pl.col(f"{role}_id").cast(pl.String)
        self.faults.append(Fault(column.is_null(), f"{role}: there is none"))
        ids = self._vocabulary.entities[kind].ids if kind in self._vocabulary.entities else None
        if ids is not None:
            self.faults.append(unlisted(column, ids, f"{role}: no entity of the enumerated type {kind}"))
        self.variables[role] = Cells(EntityOf(kind), pl.col(role), errs=False)

    def _record(
        self, expr: pl.Expr | None, dtype: pl.DataType, type_: RecordType, where: str, ok: Cells | None
    ) -> tuple[Fields, dict[str, _Leaf | _Branch]]:
        """Read a record; `ok` is true where it is there and null elsewhere."""
        found: dict[str, tuple[Node, Node]] = {}
        parts: dict[str, _Leaf | _Branch] = {}
        for member in members(expr, dtype, type_, where, always=where == CONTEXT):
            self.faults += member.faults
            if member.type is not None:
                found[member.name], part = self._member(member, member.type, ok)
                if part is not None:
                    parts[member.name] = part
        nowhere = (constantly(False, ok), Never()) if ok is not None else ABSENT
        return Fields(frozenset(found), lambda name: found.get(name, nowhere), ok), parts

    def _member(self, member: Member, type_: Type, ok: Cells | None) -> tuple[tuple[Node, Node], _Leaf | _Branch | None]:
        """Return whether an attribute is there and its value, and where single requests find it."""
        if member.expr is None:
            return ((constantly(False, ok) if ok is not None else Known(False)), Never()), None
        if isinstance(type_, RecordType):
            return self._inner_record(member, member.expr, type_, ok)
        try:
            read = taken(member.expr, member.dtype, type_, member.where, self._vocabulary)
        except Unfit as error:
            self.faults.append(Fault(member.expr.is_not_null(), str(error)))
            return (constantly(False, ok) if ok is not None else Known(False), Never()), None
        self.faults += read.faults
        name = self._add(read.expr)
        certain = member.required and ok is None
        there: Node = Known(True) if certain else Cells(BOOL, pl.col(name).is_not_null(), errs=False)
        if ok is not None:
            there = constantly(True, ok) if member.required else strict(Cells(BOOL, pl.col(name).is_not_null(), errs=False), ok)
        return (there, Cells(type_, pl.col(name), errs=not certain)), _Leaf(name, type_, member.required)

    def _inner_record(self, member: Member, expr: pl.Expr, type_: RecordType, ok: Cells | None) -> tuple[tuple[Node, Node], _Branch | None]:
        certain = member.required and ok is None
        name = self._add(expr.is_not_null())
        own_ok = None if certain else Cells(BOOL, pl.when(pl.col(name)).then(pl.col(name)), errs=True)
        try:
            fields, parts = self._record(expr, member.dtype, type_, member.where, own_ok)
        except Unfit as error:
            self.faults.append(Fault(expr.is_not_null(), str(error)))
            return (constantly(False, ok) if ok is not None else Known(False), Never()), None
        there: Node = Known(True) if certain else Cells(BOOL, pl.col(name), errs=False)
        if ok is not None:
            there = constantly(True, ok) if member.required else strict(Cells(BOOL, pl.col(name), errs=False), ok)
        return (there, fields), _Branch(name, parts)

    def _add(self, expr: pl.Expr) -> str:
        name = f"@{len(self.columns)}"
        self.columns.append(expr.alias(name))
        return name

    def requests(self, rows: pl.DataFrame, entities: Entities) -> Iterator[Request]:
        """Return rows that were read, and in which nothing is wrong, as single requests."""
        kinds, action = self._environment, self._environment.action
        contexts = _records(rows, self._context)
        for principal, resource, context in zip(rows["principal"], rows["resource"], contexts, strict=True):
            assert context is not None
            yield Request.of(Uid(kinds.principal_type, principal), action, Uid(kinds.resource_type, resource), context, entities)


def _records(rows: pl.DataFrame, branch: _Branch) -> Iterator[Record | None]:
    """Return the record of each row; None where there is none."""
    columns: list[tuple[str, Sequence[Any]]] = []
    for name, part in branch.parts.items():
        if isinstance(part, _Branch):
            columns.append((name, list(_records(rows, part))))
        else:
            make = maker(part.type)
            columns.append((name, [None if one is None else make(one) for one in rows[part.column].to_list()]))
    there = [True] * rows.height if branch.present is None else rows[branch.present].to_list()
    for at in range(rows.height):
        yield Record((name, values[at]) for name, values in columns if values[at] is not None) if there[at] else None


def maker(type_: Type) -> Callable[[Any], Any]:
    """Return the function that makes a value of a type of what stands for it in a column.

    >>> maker(SetType(EntityOf("User")))(["ada"])
    Set(keys=frozenset({Uid(type='User', id='ada')}))
    """
    match type_:
        case EntityOf(name):
            return lambda id_: Uid(name, id_)
        case SetType(of):
            item = maker(of)
            return lambda items: Set(frozenset(key(item(one)) for one in items))
        case RecordType(attributes):
            makers = {name: maker(attribute.type) for name, attribute in attributes.items()}
            return lambda row: Record((name, makers[name](one)) for name, one in row.items() if one is not None)
        case Plain(name):
            return _MAKERS[name]


_MAKERS: dict[str, Callable[[Any], Any]] = {
    "Bool": bool,
    "Long": int,
    "String": str,
    "decimal": Decimal,
    "datetime": Datetime,
    "duration": Duration,
    "ipaddr": address,
}
