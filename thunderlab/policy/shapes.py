"""Common shapes of expressions, recognised so that they cost fewer calls: comparisons with what is written down.

Each of these does what the general function of its operator does, errors included; tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thunderlab.policy.operators import OPERATORS, wanted
from thunderlab.policy.request import Request
from thunderlab.policy.values import Set, Uid

Call = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Code:
    """What an expression was compiled to.

    Attributes:
        call: the function.
        boolean: whether it is known to return a boolean if it returns.
        constant: whether it returns the same for every request.
    """

    call: Call
    boolean: bool = False
    constant: bool = False

    @property
    def value(self) -> Any:
        """What a constant returns, whatever the request."""
        return self.call(None)  # type: ignore[arg-type]


def shape_of(name: str, operands: Sequence[Code]) -> Call | None:
    """Return the function of an operator with these operands, if it is one of the common shapes."""
    recognise = _SHAPES.get(name)
    return recognise(operands) if recognise and len(operands) == 2 else None


def _equals_constant(operands: Sequence[Code]) -> Call | None:
    """Return the comparison with a string, an entity or an integer that is written down; Python takes no others for those but booleans for integers."""
    at = next((at for at, operand in enumerate(operands) if operand.constant), None)
    if at is None:
        return None
    call, value = operands[1 - at].call, operands[at].value
    if type(value) in (str, Uid):
        return lambda request: call(request) == value
    if type(value) is int:

        def same_integer(request: Request) -> bool:
            other = call(request)
            return type(other) is int and other == value

        return same_integer
    return None


def _differs_from_constant(operands: Sequence[Code]) -> Call | None:
    equals = _equals_constant(operands)
    return equals and (lambda request: not equals(request))


def _is_in_constant(operands: Sequence[Code]) -> Call | None:
    if not operands[1].constant or type(other := operands[1].value) is not Uid:
        return None
    call = operands[0].call

    def below(request: Request) -> bool:
        entity = call(request)
        if type(entity) is not Uid:
            wanted("entity", entity)
        return entity == other or other in request.entities.ancestors.get(entity, ())

    return below


def _constant_contains(operands: Sequence[Code]) -> Call | None:
    """Return the look-up in a set of strings or entities that is written down."""
    if not operands[0].constant or type(container := operands[0].value) is not Set:
        return None
    if not all(type(item) in (str, Uid) for item in container.keys):
        return None
    call, keys = operands[1].call, container.keys
    return lambda request: call(request) in keys


def _less(operands: Sequence[Code]) -> Call | None:
    if (limit := _limit(operands)) is None:
        return None
    call, general = operands[0].call, OPERATORS["<"]

    def compared(request: Request) -> bool:
        value = call(request)
        return value < limit if type(value) is int else general(value, limit)

    return compared


def _at_most(operands: Sequence[Code]) -> Call | None:
    if (limit := _limit(operands)) is None:
        return None
    call, general = operands[0].call, OPERATORS["<="]

    def compared(request: Request) -> bool:
        value = call(request)
        return value <= limit if type(value) is int else general(value, limit)

    return compared


def _more(operands: Sequence[Code]) -> Call | None:
    if (limit := _limit(operands)) is None:
        return None
    call, general = operands[0].call, OPERATORS[">"]

    def compared(request: Request) -> bool:
        value = call(request)
        return value > limit if type(value) is int else general(value, limit)

    return compared


def _at_least(operands: Sequence[Code]) -> Call | None:
    if (limit := _limit(operands)) is None:
        return None
    call, general = operands[0].call, OPERATORS[">="]

    def compared(request: Request) -> bool:
        value = call(request)
        return value >= limit if type(value) is int else general(value, limit)

    return compared


def _limit(operands: Sequence[Code]) -> int | None:
    """Return the integer that is written down on the right of a comparison."""
    value = operands[1].value if operands[1].constant else None
    return value if type(value) is int else None


_SHAPES: dict[str, Callable[[Sequence[Code]], Call | None]] = {
    "==": _equals_constant,
    "!=": _differs_from_constant,
    "<": _less,
    "<=": _at_most,
    ">": _more,
    ">=": _at_least,
    "in": _is_in_constant,
    "contains": _constant_contains,
}
