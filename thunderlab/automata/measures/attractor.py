"""Where a course ends up: the first repeat of its state, in place or moved along."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice, check_cells, check_steps, checked_rule, make_engine
from thunderlab.automata.measures.fingerprint import bbox
from thunderlab.automata.measures.trail import MakeLattice, State, Trail, state_of
from thunderlab.automata.measures.translation import translation
from thunderlab.automata.plane import contained
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

FIRST_ROUND = 64
MOST_MOVING_PERIOD = 512

# Moving repeats are told by comparing whole states: this many cells are looked at, then the search for them ends.
_MOST_INSPECTED = 1 << 28
_MOST_COLLISIONS = 8
_POPULATIONS_ALIKE = 16
# On a plane a step taken alone costs about as much as so many cells, and most repeats are found among the first few periods.
_MOST_ON_PLANE = 1 << 26
_LEAST_INSPECTED = 1 << 16
_FIRST_PERIODS = 16


@dataclass(frozen=True)
class Attractor:
    """The first repeat of a course.

    Attributes:
        found: whether a repeat was found within the steps searched; the other fields are None when not.
        transient: the first step whose state comes again.
        period: after how many steps it comes again, in place or moved.
        displacement: by how much it has moved after one period, per axis in the order of the shape; None when it stays in place.
        exact_period: after how many steps the very same state is back. It is `period` when nothing moves; on a torus a moving
            pattern comes round after the least common multiple of the turns along each axis; elsewhere it does not come round
            within the steps asked for: None.
        searched: steps that were searched.
    """

    found: bool
    transient: int | None
    period: int | None
    displacement: tuple[int, ...] | None
    exact_period: int | None
    searched: int


def find(
    cells: Cells, rule: Rule | str, boundary: Boundary = "torus", *, max_steps: int = 10_000, lattice: MakeLattice = Lattice
) -> Attractor:
    """Return the first repeat within `max_steps` steps; see `find_in`.

    A plane is looked at through a box that the pattern does not leave meanwhile.

    Raises:
        InputError: as for `Lattice`; naming `max_steps` when it is no number of steps, or the pattern wanders too far on the way there.

    >>> blinker = np.zeros((5, 5), np.uint8)
    >>> blinker[2, 1:4] = 1
    >>> find(blinker, "B3/S23").period
    2
    >>> glider = np.zeros((16, 16), np.uint8)
    >>> glider[[0, 1, 2, 2, 2], [1, 2, 0, 1, 2]] = 1
    >>> found = find(glider, "B3/S23")
    >>> found.transient, found.period, found.displacement, found.exact_period
    (0, 4, (1, 1), 64)
    """
    parsed = checked_rule(cells, rule, boundary)
    check_cells(cells, parsed, boundary)
    try:
        check_steps(max_steps)
        if boundary == "plane":
            return _in_a_box(cells, parsed, max_steps, lattice)
        return find_in(Trail(cells, parsed, boundary, lattice), max_steps)
    except InputError as error:
        raise InputError(error.what, where=error.where, field="max_steps" if error.field == "steps" else error.field) from None


def _in_a_box(cells: Cells, rule: Rule, max_steps: int, lattice: MakeLattice) -> Attractor:
    """Return the first repeat on a plane, seen within dead edges that the pattern does not reach."""
    end = min(FIRST_ROUND, max_steps)
    while True:
        box, _ = contained(make_engine, cells, rule, end)
        found = find_in(Trail(box, rule, "dead", lattice), end, endless=True)
        if found.found or end == max_steps:
            return found
        end = min(4 * end, max_steps)


def find_in(trail: Trail, max_steps: int, *, endless: bool = False) -> Attractor:
    """Return the first repeat on a trail, which is run further as needed, `max_steps` steps from its start at most.

    * In place: the state at `transient + period` equals the one at `transient`, and no earlier step has a state that comes again.
      Equal fingerprints name the pair, equal cells (simulated again) prove it; every step is compared with every other.
    * Moved: the state at `transient + period` is the one at `transient` translated by `displacement`. On a dead boundary the live
      cells are compared, moved to the corner of their bounding box; on a torus two empty rows (columns, layers) side by side must
      lie across each axis along which the pattern moves, so that its two ends do not touch: else it is a texture, and no pattern
      that moves. What moves between dead edges is one while it keeps off them for all of `max_steps`; else what it turns into there
      is looked for. Looked for from the steps
      0, 64, 128, 256, ..., with periods up to 512 and while 2**28 cells have been compared, so a small moving pattern is found
      for certain, one on a large lattice when it comes early. Found, it goes before the repeat in place that follows from it.
    * A trail on a plane knows the fingerprints of few steps. There the last state is held against those before it that have as many
      cells, for both kinds: periods up to 512, and longer ones from which on the population agrees for 16 steps, the smallest first
      and while 2**26 cells (at least 2**16 a state) have been compared.

    The result depends on cells, rule, boundary and `max_steps` alone.

    Args:
        trail: where the course is looked back on.
        max_steps: from its start.
        endless: whether its dead edges stand for a plane, and nothing comes near them.
    """
    if trail.boundary == "plane":
        return _on_plane(trail, max_steps)
    until = max_steps if trail.boundary == "dead" and not endless else None
    budget = _MOST_INSPECTED
    start, end = 0, min(FIRST_ROUND, max_steps)
    while True:
        trail.run_to(end)
        moving, budget = _moving(trail, start, end, budget, until)
        if moving is not None:
            return moving
        exact = _exact(trail, end)
        if exact is not None:
            first, again = exact
            # What comes round a small torus may be a pattern that moves, with a shorter period of its own.
            moving, _ = _moving(trail, first, again, budget, until)
            period = again - first
            return moving or Attractor(True, first, period, None, period, again)
        if end == max_steps:
            return Attractor(False, None, None, None, None, end)
        start, end = end, min(2 * end, max_steps)


def _on_plane(trail: Trail, last: int) -> Attractor:
    """Return the first repeat on a plane within `last` steps, in place or moved.

    What follows a repeat repeats, too: the state at `last` is then the one a period before, so only that is looked for.
    """
    trail.run_to(last)
    empty = np.flatnonzero(trail.populations[:last] == 0)
    if empty.size:
        return Attractor(True, int(empty[0]), 1, None, 1, int(empty[0]) + 1)
    periods = _periods_on_plane(trail.populations[: last + 1])
    final = trail.state_at(last)
    budget = max(1, _MOST_ON_PLANE // max(final.cells.size, _LEAST_INSPECTED))
    done, many = 0, _FIRST_PERIODS
    while done < min(len(periods), budget):
        known = _latest_alike(trail, last, periods[done : min(done + many, budget)], final)
        if known is not None:
            step, shift = known
            period = last - step
            in_place = not any(shift)
            transient = _first_moving(trail, step, period, shift)
            return Attractor(True, transient, period, None if in_place else shift, period if in_place else None, last)
        done, many = done + many, 4 * many
    return Attractor(False, None, None, None, None, last)


def _periods_on_plane(populations: NDArray[np.int64]) -> list[int]:
    """Return the periods the population does not rule out, the smallest first: long ones only where it agrees for some steps."""
    backwards = populations[::-1]
    last = len(populations) - 1
    alike = backwards[1:] == backwards[0]
    for back in range(1, min(_POPULATIONS_ALIKE, last - MOST_MOVING_PERIOD)):
        alike[MOST_MOVING_PERIOD : last - back] &= backwards[1 + back + MOST_MOVING_PERIOD :] == backwards[back]
    return [int(period) for period in np.flatnonzero(alike) + 1]


def _latest_alike(trail: Trail, last: int, periods: list[int], final: State) -> tuple[int, tuple[int, ...]] | None:
    """Return the latest of the steps these periods before `last` whose state is the final one, and by how much that one has moved."""
    at, found = last - periods[-1], None
    lattice, origin = trail.placed_at(at)
    for period in reversed(periods):
        lattice.advance(last - period - at)
        at = last - period
        shift = _shift(state_of(lattice, trail.boundary, origin), final, trail.boundary) if lattice.shape == final.cells.shape else None
        if shift is not None:
            found = at, shift
    return found


def _exact(trail: Trail, end: int) -> tuple[int, int] | None:
    """Return the first step among 0..end whose state comes again and the step where it first does, proved on cells."""
    digests = trail.digests[: end + 1]
    order = np.argsort(digests, kind="stable")
    again = np.flatnonzero(digests[order[1:]] == digests[order[:-1]])
    pairs = sorted((int(order[index + 1]), int(order[index])) for index in again)
    for second, first in pairs[:_MOST_COLLISIONS]:
        lattice = trail.lattice_at(first)
        before = lattice.cells()
        lattice.advance(second - first)
        if np.array_equal(before, lattice.cells()):
            return first, second
    return None


def _moving(trail: Trail, start: int, end: int, budget: int, until: int | None) -> tuple[Attractor | None, int]:
    """Return the moving repeat that includes step `start`, if any, and what is left of the budget; with edges it lasts `until` a step."""
    periods = _periods_worth_a_look(trail.populations[start : end + 1])
    if not periods:
        return None, budget
    lattice = trail.lattice_at(start)
    before, at = lattice.cells(), 0
    for period in periods:
        budget -= before.size
        if budget < 0:
            return None, 0
        lattice.advance(period - at)
        at = period
        shift = translation(before, lattice.cells(), trail.boundary)
        if shift is None:
            continue
        if not any(shift):
            return None, budget  # a repeat in place, which `_exact` reports
        if until is not None and not _keeps_off(trail, start, period, shift, until):
            return None, budget
        transient = _first_moving(trail, start, period, shift)
        around = None
        if trail.boundary == "torus":
            turns = (size // math.gcd(size, step) for size, step in zip(before.shape, shift, strict=True))
            around = period * math.lcm(*turns)
        found = Attractor(True, transient, period, shift, around, start + period)
        return found, budget
    return None, budget


def _keeps_off(trail: Trail, start: int, period: int, shift: tuple[int, ...], until: int) -> bool:
    """Return whether what has moved by `shift` from step `start` on keeps off the edges it moves between until a step, as on a plane."""
    lattice = trail.lattice_at(start)
    for step in range(start, start + period):
        cells = lattice.cells()
        times = (until - step) // period
        for size, by, (low, high) in zip(cells.shape, shift, bbox(cells) or (), strict=True):
            if by and (low + min(0, times * by) < trail.rule.radius or high + max(0, times * by) >= size - trail.rule.radius):
                return False
        lattice.advance(1)
    return True


def _periods_worth_a_look(populations: NDArray[np.int64]) -> list[int]:
    """Return the periods the population does not rule out: one whole period of it (16 steps at least) must come again, as far as known."""
    last = len(populations) - 1
    if populations[0] == 0:
        return []
    found = []
    for period in range(1, min(MOST_MOVING_PERIOD, last) + 1):
        known = min(max(period, _POPULATIONS_ALIKE), last - period) + 1
        if np.array_equal(populations[:known], populations[period : period + known]):
            found.append(period)
    return found


def _first_moving(trail: Trail, known: int, period: int, shift: tuple[int, ...]) -> int:
    """Return the first step whose state comes again after `period` steps, moved by `shift`; step `known` is one such.

    Once it holds it goes on holding, because rules look the same everywhere off the edges; so the first step is found by halving.
    """
    differing = np.flatnonzero(trail.populations[:known] != trail.populations[period : known + period])
    low, high = int(differing[-1]) + 1 if differing.size else 0, known
    # Mostly it is the first step the population allows, or one soon after.
    near = 0
    while low < high:
        middle = min(low + near, (low + high) // 2)
        lattice = trail.lattice_at(middle)
        before = state_of(lattice, trail.boundary)
        lattice.advance(period)
        if _shift(before, state_of(lattice, trail.boundary), trail.boundary) == shift:
            high = middle
        else:
            low, near = middle + 1, 2 * near + 1
    return low


def _shift(before: State, after: State, boundary: Boundary) -> tuple[int, ...] | None:
    """Return `translation` of the cells where they lie."""
    moved = translation(before.cells, after.cells, boundary)
    if moved is None:
        return None
    return tuple(int(by) for by in np.add(moved, np.subtract(after.origin, before.origin)))
