"""Payloads that are gone though nothing that is believed says so, and whether that is what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from thunderlab.ledger.block import Block
from thunderlab.ledger.events import OWN, KeyAnnounced, PayloadsPruned
from thunderlab.ledger.failure import CLAIMS, MOST_FAILURES, Failure
from thunderlab.ledger.rows import Row
from thunderlab.ledger.shape import Shapes

# What is wrong with a row that is there: what it said can mostly still be told.
_OF_A_ROW = frozenset({"malformed", "payload_hash", "aggregate_hash", "payload", "unknown_event", "pruned", "copy", "duplicate_id"})


class Unsaid:
    """What a pass saw of payloads that nobody who may has said were pruned.

    Pruning takes all payloads up to some block. Where they are gone like that, and a block further on is missing, exchanged or
    damaged that may have been the statement, or have told of the key it is signed with, then that is what is wrong.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._gone: list[int] = []
        self._first_kept: int | None = None
        self._lost_at: int | None = None

    def keep(self, rows: Sequence[Row]) -> None:
        """Take note of rows some of which have their payload."""
        if self._first_kept is None:
            kept = (row[0] for row in rows if row[8] is not None and not row[5].startswith(OWN))
            self._first_kept = next(kept, None)

    def add(self, seq: int) -> None:
        """Take note of a block whose payload is gone."""
        if len(self._gone) < MOST_FAILURES:
            self._gone.append(seq)

    def __contains__(self, seq: int) -> bool:
        """Return whether this block was added."""
        return seq in self._gone

    def damaged(self, block: Block, failures: Sequence[Failure]) -> None:
        """Take note of what is wrong with a block, and whether it may have been the statement."""
        if self._lost_at is None and any(failure.kind not in CLAIMS for failure in failures) and self._may_have_said(block):
            self._lost_at = block.seq

    def failures(self, others: Sequence[Failure]) -> Iterator[Failure]:
        """Yield the blocks whose missing payload is what is wrong; `others` is all else that is."""
        taken = [failure.seq for failure in others if failure.kind not in CLAIMS | _OF_A_ROW]
        lost_at = min([*taken, *([] if self._lost_at is None else [self._lost_at])], default=0)
        before = [seq for seq in self._gone if seq < lost_at]
        as_pruned = before and (self._first_kept is None or before[-1] < self._first_kept)
        for seq in self._gone[len(before) if as_pruned else 0 :]:
            yield Failure(seq=seq, kind="pruned", detail="the payload is gone, and nobody who may has said that it was pruned")

    def _may_have_said(self, block: Block) -> bool:
        """Return whether a damaged block may have told of pruning or of a key: by its name, by its payload, or as it names no event."""
        name, version = block.event_name, block.event_version
        if not (isinstance(name, str) and isinstance(version, str) and self._shapes.knows(name, version)) or name.startswith(OWN):
            return True
        if not isinstance(block.payload, bytes):
            return False
        return any(isinstance(self._shapes.read(kind.NAME, kind.VERSION, block.payload), kind) for kind in (PayloadsPruned, KeyAnnounced))
