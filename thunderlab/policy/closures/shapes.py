"""Common shapes of expressions, recognised so that they cost fewer calls: comparisons, above all with what is written down.

Each of these does what the general function of its operator does, errors included; tests hold one against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from thunderlab.policy.closures import contextual
from thunderlab.policy.closures.operators import OPERATORS, wanted
from thunderlab.policy.language.values import Set, Uid
from thunderlab.policy.requests.request import Request

Call = Callable[[Request], Any]


@dataclass(frozen=True, slots=True)
class Code:
    """What an expression was compiled to.

    Attributes:
        call: the function.
        boolean: whether it is known to return a boolean if it returns.
        constant: whether it returns the same for every request.
        of_context: the name of an attribute, when it returns that of the context.
    """

    call: Call
    boolean: bool = False
    constant: bool = False
    of_context: str | None = None

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
    call, value, name = operands[1 - at].call, operands[at].value, operands[1 - at].of_context
    if type(value) in (str, Uid):
        if name is not None:
            return contextual.equals(name, value)
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
    if operands[1].of_context is not None:
        return contextual.one_of(operands[1].of_context, container.keys)
    call, keys = operands[1].call, container.keys
    return lambda request: call(request) in keys


def _compared(name: str) -> Callable[[Sequence[Code]], Call | None]:
    """Return what recognises a comparison with an integer that is written down on its right."""
    general, of_context = OPERATORS[name], contextual.COMPARISONS[name]

    def recognise(operands: Sequence[Code]) -> Call | None:
        limit = operands[1].value if operands[1].constant else None
        if type(limit) is not int:
            return None
        if operands[0].of_context is not None:
            return of_context(operands[0].of_context, limit)
        call = operands[0].call
        return lambda request: general(call(request), limit)

    return recognise


def _same(operands: Sequence[Code]) -> Call:
    """Return the comparison of two values, whatever they are."""
    left, right = operands[0].call, operands[1].call

    def same(request: Request) -> bool:
        one, other = left(request), right(request)
        return type(one) is type(other) and one == other

    return same


_SHAPES: dict[str, Callable[[Sequence[Code]], Call | None]] = {
    "==": lambda operands: _equals_constant(operands) or _same(operands),
    "!=": _differs_from_constant,
    **{name: _compared(name) for name in contextual.COMPARISONS},
    "in": _is_in_constant,
    "contains": _constant_contains,
}
