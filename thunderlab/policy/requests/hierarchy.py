"""Who is in whom: from direct parents to all ancestors."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)

MOST_PAIRS = 10_000_000
"""How many pairs of an entity and an ancestor are kept, sets that several share counted once: some 600 MB."""


class HierarchyError(ValueError):
    """Entities that are in themselves, or too many in too many."""


def ancestors(parents: Mapping[T, Collection[T]], most: int = MOST_PAIRS) -> dict[T, frozenset[T]]:
    """Return all that each key is in, directly or not.

    What has the same parents shares one set, and nothing recurses, so neither a hundred thousand members of a group nor a long chain is
    a burden.

    Args:
        parents: what each is in directly; what is no key is in nothing.
        most: how many pairs to keep at most.

    Raises:
        HierarchyError: when something is in itself, or there are more pairs.

    >>> ancestors({"a": ["b"], "b": ["c"]}) == {"a": {"b", "c"}, "b": {"c"}}
    True
    """
    found: dict[T, frozenset[T]] = {}
    shared: dict[frozenset[T], frozenset[T]] = {frozenset(): frozenset()}
    for one in _parents_first(parents):
        direct = frozenset(parents[one])
        above = shared.get(direct)
        if above is None:
            above = shared[direct] = direct.union(*(found[parent] for parent in direct if parent in found))
            most -= len(above)
            if most < 0:
                raise HierarchyError("the hierarchy is too large: entities have more ancestors, all together, than are kept")
        found[one] = above
    return found


def reachable(parents: Mapping[T, Collection[T]], one: T) -> set[T]:
    """Return all that one key is in; it may be in itself, as a folder's type is in the type of folders.

    >>> sorted(reachable({"Photo": ["Album"], "Album": ["Album"]}, "Photo"))
    ['Album']
    """
    found: set[T] = set()
    waiting = list(parents.get(one, ()))
    while waiting:
        parent = waiting.pop()
        if parent not in found:
            found.add(parent)
            waiting.extend(parents.get(parent, ()))
    return found


def _parents_first(parents: Mapping[T, Collection[T]]) -> Iterable[T]:
    done: set[T] = set()
    opened: set[T] = set()
    for root in parents:
        waiting = [root]
        while waiting:
            one = waiting[-1]
            if one in done:
                waiting.pop()
            elif one in opened:
                waiting.pop()
                done.add(one)
                yield one
            else:
                opened.add(one)
                for parent in parents[one]:
                    if parent in parents and parent not in done:
                        if parent in opened:
                            raise HierarchyError(f"{parent} is in itself, by way of what it is in")
                        waiting.append(parent)
