"""What was decided can be read back, decided again, and judged under other policies; what was tampered with is found."""

import json

import msgspec
import pytest
import sqlalchemy as sa

from tests.policy.little_policies import ENTITIES, OVERFLOWS, POLICIES, SCHEMA, asks, load
from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError
from thunderlab.ledger import VERDICTS_CHAIN, NoteRecorded
from thunderlab.policy.events import ReplayCompleted
from thunderlab.policy.record import history as history_module

CLOSED = POLICIES + '@id("closed") forbid (principal, action == Action::"write", resource);\n'


@pytest.fixture
def little(tmp_path):
    return load(tmp_path / "little")


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """Every test reads its history in several pieces."""
    monkeypatch.setattr(history_module, "PIECE", 3)


def _decide(lab, little):
    """Decide seven times, among other things that are in the chain."""
    lab.events.emit(NoteRecorded(text="no verdict"), into=lab.verdicts.append)
    for request in (asks(), asks(hour=20), asks(action="write"), asks("bob", "write"), asks(cost=OVERFLOWS)):
        lab.policy.decide(request, entities=ENTITIES, policies=little)
    lab.clock.advance(60)
    lab.policy.decide(asks(nonsense=float("nan")), entities=ENTITIES, policies=little)
    lab.policy.decide({"principal": "nobody"}, policies=little)


def _change(lab, what, **values):
    with lab.store.write() as connection:
        connection.execute(sa.text(what), values)


def test_the_log_counts_and_lists_newest_first(any_lab, little):
    _decide(any_lab, little)
    found = any_lab.policy.log()
    assert (found.total, found.allowed, found.denied, found.failed_closed) == (7, 2, 5, 3)
    assert [entry.seq for entry in found.entries] == [8, 7, 6, 5, 4, 3, 2]
    assert found.entries[-1].verdict.reasons == ("readers",) and json.loads(found.entries[-1].request) == asks()
    denied = any_lab.policy.log(decision="deny", limit=2)
    assert (denied.total, denied.allowed, [entry.seq for entry in denied.entries]) == (5, 0, [8, 7])
    since = found.entries[1].verdict.at
    assert [entry.seq for entry in any_lab.policy.log(since=since).entries] == [8, 7]
    assert any_lab.policy.history.count(since) == 2 and any_lab.policy.history.count() == 7
    assert any_lab.policy.log(since="9999").latency.samples == 0


def test_the_log_of_nothing(lab):
    found = lab.policy.log()
    assert (found.total, found.entries, found.latency.p50_us) == (0, (), None)
    assert lab.policy.audit().ok and lab.policy.audit().verdicts == 0


def test_every_verdict_is_reproduced(any_lab, little):
    _decide(any_lab, little)
    seen = []
    found = any_lab.policy.audit(seen.append)
    assert (found.ok, found.verdicts, found.reproduced, found.pruned, found.failed) == (True, 7, 7, 0, 0)
    assert seen == [3, 6, 7]


def _payload(lab, seq):
    return json.loads(lab.verdicts.block_at(seq).payload)


def _forge(lab, seq, **changes):
    """Exchange what a block tells, with its hash, as somebody would who does not mind the chain."""
    data = msgspec.json.encode(_payload(lab, seq) | changes)
    _change(
        lab, "UPDATE policy_verdict_chain SET payload = :data, verdict_hash = :hash WHERE seq = :seq", data=data, hash=digest(data), seq=seq
    )


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"decision": "deny", "reasons": []}, {"verdict_id", "decision", "reasons"}),
        ({"reasons": ["writers"]}, {"verdict_id", "reasons"}),
        ({"errors": ["dear"]}, {"errors"}),
        ({"request_errors": ["so"]}, {"request_errors"}),
        ({"failed_closed": True}, {"failed_closed"}),
        ({"verdict_id": "0" * 64}, {"verdict_id"}),
        ({"request": json.dumps(asks(hour=20))}, {"verdict_id", "decision", "reasons"}),
        ({"request": "[]"}, {"verdict_id", "evidence"}),
        ({"request": "["}, {"verdict_id", "evidence"}),
        ({"policy_set": "0" * 64}, {"verdict_id", "evidence"}),
        ({"entities": digest(b"[]")}, {"verdict_id", "evidence"}),
        ({"unsaid": "so"}, {"decision", "reasons", "request_errors", "failed_closed"}),
    ],
)
def test_a_forged_verdict_is_found_at_its_block(lab, little, changes, kinds):
    _decide(lab, little)
    if "entities" in changes:  # that digest is kept, but of something else
        _change(lab, "UPDATE policy_archive SET kind = 'replay' WHERE digest = :it", it=changes["entities"])
    _forge(lab, 2, **changes)
    found = lab.policy.audit()
    assert not found.ok and {failure.kind for failure in found.failures if failure.seq == 2} == kinds
    assert found.failed == 1 + ("entities" in changes)  # the last verdict rests on no entities, too
    # The chain itself tells as well.
    assert any(failure.seq == 2 for failure in lab.custody.audit(VERDICTS_CHAIN, full=True).failures)


def test_a_request_changed_in_place_is_found_by_both_audits(lab, little):
    _decide(lab, little)
    payload = lab.verdicts.block_at(2).payload.replace(b"ann", b"bob")
    _change(lab, "UPDATE policy_verdict_chain SET payload = :data WHERE seq = 2", data=payload)
    assert [(failure.seq, failure.kind) for failure in lab.policy.audit().failures] == [(2, "payload")]
    assert lab.custody.audit(VERDICTS_CHAIN, full=True).failures[0].seq == 2
    assert lab.policy.log().damaged == (2,) and lab.policy.log().total == 6


@pytest.mark.parametrize(
    "damage",
    ["UPDATE policy_archive SET document = :data WHERE kind = 'policy set'", "DELETE FROM policy_archive WHERE kind = 'policy set'"],
)
def test_another_policy_set_under_the_same_digest_is_found(lab, little, tmp_path, damage):
    _decide(lab, little)
    _change(lab, damage, **({"data": load(tmp_path / "other", CLOSED).data} if ":data" in damage else {}))
    found = lab.policy.audit()
    assert found.failed == 7 and {failure.kind for failure in found.failures} == {"evidence"}
    assert little.digest in found.failures[0].detail


def test_what_was_pruned_is_counted_as_such(lab, little):
    _decide(lab, little)
    lab.custody.sign(VERDICTS_CHAIN)
    lab.custody.prune(5, VERDICTS_CHAIN)
    found = lab.policy.audit()
    assert (found.ok, found.verdicts, found.reproduced, found.pruned) == (True, 7, 4, 3)
    assert lab.policy.log().pruned == 3
    replayed = lab.policy.replay(little)
    assert (replayed.total, replayed.pruned, replayed.damaged) == (4, 3, 0)


def test_what_if_says_what_changes_for_whom_and_by_what(any_lab, little, tmp_path):
    _decide(any_lab, little)
    changed = load(tmp_path / "changed", CLOSED.replace("< 17", "< 21").replace('@id("readers")', '@id("late")'))
    found = any_lab.policy.replay(changed)
    assert (found.total, found.changed, found.newly_denied, found.newly_allowed, found.cannot_be_built) == (7, 2, 1, 1, 0)
    (denied,), (allowed,) = found.samples.newly_denied, found.samples.newly_allowed
    assert (denied.seq, denied.policies, denied.before.reasons, denied.after.reasons) == (4, ("closed",), ("writers",), ("closed",))
    assert (allowed.seq, allowed.policies, json.loads(allowed.request)) == (3, ("late",), asks(hour=20))
    assert [(one.name, one.newly_denied, one.newly_allowed) for one in found.by_principal] == [('User::"ann"', 1, 1)]
    assert {one.name for one in found.by_action} == {'Action::"read"', 'Action::"write"'}
    assert {one.name for one in found.by_policy} == {"closed", "late"}
    told = json.loads(next(any_lab.ledger.blocks(name=ReplayCompleted.NAME)).payload)
    assert (told["total"], told["changed"], told["policy_set"], told["requests"]) == (7, 2, changed.digest, "history")
    kept, at = any_lab.policy.newest_replay()
    assert kept == found and at and told["result_sha256"] == digest(msgspec.json.encode(found))
    # Nothing was decided by asking what if.
    assert any_lab.policy.history.count() == 7


def test_the_same_policies_change_nothing(lab, little):
    _decide(lab, little)
    found = lab.policy.replay(little)
    assert (found.total, found.changed) == (7, 0)


@pytest.mark.parametrize(
    ("policies", "policy", "kind"),
    [
        ("permit (principal, action, resource);", "policy0", "newly_allowed"),
        ("forbid (principal, action, resource);", "policy0", "newly_denied"),
        ('permit (principal, action == Action::"read", resource) when { context.hour > 99 };', "readers", "newly_denied"),
        (
            "permit (principal, action, resource); @id('x') forbid (principal, action, resource) when { context.hour + 9223372036854775807 > 0 };".replace(
                "'", '"'
            ),
            "x",
            "newly_denied",
        ),
    ],
)
def test_the_policies_that_make_the_difference_are_named(lab, little, tmp_path, policies, policy, kind):
    _decide(lab, little)
    found = lab.policy.replay(load(tmp_path / "changed", policies))
    assert getattr(found, kind) > 0
    assert any(policy in sample.policies for sample in getattr(found.samples, kind))
    assert policy in {one.name for one in found.by_policy}


def test_history_that_no_longer_fits_the_schema_is_newly_denied(lab, little, tmp_path):
    _decide(lab, little)
    found = lab.policy.replay(
        load(tmp_path / "changed", "permit (principal, action, resource);", SCHEMA.replace("hour: Long", "hour: Long, zone: Long"))
    )
    assert (found.newly_denied, found.cannot_be_built, found.newly_allowed) == (2, 2, 0)
    assert {one.name for one in found.by_policy} == {"(cannot be built)"}


def test_policies_without_a_schema_are_held_against_that_of_the_time(lab, little, tmp_path):
    _decide(lab, little)
    found = lab.policy.replay(load(tmp_path / "changed", CLOSED, schema=None))
    assert (found.changed, found.newly_denied, found.cannot_be_built) == (1, 1, 0)


def test_since_and_limit(lab, little, tmp_path):
    _decide(lab, little)
    changed = load(tmp_path / "changed", "permit (principal, action, resource);", schema=None)
    times = [entry.verdict.at for entry in lab.policy.log().entries]
    assert lab.policy.replay(changed, since=times[1]).total == 2
    assert lab.policy.replay(changed, limit=4).total == 4
    assert lab.policy.replay(changed, limit=100).total == 7
    # Denied for what they lack, whatever the policies say.
    assert lab.policy.replay(changed, since=times[1]).newly_allowed == 0


def test_damaged_history_is_left_out_and_counted(lab, little, tmp_path):
    _decide(lab, little)
    _change(lab, "UPDATE policy_verdict_chain SET payload = x'7b7d' WHERE seq = 2")
    _forge(lab, 3, policy_set="0" * 64)
    found = lab.policy.replay(load(tmp_path / "changed", CLOSED, schema=None))
    assert (found.total, found.damaged) == (5, 2)


def test_a_stored_result_is_believed_only_if_the_ledger_does(lab, little):
    _decide(lab, little)
    lab.policy.replay(little)
    _change(lab, "UPDATE policy_archive SET document = x'7b7d' WHERE kind = 'replay'")
    with pytest.raises(EvidenceError, match="replay"):
        lab.policy.newest_replay()


def test_many_names_take_no_more_room_than_some(monkeypatch):
    from thunderlab.policy.record import tally

    monkeypatch.setattr(tally, "MOST_NAMES", 3)
    counted = tally.Counted()
    for number in range(10):
        counted.add(f"n{number}", denied=1, allowed=0)
    counted.add("n1", denied=0, allowed=5)
    assert [(one.name, one.newly_denied, one.newly_allowed) for one in counted.top()] == [
        ("(others)", 7, 0),
        ("n1", 1, 5),
        ("n0", 1, 0),
        ("n2", 1, 0),
    ]
