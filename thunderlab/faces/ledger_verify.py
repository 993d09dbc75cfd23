"""Verifying offline what somebody hands in: a proof that a block is in a ledger, or a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from thunderlab import files
from thunderlab.errors import EvidenceError
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import checkpoint, proof
from thunderlab.ledger.notary import read_anchor


def verify_file(path: Path, keys: Path, checkpoint_path: Path | None) -> dict[str, Any]:
    """Return whether a proof or checkpoint file holds (`ok`), else `why` not; and what it shows, when it does.

    Args:
        path: a C2SP tlog-proof, or a C2SP checkpoint.
        keys: the public keys to believe.
        checkpoint_path: a checkpoint kept outside that must agree with the one in the file.

    Raises:
        InputError: when a file does not exist, or the keys are none.
    """
    pins = PinnedKeys.read(keys)
    data = files.read_bytes(path)
    try:
        anchor = None if checkpoint_path is None else read_anchor(checkpoint_path)
        return {"ok": True, "why": "", **(_proof(data, pins, anchor) if proof.is_proof(data) else _checkpoint(data, pins, anchor))}
    except EvidenceError as error:
        return {"ok": False, "why": str(error)}


def _proof(data: bytes, pins: PinnedKeys, anchor: checkpoint.SignedCheckpoint | None) -> dict[str, Any]:
    shown = proof.verify(proof.parse(data), pins, anchor)
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


def _checkpoint(data: bytes, pins: PinnedKeys, anchor: checkpoint.SignedCheckpoint | None) -> dict[str, Any]:
    signed = checkpoint.read(data)
    key = checkpoint.verify(signed, pins)
    told = signed.checkpoint
    if anchor is not None:
        checkpoint.verify(anchor, pins)
        if anchor.checkpoint != told:
            raise EvidenceError(
                f"it is of {told.origin}, {told.size} blocks; the one kept outside is of {anchor.checkpoint.origin}, {anchor.checkpoint.size} blocks, and another root"
            )
    return {"seq": told.size - 1, "root": told.root, "size": told.size, "origin": told.origin, "key_id": key.id}
