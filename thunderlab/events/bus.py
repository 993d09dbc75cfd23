"""The bus: the only way to emit an event, and the way to hear of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.events.catalogue import Catalogue
from thunderlab.events.event import Envelope, Event

Record = Callable[[Sequence[Envelope], sa.Connection | None], None]
Listener = Callable[[Envelope], None]


class Bus:
    """Emits events: checks them against the catalogue, has durable ones recorded, then tells the listeners.

    Args:
        catalogue: what may be emitted.
        clock: where times and ids come from.
        record: called with the durable events of one emission; it returns once they cannot be lost. The hall hands in the
            ledger's writer, so that this floor need not know it.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, record: Record) -> None:
        self.catalogue = catalogue
        self._clock = clock
        self._ids = IdSource(clock)
        self._record = record
        self._listeners: list[tuple[str, Listener]] = []

    def emit(self, *events: Event, within: sa.Connection | None = None, into: Record | None = None) -> list[Envelope]:
        """Emit events together and return their envelopes.

        Durable ones are recorded in one transaction: in the caller's when `within` is given, so that a change and the event
        that tells of it stand or fall together, else in one of their own. Listeners are called after recording; within a
        caller's transaction that is before it commits.

        Raises:
            UndocumentedEventError: when an event is not in the catalogue or its values do not fit its schema; then none of
                them was emitted.
        """
        envelopes = [self._envelope(event) for event in events]
        durable = [envelope for envelope in envelopes if envelope.event.DURABLE]
        if durable:
            (into or self._record)(durable, within)
        for envelope in envelopes:
            for pattern, listener in tuple(self._listeners):
                if fnmatch.fnmatchcase(envelope.name, pattern):
                    listener(envelope)
        return envelopes

    def subscribe(self, pattern: str, listener: Listener) -> Callable[[], None]:
        """Have `listener` called for every event of this process whose name fits `pattern` (`ca.*`); call the result to stop."""
        subscription = (pattern, listener)
        self._listeners.append(subscription)
        return lambda: self._listeners.remove(subscription)

    def _envelope(self, event: Event) -> Envelope:
        self.catalogue.require(event)
        at = rfc3339(self._clock.now_us())
        return Envelope(id=self._ids.new(), name=event.NAME, version=event.VERSION, at=at, payload=event.encode(), event=event)
