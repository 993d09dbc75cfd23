"""Custody: the care of a lab's chains: audits, checkpoints, keys and retention, for both of them alike."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import msgspec
import sqlalchemy as sa

from thunderlab.clock import Clock, parse_rfc3339
from thunderlab.errors import EvidenceError, ThunderlabError
from thunderlab.events import Bus
from thunderlab.keys import KeyRing, PinnedKeys, PublicKey
from thunderlab.ledger.audit import Audit, Auditor, OnBlocks, newest_start
from thunderlab.ledger.block import Block
from thunderlab.ledger.chain import Chain
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.events import AuditCompleted, AuditFailed, PayloadsPruned, PolicyChainAudited
from thunderlab.ledger.failure import Failure
from thunderlab.ledger.notary import Notary
from thunderlab.ledger.proof import Proof
from thunderlab.ledger.prove import prove
from thunderlab.ledger.prune import Pruned, prune
from thunderlab.ledger.tables import EVENTS_CHAIN, ChainKind
from thunderlab.ledger.witness import Witness
from thunderlab.store import Store

# Up to so many blocks an audit begins at block 0 unasked: it takes about a second.
FULL_UP_TO = 50_000
# A longer chain is audited in full once a day, and from its newest signed checkpoint in between.
FULL_AFTER_S = 86_400.0


class Custody:
    """Looks after the chains of one store.

    Args:
        store: where they are.
        chains: the chains; the events' one first.
        bus: through which their own events go.
        ring: the workspace's keys.
        clock: where times come from.
    """

    def __init__(self, store: Store, chains: Sequence[Chain], bus: Bus, ring: KeyRing, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._ring = ring
        self._clock = clock
        self._chains = {chain.kind.name: chain for chain in chains}
        self._notaries = {chain.kind.name: Notary(store, chain, bus, ring, clock) for chain in chains}

    def audit(
        self,
        kind: ChainKind = EVENTS_CHAIN,
        *,
        full: bool | None = None,
        pins: PinnedKeys | None = None,
        anchors: Sequence[SignedCheckpoint] = (),
        on_blocks: OnBlocks | None = None,
    ) -> Audit:
        """Return what an audit of one chain finds, held against the newest anchor; nothing is written.

        Args:
            kind: which chain.
            full: whether to begin at block 0; by default it does so for a chain of up to `FULL_UP_TO` blocks, and for a longer one when
                the last full audit on record is a day old, else at the newest signed checkpoint. An older anchor takes a full one.
            pins: the keys to believe in; the workspace's own by default.
            anchors: checkpoints kept elsewhere, besides the workspace's own.
            on_blocks: called with the number of blocks done.
        """
        # A checkpoint is anchored after it was announced, and a key announced after it was listed: so the anchor is read before the
        # blocks are, and the keys after.
        own, broken = self._anchors(kind, pinned=pins is not None or self._ring.active() is not None)
        with self._store.read() as connection:
            due = self._is_full_due(connection, kind)
            if pins is None and self._ring.active() is not None:
                pins = self._ring.pins()
            full = due if full is None else full
            start = None if full or pins is None else newest_start(connection, self._bus.catalogue, pins, kind)
            held = [*own, *anchors]
            if start is not None and any(one.checkpoint.size < start.size for one in held):
                start = None  # what is behind the start could not be held against the blocks
            found = Auditor(self._bus.catalogue, kind=kind, pins=pins, anchors=held, start=start).run(connection, on_blocks)
        if broken is None:
            return found
        return _with(found, broken)

    def chain(self, kind: ChainKind = EVENTS_CHAIN) -> Chain:
        """Return the chain of that kind."""
        return self._chains[kind.name]

    def record(self, found: Audit) -> None:
        """Put on record what an audit found; a chain too damaged to be written to keeps that from being recorded.

        Raises:
            EvidenceError: when nothing can be written.
        """
        first = found.failures[0] if found.failures else None
        if found.chain != EVENTS_CHAIN.name:
            wrong = len({failure.seq for failure in found.failures})
            self._bus.emit(
                PolicyChainAudited(
                    first=found.first,
                    expected=found.blocks,
                    verified=max(0, found.blocks - wrong),
                    failures=len(found.failures),
                    first_bad_seq=first.seq if first else None,
                    kind=first.kind if first else None,
                )
            )
        elif first is None:
            self._bus.emit(AuditCompleted(first=found.first, blocks=found.blocks, root=found.root, signed_size=found.signed_size))
        else:
            self._bus.emit(AuditFailed(blocks=found.blocks, failures=len(found.failures), first_bad_seq=first.seq, kind=first.kind))

    def sign(
        self, kind: ChainKind = EVENTS_CHAIN, *, witness: Witness | None = None, on_blocks: OnBlocks | None = None
    ) -> SignedCheckpoint:
        """Sign a checkpoint over one chain and anchor it; see `Notary.sign`."""
        return self._notaries[kind.name].sign(witness, on_blocks)

    def sign_all(self) -> None:
        """Sign checkpoints over every chain."""
        for notary in self._notaries.values():
            notary.sign()

    def sign_when_due(self) -> None:
        """Sign for each chain a checkpoint is due for: what a lab does when it closes, and a server from time to time."""
        for notary in self._notaries.values():
            if notary.due():
                notary.sign()

    def rotate_key(self) -> PublicKey:
        """Make a new key, announce it in every chain under the one before, sign with it, and destroy the private halves of older ones.

        Interrupted, it is completed by the next checkpoint: the new key is announced there, as long as the old one is.
        """
        made = self._ring.new()
        self.sign_all()
        # Older ones alone: another process may have made a newer one, which is to be announced under a key it still needs.
        for key in itertools.takewhile(lambda key: key.id != made.id, self._ring.public_keys()):
            self._ring.retire(key.id)
        return made

    def anchored(self, kind: ChainKind = EVENTS_CHAIN) -> SignedCheckpoint | None:
        """Return the newest checkpoint kept outside the store; see `Notary.anchored`."""
        return self._notaries[kind.name].anchored()

    def anchor_path(self, kind: ChainKind = EVENTS_CHAIN) -> Path:
        """Return where the newest checkpoint is kept."""
        return self._notaries[kind.name].anchor

    def prove(self, seq: int, kind: ChainKind = EVENTS_CHAIN, *, against: SignedCheckpoint | None = None) -> Proof:
        """Return an offline proof that a block is in the chain, signing a checkpoint that covers it when there is none yet."""
        return prove(seq, self._chains[kind.name], self._notaries[kind.name], against)

    def prune(self, before: int, kind: ChainKind = EVENTS_CHAIN, *, on_blocks: OnBlocks | None = None) -> Pruned:
        """Remove payloads before a block; see `prune.prune`."""
        name = kind.name
        return prune(
            before,
            store=self._store,
            chain=self._chains[name],
            bus=self._bus,
            ring=self._ring,
            notary=self._notaries[name],
            on_blocks=on_blocks,
        )

    def prunings(self, kind: ChainKind = EVENTS_CHAIN) -> list[tuple[Block, PayloadsPruned]]:
        """Return what was pruned, newest first: each with the block that says so.

        Raises:
            EvidenceError: when such a block does not hold what it should.
        """
        found = []
        for block in self._chains[kind.name].blocks(name=PayloadsPruned.NAME):
            told = self._bus.catalogue.read(block.event_name, block.event_version, block.payload)
            assert isinstance(told, PayloadsPruned)
            found.append((block, told))
        return found

    def _anchors(self, kind: ChainKind, *, pinned: bool) -> tuple[list[SignedCheckpoint], Failure | None]:
        """Return the anchor, if there is one, and what is wrong with it."""
        try:
            anchor = self.anchored(kind)
        except EvidenceError as error:
            return [], Failure(seq=0, kind="checkpoint", detail=str(error), chain=kind.name)
        if anchor is not None and not pinned:
            missing = "a checkpoint is kept here, and the public keys to verify it with are gone; give them with --key"
            return [anchor], Failure(seq=0, kind="key", detail=missing, chain=kind.name)
        return ([] if anchor is None else [anchor]), None

    def _is_full_due(self, connection: sa.Connection, kind: ChainKind) -> bool:
        # Rows are counted no further than need be, and not told by their numbers, which may be none.
        some = sa.select(kind.table.c.id).limit(FULL_UP_TO + 1).subquery()
        if connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() <= FULL_UP_TO:
            return True
        name = AuditCompleted.NAME if kind is EVENTS_CHAIN else PolicyChainAudited.NAME
        try:
            for block in self._chains[EVENTS_CHAIN.name].blocks(name=name, newest=100):
                told = self._bus.catalogue.read(block.event_name, block.event_version, block.payload or b"")
                if isinstance(told, AuditCompleted | PolicyChainAudited) and told.first == 0:
                    # One from the future would put the next off for ever.
                    return not 0 <= self._clock.now_us() - parse_rfc3339(block.inserted_at) <= FULL_AFTER_S * 1e6
        except (ThunderlabError, ValueError, TypeError):
            return True  # damaged: all the more reason
        return True


def _with(found: Audit, failure: Failure) -> Audit:
    """Return an audit with one more failure."""
    return msgspec.structs.replace(found, ok=False, failures=(failure, *found.failures))
