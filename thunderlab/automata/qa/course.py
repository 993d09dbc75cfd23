"""One scenario run to its end, and the metrics read off its course."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures import attractor, observables
from thunderlab.automata.measures.attractor import Attractor
from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
from thunderlab.automata.measures.settling import Settling, settle
from thunderlab.automata.measures.trail import MakeLattice, State, Trail
from thunderlab.automata.qa import facts
from thunderlab.automata.qa.results import Breach, Checkpoint, Value
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_spec import MOST_WORK_ON_PLANE
from thunderlab.errors import InputError

ENTROPY_SAMPLES = 200
# On a plane a look at a state costs as much as many steps: its cells have no frame, so where they are has to be found out.
LOOKS = 17
# States of a plane that are small enough to keep whenever they are looked at, and how far before the end any one is kept.
_SMALL = 2**16
_BEFORE_THE_END = attractor.MOST_MOVING_PERIOD


@dataclass(frozen=True, eq=False)
class Course:
    """What a run left behind.

    Attributes:
        scenario: what was run.
        trail: population and fingerprint of every step, and the states at the probes; on a plane the fingerprints of `looks`.
        attractor: the first repeat of the state within the duration.
        settling: how the population settles, or None.
        final: the last state: its cells are uint8 of the scenario's shape, on a plane of the smallest box around them.
        clusters: connected groups of live cells in it.
        entropy: state entropy in bits after 0, 1, ... steps; with more than two states at `ENTROPY_SAMPLES` evenly spread steps at most;
            on a plane at `LOOKS` of them, of a cell of the smallest box around the live ones.
    """

    scenario: Scenario
    trail: Trail
    attractor: Attractor
    settling: Settling | None
    final: State
    clusters: int
    entropy: list[float]

    def metrics(self) -> dict[str, Value]:
        """Return the observables by name; None where one is undefined.

        * `population_final`, `alive_ratio`, `cluster_count`: of the last state; on a plane its cells are those of the smallest box
          around the live ones, and `bbox_final` says where that is, first and last place per axis: `-12..4,0..7`.
        * `entropy_mean`, `entropy_std`, `entropy_final`, `entropy_trend`: of `entropy` over steps 0..duration; the trend is the mean
          of the last quarter less that of the first.
        * `convergence_steps`, `oscillation_period`, `displacement`: the first step whose state comes again, after how many steps,
          and by how much moved (`1,1`); None when no state comes again, as in chaos.
        * `population_settles_at`, `population_period`, `population_growth`: the same of the population alone.
        * `cells_sha256`: digest of the last state, moved to the origin; `probes_sha256`: of the states at the probes, as they lie;
          `populations_sha256`: of the population after each step, as little-endian 64-bit integers.
        """
        mean, spread = observables.mean_and_std(self.entropy)
        moved = self.attractor.displacement
        settled = self.settling
        population = int(self.trail.populations[-1])
        return {
            "population_final": population,
            "alive_ratio": observables.alive_ratio(population, self.final.cells.size),
            "entropy_mean": mean,
            "entropy_std": spread,
            "entropy_final": self.entropy[-1],
            "entropy_trend": observables.trend(self.entropy),
            "cluster_count": self.clusters,
            "convergence_steps": self.attractor.transient,
            "oscillation_period": self.attractor.period,
            "displacement": None if moved is None else ",".join(map(str, moved)),
            "population_settles_at": None if settled is None else settled.step,
            "population_period": None if settled is None else settled.period,
            "population_growth": None if settled is None else settled.growth,
            "cells_sha256": cells_sha256(self.final.cells),
            "probes_sha256": self._probes_sha256(),
            "populations_sha256": hashlib.sha256(self.trail.populations.astype("<i8").tobytes()).hexdigest(),
            **({"bbox_final": self._bbox()} if self.scenario.boundary == "plane" else {}),
        }

    def breaches(self) -> list[Breach]:
        """Return the published facts that the run contradicts."""
        return facts.check(self.scenario.expect, self.trail, self.attractor, self.settling, self.clusters)

    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """Return the digests of the states at the probes and at the end."""
        return tuple(Checkpoint(step, sha256) for step, sha256 in sorted(self._absolute.items()))

    def entropy_samples(self) -> tuple[float, ...]:
        """Return at most 200 entropies, evenly spread from step 0 to the end, both included."""
        return tuple(self.entropy[step] for step in evenly(len(self.entropy) - 1))

    @cached_property
    def _absolute(self) -> dict[int, str]:
        steps = {*self.scenario.probes, self.scenario.duration}
        return {step: self.trail.state_at(step).sha256 for step in steps}

    def _bbox(self) -> str | None:
        box = bbox(*self.final)
        return None if box is None else ",".join(f"{low}..{high}" for low, high in box)

    def _probes_sha256(self) -> str:
        lines = (f"{probe} {self._absolute[probe]}\n" for probe in self.scenario.probes)
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def run(scenario: Scenario, lattice: MakeLattice = Lattice) -> Course:
    """Run a scenario from step 0 to its duration and return its course; nothing outside the returned value changes.

    Raises:
        InputError: naming the scenario, when it takes more on a plane than it may.
    """
    trail = Trail(scenario.initial_cells(), scenario.rule, scenario.boundary, lattice)
    kept = {*scenario.probes, *(copies.step for copies in scenario.expect.copies_at), scenario.duration}
    if scenario.boundary == "plane":
        entropy = _over_the_plane(trail, scenario, kept)
    else:
        for stop in sorted(kept - {0}):
            trail.run_to(stop)
            trail.keep()
        entropy = _entropies(trail, scenario.rule.states)
    final = trail.state_at(scenario.duration)
    return Course(
        scenario=scenario,
        trail=trail,
        attractor=attractor.find_in(trail, scenario.duration),
        settling=settle(trail.populations),
        final=final,
        clusters=observables.cluster_count(final.cells, scenario.boundary),
        entropy=entropy,
    )


def looks(scenario: Scenario) -> list[int]:
    """Return the steps at which a plane is looked at for its entropy and its fingerprint: `LOOKS` evenly spread and the probes."""
    return sorted({*evenly(scenario.duration, LOOKS), *scenario.probes})


def walk(trail: Trail, scenario: Scenario, stops: Iterable[int]) -> Iterator[int]:
    """Run a trail on a plane to one step after the other, ascending, and yield each that was reached.

    Raises:
        InputError: naming the scenario, when it takes more than it may.
    """
    work = 0
    for stop in stops:
        before = trail.steps
        try:
            trail.run_to(stop)
        except InputError as error:
            raise InputError(error.what, where=f"scenario {scenario.name}", field="duration") from None
        work += (stop - before) * trail.size
        if work > MOST_WORK_ON_PLANE:
            raise InputError(
                f"after {stop} steps the boxes around the pattern add up to more than the {MOST_WORK_ON_PLANE} cell updates "
                "a scenario may take; run fewer steps",
                where=f"scenario {scenario.name}",
                field="duration",
            )
        yield stop


def _over_the_plane(trail: Trail, scenario: Scenario, kept: set[int]) -> list[float]:
    """Run a trail on a plane to the end, looking at it on the way; return the entropy at the evenly spread looks."""
    states, even = scenario.rule.states, {*evenly(scenario.duration, LOOKS)}
    entropy = [_entropy_now(trail, states)]
    kept.add(max(0, scenario.duration - _BEFORE_THE_END))
    for stop in walk(trail, scenario, sorted({*looks(scenario), *kept} - {0})):
        if stop in kept or trail.size <= _SMALL:
            trail.keep()
        if stop in even:
            entropy.append(_entropy_now(trail, states))
    return entropy


def _entropy_now(trail: Trail, states: int) -> float:
    if states == 2:
        return observables.state_entropy(int(trail.populations[-1]), trail.size)
    return observables.cell_entropy(trail.now().cells, states)


def evenly(last: int, most: int = ENTROPY_SAMPLES) -> list[int]:
    """Return at most `most` numbers from 0 to `last`, evenly spread, both included.

    >>> evenly(3), evenly(1000, most=5)
    ([0, 1, 2, 3], [0, 250, 500, 750, 1000])
    """
    count = min(most, last + 1)
    return [index * last // max(1, count - 1) for index in range(count)]


def _entropies(trail: Trail, states: int) -> list[float]:
    """Return the state entropy of every step, which with two states follows from the population; of more at some steps, counted."""
    if states == 2:
        return observables.entropies(trail.populations, trail.cells_at(0).size)
    walker, at, found = trail.lattice_at(0), 0, []
    for step in evenly(trail.steps):
        walker.advance(step - at)
        at = step
        found.append(observables.cell_entropy(walker.cells(), states))
    return found
