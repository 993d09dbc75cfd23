"""The rules of a group as one Python function: what a closure does by calling others, it does in place.

It is written once a group has been asked often enough. The text consists of nothing but the words below: names and constants of policies are
handed over as values, so that nothing of what somebody wrote in a policy is ever read as Python. The function is hopeful: it decides what is of
the expected type, and whatever else comes up is an exception of some kind; that policy's closure then says what is really the case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thunderlab.policy.language import tree
from thunderlab.policy.language.values import Uid
from thunderlab.policy.requests.request import Request

Written = Callable[[Request, list[int], list[int]], "list[int] | None"]
"""Given a request, puts the places of the permits and forbids that apply into the two lists, and returns those of rules its closures must judge."""

# What is larger is left to its closure: Python's compiler recurses, and small is what is common.
_MOST_PARTS = 24
_GIVE_UP = "nothing[0]"  # an exception, as nothing is None
_ROOTS = {"context": "context", "principal": "principal", "resource": "resource"}
_HEAD = """\
def judge(request, permits, forbids):
    left = None
    context = request.context
    principal = request.principal_attributes
    resource = request.resource_attributes
"""
_RULE = """\
    try:
        if {test}:
            {list}.append({place})
    except Exception:
        if left is None:
            left = []
        left.append({number})
"""


class _Unwritable(Exception):  # noqa: N818 - nobody's error: the closure does it
    """An expression is of no common shape."""


class _Names:
    """The values that a text refers to, by the names they have in it."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {"nothing": None}

    def of(self, value: Any) -> str:
        """Return the name of a value."""
        name = f"k{len(self.values)}"
        self.values[name] = value
        return name


def written(rules: Sequence[tuple[int, bool, Callable[[Request], bool], tree.Expression | None]]) -> Written:
    """Return the function of some rules.

    Args:
        rules: of each its policy's place, whether it permits, its closure, and its condition.

    >>> flag = tree.GetAttribute(tree.Variable("context"), "secure")
    >>> judge = written([(0, True, lambda request: False, flag)])
    >>> permits: list[int] = []
    >>> judge(Request(None, None, None, {"secure": True}, None, None, None), permits, []), permits
    (None, [0])
    """
    names = _Names()
    lines = [_HEAD]
    for number, (place, permits, closure, condition) in enumerate(rules):
        try:
            test = "True" if condition is None else _test(condition, names)
        except _Unwritable:
            test = f"{names.of(closure)}(request)"
        lines.append(_RULE.format(test=test, list="permits" if permits else "forbids", place=place, number=number))
    lines.append("    return left\n")
    exec(compile("".join(lines), "<rules>", "exec"), names.values)  # noqa: S102 - our own words, see above
    judge: Written = names.values["judge"]
    return judge


def _test(condition: tree.Expression, names: _Names) -> str:
    """Return the text of what must be a boolean."""
    for size, _ in enumerate(tree.bottom_up(condition)):
        if size >= _MOST_PARTS:
            raise _Unwritable
    return _boolean(condition, names)


def _boolean(part: tree.Expression, names: _Names) -> str:
    match part:
        case tree.And(terms):
            return f"({' and '.join(_boolean(term, names) for term in terms)})"
        case tree.Or(terms):
            return f"({' or '.join(_boolean(term, names) for term in terms)})"
        case tree.Apply("!", (inner,)):
            return f"(not {_boolean(inner, names)})"
        case tree.HasAttribute(tree.Variable("context"), name):
            return f"({names.of(name)} in context)"
        case tree.GetAttribute():
            # Looking up the value in a set would take 1 for true.
            return f"(v if (v := {_attribute(part, names)}) is True or v is False else {_GIVE_UP})"
        case tree.Apply("==" | "!=" as operator, (left, right)):
            return _equal(left, right, names) if operator == "==" else f"(not {_equal(left, right, names)})"
        case tree.Apply("<" | "<=" | ">" | ">=" as operator, (left, tree.Constant(int(limit)))) if type(limit) is int:
            return f"(v {operator} {names.of(limit)} if type(v := {_attribute(left, names)}) is {names.of(int)} else {_GIVE_UP})"
        case tree.Apply("contains", (tree.SetOf(items), right)) if all(map(_is_plain, items)):
            values = frozenset(item.value for item in items if isinstance(item, tree.Constant))
            return f"({_attribute(right, names)} in {names.of(values)})"
    raise _Unwritable


def _equal(left: tree.Expression, right: tree.Expression, names: _Names) -> str:
    if isinstance(left, tree.Constant):
        left, right = right, left
    if not isinstance(right, tree.Constant):
        return f"(type(v := {_attribute(left, names)}) is type(w := {_attribute(right, names)}) and v == w)"
    attribute, constant = _attribute(left, names), names.of(right.value)
    if _is_plain(right):
        return f"({attribute} == {constant})"
    return f"(type(v := {attribute}) is {names.of(type(right.value))} and v == {constant})"


def _attribute(part: tree.Expression, names: _Names) -> str:
    """Return the text of an attribute of the context, the principal or the resource; there may be neither, which is an exception."""
    match part:
        case tree.GetAttribute(tree.Variable(variable), name) if variable in _ROOTS:
            return f"{_ROOTS[variable]}[{names.of(name)}]"
    raise _Unwritable


def _is_plain(part: tree.Expression) -> bool:
    """Return whether a constant is equal to nothing of another type in Python either."""
    return isinstance(part, tree.Constant) and type(part.value) in (str, Uid)
