"""A witness: a second key, kept apart from the lab, that signs only checkpoints which extend what it has seen before.

What it checks and remembers follows c2sp.org/tlog-witness: whoever holds a cosigned checkpoint knows that the witness was shown no
other history of this ledger up to then, whatever its owner may do with the store and the lab's own keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from thunderlab import files
from thunderlab.clock import Clock
from thunderlab.errors import EvidenceError, InputError
from thunderlab.keys import KeyRing, PinnedKeys, PublicKey
from thunderlab.ledger import checkpoint
from thunderlab.ledger.checkpoint import Checkpoint, SignedCheckpoint
from thunderlab.ledger.merkle import verify_consistency
from thunderlab.locks import held


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest checkpoint that was cosigned for one ledger: its size and its root, hexadecimal."""

    size: int
    root: str


class Witness:
    """A witness in a folder of its own, which belongs outside the workspace and the store: on another disk, or with somebody else.

    The folder holds a key ring and `seen.json`. Its first key is made with its first cosignature.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.ring = KeyRing(folder, clock)
        self._folder = folder
        self._clock = clock
        self._seen = folder / "seen.json"

    def seen(self) -> dict[str, Seen]:
        """Return the newest checkpoint remembered of every ledger, by origin.

        Raises:
            InputError: when what was remembered cannot be read; a witness without memory signs nothing.
        """
        if not self._seen.exists():
            return {}
        found = files.parse_json(files.read_bytes(self._seen), self._seen).convert(dict[str, Seen])
        for origin, seen in found.items():
            if seen.size < 0 or _root(seen) is None:
                raise InputError("is not the size and root of a tree", where=self._seen, field=origin)
        return found

    def cosign(self, signed: SignedCheckpoint, pins: PinnedKeys, consistency: Callable[[int], Sequence[bytes]]) -> SignedCheckpoint:
        """Return the checkpoint with this witness's signature, once it extends the one seen last; it is remembered before it is signed.

        Args:
            signed: the checkpoint.
            pins: the ledger's keys, as this witness was given them; the checkpoint must be signed by one.
            consistency: given the size seen last, returns the consistency proof from there to the checkpoint; not asked at the first
                checkpoint of a ledger, which is taken as it is, nor for the size that was seen.

        Raises:
            EvidenceError: when no pinned key signed it, when it is older than what was seen, or when its history is another.
        """
        checkpoint.verify(signed, pins)
        told = signed.checkpoint
        if self.ring.active() is None:
            self.ring.new()
        with held(self._folder / "seen.lock"):
            seen = self.seen()
            before = seen.get(told.origin)
            if before is not None:
                _refuse_other_history(before, told, consistency)
            seen[told.origin] = Seen(size=told.size, root=told.root)
            files.write_whole(self._seen, msgspec.json.format(msgspec.json.encode(seen, order="sorted"), indent=2) + b"\n", mode=0o600)
            return checkpoint.cosign(signed, self.name(), self.ring, self._clock.now_us() // 1_000_000)

    def name(self) -> str:
        """Return the name it signs in, `witness/<key id>`, after its active key.

        Raises:
            InputError: when it has no key yet.
        """
        key = self.ring.active()
        if key is None:
            raise InputError("this witness has no key yet; it makes one with its first cosignature", where=self._folder)
        return _name(key)


def verify_witnessed(signed: SignedCheckpoint, pins: PinnedKeys) -> tuple[PublicKey, int]:
    """Return which pinned witness cosigned a checkpoint, and when, in seconds since the epoch.

    Raises:
        EvidenceError: when none of them did.
    """
    for key in pins:
        try:
            return checkpoint.verify_cosignature(signed, _name(key), pins)
        except EvidenceError:
            continue
    raise EvidenceError(f"the checkpoint of {signed.checkpoint.origin} is not cosigned by a pinned witness")


def _name(key: PublicKey) -> str:
    return f"witness/{key.id}"


def _refuse_other_history(before: Seen, told: Checkpoint, consistency: Callable[[int], Sequence[bytes]]) -> None:
    if told.size < before.size:
        raise EvidenceError(f"the checkpoint is of {told.size} blocks, and one of {before.size} was seen before: blocks were cut off")
    proof = consistency(before.size) if told.size > before.size else ()
    older, newer = _root(before), bytes.fromhex(told.root)
    assert older is not None
    if not verify_consistency(before.size, told.size, proof, older, newer):
        raise EvidenceError(
            f"the checkpoint of {told.size} blocks does not extend the one of {before.size} that was seen before: its history is another"
        )


def _root(seen: Seen) -> bytes | None:
    try:
        root = bytes.fromhex(seen.root)
    except ValueError:
        return None
    return root if root.hex() == seen.root and len(root) == 32 else None
