"""What an audit finds."""

from __future__ import annotations

import msgspec

MOST_FAILURES = 100
# Kinds that are about what the ledger's own blocks claim, not about the blocks.
CLAIMS = frozenset({"key", "checkpoint"})


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong at one block.

    Attributes:
        seq: the block's number, or the number that is missing.
        kind: `malformed`, `gap`, `duplicate`, `link`, `payload_hash`, `aggregate_hash`, `duplicate_id`, `unknown_event`, `payload`,
            `copy`, `pruned`, `origin`, `empty`, `unreadable`: what the row itself shows; `key`, `checkpoint`: what the ledger's own
            blocks claim does not hold; `leaf`, `rebuilt`, `truncated`: the chain is not the one that was signed.
        detail: one sentence.
        chain: which chain.
    """

    seq: int
    kind: str
    detail: str
    chain: str = "events"
