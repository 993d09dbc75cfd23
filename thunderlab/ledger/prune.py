"""Retention: payloads behind a signed checkpoint may go; their headers stay, and a signed block says what went."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.keys import KeyRing, PublicKey
from thunderlab.ledger import statement
from thunderlab.ledger.audit import Audit, Auditor, OnBlocks
from thunderlab.ledger.chain import Chain
from thunderlab.ledger.events import OWN, CheckpointSigned, PayloadsPruned
from thunderlab.ledger.notary import Notary
from thunderlab.store import Store


class Pruned(msgspec.Struct, frozen=True, kw_only=True):
    """What was pruned: payloads of `blocks` blocks before block `before`, `bytes` bytes in all, behind a checkpoint of `size` blocks."""

    before: int
    blocks: int
    bytes: int
    size: int
    root: str


def prune(before: int, *, store: Store, chain: Chain, bus: Bus, ring: KeyRing, notary: Notary, on_blocks: OnBlocks | None = None) -> Pruned:
    """Remove the payloads of all blocks before block `before` but the ledger's own, and sign a checkpoint over the block that says so.

    The whole chain is audited first: evidence of tampering is not removed. What is removed is overwritten, not only forgotten.

    Args:
        before: from 1 to the size of the newest signed checkpoint.
        store: where the chain is.
        chain: the chain to prune.
        bus: through which the block that says so goes.
        ring: signs it.
        notary: of that chain.
        on_blocks: called with the number of blocks audited.

    Raises:
        InputError: when `before` is beyond what was signed for.
        EvidenceError: when the chain is not sound.
    """
    pruned = None
    while pruned is None:
        pruned = _prune_sound(before, store, chain, bus, ring, notary, on_blocks)
    notary.sign()
    return pruned


def _prune_sound(
    before: int, store: Store, chain: Chain, bus: Bus, ring: KeyRing, notary: Notary, on_blocks: OnBlocks | None
) -> Pruned | None:
    """Audit, then prune; return None when somebody signed meanwhile, perhaps with a key that the audit did not know."""
    anchor = notary.anchored()
    with store.read() as connection:
        seen = notary.announced(connection)
        auditor = Auditor(bus.catalogue, kind=chain.kind, pins=ring.pins(), anchors=[] if anchor is None else [anchor])
        _refuse_unsound(auditor.run(connection, on_blocks), chain)
    signed_size = auditor.found().signed_size
    if not signed_size:
        raise InputError("nothing was signed for yet; sign a checkpoint first, with: thunderlab ledger checkpoint", field="--before")
    if not 0 < before <= signed_size:
        raise InputError(f"{before} is not accepted; 1 to {signed_size}, the size of the newest signed checkpoint, is", field="--before")
    with store.write() as connection:
        if notary.announced(connection) != seen:
            return None
        _refuse_unsound(auditor.run(connection), chain)
        # The key announced last, not a newer one that nobody knows yet.
        active = ring.pins().find(auditor.active_key or "")
        assert active is not None
        return _prune(connection, before, chain, bus, ring, active)


def _refuse_unsound(found: Audit, chain: Chain) -> None:
    if not found.ok:
        first = found.failures[0]
        raise EvidenceError(f"block {first.seq}: {first.kind}: {first.detail}; nothing was pruned", where=chain.kind.table.name)


def _prune(connection: sa.Connection, before: int, chain: Chain, bus: Bus, ring: KeyRing, active: PublicKey) -> Pruned:
    table = chain.kind.table
    announced = (
        connection.execute(
            sa.select(table.c.payload).where(table.c.event_name == CheckpointSigned.NAME).order_by(table.c.seq.desc()).limit(1)
        )
    ).scalar_one()
    signed = CheckpointSigned.decode(announced)
    assert isinstance(signed, CheckpointSigned)
    going = (table.c.seq < before, table.c.payload.is_not(None), table.c.event_name.not_like(f"{OWN}%"))
    blocks, total = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(table.c.payload)), 0)).where(*going)
    ).one()
    pruned = Pruned(before=before, blocks=blocks, bytes=int(total), size=signed.size, root=signed.root)
    if not blocks:
        return pruned
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    connection.execute(table.update().where(*going).values(payload=None, **dict.fromkeys(chain.kind.copies)))
    text = statement.of_prune(chain.origin, before, signed.size, signed.root)
    told = PayloadsPruned(**msgspec.structs.asdict(pruned), key_id=active.id, note=statement.sign(text, chain.origin, ring, active))
    bus.emit(told, within=connection, into=chain.append)
    return pruned
