"""Pictures from plain numbers, one definition for the report and the notebooks: sparklines as SVG, lattices as PNG.

Both are pure: arrays and numbers in, text or bytes out. Both look right on light and on dark paper, because lines take the colour
of the text around them and lattices have a transparent ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from thunderlab.faces import png, voxels

# A blue that keeps a contrast above 3:1 on white and on near-black (WCAG 2.2, 1.4.11).
_LIVE = (47, 125, 190)
_SHADES = 15
_SMALLEST_VIEW = 16
_MARGIN = 2
_PAD = 3.0


def sparkline(
    values: Sequence[float],
    *,
    title: str,
    unit: str = "",
    limits: Sequence[float] = (),
    extent: tuple[float, float] | None = None,
    width: int = 132,
    height: int = 32,
) -> str:
    """Return a small line chart as one `<svg>` element, described in words for those who cannot see it.

    Args:
        values: oldest first, any number of them; what is not finite leaves a gap.
        title: what the line shows; becomes the accessible name.
        unit: unit of the values, for the description.
        limits: levels drawn as dashed lines; the scale grows to show them.
        extent: lowest and highest level the scale shows at least, so that charts side by side compare.
        width: pixels, at least 16.
        height: pixels, at least 12.

    >>> "3 values, from 1 to 4, latest 2 s" in sparkline([1, 4, 2], title="Age", unit="s")
    True
    >>> "no data" in sparkline([], title="Age")
    True
    """
    numbers = [float(value) for value in values]
    finite = [value for value in numbers if math.isfinite(value)]
    words = _describe(numbers, finite, unit)
    levels = [float(limit) for limit in limits if math.isfinite(limit)]
    shown = [*finite, *levels, *(extent or ())]
    drawn = _drawn(numbers, levels, (min(shown), max(shown)), (width, height)) if finite else _no_data(width, height)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f" aria-label={quoteattr(f'{title}: {words}')}><title>{escape(title)}</title><desc>{escape(words)}</desc>{drawn}</svg>"
    )


def _describe(numbers: list[float], finite: list[float], unit: str) -> str:
    """Return what a sparkline shows, in one line."""
    if not finite:
        return "no data"
    suffix = f" {unit}" if unit else ""
    missing = f", {len(numbers) - len(finite)} missing" if len(finite) < len(numbers) else ""
    if len(finite) == 1:
        return f"1 value, {finite[0]:.4g}{suffix}{missing}"
    if min(finite) == max(finite):
        return f"{len(finite)} values, all {finite[0]:.4g}{suffix}{missing}"
    return f"{len(finite)} values, from {min(finite):.4g} to {max(finite):.4g}, latest {finite[-1]:.4g}{suffix}{missing}"


def _no_data(width: int, height: int) -> str:
    middle = height / 2
    return f'<path d="M{_PAD:g} {middle:g}H{width - _PAD:g}" stroke="currentColor" stroke-opacity=".45" stroke-dasharray="1 4"/>'


def _drawn(numbers: list[float], limits: list[float], extent: tuple[float, float], size: tuple[int, int]) -> str:
    """Return the limits, the line and its last point; at least one number is finite."""
    width, height = size
    low, high = extent
    half_span = high / 2 - low / 2  # the whole span of two huge numbers may overflow

    def at(value: float) -> float:
        share = (value / 2 - low / 2) / half_span if half_span > 0 else 0.5
        return round(height - _PAD - share * (height - 2 * _PAD), 1)

    across = (width - 2 * _PAD) / max(1, len(numbers) - 1)
    line, x, y = "", 0.0, 0.0
    for index, (before, value) in enumerate(pairwise([math.nan, *numbers])):
        if math.isfinite(value):
            x, y = round(_PAD + index * across, 1), at(value)
            line += f"{'L' if math.isfinite(before) else 'M'}{x:g} {y:g}"
    rules = "".join(
        f'<path d="M{_PAD:g} {at(limit):g}H{width - _PAD:g}" stroke="currentColor" stroke-opacity=".55" stroke-dasharray="3 3"/>'
        for limit in limits
    )
    return (
        f'{rules}<path d="{line}" fill="none" stroke="var(--line, currentColor)" stroke-width="1.5" stroke-linejoin="round"'
        f' stroke-linecap="round"/><circle cx="{x:g}" cy="{y:g}" r="2.2" fill="var(--line, currentColor)"/>'
    )


def cells_png(cells: NDArray[Any], *, size: int = 160) -> bytes:
    """Return a picture of a lattice as a PNG file with a transparent ground.

    In two dimensions a pattern that is small on its lattice is shown close up, cells become squares of whole pixels, and where several
    cells share a pixel it is the stronger the more of them live, never less than visible. In three dimensions cells are shaded cubes.

    Args:
        cells: integers `[y x]` or `[z y x]`; what is not 0 is alive. Every axis at least 1.
        size: how many pixels wide or high the picture is at least, from 32 to 1024; it is less than twice that, in whole pixels per cell.

    Raises:
        ValueError: for any other number of axes, an empty axis, or a size out of range.

    >>> cells_png(np.eye(3, dtype=np.uint8)) == cells_png(np.eye(3, dtype=np.uint8))
    True
    """
    if cells.ndim not in {2, 3} or 0 in cells.shape:
        raise ValueError(f"cells have two or three axes, each at least 1 long, not the shape {cells.shape}")
    if not 32 <= size <= 1024:
        raise ValueError("a picture is 32 to 1024 pixels wide")
    view = _close_up((cells != 0).astype(np.uint8))
    if view.ndim == 3:
        return _cubes(view, size)
    block = -(-max(view.shape) // size)
    if block > 1:
        shares = _shares(view, block)
        # Relative to the fullest pixel and by the root, so that a few lone cells on a huge lattice are not lost beside a crowd.
        view = np.ceil(np.sqrt(shares / max(float(shares.max()), 1e-9)) * _SHADES).astype(np.uint8)
    scale = -(-size // max(view.shape))
    square = np.ones((scale, scale), dtype=np.uint8)
    if scale >= 5:  # a hairline between neighbours lets single cells be counted
        square[:, -1] = square[-1, :] = 0
    shades = [(*_LIVE, 0), (*_LIVE, 255)] if block == 1 else [(*_LIVE, _alpha(shade)) for shade in range(_SHADES + 1)]
    return png.encode(np.kron(view, square), shades)


def _alpha(shade: int) -> int:
    """Return the opacity of a shade: 0 for none alive, else from clearly visible to solid."""
    return 0 if shade == 0 else round(115 + 140 * shade / _SHADES)


def _close_up(alive: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the part of a lattice worth showing: the live cells and a margin, when they take up less than half of every axis."""
    if not alive.any():
        return alive
    spans = []
    for axis, length in enumerate(alive.shape):
        others = tuple(other for other in range(alive.ndim) if other != axis)
        (live,) = np.nonzero(alive.any(axis=others))
        spans.append((int(live[0]) - _MARGIN, int(live[-1]) + 1 + _MARGIN, length))
    window = max(_SMALLEST_VIEW if alive.ndim == 2 else 1, *(end - start for start, end, _ in spans))
    if any(2 * window > length for *_, length in spans):
        return alive
    cut = []
    for start, end, length in spans:
        first = min(max(0, (start + end - window) // 2), length - window)
        cut.append(slice(first, first + window))
    return alive[tuple(cut)]


def _shares(alive: NDArray[np.uint8], block: int) -> NDArray[np.float64]:
    """Return the share of live cells in each block of `block` cells a side; a block cut off by the edge counts the cells it has."""
    live: NDArray[np.float64] = alive.astype(np.float64)
    cells = np.ones(alive.shape, dtype=np.float64)
    for axis, length in enumerate(alive.shape):
        starts = np.arange(0, length, block)
        live, cells = np.add.reduceat(live, starts, axis=axis), np.add.reduceat(cells, starts, axis=axis)
    return live / cells


def _cubes(alive: NDArray[np.uint8], size: int) -> bytes:
    """Return a 3D lattice as shaded cubes; a lattice too fine for cubes of four pixels is made coarser first."""
    block = max(1, -(-_extent(alive.shape) // size))
    if block > 1:
        shares = _shares(alive, block)
        # Any live cell would fill every block of a busy lattice; half of the mean keeps its holes and loses no lone cluster.
        alive = (shares > shares.mean() / 2).astype(np.uint8)
    half = 2 * -(-size // (2 * _extent(alive.shape)))
    return png.encode(voxels.project(alive, half), voxels.palette())


def _extent(shape: tuple[int, ...]) -> int:
    """Return how many half cubes wide or high the picture of a 3D lattice is, whichever is more."""
    depth, length, width = shape
    return max(length + width, depth + -(-(length + width) // 2))
