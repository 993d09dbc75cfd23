"""Verifying offline what somebody hands in: a proof that a block is in a ledger, or a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thunderlab import files
from thunderlab.clock import rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import checkpoint, proof
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.proof import Proof
from thunderlab.ledger.witness import verify_witnessed


def verify_file(path: Path, keys: Path, checkpoint_path: Path | None = None, witnesses: Path | None = None) -> dict[str, Any]:
    """Return whether a proof or checkpoint file holds (`ok`), else `why` not; and what it shows, when it does.

    Args:
        path: a C2SP tlog-proof, or a C2SP checkpoint.
        keys: the public keys to believe.
        checkpoint_path: a checkpoint kept outside that must agree with the one in the file.
        witnesses: public keys of witnesses, one of whom must have cosigned the checkpoint in the file.

    Raises:
        InputError: when a file does not exist, or the keys are none.
    """
    pins = PinnedKeys.read(keys)
    cosigners = None if witnesses is None else PinnedKeys.read(witnesses)
    data = files.read_bytes(path)
    anchor_bytes = None if checkpoint_path is None else files.read_bytes(checkpoint_path)
    try:
        found = proof.parse(data) if proof.is_proof(data) else None
        signed = checkpoint.read(data) if found is None else found.signed
        anchor = None if anchor_bytes is None else checkpoint.read(anchor_bytes)
        shown = _of_checkpoint(signed, pins, anchor) if found is None else _of_proof(found, pins, anchor)
        if cosigners is not None:
            witness, at_s = verify_witnessed(signed, cosigners)
            shown |= {"witness_id": witness.id, "witnessed_at": rfc3339(at_s * 1_000_000)}
    except EvidenceError as error:
        return {"ok": False, "why": str(error)}
    return {"ok": True, "why": "", **shown}


def _of_proof(found: Proof, pins: PinnedKeys, anchor: SignedCheckpoint | None) -> dict[str, Any]:
    shown = proof.verify(found, pins, anchor)
    return {
        "seq": shown.seq,
        "aggregate_hash": shown.aggregate_hash,
        "root": shown.root,
        "size": shown.size,
        "origin": shown.origin,
        "event": shown.event_name,
        "version": shown.event_version,
        "id": shown.id,
        "time": shown.inserted_at,
        "payload": None if shown.payload is None else shown.payload.decode(),
        "key_id": shown.key_id,
    }


def _of_checkpoint(signed: SignedCheckpoint, pins: PinnedKeys, anchor: SignedCheckpoint | None) -> dict[str, Any]:
    key, told = checkpoint.verify(signed, pins), signed.checkpoint
    if anchor is not None:
        checkpoint.verify(anchor, pins)
        if anchor.checkpoint != told:
            other = f"the one kept outside is of {anchor.checkpoint.origin}, {anchor.checkpoint.size} blocks"
            raise EvidenceError(f"it is of {told.origin}, {told.size} blocks; {other}; they are not the same")
    return {"seq": told.size - 1, "root": told.root, "size": told.size, "origin": told.origin, "key_id": key.id}
