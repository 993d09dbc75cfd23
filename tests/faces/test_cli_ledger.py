"""`thunderlab ledger` and `thunderlab keys` as a user runs them: answers, exit codes, wrong input, and the whole way of an auditor."""

import json
import shutil
import sqlite3

import pytest

from thunderlab.lab import Lab
from thunderlab.ledger import NoteRecorded, Witness


def _note(cli, text="x"):
    return cli("ledger", "append", "--event", "lab.note.recorded", "--payload", "-", "--json", stdin=json.dumps({"text": text})).json()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with a few notes and a signed checkpoint, and what its lab hands to an auditor: keys, a checkpoint, a proof, a copy."""
    root = tmp_path_factory.mktemp("made")
    place = root / "handed"
    place.mkdir()
    with Lab(root / "workspace") as lab:
        lab.events.emit(*(NoteRecorded(text=f"note {number}") for number in range(4)))
        signed = lab.custody.sign(witness=Witness(root / "witness", lab.clock))
        (place / "lab.checkpoint").write_bytes(signed.note)
        (place / "two.tlog-proof").write_bytes(lab.custody.prove(2).encode())
        lab.keys.export(place / "keys.json")
    shutil.copy(root / "witness" / "public.json", place / "witness.json")
    with sqlite3.connect(root / "workspace" / "lab.db") as database:
        database.execute("VACUUM INTO ?", (str(place / "copy.db"),))
    database.close()
    return root, signed.checkpoint


@pytest.fixture
def handed_over(made, tmp_path):
    """Copies of all that for one test; the `cli` fixture works on the workspace."""
    root, signed = made
    for name in ("handed", "workspace"):
        shutil.copytree(root / name, tmp_path / name)
    return tmp_path / "handed", signed


def test_an_auditor_needs_nothing_but_what_was_handed_over(cli, handed_over, tmp_path):
    place, signed = handed_over
    # Another workspace, which is not made: everything is in the files.
    elsewhere = {"THUNDERLAB_WORKSPACE": str(tmp_path / "nowhere")}
    audit = [
        "ledger",
        "audit",
        "--store",
        place / "copy.db",
        "--key",
        place / "keys.json",
        "--checkpoint",
        place / "lab.checkpoint",
        "--json",
    ]
    ran = cli(*audit, "--witness", place / "witness.json", env=elsewhere)
    found = ran.json()
    assert (ran.code, found["ok"], found["failures"]) == (0, True, [])
    assert (found["blocks"], found["signed_size"]) == (signed.size + 1, signed.size)
    assert [one["chain"] for one in found["chains"]] == ["events", "verdicts"]
    verify = ["ledger", "verify", place / "two.tlog-proof", "--key", place / "keys.json", "--json"]
    shown = cli(*verify, "--checkpoint", place / "lab.checkpoint", "--witness", place / "witness.json", env=elsewhere)
    assert shown.code == 0
    assert {"ok": True, "seq": 2, "root": signed.root, "event": "lab.note.recorded"}.items() <= shown.json().items()
    assert json.loads(shown.json()["payload"]) == {"text": "note 1", "value": None}
    assert cli("ledger", "verify", place / "lab.checkpoint", "--key", place / "keys.json", env=elsewhere).code == 0
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE event_chain_blocks SET payload = x'7b7d' WHERE seq = 3", 3),
        ("DELETE FROM event_chain_blocks WHERE seq >= 4", 4),
        ("DELETE FROM event_chain_blocks WHERE seq = (SELECT max(seq) FROM event_chain_blocks)", 6),
        ("DELETE FROM policy_verdict_chain", 0),
    ],
)
def test_what_was_tampered_with_is_a_no_and_names_the_first_wrong_block(cli, handed_over, statement, first):
    place, _ = handed_over
    with sqlite3.connect(place / "copy.db") as database:
        database.execute(statement)
    database.close()
    ran = cli(
        "ledger", "audit", "--store", place / "copy.db", "--key", place / "keys.json", "--checkpoint", place / "lab.checkpoint", "--json"
    )
    assert (ran.code, ran.json()["ok"], ran.json()["failures"][0]["seq"]) == (1, False, first)


@pytest.mark.parametrize(
    ("spoilt", "command"),
    [
        ("two.tlog-proof", ["ledger", "verify", "two.tlog-proof", "--key", "keys.json"]),
        ("lab.checkpoint", ["ledger", "verify", "two.tlog-proof", "--key", "keys.json", "--checkpoint", "lab.checkpoint"]),
        ("lab.checkpoint", ["ledger", "audit", "--store", "copy.db", "--key", "keys.json", "--checkpoint", "lab.checkpoint"]),
        ("copy.db", ["ledger", "audit", "--store", "copy.db"]),
    ],
)
def test_malformed_evidence_is_a_no_and_not_a_mistake(cli, handed_over, spoilt, command):
    place, _ = handed_over
    (place / spoilt).write_bytes(b"what is this?\n")
    ran = cli(*(place / part if (place / part).exists() else part for part in command), "--json")
    assert ran.code == 1 and ran.json()["ok"] is False


def test_another_labs_keys_prove_nothing(cli, handed_over, tmp_path):
    place, _ = handed_over
    other = {"THUNDERLAB_WORKSPACE": str(tmp_path / "other")}
    cli("keys", "new", env=other)
    cli("keys", "export", place / "others.json", env=other)
    ran = cli("ledger", "verify", place / "two.tlog-proof", "--key", place / "others.json", "--json")
    assert ran.code == 1 and "not signed by a pinned key" in ran.json()["why"]
    ran = cli("ledger", "audit", "--store", place / "copy.db", "--key", place / "others.json", "--json")
    assert ran.code == 1 and {"key", "checkpoint"} <= {failure["kind"] for failure in ran.json()["failures"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ledger", "prove", "99", "--out", "p"], ["there is no block 99"]),
        (["ledger", "prove", "-1", "--out", "p"], ["-1"]),
        (["ledger", "prove", "1"], ["--out"]),
        (["ledger", "prune", "--before", "0"], ["--before"]),
        (["ledger", "prune", "--before", "-3"], ["--before", "-3"]),
        (["ledger", "prune", "--before", "soon"], ["--before", "soon"]),
        (["ledger", "prove", "9" * 30, "--out", "p"], ["9999"]),
        (["ledger", "export", "--from", "9" * 30, "p"], ["--from"]),
        (["ledger", "export", "../workspace/lab.db"], ["lab.db", "workspace's own"]),
        (["ledger", "export", "../workspace/lab.db-wal"], ["workspace's own"]),
        (["ledger", "checkpoint", "--out", "../workspace/anchors/x"], ["workspace's own"]),
        (["keys", "export", "../workspace/keys/public.json"], ["public.json", "workspace's own"]),
        (["ledger", "append", "--event", "lab.note.recorded", "--payload", "half.json"], ["half.json", "cannot be recorded"]),
        (["ledger", "verify", "none", "--key", "keys.json"], ["no such file"]),
        (["ledger", "verify", "two.tlog-proof"], ["--key"]),
        (["ledger", "verify", "two.tlog-proof", "--key", "none.json"], ["none.json", "no such file"]),
        (["ledger", "verify", "two.tlog-proof", "--key", "two.tlog-proof"], ["two.tlog-proof"]),
        (["ledger", "verify", "two.tlog-proof", "--key", "weak.json"], ["weak.json", "small order"]),
        (["ledger", "audit", "--store", "copy.db", "--key", "weak.json"], ["weak.json", "small order"]),
        (["ledger", "audit", "--store", "none.db"], ["none.db", "no such file"]),
        (["ledger", "audit", "--checkpoint", "none"], ["no such file"]),
        (["ledger", "head", "--chain", "thoughts"], ["thoughts", "events", "verdicts"]),
        (["ledger", "export"], ["FILE"]),
    ],
)
def test_wrong_input_is_one_line_and_exit_2(cli, handed_over, tmp_path, arguments, said):
    import hashlib

    place, signed = handed_over
    weak = bytes.fromhex("01" + "00" * 31)
    listed = [{"id": hashlib.sha256(weak).hexdigest()[:16], "key": weak.hex(), "made_at": "2026-01-01T00:00:00.000000Z"}]
    (place / "weak.json").write_text(json.dumps(listed))
    (place / "half.json").write_text('{"text": "\\ud800"}')
    ran = cli(*(place / part if (place / part).exists() else part for part in arguments), cwd=place)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ") and ran.stderr.count("\n") == 1
    assert all(word in ran.stderr for word in said), ran.stderr
    with sqlite3.connect(tmp_path / "workspace" / "lab.db") as database:
        assert database.execute("SELECT count(*) FROM event_chain_blocks").fetchone() == (signed.size + 1,)
    database.close()
    assert not (place / "p").exists()


@pytest.mark.parametrize("arguments", [["prove", "0", "--out", "p"], ["prune", "--before", "1"]])
def test_where_nothing_was_recorded_no_workspace_is_made_to_say_so(cli, tmp_path, arguments):
    ran = cli("ledger", *arguments, cwd=tmp_path)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1) and "nothing was recorded" in ran.stderr
    assert not list(tmp_path.iterdir())


def test_a_block_that_is_not_what_was_signed_is_not_proved(cli, handed_over, tmp_path):
    with sqlite3.connect(tmp_path / "workspace" / "lab.db") as database:
        database.execute("UPDATE event_chain_blocks SET payload = CAST(replace(payload, 'note 1', 'note 9') AS BLOB) WHERE seq = 2")
    database.close()
    ran = cli("ledger", "prove", "2", "--out", tmp_path / "p")
    assert ran.code == 1 and "block 2 is not what was written" in ran.stderr and not (tmp_path / "p").exists()
    assert cli("ledger", "prove", "1", "--out", tmp_path / "p").code == 0


def test_a_store_that_cannot_be_read_is_a_finding(cli, handed_over):
    place, _ = handed_over
    data = (place / "copy.db").read_bytes()
    (place / "copy.db").write_bytes(data.replace(b"CREATE TABLE event_chain", b"CREATE TABLE \xf4vent_chain", 1))
    ran = cli("ledger", "audit", "--store", place / "copy.db", "--json")
    assert ran.code == 1 and ran.json()["failures"][0]["kind"] == "unreadable"
    (place.parent / "workspace" / "lab.db").write_bytes((place / "copy.db").read_bytes())
    ran = cli("ledger", "head")
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (3, "", 1) and "damaged" in ran.stderr


def test_what_the_commands_write_is_what_verifies(cli, tmp_path):
    """The same way by commands alone, from the first note on."""
    for number in range(3):
        seq = _note(cli, f"note {number}")["seq"]
    place = tmp_path / "handed"
    signed = cli("ledger", "checkpoint", "--out", place / "lab.checkpoint", "--witness", tmp_path / "witness", "--json").json()
    assert signed["path"] == str(place / "lab.checkpoint") and (place / "lab.checkpoint").read_text() == signed["note"]
    assert cli("keys", "export", place / "keys.json").code == 0
    proved = cli("ledger", "prove", seq, "--out", place / "last.tlog-proof", "--checkpoint", place / "lab.checkpoint", "--json").json()
    assert (proved["seq"], proved["root"], proved["size"]) == (seq, signed["root"], signed["size"])
    ran = cli(
        "ledger", "verify", place / "last.tlog-proof", "--key", place / "keys.json", "--checkpoint", place / "lab.checkpoint",
        "--witness", tmp_path / "witness" / "public.json",
    )  # fmt: skip
    assert ran.code == 0, ran.stdout


def test_rotation_pruning_and_export(cli, handed_over, tmp_path):
    place, signed = handed_over
    first = cli("keys", "list", "--json").json()["keys"][0]["id"]
    rotated = cli("keys", "rotate", "--json").json()
    assert rotated["previous"] == first
    assert len(list((tmp_path / "workspace" / "keys").glob("*.private"))) == 1
    pruned = cli("ledger", "prune", "--before", 3, "--json").json()
    assert (pruned["before"], pruned["blocks"]) == (3, 2)
    assert cli("ledger", "audit", "--full", "--json").json()["pruned"] == 2
    assert cli("ledger", "export", place / "ledger.jsonl", "--json").json()["first"] == 0
    exported = [json.loads(line) for line in (place / "ledger.jsonl").read_text().splitlines()]
    assert [int(one["sequence"]) for one in exported] == list(range(len(exported)))
    assert [one["sequence"] for one in exported if "data" not in one] == ["1", "2"]
    # The proof made before still holds: it carries what was pruned since.
    assert cli("ledger", "verify", place / "two.tlog-proof", "--key", place / "keys.json").code == 0
    assert signed.size < cli("ledger", "head", "--json").json()["seq"]


def test_a_key_cannot_be_replaced_before_there_is_one(cli, tmp_path):
    ran = cli("keys", "rotate")
    assert ran.code == 2 and "keys new" in ran.stderr and not (tmp_path / "workspace").exists()


def test_a_second_new_key_is_announced_like_a_rotation(cli):
    _note(cli)
    cli("keys", "new")
    cli("ledger", "checkpoint")
    made = cli("keys", "new", "--json").json()
    assert cli("keys", "list", "--json").json()["keys"][-1]["id"] == made["id"]
    assert cli("ledger", "audit", "--full").code == 0
