"""Every decision is on record before it is told, with all it rests on."""

import json
import math
import subprocess
import sys
import threading
import time

import msgspec
import pytest
import sqlalchemy as sa

from tests.conftest import ROOT
from tests.policy.little_policies import ENTITIES, OVERFLOWS, POLICIES, SCHEMA, asks, load, write
from thunderlab.canonical import digest, digest_of
from thunderlab.errors import EvidenceError, InputError
from thunderlab.lab import Lab
from thunderlab.policy.events import VerdictCompleted


@pytest.fixture
def little(tmp_path):
    return load(tmp_path / "little")


def _told(lab):
    return [json.loads(block.payload) for block in lab.verdicts.blocks(name=VerdictCompleted.NAME)]


@pytest.mark.parametrize(
    ("request_", "decision", "reasons", "errors", "built", "failed_closed"),
    [
        (asks(), "allow", ["readers"], [], True, False),
        (asks(hour=17), "deny", [], [], True, False),
        (asks("bob", "write"), "deny", [], [], True, False),
        (asks(cost=6), "deny", ["dear"], [], True, False),
        (asks(cost=5), "allow", ["readers"], [], True, False),
        (asks(cost=OVERFLOWS), "deny", [], ["dear"], True, True),
        (asks(hour=9.0), "deny", [], [], False, True),
        (asks(hour="9"), "deny", [], [], False, True),
        (asks(action="remove"), "deny", [], [], False, True),
        (asks(unheard_of=1), "deny", [], [], False, True),
        ({}, "deny", [], [], False, True),
        (asks(hour=math.nan), "deny", [], [], False, True),
        (asks(hour=10**40), "deny", [], [], False, True),
    ],
)
def test_every_answer_is_a_block(any_lab, little, request_, decision, reasons, errors, built, failed_closed):
    verdict = any_lab.policy.decide(request_, entities=ENTITIES, policies=little)
    assert (verdict.decision, list(verdict.reasons), list(verdict.errors)) == (decision, reasons, errors)
    assert (verdict.failed_closed, not verdict.request_errors) == (failed_closed, built)
    (told,) = _told(any_lab)
    assert told == {
        **{name: value for name, value in json.loads(msgspec.json.encode(verdict)).items() if name not in ("id", "at")},
        "request": told["request"],
        "unsaid": told["unsaid"],
    }
    if told["unsaid"] is None:
        assert told["request"] == json.dumps(request_, sort_keys=True, separators=(",", ":"))
    block = any_lab.verdicts.block(verdict.id)
    assert block is not None and block.inserted_at == verdict.at
    assert any_lab.policy.audit().ok
    assert all(any_lab.custody.audit(kind, full=True).ok for kind in (any_lab.ledger.kind, any_lab.verdicts.kind))


def test_the_name_of_a_verdict_is_a_digest_anybody_can_compute(lab, little):
    verdict = lab.policy.decide(asks(), entities=ENTITIES, policies=little)
    text = json.dumps(asks(), sort_keys=True, separators=(",", ":"))
    entities = digest(json.dumps(ENTITIES, sort_keys=True, separators=(",", ":")).encode())
    assert verdict.verdict_id == digest_of(["thunderlab-verdict/1", little.digest, entities, text, "allow", ["readers"]])
    again = lab.policy.decide(dict(reversed(asks().items())), entities=ENTITIES, policies=little, module="another")
    assert again.verdict_id == verdict.verdict_id and again.id != verdict.id
    assert lab.policy.decide(asks(), policies=little).verdict_id != verdict.verdict_id
    assert lab.policy.decide(asks(hour=8), entities=ENTITIES, policies=little).verdict_id != verdict.verdict_id


def test_what_verdicts_rest_on_is_kept_once(any_lab, little):
    for number in range(5):
        any_lab.policy.decide(asks(hour=number), entities=ENTITIES, policies=little)
    any_lab.policy.decide(asks(), policies=little)
    with any_lab.store.read() as connection:
        kept = {
            (row.kind, row.digest, digest(row.document))
            for row in connection.execute(sa.text("SELECT kind, digest, document FROM policy_archive"))
        }
    assert {(kind, name) for kind, name, _ in kept} == {
        ("policy set", little.digest),
        *(("entities", told["entities"]) for told in _told(any_lab)),
    }
    assert all(name == computed for _, name, computed in kept) and len(kept) == 3


def test_the_first_verdict_and_what_it_rests_on_stand_or_fall_together(lab, little, monkeypatch):
    def fail(*_):
        raise EvidenceError("no")

    before = lab.verdicts.head().seq
    monkeypatch.setattr(lab.verdicts, "append", fail)
    with pytest.raises(EvidenceError):
        lab.policy.decide(asks(), policies=little)
    monkeypatch.undo()
    with lab.store.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM policy_archive")).scalar() == 0
    assert lab.verdicts.head().seq == before
    lab.policy.decide(asks(), policies=little)
    assert lab.policy.audit().ok


def test_a_verdict_stands_or_falls_with_the_transaction_it_is_handed(any_lab, little):
    with pytest.raises(ZeroDivisionError), any_lab.store.write() as connection:
        assert any_lab.policy.decide(asks(), entities=ENTITIES, policies=little, within=connection).allowed
        raise ZeroDivisionError
    assert any_lab.policy.history.count() == 0
    any_lab.policy.decide(asks(), entities=ENTITIES, policies=little)
    with any_lab.store.write() as connection:
        any_lab.policy.decide(asks(hour=20), entities=ENTITIES, policies=little, within=connection)
    assert any_lab.policy.audit().reproduced == 2 and any_lab.custody.audit(any_lab.verdicts.kind, full=True).ok


def test_many_are_one_transaction(any_lab, little):
    verdicts = any_lab.policy.decide_many([asks(hour=hour) for hour in range(24)], entities=ENTITIES, policies=little)
    assert [verdict.decision for verdict in verdicts] == ["allow"] * 17 + ["deny"] * 7
    assert len({verdict.at for verdict in verdicts}) == 1 and len({verdict.id for verdict in verdicts}) == 24
    assert any_lab.policy.decide_many([], policies=little) == []
    assert any_lab.policy.audit().reproduced == 24


def test_entities_that_cannot_be_said_or_built_deny_and_are_on_record(lab, little):
    for wrong in ([{"uid": math.nan}], [{"uid": {"type": "User", "id": "ann"}, "attrs": {"level": "x"}, "parents": []}], [7]):
        verdict = lab.policy.decide(asks(), entities=wrong, policies=little)
        assert verdict.decision == "deny" and verdict.failed_closed and verdict.request_errors
    assert lab.policy.audit().reproduced == 3


def test_threads_that_ask_at_once_all_have_what_they_were_told(any_workspace, little):
    with Lab(any_workspace) as lab:
        told, failed = [], []

        def ask(number):
            try:
                for hour in range(10):
                    told.append(lab.policy.decide(asks(hour=hour, what=f"p{number}"), entities=ENTITIES, policies=little).id)  # noqa: PERF401
            except Exception as error:  # noqa: BLE001 - shown below
                failed.append(error)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed and len(set(told)) == 80
        assert {block.id for block in lab.verdicts.blocks(name=VerdictCompleted.NAME)} == set(told)
        assert lab.policy.audit().reproduced == 80
        assert lab.custody.audit(lab.verdicts.kind, full=True).ok


ENDLESS = """
import sys
from pathlib import Path
from tests.policy.little_policies import ENTITIES, asks, load
from thunderlab.lab import Lab
with Lab(Path(sys.argv[1])) as lab:
    little = load(Path(sys.argv[2]))
    number = 0
    while True:
        number += 1
        print(lab.policy.decide(asks(what=f"p{number}"), entities=ENTITIES, policies=little).id, flush=True)
"""


def test_kill_9_loses_no_verdict_that_was_told(tmp_path):
    command = [sys.executable, "-c", ENDLESS, tmp_path / "workspace", tmp_path / "little"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        told = [process.stdout.readline().strip() for _ in range(3)]
        time.sleep(0.05)
        process.kill()
        told += [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    assert len(told) >= 3
    with Lab(tmp_path / "workspace") as lab:
        there = {block.id for block in lab.verdicts.blocks(name=VerdictCompleted.NAME)}
        assert set(told) <= there
        found = lab.policy.audit()
        assert found.ok and found.reproduced == len(there)


def test_the_lab_s_own_policies_are_those_of_the_workspace_when_it_has_some(lab):
    shipped = lab.policy.policies
    assert shipped.name == "lab" and lab.policy.folder.parts[-3:] == ("scenarios", "policies", "lab")
    mine = write(lab.workspace / "policies")
    assert lab.policy.policies.digest != shipped.digest and lab.policy.folder == mine
    (mine / "entities.json").write_text(json.dumps(ENTITIES))
    assert lab.policy.decide(asks()).decision == "allow"
    # What is changed counts from the next question on.
    (mine / "all.cedar").write_text(POLICIES + '@id("closed") forbid (principal, action, resource);')
    assert lab.policy.decide(asks()).reasons == ("closed",)
    # And what is broken permits nothing.
    (mine / "all.cedar").write_text("permit (")
    with pytest.raises(InputError):
        lab.policy.decide(asks())
    (mine / "all.cedar").unlink()
    with pytest.raises(InputError):
        lab.policy.decide(asks())


def test_entities_of_the_folder_and_of_the_question_count_together(lab):
    mine = write(lab.workspace / "policies")
    (mine / "entities.json").write_text(json.dumps(ENTITIES[:2]))
    assert lab.policy.decide(asks("bob")).decision == "deny"
    assert lab.policy.decide(asks("bob"), entities=ENTITIES[2:]).decision == "allow"
    assert lab.policy.decide(asks("ann")).decision == "allow"
    (mine / "entities.json").write_text('{"uid": 1}')
    with pytest.raises(InputError, match="list of entities"):
        lab.policy.decide(asks())


@pytest.mark.parametrize("module", ["", "x" * 201, "two\nlines"])
def test_who_asks_is_a_short_line(lab, little, module):
    with pytest.raises(InputError, match="module"):
        lab.policy.decide(asks(), module=module, policies=little)


def test_a_damaged_chain_or_archive_decides_nothing(lab, little):
    lab.policy.decide(asks(), policies=little)
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE policy_archive SET document = x'7b7d' WHERE kind = 'policy set'"))
    with Lab(lab.workspace) as other, pytest.raises(EvidenceError, match="policy audit"):
        other.policy.decide(asks(), policies=little)
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE policy_verdict_chain SET aggregate_hash = 'zz'"))
    with pytest.raises(EvidenceError, match="ledger audit"):
        lab.policy.decide(asks(hour=3), policies=little)


def test_latency_is_in_telemetry_and_in_the_column(real_lab, little):
    for hour in range(7):
        real_lab.policy.decide(asks(hour=hour), policies=little)
    real_lab.telemetry.flush()
    samples = real_lab.telemetry.recorded("policy.verdict").samples
    with real_lab.store.read() as connection:
        rows = connection.execute(
            sa.text("SELECT latency_us, policy_module FROM policy_verdict_chain WHERE policy_module IS NOT NULL ORDER BY seq")
        ).all()
    assert [latency for latency, _ in rows] == samples and all(sample > 0 for sample in samples)
    assert {module for _, module in rows} == {"lab"}
    found = real_lab.policy.log().latency
    assert found.samples == 7 and found.p50_us == sorted(samples)[3] and found.p99_us == max(samples)


def test_another_schema_is_another_policy_set(tmp_path):
    assert load(tmp_path / "a").digest != load(tmp_path / "b", schema=SCHEMA + "entity Book;").digest
    assert load(tmp_path / "a").digest == load(tmp_path / "c").digest
