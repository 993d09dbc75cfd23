"""The first compiler: an expression becomes a Python function of a request.

Every function made here returns a value or raises `EvaluationError`, just when Cedar has none. Common shapes (an attribute of the context, a comparison with
a constant, two to four terms) have functions of their own, which do what the general ones do with fewer calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from thunderlab.policy.closures.contextual import holds
from thunderlab.policy.closures.lookups import attribute, get_tag, has_tag, is_in, missing
from thunderlab.policy.closures.operators import ARITHMETIC, OPERATORS, EvaluationError, boolean, like, wanted
from thunderlab.policy.closures.shapes import Call, Code, shape_of
from thunderlab.policy.language import tree
from thunderlab.policy.language.extensions import FUNCTIONS
from thunderlab.policy.language.values import Record, Set, Uid, key
from thunderlab.policy.requests.request import Request

ROOTS = {"context": attrgetter("context"), "principal": attrgetter("principal_attributes"), "resource": attrgetter("resource_attributes")}


def compiled(expression: tree.Expression) -> Code:
    """Return the function of an expression, each part compiled once and the parts it is made of before it.

    >>> two = tree.Arithmetic(tree.Constant(1), (("+", tree.Constant(1)),))
    >>> compiled(two).call(None), compiled(two).constant
    (2, True)
    """
    codes: dict[int, Code] = {}
    for part in tree.bottom_up(expression):
        if id(part) not in codes:
            children = [codes[id(child)] for child in part.children]
            code = _BUILD[type(part)](part, children)
            folds = children and all(child.constant for child in children) and not _asks_the_world(part)
            codes[id(part)] = _folded(code) if folds else code
    return codes[id(expression)]


def condition(expression: tree.Expression) -> Call:
    """Return the function of a policy's condition, which returns nothing but booleans."""
    return _boolean(compiled(expression))


def _asks_the_world(part: tree.Expression) -> bool:
    """Return whether an expression of constants still depends on the entities of a request."""
    of_entity = isinstance(part, tree.GetAttribute | tree.HasAttribute)
    return of_entity or (isinstance(part, tree.Apply) and part.name not in OPERATORS)


def _folded(code: Code) -> Code:
    """Return a constant in place of a function of constants; one without a value goes on failing whenever it is called."""
    try:
        value = code.value
    except EvaluationError as error:
        return Code(_failing(str(error)), boolean=True)
    return _constant_code(value)


def _failing(why: str) -> Call:
    def fail(_: Request) -> Any:
        raise EvaluationError(why)

    return fail


def _constant_code(value: Any) -> Code:
    return Code(lambda _: value, boolean=type(value) is bool, constant=True)


def _boolean(code: Code) -> Call:
    """Return a function that returns nothing but booleans."""
    if code.boolean:
        return code.call
    if code.of_context is not None:
        return holds(code.of_context)
    call = code.call
    return lambda request: boolean(call(request))


def _constant(part: tree.Constant, _: Sequence[Code]) -> Code:
    return _constant_code(part.value)


def _variable(part: tree.Variable, _: Sequence[Code]) -> Code:
    if part.name == "context":
        return Code(lambda request: request.context if type(request.context) is Record else Record(request.context))
    return Code(attrgetter(part.name))


def _all(terms: Sequence[Call]) -> Call:
    """Return the function that is true when all are; many of them are halved, so that calls never nest deeply."""
    match terms:
        case [a]:
            return a
        case [a, b]:
            return lambda request: a(request) and b(request)
        case [a, b, c]:
            return lambda request: a(request) and b(request) and c(request)
        case [a, b, c, d]:
            return lambda request: a(request) and b(request) and c(request) and d(request)
    half = len(terms) // 2
    return _all([_all(terms[:half]), _all(terms[half:])])


def _any(terms: Sequence[Call]) -> Call:
    """Return the function that is true when one is."""
    match terms:
        case [a]:
            return a
        case [a, b]:
            return lambda request: a(request) or b(request)
        case [a, b, c]:
            return lambda request: a(request) or b(request) or c(request)
    half = len(terms) // 2
    return _any([_any(terms[:half]), _any(terms[half:])])


def _and(_: tree.And, terms: Sequence[Code]) -> Code:
    return Code(_all(list(map(_boolean, terms))), boolean=True)


def _or(_: tree.Or, terms: Sequence[Code]) -> Code:
    return Code(_any(list(map(_boolean, terms))), boolean=True)


def _if(_: tree.If, parts: Sequence[Code]) -> Code:
    test, yes, no = _boolean(parts[0]), parts[1].call, parts[2].call
    return Code(lambda request: yes(request) if test(request) else no(request), boolean=parts[1].boolean and parts[2].boolean)


def _arithmetic(part: tree.Arithmetic, operands: Sequence[Code]) -> Code:
    first, rest = operands[0].call, [operand.call for operand in operands[1:]]
    steps = [(ARITHMETIC[name], call) for (name, _), call in zip(part.steps, rest, strict=True)]

    def calculate(request: Request) -> int:
        value = first(request)
        for step, call in steps:
            value = step(value, call(request))
        return value  # type: ignore[no-any-return]

    return Code(calculate)


def _get_attribute(part: tree.GetAttribute, of: Sequence[Code]) -> Code:
    name, call = part.name, of[0].call
    if isinstance(part.of, tree.Variable) and part.of.name in ROOTS:
        return Code(_known_attribute(part.of.name, name), of_context=name if part.of.name == "context" else None)

    def get(request: Request) -> Any:
        value = call(request)
        if type(value) is Record:
            return attribute(value, name)
        if type(value) is Uid:
            return attribute(request.entities.attributes.get(value), name)
        return wanted("record or entity", value)

    return Code(get)


def _known_attribute(variable: str, name: str) -> Call:
    """Return the function that gets an attribute of the context, the principal or the resource."""
    root = ROOTS[variable]

    def of_context(request: Request) -> Any:
        try:
            return request.context[name]
        except KeyError:
            raise missing(name) from None

    def of_principal(request: Request) -> Any:
        try:
            return request.principal_attributes[name]  # type: ignore[index]
        except (KeyError, TypeError):
            return attribute(root(request), name)

    def of_resource(request: Request) -> Any:
        try:
            return request.resource_attributes[name]  # type: ignore[index]
        except (KeyError, TypeError):
            return attribute(root(request), name)

    return {"context": of_context, "principal": of_principal, "resource": of_resource}[variable]


def _has_attribute(part: tree.HasAttribute, of: Sequence[Code]) -> Code:
    name, call = part.name, of[0].call
    if isinstance(part.of, tree.Variable) and part.of.name == "context":
        return Code(lambda request: name in request.context, boolean=True)

    def has(request: Request) -> bool:
        value = call(request)
        if type(value) is Record:
            return name in value
        if type(value) is Uid:
            return name in request.entities.attributes.get(value, ())
        return wanted("record or entity", value)

    return Code(has, boolean=True)


def _like(part: tree.Like, of: Sequence[Code]) -> Code:
    call, pattern = of[0].call, part.pattern
    return Code(lambda request: like(call(request), pattern), boolean=True)


def _is(part: tree.Is, of: Sequence[Code]) -> Code:
    call, name = of[0].call, part.entity_type

    def is_of_type(request: Request) -> bool:
        value = call(request)
        return value.type == name if type(value) is Uid else wanted("entity", value)

    return Code(is_of_type, boolean=True)


def _set(_: tree.SetOf, items: Sequence[Code]) -> Code:
    calls = [item.call for item in items]
    return Code(lambda request: Set(frozenset([key(call(request)) for call in calls])), constant=not calls)


def _record(part: tree.RecordOf, values: Sequence[Code]) -> Code:
    calls = [(name, value.call) for (name, _), value in zip(part.fields, values, strict=True)]
    return Code(lambda request: Record((name, call(request)) for name, call in calls), constant=not calls)


def _apply(part: tree.Apply, operands: Sequence[Code]) -> Code:
    call = shape_of(part.name, operands)
    if call is not None:
        return Code(call, boolean=True)
    return Code(_general(part.name, [operand.call for operand in operands]), boolean=part.name in _GIVE_BOOLEANS)


def _general(name: str, calls: Sequence[Call]) -> Call:
    if name in _OF_ENTITIES:
        of_entities, (one, other) = _OF_ENTITIES[name], calls
        return lambda request: of_entities(request, one(request), other(request))
    operator = OPERATORS[name]
    match calls:
        case [a]:
            return lambda request: operator(a(request))
        case [a, b]:
            return lambda request: operator(a(request), b(request))
    return lambda request: operator(*[call(request) for call in calls])


_OF_ENTITIES: dict[str, Callable[[Request, Any, Any], Any]] = {"in": is_in, "hasTag": has_tag, "getTag": get_tag}
_GIVE_BOOLEANS = {
    *("==", "!=", "<", "<=", ">", ">=", "in", "!", "contains", "containsAll", "containsAny", "isEmpty", "hasTag"),
    *(name for name, function in FUNCTIONS.items() if function.gives is bool),
}
_BUILD: dict[type[tree.Expression], Callable[[Any, Sequence[Code]], Code]] = {
    tree.Constant: _constant,
    tree.Variable: _variable,
    tree.And: _and,
    tree.Or: _or,
    tree.If: _if,
    tree.Arithmetic: _arithmetic,
    tree.Apply: _apply,
    tree.GetAttribute: _get_attribute,
    tree.HasAttribute: _has_attribute,
    tree.Like: _like,
    tree.Is: _is,
    tree.SetOf: _set,
    tree.RecordOf: _record,
}
