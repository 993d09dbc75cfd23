"""Texts of recorded requests that say exactly what a schema lets be asked about an action, read many at a time and without a doubt.

A text is taken only when what was read of it, written again, is the very same text. So there is in it no number that is no integer, no null, no
key twice, no attribute that is too many, and no way of writing that means something else to another reader; and nothing has to be known about
how forgiving a JSON reader is. What is not taken is nobody's fault: it is judged one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import polars as pl

from thunderlab.policy.language.names import is_action_type
from thunderlab.policy.language.types import ActionKind, Attribute, EntityOf, Plain, RecordType, SetType, Type, Vocabulary
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN

_BLOCK = 500
_ENCODER = msgspec.json.Encoder()
_PLAIN: dict[str, tuple[Any, pl.DataType]] = {
    "Bool": (bool, pl.Boolean()),
    "Long": (Annotated[int, msgspec.Meta(ge=LONG_MIN, le=LONG_MAX)], pl.Int64()),
    "String": (str, pl.String()),
}
_CONSTRUCTORS = {"decimal": "decimal", "ipaddr": "ip", "datetime": "datetime", "duration": "duration"}

Cell = Callable[[Any], Any]


class _NoShapeError(Exception):
    """A type whose values are judged one by one."""


class _Column(NamedTuple):
    """How the values of a type are read, what makes a cell of one (None: it is one), and the cells' dtype."""

    type: Any
    cell: Cell | None
    dtype: pl.DataType


class _Record(NamedTuple):
    """How a record is read, and its attributes: their names here and in the schema, and how they are read."""

    type: Any
    parts: tuple[tuple[str, str, _Column | _Record], ...]


class Shape:
    """The form that texts of requests about one action have.

    Args:
        kind: what the schema says of the action.
        vocabulary: the schema.

    Raises:
        ValueError: when the schema asks for something that is not read here.
    """

    def __init__(self, kind: ActionKind, vocabulary: Vocabulary) -> None:
        try:
            self._context = _record(kind.context, vocabulary)
        except _NoShapeError as error:
            raise ValueError(str(error)) from None
        types = {
            "action": (kind.uid.type,),
            "principal": _open_types(kind.principals, vocabulary),
            "resource": _open_types(kind.resources, vocabulary),
        }
        self._types = types
        self._action = kind.uid.id
        ids: dict[str, Any] = {"action": Literal[kind.uid.id]}
        uids: dict[str, Any] = {
            role: _struct([("id", ids.get(role, str), True), ("type", Literal[names], True)]) for role, names in types.items()
        }
        # Names in the order of the canonical form.
        fields = [(name, uids.get(name, self._context.type), True) for name in ("action", "context", "principal", "resource")]
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_struct(fields))

    def frame(self, texts: Sequence[str]) -> tuple[list[int], pl.DataFrame]:
        """Return the places of the texts that have this form, and what they say as `PolicySet.decide_frame` takes it."""
        places: list[int] = []
        found: list[Any] = []
        for first in range(0, len(texts), _BLOCK):
            for place, one in self._read(texts[first : first + _BLOCK]):
                places.append(first + place)
                found.append(one)
        columns: dict[str, Any] = {}
        for role, field in (("principal", "f2"), ("action", "f0"), ("resource", "f3")):
            uids = [getattr(one, field) for one in found]
            types = self._types[role]
            columns[f"{role}_type"] = (
                pl.repeat(types[0], len(found), dtype=pl.String, eager=True)
                if len(types) == 1
                else pl.Series([uid.f1 for uid in uids], dtype=pl.String)
            )
            columns[f"{role}_id"] = (
                pl.repeat(self._action, len(found), dtype=pl.String, eager=True)
                if role == "action"
                else pl.Series([uid.f0 for uid in uids], dtype=pl.String)
            )
        if self._context.parts:
            columns["context"] = _cells([one.f1 for one in found], self._context)
        return places, pl.DataFrame(columns)

    def _read(self, texts: Sequence[str]) -> Iterator[tuple[int, Any]]:
        """Yield what some texts say, with their places.

        They are read as lines of one text, which is exact: nothing that is written holds a line break, so as many lines as texts, equal to them
        when joined, are equal one by one.
        """
        found = self._lines(texts)
        if found is not None:
            yield from enumerate(found)
            return
        for place, text in enumerate(texts):
            alone = self._lines([text])
            if alone is not None:
                yield place, alone[0]

    def _lines(self, texts: Sequence[str]) -> list[Any] | None:
        try:
            lines = "\n".join([*texts, ""]).encode()
            found = self._decoder.decode_lines(lines)
            return found if len(found) == len(texts) and _ENCODER.encode_lines(found) == lines else None
        except (ValueError, RecursionError):
            return None


def _open_types(names: frozenset[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the types of which any entity may be named; of the others each is held against a list."""
    found = tuple(sorted(name for name in names if _is_open(name, vocabulary)))
    if not found:
        raise ValueError("it applies to no type of which any entity may be named")
    return found


def _is_open(name: str, vocabulary: Vocabulary) -> bool:
    kind = vocabulary.entities.get(name)
    return kind is not None and kind.ids is None and not is_action_type(name)


def _struct(fields: Sequence[tuple[str, Any, bool]]) -> Any:
    """Return the type of objects with these keys and no others, in the order of the canonical form; their fields are f0, f1, and so on.

    Raises:
        ValueError: when a key is one that cannot be read so.
    """
    ordered = sorted(fields, key=lambda field: field[0])
    declared: list[Any] = [
        (f"f{at}", type_) if required else (f"f{at}", type_ | msgspec.UnsetType, msgspec.UNSET)
        for at, (_, type_, required) in enumerate(ordered)
    ]
    names = {f"f{at}": name for at, (name, _, _) in enumerate(ordered)}
    return msgspec.defstruct("Shape", declared, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)


def _record(type_: RecordType, vocabulary: Vocabulary) -> _Record:
    known: list[tuple[str, Attribute, _Column | _Record]] = []
    for name in sorted(type_.attributes):
        attribute = type_.attributes[name]
        try:
            known.append((name, attribute, _reading(attribute.type, vocabulary)))
        except _NoShapeError:
            if attribute.required:
                raise
            # A text that has it has another form.
    try:
        struct = _struct([(name, read.type, attribute.required) for name, attribute, read in known])
    except ValueError as error:
        raise _NoShapeError(str(error)) from None
    return _Record(struct, tuple((f"f{at}", name, read) for at, (name, _, read) in enumerate(known)))


def _reading(type_: Type, vocabulary: Vocabulary) -> _Column | _Record:
    if isinstance(type_, RecordType):
        found = _record(type_, vocabulary)
        if not found.parts:
            raise _NoShapeError("a record of nothing")
        return found
    return _column(type_, vocabulary)


def _column(type_: Type, vocabulary: Vocabulary) -> _Column:
    match type_:
        case Plain(name) if name in _PLAIN:
            return _Column(_PLAIN[name][0], None, _PLAIN[name][1])
        case Plain(name):
            inner = _struct([("arg", str, True), ("fn", Literal[_CONSTRUCTORS[name]], True)])
            return _Column(_struct([("__extn", inner, True)]), lambda one: one.f0.f0, pl.String())
        case EntityOf(name) if _is_open(name, vocabulary):
            inner = _struct([("id", str, True), ("type", Literal[name], True)])
            return _Column(_struct([("__entity", inner, True)]), lambda one: one.f0.f0, pl.String())
        case SetType(of) if not isinstance(of, SetType | RecordType):
            item = _column(of, vocabulary)
            return _Column(list[item.type], _each(item.cell), pl.List(item.dtype))  # type: ignore[name-defined]
    raise _NoShapeError("its values are judged one by one")


def _each(cell: Cell | None) -> Cell | None:
    return None if cell is None else lambda items: [cell(one) for one in items]


def _cells(values: Sequence[Any], read: _Column | _Record) -> pl.Series:
    """Return values as a column, null where there is none."""
    if isinstance(read, _Column):
        make = read.cell
        return pl.Series(values if make is None else [None if one is None else make(one) for one in values], dtype=read.dtype)
    parts = {
        name: _cells([None if one is None or (value := getattr(one, field)) is msgspec.UNSET else value for one in values], inner)
        for field, name, inner in read.parts
    }
    struct = pl.DataFrame(parts).to_struct()
    there = pl.Series([one is not None for one in values], dtype=pl.Boolean)
    return struct if there.all() else pl.select(pl.when(there).then(struct)).to_series()
