r"""Characters that make a text show something else than it means.

A policy is read by people before it is trusted, so nothing in it may be invisible, change the order in which it is shown, or pass for
something else (https://www.unicode.org/reports/tr36/, https://trojansource.codes). Whoever needs such a character in a string writes it as an
escape, `\u{202e}`, which shows itself.
"""

from __future__ import annotations

import re
import unicodedata

from thunderlab.errors import InputError
from thunderlab.policy.text.lexer import STRING, Lines, Token, named

# Unicode's Default_Ignorable_Code_Points that are neither format characters nor unassigned, and the blank pattern of Braille: drawn as nothing.
_INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10)}
_INVISIBLE |= set(range(0xE0100, 0xE01F0))
_HIDDEN = {
    "Cc": "a control character",
    "Cf": "an invisible format character",
    "Cs": "half a character",
    "Zl": "a line break",
    "Zp": "a line break",
}
_SHOWN = {"Cn": "no character yet", "Co": "a private character", "Zs": "a space that is none"}

# Scripts that are at home in one word, beside Latin letters: https://www.unicode.org/reports/tr39/, "highly restrictive".
_TOGETHER = (
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "IDEOGRAPHIC", "HANGUL"}),
)
# Cyrillic and Greek letters that are drawn as a Latin one: a word of these alone reads as a Latin word.
_AS_LATIN = frozenset("асԁеһіјӏорԛѕυѵԝхуАВЅЕНІЈКМОРСТХУԌԜҮαινοικρΑΒΕΖΗΙΚΜΝΟΡΤΥΧ")
_WORD = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\(?:u\{[0-9A-Fa-f]*\}|x[0-9A-Fa-f]{2}|.)", re.DOTALL)


def hidden(character: str) -> str | None:
    r"""Return what makes a character invisible, None when one sees it (or it is a space, a tab or the end of a line).

    >>> hidden("\u200b"), hidden("é")
    ('an invisible format character', None)
    """
    if character in "\t\n\r":
        return None
    return "an invisible character" if ord(character) in _INVISIBLE else _HIDDEN.get(unicodedata.category(character))


def check_hidden(text: str, where: object = None) -> None:
    """Refuse a text with a character in it that one cannot see.

    Raises:
        InputError: for the first one, with its line and its name.
    """
    lone = re.search(r"\r(?!\n)", text)
    if lone:  # it ends a comment, but most editors show what follows as a part of it
        advice = "U+000D CARRIAGE RETURN without a line feed is a line break that few see; use line feeds, or write it as \\r in a string"
        raise InputError(advice, where=where, field=f"line {Lines(text).of(lone.start())}")
    found = {character: what for character in set(text) if (what := hidden(character))}
    if not found:
        return
    place = min(map(text.index, found))
    character = text[place]
    advice = f"write it as \\u{{{ord(character):x}}} in a string" if unicodedata.category(character) != "Cs" else "text is expected"
    raise InputError(f"{named(character)} is {found[character]}; {advice}", where=where, field=f"line {Lines(text).of(place)}")


def misleading(literal: str) -> str | None:
    r"""Return what in a string literal passes for something else, None when nothing does. Escapes are not looked at: they show themselves.

    >>> misleading('"\u0430dmin"')
    'mixes letters of different scripts (CYRILLIC, LATIN) in one word'
    >>> misleading('"Привет, José"'), misleading(r'"\u{430}dmin"')
    (None, None)
    """
    if literal.isascii():
        return None
    shown = _ESCAPE.sub(" ", literal)
    for character in sorted(set(shown)):
        if character.isascii():
            continue
        what = _SHOWN.get(unicodedata.category(character))
        if what is None and not unicodedata.normalize("NFKC", character).isascii() and not _has_ascii(character):
            continue
        return f"holds {named(character)}, {what or 'which passes for ' + repr(unicodedata.normalize('NFKC', character))}"
    if unicodedata.normalize("NFC", shown) != shown:
        return "is not in Unicode's normal form NFC: it looks like another string"
    return next((what for word in _WORD.findall(shown) if not word.isascii() and (what := _mixed(word))), None)


def _has_ascii(character: str) -> bool:
    return any(part.isascii() for part in unicodedata.normalize("NFKC", character))


def _mixed(word: str) -> str | None:
    letters = [one for one in word if unicodedata.category(one)[0] == "L"]
    scripts = {unicodedata.name(one, "unnamed").split(" ")[0] for one in letters if unicodedata.category(one) != "Lm"}
    if len(scripts) > 1 and not any(scripts <= group for group in _TOGETHER):
        return f"mixes letters of different scripts ({', '.join(sorted(scripts))}) in one word"
    if letters and _AS_LATIN.issuperset(letters):
        return f"holds a word of {scripts.pop().capitalize()} letters that reads as a Latin one"
    return None


def check_string(token: Token, lines: Lines, where: object = None) -> None:
    """Refuse a string that passes for another one.

    Raises:
        InputError: with its line; other tokens are fine.
    """
    what = misleading(token.text) if token.kind == STRING else None
    if what:
        raise InputError(f"the string {what}; write such characters as \\u{{...}}", where=where, field=f"line {lines.of(token.start)}")
