"""What the automata room has to say."""

from __future__ import annotations

from typing import Literal

from thunderlab.events import Event


class EntropySampled(Event, frozen=True):
    """The state entropy of a running lattice was taken.

    `scenario` is the scenario's name in a QA run, the lattice's own for a named lattice.
    """

    NAME = "ca.entropy.sample"

    scenario: str
    step: int
    entropy: float


class ScenarioCompleted(Event, frozen=True):
    """A scenario of a QA suite ran to its end."""

    NAME = "ca.qa.scenario.completed"
    DURABLE = True

    run_id: str
    suite: str
    scenario: str
    scenario_sha256: str
    passed: bool
    duration_us: int
    entropy_mean: float
    convergence_steps: int | None


class SuiteCompleted(Event, frozen=True):
    """A QA suite ran; the digest is of its stored result."""

    NAME = "ca.qa.suite.completed"
    DURABLE = True

    run_id: str
    suite: str
    scenarios: int
    breaches: int
    passed: bool
    duration_us: int
    result_sha256: str


class ReplayCompleted(Event, frozen=True):
    """A scenario was run again and compared state by state with what was recorded."""

    NAME = "ca.qa.replay.completed"
    DURABLE = True

    run_id: str | None
    scenario: str
    steps: int
    fidelity: float


class BaselineWritten(Event, frozen=True):
    """New baselines were written for a suite."""

    NAME = "ca.qa.baseline.written"
    DURABLE = True

    suite: str
    scenarios: int
    baseline_sha256: str


class LatticeCreated(Event, frozen=True):
    """A named lattice was created; the digest is of its cells at step 0, where they are.

    `source` is where the cells came from, in the words of whoever created it.
    """

    NAME = "ca.lattice.created"
    DURABLE = True

    lattice_id: str
    name: str
    rule: str
    boundary: str
    shape: tuple[int, ...]
    source: str
    cells_sha256: str


class LatticeStopped(Event, frozen=True):
    """A named lattice came to its end; the digest is of its cells at that step, where they are.

    `reason` is `asked`, `finished` when it had reached the step it was to run to, `removed` when it was thrown away while paused.
    """

    NAME = "ca.lattice.stopped"
    DURABLE = True

    lattice_id: str
    name: str
    step: int
    population: int
    cells_sha256: str
    reason: Literal["asked", "finished", "removed"]


EVENTS = (EntropySampled, ScenarioCompleted, SuiteCompleted, ReplayCompleted, BaselineWritten, LatticeCreated, LatticeStopped)
