"""A policy set compiled for single requests: which policies a request concerns, and which of them apply."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from thunderlab.policy.closure import condition
from thunderlab.policy.operators import EvaluationError
from thunderlab.policy.request import Request
from thunderlab.policy.shapes import Call
from thunderlab.policy.tree import Policy, Scope
from thunderlab.policy.values import Uid

# Requests choose the actions and types they name, so what is kept for each combination is bounded.
_MOST_GROUPS = 4096


class Rule(NamedTuple):
    """What is left of a policy once action and types are known.

    Attributes:
        at: its place in the set.
        permits: whether it is a permit.
        test: whether it applies; None when it does in any case.
    """

    at: int
    permits: bool
    test: Call | None


class Outcome(NamedTuple):
    """What became of the policies of a set, by their places in it and in that order.

    Attributes:
        permits: those that apply and permit.
        forbids: those that apply and forbid.
        errors: those that have no value, with what went wrong.
    """

    permits: list[int]
    forbids: list[int]
    errors: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class _Group:
    """The rules for one action and one type of principal and resource.

    Attributes:
        always: those that any such request must be held against.
        by_principal: those for one principal, or what is below one.
        by_resource: those for one resource, or what is below one.
    """

    always: tuple[Rule, ...]
    by_principal: dict[Uid, list[Rule]]
    by_resource: dict[Uid, list[Rule]]


class Program:
    """The compiled policies of a set.

    Args:
        policies: in the order of their text.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._conditions: dict[int, Call | None] = {}
        self._groups: dict[tuple[Uid, frozenset[Uid] | None, str, str], _Group] = {}

    def run(self, request: Request) -> Outcome:
        """Evaluate every policy that the request concerns."""
        permits: list[int] = []
        forbids: list[int] = []
        errors: list[tuple[int, str]] = []
        for at, permit, test in self._rules(request):
            try:
                if test is None or test(request):
                    (permits if permit else forbids).append(at)
            except EvaluationError as error:
                errors.append((at, str(error)))
        return Outcome(permits, forbids, errors)

    def applies(self, at: int, request: Request) -> bool | None:
        """Return whether one policy applies to a request; None when it has no value."""
        policy = self._policies[at]
        if not all(_allows(scope, one, request) for scope, one in _heads(policy, request)):
            return False
        test = self._condition(at)
        try:
            return test is None or bool(test(request))
        except EvaluationError:
            return None

    def _rules(self, request: Request) -> Iterable[Rule]:
        principal, action, resource, ancestors = request.principal, request.action, request.resource, request.entities.ancestors
        kind = (action, ancestors.get(action), principal.type, resource.type)
        group = self._groups.get(kind)
        if group is None:
            group = self._group(request)
            if len(self._groups) >= _MOST_GROUPS:
                self._groups.clear()
            self._groups[kind] = group
        if not group.by_principal and not group.by_resource:
            return group.always
        chosen = [
            *group.always,
            *_below(group.by_principal, principal, ancestors.get(principal, frozenset())),
            *_below(group.by_resource, resource, ancestors.get(resource, frozenset())),
        ]
        return sorted(set(chosen)) if len(chosen) > 1 else chosen

    def _group(self, request: Request) -> _Group:
        """Choose the policies for an action and types, and put each where requests that it may concern find it."""
        always: list[Rule] = []
        by_principal: dict[Uid, list[Rule]] = defaultdict(list)
        by_resource: dict[Uid, list[Rule]] = defaultdict(list)
        for at, policy in enumerate(self._policies):
            typed = _of_type(policy.principal, request.principal) and _of_type(policy.resource, request.resource)
            if not typed or not _allows(policy.action, request.action, request):
                continue
            principals, resources = _named(policy.principal), _named(policy.resource)
            test = self._condition(at)
            if principals is not None and resources is not None:
                test = _with_resource(policy.resource, test)
            rule = Rule(at, policy.effect == "permit", test)
            if principals is None and resources is None:
                always.append(rule)
            elif principals is not None:
                for uid in principals:
                    by_principal[uid].append(rule)
            else:
                for uid in resources or ():
                    by_resource[uid].append(rule)
        return _Group(tuple(always), dict(by_principal), dict(by_resource))

    def _condition(self, at: int) -> Call | None:
        """Return the compiled condition of a policy: compiled when it is first needed."""
        if at not in self._conditions:
            expression = self._policies[at].condition
            self._conditions[at] = None if expression is None else condition(expression)
        return self._conditions[at]


def _named(scope: Scope) -> Iterable[Uid] | None:
    """Return the entities that a scope names: what it concerns is one of them or below one. None when it names none."""
    if scope.equal is not None:
        return (scope.equal,)
    return scope.within


def _of_type(scope: Scope, uid: Uid) -> bool:
    return scope.entity_type is None or scope.entity_type == uid.type


def _heads(policy: Policy, request: Request) -> tuple[tuple[Scope, Uid], ...]:
    return (policy.principal, request.principal), (policy.action, request.action), (policy.resource, request.resource)


def _allows(scope: Scope, uid: Uid, request: Request) -> bool:
    """Return whether a scope is content with an entity."""
    if not _of_type(scope, uid) or (scope.equal is not None and scope.equal != uid):
        return False
    above = request.entities.ancestors.get(uid, frozenset())
    return scope.within is None or any(uid == other or other in above for other in scope.within)


def _with_resource(scope: Scope, test: Call | None) -> Callable[[Request], bool]:
    """Return a test that also asks for the resource, of a policy that is found by its principal."""
    return lambda request: _allows(scope, request.resource, request) and (test is None or test(request))


def _below(found: dict[Uid, list[Rule]], uid: Uid, above: frozenset[Uid]) -> list[Rule]:
    """Return the rules for an entity and for all it is below."""
    names = above & found.keys() if found and above else ()
    return [*found.get(uid, ()), *(rule for name in names for rule in found[name] if name != uid)]
