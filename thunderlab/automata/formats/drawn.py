"""Rows of cells drawn as characters, as plaintext and Life 1.05 have them."""

from __future__ import annotations

import numpy as np

from thunderlab.automata.cells import Cells
from thunderlab.automata.formats.source import Source, too_large


class Drawing:
    """Rows drawn so far, each with the place it starts at.

    Args:
        source: what is being read, for messages.
        alive: the characters that stand for state 1; `.` stands for 0, nothing else for anything.
        called: what to call the format in messages.
    """

    def __init__(self, source: Source, alive: str, called: str) -> None:
        self._source = source
        self._alive = alive
        self._called = called
        self._rows: list[tuple[int, int, str]] = []

    def add(self, at: int, text: str, y: int, x: int) -> None:
        """Take in one row; blanks behind it and rows without a character name no cell.

        Args:
            at: where the row stands in the source.
            text: the row.
            y: the row's coordinate, growing downwards.
            x: the coordinate of its first character.

        Raises:
            InputError: a character is none of the format.
        """
        row = text.rstrip(" \t")
        if not row:
            return
        stray = row.strip("." + self._alive)
        if stray:
            accepted = " or ".join(self._alive)
            raise self._source.refuse(at, f"{stray[0]!r} is not part of {self._called}; `.` (dead) and {accepted} (alive) are")
        self._rows.append((y, x, row))

    def cells(self) -> tuple[Cells, tuple[int, int]]:
        """Return the smallest box around everything drawn, dead cells included, and the coordinates (y, x) of its corner.

        A cell drawn more than once is alive when it is so once.

        Raises:
            InputError: the box is too large; says how much memory it would need.
        """
        if not self._rows:
            return np.zeros((0, 0), dtype=np.uint8), (0, 0)
        top, left = min(y for y, _, _ in self._rows), min(x for _, x, _ in self._rows)
        height = max(y for y, _, _ in self._rows) + 1 - top
        width = max(x + len(row) for _, x, row in self._rows) - left
        problem = too_large(height, width)
        if problem:
            raise self._source.refuse(self._source.end, problem)
        cells = np.zeros((height, width), dtype=np.uint8)
        for y, x, row in self._rows:
            cells[y - top, x - left : x - left + len(row)] |= np.frombuffer(row.encode(), dtype=np.uint8) != ord(".")
        return cells, (top, left)
