"""Events: what is documented can be emitted, what is not cannot."""

import json
import math

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.clock import VirtualClock
from thunderlab.errors import UndocumentedEventError
from thunderlab.events import EVENTS, Bus, Catalogue, Event, committed_snapshot
from thunderlab.lab import catalogue


class Rang(Event, frozen=True):
    """A bell rang."""

    NAME = "bell.rang"
    DURABLE = True

    times: int
    loudness: float = 0.5
    by: str | None = None


class Whispered(Event, frozen=True):
    """Somebody whispered."""

    NAME = "voice.whispered"

    words: list[str]


@pytest.fixture
def recorded():
    return []


@pytest.fixture
def bus(recorded):
    return Bus(Catalogue([Rang, Whispered, *EVENTS]), VirtualClock(), lambda envelopes, within: recorded.append((list(envelopes), within)))


@pytest.mark.parametrize(
    "event",
    [
        Rang(times="3"),
        Rang(times=True),
        Rang(times=1, loudness=math.nan),
        Rang(times=1, loudness=math.inf),
        Rang(times=1, by=7),
        Rang(times=1, by="\ud800"),
        Rang(times=1, by=object()),
        Whispered(words=["a", 1]),
        Whispered(words=("a",)),
    ],
)
def test_values_that_do_not_fit_their_schema_are_not_emitted(bus, recorded, event):
    with pytest.raises(UndocumentedEventError):
        bus.emit(Rang(times=1), event)
    assert recorded == []


def test_an_event_that_is_not_in_the_catalogue_is_not_emitted(bus):
    class Sneaky(Event, frozen=True):
        """Pretends to be a bell."""

        NAME = "bell.rang"

    class Unknown(Event, frozen=True):
        """Nobody knows this one."""

        NAME = "nobody.knows"

    for event in (Sneaky(), Unknown()):
        with pytest.raises(UndocumentedEventError, match="not in the catalogue"):
            bus.emit(event)


@given(st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), st.none() | st.text())
def test_bytes_decode_to_the_event_and_fit_the_published_schema(times, loudness, by):
    event = Rang(times=times, loudness=loudness, by=by)
    data = event.encode()
    assert Rang.decode(data) == event
    assert Rang.decode(data).encode() == data
    jsonschema.validate(json.loads(data), Catalogue([Rang]).entry("bell.rang").json_schema)


@given(
    st.lists(
        st.builds(Rang, times=st.integers(-(2**63), 2**64 - 1), loudness=st.integers(0, 9) | st.floats(0, 9), by=st.none() | st.text())
    )
)
def test_events_emitted_together_have_the_bytes_each_has_alone(rung):
    for whispered in ([], [Whispered(words=["a\nb"])]):
        recorded = []
        bus = Bus(Catalogue([Rang, Whispered, *EVENTS]), VirtualClock(), lambda envelopes, within, to=recorded: to.extend(envelopes))
        told = bus.emit(*rung, *whispered, *rung)
        assert [one.payload for one in told] == [one.encode() for one in (*rung, *whispered, *rung)]
        assert [one.event for one in recorded] == [*rung, *rung]
        bus.catalogue.check(told)


def test_an_integer_in_a_number_field_is_written_as_readers_will_write_it():
    assert Rang(times=1, loudness=2).encode() == b'{"times":1,"loudness":2.0,"by":null}'


def test_fields_of_a_newer_minor_version_are_skipped_and_noticed_by_whoever_encodes_again():
    newer = b'{"times":1,"loudness":0.5,"by":null,"colour":"red"}'
    assert Rang.decode(newer) == Rang(times=1)
    assert Rang.decode(newer).encode() != newer


def test_durable_events_are_recorded_together_before_listeners_hear(bus, recorded):
    heard = []
    bus.subscribe("bell.*", lambda envelope: heard.append((envelope.name, len(recorded))))
    envelopes = bus.emit(Rang(times=1), Whispered(words=["x"]), Rang(times=2))
    assert [envelope.event for envelope in recorded[0][0]] == [Rang(times=1), Rang(times=2)]
    assert heard == [("bell.rang", 1), ("bell.rang", 1)]
    assert len({envelope.id for envelope in envelopes}) == 3


def test_subscriptions_end(bus):
    heard = []
    stop = bus.subscribe("*", heard.append)
    bus.emit(Whispered(words=[]))
    stop()
    bus.emit(Whispered(words=[]))
    assert len(heard) == 1


def test_transient_events_are_not_recorded(bus, recorded):
    bus.emit(Whispered(words=["x"]))
    assert recorded == []


def test_prose_of_several_lines_is_the_same_for_every_python():
    """From 3.13 on Python leaves the indentation of docstrings out itself."""

    class Tolled(Event, frozen=True):
        """A bell tolled.

        Once for every year.
        """

        NAME = "bell.tolled"

    schema = Catalogue([Tolled]).entry("bell.tolled").json_schema
    assert schema["$defs"]["Tolled"]["description"] == "A bell tolled.\n\nOnce for every year."


def test_the_committed_snapshot_is_the_catalogue():
    assert catalogue().differences(committed_snapshot()) == []


def test_better_prose_is_no_new_shape():
    plain = Catalogue([Rang]).entry("bell.rang")
    reworded = msgspec.defstruct(
        "Rang",
        [("times", int), ("loudness", float, 0.5), ("by", str | None, None)],
        bases=(Event,),
        namespace={"__doc__": "A bell rang; said better.", "NAME": "bell.rang", "DURABLE": True},
        frozen=True,
        kw_only=True,
    )
    entry = Catalogue([reworded]).entry("bell.rang")
    assert entry.about != plain.about
    assert entry.digest == plain.digest
