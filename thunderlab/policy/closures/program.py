"""A policy set compiled for single requests."""

from __future__ import annotations

from collections.abc import Sequence

from thunderlab.policy.closures.index import Group, Index
from thunderlab.policy.closures.operators import EvaluationError
from thunderlab.policy.language.tree import Policy
from thunderlab.policy.language.values import Uid
from thunderlab.policy.requests.request import Request

# Requests choose the actions and types they name, so what is kept for each combination is bounded.
_MOST_GROUPS = 4096

# The places of the permits that apply, of the forbids that do, and of the policies without a value, with what went wrong.
Outcome = tuple[list[int], list[int], list[tuple[int, str]]]


class Program:
    """The compiled policies of a set.

    Args:
        policies: in the order of their text.

    Attributes:
        policies: likewise.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies
        self._index = Index(policies)
        # What an action is in matters only to policies that name what it must be in.
        self._by_group = any(policy.action.within is not None for policy in policies)
        self._groups: dict[tuple[Uid, frozenset[Uid] | None, str, str], Group] = {}

    def run(self, request: Request) -> Outcome:
        """Return what becomes of a request, each list in the order of the text."""
        permits: list[int] = []
        forbids: list[int] = []
        errors: list[tuple[int, str]] = []
        action = request.action
        above = request.entities.ancestors.get(action) if self._by_group else None
        kind = (action, above, request.principal.type, request.resource.type)
        group = self._groups.get(kind) or self._new_group(kind, request)
        judge = group.judge
        if judge is None:
            group.count()
            rules = list(group.always)
        else:
            left = judge(request, permits, forbids)
            if left is None and group.simple:
                return permits, forbids, errors
            rules = [group.always[number] for number in left or ()]
        if not group.simple:
            rules += group.others(request)
        for at, permit, test in rules:
            try:
                if test(request):
                    (permits if permit else forbids).append(at)
            except EvaluationError as error:
                errors.append((at, str(error)))
        # They were found in several places.
        permits.sort()
        forbids.sort()
        errors.sort()
        return permits, forbids, errors

    def applies(self, at: int, request: Request) -> bool | None:
        """Return whether one policy applies to a request; None when it has no value."""
        if not self._index.in_scope(at, request):
            return False
        try:
            return bool(self._index.whole(at)(request))
        except EvaluationError:
            return None

    def write(self) -> None:
        """Have all groups that were asked judge as frequent ones do."""
        for group in self._groups.values():
            group.write()

    def _new_group(self, kind: tuple[Uid, frozenset[Uid] | None, str, str], request: Request) -> Group:
        if len(self._groups) >= _MOST_GROUPS:
            self._groups.clear()
        self._groups[kind] = self._index.group(request)
        return self._groups[kind]
