"""The reference every kernel must equal bit for bit: outer-totalistic rules in plain NumPy, written to be read."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.rules import OuterTotalistic


def neighbour_counts(cells: Cells, boundary: Boundary) -> NDArray[np.int64]:
    """Return how many of each cell's Moore neighbours are alive.

    On a torus narrower than three cells a neighbour is met more than once and counted each time, as the definition says.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1.
        boundary: "torus" wraps every axis; "dead" surrounds the lattice with cells that stay dead.
    """
    around = np.pad(cells.astype(np.int64), 1, mode="wrap" if boundary == "torus" else "constant")
    total = np.zeros(cells.shape, dtype=np.int64)
    for shift in product((0, 1, 2), repeat=cells.ndim):
        if any(step != 1 for step in shift):
            total += around[tuple(slice(step, step + size) for step, size in zip(shift, cells.shape, strict=True))]
    return total


def simulate(cells: Cells, rule: OuterTotalistic, steps: int, boundary: Boundary = "torus") -> Cells:
    """Return the lattice after `steps` steps.

    >>> blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
    >>> simulate(blinker, OuterTotalistic.parse("B3/S23", dimensions=2), 1, "dead").tolist()
    [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    born, stays = (np.isin(np.arange(27), sorted(counts)) for counts in (rule.birth, rule.survival))
    for _ in range(steps):
        count = neighbour_counts(cells, boundary)
        cells = np.where(cells == 1, stays[count], born[count]).astype(np.uint8)
    return cells
