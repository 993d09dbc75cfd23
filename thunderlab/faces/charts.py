"""Pictures from plain numbers, one definition for the report and the notebooks: sparklines as SVG, lattices as PNG.

Both are pure: arrays and numbers in, text or bytes out. Both look right on light and on dark paper, because lines take the colour
of the text around them and lattices have a transparent ground.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
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
# How many times longer than wide a lattice is when its picture is folded.
_LONG = 16
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
    drawn = _drawn(numbers, levels, (min(shown), max(shown)), (width, height)) if finite else no_data(width, height)
    return svg(title, words, drawn, width, height)


def svg(title: str, words: str, drawn: str, width: int, height: int) -> str:
    """Return drawn elements as one `<svg>` with an accessible name and a description in words; both are escaped, `drawn` is not."""
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


def no_data(width: int, height: int) -> str:
    """Return what is drawn where there is nothing to draw: a faint dotted line."""
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
    places = [(round(_PAD + index * across, 1), at(value)) if math.isfinite(value) else None for index, value in enumerate(numbers)]
    line, x, y = "", 0.0, 0.0
    for before, here, after in zip([None, *places], places, [*places[1:], None], strict=False):
        if here is not None:
            x, y = here
            # Between two points as high as itself a point adds bytes and no line.
            if before is None or after is None or not before[1] == y == after[1]:
                line += f"{'M' if before is None else 'L'}{x:g} {y:g}"
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

    In two dimensions a pattern that is small on its lattice is shown close up, a strip is folded (`is_folded`), cells become squares of
    whole pixels, and where several cells share a pixel it is the stronger the more of them live, never less than visible. In three
    dimensions cells are shaded cubes.

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
    view = _folded(view)
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


def is_folded(cells: NDArray[Any]) -> bool:
    """Return whether the picture of a lattice shows its long rows piece by piece, one below the other, as lines of text are.

    >>> is_folded(np.ones((4, 4096))), is_folded(np.ones((40, 600)))
    (True, False)
    """
    return _is_strip(cells.shape) and _is_strip(_close_up((cells != 0).astype(np.uint8)).shape)


def _is_strip(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and max(shape) >= _LONG * min(shape)


def _folded(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a strip in pieces one below the other, a line left free between them, about as high as wide; anything else as it is."""
    if not _is_strip(view.shape):
        return view
    if view.shape[0] > view.shape[1]:
        return _folded(view.T).T
    rows, length = view.shape
    pieces = max(1, round(math.sqrt(length / (rows + 1))))
    width = -(-length // pieces)
    whole = np.zeros((rows, pieces * width), dtype=np.uint8)
    whole[:, :length] = view
    lines = np.zeros((pieces, rows + 1, width), dtype=np.uint8)
    lines[:, :rows] = whole.reshape(rows, pieces, width).swapaxes(0, 1)
    return lines.reshape(-1, width)[:-1]


def _shares(alive: NDArray[np.uint8], block: int) -> NDArray[np.float64]:
    """Return the share of live cells in each block of `block` cells a side; a block cut off by the edge counts the cells it has."""
    live: NDArray[Any] = alive
    cells = np.ones((1,) * alive.ndim)
    for axis, length in enumerate(alive.shape):
        # Whole rows are added to whole rows: many times faster than block by block, and only sums are larger than a byte.
        rows = np.moveaxis(live, axis, 0)
        sums = np.zeros((-(-length // block), *rows.shape[1:]), dtype=np.uint32)
        for offset in range(min(block, length)):
            part = rows[offset::block]
            sums[: len(part)] += part
        live = np.moveaxis(sums, 0, axis)
        counted = np.minimum(block, length - np.arange(0, length, block))
        cells = cells * counted.reshape([-1 if other == axis else 1 for other in range(alive.ndim)])
    return np.asarray(live / cells)


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
