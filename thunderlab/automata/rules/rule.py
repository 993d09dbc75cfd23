"""What every rule has, whichever family it is of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from thunderlab.errors import InputError


class Rule(ABC):
    """A rule of a cellular automaton; immutable, written by `str` in its canonical spelling, equal to rules spelled alike.

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


def refuse_on_plane(rule: Rule) -> None:
    """Return if `rule` can run on an unbounded plane, where a pattern has to stay finite.

    Raises:
        InputError: something is born where nothing is near, so that one step would fill the plane.
    """
    if rule.spontaneous:
        raise InputError(
            f"{rule} lets cells be born where nothing is near (B0), which fills an unbounded plane in one step; "
            "accepted with this rule: torus, dead, which run it to the letter",
            field="boundary",
        )
