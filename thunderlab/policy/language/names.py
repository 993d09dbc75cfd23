"""How types of entities and entities are named: which names Cedar takes, and the text form of a uid."""

from __future__ import annotations

import re
import unicodedata

from thunderlab.policy.language.values import Uid

RESERVED = frozenset({"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"})
"""What cannot be part of a type's name (https://docs.cedarpolicy.com/policies/syntax-grammar.html)."""

_PATH = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*(?:::[_a-zA-Z][_a-zA-Z0-9]*)*")
_WRITTEN = re.compile(rf'({_PATH.pattern})::"((?:\\.|[^"\\])*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|x([0-7][0-9a-fA-F])|(.))", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
_ESCAPED = {character: "\\" + letter for letter, character in _PLAIN_ESCAPES.items()}
_COMBINING = ("Mn", "Me")
_MOST_SHOWN = 60
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
# Characters that are drawn as nothing (Unicode's Default_Ignorable_Code_Point) though Python calls them printable.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def is_type_name(text: str) -> bool:
    """Return whether Cedar takes a text for the name of a type: identifiers joined by `::`, none of them reserved.

    >>> is_type_name("Lab::Agent"), is_type_name("Lab:: Agent"), is_type_name("Lab::if")
    (True, False, False)
    """
    return _PATH.fullmatch(text) is not None and RESERVED.isdisjoint(text.split("::"))


def is_action_type(name: str) -> bool:
    """Return whether a type is one of actions: its last part is `Action`.

    >>> is_action_type("Lab::Action"), is_action_type("Lab::Reaction")
    (True, False)
    """
    return name == "Action" or name.endswith("::Action")


def is_sound(text: str) -> bool:
    r"""Return whether a string is one of Unicode: a lone half of a surrogate pair cannot be written as UTF-8, and no digest covers it.

    >>> is_sound("é"), is_sound("\ud800")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unescaped(text: str) -> str:
    r"""Return what stands between the quotes of a Cedar string, without its escapes.

    Escapes are Rust's: `\n`, `\r`, `\t`, `\0`, `\\`, `\"`, `\'`, `\x41`, `\u{1f600}`.

    Raises:
        ValueError: when there is an escape of another kind, or one of no character.

    >>> unescaped(r'the \"first\"\u{21}')
    'the "first"!'
    """

    def one(found: re.Match[str]) -> str:
        long, short, letter = found.groups()
        if letter is not None:
            if letter not in _PLAIN_ESCAPES:
                raise ValueError(f"{found[0]!r} is no escape")
            return _PLAIN_ESCAPES[letter]
        number = int(long or short, 16)
        if number > _LAST_CHARACTER or number in _SURROGATES:
            raise ValueError(f"{found[0]!r} is no character")
        return chr(number)

    return _ESCAPE.sub(one, text)


def uid_from_text(text: str) -> Uid:
    r"""Return the uid that Cedar writes so: `User::"alice"`.

    Cedar takes each uid in one spelling only, so that nobody passes one off as another (its RFC 9): without spaces, and with exactly
    those characters of the id escaped that are quotes, cannot be seen, or would merge with the quote before them.

    Raises:
        ValueError: when it is not written so.

    >>> uid_from_text('Lab::Agent::"a \\"b\\""')
    Uid(type='Lab::Agent', id='a "b"')
    """
    found = _WRITTEN.fullmatch(text)
    if found is None or not is_type_name(found[1]):
        raise ValueError(f'{text[:_MOST_SHOWN]!r} is no uid, which is written like User::"alice"')
    uid = Uid(found[1], unescaped(found[2]))
    if _as_cedar_writes(uid.id) != found[2]:
        raise ValueError(f"{text[:_MOST_SHOWN]!r} is not spelled as Cedar spells it, where quotes and what cannot be seen are escaped")
    return uid


def _as_cedar_writes(id: str) -> str:
    return "".join(
        _ESCAPED.get(one) or (one if _is_seen(one, first=place == 0) else f"\\u{{{ord(one):x}}}") for place, one in enumerate(id)
    )


def _is_seen(character: str, *, first: bool) -> bool:
    if first and unicodedata.category(character) in _COMBINING:
        return False
    return character.isprintable() and _UNSEEN.match(character) is None
