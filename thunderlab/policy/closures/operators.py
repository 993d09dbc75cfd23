"""What Cedar's strict operators do: those that have all their operands evaluated before.

Each takes values and returns one, or raises `EvaluationError`: the policy it stands in is then skipped, and listed.
Rules: https://docs.cedarpolicy.com/policies/syntax-operators.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from thunderlab.policy.language.extensions import FUNCTIONS
from thunderlab.policy.language.values import (
    LONG_MAX,
    LONG_MIN,
    Address,
    Datetime,
    Decimal,
    Duration,
    Record,
    Set,
    Uid,
    equal,
    key,
)

NAMES: dict[type, str] = {
    bool: "bool",
    int: "long",
    str: "string",
    Uid: "entity",
    Decimal: "decimal",
    Datetime: "datetime",
    Duration: "duration",
    Address: "ipaddr",
    Set: "set",
    Record: "record",
}
_ORDERED = (int, Datetime, Duration)


class EvaluationError(Exception):
    """An expression has no value; the text says why."""


def wanted(what: str, value: Any) -> NoReturn:
    """Refuse a value that is of the wrong type.

    Raises:
        EvaluationError: always.
    """
    raise EvaluationError(f"expected {what}, got {NAMES[type(value)]}")


def less(left: Any, right: Any) -> bool:
    """Return whether one integer, moment or duration is less than another of the same type.

    >>> less(1, 2), less(Duration(2), Duration(2))
    (True, False)
    """
    _ordered(left, right)
    return bool(left < right)


def at_most(left: Any, right: Any) -> bool:
    """Return whether one integer, moment or duration is at most another of the same type.

    >>> at_most(2, 1), at_most(Duration(2), Duration(2))
    (False, True)
    """
    _ordered(left, right)
    return bool(left <= right)


def add(left: Any, right: Any) -> int:
    """Return a sum of 64 bits."""
    _longs(left, right)
    return bounded(left + right)


def subtract(left: Any, right: Any) -> int:
    """Return a difference of 64 bits."""
    _longs(left, right)
    return bounded(left - right)


def multiply(left: Any, right: Any) -> int:
    """Return a product of 64 bits."""
    _longs(left, right)
    return bounded(left * right)


def negate(value: Any) -> int:
    """Return the negative of an integer; the least one of 64 bits has none."""
    if type(value) is not int:
        wanted("long", value)
    return bounded(-value)


def bounded(number: int) -> int:
    """Return an integer that is one of 64 bits.

    Raises:
        EvaluationError: when it is not.

    >>> bounded(2**63 - 1) == 2**63 - 1
    True
    """
    if not LONG_MIN <= number <= LONG_MAX:
        raise EvaluationError("integer overflow")
    return number


def invert(value: Any) -> bool:
    """Return the opposite of a boolean."""
    return not boolean(value)


def boolean(value: Any) -> bool:
    """Return a value that is a boolean."""
    if value is True or value is False:
        return value
    wanted("bool", value)


def contains(container: Any, value: Any) -> bool:
    """Return whether a value is in a set."""
    if type(container) is not Set:
        wanted("set", container)
    return key(value) in container.keys


def contains_all(container: Any, values: Any) -> bool:
    """Return whether all of one set are in another."""
    _sets(container, values)
    return bool(values.keys <= container.keys)


def contains_any(container: Any, values: Any) -> bool:
    """Return whether two sets have something in common."""
    _sets(container, values)
    return not container.keys.isdisjoint(values.keys)


def is_empty(container: Any) -> bool:
    """Return whether a set has nothing in it."""
    if type(container) is not Set:
        wanted("set", container)
    return not container.keys


def like(text: Any, pattern: tuple[str, ...]) -> bool:
    """Return whether a string is made of a pattern's pieces, with anything in between them.

    The first place at which a piece is found leaves the most room for those behind it, so nothing is ever tried twice.

    >>> like("abcbd", ("a", "b", "d")), like("ab", ("ab", "b"))
    (True, False)
    """
    if type(text) is not str:
        wanted("string", text)
    first, last = pattern[0], pattern[-1]
    if len(pattern) == 1:
        return text == first
    end = len(text) - len(last)
    if len(first) > end or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in pattern[1:-1]:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def extension(name: str) -> Callable[..., Any]:
    """Return a function or method of an extension, with its operands checked."""
    function = FUNCTIONS[name]
    types, call = function.takes, function.call

    def checked(*operands: Any) -> Any:
        if len(operands) != len(types):
            raise EvaluationError(f"{name} takes {len(types)} operands, not {len(operands)}")
        for operand, type_ in zip(operands, types, strict=True):
            if type(operand) is not type_:
                wanted(NAMES[type_], operand)
        try:
            return call(*operands)
        except (ValueError, OverflowError) as error:
            raise EvaluationError(str(error)) from None

    return checked


def _ordered(left: Any, right: Any) -> None:
    if type(left) not in _ORDERED:
        wanted("long, datetime or duration", left)
    if type(right) is not type(left):
        wanted(NAMES[type(left)], right)


def _longs(left: Any, right: Any) -> None:
    if type(left) is not int:
        wanted("long", left)
    if type(right) is not int:
        wanted("long", right)


def _sets(left: Any, right: Any) -> None:
    if type(left) is not Set:
        wanted("set", left)
    if type(right) is not Set:
        wanted("set", right)


# By their names in the tree. Those that need the entities are the closures' own: `in`, `getTag`, `hasTag`.
OPERATORS: dict[str, Callable[..., Any]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    "<=": at_most,
    ">": lambda left, right: less(right, left),
    ">=": lambda left, right: at_most(right, left),
    "!": invert,
    "neg": negate,
    "contains": contains,
    "containsAll": contains_all,
    "containsAny": contains_any,
    "isEmpty": is_empty,
    **{name: extension(name) for name in FUNCTIONS},
}
ARITHMETIC: dict[str, Callable[[Any, Any], int]] = {"+": add, "-": subtract, "*": multiply}
