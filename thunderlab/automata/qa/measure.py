"""One scenario measured: everything a result says of it but how it compares with what was agreed."""

from __future__ import annotations

import time

from thunderlab.automata import packed_states
from thunderlab.automata.ensemble import Ensemble
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures import emergence
from thunderlab.automata.measures.trail import MakeLattice
from thunderlab.automata.qa import course as courses
from thunderlab.automata.qa import facts, members
from thunderlab.automata.qa.course_record import Steps
from thunderlab.automata.qa.members import MakeEnsemble
from thunderlab.automata.qa.results import ScenarioResult, Value
from thunderlab.automata.qa.scenario import Scenario


def measure(scenario: Scenario, *, lattice: MakeLattice = Lattice, ensemble: MakeEnsemble = Ensemble) -> tuple[ScenarioResult, Steps]:
    """Run a scenario, with its further seeds if it has any, and return what it measured and how each step was.

    The result is judged by published facts alone; the harness adds the baseline. It depends on the scenario alone, `duration_us`
    excepted; nothing is written and nothing global changes.

    Args:
        scenario: what to run.
        lattice: what makes its lattices; another one lets a test plant a wrong kernel.
        ensemble: what makes the lattices of its further seeds, likewise.

    Raises:
        InputError: naming the scenario, when it takes more on a plane than it may.
    """
    started = time.perf_counter_ns()
    course = courses.run(scenario, lattice)
    further = None if scenario.ensemble is None else members.watch(scenario, ensemble)
    metrics = course.metrics() | ({} if further is None else further.metrics()) | _emergence(scenario)
    breaches = (*course.breaches(), *facts.limits(scenario.expect, metrics))
    result = ScenarioResult(
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
        final_state=packed_states.pack(course.final.cells),
        checkpoints=course.checkpoints(),
        ensemble={} if further is None else further.values(),
    )
    return result, Steps(course.trail.populations, course.trail.digests)


def _emergence(scenario: Scenario) -> dict[str, Value]:
    """Return the emergence of a scenario's start and what it is made of, by metric; nothing when it is not asked for."""
    if scenario.emergence is None:
        return {}
    found = emergence.measure(scenario.initial_cells(), scenario.rule, scenario.boundary, scenario.emergence.steps, scenario.seed)
    return {
        "emergence": found.score.value,
        "emergence_space": found.score.space,
        "emergence_time": found.score.time,
        "emergence_spread": found.score.spread,
        "activity": found.activity,
        "compressibility": found.compressibility,
        "largest_component": found.largest_component,
        "damage_healed": found.damage_healed,
        "damage_speed": found.damage_speed,
    }
