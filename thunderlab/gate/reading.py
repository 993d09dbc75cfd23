"""A reading: one live value with its unit, how many samples it rests on, how old it is and where it came from."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["healthy", "degraded", "blocked", "unknown"]

# From best to worst. Not knowing is worse than a warning and better than a known failure.
SEVERITY: dict[Status, int] = {"healthy": 0, "degraded": 1, "unknown": 2, "blocked": 3}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One value the gate looked at, and what it made of it.

    Attributes:
        name: dotted name, for example `event_chain.audit.failures`.
        title: the same in words.
        value: the value itself; None when there is nothing to read, which is never healthy.
        unit: `count`, `us`, `s`, `bits`, `fraction`.
        samples: how many observations the value rests on.
        age_s: seconds since the newest of them; None without any.
        source: the table, event or file it was read from.
        status: what the thresholds say of it.
        required: whether the gate cannot be healthy without it.
        threshold: the limits in words, for example `blocked above 0`; empty when none is set.
        why: one sentence when it is not healthy, else empty.
        history: earlier values, oldest first, for a sparkline.
    """

    name: str
    title: str
    value: float | int | None
    unit: str
    samples: int
    age_s: float | None
    source: str
    status: Status = "unknown"
    required: bool = False
    threshold: str = ""
    why: str = ""
    history: tuple[float, ...] = ()


def worst(statuses: list[Status]) -> Status:
    """Return the most severe status; of none at all nothing is known.

    >>> worst(["healthy", "blocked", "unknown"]), worst([])
    ('blocked', 'unknown')
    """
    return max(statuses, key=SEVERITY.__getitem__, default="unknown")
