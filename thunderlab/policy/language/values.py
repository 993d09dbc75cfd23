"""The values policies compute with. Booleans, integers and strings are Python's own; everything else is here.

Cedar never takes `true` for `1`, Python does: values are compared with `equal`, and kept in sets by their `key`.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


class Uid(msgspec.Struct, frozen=True, order=True, cache_hash=True, gc=False):
    r"""The name of an entity.

    Attributes:
        type: its type, with its namespaces: `Lab::Agent`.
        id: which one of them.

    >>> str(Uid("Lab::Agent", 'the "first"'))
    'Lab::Agent::"the \\"first\\""'
    """

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}::{quoted(self.id)}"


class Decimal(msgspec.Struct, frozen=True, order=True, gc=False):
    """A decimal number with four places: `units` ten-thousandths, of 64 bits."""

    units: int


class Datetime(msgspec.Struct, frozen=True, order=True, gc=False):
    """A moment: milliseconds since 1970-01-01T00:00:00Z, of 64 bits."""

    ms: int


class Duration(msgspec.Struct, frozen=True, order=True, gc=False):
    """A span of time in milliseconds, of 64 bits."""

    ms: int


class Address(msgspec.Struct, frozen=True, gc=False):
    """An IP address, or a range of them.

    Attributes:
        version: 4 or 6.
        number: the address as an integer, with the bits behind the prefix as they were written.
        prefix: how many bits lead; all of them for a single address.
    """

    version: int
    number: int
    prefix: int


class _Truth(Enum):
    """What stands for a boolean in a set, where Python would take it for 0 or 1."""

    TRUE = True
    FALSE = False


TRUE, FALSE = _Truth.TRUE, _Truth.FALSE


class Set(msgspec.Struct, frozen=True, gc=False):
    """A set: the `key` of each of its values."""

    keys: frozenset[Any]


class Record(dict[str, Any]):
    """A record: its attributes by name. Never changed once it was made; equal to another when all attributes are `equal`."""

    __slots__ = ("_keys",)

    _keys: frozenset[tuple[str, Any]]

    @property
    def keyed(self) -> frozenset[tuple[str, Any]]:
        """Its attributes by their keys, made once."""
        try:
            return self._keys
        except AttributeError:
            self._keys = frozenset((name, key(value)) for name, value in self.items())
            return self._keys

    def __eq__(self, other: object) -> bool:
        return type(other) is Record and self.keyed == other.keyed

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]
        # A dictionary that never changes can have one.
        return hash(self.keyed)


Value = bool | int | str | Uid | Decimal | Datetime | Duration | Address | Set | Record


def key(value: Any) -> Any:
    """Return what stands for a value in a set: itself, unless it is a boolean.

    >>> key(True), key(1), key(True) == key(1)
    (<_Truth.TRUE: True>, 1, False)
    """
    if value is True:
        return TRUE
    return FALSE if value is False else value


def unkeyed(key: Any) -> Any:
    """Return the value that a key stands for."""
    return key.value if type(key) is _Truth else key


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are the same one in Cedar: of one type, and equal.

    >>> equal(1, 1), equal(1, True), equal(Set(frozenset({key(True)})), Set(frozenset({1})))
    (True, False, False)
    """
    return type(left) is type(right) and bool(left == right)


def quoted(text: str) -> str:
    r"""Return a string as Cedar writes it.

    >>> print(quoted('a "b"'))
    "a \"b\""
    """
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
    return '"' + "".join(escapes.get(one, one if one.isprintable() else f"\\u{{{ord(one):x}}}") for one in text) + '"'
