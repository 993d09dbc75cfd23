"""Times and ids."""

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.clock import IdSource, SystemClock, VirtualClock, parse_rfc3339, rfc3339

MOMENTS = st.integers(0, 4_000_000_000_000_000)


@given(MOMENTS)
def test_rfc3339_agrees_with_the_standard_library_and_round_trips(at_us):
    text = rfc3339(at_us)
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(at_us // 1_000_000, UTC).replace(microsecond=at_us % 1_000_000)
    assert parse_rfc3339(text) == at_us


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01 00:00:00.000000Z",
        "2026-01-01T00:00:00.000000+00:00",
        "2026-02-30T00:00:00.000000Z",
        "x",
    ],
)
def test_one_instant_has_one_text(text):
    with pytest.raises(ValueError):
        parse_rfc3339(text)


@given(st.lists(st.integers(-3_000_000, 3_000_000), min_size=1, max_size=50))
def test_ids_are_version_7_and_never_go_back_even_when_the_clock_does(moves):
    clock = VirtualClock()
    source = IdSource(clock)
    ids = [source.new()]
    for move in moves:
        clock.set_back(-move / 1e6)
        ids += [source.new(), *source.several(abs(move) % 4)]
    assert [str(uuid.UUID(text)) for text in sorted(ids)] == ids
    assert {uuid.UUID(text).version for text in ids} == {7}
    assert {uuid.UUID(text).variant for text in ids} == {uuid.RFC_4122}


def test_an_id_carries_its_millisecond():
    made = uuid.UUID(IdSource(VirtualClock(start_us=1_645_557_742_000_000)).new())
    # RFC 9562, appendix A.6: this moment is 0x017F22E279B0 milliseconds.
    assert made.int >> 80 == 0x017F22E279B0


def test_the_system_clock_is_the_machines():
    before = datetime.now(UTC).timestamp()
    assert before - 1 <= SystemClock().now_us() / 1e6 <= datetime.now(UTC).timestamp() + 1
