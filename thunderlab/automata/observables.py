"""What is measured on states and on their course: entropy, alive ratio, clusters; and the bytes a state is stored as."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from thunderlab import stats
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.errors import EvidenceError

_DECIMALS = 12
_MAGIC = b"TLC1"
_MOST_CELLS = 1 << 30


def state_entropy(population: int, cells: int) -> float:
    """Return the Shannon entropy in bits of one cell drawn at random: 0 when all are alike, 1 when half are alive.

    H(p) = -p log2 p - (1 - p) log2 (1 - p) with p = population / cells (Shannon 1948). It is rounded to 12 decimals, below
    which mathematical libraries of different machines need not agree.

    >>> state_entropy(50, 100), state_entropy(0, 100), state_entropy(1, 4)
    (1.0, 0.0, 0.811278124459)
    """
    return round(stats.entropy_bits((population, cells - population)), _DECIMALS)


def entropies(populations: Sequence[int] | NDArray[np.int64], cells: int) -> list[float]:
    """Return `state_entropy` for a course of populations, one value each.

    >>> entropies([0, 2, 4], 4)
    [0.0, 1.0, 0.0]
    """
    known: dict[int, float] = {}
    return [known[alive] if alive in known else known.setdefault(alive, state_entropy(alive, cells)) for alive in map(int, populations)]


def alive_ratio(population: int, cells: int) -> float:
    """Return the share of live cells, 0..1.

    >>> alive_ratio(3, 4)
    0.75
    """
    return population / cells


def mean_and_std(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and population standard deviation, rounded to 12 decimals; both sums are exact before the last division.

    >>> mean_and_std([1.0, 3.0])
    (2.0, 1.0)
    """
    mean = math.fsum(values) / len(values)
    return round(mean, _DECIMALS), round(math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)), _DECIMALS)


def trend(values: Sequence[float]) -> float:
    """Return how far the mean of the last quarter lies above the mean of the first (at least one value each), to 12 decimals.

    >>> trend([0.0, 5.0, 5.0, 1.0])
    1.0
    """
    quarter = max(1, len(values) // 4)
    return round((math.fsum(values[-quarter:]) - math.fsum(values[:quarter])) / quarter, _DECIMALS)


def cluster_count(cells: Cells, boundary: Boundary) -> int:
    """Return how many connected groups of live cells there are; cells that touch, at a corner too, are connected.

    These are the components of the graph of live cells and their Moore neighbours (8 in 2D, 26 in 3D). On a torus neighbours
    across the seams count, those across its corners included.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1.
        boundary: "torus" or "dead".

    >>> corners = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1]], np.uint8)
    >>> cluster_count(corners, "dead"), cluster_count(corners, "torus")
    (2, 1)
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    flat = np.flatnonzero(cells)
    if flat.size == 0:
        return 0
    number = np.full(cells.size, -1, dtype=np.int32)
    number[flat] = np.arange(flat.size, dtype=np.int32)
    places = np.unravel_index(flat, cells.shape)
    starts, ends = [], []
    for shift in product((-1, 0, 1), repeat=cells.ndim):
        if shift <= (0,) * cells.ndim:
            continue  # every pair is met from one of its two ends
        there = [place + step for place, step in zip(places, shift, strict=True)]
        inside = np.ones(flat.size, dtype=np.bool_)
        for axis, size in enumerate(cells.shape):
            if boundary == "torus":
                there[axis] = there[axis] % size
            else:
                inside &= (there[axis] >= 0) & (there[axis] < size)
        neighbour = np.full(flat.size, -1, dtype=np.int32)
        neighbour[inside] = number[np.ravel_multi_index([place[inside] for place in there], cells.shape)]
        starts.append(np.flatnonzero(neighbour >= 0))
        ends.append(neighbour[neighbour >= 0])
    rows, columns = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(rows.size, dtype=np.bool_), (rows, columns)), shape=(flat.size, flat.size))
    return int(connected_components(graph, directed=False, return_labels=False))


def pack(cells: Cells) -> bytes:
    """Return a two-state lattice as bytes: `TLC1`, the number of axes and their sizes (little-endian 32 bits each), then the cells.

    Cells are one bit each in row-major order, compressed with zlib; equal states give equal bytes under one zlib.

    >>> unpack(pack(np.eye(3, dtype=np.uint8))).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    """
    return _MAGIC + struct.pack(f"<{cells.ndim + 1}I", cells.ndim, *cells.shape) + zlib.compress(np.packbits(cells).tobytes(), 6)


def unpack(packed: bytes) -> Cells:
    """Return the lattice that `pack` wrote: uint8 `[y x]` or `[z y x]`, 0 or 1.

    Raises:
        EvidenceError: when these are not such bytes, or not all of them.
    """
    try:
        magic, ndim = struct.unpack_from("<4sI", packed)
        if magic != _MAGIC or ndim not in (2, 3):
            raise EvidenceError("is not a packed lattice")
        shape = struct.unpack_from(f"<{ndim}I", packed, 8)
        size = math.prod(shape)
        if size > _MOST_CELLS:
            raise EvidenceError(f"a packed lattice has at most {_MOST_CELLS} cells")
        expected = (size + 7) // 8
        # One byte more than needed is enough to notice a stream that goes on, whatever it would grow to.
        reader = zlib.decompressobj()
        bits = reader.decompress(packed[8 + 4 * ndim :], expected + 1)
        if len(bits) != expected or not reader.eof or reader.unused_data:
            raise EvidenceError("a packed lattice of another size than its header says")
    except (struct.error, zlib.error):
        raise EvidenceError("is not a packed lattice, or not all of it") from None
    return np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=size).reshape(shape)
