"""Outer-totalistic rules: what becomes of a cell depends on its state and on how many of its neighbours are alive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

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

_BIRTH_SURVIVAL = re.compile(r"[Bb](?P<birth>[^/]*)/[Ss](?P<survival>[^/]*)")
_SURVIVAL_BIRTH = re.compile(r"(?P<survival>[0-9,-]*)/(?P<birth>[0-9,-]*)")
_SURVIVAL_BIRTH_3D = re.compile(r"(?P<survival>[0-9,-]*)/(?P<birth>[0-9,-]*)/2/M")
_COUNTS = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*")

# Families named here are read by people all the time; saying which one it is beats "not a rule".
_OTHER_FAMILIES = (
    (re.compile(r"[Bb][0-8]*/[Ss][0-8]*[HhVv]"), "a hexagonal or von Neumann neighbourhood"),
    (re.compile(r"[Bb][0-8a-z-]*/[Ss][0-8a-z-]*"), "an isotropic non-totalistic (Hensel) rule"),
    (re.compile(r"[0-9,-]*/[0-9,-]*/\d+(/[MN])?"), "a Generations rule"),
    (re.compile(r"R\d+,C\d+,.*"), "a Larger than Life rule"),
    (re.compile(r"W\d+"), "an elementary rule"),
)


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
        neighbourhood: "moore" (8 neighbours in 2D, 26 in 3D), "hexagonal" (2D: all but the upper right and the lower left one, 6)
            or "von-neumann" (those across an edge or a face, 4 or 6).
        states: 2..256.

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
        """Return the rule a string stands for.

        Accepted in 2D: `B3/S23`, `b3/s23`, `23/3` (survival/birth), and counts with commas and ranges (`B3,6-7/S2-3`). In 3D:
        `B5-7,12/S4-6` and survival/birth/states/neighbourhood as 3D people write it with two states (`4-6/5-7/2/M`).
        Counts go up to 26 in 3D, so a run of digits such as `567` is refused there as ambiguous.

        Raises:
            InputError: naming what is wrong and what is accepted.
        """
        if dimensions not in (2, 3):
            raise InputError(f"rules exist in 2 and 3 dimensions, not {dimensions}", field="rule")
        stripped = text.strip()
        if len(stripped) > 200:
            raise InputError("a rule string has at most 200 characters", field="rule")
        for form in (_BIRTH_SURVIVAL, *((_SURVIVAL_BIRTH,) if dimensions == 2 else (_SURVIVAL_BIRTH_3D,))):
            match = form.fullmatch(stripped)
            if match and _plausible(match["birth"]) and _plausible(match["survival"]):
                return cls(
                    birth=_counts(match["birth"], dimensions, text),
                    survival=_counts(match["survival"], dimensions, text),
                    dimensions=dimensions,
                )
        accepted = "B3/S23 or 23/3" if dimensions == 2 else "B5-7/S4-6 or 4-6/5-7/2/M"
        for family, name in _OTHER_FAMILIES:
            if family.fullmatch(stripped):
                raise InputError(f"{text!r} is {name}, which this engine does not run; accepted in {dimensions}D: {accepted}", field="rule")
        raise InputError(f"{text!r} is not a rule; accepted in {dimensions}D: {accepted}", field="rule")

    @cached_property
    def bits(self) -> int:
        """Return the rule as one integer: bit n is birth on n, bit (neighbours + 1 + n) is survival on n.

        >>> bin(OuterTotalistic.parse("B3/S23", dimensions=2).bits)
        '0b1100000001000'
        """
        shift = self.neighbours + 1
        return sum(1 << n for n in self.birth) | sum(1 << (shift + n) for n in self.survival)

    def __str__(self) -> str:
        write = _digits if self.dimensions == 2 else _ranges
        return f"B{write(self.birth)}/S{write(self.survival)}"


def _plausible(text: str) -> bool:
    return text == "" or _COUNTS.fullmatch(text) is not None


def _counts(text: str, dimensions: int, rule: str) -> frozenset[int]:
    """Return the neighbour counts of one half of a rule string."""
    most = NEIGHBOURS[dimensions, "moore"]
    if dimensions == 2 and text.isdigit():
        found = [int(digit) for digit in text]
    else:
        found = []
        for part in filter(None, text.split(",")):
            low, _, high = part.partition("-")
            first, last = int(low), int(high or low)
            if last < first:
                raise InputError(f"{rule!r}: the range {part} runs backwards", field="rule")
            if dimensions == 3 and len(part) > 1 and not high and first > most:
                raise InputError(
                    f"{rule!r}: {part} is ambiguous where counts go up to {most}: write a range or commas, as in 5-7,12", field="rule"
                )
            # Out of range is caught below; a huge range must not be expanded first.
            found.extend((first, last) if last > most else range(first, last + 1))
    if found and max(found) > most:
        raise InputError(f"{rule!r}: a cell has {most} neighbours in {dimensions}D, so {max(found)} cannot be counted", field="rule")
    if len(found) != len(set(found)):
        raise InputError(f"{rule!r}: the same count is named twice", field="rule")
    return frozenset(found)


def _digits(counts: frozenset[int]) -> str:
    return "".join(map(str, sorted(counts)))


def _ranges(counts: frozenset[int]) -> str:
    """Return counts as comma-separated ranges: 5, 6, 7, 12 -> `5-7,12`."""
    runs: list[list[int]] = []
    for count in sorted(counts):
        if runs and runs[-1][-1] == count - 1:
            runs[-1].append(count)
        else:
            runs.append([count])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
