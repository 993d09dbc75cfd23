"""The strided bit layout: a row of cells as S vectors of 256 bits, column x = p * S + s in bit p of vector s.

The horizontal neighbours of every column in vector s are the same bits of vectors s - 1 and s + 1, so neighbour sums need no
shifts; only the two ends of a row do, and they are kept ready as one ghost vector on either side. On a torus the first column
also follows the last one, in the unused bit behind it when there is one. The layout is the dimension-lifted transposition of Henretty
et al., "Data Layout Transformation for Stencil Computations on Short-Vector SIMD Architectures", CC 2011, with bits for elements.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells

WORDS = 4  # 64-bit words in a vector
LANES = 64 * WORDS

Bits = NDArray[np.uint64]

# Rows are packed in blocks of about this many cells, so a big lattice never needs a second big array.
_BLOCK_CELLS = 2**22
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def aligned(shape: tuple[int, ...]) -> Bits:
    """Return zeroed uint64 of `shape` on a 64-byte boundary: compiled vector loads fault on anything less than 32."""
    size = 8 * int(np.prod(shape))
    memory = np.zeros(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(np.uint64).reshape(shape)


def state_bytes(shape: tuple[int, ...]) -> int:
    """Return the memory that the two packed states of a lattice take; narrow lattices waste most of every vector.

    >>> state_bytes((255, 256))  # 2 states of 256 rows (one is empty) of 3 vectors (two are ghosts) of 32 bytes
    49152
    """
    rows, width = math.prod(shape[:-1]), shape[-1]
    return 2 * (rows + 1) * (-(-width // LANES) + 2) * 8 * WORDS


def mix(words: Bits) -> Bits:
    """Return each word scrambled by the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection.

    >>> hex(mix(np.array([0x9E3779B97F4A7C15], dtype=np.uint64))[0])  # first output of splitmix64 seeded with 0
    '0xe220a8397b1dcdaf'
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


class Strips:
    """How rows of one width are laid out, and every constant a kernel needs for it.

    Args:
        width: columns, at least 1.
        torus: whether the first column follows the last.

    Attributes:
        count: S, vectors in a row without the two ghosts.

    >>> Strips(600, torus=True).count  # 3 vectors of 256 bits hold 600 columns
    3
    """

    def __init__(self, width: int, *, torus: bool) -> None:
        self.width = width
        self.torus = torus
        self.count = -(-width // LANES)

    @property
    def last_at(self) -> int:
        """Where in a row with ghosts the vector with the last column is."""
        return 1 + (self.width - 1) % self.count

    @property
    def after_at(self) -> int:
        """Where the vector with the unused bit behind the last column is."""
        return 1 + self.width % self.count

    @cached_property
    def seam(self) -> Bits:
        """Masks `[4, 4]`: the last column, the unused bit behind it, that bit when it lies in the right ghost, the left ghost's first bit."""
        masks = np.zeros((4, LANES), dtype=np.uint8)
        masks[0, (self.width - 1) // self.count] = 1
        if self.torus:
            if self.width < LANES * self.count:
                masks[1, self.width // self.count] = 1
            else:
                masks[2, LANES - 1] = 1
            masks[3, 0] = 1
        return _bits(masks)

    @cached_property
    def valid(self) -> Bits:
        """Masks `[S, 4]` of the bits that are columns."""
        return self.pack(np.ones((1, self.width), dtype=np.uint8))[0, 1:-1] & ~self._after

    @property
    def _after(self) -> Bits:
        """Mask `[S, 4]` of the unused bit behind the last column, where `pack` repeats the first."""
        mask = np.zeros((self.count, WORDS), dtype=np.uint64)
        mask[self.after_at - 1] = self.seam[1]
        return mask

    @cached_property
    def keys(self) -> Bits:
        """Fingerprint keys `[2, S, 4]`."""
        counter = np.arange(1, 2 * self.count * WORDS + 1, dtype=np.uint64)
        return mix(counter * _GOLDEN).reshape(2, self.count, WORDS)

    @cached_property
    def empty_sums(self) -> Bits:
        """What the two sums of `fingerprint` must start from, `[2, 4]`, so that an empty row has both zero."""
        sums: Bits = np.sum((self.keys & _LOW) * (self.keys >> _32), axis=1, dtype=np.uint64)
        return -sums

    def pack(self, cells: Cells) -> Bits:
        """Return rows of cells, uint8 `[rows width]`, as vectors with ghosts, uint64 `[rows S+2 4]`."""
        rows = len(cells)
        packed = np.empty((rows, self.count + 2, WORDS), dtype=np.uint64)
        block = max(1, _BLOCK_CELLS // self.width)
        line = np.zeros((min(block, rows), LANES * self.count + 2), dtype=np.uint8)
        # Bit p of vector q, ghosts included, is entry p * S + q of the padded line.
        window = np.lib.stride_tricks.as_strided(
            line, (len(line), self.count + 2, LANES), (line.strides[0], 1, self.count), writeable=False
        )
        for first in range(0, rows, block):
            part = cells[first : first + block]
            line[: len(part), 1 : self.width + 1] = part
            if self.torus:
                line[: len(part), 0] = part[:, -1]
                line[: len(part), self.width + 1] = part[:, 0]
            packed[first : first + block] = _bits(window[: len(part)])
        return packed

    def unpack(self, packed: Bits) -> Cells:
        """Return the cells, uint8 `[rows width]`, of what `pack` made."""
        cells = np.empty((len(packed), self.width), dtype=np.uint8)
        block = max(1, _BLOCK_CELLS // self.width)
        for first in range(0, len(packed), block):
            words = np.ascontiguousarray(packed[first : first + block, 1:-1])
            lanes = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")
            cells[first : first + block] = (
                lanes.reshape(len(words), self.count, LANES).swapaxes(1, 2).reshape(len(words), -1)[:, : self.width]
            )
        return cells

    def fingerprint(self, packed: Bits) -> tuple[int, int]:
        """Return population and digest of all rows, as the kernels compute them step by step.

        A row is hashed twice by NH (Black et al., "UMAC", CRYPTO 1999): the sum over its words x of low(x + k) * high(x + k), in
        32-bit halves and modulo 2^64, less what an empty row gives. Either sum is equal for two different rows with odds of about
        2^-32, both of about 2^-64. Both are scrambled together with the row's number; the digest is the sum over the rows that
        have a live cell, so it does not depend on the order of rows, on threads, or on which empty rows were looked at.

        Two given different states of one shape share a digest with odds of about 2^-63. Among n visited states the odds of any
        such pair are about n^2 / 2^64: 5e-8 for a million.
        """
        population, digest = 0, 0
        block = max(1, _BLOCK_CELLS // self.width)
        for first in range(0, len(packed), block):
            rows = packed[first : first + block, 1:-1] & self.valid
            live = np.bitwise_count(rows).sum(axis=(1, 2), dtype=np.int64)
            keyed = rows[None] + self.keys[:, None]
            products = (keyed & _LOW) * (keyed >> _32)
            sums = products.sum(axis=(2, 3), dtype=np.uint64) + self.empty_sums.sum(axis=1, dtype=np.uint64)[:, None]
            number = np.arange(first + 1, first + 1 + len(rows), dtype=np.uint64) * _GOLDEN
            hashes = mix(sums[0] ^ mix(sums[1] + number))
            population += int(live.sum())
            digest += int(hashes[live > 0].sum(dtype=np.uint64))
        return population, digest % 2**64


def _bits(lanes: Cells) -> Bits:
    """Return `[... 256]` of 0 and 1 as words `[... 4]`, lane 0 in the lowest bit of word 0."""
    return np.packbits(np.ascontiguousarray(lanes), axis=-1, bitorder="little").view(np.uint64)
