"""Lenia: a step is one convolution by fast Fourier transform, in double precision, and so the one kernel that is not bit-exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.dense import Dense
from thunderlab.automata.rules.lenia import LeniaRule
from thunderlab.errors import InputError

Field = NDArray[np.float64]

# 8192 x 8192: two states and the spectrum take 20 bytes a cell, a step as much again; `memory` knows it more exactly.
MOST_CELLS = 2**26
# How far a cell may be from what adding up its neighbourhood one by one gives, where growth is continuous and s is 0.01 or more: after
# one step, and after 100 of Orbium. Measured: 1.4e-14 (over random rules; 2e-15 for Orbium), and 9e-14.
STEP_TOLERANCE = 1e-13
RUN_TOLERANCE = 1e-12


class Lenia(Dense):
    """A lattice of numbers from 0 to 1 under a Lenia rule.

    A convolution by Fourier transform rounds otherwise than a sum does, by some 1e-16, and the growth function multiplies the difference
    by up to 1.3 / (T s). One step differs from plain sums by less than `STEP_TOLERANCE`, 100 steps of a glider by less than
    `RUN_TOLERANCE`. Where patterns meet, break or dissolve, a difference grows, as measured a hundredfold in 3 to 5 units of time, until
    two runs have nothing in common; where growth is a step, a cell at its edge may differ at once. The same versions of NumPy and SciPy
    on the same machine repeat a run to the bit; anything else within these bounds only.

    Outside, a cell's state is a whole number: a uint8 n is taken as n / 255, and `unpack` rounds 255 times the state. In between
    nothing is rounded, so two states that unpack alike may go different ways.

    Args:
        cells: uint8, float32 or float64 `[y x]`, at most 2^26 of them; floats from 0 to 1; copied.
        rule: the rule.
        boundary: "torus" wraps both axes; "dead" surrounds the lattice with cells that stay 0.

    Raises:
        InputError: `cells` are something else.

    >>> still = Lenia(np.full((32, 32), 0.15), LeniaRule.parse("Lenia"), "torus")  # the mean that suits a cell best
    >>> still.advance(1, traced=False)
    >>> round(float(still.field()[5, 5]), 12), round(still.mass, 9)  # 0.15 + 1 / T
    (0.25, 256.0)
    """

    def __init__(self, cells: Cells | Field | NDArray[np.float32], rule: LeniaRule, boundary: Boundary) -> None:
        from scipy import fft  # heavy, so loaded by those who run Lenia only

        super().__init__()
        field = _checked(cells)
        self._fft = fft
        self._rule = rule
        self._shape = field.shape
        self._torus = boundary == "torus"
        self._sizes = transform_lengths(field.shape, rule.radius, torus=self._torus)
        self._spectrum = self._of_weights()
        self._fields = [field, field]  # the parity of `steps` names the present one

    @property
    def mass(self) -> float:
        """The sum of all states, which Chan calls the mass and measures in R^2 cells."""
        return float(self._present.sum())

    def field(self) -> Field:
        """Return a copy of the states, float64 `[y x]`, 0..1."""
        return self._present.copy()

    def around(self) -> Field:
        """Return the mean around every cell, weighted as the rule says, float64 `[y x]`: what its growth depends on."""
        field = self._present
        if self._torus:
            for axis, (size, length) in enumerate(zip(self._shape, self._sizes, strict=True)):
                if length > size:
                    field = np.take(field, _wrapped(size, length), axis=axis)
        spectrum = self._fft.rfft2(field, s=self._sizes, workers=1)
        spectrum *= self._spectrum
        # The same as irfft2, and nearly twice as fast; rows that are not wanted are left out in between.
        rows = self._fft.ifft(spectrum, axis=0, workers=1, overwrite_x=True)[: self._shape[0]]
        mean: Field = self._fft.irfft(rows, n=self._sizes[1], axis=1, workers=1)
        return mean[:, : self._shape[1]]

    def unpack(self) -> Cells:
        """Return the states as whole numbers from 0 to 255."""
        return np.rint(255 * self._present).astype(np.uint8)

    @property
    def _present(self) -> Field:
        return self._fields[self.steps % 2]

    def _run(self, steps: int) -> None:
        for _ in range(steps):
            field = self._rule.growth(self.around())
            field *= 1 / self._rule.time
            field += self._present
            np.clip(field, 0, 1, out=field)
            self._fields[1 - self.steps % 2] = field
            self.taken[0] += 1

    def _of_weights(self) -> Field:
        """Return the transform of the weights around the first cell, wrapped as often as the lattice makes it; real, as they are even."""
        beside = np.arange(-self._rule.radius, self._rule.radius + 1)
        kernel = np.zeros(self._sizes)
        np.add.at(kernel, (beside[:, None] % self._sizes[0], beside % self._sizes[1]), self._rule.weights)
        return np.ascontiguousarray(self._fft.rfft2(kernel, workers=1).real)


def transform_lengths(shape: tuple[int, ...], radius: int, *, torus: bool) -> tuple[int, ...]:
    """Return the sides of the transform: those of a torus where they are fast ones, otherwise longer ones, with room for what lies around.

    >>> transform_lengths((512, 509), 13, torus=True), transform_lengths((512, 509), 13, torus=False)
    ((512, 540), (540, 540))
    """
    from scipy.fft import next_fast_len

    def length(size: int) -> int:
        if torus and next_fast_len(size, real=True) == size:
            return size
        fast: int = next_fast_len(size + (2 if torus else 1) * radius, real=True)
        return fast

    return tuple(length(size) for size in shape)


def _wrapped(size: int, length: int) -> NDArray[np.intp]:
    """Return for each place of an axis that begins with a torus and is longer which cell belongs there: on after the end, and before 0.

    >>> _wrapped(5, 9)
    array([0, 1, 2, 3, 4, 0, 1, 3, 4])
    """
    places = np.arange(length)
    return np.where(places < (size + length) // 2, places, places - length) % size


def _checked(cells: Cells | Field | NDArray[np.float32]) -> Field:
    """Return the cells as states of their own, float64 `[y x]`."""
    if not isinstance(cells, np.ndarray) or cells.dtype not in (np.uint8, np.float32, np.float64):
        kind = cells.dtype if isinstance(cells, np.ndarray) else type(cells).__name__
        raise InputError(f"expected a NumPy array of uint8, float32 or float64, not {kind}", field="cells")
    if cells.ndim != 2 or not 0 < cells.size <= MOST_CELLS:
        raise InputError(f"expected [y x] with no empty axis and at most {MOST_CELLS} cells, not the shape {cells.shape}", field="cells")
    if cells.dtype == np.uint8:
        return cells / 255
    if not ((cells >= 0) & (cells <= 1)).all():
        raise InputError("expected states from 0 to 1", field="cells")
    return cells.astype(np.float64)
