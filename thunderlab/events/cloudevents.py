"""Events as CloudEvents: one line of JSON each, with the attribute names other programs know.

Source: CloudEvents specification 1.0.2 and its JSON event format (https://github.com/cloudevents/spec), CNCF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from thunderlab.clock import parse_rfc3339
from thunderlab.errors import EvidenceError

SPEC_VERSION = "1.0"
SCHEMES = "thunderlab:events/"

_ATTRIBUTES = frozenset({"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data", "data_base64"})
_EXTENSION = re.compile(r"[a-z0-9]{1,20}")
# Section "Type System": no control characters, no halves of surrogate pairs, no noncharacters.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
# RFC 3986: a reference is made of these characters, and bytes written as %41.
_REFERENCE = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")


def line(
    *,
    id: str,
    source: str,
    name: str,
    version: str,
    at: str,
    payload: bytes | None,
    extensions: Mapping[str, str | int] | None = None,
) -> bytes:
    """Return one event as a CloudEvent in the JSON event format: one line, with the line break that ends it.

    `data` is the payload's exact bytes, so that its hash can be taken from the line: everything between `"data":` and the last
    brace, since it comes last.

    Args:
        id: unique within `source`.
        source: which ledger it is from, a URI reference.
        name: the event's name, which CloudEvents call its type.
        version: its schema version, in `dataschema` behind the name.
        at: RFC 3339 UTC with microseconds.
        payload: JSON on one line; None when it was pruned, then there is no `data`.
        extensions: further attributes; names of at most twenty lower-case letters and digits, integers of 32 bits.

    Raises:
        ValueError: when an attribute is none that CloudEvents allow.
        EvidenceError: when the payload is no JSON on one line.

    >>> print(line(id="1", source="a/b", name="bell.rang", version="1.0", at="2026-01-31T12:00:00.000000Z", payload=b'{"times":3}',
    ...     extensions={"seq": 7}).decode(), end="")  # doctest: +NORMALIZE_WHITESPACE
    {"specversion":"1.0","id":"1","source":"a/b","type":"bell.rang","time":"2026-01-31T12:00:00.000000Z","dataschema":"thunderlab:events/bell.rang@1.0","seq":7,"datacontenttype":"application/json","data":{"times":3}}
    """
    schema = f"{SCHEMES}{name}@{version}"
    for attribute, text in (("source", source), ("dataschema", schema)):
        if not _REFERENCE.fullmatch(text):
            raise ValueError(f"{attribute} {text!r} is not a URI reference")
    parse_rfc3339(at)
    attributes: dict[str, object] = {
        "specversion": SPEC_VERSION,
        "id": _text("id", id),
        "source": source,
        "type": _text("type", name),
        "time": at,
        "dataschema": schema,
    }
    for key, value in (extensions or {}).items():
        attributes[_extension(key)] = _value(key, value)
    if payload is not None:
        attributes["datacontenttype"] = "application/json"
        attributes["data"] = msgspec.Raw(_one_line(payload, id))
    return msgspec.json.encode(attributes) + b"\n"


def _text(attribute: str, text: str) -> str:
    if not text or _FORBIDDEN.search(text):
        raise ValueError(f"{attribute} {text!r} is empty or holds characters that CloudEvents do not allow")
    return text


def _extension(name: str) -> str:
    if not _EXTENSION.fullmatch(name) or name in _ATTRIBUTES:
        raise ValueError(f"{name!r} is not an extension's name: at most twenty of a-z and 0-9, and no attribute of CloudEvents' own")
    return name


def _value(name: str, value: str | int) -> str | int | bool:
    if isinstance(value, str):
        return _text(name, value)
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{name} {value} is not an integer of 32 bits; write it as text")
    return value


def _one_line(payload: bytes, id: str) -> bytes:
    try:
        payload.decode()
        msgspec.json.decode(payload, type=msgspec.Raw)
    except ValueError as error:
        raise EvidenceError(f"the payload is no JSON: {error}", where=f"event {id}") from None
    if b"\n" in payload or b"\r" in payload:
        raise EvidenceError("the payload is not on one line", where=f"event {id}")
    return payload
