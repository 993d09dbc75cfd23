"""What the gate and the main job have to say."""

from __future__ import annotations

from thunderlab.events import Event


class ReadinessDecided(Event, frozen=True):
    """The gate was asked whether the lab is ready, and answered."""

    NAME = "gate.readiness.decided"
    DURABLE = True

    status: str
    blocking: list[str]
    readings_sha256: str
    thresholds_sha256: str


class RunCompleted(Event, frozen=True):
    """The main job ran its notebooks to the end, whatever came of them."""

    NAME = "lab.run.completed"
    DURABLE = True

    run_id: str
    pack: str
    notebooks: int
    failed: list[str]
    duration_us: int


EVENTS = (ReadinessDecided, RunCompleted)
