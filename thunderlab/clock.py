"""Time: a real clock, a virtual one with the same two methods, RFC 3339 text and time-ordered ids."""

from __future__ import annotations

import functools
import os
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What everything that needs time is handed; tests and simulations hand in a `VirtualClock`."""

    def now_us(self) -> int:
        """Return microseconds since 1970-01-01T00:00:00Z."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of a clock that never goes back; only differences mean something."""


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, as the machine believes them to be."""
        return time.time_ns() // 1_000

    def monotonic_ns(self) -> int:
        """Return `time.perf_counter_ns()`."""
        return time.perf_counter_ns()


class VirtualClock:
    """A clock that stands still until it is told to move.

    >>> clock = VirtualClock(start_us=0)
    >>> clock.advance(2.5)
    >>> clock.now_us(), clock.monotonic_ns()
    (2500000, 2500000000)
    """

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = start_us
        self._elapsed_ns = 0

    def now_us(self) -> int:
        """Return the time it was moved to."""
        return self._now_us

    def monotonic_ns(self) -> int:
        """Return how far it was moved in all."""
        return self._elapsed_ns

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` (>= 0)."""
        if seconds < 0:
            raise ValueError("a clock is only ever moved forward; use set_back to imitate a clock change")
        self._now_us += round(seconds * 1e6)
        self._elapsed_ns += round(seconds * 1e9)

    def set_back(self, seconds: float) -> None:
        """Move wall time back, as an administrator or NTP may; monotonic time is untouched."""
        self._now_us -= round(seconds * 1e6)


def rfc3339(at_us: int) -> str:
    """Return microseconds since the epoch as RFC 3339 UTC with six decimals.

    >>> rfc3339(1_000_000)
    '1970-01-01T00:00:01.000000Z'
    """
    second, micros = divmod(at_us, 1_000_000)
    return f"{_text_of(second)}.{micros:06d}Z"


def parse_rfc3339(text: str) -> int:
    """Return microseconds since the epoch for the exact form `rfc3339` writes.

    Raises:
        ValueError: for any other form, so that one instant has one text.

    >>> parse_rfc3339("1970-01-01T00:00:01.000000Z")
    1000000
    """
    if not _FORM.fullmatch(text):
        raise ValueError(f"time {text!r} is not in the form 2026-01-31T12:00:00.000000Z")
    return _second_of(text[:19]) * 1_000_000 + int(text[20:26])


# What `IdSource` makes.
UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# To write or read a date takes ten times as long as all the rest, and events that follow each other share their second.
@functools.lru_cache(maxsize=64)
def _text_of(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@functools.lru_cache(maxsize=64)
def _second_of(text: str) -> int:
    second = (datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
    if _text_of(second) != text:
        raise ValueError(f"there is no time {text}")
    return second


# The first digit of an id's fourth group: binary 10, then two random bits.
_VARIANT = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}


class IdSource:
    """Makes UUID version 7 ids (RFC 9562): 48 bits of milliseconds, then 12 bits of sub-millisecond order, then 62 random bits.

    Ids from one source never go back, even when the clock does: the last (millisecond, order) pair is kept and counted up.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._lock = threading.Lock()

    def new(self, at_us: int | None = None) -> str:
        """Return a fresh id as text, for example `018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b`; `at_us` spares another look at the clock."""
        return _uuid(self._draw(1, at_us), os.urandom(8).hex())

    def several(self, count: int, at_us: int | None = None) -> list[str]:
        """Return that many ids, in their order; made together they cost less."""
        first, random = self._draw(count, at_us), os.urandom(8 * count).hex()
        return [_uuid(first + place, random[16 * place : 16 * place + 16]) for place in range(count)]

    def _draw(self, count: int, at_us: int | None) -> int:
        """Return the first of so many stamps in a row that no other id has."""
        now_us = self._clock.now_us() if at_us is None else at_us
        # 12 bits hold 1/4096 ms: method 3 of RFC 9562 section 6.2.
        stamp = (now_us // 1_000) << 12 | now_us % 1_000 * 4096 // 1_000
        with self._lock:
            first = stamp if stamp > self._last else self._last + 1
            self._last = first + count - 1
        return first


def _uuid(stamp: int, random: str) -> str:
    """Return an id of 60 bits of time and 64 random ones, two of which make way for the variant.

    Put together as text, which costs a fifth of what `uuid.UUID` does.
    """
    time = f"{stamp:015x}"
    return f"{time[:8]}-{time[8:12]}-7{time[12:]}-{_VARIANT[random[0]]}{random[1:4]}-{random[4:]}"
