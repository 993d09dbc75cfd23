"""Entities: taken and refused as Cedar does, and with the same ancestors, attributes and tags."""

import cedarpy
import pytest
from hypothesis import given

from tests.policy import documents
from thunderlab.policy.language.values import Record, Set, Uid
from thunderlab.policy.requests.entities import Entities, read_entities
from thunderlab.policy.requests.request import RequestError
from thunderlab.policy.text.schema import read_vocabulary

SCHEMA = cedarpy.Schema.from_str(documents.SCHEMA)
VOCABULARY = read_vocabulary(documents.SCHEMA)


def entity(name, *parents, **attributes):
    return {"uid": {"type": "User", "id": name}, "attrs": attributes, "parents": [{"type": "User", "id": parent} for parent in parents]}


@pytest.mark.parametrize(("schema", "vocabulary"), [(None, None), (SCHEMA, VOCABULARY)], ids=["without", "with"])
@given(documents.sources)
def test_what_cedar_takes_is_taken_with_the_same_content(schema, vocabulary, rng):
    for _ in range(4):
        listed = [documents.entity(rng) for _ in range(rng.choice([1, 1, 1, 2]))]
        if rng.random() < 0.2:
            listed.append(rng.choice(listed))
        theirs = documents.cedar_entities(listed, schema)
        try:
            found = read_entities(listed, vocabulary)
        except RequestError:
            assert theirs is None, listed
        else:
            assert theirs is not None, listed
            # Cedar writes all ancestors as parents, and cannot write attributes with the name of an escape.
            assert theirs == "" or read_entities(theirs) == found


def test_ancestors_attributes_and_tags():
    found = read_entities([entity("a", "b", "x", load=[1, 1]), {**entity("b", "c"), "tags": {"k": {"deep": True}}}])
    a, b, c, x = (Uid("User", name) for name in "abcx")
    assert found.ancestors == {a: {b, c, x}, b: {c}}
    assert found.attributes == {a: Record({"load": Set(frozenset({1}))}), b: Record()}
    assert found.tags == {b: Record({"k": Record({"deep": True})})}
    assert read_entities([]) == Entities()


def test_what_comes_twice_says_the_same():
    assert read_entities([entity("a", "b", "c", x=[1, 2]), entity("a", "c", "b", x=[2, 1, 1])]).ancestors.keys() == {Uid("User", "a")}
    for other in (entity("a", "b", x=True), entity("a", x=1), {**entity("a", "b", x=1), "tags": {"t": 1}}):
        with pytest.raises(RequestError, match='entity 2: User::"a" was listed before'):
            read_entities([entity("a", "b", x=1), other])


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        ([entity("a", "a")], "in itself"),
        ([entity("a", "b"), entity("b", "c"), entity("c", "a")], "in itself"),
        ([entity("a"), 3], "entity 2: expected an object"),
        ([{"attrs": {}, "parents": []}], "entity 1: uid: expected an entity"),
        ([{"uid": {"type": "U", "id": "a"}, "parents": []}], 'entity 1: U::"a": attrs: expected an object of attributes, not null'),
        ([{"uid": {"type": "U", "id": "a"}, "attrs": {}}], "parents: expected a list"),
        ([{"uid": {"type": "U", "id": "a"}, "attrs": {}, "parents": [], "tags": None}], "tags: expected an object of tags"),
        ([entity("a", x={"y": [0.5]})], r'entity 1: User::"a": attrs\.x\.y\[0\]: 0\.5 is a float'),
        ([{"uid": {"type": "Action", "id": "a"}, "attrs": {}, "parents": [{"type": "U", "id": "b"}]}], "an action is in actions only"),
        ({}, "expected a list"),
        ("[]", "expected a list"),
    ],
)
def test_what_is_refused_says_where_and_why(listed, text):
    with pytest.raises(RequestError, match=text):
        read_entities(listed)


def user(**changes):
    return {"uid": {"type": "N::User", "id": "a"}, "attrs": {}, "parents": []} | changes


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        (user(uid={"type": "Nope", "id": "a"}), "the schema knows no type Nope"),
        (user(uid={"type": "N::Color", "id": "green"}), "none of the entities that the schema lists"),
        (user(attrs={"y": 1}), "'y' is no attribute"),
        (user(attrs={"e": {"type": "N::Color", "id": "green"}}), "attrs.e: .*none of the entities"),
        (user(parents=[{"type": "N::User", "id": "b"}]), 'does not let a N::User be in N::User::"b"'),
        (user(parents=[{"type": "N::Color", "id": "green"}]), "none of the entities"),
        (user(tags={"t": 1}), "tags.t: expected a list"),
        (user(uid={"type": "Ext", "id": "a"}, tags={"t": 1}), "knows no tags here"),
        (user(uid={"type": "N::Action", "id": "nope"}), "no action of the schema"),
        (user(uid={"type": "N::Action", "id": "view"}), "not what the schema says of this action"),
        (user(uid={"type": "N::Action", "id": "all"}, attrs={"a": 1}), "not what the schema says of this action"),
    ],
)
def test_what_does_not_conform_says_where_and_why(listed, text):
    assert documents.cedar_entities([listed], SCHEMA) is None
    with pytest.raises(RequestError, match=text):
        read_entities([listed], VOCABULARY)


def test_types_of_what_parents_may_be_in_may_stand_in_for_them():
    listed = [user(parents=[{"type": "N::Org", "id": "o"}, {"type": "N::Color", "id": "red"}])]
    assert documents.cedar_entities(listed, SCHEMA)
    assert len(read_entities(listed, VOCABULARY).ancestors[Uid("N::User", "a")]) == 2


def test_the_actions_of_a_schema_are_entities():
    found = read_entities([], VOCABULARY)
    view, grp, top = Uid("N::Action", "view"), Uid("N::Action", "grp"), Uid("Other::Action", "top")
    assert found.ancestors[view] == {grp, top} and found.ancestors[grp] == {top}
    assert found.attributes[view] == Record()
    groups = [{"type": uid.type, "id": uid.id} for uid in (grp, top)]
    listed = [user(uid={"type": "N::Action", "id": "view"}, parents=groups)]
    assert documents.cedar_entities(listed, SCHEMA)
    assert read_entities(listed, VOCABULARY) == found


def test_nesting_is_bounded_where_cedar_bounds_it():
    deep = 1
    for _ in range(124):
        deep = [deep]
    assert read_entities([entity("a", x=deep)]) and documents.cedar_entities([entity("a", x=deep)]) is not None
    assert documents.cedar_entities([entity("a", x=[deep])]) is None
    with pytest.raises(RequestError, match="too deep"):
        read_entities([entity("a", x=[deep])])


def test_many_members_of_one_team_are_one_set():
    found = read_entities([entity(str(number), "team") for number in range(5000)] + [entity("team", "lab")])
    assert len({id(above) for above in found.ancestors.values()}) == 2
