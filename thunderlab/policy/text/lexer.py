r"""Words and signs of Cedar text, policies and schemas alike, with the places where they stand; no grammar.

The words are those of Cedar's own lexer (https://docs.cedarpolicy.com/policies/syntax-grammar.html): identifiers, numbers, strings in double
quotes with backslash escapes, signs, and comments from `//` to the end of the line. Time and memory are linear: one regular expression that
never goes back walks over the text once.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from thunderlab.errors import InputError

NAME, NUMBER, STRING, SLOT, SIGN = "name", "number", "string", "slot", "sign"

_WORD = re.compile(
    r"""[ \t\r\n]++ | //[^\r\n]*+
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*+) | (?P<number>[0-9]++) | (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+") | (?P<slot>\?[A-Za-z_][A-Za-z0-9_]*+)
    | (?P<sign>::|==|!=|<=|>=|\|\||&&|[@.,;:(){}\[\]<>=+*/%!?-])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:(?P<one>[nrt0\\'\"])|x(?P<byte>[0-7][0-9A-Fa-f])|u\{(?P<point>[0-9A-Fa-f]{1,6})\})")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"'}


class Token(NamedTuple):
    """One word or sign.

    Attributes:
        kind: `name`, `number`, `string`, `slot` (`?principal`) or `sign`.
        text: as it stands, a string with its quotes.
        start: its first character's place in the text, from 0.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind its last character."""
        return self.start + len(self.text)


class Lines:
    r"""Which line, from 1, a place in a text lies in.

    >>> Lines("a\nb").of(2)
    2
    """

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def of(self, place: int) -> int:
        """Return the line of a place from 0."""
        return bisect_right(self._starts, place)


def tokens(text: str, where: object = None) -> Iterator[Token]:
    """Yield the words and signs of a text, without spaces and comments.

    Args:
        text: of any length; what `lookalikes.check` accepts.
        where: what to call it in messages.

    Raises:
        InputError: with the line of a string that does not end, or of a character that is no part of the language.

    >>> [token.text for token in tokens('a.b == "c" // d')]
    ['a', '.', 'b', '==', '"c"']
    """
    place, end = 0, len(text)
    while place < end:
        found = _WORD.match(text, place)
        if found is None:
            raise InputError(_stray(text[place]), where=where, field=f"line {Lines(text).of(place)}")
        if found.lastgroup is not None:
            yield Token(found.lastgroup, found.group(), place)
        place = found.end()


def _stray(character: str) -> str:
    if character == '"':
        return "a string starts here that does not end"
    return f"{character} is no part of the language" if character.isascii() else f"{named(character)} outside a string and a comment"


def named(character: str) -> str:
    r"""Return how messages call a character.

    >>> named("\u0430")
    'U+0430 CYRILLIC SMALL LETTER A'
    """
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def unescaped(literal: str) -> str:
    r"""Return what a string literal, with its quotes, stands for.

    Raises:
        ValueError: for an escape that Cedar does not know.

    >>> unescaped(r'"\u{41}\n"')
    'A\n'
    """

    def one(found: re.Match[str]) -> str:
        if found["one"]:
            return _ESCAPES[found["one"]]
        code = int(found["byte"] or found["point"], 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ValueError(found.group())
        return chr(code)

    body = literal[1:-1]
    if "\\" not in body:
        return body
    if "\\" in _ESCAPE.sub("", body):
        raise ValueError(literal)
    return _ESCAPE.sub(one, body)
