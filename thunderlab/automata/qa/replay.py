"""Replays: a scenario run again from its seed and held against what was recorded, or against itself, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import packed_states
from thunderlab.automata.cells import Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.trail import MakeLattice, Trail, known_digests
from thunderlab.automata.qa.course import looks, walk
from thunderlab.automata.qa.course_record import Steps
from thunderlab.automata.qa.results import Checkpoint, ScenarioResult
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_spec import MOST_STEPS, MOST_WORK
from thunderlab.errors import EvidenceError, InputError


class Replay(msgspec.Struct, frozen=True):
    """How faithfully a scenario replays.

    Attributes:
        fidelity: fraction of identical states among those after 0, 1, ... `steps` steps.
        steps: steps replayed.
        first_difference: the first step whose states differ, None when none does.
        recorded: up to which step each state was held against a record; None where a second run stood in.
    """

    fidelity: float
    steps: int
    first_difference: int | None
    recorded: int | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """What a recorded run knows of a scenario's course.

    Attributes:
        final: the state at the end.
        checkpoints: digests of states, which hold for every engine.
        steps: population and fingerprint of every step; None in runs of versions that did not keep them.
        comparable: whether fingerprints mean the same now as they did then, see `engine_digest.fingerprint_key`.
    """

    final: Cells
    checkpoints: tuple[Checkpoint, ...] = ()
    steps: Steps | None = None
    comparable: bool = True

    @classmethod
    def of(cls, result: ScenarioResult, steps: Steps | None, *, comparable: bool) -> Record:
        """Return what a result and the steps kept beside it say.

        Raises:
            EvidenceError: when the two do not belong together, or the result's last state is none.
        """
        last = result.steps
        if steps is not None and (len(steps.populations) != last + 1 or steps.populations[-1] != result.metrics["population_final"]):
            raise EvidenceError("the recorded course is not that of the recorded result", where=result.name)
        return cls(packed_states.unpack(result.final_state), result.checkpoints, steps, comparable)


def check_steps(scenario: Scenario, steps: int | None) -> int:
    """Return how far a replay goes: the scenario's duration by default.

    Raises:
        InputError: when it is less than 1 or more than a scenario may take.
    """
    steps = scenario.duration if steps is None else steps
    if scenario.boundary == "plane":
        if not 1 <= steps <= MOST_STEPS:
            raise InputError(f"{steps} steps; 1 to {MOST_STEPS} are accepted on a plane", where=scenario.name, field="steps")
        return steps
    size = int(np.prod(scenario.shape, dtype=np.int64))
    if not 1 <= steps <= MOST_WORK // size:
        raise InputError(
            f"{steps} steps; 1 to {MOST_WORK // size} are accepted for a lattice of {size} cells", where=scenario.name, field="steps"
        )
    return steps


def replay(scenario: Scenario, steps: int | None = None, *, record: Record | None = None, lattice: MakeLattice = Lattice) -> Replay:
    """Run a scenario from its seed again and compare every step with the record; where there is none, with a second run.

    Up to the scenario's duration a recorded course says what each step was: its population, its 64-bit fingerprint where that means
    the same, and at the checkpoints SHA-256 digests of the cells, which hold for any engine; at the end the cells themselves. From
    there on, and all the way where nothing was recorded, a second run is made, and the two are compared by population and fingerprint,
    at the end cell by cell. On a plane fingerprints, of cells and where they lie, are taken at the looks of the scenario (`course.looks`);
    between two of them a state is known by its population.

    Args:
        scenario: what to replay.
        steps: how far, 1 or more; the scenario's duration by default.
        record: what an earlier run left behind.
        lattice: what makes the lattices.

    Raises:
        InputError: when `steps` is less than 1 or more than a scenario may take, which on a plane shows on the way.
        EvidenceError: when the record is of another lattice.
    """
    steps = check_steps(scenario, steps)
    marks = () if record is None else tuple(mark for mark in record.checkpoints if mark.step <= steps)
    stops = {steps, min(steps, scenario.duration), *(mark.step for mark in marks)}
    first = _run(scenario, stops, lattice)
    same = np.ones(steps + 1, dtype=np.bool_)
    if record is None or record.steps is None or steps > scenario.duration:
        second = _run(scenario, stops, lattice)
        same &= (first.populations == second.populations) & (first.digests == second.digests)
        same[steps] &= first.state_at(steps).same(second.state_at(steps))
    if record is not None:
        _hold_against(same, first, record, scenario.duration)
        for mark in marks:
            same[mark.step] &= first.state_at(mark.step).sha256 == mark.cells_sha256
    differing = np.flatnonzero(~same)
    held = None if record is None or record.steps is None else min(steps, scenario.duration)
    return Replay(int(same.sum()) / same.size, steps, int(differing[0]) if differing.size else None, held)


def _run(scenario: Scenario, stops: set[int], lattice: MakeLattice) -> Trail:
    trail = Trail(scenario.initial_cells(), scenario.rule, scenario.boundary, lattice)
    if scenario.boundary == "plane":
        for stop in walk(trail, scenario, sorted({*stops, *(look for look in looks(scenario) if look <= max(stops))} - {0})):
            if stop in stops:
                trail.keep()
        return trail
    for stop in sorted(stops - {0}):
        trail.run_to(stop)
        trail.keep()
    return trail


def _hold_against(same: NDArray[np.bool_], trail: Trail, record: Record, duration: int) -> None:
    """Clear the steps of `same` at which a trail is not what was recorded."""
    if trail.boundary != "plane" and record.final.shape != trail.cells_at(0).shape:
        raise EvidenceError(f"the recorded state has the shape {record.final.shape}", where="record")
    if trail.steps >= duration:
        same[duration] &= np.array_equal(trail.cells_at(duration), record.final)
    if record.steps is None:
        return
    reached = min(trail.steps, duration) + 1
    populations, digests = record.steps.populations[:reached], record.steps.digests[:reached]
    same[:reached] &= trail.populations[:reached] == populations
    if record.comparable:
        known = trail.known[:reached] & known_digests(populations, digests, trail.boundary)
        same[:reached] &= ~known | (trail.digests[:reached] == digests)
