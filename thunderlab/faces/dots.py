"""Many values of one kind as dots beside the limits they are held against, as SVG that looks right on light and on dark paper."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from thunderlab import stats
from thunderlab.faces import charts

# The width of a column of dots, the room beside the outermost ones, and the floor that they stand on, above the edge.
_COLUMN = 5.0
_BESIDE = 9.0
_FLOOR = 9.0


def dots(
    values: Sequence[float],
    *,
    title: str,
    unit: str = "",
    band: tuple[float, float] | None = None,
    median: tuple[float, float] | None = None,
    width: int = 240,
    height: int = 46,
) -> str:
    """Return many values of one kind as stacked dots in one `<svg>` element, beside the limits they are held against, described in words.

    A value within the band is a dot, one outside it a cross at its side of the frame; a triangle below points at the median.

    Args:
        values: in any order; what is not finite is left out and counted.
        title: what they are; becomes the accessible name.
        unit: unit of the values, for the description.
        band: limits of the values, both included, drawn as a frame.
        median: limits of the median, drawn as a bar along the bottom of the frame.
        width: pixels, at least 60.
        height: pixels, at least 30.

    >>> "4 values, from 1 to 9, median 2; 3 of them within 1 to 3" in dots([1, 2, 3, 9], title="Seeds", band=(1, 3))
    True
    >>> "no data" in dots([], title="Seeds")
    True
    """
    finite = sorted(value for value in map(float, values) if math.isfinite(value))
    if not finite:
        return charts.svg(title, "no data", charts.no_data(width, height), width, height)
    suffix = f" {unit}" if unit else ""
    middle = stats.quantile(finite, 0.5)
    words = f"{len(finite)} values, from {finite[0]:.4g} to {finite[-1]:.4g}{suffix}, median {middle:.4g}"
    if len(finite) < len(values):
        words += f", {len(values) - len(finite)} missing"
    if band is not None:
        words += f"; {sum(band[0] <= value <= band[1] for value in finite)} of them within {band[0]:.4g} to {band[1]:.4g}"
    return charts.svg(title, words, _drawn_dots(finite, middle, band, median, (width, height)), width, height)


def _drawn_dots(
    ordered: list[float], middle: float, band: tuple[float, float] | None, median: tuple[float, float] | None, size: tuple[int, int]
) -> str:
    """Return frame, bar, dots, crosses and triangle; at least one value, in order."""
    width, height = size
    shown = [*ordered, *(band or ()), *(median or ())]
    low, high = min(shown), max(shown)
    half_span, floor = high / 2 - low / 2, height - _FLOOR

    def at(value: float) -> float:
        share = (value / 2 - low / 2) / half_span if half_span > 0 else 0.5
        return _BESIDE + share * (width - 2 * _BESIDE)

    inside, outside = _columns(ordered, band, at)
    tallest = max(len(values) for values in (*inside.values(), *outside.values()))
    rise = min(_COLUMN, (floor - 8) / max(1, tallest - 1))
    parts = []
    if band is not None:
        left, right = at(band[0]) - _COLUMN, at(band[1]) + _COLUMN
        parts.append(
            f'<path d="M{left:.1f} 1.5V{floor:.1f}H{right:.1f}V1.5Z" fill="currentColor" fill-opacity=".07" stroke="currentColor"'
            f' stroke-opacity=".6"/>'
        )
    if median is not None:
        parts.append(f'<path d="M{at(median[0]) - 1:.1f} {floor:.1f}H{at(median[1]) + 1:.1f}" stroke="currentColor" stroke-width="3"/>')
    places = [(x, floor - 4.5 - level * rise) for x, column in inside.items() for level in range(len(column))]
    if places:  # a line of no length with round ends is a dot: one path holds them all
        line = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
        parts.append(f'<path d="{line}" stroke="var(--line, currentColor)" stroke-width="4" stroke-linecap="round"/>')
    crosses = [(x, floor - 4.5 - level * rise) for x, column in outside.items() for level in range(len(column))]
    if crosses:
        line = "".join(f"M{x - 2:.1f} {y - 2:.1f}l4 4m-4 0l4-4" for x, y in crosses)
        parts.append(f'<path d="{line}" fill="none" stroke="var(--blocked, currentColor)" stroke-width="1.6"/>')
    tip = f"{at(middle):.1f} {floor + 2:.1f}"
    return "".join(parts) + f'<path d="M{tip}l3.5 6h-7Z" fill="currentColor"/>'


def _columns(
    ordered: list[float], band: tuple[float, float] | None, at: Callable[[float], float]
) -> tuple[dict[float, list[float]], dict[float, list[float]]]:
    """Return the values within the band and those outside it, by the middle of the column they are drawn in."""
    inside: dict[float, list[float]] = {}
    outside: dict[float, list[float]] = {}
    for value in ordered:
        x = (at(value) - _BESIDE) // _COLUMN * _COLUMN + _BESIDE + _COLUMN / 2
        if band is None or band[0] <= value <= band[1]:
            inside.setdefault(x, []).append(value)
        elif value < band[0]:  # beside the frame, however little is missing
            outside.setdefault(min(x, at(band[0]) - _COLUMN - 3.5), []).append(value)
        else:
            outside.setdefault(max(x, at(band[1]) + _COLUMN + 3.5), []).append(value)
    return inside, outside
