"""Outer-totalistic rules: what becomes of a cell depends on its state and on how many of its neighbours are alive."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from thunderlab.automata.rules import notation
from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

Neighbourhood = Literal["moore", "hexagonal", "von-neumann"]

# How many neighbours a cell has, by dimensions and neighbourhood.
NEIGHBOURS: dict[tuple[int, Neighbourhood], int] = {
    (2, "moore"): 8,
    (2, "hexagonal"): 6,
    (2, "von-neumann"): 4,
    (3, "moore"): 26,
    (3, "von-neumann"): 6,
}

_BY_SUFFIX: dict[str, Neighbourhood] = {"": "moore", "h": "hexagonal", "v": "von-neumann", "m": "moore", "n": "von-neumann"}
_SUFFIXES: dict[tuple[int, Neighbourhood], str] = {
    (2, "moore"): "",
    (2, "hexagonal"): "H",
    (2, "von-neumann"): "V",
    (3, "moore"): "M",
    (3, "von-neumann"): "N",
}


@dataclass(frozen=True, repr=False)
class OuterTotalistic(Rule):
    """An outer-totalistic rule, with two states or, as Generations, with more.

    A dead cell (state 0) with n live neighbours is born when n is in `birth`; a live one (state 1) stays when n is in `survival`.
    With more than two states a live cell that does not stay becomes 2, 3, ..., states - 1 and then 0 whatever is around it;
    only state 1 counts as a live neighbour (Wojtowicz, MCell, "Generations").

    Attributes:
        birth: neighbour counts, from 0 to the neighbours a cell has.
        survival: likewise.
        dimensions: 2 or 3.
        neighbourhood: "moore" (8 neighbours in 2D, 26 in 3D), "hexagonal" (2D: all but the upper right and the lower left one, 6,
            as Golly has it) or "von-neumann" (those across an edge or a face, 4 or 6).
        states: 2..256.

    Raises:
        InputError: no such rule exists.

    >>> OuterTotalistic.parse("B3/S23", dimensions=2)
    Rule('B3/S23', dimensions=2)
    >>> sorted(OuterTotalistic.parse("B5-7,12/S4-6", dimensions=3).birth)
    [5, 6, 7, 12]
    """

    birth: frozenset[int]
    survival: frozenset[int]
    dimensions: int
    neighbourhood: Neighbourhood = "moore"
    states: int = 2

    family = "outer-totalistic"
    radius = 1

    def __post_init__(self) -> None:
        if (self.dimensions, self.neighbourhood) not in NEIGHBOURS:
            raise InputError(f"there is no {self.neighbourhood} neighbourhood in {self.dimensions} dimensions", field="rule")
        counts = self.birth | self.survival
        if counts and not 0 <= min(counts) <= max(counts) <= self.neighbours:
            raise InputError(f"neighbour counts go from 0 to {self.neighbours} here, not {min(counts)} to {max(counts)}", field="rule")
        if not 2 <= self.states <= 256:
            raise InputError(f"a rule has 2 to 256 states, not {self.states}", field="rule")

    @property
    def neighbours(self) -> int:
        """How many neighbours a cell has."""
        return NEIGHBOURS[self.dimensions, self.neighbourhood]

    @property
    def spontaneous(self) -> bool:
        """Whether a cell is born with no live neighbour."""
        return 0 in self.birth

    @classmethod
    def parse(cls, text: str, *, dimensions: int) -> OuterTotalistic:
        """Return the rule a birth/survival string stands for, as `parse_rule` does for every family.

        Raises:
            InputError: the string is none, or names counts, states or a neighbourhood that do not exist.
        """
        parts = notation.split(text, dimensions)
        if parts is None or parts.is_isotropic:
            raise InputError(
                f"{text!r} is not an outer-totalistic rule; one is {'B3/S23' if dimensions == 2 else 'B5-7/S4-6'}", field="rule"
            )
        return cls.of(parts, dimensions)

    @classmethod
    def of(cls, parts: notation.Parts, dimensions: int) -> OuterTotalistic:
        """Return the rule of a string already taken apart; errors as for `parse`."""
        neighbourhood = _BY_SUFFIX[parts.suffix]
        most = NEIGHBOURS[dimensions, neighbourhood]
        return cls(
            birth=notation.read_counts(parts.birth, dimensions, most),
            survival=notation.read_counts(parts.survival, dimensions, most),
            dimensions=dimensions,
            neighbourhood=neighbourhood,
            states=notation.read_states(parts.states),
        )

    @cached_property
    def bits(self) -> int:
        """Return the rule as one integer: bit n is birth on n, bit (neighbours + 1 + n) is survival on n.

        >>> bin(OuterTotalistic.parse("B3/S23", dimensions=2).bits)
        '0b1100000001000'
        """
        shift = self.neighbours + 1
        return sum(1 << n for n in self.birth) | sum(1 << (shift + n) for n in self.survival)

    def __str__(self) -> str:
        suffix = _SUFFIXES[self.dimensions, self.neighbourhood]
        if self.dimensions == 2:
            birth, survival = notation.write_digits(self.birth), notation.write_digits(self.survival)
            return f"B{birth}/S{survival}{suffix}" if self.states == 2 else f"{survival}/{birth}/{self.states}{suffix}"
        birth, survival = notation.write_ranges(self.birth), notation.write_ranges(self.survival)
        if self.states == 2 and self.neighbourhood == "moore":
            return f"B{birth}/S{survival}"
        return f"{survival}/{birth}/{self.states}/{suffix}"
