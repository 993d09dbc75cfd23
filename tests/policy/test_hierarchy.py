"""Ancestors: all of them, for graphs of any depth, and never a circle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy import documents
from thunderlab.policy.requests.hierarchy import HierarchyError, ancestors, reachable

graphs = st.dictionaries(st.integers(0, 7), st.frozensets(st.integers(0, 8), max_size=3), max_size=8)


@given(graphs)
def test_ancestors_are_cedars(graph):
    listed = [
        {"uid": {"type": "T", "id": str(one)}, "attrs": {}, "parents": [{"type": "T", "id": str(parent)} for parent in parents]}
        for one, parents in graph.items()
    ]
    theirs = documents.cedar_entities(listed)
    try:
        found = ancestors(graph)
    except HierarchyError:
        assert theirs is None
    else:
        assert {int(one["uid"]["id"]): frozenset(int(parent["id"]) for parent in one["parents"]) for one in theirs} == found
        assert all(reachable(graph, one) == above for one, above in found.items())


def test_a_long_chain_is_no_recursion():
    chain = {number: [number + 1] for number in range(2000)}
    assert ancestors(chain)[0] == frozenset(range(1, 2001))


def test_members_of_the_same_groups_share_one_set():
    found = ancestors({**{("member", number): ["a", "b"] for number in range(1000)}, "a": ["top"]}, most=10)
    assert found["member", 3] == {"a", "b", "top"} and found["member", 3] is found["member", 4]


def test_a_hierarchy_that_grows_too_large_is_refused():
    with pytest.raises(HierarchyError, match="too large"):
        ancestors({number: [number + 1] for number in range(100)}, most=4000)


def test_types_may_be_in_themselves():
    assert reachable({"Album": ["Album"], "Photo": ["Album"]}, "Album") == {"Album"}
    assert reachable({"a": ["b"], "b": ["a"]}, "a") == {"a", "b"}
    with pytest.raises(HierarchyError, match="in itself"):
        ancestors({"a": ["b"], "b": ["a"]})
