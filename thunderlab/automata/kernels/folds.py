"""How a plane of a 3D lattice lies in vectors of bits: folded along both of its axes.

The plane is cut into tiles of Sy x Sx cells, C of them side by side and LANES / C below each other, and tile (b, a) lies in lane
b C + a of Sy x Sx vectors: cell (b Sy + t, a Sx + s) is lane b C + a of vector (t, s). So a plane of 128 x 128 cells fills its vectors,
whose rows would be a quarter full. Ghost vectors surround those of a plane on all sides; see `layout` for what they hold.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from thunderlab.automata.cells import Cells
from thunderlab.automata.kernels.layout import LANES, WORDS, Bits, as_bits, as_lanes

# What a line of vectors and a ghost line cost beside the vectors computed, in such vectors; measured roughly.
_LINE = 2.0
_GHOST = 0.3


class Folds:
    """How planes of one size are laid out.

    Args:
        height: rows, at least 1.
        width: columns, at least 1.

    Attributes:
        across: C, tiles side by side: a power of two, at most 64, so that a row of tiles lies within a word.
        below: tiles below each other.
        strips: Sx, vectors in a line without the two ghosts.
        lines: Sy, lines in a plane without the two ghosts.

    >>> Folds(256, 256).lines * Folds(256, 256).strips * LANES  # every lane is a cell
    65536
    """

    def __init__(self, height: int, width: int) -> None:
        self.height = height
        self.width = width
        self.across = min((1 << power for power in range(3, 7)), key=self._cost)
        self.below = LANES // self.across
        self.strips = -(-width // self.across)
        self.lines = -(-height // self.below)

    def _cost(self, across: int) -> float:
        strips, lines = -(-self.width // across), -(-self.height // (LANES // across))
        return lines * (strips + _LINE) + _GHOST * 2 * (strips + 2)

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and vectors of a plane, ghosts included."""
        return self.lines + 2, self.strips + 2

    @property
    def columns(self) -> tuple[int, int, int, int]:
        """Where the last column and the one behind it are: vector of the line and tile, vector and tile."""
        return (*_place(self.width - 1, self.strips, self.across), *_place(self.width, self.strips, self.across))

    @property
    def rows(self) -> tuple[int, int, int, int]:
        """Where the last row and the one behind it are: line of the plane and tile, line and tile."""
        return (*_place(self.height - 1, self.lines, self.below), *_place(self.height, self.lines, self.below))

    @cached_property
    def valid(self) -> Bits:
        """Masks `[Sy Sx WORDS]` of the lanes that are cells."""
        return self.pack(np.ones((1, self.height, self.width), dtype=np.uint8), torus=False)[0, 1:-1, 1:-1]

    def pack(self, cells: Cells, *, torus: bool) -> Bits:
        """Return planes of cells, uint8 `[planes height width]` of 0 and 1, as vectors with ghosts, uint64 `[planes Sy+2 Sx+2 WORDS]`."""
        padded = np.zeros((self.below * self.lines + 2, self.across * self.strips + 2), dtype=np.uint8)
        row, column = padded.strides
        window = np.lib.stride_tricks.as_strided(
            padded,
            (*self.shape, self.below, self.across),
            (row, column, row * self.lines, column * self.strips),
            writeable=False,
        )
        packed = np.empty((len(cells), *self.shape, WORDS), dtype=np.uint64)
        for index, plane in enumerate(cells):
            edges = np.pad(plane, 1, mode="wrap" if torus else "constant")
            padded[: self.height + 2, : self.width + 2] = edges
            packed[index] = as_bits(window.reshape(*self.shape, LANES))
        return packed

    def unpack(self, packed: Bits) -> Cells:
        """Return the cells, uint8 `[planes height width]`, of what `pack` made."""
        cells = np.empty((len(packed), self.height, self.width), dtype=np.uint8)
        for index, plane in enumerate(packed):
            tiles = as_lanes(plane[1:-1, 1:-1]).reshape(self.lines, self.strips, self.below, self.across).transpose(2, 0, 3, 1)
            cells[index] = tiles.reshape(self.below * self.lines, -1)[: self.height, : self.width]
        return cells


def _place(index: int, count: int, tiles: int) -> tuple[int, int]:
    """Return the vector and the tile of a column, or the line and the tile of a row; behind a full axis comes the ghost."""
    tile, at = divmod(index, count)
    return (1 + at, tile) if tile < tiles else (1 + count, tiles - 1)
