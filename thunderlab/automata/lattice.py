"""A running lattice: cells, a rule and a boundary, stepped by the packed kernel of its dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.strips import state_bytes
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

# 32768 x 32768, or 1024 cubed: a gibibyte as uint8, and less than half of one packed.
MOST_CELLS = 2**30
# Rows of few cells take as much memory as rows of 256, so very many narrow rows meet this limit first.
MOST_BYTES = 2**32
# The trace of one advance takes 16 bytes a step.
MOST_STEPS = 10**8


class Trace(NamedTuple):
    """What each step of an `advance` left behind; entry i belongs to the state after i + 1 of its steps.

    Attributes:
        population: int64 `[steps]`, live cells.
        digest: uint64 `[steps]`, as `Lattice.digest`.
    """

    population: NDArray[np.int64]
    digest: NDArray[np.uint64]


class Engine(Protocol):
    """What a kernel offers: it takes checked cells when made, and keeps the state in a layout of its own.

    Attributes:
        steps: steps run, kept right when an `advance` is interrupted.
    """

    steps: int

    def advance(self, steps: int) -> NDArray[np.uint64]:
        """Run `steps` steps; return population and digest after each, `[steps 2]`."""

    def unpack(self) -> Cells:
        """Return the cells now."""

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now."""


class Lattice:
    """A lattice of dead and live cells under an outer-totalistic rule, exact and the same on any number of threads.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1, at most 2^30 of them and 4 GiB packed; copied.
        rule: a rule of as many dimensions, or the string of one as `parse_rule` takes it.
        boundary: "torus" wraps every axis; "dead" surrounds the lattice with cells that stay dead. On a torus narrower than three
            cells a neighbour is met more than once and counted each time.

    Raises:
        InputError: naming `cells`, `rule` or `boundary` and what is accepted.
        EnvironmentBlockedError: the process was forked after kernels had run in its parent.

    >>> blinker = np.zeros((5, 5), dtype=np.uint8)
    >>> blinker[2, 1:4] = 1
    >>> lattice = Lattice(blinker, "B3/S23")
    >>> lattice.advance(2).population.tolist(), lattice.step
    ([3, 3], 2)
    >>> bool((lattice.cells() == blinker).all())
    True
    """

    def __init__(self, cells: Cells, rule: Rule | str, boundary: Boundary = "torus") -> None:
        _check_cells(cells)
        self._rule = parse_rule(rule, dimensions=cells.ndim) if isinstance(rule, str) else rule
        if not isinstance(self._rule, Rule) or self._rule.dimensions != cells.ndim:
            raise InputError(f"expected a rule in {cells.ndim} dimensions, as the cells have, not {self._rule!r}", field="rule")
        if boundary not in ("torus", "dead"):
            raise InputError(f"{boundary!r} is not a boundary; accepted: torus, dead", field="boundary")
        self._boundary: Boundary = boundary
        self._shape = cells.shape
        self._engine: Engine = _engine(cells.ndim)(cells, self._rule, boundary)
        self._now: tuple[int, int] | None = None  # population and digest, when known

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self._rule

    @property
    def boundary(self) -> Boundary:
        """The boundary, "torus" or "dead"."""
        return self._boundary

    @property
    def shape(self) -> tuple[int, ...]:
        """The size, `(y, x)` or `(z, y, x)`."""
        return self._shape

    @property
    def step(self) -> int:
        """Steps run since the cells were handed in."""
        return self._engine.steps

    @property
    def population(self) -> int:
        """Live cells now."""
        return self._fingerprint()[0]

    @property
    def digest(self) -> int:
        """A 64-bit fingerprint of the state now, 0 for an empty one.

        Equal cells on lattices of one shape have equal digests, whatever rule, boundary or route led to them. Different cells share
        one with odds of about 2^-63; see `Strips.fingerprint` for the construction. Digests of different shapes are unrelated, and
        the keys are public: a digest finds cycles, it proves nothing to an adversary.
        """
        return self._fingerprint()[1]

    def advance(self, steps: int) -> Trace:
        """Run `steps` steps and return what each left behind.

        Args:
            steps: a whole number from 0 to 10^8.

        Raises:
            InputError: `steps` is something else.
            KeyboardInterrupt: between two launches, a fraction of a second apart; what was run stays run, and `step` counts it.
            EnvironmentBlockedError: the process was forked after kernels had run in its parent.
        """
        if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or not 0 <= steps <= MOST_STEPS:
            raise InputError(f"expected a whole number from 0 to {MOST_STEPS}, not {steps!r}", field="steps")
        now, self._now = self._now, None  # unknown if what follows is interrupted
        rows = self._engine.advance(int(steps))
        self._now = (int(rows[-1, 0]), int(rows[-1, 1])) if len(rows) else now
        return Trace(population=rows[:, 0].astype(np.int64), digest=rows[:, 1].copy())

    def cells(self) -> Cells:
        """Return a copy of the cells now: uint8 of `shape`, 0 or 1."""
        return self._engine.unpack()

    def _fingerprint(self) -> tuple[int, int]:
        if self._now is None:
            self._now = self._engine.fingerprint()
        return self._now


def simulate(cells: Cells, rule: Rule | str, steps: int, boundary: Boundary = "torus") -> Cells:
    """Return the cells, uint8 of the same shape, after `steps` steps; arguments and errors as for `Lattice`.

    >>> block = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.uint8)
    >>> simulate(block, "B3/S23", 1)[1:3, 1:3].tolist()  # three of a block make the fourth
    [[1, 1], [1, 1]]
    """
    lattice = Lattice(cells, rule, boundary)
    lattice.advance(steps)
    return lattice.cells()


def _engine(dimensions: int) -> Callable[..., Engine]:
    """Return the engine for a dimension; only here are kernels, and with them Taichi, imported."""
    backend.start()  # first, so that its errors are not hidden in an import
    if dimensions == 2:
        from thunderlab.automata.kernels.outer_totalistic import Plane

        return Plane
    from thunderlab.automata.kernels.three_d import Volume

    return Volume


def _check_cells(cells: Cells) -> None:
    if not isinstance(cells, np.ndarray) or cells.dtype != np.uint8:
        kind = cells.dtype if isinstance(cells, np.ndarray) else type(cells).__name__
        raise InputError(f"expected a NumPy array of uint8, not {kind}", field="cells")
    if cells.ndim not in (2, 3) or 0 in cells.shape:
        raise InputError(f"expected [y x] or [z y x] with no empty axis, not the shape {cells.shape}", field="cells")
    packed = state_bytes(cells.shape)
    if cells.size > MOST_CELLS or packed > MOST_BYTES:
        need = (cells.size + packed) / 2**30
        raise InputError(
            f"a lattice has at most {MOST_CELLS} cells and {MOST_BYTES // 2**30} GiB of packed state; "
            f"these {cells.size} cells would need {need:.1f} GiB",
            field="cells",
        )
    most = int(cells.max())
    if most > 1:
        raise InputError(f"expected states 0 and 1 only, found {most}", field="cells")
