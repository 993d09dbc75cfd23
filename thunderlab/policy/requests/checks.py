"""What is wrong with a JSON value, said so that it can be found; and the checks that every reader of values makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thunderlab.policy.language.names import is_sound
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN

MOST_SHOWN = 60
"""How much of a string is shown in a message."""


class UnfitError(ValueError):
    """A JSON value that cannot be read: its text says which part, and what is accepted.

    Args:
        what: what is wrong with it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path: list[str | int] = []

    def within(self, step: str | int) -> UnfitError:
        """Return the error itself, after noting the attribute or place that holds what is wrong."""
        self.path.append(step)
        return self

    def __str__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(self.path)).removeprefix(".")
        return f"{path}: {self.what}" if path else self.what


def check_text(text: str) -> str:
    """Return a string that is one of Unicode.

    Raises:
        UnfitError: when it holds half a surrogate pair.
    """
    if not text.isascii() and not is_sound(text):
        raise UnfitError(f"{shown(text)} holds half a surrogate pair, which is no character")
    return text


def check_integer(number: int) -> int:
    """Return an integer of 64 bits.

    Raises:
        UnfitError: when it has more.
    """
    if not LONG_MIN <= number <= LONG_MAX:
        raise UnfitError(f"an integer of {number.bit_length()} bits is beyond 64")
    return number


def shown(document: Any) -> str:
    """Return a few words that show a value in a message, however large it is."""
    if isinstance(document, int) and not isinstance(document, bool) and not LONG_MIN <= document <= LONG_MAX:
        return f"an integer of {document.bit_length()} bits"
    if isinstance(document, str):
        return repr(document if len(document) <= MOST_SHOWN else document[:MOST_SHOWN] + "…")
    if document is None:
        return "null"
    if isinstance(document, bool | int | float):
        return str(document).lower()
    return "an object" if isinstance(document, Mapping) else "a list" if isinstance(document, list | tuple) else type(document).__name__
