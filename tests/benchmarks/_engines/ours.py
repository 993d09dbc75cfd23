"""Ourselves, by the doors everybody uses."""

from __future__ import annotations

from tests.benchmarks._engines import Engine


class Untraced(Engine):
    """Steps alone, as the rivals take them."""

    def prepare(self):
        from thunderlab.automata.ensemble import Ensemble
        from thunderlab.automata.lattice import Lattice

        self.kind = Ensemble if self.batch else Lattice

    def restart(self):
        self.lattice = self.kind(self.start, self.rule)

    def advance(self, steps):
        if self.batch:
            self.lattice.advance(steps)
        else:
            self.lattice.run(steps)

    def observe(self, steps, every):
        self.lattice.observe(steps, every)

    def cells(self):
        return self.lattice.cells()

    def about(self):
        from thunderlab.automata import backend

        return ", ".join(f"{name} {value}" for name, value in backend.describe().items())


class Traced(Untraced):
    """Population and digest of every step come along."""

    def advance(self, steps):
        self.lattice.advance(steps)
