"""Blocks of cells: how often each occurs in a state, and the entropy of that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.measures.observables import DECIMALS
from thunderlab.errors import InputError

# Up to so many different blocks are counted in an array that has a place for each.
_MOST_DENSE = 1 << 20
# Of more, about so many are sorted at a time: those whose number, mixed by the multiplier of Fibonacci hashing, falls into one part.
_MOST_SORTED = 1 << 22
_MIXER = np.uint64(0x9E3779B97F4A7C15)
_SLAB = 1 << 18


def block_entropy(cells: Cells, size: int | tuple[int, ...], boundary: Boundary, states: int = 2) -> float:
    """Return the Shannon entropy in bits of the blocks of a size, over all places a block can lie at.

    H = -sum p log2 p with p = occurrences of a block / places (Shannon 1948; of spatial blocks: Grassberger, "Toward a quantitative
    theory of self-generated complexity", 1986). A torus has as many places as cells; elsewhere a block lies inside. H divided by
    the cells of a block is bits per cell, at most log2(states); on a torus it is at most `observables.cell_entropy`, and the less
    the more a cell tells about those near it. Counted in few places it comes out too low, by about
    (different blocks - 1) / (2 ln 2 places) (Miller 1955).

    Memory beside the cells is some 50 MiB where there can be at most 2**20 different blocks, else some 300 MiB.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0..states-1.
        size: side of a square or cubic block, or its sides in the order of the axes.
        boundary: "torus", or any other.
        states: 2..256; the blocks there can be, states to the number of their cells, are at most 2**63.

    Raises:
        InputError: a number is out of its range, or no block of this size fits.

    >>> stripes = np.array([[0, 1, 0, 1], [0, 1, 0, 1]], np.uint8)
    >>> block_entropy(stripes, 1, "torus"), block_entropy(stripes, 2, "torus"), block_entropy(stripes, (1, 3), "dead")
    (1.0, 1.0, 1.0)
    """
    sides = _sides(cells, size, boundary, states)
    if states ** math.prod(sides) <= _MOST_DENSE:
        return round(entropy_of_counts(block_counts(cells, sides, boundary, states)), DECIMALS)
    places = math.prod(_places(cells.shape, sides, boundary))
    parts = -(-places // _MOST_SORTED)
    times: Counter[int] = Counter()
    for part in range(parts):
        for seen, blocks in _occurrences(cells, sides, boundary, states, part, parts):
            times[seen] += blocks
    return round(_entropy(times), DECIMALS)


def block_counts(cells: Cells, size: int | tuple[int, ...], boundary: Boundary, states: int = 2) -> NDArray[np.int64]:
    """Return how often each block of a size occurs, int64 `[states ** cells in a block]`.

    Its index is the block's cells in row-major order read as digits to the base `states`, the first one highest. Arguments and errors
    as for `block_entropy`; here there can be at most 2**20 blocks.

    >>> block_counts(np.array([[0, 0, 1, 0]], np.uint8), (1, 2), "dead").tolist()  # 00, 01 and 10
    [1, 1, 1, 0]
    """
    sides = _sides(cells, size, boundary, states)
    kinds = states ** math.prod(sides)
    if kinds > _MOST_DENSE:
        raise InputError(f"{kinds} different blocks cannot be counted one by one; at most {_MOST_DENSE} can", field="size")
    counts = np.zeros(kinds, dtype=np.int64)
    for codes in _codes(cells, sides, boundary, states):
        counts += np.bincount(codes.ravel(), minlength=kinds)
    return counts


def entropy_of_counts(counts: NDArray[np.int64]) -> float:
    """Return the Shannon entropy in bits of the distribution that counts describe, not rounded; 0 for an empty one.

    >>> entropy_of_counts(np.array([2, 0, 1, 1]))
    1.5
    """
    seen, blocks = np.unique(counts[counts > 0], return_counts=True)
    return _entropy(dict(zip(seen.tolist(), blocks.tolist(), strict=True)))


def _entropy(times: dict[int, int]) -> float:
    """Return the entropy from how many blocks were seen how often; `fsum` is exact, so their order does not matter."""
    total = sum(seen * blocks for seen, blocks in times.items())
    return math.fsum(blocks * (seen / total) * -math.log2(seen / total) for seen, blocks in times.items() if seen != total)


def _sides(cells: Cells, size: int | tuple[int, ...], boundary: Boundary, states: int) -> tuple[int, ...]:
    """Return the sides of a block, checked."""
    sides = (size,) * cells.ndim if isinstance(size, int) else size
    if len(sides) != cells.ndim or min(sides) < 1 or max(sides) > 63:
        raise InputError(f"a block has {cells.ndim} sides from 1 to 63, not {size}", field="size")
    if boundary != "torus" and any(side > length for side, length in zip(sides, cells.shape, strict=True)):
        raise InputError(f"no block of {sides} fits into cells of the shape {cells.shape}", field="size")
    if not 2 <= states <= 256:
        raise InputError(f"cells have 2 to 256 states, not {states}", field="states")
    if math.prod(sides) * math.log2(states) > 63 + 1e-9:
        raise InputError(f"blocks of {math.prod(sides)} cells with {states} states are more than 2**63; take smaller ones", field="size")
    if cells.size and (most := int(cells.max())) >= states:
        raise InputError(f"expected states 0 to {states - 1}, found {most}", field="cells")
    return sides


def _places(shape: tuple[int, ...], sides: tuple[int, ...], boundary: Boundary) -> tuple[int, ...]:
    """Return how many places a block has along each axis."""
    return tuple(length if boundary == "torus" else length - side + 1 for length, side in zip(shape, sides, strict=True))


def _codes(cells: Cells, sides: tuple[int, ...], boundary: Boundary, states: int) -> Iterator[NDArray[np.int64]]:
    """Yield the blocks at every place as numbers, a slab across the longest axis at a time."""
    places = _places(cells.shape, sides, boundary)
    longest = max(range(cells.ndim), key=lambda axis: places[axis])
    step = max(1, _SLAB * places[longest] // math.prod(places))
    for start in range(0, places[longest], step):
        codes = cells
        for axis, side in enumerate(sides):
            first, last = (start, min(start + step, places[axis])) if axis == longest else (0, places[axis])
            codes = codes.take(np.arange(first, last + side - 1), axis=axis, mode="wrap")
        yield _numbered(codes.astype(np.int64), sides, states)


def _numbered(codes: NDArray[np.int64], sides: tuple[int, ...], states: int) -> NDArray[np.int64]:
    """Return the block that begins at each place as a number, by Horner's rule along one axis after the other, the last first."""
    base = states
    for axis in reversed(range(codes.ndim)):
        side, lines = sides[axis], np.moveaxis(codes, axis, 0)
        count = len(lines) - side + 1
        read = lines[:count].copy()
        for offset in range(1, side):
            read *= base
            read += lines[offset : offset + count]
        codes = np.moveaxis(read, 0, axis)
        base **= side
    return codes


def _occurrences(cells: Cells, sides: tuple[int, ...], boundary: Boundary, states: int, part: int, parts: int) -> Iterator[tuple[int, int]]:
    """Yield how often a block was seen and how many were seen so often, among those of one part."""
    found = []
    for codes in _codes(cells, sides, boundary, states):
        own = codes if parts == 1 else codes[(codes.view(np.uint64) * _MIXER >> np.uint64(32)) % np.uint64(parts) == part]
        found.append(np.unique(own, return_counts=True))
    codes, counts = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    if len(codes):
        starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
        seen, blocks = np.unique(np.add.reduceat(counts[order], starts), return_counts=True)
        yield from zip(seen.tolist(), blocks.tolist(), strict=True)
