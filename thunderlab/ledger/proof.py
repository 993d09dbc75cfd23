"""Offline proofs that a block is in a ledger, in the text form of C2SP (c2sp.org/tlog-proof, version 1).

One file holds the block, its inclusion proof and the signed checkpoint the proof leads to; with the ledger's pinned keys it is all
that is needed. The block is the proof's `extra` line: {"header": text, "payload": text or null}, in canonical form.
"""

from __future__ import annotations

import json
import re

import msgspec

from thunderlab.canonical import digest
from thunderlab.canonical import encode as canonical
from thunderlab.errors import EvidenceError
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import block, checkpoint, note
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.merkle import verify_inclusion

MOST_BYTES = 1 << 24

_TAG = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")
# A tree of 2^64 leaves has no longer path.
_MOST_HASHES = 64


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A proof as it stands in its file; nothing is verified yet.

    Attributes:
        index: which leaf it is about; the block's seq.
        hashes: the inclusion proof, from the leaf's sibling up, 32 bytes each.
        signed: the checkpoint it leads to.
        extra: the block, see `extra_of`; None when the line is missing.
    """

    index: int
    hashes: tuple[bytes, ...]
    signed: SignedCheckpoint
    extra: bytes | None = None

    def encode(self) -> bytes:
        """Return the proof's file; `parse` gives the proof again."""
        lines = [_TAG]
        if self.extra is not None:
            lines.append(f"extra {note.to_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines.extend(map(note.to_base64, self.hashes))
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.signed.note


class Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof that was verified says.

    Attributes:
        origin: the ledger.
        seq: the block's number.
        aggregate_hash: the block's hash.
        root: the Merkle root that was signed.
        size: how many blocks were under it.
        key_id: the pinned key that signed it.
        id: the event's id.
        event_name: its name.
        event_version: the version of its schema.
        inserted_at: when the block was made, as the ledger says.
        payload: the event's bytes; None when they were pruned, and only their hash is proved.
    """

    origin: str
    seq: int
    aggregate_hash: str
    root: str
    size: int
    key_id: str
    id: str
    event_name: str
    event_version: str
    inserted_at: str
    payload: bytes | None


def extra_of(head: bytes, payload: bytes | None) -> bytes:
    """Return the extra line's bytes for a block.

    Args:
        head: its header, as `block.header` gives it.
        payload: the event's bytes; None when they were pruned.

    Raises:
        EvidenceError: when one is not text: then it was not written by a ledger.
    """
    try:
        return canonical({"header": head.decode(), "payload": None if payload is None else payload.decode()})
    except UnicodeDecodeError:
        raise EvidenceError("the block is not UTF-8 text; no ledger writes such a one") from None


def is_proof(data: bytes) -> bool:
    """Return whether a file says that it is a proof; whether it is one, `parse` tells."""
    return data.startswith(_TAG.encode())


def parse(data: bytes) -> Proof:
    """Return the proof these bytes are, strictly: of two files that differ at most one is the encoding of a proof.

    Raises:
        EvidenceError: when they are none, with the line that is wrong.
    """
    if len(data) > MOST_BYTES:
        raise EvidenceError(f"the proof is larger than {MOST_BYTES} bytes")
    head, gap, signed = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise EvidenceError("the proof holds more than ASCII before its checkpoint") from None
    if lines.pop(0) != _TAG:
        raise EvidenceError(f"a proof begins with the line {_TAG}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = note.from_base64(lines.pop(0).removeprefix("extra "))
        if not extra:
            raise EvidenceError("the proof's extra line is not base64")
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise EvidenceError("the proof has no line that says: index and a number")
    if len(lines) > _MOST_HASHES:
        raise EvidenceError(f"the proof has more than {_MOST_HASHES} hashes")
    hashes = []
    for number, line in enumerate(lines, start=1):
        node = note.from_base64(line)
        if node is None or len(node) != 32:
            raise EvidenceError(f"hash {number} of the proof is not the base64 of a SHA-256")
        hashes.append(node)
    if not gap:
        raise EvidenceError("the proof has no empty line and no checkpoint after it")
    return Proof(index=int(index[1]), hashes=tuple(hashes), signed=checkpoint.read(signed), extra=extra)


def verify(proof: Proof, pins: PinnedKeys, anchor: SignedCheckpoint | None = None) -> Proven:
    """Return what a proof proves, once everything in it holds together and leads to a signature of a pinned key.

    Args:
        proof: as `parse` gives it.
        pins: the keys that are trusted; whatever the proof itself says of keys counts for nothing.
        anchor: a checkpoint kept elsewhere, which the proof must lead to.

    Raises:
        EvidenceError: saying what is wrong.
    """
    key = checkpoint.verify(proof.signed, pins)
    told = proof.signed.checkpoint
    if anchor is not None:
        _compare(proof.signed, anchor, pins)
    head, payload = _block_of(proof.extra)
    header = block.parse_header(head)
    if header.origin != told.origin:
        raise EvidenceError(f"the block is one of {header.origin}, the checkpoint is one of {told.origin}")
    if header.seq != proof.index:
        raise EvidenceError(f"the block is number {header.seq}, the proof is about number {proof.index}")
    if payload is not None and digest(payload) != header.payload_hash:
        raise EvidenceError("the payload is not the one the block was made of")
    leaf, root = block.leaf_hash(head), bytes.fromhex(told.root)
    if header.seq >= told.size:
        raise EvidenceError(f"block {header.seq} is not among the {told.size} under the checkpoint")
    if not verify_inclusion(bytes.fromhex(leaf), proof.index, told.size, proof.hashes, root):
        raise EvidenceError("the block and the proof's hashes do not lead to the root that was signed")
    return Proven(
        origin=told.origin,
        seq=header.seq,
        aggregate_hash=leaf,
        root=told.root,
        size=told.size,
        key_id=key.id,
        id=header.id,
        event_name=header.event_name,
        event_version=header.event_version,
        inserted_at=header.inserted_at,
        payload=payload,
    )


def _compare(signed: SignedCheckpoint, anchor: SignedCheckpoint, pins: PinnedKeys) -> None:
    try:
        checkpoint.verify(anchor, pins)
    except EvidenceError as error:
        raise EvidenceError(f"the checkpoint to compare with does not count: {error}") from None
    ours, kept = signed.checkpoint, anchor.checkpoint
    if kept.origin != ours.origin:
        raise EvidenceError(f"the proof is about {ours.origin}, the checkpoint to compare with about {kept.origin}")
    if kept.size != ours.size:
        raise EvidenceError(
            f"the proof leads to a checkpoint of {ours.size} blocks, the one to compare with has {kept.size}: make a proof against that one"
        )
    if kept.root != ours.root:
        raise EvidenceError(f"two checkpoints of {ours.size} blocks with different roots are signed: the ledger has two histories")


def _block_of(extra: bytes | None) -> tuple[bytes, bytes | None]:
    """Return a block's header and payload from the extra line, which must be in the one form `extra_of` gives it."""
    if extra is None:
        raise EvidenceError("the proof holds no block")
    try:
        found = json.loads(extra.decode())
        head, payload = found["header"].encode(), None if found["payload"] is None else found["payload"].encode()
        same = extra_of(head, payload) == extra
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        same = False
    if not same:
        raise EvidenceError('the proof\'s extra line is not a block: {"header": text, "payload": text or null} in canonical form')
    return head, payload
