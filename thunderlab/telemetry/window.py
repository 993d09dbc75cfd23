"""Windows: the last samples of a metric, kept whole so that percentiles are exact and honest about how few they rest on."""

from __future__ import annotations

import threading
from collections import deque

import msgspec

from thunderlab.stats import Quantile, quantile_with_bounds

CAPACITY = 4096


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A window's percentiles, each with 95 % confidence bounds (None where there are too few samples for one)."""

    samples: int
    p50: Quantile
    p95: Quantile
    p99: Quantile


def summarise(samples: list[int] | list[float]) -> Summary | None:
    """Return exact percentiles of the samples, None without any.

    >>> summarise([10, 20, 30]).p50.value
    20
    """
    if not samples:
        return None
    p50, p95, p99 = (quantile_with_bounds(samples, q) for q in (0.50, 0.95, 0.99))
    return Summary(samples=len(samples), p50=p50, p95=p95, p99=p99)


class Window:
    """A ring of the newest `CAPACITY` integer samples of one metric, safe to fill from several threads."""

    def __init__(self) -> None:
        self._ring: deque[int] = deque(maxlen=CAPACITY)
        self._unsaved: deque[int] = deque(maxlen=CAPACITY)
        self._lock = threading.Lock()
        self.count = 0

    def add(self, sample: int) -> None:
        """Take in one sample."""
        with self._lock:
            self._ring.append(sample)
            self._unsaved.append(sample)
            self.count += 1

    def samples(self) -> list[int]:
        """Return the newest samples, oldest first."""
        with self._lock:
            return list(self._ring)

    def take_unsaved(self) -> list[int]:
        """Return the samples added since the last call, at most `CAPACITY`, and remember that they were taken."""
        with self._lock:
            taken = list(self._unsaved)
            self._unsaved.clear()
            return taken
