"""The base of every event, and the envelope it travels in."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from thunderlab.errors import UndocumentedEventError

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact somebody may want to know later. Each room declares its own as frozen subclasses in its `events.py`.

    Constructors do not check types and a NaN is written as null, so `encode` writes the bytes, reads them back strictly and
    compares: what cannot survive that is no event.

    Attributes:
        NAME: dotted name, past tense or noun, for example `ca.qa.scenario.completed`.
        VERSION: `major.minor`; every changed shape is a new version, and the old class stays beside the new one under another name.
            Within a major version old readers read new events and new readers read old ones (see `compatibility`).
        DURABLE: whether each one becomes a block of the ledger; the others are counted per minute (see `minutes`).
    """

    NAME: ClassVar[str]
    VERSION: ClassVar[str] = "1.0"
    DURABLE: ClassVar[bool] = False

    def encode(self) -> bytes:
        """Return the event's only byte form: JSON, fields in declared order, map keys sorted.

        Raises:
            UndocumentedEventError: when a value does not fit its field's type.
        """
        try:
            read_back = _decoder(type(self)).decode(_ENCODER.encode(self))
        # What is no JSON at all fails in several ways: objects, integers that are too long, halves of characters, lists that hold themselves.
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise UndocumentedEventError(f"event {self.NAME}: {error}") from None
        if read_back != self:
            raise UndocumentedEventError(f"event {self.NAME}: a value changes when it is written and read back")
        # Encoded from what was read back: an integer handed in for a number field is written 1.0, as every reader will write it.
        return _ENCODER.encode(read_back)

    @classmethod
    def decode(cls, data: bytes) -> Event:
        """Return the event that `data` holds. Wrong types raise `msgspec.ValidationError`.

        Fields that this version does not know are skipped, so that old readers read newer minor versions; whoever must not
        accept any encodes the event again and compares the bytes.
        """
        return _decoder(cls).decode(data)


def encode_all(events: Sequence[Event]) -> list[bytes]:
    """Return the byte form of each event, as `Event.encode` does and with its errors; many of one kind cost less."""
    if len(events) > 1 and len(set(map(type, events))) == 1:
        try:
            read_back = _decoder(type(events[0])).decode_lines(_ENCODER.encode_lines(events))
            if read_back == list(events):
                return _ENCODER.encode_lines(read_back).split(b"\n")[:-1]
        except (TypeError, ValueError, OverflowError, RecursionError):
            pass  # which of them it is, and why, is said below
    return [event.encode() for event in events]


def are_encoded_as(events: Sequence[Event], payloads: Sequence[bytes]) -> bool:
    """Return whether each payload is its event's byte form: cheaper than to encode the events anew, and as strict.

    Events of one kind are read as lines of one text. That is exact: an encoded event holds no line break, so as many lines as
    payloads, equal to them when joined, are equal one by one.
    """
    kinds = set(map(type, events))
    if len(kinds) != 1:
        return all(are_encoded_as([event], [payload]) for event, payload in zip(events, payloads, strict=True))
    try:
        lines = b"\n".join([*payloads, b""])
        read_back = _decoder(kinds.pop()).decode_lines(lines)
        return read_back == list(events) and _ENCODER.encode_lines(read_back) == lines
    except (TypeError, ValueError):
        return False


@functools.cache
def _decoder(kind: type[Event]) -> msgspec.json.Decoder[Event]:
    return msgspec.json.Decoder(kind)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An emitted event with what the bus added to it.

    Attributes:
        id: UUID version 7.
        name: the event's name.
        version: its schema version, `major.minor`.
        at: RFC 3339 UTC with microseconds.
        payload: the event's exact bytes.
        event: the event itself.
    """

    id: str
    name: str
    version: str
    at: str
    payload: bytes
    event: Event
