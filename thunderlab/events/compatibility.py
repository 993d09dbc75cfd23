"""Whether readers of one schema can read what writers of another write: what holds an event's minor versions together.

Schemas are JSON Schemas as msgspec writes them for structs of numbers, text, lists, maps and structs (`schema_of`). Within a major
version each version must read every other one's events, which is what schema registries call full transitive compatibility
(Confluent Schema Registry, "Schema Evolution and Compatibility", FULL_TRANSITIVE): a ledger is read for ever, by old programs and
new ones.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from thunderlab.events.fields import in_words
from thunderlab.events.shape import PROSE, Schema

_SHAPE_KEYWORDS = frozenset(
    {
        *("type", "enum", "const", "anyOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "format", "contentEncoding"),
        *("items", "prefixItems", "minItems", "maxItems"),
        *("properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"),
    }
)
_OTHER_KEYWORDS = PROSE | {"$defs", "$ref", "default"}
_MAP_KEYWORDS = ("minProperties", "maxProperties", "propertyNames")


def differences(reader: Schema, writer: Schema) -> list[str]:
    """Return, as sentences with their paths, what a reader of one schema cannot read of what a writer of another may write.

    Empty when every value the writer may write can be read. Readers skip properties they do not know, unless their schema says
    otherwise. What the schemas do not tell for certain counts as a difference.

    >>> old = {"type": "object", "properties": {"times": {"type": "integer"}}, "required": ["times"]}
    >>> new = {"type": "object", "properties": {"times": {"type": "number"}}, "required": ["times"]}
    >>> differences(reader=new, writer=old)
    []
    >>> differences(reader=old, writer=new)
    ['times: a number may be written, an integer is read']
    """
    return list(_Comparison(reader, writer).unread(reader, writer, ""))


class _Comparison:
    """One walk along two schemas. A pair that is being looked at further up is taken to fit: recursive types end there."""

    def __init__(self, reader: Schema, writer: Schema) -> None:
        self._reader_definitions: Schema = reader.get("$defs", {})
        self._writer_definitions: Schema = writer.get("$defs", {})
        self._open: set[tuple[int, int]] = set()

    def unread(self, reader: Any, writer: Any, path: str) -> Iterator[str]:
        """Yield what the reader cannot read at a path."""
        pair = (id(reader), id(writer))
        if pair in self._open:
            return
        self._open.add(pair)
        try:
            yield from self._unread(_resolved(reader, self._reader_definitions), _resolved(writer, self._writer_definitions), path)
        finally:
            self._open.discard(pair)

    def _unread(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        strange = sorted((reader.keys() | writer.keys()) - _SHAPE_KEYWORDS - _OTHER_KEYWORDS)
        read, written = _shape_keywords(reader), _shape_keywords(writer)
        if strange:
            yield _at(path, f"{', '.join(strange)} cannot be compared")
        elif not read:
            return  # anything is read
        elif any(len(shape) > 1 and shape & {"anyOf", "enum", "const"} for shape in (read, written)):
            yield _at(path, "anyOf and enum beside other conditions cannot be compared")
        elif "anyOf" in written:
            for alternative in writer["anyOf"]:
                yield from self.unread(reader, alternative, path)
        elif "anyOf" in read:
            yield from self._unread_by_all(reader["anyOf"], writer, path)
        elif "enum" in written or "const" in written:
            for value in _values(writer):
                yield from self._unread_value(reader, value, path)
        elif "enum" in read or "const" in read or writer.get("type") != reader.get("type"):
            if (reader.get("type"), writer.get("type")) == ("number", "integer"):
                yield from _unread_numbers(reader, writer, path)
            else:
                yield self._mismatch(reader, writer, path)
        else:
            yield from self._unread_kind(reader, writer, path)

    def _unread_by_all(self, alternatives: list[Schema], writer: Schema, path: str) -> Iterator[str]:
        """Yield nothing when one of the reader's alternatives reads all; else what the only one of the same type does not, if there is one."""
        found = [list(self.unread(alternative, writer, path)) for alternative in alternatives]
        if all(found):
            kinds = [_resolved(alternative, self._reader_definitions).get("type") for alternative in alternatives]
            near = [one for one, kind in zip(found, kinds, strict=True) if kind is not None and kind == writer.get("type")]
            yield from near[0] if len(near) == 1 else [self._mismatch({"anyOf": alternatives}, writer, path)]

    def _unread_value(self, reader: Schema, value: Any, path: str) -> Iterator[str]:
        """Yield why one certain value is not read."""
        if "enum" in reader or "const" in reader:
            if not any(_same(value, one) for one in _values(reader)):
                yield _at(path, f"{json.dumps(value, ensure_ascii=False)} may be written, {self._reads(reader)}")
        elif isinstance(value, str):
            if reader.get("type") != "string" or reader.keys() & {"pattern", "format", "contentEncoding"}:
                yield self._mismatch(reader, {"enum": [value]}, path)
            else:
                length = {"minLength": len(value), "maxLength": len(value)}
                yield from _unread_bounds(reader, length, path, "minLength", "maxLength", "characters")
        elif isinstance(value, bool) or value is None:
            if reader.get("type") != ("null" if value is None else "boolean"):
                yield self._mismatch(reader, {"enum": [value]}, path)
        elif reader.get("type") not in ("integer", "number") or not isinstance(value, int) or "multipleOf" in reader:
            yield self._mismatch(reader, {"enum": [value]}, path)
        else:
            yield from _unread_numbers(reader, {"type": "integer", "minimum": value, "maximum": value}, path)

    def _unread_kind(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        """Yield what is not read of two schemas of one type."""
        match reader.get("type"):
            case "integer" | "number":
                yield from _unread_numbers(reader, writer, path)
            case "string":
                yield from _unread_text(reader, writer, path)
            case "array":
                yield from self._unread_list(reader, writer, path)
            case "object":
                yield from self._unread_object(reader, writer, path)
            case "boolean" | "null":
                return
            case kind:
                yield _at(path, f"type {kind!r} cannot be compared")

    def _unread_list(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        yield from _unread_bounds(reader, writer, path, "minItems", "maxItems", "items")
        first = max(len(reader.get("prefixItems", ())), len(writer.get("prefixItems", ())))
        longest = writer.get("maxItems", first + 1)
        for place in range(min(first, longest)):
            yield from self.unread(_item(reader, place), _item(writer, place), f"{path}[{place}]")
        if longest > first:
            yield from self.unread(_item(reader, first), _item(writer, first), f"{path}[*]")

    def _unread_object(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        read, written = reader.get("properties"), writer.get("properties")
        if read is None and written is None:
            yield from self._unread_map(reader, writer, path)
            return
        if any(keyword in schema for schema in (reader, writer) for keyword in _MAP_KEYWORDS):
            yield _at(path, "a map of certain keys and fields cannot be compared")
            return
        read, written = read or {}, written or {}
        others_read = reader.get("additionalProperties", True)
        # A struct writes its fields and nothing else; a map may write any key, a field's name, too.
        others_written = writer.get("additionalProperties", True) if "properties" not in writer else False
        for name in read:
            where = f"{path}.{name}" if path else name
            if name in reader.get("required", ()) and name not in writer.get("required", ()):
                yield _at(where, "is required, and may be missing in what is written")
            if name in written or others_written is not False:
                yield from self.unread(read[name], written.get(name, others_written), where)
        for name in (name for name in written if name not in read):
            where = f"{path}.{name}" if path else name
            if others_read is False:
                yield _at(where, "may be written, and unknown fields are refused")
            else:
                yield from self.unread(others_read, written[name], where)
        if others_written is not False and "properties" in reader and others_read is False:
            yield _at(path, "any field may be written, and unknown fields are refused")

    def _unread_map(self, reader: Schema, writer: Schema, path: str) -> Iterator[str]:
        yield from _unread_bounds(reader, writer, path, "minProperties", "maxProperties", "keys")
        any_text = {"type": "string"}
        keys = [any_text | schema.get("propertyNames", {}) for schema in (reader, writer)]
        yield from _unread_text(keys[0], keys[1], f"{path}.(key)")
        yield from self.unread(reader.get("additionalProperties", True), writer.get("additionalProperties", True), f"{path}.*")

    def _mismatch(self, reader: Schema, writer: Schema, path: str) -> str:
        return _at(path, f"{in_words(writer, self._writer_definitions)} may be written, {self._reads(reader)}")

    def _reads(self, reader: Schema) -> str:
        return f"{in_words(reader, self._reader_definitions)} is read"


def _resolved(schema: Any, definitions: Schema) -> Schema:
    """Return a schema with its reference followed; true, which allows anything, as the schema without conditions."""
    if schema is True:
        return {}
    if schema is False:
        return {"enum": []}
    found: Schema = schema
    while "$ref" in found:
        beside = {key: value for key, value in found.items() if key != "$ref"}
        found = {**definitions[found["$ref"].rpartition("/")[2]], **beside}
    return found


def _shape_keywords(schema: Schema) -> frozenset[str]:
    return _SHAPE_KEYWORDS & schema.keys()


def _item(schema: Schema, place: int) -> Any:
    """Return the schema of a list's item at a place."""
    first = schema.get("prefixItems", ())
    return first[place] if place < len(first) else schema.get("items", True)


def _values(schema: Schema) -> list[Any]:
    values: list[Any] = schema["enum"] if "enum" in schema else [schema["const"]]
    return values


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are one: to Python True is 1."""
    return type(left) is type(right) and bool(left == right)


def _unread_numbers(reader: Schema, writer: Schema, path: str) -> Iterator[str]:
    whole = writer["type"] == "integer"
    for low in (True, False):
        read, written = _limit(reader, low=low, whole=whole), _limit(writer, low=low, whole=whole)
        if read is not None and (written is None or written < read):
            yield _at(path, f"{'smaller' if low else 'larger'} numbers may be written than are read")
    if "multipleOf" in reader and reader["multipleOf"] != writer.get("multipleOf"):
        yield _at(path, "only certain multiples are read")


def _limit(schema: Schema, *, low: bool, whole: bool) -> tuple[float, bool] | None:
    """Return a bound as something to compare: larger is stricter; the flag is set where the bound itself is left out."""
    inclusive, exclusive = ("minimum", "exclusiveMinimum") if low else ("maximum", "exclusiveMaximum")
    sign = 1 if low else -1
    found: list[tuple[float, bool]] = []
    if inclusive in schema:
        found.append((sign * schema[inclusive], False))
    if exclusive in schema:
        bound = sign * schema[exclusive]
        found.append((bound + 1, False) if whole and isinstance(bound, int) else (bound, True))
    return max(found, default=None)


def _unread_text(reader: Schema, writer: Schema, path: str) -> Iterator[str]:
    for keyword in ("pattern", "format", "contentEncoding"):
        if keyword in reader and reader[keyword] != writer.get(keyword):
            yield _at(path, f"only text of {keyword} {reader[keyword]!r} is read")
    yield from _unread_bounds(reader, writer, path, "minLength", "maxLength", "characters")


def _unread_bounds(reader: Schema, writer: Schema, path: str, least: str, most: str, what: str) -> Iterator[str]:
    if reader.get(least, 0) > writer.get(least, 0):
        yield _at(path, f"fewer {what} may be written than are read")
    if most in reader and (most not in writer or writer[most] > reader[most]):
        yield _at(path, f"more {what} may be written than are read")


def _at(path: str, what: str) -> str:
    return f"{path.lstrip('.')}: {what}" if path else what
