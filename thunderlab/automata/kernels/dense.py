"""What the engines share that keep a number per cell: one step after the other, a trace only when asked for, copies handed out."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells


def fingerprint(cells: Cells) -> tuple[int, int]:
    """Return population and digest of cells: how many are not 0, and 8 bytes of BLAKE2b over their states in row-major order.

    Where no state is above 1, the digest is of eight cells a byte (the first in the highest bit) under the personalisation "bits";
    otherwise of a byte a cell. It is read as a little-endian number, and is 0 for an empty lattice.

    >>> fingerprint(np.zeros((3, 3), np.uint8))
    (0, 0)
    >>> fingerprint(np.array([[0, 2, 1]], np.uint8)) == (2, int.from_bytes(hashlib.blake2b(bytes([0, 2, 1]), digest_size=8).digest(), "little"))
    True
    """
    population = int(np.count_nonzero(cells))
    if population == 0:
        return 0, 0
    if cells.max() > 1:
        found = hashlib.blake2b(np.ascontiguousarray(cells).data, digest_size=8)
    else:
        found = hashlib.blake2b(np.packbits(cells).data, digest_size=8, person=b"bits")
    return population, int.from_bytes(found.digest(), "little")


class Dense(ABC):
    """An engine whose state is a number per cell.

    A family adds `_run`, which takes some steps and counts them in `taken`, and `unpack`. It has to count such that an interrupt
    anywhere finds a state and the count that belongs to it: count last, with one store, and leave the state before untouched until
    then. Two states of which the parity of the count names the present one do that.

    Attributes:
        taken: int64 `[1]`, steps run since the cells were handed in; an array, so that a kernel can count.
        most_steps: steps that one `_run` may be asked for; a run is not interrupted, so it should last a fraction of a second.
    """

    def __init__(self, most_steps: int = 1) -> None:
        self.taken = np.zeros(1, dtype=np.int64)
        self.most_steps = most_steps

    @property
    def steps(self) -> int:
        """Steps run since the cells were handed in, right also after an interrupt."""
        return int(self.taken[0])

    def advance(self, steps: int, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps; return population and digest after each, uint64 `[steps 2]`, or None when not traced."""
        if not traced:
            end = self.steps + steps
            while self.steps < end:
                self._run(min(self.most_steps, end - self.steps))
            return None
        trace = np.empty((steps, 2), dtype=np.uint64)
        for row in trace:
            self._run(1)
            row[:] = self.fingerprint()
        return trace

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now, as the function `fingerprint` defines them."""
        return fingerprint(self.unpack())

    @abstractmethod
    def unpack(self) -> Cells:
        """Return a copy of the cells now, uint8."""

    @abstractmethod
    def _run(self, steps: int) -> None:
        """Take 1 to `most_steps` steps and count them."""
