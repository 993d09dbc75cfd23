"""Equality, and what can be asked of sets: `contains`, `containsAll`, `containsAny`, `isEmpty`.

Operands here are neither errors in every row nor inexpressible, and not all of them constants: the compiler has seen to that.
"""

from __future__ import annotations

from thunderlab.policy.columns import lists
from thunderlab.policy.columns.lists import INEXPRESSIBLE, fitting, list_of
from thunderlab.policy.columns.logic import all_of, any_of, opposite
from thunderlab.policy.columns.nodes import (
    BOOL,
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
    derived,
    fields_of,
    scalar,
    strict,
    worst,
)
from thunderlab.policy.language.types import SetType, Type
from thunderlab.policy.language.values import Set, equal, unkeyed

# A list is asked for so many constants one by one; for more, two lists are compared.
_FEW = 8


def equals(left: Node, right: Node, sheet: Sheet) -> Node:
    """Return `a == b`: false for values of different types."""
    if isinstance(left, Known) and isinstance(right, Known):
        return Known(equal(left.value, right.value))
    fields = fields_of(left), fields_of(right)
    if fields[0] and fields[1]:
        return _same_fields(fields[0], fields[1], sheet)
    if fields[0] or fields[1]:
        return constantly(False, left, right)
    if is_set(left) or is_set(right):
        return _same_sets(left, right, sheet) if is_set(left) and is_set(right) else constantly(False, left, right)
    cells, other = (left, right) if isinstance(left, Cells) else (right, left)
    assert isinstance(cells, Cells)
    match = cells_of(other, cells.type)
    if match is None:
        return constantly(False, left, right)
    return derived(BOOL, cells.expr == match.expr, cells, match)


def is_set(node: Node) -> bool:
    """Return whether a node is a set."""
    if isinstance(node, Known):
        return type(node.value) is Set
    return isinstance(node, Items) or (isinstance(node, Cells) and isinstance(node.type, SetType))


def _same_fields(left: Fields, right: Fields, sheet: Sheet) -> Node:
    """Return whether two records have the same attributes with the same values."""
    terms: list[Node] = []
    for name in sorted(left.names | right.names):
        (there, value), (also, other) = left.get(name), right.get(name)
        terms.append(equals(there, also, sheet))
        # What has no value is never there.
        terms.append(any_of([opposite(there), worst((value, other)) or equals(value, other, sheet)], sheet))
    return strictly(all_of(terms, sheet), left, right)


def strictly(node: Node, *operands: Node) -> Node:
    """Return an answer that is an error as well where an operand is."""
    if isinstance(node, Cells):
        return strict(node, *operands)
    return constantly(bool(node.value), *operands) if isinstance(node, Known) else node


def _same_sets(left: Node, right: Node, sheet: Sheet) -> Node:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Known) and not one.value.keys:  # type: ignore[union-attr]
            return is_empty(other)
        if isinstance(one, Known) and isinstance(other, Cells) and (of := _listed(other)):
            values, others = fitting(one, of)
            return constantly(False, other) if others else lists.same(other, lists.constant_list(values, of))
    a, b = list_of(left), list_of(right)
    if a is None or b is None:
        return Opaque(INEXPRESSIBLE if isinstance(left, Cells) or isinstance(right, Cells) else "a set of several types")
    if a.type != b.type:
        # Of different types they are equal only when both are empty; one that is an error is not passed over because of the other.
        return strictly(all_of([lists.empty(a), lists.empty(b)], sheet), a, b)
    return lists.same(a, b)


def contains(container: Node, value: Node, sheet: Sheet) -> Node:
    """Return `a.contains(b)`."""
    if not is_set(container):
        return Never()
    if isinstance(container, Items):
        return strictly(any_of([equals(item, value, sheet) for item in container.items], sheet), container, value)
    if isinstance(container, Known):
        if isinstance(value, Cells) and scalar(value.type):
            return lists.one_of(value, fitting(container, value.type)[0])
        items = [Known(unkeyed(key)) for key in container.value.keys]  # type: ignore[union-attr]
        return strictly(any_of([equals(item, value, sheet) for item in items], sheet), value)
    assert isinstance(container, Cells)
    of = _listed(container)
    if of is None:
        return Opaque(INEXPRESSIBLE)
    match = cells_of(value, of)
    return constantly(False, container, value) if match is None else lists.holds(container, match)


def contains_all(container: Node, values: Node, sheet: Sheet) -> Node:
    """Return `a.containsAll(b)`."""
    if not is_set(container) or not is_set(values):
        return Never()
    items = _items(values)
    if items is not None and (len(items) <= _FEW or not isinstance(container, Cells)):
        return strictly(all_of([contains(container, item, sheet) for item in items], sheet), container, values)
    if isinstance(container, Known) and isinstance(values, Cells) and (of := _listed(values)):
        return lists.subset(values, lists.constant_list(fitting(container, of)[0], of))
    inner, outer = list_of(values), list_of(container)
    if isinstance(values, Known) and outer is not None:
        fit, others = fitting(values, outer.type.of)  # type: ignore[union-attr]
        if others:
            return constantly(False, container)
        inner = lists.constant_list(fit, outer.type.of)  # type: ignore[union-attr]
    if inner is None or outer is None:
        return Opaque(INEXPRESSIBLE)
    return lists.subset(inner, outer) if inner.type == outer.type else strictly(lists.empty(inner), outer)


def contains_any(container: Node, values: Node, sheet: Sheet) -> Node:
    """Return `a.containsAny(b)`."""
    if not is_set(container) or not is_set(values):
        return Never()
    for one, other in ((container, values), (values, container)):
        items = _items(other)
        if items is not None and (len(items) <= _FEW or not isinstance(one, Cells)):
            return strictly(any_of([contains(one, item, sheet) for item in items], sheet), container, values)
        if isinstance(other, Known) and isinstance(one, Cells) and (of := _listed(one)):
            return opposite(lists.disjoint(one, lists.constant_list(fitting(other, of)[0], of)))
    a, b = list_of(container), list_of(values)
    if a is None or b is None:
        return Opaque(INEXPRESSIBLE)
    return opposite(lists.disjoint(a, b)) if a.type == b.type else constantly(False, a, b)


def _listed(column: Cells) -> Type | None:
    """Return the type of the items of a column of sets; None when they are no single cells."""
    return column.type.of if isinstance(column.type, SetType) and scalar(column.type.of) else None


def _items(node: Node) -> list[Node] | None:
    """Return the items of a set that is written down; None of a column."""
    if isinstance(node, Known):
        return [Known(unkeyed(key)) for key in node.value.keys]  # type: ignore[union-attr]
    return list(node.items) if isinstance(node, Items) else None


def is_empty(container: Node) -> Node:
    """Return `a.isEmpty()`."""
    if isinstance(container, Items):
        return constantly(not container.items, container)
    if not (isinstance(container, Cells) and isinstance(container.type, SetType)):
        return Never()
    return lists.empty(container)
