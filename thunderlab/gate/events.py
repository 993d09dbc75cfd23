"""What the gate and the main job have to say."""

from __future__ import annotations

from thunderlab.events import Event


class ReadinessDecided(Event, frozen=True):
    """The gate was asked whether the lab is ready, and answered.

    Attributes:
        status: `healthy`, `degraded`, `blocked` or `unknown`.
        blocking: the readings that are not healthy, the worst first.
        readings_sha256: digest of the readings it judged.
        thresholds_sha256: digest of the thresholds file it judged them by.
    """

    NAME = "gate.readiness.decided"
    DURABLE = True

    status: str
    blocking: list[str]
    readings_sha256: str
    thresholds_sha256: str


class RunCompleted(Event, frozen=True):
    """The main job ran its notebooks to the end, whatever came of them.

    Attributes:
        run_id: the run's own id.
        pack: the pack of notebooks that ran.
        notebooks: how many.
        failed: names of those that failed.
        duration_us: how long all took.
    """

    NAME = "lab.run.completed"
    DURABLE = True

    run_id: str
    pack: str
    notebooks: int
    failed: list[str]
    duration_us: int


EVENTS = (ReadinessDecided, RunCompleted)
