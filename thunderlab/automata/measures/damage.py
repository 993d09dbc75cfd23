"""Damage spreading: what becomes of a difference in one cell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thunderlab import seeds
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.ensemble import Ensemble
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.observables import DECIMALS
from thunderlab.automata.rules import Elementary, Rule, parse_rule
from thunderlab.errors import InputError

MOST_STEPS = 10**6
MOST_COPIES = 256

# Of the state and all its copies together.
_MOST_CELLS = 1 << 30


@dataclass(frozen=True, eq=False)
class Damage:
    """How the difference between a state and copies of it spread, each copy with another state in one cell at step 0.

    Attributes:
        sites: the cell in which each copy began to differ.
        distance: int64 `[copies steps+1]`, cells that differ after 0, 1, ... steps (Hamming distance); 1 at step 0. Once 0, always 0.
        reach: int64 `[copies steps+1]`, how far the furthest of them is from the site along any axis, the shorter way round a torus.
        light: how far a difference may reach in one step, the radius of the rule.
        cone: int64 `[clear+1]`, how many cells one cell may have touched after 0, 1, ... steps, as long as these have not met
            themselves round a torus.
    """

    sites: tuple[tuple[int, ...], ...]
    distance: NDArray[np.int64]
    reach: NDArray[np.int64]
    light: int
    cone: NDArray[np.int64]

    @property
    def clear(self) -> int:
        """The last step of `cone`."""
        return len(self.cone) - 1

    @property
    def healed(self) -> float:
        """The share of copies that became equal to the state again."""
        return int((self.distance[:, -1] == 0).sum()) / len(self.distance)

    @property
    def speed(self) -> float:
        """How fast damage spread up to step `clear`, as a share of the most there can be, averaged over copies: 0..1.

        It is reach / (clear * light), the slope of the light cone (Packard and Wolfram, "Two-dimensional cellular automata", 1985);
        a copy that healed counts 0.
        """
        return round(int(self.reach[:, self.clear].sum()) / max(1, len(self.reach) * self.clear * self.light), DECIMALS)

    @property
    def exponent(self) -> float:
        """How much of the light cone is damaged, on a logarithmic scale: 0 for one cell or none, 1 for all of it.

        It is log(mean distance) / log(cone), the mean over copies, healed ones included, averaged over the second half of the steps up
        to `clear`: a single one would mislead about rules such as W90, whose damage is down to two cells after 2, 4, 8, ... steps.
        """
        copies, steps = len(self.distance), range(self.clear // 2 + 1, self.clear + 1)
        totals = self.distance.sum(axis=0)
        grown = [math.log(totals[step] / copies) / math.log(self.cone[step]) for step in steps if totals[step] > copies]
        return round(math.fsum(grown) / len(steps), DECIMALS) if steps else 0.0


def damage(cells: Cells, rule: Rule | str, steps: int, boundary: Boundary = "torus", seed: int = 0, copies: int = 1) -> Damage:
    """Return how a difference in one cell spreads: the state is run beside copies of it that differ in one cell each.

    The cell of copy i and its new state come from the stream `seeds.stream(seed, "damage")` by its words 2i and 2i + 1: every cell and
    every other state of the rule is equally likely. All copies are stepped together and compared after every step.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, states of the rule.
        rule: as for `Lattice`.
        steps: 0..10**6.
        boundary: "torus" or "dead".
        seed: any integer >= 0.
        copies: 1..256; the cells of the state and its copies are 2**30 at most.

    Raises:
        InputError: a number is out of its range, or as for `Lattice`.

    >>> growing = damage(np.zeros((9, 9), np.uint8), "B12345678/S012345678", 3)
    >>> growing.distance.tolist(), growing.reach.tolist(), growing.speed, growing.exponent  # squares: all of the light cone
    ([[1, 9, 25, 49]], [[0, 1, 2, 3]], 1.0, 1.0)
    """
    parsed = parse_rule(rule, dimensions=cells.ndim) if isinstance(rule, str) else rule
    if boundary == "plane":
        raise InputError("damage is measured where space does not grow; accepted: torus, dead", field="boundary")
    if not 0 <= steps <= MOST_STEPS:
        raise InputError(f"steps lie in 0..{MOST_STEPS}, got {steps}", field="steps")
    if not 1 <= copies <= MOST_COPIES:
        raise InputError(f"expected 1 to {MOST_COPIES} copies, got {copies}", field="copies")
    if cells.size * (copies + 1) > _MOST_CELLS:
        raise InputError(f"{copies} copies beside a state of {cells.size} cells are more than {_MOST_CELLS} cells in all", field="cells")
    if seed < 0:
        raise InputError(f"a seed is an integer >= 0, not {seed}", field="seed")
    sites, kicked = _kick(cells, parsed.states, seed, copies)
    distance = np.zeros((copies, steps + 1), dtype=np.int64)
    reach = np.zeros_like(distance)
    for step, states in enumerate(_course(np.concatenate((cells[None], kicked)), parsed, boundary, steps)):
        for copy, site in enumerate(sites):
            differing = states[copy + 1] != states[0]
            distance[copy, step] = np.count_nonzero(differing)
            if distance[copy, step]:
                reach[copy, step] = _reach(differing, site, boundary)
    axes = (cells.ndim - 1,) if isinstance(parsed, Elementary) else range(cells.ndim)
    lengths = [cells.shape[axis] for axis in axes]
    # An axis that a cell sees all of in one step does not limit anything.
    wide = [length for length in lengths if length > 2 * parsed.radius] or [1]
    clear = min(steps, (min(wide) - 1) // (2 * parsed.radius))
    touched = [math.prod(min(length, 2 * parsed.radius * step + 1) for length in lengths) for step in range(clear + 1)]
    return Damage(sites, distance, reach, parsed.radius, np.array(touched, dtype=np.int64))


def _kick(cells: Cells, states: int, seed: int, copies: int) -> tuple[tuple[tuple[int, ...], ...], Cells]:
    """Return the cells to change and the copies with them changed."""
    words = seeds.stream(seed, "damage").bit_generator.random_raw(2 * copies).tolist()
    kicked = np.repeat(cells[None], copies, axis=0)
    sites = []
    for copy, (where, what) in enumerate(zip(words[::2], words[1::2], strict=True)):
        # The upper bits of a word, scaled down in whole numbers.
        site = tuple(map(int, np.unravel_index(where * cells.size >> 64, cells.shape)))
        kicked[(copy, *site)] = (int(cells[site]) + 1 + (what * (states - 1) >> 64)) % states
        sites.append(site)
    return tuple(sites), kicked


def _course(starts: Cells, rule: Rule, boundary: Boundary, steps: int) -> Iterator[Cells]:
    """Yield all states after 0, 1, ... steps: the unchanged one first, then the copies."""
    yield starts
    if len(starts) == 2:
        pair = [Lattice(start, rule, boundary) for start in starts]
        for _ in range(steps):
            for lattice in pair:
                lattice.advance(1)
            yield np.stack([lattice.cells() for lattice in pair])
    else:
        ensemble = Ensemble(starts, rule, boundary)
        for _ in range(steps):
            ensemble.advance(1)
            yield ensemble.cells()


def _reach(differing: NDArray[np.bool_], site: tuple[int, ...], boundary: Boundary) -> int:
    """Return how far the furthest differing cell is from the site along any axis."""
    furthest = 0
    for axis, length in enumerate(differing.shape):
        others = tuple(other for other in range(differing.ndim) if other != axis)
        away = np.abs(np.flatnonzero(differing.any(axis=others)) - site[axis])
        if boundary == "torus":
            away = np.minimum(away, length - away)
        furthest = max(furthest, int(away.max()))
    return furthest
