"""The ledger: nothing acknowledged is lost, and any change to any column of any row is found."""

import ast
import contextlib
import json
import multiprocessing
import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thunderlab
from tests.conftest import ROOT
from thunderlab.errors import EvidenceError, UndocumentedEventError
from thunderlab.lab import Lab, catalogue
from thunderlab.ledger import NoteRecorded, audit
from thunderlab.ledger.block import GENESIS_PREV, header, leaf_hash, link
from thunderlab.ledger.tables import EVENT_CHAIN_BLOCKS
from thunderlab.store import insert_rows, open_read_only

COLUMNS = ["seq", "id", "prev_hash", "payload_hash", "aggregate_hash", "event_name", "event_version", "inserted_at", "payload"]
BLOCKS = 12


def _audit(path):
    with open_read_only(path) as engine, engine.connect() as connection:
        return audit(connection, catalogue())


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """A ledger of twelve blocks, copied by each test that damages one."""
    folder = tmp_path_factory.mktemp("honest")
    with thunderlab.open(folder) as lab:
        lab.events.emit(*(NoteRecorded(text=f"note {number}", value=number) for number in range(1, BLOCKS)))
    with contextlib.closing(sqlite3.connect(folder / "lab.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")
    return (folder / "lab.db").read_bytes()


def _damaged(honest, folder, statement, *values):
    path = folder / "copy.db"
    path.write_bytes(honest)
    with sqlite3.connect(path) as database:
        # Without its unique index a copy can hold anything, as a forger's would.
        database.execute("PRAGMA ignore_check_constraints=ON")
        database.execute(statement, values)
    database.close()
    return _audit(path)


def test_an_honest_ledger_is_clean(honest, tmp_path):
    found = _damaged(honest, tmp_path, "SELECT 1")
    assert (found.ok, found.blocks, found.failures) == (True, BLOCKS, ())


def test_head_audit_and_rows_agree_on_the_root(any_lab):
    lab = any_lab
    lab.events.emit(*(NoteRecorded(text=str(number)) for number in range(20)))
    with lab.store.read() as connection:
        found = audit(connection, lab.events.catalogue)
    assert found.root == lab.ledger.head().root
    assert lab.ledger.head().seq == found.blocks - 1


def test_hashes_can_be_recomputed_from_the_columns_alone(any_lab):
    lab = any_lab
    lab.events.emit(NoteRecorded(text="é", value=None))
    block = next(lab.ledger.blocks())
    assert json.loads(block.payload) == {"text": "é", "value": None}
    lines = [
        "thunderlab-ledger/1",
        lab.ledger.origin,
        "1",
        block.prev_hash,
        block.payload_hash,
        block.id,
        block.inserted_at,
        "lab.note.recorded",
        "1.0",
    ]
    assert leaf_hash("".join(f"{line}\n" for line in lines).encode()) == block.aggregate_hash
    genesis = list(lab.ledger.blocks())[-1]
    assert (genesis.prev_hash, genesis.event_name) == (GENESIS_PREV, "ledger.opened")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(0, BLOCKS - 1), column=st.sampled_from(COLUMNS), place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_of_any_column_is_found_at_its_block(honest, tmp_path, seq, column, place, flip):
    path = tmp_path / "copy.db"
    path.write_bytes(honest)
    with sqlite3.connect(path) as database:
        (value,) = database.execute(f"SELECT {column} FROM event_chain_blocks WHERE seq = ?", (seq,)).fetchone()
        if isinstance(value, int):
            changed = value + 1000 + flip
        elif isinstance(value, str):
            raw = bytearray(value.encode())
            raw[place % len(raw)] = (raw[place % len(raw)] + flip % 90 + 1) % 128 or 1
            changed = raw.decode()
        else:
            raw = bytearray(value)
            raw[place % len(raw)] ^= flip
            changed = bytes(raw)
        if changed == value:
            return
        database.execute(f"UPDATE event_chain_blocks SET {column} = ? WHERE seq = ?", (changed, seq))
    database.close()
    found = _audit(path)
    assert not found.ok
    assert min(failure.seq for failure in found.failures) == seq


@pytest.mark.parametrize(
    ("statement", "first", "kind"),
    [
        ("DELETE FROM event_chain_blocks WHERE seq = 5", 5, "gap"),
        ("DELETE FROM event_chain_blocks WHERE seq = 0", 0, "gap"),
        ("UPDATE event_chain_blocks SET seq = 99 WHERE seq = 11", 11, "gap"),
        ("UPDATE event_chain_blocks SET seq = seq + 100 WHERE seq > 6", 7, "gap"),
        ("UPDATE event_chain_blocks SET payload = CAST(payload AS TEXT) WHERE seq = 3", 3, "malformed"),
        ("UPDATE event_chain_blocks SET event_version = '1' || 'x' WHERE seq = 3", 3, "malformed"),
        ("UPDATE event_chain_blocks SET payload = x'7b7d' WHERE seq = 3", 3, "payload_hash"),
        ("UPDATE event_chain_blocks SET event_name = 'gate.readiness.decided' WHERE seq = 3", 3, "aggregate_hash"),
        ("UPDATE event_chain_blocks SET event_version = '1.1' WHERE seq = 3", 3, "aggregate_hash"),
        ("UPDATE event_chain_blocks SET inserted_at = '2026-01-01T00:00:00.000000Z' WHERE seq = 4", 4, "aggregate_hash"),
        ("UPDATE event_chain_blocks SET inserted_at = 'yesterday' WHERE seq = 4", 4, "malformed"),
        ("DELETE FROM event_chain_blocks", 0, "empty"),
        ("DROP TABLE event_chain_blocks", 0, "unreadable"),
    ],
)
def test_each_kind_of_damage_has_its_name(honest, tmp_path, statement, first, kind):
    found = _damaged(honest, tmp_path, statement)
    assert not found.ok
    assert (found.failures[0].seq, found.failures[0].kind) == (first, kind)
    assert found.blocks == {"gap": BLOCKS - ("DELETE" in statement), "empty": 0, "unreadable": 0}.get(kind, BLOCKS)


def test_two_blocks_swapped_are_found_at_the_first(honest, tmp_path):
    found = _damaged(
        honest, tmp_path, "UPDATE event_chain_blocks SET seq = CASE seq WHEN 4 THEN -4 WHEN 5 THEN 4 ELSE seq END WHERE seq IN (4)"
    )
    assert found.failures[0].seq <= 4


def test_a_row_rehashed_by_a_forger_breaks_the_next_link(honest, tmp_path):
    path = tmp_path / "copy.db"
    path.write_bytes(honest)
    import hashlib

    with sqlite3.connect(path) as database:
        (origin,) = database.execute("SELECT payload FROM event_chain_blocks WHERE seq = 0").fetchone()
        row = dict(
            zip(COLUMNS, database.execute(f"SELECT {', '.join(COLUMNS)} FROM event_chain_blocks WHERE seq = 4").fetchone(), strict=True)
        )
        row["payload"] = b'{"text":"forged","value":4}'
        row["payload_hash"] = hashlib.sha256(row["payload"]).hexdigest()
        head = header(
            origin=json.loads(origin)["origin"], **{name: row[name] for name in COLUMNS if name not in ("aggregate_hash", "payload")}
        )
        database.execute(
            "UPDATE event_chain_blocks SET payload = ?, payload_hash = ?, aggregate_hash = ? WHERE seq = 4",
            (row["payload"], row["payload_hash"], leaf_hash(head)),
        )
    database.close()
    assert [(failure.seq, failure.kind) for failure in _audit(path).failures] == [(5, "link")]


@pytest.mark.parametrize(
    "payload",
    [
        '{"text":"a","text":"b","value":1}',
        '{"text":"a", "value":1}',
        '{"value":1,"text":"a"}',
        '{"text":"a","value":1.5}',
        '{"text":"a","value":NaN}',
        "[]",
        "",
    ],
)
def test_payloads_that_no_writer_writes_are_found_even_when_rightly_hashed(tmp_path, payload):
    """A forger with the writer's code can hash anything; the payload must still be what its schema would write."""
    with thunderlab.open(tmp_path / "forged") as lab:
        newest = next(lab.ledger.blocks())
        forged = link(
            origin=lab.ledger.origin, seq=1, prev_hash=newest.aggregate_hash, id="01890000-0000-7000-8000-000000000000",
            inserted_at="2026-01-01T00:00:00.000000Z", event_name="lab.note.recorded", event_version="1.0", payload=payload.encode(),
        )  # fmt: skip
        with lab.store.write() as connection:
            insert_rows(connection, EVENT_CHAIN_BLOCKS, [forged])
        with lab.store.read() as connection:
            found = audit(connection, lab.events.catalogue)
    assert [(failure.seq, failure.kind) for failure in found.failures] == [(1, "payload")]


def test_events_of_one_emission_are_one_transaction(any_lab):
    lab = any_lab
    before = lab.ledger.head().seq
    with pytest.raises(UndocumentedEventError):
        lab.events.emit(NoteRecorded(text="fine"), NoteRecorded(text=5))
    assert lab.ledger.head().seq == before
    with pytest.raises(RuntimeError), lab.store.write() as connection:
        lab.events.emit(NoteRecorded(text="fine"), within=connection)
        raise RuntimeError
    assert lab.ledger.head().seq == before


def _write_notes(folder, count):
    with thunderlab.open(folder) as lab:
        for number in range(count):
            lab.events.emit(NoteRecorded(text=f"{number}"))


def test_processes_that_start_and_write_at_once_make_one_chain(tmp_path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_notes, args=(tmp_path / "shared", 15)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    with Lab(tmp_path / "shared") as lab, lab.store.read() as connection:
        found = audit(connection, lab.events.catalogue)
    assert found.ok and found.blocks == 1 + 4 * 15


def test_a_clock_set_back_does_not_break_the_chain(any_lab, clock):
    lab = any_lab
    lab.events.emit(NoteRecorded(text="before"))
    clock.set_back(86_400)
    lab.events.emit(NoteRecorded(text="after"))
    with lab.store.read() as connection:
        assert audit(connection, lab.events.catalogue).ok


def test_a_store_whose_first_block_was_replaced_is_audited_and_takes_nothing_more(tmp_path):
    with thunderlab.open(tmp_path / "w") as lab, lab.store.write() as connection:
        connection.execute(sa.text("UPDATE event_chain_blocks SET payload = x'00'"))
    with thunderlab.open(tmp_path / "w") as lab:
        with pytest.raises(EvidenceError, match="block 0 does not open a ledger; see all that is wrong with: thunderlab ledger audit"):
            lab.events.emit(NoteRecorded(text="never"))
        found = lab.custody.audit()
        assert found.failures[0].seq == 0 and found.blocks == 1


def test_the_auditor_uses_nothing_of_the_writer():
    """What reads, and what it reads with, may know the encoding rules in `block` and how rows lie there; not who writes them."""
    modules, seen = ["audit"], set()
    while modules:
        name = modules.pop()
        seen.add(name)
        tree = ast.parse((ROOT / "thunderlab" / "ledger" / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("thunderlab.ledger"):
                found = [node.module.rpartition(".")[2]] if node.module != "thunderlab.ledger" else [alias.name for alias in node.names]
                modules += [one for one in found if one not in seen]
    assert {"block", "walk", "claims"} <= seen
    assert not seen & {"chain", "notary", "custody", "prune", "prove", "export", "witness"}
