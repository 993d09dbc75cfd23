"""A whole lab does the same on a store of either kind: runs, lattices, verdicts, telemetry, audits, and two labs at once."""

from __future__ import annotations

import json

import pytest

from thunderlab import workspace
from thunderlab.lab import Lab
from thunderlab.ledger import NoteRecorded, audit


def _audited(lab):
    with lab.store.read() as connection:
        return audit(connection, lab.events.catalogue)


def test_notes_are_chained_and_audited(any_lab):
    for number in range(5):
        any_lab.events.emit(*(NoteRecorded(text=f"note {number} grüße", value=at) for at in range(number + 1)))
    found = _audited(any_lab)
    assert found.ok and found.blocks == 16
    head = any_lab.ledger.head()
    assert (head.seq, head.root) == (15, found.root)
    assert [block.seq for block in any_lab.ledger.blocks(newest=3)] == [15, 14, 13]
    assert json.loads(any_lab.ledger.block(any_lab.ledger.blocks(newest=1).__next__().id).payload)["text"] == "note 4 grüße"


def test_two_labs_share_one_ledger(any_lab, any_workspace):
    with Lab(any_workspace) as other:
        assert other.ledger.origin == any_lab.ledger.origin
        for number in range(6):
            (any_lab if number % 2 else other).events.emit(NoteRecorded(text=str(number)))
        assert other.ledger.head() == any_lab.ledger.head()
    found = _audited(any_lab)
    assert found.ok and found.blocks == 7


def test_telemetry_is_shared(any_lab, any_workspace):
    for metric in ("b.two", "b-one", "B.three", "a_four"):
        any_lab.telemetry.record(metric, 7)
    any_lab.telemetry.flush()
    with Lab(any_workspace) as other:
        assert other.telemetry.metrics()[:4] == sorted(other.telemetry.metrics())[:4]
        assert other.telemetry.recorded("b-one").samples == [7]


def test_lattices_live_and_end(cli, any_workspace):
    for name in ("pond", "a-c", "ab", "a-1"):
        assert cli("automata", "cluster", "create", name, "--soup", "0.4", "--size", "64x64", "--paused").code == 0
    listed = cli("automata", "cluster", "list", "--json").json()["lattices"]
    assert [one["name"] for one in listed] == sorted(["pond", "a-c", "ab", "a-1"])
    assert cli("automata", "cluster", "step", "pond", "--steps", "10", "--json").json()["step"] == 10
    assert cli("automata", "cluster", "create", "pond", "--soup", "0.4", "--size", "64x64").code == 2
    assert cli("automata", "cluster", "resume", "pond").code == 0
    assert cli("automata", "cluster", "run", "--for", "1").code == 0
    assert cli("automata", "cluster", "show", "pond", "--json").json()["step"] > 10
    assert cli("automata", "cluster", "stop", "pond").code == 0
    assert cli("automata", "cluster", "remove", "pond").code == 0
    assert cli("ledger", "audit", "--json").json()["ok"]


def test_runs_are_recorded_replayed_and_judged(cli, any_workspace):
    ran = cli("qa", "run", "--suite", "core", "--json")
    assert ran.code == 0 and ran.json()["passed"]
    assert cli("qa", "replay", ran.json()["run_id"], "--steps", "20").code == 0
    assert len(cli("qa", "packs", "--json").json()["packs"]) == 1
    verdict = cli("gate", "check", "--json").json()
    assert verdict["status"] in ("healthy", "degraded") or verdict["blocking"], verdict
    assert "qa" in json.dumps(verdict["readings"])
    assert "thunderlab" in cli("metrics").stdout
    found = cli("doctor", "--json").json()
    assert ("PostgreSQL" in json.dumps(found)) == bool(workspace.database_url())


@pytest.mark.parametrize("verb", [["ledger", "head"], ["automata", "cluster", "list"], ["qa", "packs"]], ids=" ".join)
def test_a_new_folder_sees_what_lies_on_the_server(cli, postgres_url, tmp_path, verb):
    on_server = {workspace.DATABASE_VARIABLE: postgres_url}
    assert cli("automata", "cluster", "create", "pond", "--soup", "0.4", "--size", "64x64", "--paused", env=on_server).code == 0
    there = cli(*verb, "--json", "--workspace", tmp_path / "elsewhere", env=on_server)
    assert there.code == 0
    assert there.stdout == cli(*verb, "--json", env=on_server).stdout
