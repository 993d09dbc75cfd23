"""Which kernel serves which family of rules; only what is used is imported."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.rules import Rule


class Engine(Protocol):
    """What a kernel offers: it takes checked cells when made, and keeps the state in a layout of its own."""

    @property
    def steps(self) -> int:
        """Steps run, kept right when an `advance` is interrupted."""

    def advance(self, steps: int, *, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps; return population and digest after each, uint64 `[steps 2]`, None when not traced."""

    def unpack(self) -> Cells:
        """Return the cells now."""

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now."""


class Service(NamedTuple):
    """One line of the table.

    Attributes:
        family: of the rules, `Rule.family`.
        dimensions: of the cells.
        place: where the engine is made, module of `kernels` and name in it.
        many: whether it takes many lattices, cells with a seed axis in front, and steps them together.
    """

    family: str
    dimensions: int
    place: str
    many: bool


TABLE = (
    Service("outer-totalistic", 2, "plane_engine.outer_totalistic", many=True),
    Service("isotropic", 2, "plane_engine.isotropic", many=True),
    Service("elementary", 2, "plane_engine.elementary", many=True),
    Service("outer-totalistic", 3, "volume_engine.Volume", many=False),
    Service("larger-than-life", 2, "larger_than_life.WidePlane", many=False),
    Service("lenia", 2, "lenia.Lenia", many=False),
)


def service(rule: Rule) -> Service:
    """Return the line of the table for a rule.

    >>> from thunderlab.automata.rules import parse_rule
    >>> service(parse_rule("W110", dimensions=2)).place
    'plane_engine.elementary'
    """
    return next(line for line in TABLE if (line.family, line.dimensions) == (rule.family, rule.dimensions))


def maker(place: str) -> Callable[[Cells, Any, Boundary], Any]:
    """Return what makes the engine of a line of the table; importing it starts the compiler."""
    module, _, name = place.rpartition(".")
    made: Callable[[Cells, Any, Boundary], Any] = getattr(import_module(f"thunderlab.automata.kernels.{module}"), name)
    return made


class One:
    """One lattice in an engine that takes many."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def steps(self) -> int:
        """Steps run."""
        return self._engine.steps

    def advance(self, steps: int, *, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps."""
        return self._engine.advance(steps, traced=traced)

    def unpack(self) -> Cells:
        """Return the cells now."""
        cells: Cells = self._engine.unpack()[0]
        return cells

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now."""
        return self._engine.fingerprint()
