"""What a condition asks first: when that is about one attribute's value, policies can be found by it instead of being tried one after the other."""

from __future__ import annotations

from typing import NamedTuple

from thunderlab.policy.language import tree


class First(NamedTuple):
    """The first thing a condition asks.

    Attributes:
        variable: `context`, `principal` or `resource`.
        name: the attribute.
        answers: the values with which the condition goes on: strings, or one boolean.
        then: what is left of it; None when nothing.
    """

    variable: str
    name: str
    answers: tuple[str, ...] | tuple[bool]
    then: tree.Expression | None


def first_question(expression: tree.Expression | None) -> First | None:
    """Return what a condition asks first, if it is which string an attribute is, or whether it is true.

    >>> secure = tree.GetAttribute(tree.Variable("context"), "secure")
    >>> first_question(secure)
    First(variable='context', name='secure', answers=(True,), then=None)
    """
    first, then = expression, None
    if isinstance(expression, tree.And):
        first, *rest = expression.terms
        then = tree.And(tuple(rest))
    match first:
        case tree.GetAttribute(tree.Variable(variable), name):
            return _asked(variable, name, (True,), then)
        case tree.Apply("!", (tree.GetAttribute(tree.Variable(variable), name),)):
            return _asked(variable, name, (False,), then)
        case tree.Apply("==", (tree.GetAttribute(tree.Variable(variable), name), tree.Constant(str(answer)))) | tree.Apply(
            "==", (tree.Constant(str(answer)), tree.GetAttribute(tree.Variable(variable), name))
        ):
            return _asked(variable, name, (answer,), then)
        case tree.Apply("contains", (tree.SetOf(items), tree.GetAttribute(tree.Variable(variable), name))):
            texts = [item.value for item in items if isinstance(item, tree.Constant) and isinstance(item.value, str)]
            # With anything else in the set, a value that is no string may be in it.
            return _asked(variable, name, tuple(dict.fromkeys(texts)), then) if texts and len(texts) == len(items) else None
    return None


def _asked(variable: str, name: str, answers: tuple[str, ...] | tuple[bool], then: tree.Expression | None) -> First | None:
    return None if variable == "action" else First(variable, name, answers, then)
