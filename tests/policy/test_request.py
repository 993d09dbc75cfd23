"""Requests: built where Cedar builds them, with a schema and without; and every entity and request of the public corpus."""

import enum

import cedarpy
import pytest
from hypothesis import given

from tests.policy import corpus, documents
from thunderlab.policy.language.values import Record, Uid
from thunderlab.policy.requests.entities import Entities, read_entities
from thunderlab.policy.requests.request import Request, RequestError, RequestReader
from thunderlab.policy.text.schema import read_vocabulary

SCHEMA = cedarpy.Schema.from_str(documents.SCHEMA)
VOCABULARY = read_vocabulary(documents.SCHEMA)
KNOWN = Entities()
ASKED = {
    "principal": {"type": "N::User", "id": "a"},
    "action": {"type": "N::Action", "id": "view"},
    "resource": {"type": "N::Team", "id": "t"},
    "context": {"a": 1},
}


def builds(reader, asked):
    try:
        return isinstance(reader.read(asked, KNOWN), Request)
    except RequestError:
        return False


@pytest.mark.parametrize(("schema", "vocabulary"), [(None, None), (SCHEMA, VOCABULARY)], ids=["without", "with"])
@given(documents.sources)
def test_what_cedar_builds_is_built_and_nothing_else(schema, vocabulary, rng):
    reader = RequestReader(vocabulary)
    for _ in range(6):
        asked = documents.request(rng)
        assert builds(reader, asked) == documents.cedar_builds(asked, schema), asked
        # Once more, now that names are known.
        assert builds(reader, asked) == documents.cedar_builds(asked, schema), asked


@pytest.mark.parametrize("vocabulary", [None, VOCABULARY], ids=["without", "with"])
def test_uids_are_objects_or_text_and_other_keys_are_passed_over(vocabulary):
    reader = RequestReader(vocabulary)
    expected = Request.of(Uid("N::User", "a"), Uid("N::Action", "view"), Uid("N::Team", "t"), {"a": 1}, KNOWN)
    spelled = {"principal": 'N::User::"a"', "action": 'N::Action::"view"', "resource": {**ASKED["resource"], "more": 1}, "extra": 0.5}
    for asked in (ASKED, ASKED | spelled, ASKED):
        assert reader.read(asked, KNOWN) == expected


@pytest.mark.parametrize("context", [{}, {"context": None}, {"context": {}}])
def test_a_context_that_is_missing_is_empty(context):
    asked = {name: ASKED[name] for name in ("principal", "action", "resource")} | context
    assert RequestReader().read(asked, KNOWN).context == {}
    with pytest.raises(RequestError, match="context.a: is missing"):
        RequestReader(VOCABULARY).read(asked, KNOWN)


@pytest.mark.parametrize("vocabulary", [None, VOCABULARY], ids=["without", "with"])
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"principal": None}, "principal: expected"),
        ({"principal": {"type": "N::User"}}, "principal: expected"),
        ({"principal": {"type": "N::User", "id": 3}}, "principal: expected"),
        ({"principal": {"type": ["N::User"], "id": "a"}}, "principal: expected"),
        ({"principal": {"__entity": ASKED["principal"]}}, "principal: expected"),
        ({"principal": ["N::User", "a"]}, "principal: expected"),
        ({"principal": "alice"}, "principal: 'alice' is no uid"),
        ({"principal": {"type": "N:User", "id": "a"}}, "principal: 'N:User' is no type"),
        ({"resource": {"type": "N::Team", "id": "\ud800"}}, "resource: .*surrogate"),
        ({"action": {"type": "if", "id": "a"}}, "action: 'if' is no type"),
        ({"context": {"a": 1.5}}, "context.a: 1.5 is a float"),
        ({"context": {"a": 2**63}}, "context.a: .*beyond 64"),
        ({"context": {"a": None}}, "context.a: null"),
        ({"context": [1]}, "context: expected an object of attributes, not a list"),
        ({"context": '{"a": 1}'}, "context: expected an object of attributes"),
    ],
)
def test_what_cannot_be_built_says_which_field(vocabulary, changes, text):
    with pytest.raises(RequestError, match=text):
        RequestReader(vocabulary).read(ASKED | changes, KNOWN)


@pytest.mark.parametrize("document", [None, [], "x", 3, {}])
def test_what_is_no_request_is_refused(document):
    for reader in (RequestReader(), RequestReader(VOCABULARY)):
        with pytest.raises(RequestError, match="principal: expected"):
            reader.read(document, KNOWN)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"principal": 'N::Nope::"a"'}, "principal: the schema knows no type N::Nope"),
        ({"principal": 'N::Org::"a"'}, 'principal: N::Action::"view" does not apply to N::Org::"a": .* N::Color, N::User'),
        ({"resource": 'N::User::"a"'}, "resource: .* does not apply"),
        ({"principal": 'N::Color::"green"'}, "principal: .*none of the entities"),
        ({"action": 'N::Action::"nope"'}, "action: .* is no action of the schema"),
        ({"action": 'N::Action::"grp"'}, "does not apply to .*: the schema has it apply to nothing"),
        ({"context": {"a": True}}, "context.a: expected Long, not true"),
        ({"context": {"a": 1, "c": 1}}, "context: 'c' is no attribute"),
        ({"context": {"a": 1, "b": {"c": [1]}}}, r"context.b.c\[0\]: expected String, not 1"),
    ],
)
def test_what_does_not_fit_the_schema_says_which_field(changes, text):
    asked = ASKED | changes
    assert builds(RequestReader(), asked) and not documents.cedar_builds(asked, SCHEMA)
    with pytest.raises(RequestError, match=text):
        RequestReader(VOCABULARY).read(asked, KNOWN)


def test_any_number_of_different_names_is_read_right():
    reader = RequestReader()
    for number in range(40_000):
        asked = ASKED | {"principal": {"type": "U", "id": str(number)}}
        assert reader.read(asked, KNOWN).principal.id == str(number)
    assert reader._kept <= 16_384


def test_an_id_may_be_the_name_of_a_type_that_is_known():
    reader = RequestReader()
    for name in ("a", "U", "a", "action", "U"):
        assert reader.read(ASKED | {"principal": {"type": "U", "id": name}}, KNOWN).principal == Uid("U", name)


def test_long_names_are_not_kept():
    reader = RequestReader()
    assert reader.read(ASKED | {"principal": {"type": "U", "id": "x" * 100_000}}, KNOWN).principal.id == "x" * 100_000
    assert "U" not in reader._known


def test_entities_and_requests_of_the_public_corpus():
    """Each is taken, with its schema and without; a request with a context that is not its action's is not."""
    tests = list(corpus.generated(300))
    assert len(tests) > 20
    for test in tests:
        schema, vocabulary = cedarpy.Schema.from_str(test.schema), read_vocabulary(test.schema)
        listed = test.entities
        for theirs, ours in ((schema, vocabulary), (None, None)):
            assert read_entities(documents.cedar_entities(listed, theirs)) == read_entities(listed, ours)
            reader = RequestReader(ours)
            for asked in test.requests:
                asked = {name: asked[name] for name in ASKED}
                assert builds(reader, asked) and documents.cedar_builds(asked, theirs)
                changed = asked | {"context": dict(list(asked["context"].items())[1:]) | {"more": 1}}
                assert builds(reader, changed) == documents.cedar_builds(changed, theirs) == (ours is None)


class Text(str):
    """A string of a class of its own, as enumerations have them."""

    __slots__ = ()


@pytest.mark.parametrize("vocabulary", [None, VOCABULARY], ids=["without", "with"])
def test_strings_and_integers_of_other_classes_are_what_they_are(vocabulary):
    """Also when the same uid was asked about before, and is kept."""
    plain = RequestReader(vocabulary).read(ASKED, KNOWN)
    named = {name: {part: Text(text) for part, text in ASKED[name].items()} for name in ("principal", "action", "resource")}
    reader = RequestReader(vocabulary)
    for asked in (named, ASKED, named):
        read = reader.read(asked | {"context": {"a": enum.IntEnum("N", "ONE").ONE}}, KNOWN)
        assert (read.principal, read.action, read.resource, Record(read.context)) == (
            plain.principal, plain.action, plain.resource, Record(plain.context),
        )  # fmt: skip
        assert {type(part) for uid in (read.principal, read.resource) for part in (uid.type, uid.id)} == {str}
