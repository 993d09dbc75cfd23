"""What is recorded is what is judged: requests in their one JSON form, and what JSON cannot say."""

import enum
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.errors import InputError
from thunderlab.policy.record.wire import MOST_REQUEST_BYTES, read_json, say, say_entities, unsayable

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_json_can_say_comes_back_as_it_was(request):
    said = say(request)
    if said.unsaid is None:
        assert said.document == request
        # Read by another reader; `repr` tells 1 from 1.0 and True.
        assert repr(json.loads(said.text)) == repr(said.document)
        assert say(said.document).text == said.text
    else:
        assert "half a character" in said.unsaid or "nested" in said.unsaid


def _deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def _circle():
    value = {}
    value["self"] = value
    return value


def _shared(levels):
    value = [1]
    for _ in range(levels):
        value = [value] * 10
    return value


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("context", "word"),
    [
        ({"load": math.nan}, "context.load is nan"),
        ({"load": -math.inf}, "context.load is -inf"),
        ({"a": [1, {2: 3}]}, "context.a[1] has a key that is no text: 2"),
        ({"a": {True: 1}}, "no text: True"),
        ({"a": {None: 1}}, "no text: None"),
        ({"a": "\ud800"}, "context.a holds half a character"),
        ({"\udfff": 1}, "has a key that is no text"),
        ({"a": b"bytes"}, "context.a is a bytes"),
        ({"a": {1, 2}}, "context.a is a set"),
        ({"a": Colour.RED}, "context.a is a Colour"),
        ({"a": 10**5000}, "an integer of"),
        ({"a": _deep(40)}, "nested deeper than 32"),
        (_circle(), "nested deeper than 32"),
        ({"a": _shared(9)}, f"more than {MOST_REQUEST_BYTES} values"),
        ({"a": "x" * MOST_REQUEST_BYTES}, "bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "context",
)
def test_what_json_cannot_say_is_left_out_and_named(context, word):
    said = say({"principal": {"type": "U", "id": "a"}, "action": "b", "resource": "c", "context": context})
    assert word in said.unsaid
    assert said.document == {"principal": {"type": "U", "id": "a"}, "action": "b", "resource": "c"}
    assert json.loads(said.text) == said.document


def test_a_part_that_cannot_be_said_goes_alone():
    said = say({"principal": {"type": "U", "id": "\ud800"}, "action": "b", "resource": "x" * MOST_REQUEST_BYTES, "context": {}})
    assert said.unsaid.startswith("principal.id") and said.document == {}
    assert say([1]).unsaid == "a request is a mapping, got list"
    assert say(None).document == {}


def test_tuples_are_lists_and_integers_are_not_cut():
    said = say({"context": {"a": (1, 2), "big": 2**63, "one": 1.0}})
    assert said.document == {"context": {"a": [1, 2], "big": 2**63, "one": 1.0}}
    assert type(said.document["context"]["one"]) is float


def test_keys_that_python_takes_for_one_another_are_told_apart():
    assert say({"context": {"a": True}}).text != say({"context": {"a": 1}}).text


def test_entities_have_one_digest_and_are_refused_when_they_cannot_be_said():
    assert say_entities([{"b": 1, "a": 2}]).digest == say_entities([{"a": 2, "b": 1}]).digest
    # The SHA-256 of the two bytes `[]`, as sha256sum prints it.
    assert say_entities([]).digest == "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    with pytest.raises(InputError, match="is nan"):
        say_entities([{"a": math.nan}])


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "line 1"),
        ('{"a": 1,\n "a" 2}', "line 2"),
        ('{"a": 1, "a": 2}', "'a' is said twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ("[" * 200_000, "nested too deep"),
        ('{"a": ' + "1" * 5000 + "}", "thousands of digits"),
        (b"\xff", "UTF-8"),
    ],
    ids=range(8),
)
def test_a_file_that_is_no_json_names_the_place(tmp_path, text, word):
    with pytest.raises(InputError) as refused:
        read_json(text, tmp_path / "r.json")
    assert str(refused.value).startswith(str(tmp_path / "r.json")) and word in str(refused.value)


def test_numbers_are_read_as_they_are_written():
    found = read_json('{"a": 2.0, "b": 9223372036854775807, "c": -0}', "r.json")
    assert [type(value) for value in found.values()] == [float, int, int] and found["b"] == 2**63 - 1


def test_nothing_is_wrong_with_plain_values():
    assert unsayable({"a": [1, 2.5, "é", None, True]}, 100) is None
