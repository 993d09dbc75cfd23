"""Counts per minute of what is not ledgered one by one: a durable event for every sample would cost more than the sample."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

import msgspec

MINUTE_US = 60_000_000


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted in one minute.

    Attributes:
        start_us: when it began, microseconds since the epoch.
        counts: how many, by name.
    """

    start_us: int
    counts: dict[str, int]


class MinuteCounts:
    """Counts names by the minute; any number of threads may count at once.

    A minute is over as soon as something is counted, or merely looked for, in another one. So when the clock is set back the minute
    is cut in two, and nothing is lost.

    >>> counts = MinuteCounts()
    >>> counts.count(["bell.rang", "bell.rang"], at_us=59_000_000)
    False
    >>> counts.count([], at_us=60_000_000)
    True
    >>> counts.take()
    [Minute(start_us=0, counts={'bell.rang': 2})]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}
        self._over: list[Minute] = []
        self._refused: list[Minute] = []

    def count(self, names: Iterable[str], at_us: int) -> bool:
        """Count names at a time; return whether a minute is over that nobody took yet."""
        minute = at_us // MINUTE_US
        with self._lock:
            if minute != self._minute:
                self._end()
                self._minute = minute
            for name in names:
                self._counts[name] = self._counts.get(name, 0) + 1
            return bool(self._over)

    def take(self, *, unfinished: bool = False) -> list[Minute]:
        """Return the minutes that are over, oldest first, and forget them; the one being counted, too, when `unfinished`."""
        with self._lock:
            if unfinished:
                self._end()
            taken, self._refused, self._over = [*self._refused, *self._over], [], []
        return taken

    def put_back(self, minutes: Sequence[Minute]) -> None:
        """Keep minutes that could not be recorded until the next one is over: what is in the way now will be for a while."""
        with self._lock:
            self._refused = [*minutes, *self._refused]

    def _end(self) -> None:
        if self._counts:
            self._over.append(Minute(start_us=self._minute * MINUTE_US, counts=dict(sorted(self._counts.items()))))
            self._counts = {}
