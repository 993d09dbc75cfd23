"""The QA harness: suites of scenarios, run in isolation and judged against published facts and their baseline."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from thunderlab import files
from thunderlab.automata import baseline as baselines
from thunderlab.automata import course as courses
from thunderlab.automata import observables
from thunderlab.automata.baseline import Baseline
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.results import Breach, ScenarioResult, SuiteResult
from thunderlab.automata.scenario import Scenario
from thunderlab.automata.scenario_file import MOST_WORK, read_scenario, scenario_files
from thunderlab.automata.trail import MakeLattice, Trail
from thunderlab.errors import InputError


class _SuiteFile(msgspec.Struct, forbid_unknown_fields=True):
    suite: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    format: Literal[1]
    title: Annotated[str, Meta(min_length=1, max_length=400)]
    budget_s: Annotated[float, Meta(gt=0, le=86_400)] = 90.0
    entropy_band: Annotated[float, Meta(ge=0, le=1)] = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Suite:
    """A folder of scenarios that are run together.

    Attributes:
        name: the suite's name, which is its folder's.
        title: what it is, in words.
        budget_s: the longest a run may take.
        entropy_band: how far `entropy_mean` may move either way, as a fraction of the baseline's.
        folder: where it lies.
        scenarios: in name order.
        baseline: what was agreed, or None when there is none yet.
    """

    name: str
    title: str
    budget_s: float
    entropy_band: float
    folder: Path
    scenarios: tuple[Scenario, ...]
    baseline: Baseline | None

    @property
    def baseline_path(self) -> Path:
        """Where the baseline lies or is to lie."""
        return self.folder / "baseline.json"

    def scenario(self, name: str) -> Scenario:
        """Return one scenario by its name.

        Raises:
            InputError: when there is none of that name, listing those there are.
        """
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        raise InputError(
            f"the suite {self.name} has no scenario {name!r}; it has {', '.join(one.name for one in self.scenarios)}", field="scenario"
        )


def load_suite(folder: Path) -> Suite:
    """Return the suite in a folder: `suite.yaml`, one YAML or JSON file per scenario, and `baseline.json` when there is one.

    Raises:
        InputError: naming file, line and field, for anything missing, unknown or wrong in any of them.
    """
    document = files.read_document(folder / "suite.yaml")
    spec = document.convert(_SuiteFile)
    if spec.suite != folder.resolve().name:
        raise document.refuse(("suite",), f"{spec.suite!r} differs from the folder's name {folder.resolve().name!r}; they must be equal")
    scenarios = sorted((read_scenario(path, root=folder) for path in scenario_files(folder)), key=lambda scenario: scenario.name)
    for before, after in itertools.pairwise(scenarios):
        if before.name == after.name:
            raise InputError(f"two files hold a scenario {after.name!r}", where=folder, field="name")
    if not scenarios:
        raise InputError("holds no scenario", where=folder)
    path = folder / "baseline.json"
    baseline = Baseline.load(path) if path.exists() else None
    if baseline is not None and baseline.suite != spec.suite:
        raise InputError(f"is the baseline of {baseline.suite!r}, not of {spec.suite!r}", where=path, field="suite")
    return Suite(
        name=spec.suite,
        title=spec.title,
        budget_s=spec.budget_s,
        entropy_band=spec.entropy_band,
        folder=folder,
        scenarios=tuple(scenarios),
        baseline=baseline,
    )


def run_scenario(scenario: Scenario, *, lattice: MakeLattice = Lattice) -> ScenarioResult:
    """Run one scenario and return what it measured, judged by its published facts alone; `run_suite` adds the baseline.

    The result depends on the scenario alone, `duration_us` excepted; nothing is written and nothing global changes.
    """
    started = time.perf_counter_ns()
    course = courses.run(scenario, lattice)
    metrics, breaches = course.metrics(), tuple(course.breaches())
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        regime=scenario.regime,
        rule=str(scenario.rule),
        boundary=scenario.boundary,
        shape=scenario.shape,
        steps=scenario.duration,
        seed=scenario.seed,
        passed=not breaches,
        metrics=metrics,
        breaches=breaches,
        duration_us=(time.perf_counter_ns() - started) // 1000,
        entropy=course.entropy_samples(),
        scenario_digest=scenario.digest,
        final_state=observables.pack(course.final),
    )


def run_suite(
    suite: Suite, *, only: str | None = None, on_progress: Callable[[ScenarioResult], None] | None = None, lattice: MakeLattice = Lattice
) -> SuiteResult:
    """Run the scenarios of a suite one after the other and judge them by published facts, baseline and time budget.

    Args:
        suite: what to run.
        only: run this scenario alone; baselines without a scenario are then not asked for.
        on_progress: called with each result as soon as it is there.
        lattice: what makes the lattices; another one lets a test plant a wrong kernel.

    Raises:
        InputError: when there is no scenario named `only`.
    """
    started = time.perf_counter_ns()
    results = []
    for scenario in suite.scenarios if only is None else (suite.scenario(only),):
        measured = run_scenario(scenario, lattice=lattice)
        breaches = (*measured.breaches, *baselines.compare(measured, suite.baseline))
        results.append(msgspec.structs.replace(measured, passed=not breaches, breaches=breaches))
        if on_progress is not None:
            on_progress(results[-1])
    duration_us = (time.perf_counter_ns() - started) // 1000
    found = [] if only is not None else baselines.orphans((scenario.name for scenario in suite.scenarios), suite.baseline)
    if duration_us > suite.budget_s * 1_000_000:
        found.append(Breach("suite.duration_s", duration_us / 1e6, None, 0.0, suite.budget_s))
    return SuiteResult(
        suite=suite.name,
        passed=not found and all(result.passed for result in results),
        duration_us=duration_us,
        budget_s=suite.budget_s,
        breaches=tuple(found),
        scenarios=tuple(results),
    )


class Replay(msgspec.Struct, frozen=True):
    """How faithfully a scenario replays.

    Attributes:
        fidelity: fraction of identical states among those after 0, 1, ... `steps` steps.
        steps: steps replayed.
        first_difference: the first step whose states differ, None when none does.
    """

    fidelity: float
    steps: int
    first_difference: int | None


def replay(scenario: Scenario, steps: int | None = None, *, recorded_final: bytes | None = None, lattice: MakeLattice = Lattice) -> Replay:
    """Run a scenario twice from its seed and compare the two, step by step.

    States are compared by population and 64-bit fingerprint, the last ones cell by cell. When the replay reaches the scenario's
    duration, the state there must also equal the recorded one.

    Args:
        scenario: what to replay.
        steps: how far, 1 or more; the scenario's duration by default.
        recorded_final: the final state of an earlier run, as `ScenarioResult.final_state` holds it.
        lattice: what makes the lattices.

    Raises:
        InputError: when `steps` is less than 1 or more than a scenario may take.
        EvidenceError: when `recorded_final` is no packed state.
    """
    steps = scenario.duration if steps is None else steps
    cells = scenario.initial_cells()
    if not 1 <= steps <= MOST_WORK // cells.size:
        raise InputError(f"{steps} steps; 1 to {MOST_WORK // cells.size} are accepted for a lattice of {cells.size} cells", field="steps")
    recorded = None if recorded_final is None else observables.unpack(recorded_final)
    first, second = (Trail(start, scenario.rule, scenario.boundary, lattice) for start in (cells, scenario.initial_cells()))
    for trail in (first, second):
        trail.run_to(min(steps, scenario.duration))
        trail.keep()
        trail.run_to(steps)
        trail.keep()
    same = (first.populations == second.populations) & (first.digests == second.digests)
    same[steps] &= np.array_equal(first.cells_at(steps), second.cells_at(steps))
    if recorded is not None and steps >= scenario.duration:
        same[scenario.duration] &= np.array_equal(second.cells_at(scenario.duration), recorded)
    differing = np.flatnonzero(~same)
    return Replay(int(same.sum()) / same.size, steps, int(differing[0]) if differing.size else None)
