"""Life 1.06: the coordinates of the live cells, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.formats.source import MOST_COMMENTS, Source, short, too_large
from thunderlab.automata.pattern import Pattern
from thunderlab.errors import InputError

_COMMENT = re.compile(r"^#.*", re.MULTILINE)
_MOST_DIGITS = 18
# Characters looked at together: enough for NumPy to be quick, few enough to need little memory.
_BLOCK = 1 << 18

_STRAY, _BLANK, _SIGN, _DIGIT = range(4)
_KIND = np.full(256, _STRAY, dtype=np.uint8)
_KIND[[ord(character) for character in " \t\n"]] = _BLANK
_KIND[[ord(character) for character in "+-"]] = _SIGN
_KIND[[ord(character) for character in "0123456789"]] = _DIGIT


def read(source: Source) -> Pattern:
    r"""Return the pattern of a Life 1.06 text (LifeWiki, "Life 1.06").

    After `#Life 1.06` every line is `x y`, a live cell, y growing downwards; a cell may be named more than once. Other `#` lines are
    kept as comments.

    Raises:
        InputError: naming the line and what is wrong, or the memory that cells too far apart would need.

    >>> found = read(Source("#Life 1.06\n0 -1\n1 0\n-1 1\n0 1\n1 1\n"))
    >>> found.origin, found.cells.tolist()
    ((-1, -1), [[0, 1, 0], [0, 0, 1], [1, 1, 1]])
    """
    comments: list[str] = []
    pieces, done = [], 0
    for match in _COMMENT.finditer(source.text):
        if not match[0].startswith("#Life"):
            comments.append(match[0].rstrip())
        if len(comments) > MOST_COMMENTS:
            raise source.refuse(match.start(), f"more than {MOST_COMMENTS:,} comment lines are not read")
        pieces += [source.text[done : match.start()], " " * len(match[0])]
        done = match.end()
    numbers = "".join([*pieces, source.text[done:]])  # as long as the text, so that places in it are places in the text
    blocks = [_places(source, at, block) for at, block in _blocks(source, numbers)]
    places = np.concatenate(blocks) if blocks else np.zeros((0, 2), dtype=np.int64)
    if not len(places):
        return Pattern(np.zeros((0, 0), dtype=np.uint8), comments=tuple(comments))
    (top, left), (bottom, right) = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    problem = too_large(bottom - top + 1, right - left + 1)
    if problem:
        raise source.refuse(source.end, problem)
    cells = np.zeros((bottom - top + 1, right - left + 1), dtype=np.uint8)
    cells[places[:, 0] - top, places[:, 1] - left] = 1
    return Pattern(cells, comments=tuple(comments), origin=(top, left))


def _blocks(source: Source, text: str) -> Iterator[tuple[int, str]]:
    """Yield place and text of blocks of whole lines."""
    at = 0
    while at < len(text):
        end = len(text) if len(text) - at <= _BLOCK else text.rfind("\n", at, at + _BLOCK) + 1
        if not end:
            raise _not_a_cell(source, at)
        yield at, text[at:end]
        at = end


def _places(source: Source, at: int, block: str) -> NDArray[np.int64]:
    """Return the cells (y, x) of the lines of a block at place `at`; refuse the first line that is neither blank nor a cell."""
    codes = np.frombuffer(block.encode("ascii", "replace"), dtype=np.uint8)
    kinds = _KIND[codes]
    before, after = np.append(_BLANK, kinds[:-1]), np.append(kinds[1:], _BLANK)
    wrong = (kinds == _STRAY) | ((kinds == _SIGN) & ((before != _BLANK) | (after != _DIGIT)))
    if wrong.any():
        raise _not_a_cell(source, at + int(wrong.argmax()))
    starts = np.flatnonzero((kinds != _BLANK) & (before == _BLANK))
    ends = np.flatnonzero((kinds != _BLANK) & (after == _BLANK)) + 1
    too_long = ends - starts - (kinds[starts] == _SIGN) > _MOST_DIGITS
    if too_long.any():
        raise _not_a_cell(source, at + int(starts[too_long.argmax()]))
    line_ends = np.append(np.flatnonzero(codes == ord("\n")), len(codes))
    on_line = np.diff(np.searchsorted(starts, line_ends), prepend=0)
    uneven = (on_line != 0) & (on_line != 2)
    if uneven.any():
        raise _not_a_cell(source, at + int(line_ends[uneven.argmax()]))
    if not starts.size:
        return np.zeros((0, 2), dtype=np.int64)
    return np.fromstring(block, dtype=np.int64, sep=" ").reshape(-1, 2)[:, ::-1]


def _not_a_cell(source: Source, at: int) -> InputError:
    start = source.text.rfind("\n", 0, at) + 1
    end = source.text.find("\n", start)
    line = source.text[start : end if end >= 0 else len(source.text)]
    return source.refuse(start, f"{short(line)} is not a cell; `x y` with two integers of at most {_MOST_DIGITS} digits is")
