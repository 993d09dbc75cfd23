"""How cells lie in vectors of bits, so that neighbours meet without being moved.

A line of columns is cut into B blocks of S columns, and block b lies in lane b of S vectors: column x = b S + s is lane b of vector s.
The left and right neighbours of every column in vector s are then the same lanes of vectors s - 1 and s + 1, and only the ends of a
block need moving: they are kept ready as a ghost vector on either side, which holds the blocks' neighbours one lane on. On a torus
the first column also follows the last one, in the unused lane behind it when there is one. This is the dimension-lifted transposition
of Henretty et al., "Data Layout Transformation for Stencil Computations on Short-Vector SIMD Architectures", CC 2011, with bits for
elements.

A lane is one bit for a single lattice. Many lattices of one size share lanes: lane b N + k is block b of seed k, and neighbours are
N lanes away.
"""

from __future__ import annotations

import math
import os
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells
from thunderlab.errors import InputError

WIDTH_VARIABLE = "THUNDERLAB_VECTOR_BITS"

Bits = NDArray[np.uint64]

# Lines are packed in blocks of about this many cells, so a big lattice never needs a second big array.
_BLOCK_CELLS = 2**22
# What a line costs beside its vectors, in such vectors; and how many vectors a line of a lattice in parts has at most.
_LINE = 5.0
_LONGEST = 16
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def vector_bits() -> int:
    """Return how wide vectors are: THUNDERLAB_VECTOR_BITS, or what this processor has, 512 with AVX-512 and 256 otherwise.

    The width decides how fast the kernels are, never what they compute.

    Raises:
        InputError: the variable is neither 256 nor 512.
    """
    text = os.environ.get(WIDTH_VARIABLE, "").strip()
    if text:
        if text not in ("256", "512"):
            raise InputError(f"expected 256 or 512, not {text!r}", where="environment", field=WIDTH_VARIABLE)
        return int(text)
    try:
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 256
    # The compiler has not heard of newer processors of other makes, and takes them for ones with 256 bits.
    return 512 if "avx512bw" in known and "GenuineIntel" in known else 256


WORDS = vector_bits() // 64  # 64-bit words in a vector
LANES = 64 * WORDS


def aligned(shape: tuple[int, ...]) -> Bits:
    """Return zeroed uint64 of `shape` on a 64-byte boundary: compiled vector loads fault on less than a vector's size."""
    size = 8 * math.prod(shape)
    memory = np.zeros(size + 64, dtype=np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(np.uint64).reshape(shape)


def mix(words: Bits) -> Bits:
    """Return each word scrambled by the finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection.

    >>> hex(mix(np.array([0x9E3779B97F4A7C15], dtype=np.uint64))[0])  # first output of splitmix64 seeded with 0
    '0xe220a8397b1dcdaf'
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def keys(plane: int, count: int) -> Bits:
    """Return the two fingerprint keys of every word of a line, uint64 `[2 count WORDS]`; bit planes of one lattice have different ones."""
    counter = np.arange(1, 2 * count * WORDS + 1, dtype=np.uint64) + np.uint64(plane << 40)
    return mix(counter * _GOLDEN).reshape(2, count, WORDS)


def fingerprint(planes: list[Bits]) -> tuple[int, int]:
    """Return population and digest of lines of vectors, as the kernels compute them step by step.

    A line is hashed twice by NH (Black et al., "UMAC", CRYPTO 1999): the sum over its words x of low(x + k) * high(x + k), in 32-bit
    halves and modulo 2^64. Either sum is equal for two different lines with odds of about 2^-32, both of about 2^-64. Both are
    scrambled together with the line's number; the digest is the sum over the lines that have a live cell, so it does not depend on
    the order of lines, on threads, or on which empty lines were looked at.

    Two given different states of one shape share a digest with odds of about 2^-63. Among n visited states the odds of any
    such pair are about n^2 / 2^64: 5e-8 for a million.

    Args:
        planes: for each bit plane the lines without their ghosts, uint64 `[lines count WORDS]`; a cell lives when any plane has it.
    """
    lines, count = planes[0].shape[:2]
    population, digest = 0, 0
    block = max(1, _BLOCK_CELLS // (count * LANES))
    for first in range(0, lines, block):
        parts = [plane[first : first + block] for plane in planes]
        live = np.bitwise_count(np.bitwise_or.reduce(parts)).sum(axis=(1, 2), dtype=np.int64)
        sums = np.zeros((2, len(live)), dtype=np.uint64)
        for number, part in enumerate(parts):
            keyed = part[None] + keys(number, count)[:, None]
            sums += ((keyed & _LOW) * (keyed >> _32)).sum(axis=(2, 3), dtype=np.uint64)
        places = np.arange(first + 1, first + 1 + len(live), dtype=np.uint64) * _GOLDEN
        hashes = mix(sums[0] ^ mix(sums[1] + places))
        population += int(live.sum())
        digest += int(hashes[live > 0].sum(dtype=np.uint64))
    return population, digest % 2**64


class Blocks:
    """How lines of one width are laid out for one lattice, or for many side by side.

    Args:
        width: columns, at least 1.
        seeds: lattices that share the lanes, at most LANES.

    Attributes:
        share: N, lanes per block: the power of two that is enough for all seeds.
        blocks: B = LANES / N.
        count: S, vectors in a line without the two ghosts.

    >>> Blocks(600).count == -(-600 // LANES)  # so many vectors hold 600 columns
    True
    """

    def __init__(self, width: int, seeds: int = 1) -> None:
        self.width = width
        self.seeds = seeds
        self.share = 1 << (seeds - 1).bit_length()
        self.blocks = LANES // self.share
        self.count = -(-width // self.blocks)

    @property
    def last(self) -> tuple[int, int]:
        """Where in a line with ghosts the last column's block is: word, and bit in it."""
        block, at = divmod(self.width - 1, self.count)
        return self._place(1 + at, block)

    @property
    def after(self) -> tuple[int, int]:
        """Where the unused block behind the last column is, likewise: in the right ghost when a line is full."""
        block, at = divmod(self.width, self.count)
        return self._place(1 + at, block) if block < self.blocks else self._place(1 + self.count, self.blocks - 1)

    def _place(self, vector: int, block: int) -> tuple[int, int]:
        lane = block * self.share
        return vector * WORDS + lane // 64, lane % 64

    @cached_property
    def valid(self) -> Bits:
        """Masks `[S WORDS]` of the lanes that are cells."""
        return self.pack(np.ones((self.seeds, 1, self.width), dtype=np.uint8), torus=False)[0, 1:-1]

    def pack(self, cells: Cells, *, torus: bool) -> Bits:
        """Return cells, uint8 `[seeds lines width]` of 0 and 1, as vectors with their ghosts, uint64 `[lines S+2 WORDS]`."""
        lines = cells.shape[1]
        packed = np.empty((lines, self.count + 2, WORDS), dtype=np.uint64)
        block = max(1, _BLOCK_CELLS // (self.width * self.share))
        padded = np.zeros((min(block, lines), self.blocks * self.count + 2, self.share), dtype=np.uint8)
        # Lane b N + k of vector q, ghosts included, is entry b S + q of seed k in the padded line.
        size, column, seed = padded.strides
        window = np.lib.stride_tricks.as_strided(
            padded, (len(padded), self.count + 2, self.blocks, self.share), (size, column, column * self.count, seed), writeable=False
        )
        for first in range(0, lines, block):
            part = cells[:, first : first + block].transpose(1, 2, 0)
            padded[: len(part), 1 : self.width + 1, : self.seeds] = part
            if torus:
                padded[: len(part), 0, : self.seeds] = part[:, -1]
                padded[: len(part), self.width + 1, : self.seeds] = part[:, 0]
            packed[first : first + block] = as_bits(window[: len(part)].reshape(len(part), self.count + 2, LANES))
        return packed

    def unpack(self, packed: Bits) -> Cells:
        """Return the cells, uint8 `[seeds lines width]`, of what `pack` made."""
        cells = np.empty((self.seeds, len(packed), self.width), dtype=np.uint8)
        block = max(1, _BLOCK_CELLS // (self.width * self.share))
        for first in range(0, len(packed), block):
            lanes = as_lanes(packed[first : first + block, 1:-1])
            columns = lanes.reshape(len(lanes), self.count, self.blocks, self.share).transpose(3, 0, 2, 1)
            cells[:, first : first + block] = columns[: self.seeds].reshape(self.seeds, len(lanes), -1)[:, :, : self.width]
        return cells


def parts_of(height: int, width: int) -> int:
    """Return into how many parts below each other a lattice is cut, so that its lines are neither very short nor very long.

    A line costs about as much as some vectors more than it has; a long one cannot be skipped where only a part of it is empty.

    >>> parts_of(7, 64)  # parts are of one size
    1
    """

    def cost(parts: int) -> float:
        strips = -(-width * parts // LANES)
        return height // parts * (strips + _LINE) + (strips + 2 if parts > 1 else 0)

    usable = [parts for parts in (1, 2, 4, 8, 16, 32) if height % parts == 0 and (parts == 1 or -(-width * parts // LANES) <= _LONGEST)]
    return min(usable, key=cost)


def as_bits(lanes: Cells) -> Bits:
    """Return `[... LANES]` of 0 and 1 as words `[... WORDS]`, lane 0 in the lowest bit of word 0."""
    return np.packbits(np.ascontiguousarray(lanes), axis=-1, bitorder="little").view(np.uint64)


def as_lanes(words: Bits) -> Cells:
    """Return words `[... WORDS]` as `[... LANES]` of 0 and 1."""
    return np.unpackbits(np.ascontiguousarray(words).view(np.uint8), axis=-1, bitorder="little")
