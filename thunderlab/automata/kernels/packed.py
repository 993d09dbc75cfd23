"""A packed lattice on the host's side: its arrays, and how many steps go into which launch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.strips import Strips, aligned

Loop = Callable[..., Any]

# Steps per launch of the parallel loop; each is compiled separately, which takes time.
STEPS_PER_LAUNCH = 2
# From this many cells on, rows are shared among threads; below, starting them costs more than they save.
PARALLEL_CELLS = 2**24
# Shares of the work in the parallel loop: some more than threads, so that one slow share does not hold up the rest.
BANDS = 64
# A launch cannot be interrupted, so it is kept to a fraction of a second: 30 to 100 ns per vector and step.
LAUNCH_VECTORS = 2**22
LAUNCH_STEPS = 2**16


class Packed:
    """A lattice in the layout of `Strips`, stepped by the two kernels of its dimension.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1; valid, the caller has checked.
        boundary: "torus" or "dead".
        loops: the serial and the parallel kernel, from `bits.loops`.
        coefficients: the rule's masks, 0 or 1, in the order of the kernel.
        spontaneous: whether cells are born with no live neighbour, so that no row may be skipped.

    Attributes:
        steps: steps run; its parity says which of the two states is the present one.
    """

    def __init__(
        self, cells: Cells, boundary: Boundary, *, loops: tuple[Loop, Loop], coefficients: Sequence[int], spontaneous: bool
    ) -> None:
        self._serial, self._parallel = loops
        self.shape = cells.shape
        self.strips = Strips(cells.shape[-1], torus=boundary == "torus")
        depth, height = (1, *cells.shape[:-1])[-2:]
        self._units = height if cells.ndim == 2 else depth
        rows = depth * height
        self.steps = 0
        self._grid = aligned((2, rows + 1, self.strips.count + 2, 4))
        self._grid[0, :-1] = self.strips.pack(cells.reshape(rows, -1))
        self._live = np.zeros((2, rows + 1), dtype=np.int32)
        self._live[0, :-1] = cells.reshape(rows, -1).any(axis=1)
        self._bands = min(self._units, BANDS) if self.is_shared(backend.start().threads) else 1
        self._scratch = aligned((self._bands, height + 1, 4 * self.strips.count + 1, 4) if cells.ndim == 3 else (1, 1, 1, 4))
        self._table = self._constants(coefficients)
        self._plan = (
            self._units, depth, height, self.strips.count, self.strips.last_at, self.strips.after_at,
            int(self.strips.torus), int(spontaneous),
        )  # fmt: skip

    def advance(self, steps: int) -> NDArray[np.uint64]:
        """Run `steps` steps; return population and digest after each, uint64 `[steps 2]`."""
        running = backend.start()
        if self._bands > 1:
            launch, most = self._parallel, STEPS_PER_LAUNCH
        else:
            launch, most = self._serial, max(1, min(LAUNCH_STEPS, LAUNCH_VECTORS // self._grid[0, ..., 0].size))
        trace = np.empty((steps, 2), dtype=np.uint64)
        for first in range(0, steps, most):
            part = np.zeros((min(most, steps - first), self._bands, 2), dtype=np.uint64)
            with running.launching:
                # Counted before, because an interrupt that arrives during a launch is raised right after it.
                source, self.steps = self.steps % 2, self.steps + len(part)
                launch(self._grid, self._live, self._table, self._scratch, part, source, *part.shape[:2], *self._plan)
            trace[first : first + most] = part.sum(axis=1, dtype=np.uint64)
        return trace

    def is_shared(self, threads: int) -> bool:
        """Return whether the work of a step is worth sharing among so many threads; the result is the same either way."""
        return threads > 1 and math.prod(self.shape) >= PARALLEL_CELLS

    def unpack(self) -> Cells:
        """Return the cells now, uint8."""
        return self.strips.unpack(self._grid[self.steps % 2, :-1]).reshape(self.shape)

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now, as `Strips.fingerprint` defines them."""
        return self.strips.fingerprint(self._grid[self.steps % 2, :-1])

    def _constants(self, coefficients: Sequence[int]) -> NDArray[np.uint64]:
        """Return the kernels' table, uint64 `[n 4]`, in the order `bits.Table` says."""
        strips = self.strips
        rule = -np.repeat(np.array(coefficients, dtype=np.uint64)[:, None], 4, axis=1)
        by_strip = np.stack([strips.valid, *strips.keys], axis=1).reshape(-1, 4)
        parts = np.concatenate([strips.seam, strips.empty_sums, rule, by_strip])
        table = aligned(parts.shape)
        table[:] = parts
        return table


def moebius(values: Sequence[int]) -> list[int]:
    """Return the coefficients over GF(2) of the polynomial with these values, 2^n of either, bit k of an index for variable k.

    >>> moebius([0, 1, 1, 0])  # a xor b
    [0, 1, 1, 0]
    >>> moebius([0, 1, 1, 1])  # a or b = a ^ b ^ ab
    [0, 1, 1, 1]
    """
    result = list(values)
    step = 1
    while step < len(result):
        for index in range(len(result)):
            if index & step:
                result[index] ^= result[index ^ step]
        step *= 2
    return result
