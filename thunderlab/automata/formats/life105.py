"""Life 1.05: blocks of drawn rows, each with the coordinates of its corner."""

from __future__ import annotations

import re

from thunderlab.automata.formats.drawn import Drawing
from thunderlab.automata.formats.source import MOST_COMMENTS, Source, short
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError

_CORNER = re.compile(r"#P(?:\s+([+-]?[0-9]{1,18})\s+([+-]?[0-9]{1,18}))?\s*")


def read(source: Source) -> Pattern:
    r"""Return the pattern of a Life 1.05 text (LifeWiki, "Life 1.05").

    After `#Life 1.05` come `#D` lines (comments), `#N` (Conway's rule) or `#R 23/3` (survival/birth), then blocks: `#P x y` and rows of
    `.` (dead) and `*` (alive) that start there, y growing downwards. Rows before any `#P` start at 0 0, and a `#P` that names no place
    goes on below the rows before it, as Golly has it. An empty row is written `.`; blank lines say nothing. A cell drawn twice is
    alive when it is so once. Other `#` lines are kept as comments.

    Raises:
        InputError: naming the line and what is wrong, or the memory that blocks too far apart would need.

    >>> found = read(Source("#Life 1.05\n#R 23/36\n#P -1 4\n.*\n**\n"))
    >>> found.rule, found.origin, found.cells.tolist()
    ('B36/S23', (4, -1), [[0, 1], [1, 1]])
    """
    drawing = Drawing(source, "*", "a Life 1.05 pattern")
    rule: str | None = None
    y = x = 0
    comments: list[str] = []
    for at, line in source.lines():
        kind = line[:2]
        if kind == "#P":
            y, x = _corner(source, at, line) or (y, x)
        elif kind in ("#N", "#R"):
            rule = _rule(source, at, "B3/S23" if kind == "#N" else line[2:])
        elif line.startswith("#Life"):
            continue
        elif kind[:1] == "#":
            comments.append(line.rstrip())
            if len(comments) > MOST_COMMENTS:
                raise source.refuse(at, f"more than {MOST_COMMENTS:,} comment lines are not read")
        elif line.strip():
            drawing.add(at, line, y, x)
            y += 1
    cells, origin = drawing.cells()
    return Pattern(cells, rule, comments=tuple(comments), origin=origin if cells.size else None)


def _corner(source: Source, at: int, line: str) -> tuple[int, int] | None:
    """Return where a block starts, or None when it does not say."""
    match = _CORNER.fullmatch(line)
    if match is None:
        raise source.refuse(at, f"{short(line)} does not say where a block starts; `#P x y` with two integers does")
    return (int(match[2]), int(match[1])) if match[1] else None


def _rule(source: Source, at: int, text: str) -> str:
    try:
        return str(parse_rule(text, dimensions=2))
    except InputError as error:
        raise source.refuse(at, f"rule: {error.what}") from None
