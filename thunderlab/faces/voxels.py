"""Three-dimensional lattices as pictures: small shaded cubes on a faint floor, seen from above one corner."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thunderlab.faces.png import Colour

Places = NDArray[np.int64]

# Near cubes are light, far ones deep: the eye reads that as distance on white and on black alike.
_FAR = (52, 84, 134)
_NEAR = (126, 196, 238)
_FACE_LIGHT = (1.0, 0.76, 0.56)
_LEVELS = 12
_FLOOR = 1
_FIRST_FACE = 2
_TOP, _LEFT, _RIGHT = range(3)


def palette() -> list[Colour]:
    """Return the colours `project` draws with: 0 nothing, 1 floor, then top, left and right faces from far to near.

    >>> len(palette())
    38
    """
    colours: list[Colour] = [(0, 0, 0, 0), (128, 134, 142, 40)]
    for light in _FACE_LIGHT:
        for level in range(_LEVELS):
            near = level / (_LEVELS - 1)
            red, green, blue = (round((a + (b - a) * near) * light) for a, b in zip(_FAR, _NEAR, strict=True))
            colours.append((red, green, blue, 255))
    return colours


def project(cells: NDArray[np.uint8], half: int) -> NDArray[np.uint8]:
    """Return the picture of a 3D lattice in 2:1 isometric projection, as indices into `palette()`.

    A cell at (z, y, x) sits at column `(x - y) * half` and line `(x + y) * half / 2 - z * half`; the viewer looks from the corner where all
    three are largest, so cubes are painted in order of `x + y + z` and later ones cover earlier ones.

    Args:
        cells: uint8 `[z y x]`; what is not 0 is alive. z points up.
        half: half the width of a cube in pixels, even, at least 2.

    >>> project(np.ones((1, 1, 1), dtype=np.uint8), 4).shape
    (8, 8)
    """
    depth, length, width = cells.shape
    image = np.zeros(((width + length) * half // 2 + depth * half, (width + length) * half), dtype=np.uint8)
    cube = _cube(half)

    def corner(z: Places, y: Places, x: Places) -> tuple[Places, Places]:
        return (x + y) * half // 2 + (depth - 1 - z) * half, (x - y + length - 1) * half

    y, x = (axis.ravel() for axis in np.indices((length, width)))
    _paint(image, corner(np.full_like(y, -1), y, x), np.where(cube == _TOP, np.int64(_FLOOR), -1), np.zeros_like(y))
    z, y, x = np.nonzero(_in_sight(cells))
    order = np.argsort(x + y + z, kind="stable")
    z, y, x = z[order], y[order], x[order]
    level = (x + y + z) * (_LEVELS - 1) // max(1, depth + length + width - 3)
    _paint(image, corner(z, y, x), np.where(cube >= 0, cube * _LEVELS + _FIRST_FACE, -1), level)
    return image


def _in_sight(cells: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the live cells with at least one of the three faces that look at the viewer uncovered."""
    alive = cells != 0
    beyond = np.pad(alive, ((0, 1), (0, 1), (0, 1)))
    covered = beyond[1:, :-1, :-1] & beyond[:-1, 1:, :-1] & beyond[:-1, :-1, 1:]
    return np.asarray(alive & ~covered)


def _cube(half: int) -> Places:
    """Return which face each pixel of one cube's picture shows, int `[2 * half, 2 * half]`; -1 where none does."""
    line, column = np.indices((2 * half, 2 * half)) + 0.5
    slope = np.abs(column - half) / 2
    face = np.where(column < half, _LEFT, _RIGHT)
    face = np.where(np.abs(line - half / 2) <= half / 2 - slope, _TOP, face)
    outside = (line < slope) | (line > 2 * half - slope)
    return np.where(outside, -1, face).astype(np.int64)


def _paint(image: NDArray[np.uint8], corner: tuple[Places, Places], stamp: Places, shade: Places) -> None:
    """Paint one stamp per corner (top, left), in the order given; `shade` is added to the stamp's colours place by place."""
    lines, columns = np.nonzero(stamp >= 0)
    row, column = corner[0][:, None] + lines, corner[1][:, None] + columns
    colour = stamp[lines, columns] + shade[:, None]
    # NumPy assigns repeated indices in order, the last one wins: that is the painter's algorithm.
    image[row, column] = colour
