"""The verdict: whether the lab is ready, and exactly why not."""

from __future__ import annotations

import msgspec

from thunderlab.gate.reading import Reading, Status


class Blocking(msgspec.Struct, frozen=True, kw_only=True):
    """One reason the lab is not ready."""

    gate: str
    value: float | int | None
    threshold: str
    why: str


class DeployGate(msgspec.Struct, frozen=True, kw_only=True):
    """One of the gates that can block a deployment, and the reading that measures it; None where no room measures it."""

    name: str
    title: str
    reading: str | None


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "is this lab ready?".

    Attributes:
        status: healthy only when every required reading is present, fresh and within its limits.
        blocking: why not, worst first; empty when healthy.
        readings: everything that was read.
        gates: the deploy gates, measured and absent.
        absent: names of the deploy gates that nothing measures.
        coverage: `2 of 5 deploy gates measured; not yet: ...`.
        thresholds_sha256: digest of the thresholds file that judged.
        at: when, RFC 3339 UTC.
    """

    status: Status
    blocking: tuple[Blocking, ...]
    readings: tuple[Reading, ...]
    gates: tuple[DeployGate, ...]
    absent: tuple[str, ...]
    coverage: str
    thresholds_sha256: str
    at: str
