"""Custody: checkpoints that are signed and anchored, keys that follow each other, payloads that go, proofs and exports; on both stores."""

import hashlib
import json
import stat

import msgspec
import pytest
import sqlalchemy as sa

from thunderlab.errors import EnvironmentBlockedError, EvidenceError, InputError, UndocumentedEventError
from thunderlab.events import Envelope
from thunderlab.keys import PinnedKeys
from thunderlab.lab import Lab
from thunderlab.ledger import CHAINS, EVENTS_CHAIN, VERDICTS_CHAIN, Auditor, NoteRecorded, Witness, checkpoint, custody, notary, proof
from thunderlab.ledger.export import lines
from thunderlab.ledger.merkle import Leaves, verify_consistency
from thunderlab.ledger.tables import LEDGER_LEAVES
from thunderlab.workspace import DATABASE_VARIABLE


def _notes(lab, count, start=0):
    lab.events.emit(*(NoteRecorded(text=f"note {number} ü", value=number) for number in range(start, start + count)))


def _names(lab, kind=EVENTS_CHAIN):
    return [block.event_name for block in lab.custody.chain(kind).blocks()][::-1]


def _clean(lab):
    for kind in CHAINS:
        for full in (True, False):
            found = lab.custody.audit(kind, full=full)
            assert found.ok, found.failures
    return True


class TestCheckpoints:
    def test_a_checkpoint_covers_all_is_announced_and_lies_outside_the_store(self, any_lab):
        _notes(any_lab, 5)
        signed = any_lab.custody.sign()
        assert _names(any_lab) == ["ledger.opened", *["lab.note.recorded"] * 5, "ledger.key.announced", "ledger.checkpoint.signed"]
        assert (signed.checkpoint.origin, signed.checkpoint.size) == (any_lab.ledger.origin, 7)
        assert any_lab.custody.anchor_path().read_bytes() == signed.note
        assert checkpoint.verify(signed, any_lab.keys.pins()).id == any_lab.keys.active().id
        leaves = [bytes.fromhex(block.aggregate_hash) for block in any_lab.ledger.blocks()][::-1]
        assert _root(leaves[:7]).hex() == signed.checkpoint.root
        assert _clean(any_lab)

    def test_nothing_new_is_not_signed_again(self, any_lab):
        _notes(any_lab, 1)
        first = any_lab.custody.sign()
        assert any_lab.custody.sign() == first
        assert _names(any_lab).count("ledger.checkpoint.signed") == 1
        _notes(any_lab, 1)
        assert any_lab.custody.sign().checkpoint.size == first.checkpoint.size + 2

    def test_each_extends_the_one_before(self, any_lab):
        found = []
        for number in range(6):
            _notes(any_lab, 3 * number + 1)
            found.append(any_lab.custody.sign().checkpoint)
        leaves = Leaves(b"".join(bytes.fromhex(block.aggregate_hash) for block in list(any_lab.ledger.blocks())[::-1]))
        from thunderlab.ledger.merkle import consistency_proof

        for before, after in zip(found, found[1:], strict=False):
            way = consistency_proof(leaves[: after.size], before.size)
            assert verify_consistency(before.size, after.size, way, bytes.fromhex(before.root), bytes.fromhex(after.root))

    def test_the_kept_leaves_are_those_of_the_blocks(self, any_lab):
        for _ in range(3):
            _notes(any_lab, 700)
            size = any_lab.custody.sign().checkpoint.size
        with any_lab.store.read() as connection:
            rows = connection.execute(
                sa.select(LEDGER_LEAVES.c.first, LEDGER_LEAVES.c.hashes)
                .where(LEDGER_LEAVES.c.chain == "events")
                .order_by(LEDGER_LEAVES.c.first)
            ).all()
        assert [row.first for row in rows] == [sum(len(one.hashes) // 32 for one in rows[:place]) for place in range(len(rows))]
        hashes = [block.aggregate_hash for block in any_lab.ledger.blocks()][::-1]
        assert b"".join(row.hashes for row in rows).hex() == "".join(hashes[:size])

    def test_it_is_due_after_many_blocks_or_a_day_and_never_without_a_key(self, lab, clock, monkeypatch):
        monkeypatch.setattr(notary, "DUE_BLOCKS", 10)
        due = lab.custody._notaries["events"].due
        _notes(lab, 20)
        assert not due()
        lab.custody.sign()
        assert not due()
        _notes(lab, 9)
        assert not due()
        _notes(lab, 1)
        assert due()
        lab.custody.sign_when_due()
        assert not due()
        _notes(lab, 1)
        clock.advance(86_401)
        assert due()

    def test_a_lab_that_closes_signs_what_is_due(self, tmp_path, monkeypatch):
        monkeypatch.setattr(notary, "DUE_BLOCKS", 10)
        with Lab(tmp_path / "w") as lab:
            lab.keys.new()
            _notes(lab, 12)
        with Lab(tmp_path / "w") as lab:
            assert lab.custody.anchored().checkpoint.size == 14
            assert _clean(lab)

    def test_a_ledger_that_was_tampered_with_is_not_signed_for(self, any_lab):
        _notes(any_lab, 4)
        any_lab.custody.sign()
        _notes(any_lab, 4)
        with any_lab.store.write() as connection:
            connection.execute(sa.text("UPDATE event_chain_blocks SET event_name = 'lab.note.rewritten' WHERE seq = 9"))
        with pytest.raises(EvidenceError, match="block 9: .*nothing was signed"):
            any_lab.custody.sign()
        assert any_lab.custody.anchored().checkpoint.size == 6

    def test_a_ledger_that_was_cut_off_is_not_signed_for(self, any_lab):
        _notes(any_lab, 4)
        any_lab.custody.sign()
        with any_lab.store.write() as connection:
            connection.execute(sa.text("DELETE FROM event_chain_blocks WHERE seq > 2"))
        with pytest.raises(EvidenceError, match="truncated"):
            any_lab.custody.sign()
        found = any_lab.custody.audit()
        assert (found.failures[0].seq, found.failures[0].kind) == (3, "truncated")

    def test_an_audit_that_goes_on_notices_checkpoints_signed_meanwhile(self, any_lab):
        _notes(any_lab, 3)
        auditor = Auditor(any_lab.events.catalogue)
        for change in (
            lambda: None,
            any_lab.custody.sign,
            lambda: _notes(any_lab, 2),
            any_lab.custody.rotate_key,
            lambda: any_lab.custody.prune(3),
        ):
            change()
            with any_lab.store.read() as connection:
                found, anew = auditor.run(connection), Auditor(any_lab.events.catalogue).run(connection)
            assert found.ok and found == anew, found.failures

    def test_an_anchor_that_is_none_is_a_finding(self, lab):
        _notes(lab, 4)
        lab.custody.sign()
        lab.custody.anchor_path().write_bytes(b"no checkpoint\n")
        found = lab.custody.audit()
        assert not found.ok and found.failures[0].kind == "checkpoint"
        with pytest.raises(EvidenceError, match="events.checkpoint"):
            lab.custody.sign()

    def test_an_anchor_left_behind_by_a_crash_is_caught_up_with(self, lab):
        _notes(lab, 4)
        old = lab.custody.sign().note
        _notes(lab, 4)
        lab.custody.sign()
        lab.custody.anchor_path().write_bytes(old)
        assert _clean(lab)
        assert lab.custody.sign().checkpoint.size == 11
        assert lab.custody.anchored().checkpoint.size == 11


class TestKeys:
    def test_a_new_key_is_announced_under_the_one_before_in_both_chains(self, any_lab):
        first = any_lab.keys.new()
        any_lab.custody.sign_all()
        second = any_lab.custody.rotate_key()
        for kind in CHAINS:
            told = [
                any_lab.events.catalogue.read(block.event_name, block.event_version, block.payload)
                for block in any_lab.custody.chain(kind).blocks(name="ledger.key.announced")
            ][::-1]
            assert [(one.key_id, one.previous) for one in told] == [(first.id, None), (second.id, first.id)]
        assert any_lab.keys.has_private(second.id) and not any_lab.keys.has_private(first.id)
        assert _clean(any_lab)

    def test_a_hundred_rotations_are_clean_and_every_old_signature_verifies(self, lab):
        _notes(lab, 3)
        old = lab.custody.sign()
        for _ in range(100):
            lab.custody.rotate_key()
        assert len(lab.keys.public_keys()) == 101
        assert _clean(lab)
        assert checkpoint.verify(old, lab.keys.pins()).id == lab.keys.public_keys()[0].id

    def test_a_rotation_that_was_interrupted_is_completed_by_the_next_checkpoint(self, lab):
        _notes(lab, 2)
        lab.custody.sign()
        made = [lab.keys.new() for _ in range(2)]
        assert lab.custody.sign().checkpoint.size > 4
        announced = [json.loads(block.payload)["key_id"] for block in lab.ledger.blocks(name="ledger.key.announced")]
        assert announced[:2] == [key.id for key in reversed(made)]
        assert _clean(lab)

    def test_a_key_nobody_pinned_is_a_finding_however_well_announced(self, lab):
        _notes(lab, 2)
        lab.custody.sign()
        before = lab.keys.pins()
        lab.custody.rotate_key()
        found = lab.custody.audit(pins=before)
        assert (found.failures[0].kind, found.failures[0].seq) == ("checkpoint", 0)  # the anchor is signed by it, too
        assert any(failure.kind == "key" and failure.seq == 5 for failure in found.failures)

    def test_signatures_nobody_can_verify_are_no_evidence(self, tmp_path, lab):
        _notes(lab, 2)
        lab.custody.sign()
        pins = lab.keys.pins()
        (lab.workspace / "keys").rename(tmp_path / "elsewhere")
        found = lab.custody.audit(full=True)
        assert [(failure.seq, failure.kind) for failure in found.failures] == [(0, "key")]
        assert lab.custody.audit(full=True, pins=pins).ok

    def test_a_workspace_without_the_ledgers_key_does_not_sign(self, tmp_path, lab):
        _notes(lab, 2)
        lab.custody.sign()
        for path in (lab.workspace / "keys").iterdir():
            path.unlink()
        lab.keys.new()
        with pytest.raises((EnvironmentBlockedError, EvidenceError)):
            lab.custody.sign()

    def test_private_keys_are_closed_and_outside_the_store(self, lab):
        lab.custody.sign()
        (private,) = (lab.workspace / "keys").glob("*.private")
        assert stat.S_IMODE(private.stat().st_mode) == 0o600
        secret = private.read_text().strip()
        for place in lab.workspace.rglob("*"):
            if place.is_file() and place != private:
                data = place.read_bytes()
                assert secret.encode() not in data and bytes.fromhex(secret)[:32] not in data


class TestPruning:
    def test_payloads_go_and_everything_else_stays(self, any_lab):
        _notes(any_lab, 10)
        any_lab.custody.sign()
        before = {block.seq: block for block in any_lab.ledger.blocks()}
        proofs = {seq: any_lab.custody.prove(seq) for seq in (2, 8)}
        pruned = any_lab.custody.prune(6)
        assert (pruned.before, pruned.blocks, pruned.size) == (6, 5, 12)
        assert pruned.bytes == sum(len(before[seq].payload) for seq in range(1, 6))
        for seq, block in before.items():
            after = any_lab.ledger.block_at(seq)
            assert after == (msgspec.structs.replace(block, payload=None) if 1 <= seq < 6 else block)
        assert any_lab.custody.audit(full=True).pruned == 5
        assert _clean(any_lab)
        pins = any_lab.keys.pins()
        assert proof.verify(proofs[2], pins).payload == before[2].payload
        assert proof.verify(any_lab.custody.prove(2), pins).payload is None
        assert any_lab.custody.prune(6).blocks == 0
        assert any_lab.custody.prune(9).blocks == 3
        assert _clean(any_lab)
        assert [told.before for _, told in any_lab.custody.prunings()] == [9, 6]

    def test_only_what_was_signed_for_may_go(self, any_lab):
        _notes(any_lab, 5)
        with pytest.raises(InputError, match="sign a checkpoint first"):
            any_lab.custody.prune(2)
        any_lab.custody.sign()
        _notes(any_lab, 5)
        for before in (0, -3, 8, 10**9):
            with pytest.raises(InputError, match="1 to 7"):
                any_lab.custody.prune(before)

    def test_evidence_of_tampering_is_not_pruned(self, any_lab):
        _notes(any_lab, 5)
        any_lab.custody.sign()
        with any_lab.store.write() as connection:
            connection.execute(sa.text("UPDATE event_chain_blocks SET inserted_at = '2020-01-01T00:00:00.000000Z' WHERE seq = 3"))
        with pytest.raises(EvidenceError, match="block 3: aggregate_hash.*nothing was pruned"):
            any_lab.custody.prune(4)
        assert any_lab.ledger.block_at(3).payload is not None

    def test_pruned_bytes_are_gone_from_the_file(self, tmp_path):
        secret = "the name of the patient is Ann"
        with Lab(tmp_path / "w") as lab:
            lab.events.emit(NoteRecorded(text=secret))
            lab.custody.sign()
            lab.custody.prune(2)
        for path in (tmp_path / "w").iterdir():
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


class TestProofsAndExports:
    def test_a_proof_holds_for_every_block_of_both_chains(self, any_lab):
        _notes(any_lab, 6)
        any_lab.custody.sign_all()
        for kind in CHAINS:
            for block in any_lab.custody.chain(kind).blocks():
                data = any_lab.custody.prove(block.seq, kind).encode()
                shown = proof.verify(proof.parse(data), any_lab.keys.pins(), any_lab.custody.anchored(kind))
                assert (shown.seq, shown.aggregate_hash, shown.payload) == (block.seq, block.aggregate_hash, block.payload)

    def test_a_proof_can_be_made_against_an_older_checkpoint(self, any_lab):
        _notes(any_lab, 3)
        old = any_lab.custody.sign()
        _notes(any_lab, 3)
        any_lab.custody.sign()
        assert proof.verify(any_lab.custody.prove(2, against=old), any_lab.keys.pins(), old).size == 5
        with pytest.raises(InputError, match="not covered"):
            any_lab.custody.prove(7, against=old)
        with pytest.raises(InputError, match="there is no block 99"):
            any_lab.custody.prove(99)

    def test_a_cut_ledger_proves_nothing_against_its_checkpoint(self, any_lab):
        _notes(any_lab, 5)
        old = any_lab.custody.sign()
        with any_lab.store.write() as connection:
            connection.execute(sa.text("DELETE FROM event_chain_blocks WHERE seq > 4"))
        with pytest.raises(EvidenceError, match="cut off"):
            any_lab.custody.prove(2, against=old)

    def test_an_export_lets_anybody_recompute_the_chain(self, any_lab):
        _notes(any_lab, 4)
        any_lab.custody.sign()
        any_lab.custody.prune(3)
        with any_lab.store.read() as connection:
            exported = [json.loads(line) for line in lines(connection, any_lab.ledger.origin)]
            raw = list(lines(connection, any_lab.ledger.origin, first=4))
        assert [int(one["sequence"]) for one in exported] == list(range(len(exported)))
        assert {one["specversion"] for one in exported} == {"1.0"}
        before = "0" * 64
        for one in exported:
            version = one["dataschema"].rpartition(":")[2].rpartition("@")[2].rpartition("/")[2]
            head = "\n".join(
                [
                    "thunderlab-ledger/1",
                    one["source"],
                    one["sequence"],
                    before,
                    one["payloadhash"],
                    one["id"],
                    one["time"],
                    one["type"],
                    version,
                    "",
                ]
            )
            before = hashlib.sha256(b"\0" + head.encode()).hexdigest()
            assert one["aggregatehash"] == before
            if "data" not in one:
                assert 1 <= int(one["sequence"]) < 3
        # The payload's bytes stand in the line as they were hashed.
        block = any_lab.ledger.block_at(4)
        assert block.payload in raw[0]


class TestChains:
    def test_what_the_catalogue_does_not_have_cannot_be_written_whoever_asks(self, any_lab):
        real = any_lab.events.emit(NoteRecorded(text="x"))[0]
        size = any_lab.ledger.head().seq
        for forged in (
            msgspec.structs.replace(real, name="made.up"),
            msgspec.structs.replace(real, version="9.0"),
            msgspec.structs.replace(real, payload=b'{"text":"y","value":null}'),
            msgspec.structs.replace(real, payload=b"{}"),
        ):
            assert isinstance(forged, Envelope)
            for chain in (any_lab.ledger, any_lab.verdicts):
                with pytest.raises(UndocumentedEventError):
                    chain.append([forged])
        assert any_lab.ledger.head().seq == size

    def test_the_verdicts_chain_is_of_its_ledger(self, any_lab, tmp_path, monkeypatch):
        assert any_lab.verdicts.origin == any_lab.ledger.origin + "/verdicts"
        with any_lab.store.write() as connection:
            connection.execute(sa.text("DELETE FROM policy_verdict_chain"))
        monkeypatch.delenv(DATABASE_VARIABLE, raising=False)
        with Lab(tmp_path / "other") as other, other.store.read() as connection:
            rows = connection.execute(sa.select(VERDICTS_CHAIN.table)).all()
        with any_lab.store.write() as connection:
            connection.execute(VERDICTS_CHAIN.table.insert(), [row._asdict() for row in rows])
        found = any_lab.custody.audit(VERDICTS_CHAIN)
        assert [(failure.kind, failure.chain) for failure in found.failures] == [("origin", "verdicts")]

    def test_a_long_chain_is_audited_from_its_checkpoint_and_in_full_once_a_day(self, lab, clock, monkeypatch):
        monkeypatch.setattr(custody, "FULL_UP_TO", 10)
        _notes(lab, 20)
        lab.custody.sign()
        assert lab.custody.audit().first == 0
        lab.custody.record(lab.custody.audit())
        assert lab.custody.audit().first == 22
        clock.advance(86_401)
        assert lab.custody.audit().first == 0
        assert lab.custody.audit(full=False).first == 22


class TestWitness:
    def test_it_signs_what_extends_what_it_saw_and_nothing_else(self, any_lab, tmp_path, clock):
        witness = Witness(tmp_path / "witness", clock)
        _notes(any_lab, 3)
        first = any_lab.custody.sign(witness=witness)
        _notes(any_lab, 3)
        second = any_lab.custody.sign(witness=witness)
        assert any_lab.custody.anchored() == second
        for signed in (first, second):
            name = witness.name()
            assert checkpoint.verify_cosignature(signed, name, PinnedKeys(witness.ring.public_keys()))[0].id == witness.ring.active().id
        with any_lab.store.write() as connection:
            for table in ("event_chain_blocks", "ledger_leaves"):
                connection.execute(sa.text(f"DELETE FROM {table} WHERE {'seq' if table != 'ledger_leaves' else 'first'} > 0"))
        any_lab.custody.anchor_path().unlink()
        with any_lab.store.write() as connection:
            connection.execute(sa.text("DELETE FROM ledger_leaves"))
        _notes(any_lab, 30)
        with pytest.raises(EvidenceError, match="another|cut off"):
            any_lab.custody.sign(witness=witness)


def _root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _root(leaves[:split]) + _root(leaves[split:])).digest()
