"""What the automata room has to say."""

from __future__ import annotations

from thunderlab.events import Event


class EntropySampled(Event, frozen=True):
    """The state entropy of a running lattice was taken."""

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


EVENTS = (EntropySampled, ScenarioCompleted, SuiteCompleted, ReplayCompleted, BaselineWritten)
