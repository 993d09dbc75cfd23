"""The layout of far-reaching rules: the rows of a lattice dealt to the lanes of vectors, a cell a lane.

With S lines, lane p of line s is row p * S + s, and a line is one vector per column. What is done along a line or from line to line is
done to every S-th row at once, and needs no shifting. Above the first line and below the last there are as many more as the rule
reaches, the same rows a lane further on, so that every lane finds its neighbours in its own lane; left and right of the columns there
are copies, too. This is the layout of `layout` turned by a right angle, with cells for bits.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells
from thunderlab.automata.kernels.layout import WORDS, Bits, fingerprint, keys
from thunderlab.automata.rules import LargerThanLife

# Masks in the table, so that the rest has one place whatever a lane's bits are.
MASKS = 8 * WORDS


class Lanes:
    """How a lattice of one shape lies in memory under one rule, and every constant a kernel needs for it.

    Args:
        shape: rows and columns, at least 1 each.
        rule: decides how far the copies reach and how wide a lane is.
        torus: whether the axes wrap.

    Attributes:
        turned: whether columns take the place of rows, as they do where they are longer; neighbourhoods are symmetric.
        height: the longer axis, whose rows are dealt; `width` is the other.
        bits: of a lane: 8 where no count and no state needs more than 7, otherwise 16. The spare bit is for comparing.
        count: lanes in a vector.
        lines: S.
        all_lines: lines with their copies: an always empty one first, `radius` above, S, `radius` below.
        pitch: vectors in a line with its copies, `radius` on either side.
        aged: whether there are states from 2 on, which are kept apart.

    >>> rule = LargerThanLife(5, 2, True, frozenset(), frozenset())
    >>> lanes = Lanes((1000, 600), rule, torus=True)
    >>> lanes.bits, lanes.count * lanes.bits == 64 * WORDS, lanes.lines == -(-1000 // lanes.count)
    (8, True, True)
    """

    def __init__(self, shape: tuple[int, ...], rule: LargerThanLife, *, torus: bool) -> None:
        self.rule = rule
        self.torus = torus
        self.turned = shape[0] < shape[1]
        self.width, self.height = sorted(shape)
        self.bits = 8 if max(rule.most + 1, rule.states) < 128 else 16
        self.count = 64 * WORDS // self.bits
        self.lines = -(-self.height // self.count)
        self.all_lines = self.lines + 2 * rule.radius + 1
        self.pitch = self.width + 2 * rule.radius
        self.aged = rule.states > 2
        self._inner = slice(rule.radius + 1, rule.radius + 1 + self.lines)
        self._lane = np.dtype(f"<u{self.bits // 8}")

    @property
    def bytes(self) -> int:
        """What both states and the keys take in memory; of narrow lattices under far-reaching rules, most is copies and empty lanes."""
        return 2 * 8 * WORDS * (self.all_lines * self.pitch + self.aged * self.lines * self.width + (1 + self.aged) * self.width)

    def pack(self, cells: Cells) -> tuple[Bits, Bits]:
        """Return the live cells with all copies, uint64 `[all_lines * pitch 4]`, and the states from 2 on, `[lines * width 4]` or empty."""
        upright = cells.T if self.turned else cells
        radius = self.rule.radius
        rows = np.zeros((self.height + 1, self.pitch), dtype=self._lane)  # the last, row -1, is empty
        rows[:-1, radius : radius + self.width] = upright == 1
        if self.torus:
            rows[:, self.sides[:, 0]] = rows[:, self.sides[:, 1]]
        of = self._rows()
        live = self._words(rows[of].swapaxes(1, 2))
        rows[:-1, : self.width] = upright * (upright > 1)
        if not self.aged:
            return live, live[:0]
        # Only lanes that are rows: nothing would ever clear the others.
        ages = rows[of[self._inner], : self.width] * self._is_row[:, :, None]
        return live, self._words(ages.swapaxes(1, 2))

    def unpack(self, live: Bits, ages: Bits) -> Cells:
        """Return the cells of what `pack` made."""
        radius = self.rule.radius
        inner = live.reshape(self.all_lines, self.pitch, WORDS)[self._inner, radius : radius + self.width]
        cells = self._cells(inner)
        if self.aged:
            cells += self._cells(ages.reshape(self.lines, self.width, WORDS))
        return np.ascontiguousarray(cells.T) if self.turned else cells

    def fingerprint(self, live: Bits, ages: Bits) -> tuple[int, int]:
        """Return population and digest of what `pack` made.

        The digest is that of `layout.fingerprint`, of lines of `width` vectors without any copies: the live cells are one plane, the
        states from 2 on another.
        """
        inner = live.reshape(self.all_lines, self.pitch, WORDS)[self._inner, self.rule.radius : self.rule.radius + self.width]
        planes = [inner & self._words(self._is_row)[:, None]]
        population = int(np.bitwise_count(planes[0]).sum(dtype=np.int64))
        if self.aged:
            planes.append(ages.reshape(self.lines, self.width, WORDS))
            population += int(np.count_nonzero(ages.view(self._lane)))
        return population, fingerprint(planes)[1]

    @property
    def keys(self) -> Bits:
        """The keys of the digest for every vector of a line, two for each plane, uint64 `[n 4]`."""
        return np.concatenate([key for plane in range(1 + self.aged) for key in keys(plane, self.width)])

    @cached_property
    def sides(self) -> NDArray[np.intp]:
        """The columns left and right of a torus and the ones they are copies of, `[2 radius, 2]`."""
        radius = self.rule.radius
        beside = np.concatenate([np.arange(-radius, 0), np.arange(self.width, self.width + radius)])
        return radius + np.stack([beside, beside % self.width], axis=1)

    @cached_property
    def gaps(self) -> NDArray[np.intp]:
        """For each line the lane that another line's lanes, moved by one, do not fill: line and lane it comes from, and the lane.

        `[all_lines 3]`; the line is -1 where nothing lacks, as on a torus whose lanes are full and simply turn, and inside dead edges.
        """
        gaps = np.full((self.all_lines, 3), (-1, 0, 0))
        used = -(-self.height // self.lines)
        if not self.torus or self._turns:
            return gaps
        for line in range(1, self.all_lines):
            s = line - self.rule.radius - 1
            lane = 0 if s < 0 else used - 1
            row = lane * self.lines + s
            if not 0 <= row < self.height:
                source = row % self.height
                gaps[line] = source % self.lines + self.rule.radius + 1, source // self.lines, lane
        return gaps

    @cached_property
    def table(self) -> Bits:
        """The constants that are vectors, uint64 `[n 4]`.

        The top bits of all lanes; two masks of words, which lanes hand on to the one before and after; `MASKS` masks of a lane each; for
        each line the top bits of the lanes that are rows there; the limits of the rule; the number of states.
        """
        top = 2 ** (self.bits - 1)
        handed = np.full((2, WORDS), 2**64 - 1, dtype=np.uint64)
        if not self._turns:
            handed[0, 0] = handed[1, -1] = 0
        masks = np.zeros((MASKS, self.count), dtype=np.int64)
        masks[np.arange(self.count), np.arange(self.count)] = 2 * top - 1
        every = np.repeat([*np.ravel(self.limits), self.rule.states], self.count).reshape(-1, self.count)
        return np.concatenate(
            [
                self._words(np.full((1, self.count), top)),
                handed,
                self._words(masks),
                self._words(top * self._is_row),
                self._words(every),
            ]
        )

    @cached_property
    def limits(self) -> NDArray[np.int64]:
        """The sums at which a dead and a live cell's fate changes, `[n 2]`: either becomes alive when it reached an odd number of them.

        Sums count every cell of the neighbourhood; where the rule leaves out the middle, a live cell has one more than it should.

        >>> life = LargerThanLife(1, 2, False, frozenset({2, 3}), frozenset({3}))
        >>> Lanes((9, 9), life, torus=True).limits.tolist()  # born at 3, not from 4 on; stays at 3 and 4, not from 5 on
        [[3, 3], [4, 5]]
        """
        shift = 0 if self.rule.middle else 1
        born = np.flatnonzero(np.diff(self.rule.born, prepend=False))
        stays = np.flatnonzero(np.diff(self.rule.stays, prepend=False)) + shift
        limits = np.full((max(len(born), len(stays), 2), 2), 2 ** (self.bits - 1))  # which no sum reaches
        limits[: len(born), 0] = born
        limits[: len(stays), 1] = stays
        return limits

    @property
    def _turns(self) -> bool:
        """Whether the lanes are full, so that on a torus the first follows the last."""
        return self.torus and self.height == self.lines * self.count

    @property
    def _is_row(self) -> NDArray[np.bool_]:
        """Whether a lane of a line is a row there, `[lines count]`."""
        return np.arange(self.count) * self.lines + np.arange(self.lines)[:, None] < self.height

    def _rows(self) -> NDArray[np.intp]:
        """Which row each lane of each line is, `[all_lines count]`, -1 for none."""
        rows = np.arange(self.count) * self.lines + np.arange(-self.rule.radius - 1, self.lines + self.rule.radius)[:, None]
        if self.torus:
            rows %= self.height
        rows[(rows < 0) | (rows >= self.height)] = -1
        rows[0] = -1
        return rows

    def _words(self, lanes: NDArray[Any]) -> Bits:
        """Return lanes `[... count]` as words `[n 4]`."""
        return np.ascontiguousarray(lanes, dtype=self._lane).view(np.uint64).reshape(-1, WORDS)

    def _cells(self, words: Bits) -> Cells:
        """Return a copy of the rows that lines `[lines width 4]` hold."""
        cells = np.empty((self.count, self.lines, self.width), dtype=np.uint8)
        for line, lanes in enumerate(words):  # one by one, because a line fits into the cache
            cells[:, line] = np.ascontiguousarray(lanes).view(self._lane).T
        return cells.reshape(-1, self.width)[: self.height]
