"""What every rule has, whichever family it is of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar


class Rule(ABC):
    """A rule of a cellular automaton; immutable, equal when it does the same, written by `str` in its canonical spelling.

    Attributes:
        family: which family it is of; `lattice.ENGINES` says what runs it.
        dimensions: axes of the cells it runs on.
        states: number of states; cells hold 0..states-1.
        radius: how far it looks along an axis, and so the most a pattern grows in a step.
    """

    family: ClassVar[str]
    dimensions: int
    states: int
    radius: int

    @property
    @abstractmethod
    def spontaneous(self) -> bool:
        """Whether something is born where nothing is near (B0): on an unbounded plane that fills it in one step."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the canonical spelling, which parses to an equal rule."""

    def __repr__(self) -> str:
        return f"Rule('{self}', dimensions={self.dimensions})"
