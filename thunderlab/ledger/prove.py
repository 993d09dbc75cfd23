"""Making proofs: one block, its way to a signed root, and the checkpoint, in a text that is checked offline."""

from __future__ import annotations

from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError, InputError
from thunderlab.ledger.block import header_of, leaf_hash, malformed
from thunderlab.ledger.chain import Chain
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.merkle import inclusion_proof, verify_inclusion
from thunderlab.ledger.notary import Notary
from thunderlab.ledger.proof import Proof, extra_of


def prove(seq: int, chain: Chain, notary: Notary, against: SignedCheckpoint | None = None) -> Proof:
    """Return the proof that block `seq` is in a chain.

    Args:
        seq: the block.
        chain: the chain.
        notary: who signs for it.
        against: the signed checkpoint to prove it against; by default the newest, and a new one when that does not cover the block.

    Raises:
        InputError: when there is no such block, or `against` does not cover it.
        EvidenceError: when the chain is not the one the checkpoint is of.
    """
    block = chain.block_at(seq)
    if block is None:
        raise InputError(f"there is no block {seq}; the newest is {chain.head().seq}", field="SEQ")
    if against is None:
        anchor = notary.anchored()
        against = anchor if anchor is not None and seq < anchor.checkpoint.size else notary.sign(cover=seq)
    signed = against.checkpoint
    if signed.origin != chain.origin:
        raise EvidenceError(f"it is of the ledger {signed.origin}; this one is {chain.origin}", where="checkpoint")
    if seq >= signed.size:
        raise InputError(f"block {seq} is not covered by the checkpoint, which is of {signed.size} blocks", field="SEQ")
    leaves = notary.leaves(signed.size)
    if len(leaves) < signed.size:
        raise EvidenceError(f"it is of {signed.size} blocks; there are {len(leaves)}: the ledger was cut off", where="checkpoint")
    hashes = inclusion_proof(leaves, seq)
    told = malformed(block) is None and (block.payload is None or digest(block.payload) == block.payload_hash)
    if not told or leaf_hash(header_of(block, chain.origin)) != leaves[seq].hex():
        raise EvidenceError(f"block {seq} is not what was written; see: thunderlab ledger audit --full", where=chain.kind.table.name)
    if not verify_inclusion(leaves[seq], seq, signed.size, hashes, bytes.fromhex(signed.root)):
        raise EvidenceError("the ledger is not the one it is of; see: thunderlab ledger audit --full", where="checkpoint")
    return Proof(index=seq, hashes=tuple(hashes), signed=against, extra=extra_of(header_of(block, chain.origin), block.payload))
