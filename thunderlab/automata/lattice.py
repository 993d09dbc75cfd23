"""A running lattice: cells, a rule and a boundary, stepped by the engine of the rule's family."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import BOUNDARIES, Boundary, Cells
from thunderlab.automata.engines import Engine, One, maker, service
from thunderlab.automata.memory import check_size
from thunderlab.automata.plane import Growing
from thunderlab.automata.rules import Rule, parse_rule, refuse_on_plane
from thunderlab.errors import InputError

# Numbers that samples of a run may have together.
MOST_SAMPLED = 2**26
# The trace of one advance takes 16 bytes a step.
MOST_STEPS = 10**8


class Trace(NamedTuple):
    """What each step of an `advance` left behind; entry i belongs to the state after i + 1 of its steps.

    Attributes:
        population: int64 `[steps]`, cells that are not 0.
        digest: uint64 `[steps]`, as `Lattice.digest`; None on a plane, whose states of different size have no common one.
    """

    population: NDArray[np.int64]
    digest: NDArray[np.uint64] | None


class Lattice:
    """A lattice under a rule of any family, exact (Lenia apart) and the same on any number of threads.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, states 0..n-1 of the rule, at most 2^30 of them and 4 GiB as the family keeps them; copied.
        rule: a rule of as many dimensions, or the string of one as `parse_rule` takes it.
        boundary: "torus" wraps every axis; "dead" surrounds the lattice with cells that stay 0; "plane" is unbounded: the cells handed
            in lie on it, and the lattice grows with them. On a torus narrower than a neighbourhood a neighbour is met more than once
            and counted each time.

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
        self._rule = checked_rule(cells, rule, boundary)
        check_cells(cells, self._rule, boundary)
        self._boundary: Boundary = boundary
        self._shape = cells.shape
        self._engine: Engine = Growing(make_engine, cells, self._rule) if boundary == "plane" else make_engine(cells, self._rule, boundary)
        self._now: tuple[int, int] | None = None  # population and digest, when known

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self._rule

    @property
    def boundary(self) -> Boundary:
        """The boundary, "torus", "dead" or "plane"."""
        return self._boundary

    @property
    def shape(self) -> tuple[int, ...]:
        """The size, `(y, x)` or `(z, y, x)`; on a plane that of `cells`, which changes."""
        return self._engine.shape if isinstance(self._engine, Growing) else self._shape

    @property
    def origin(self) -> tuple[int, ...]:
        """Where the first of `cells` lies, counted from the first of the cells handed in; other than zeros on a plane only."""
        return self._engine.origin if isinstance(self._engine, Growing) else (0,) * len(self.shape)

    @property
    def step(self) -> int:
        """Steps run since the cells were handed in."""
        return self._engine.steps

    @property
    def population(self) -> int:
        """Cells that are not 0 now."""
        return self._fingerprint()[0]

    @property
    def digest(self) -> int:
        """A 64-bit fingerprint of the state now, 0 for an empty one.

        Equal cells on lattices of one shape have equal digests, whatever boundary or route led to them, under rules of one family
        and number of states (of Larger than Life, of as many bits a cell); on a plane equal cells in equal places have. Different cells share one with odds of about 2^-63; see
        `layout.fingerprint` for the construction. Digests of different shapes or vector widths are unrelated, and the keys are
        public: a digest finds cycles, it proves nothing to an adversary.
        """
        return self._fingerprint()[1]

    def advance(self, steps: int) -> Trace:
        """Run `steps` steps and return what each left behind.

        The result does not depend on how steps are divided among calls, nor on threads. When interrupted, the lattice stands at some
        step that `step` tells, and goes on from there.

        Raises:
            InputError: `steps` is not a whole number from 0 to 10^8, or the pattern would outgrow what a plane may hold.
        """
        rows = self._advance(steps, traced=True)
        assert rows is not None
        population = rows[:, 0].astype(np.int64)
        return Trace(population, None if self._boundary == "plane" else rows[:, 1].copy())

    def run(self, steps: int) -> None:
        """Run `steps` steps and keep no trace of them, which is faster; else as `advance`."""
        self._advance(steps, traced=False)

    def cells(self) -> Cells:
        """Return a copy of the cells now: uint8 of `shape`."""
        return self._engine.unpack()

    def _advance(self, steps: int, *, traced: bool) -> NDArray[np.uint64] | None:
        check_steps(steps)
        now, self._now = self._now, None  # unknown if what follows is interrupted
        rows = self._engine.advance(int(steps), traced=traced)
        if steps == 0:
            self._now = now
        elif rows is not None and self._boundary != "plane":
            self._now = (int(rows[-1, 0]), int(rows[-1, 1]))
        return rows

    def _fingerprint(self) -> tuple[int, int]:
        if self._now is None:
            self._now = self._engine.fingerprint()
        return self._now


def simulate(cells: Cells, rule: Rule | str, steps: int, boundary: Boundary = "torus") -> Cells:
    """Return the cells after `steps` steps; arguments and errors as for `Lattice`.

    On a torus and with dead edges the result has the shape handed in. On a plane it is the smallest box with all cells that are not 0,
    a single 0 when there are none; `Lattice.origin` tells where it lies.

    >>> block = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=np.uint8)
    >>> simulate(block, "B3/S23", 1)[1:3, 1:3].tolist()  # three of a block make the fourth
    [[1, 1], [1, 1]]
    """
    lattice = Lattice(cells, rule, boundary)
    lattice.run(steps)
    return lattice.cells()


def make_engine(cells: Cells, rule: Rule, boundary: Boundary) -> Engine:
    """Return the engine for checked cells; only here are kernels, and with them the compiler, imported."""
    check_size(cells.shape, rule, boundary)  # also of what has grown on a plane
    backend.start()  # first, so that its errors are not hidden in an import
    line = service(rule)
    make = maker(line.place)
    if line.many:
        return One(make(cells[None], rule, boundary))
    engine: Engine = make(cells, rule, boundary)
    return engine


def check_start(cells: Cells, rule: Rule, boundary: Boundary) -> None:
    """Refuse what `Lattice` would refuse, before a compiler is started.

    Raises:
        InputError: naming `cells`, `rule` or `boundary` and what is accepted.
    """
    check_cells(cells, checked_rule(cells, rule, boundary), boundary)


def checked_rule(cells: Cells, rule: Rule | str, boundary: Boundary, *, axes: int | None = None) -> Rule:
    """Return the rule, parsed and found to fit the cells (`axes` of them, all by default) and the boundary.

    Raises:
        InputError: naming `cells`, `rule` or `boundary` and what is accepted.
    """
    if not isinstance(cells, np.ndarray):
        raise InputError(f"expected a NumPy array of uint8, not {type(cells).__name__}", field="cells")
    dimensions = cells.ndim if axes is None else axes
    if dimensions not in (2, 3):
        wanted = "[y x] or [z y x]" if axes is None else "[seed y x] or [seed z y x]"
        raise InputError(f"expected {wanted} with no empty axis, not the shape {cells.shape}", field="cells")
    parsed = parse_rule(rule, dimensions=dimensions) if isinstance(rule, str) else rule
    if not isinstance(parsed, Rule) or parsed.dimensions != dimensions:
        raise InputError(f"expected a rule in {dimensions} dimensions, as the cells have, not {parsed!r}", field="rule")
    if boundary not in BOUNDARIES:
        raise InputError(f"{boundary!r} is not a boundary; accepted: {', '.join(BOUNDARIES)}", field="boundary")
    if boundary == "plane":
        refuse_on_plane(parsed)
        if parsed.family == "lenia":
            raise InputError("Lenia is not run on an unbounded plane; accepted with it: torus, dead", field="boundary")
    return parsed


def check_cells(cells: Cells, rule: Rule, boundary: Boundary, *, axes: int | None = None) -> None:
    """Refuse cells that are not uint8, are none or too many, or have states the rule does not have.

    Args:
        cells: one lattice, or with `axes` many of so many axes each.
        rule: a rule that fits them.
        boundary: with which the lattices are run.
        axes: of one lattice, all of the cells' by default.

    Raises:
        InputError: naming `cells`, and for too many how much memory they would need.
    """
    if cells.dtype != np.uint8:
        raise InputError(f"expected a NumPy array of uint8, not {cells.dtype}", field="cells")
    if 0 in cells.shape:
        raise InputError(f"expected [y x] or [z y x] with no empty axis, not the shape {cells.shape}", field="cells")
    first = 0 if axes is None else cells.ndim - axes
    check_size(cells.shape[first:], rule, boundary, math.prod(cells.shape[:first]))
    most = int(cells.max())
    if most >= rule.states:
        raise InputError(f"expected states 0 to {rule.states - 1}, as the rule has, found {most}", field="cells")


def check_steps(steps: int) -> None:
    """Refuse what is not a number of steps.

    Raises:
        InputError: it is not a whole number from 0 to 10^8.
    """
    if not isinstance(steps, int | np.integer) or isinstance(steps, bool) or not 0 <= steps <= MOST_STEPS:
        raise InputError(f"expected a whole number from 0 to {MOST_STEPS}, not {_shown(steps)}", field="steps")


def check_every(steps: int, every: int, *, each: int = 1) -> None:
    """Refuse what is not a number of steps, or not one that samples may be apart.

    Args:
        steps: of the run.
        every: steps from sample to sample; there is one at the start and one at the end.
        each: numbers in a sample.

    Raises:
        InputError: naming `steps` or `every`; also when there would be more samples than fit into memory.
    """
    check_steps(steps)
    if not isinstance(every, int | np.integer) or isinstance(every, bool) or every < 1:
        raise InputError(f"a sample every {_shown(every)} steps cannot be taken; give 1 or more", field="every")
    samples = 1 - int(steps) // -int(every)
    if samples * each > MOST_SAMPLED:
        most = max(2, MOST_SAMPLED // each)
        raise InputError(
            f"{samples} samples are more than the {most} that can be kept; take fewer, say every {-(-steps // (most - 1))} steps",
            field="every",
        )


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python does not write numbers of more than a few thousand digits
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."
