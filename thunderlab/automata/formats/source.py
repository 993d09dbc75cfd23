"""A text that is being read: where it came from, its lines, and the sentence that refuses a place in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from thunderlab.automata.pattern import MOST_CELLS, MOST_SIDE
from thunderlab.errors import InputError

# Far more than anybody writes; with more, a small file could hold memory and time for long.
MOST_COMMENTS = 10_000
MOST_LINES = 1 << 17

_SOMETHING = re.compile(r"\S")


@dataclass(frozen=True)
class Source:
    r"""A text with `\n` line ends.

    Attributes:
        text: what is read.
        where: the file it came from, for messages.
        field: the field inside that file, for messages.
    """

    text: str
    where: object = None
    field: str | None = None

    @classmethod
    def of(cls, text: str, where: object = None, field: str | None = None) -> Source:
        r"""Return a text made ready: without a byte order mark, and with one kind of line end.

        >>> Source.of("\ufeffx = 0\r\n!").text
        'x = 0\n!'
        """
        return cls(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"), where, field)

    @property
    def end(self) -> int:
        """The place of the last character, 0 in an empty text."""
        return max(0, len(self.text) - 1)

    def line_at(self, at: int) -> tuple[int, str] | None:
        """Return place and text of the first line from `at` on that is not blank, or None when there is none.

        Args:
            at: the start of a line.
        """
        something = _SOMETHING.search(self.text, at)
        if something is None:
            return None
        start = self.text.rfind("\n", 0, something.start()) + 1
        end = self.text.find("\n", start)
        return start, self.text[start : end if end >= 0 else len(self.text)]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield place and text of every line.

        Raises:
            InputError: there are more than 2**17.
        """
        if self.text.count("\n") > MOST_LINES:
            raise self.refuse(0, f"more than {MOST_LINES:,} lines are not read")
        at = 0
        for line in self.text.split("\n"):
            yield at, line
            at += len(line) + 1

    def refuse(self, at: int, what: str) -> InputError:
        """Return the error that names the line of the character at place `at`."""
        line = f"line {self.text.count(chr(10), 0, at) + 1} of the pattern"
        return InputError(what, where=self.where, field=line if self.field is None else f"{self.field}: {line}")


def too_large(height: int, width: int) -> str | None:
    """Return why a pattern of this size is refused, with the memory it would need, or None when it is accepted.

    >>> too_large(65_536, 65_536)
    '65536 x 65536 is 4,294,967,296 cells, which would need 4.0 GiB; at most 67,108,864 are accepted'
    """
    cells = width * height
    if cells > MOST_CELLS:
        return f"{width} x {height} is {cells:,} cells, which would need {cells / 2**30:,.1f} GiB; at most {MOST_CELLS:,} are accepted"
    if max(height, width) > MOST_SIDE:
        return f"{width} x {height} is too long: a pattern is at most {MOST_SIDE} cells wide and high"
    return None


def short(text: str) -> str:
    """Return a text cut to forty characters, for messages.

    >>> short("9" * 50)
    '9999999999999999999999999999999999999...'
    """
    text = text[:200].strip()
    return text if len(text) <= 40 else text[:37] + "..."
