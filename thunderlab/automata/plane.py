"""The unbounded plane: a lattice with dead edges that are moved out of the way before anything reaches them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.engines import Engine
from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

# Cells the box around a pattern may have, its margin included.
MOST_CELLS = 2**30
# A box of so many cells is cheap enough to be made anew now and then, however small the pattern in it.
_FREE_CELLS = 2**19

Make = Callable[[Cells, Rule, Boundary], Engine]


class Growing:
    """An engine on a plane: keeps a box around the pattern whose margin nothing can cross before the box is made anew.

    Args:
        make: makes the engine of a box.
        cells: uint8 `[y x]` or `[z y x]`; valid, the caller has checked.
        rule: one under which nothing is born where nothing is near.

    Attributes:
        steps: steps run.
        origin: where the first cell of `unpack` lies, counted from the first of the cells handed in; zeros when nothing is alive.
        reach: how far a pattern grows in a step, per axis.
    """

    def __init__(self, make: Make, cells: Cells, rule: Rule) -> None:
        self._make = make
        self._rule = rule
        # How far a pattern grows in a step, per axis: the rows of an elementary rule do not look at each other.
        self.reach = (0, 1) if rule.family == "elementary" else (rule.radius,) * cells.ndim
        self.steps = 0
        self.origin: tuple[int, ...] = (0,) * cells.ndim
        self._live = cells
        self._crop()

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of `unpack`."""
        return self._live.shape

    def advance(self, steps: int, *, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps; return the population after each beside a 0, uint64 `[steps 2]`, None when not traced.

        Raises:
            InputError: the pattern needs a larger box than there may be; it then stands at the last step that was possible.
        """
        trace = np.zeros((steps if traced else 0, 2), dtype=np.uint64)
        done = 0
        while done < steps:
            if not self._live.any():
                self.steps += steps - done
                break
            many = self.leap(steps - done)
            margins = self.margins(many)
            engine = self._engine(margins)
            try:
                rows = engine.advance(many, traced=traced)
            finally:  # an interrupt leaves the engine at some step, and so us
                self._live = engine.unpack()
                self.origin = tuple(at - margin for at, margin in zip(self.origin, margins, strict=True))
                self.steps += engine.steps
                self._crop()
            if rows is not None:
                trace[done : done + many, 0] = rows[:, 0]
            done += many
        return trace if traced else None

    def unpack(self) -> Cells:
        """Return the smallest box with all cells that are not 0; a single 0 when there are none."""
        return self._live.copy()

    def fingerprint(self) -> tuple[int, int]:
        """Return population and a digest of the cells and where they lie."""
        population = int(np.count_nonzero(self._live))
        digest = cells_sha256(self._live, origin=self.origin)
        return population, int(digest[:16], 16) if population else 0

    def _crop(self) -> None:
        box = bbox(self._live)
        if box is None:
            self._live = np.zeros((1,) * self._live.ndim, dtype=np.uint8)
            self.origin = (0,) * self._live.ndim
            return
        self.origin = tuple(at + low for at, (low, _) in zip(self.origin, box, strict=True))
        self._live = self._live[tuple(slice(low, high + 1) for low, high in box)].copy()

    def leap(self, steps: int) -> int:
        """Return how many steps are run in the next box: more in a larger one, as long as it costs little more than the pattern itself.

        Raises:
            InputError: no box is large enough for a single one.
        """
        if self._box_cells(1) > MOST_CELLS:
            raise self._too_large(f"needs a box of more than the {MOST_CELLS} there may be")
        most = min(MOST_CELLS, max(_FREE_CELLS, 4 * self._live.size))
        many = 1
        while many < steps and self._box_cells(2 * many) <= most:
            many *= 2
        return min(many, steps)

    def margins(self, steps: int) -> tuple[int, ...]:
        """Return how many cells to either side the pattern may grow in so many steps, per axis."""
        return tuple(steps * reach for reach in self.reach)

    def _box_cells(self, steps: int) -> int:
        return math.prod(size + 2 * margin for size, margin in zip(self._live.shape, self.margins(steps), strict=True))

    def _engine(self, margins: tuple[int, ...]) -> Engine:
        box = np.pad(self._live, [(margin, margin) for margin in margins])
        try:
            return self._make(box, self._rule, "dead")
        except InputError as error:
            raise self._too_large(f"cannot be run: {error.what}") from None

    def _too_large(self, why: str) -> InputError:
        return InputError(
            f"after {self.steps} steps the pattern on the plane is {' x '.join(map(str, self._live.shape))} cells and {why}; "
            "run fewer steps, or give a torus or dead edges and a size",
            field="steps",
        )


def contained(make: Make, cells: Cells, rule: Rule, steps: int) -> tuple[Cells, tuple[int, ...]]:
    """Return the cells in a box with dead edges that they do not leave within `steps` steps, and where in it their first one lies.

    So whatever is done with a lattice that has edges can be done with a plane.

    Raises:
        InputError: the box would need more cells than there may be.
    """
    growing = Growing(make, cells, rule)
    low, high = np.zeros(cells.ndim, dtype=np.int64), np.array(cells.shape)
    while growing.steps < steps:
        many = growing.leap(steps - growing.steps)
        margins = growing.margins(many)
        low = np.minimum(low, np.subtract(growing.origin, margins))
        high = np.maximum(high, np.add(growing.origin, growing.shape) + margins)
        growing.advance(many, traced=False)
    before, after = -low, high - cells.shape
    if math.prod(int(size) for size in high - low) > MOST_CELLS:
        raise InputError(
            f"within {steps} steps the pattern wanders over more than the {MOST_CELLS} cells that can be looked at together; look for fewer",
            field="steps",
        )
    return np.pad(cells, np.stack([before, after], axis=1)), tuple(int(size) for size in before)
