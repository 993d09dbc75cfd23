"""Many lattices of one rule and one size, stepped together: the seeds of a scenario."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.engines import Engine, maker, service
from thunderlab.automata.lattice import check_cells, check_every, check_steps, checked_rule, make_engine
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

Counts = NDArray[np.int64]


class Watched(NamedTuple):
    """What `Ensemble.observe` saw, one row per sample and one column per seed.

    Attributes:
        step: int64 `[samples]`, steps since the ensemble was made.
        population: int64 `[samples seeds]`, cells that are not 0.
        changed: int64 `[samples seeds]`, cells that differ from the step before; 0 at step 0.
    """

    step: Counts
    population: Counts
    changed: Counts


class Group(Protocol):
    """Some lattices that are stepped by one engine."""

    @property
    def steps(self) -> int:
        """Steps run, kept right when an `advance` is interrupted."""

    def advance(self, steps: int, *, traced: bool) -> object:
        """Run `steps` steps."""

    def counts(self) -> tuple[Counts, Counts]:
        """Return for each lattice how many cells are not 0, and how many differ from the step before."""

    def unpack(self) -> Cells:
        """Return the cells now, `[seed ...]`."""


class Ensemble:
    """Lattices of one rule, size and boundary that take every step together, packed side by side where the family allows it.

    Args:
        cells: uint8 `[seed y x]` or `[seed z y x]`, states 0..n-1 of the rule.
        rule: as for `Lattice`.
        boundary: "torus" or "dead".

    Raises:
        InputError: naming `cells`, `rule` or `boundary` and what is accepted.

    >>> blinkers = np.zeros((2, 5, 5), dtype=np.uint8)
    >>> blinkers[0, 2, 1:4] = 1
    >>> Ensemble(blinkers, "B3/S23").observe(2, every=1).changed.tolist()  # two die, two are born
    [[0, 0], [4, 0], [4, 0]]
    """

    def __init__(self, cells: Cells, rule: Rule | str, boundary: Boundary = "torus") -> None:
        axes = getattr(cells, "ndim", 0) - 1
        parsed = checked_rule(cells, rule, boundary, axes=axes)
        check_cells(cells, parsed, boundary, axes=axes)
        if boundary == "plane":
            raise InputError("lattices that grow cannot share a shape; accepted: torus, dead", field="boundary")
        self._seeds = len(cells)
        self._groups = _groups(cells, parsed, boundary)

    @property
    def step(self) -> int:
        """Steps run; after an interrupt those of the lattices that had come furthest."""
        return max(group.steps for group in self._groups)

    def advance(self, steps: int) -> None:
        """Run `steps` steps.

        When interrupted, the ensemble stands at some step that `step` tells. Lattices that had not come so far are brought there before
        anything is read or run: none is ever seen at a step of its own.

        Raises:
            InputError: `steps` is not a whole number from 0 to 10^8.
        """
        check_steps(steps)
        end = self.step + steps
        for group in self._groups:
            group.advance(end - group.steps, traced=False)

    def observe(self, steps: int, every: int) -> Watched:
        """Run `steps` steps and return what was seen now, after each `every` of them, and at the end.

        Raises:
            InputError: `steps` or `every` is not a whole number in its range, or there would be more than 2^26 numbers of a kind.
        """
        check_every(steps, every, each=self._seeds)
        rows = [self._sample()]
        for before, stop in pairwise([*range(0, max(steps, 1), every), *([steps] if steps else [])]):
            self.advance(stop - before)
            rows.append(self._sample())
        step, population, changed = (np.array(column, dtype=np.int64) for column in zip(*rows, strict=True))
        return Watched(step, population, changed)

    def cells(self) -> Cells:
        """Return a copy of the cells now, uint8 of the shape handed in."""
        self.advance(0)
        return np.concatenate([group.unpack() for group in self._groups])

    def _sample(self) -> tuple[int, Counts, Counts]:
        self.advance(0)
        population, changed = (np.concatenate(counts) for counts in zip(*(group.counts() for group in self._groups), strict=True))
        return self.step, population, changed if self.step else np.zeros_like(changed)


def simulate_many(cells: Cells, rule: Rule | str, steps: int, boundary: Boundary = "torus") -> Cells:
    """Return the cells of many lattices after `steps` steps, all stepped together; arguments and errors as for `Ensemble`.

    >>> block = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.uint8)
    >>> simulate_many(np.stack([block, block.T]), "B3/S23", 1).sum(axis=(1, 2)).tolist()
    [4, 4]
    """
    ensemble = Ensemble(cells, rule, boundary)
    ensemble.advance(steps)
    return ensemble.cells()


def _groups(cells: Cells, rule: Rule, boundary: Boundary) -> list[Group]:
    """Return the lattices in groups that share vectors, or each by itself where the family's kernel takes but one."""
    backend.start()
    line = service(rule)
    if not line.many:
        return [_Alone(one, rule, boundary) for one in cells]
    from thunderlab.automata.kernels.layout import LANES

    make, groups, first = maker(line.place), [], 0
    while first < len(cells):
        left = min(len(cells) - first, LANES)
        full = 1 << (left.bit_length() - 1)
        # A group takes a power of two lanes a block; when a third of them were idle, two groups are better than one.
        many = left if 3 * left > 4 * full else full
        groups.append(make(cells[first : first + many], rule, boundary))
        first += many
    return groups


class _Alone:
    """One lattice of a family whose kernel takes no more."""

    def __init__(self, cells: Cells, rule: Rule, boundary: Boundary) -> None:
        self._engine: Engine = make_engine(cells, rule, boundary)
        self._before = -1, cells  # a step and the state there

    @property
    def steps(self) -> int:
        """Steps run; one that an interrupt has left without the state before it does not count, but the next does, as if run."""
        now = self._engine.steps
        return now if now in (0, self._before[0] + 1) else now + 1

    def advance(self, steps: int, *, traced: bool) -> None:
        end = self.steps + steps
        if end > self._engine.steps:
            self._engine.advance(end - 1 - self._engine.steps, traced=traced)
            self._before = self._engine.steps, self._engine.unpack()
            self._engine.advance(1, traced=traced)

    def counts(self) -> tuple[Counts, Counts]:
        cells = self._engine.unpack()
        return np.array([np.count_nonzero(cells)]), np.array([np.count_nonzero(cells != self._before[1])])

    def unpack(self) -> Cells:
        return self._engine.unpack()[None]
