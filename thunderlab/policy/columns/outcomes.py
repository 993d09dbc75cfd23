"""What became of each row: decisions, reasons and errors, made once for each combination that occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from thunderlab.policy.language.tree import Policy

Rows = npt.NDArray[np.uint32]
Bits = Sequence[npt.NDArray[np.bool_]]

_WORD = 16
# Combinations are looked up in a table that has a place for each, unless it would be large.
_MOST_PLACES = 1 << 22


class Outcomes:
    """The outcome of each row of a frame, by the number of its combination.

    Args:
        policies: in the order of their text.
        rows: how many rows there are.
    """

    def __init__(self, policies: Sequence[Policy], rows: int) -> None:
        self._ids = [policy.id for policy in policies]
        self._permits = [policy.effect == "permit" for policy in policies]
        self._numbers: dict[tuple[frozenset[int], frozenset[int]], int] = {}
        self._decisions: list[str | None] = [None]
        self._reasons: list[list[str]] = [[]]
        self._errors: list[list[str]] = [[]]
        self._of_row = np.zeros(rows, dtype=np.uint32)
        self._texts: list[str | None] = [None]
        self._text_of_row: Rows | None = None

    def refuse(self, rows: Rows, what: str) -> None:
        """Say that the requests of some rows cannot be built, and why."""
        if self._text_of_row is None:
            self._text_of_row = np.zeros(len(self._of_row), dtype=np.uint32)
        if what not in self._texts:
            self._texts.append(what)
        self._text_of_row[rows] = self._texts.index(what)

    def put(self, rows: Rows, satisfied: Sequence[int], failed: Sequence[int], policies: Sequence[tuple[int, bool]], bits: Bits) -> None:
        """Say what became of the policies in some rows.

        Args:
            rows: places in the frame.
            satisfied: policies that apply to all of them.
            failed: policies that are an error in all of them.
            policies: of each column of bits, the policy, and whether the bits say where it fails rather than where it applies.
            bits: the columns, as long as `rows`.
        """
        codes, tables = combined(bits, len(rows))
        numbers = np.array([self._number(satisfied, failed, [policies[at] for at in table]) for table in tables], dtype=np.uint32)
        self._of_row[rows] = numbers[codes]

    def _number(self, satisfied: Sequence[int], failed: Sequence[int], more: Sequence[tuple[int, bool]]) -> int:
        applies = frozenset([*satisfied, *(at for at, fails in more if not fails)])
        fails = frozenset([*failed, *(at for at, fails in more if fails)])
        number = self._numbers.get((applies, fails))
        if number is None:
            number = self._numbers[applies, fails] = len(self._decisions)
            forbids = sorted(at for at in applies if not self._permits[at])
            permits = sorted(at for at in applies if self._permits[at])
            self._decisions.append("allow" if permits and not forbids else "deny")
            self._reasons.append([self._ids[at] for at in forbids or permits])
            self._errors.append([self._ids[at] for at in sorted(fails)])
        return number

    def frame(self) -> pl.DataFrame:
        """Return all that is known, row by row."""
        of_row = pl.Series(self._of_row)
        texts = pl.Series(self._texts, dtype=pl.String)
        return pl.DataFrame(
            {
                "decision": pl.Series(self._decisions, dtype=pl.String).gather(of_row),
                "reasons": pl.Series(self._reasons, dtype=pl.List(pl.String)).gather(of_row),
                "errors": pl.Series(self._errors, dtype=pl.List(pl.String)).gather(of_row),
                "request_errors": texts.gather(pl.Series(self._text_of_row))
                if self._text_of_row is not None
                else pl.repeat(None, len(of_row), dtype=pl.String, eager=True),
            }
        )


def combined(bits: Bits, rows: int) -> tuple[Rows, list[list[int]]]:
    """Return the number of each row's combination of bits, and of each number the places of the bits that are set.

    >>> numbers, sets = combined([np.array([True, False, True]), np.array([True, True, True])], 3)
    >>> [sets[number] for number in numbers]
    [[0, 1], [1], [0, 1]]
    """
    numbers = np.zeros(rows, dtype=np.uint32)
    sets: list[list[int]] = [[]]
    for first in range(0, len(bits), _WORD):
        some = bits[first : first + _WORD]
        word = _word(some, rows)
        wide = 1 << len(some)
        numbers, sets = _dense(numbers * np.uint64(wide) + word if first else word, wide, sets, first)
    return numbers, sets


def _word(bits: Bits, rows: int) -> npt.NDArray[Any]:
    """Return columns of bits as one of integers, the first column being the least bit."""
    # Half as wide is half as much to move, and most sets of policies fit.
    kind = np.uint8 if len(bits) <= 8 else np.uint16
    word: npt.NDArray[Any] = np.zeros(rows, dtype=kind)
    for at, column in enumerate(bits):
        word |= np.left_shift(column.view(np.uint8), at, dtype=kind)
    return word


def _dense(joint: npt.NDArray[Any], wide: int, sets: list[list[int]], first: int) -> tuple[Rows, list[list[int]]]:
    """Return new numbers for the combinations that occur of those known before and one more word."""
    if len(sets) * wide > _MOST_PLACES:
        found, numbers = np.unique(joint, return_inverse=True)
    else:
        there = np.zeros(len(sets) * wide, dtype=bool)
        there[joint] = True
        found = np.flatnonzero(there)
        numbers = np.cumsum(there, dtype=np.uint32)[joint] - np.uint32(1)
    grown = [sets[one // wide] + [first + at for at in range(_WORD) if (one % wide) >> at & 1] for one in found.tolist()]
    return numbers.astype(np.uint32, copy=False), grown
