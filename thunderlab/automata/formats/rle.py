"""Run-length encoded patterns (RLE), of two states and of many, in and out."""

from __future__ import annotations

import re

import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.formats import bounds
from thunderlab.automata.formats.runs import Runs
from thunderlab.automata.formats.source import MOST_COMMENTS, Source, short, too_large
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.errors import InputError

MOST_HEADER = 1000

_HEADER = re.compile(r"\s*x\s*=\s*(?P<x>[0-9]+)\s*,\s*y\s*=\s*(?P<y>[0-9]+)\s*(?:,\s*rule\s*=\s*(?P<rule>\S.*?))?\s*")
_POSITION = re.compile(r"#CXRLE.*?\bPos\s*=\s*(-?[0-9]{1,18})\s*,\s*(-?[0-9]{1,18})\b")

# As many whole items as 70 characters hold: one ends at anything but a digit or a prefix.
_LINE = re.compile(r".{1,70}(?<![0-9p-y])")

# State 0 is `.`, 1..24 are A..X, 25..48 are pA..pX, ..., 241..255 are yA..yO.
_LETTERS = (".", *(f"{prefix}{letter}" for prefix in ("", *"pqrstuvwxy") for letter in "ABCDEFGHIJKLMNOPQRSTUVWX"))[:256]


def read(source: Source) -> Pattern:
    """Return the pattern an RLE text stands for; `Pattern.parse` says what is accepted."""
    return _Reader(source).read()


def write(pattern: Pattern) -> str:
    """Return a pattern as RLE; `Pattern.text` says how."""
    head = [f"#N {pattern.name}"] if pattern.name is not None else []
    if pattern.origin is not None and not any(line.startswith("#CXRLE") for line in pattern.comments):
        head.append(f"#CXRLE Pos={pattern.origin[1]},{pattern.origin[0]}")
    head.extend(pattern.comments)
    if any(not line.startswith("#") or "\n" in line or "\r" in line for line in head):
        raise ValueError("a comment of a pattern is one line that starts with #")
    height, width = pattern.cells.shape
    header = f"x = {width}, y = {height}" + (f", rule = {pattern.rule}" if pattern.rule else "")
    if pattern.size is not None:
        if not pattern.rule or not pattern.boundary or height > pattern.size[0] or width > pattern.size[1]:
            raise ValueError("a bounded grid stands behind a rule, has a boundary and is at least as large as its pattern")
        header += bounds.write(pattern.boundary, pattern.size)
    states = parse_rule(pattern.rule, dimensions=2).states if pattern.rule else 256
    highest = int(pattern.cells.max(initial=0))
    if highest >= states:
        raise ValueError(f"{pattern.rule} has no state {highest}")
    letters = _LETTERS if highest > 1 or (pattern.rule and states > 2) else ("b", "o")
    return "\n".join([*head, header, *_LINE.findall(_body(pattern.cells, letters))]) + "\n"


class _Reader:
    """Reads one RLE text."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._name: str | None = None
        self._comments: list[str] = []
        self._origin: tuple[int, int] | None = None
        self._older_rule: tuple[int, str] | None = None

    def read(self) -> Pattern:
        at, header = self._head()
        (height, width), rule, grid = self._header(at, header)
        start = min(at + len(header) + 1, len(self._source.text))
        body = self._body(start)
        cells = np.zeros((height, width), dtype=np.uint8)
        Runs(self._source, start, cells, rule).read(body)
        if start + len(body) >= len(self._source.text):
            raise self._source.refuse(self._source.end, "ends without `!`")
        boundary, size = grid or (None, None)
        name = None if rule is None else str(rule)
        return Pattern(cells, name, self._name, tuple(self._comments), boundary, size, self._origin)

    def _head(self) -> tuple[int, str]:
        """Take in the comments at the top; return place and text of the header."""
        at = 0
        while (found := self._source.line_at(at)) is not None:
            start, line = found
            if not line.startswith("#"):
                return found
            self._comment(start, line)
            at = start + len(line) + 1
        raise self._source.refuse(self._source.end, "no header; `x = WIDTH, y = HEIGHT` is expected")

    def _comment(self, at: int, line: str) -> None:
        position = _POSITION.match(line)
        if line.startswith("#N") and self._name is None:
            self._name = line[2:].strip()
            return
        if line.startswith("#r"):
            self._older_rule = at, line[2:].strip()
        if position:
            self._origin = int(position[2]), int(position[1])
        self._comments.append(line.rstrip())
        if len(self._comments) > MOST_COMMENTS:
            raise self._source.refuse(at, f"more than {MOST_COMMENTS:,} comment lines are not read")

    def _header(self, at: int, line: str) -> tuple[tuple[int, int], Rule | None, tuple[Boundary, tuple[int, int]] | None]:
        """Return size of the pattern, its rule and its grid."""
        match = _HEADER.fullmatch(line) if len(line) <= MOST_HEADER else None
        if match is None:
            accepted = "`x = WIDTH, y = HEIGHT` or `x = WIDTH, y = HEIGHT, rule = B3/S23` is"
            raise self._source.refuse(at, f"{short(line)} is not a header; {accepted}")
        if max(len(match["x"]), len(match["y"])) > 18:
            raise self._source.refuse(at, f"{short(match['x'])} x {short(match['y'])} cells fit no memory")
        width, height = int(match["x"]), int(match["y"])
        problem = too_large(height, width)
        if problem:
            raise self._source.refuse(at, problem)
        if match["rule"] is not None:
            rule, grid = self._rule(at, match["rule"])
        elif self._older_rule is not None:
            rule, grid = self._rule(*self._older_rule)
        else:
            return (height, width), None, None
        if grid and (height > grid[1][0] or width > grid[1][1]):
            raise self._source.refuse(at, f"a pattern of {width} x {height} does not fit its grid of {grid[1][1]} x {grid[1][0]}")
        return (height, width), rule, grid

    def _rule(self, at: int, text: str) -> tuple[Rule, tuple[Boundary, tuple[int, int]] | None]:
        text, colon, grid = text.partition(":")
        try:
            return parse_rule(text, dimensions=2), bounds.read(grid) if colon else None
        except InputError as error:
            raise self._source.refuse(at, f"rule: {error.what}") from None
        except ValueError as error:
            raise self._source.refuse(at, str(error)) from None

    def _body(self, start: int) -> str:
        """Return the runs up to `!` or the end, as long as in the source, with blanks for comments, which are taken in."""
        text = self._source.text
        pieces: list[str] = []
        at, end = start, -1
        while True:
            if end < at:
                end = text.find("!", at)
                end = end if end >= 0 else len(text)
            comment = text.find("\n#", max(0, at - 1), end) + 1
            if not comment:
                return "".join([*pieces, text[at:end]])
            line_end = text.find("\n", comment)
            line = text[comment : line_end if line_end >= 0 else len(text)]
            self._comment(comment, line)
            pieces += [text[at:comment], " " * len(line)]
            at = comment + len(line)


def _body(cells: Cells, letters: tuple[str, ...]) -> str:
    """Return the body as one line, dead cells at the end of a row and empty rows at the end left out."""
    pieces: list[str] = []
    skipped = 0
    for row in cells if cells.size else ():
        edges = np.flatnonzero(row[1:] != row[:-1]) + 1
        starts = np.append(0, edges)
        states = row[starts].tolist()
        counts = np.diff(starts, append=len(row)).tolist()
        if states[-1] == 0:
            states.pop()
        if states and skipped:
            pieces.append("$" if skipped == 1 else f"{skipped}$")
            skipped = 0
        pieces += [
            letters[state] if count == 1 else f"{count}{letters[state]}" for state, count in zip(states, counts[: len(states)], strict=True)
        ]
        skipped += 1
    return "".join([*pieces, "!"])
