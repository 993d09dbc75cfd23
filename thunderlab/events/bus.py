"""The bus: the only way to emit an event, and the way to hear of it."""

from __future__ import annotations

import contextlib
import fnmatch
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.errors import EnvironmentBlockedError, EvidenceError
from thunderlab.events.catalogue import Catalogue
from thunderlab.events.event import Envelope, Event, encode_all
from thunderlab.events.events import MinuteCounted
from thunderlab.events.minutes import MinuteCounts

Record = Callable[[Sequence[Envelope], sa.Connection | None], None]
Listener = Callable[[Envelope], None]


class Bus:
    """Emits events: checks them against the catalogue, has durable ones recorded, counts the others, then tells the listeners.

    Args:
        catalogue: what may be emitted; `MinuteCounted` must be in it.
        clock: where times and ids come from.
        record: called with the durable events of one emission; it returns once they cannot be lost. The hall hands in the
            ledger's writer, so that this floor need not know it.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock, record: Record) -> None:
        if MinuteCounted not in catalogue:
            raise ValueError(f"a bus counts what is not durable, so its catalogue must hold {MinuteCounted.NAME}")
        self.catalogue = catalogue
        self._clock = clock
        self._ids = IdSource(clock)
        self._record = record
        self._listeners: list[tuple[str, Listener]] = []
        self._minutes = MinuteCounts()

    def emit(self, *events: Event, within: sa.Connection | None = None, into: Record | None = None) -> list[Envelope]:
        """Emit events together and return their envelopes; they have one time, and ids in their order.

        Durable ones are recorded in one transaction: in the caller's when `within` is given, so that a change and the event
        that tells of it stand or fall together, else in one of their own; by the ledger, or by `into` when that is given. Listeners
        are called after recording; within a caller's transaction that is before it commits.

        Events that are not durable are counted, and when a minute is over its counts are recorded: by the next emission outside
        of a transaction, since a caller's may yet be undone. While a transaction is open, hand it in whatever is emitted.

        Raises:
            UndocumentedEventError: when an event is not in the catalogue or its values do not fit its schema; then none of
                them was emitted.
        """
        at_us = self._clock.now_us()
        envelopes = self._envelopes(events, at_us)
        durable = [envelope for envelope in envelopes if envelope.event.DURABLE]
        if durable:
            (into or self._record)(durable, within)
        passing = [envelope.name for envelope in envelopes if not envelope.event.DURABLE]
        counted: list[Envelope] = []
        if self._minutes.count(passing, at_us) and within is None:
            # Whoever emits a sample is not to blame for a full disk: the counts are kept for the next minute.
            with contextlib.suppress(EvidenceError, EnvironmentBlockedError):
                counted = self._roll_up()
        self._tell([*envelopes, *counted])
        return envelopes

    def flush(self) -> None:
        """Record the counts of this minute as far as it has come; the hall calls it when a lab closes.

        Raises:
            EvidenceError: when the ledger is damaged; the counts are kept.
        """
        self._tell(self._roll_up(unfinished=True))

    def subscribe(self, pattern: str, listener: Listener) -> Callable[[], None]:
        """Have `listener` called for every event of this process whose name fits `pattern` (`ca.*`); call the result to stop."""
        subscription = (pattern, listener)
        self._listeners.append(subscription)
        return lambda: self._listeners.remove(subscription)

    def _envelopes(self, events: Sequence[Event], at_us: int) -> list[Envelope]:
        self.catalogue.require(map(type, events))
        at, ids = rfc3339(at_us), self._ids.several(len(events), at_us)
        return [
            Envelope(id=id_, name=event.NAME, version=event.VERSION, at=at, payload=payload, event=event)
            for id_, payload, event in zip(ids, encode_all(events), events, strict=True)
        ]

    def _tell(self, envelopes: Sequence[Envelope]) -> None:
        listeners = tuple(self._listeners)
        for envelope in envelopes if listeners else ():
            for pattern, listener in listeners:
                if fnmatch.fnmatchcase(envelope.name, pattern):
                    listener(envelope)

    def _roll_up(self, *, unfinished: bool = False) -> list[Envelope]:
        """Record the minutes that are over, or keep them when that cannot be done."""
        minutes = self._minutes.take(unfinished=unfinished)
        if not minutes:
            return []
        try:
            events = [MinuteCounted(minute=rfc3339(minute.start_us), counts=minute.counts) for minute in minutes]
            told = self._envelopes(events, self._clock.now_us())
            self._record(told, None)
        except BaseException:
            self._minutes.put_back(minutes)
            raise
        return told
