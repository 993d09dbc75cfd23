"""The tree: what Cedar's parser hands over is read, at any depth, and what is deeper than can be evaluated is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.errors import InputError
from thunderlab.policy.language import tree
from thunderlab.policy.language.values import Uid
from thunderlab.policy.text.reading import DEEPEST, _decode_step_by_step, decode, read_policies

cedarpy = pytest.importorskip("cedarpy")

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def condition(text):
    (policy,) = read_policies(cedarpy.policies_to_json_str(f"permit(principal, action, resource) when {{ {text} }};"))
    return policy.condition


@given(documents, st.booleans())
def test_documents_are_read_step_by_step_as_by_the_standard_library(document, ascii_only):
    text = json.dumps(document, ensure_ascii=ascii_only)
    assert _decode_step_by_step(text) == document
    assert decode(text) == document


def test_a_run_of_terms_is_flat_however_it_is_grouped():
    assert condition("true && (false && true) && false") == condition("((true && false) && true) && false")
    assert condition("true || (false || true)").children == tuple(map(tree.Constant, (True, False, True)))


def test_arithmetic_is_grouped_from_the_left_and_products_are_operands():
    one, two, three, four = map(tree.Constant, (1, 2, 3, 4))
    product = tree.Arithmetic(two, (("*", three),))
    assert condition("1 - 2 * 3 + 4 == 1").children[0] == tree.Arithmetic(one, (("-", product), ("+", four)))
    inner = tree.Arithmetic(two, (("-", three),))
    assert condition("1 - (2 - 3) == 1").children[0] == tree.Arithmetic(one, (("-", inner),))


def test_patterns_tell_wildcards_from_stars():
    assert condition(r'"" like "a*b\*c*"').pattern == ("a", "b*c", "")
    assert condition('"" like "ab"').pattern == ("ab",)
    assert condition('"" like "**"').pattern == ("", "", "")


def test_a_head_is_read():
    text = '@id("x") @why forbid(principal == A::B::"c", action in [Action::"d", Action::"e"], resource is T in G::"g");'
    (policy,) = read_policies(cedarpy.policies_to_json_str(text), lines=[3])
    assert (policy.id, policy.effect, policy.line, dict(policy.annotations)) == ("x", "forbid", 3, {"id": "x", "why": ""})
    assert policy.principal == tree.Scope(equal=Uid("A::B", "c"))
    assert policy.action == tree.Scope(within=(Uid("Action", "d"), Uid("Action", "e")))
    assert policy.resource == tree.Scope(entity_type="T", within=(Uid("G", "g"),))
    assert policy.condition is None


def test_policies_come_in_the_order_of_their_text_and_templates_are_left_out():
    text = "permit(principal == ?principal, action, resource);" + "permit(principal, action, resource);" * 11
    read = read_policies(cedarpy.policies_to_json_str(text), lines=range(1, 13))
    assert [(policy.id, policy.line) for policy in read] == [(f"policy{at}", at + 1) for at in range(1, 12)]


def test_a_thousand_terms_are_no_depth():
    assert len(condition(" && ".join(["true"] * 1_000)).children) == 1_000
    assert len(condition("1" + " + 1" * 999 + " == 1").children[0].children) == 1_000


def test_what_is_nested_deeper_than_can_be_evaluated_is_refused():
    deep = {"Value": True}
    for _ in range(DEEPEST):
        deep = {"!": {"arg": deep}}
    head = {"op": "All"}
    policy = {"effect": "permit", "principal": head, "action": head, "resource": head, "conditions": [{"kind": "when", "body": deep}]}
    # Written by hand: the standard library's encoder has no depth to spare either.
    text = f'{{"staticPolicies": {{"policy0": {json.dumps(policy)}}}}}'
    with pytest.raises(InputError, match=f"policy policy0: an expression is nested more than {DEEPEST} deep"):
        read_policies(text)
