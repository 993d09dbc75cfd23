"""Two amounts side by side as one small bar, as SVG that looks right on light and on dark paper and needs no colour to be read."""

from __future__ import annotations

from thunderlab.faces import charts

_PAD = 1.5


def bar(denied: int, allowed: int, most: int, *, title: str, width: int = 132, height: int = 14) -> str:
    """Return how many decisions changed either way as one `<svg>` element: newly denied filled, newly allowed an empty frame behind it.

    Args:
        denied: how many are newly denied.
        allowed: how many are newly allowed.
        most: what the whole width stands for, so that bars below each other compare.
        title: what they are; becomes the accessible name.
        width: pixels, at least 20.
        height: pixels, at least 8.

    >>> "2 newly denied, 1 newly allowed" in bar(2, 1, 3, title="deploy.qa")
    True
    """
    words = f"{denied} newly denied, {allowed} newly allowed"
    room, top, tall = width - 2 * _PAD, _PAD, height - 2 * _PAD
    scale = room / max(most, denied + allowed, 1)
    # What is there is seen, however little of the whole it is.
    first = max(2.0, denied * scale) if denied else 0.0
    second = max(2.0, allowed * scale) if allowed else 0.0
    parts = []
    if denied:
        parts.append(f'<path d="M{_PAD} {top}h{first:.1f}v{tall}h-{first:.1f}Z" fill="var(--blocked, currentColor)"/>')
    if allowed:
        parts.append(
            f'<path d="M{_PAD + first:.1f} {top}h{second:.1f}v{tall}h-{second:.1f}Z" fill="none" stroke="var(--line, currentColor)"/>'
        )
    return charts.svg(title, words, "".join(parts), width, height)
