"""Which format a text is in, told by what it holds."""

from __future__ import annotations

import re

from thunderlab.automata.formats import life105, life106, plaintext, rle
from thunderlab.automata.formats.source import MOST_COMMENTS, Source, short
from thunderlab.automata.pattern import Pattern

_ACCEPTED = "accepted: RLE (`x = 3, y = 3`), plaintext (rows of `.` and `O`), `#Life 1.05` and `#Life 1.06`"
_HEADER = re.compile(r"\s*x\s*=")
_DRAWN = ".O* \t"
# The first characters of other formats people have: saying which one it is beats "not a pattern".
_FOREIGN = {"[M2]": "a macrocell file", "#MCell": "an MCell file", "@RULE": "a rule table"}


def read(source: Source, ending: str) -> Pattern:
    r"""Return the pattern a text stands for, in whichever format it is.

    Args:
        source: the text.
        ending: of the file's name, such as `.rle`; decides only where the text does not tell.

    Raises:
        InputError: naming the line, what is wrong and what is accepted.

    >>> read(Source("x = 2, y = 1\n2o!"), ".cells").cells.tolist()
    [[1, 1]]
    >>> read(Source(".O\nO\n"), ".txt").cells.tolist()
    [[0, 1], [1, 0]]
    """
    first = source.line_at(0)
    if first is None:
        raise source.refuse(0, f"is empty; {_ACCEPTED}")
    at, line = first
    for sign, called in _FOREIGN.items():
        if line.startswith(sign):
            raise source.refuse(at, f"is {called}, which is not read here; {_ACCEPTED}")
    if line.startswith("#Life"):
        version = line[5:].strip()
        if version not in ("1.05", "1.06"):
            raise source.refuse(at, f"{short(line)} is not a version read here; {_ACCEPTED}")
        return life105.read(source) if version == "1.05" else life106.read(source)
    telling = _first_of_substance(source)
    if telling is not None and _HEADER.match(telling):
        return rle.read(source)
    if line.startswith("!") or not line.strip(_DRAWN):
        return plaintext.read(source)
    if ending.lower() == ".rle":
        return rle.read(source)
    if ending.lower() == ".cells":
        return plaintext.read(source)
    raise source.refuse(at, f"{short(line)} does not start a pattern; {_ACCEPTED}")


def _first_of_substance(source: Source) -> str | None:
    """Return the first line that is neither blank nor a `#` line."""
    at = 0
    for _ in range(MOST_COMMENTS + 1):
        found = source.line_at(at)
        if found is None:
            return None
        start, line = found
        if not line.startswith("#"):
            return line
        at = start + len(line) + 1
    raise source.refuse(at - 1, f"more than {MOST_COMMENTS:,} comment lines are not read")
