"""The meter: times what a lab does, and shares the samples with other processes through the store."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.store import Store
from thunderlab.telemetry.tables import TELEMETRY_WINDOWS
from thunderlab.telemetry.window import CAPACITY, Window


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The newest samples of a metric over all processes, and when the newest of them was saved."""

    metric: str
    unit: str
    samples: list[int]
    newest_at: str


class Meter:
    """Windows by metric name. Integers only: microseconds for `us`, plain numbers for `count`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._ids = IdSource(clock)
        self._windows: dict[tuple[str, str], Window] = {}
        self._lock = threading.Lock()

    def window(self, metric: str, unit: str) -> Window:
        """Return this process's window of a metric; made on first use."""
        with self._lock:
            if (metric, unit) not in self._windows:
                self._windows[metric, unit] = Window()
            return self._windows[metric, unit]

    def record(self, metric: str, sample: int, unit: str = "us") -> None:
        """Take in one sample."""
        self.window(metric, unit).add(sample)

    @contextlib.contextmanager
    def span(self, metric: str) -> Iterator[None]:
        """Time the block in microseconds under `metric`; a block that raises is timed under `metric.failed`."""
        started = self._clock.monotonic_ns()
        try:
            yield
        except BaseException:
            self.record(f"{metric}.failed", (self._clock.monotonic_ns() - started) // 1_000)
            raise
        self.record(metric, (self._clock.monotonic_ns() - started) // 1_000)

    def flush(self) -> None:
        """Save what was not saved yet, in one transaction; the hall calls it when a lab closes."""
        with self._lock:
            windows = dict(self._windows)
        rows = [
            {
                "id": self._ids.new(),
                "metric": metric,
                "unit": unit,
                "inserted_at": rfc3339(self._clock.now_us()),
                "samples": msgspec.json.encode(taken),
            }
            for (metric, unit), window in windows.items()
            if (taken := window.take_unsaved())
        ]
        if rows:
            with self._store.write() as connection:
                connection.execute(TELEMETRY_WINDOWS.insert(), rows)

    def recorded(self, metric: str) -> Recorded | None:
        """Return the newest `CAPACITY` saved samples of a metric, oldest first; None when nobody ever saved one."""
        table = TELEMETRY_WINDOWS.c
        query = (
            sa.select(table.unit, table.inserted_at, table.samples)
            .where(table.metric == metric)
            .order_by(table.inserted_at.desc(), table.id.desc())
        )
        samples: list[int] = []
        newest: tuple[str, str] | None = None
        with self._store.read() as connection:
            for row in connection.execute(query.limit(CAPACITY)):
                newest = newest or (row.unit, row.inserted_at)
                samples = msgspec.json.decode(row.samples, type=list[int]) + samples
                if len(samples) >= CAPACITY:
                    break
        if newest is None:
            return None
        return Recorded(metric=metric, unit=newest[0], samples=samples[-CAPACITY:], newest_at=newest[1])

    def metrics(self) -> list[str]:
        """Return the names of all metrics anybody saved, sorted."""
        with self._store.read() as connection:
            # Sorted here: a database sorts text as its language does.
            return sorted(connection.execute(sa.select(TELEMETRY_WINDOWS.c.metric).distinct()).scalars())
