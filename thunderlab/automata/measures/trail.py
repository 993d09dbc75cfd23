"""The recorded course of one lattice: population and fingerprint of every step, and any state again by re-simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice, Trace
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.rules import LeniaRule, Rule
from thunderlab.errors import InputError


class Stepping(Protocol):
    """What a trail needs of a lattice; tests hand in lattices that are wrong on purpose."""

    @property
    def population(self) -> int:
        """Live cells now."""

    @property
    def digest(self) -> int:
        """A 64-bit fingerprint of the state now."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of `cells`; asked for on a plane only."""

    @property
    def origin(self) -> tuple[int, ...]:
        """Where the first of `cells` lies, counted from the first of the cells handed in; asked for on a plane only."""

    def advance(self, steps: int) -> Trace:
        """Run `steps` steps and return what each left behind."""

    def cells(self) -> Cells:
        """Return a copy of the cells now."""


MakeLattice = Callable[[Cells, Rule, Boundary], Stepping]


class State(NamedTuple):
    """Cells and where the first of them lies; other than zeros on a plane only, whose cells are those of the smallest box around them."""

    cells: Cells
    origin: tuple[int, ...]

    @property
    def sha256(self) -> str:
        """The digest of the cells where they lie, see `fingerprint.canonical_cells`."""
        return cells_sha256(self.cells, origin=self.origin)

    def same(self, other: State) -> bool:
        """Return whether these are the same cells in the same place."""
        return self.origin == other.origin and np.array_equal(self.cells, other.cells)


class Trail:
    """A lattice and everything that was recorded while it ran.

    On a plane a state is the cells in the smallest box around them and the place of that box. The fingerprint is of both, so it does not
    depend on how the plane grew; it is taken where `run_to` stops, and stands as 0 for the steps in between, which are known by their
    population.

    Args:
        cells: the state at step 0, uint8 `[y x]` or `[z y x]`, states 0..n-1 of the rule.
        rule: the rule, of as many dimensions as the cells.
        boundary: "torus", "dead" or "plane".
        lattice: what makes lattices; always called with these three.

    Raises:
        InputError: as for the lattice, and by `check_exact`.

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
        check_exact(rule)
        self.rule = rule
        self.boundary: Boundary = boundary
        self._make = lattice
        self._front = lattice(cells, rule, boundary)
        self._kept = {0: state_of(self._front, boundary)}
        self.populations: NDArray[np.int64] = np.array([self._front.population], dtype=np.int64)
        self.digests: NDArray[np.uint64] = np.array([self._front.digest], dtype=np.uint64)

    @property
    def steps(self) -> int:
        """Steps recorded so far."""
        return len(self.populations) - 1

    @property
    def size(self) -> int:
        """Cells of the last recorded state, those that are 0 included; on a plane of the box around the others."""
        return math.prod(self._front.shape)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Bool `[steps + 1]`, the steps whose fingerprint is there: all but on a plane, where an empty state needs none."""
        return known_digests(self.populations, self.digests, self.boundary)

    def run_to(self, step: int) -> None:
        """Record up to `step`; nothing happens when that much is recorded already."""
        if step > self.steps:
            trace = self._front.advance(step - self.steps)
            digests = trace.digest
            if digests is None:
                digests = np.zeros(len(trace.population), dtype=np.uint64)
                digests[-1] = self._front.digest
            self.populations = np.concatenate((self.populations, trace.population))
            self.digests = np.concatenate((self.digests, digests))

    def keep(self) -> None:
        """Keep the state of the last recorded step, so that `state_at` need not simulate up to it again."""
        self._kept[self.steps] = state_of(self._front, self.boundary)

    def now(self) -> State:
        """Return the state of the last recorded step."""
        return state_of(self._front, self.boundary)

    def cells_at(self, step: int) -> Cells:
        """Return the cells after `step` steps, as `state_at` does."""
        return self.state_at(step).cells

    def state_at(self, step: int) -> State:
        """Return the state after `step` steps, kept or simulated again from the last kept one before it."""
        if step in self._kept:
            kept = self._kept[step]
            return State(kept.cells.copy(), kept.origin)
        lattice, origin = self.placed_at(step)
        return state_of(lattice, self.boundary, origin)

    def lattice_at(self, step: int) -> Stepping:
        """Return a fresh lattice that stands at `step`; on a plane its origin counts from a place of its own."""
        return self.placed_at(step)[0]

    def placed_at(self, step: int) -> tuple[Stepping, tuple[int, ...]]:
        """Return a fresh lattice that stands at `step`, and the place that its origin counts from."""
        nearest = max(kept for kept in self._kept if kept <= step)
        cells, origin = self._kept[nearest]
        lattice = self._make(cells, self.rule, self.boundary)
        lattice.advance(step - nearest)
        return lattice, origin


def check_exact(rule: Rule) -> None:
    """Refuse rules under which equal cells are not equal states, so that nothing can be told from cells that come again.

    Raises:
        InputError: naming `rule`, when it is one of Lenia's.
    """
    if rule.family == LeniaRule.family:
        raise InputError(
            "Lenia computes with rounded numbers, so a state that looks like an earlier one need not be it; rules of whole states are accepted",
            field="rule",
        )


def state_of(lattice: Stepping, boundary: Boundary, origin: tuple[int, ...] | None = None) -> State:
    """Return the state that a lattice is in; with `origin` its own origin counts from that place."""
    cells = lattice.cells()
    if boundary != "plane":
        return State(cells, (0,) * cells.ndim)
    return State(cells, lattice.origin if origin is None else tuple(np.add(lattice.origin, origin).tolist()))


def known_digests(populations: NDArray[np.int64], digests: NDArray[np.uint64], boundary: Boundary) -> NDArray[np.bool_]:
    """Return which fingerprints of a recorded course are there, as `Trail.known`."""
    return np.ones(len(digests), dtype=np.bool_) if boundary != "plane" else (digests != 0) | (populations == 0)
