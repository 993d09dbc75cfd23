"""The gate: every way a reading can be bad keeps the lab from being healthy, and nothing is invented."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.errors import InputError
from thunderlab.gate import Gate, Reading, decide
from thunderlab.gate.collectors import COLLECTORS, Collector, Observation, Sources
from thunderlab.gate.gate import DEPLOY_GATES
from thunderlab.gate.thresholds import Limits, Thresholds, read
from thunderlab.workspace import shipped

AT = "2026-01-01T00:00:00.000000Z"
KNOWN = frozenset(collector.name for collector in COLLECTORS)


def _reading(name="a.b", value=1.0, samples=5, age_s=1.0, **more):
    return Reading(name=name, title=name, value=value, unit="count", samples=samples, age_s=age_s, source="test", **more)


def _decide(readings, **limits):
    return decide(readings, Thresholds(readings=limits, sha256="0" * 64), AT)


@pytest.mark.parametrize(
    ("reading", "limits", "status", "word"),
    [
        (_reading(value=1), Limits(required=True, blocked_above=1), "healthy", ""),
        (_reading(value=1.01), Limits(blocked_above=1), "blocked", "above 1"),
        (_reading(value=0.99), Limits(blocked_below=1), "blocked", "below 1"),
        (_reading(value=2), Limits(degraded_above=1), "degraded", "above 1"),
        (_reading(value=0), Limits(degraded_below=1), "degraded", "below 1"),
        (_reading(value=9), Limits(degraded_above=1, blocked_above=5), "blocked", "above 5"),
        (_reading(value=None, samples=0, age_s=None, why="no run yet"), Limits(required=True), "unknown", "no run yet"),
        (_reading(age_s=61), Limits(required=True, stale_after_s=60), "unknown", "61 s old"),
        (_reading(age_s=None), Limits(required=True, stale_after_s=60), "unknown", "old"),
        (_reading(samples=4), Limits(required=True, minimum_samples=5), "unknown", "4 samples"),
        (_reading(value=99, age_s=61), Limits(blocked_above=5, stale_after_s=60, required=True), "unknown", "old"),
    ],
)
def test_limits_judge_as_they_say(reading, limits, status, word):
    found = _decide([reading], **{"a.b": limits})
    assert found.readings[0].status == status
    assert found.status == status
    assert word in found.readings[0].why
    assert [reason.gate for reason in found.blocking] == ([] if status == "healthy" else ["a.b"])


def test_an_optional_reading_without_data_is_shown_unknown_and_does_not_count():
    found = _decide([_reading(), _reading(name="c.d", value=None, samples=0)], **{"a.b": Limits(required=True)})
    assert [reading.status for reading in found.readings] == ["healthy", "unknown"]
    assert found.status == "healthy"


def test_a_required_reading_nobody_collects_is_unknown():
    found = _decide([], **{"a.b": Limits(required=True)})
    assert found.status == "unknown"
    assert "nothing collects" in found.blocking[0].why


def test_with_no_readings_at_all_nothing_is_known():
    assert _decide([]).status == "unknown"


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.5, 2.5, None]), st.booleans()), min_size=1, max_size=6))
def test_healthy_means_every_required_reading_is_there_and_none_is_beyond_a_limit(values):
    readings = [_reading(name=f"r.n{number}", value=value) for number, (value, _) in enumerate(values)]
    limits = {f"r.n{number}": Limits(required=required, degraded_above=1, blocked_above=2) for number, (_, required) in enumerate(values)}
    found = _decide(readings, **limits)
    expected = all(value == 0.0 or (value is None and not required) for value, required in values) and any(
        value is not None for value, _ in values
    )
    assert (found.status == "healthy") == expected
    assert bool(found.blocking) == any(value not in (0.0, None) or (value is None and required) for value, required in values)


def test_gates_without_a_reading_are_absent_by_name():
    found = _decide([_reading(name="ca.qa.breaches")])
    assert found.absent == ("event chain", "policy chain", "vector latency", "cluster churn")
    assert found.coverage == "1 of 5 deploy gates measured; not yet: event chain, policy chain, vector latency, cluster churn"
    assert len(DEPLOY_GATES) == 5


def test_values_and_limits_are_said_in_the_same_unit():
    slow = msgspec.structs.replace(_reading(value=1_200_000), unit="us")
    found = _decide([slow], **{"a.b": Limits(degraded_above=1_000_000)})
    assert found.readings[0].why == "1200 ms is above 1000 ms"
    assert found.readings[0].threshold == "degraded above 1000 ms"


def _broken(_sources):
    raise RuntimeError("the disk is gone")


@pytest.mark.parametrize("broken", [collector.name for collector in COLLECTORS])
def test_killing_any_collector_reads_unknown_never_zero(lab, broken):
    collectors = [
        msgspec.structs.replace(collector, observe=_broken) if collector.name == broken else collector for collector in COLLECTORS
    ]
    sources = Sources(
        store=lab.store, clock=lab.clock, bus=lab.events, chain=lab.ledger, custody=lab.custody,
        meter=lab.telemetry, qa=lab.automata.qa,
    )  # fmt: skip
    found = Gate(sources, shipped("scenarios") / "gate" / "thresholds.yaml", collectors).check()
    reading = next(reading for reading in found.readings if reading.name == broken)
    assert (reading.value, reading.status, reading.samples) == (None, "unknown", 0)
    assert "the disk is gone" in reading.why
    assert found.status != "healthy"


def test_a_new_lab_is_unknown_and_says_what_to_do(lab):
    found = lab.gate.check()
    assert found.status == "unknown"
    assert any("thunderlab qa run --suite core" in reason.why for reason in found.blocking)
    assert found.absent == ("policy chain", "vector latency", "cluster churn")
    assert found.coverage.startswith("2 of 5 deploy gates measured")


def test_every_reading_says_where_it_comes_from(lab):
    for reading in lab.gate.check().readings:
        assert reading.unit and reading.title
        assert reading.source or reading.value is None


def test_every_decision_is_a_block(lab):
    found = lab.gate.check()
    decided = next(lab.ledger.blocks(name="gate.readiness.decided"))
    assert msgspec.json.decode(decided.payload)["status"] == found.status
    # Audited before it was decided, and signed for after.
    newest = next(lab.ledger.blocks())
    assert newest.event_name == "ledger.checkpoint.signed"
    assert msgspec.json.decode(newest.payload)["size"] == newest.seq > decided.seq
    assert lab.custody.anchored().checkpoint.size == newest.seq
    assert next(lab.ledger.blocks(name="event_chain.audit.completed")).seq < decided.seq


def test_a_damaged_chain_blocks_and_is_recorded(lab):
    import sqlalchemy as sa

    lab.gate.check()
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE event_chain_blocks SET payload = x'7b7d' WHERE seq = 1"))
    found = lab.gate.check()
    assert found.status == "blocked"
    assert found.blocking[0].gate == "event_chain.audit.failures"
    assert "block 1" in found.blocking[0].why
    assert next(lab.ledger.blocks(name="event_chain.audit.failure")).event_name == "event_chain.audit.failure"


def test_a_damaged_chain_of_verdicts_blocks_and_is_recorded(lab):
    """Whatever stands in it: here a note, until policy writes verdicts."""
    import sqlalchemy as sa

    from thunderlab.ledger import NoteRecorded

    lab.events.emit(NoteRecorded(text="a verdict"), into=lab.verdicts.append)
    found = lab.gate.check()
    reading = next(reading for reading in found.readings if reading.name == "policy.chain.failures")
    assert (reading.value, reading.status) == (0, "healthy") and "policy chain" not in found.absent
    told = msgspec.json.decode(next(lab.ledger.blocks(name="policy.chain.audit")).payload)
    assert (told["expected"], told["verified"], told["failures"], told["first_bad_seq"]) == (2, 2, 0, None)
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE policy_verdict_chain SET latency_us = 5 WHERE seq = 1"))
    found = lab.gate.check()
    assert found.status == "blocked" and found.blocking[0].gate == "policy.chain.failures"
    told = msgspec.json.decode(next(lab.ledger.blocks(name="policy.chain.audit")).payload)
    assert (told["first_bad_seq"], told["kind"], told["failures"]) == (1, "copy", 1)
    assert told["verified"] == told["expected"] - 1


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE event_chain_blocks SET aggregate_hash = x'00' WHERE seq = 1",
        "UPDATE event_chain_blocks SET aggregate_hash = 'zz' WHERE seq = 1",
        "UPDATE event_chain_blocks SET inserted_at = 'today' WHERE seq = 1",
        "DELETE FROM event_chain_blocks",
    ],
)
def test_a_chain_too_damaged_to_write_to_still_blocks(lab, damage, tmp_path):
    import sqlalchemy as sa

    from thunderlab.errors import EvidenceError
    from thunderlab.faces.report.build import build
    from thunderlab.faces.report.provenance import collect
    from thunderlab.ledger import NoteRecorded

    lab.events.emit(NoteRecorded(text="x"))
    with lab.store.write() as connection:
        connection.execute(sa.text(damage))
    with pytest.raises(EvidenceError, match="thunderlab ledger audit"):
        lab.events.emit(NoteRecorded(text="y"))
    found = lab.gate.check()
    assert found.status == "blocked"
    assert found.blocking[0].gate == "event_chain.audit.failures"
    assert "could not be recorded" in found.blocking[0].why
    paths = build(tmp_path / "report", found, [], collect(lab, []), ())
    assert "damaged: it cannot be told" in paths["index.html"].read_text()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("thresholds: 1", "readings"),
        ("thresholds: 2\nreadings: {}", "format 2"),
        ("thresholds: 1\nreadings: {}", "no reading is required"),
        ("thresholds: 1\nreadings:\n  ca.qa.breeches: {required: true}", "line 3"),
        ("thresholds: 1\nreadings:\n  ca.qa.breaches: {required: yes}", "ambiguous"),
        ("thresholds: 1\nreadings:\n  ca.qa.breaches: {required: true, blocked_abov: 0}", "blocked_abov"),
        ("thresholds: 1\nreadings:\n  ca.qa.breaches: {required: true, blocked_above: zero}", "expected a number"),
        ("thresholds: 1\nreadings:\n  ca.qa.breaches: {required: true, stale_after_s: -1}", "positive"),
        ("thresholds: 1\nreadings:\n  ca.qa.breaches: {required: true, minimum_samples: 0}", "positive"),
    ],
)
def test_a_thresholds_file_that_is_none_names_file_and_field(tmp_path, text, word):
    path = tmp_path / "thresholds.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        read(path, KNOWN)
    assert str(refused.value).startswith(str(path)) and word in str(refused.value)


def test_the_shipped_thresholds_require_both_measured_deploy_gates():
    found = read(shipped("scenarios") / "gate" / "thresholds.yaml", KNOWN)
    required = {name for name, limits in found.readings.items() if limits.required}
    assert {"event_chain.audit.failures", "ca.qa.breaches"} <= required
    assert all(found.readings[name].blocked_above == 0 for name in ("event_chain.audit.failures", "ca.qa.breaches"))


def test_collectors_have_distinct_names():
    names = [collector.name for collector in COLLECTORS]
    assert len(set(names)) == len(names)
    assert all(isinstance(collector, Collector) for collector in COLLECTORS)
    assert Observation(value=0, samples=0, age_s=None, source="").history == ()
