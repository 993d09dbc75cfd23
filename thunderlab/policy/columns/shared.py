"""The expressions of all policies of a set, each different one once: what several policies ask is computed for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from thunderlab.policy.language import tree

_ROLES = ("principal", "action", "resource")


class Shared:
    """Different expressions, each behind those it is made of.

    Args:
        policies: in the order of their text.

    Attributes:
        parts: each expression with the places of those it is made of.
        uses: by how many others each is used.
        roots: the place of each policy's scope and condition together.
    """

    def __init__(self, policies: Sequence[tree.Policy]) -> None:
        self.parts: list[tuple[tree.Expression, tuple[int, ...]]] = []
        self.uses: list[int] = []
        self._places: dict[Any, int] = {}
        self.roots = [self._add(whole(policy)) for policy in policies]

    def needed(self, roots: Sequence[int]) -> list[int]:
        """Return the places of all that some expressions are made of, and their own, in order."""
        found: set[int] = set()
        waiting = list(roots)
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting.extend(self.parts[at][1])
        return sorted(found)

    def _add(self, root: tree.Expression) -> int:
        places: dict[int, int] = {}
        for part in tree.bottom_up(root):
            children = tuple(places[id(child)] for child in part.children)
            key = (type(part), _own(part), children)
            if key not in self._places:
                self._places[key] = len(self.parts)
                self.parts.append((part, children))
                self.uses.append(0)
                for child in children:
                    self.uses[child] += 1
            places[id(part)] = self._places[key]
        at = places[id(root)]
        self.uses[at] += 1
        return at


def whole(policy: tree.Policy) -> tree.Expression:
    """Return a policy's scope and condition as one expression."""
    terms: list[tree.Expression] = []
    for name in _ROLES:
        scope, variable = getattr(policy, name), tree.Variable(name)
        if scope.entity_type is not None:
            terms.append(tree.Is(variable, scope.entity_type))
        if scope.equal is not None:
            terms.append(tree.Apply("==", (variable, tree.Constant(scope.equal))))
        if scope.within is not None:
            terms.append(tree.Apply("in", (variable, tree.SetOf(tuple(map(tree.Constant, scope.within))))))
    if policy.condition is not None:
        terms.append(policy.condition)
    return tree.And(tuple(terms))


def _own(part: tree.Expression) -> Any:
    """Return what makes an expression what it is, besides those it is made of."""
    match part:
        case tree.Constant(value):
            # Python takes true for 1.
            return type(value), value
        case tree.Variable(name) | tree.Apply(name, _) | tree.GetAttribute(_, name) | tree.HasAttribute(_, name):
            return name
        case tree.Arithmetic(_, steps):
            return tuple(operator for operator, _ in steps)
        case tree.Like(_, pattern):
            return pattern
        case tree.Is(_, entity_type):
            return entity_type
        case tree.RecordOf(fields):
            return tuple(name for name, _ in fields)
    return None
