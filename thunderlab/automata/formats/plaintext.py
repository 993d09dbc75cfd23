"""Plaintext patterns (`.cells`): a drawing of dots and letters under a few `!` lines."""

from __future__ import annotations

import numpy as np

from thunderlab.automata.formats.drawn import Drawing
from thunderlab.automata.formats.source import MOST_COMMENTS, Source
from thunderlab.automata.pattern import Pattern


def read(source: Source) -> Pattern:
    r"""Return the pattern a plaintext drawing stands for (LifeWiki, "Plaintext").

    Lines that start with `!` are comments, `!Name:` gives the name. In the other lines `.` is a dead cell, `O` and `*` are live ones;
    a line may end early, and a blank one is a row without cells. Blank rows above and below the drawing are left off.

    Raises:
        InputError: naming the line and the character that has no place there, or the memory a drawing too large would need.

    >>> read(Source("!Name: Glider\n.O\n..O\nOOO\n")).cells.tolist()
    [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
    """
    drawing = Drawing(source, "O*", "a plaintext pattern")
    name, comments, y = None, [], 0
    for at, line in source.lines():
        if not line.startswith("!"):
            drawing.add(at, line, y, 0)
            y += 1
            continue
        said = line[1:].strip()
        if name is None and said.lower().startswith("name:"):
            name = said[5:].strip() or None
        elif said:
            comments.append(f"#C {said}")
            if len(comments) > MOST_COMMENTS:
                raise source.refuse(at, f"more than {MOST_COMMENTS:,} comment lines are not read")
    return Pattern(drawing.cells()[0], name=name, comments=tuple(comments))


def write(pattern: Pattern) -> str:
    r"""Return a pattern of two states as plaintext, every row in full; `read` reads back the same cells.

    Raises:
        ValueError: a state is above 1.

    >>> write(Pattern(np.array([[1, 0], [1, 1]], np.uint8), name="Corner"))
    '!Name: Corner\nO.\nOO\n'
    """
    if pattern.cells.size and pattern.cells.max() > 1:
        raise ValueError("a plaintext pattern has two states")
    head = [] if pattern.name is None else [f"!Name: {' '.join(pattern.name.split())}"]
    rows = [row.tobytes().decode() for row in np.where(pattern.cells == 1, np.uint8(ord("O")), np.uint8(ord(".")))]
    return "".join(line + "\n" for line in [*head, *rows])
