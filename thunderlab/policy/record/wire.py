"""Requests and entities as JSON: what is recorded is what is judged, byte for byte.

A request is written in its canonical form, read back, and judged as it was read: replaying the record judges the same thing again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from thunderlab.canonical import digest, encode
from thunderlab.errors import InputError

MOST_REQUEST_BYTES = 1 << 16
MOST_ENTITIES_BYTES = 1 << 24
MOST_DEPTH = 32

PARTS = ("principal", "action", "resource", "context")
_SHOWN = 80
_LARGE = 2**64
_PLAIN = (str, int, float, bool, type(None))


class Said(NamedTuple):
    """A request in its recorded form.

    Attributes:
        text: canonical JSON.
        document: what the text says, read back: this is judged.
        unsaid: what is missing from it and why; None when it says everything.
    """

    text: str
    document: dict[str, Any]
    unsaid: str | None


class EntitySet(NamedTuple):
    """What is known of the world, in the form that is kept.

    Attributes:
        digest: SHA-256 of `data`.
        data: canonical JSON.
        documents: what it says, read back.
    """

    digest: str
    data: bytes
    documents: list[Any]


def say(request: object) -> Said:
    """Return a request in the form it is recorded and judged in.

    Of a request that JSON cannot say, or that is larger than 64 KiB or nested deeper than 32, those parts are kept that can be said.

    >>> say({"action": "b", "principal": "a"}).text
    '{"action":"b","principal":"a"}'
    >>> say({"principal": "a", "context": {"load": float("nan")}})
    Said(text='{"principal":"a"}', document={'principal': 'a'}, unsaid='context.load is nan, which JSON cannot say')
    """
    if not isinstance(request, dict):
        return Said("{}", {}, f"a request is a mapping, got {type(request).__name__}")
    wrong = unsayable(request, MOST_REQUEST_BYTES)
    if wrong is None:
        data = encode(request)
        if len(data) <= MOST_REQUEST_BYTES:
            text = data.decode()
            return Said(text, msgspec.json.decode(text), None)
        wrong = f"the request has {len(data)} bytes, {MOST_REQUEST_BYTES} are accepted"
    return _what_can_be_said(request, wrong)


def _what_can_be_said(request: dict[Any, Any], wrong: str) -> Said:
    kept = {name: request[name] for name in PARTS[:3] if name in request and unsayable({name: request[name]}, MOST_REQUEST_BYTES) is None}
    data = encode(kept)
    if len(data) > MOST_REQUEST_BYTES:
        kept, data = {}, b"{}"
    return Said(data.decode(), msgspec.json.decode(data), wrong)


def say_entities(entities: Sequence[object]) -> EntitySet:
    """Return entities in the form they are kept and judged in; their order is part of it.

    Raises:
        InputError: when JSON cannot say them, or they are more than 16 MiB.
    """
    wrong = unsayable(list(entities), MOST_ENTITIES_BYTES)
    if wrong is not None:
        raise InputError(wrong, field="entities")
    data = encode(list(entities))
    if len(data) > MOST_ENTITIES_BYTES:
        raise InputError(f"have {len(data)} bytes together, {MOST_ENTITIES_BYTES} are accepted", field="entities")
    return EntitySet(digest(data), data, msgspec.json.decode(data))


def unsayable(value: object, most: int) -> str | None:
    """Return what JSON cannot say of a value and where, None when it can say all of it in at most 32 levels.

    Args:
        value: anything, even what holds itself.
        most: so many bytes are going to be accepted: what holds more values is too large, and is not looked at to its end.

    >>> unsayable({"context": {"n": [1, {2: 3}]}}, 100)
    'context.n[1] has a key that is no text: 2'
    """
    if _fits(value, MOST_DEPTH, [most]):
        return None
    waiting: list[tuple[object, str, int]] = [(value, "", 0)]
    seen = 0
    while waiting:
        one, place, depth = waiting.pop()
        seen += 1
        if seen > most:
            return f"it holds more than {most} values"
        if isinstance(one, _PLAIN):
            wrong = _plain_wrong(one)
            if wrong:
                return f"{place or 'it'} {wrong}"
            continue
        if depth >= MOST_DEPTH:
            return f"it is nested deeper than {MOST_DEPTH}"
        if isinstance(one, dict):
            for key in one:
                if not isinstance(key, str) or _plain_wrong(key):
                    return f"{place or 'it'} has a key that is no text: {ascii(key)[:40]}"
            waiting.extend((item, f"{place}.{key[:_SHOWN]}" if place else key[:_SHOWN], depth + 1) for key, item in one.items())
        elif isinstance(one, list | tuple):
            waiting.extend((item, f"{place}[{number}]", depth + 1) for number, item in enumerate(one))
        else:
            return f"{place or 'it'} is a {type(one).__name__}, which JSON cannot say"
    return None


def _fits(value: Any, room: int, left: list[int]) -> bool:
    """Return whether nothing is wrong with a value that is made of the very types JSON has; most are, and that is seen quickly."""
    kind = type(value)
    if kind is str:
        return value.isascii() or _is_unicode(value)
    if kind is int:
        return bool(-_LARGE < value < _LARGE)
    if kind is bool or value is None:
        return True
    if kind not in (dict, list) or room == 0:
        return kind is float and math.isfinite(value)
    left[0] -= 1 + len(value)
    if left[0] < 0:
        return False
    if kind is list:
        return all(_fits(item, room - 1, left) for item in value)
    for key, item in value.items():
        if type(key) is not str or not (key.isascii() or _is_unicode(key)) or not _fits(item, room - 1, left):
            return False
    return True


def _plain_wrong(value: object) -> str | None:
    if isinstance(value, str):
        return None if value.isascii() or _is_unicode(value) else "holds half a character"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"is {value}, which JSON cannot say"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 4096:
        return f"is an integer of {value.bit_length()} bits"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_json(data: bytes | str, where: Path, field: str | None = None) -> Any:
    """Return what a JSON text from outside says: numbers as they are, `2.0` a float and integers of any sensible length.

    Raises:
        InputError: when it is no JSON, says one key twice, or says what is no JSON number.
    """

    def constant(name: str) -> None:
        raise InputError(f"{name} is not JSON", where=where, field=field)

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(f"{twice!r} is said twice", where=where, field=field)
        return found

    try:
        return json.loads(data, parse_constant=constant, object_pairs_hook=mapping)
    except json.JSONDecodeError as error:
        at = field or f"line {error.lineno}"
        raise InputError(f"is not JSON: {error.msg} (column {error.colno})", where=where, field=at) from None
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})", where=where, field=field) from None
    except RecursionError:
        raise InputError("is nested too deep", where=where, field=field) from None
    except ValueError:
        raise InputError("holds a number with thousands of digits", where=where, field=field) from None
