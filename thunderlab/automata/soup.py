"""Random starts: lattices filled from a seed, the same on every machine and under every NumPy."""

from __future__ import annotations

import math

import numpy as np

from thunderlab import seeds
from thunderlab.automata.cells import Cells


def soup(shape: tuple[int, ...], density: float, seed: int, box: tuple[int, ...] | None = None) -> Cells:
    """Return a lattice whose cells are alive with probability `density`, each for itself.

    Cell i in row-major order is alive when the upper 53 bits of the i-th word of the PCG64 stream `seeds.stream(seed, "soup")` are
    less than density * 2**53: integers all through, and a stream that NumPy promises never to change. It equals
    `stream.random(shape) < density`.

    Args:
        shape: sizes of the lattice, `[y x]` or `[z y x]`.
        density: 0..1.
        seed: any integer >= 0.
        box: sizes of a centred box outside which all cells are dead; None fills the lattice.

    >>> soup((3, 5), 1.0, seed=1, box=(1, 3)).tolist()
    [[0, 0, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    """
    inner = shape if box is None else box
    words = seeds.stream(seed, "soup").bit_generator.random_raw(math.prod(inner))
    filled = (words >> np.uint64(11) < np.uint64(int(density * 2**53))).astype(np.uint8).reshape(inner)
    if box is None:
        return filled
    cells = np.zeros(shape, dtype=np.uint8)
    cells[tuple(slice((size - part) // 2, (size - part) // 2 + part) for size, part in zip(shape, box, strict=True))] = filled
    return cells
