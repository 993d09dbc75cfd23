"""The commonest tests of all: an attribute of the context held against what is written down.

Each is one function, where the general ones call another to get the attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from thunderlab.policy.closures.lookups import missing
from thunderlab.policy.closures.operators import OPERATORS, boolean

if TYPE_CHECKING:
    from thunderlab.policy.requests.request import Request

Test = Callable[["Request"], bool]


def holds(name: str) -> Test:
    """Return the test whether an attribute, which must be a boolean, is true."""

    def test(request: Request) -> bool:
        try:
            value = request.context[name]
        except KeyError:
            raise missing(name) from None
        return value if value is True or value is False else boolean(value)

    return test


def equals(name: str, value: Any) -> Test:
    """Return the test whether an attribute is a certain string or entity; Python takes nothing else for one."""

    def test(request: Request) -> bool:
        try:
            return request.context[name] == value  # type: ignore[no-any-return]
        except KeyError:
            raise missing(name) from None

    return test


def one_of(name: str, values: frozenset[Any]) -> Test:
    """Return the test whether an attribute is one of certain strings and entities."""

    def test(request: Request) -> bool:
        try:
            return request.context[name] in values
        except KeyError:
            raise missing(name) from None

    return test


def less(name: str, limit: int) -> Test:
    """Return the test whether an attribute is less than an integer."""
    general = OPERATORS["<"]

    def test(request: Request) -> bool:
        try:
            value = request.context[name]
        except KeyError:
            raise missing(name) from None
        return value < limit if type(value) is int else general(value, limit)

    return test


def at_most(name: str, limit: int) -> Test:
    """Return the test whether an attribute is an integer or less."""
    general = OPERATORS["<="]

    def test(request: Request) -> bool:
        try:
            value = request.context[name]
        except KeyError:
            raise missing(name) from None
        return value <= limit if type(value) is int else general(value, limit)

    return test


def more(name: str, limit: int) -> Test:
    """Return the test whether an attribute is more than an integer."""
    general = OPERATORS[">"]

    def test(request: Request) -> bool:
        try:
            value = request.context[name]
        except KeyError:
            raise missing(name) from None
        return value > limit if type(value) is int else general(value, limit)

    return test


def at_least(name: str, limit: int) -> Test:
    """Return the test whether an attribute is an integer or more."""
    general = OPERATORS[">="]

    def test(request: Request) -> bool:
        try:
            value = request.context[name]
        except KeyError:
            raise missing(name) from None
        return value >= limit if type(value) is int else general(value, limit)

    return test


COMPARISONS: dict[str, Callable[[str, int], Test]] = {"<": less, "<=": at_most, ">": more, ">=": at_least}
