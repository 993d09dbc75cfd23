"""By how much a state is another one moved along."""

from __future__ import annotations

from itertools import product

import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.measures.fingerprint import bbox

_MOST_SHIFTS = 64


def translation(before: Cells, after: Cells, boundary: Boundary) -> tuple[int, ...] | None:
    """Return the smallest translation that takes the live cells of one state to those of another, or None when none does.

    On a torus components lie in (-size / 2, size / 2], and an axis without two empty lines side by side across it allows none but 0.

    >>> state = np.zeros((4, 4), np.uint8)
    >>> state[0, 0] = 1
    >>> translation(state, np.roll(state, (3, 1), (0, 1)), "torus"), translation(state, np.roll(state, (3, 1), (0, 1)), "dead")
    ((-1, 1), (3, 1))
    """
    if boundary == "torus":
        return _turn(before, after)
    box, moved = bbox(before), bbox(after)
    if box is None or moved is None:
        return (0,) * before.ndim if box == moved else None
    here, there = (cells[tuple(slice(low, high + 1) for low, high in edges)] for cells, edges in ((before, box), (after, moved)))
    if not np.array_equal(here, there):
        return None
    return tuple(new[0] - old[0] for old, new in zip(box, moved, strict=True))


def _turn(before: Cells, after: Cells) -> tuple[int, ...] | None:
    per_axis = []
    for axis, size in enumerate(before.shape):
        others = tuple(other for other in range(before.ndim) if other != axis)
        here, there = (cells.sum(axis=others, dtype=np.int64) for cells in (before, after))
        steps = _turns(here.tobytes(), there.tobytes(), here.itemsize)
        if not ((here == 0) & (np.roll(here, 1) == 0)).any():
            steps = [step for step in steps if step == 0]
        per_axis.append([step if step <= size // 2 else step - size for step in steps])
    # Many symmetric profiles allow a great many turns at once; the smallest few decide.
    candidates = sorted(product(*(sorted(steps, key=abs)[:_MOST_SHIFTS] for steps in per_axis)), key=lambda turn: sum(map(abs, turn)))
    axes = tuple(range(before.ndim))
    return next((turn for turn in candidates[:_MOST_SHIFTS] if np.array_equal(np.roll(before, turn, axes), after)), None)


def _turns(here: bytes, there: bytes, width: int) -> list[int]:
    """Return by how many places of `width` bytes `here` is to be turned round to become `there`."""
    found, twice, at = [], there + there[:-width], -1
    while (at := twice.find(here, at + 1)) >= 0:
        if at % width == 0:
            found.append(at // width)
    return found
