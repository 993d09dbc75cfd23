"""What the automata room has to say."""

from __future__ import annotations

from typing import Literal

from thunderlab.events import Event


class EntropySampled(Event, frozen=True):
    """The state entropy of a running lattice was taken.

    Attributes:
        scenario: the scenario's name in a QA run, the lattice's own for a named lattice.
        step: at which step.
        entropy: bits per cell.
    """

    NAME = "ca.entropy.sample"

    scenario: str
    step: int
    entropy: float


class ScenarioCompleted(Event, frozen=True):
    """A scenario of a QA suite ran to its end.

    Attributes:
        run_id: of the run of the suite.
        suite: the suite's name; with `/` and the scenario's when it ran alone.
        scenario: its name.
        scenario_sha256: digest of what the scenario means; how it is spelt does not count.
        passed: whether nothing was breached.
        duration_us: how long it took.
        entropy_mean: mean state entropy over its steps, bits per cell.
        convergence_steps: the first step whose state comes again; null when none does.
    """

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
    """A QA suite ran; the digest is of its stored result.

    Attributes:
        run_id: the run's own id.
        suite: the suite's name, or that of a stored pack.
        scenarios: how many ran.
        breaches: how often a fact, a band, a baseline or the time budget was breached.
        passed: whether nothing was.
        duration_us: how long all took.
        result_sha256: digest of the stored result, byte for byte.
    """

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
    """A scenario was run again and compared state by state with what was recorded.

    Attributes:
        run_id: the recorded run it was held against; null when the scenario was replayed from its file.
        scenario: its name.
        steps: how many states were compared.
        fidelity: the share of them that were identical, 0 to 1.
    """

    NAME = "ca.qa.replay.completed"
    DURABLE = True

    run_id: str | None
    scenario: str
    steps: int
    fidelity: float


class BaselineWritten(Event, frozen=True):
    """New baselines were written for a suite.

    Attributes:
        suite: the suite's name.
        scenarios: how many scenarios it holds baselines of.
        baseline_sha256: digest of the baseline file.
    """

    NAME = "ca.qa.baseline.written"
    DURABLE = True

    suite: str
    scenarios: int
    baseline_sha256: str


class LatticeCreated(Event, frozen=True):
    """A named lattice was created; the digest is of its cells at step 0, where they are.

    Attributes:
        lattice_id: its own for ever; a name may be taken again.
        name: what it is called.
        rule: its rule, as people write it.
        boundary: `torus`, `dead` or `plane`.
        shape: cells along each axis.
        source: where the cells came from, in the words of whoever created it.
        cells_sha256: digest of its cells, where they are.
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

    Attributes:
        lattice_id: the one it was created with.
        name: what it was called.
        step: how far it came.
        population: cells that were not zero.
        cells_sha256: digest of its cells, where they are.
        reason: `asked`, `finished` when it had reached the step it was to run to, `removed` when it was thrown away while paused.
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
