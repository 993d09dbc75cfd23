"""Whether payloads are what their own schema's version would write: decoded strictly, encoded again, compared byte for byte."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from thunderlab.events import Catalogue, Event


class Shapes:
    """The shapes of every version of every event, ready to read many payloads at once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._decoders: dict[tuple[str, str], msgspec.json.Decoder[Event]] = {}

    def knows(self, name: str, version: str) -> bool:
        """Return whether the catalogue has this version of the event."""
        return self._decoder(name, version) is not None

    def read_all(self, name: str, version: str, payloads: Sequence[bytes]) -> list[Event] | None:
        """Return the events of many payloads of one kind; None when any of them is not what the kind's struct writes.

        They are read as lines of one text. That is exact: an encoded event holds no line break, so as many lines as payloads, equal
        to them when joined, are equal one by one.
        """
        decoder = self._decoder(name, version)
        if decoder is None:
            return None
        lines = b"\n".join([*payloads, b""])
        try:
            events = decoder.decode_lines(lines)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        return events if len(events) == len(payloads) and self._encoder.encode_lines(events) == lines else None

    def read(self, name: str, version: str, payload: bytes) -> Event | str:
        """Return the event of one payload, or what is wrong with it in one sentence."""
        decoder = self._decoder(name, version)
        if decoder is None:
            return f"{name} {version} is not in the catalogue"
        try:
            event = decoder.decode(payload)
            same = self._encoder.encode(event) == payload
        except Exception as error:  # noqa: BLE001 - whatever a hostile payload provokes, the audit goes on and says so
            return f"does not fit its schema: {' '.join(str(error).split())}"
        return event if same else "holds bytes its own schema would not write, for example a key twice"

    def _decoder(self, name: str, version: str) -> msgspec.json.Decoder[Event] | None:
        found = self._decoders.get((name, version))
        if found is None and (kind := self._catalogue.kind(name, version)) is not None:
            found = self._decoders[name, version] = msgspec.json.Decoder(kind)
        return found
