"""Many lattices of one rule and one size, run side by side: the seeds of a scenario."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule


class Watched(NamedTuple):
    """What `Ensemble.observe` saw, one row per sample and one column per seed.

    Attributes:
        step: int64 `[samples]`, steps since the ensemble was made.
        population: int64 `[samples seeds]`, cells that are not 0.
        changed: int64 `[samples seeds]`, cells that differ from the step before; 0 at step 0.
    """

    step: NDArray[np.int64]
    population: NDArray[np.int64]
    changed: NDArray[np.int64]


class Ensemble:
    """Lattices of one rule, size and boundary that take every step together.

    Args:
        cells: uint8 `[seed y x]` or `[seed z y x]`.
        rule: as for `Lattice`.
        boundary: "torus" or "dead".
    """

    def __init__(self, cells: Cells, rule: Rule | str, boundary: Boundary = "torus") -> None:
        self._lattices = [Lattice(one, rule, boundary) for one in cells]
        self.step = 0

    def advance(self, steps: int) -> None:
        """Run `steps` steps."""
        for lattice in self._lattices:
            lattice.advance(steps)
        self.step += steps

    def observe(self, steps: int, every: int) -> Watched:
        """Run `steps` steps and return what was seen now, after each `every` of them, and at the end."""
        stops = sorted({*range(0, steps, every), steps})
        rows = []
        for before, stop in zip([0, *stops], stops, strict=False):
            changed = np.zeros(len(self._lattices), dtype=np.int64)
            if stop > before:
                self.advance(stop - before - 1)
                last = self.cells()
                self.advance(1)
                changed = (self.cells() != last).reshape(len(last), -1).sum(axis=1)
            population = (self.cells() != 0).reshape(len(changed), -1).sum(axis=1)
            rows.append((self.step, population, changed))
        step, population, changed = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        return Watched(step, population, changed)

    def cells(self) -> Cells:
        """Return a copy of the cells now, uint8 of the shape handed in."""
        return np.stack([lattice.cells() for lattice in self._lattices])
