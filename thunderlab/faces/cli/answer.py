"""What a command answers with, and how it is laid out for people."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

STATUS_COLOUR = {
    "healthy": "green", "passed": "green", "ok": "green", "verified": "green",
    "degraded": "yellow", "unknown": "yellow", "absent": "yellow",
    "blocked": "red", "failed": "red", "breach": "red",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """A command's answer.

    Attributes:
        data: what `--json` prints: one JSON-native document.
        text: what people read.
        ok: exit 0 when true, else 1: it ran, and the answer is no.
    """

    data: Any
    text: str
    ok: bool = True


def status(word: str) -> str:
    """Return a status word in its colour; colours are dropped where nobody sees them, the word stays."""
    import click

    return click.style(word, fg=STATUS_COLOUR.get(word))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned columns; numbers to the right. In a terminal lines are cut to its width.

    >>> print(table(["name", "n"], [["a", 1], ["bcd", 20]]))
    name   n
    a      1
    bcd   20
    """
    import click

    cells = [[_text(value) for value in row] for row in rows]
    shown = [[len(click.unstyle(cell)) for cell in row] for row in cells]
    widths = [max([len(heading), *(row[column] for row in shown)]) for column, heading in enumerate(headings)]
    right = [
        bool(rows) and all(isinstance(row[column], int | float) or row[column] is None for row in rows) for column in range(len(headings))
    ]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize

    def line(values: Sequence[str]) -> str:
        parts = []
        for column, value in enumerate(values):
            padding = " " * (widths[column] - len(click.unstyle(value)))
            parts.append(padding + value if right[column] else value + padding)
        whole = "  ".join(parts).rstrip()
        return whole if len(click.unstyle(whole)) <= room or "\x1b" in whole else whole[: room - 1] + "…"

    return "\n".join([line(list(headings)), *(line(row) for row in cells)])


def facts(pairs: Sequence[tuple[str, object]]) -> str:
    """Return name and value pairs, one a line, values aligned."""
    width = max((len(name) for name, _ in pairs), default=0)
    return "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in pairs)


def seconds(duration_us: int) -> str:
    """Return a duration as people say it.

    >>> seconds(850), seconds(12_300), seconds(2_340_000)
    ('850 us', '12.3 ms', '2.34 s')
    """
    if duration_us < 1_000:
        return f"{duration_us} us"
    return f"{duration_us / 1e3:.1f} ms" if duration_us < 1_000_000 else f"{duration_us / 1e6:.2f} s"


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
