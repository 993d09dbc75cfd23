"""Plain NumPy where a lattice is asked for."""

import numpy as np

from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import Trace


class Reference:
    """Plain NumPy behind the interface of a lattice: the truth the engine is measured by."""

    def __init__(self, cells, rule, boundary):
        self._cells, self._rule, self._boundary = cells.copy(), rule, boundary

    @property
    def population(self):
        return int(np.count_nonzero(self._cells))

    @property
    def digest(self):
        return hash(self._cells.tobytes()) & (2**64 - 1)

    def advance(self, steps):
        population, digest = np.empty(steps, np.int64), np.empty(steps, np.uint64)
        for index in range(steps):
            self._cells = self.next(self._cells)
            population[index], digest[index] = self.population, self.digest
        return Trace(population, digest)

    def next(self, cells):
        return reference.simulate(cells, self._rule, 1, self._boundary)

    def cells(self):
        return self._cells.copy()
