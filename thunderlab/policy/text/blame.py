"""Where a text is wrong that Cedar's parser refuses: its errors say what they found, but not on which line.

The word is found by what the message names, or by asking the parser again: since a grammar is read from left to right, the culprit is the first
word up to which the text does more than miss its end.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from thunderlab.policy.text.lexer import NUMBER, Lines, Token, tokens

Complaint = Callable[[str], str | None]

_NAMED = re.compile(r"(?:found template slot |@)(\??[A-Za-z_][A-Za-z0-9_]*)|`([^`]+)`")
# A message may repeat all that stands in a text.
_LOOKED_AT = 500
_MOST_SAID = 300
_AT_A_WORD = ("unexpected token", "invalid token")


def culprit(policy: str, what: str, complaint: Complaint) -> int:
    """Return the place, from 0, of the word in a policy that is to blame.

    Args:
        policy: one policy, refused by Cedar's parser.
        what: what that says.
        complaint: asks it what it says against another text, None when nothing.

    >>> culprit("permit(a, b c);", "invalid variable: b", lambda _: None)
    10
    """
    words = list(tokens(policy))
    if "end of input" in what:
        return words[-1].start
    if any(said in what for said in _AT_A_WORD):
        return _first_wrong(policy, words, complaint).start
    if "integer parse error" in what:
        return next((word.start for word in words if word.kind == NUMBER and _too_large(word.text)), 0)
    named = _named(what)
    found = [word.start for name in named for word in words if word.text == name]
    found = found or [word.start for name in named for word in words if name in word.text]
    return (found[-1] if "duplicate" in what else found[0]) if found else 0


def schema_line(schema: str, what: str, complaint: Complaint) -> int | None:
    """Return the line of a schema that is to blame, None when it cannot be told; the arguments are those of `culprit`."""
    words, lines = list(tokens(schema)), Lines(schema)
    if not words:
        return None
    if "end of input" in what:
        return lines.of(words[-1].start)
    if any(said in what for said in _AT_A_WORD):
        return lines.of(_first_wrong(schema, words, complaint).start)
    found = [word.start for name in _named(what) for word in words if word.text.strip('"') == name.split("::")[-1].strip('"')]
    return lines.of(found[-1] if "twice" in what else found[0]) if found else None


def cut(what: str) -> str:
    """Return a message as one line of a length that people read.

    >>> len(cut("expected " + "x" * 10_000))
    302
    """
    line = " ".join(what.split())
    return line if len(line) <= _MOST_SAID else f"{line[:_MOST_SAID]} …"


def _first_wrong(text: str, words: list[Token], complaint: Complaint) -> Token:
    low, high = 0, len(words)
    while high - low > 1:
        middle = (low + high) // 2
        what = complaint(text[: words[middle - 1].end]) or ""
        low, high = (low, middle) if any(said in what for said in _AT_A_WORD) else (middle, high)
    return words[low]


def _too_large(digits: str) -> bool:
    digits = digits.lstrip("0")
    return len(digits) > 20 or int(digits or "0") >= 2**64  # what fits in these bits is refused later, by its name


def _named(what: str) -> list[str]:
    """Return what a message names: words in backticks, slots and annotations; its last word when there are none."""
    found = (name or quoted for name, quoted in _NAMED.findall(what[:_LOOKED_AT]))
    return list(dict.fromkeys(found)) or [what[-_LOOKED_AT:].rsplit(" ", 1)[-1]]
