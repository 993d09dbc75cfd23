"""Exported events are CloudEvents: the rules of the specification, and the payload's exact bytes."""

import hashlib
import json
import re
from datetime import datetime

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.errors import EvidenceError
from thunderlab.events.cloudevents import line

GIVEN = {
    "id": "018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b",
    "source": "thunderlab/018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b",
    "name": "lab.note.recorded",
    "version": "1.0",
    "at": "2026-01-31T12:00:00.000000Z",
    "payload": b'{"text":"\xc3\xa9","value":1.0}',
    "extensions": {"seq": 3, "aggregatehash": "ab" * 32, "whole": True},
}

# The attributes and their types as the specification and the schema published with it (cloudevents.json) name them.
PUBLISHED = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"type": ["string", "null"], "minLength": 1},
        "dataschema": {"type": ["string", "null"], "minLength": 1, "pattern": "^[a-z][a-z0-9+.-]*:"},
        "subject": {"type": ["string", "null"], "minLength": 1},
        "time": {"type": ["string", "null"], "minLength": 1},
        "data": {"type": ["object", "string", "number", "array", "boolean", "null"]},
    },
    "additionalProperties": {"type": ["boolean", "integer", "string"]},
}


def made(**changes):
    return line(**{**GIVEN, **changes})


def test_a_line_is_the_event_with_the_attribute_names_of_the_specification():
    data = made()
    event = json.loads(data)
    jsonschema.validate(event, PUBLISHED)
    assert data.endswith(b"\n") and data.count(b"\n") == 1
    assert event == {
        "specversion": "1.0",
        "id": GIVEN["id"],
        "source": GIVEN["source"],
        "type": "lab.note.recorded",
        "time": GIVEN["at"],
        "datacontenttype": "application/json",
        "dataschema": "thunderlab:events/lab.note.recorded@1.0",
        "data": {"text": "é", "value": 1.0},
        "seq": 3,
        "aggregatehash": "ab" * 32,
        "whole": True,
    }
    assert all(re.fullmatch("[a-z0-9]+", name) for name in event)
    assert datetime.fromisoformat(event["time"]).tzinfo is not None


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans()
)
def test_data_is_the_payload_byte_for_byte(value, ascii_only):
    payload = json.dumps(value, ensure_ascii=ascii_only, separators=(" ,", ": ")).encode("utf-8", "replace")
    found = made(payload=payload)
    assert hashlib.sha256(found.partition(b'"data":')[2][:-2]).digest() == hashlib.sha256(payload).digest()
    assert json.loads(found)["data"] == json.loads(payload)


def test_a_pruned_event_has_no_data_and_its_envelope_all_the_same():
    event = json.loads(made(payload=None))
    assert event.keys() & {"data", "datacontenttype", "data_base64"} == set()
    assert (event["id"], event["dataschema"]) == (GIVEN["id"], "thunderlab:events/lab.note.recorded@1.0")
    jsonschema.validate(event, PUBLISHED)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "a\x07b"},
        {"id": "\ufdd0"},
        {"id": "\U0001fffe"},
        {"source": ""},
        {"source": "two words"},
        {"source": "100%"},
        {"name": ""},
        {"version": "1 0"},
        {"at": "yesterday"},
        {"at": "2026-01-31 12:00:00"},
        {"extensions": {"Seq": 1}},
        {"extensions": {"prev_hash": "x"}},
        {"extensions": {"": 1}},
        {"extensions": {"a" * 21: 1}},
        {"extensions": {"data": "x"}},
        {"extensions": {"type": "x"}},
        {"extensions": {"seq": 2**31}},
        {"extensions": {"seq": -(2**31) - 1}},
        {"extensions": {"text": "\x00"}},
    ],
)
def test_attributes_the_specification_does_not_allow_are_refused(changes):
    with pytest.raises(ValueError):
        made(**changes)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"{}{}", b'{"a":\n1}', b'{"a":1}\r', b'"\xff"', b"NaN", b'{"text":"a"},"id":"forged","x":{}']
)
def test_a_payload_that_would_break_the_line_or_forge_an_attribute_is_evidence(payload):
    with pytest.raises(EvidenceError, match=GIVEN["id"]):
        made(payload=payload)


def test_integers_of_32_bits_are_integers():
    assert json.loads(made(extensions={"low": -(2**31), "high": 2**31 - 1}))["high"] == 2**31 - 1
