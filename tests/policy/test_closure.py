"""Closures: each common shape does what the general function of its operator does, and depth costs no stack."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.policy.closures.closure import compiled
from thunderlab.policy.closures.operators import EvaluationError, like
from thunderlab.policy.language import tree
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN, Datetime, Decimal, Duration, Record, Set, Uid, key, unkeyed
from thunderlab.policy.requests.entities import Entities
from thunderlab.policy.requests.request import Request

ANN, BOB, STAFF = Uid("User", "ann"), Uid("User", "bob"), Uid("Team", "staff")
ENTITIES = Entities(
    attributes={ANN: Record(role="admin", age=40), STAFF: Record()},
    ancestors={ANN: frozenset([STAFF])},
    tags={ANN: {"shift": "late"}},
)

scalars = (
    st.booleans()
    | st.sampled_from([LONG_MIN, -1, 0, 1, 2, LONG_MAX])
    | st.sampled_from(["", "a", "admin", "shift", "late"])
    | st.sampled_from([ANN, BOB, STAFF])
    | st.sampled_from([Decimal(0), Datetime(0), Datetime(1), Duration(0), Duration(1)])
)
values = scalars | st.lists(scalars, max_size=3).map(lambda items: Set(frozenset(map(key, items)))) | st.just(Record(a=1))


def request(**context):
    return Request.of(ANN, Uid("Action", "read"), BOB, Record(context), ENTITIES)


def outcome(expression, asked):
    try:
        return compiled(expression).call(asked)
    except EvaluationError:
        return "error"


def of_context(name):
    return tree.GetAttribute(tree.Variable("context"), name)


def written(value):
    """Return an expression that is a value written down."""
    if isinstance(value, Set):
        return tree.SetOf(tuple(tree.Constant(unkeyed(item)) for item in value.keys))
    return tree.RecordOf((("a", tree.Constant(1)),)) if isinstance(value, Record) else tree.Constant(value)


@given(
    st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "contains", "containsAll", "containsAny", "hasTag", "getTag"]),
    values,
    values,
)
def test_a_constant_operand_changes_nothing(name, left, right):
    asked = request(left=left, right=right)
    general = outcome(tree.Apply(name, (of_context("left"), of_context("right"))), asked)
    for operands in [
        (of_context("left"), written(right)),
        (written(left), of_context("right")),
        (written(left), written(right)),
    ]:
        found = outcome(tree.Apply(name, operands), asked)
        assert (type(found), found) == (type(general), general)


@given(st.sampled_from(["principal", "resource", "context", "action"]), st.sampled_from(["role", "age", "none"]), st.booleans())
def test_an_attribute_of_a_variable_is_that_of_its_entity(variable, name, has):
    kind = tree.HasAttribute if has else tree.GetAttribute
    asked = request(role="guest")
    entity = {"principal": ANN, "resource": BOB, "action": asked.action}.get(variable)
    direct = outcome(kind(tree.Variable(variable), name), asked)
    indirect = outcome(kind(of_context("it"), name), request(it=entity or asked.context))
    assert direct == indirect


@given(st.lists(st.sampled_from([True, False, 1, "missing"]), min_size=1, max_size=12), st.booleans())
def test_terms_are_evaluated_from_left_to_right_until_one_decides(terms, both):
    """The rule of the documentation, said in another way: what comes behind the first that decides does not matter."""
    parts = tuple(of_context("missing") if term == "missing" else of_context(f"t{term}") for term in terms)
    asked = request(tTrue=True, tFalse=False, t1=1)
    found = outcome((tree.And if both else tree.Or)(parts), asked)
    decided = next((term for term in terms if term is not both), both)
    assert found == (decided if isinstance(decided, bool) else "error")


def test_only_the_chosen_branch_is_evaluated():
    missing = of_context("missing")
    assert outcome(tree.If(tree.Constant(True), tree.Constant(7), missing), request()) == 7
    assert outcome(tree.If(tree.Constant(False), tree.Constant(7), missing), request()) == "error"
    assert outcome(tree.If(tree.Constant(1), tree.Constant(7), tree.Constant(7)), request()) == "error"


@pytest.mark.parametrize(
    ("steps", "expected"), [((("+", 1),), "error"), ((("-", 1), ("+", 1)), LONG_MAX), ((("*", 2), ("-", LONG_MAX)), "error")]
)
def test_each_step_of_a_sum_stays_within_64_bits(steps, expected):
    sum_ = tree.Arithmetic(of_context("n"), tuple((name, tree.Constant(value)) for name, value in steps))
    assert outcome(sum_, request(n=LONG_MAX)) == expected
    assert outcome(tree.Arithmetic(tree.Constant(LONG_MAX), sum_.steps), request()) == expected


def test_long_conditions_need_no_stack():
    terms = tuple(tree.Constant(True) if at % 2 else of_context("yes") for at in range(5_000))
    assert outcome(tree.And(terms), request(yes=True)) is True
    assert outcome(tree.Or(terms), request(yes=False)) is True


@given(st.text("ab*", max_size=8), st.lists(st.text("ab*", max_size=3), min_size=1, max_size=5))
def test_like_is_what_trying_everything_finds(text, pieces):
    def tried(rest, pattern):
        if len(pattern) == 1:
            return rest == pattern[0]
        if not rest.startswith(pattern[0]):
            return False
        rest = rest[len(pattern[0]) :]
        return any(tried(rest[at:], pattern[1:]) for at in range(len(rest) + 1))

    assert like(text, tuple(pieces)) is tried(text, pieces)
