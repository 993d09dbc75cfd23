"""Exports: a chain as JSON Lines with the attribute names of CloudEvents, one block a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa

from thunderlab.events import cloudevents
from thunderlab.ledger import rows
from thunderlab.ledger.tables import EVENTS_CHAIN, ChainKind


def lines(
    connection: sa.Connection,
    origin: str,
    *,
    kind: ChainKind = EVENTS_CHAIN,
    first: int = 0,
    on_blocks: Callable[[int], None] | None = None,
) -> Iterator[bytes]:
    """Yield one line per block from block `first` on, oldest first.

    `source` is the chain's name, `data` the payload's exact bytes, so that whoever reads the line can recompute its hashes from the
    extension attributes `sequence`, `prevhash`, `payloadhash` and `aggregatehash`. A pruned block has no `data`.
    """
    done = 0
    for chunk in rows.chunks(connection, kind, first):
        for seq, id_, prev_hash, payload_hash, aggregate_hash, name, version, at, payload, *_ in chunk:
            yield cloudevents.line(
                id=id_,
                source=origin,
                name=name,
                version=version,
                at=at,
                payload=payload,
                extensions={"sequence": str(seq), "prevhash": prev_hash, "payloadhash": payload_hash, "aggregatehash": aggregate_hash},
            )
        done += len(chunk)
        if on_blocks is not None:
            on_blocks(done)
