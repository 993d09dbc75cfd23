"""Two-dimensional patterns: run-length encoded text (RLE) in and out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thunderlab import files
from thunderlab.automata.cells import Cells
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError

MOST_SIDE = 65_536
MOST_CELLS = 1 << 26
MOST_TEXT = 1 << 24

_HEADER = re.compile(r"\s*x\s*=\s*(?P<x>\d+)\s*,\s*y\s*=\s*(?P<y>\d+)\s*(?:,\s*rule\s*=\s*(?P<rule>\S.*?))?\s*")
_ITEM = re.compile(r"(\d*)([bo$!])|[ \t]+")


@dataclass(frozen=True, eq=False)
class Pattern:
    """A two-state pattern in two dimensions.

    Attributes:
        cells: uint8 `[y x]`, 0 or 1; either axis may be empty.
        rule: the rule it was made for in its canonical spelling, or None when the file does not say.
        name: from its `#N` line, or None.
        comments: its other `#` lines as written, for example `#C found in 1970`.
    """

    cells: Cells
    rule: str | None = None
    name: str | None = None
    comments: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, where: object = None, field: str | None = None) -> Pattern:
        r"""Return the pattern an RLE text stands for (LifeWiki, "Run Length Encoded").

        The text has `#` comment lines, one header `x = m, y = n[, rule = B3/S23]`, then runs of `b` (dead), `o` (alive) and `$`
        (end of row), each with an optional count before it, and ends at `!`. What follows `!` is ignored, as the format says.
        Cells that a row leaves out are dead. No run is ever expanded before it is known to fit the header's size, which is at
        most 65536 a side and 2**26 cells in all.

        Args:
            text: the RLE text.
            where: the file it came from, for messages.
            field: the field inside that file, for messages; the line inside the text is added.

        Raises:
            InputError: naming the line and what is wrong.

        >>> Pattern.parse("x = 3, y = 3\nbo$2bo$3o!").cells.tolist()
        [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
        """
        return _Reader(where, field).read(text)

    @classmethod
    def read(cls, path: Path) -> Pattern:
        """Return the pattern in an RLE file of at most 16 MiB; refusals are `InputError`s naming file and line."""
        return cls.parse(files.read_text(path, MOST_TEXT), where=path)

    def text(self) -> str:
        r"""Return the pattern as RLE, with lines of at most 70 characters as the format asks; `parse` reads back the same.

        >>> Pattern(np.array([[1, 1], [0, 0], [0, 1]], np.uint8)).text()
        'x = 2, y = 3\n2o2$bo!\n'
        """
        head = [f"#N {self.name}"] if self.name is not None else []
        head.extend(self.comments)
        if any(not line.startswith("#") or "\n" in line or "\r" in line for line in head):
            raise ValueError("a comment of a pattern is one line that starts with #")
        height, width = self.cells.shape
        head.append(f"x = {width}, y = {height}" + (f", rule = {self.rule}" if self.rule else ""))
        return "\n".join([*head, *_wrapped(_runs(self.cells), 70)]) + "\n"


class _Reader:
    """Reads one RLE text, knowing at every moment the line to blame."""

    def __init__(self, where: object, field: str | None) -> None:
        self._where = where
        self._field = field
        self._line = 1
        self._cells: Cells | None = None
        self._rule: str | None = None
        self._name: str | None = None
        self._comments: list[str] = []
        self._y = self._x = 0

    def read(self, text: str) -> Pattern:
        for self._line, line in enumerate(text.splitlines(), start=1):
            if line.startswith("#"):
                self._comment(line)
            elif self._cells is None:
                if line.strip():
                    self._cells = self._header(line)
            elif self._items(line, self._cells):
                return Pattern(self._cells, self._rule, self._name, tuple(self._comments))
        raise self._refuse("no header; `x = WIDTH, y = HEIGHT` is expected" if self._cells is None else "ends without `!`")

    def _refuse(self, what: str) -> InputError:
        at = f"line {self._line} of the pattern"
        return InputError(what, where=self._where, field=at if self._field is None else f"{self._field}: {at}")

    def _comment(self, line: str) -> None:
        if line.startswith("#N") and self._name is None:
            self._name = line[2:].strip()
        else:
            self._comments.append(line.rstrip())

    def _header(self, line: str) -> Cells:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise self._refuse(f"{_short(line)} is not a header; `x = WIDTH, y = HEIGHT` or `x = WIDTH, y = HEIGHT, rule = B3/S23` is")
        if max(len(match["x"]), len(match["y"])) > 6 or max(width := int(match["x"]), height := int(match["y"])) > MOST_SIDE:
            raise self._refuse(f"a pattern is at most {MOST_SIDE} cells wide and high")
        if width * height > MOST_CELLS:
            raise self._refuse(f"{width} x {height} is more than the {MOST_CELLS} cells a pattern may have")
        if match["rule"] is not None:
            if ":" in match["rule"]:
                raise self._refuse(
                    f"the bounds in rule {_short(match['rule'])} are not accepted; leave out `:...` and choose a boundary when running"
                )
            try:
                self._rule = str(parse_rule(match["rule"], dimensions=2))
            except InputError as error:
                raise self._refuse(f"rule: {error.what}") from None
        return np.zeros((height, width), dtype=np.uint8)

    def _items(self, line: str, cells: Cells) -> bool:
        """Take in one line of runs; return whether it held the final `!`."""
        at = 0
        for match in _ITEM.finditer(line):
            if match.start() != at:
                break
            at = match.end()
            digits, tag = match.groups()
            if tag == "!":
                if digits:
                    raise self._refuse("`!` takes no count")
                return True
            if tag:
                self._take(cells, self._count(digits) if digits else 1, tag)
        if at < len(line):
            raise self._refuse(_no_item(line[at:]))
        return False

    def _count(self, digits: str) -> int:
        if len(digits) > 6:
            raise self._refuse(f"a run of {_short(digits)} is longer than any pattern")
        if int(digits) == 0:
            raise self._refuse("a run has at least one cell")
        return int(digits)

    def _take(self, cells: Cells, count: int, tag: str) -> None:
        height, width = cells.shape
        if tag == "$":
            self._x, self._y = 0, self._y + count
            if self._y > height:
                raise self._refuse(f"there are more rows than the {height} of the header")
            return
        if self._y >= height:
            raise self._refuse(f"there are more rows than the {height} of the header")
        end = self._x + count
        if end > width:
            raise self._refuse(f"row {self._y + 1} has at least {end} cells, the header says {width}")
        if tag == "o":
            cells[self._y, self._x : end] = 1
        self._x = end


def _no_item(rest: str) -> str:
    digits = re.match(r"\d+", rest)
    if digits:
        return f"the count {_short(digits[0])} needs b, o or $ directly behind it"
    if rest[0].isalpha() or rest[0] == ".":
        return f"{rest[0]!r} is not a state of a two-state pattern; b (dead) and o (alive) are"
    return f"{rest[0]!r} is not part of a pattern; runs of b, o and $ up to `!` are"


def _short(text: str) -> str:
    return text.strip() if len(text.strip()) <= 40 else text.strip()[:37] + "..."


def _runs(cells: Cells) -> Iterator[str]:
    """Return the items of the body, dead cells at the end of a row and empty rows at the end left out."""
    skipped = 0
    for row in cells:
        edges = np.flatnonzero(np.diff(row, prepend=0, append=0)).tolist()
        if edges and skipped:
            yield _run(skipped, "$")
            skipped = 0
        at = 0
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if start > at:
                yield _run(start - at, "b")
            yield _run(end - start, "o")
            at = end
        skipped += 1
    yield "!"


def _run(count: int, tag: str) -> str:
    return tag if count == 1 else f"{count}{tag}"


def _wrapped(items: Iterator[str], width: int) -> Iterator[str]:
    line = ""
    for item in items:
        if len(line) + len(item) > width:
            yield line
            line = ""
        line += item
    yield line
