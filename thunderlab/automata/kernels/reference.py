"""The reference every kernel must equal bit for bit: all rules on whole states, in plain NumPy, written to be read."""

from __future__ import annotations

from itertools import product
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.rules import Elementary, Isotropic, LargerThanLife, OuterTotalistic, Rule
from thunderlab.automata.rules.outer_totalistic import Neighbourhood

Counts = NDArray[np.int64]


def simulate(cells: Cells, rule: Rule, steps: int, boundary: Boundary = "torus") -> Cells:
    """Return the lattice after `steps` steps.

    On a torus narrower than a neighbourhood, a cell is met there more than once and counts each time, as the definition says.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, as many axes as the rule has dimensions, states 0..rule.states-1.
        rule: a rule of any family with whole states.
        steps: 0 or more.
        boundary: "torus" wraps every axis; "dead" surrounds the lattice with cells that stay 0.

    >>> blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
    >>> simulate(blinker, OuterTotalistic.parse("B3/S23", dimensions=2), 1, "dead").tolist()
    [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    for _ in range(steps):
        cells = _step(cells, rule, boundary)
    return cells


def neighbour_counts(cells: Cells, boundary: Boundary, neighbourhood: Neighbourhood = "moore") -> Counts:
    """Return how many of each cell's neighbours are in state 1.

    Args:
        cells: uint8 `[y x]` or `[z y x]`.
        boundary: as for `simulate`.
        neighbourhood: "moore", "von-neumann" or, in 2D, "hexagonal".

    >>> neighbour_counts(np.array([[1, 1, 0]], dtype=np.uint8), "dead").tolist()
    [[1, 1, 1]]
    """
    around = _surrounded(cells == 1, boundary, 1)
    total = np.zeros(cells.shape, dtype=np.int64)
    for offset in product((-1, 0, 1), repeat=cells.ndim):
        if _is_neighbour(offset, neighbourhood):
            total += _shifted(around, offset, cells.shape, 1)
    return total


def _step(cells: Cells, rule: Rule, boundary: Boundary) -> Cells:
    """Return the lattice one step later."""
    match rule:
        case OuterTotalistic():
            return _decide(cells, neighbour_counts(cells, boundary, rule.neighbourhood), rule)
        case LargerThanLife():
            return _decide(cells, _far_counts(cells, rule, boundary), rule)
        case Isotropic():
            return rule.table[_blocks(cells, boundary)].astype(np.uint8)
        case Elementary():
            return _elementary(cells, rule.number, boundary)
        case _:
            raise TypeError(f"the reference has no rule of the family {rule.family}")


def _surrounded(alive: NDArray[np.bool_], boundary: Boundary, width: int) -> NDArray[np.bool_]:
    """Return the lattice with what lies around it, `width` cells on every side."""
    return np.pad(alive, width, mode="wrap" if boundary == "torus" else "constant")


def _shifted(around: NDArray[np.bool_], offset: tuple[int, ...], shape: tuple[int, ...], width: int) -> NDArray[np.bool_]:
    """Return for each cell the one that lies `offset` away from it; `around` is the lattice surrounded by `width` cells."""
    return around[tuple(slice(width + step, width + step + size) for step, size in zip(offset, shape, strict=True))]


def _is_neighbour(offset: tuple[int, ...], neighbourhood: Neighbourhood) -> bool:
    """Return whether the cell `offset` away, at most one along each axis, is a neighbour."""
    if not any(offset):
        return False
    if neighbourhood == "moore":
        return True
    if neighbourhood == "von-neumann":
        return sum(map(abs, offset)) == 1
    if neighbourhood == "hexagonal":
        return offset not in ((-1, 1), (1, -1))  # upper right and lower left
    assert_never(neighbourhood)


def _decide(cells: Cells, counts: Counts, rule: OuterTotalistic | LargerThanLife) -> Cells:
    """Return the next states: a live cell (1) that does not stay ages through 2, 3, ... to 0, or dies at once with two states."""
    born, stays = (np.isin(counts, sorted(wanted)) for wanted in (rule.birth, rule.survival))
    older = (cells.astype(np.int64) + 1) % rule.states
    return np.where(cells == 0, born, np.where((cells == 1) & stays, 1, older)).astype(np.uint8)


def _far_counts(cells: Cells, rule: LargerThanLife, boundary: Boundary) -> Counts:
    """Return how many cells in state 1 each cell has in the neighbourhood of a Larger than Life rule."""
    around = _surrounded(cells == 1, boundary, rule.radius)
    total = np.zeros(cells.shape, dtype=np.int64)
    for dy, dx in product(range(-rule.radius, rule.radius + 1), repeat=2):
        if _is_near(dy, dx, rule):
            total += _shifted(around, (dy, dx), cells.shape, rule.radius)
    return total


def _is_near(dy: int, dx: int, rule: LargerThanLife) -> bool:
    """Return whether the cell (dy, dx) away, at most the radius along each axis, is in the neighbourhood."""
    if (dy, dx) == (0, 0):
        return rule.middle
    if rule.neighbourhood == "moore":
        return True
    if rule.neighbourhood == "von-neumann":
        return abs(dy) + abs(dx) <= rule.radius
    if rule.neighbourhood == "circular":
        return dy**2 + dx**2 < (rule.radius + 0.5) ** 2
    assert_never(rule.neighbourhood)


def _blocks(cells: Cells, boundary: Boundary) -> Counts:
    """Return each cell's 3 x 3 block as a number, bit 3 * (dy + 1) + (dx + 1) for the cell at (dy, dx)."""
    around = _surrounded(cells == 1, boundary, 1)
    total = np.zeros(cells.shape, dtype=np.int64)
    for bit, offset in enumerate(product((-1, 0, 1), repeat=2)):
        total += _shifted(around, offset, cells.shape, 1).astype(np.int64) << bit
    return total


def _elementary(cells: Cells, number: int, boundary: Boundary) -> Cells:
    """Return the rows one step later under an elementary rule, each a lattice of its own."""
    around = _surrounded(cells == 1, boundary, 1)
    left, centre, right = (_shifted(around, (0, dx), cells.shape, 1).astype(np.int64) for dx in (-1, 0, 1))
    return (number >> (4 * left + 2 * centre + right) & 1).astype(np.uint8)
