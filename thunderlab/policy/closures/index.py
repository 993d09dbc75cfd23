"""Which policies a request must be held against: found by its action and types, by the entities policies name, and by what most of them ask first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from thunderlab.policy.closures.closure import ROOTS, condition
from thunderlab.policy.closures.questions import First, first_question
from thunderlab.policy.closures.shapes import Call
from thunderlab.policy.closures.written import Written, written
from thunderlab.policy.language import tree
from thunderlab.policy.language.tree import Policy, Scope
from thunderlab.policy.language.values import Uid
from thunderlab.policy.requests.request import Request

# Looking up an answer costs as much as so many comparisons that are written out.
WORTH_ASKING = 12
# Writing a rule out costs as much as asking it a few hundred times; most groups are asked never again, or all the time.
WORTH_WRITING = 16
_NOTHING: list[Any] = []


class Rule(NamedTuple):
    """What is left of a policy once some of it is known.

    Attributes:
        at: its place in the set.
        permits: whether it is a permit.
        test: whether it applies.
    """

    at: int
    permits: bool
    test: Call


class Question(NamedTuple):
    """What several policies ask first of the same attribute: which string it is, or whether it is true.

    Attributes:
        root: gets the context, or the attributes of the principal or the resource.
        name: the attribute.
        kind: `str` or `bool`.
        answers: what is left of the rules for each value that lets them go on.
        askers: all of them, whole: without the attribute none has a value, and each says so.
    """

    root: Callable[[Request], Any]
    name: str
    kind: type
    answers: dict[Any, list[Rule]]
    askers: list[Rule]


class ByName(NamedTuple):
    """Rules by the entity that their policies name.

    Attributes:
        exact: rules for that one entity.
        below: rules for it and all that is below it.
    """

    exact: dict[Uid, list[Rule]]
    below: dict[Uid, list[Rule]]

    def of(self, uid: Uid, above: frozenset[Uid] | None) -> list[Rule]:
        """Return the rules for an entity that is below others."""
        found = [*self.exact.get(uid, ()), *self.below.get(uid, ())]
        for name in (above or frozenset()) & self.below.keys():
            if name != uid:
                found += self.below[name]
        return found


class Group:
    """The rules for one action and one type of principal and resource.

    Args:
        always: those that any such request must be held against, with their conditions.
        questions: where others are found.
        by_principal: those whose principal is named.
        by_resource: those whose resource is, and not the principal.

    Attributes:
        always: the first of these.
        judge: the same as one function, once requests were frequent; None until then.
        simple: whether there are no others.
    """

    __slots__ = ("_asked", "_conditions", "_named", "_questions", "always", "judge", "simple")

    def __init__(
        self,
        always: Sequence[tuple[Rule, tree.Expression | None]],
        questions: Sequence[Question],
        by_principal: ByName,
        by_resource: ByName,
    ) -> None:
        self.always = tuple(rule for rule, _ in always)
        self.judge: Written | None = None
        self._conditions = tuple(condition for _, condition in always)
        self._questions = tuple(questions)
        self._named = (by_principal, by_resource) if any((*by_principal, *by_resource)) else ()
        self._asked = 0
        self.simple = not questions and not self._named

    def count(self) -> None:
        """Count a request; for those that come after the first few a function is written."""
        self._asked += 1
        if self._asked == WORTH_WRITING:
            self.write()

    def write(self) -> None:
        """Write the function that judges by the rules of `always`."""
        self.judge = written([(*rule, condition) for rule, condition in zip(self.always, self._conditions, strict=True)])

    def others(self, request: Request) -> list[Rule]:
        """Return what else a request must be held against."""
        chosen: list[Rule] = []
        for root, name, kind, answers, askers in self._questions:
            of = root(request)
            answer: Any = None if of is None else of.get(name)
            if type(answer) is kind:
                chosen += answers.get(answer, _NOTHING)
            elif answer is None or kind is bool:
                # It is missing, or not the boolean it must be; no other value equals a string.
                chosen += askers
        ancestors = request.entities.ancestors
        for found, uid in zip(self._named, (request.principal, request.resource), strict=False):
            chosen += found.of(uid, ancestors.get(uid))
        return chosen


class Index:
    """The policies of a set, compiled when a request first needs them.

    Args:
        policies: in the order of their text.
    """

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies
        self._compiled: dict[int, Call] = {}

    def group(self, request: Request) -> Group:
        """Return the rules for requests with the action and the types of this one."""
        always: list[Rule] = []
        by_principal, by_resource = (ByName(defaultdict(list), defaultdict(list)) for _ in range(2))
        for at, policy in enumerate(self._policies):
            if not (_of_type(policy.principal, request.principal) and _of_type(policy.resource, request.resource)):
                continue
            if not _allows(policy.action, request.action, request):
                continue
            test = self.whole(at)
            if _names(policy.principal):
                # Found by its principal: whether the resource is right is left to be asked.
                test = _with_resource(policy.resource, test) if _names(policy.resource) else test
                _file(by_principal, policy.principal, Rule(at, policy.effect == "permit", test))
            elif _names(policy.resource):
                _file(by_resource, policy.resource, Rule(at, policy.effect == "permit", test))
            else:
                always.append(Rule(at, policy.effect == "permit", test))
        rest, questions = self._asked(always)
        return Group([(rule, self._policies[rule.at].condition) for rule in rest], questions, by_principal, by_resource)

    def whole(self, at: int) -> Call:
        """Return the compiled condition of a policy."""
        if at not in self._compiled:
            expression = self._policies[at].condition
            self._compiled[at] = _always if expression is None else condition(expression)
        return self._compiled[at]

    def in_scope(self, at: int, request: Request) -> bool:
        """Return whether a policy's head is content with a request."""
        policy = self._policies[at]
        heads = ((policy.principal, request.principal), (policy.action, request.action), (policy.resource, request.resource))
        return all(_allows(scope, uid, request) for scope, uid in heads)

    def _asked(self, rules: Sequence[Rule]) -> tuple[tuple[Rule, ...], tuple[Question, ...]]:
        """Return the rules that nothing is known of, and the questions that several of the others ask first."""
        asking: dict[tuple[str, str, type], list[tuple[Rule, First]]] = defaultdict(list)
        rest: list[Rule] = []
        for rule in rules:
            first = first_question(self._policies[rule.at].condition)
            if first is None:
                rest.append(rule)
            else:
                asking[first.variable, first.name, type(first.answers[0])].append((rule, first))
        questions: list[Question] = []
        for (variable, name, kind), asked in asking.items():
            askers = [rule for rule, _ in asked]
            if len(asked) < WORTH_ASKING:
                rest += askers
                continue
            answers: dict[Any, list[Rule]] = defaultdict(list)
            for rule, first in asked:
                left = rule._replace(test=_always if first.then is None else condition(first.then))
                for answer in first.answers:
                    answers[answer].append(left)
            questions.append(Question(ROOTS[variable], name, kind, dict(answers), askers))
        return tuple(sorted(rest, key=lambda rule: rule.at)), tuple(questions)


def _always(_: Request) -> bool:
    """Return true: the test of a policy without a condition."""
    return True


def _names(scope: Scope) -> bool:
    """Return whether a scope names entities: what it concerns is one of them or below one."""
    return scope.equal is not None or scope.within is not None


def _file(found: ByName, scope: Scope, rule: Rule) -> None:
    """Put a rule where the entities that its scope names find it."""
    if scope.equal is not None:
        found.exact[scope.equal].append(rule)
    for uid in scope.within or ():
        found.below[uid].append(rule)


def _of_type(scope: Scope, uid: Uid) -> bool:
    return scope.entity_type is None or scope.entity_type == uid.type


def _allows(scope: Scope, uid: Uid, request: Request) -> bool:
    """Return whether a scope is content with an entity."""
    if not _of_type(scope, uid) or (scope.equal is not None and scope.equal != uid):
        return False
    above = request.entities.ancestors.get(uid, frozenset())
    return scope.within is None or any(uid == other or other in above for other in scope.within)


def _with_resource(scope: Scope, test: Call) -> Call:
    """Return a test that also asks for the resource, of a policy that is found by its principal."""
    return lambda request: _allows(scope, request.resource, request) and test(request)
