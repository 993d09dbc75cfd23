"""Isotropic rules: what becomes of a cell depends on how its live neighbours lie, up to turns and mirror images (Hensel's notation)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.rules import notation
from thunderlab.automata.rules.outer_totalistic import OuterTotalistic
from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

# One way to lie for each letter, rows from top to bottom, as LifeWiki ("Isotropic non-totalistic rule") draws them. With five and more
# neighbours a letter stands for the complement of what it is with three and fewer.
_PICTURES = {
    1: {"c": "o.. ... ...", "e": ".o. ... ..."},
    2: {"a": "oo. ... ...", "c": "o.o ... ...", "e": ".o. o.. ...", "i": "... o.o ...", "k": "..o o.. ...", "n": "..o ... o.."},
    3: {
        "a": "oo. o.. ...", "c": "o.o ... o..", "e": ".o. o.o ...", "i": "ooo ... ...", "j": ".oo o.. ...",
        "k": ".o. ..o o..", "n": "o.o o.. ...", "q": ".oo ... o..", "r": "o.. o.o ...", "y": "o.. ..o o..",
    },
    4: {
        "a": "ooo o.. ...", "c": "o.o ... o.o", "e": ".o. o.o .o.", "i": "o.o o.o ...", "j": ".o. o.o o..", "k": "oo. ..o o..", "n": "ooo ... o..",
        "q": ".oo ..o o..", "r": "oo. o.o ...", "t": "o.. o.o o..", "w": ".oo o.. o..", "y": "o.o ..o o..", "z": "..o o.o o..",
    },
}  # fmt: skip
_CENTRE = 1 << 4
_RING = 511 - _CENTRE
_ITEM = re.compile(r"([0-9])(-?)([a-z]*)")


def _turns(picture: str) -> set[int]:
    """Return the picture, its turns and their mirror images as the bits of a 3 x 3 block."""
    block = np.array([cell == "o" for cell in picture.replace(" ", "")]).reshape(3, 3)
    every = [np.rot90(side, turns) for side in (block, block.T) for turns in range(4)]
    return {int((turned.ravel() << np.arange(9)).sum()) for turned in every}


def _configurations() -> dict[str, tuple[int, ...]]:
    """Return for each configuration, `2a` say, the 3 x 3 blocks around a dead centre that have it."""
    found: dict[str, set[int]] = {"0": {0}, "8": {_RING}}
    for count, pictures in _PICTURES.items():
        for letter, picture in pictures.items():
            found[f"{count}{letter}"] = blocks = _turns(picture)
            if count < 4:
                found[f"{8 - count}{letter}"] = {_RING - block for block in blocks}
    return {name: tuple(sorted(blocks)) for name, blocks in sorted(found.items())}


# From a configuration's name to its blocks; each of the 256 blocks with a dead centre is in exactly one of these 51.
CONFIGURATIONS = _configurations()
_LETTERS = {count: "".join(name[1:] for name in CONFIGURATIONS if name[0] == str(count)) for count in range(9)}


@dataclass(frozen=True, repr=False)
class Isotropic(Rule):
    """An isotropic rule in two dimensions with two states that is not outer-totalistic.

    A dead cell is born when the configuration of its eight neighbours is in `birth`; a live one stays when it is in `survival`. The
    notation is Alan Hensel's, as Golly reads and writes it: `B2-a/S12` is born on two neighbours that are not adjacent (`a`).

    Attributes:
        birth: names of configurations: "0", "8", or a count with a letter such as "2a"; the keys of `CONFIGURATIONS`.
        survival: likewise.

    Raises:
        InputError: a configuration does not exist, or the counts alone decide, which makes it an `OuterTotalistic` rule.

    >>> rule = Isotropic.parse("B2-a/S12")
    >>> sorted(rule.birth)
    ['2c', '2e', '2i', '2k', '2n']
    >>> bool(rule.table[0b000_000_101]), bool(rule.table[0b000_000_011])  # two corners; a corner and the edge next to it
    (True, False)
    """

    birth: frozenset[str]
    survival: frozenset[str]

    family = "isotropic"
    dimensions = 2
    states = 2
    radius = 1

    def __post_init__(self) -> None:
        unknown = sorted((self.birth | self.survival) - CONFIGURATIONS.keys())
        if unknown:
            raise InputError(f"{unknown[0]!r} is not a configuration of neighbours", field="rule")
        if _totalistic(self.birth) is not None and _totalistic(self.survival) is not None:
            raise InputError(f"{self} does not depend on how neighbours lie: it is an outer-totalistic rule", field="rule")

    @cached_property
    def table(self) -> NDArray[np.bool_]:
        """The next state by the 3 x 3 block around a cell: bool `[512]`, read-only.

        A block is the sum of cell * 2^k with k = 3 * (dy + 1) + (dx + 1), rows first; the cell itself has k = 4.
        """
        table = np.zeros(512, dtype=np.bool_)
        for names, centre in ((self.birth, 0), (self.survival, _CENTRE)):
            for name in names:
                table[[block + centre for block in CONFIGURATIONS[name]]] = True
        table.setflags(write=False)
        return table

    @property
    def spontaneous(self) -> bool:
        """Whether a cell is born with no live neighbour."""
        return "0" in self.birth

    @classmethod
    def parse(cls, text: str) -> Isotropic:
        """Return the rule a string in Hensel's notation stands for.

        Raises:
            InputError: the string is none, or it stands for an outer-totalistic rule; `parse_rule` returns that one.
        """
        parts = notation.split(text, 2)
        rule = cls.of(parts) if parts is not None and parts.is_isotropic else None
        if not isinstance(rule, cls):
            raise InputError(f"{text!r} is not an isotropic rule that depends on more than counts; one is B2-a/S12", field="rule")
        return rule

    @classmethod
    def of(cls, parts: notation.Parts) -> Rule:
        """Return the rule of a string already taken apart: an `OuterTotalistic` one when all letters of its counts are there.

        Raises:
            InputError: a count or letter does not exist or is named twice, or states or neighbourhood are not the usual ones.
        """
        if parts.suffix:
            raise InputError("letters after counts are for the Moore neighbourhood, without H or V", field="rule")
        if notation.read_states(parts.states) != 2:
            raise InputError("letters after counts are for rules with two states; Generations take counts alone", field="rule")
        birth, survival = _read(parts.birth), _read(parts.survival)
        born, stays = _totalistic(birth), _totalistic(survival)
        if born is not None and stays is not None:
            return OuterTotalistic(born, stays, dimensions=2)
        return cls(birth, survival)

    def __str__(self) -> str:
        return f"B{_write(self.birth)}/S{_write(self.survival)}"


def _read(half: str) -> frozenset[str]:
    """Return the configurations that one half of a rule names."""
    items = _ITEM.findall(half)
    if "".join(map("".join, items)) != half:
        raise InputError(f"{half!r} is not a list of counts with their letters, such as 2-a3", field="rule")
    digits = [digit for digit, _, _ in items]
    if len(digits) != len(set(digits)):
        raise InputError("the same count is named twice", field="rule")
    return frozenset(name for item in items for name in _expand(*item))


def _expand(digit: str, minus: str, letters: str) -> set[str]:
    """Return the configurations of one item: all of a count's (`2`), some (`2ce`), or all but some (`2-a`)."""
    count = int(digit)
    if count > 8:
        raise InputError(f"{count} cannot be counted: a cell has 8 neighbours here, so counts go from 0 to 8", field="rule")
    wrong = sorted(set(letters) - set(_LETTERS[count]))
    if wrong:
        accepted = ", ".join(_LETTERS[count]) or "none"
        raise InputError(f"no {count} neighbours lie as in {digit}{wrong[0]}; letters after {count}: {accepted}", field="rule")
    if len(letters) != len(set(letters)):
        raise InputError(f"{digit}{minus}{letters} names the same letter twice", field="rule")
    if minus and not letters:
        raise InputError(f"behind {digit}- letters to leave out are expected", field="rule")
    named = {digit + letter for letter in letters}
    every = {digit + letter for letter in _LETTERS[count]} or {digit}
    return every - named if minus else named or every


def _totalistic(names: frozenset[str]) -> frozenset[int] | None:
    """Return the counts, when for each count all its configurations are there or none."""
    counts = frozenset(int(name[0]) for name in names)
    whole = sum(max(1, len(_LETTERS[count])) for count in counts)
    return counts if len(names) == whole else None


def _write(names: frozenset[str]) -> str:
    """Return the shortest spelling, letters in order, without a minus when that is no longer: Golly's canonical one."""
    text = ""
    for count, letters in _LETTERS.items():
        there = "".join(letter for letter in letters if f"{count}{letter}" in names)
        if str(count) in names or (there and there == letters):
            text += str(count)
        elif there:
            missing = "-" + "".join(letter for letter in letters if letter not in there)
            text += str(count) + (missing if len(missing) < len(there) else there)
    return text
