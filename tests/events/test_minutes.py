"""What is not ledgered one by one is counted per minute, and no count is lost or told twice."""

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.events.test_events import Rang, Whispered
from thunderlab.automata.events import EntropySampled
from thunderlab.clock import VirtualClock
from thunderlab.errors import EnvironmentBlockedError, EvidenceError
from thunderlab.events import EVENTS, Bus, Catalogue, MinuteCounted
from thunderlab.ledger import NoteRecorded

SAMPLE = Whispered(words=["x"])
MINUTES = ["1970-01-01T00:00:00.000000Z", "1970-01-01T00:01:00.000000Z", "1970-01-01T00:02:00.000000Z"]


@pytest.fixture
def clock():
    return VirtualClock(start_us=0)


class Recorder:
    """Takes events as a ledger would; raises `error` while there is one."""

    def __init__(self):
        self.error = None
        self.taken = []

    def __call__(self, envelopes, within):
        if self.error is not None:
            raise self.error
        self.taken.append([envelope.event for envelope in envelopes])

    def counted(self):
        return [(event.minute, event.counts) for events in self.taken for event in events if isinstance(event, MinuteCounted)]


@pytest.fixture
def record():
    return Recorder()


@pytest.fixture
def bus(clock, record):
    return Bus(Catalogue([Rang, Whispered, *EVENTS]), clock, record)


def test_a_bus_that_could_not_tell_of_its_counts_is_not_made(clock, record):
    with pytest.raises(ValueError, match=r"events\.minute\.counted"):
        Bus(Catalogue([Rang, Whispered]), clock, record)


def test_a_minute_is_told_of_by_the_next_emission_after_it(bus, clock, record):
    bus.emit(SAMPLE, SAMPLE)
    clock.advance(59.999)
    bus.emit(SAMPLE)
    assert record.taken == []
    clock.advance(0.001)
    bus.emit(Rang(times=1))
    assert record.taken == [[Rang(times=1)], [MinuteCounted(minute=MINUTES[0], counts={"voice.whispered": 3})]]
    clock.advance(600)
    bus.emit(Rang(times=2))
    assert len(record.taken) == 3, "in a minute without samples there is nothing to tell"


def test_listeners_hear_of_the_counts(bus, clock):
    heard = []
    bus.subscribe("events.*", heard.append)
    bus.emit(SAMPLE)
    clock.advance(60)
    bus.emit(SAMPLE)
    bus.flush()
    assert [envelope.event.minute for envelope in heard] == MINUTES[:2]


def test_flush_tells_of_the_minute_as_far_as_it_has_come_and_only_once(bus, record):
    bus.flush()
    bus.emit(SAMPLE)
    bus.flush()
    bus.flush()
    assert record.counted() == [(MINUTES[0], {"voice.whispered": 1})]


def test_within_a_callers_transaction_nothing_is_counted_that_a_rollback_would_take_along(bus, clock, record):
    bus.emit(SAMPLE)
    clock.advance(60)
    bus.emit(Rang(times=1), within="a transaction")
    assert record.counted() == []
    bus.emit(SAMPLE)
    assert record.counted() == [(MINUTES[0], {"voice.whispered": 1})]


@pytest.mark.parametrize("error", [EvidenceError("damaged"), EnvironmentBlockedError("full")])
def test_counts_that_cannot_be_recorded_are_kept_and_samples_go_on(bus, clock, record, error):
    heard = []
    bus.subscribe("voice.*", heard.append)
    bus.emit(SAMPLE)
    clock.advance(60)
    record.error = error
    bus.emit(SAMPLE)
    assert len(heard) == 2
    with pytest.raises(type(error)):
        bus.flush()
    record.error = None
    bus.emit(SAMPLE)
    assert record.counted() == [], "tried again with the next minute, not with every sample"
    clock.advance(60)
    bus.emit(SAMPLE)
    bus.flush()
    told = Counter()
    for minute, counts in record.counted():
        told[minute] += counts["voice.whispered"]
    assert told == {MINUTES[0]: 1, MINUTES[1]: 2, MINUTES[2]: 1}


def test_what_was_not_emitted_is_not_counted(bus, record):
    record.error = EvidenceError("damaged")
    with pytest.raises(EvidenceError):
        bus.emit(SAMPLE, Rang(times=1))
    record.error = None
    bus.flush()
    assert record.counted() == []


@given(st.lists(st.tuples(st.floats(-90, 90), st.integers(0, 3), st.booleans())))
def test_counts_add_up_however_the_clock_moves(steps):
    clock, record = VirtualClock(), Recorder()
    bus = Bus(Catalogue([Rang, Whispered, *EVENTS]), clock, record)
    emitted = Counter()
    for seconds, samples, durable in steps:
        clock.set_back(-seconds)
        bus.emit(*[SAMPLE] * samples, *[Rang(times=1)] * durable)
        emitted[clock.now_us() // 60_000_000] += samples
    bus.flush()
    told = Counter()
    for minute, counts in record.counted():
        assert minute.endswith(":00.000000Z")
        told[minute] += counts["voice.whispered"]
    assert sum(told.values()) == sum(emitted.values())
    assert sorted(told.values()) == sorted(count for count in emitted.values() if count)


def test_threads_lose_no_count(clock, record):
    bus = Bus(Catalogue([Rang, Whispered, *EVENTS]), clock, record)

    def work():
        for _ in range(500):
            bus.emit(SAMPLE)
            clock.advance(0.1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bus.flush()
    assert sum(counts["voice.whispered"] for _, counts in record.counted()) == 2000
    assert len(record.counted()) > 1


def _counted(lab):
    return [
        lab.events.catalogue.read(block.event_name, block.event_version, block.payload)
        for block in lab.ledger.blocks(name=MinuteCounted.NAME)
    ]


def test_a_lab_that_closes_tells_what_it_counted(tmp_path, lab):
    from thunderlab.lab import Lab

    lab.events.emit(*[EntropySampled(scenario="x", step=0, entropy=0.5)] * 7)
    assert _counted(lab) == []
    lab.close()
    with Lab(tmp_path / "workspace") as again:
        assert [event.counts for event in _counted(again)] == [{"ca.entropy.sample": 7}]


def test_a_lab_with_a_damaged_ledger_closes(lab):
    import sqlalchemy as sa

    lab.events.emit(NoteRecorded(text="x"), EntropySampled(scenario="x", step=0, entropy=0.5))
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE event_chain_blocks SET aggregate_hash = 'none'"))
    with pytest.raises(EvidenceError):
        lab.events.flush()
    lab.close()
