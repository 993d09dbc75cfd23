"""Larger than Life: rules that count live cells as far as fifty cells away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.rules import notation
from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

Shape = Literal["moore", "von-neumann", "circular"]

MOST_RADIUS = 50

_LETTERS: dict[str, Shape] = {"m": "moore", "n": "von-neumann", "c": "circular"}
_FORM = re.compile(r"r([0-9]+),c([0-9]+),(?:m([0-9]+),)?s([0-9.,-]*),b([0-9.,-]*),n([a-z0-9]*)", re.IGNORECASE | re.ASCII)
_EVANS = re.compile(r"([0-9]+),([0-9]+),([0-9]+),([0-9]+),([0-9]+)")
_RANGE = re.compile(r"([0-9]{1,5})(?:(?:\.\.|-)([0-9]{1,5}))?")


@dataclass(frozen=True, repr=False)
class LargerThanLife(Rule):
    """A Larger than Life rule (Evans, "Larger than Life: it's so nonlinear", 1996) in the notation of MCell and Golly.

    Let n be the number of cells in state 1 in the neighbourhood of a cell, the cell itself included when `middle`. A dead cell (state 0)
    is born when n is in `birth`; a live one (state 1) stays when n is in `survival`. With more than two states a live cell that does
    not stay becomes 2, 3, ..., states - 1 and then 0 whatever is around it.

    Attributes:
        radius: 1..50.
        states: 2..256; C0 and C1 are written for 2, too.
        middle: whether a cell counts itself.
        survival: counts, from 0 to `most`.
        birth: likewise.
        neighbourhood: the cells at (dx, dy) with |dx|, |dy| <= radius ("moore", NM), |dx| + |dy| <= radius ("von-neumann", NN) or
            dx^2 + dy^2 < (radius + 1/2)^2 ("circular", NC, as Golly has it).

    Raises:
        InputError: no such rule exists.

    >>> rule = LargerThanLife(5, 2, True, frozenset(range(34, 59)), frozenset(range(34, 46)))
    >>> str(rule), rule.most
    ('R5,C0,M1,S34..58,B34..45,NM', 121)
    """

    radius: int
    states: int
    middle: bool
    survival: frozenset[int]
    birth: frozenset[int]
    neighbourhood: Shape = "moore"

    family = "larger-than-life"
    dimensions = 2

    def __post_init__(self) -> None:
        if not 1 <= self.radius <= MOST_RADIUS:
            raise InputError(f"R, the radius, is from 1 to {MOST_RADIUS}, not {self.radius}", field="rule")
        if not 2 <= self.states <= 256:
            raise InputError(f"C, the number of states, is from 0 to 256, not {self.states}", field="rule")
        counts = self.survival | self.birth
        if counts and not 0 <= min(counts) <= max(counts) <= self.most:
            raise InputError(f"counts go up to {self.most} in this neighbourhood, so {max(counts)} cannot be reached", field="rule")

    @cached_property
    def half_widths(self) -> tuple[int, ...]:
        """How far each row of the neighbourhood reaches to either side; entry i belongs to dy = i - radius.

        >>> LargerThanLife(3, 2, False, frozenset(), frozenset(), "circular").half_widths
        (1, 2, 3, 3, 3, 2, 1)
        """
        r = self.radius
        if self.neighbourhood == "moore":
            return (r,) * (2 * r + 1)
        if self.neighbourhood == "von-neumann":
            return tuple(r - abs(dy) for dy in range(-r, r + 1))
        # For whole numbers dx^2 + dy^2 < (r + 1/2)^2 says dx^2 + dy^2 <= r^2 + r.
        return tuple(max(dx for dx in range(r + 1) if dx * dx + dy * dy <= r * r + r) for dy in range(-r, r + 1))

    @cached_property
    def most(self) -> int:
        """The highest count: every cell of the neighbourhood, the middle only when it counts."""
        return sum(2 * width + 1 for width in self.half_widths) - (0 if self.middle else 1)

    @cached_property
    def born(self) -> NDArray[np.bool_]:
        """Whether a dead cell is born, by count: bool `[most + 1]`, read-only."""
        return _table(self.birth, self.most)

    @cached_property
    def stays(self) -> NDArray[np.bool_]:
        """Whether a live cell stays, by count: bool `[most + 1]`, read-only."""
        return _table(self.survival, self.most)

    @property
    def spontaneous(self) -> bool:
        """Whether a cell is born with no live cell around."""
        return 0 in self.birth

    @classmethod
    def parse(cls, text: str) -> LargerThanLife | None:
        """Return the rule a string stands for, or None when it has another form.

        Accepted: MCell's and Golly's `R5,C0,M1,S34..58,B34..45,NM`, where S and B may hold several ranges or counts (`S2..3,6`) or
        none; LifeViewer's `R5,C2,S33-57,B34-45,NM`, whose middle never counts; and Evans's `5,34,45,34,58` (radius, birth, survival)
        for a Moore neighbourhood with its middle.

        Raises:
            InputError: it has this form and no such rule exists.
        """
        evans = _EVANS.fullmatch(text)
        if evans:
            radius, *limits = evans.groups()
            birth, survival = "..".join(limits[:2]), "..".join(limits[2:])
            return cls._build(radius, "0", "1", survival, birth, "m")
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        radius, states, middle, survival, birth, letter = match.groups("0")
        return cls._build(radius, states, middle, survival, birth, letter.lower())

    @classmethod
    def _build(cls, radius: str, states: str, middle: str, survival: str, birth: str, letter: str) -> LargerThanLife:
        if letter not in _LETTERS:
            raise InputError(f"N, the neighbourhood, is M (Moore), N (von Neumann) or C (circular), not {letter.upper()!r}", field="rule")
        if middle not in ("0", "1"):
            raise InputError(f"M, whether the middle counts, is 0 or 1, not {middle}", field="rule")
        if len(states) > 3:
            raise InputError(f"C, the number of states, is from 0 to 256, not {states}", field="rule")
        if len(radius) > 3:
            raise InputError(f"R, the radius, is from 1 to {MOST_RADIUS}, not {radius}", field="rule")
        counts = (_read_ranges(survival, "S"), _read_ranges(birth, "B"))
        return cls(int(radius), max(2, int(states)), middle == "1", *counts, _LETTERS[letter])

    def __str__(self) -> str:
        states = 0 if self.states == 2 else self.states
        survival, birth = (notation.write_ranges(counts, "..", always=True) for counts in (self.survival, self.birth))
        letter = next(letter.upper() for letter, shape in _LETTERS.items() if shape == self.neighbourhood)
        return f"R{self.radius},C{states},M{int(self.middle)},S{survival},B{birth},N{letter}"


def _table(counts: frozenset[int], most: int) -> NDArray[np.bool_]:
    table = np.isin(np.arange(most + 1), sorted(counts))
    table.setflags(write=False)
    return table


def _read_ranges(text: str, letter: str) -> frozenset[int]:
    counts: set[int] = set()
    for part in text.split(",") if text else ():
        match = _RANGE.fullmatch(part)
        if match is None:
            raise InputError(f"{letter} takes ranges such as 34..58, not {part!r}", field="rule")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InputError(f"the range {letter}{part} runs backwards", field="rule")
        if not counts.isdisjoint(span := range(first, last + 1)):
            raise InputError(f"{letter} names the same count twice", field="rule")
        counts.update(span)
    return frozenset(counts)
