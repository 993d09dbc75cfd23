"""An event's fields in words, for people: the catalogue's page and `events show`."""

from __future__ import annotations

import json
import re
from inspect import cleandoc
from typing import Any

import msgspec

from thunderlab.events.event import Event
from thunderlab.events.shape import Schema, schema_of

_SECTION = "Attributes:"
_FIELD = re.compile(r"    (\w+): (.*)")

_WORDS = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false", "null": "null"}


class FieldEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an event.

    Attributes:
        name: its key in the payload.
        type: what it may hold, in words.
        default: what it holds when nobody says, as JSON; None when it is required.
        meaning: what the class's docstring says of it under `Attributes:`; may be empty.
    """

    name: str
    type: str
    default: str | None
    meaning: str


def fields(kind: type[Event]) -> list[FieldEntry]:
    """Return the fields of an event in the order in which they are written."""
    schema = schema_of(kind)
    definitions = schema["$defs"]
    own = definitions[schema["$ref"].rpartition("/")[2]]
    meanings = documented(kind)[1]
    return [
        FieldEntry(
            name=name,
            type=in_words(field, definitions),
            default=None if name in own["required"] else json.dumps(field.get("default"), ensure_ascii=False),
            meaning=meanings.get(name, ""),
        )
        for name, field in own["properties"].items()
    ]


def documented(kind: type[Event]) -> tuple[str, dict[str, str]]:
    """Return what a class's docstring says: its text, and the meaning of each field that it names.

    >>> class Rang(Event, frozen=True):
    ...     '''A bell rang.
    ...
    ...     Attributes:
    ...         times: how often, within
    ...             one second.
    ...     '''
    ...     NAME = "bell.rang"
    ...     times: int
    >>> documented(Rang)
    ('A bell rang.', {'times': 'how often, within one second.'})
    """
    text, _, section = cleandoc(kind.__doc__ or "").partition(_SECTION)
    meanings: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        found = _FIELD.fullmatch(line)
        if found:
            name = found[1]
            meanings[name] = found[2]
        elif name and line.strip():
            meanings[name] += f" {line.strip()}"
    return text.strip(), meanings


def in_words(schema: Any, definitions: Schema) -> str:
    """Return what a JSON Schema allows, in words.

    >>> in_words({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]}, {})
    'a list of integers, or null'
    """
    if schema in (True, False):
        return "anything" if schema else "nothing"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        # A structure may hold others of its kind: within its own fields it is called by its name.
        inner = {other: definition for other, definition in definitions.items() if other != name}
        return in_words(definitions[name], inner) if name in definitions else name
    if "anyOf" in schema:
        parts = [in_words(part, definitions) for part in schema["anyOf"]]
        return ", or ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]
    if "enum" in schema or "const" in schema:
        values = [json.dumps(value, ensure_ascii=False) for value in schema.get("enum", [schema.get("const")])]
        return values[0] if len(values) == 1 else f"one of {', '.join(values)}" if values else "nothing"
    match schema.get("type"):
        case "array":
            if "prefixItems" in schema:
                return f"a list of {', '.join(in_words(part, definitions) for part in schema['prefixItems'])}"
            return f"a list of {_plural(in_words(schema.get('items', True), definitions))}{_limits(schema, 'Items')}"
        case "object" if "properties" in schema:
            parts = [f"{name} ({in_words(field, definitions)})" for name, field in schema["properties"].items()]
            return f"a structure of {', '.join(parts)}"
        case "object":
            return f"a map from text to {_plural(in_words(schema.get('additionalProperties', True), definitions))}"
        case "string":
            return f"text{f' of {form}' if (form := schema.get('format') or schema.get('pattern')) else ''}{_limits(schema, 'Length')}"
        case "integer" | "number" as kind:
            return f"{_WORDS[kind]}{_limits(schema, '')}"
        case str(kind):
            return _WORDS[kind]
        case _:
            return "anything"


def _plural(words: str) -> str:
    """Return `integers` for `an integer`, and leave alone what is more than one word long."""
    article, _, rest = words.partition(" ")
    return f"{rest}s" if article in ("a", "an") and " " not in rest else words


def _limits(schema: Schema, what: str) -> str:
    names = {f"min{what or 'imum'}": "at least", f"max{what or 'imum'}": "at most"}
    if not what:
        names |= {"exclusiveMinimum": "above", "exclusiveMaximum": "below"}
    unit = {"Items": " items", "Length": " characters", "": ""}[what]
    return "".join(f", {words} {schema[name]}{unit}" for name, words in names.items() if name in schema)
