"""The second compiler: expressions become columns, for the requests of one environment.

An environment is a type of principal, an action and a type of resource. Within one, the schema gives every expression one type, so that errors of type
are known beforehand and most heads of policies are decided once for all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thunderlab.policy.closures.operators import ARITHMETIC, OPERATORS, EvaluationError
from thunderlab.policy.closures.operators import like as like_constant
from thunderlab.policy.columns import operators, sets
from thunderlab.policy.columns.lists import one_of
from thunderlab.policy.columns.logic import all_of, any_of, choice, opposite
from thunderlab.policy.columns.nodes import (
    BOOL,
    STRING,
    Cells,
    Fields,
    Items,
    Known,
    Never,
    Node,
    Opaque,
    Sheet,
    cells_of,
    constantly,
    guards,
    strict,
    type_of,
    worst,
)
from thunderlab.policy.columns.shared import Shared
from thunderlab.policy.columns.tables import Lookup, Tables
from thunderlab.policy.language import tree
from thunderlab.policy.language.extensions import FUNCTIONS
from thunderlab.policy.language.types import EntityOf, SetType, Vocabulary
from thunderlab.policy.language.values import Record, Set, Uid, Value, key, unkeyed
from thunderlab.policy.requests.entities import Entities


@dataclass(frozen=True, slots=True)
class Environment:
    """What all rows of a part of the requests have in common."""

    principal_type: str
    action: Uid
    resource_type: str


class Compiler:
    """Compiles what policies share, once for each environment.

    Args:
        shared: the expressions.
        variables: `principal`, `action`, `resource` and `context` of this environment.
        tables: the entities.
        vocabulary: the schema.
    """

    def __init__(self, shared: Shared, variables: Mapping[str, Node], tables: Tables, vocabulary: Vocabulary) -> None:
        self._shared = shared
        self._variables = variables
        self._entities: Entities = tables.entities
        self.sheet = Sheet()
        self._lookup = Lookup(tables, vocabulary, self.sheet)
        self._nodes: dict[int, Node] = {}

    def policy(self, at: int) -> Node:
        """Return whether one policy applies, by its place in the set: a constant, an error in every row, a column of booleans, or why there is none."""
        root = self._shared.roots[at]
        for place in self._shared.needed([root]):
            if place not in self._nodes:
                self._nodes[place] = self._compiled(place)
        return self._nodes[root]

    def _compiled(self, place: int) -> Node:
        part, children = self._shared.parts[place]
        node = self._node(part, [self._nodes[child] for child in children])
        return self.sheet.keep(node) if isinstance(node, Cells) and self._shared.uses[place] > 1 else node

    def _node(self, part: tree.Expression, nodes: list[Node]) -> Node:
        match part:
            case tree.Constant(value):
                return Known(value)
            case tree.Variable(name):
                return self._variables[name]
            case tree.And():
                return all_of(nodes, self.sheet)
            case tree.Or():
                return any_of(nodes, self.sheet)
            case tree.If():
                return choice(nodes[0], nodes[1], nodes[2], self.sheet)
        certain = worst(nodes)
        if certain is not None:
            return certain
        values = [node.value for node in nodes if isinstance(node, Known)]
        if len(values) == len(nodes):
            try:
                return Known(self._constant(part, values))
            except EvaluationError:
                return Never()
        return self._strict(part, nodes)

    def _constant(self, part: tree.Expression, values: Sequence[Value]) -> Value:
        """Return the value of an expression of constants.

        Raises:
            EvaluationError: when it has none.
        """
        match part:
            case tree.SetOf():
                return Set(frozenset(map(key, values)))
            case tree.RecordOf(fields):
                return Record(zip((name for name, _ in fields), values, strict=True))
            case tree.Arithmetic(_, steps):
                total: Any = values[0]
                for (name, _), operand in zip(steps, values[1:], strict=True):
                    total = ARITHMETIC[name](total, operand)
                return total  # type: ignore[no-any-return]
            case tree.Like(_, pattern):
                return like_constant(values[0], pattern)
            case tree.Is(_, entity_type):
                return _uid(values[0]).type == entity_type
            case tree.GetAttribute(_, name):
                found = self._attributes(values[0]).get(name)
                if found is None:
                    raise EvaluationError
                return found  # type: ignore[no-any-return]
            case tree.HasAttribute(_, name):
                return name in self._attributes(values[0])
            case tree.Apply("in", _):
                return self._is_in(values[0], values[1])
            case tree.Apply("getTag" | "hasTag", _):
                return self._constant_tag(part.name, values[0], values[1])
            case tree.Apply(name, _):
                return OPERATORS[name](*values)  # type: ignore[no-any-return]
        raise AssertionError(part)

    def _attributes(self, of: Value) -> Mapping[str, Any]:
        if type(of) is Record:
            return of
        return self._entities.attributes.get(_uid(of), {})

    def _is_in(self, entity: Value, others: Value) -> bool:
        one = _uid(entity)
        tops = {_uid(unkeyed(other)) for other in others.keys} if type(others) is Set else {_uid(others)}
        return one in tops or not tops.isdisjoint(self._entities.ancestors.get(one, ()))

    def _constant_tag(self, name: str, of: Value, tag: Value) -> Value:
        tags = self._entities.tags.get(_uid(of), {})
        if type(tag) is not str or (name == "getTag" and tag not in tags):
            raise EvaluationError
        return tags[tag] if name == "getTag" else tag in tags

    def _strict(self, part: tree.Expression, nodes: list[Node]) -> Node:
        """Return an expression that has all its operands evaluated, of which one at least is a column."""
        match part:
            case tree.SetOf():
                return Items(tuple(nodes))
            case tree.RecordOf(fields):
                return _record(dict(zip((name for name, _ in fields), nodes, strict=True)))
            case tree.Arithmetic(_, steps):
                return operators.calculated(nodes[0], [(name, node) for (name, _), node in zip(steps, nodes[1:], strict=True)])
            case tree.Like(_, pattern):
                return operators.like(nodes[0], pattern)
            case tree.Is(_, entity_type):
                type_ = nodes[0].type if isinstance(nodes[0], Cells) else None
                return constantly(type_.name == entity_type, nodes[0]) if isinstance(type_, EntityOf) else Never()
            case tree.GetAttribute(_, name):
                return self._attribute(nodes[0], name)
            case tree.HasAttribute(_, name):
                return self._has_attribute(nodes[0], name)
            case tree.Apply(name, _):
                return self._applied(name, nodes)
        raise AssertionError(part)

    def _attribute(self, of: Node, name: str) -> Node:
        if isinstance(of, Fields):
            return of.get(name)[1]
        if isinstance(of, Cells) and isinstance(of.type, EntityOf):
            return self._lookup.get(of, name)
        return Never()

    def _has_attribute(self, of: Node, name: str) -> Node:
        if isinstance(of, Fields):
            return of.get(name)[0]
        if isinstance(of, Cells) and isinstance(of.type, EntityOf):
            return self._lookup.has(of, name)
        return Never()

    def _applied(self, name: str, nodes: list[Node]) -> Node:
        if name in FUNCTIONS:
            return operators.extension(name, nodes)
        if name in ("<", "<=", ">", ">="):
            return operators.compared(name, *nodes)
        return _APPLY[name](self, *nodes)

    def _within(self, entity: Node, others: Node) -> Node:
        """Return `a in b`."""
        if not _is_entity(entity):
            return Never()
        if isinstance(others, Items):
            answers = [Never() if sets.is_set(item) else self._within(entity, item) for item in others.items]
            if (certain := worst(answers)) is not None:
                return certain
            return sets.strictly(any_of(answers, self.sheet), entity, others)
        if isinstance(others, Known):
            return self._within_constants(entity, others.value)
        if isinstance(others, Cells) and isinstance(others.type, EntityOf):
            return self._lookup.in_cells(entity, others) if isinstance(entity, Cells) else one_of(others, self._tops(entity, others.type))
        if isinstance(others, Cells) and isinstance(others.type, SetType):
            return self._within_lists(entity, others, others.type.of)
        return Never()

    def _within_constants(self, entity: Node, others: Value) -> Node:
        among = [unkeyed(one) for one in others.keys] if type(others) is Set else [others]
        tops = [top for top in among if type(top) is Uid]
        if len(tops) < len(among):
            return Never()
        if isinstance(entity, Known):
            return Known(self._is_in(entity.value, others))
        assert isinstance(entity, Cells)
        return self._lookup.below(entity, tops)

    def _within_lists(self, entity: Node, others: Cells, of: Any) -> Node:
        if not isinstance(of, EntityOf):
            # Every item is an error, so that only a set without any has an answer.
            return sets.strictly(self._only_where(sets.is_empty(others), others), entity, others)
        if isinstance(entity, Cells):
            return self._lookup.in_lists(entity, others)
        return sets.contains_any(others, Known(Set(frozenset(top for top in self._tops(entity, of)))), self.sheet)

    def _only_where(self, test: Node, others: Cells) -> Node:
        """Return false where a test holds, and an error elsewhere."""
        return choice(test, constantly(False, others), Never(), self.sheet)

    def _tops(self, entity: Node, of: EntityOf) -> list[Value]:
        """Return a constant entity and those above it, as far as they are of a type."""
        assert isinstance(entity, Known)
        uid = _uid(entity.value)
        return [top for top in {uid, *self._entities.ancestors.get(uid, ())} if top.type == of.name]

    def _tag(self, name: str, of: Node, tag: Node) -> Node:
        if not _is_entity(of) or not (
            (isinstance(tag, Cells) and tag.type == STRING) or (isinstance(tag, Known) and type(tag.value) is str)
        ):
            return Never()
        if isinstance(of, Known):
            return self._lookup.tag_of(of, tag, name)
        assert isinstance(of, Cells)
        return self._lookup.get_tag(of, tag) if name == "getTag" else self._lookup.has_tag(of, tag)


_APPLY: dict[str, Callable[..., Node]] = {
    "==": lambda self, a, b: sets.equals(a, b, self.sheet),
    "!=": lambda self, a, b: opposite(sets.equals(a, b, self.sheet)),
    "!": lambda _, a: opposite(a),
    "neg": lambda _, a: operators.negated(a),
    "in": lambda self, a, b: self._within(a, b),
    "contains": lambda self, a, b: sets.contains(a, b, self.sheet),
    "containsAll": lambda self, a, b: sets.contains_all(a, b, self.sheet),
    "containsAny": lambda self, a, b: sets.contains_any(a, b, self.sheet),
    "isEmpty": lambda _, a: sets.is_empty(a),
    "getTag": lambda self, a, b: self._tag("getTag", a, b),
    "hasTag": lambda self, a, b: self._tag("hasTag", a, b),
}


def _record(nodes: dict[str, Node]) -> Node:
    """Return a record that is written down."""
    needed = guards(nodes.values())
    ok = cells_of(constantly(True, *nodes.values()), BOOL) if needed else None

    def get(name: str) -> tuple[Node, Node]:
        there = constantly(name in nodes, *nodes.values())
        if name not in nodes:
            return there, Never()
        value = nodes[name]
        others = [node for other, node in nodes.items() if other != name]
        if not guards(others):
            return there, value
        type_ = value.type if isinstance(value, Cells) else type_of(value.value) if isinstance(value, Known) else None
        cells = cells_of(value, type_) if type_ is not None else None
        return there, strict(cells, *others) if cells is not None else Opaque("a record of records that may be errors")

    return Fields(frozenset(nodes), get, ok)


def _is_entity(node: Node) -> bool:
    return (isinstance(node, Cells) and isinstance(node.type, EntityOf)) or (isinstance(node, Known) and type(node.value) is Uid)


def _uid(value: Value) -> Uid:
    """Return a value that is an entity.

    Raises:
        EvaluationError: when it is none.
    """
    if type(value) is not Uid:
        raise EvaluationError
    return value
