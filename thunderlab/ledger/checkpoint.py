"""Checkpoints: size and root of a ledger's tree, signed (c2sp.org/tlog-checkpoint), and cosigned by witnesses (c2sp.org/tlog-cosignature)."""

from __future__ import annotations

import re

import msgspec

from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys, PublicKey
from thunderlab.ledger import note as notes
from thunderlab.ledger.merkle import EMPTY_ROOT

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_LATEST_S = 2**63 - 1


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a ledger that one line of text can stand for.

    Attributes:
        origin: the ledger's name.
        size: how many blocks it has.
        root: the Merkle root over their aggregate hashes, hexadecimal.
        extensions: further lines; ours never have any, other logs' may.
    """

    origin: str
    size: int
    root: str
    extensions: tuple[str, ...] = ()

    def body(self) -> str:
        """Return the text that is signed: origin, size and base64 root, a line each.

        >>> print(Checkpoint(origin="example.com/log", size=0, root=EMPTY_ROOT).body(), end="")
        example.com/log
        0
        47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
        """
        lines = (self.origin, str(self.size), notes.to_base64(bytes.fromhex(self.root)), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


class SignedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint and the exact bytes of the signed note that says it. Nothing is verified by having one.

    Attributes:
        checkpoint: what the note says.
        note: the note.
    """

    checkpoint: Checkpoint
    note: bytes


def parse_body(text: str) -> Checkpoint:
    """Return the checkpoint a note's text is.

    Raises:
        EvidenceError: when it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise EvidenceError("a checkpoint is three lines, none of them empty: origin, size and root")
    origin, size, encoded, *extensions = lines
    if not _SIZE.fullmatch(size):
        raise EvidenceError("the checkpoint's second line is not the size of a tree")
    root = notes.from_base64(encoded)
    if root is None or len(root) != 32:
        raise EvidenceError("the checkpoint's third line is not the base64 of a SHA-256")
    if size == "0" and root.hex() != EMPTY_ROOT:
        raise EvidenceError("the checkpoint is of an empty tree and has another root than that")
    return Checkpoint(origin=origin, size=int(size), root=root.hex(), extensions=tuple(extensions))


def read(data: bytes) -> SignedCheckpoint:
    """Return the checkpoint in the bytes of a signed note, as they came; `verify` says whether it is to be believed.

    Raises:
        EvidenceError: when they are none, in one sentence.
    """
    return SignedCheckpoint(checkpoint=parse_body(notes.parse(data).text), note=data)


def sign(checkpoint: Checkpoint, ring: KeyRing, key: PublicKey | None = None) -> SignedCheckpoint:
    """Return the checkpoint signed in its origin's name, by the ring's active key when no other of its keys is given."""
    return read(notes.encode(notes.sign(checkpoint.body(), checkpoint.origin, ring, key)))


def verify(signed: SignedCheckpoint, pins: PinnedKeys) -> PublicKey:
    """Return the pinned key that signed the checkpoint in its origin's name.

    Raises:
        EvidenceError: when none did, or when a signature that claims a pinned key does not verify.
    """
    note = _note_of(signed)
    key = notes.verified_by(note, signed.checkpoint.origin, pins)
    if key is None:
        raise EvidenceError(f"the checkpoint of {signed.checkpoint.origin} is not signed by a pinned key; {_pinned(pins)}")
    return key


def cosign(signed: SignedCheckpoint, name: str, ring: KeyRing, at_s: int) -> SignedCheckpoint:
    """Return the checkpoint with one more signature line: that of a witness who saw it grow, at a time.

    Whether it did is the caller's business; see `witness`. An earlier line of the same key makes way.

    Args:
        signed: the checkpoint.
        name: the witness's.
        ring: the witness's keys; the active one signs.
        at_s: seconds since the epoch.
    """
    if not 0 < at_s <= _LATEST_S:
        raise ValueError(f"{at_s} s is no time a cosignature may have")
    note = _note_of(signed)
    key, blob = ring.sign(_cosigned(note, at_s))
    made = notes.Signature(name=name, key_hash=notes.key_hash(name, notes.COSIGNATURE, key.raw()), blob=at_s.to_bytes(8, "big") + blob)
    others = tuple(one for one in note.signatures if (one.name, one.key_hash) != (made.name, made.key_hash))
    return read(notes.encode(notes.Note(text=note.text, signatures=(*others, made))))


def verify_cosignature(signed: SignedCheckpoint, name: str, pins: PinnedKeys) -> tuple[PublicKey, int]:
    """Return the pinned witness key that cosigned the checkpoint in that name, and when, in seconds since the epoch.

    Raises:
        EvidenceError: when none did, or when a cosignature that claims a pinned key does not verify.
    """
    note, times = _note_of(signed), dict[str, int]()

    def verifies(key: PublicKey, blob: bytes) -> bool:
        at_s = int.from_bytes(blob[:8], "big")
        if len(blob) != 72 or at_s > _LATEST_S or not pins.verify(key.id, _cosigned(note, at_s), blob[8:]):
            return False
        times.setdefault(key.id, at_s)
        return True

    key = notes.first_verified(note, name, notes.COSIGNATURE, pins, verifies)
    if key is None:
        raise EvidenceError(f"the checkpoint of {signed.checkpoint.origin} is not cosigned by a pinned key of {name}; {_pinned(pins)}")
    return key, times[key.id]


def _note_of(signed: SignedCheckpoint) -> notes.Note:
    """Return the note, once it says what the checkpoint beside it says: anybody can put two together."""
    note = notes.parse(signed.note)
    if parse_body(note.text) != signed.checkpoint:
        raise EvidenceError("the checkpoint is not the one in its note")
    return note


def _cosigned(note: notes.Note, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{note.text}".encode()


def _pinned(pins: PinnedKeys) -> str:
    ids = ", ".join(key.id for key in pins[-3:])
    return f"pinned is {ids}" + (f" and {len(pins) - 3} more" if len(pins) > 3 else "") if pins else "no key is pinned"
