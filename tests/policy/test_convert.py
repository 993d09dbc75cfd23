"""Values without a schema: what Cedar's JSON form says, accepted and refused exactly where Cedar does."""

import json

import pytest
from hypothesis import given

from tests.policy import documents
from thunderlab.policy.language.extensions import ip
from thunderlab.policy.language.values import Datetime, Decimal, Duration, Record, Set, Uid, key
from thunderlab.policy.requests.checks import UnfitError
from thunderlab.policy.requests.convert import DEEPEST, make_uid, to_record, to_uid, to_value

ALICE = {"__entity": {"type": "User", "id": "alice"}}


def extension(name, *given):
    return {"__extn": {"fn": name, "args": list(given)}}


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (True, True),
        (2**63 - 1, 2**63 - 1),
        ("é", "é"),
        (ALICE, Uid("User", "alice")),
        (extension("decimal", "-1.5"), Decimal(-15000)),
        ({"__extn": {"fn": "ip", "arg": "::1/8"}}, ip("::1/8")),
        (extension("offset", extension("datetime", "1970-01-02"), extension("duration", "1ms")), Datetime(86_400_001)),
        (extension("toTime", extension("datetime", "1970-01-02T00:00:01Z")), Duration(1000)),
        (extension("toSeconds", extension("duration", "-1999ms")), -1),
        (extension("isIpv4", extension("ip", "1.2.3.4")), True),
    ],
)
def test_each_kind_of_value(document, value):
    found = to_value(document)
    assert (type(found), found) == (type(value), value)


def test_a_list_is_a_set_and_true_is_not_one():
    assert to_value([1, True, 1, "a", [2, 2]]) == Set(frozenset({1, key(True), "a", Set(frozenset({2}))}))
    assert to_value([True]) != to_value([1])


@pytest.mark.parametrize(
    "escape",
    [
        {"__entity": {"type": "User"}},
        {"__entity": {"type": "User", "id": 1}},
        {"__entity": ALICE["__entity"], "more": 1},
        {"__extn": {"fn": "ip"}},
        {"__extn": {"fn": "ip", "args": 3}},
        {"__extn": "ip"},
        {"__expr": 1},
        {"__expr": "1", "more": 1},
    ],
)
def test_what_is_no_whole_escape_is_a_record(escape):
    assert type(to_value(escape)) is Record
    assert documents.cedar_builds({"principal": 'U::"a"', "action": 'Action::"a"', "resource": 'U::"a"', "context": {"a": escape}})


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"a": {"b": [1, {"c": 2.0}]}}, r"a\.b\[1\]\.c: 2\.0 is a float"),
        ({"a": None}, "a: null is no value"),
        (2**63, "64 bits is beyond 64"),
        (-(2**63) - 1, "beyond 64"),
        ([10**5000], "an integer of 16610 bits is beyond 64"),
        ("\ud800", "half a surrogate pair"),
        ({"\ud800": 1}, "half a surrogate pair"),
        ({1: 1}, "names of attributes are strings"),
        ({b"a": 1}, "names of attributes are strings"),
        ({"a": b"x"}, "a: expected a JSON value, not bytes"),
        ({"__expr": "1 + 1"}, "no longer a part of Cedar"),
        ({"__entity": {"type": "if", "id": "x"}}, "no type of entities"),
        ({"__entity": {"type": "User\n", "id": "x"}}, "no type of entities"),
        (extension("nope", 1), "no function of an extension"),
        (extension("unknown", "x"), "no function of an extension"),
        (extension("ip"), "takes 1 values, not 0"),
        (extension("ip", 1), "does not take 1"),
        (extension("decimal", "1.00000"), "more than 4 digits"),
        (extension("offset", extension("datetime", "9999-12-31"), extension("duration", "9223372036854775807ms")), "beyond 64 bits"),
    ],
)
def test_what_is_refused_says_where_and_why(document, text):
    with pytest.raises(UnfitError, match=text):
        to_value(document)


def test_nesting_is_bounded_where_cedar_bounds_it():
    deep = {"a": 1}
    for _ in range(DEEPEST - 1):
        deep = {"a": deep}
    asked = {"principal": 'U::"a"', "action": 'Action::"a"', "resource": 'U::"a"'}
    assert to_record(deep) and documents.cedar_builds(asked | {"context": deep})
    with pytest.raises(UnfitError, match="too deep"):
        to_record({"a": deep})
    assert not documents.cedar_builds(asked | {"context": {"a": deep}})
    hostile = []
    for _ in range(50_000):
        hostile = [hostile]
    with pytest.raises(UnfitError, match="too deep"):
        to_value(hostile)


@pytest.mark.parametrize("document", [ALICE, [1], "x", extension("ip", "::1"), 3])
def test_a_context_is_a_record(document):
    with pytest.raises(UnfitError, match="expected an object of attributes"):
        to_record(document)


@given(documents.sources)
def test_what_cedar_refuses_is_refused_and_nothing_else(rng):
    for _ in range(8):
        context = {"a": documents.value(rng)}
        asked = {"principal": 'U::"a"', "action": 'Action::"a"', "resource": 'U::"a"', "context": context}
        try:
            to_record(context)
        except UnfitError:
            assert not documents.cedar_builds(asked), context
        else:
            assert documents.cedar_builds(asked), context


@given(documents.sources)
def test_a_uid_is_read_where_cedar_reads_one(rng):
    document = documents.uid_form(rng)
    taken = documents.cedar_entities([{"uid": document, "attrs": {}, "parents": []}])
    try:
        found = to_uid(document)
    except UnfitError:
        assert taken is None, json.dumps(document)
    else:
        assert taken[0]["uid"] == {"type": found.type, "id": found.id}


def test_a_uid_has_names_that_cedar_takes():
    assert make_uid("A::B", "\0") == Uid("A::B", "\0")
    for type_, name in [("A::", "x"), ("", "x"), ("A B", "x"), ("__cedar::A", "x"), ("Ä", "x"), ("A", "\udfff")]:
        with pytest.raises(UnfitError):
            make_uid(type_, name)


@pytest.mark.parametrize(
    "innermost",
    [1, [], {}, extension("datetime", "2024-01-01"), {"__extn": {"fn": "datetime", "arg": "2024-01-01"}}, ALICE],
    ids=json.dumps,
)
def test_what_escapes_hold_are_levels_too(innermost):
    asked = {"principal": 'U::"a"', "action": 'Action::"a"', "resource": 'U::"a"'}
    calls = innermost
    for _ in range(60 if isinstance(innermost, dict) and "__extn" in innermost else 0):
        calls = {"__extn": {"fn": "toDate", "arg": calls}}
    built = []
    for levels in range(DEEPEST + 1):
        calls = {"a": calls}
        try:
            built.append(bool(to_record(calls)))
        except UnfitError:
            built.append(False)
        assert built[-1] == documents.cedar_builds(asked | {"context": calls}), levels
    assert built[0] and not built[-1]
