"""The recorded course of one lattice: population and fingerprint of every step, and any state again by re-simulation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice, Trace
from thunderlab.automata.rules import Rule


class Stepping(Protocol):
    """What a trail needs of a lattice; tests hand in lattices that are wrong on purpose."""

    @property
    def population(self) -> int:
        """Live cells now."""

    @property
    def digest(self) -> int:
        """A 64-bit fingerprint of the state now."""

    def advance(self, steps: int) -> Trace:
        """Run `steps` steps and return what each left behind."""

    def cells(self) -> Cells:
        """Return a copy of the cells now."""


MakeLattice = Callable[[Cells, Rule, Boundary], Stepping]


class Trail:
    """A lattice and everything that was recorded while it ran.

    Args:
        cells: the state at step 0, uint8 `[y x]` or `[z y x]`, 0 or 1.
        rule: the rule, of as many dimensions as the cells.
        boundary: "torus" or "dead".
        lattice: what makes lattices; always called with these three.

    Attributes:
        populations: int64 `[steps + 1]`, live cells after 0, 1, ... steps.
        digests: uint64 `[steps + 1]`, fingerprints likewise; equal states have equal ones.

    >>> from thunderlab.automata.rules import parse_rule
    >>> trail = Trail(np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.uint8), parse_rule("B3/S23", dimensions=2), "dead")
    >>> trail.run_to(2)
    >>> trail.populations.tolist(), trail.cells_at(1).tolist()
    ([3, 3, 3], [[0, 1, 0], [0, 1, 0], [0, 1, 0]])
    """

    def __init__(self, cells: Cells, rule: Rule, boundary: Boundary, lattice: MakeLattice = Lattice) -> None:
        self.rule = rule
        self.boundary: Boundary = boundary
        self._make = lattice
        self._front = lattice(cells, rule, boundary)
        self._kept = {0: self._front.cells()}
        self.populations: NDArray[np.int64] = np.array([self._front.population], dtype=np.int64)
        self.digests: NDArray[np.uint64] = np.array([self._front.digest], dtype=np.uint64)

    @property
    def steps(self) -> int:
        """Steps recorded so far."""
        return len(self.populations) - 1

    def run_to(self, step: int) -> None:
        """Record up to `step`; nothing happens when that much is recorded already."""
        if step > self.steps:
            trace = self._front.advance(step - self.steps)
            assert trace.digest is not None, "a trail on a plane is laid on the box that contains it"
            self.populations = np.concatenate((self.populations, trace.population))
            self.digests = np.concatenate((self.digests, trace.digest))

    def keep(self) -> None:
        """Keep the state of the last recorded step, so that `cells_at` need not simulate up to it again."""
        self._kept[self.steps] = self._front.cells()

    def cells_at(self, step: int) -> Cells:
        """Return the state after `step` steps, kept or simulated again from the last kept one before it."""
        return self._kept[step].copy() if step in self._kept else self.lattice_at(step).cells()

    def lattice_at(self, step: int) -> Stepping:
        """Return a fresh lattice that stands at `step`."""
        nearest = max(kept for kept in self._kept if kept <= step)
        lattice = self._make(self._kept[nearest], self.rule, self.boundary)
        lattice.advance(step - nearest)
        return lattice
