"""What the ledger's own blocks and its anchors claim, and whether it holds.

A block may say that a key signs from now on, that a checkpoint was signed over all blocks before it, or that payloads were pruned. An
anchor is a checkpoint kept outside the store. Every claim is signed, and only pinned keys are believed: a key the ledger names is
worth nothing until the verifier knows it from elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError
from thunderlab.events import Event
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import checkpoint, statement
from thunderlab.ledger.checkpoint import Checkpoint, SignedCheckpoint
from thunderlab.ledger.events import OWN, CheckpointSigned, KeyAnnounced, LedgerOpened, PayloadsPruned
from thunderlab.ledger.failure import Failure
from thunderlab.ledger.merkle import Frontier, Leaves

# Gives the leaf hashes kept from a block or later on: (first block, hashes).
StoredLeaves = Callable[[int], tuple[int, bytes] | None]


class Claims:
    """The claims of one chain during one pass.

    Args:
        origin: the chain's name.
        pins: the keys believed in; None when the verifier has none, then signatures are not looked at.
        anchors: checkpoints kept outside, their signatures verified already.
        start: where the pass begins: the size of a verified checkpoint, 0 for a full one.
        active: id of the key that signs at the start; None when none was announced yet.
        statements: all that the blocks from there on say of keys and of pruning, in their order: payloads go before it is said.

    Attributes:
        stored: gives the leaf hashes kept at each checkpoint.
        kept_at: where the rows of leaf hashes that were looked at begin.
        active: id of the key announced last.
        signed: the size of the largest checkpoint that held; the blocks before are the ones that were signed.
    """

    def __init__(
        self,
        origin: str,
        pins: PinnedKeys | None,
        anchors: Sequence[SignedCheckpoint],
        *,
        start: int = 0,
        active: str | None = None,
        statements: Sequence[Event] = (),
    ) -> None:
        self._origin = origin
        self._pins = pins
        self._anchors: dict[int, list[Checkpoint]] = {}
        self._foreign: list[Checkpoint] = []
        for told in (anchor.checkpoint for anchor in anchors):
            if told.origin != origin:
                self._foreign.append(told)
            elif told.size >= max(start, 1):
                self._anchors.setdefault(told.size, []).append(told)
        self._waiting = set(self._anchors)
        self.stored: StoredLeaves = lambda _first: None
        self.kept_at = set[int]()
        self._kept: tuple[int, bytes] | None = None
        self._covered = start
        self._exhausted = False
        self._differs: int | None = None
        self._begun = Frontier()
        self._broken = False
        self._known = set[str]() if active is None else {active}
        self._sizes = {start} if start else set[int]()
        self._statements = (statements, active)
        self._pruned_before: int | None = None
        self.active = active
        self.signed = start

    def begin_at(self, tree: Frontier) -> None:
        """Begin behind the blocks of this tree."""
        self._begun = tree.copy()

    def may_be_pruned(self, seq: int, name: str) -> bool:
        """Return whether a block's payload may be gone: a signed statement further on says so, and it is none of the ledger's own."""
        if self._pruned_before is None:
            self._pruned_before = self._believed(*self._statements)
        return seq < self._pruned_before and not name.startswith(OWN)

    def sizes(self, first: int, end: int) -> set[int]:
        """Return where within blocks `first` to `end` the tree's root is claimed by an anchor, counted from `first`."""
        return {size - first for size in self._waiting if first < size <= end}

    def at_size(self, tree: Frontier) -> Iterator[Failure]:
        """Hold the tree against the anchor of its size, if there is one."""
        if tree.size not in self._waiting:
            return
        self._waiting.remove(tree.size)
        # Two that were signed may differ: one that does not hold comes first, and then what holds before both is still known.
        for anchor in sorted(self._anchors[tree.size], key=lambda one: one.root == tree.root()):
            yield from self._hold(tree, anchor.root, "the checkpoint kept outside")

    def announced(self, first: int, end: int, told: Iterable[tuple[int, Event]]) -> Iterator[Failure]:
        """Make sure that each anchor whose block is one of `first` to `end` is announced there; `told` are the ledger's own blocks."""
        sizes = [size for size in self._anchors if first <= size < end]
        if sizes:
            there = {seq for seq, event in told if isinstance(event, CheckpointSigned)}
            yield from (self._not_announced(size) for size in sizes if size not in there)

    def told(self, seq: int, event: Event, tree: Frontier) -> Iterator[Failure]:
        """Check what one of the ledger's own blocks says; `tree` is over the blocks before it."""
        if isinstance(event, LedgerOpened) and seq:
            yield Failure(seq=seq, kind="origin", detail="a ledger is opened by its first block alone")
        elif isinstance(event, KeyAnnounced):
            wrong = self._wrong_with_key(event, self.active, self._known)
            if wrong is not None:
                yield Failure(seq=seq, kind="key", detail=wrong)
            self._known.add(event.key_id)
            self.active = event.key_id
        elif isinstance(event, CheckpointSigned):
            yield from self._check_checkpoint(seq, event, tree)
        elif isinstance(event, PayloadsPruned):
            wrong = self._wrong_with_prune(event, self.active) or (
                None if event.size in self._sizes else f"there is no checkpoint of {event.size} blocks"
            )
            if wrong is not None:
                yield Failure(seq=seq, kind="checkpoint", detail=wrong)

    def compare(self, first: int, leaves: bytes) -> Iterator[Failure]:
        """Hold leaf hashes, as recomputed from the rows, against those kept when checkpoints were signed."""
        end = first + len(leaves) // 32
        while self._covered < end and not self._exhausted:
            kept = self._kept or self.stored(self._covered)
            if kept is None:
                self._exhausted = True
                return
            start, hashes = kept
            if type(hashes) is not bytes or not hashes or len(hashes) % 32 or type(start) is not int or start != self._covered:
                self._exhausted = True
                yield Failure(seq=self._covered, kind="leaf", detail="the leaf hashes kept for this block are gone or damaged")
                return
            self.kept_at.add(start)
            stop = min(end, start + len(hashes) // 32)
            ours = leaves[(start - first) * 32 : (stop - first) * 32]
            if self._differs is None and ours != hashes[: len(ours)]:
                self._differs = start + next(place for place in range(stop - start) if ours[place * 32 :][:32] != hashes[place * 32 :][:32])
                yield Failure(
                    seq=self._differs, kind="leaf", detail="the block is not the one whose hash was kept when a checkpoint was signed"
                )
            self._covered = stop
            self._kept = (stop, hashes[len(ours) :]) if len(ours) < len(hashes) else None

    def finish(self, blocks: int, *, intact: bool) -> Iterator[Failure]:
        """Say what is missing at the end of a chain of `blocks` blocks; `intact` tells whether nothing else was wrong."""
        for anchor in self._foreign:
            ours = f"the ledger {self._origin}" if self._origin else "a ledger without a name"
            yield Failure(seq=0, kind="origin", detail=f"this is {ours}; the checkpoint is of {anchor.origin}")
        longest = max(self._anchors, default=0)
        if longest > blocks:
            detail = f"a checkpoint of {longest} blocks was signed, and there are {blocks}"
            yield Failure(seq=blocks, kind="truncated", detail=detail)
        elif longest == blocks and longest:
            yield self._not_announced(blocks)
        intact = intact and not self._foreign and longest < blocks
        if self.stored(blocks) is not None or (intact and self._kept is not None):
            yield Failure(
                seq=blocks, kind="truncated", detail="the hash of this block was kept when a checkpoint was signed, and the block is gone"
            )
        elif intact and self._covered < self.signed:
            yield Failure(seq=self._covered, kind="leaf", detail="the leaf hashes kept for this block are gone or damaged")
        elif intact and self._covered > self.signed:
            yield Failure(seq=self.signed, kind="leaf", detail="a leaf hash is kept for this block, which no checkpoint covers")

    def _believed(self, statements: Sequence[Event], active: str | None) -> int:
        """Return before which block payloads may be gone, by all that is stated on keys and on pruning, in the order of the blocks."""
        known, before = set[str]() if active is None else {active}, 0
        for event in statements:
            if isinstance(event, KeyAnnounced) and self._wrong_with_key(event, active, known) is None:
                active = event.key_id
                known.add(active)
            elif isinstance(event, PayloadsPruned) and self._wrong_with_prune(event, active) is None:
                before = max(before, event.before)
        return before

    def _wrong_with_key(self, event: KeyAnnounced, active: str | None, known: set[str]) -> str | None:
        if event.key_id != _key_id(event.key):
            return "the key announced is not the one its id names"
        if event.key_id in known:
            return f"key {event.key_id} was announced before"
        if event.previous != active:
            return f"key {event.key_id} does not follow the key that signed until now"
        if self._pins is None:
            return None
        pinned = self._pins.find(event.key_id)
        if pinned is None or pinned.key != event.key:
            return f"key {event.key_id} is announced here and is not pinned; if you know that the lab changed its key, pin it"
        text = statement.of_key(self._origin, event.previous, event.key)
        return self._wrong_with_signature(event.note, text, event.previous or event.key_id)

    def _check_checkpoint(self, seq: int, event: CheckpointSigned, tree: Frontier) -> Iterator[Failure]:
        wrong = self._wrong_with_checkpoint(seq, event, tree)
        if wrong is not None:
            yield Failure(seq=seq, kind="checkpoint", detail=wrong)
            return
        self._sizes.add(event.size)
        yield from self._hold(tree, event.root, f"the checkpoint signed in block {seq}")

    def _wrong_with_checkpoint(self, seq: int, event: CheckpointSigned, tree: Frontier) -> str | None:
        if event.size != seq:
            return f"a checkpoint of {event.size} blocks stands in block {seq}"
        if event.key_id != self.active:
            return f"it is signed by key {event.key_id}, which is not the one announced last"
        try:
            signed = checkpoint.read(event.note.encode())
            signer = None if self._pins is None else checkpoint.verify(signed, self._pins)
        except (EvidenceError, UnicodeEncodeError) as error:
            return str(error)
        told = signed.checkpoint
        if (told.origin, told.size, told.root) != (self._origin, event.size, event.root):
            return "its note is about something else than the block says"
        if signer is not None and signer.id != event.key_id:
            return f"it is signed by key {signer.id}, not by {event.key_id} as the block says"
        if tree.root() == event.root and [one.hex() for one in tree.last_path()] != event.path:
            return "its path does not lead from the last block to the root"
        return None

    def _wrong_with_prune(self, event: PayloadsPruned, active: str | None) -> str | None:
        if event.key_id != active:
            return f"it is signed by key {event.key_id}, which is not the one announced last"
        if not 0 < event.before <= event.size:
            return f"payloads before block {event.before} were pruned behind a checkpoint of {event.size} blocks"
        text = statement.of_prune(self._origin, event.before, event.size, event.root)
        return None if self._pins is None else self._wrong_with_signature(event.note, text, event.key_id)

    def _wrong_with_signature(self, note: str, text: str, key_id: str) -> str | None:
        assert self._pins is not None
        try:
            signer = statement.signer(note, text, self._origin, self._pins)
        except EvidenceError as error:
            return str(error)
        return None if signer.id == key_id else f"it is signed by key {signer.id}, not by {key_id}"

    def _hold(self, tree: Frontier, root: str, what: str) -> Iterator[Failure]:
        if tree.root() == root:
            self.signed = tree.size if not self._broken else self.signed
        elif not self._broken:
            self._broken = True
            first = self.signed if self._differs is None or self._kept_root(tree.size) != root else self._differs
            detail = f"the blocks are not those of {what}, {tree.size} blocks: one of {first} to {tree.size - 1} was exchanged"
            yield Failure(seq=first, kind="rebuilt", detail=detail)

    def _kept_root(self, size: int) -> str | None:
        """Return the root over the leaf hashes kept; when it is the one that was signed, they tell where the blocks differ."""
        tree = self._begun.copy()
        while tree.size < size and (kept := self.stored(tree.size)) is not None:
            first, hashes = kept
            if type(hashes) is not bytes or not hashes or len(hashes) % 32 or first != tree.size:
                return None
            tree.extend(Leaves(hashes)[: size - tree.size])
        return tree.root() if tree.size == size else None

    def _not_announced(self, seq: int) -> Failure:
        detail = f"the checkpoint of {seq} blocks kept outside was announced in this block, which is gone: the ledger was cut off here"
        return Failure(seq=seq, kind="truncated", detail=detail)


def _key_id(key: str) -> str:
    try:
        return digest(bytes.fromhex(key))[:16]
    except ValueError:
        return ""
