"""Two-dimensional patterns: what a file of them says, whichever format it is in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from thunderlab import files
from thunderlab.automata.cells import Boundary, Cells

MOST_SIDE = 65_536
MOST_CELLS = 1 << 26
MOST_TEXT = 1 << 24


@dataclass(frozen=True, eq=False)
class Pattern:
    """A pattern in two dimensions.

    Attributes:
        cells: uint8 `[y x]`, states from 0; either axis may be empty.
        rule: the rule it was made for in its canonical spelling, or None when the file does not say.
        name: as the file gives it (`#N` in RLE, `!Name:` in plaintext), or None.
        comments: its other `#` lines as written, for example `#C found in 1970`.
        boundary: "torus" or "dead" when it was made for a bounded grid (`:T` and `:P` behind the rule), else None.
        size: rows and columns of that grid, at least those of `cells`; None without one.
        origin: y and x of the cell `cells[0, 0]` when the file gives coordinates, y growing downwards, else None.
    """

    cells: Cells
    rule: str | None = None
    name: str | None = None
    comments: tuple[str, ...] = ()
    boundary: Boundary | None = None
    size: tuple[int, int] | None = None
    origin: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str, *, where: object = None, field: str | None = None) -> Pattern:
        r"""Return the pattern an RLE text stands for (LifeWiki, "Run Length Encoded"; Golly's help, "Extended RLE format").

        The text has `#` comment lines, one header `x = m, y = n[, rule = B3/S23]`, then runs of `b` or `.` (state 0), `o` or `A` (1),
        `B`..`X` (2..24), `pA`..`pX` (25..48) and so on to `yO` (255), and `$` (end of row), each with an optional count before it, and
        ends at `!`. What follows `!` is ignored, as in Golly. Cells that a row leaves out are dead. Behind the rule `:T30,20` stands for
        a torus and `:P30,20` for a bounded plane 30 cells wide and 20 high. Without a rule in the header an `#r` line counts, and
        `#CXRLE Pos=x,y` gives the origin. No run is ever expanded before it is known to fit the header's size, which is at most 65536
        a side and 2**26 cells in all.

        Args:
            text: the RLE text.
            where: the file it came from, for messages.
            field: the field inside that file, for messages; the line inside the text is added.

        Raises:
            InputError: naming the line and what is wrong.

        >>> Pattern.parse("x = 3, y = 3\nbo$2bo$3o!").cells.tolist()
        [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
        >>> Pattern.parse("x = 3, y = 1, rule = 345/2/4:T30,20\nAB.!").size
        (20, 30)
        """
        # The formats make patterns, so they import this module, and it meets them when there is something to read.
        from thunderlab.automata.formats import rle
        from thunderlab.automata.formats.source import Source

        return rle.read(Source.of(text, where, field))

    @classmethod
    def read(cls, path: Path) -> Pattern:
        """Return the pattern in a file of at most 16 MiB: RLE, plaintext (`.cells`), Life 1.05 or Life 1.06.

        The format is told by what the file holds: `x = ..` heads RLE, `#Life 1.05` and `#Life 1.06` name themselves, rows of `.` and
        `O` are plaintext. The ending of the name counts only where the text does not tell.

        Raises:
            InputError: naming file and line, what is wrong and what is accepted.
        """
        from thunderlab.automata.formats import detect
        from thunderlab.automata.formats.source import Source

        return detect.read(Source.of(files.read_text(path, MOST_TEXT), path), path.suffix)

    def text(self) -> str:
        r"""Return the pattern as RLE, which `parse` and Golly read back the same.

        Lines of cells have at most 70 characters, as the format asks. Letters for many states are used when a state above 1 occurs or the
        rule has more than two; the grid is written behind the rule.

        Raises:
            ValueError: a comment is no `#` line, a state is one that the rule does not have, or a grid has no rule to stand behind or is
                smaller than the pattern.

        >>> import numpy as np
        >>> Pattern(np.array([[1, 1], [0, 0], [0, 1]], np.uint8)).text()
        'x = 2, y = 3\n2o2$bo!\n'
        """
        from thunderlab.automata.formats import rle

        return rle.write(self)
