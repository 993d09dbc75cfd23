"""Whole arrays: NumPy, SciPy, and the reference of this project."""

from __future__ import annotations

import numpy as np

from tests.benchmarks._engines import Engine, sum_rule


class NumpyRoll(Engine):
    """What a careful user writes: one roll each way per axis, in bytes."""

    def advance(self, steps):
        for _ in range(steps):
            self.state = sum_rule(self.total(), self.state, self.three_d).astype(np.uint8)

    def total(self):
        total = self.state
        for axis in self.axes:
            total = total + np.roll(total, 1, axis) + np.roll(total, -1, axis)
        return total

    def about(self):
        return f"NumPy {np.__version__}"


class ScipyConvolve(NumpyRoll):
    def prepare(self):
        from scipy import __version__, ndimage

        self.convolve, self.version = ndimage.convolve, __version__
        self.weights = np.ones((1,) * self.batch + (3,) * len(self.axes), dtype=np.uint8)

    def total(self):
        return self.convolve(self.state, self.weights, mode="wrap")

    def about(self):
        return f"SciPy {self.version}"


class Reference(Engine):
    """The plain NumPy that every kernel of this project must equal: any rule, written to be read."""

    def prepare(self):
        from thunderlab.automata.kernels import reference
        from thunderlab.automata.rules import parse_rule

        self.simulate = reference.simulate
        self.parsed = parse_rule(self.rule, dimensions=self.start.ndim)

    def advance(self, steps):
        self.state = self.simulate(self.state, self.parsed, steps)

    def about(self):
        return f"NumPy {np.__version__}"
