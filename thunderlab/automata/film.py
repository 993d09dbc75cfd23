"""The states of a run as pictures need them: all of one size, however a pattern on a plane grew and moved."""

from __future__ import annotations

import math

import numpy as np

from thunderlab.automata.cells import Cells
from thunderlab.errors import InputError

# Cells of all frames together, a byte each.
MOST_CELLS = 2**28


class Film:
    """Frames of a run, kept until it ends.

    Raises:
        InputError: by `add` and `frames`, when they need more memory than there is for them.

    >>> film = Film()
    >>> film.add(np.ones((1, 1), np.uint8), (0, 0))
    >>> film.add(np.ones((1, 1), np.uint8), (0, 1))
    >>> [frame.tolist() for frame in film.frames()]
    [[[1, 0]], [[0, 1]]]
    """

    def __init__(self) -> None:
        self._seen: list[tuple[Cells, tuple[int, ...]]] = []
        self._cells = 0

    def add(self, cells: Cells, origin: tuple[int, ...]) -> None:
        """Keep a state whose first cell lies at `origin`."""
        self._cells += cells.size
        if self._cells > MOST_CELLS:
            raise InputError(f"{len(self._seen) + 1} frames have more than the {MOST_CELLS} cells a film may have", field="--every")
        self._seen.append((cells, origin))

    def frames(self) -> list[Cells]:
        """Return the states in the box that holds all of them, uint8 `[y x]` each; a state in which nothing lives lies nowhere."""
        somewhere = [(cells, origin) for cells, origin in self._seen if cells.any()] or self._seen[:1]
        low = np.min([origin for _, origin in somewhere], axis=0)
        high = np.max([np.add(origin, cells.shape) for cells, origin in somewhere], axis=0)
        shape = tuple(int(size) for size in high - low)
        if len(self._seen) * math.prod(shape) > MOST_CELLS:
            raise InputError(
                f"{len(self._seen)} frames of {' x '.join(map(str, shape))} cells are more than the {MOST_CELLS} cells a film may have; "
                "take fewer with --every",
                field="--every",
            )
        return [self._placed(cells, np.subtract(origin, low), shape) for cells, origin in self._seen]

    def rows(self) -> Cells:
        """Return the first rows of the states below each other: the space-time picture of a one-dimensional run."""
        return np.stack([cells[0] for cells in self.frames()])

    @staticmethod
    def _placed(cells: Cells, corner: np.ndarray, shape: tuple[int, ...]) -> Cells:
        frame = np.zeros(shape, dtype=np.uint8)
        if not cells.any():
            return frame
        frame[tuple(slice(int(at), int(at) + size) for at, size in zip(corner, cells.shape, strict=True))] = cells
        return frame
