"""What was decided, newest first, with how long deciding took."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import msgspec

from thunderlab.policy.record.history import History, Unreadable
from thunderlab.policy.record.verdict import Verdict, verdict_of
from thunderlab.stats import quantile


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """How long verdicts took, in microseconds: exact percentiles (nearest rank) and how many they rest on; None without any."""

    samples: int
    p50_us: int | None = None
    p95_us: int | None = None
    p99_us: int | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One verdict of the log: its block's number, the verdict, and the request as it was recorded."""

    seq: int
    verdict: Verdict
    request: str


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        total: how many verdicts fit what was asked for.
        allowed: how many of them allow.
        denied: how many deny.
        failed_closed: how many of these deny because something went wrong.
        pruned: how many blocks no longer say what was decided, since their payloads were pruned.
        damaged: numbers of the first hundred blocks whose payload is not the one that was recorded.
        latency: how long they took.
        entries: the newest of them, newest first.
    """

    total: int
    allowed: int
    denied: int
    failed_closed: int
    pruned: int
    damaged: tuple[int, ...]
    latency: Latency
    entries: tuple[Entry, ...]


def read_log(
    history: History,
    *,
    decision: str | None = None,
    since: str | None = None,
    limit: int = 50,
    on_progress: Callable[[int], None] | None = None,
) -> Log:
    """Return what was decided, newest first.

    Args:
        history: what was recorded.
        decision: only `allow` or only `deny`; both when None.
        since: RFC 3339 with microseconds; leave out what was recorded before.
        limit: how many verdicts to list; all that fit are counted.
        on_progress: called with how many were looked at.
    """
    entries: list[Entry] = []
    latencies = array("q")
    counts = {"allow": 0, "deny": 0, "failed_closed": 0, "pruned": 0}
    damaged: list[int] = []
    looked_at = 0
    for piece in history.pieces(since, newest_first=True):
        for one in piece:
            if isinstance(one, Unreadable):
                if not one.why:
                    counts["pruned"] += 1
                elif len(damaged) < 100:
                    damaged.append(one.seq)
                continue
            event = one.event
            if decision not in (None, event.decision):
                continue
            counts[event.decision] += 1
            counts["failed_closed"] += event.failed_closed
            latencies.append(min(event.latency_us, 2**63 - 1))
            if len(entries) < limit:
                entries.append(Entry(seq=one.seq, verdict=verdict_of(event, one.id, one.at), request=event.request))
        looked_at += len(piece)
        if on_progress is not None:
            on_progress(looked_at)
    return Log(
        total=counts["allow"] + counts["deny"],
        allowed=counts["allow"],
        denied=counts["deny"],
        failed_closed=counts["failed_closed"],
        pruned=counts["pruned"],
        damaged=tuple(damaged),
        latency=latency(latencies),
        entries=tuple(entries),
    )


def latency(samples: Sequence[int]) -> Latency:
    """Return exact percentiles.

    >>> latency([5, 1, 9])
    Latency(samples=3, p50_us=5, p95_us=9, p99_us=9)
    """
    if not samples:
        return Latency(samples=0)
    ordered = sorted(samples)
    p50, p95, p99 = (int(quantile(ordered, q)) for q in (0.50, 0.95, 0.99))
    return Latency(samples=len(ordered), p50_us=p50, p95_us=p95, p99_us=p99)
