"""Entities as tables: what a policy asks of an entity is looked up by the entity's number in the table of its type."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from thunderlab.policy.columns.lists import INEXPRESSIBLE
from thunderlab.policy.columns.nodes import (
    BOOL,
    LONG,
    Cells,
    Fields,
    Known,
    Misfit,
    Never,
    Node,
    Opaque,
    Sheet,
    cell,
    constantly,
    derived,
    dtype_of,
    scalar,
    strict,
)
from thunderlab.policy.language.types import EntityOf, RecordType, SetType, Type, Vocabulary
from thunderlab.policy.language.values import Record, Uid, Value
from thunderlab.policy.requests.entities import Entities


class Tables:
    """The entities by their types, numbered.

    Args:
        entities: what is known of the world, actions and their groups among it.
    """

    def __init__(self, entities: Entities) -> None:
        self.entities = entities
        found: dict[str, set[str]] = defaultdict(set)
        # What is above an entity need not be one.
        for uid in itertools.chain(entities.attributes, *entities.ancestors.values()):
            found[uid.type].add(uid.id)
        self._uids = {kind: [Uid(kind, id_) for id_ in sorted(ids)] for kind, ids in found.items()}
        self._attributes: dict[tuple[str, str], list[Value | None]] = {}
        self._series: dict[tuple[int, Type], tuple[Sequence[Value | None], pl.Series]] = {}

    def uids(self, kind: str) -> Sequence[Uid]:
        """Return the entities of a type by their numbers."""
        return self._uids.get(kind, ())

    def attribute(self, kind: str, name: str) -> list[Value | None]:
        """Return an attribute of the entities of a type by their numbers; None where there is none."""
        if (kind, name) not in self._attributes:
            known = self.entities.attributes
            self._attributes[kind, name] = [known.get(uid, _NOTHING).get(name) for uid in self.uids(kind)]
        return self._attributes[kind, name]

    def series(self, values: Sequence[Value | None], type_: Type) -> pl.Series:
        """Return values as the cells of a type, made once for all environments.

        Raises:
            Misfit: when one is of another type.
        """
        place = id(values), type_
        if place not in self._series:
            raw = [None if value is None else cell(value, type_) for value in values]
            # The values are kept beside it: what has their identity stays them.
            self._series[place] = values, pl.Series(raw, dtype=dtype_of(type_))
        return self._series[place][1]


class Lookup:
    """What columns of entities are asked for: their attributes, their tags, and what they are in.

    Args:
        tables: the entities.
        vocabulary: the schema.
        sheet: where numbers are kept, since several policies ask for them.
    """

    def __init__(self, tables: Tables, vocabulary: Vocabulary, sheet: Sheet) -> None:
        self._tables = tables
        self._vocabulary = vocabulary
        self._sheet = sheet
        self._numbers: dict[tuple[int, str], tuple[Cells, Cells]] = {}

    def number(self, cells: Cells) -> Cells:
        """Return the number of each entity in the table of its type; null when nothing is known of it, or where there is an error."""
        assert isinstance(cells.type, EntityOf)
        ids = [uid.id for uid in self._tables.uids(cells.type.name)]
        return self._numbered(cells, ids, cells.type.name)

    def _numbered(self, cells: Cells, names: Sequence[str], what: str) -> Cells:
        known = self._numbers.get((id(cells), what))
        if known is None:
            numbers = pl.Series(range(len(names)), dtype=pl.UInt32)
            expr = cells.expr.replace_strict(pl.Series(names, dtype=pl.String), numbers, default=None, return_dtype=pl.UInt32)
            known = cells, self._sheet.keep(derived(LONG, expr, cells, errs=True))
            # The cells are kept beside their number: what has their identity stays them.
            self._numbers[id(cells), what] = known
        return known[1]

    def get(self, of: Cells, name: str) -> Node:
        """Return an attribute of entities."""
        return self._attribute(of, name)[1]

    def has(self, of: Cells, name: str) -> Node:
        """Return whether entities have an attribute; one that does not exist has none."""
        there = self._attribute(of, name)[0]
        return strict(there, of) if isinstance(there, Cells) else constantly(False, of)

    def _attribute(self, of: Cells, name: str) -> tuple[Node, Node]:
        assert isinstance(of.type, EntityOf)
        declared = self._type_of_attribute(of.type.name, name)
        values = self._tables.attribute(of.type.name, name)
        if all(value is None for value in values):
            return Known(False), Never()
        if declared is None:
            return self._present(values, self.number(of)), Opaque(f"attribute {name} of {of.type.name}, which the schema lacks")
        return self._looked_up(values, declared, self.number(of))

    def _type_of_attribute(self, kind: str, name: str) -> Type | None:
        entity = self._vocabulary.entities.get(kind)
        declared = entity.attributes.attributes.get(name) if entity else None
        return declared.type if declared else None

    def _looked_up(self, values: Sequence[Value | None], type_: Type, number: Cells) -> tuple[Node, Node]:
        """Return whether a value is there for each number, false for no number, and the value itself."""
        there = self._present(values, number)
        if isinstance(type_, RecordType):
            return there, self._record(values, type_, number)
        if isinstance(type_, SetType) and not scalar(type_.of):
            return there, Opaque(INEXPRESSIBLE)
        try:
            series = self._tables.series(values, type_)
        except Misfit:
            return there, Opaque("an entity that does not fit the schema")
        return there, derived(type_, _gathered(series, number), number, errs=True)

    def _present(self, values: Sequence[Value | None], number: Cells) -> Cells:
        """Return whether a value is there for each number, false for no number."""
        return derived(BOOL, _picked([value is not None for value in values], number), number, errs=False)

    def _record(self, values: Sequence[Value | None], type_: RecordType, number: Cells) -> Node:
        if not all(value is None or type(value) is Record for value in values):
            return Opaque("an entity that does not fit the schema")
        ok = derived(
            BOOL, _gathered(pl.Series([None if value is None else True for value in values], dtype=pl.Boolean), number), number, errs=True
        )

        def get(name: str) -> tuple[Node, Node]:
            declared = type_.attributes.get(name)
            if declared is None:
                return constantly(False, ok), Never()
            inner = [value.get(name) if isinstance(value, Record) else None for value in values]
            there, value = self._looked_up(inner, declared.type, number)
            return (strict(there, ok) if isinstance(there, Cells) else constantly(False, ok)), value

        return Fields(frozenset(type_.attributes), get, ok)

    def get_tag(self, of: Cells, tag: Node) -> Node:
        """Return a tag of entities."""
        return self._tag(of, tag)[1]

    def has_tag(self, of: Cells, tag: Node) -> Node:
        """Return whether entities have a tag."""
        there = self._tag(of, tag)[0]
        if isinstance(there, Opaque):
            return there
        return strict(there, of, tag) if isinstance(there, Cells) else constantly(False, of, tag)

    def _tag(self, of: Cells, tag: Node) -> tuple[Node, Node]:
        assert isinstance(of.type, EntityOf)
        uids, tags = self._tables.uids(of.type.name), self._tables.entities.tags
        kind = self._vocabulary.entities.get(of.type.name)
        if not any(uid in tags for uid in uids):
            return Known(False), Never()
        if kind is None or kind.tags is None:
            return Opaque(f"tags of {of.type.name}, which the schema lacks"), Opaque(f"tags of {of.type.name}, which the schema lacks")
        if isinstance(tag, Known):
            return self._looked_up([tags.get(uid, {}).get(str(tag.value)) for uid in uids], kind.tags, self.number(of))
        assert isinstance(tag, Cells)
        names = sorted({name for uid in uids for name in tags.get(uid, {})})
        pairs = [(at, names.index(name), value) for at, uid in enumerate(uids) for name, value in tags.get(uid, {}).items()]
        number = self._pair(
            self.number(of), self._numbered(tag, names, f"tags of {of.type.name}"), len(names), [pair[:2] for pair in pairs]
        )
        return self._looked_up([value for _, _, value in pairs], kind.tags, number)

    def tag_of(self, of: Known, tag: Node, name: str) -> Node:
        """Return `getTag` or `hasTag` of one entity, of tags whose names stand in a column."""
        assert isinstance(of.value, Uid)
        assert isinstance(tag, Cells)
        tags = self._tables.entities.tags.get(of.value, {})
        kind = self._vocabulary.entities.get(of.value.type)
        if not tags:
            return Never() if name == "getTag" else constantly(False, tag)
        if kind is None or kind.tags is None:
            return Opaque(f"tags of {of.value.type}, which the schema lacks")
        there, value = self._looked_up(list(tags.values()), kind.tags, self._numbered(tag, list(tags), f"tags of {of.value}"))
        return value if name == "getTag" else strict(there, tag) if isinstance(there, Cells) else there

    def _pair(self, first: Cells, second: Cells, width: int, pairs: Sequence[tuple[int, int]]) -> Cells:
        """Return the place of each pair of numbers in a list of pairs; null when it is not in it."""
        both = first.expr.cast(pl.Int64) * width + second.expr.cast(pl.Int64)
        known = pl.Series([one * width + other for one, other in pairs], dtype=pl.Int64)
        expr = both.replace_strict(known, pl.Series(range(len(pairs)), dtype=pl.UInt32), default=None, return_dtype=pl.UInt32)
        return self._sheet.keep(derived(LONG, expr, first, second, errs=True))

    def below(self, cells: Cells, tops: Sequence[Uid]) -> Cells:
        """Return whether entities are one of some, or below one."""
        assert isinstance(cells.type, EntityOf)
        kind, wanted = cells.type.name, frozenset(tops)
        own = [top for top in tops if top.type == kind]
        found: Cells | None = None
        for top in own:
            same = derived(BOOL, cells.expr == pl.lit(top.id, dtype=pl.String), cells)
            found = same if found is None else derived(BOOL, found.expr | same.expr, found, same)
        under = [not wanted.isdisjoint(self._tables.entities.ancestors.get(uid, ())) for uid in self._tables.uids(kind)]
        if any(under):
            number = self.number(cells)
            picked = derived(BOOL, _picked(under, number), number, errs=False)
            found = picked if found is None else derived(BOOL, found.expr | picked.expr, found, picked)
        return strict(found or Cells(BOOL, pl.lit(value=False), errs=False), cells)

    def in_cells(self, cells: Cells, other: Cells) -> Cells:
        """Return whether entities are, each, the one beside it or below that."""
        assert isinstance(cells.type, EntityOf)
        assert isinstance(other.type, EntityOf)
        ancestors, kind = self._tables.entities.ancestors, other.type.name
        place = {uid: at for at, uid in enumerate(self._tables.uids(kind))}
        pairs = [
            (at, place[top])
            for at, uid in enumerate(self._tables.uids(cells.type.name))
            for top in ancestors.get(uid, ())
            if top.type == kind
        ]
        same = cells.expr == other.expr if cells.type == other.type else pl.lit(value=False)
        found = derived(BOOL, same, cells, other)
        if pairs:
            number = self._pair(self.number(cells), self.number(other), len(place), pairs)
            found = derived(BOOL, same | number.expr.is_not_null(), found, number)
        return strict(found, cells, other)

    def in_lists(self, cells: Cells, lists: Cells) -> Cells:
        """Return whether entities are, each, one of the list beside it or below one of it."""
        assert isinstance(cells.type, EntityOf)
        assert isinstance(lists.type, SetType)
        assert isinstance(lists.type.of, EntityOf)
        ancestors, kind = self._tables.entities.ancestors, lists.type.of.name
        above = [[top.id for top in ancestors.get(uid, ()) if top.type == kind] for uid in self._tables.uids(cells.type.name)]
        same = lists.expr.list.contains(cells.expr) if cells.type == lists.type.of else pl.lit(value=False)
        found = derived(BOOL, same, cells, lists)
        if any(above):
            number = self.number(cells)
            common = lists.expr.list.set_intersection(_gathered(pl.Series(above, dtype=pl.List(pl.String)), number)).list.len() > 0
            found = derived(BOOL, same | common.fill_null(value=False), found, number)
        return strict(found, cells, lists)


_NOTHING: dict[str, Any] = {}


def _gathered(values: pl.Series, number: Cells) -> pl.Expr:
    """Return the value of each number; null where there is none."""
    return pl.lit(values).gather(number.expr)


def _picked(values: list[bool], number: Cells) -> pl.Expr:
    """Return the boolean of each number, and false where there is none."""
    return _gathered(pl.Series(values, dtype=pl.Boolean), number).fill_null(value=False)


def mapped(cells: Cells, type_: Type, call: Callable[[Any], Any]) -> Cells:
    """Return what a Python function makes of each different value of a column of strings; null where it raises ValueError or OverflowError."""
    dtype = dtype_of(type_)
    return derived(type_, cells.expr.map_batches(lambda series: each_different(series, dtype, call), return_dtype=dtype), cells, errs=True)


def each_different(series: pl.Series, dtype: Any, call: Callable[[Any], Any]) -> pl.Series:
    """Return what a function makes of the values of a series, called once for each different one; null where it raises.

    >>> each_different(pl.Series(["1", "x", None, "1"]), pl.Int64, int).to_list()
    [1, None, None, 1]
    """
    different = series.drop_nulls().unique()
    made = pl.Series([_tried(call, value) for value in different], dtype=dtype)
    return series.replace_strict(different, made, default=None, return_dtype=dtype)


def _tried(call: Callable[[Any], Any], value: Any) -> Any:
    try:
        return call(value)
    except (ValueError, OverflowError):
        return None
