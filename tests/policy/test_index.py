"""The index: what a request is held against by it comes to the same as holding it against every policy."""

from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.policy.closures import index
from thunderlab.policy.closures.program import Program
from thunderlab.policy.language import tree
from thunderlab.policy.language.tree import Policy, Scope
from thunderlab.policy.language.values import Record, Uid
from thunderlab.policy.requests.entities import Entities
from thunderlab.policy.requests.request import Request

ANN, BOB, STAFF, ALL, BOX = Uid("User", "ann"), Uid("User", "bob"), Uid("Team", "staff"), Uid("Team", "all"), Uid("Box", "1")
READ, WRITE, ANY = Uid("Action", "read"), Uid("Action", "write"), Uid("Action", "any")
ENTITIES = Entities(
    attributes={ANN: Record(role="admin", level=1), BOB: Record(role=7), BOX: Record(owner="ann"), STAFF: Record(role="admin")},
    ancestors={ANN: frozenset([STAFF, ALL]), STAFF: frozenset([ALL]), READ: frozenset([ANY])},
)
NAMES = st.sampled_from([ANN, BOB, STAFF, ALL, BOX])
SCOPES = st.one_of(
    st.just(Scope()),
    NAMES.map(lambda uid: Scope(equal=uid)),
    NAMES.map(lambda uid: Scope(within=(uid,))),
    st.sampled_from(["User", "Team", "Box"]).map(lambda name: Scope(entity_type=name)),
    st.builds(lambda name, uid: Scope(entity_type=name, within=(uid,)), st.sampled_from(["User", "Team"]), NAMES),
)
ACTIONS = st.one_of(
    st.just(Scope()),
    st.sampled_from([READ, WRITE]).map(lambda uid: Scope(equal=uid)),
    st.sets(st.sampled_from([READ, WRITE, ANY])).map(lambda uids: Scope(within=tuple(uids))),
)


def asks(variable, name, answer, turned):
    """Return a comparison of an attribute with a string, either way round."""
    operands = (tree.GetAttribute(tree.Variable(variable), name), tree.Constant(answer))
    return tree.Apply("==", operands[::-1] if turned else operands)


COMPARISONS = st.builds(
    asks,
    st.sampled_from(["principal", "resource", "context", "action"]),
    st.sampled_from(["role", "owner"]),
    st.sampled_from(["admin", "ann", "guest"]),
    st.booleans(),
)
SECURE = tree.GetAttribute(tree.Variable("context"), "secure")
OTHERS = st.sampled_from(
    [
        tree.Constant(True),
        tree.Constant(7),
        tree.Apply("<", (tree.GetAttribute(tree.Variable("context"), "n"), tree.Constant(3))),
        SECURE,
        tree.Apply("!", (SECURE,)),
        tree.Apply(
            "contains", (tree.SetOf((tree.Constant("admin"), tree.Constant("guest"))), tree.GetAttribute(tree.Variable("context"), "role"))
        ),
        tree.Apply(
            "contains", (tree.SetOf((tree.Constant("admin"), tree.Constant(7))), tree.GetAttribute(tree.Variable("context"), "role"))
        ),
    ]
)
CONDITIONS = (
    st.none() | COMPARISONS | OTHERS | st.lists(COMPARISONS | OTHERS, min_size=2, max_size=3).map(lambda terms: tree.And(tuple(terms)))
)
CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["admin", "guest", 7, ANN]),
        "owner": st.just("ann"),
        "n": st.sampled_from([2, 3, "x"]),
        "secure": st.sampled_from([True, False, 1, "x"]),
    },
)


@st.composite
def policies(draw):
    """Return a few policies over a handful of names."""
    heads = draw(st.lists(st.tuples(st.sampled_from(["permit", "forbid"]), SCOPES, ACTIONS, SCOPES, CONDITIONS), min_size=1, max_size=24))
    return [Policy(f"policy{at}", *head, annotations={}, line=1) for at, head in enumerate(heads)]


@given(policies(), st.lists(st.tuples(NAMES, st.sampled_from([READ, WRITE]), NAMES, CONTEXTS), min_size=1, max_size=6), st.integers(2, 12))
def test_finds_what_asking_every_policy_finds(written, asked, worth_asking):
    """Also when requests are so frequent that their rules are written out, and whether or not answers are looked up."""
    program = Program(written)
    requests = [Request.of(principal, action, resource, context, ENTITIES) for principal, action, resource, context in asked]
    for frequent in (False, True):
        if frequent:
            program.write()
        for request in requests:
            with mock.patch.object(index, "WORTH_ASKING", worth_asking):
                permits, forbids, errors = program.run(request)
            everyone = [program.applies(at, request) for at in range(len(written))]
            for effect, found in (("permit", permits), ("forbid", forbids)):
                assert found == [at for at, applies in enumerate(everyone) if applies and written[at].effect == effect]
            assert [at for at, _ in errors] == [at for at, applies in enumerate(everyone) if applies is None]


@pytest.mark.parametrize("value", [True, False, 1, "true", None])
def test_what_is_asked_to_be_true_must_be_a_boolean(value):
    written = [Policy(f"policy{at}", "permit", Scope(), Scope(), Scope(), SECURE, {}, 1) for at in range(index.WORTH_ASKING)]
    context = {} if value is None else {"secure": value}
    permits, _, errors = Program(written).run(Request.of(ANN, READ, BOX, context, ENTITIES))
    everyone = list(range(index.WORTH_ASKING))
    assert permits == (everyone if value is True else [])
    assert [at for at, _ in errors] == ([] if isinstance(value, bool) else everyone)


def test_rules_are_written_out_once_they_are_asked_often():
    program = Program([Policy("policy0", "permit", Scope(), Scope(), Scope(), SECURE, {}, 1)])
    with mock.patch.object(index, "written", wraps=index.written) as wrote:
        for _ in range(index.WORTH_WRITING * 2):
            assert program.run(Request.of(ANN, READ, BOX, {"secure": True}, ENTITIES))[0] == [0]
    assert wrote.call_count == 1


def test_what_is_below_a_principal_is_not_that_principal():
    exactly, below = (
        Policy(f"policy{at}", "permit", scope, Scope(), Scope(), None, {}, 1)
        for at, scope in enumerate([Scope(equal=STAFF), Scope(within=(STAFF,))])
    )
    permits, _, _ = Program([exactly, below]).run(Request.of(ANN, READ, BOX, Record(), ENTITIES))
    assert permits == [1]


def test_requests_may_name_any_number_of_types():
    program = Program([Policy("policy0", "permit", Scope(entity_type="T9999"), Scope(), Scope(), None, {}, 1)])
    permitted = [bool(program.run(Request.of(Uid(f"T{at}", ""), READ, BOX, Record(), ENTITIES))[0]) for at in range(10_000)]
    assert permitted == [False] * 9_999 + [True]
