"""The gate asks the deploy policy: it is told whole numbers, its verdict is on record, and a denial blocks."""

import json

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.gate import Reading, deploy
from thunderlab.gate.collectors import COLLECTORS, Collector, Observation
from thunderlab.gate.gate import Gate
from thunderlab.policy.events import VerdictCompleted
from thunderlab.workspace import shipped

THRESHOLDS = shipped("scenarios") / "gate" / "thresholds.yaml"


def _reading(name, value, status="healthy", required=False):
    return Reading(name=name, title=name, value=value, unit="", samples=1, age_s=0.0, source="", status=status, required=required)


def _fixed(**values):
    """Return the gate's collectors, those that are named with a value of our own."""

    def seen(value):
        return lambda _: Observation(value=value, samples=100, age_s=0.0, source="test")

    return [
        Collector(name=one.name, title=one.title, unit=one.unit, observe=seen(values[one.name])) if one.name in values else one
        for one in COLLECTORS
    ]


GOOD = {
    "ca.qa.breaches": 0, "ca.qa.duration_s": 1.0, "ca.qa.replay_fidelity": 1.0, "ca.entropy.mean_bits": 0.5, "ca.convergence.steps_p95": 10,
    "ledger.append.latency_us_p95": 900, "run.notebooks.failed": 0, "policy.verdict.latency_us_p95": 5,
}  # fmt: skip


def _check(lab, **changes):
    return Gate(
        lab.gate._sources, THRESHOLDS, _fixed(**{**GOOD, **{name.replace("__", "."): value for name, value in changes.items()}})
    ).check()


def _deploy(found):
    return next(reading for reading in found.readings if reading.name == deploy.NAME)


def _verdicts(lab):
    return [json.loads(block.payload) for block in lab.verdicts.blocks(name=VerdictCompleted.NAME)]


def test_a_lab_in_order_is_healthy_and_policy_says_so(lab):
    found = _check(lab)
    assert found.status == "healthy" and (_deploy(found).value, _deploy(found).status) == (0, "healthy")
    (told,) = _verdicts(lab)
    assert (told["decision"], told["reasons"], told["policy_module"]) == ("allow", ["deploy.ready"], "gate")
    assert json.loads(told["request"])["context"] == {
        "append_us_p95": 900, "blocked": 0, "event_chain_failures": 0, "notebooks_failed": 0, "qa_breaches": 0,
        "replay_fidelity_ppm": 1000000, "unknown": 0, "verdict_us_p95": 5,
    }  # fmt: skip
    # From the second time on the chain of verdicts is a reading itself.
    assert _check(lab).status == "healthy"
    assert json.loads(_verdicts(lab)[0]["request"])["context"]["policy_chain_failures"] == 0
    assert lab.policy.audit().ok


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"run__notebooks__failed": 1}, "deploy.notebooks: no notebook of the last main job may have failed"),
        ({"ca__qa__breaches": 2}, "deploy.qa: the core suite must have run, and without a breach"),
        ({"ca__qa__replay_fidelity": 0.9999999}, "deploy.replay"),
        ({"policy__verdict__latency_us_p95": 1_000_001}, "deploy.latency"),
        ({"ledger__append__latency_us_p95": 10_000_001}, "deploy.latency"),
    ],
)
def test_a_denial_blocks_and_says_why(lab, changes, why):
    found = _check(lab, **changes)
    reading = _deploy(found)
    assert found.status == "blocked" and (reading.value, reading.status) == (1, "blocked") and why in reading.why
    assert deploy.NAME in [reason.gate for reason in found.blocking]
    assert _verdicts(lab)[0]["decision"] == "deny"


def test_policy_may_deny_what_every_threshold_lets_pass(lab):
    """Ten seconds to record an event only degrade; the policy has its own limit."""
    found = _check(lab, ledger__append__latency_us_p95=10_000_001)
    others = [reading.status for reading in found.readings if reading.required and reading.name != deploy.NAME]
    assert set(others) == {"healthy"} and found.status == "blocked"


def test_where_evidence_is_missing_a_denial_says_no_more_than_that(lab):
    found = lab.gate.check()
    reading = _deploy(found)
    assert found.status == "unknown" and (reading.value, reading.status) == (None, "unknown")
    assert "denied while evidence is missing: deploy.qa" in reading.why
    assert _verdicts(lab)[0]["decision"] == "deny"


@pytest.mark.parametrize("damage", ["UPDATE policy_verdict_chain SET aggregate_hash = 'zz'", "DELETE FROM policy_verdict_chain"])
def test_a_damaged_chain_of_verdicts_blocks_and_does_not_crash(lab, damage):
    _check(lab)
    with lab.store.write() as connection:
        connection.execute(sa.text(damage))
    found = _check(lab)
    reading = _deploy(found)
    assert found.status == "blocked" and found.blocking[0].gate == "policy.chain.failures"
    assert (reading.value, reading.status) == (None, "unknown") and "could not be read: EvidenceError" in reading.why


def test_policies_that_cannot_be_read_permit_nothing(lab):
    (lab.workspace / "policies").mkdir()
    (lab.workspace / "policies" / "mine.cedar").write_text("permit (")
    found = _check(lab)
    assert found.status == "unknown" and _deploy(found).status == "unknown" and "mine.cedar" in _deploy(found).why


def test_a_workspace_may_have_stricter_policies(lab):
    import shutil

    shutil.copytree(shipped("scenarios") / "policies" / "lab", lab.workspace / "policies")
    assert _check(lab).status == "healthy"
    rule = '@id("mine") @why("not today") forbid (principal, action == Lab::Action::"deploy", resource);'
    (lab.workspace / "policies" / "mine.cedar").write_text(rule)
    assert _deploy(_check(lab)).why == "1 is above 0; mine: not today"


@given(st.floats(0, 1))
def test_parts_per_million_are_never_rounded_up(fraction):
    (told,) = [
        value
        for name, value in deploy.question([_reading("ca.qa.replay_fidelity", fraction)], "x")["context"].items()
        if name == "replay_fidelity_ppm"
    ]
    assert told <= fraction * 1_000_000 < told + 1 and (told == 1_000_000) == (fraction == 1)


def test_what_cannot_be_relied_on_is_not_told():
    readings = [
        _reading("ca.qa.breaches", 0, status="unknown", required=True),
        _reading("run.notebooks.failed", None),
        _reading("nothing.known", 3, status="blocked"),
        _reading("event_chain.audit.failures", 2, status="blocked", required=True),
        _reading("ca.qa.replay_fidelity", 0.5, status="unknown"),
    ]
    assert deploy.question(readings, "here")["context"] == {"blocked": 2, "unknown": 1, "event_chain_failures": 2}


def test_the_deploy_reading_is_taken_last_and_once(lab):
    names = [reading.name for reading in lab.gate.check().readings]
    assert names[-1] == deploy.NAME and names.count(deploy.NAME) == 1
    assert [one.name for one in COLLECTORS if one.judges] == [deploy.NAME]
    assert msgspec.json.decode(next(lab.ledger.blocks(name="gate.readiness.decided")).payload)["blocking"].count(deploy.NAME) == 1
