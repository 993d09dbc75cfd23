"""Patterns of any number of states and axes as runs along their rows: how packs, and scenario files that want to, write cells."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from thunderlab.automata.cells import Cells
from thunderlab.errors import InputError


def runs_of(cells: Cells) -> list[list[int]]:
    """Return the cells that are not 0 as rows `[y, x, length, state]` (3D: `[z, y, x, length, state]`), the longest runs there are.

    A run lies within one row, along the last axis; runs come in row-major order. So equal cells have equal runs, and other cells
    others: one writing only.

    >>> runs_of(np.array([[0, 1, 1], [2, 1, 0]], np.uint8))
    [[0, 1, 2, 1], [1, 0, 1, 2], [1, 1, 1, 1]]
    """
    if cells.size == 0:
        return []
    width = cells.shape[-1]
    flat = cells.ravel()
    begins = np.ones(flat.size, dtype=np.bool_)
    begins[1:] = flat[1:] != flat[:-1]
    begins[::width] = True
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=flat.size)
    alive = flat[starts] != 0
    starts, lengths = starts[alive], lengths[alive]
    return np.column_stack((*np.unravel_index(starts, cells.shape), lengths, flat[starts])).tolist()  # type: ignore[no-any-return]


def cells_of(runs: Sequence[Sequence[int]], size: Sequence[int]) -> Cells:
    """Return the smallest array from the corner on that holds the cells which `runs` stand for; one dead cell for no runs.

    Args:
        runs: rows as `runs_of` writes them; ones that could be joined are accepted, too.
        size: of the lattice they must lie in, `[y x]` or `[z y x]`.

    Raises:
        InputError: with the number of the run as its `field`, for one of another length, outside the lattice, or out of order.

    >>> cells_of([[0, 1, 2, 1], [1, 0, 1, 2]], (5, 5)).tolist()
    [[0, 1, 1], [2, 0, 0]]
    """
    if not runs:
        return np.zeros((1,) * len(size), dtype=np.uint8)
    for index, run in enumerate(runs):
        if len(run) != len(size) + 2:
            raise InputError(f"needs {len(size) + 2} numbers: a place, a length and a state, not {len(run)}", field=str(index))
        *place, length, state = run
        if length < 1 or not 1 <= state <= 255:
            raise InputError(f"a length is 1 or more and a state 1 to 255, not {length} and {state}", field=str(index))
        if any(not 0 <= at < side for at, side in zip(place, size, strict=True)) or place[-1] + length > size[-1]:
            raise InputError(f"{list(run)} lies outside the grid", field=str(index))
    table = np.array(runs, dtype=np.int64)
    corner = tuple(int(side) for side in (*(table[:, :-3].max(axis=0) + 1), (table[:, -3] + table[:, -2]).max()))
    starts, lengths = np.ravel_multi_index(tuple(table[:, :-2].T), corner), table[:, -2]
    early = np.flatnonzero(starts[1:] < starts[:-1] + lengths[:-1])
    if early.size:
        raise InputError("begins before the run above it ends; runs go along the rows, from the first to the last", field=str(early[0] + 1))
    cells = np.zeros(prod(corner), dtype=np.uint8)
    cells[np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())] = np.repeat(table[:, -1], lengths)
    return cells.reshape(corner)
