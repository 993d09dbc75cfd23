"""The base of every event, and the envelope it travels in."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from thunderlab.errors import UndocumentedEventError


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A fact somebody may want to know later. Each room declares its own as frozen subclasses in its `events.py`.

    Constructors do not check types and a NaN is written as null, so `encode` writes the bytes, reads them back strictly and
    compares: what cannot survive that is no event.

    Attributes:
        NAME: dotted name, past tense or noun, for example `ca.qa.scenario.completed`.
        VERSION: raised when the shape changes incompatibly.
        DURABLE: whether each one becomes a block of the ledger; the others are counted and measured only.
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
            read_back = self.decode(msgspec.json.encode(self, order="deterministic"))
        except msgspec.ValidationError as error:
            raise UndocumentedEventError(f"event {self.NAME}: {error}") from None
        if read_back != self:
            raise UndocumentedEventError(f"event {self.NAME}: a value changes when it is written and read back")
        # Encoded from what was read back: an integer handed in for a number field is written 1.0, as every reader will write it.
        return msgspec.json.encode(read_back, order="deterministic")

    @classmethod
    def decode(cls, data: bytes) -> Event:
        """Return the event that `data` holds; unknown fields and wrong types raise `msgspec.ValidationError`."""
        return msgspec.json.decode(data, type=cls)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An emitted event with what the bus added to it.

    Attributes:
        id: UUID version 7.
        name: the event's name.
        version: its schema version.
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
