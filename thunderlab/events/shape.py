"""What an event looks like on paper: its JSON Schema, and the digest that notices a changed shape."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import inspect as types

from thunderlab.canonical import digest_of
from thunderlab.events.event import Event

Schema = dict[str, Any]

# Said for people, and free to improve without a new version; the discriminator repeats what the tags say.
PROSE = frozenset({"title", "description", "discriminator"})

# The types whose JSON Schema says all there is to know. That of a `datetime` is any text, that of a map says nothing of its keys.
_PLAIN = (
    types.NoneType,
    types.BoolType,
    types.IntType,
    types.FloatType,
    types.StrType,
    types.LiteralType,
    types.EnumType,
)


def schema_of(kind: type[Event]) -> Schema:
    """Return the JSON Schema of an event; prose in it is the docstrings' without their indentation.

    From 3.13 on Python leaves the indentation out itself, so the schema is the same for every Python.
    """
    schema: Schema = _undented(msgspec.json.schema(kind))
    return schema


def shape_digest(schema: Schema) -> str:
    """Return the digest of a JSON Schema without its prose: two schemas share it when they allow the same bytes in the same order.

    Names of classes are left out, so that a class may be renamed when a new version takes its name; the order of fields is not,
    since it is the order in which they are written.
    """
    order: list[str] = []
    definitions = schema.get("$defs", {})
    shapes = [_shape({key: value for key, value in schema.items() if key != "$defs"}, order)]
    # Looking at one definition may name further ones, which are then looked at, too.
    shapes.extend(_shape(definitions[name], order) for name in order)
    return digest_of(shapes)


def unsaid(kind: type[Event]) -> str | None:
    """Return what of an event its schema would not tell its readers, None when it tells all."""
    config = kind.__struct_config__
    if config.forbid_unknown_fields:
        return "refuses unknown fields, so old readers could not read newer minor versions"
    return _unsaid(types.type_info(kind), set())


def _unsaid(info: types.Type, seen: set[type]) -> str | None:
    inner: tuple[types.Type, ...]
    match info:
        case types.Metadata():
            inner = (info.type,)
        case types.StructType():
            if info.cls in seen:
                return None
            seen.add(info.cls)
            config = info.cls.__struct_config__
            if config.array_like or config.omit_defaults:
                return f"{info.cls.__name__} is written as an array or without its defaults"
            inner = tuple(field.type for field in info.fields)
        case types.ListType() | types.VarTupleType():
            inner = (info.item_type,)
        case types.TupleType():
            inner = info.item_types
        case types.UnionType():
            inner = info.types
            if any(isinstance(part, types.TupleType) for part in inner) and not (len(inner) == 2 and info.includes_none):
                return "a tuple of a certain length is in a union: beside numbers with bounds msgspec 0.22.0 crashes on it"
        case types.DictType():
            key: types.Type = info.key_type
            while isinstance(key, types.Metadata):
                key = key.type
            if not isinstance(key, types.StrType):
                return "the keys of a map are not text"
            inner = (info.value_type,)
        case _ if isinstance(info, _PLAIN):
            inner = ()
        case _:
            return f"{type(info).__name__.removesuffix('Type')} is not one of text, numbers, truth values, null, lists, maps and structs of them"
    return next((found for part in inner if (found := _unsaid(part, seen)) is not None), None)


def _undented(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: cleandoc(value) if key == "description" and isinstance(value, str) else _undented(value) for key, value in schema.items()
        }
    return [_undented(value) for value in schema] if isinstance(schema, list) else schema


def _shape(schema: Any, order: list[str]) -> Any:
    """Return a schema's shape; the definitions it names are put into `order` and called by their places there."""
    if isinstance(schema, list):
        return [_shape(value, order) for value in schema]
    if not isinstance(schema, dict):
        return schema
    shape: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "$ref":
            name = value.rpartition("/")[2]
            if name not in order:
                order.append(name)
            shape[key] = order.index(name)
        elif key == "properties":
            # A field may well be called `title`; and a list, unlike a map, has an order that is hashed.
            shape[key] = [[name, _shape(field, order)] for name, field in value.items()]
        elif key in ("default", "enum", "const"):
            shape[key] = value
        elif key not in PROSE:
            shape[key] = _shape(value, order)
    return shape
