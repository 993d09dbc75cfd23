"""What is measured on states and on their course: entropy, alive ratio, activity, clusters; and the bytes a state is stored as."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thunderlab import stats
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.measures.components import components
from thunderlab.errors import InputError

# Below this mathematical libraries of different machines need not agree.
DECIMALS = 12
_SLAB = 1 << 20


def state_entropy(population: int, cells: int) -> float:
    """Return the Shannon entropy in bits of one cell drawn at random: 0 when all are alike, 1 when half are alive.

    H(p) = -p log2 p - (1 - p) log2 (1 - p) with p = population / cells (Shannon 1948). It is rounded to 12 decimals, below
    which mathematical libraries of different machines need not agree.

    >>> state_entropy(50, 100), state_entropy(0, 100), state_entropy(1, 4)
    (1.0, 0.0, 0.811278124459)
    """
    return round(stats.entropy_bits((population, cells - population)), DECIMALS)


def entropies(populations: Sequence[int] | NDArray[np.int64], cells: int) -> list[float]:
    """Return `state_entropy` for a course of populations, one value each.

    >>> entropies([0, 2, 4], 4)
    [0.0, 1.0, 0.0]
    """
    known: dict[int, float] = {}
    return [known[alive] if alive in known else known.setdefault(alive, state_entropy(alive, cells)) for alive in map(int, populations)]


def alive_ratio(population: int, cells: int) -> float:
    """Return the share of live cells, 0..1.

    >>> alive_ratio(3, 4)
    0.75
    """
    return population / cells


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and population standard deviation, rounded to 12 decimals; both sums are exact before the last division.

    >>> mean_and_std([1.0, 3.0])
    (2.0, 1.0)
    """
    mean = math.fsum(values) / len(values)
    return round(mean, DECIMALS), round(math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)), DECIMALS)


def trend(values: Sequence[float]) -> float:
    """Return how far the mean of the last quarter lies above the mean of the first (at least one value each), to 12 decimals.

    >>> trend([0.0, 5.0, 5.0, 1.0])
    1.0
    """
    quarter = max(1, len(values) // 4)
    return round((math.fsum(values[-quarter:]) - math.fsum(values[:quarter])) / quarter, DECIMALS)


def state_counts(cells: Cells, states: int) -> NDArray[np.int64]:
    """Return how many cells are in each state, int64 `[states]`.

    Args:
        cells: uint8 of any shape, 0..states-1.
        states: 1..256.

    Raises:
        InputError: a cell is in another state.

    >>> state_counts(np.array([[0, 2], [2, 1]], np.uint8), 4).tolist()
    [1, 1, 2, 0]
    """
    if not 1 <= states <= 256:
        raise InputError(f"cells have 1 to 256 states, not {states}", field="states")
    flat, counts = cells.ravel(), np.zeros(256, dtype=np.int64)
    for start in range(0, flat.size, _SLAB):  # counting takes eight bytes a cell
        counts += np.bincount(flat[start : start + _SLAB], minlength=256)
    if counts[states:].any():
        raise InputError(f"expected states 0 to {states - 1}, found {int(np.flatnonzero(counts)[-1])}", field="cells")
    return counts[:states]


def cell_entropy(cells: Cells, states: int) -> float:
    """Return the Shannon entropy in bits of the state of one cell drawn at random: 0..log2(states), to 12 decimals.

    H = -sum p log2 p with p = cells in a state / cells (Shannon 1948); with two states this is `state_entropy`.

    >>> cell_entropy(np.array([[0, 1], [2, 3]], np.uint8), 4)
    2.0
    """
    return round(stats.entropy_bits(state_counts(cells, states).tolist()), DECIMALS)


def activity(before: Cells, after: Cells) -> int:
    """Return how many cells are in another state after than before.

    >>> activity(np.array([[0, 1, 2]], np.uint8), np.array([[0, 2, 1]], np.uint8))
    2
    """
    if before.shape != after.shape:
        raise InputError(f"cells of the shapes {before.shape} and {after.shape} cannot be compared", field="cells")
    return int(np.count_nonzero(before != after))


def activity_ratio(before: Cells, after: Cells) -> float:
    """Return the share of cells that are in another state after than before, 0..1.

    >>> activity_ratio(np.array([[0, 1, 2, 2]], np.uint8), np.array([[0, 2, 1, 2]], np.uint8))
    0.5
    """
    return activity(before, after) / before.size


def stability(changed: Sequence[int] | NDArray[np.int64], cells: int) -> float:
    """Return the share of cells that did not change in a step, averaged over a course: 1 when it is frozen, 0 when all cells blink.

    It is 1 - sum(changed) / (steps * cells). What a course has settled to shows in its end: hand in the last quarter, say.

    Args:
        changed: `activity` of each step, at least one.
        cells: cells of the lattice.

    >>> stability([2, 0, 1, 1], 4)
    0.75
    """
    total = len(changed) * cells
    return round((total - sum(map(int, changed))) / total, DECIMALS)


def cluster_count(cells: Cells, boundary: Boundary) -> int:
    """Return how many connected groups of live cells there are; cells that touch, at a corner too, are connected.

    These are the components of the graph of live cells and their Moore neighbours (8 in 2D, 26 in 3D). On a torus neighbours
    across the seams count, those across its corners included. `components.components` tells their sizes, too.

    Args:
        cells: uint8 `[y x]` or `[z y x]`; every cell that is not 0 is alive.
        boundary: "torus", "dead" or "plane".

    >>> corners = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1]], np.uint8)
    >>> cluster_count(corners, "dead"), cluster_count(corners, "torus")
    (2, 1)
    """
    return components(cells, boundary).count
