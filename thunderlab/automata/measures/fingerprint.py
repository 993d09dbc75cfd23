"""Where a state lies and the digest it is known by: the bounding box, and one fixed text per state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells

_BLOCK = 1 << 18


def bbox(cells: Cells, origin: Sequence[int] | None = None) -> list[list[int]] | None:
    """Return `[min, max]` of the cells that are not 0 per axis in the order of the shape, or None when there are none.

    Coordinates are plain: on a torus a pattern across the seam spans the whole axis. They count from the first cell, or with it from
    `origin`, as on a plane.

    >>> bbox(np.array([[0, 0, 0], [0, 1, 1]], np.uint8))
    [[1, 1], [1, 2]]
    """
    found = []
    for axis, start in enumerate(origin or (0,) * cells.ndim):
        alive = np.flatnonzero(cells.any(axis=tuple(other for other in range(cells.ndim) if other != axis)))
        if alive.size == 0:
            return None
        found.append([start + int(alive[0]), start + int(alive[-1])])
    return found


def canonical_cells(cells: Cells, *, moved: bool = True) -> bytes:
    r"""Return the text that stands for a state: one line `x,y,state` (3D: `z,y,x,state`) per non-zero cell, in row-major order.

    Args:
        cells: uint8 `[y x]` or `[z y x]`.
        moved: count coordinates from the corner of the bounding box instead of the lattice's.

    >>> canonical_cells(np.array([[0, 0, 0], [0, 1, 1]], np.uint8))
    b'0,0,1\n1,0,1\n'
    """
    return b"".join(_blocks(cells, moved=moved))


def cells_sha256(cells: Cells, *, moved: bool = True, origin: Sequence[int] | None = None) -> str:
    """Return the SHA-256 of `canonical_cells` in lower-case hexadecimal, without holding all of that text at once.

    With `origin` cells lie where they are on a plane, the first at these coordinates.

    >>> cells_sha256(np.zeros((2, 2), np.uint8)) == hashlib.sha256(b"").hexdigest()
    True
    """
    found = hashlib.sha256()
    for block in _blocks(cells, moved=moved and origin is None, origin=origin):
        found.update(block)
    return found.hexdigest()


def _blocks(cells: Cells, *, moved: bool, origin: Sequence[int] | None = None) -> Iterator[bytes]:
    box = bbox(cells)
    if box is None:
        return
    flat = _alive(cells.ravel())
    states = cells.ravel()[flat]
    starts = [-low for low, _ in box] if moved else origin or [0] * cells.ndim
    tables = [_decimals(start + low, start + high) for (low, high), start in zip(box, starts, strict=True)]
    state_table = _decimals(0, int(states.max()))
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        places = np.unravel_index(block, cells.shape)
        columns = [table[place - low] for table, place, (low, _) in zip(tables, places, box, strict=True)]
        if cells.ndim == 2:
            columns.reverse()
        yield _lines([*columns, state_table[states[start : start + _BLOCK]]])


def _alive(flat: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return where cells are not 0, looking at eight at a time: most of what lies around a pattern on a plane is empty."""
    whole = len(flat) // 8 * 8
    words = np.flatnonzero(flat[:whole].view(np.uint64))
    if 8 * len(words) > whole // 4:
        return np.flatnonzero(flat)
    near = (8 * words[:, None] + np.arange(8)).ravel()
    return np.concatenate((near[flat[near] != 0], whole + np.flatnonzero(flat[whole:])))


def _decimals(least: int, most: int) -> NDArray[np.uint8]:
    """Return the decimal text of every number from `least` to `most`, one a row, filled on the left with zero bytes."""
    numbers = np.arange(least, most + 1)
    width = max(len(str(least)), len(str(most)))
    text = np.zeros((len(numbers), width), dtype=np.uint8)
    left: NDArray[Any] = np.abs(numbers).astype(np.uint32 if max(-least, most) < 2**32 else np.uint64)
    for place in range(width - 1, -1, -1):
        rest = left // 10
        digit = (left - 10 * rest).astype(np.uint8) + np.uint8(ord("0"))
        # A digit is written as long as there is something to write; of 0 itself the last one.
        text[:, place] = digit if place == width - 1 else digit * (left > 0)
        left = rest
    below = np.flatnonzero(numbers < 0)
    text[below, width - 1 - np.count_nonzero(text[below], axis=1)] = ord("-")
    return text


def _lines(columns: list[NDArray[np.uint8]]) -> bytes:
    """Return the text of rows of numbers: columns of equal width with their separators first, then without the fill."""
    parts = []
    for index, column in enumerate(columns):
        separator = b"," if index < len(columns) - 1 else b"\n"
        parts += [column, np.full((len(column), 1), ord(separator), np.uint8)]
    return np.hstack(parts).tobytes().replace(b"\0", b"")
