"""The body of an RLE pattern: runs, decoded many at a time and never expanded before they are known to fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells
from thunderlab.automata.formats.source import Source
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

_MOST_DIGITS = 6
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWX"
_PREFIXES = "pqrstuvwxy"
_ROW_END = ord("$")
# Characters decoded at once: more than one item, enough for NumPy to be quick, few enough to need little memory.
_BLOCK = 1 << 16


def _by_character(values: dict[str, int], otherwise: int) -> NDArray[np.int16]:
    table = np.full(256, otherwise, dtype=np.int16)
    for characters, value in values.items():
        table[[ord(character) for character in characters]] = value
    return table


# In this order: from a digit on, a kind can follow a digit.
_BLANK, _STRAY, _DIGIT, _TAG, _PREFIX = range(5)
_KIND = _by_character({" \t\n": _BLANK, "0123456789": _DIGIT, "bo.$" + _LETTERS: _TAG, _PREFIXES: _PREFIX}, _STRAY).astype(np.uint8)
_STATE = _by_character({"o": 1, **{letter: number for number, letter in enumerate(_LETTERS, start=1)}}, 0)
_RAISED = _by_character({prefix: 24 * number for number, prefix in enumerate(_PREFIXES, start=1)}, 0)
_CAN_END = (_KIND != _DIGIT) & (_KIND != _PREFIX)
# Letters that a prefix can raise: `o` means A by itself only.
_RAISABLE = _by_character({_LETTERS: 1}, 0).astype(np.bool_)


class Runs:
    """Draws the runs of one body into cells that are all dead.

    Args:
        source: the text the body is part of, for messages.
        start: where in the source the body starts.
        cells: uint8 `[y x]`, zeros; written to.
        rule: what says which states there are; None allows all 256.
    """

    def __init__(self, source: Source, start: int, cells: Cells, rule: Rule | None) -> None:
        self._source = source
        self._start = start
        self._cells = cells
        self._rule = rule
        self._y = self._x = 0

    def read(self, body: str) -> None:
        """Take in runs of `b`, `.`, `o`, letters and `$`, with blanks between them.

        Raises:
            InputError: at a character that is part of no run, a count that is none, or a run that leaves the cells.
        """
        codes = np.frombuffer(body.encode("ascii", "replace"), dtype=np.uint8)
        at = 0
        while at < len(codes):
            block = codes[at : at + _BLOCK]
            if at + len(block) < len(codes):
                # The block ends behind an item, so that no count is torn from its letter.
                whole = np.flatnonzero(_CAN_END[block])
                block = block[: whole[-1] + 1] if whole.size else block
            self._take(block, at)
            at += len(block)

    def _take(self, codes: NDArray[np.uint8], at: int) -> None:
        """Take in one block of whole items, which stands at place `at` of the body."""
        kinds = _KIND[codes]
        following = np.append(kinds[1:], _BLANK)
        wrong = (kinds == _STRAY) | ((kinds == _DIGIT) & (following < _DIGIT))
        has_prefixes = int(kinds.max()) == _PREFIX
        if has_prefixes:
            wrong |= (kinds == _PREFIX) & ~np.append(_RAISABLE[codes[1:]], False)
        if wrong.any():
            raise self._no_item(at + int(wrong.argmax()))
        ends = np.flatnonzero(kinds == _TAG)
        if not ends.size:
            return
        starts, states = ends, _STATE[codes[ends]]
        if has_prefixes:
            before = np.append(ord(" "), codes)[ends]
            starts, states = ends - (_KIND[before] == _PREFIX), states + _RAISED[before]
            if states.max() > 255:
                raise self._no_item(at + int(starts[(states > 255).argmax()]))
        counts, digits = _counts(codes, kinds, starts)
        self._check_counts(counts, digits, at + starts)
        self._draw(counts, codes[ends] == _ROW_END, states, at + ends)

    def _check_counts(self, counts: NDArray[np.int64], digits: NDArray[np.int64], places: NDArray[np.int64]) -> None:
        wrong = (counts == 0) | (digits > _MOST_DIGITS)
        if wrong.any():
            first = int(wrong.argmax())
            place = int(places[first])
            raise self._no_item(place) if digits[first] > _MOST_DIGITS else self._refuse(place, "a run has at least one cell")

    def _draw(self, counts: NDArray[np.int64], row_ends: NDArray[np.bool_], states: NDArray[np.int16], places: NDArray[np.int64]) -> None:
        height, width = self._cells.shape
        rows = np.where(row_ends, counts, 0)
        y = self._y + np.cumsum(rows) - rows
        across = np.where(row_ends, 0, counts)
        so_far = np.cumsum(across)
        # What had been passed when the current row began; negative while it is the row that an earlier block began.
        row_start = np.maximum.accumulate(np.where(row_ends, so_far, -self._x))
        end = so_far - row_start
        too_low = np.where(row_ends, y + rows > height, y >= height)
        too_wide = ~row_ends & (end > width)
        most = 255 if self._rule is None else self._rule.states - 1
        wrong = too_low | too_wide | (states > most)
        if wrong.any():
            first = int(wrong.argmax())
            if too_low[first]:
                what = f"there are more rows than the {height} of the header"
            elif too_wide[first]:
                what = f"row {y[first] + 1} has at least {end[first]} cells, the header says {width}"
            else:
                what = f"state {states[first]} is none of {self._rule}, which has the states 0 to {most}"
            raise self._refuse(int(places[first]), what)
        self._y, self._x = int(y[-1] + rows[-1]), 0 if row_ends[-1] else int(end[-1])
        alive = np.flatnonzero(states)
        if alive.size:
            self._fill(y[alive] * width + end[alive] - counts[alive], counts[alive], states[alive])

    def _fill(self, starts: NDArray[np.int64], counts: NDArray[np.int64], states: NDArray[np.int16]) -> None:
        """Fill runs in order of their places in the flattened cells, together with the dead gaps between them."""
        first, last = int(starts[0]), int(starts[-1] + counts[-1])
        lengths = np.empty(2 * len(starts), dtype=np.int64)
        lengths[0::2] = np.diff(starts + counts, prepend=first) - counts
        lengths[1::2] = counts
        values = np.zeros(len(lengths), dtype=np.uint8)
        values[1::2] = states
        self._cells.reshape(-1)[first:last] = np.repeat(values, lengths)

    def _refuse(self, at: int, what: str) -> InputError:
        return self._source.refuse(self._start + at, what)

    def _no_item(self, at: int) -> InputError:
        """Return the error for the item around place `at` of the body, which is none."""
        text, place = self._source.text, self._start + at
        begin = place
        while begin > self._start and place - begin <= _MOST_DIGITS + 2 and text[begin - 1].isdigit():
            begin -= 1
        item = text[begin : begin + 64]
        rest = item.lstrip("0123456789")
        count, rest = item[: len(item) - len(rest)], rest[:2]
        if len(count) > _MOST_DIGITS:
            return self._refuse(at, f"a run whose count has more than {_MOST_DIGITS} digits is longer than any pattern")
        if count and rest[:1] == "!":
            return self._refuse(at, "`!` takes no count")
        if count and not (rest and rest[0] in _PREFIXES + _LETTERS):
            return self._refuse(at, f"the count {count} needs b, o, $ or a letter directly behind it")
        if rest[:1].isalpha():
            named = rest if rest[:1] in _PREFIXES and rest[1:].isalpha() else rest[:1]
            return self._refuse(at, f"{named!r} is not a state; b or . (dead), o or A (alive), B to X and pA to yO (states 2 to 255) are")
        return self._refuse(at, f"{rest[:1]!r} is not part of a pattern; runs of states and $ up to `!` are")


def _counts(codes: NDArray[np.uint8], kinds: NDArray[np.uint8], starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the count before each place of `starts`, 1 where none is written, and how many digits it has."""
    places = np.arange(len(codes))
    last_other = np.append(-1, np.maximum.accumulate(np.where(kinds != _DIGIT, places, -1)))
    digits = starts - 1 - last_other[starts]
    counts = np.zeros(len(starts), dtype=np.int64)
    for position in range(min(_MOST_DIGITS, int(digits.max()))):
        has = digits > position
        counts[has] += (codes[starts[has] - 1 - position].astype(np.int64) - ord("0")) * 10**position
    counts[digits == 0] = 1
    return counts, digits
