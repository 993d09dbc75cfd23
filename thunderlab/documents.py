"""Documents: YAML and JSON text parsed strictly into plain values that remember their lines, and converted to typed structures.

Accepted is what both YAML 1.2's core schema and common sense read alike: mappings with text keys, sequences, text, decimal
integers and finite numbers, `true`, `false`, `null`. Duplicate keys, anchors, aliases, tags, several documents and everything
YAML 1.1 would reinterpret (`no`, `12:30`, `0x1f`, `010`) are refused with their line.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from thunderlab.errors import InputError

T = TypeVar("T")
Field = tuple[str | int, ...]

MAX_DEPTH = 32

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
# What a YAML 1.1 reader would take for something else than the text it looks like: refused, never guessed.
_AMBIGUOUS_WORD = re.compile(r"(?i:y|n|yes|no|on|off)|(?!true$|false$)(?i:true|false)|(?!null$)(?i:null)")
_AMBIGUOUS_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[-+]?0[0-9_]+|0[xXoObB][0-9a-fA-F_]+|[-+]?[0-9]+_[0-9_]*")
_NOT_FINITE = re.compile(r"(?i:[-+]?\.(inf|nan))")
_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(.*)`", re.DOTALL)
_PATH_PART = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[(\.\.\.)\]")


class Document:
    """A parsed file: its plain value and the line of every field.

    Attributes:
        path: the file it came from, for messages.
        value: dicts with text keys, lists, text, integers, floats, booleans and None.
        lines: line of each field, by its path; 1 stands in where it is not known.
    """

    def __init__(self, path: Path, value: Any, lines: dict[Field, int]) -> None:
        self.path = path
        self.value = value
        self.lines = lines

    def refuse(self, field: Field, what: str) -> InputError:
        """Return the error that names this file, the line and the field; the caller raises it."""
        known = field
        while known and known not in self.lines:
            known = known[:-1]
        name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in field).lstrip(".")
        return InputError(what, where=self.path, field=f"line {self.lines.get(known, 1)}" + (f": {name}" if name else ""))

    def convert(self, kind: type[T]) -> T:
        """Return the value as a typed structure; unknown keys, missing keys and wrong types are refused with their line."""
        try:
            return msgspec.convert(self.value, kind)
        except msgspec.ValidationError as error:
            match = _AT.match(str(error))
            assert match is not None
            field, what = self._resolve(match["path"] or "", kind, str(error)), match["what"]
            unknown = _UNKNOWN.fullmatch(what)
            if unknown:
                raise self.refuse((*field, unknown[1]), f"is not a field here{_suggestion(unknown[1], kind)}") from None
            missing = _MISSING.fullmatch(what)
            if missing:
                raise self.refuse((*field, missing[1]), "is missing") from None
            raise self.refuse(field, _friendly(what)) from None

    def _resolve(self, path: str, kind: Any, complaint: str) -> Field:
        """Return the field a msgspec path means. Where it says `[...]` for a key of a mapping, the key that provokes is looked for."""
        found: list[str | int] = []
        for name, index, anything in _PATH_PART.findall(path):
            if anything:
                key = self._provoking_key(tuple(found), kind, complaint)
                if key is None:
                    break
                found.append(key)
            else:
                found.append(name or int(index))
        return tuple(found)

    def _provoking_key(self, field: Field, kind: Any, complaint: str) -> str | None:
        mapping = self._at(self.value, field)
        for key in mapping if isinstance(mapping, dict) else ():
            copy = json.loads(json.dumps(self.value))
            inner = self._at(copy, field)
            alone = {key: inner[key]}
            inner.clear()
            inner.update(alone)
            try:
                msgspec.convert(copy, kind)
            except msgspec.ValidationError as error:
                if str(error) == complaint:
                    return str(key)
        return None

    @staticmethod
    def _at(value: Any, field: Field) -> Any:
        for part in field:
            value = value[part]
        return value


def _suggestion(name: str, kind: Any) -> str:
    """Return what may have been meant, from the field names of the whole structure; empty when nothing is close."""
    names: set[str] = set()

    def collect(info: Any) -> None:
        for part in getattr(info, "fields", ()):
            names.add(part.encode_name)
            collect(part.type)
        for inner in (*getattr(info, "types", ()), *getattr(info, "item_types", ())):
            collect(inner)
        for inner in ("item_type", "value_type"):
            if hasattr(info, inner):
                collect(getattr(info, inner))

    collect(msgspec.inspect.type_info(kind))
    close = difflib.get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]}?" if close else ""


_KINDS = {
    "str": "text",
    "int": "an integer",
    "float": "a number",
    "object": "a mapping",
    "array": "a list",
    "bool": "true or false",
    "null": "nothing",
}


def _friendly(what: str) -> str:
    """Return msgspec's sentence in the words people who write YAML use.

    >>> _friendly("Expected `float | null`, got `str`")
    'expected a number or nothing, got text'
    """
    sentence = re.sub(r"`([a-z]+(?: \| [a-z]+)*)`", _kinds, what)
    return sentence[0].lower() + sentence[1:]


def _kinds(match: re.Match[str]) -> str:
    names = match[1].split(" | ")
    return " or ".join(_KINDS[name] for name in names) if all(name in _KINDS for name in names) else match[0]


def parse_yaml(text: str, path: Path) -> Document:
    """Return the parsed YAML text; `path` is what messages call it.

    Raises:
        InputError: naming file, line and field.
    """
    try:
        return _Builder(path, text).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML"
        raise InputError(str(problem), where=path, field=f"line {mark.line + 1}" if mark else None) from None


def parse_json(text: str, path: Path) -> Document:
    """Return the parsed JSON text, with the same strictness; `path` is what messages call it.

    Raises:
        InputError: naming file and field, and the line where it is known.
    """
    value = _json_value(path, text)
    # YAML only tells the lines: it reads escapes of surrogate pairs differently, and takes no control characters at all.
    lines: dict[Field, int] = {}
    if "\\u" not in text:
        with contextlib.suppress(yaml.YAMLError):
            # JSON strings hold no raw tabs, and YAML's scanner wants none outside them.
            lines = _Builder(path, text.replace("\t", " ")).document().lines
    return Document(path, value, lines)


def _json_value(path: Path, text: str) -> Any:
    def constant(name: str) -> None:
        raise InputError(f"{name} is not JSON", where=path)

    def number(digits: str) -> float | int:
        value = float(digits) if set(digits) & set(".eE") else _integer(digits)
        if value is None or not math.isfinite(value):
            raise InputError(f"{digits[:40]} is not a number that is accepted here", where=path)
        return value

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            raise InputError("appears twice", where=path, field=next(key for key in keys if keys.count(key) > 1))
        return found

    try:
        return json.loads(text, parse_constant=constant, parse_float=number, parse_int=number, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        raise InputError(f"is not JSON: {error.msg}", where=path, field=f"line {error.lineno}") from None
    except RecursionError:
        raise InputError(f"is nested deeper than {MAX_DEPTH}", where=path) from None


def _integer(digits: str) -> int | None:
    """Return a decimal integer, None beyond 18 digits: more than any field here holds, and safe in 64 bits."""
    return int(digits) if len(digits.lstrip("+-")) <= 18 else None


class _Builder:
    """Builds plain values from PyYAML's events with our own resolver, so that no scalar is ever guessed at."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self._lines: dict[Field, int] = {}
        self._event: Any = None

    def document(self) -> Document:
        self._next()
        if not isinstance(self._next(), yaml.DocumentStartEvent):
            raise InputError("is empty", where=self._path)
        self._next()
        value = self._node(())
        self._next()
        if not isinstance(self._next(), yaml.StreamEndEvent):
            raise self._refuse((), "a second document starts here; one is accepted")
        return Document(self._path, value, self._lines)

    def _next(self) -> Any:
        self._event = next(self._events)
        return self._event

    def _refuse(self, field: Field, what: str) -> InputError:
        name = ".".join(map(str, field))
        line = self._event.start_mark.line + 1
        return InputError(what, where=self._path, field=f"line {line}" + (f": {name}" if name else ""))

    def _node(self, field: Field) -> Any:
        event = self._event
        if len(field) > MAX_DEPTH:
            raise self._refuse((), f"nested deeper than {MAX_DEPTH}")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self._refuse(field, "anchors and aliases are not accepted; write the value out")
        if event.tag:
            raise self._refuse(field, f"the tag {event.tag} is not accepted")
        self._lines[field] = event.start_mark.line + 1
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(field)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(field)
        return self._scalar(field)

    def _mapping(self, field: Field) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(self._next(), yaml.MappingEndEvent):
            key = self._node((*field, "(key)")) if isinstance(self._event, yaml.ScalarEvent | yaml.AliasEvent) else None
            if not isinstance(key, str):
                raise self._refuse(field, f"a key must be text, got {key!r}" if key is not None else "a key must be text")
            if key in found:
                raise self._refuse((*field, key), "appears twice")
            self._next()
            found[key] = self._node((*field, key))
        return found

    def _sequence(self, field: Field) -> list[Any]:
        found: list[Any] = []
        while not isinstance(self._next(), yaml.SequenceEndEvent):
            found.append(self._node((*field, len(found))))
        return found

    def _scalar(self, field: Field) -> Any:
        text, plain = self._event.value, self._event.implicit[0]
        if not plain:
            return text
        if text in ("", "~", "null"):
            return None
        if text in ("true", "false"):
            return text == "true"
        if _AMBIGUOUS_WORD.fullmatch(text):
            raise self._refuse(field, f"{text} is ambiguous: write true or false, or quote it to mean text")
        if _AMBIGUOUS_NUMBER.fullmatch(text):
            raise self._refuse(field, f"{text} is ambiguous: write a decimal number, or quote it to mean text")
        if _NOT_FINITE.fullmatch(text):
            raise self._refuse(field, f"{text} is not a finite number")
        if _INTEGER.fullmatch(text):
            value = _integer(text)
            if value is None:
                raise self._refuse(field, "an integer of more than 18 digits is not accepted")
            return value
        if _FLOAT.fullmatch(text):
            if not math.isfinite(float(text)):
                raise self._refuse(field, f"{text} is not a finite number")
            return float(text)
        return text
