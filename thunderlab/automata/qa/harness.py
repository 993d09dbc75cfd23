"""The QA harness: suites of scenarios, run in isolation and judged against published facts and their baseline."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from thunderlab import canonical
from thunderlab.automata.ensemble import Ensemble
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.trail import MakeLattice
from thunderlab.automata.qa import baseline as baselines
from thunderlab.automata.qa.course_record import Steps
from thunderlab.automata.qa.engine_digest import engine_digest
from thunderlab.automata.qa.measure import measure
from thunderlab.automata.qa.members import MakeEnsemble
from thunderlab.automata.qa.pack import pack_of
from thunderlab.automata.qa.results import Breach, EngineDigest, ScenarioResult, SuiteResult
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.suite import Suite


def run_scenario(scenario: Scenario, *, lattice: MakeLattice = Lattice, ensemble: MakeEnsemble = Ensemble) -> ScenarioResult:
    """Run one scenario and return what it measured, judged by its published facts alone; see `measure.measure`."""
    return measure(scenario, lattice=lattice, ensemble=ensemble)[0]


def run_suite(
    suite: Suite,
    *,
    only: str | None = None,
    on_progress: Callable[[ScenarioResult], None] | None = None,
    on_course: Callable[[str, Steps], None] | None = None,
    lattice: MakeLattice = Lattice,
    ensemble: MakeEnsemble = Ensemble,
) -> SuiteResult:
    """Run the scenarios of a suite one after the other and judge them by published facts, baseline and time budget.

    Scenarios of a stored pack for which today's baseline says nothing, since it was taken with others, are judged by published facts
    alone, and a note says how many.

    Args:
        suite: what to run.
        only: run this scenario alone; baselines without a scenario are then not asked for.
        on_progress: called with each result as soon as it is there.
        on_course: called before that with the scenario's name and what each of its steps was.
        lattice: what makes the lattices; another one lets a test plant a wrong kernel.
        ensemble: what makes the ensembles, likewise.

    Raises:
        InputError: when there is no scenario named `only`.
    """
    started = time.perf_counter_ns()
    results, engine, strangers = [], engine_digest(), 0
    for scenario in suite.scenarios if only is None else (suite.scenario(only),):
        measured, steps = measure(scenario, lattice=lattice, ensemble=ensemble)
        if on_course is not None:
            on_course(scenario.name, steps)
        known = suite.stored is None or _agreed_on(scenario, suite)
        strangers += not known
        breaches = (*measured.breaches, *(baselines.compare(measured, suite.baseline) if known else ()))
        results.append(msgspec.structs.replace(measured, passed=not breaches, breaches=breaches))
        if on_progress is not None:
            on_progress(results[-1])
    duration_us = (time.perf_counter_ns() - started) // 1000
    found = list(baselines.orphans((scenario.name for scenario in suite.scenarios), suite.baseline)) if _whole(suite, only) else []
    if duration_us > suite.budget_s * 1_000_000:
        found.append(Breach("suite.duration_s", duration_us / 1e6, None, 0.0, suite.budget_s))
    return SuiteResult(
        suite=suite.name,
        passed=not found and all(result.passed for result in results),
        duration_us=duration_us,
        budget_s=suite.budget_s,
        breaches=tuple(found),
        scenarios=tuple(results),
        pack=canonical.digest(pack_of(suite)),
        engine=engine,
        notes=tuple(_notes(suite, engine, strangers)),
    )


def _whole(suite: Suite, only: str | None) -> bool:
    return only is None and suite.stored is None


def _agreed_on(scenario: Scenario, suite: Suite) -> bool:
    agreed = suite.baseline.scenarios.get(scenario.name) if suite.baseline is not None else None
    return agreed is not None and agreed.scenario_digest == scenario.digest


def _notes(suite: Suite, engine: EngineDigest, strangers: int) -> list[str]:
    notes = []
    taken_with = None if suite.baseline is None else suite.baseline.engine
    if taken_with is not None and taken_with.digest != engine.digest:
        notes.append(f"the baseline was taken with the engine {taken_with}, this is {engine}; their numbers must agree all the same")
    if strangers:
        notes.append(f"no baseline is known for {strangers} of the scenarios as this pack has them: published facts alone judge those")
    return notes
