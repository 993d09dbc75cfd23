"""The notary: signs checkpoints over a chain, announces the keys they are signed with, and anchors them outside the store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa

from thunderlab import files
from thunderlab.clock import Clock, parse_rfc3339
from thunderlab.errors import EnvironmentBlockedError, EvidenceError
from thunderlab.events import Bus
from thunderlab.keys import KeyRing, PublicKey
from thunderlab.ledger import checkpoint, statement
from thunderlab.ledger.audit import Auditor, OnBlocks, Start, newest_start
from thunderlab.ledger.block import malformed
from thunderlab.ledger.chain import Chain
from thunderlab.ledger.checkpoint import Checkpoint, SignedCheckpoint
from thunderlab.ledger.events import CheckpointSigned, KeyAnnounced
from thunderlab.ledger.merkle import Leaves, consistency_proof
from thunderlab.ledger.tables import LEDGER_LEAVES
from thunderlab.ledger.witness import Witness
from thunderlab.store import Store

# A checkpoint is due when so many blocks were written since the last one, or any a day ago.
DUE_BLOCKS = 1024
DUE_AFTER_S = 86_400.0
KEPT_IN_A_ROW = 512  # leaf hashes


class Notary:
    """Signs for one chain of one store.

    What is signed was audited first, back to the last signed checkpoint, and is consistent with the newest anchor: a ledger that was
    tampered with is not signed for.

    Args:
        store: where the chain is.
        chain: the chain.
        bus: through which its own events go.
        ring: the keys to sign with; the first one is made when there is none.
        clock: where times come from.
    """

    def __init__(self, store: Store, chain: Chain, bus: Bus, ring: KeyRing, clock: Clock) -> None:
        self._store = store
        self._chain = chain
        self._bus = bus
        self._ring = ring
        self._clock = clock
        self.anchor = chain.anchor

    def anchored(self) -> SignedCheckpoint | None:
        """Return the newest checkpoint kept outside the store, None when none was signed yet.

        Raises:
            EvidenceError: when the file is no checkpoint.
        """
        if not self.anchor.exists():
            return None
        return read_anchor(self.anchor)

    def due(self) -> bool:
        """Return whether it is time for a checkpoint; never while there is no key, or the chain is too damaged to be signed anyway.

        Raises:
            EvidenceError: when the anchor is none.
        """
        if self._ring.active() is None:
            return False
        newest = next(self._chain.blocks(newest=1), None)
        signed = next(self._chain.blocks(name=CheckpointSigned.NAME, newest=1), None)
        last = signed or self._chain.block_at(0)
        if newest is None or last is None or malformed(newest) or malformed(last):
            return False
        since = newest.seq - (signed.seq if signed else -1)
        anchor = self.anchored()
        if signed is not None and anchor is not None and anchor.checkpoint.size < signed.seq:
            return True  # whoever signed last was stopped before it was anchored
        # A checkpoint from the future is as old as it is far off: a clock that was wrong for a while must not put off the next one.
        age_us = abs(self._clock.now_us() - parse_rfc3339(last.inserted_at))
        return since >= DUE_BLOCKS or (since > 0 and age_us >= DUE_AFTER_S * 1e6)

    def sign(self, witness: Witness | None = None, on_blocks: OnBlocks | None = None, *, cover: int = 0) -> SignedCheckpoint:
        """Sign a checkpoint over all blocks, announce it in the next one, anchor it, and return it.

        When nothing was written since the newest checkpoint, that one is returned, anchored again.

        Args:
            witness: a second signer, which has its own memory of what it saw.
            on_blocks: called with the number of blocks audited, for progress.
            cover: a block that has to be covered, even if it is the one that announces the newest checkpoint.

        Raises:
            EvidenceError: when the chain is not sound or not the one the anchor is of, or the witness saw another one.
            EnvironmentBlockedError: when the key the ledger expects is not here, or something cannot be written.
        """
        if self._ring.active() is None:
            self._ring.new()
        signed = self._sign(on_blocks, cover)
        while signed is None:  # somebody else signed meanwhile: begin at theirs
            signed = self._sign(on_blocks, cover)
        self._keep(signed, again=False)
        if witness is not None:
            size = signed.checkpoint.size
            signed = witness.cosign(signed, self._ring.pins(), lambda seen: consistency_proof(self.leaves(size), seen))
            self._keep(signed, again=True)
        return signed

    def _keep(self, signed: SignedCheckpoint, *, again: bool) -> None:
        """Anchor a checkpoint, unless somebody anchored a newer one meanwhile; `again` has the same one written over."""
        with self._store.write():  # one at a time; nothing is written there
            kept = self.anchored()
            size, before = signed.checkpoint.size, kept.checkpoint.size if kept else -1
            if size > before or (again and size == before):
                files.write_whole(self.anchor, signed.note)

    def announced(self, connection: sa.Connection) -> int | None:
        """Return the block that announces the newest checkpoint, None when there is none."""
        column = self._chain.kind.table.c
        return connection.execute(sa.select(sa.func.max(column.seq)).where(column.event_name == CheckpointSigned.NAME)).scalar()

    def leaves(self, size: int) -> Leaves:
        """Return the leaf hashes of the first `size` blocks.

        Raises:
            EvidenceError: when one of them is none.
        """
        column = self._chain.kind.table.c
        query = sa.select(column.aggregate_hash).where(column.seq < size).order_by(column.seq)
        with self._store.read() as connection:
            hashes = connection.execute(query).scalars().all()
        try:
            return Leaves(bytes.fromhex("".join(hashes)))
        except (TypeError, ValueError):
            raise EvidenceError("a block's hash is none; see: thunderlab ledger audit --full", where=self._chain.kind.table.name) from None

    def _sign(self, on_blocks: OnBlocks | None, cover: int) -> SignedCheckpoint | None:
        """Return the checkpoint, None when another one was signed while the blocks were audited."""
        # A checkpoint is anchored after it was announced, and a key announced after it was listed: so anchors are read before the
        # blocks are, and keys after.
        anchor = self.anchored()
        with self._store.read() as connection:
            seen = self.announced(connection)
            pins = self._ring.pins()
            # While the key is being changed the one before still counts: it is here yet.
            keys = {key.id for key in pins if self._ring.has_private(key.id)}
            start = newest_start(connection, self._bus.catalogue, pins, self._chain.kind, keys=keys)
            if start is not None and anchor is not None and anchor.checkpoint.size < start.size:
                # The anchor is behind the chain's own checkpoint, as after a crash: only a full audit shows that they agree.
                start = None
            auditor = Auditor(
                self._bus.catalogue,
                kind=self._chain.kind,
                pins=pins,
                anchors=[] if anchor is None else [anchor],
                start=start,
                keep_leaves=True,
            )
            self._audited(auditor, connection, on_blocks)
        with self._store.write() as connection:
            if self.announced(connection) != seen:
                return None
            self._audited(auditor, connection)
            return self._signed_before(connection, auditor, seen, pins[-1], cover) or self._sign_now(connection, auditor, start, pins)

    def _audited(self, auditor: Auditor, connection: sa.Connection, on_blocks: OnBlocks | None = None) -> None:
        found = auditor.run(connection, on_blocks)
        if not found.ok:
            first = found.failures[0]
            raise EvidenceError(
                f"block {first.seq}: {first.kind}: {first.detail}; nothing was signed, see: thunderlab ledger audit --full",
                where=self._chain.kind.table.name,
            )
        if found.origin != self._chain.origin:
            # An audit that begins at a checkpoint has the chain's name from there, and does not look at block 0.
            raise EvidenceError(
                f"block 0 says that this is {self._chain.origin or 'no ledger'}, the newest checkpoint that it is {found.origin}; nothing was signed",
                where=self._chain.kind.table.name,
            )

    def _signed_before(
        self, connection: sa.Connection, auditor: Auditor, seq: int | None, key: PublicKey, cover: int
    ) -> SignedCheckpoint | None:
        """Return the newest checkpoint when it covers everything but its own announcement, and `key` is the one announced last."""
        if seq is None or seq <= cover or auditor.tree.size != seq + 1 or key.id != auditor.active_key:
            return None
        column = self._chain.kind.table.c
        payload = connection.execute(sa.select(column.payload).where(column.seq == seq)).scalar_one()
        told = CheckpointSigned.decode(payload)
        assert isinstance(told, CheckpointSigned)
        anchor = self.anchored()
        # An anchor of the same checkpoint may carry a witness's signature too.
        if anchor is not None and (anchor.checkpoint.size, anchor.checkpoint.root) == (told.size, told.root):
            return anchor
        return checkpoint.read(told.note.encode())

    def _sign_now(self, connection: sa.Connection, auditor: Auditor, start: Start | None, keys: Sequence[PublicKey]) -> SignedCheckpoint:
        """Sign with the newest of these keys, once it is announced; one that somebody made meanwhile has its turn the next time."""
        if self._announce_keys(connection, auditor.active_key, keys):
            self._audited(auditor, connection)
        tree, active = auditor.tree, keys[-1]
        signed = checkpoint.sign(Checkpoint(origin=self._chain.origin, size=tree.size, root=tree.root()), self._ring, active)
        told = CheckpointSigned(
            size=tree.size,
            root=tree.root(),
            key_id=active.id,
            note=signed.note.decode(),
            path=[one.hex() for one in tree.last_path()],
        )
        self._bus.emit(told, within=connection, into=self._chain.append)
        self._keep_leaves(connection, start.size if start else 0, auditor.leaves)
        return signed

    def _announce_keys(self, connection: sa.Connection, active: str | None, keys: Sequence[PublicKey]) -> bool:
        """Announce every key after the one announced last, each under the one before it; return whether there was any."""
        ids = [key.id for key in keys]
        if active is not None and active not in ids:
            raise EnvironmentBlockedError(
                f"the ledger is signed by key {active}, which is not among this workspace's; sign where that key is, or copy its keys folder here",
                where=self._chain.origin,
            )
        pairs: list[tuple[PublicKey | None, PublicKey]] = [(None, keys[-1])]
        if active is not None:
            following = keys[ids.index(active) :]
            pairs = list(pairwise(following))
        for before, key in pairs:
            text = statement.of_key(self._chain.origin, before.id if before else None, key.key)
            note = statement.sign(text, self._chain.origin, self._ring, before or key)
            told = KeyAnnounced(key_id=key.id, key=key.key, previous=before.id if before else None, note=note)
            self._bus.emit(told, within=connection, into=self._chain.append)
        return bool(pairs)

    def _keep_leaves(self, connection: sa.Connection, first: int, leaves: bytes) -> None:
        kept = connection.execute(
            sa.select(sa.func.max(LEDGER_LEAVES.c.first)).where(LEDGER_LEAVES.c.chain == self._chain.kind.name)
        ).scalar()
        if kept is not None and kept >= first:
            # A full audit began at block 0, and found what is kept already to be right: only what is new is added.
            hashes = connection.execute(
                sa.select(LEDGER_LEAVES.c.hashes).where(LEDGER_LEAVES.c.chain == self._chain.kind.name, LEDGER_LEAVES.c.first == kept)
            ).scalar_one()
            done = kept + len(hashes) // 32
            first, leaves = done, leaves[(done - first) * 32 :]
        rows = [
            {"chain": self._chain.kind.name, "first": first + place // 32, "hashes": leaves[place : place + 32 * KEPT_IN_A_ROW]}
            for place in range(0, len(leaves), 32 * KEPT_IN_A_ROW)
        ]
        if rows:
            connection.execute(LEDGER_LEAVES.insert(), rows)


def read_anchor(path: Path) -> SignedCheckpoint:
    """Return a checkpoint file somebody kept.

    Raises:
        InputError: when there is no such file.
        EvidenceError: when it is no checkpoint.
    """
    try:
        return checkpoint.read(files.read_bytes(path))
    except EvidenceError as error:
        raise EvidenceError(error.what, where=path) from None
