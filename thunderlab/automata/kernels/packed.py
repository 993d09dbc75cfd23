"""Packed lattices on the host's side: their arrays, and how many steps go into which launch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Cells
from thunderlab.automata.kernels.layout import WORDS, Bits, aligned, fingerprint

Loop = Callable[..., Any]

# Units are cut into bands of about this many bytes, in both states: a part of the cache that a processor has for itself.
BAND_BYTES = 3 * 2**17
# From this many vectors on the work is shared among threads; below, waking them costs more than they save.
SHARED_VECTORS = 2**15
# Bands per thread, so that one slow thread does not hold up the rest.
BANDS_PER_THREAD = 4
# Steps per round where threads share the work: a shorter round makes more of what a thread can do while another one is held up.
SHARED_DEPTH = 64
# Below so many vectors times steps compiling a kernel that leaves no trace costs more than it saves.
COMPILED_FOR = 2**26
# Numbers in a line of the cache.
LINE = 16
# A launch cannot be interrupted, so it is kept to a fraction of a second: 5 to 50 ns per vector and step.
LAUNCH_VECTORS = 2**23
LAUNCH_STEPS = 2**16


# Kernels launched in this process; the compiler is one per process, too.
_COMPILED: set[Loop] = set()


class Packed(ABC):
    """A lattice in bit planes that the kernels of its family take from step to step.

    Args:
        planes: for each bit plane the first state with its ghosts, uint64 `[units ... WORDS]`.
        live: bool `[units]`, where a unit has a cell that is not 0.
        loops: gives the serial and the parallel kernel, traced or not.
        plan: int32, what the kernels want to know; its first two places are the units and whether they wrap.
        table: the kernels' vectors, uint64 `[n WORDS]`.
        numbers: the kernels' words, uint64.
        ghosts: units of the first plane that are kept behind the empty one, uint64 `[n ... WORDS]`; see `rows`.

    Attributes:
        steps: steps run; its parity says which of the two states is the present one.
    """

    def __init__(
        self,
        planes: Sequence[Bits],
        live: NDArray[np.bool_],
        *,
        loops: Callable[[bool], tuple[Loop, Loop]],
        plan: Sequence[int],
        table: Bits,
        numbers: Bits,
        ghosts: Bits | None = None,
    ) -> None:
        self._loops = loops
        self._units = len(live)
        self.steps = 0
        # The unit behind the last stays empty: it lies around a lattice that does not wrap.
        behind = 1 if ghosts is None else 1 + len(ghosts)
        self._grid = aligned((len(planes), 2, self._units + behind, *planes[0].shape[1:]))
        for state, plane in zip(self._grid, planes, strict=True):
            state[0, : self._units] = plane
        self._live = np.zeros((2, self._units + behind), dtype=np.int32)
        self._live[0, : self._units] = live
        if ghosts is not None:
            self._grid[0, 0, self._units + 1 :] = ghosts
            self._live[0, self._units + 1 :] = 1
        self._plan = np.array(plan, dtype=np.int32)
        self._table = aligned(table.shape)
        self._table[:] = table
        self._numbers = numbers if len(numbers) else np.zeros(1, dtype=np.uint64)
        self._bands = self._cut(backend.start().threads)

    def advance(self, steps: int, *, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps; return population and digest after each, uint64 `[steps 2]`, None when not traced."""
        running = backend.start()
        bands, depth, shared = self._bands
        serial, parallel = self._loops(traced or self._spares_compiling(steps, shared))
        most = max(1, min(LAUNCH_STEPS, LAUNCH_VECTORS * (running.threads if shared else 1) // self._grid[0, 0, ..., 0].size))
        if bands == 1:
            depth = most
        most = max(depth, most - most % depth)
        trace = np.empty((steps if traced else 0, 2), dtype=np.uint64)
        arrays = (self._grid.reshape(-1, WORDS), self._grid.reshape(-1), self._live.reshape(-1), self._table, self._numbers, self._plan)
        for first in range(0, steps, most):
            part = np.zeros((min(most, steps - first), 2 * bands, 2), dtype=np.uint64)
            tasks = -(-len(part) // depth) * (2 * bands if bands > 1 else 1)
            with running.launching:
                # Counted before, because an interrupt that arrives during a launch is raised right after it.
                source, self.steps = self.steps % 2, self.steps + len(part)
                _COMPILED.add(parallel if shared else serial)
                if shared:
                    self._in_parallel(parallel, (*arrays, part, source, len(part), depth, bands), tasks)
                else:
                    serial(*arrays, part, source, len(part), depth, bands, tasks)
            if traced:
                trace[first : first + most] = part.sum(axis=1, dtype=np.uint64)
        return trace if traced else None

    def _spares_compiling(self, steps: int, shared: bool) -> bool:
        """Return whether the traced kernel, which computes the same, is compiled already, the other is not, and the work is small."""
        used, unused = self._loops(True)[shared], self._loops(False)[shared]
        return used in _COMPILED and unused not in _COMPILED and steps * self._grid[0, 0, ..., 0].size < COMPILED_FOR

    def _in_parallel(self, parallel: Loop, arguments: tuple[Any, ...], tasks: int) -> None:
        """Launch the tasks of some rounds; an interrupt waits for them, because a part of a round is no state."""
        running, bands = backend.start(), self._bands[0]
        progress = np.zeros((1 + 2 * bands, LINE), dtype=np.int32)
        # A graphics card's threads do not see at once what others write, so there what is waited for is in a launch before.
        each = bands if running.arch == "cuda" else tasks
        interrupted = None
        for _ in range(0, tasks, each):
            try:
                parallel(*arguments, each, progress)
            except KeyboardInterrupt as interrupt:
                interrupted = interrupt
        if interrupted is not None:
            raise interrupted

    @abstractmethod
    def unpack(self) -> Cells:
        """Return the cells now, uint8."""

    @abstractmethod
    def lines(self, plane: int) -> Bits:
        """Return a bit plane of the state now: the valid lanes of its lines without ghosts, `[lines count WORDS]`."""

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now, as `layout.fingerprint` defines them."""
        return fingerprint([self.lines(plane) for plane in range(len(self._grid))])

    def state(self, plane: int) -> Bits:
        """Return a bit plane of the state now with its ghosts, uint64 `[units ... WORDS]`; not a copy."""
        return self._grid[plane, self.steps % 2, : self._units]

    def _cut(self, threads: int) -> tuple[int, int, bool]:
        """Return bands, steps per round (as many as one likes with one band), and whether threads share the work."""
        vectors = self._grid[0, 0, ..., 0].size
        shared = threads > 1 and vectors >= SHARED_VECTORS and self._units >= 16 * threads
        bands = -(-self._grid.nbytes // BAND_BYTES)
        if shared:
            bands = max(bands, BANDS_PER_THREAD * threads)
        # A band of few units would take few steps a round, and be mostly seam.
        bands = max(1, min(bands, self._units // 16))
        if bands == 1:
            return 1, 0, False
        most = self._units // bands // 2
        return bands, min(most, SHARED_DEPTH) if shared else most, shared


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


def spread(bits: Sequence[int]) -> Bits:
    """Return each bit as a vector of all ones or all zeros, uint64 `[n WORDS]`."""
    return -np.repeat(np.array(bits, dtype=np.uint64)[:, None], WORDS, axis=1)
