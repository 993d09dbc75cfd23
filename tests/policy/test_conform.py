"""Values with a schema: escapes may be left out, and everything is exactly of its type."""

import pytest

from thunderlab.policy.language.extensions import CONSTRUCTORS
from thunderlab.policy.language.types import Attribute, EntityOf, Plain, RecordType, SetType
from thunderlab.policy.language.values import Datetime, Record, Set, Uid, key
from thunderlab.policy.requests.checks import UnfitError
from thunderlab.policy.requests.conform import Conformer
from thunderlab.policy.text.schema import read_vocabulary

VOCABULARY = read_vocabulary('entity User; entity Color enum ["red"]; action view;')
TEXT = {"decimal": "1.5", "ipaddr": "10.0.0.0/8", "datetime": "2024-01-01", "duration": "-1h"}


def read(type_, document):
    return Conformer(VOCABULARY).reader(type_)(document)


@pytest.mark.parametrize(("name", "text"), TEXT.items())
def test_a_value_of_an_extension_in_all_its_forms(name, text):
    function = "ip" if name == "ipaddr" else name
    expected = CONSTRUCTORS[function].call(text)
    call = {"fn": function, "arg": text}
    for form in (text, call, {"fn": function, "args": [text]}, {"__extn": call}, {"__extn": call, "more": 1}, {"__extn": 1, **call}):
        assert read(Plain(name), form) == expected


def test_operands_of_a_method_may_leave_their_escapes_out_as_well():
    assert read(Plain("datetime"), {"fn": "offset", "args": ["1970-01-02", "-1d"]}) == Datetime(0)
    assert read(Plain("Bool"), {"__extn": {"fn": "isIpv4", "arg": {"__extn": {"fn": "ip", "arg": "1.1.1.1"}}}}) is True


@pytest.mark.parametrize(
    ("type_", "document", "text"),
    [
        (Plain("Long"), True, "expected Long, not true"),
        (Plain("Bool"), 1, "expected Bool, not 1"),
        (Plain("String"), {}, "expected String, not an object"),
        (Plain("Long"), 2**63, "beyond 64"),
        (Plain("decimal"), "x", "no decimal"),
        (Plain("decimal"), 1.5, "expected the text of a value"),
        (Plain("decimal"), {"fn": "ip", "arg": "::1"}, "expected decimal"),
        (Plain("decimal"), {"__expr": "x", "fn": "decimal", "arg": "1.0"}, "expected the text of a value"),
        (Plain("duration"), {"fn": "toTime", "args": ["2024-01-01", 1]}, "takes 1 values, not 2"),
        (Plain("duration"), {"fn": "nope", "args": []}, "no function"),
        (EntityOf("User"), {"type": "Color", "id": "red"}, "expected an entity of type User"),
        (EntityOf("User"), 'User::"a"', "expected an entity"),
        (EntityOf("Color"), {"type": "Color", "id": "blue"}, "none of the entities that the schema lists"),
        (EntityOf("Action"), {"type": "Action", "id": "edit"}, "no action of the schema"),
        (SetType(Plain("Long")), [1, 2, "3"], r"\[2\]: expected Long"),
        (SetType(Plain("Long")), {}, "expected a list"),
        (RecordType({"a": Attribute(Plain("Long"))}), {}, "a: is missing"),
        (RecordType({"a": Attribute(Plain("Long"))}), {"a": 1, "b": 2}, "'b' is no attribute that the schema knows here"),
        (
            RecordType({"a": Attribute(RecordType({"b": Attribute(SetType(Plain("Bool")))}))}),
            {"a": {"b": [0]}},
            r"a\.b\[0\]: expected Bool",
        ),
        (RecordType({"a": Attribute(Plain("String"), required=False)}), {"a": None}, "a: null"),
        (RecordType({"a": Attribute(Plain("String"))}), {"a": "\ud800"}, "a: .*surrogate"),
        (RecordType({"a": Attribute(Plain("Long"))}), {"a": -(2**63) - 1}, "a: .*beyond 64"),
        (RecordType({}), [], "expected an object"),
    ],
)
def test_what_does_not_conform_says_where(type_, document, text):
    with pytest.raises(UnfitError, match=text):
        read(type_, document)


def test_records_sets_and_entities():
    inner = RecordType({"on": Attribute(Plain("Bool")), "by": Attribute(EntityOf("User"), required=False)})
    assert read(inner, {"on": False}) == Record({"on": False})
    assert read(SetType(inner), [{"on": True, "by": {"type": "User", "id": "a"}}]) == Set(
        frozenset({key(read(inner, {"on": True, "by": {"__entity": {"type": "User", "id": "a"}}}))})
    )
    assert read(EntityOf("Action"), {"type": "Action", "id": "view"}) == Uid("Action", "view")
    # The type decides, so attributes may be called what an escape is called.
    assert read(RecordType({"__entity": Attribute(Plain("Long"))}), {"__entity": 1}) == Record({"__entity": 1})


def test_a_type_that_many_share_is_compiled_once():
    type_ = RecordType({"a": Attribute(Plain("Long"))})
    for _ in range(100):
        type_ = RecordType({"a": Attribute(type_), "b": Attribute(type_, required=False)})
    document = {"a": 1}
    for _ in range(100):
        document = {"a": document}
    assert read(type_, document)
