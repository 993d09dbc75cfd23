"""The recorded verdicts, read in pieces, so that a history of any length takes no more memory than a short one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError
from thunderlab.events import Catalogue
from thunderlab.ledger import ChainKind
from thunderlab.policy.events import VerdictCompleted
from thunderlab.store import Store

PIECE = 20_000
_FETCHED = 1_000


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a `VerdictCompleted` tells; the fields are its own. The collector passes over it, which many thousands at a time are dear to.

    A field that it gains has to be here, too: a payload that lacks one is none of that version.
    """

    verdict_id: str
    policy_module: str
    latency_us: int
    policy_set: str
    entities: str
    request: str
    unsaid: str | None
    decision: Literal["allow", "deny"]
    reasons: tuple[str, ...]
    errors: tuple[str, ...]
    request_errors: tuple[str, ...]
    failed_closed: bool


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """A recorded verdict: number, id and time of its block, and what it tells."""

    seq: int
    id: str
    at: str
    event: Told


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A block that tells of no verdict any more: its payload was pruned (`why` is empty), or is not the one that was recorded."""

    seq: int
    at: str
    why: str


_DECODER = msgspec.json.Decoder(Told)


class History:
    """The verdicts of one store."""

    def __init__(self, store: Store, kind: ChainKind, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._table = kind.table
        self._hash_column = kind.columns[3]

    def count(self, since: str | None = None) -> int:
        """Return how many verdicts were recorded, since a time in RFC 3339 as blocks have it, if one is given."""
        with self._store.read() as connection:
            found: int = connection.execute(self._chosen(sa.select(sa.func.count()), since)).scalar_one()
        return found

    def pieces(self, since: str | None = None, *, newest_first: bool = False) -> Iterator[list[Recorded | Unreadable]]:
        """Yield the verdicts there are now, by their numbers, many thousand at a time, each piece in a transaction of its own.

        Args:
            since: RFC 3339 with microseconds; leave out what was recorded before.
            newest_first: begin at the end.
        """
        column = self._table.c
        chosen = self._chosen(
            sa.select(column.seq, column.id, column.inserted_at, column.event_version, column[self._hash_column], column.payload), since
        )
        with self._store.read() as connection:
            newest = connection.execute(sa.select(sa.func.max(column.seq))).scalar()
        at = -1 if not newest_first else (newest or 0) + 1
        while True:
            query = chosen.where(column.seq < at) if newest_first else chosen.where(column.seq > at, column.seq <= (newest or 0))
            with self._store.read() as connection:
                rows = connection.execute(query.order_by(column.seq.desc() if newest_first else column.seq).limit(PIECE))
                piece = [self._told(*row) for some in rows.partitions(_FETCHED) for row in some]
            if not piece:
                return
            yield piece
            at = piece[-1].seq

    def _chosen(self, query: sa.Select[Any], since: str | None) -> sa.Select[Any]:
        query = query.select_from(self._table).where(self._table.c.event_name == VerdictCompleted.NAME)
        return query if since is None else query.where(self._table.c.inserted_at >= since)

    def _told(self, seq: int, id: str, at: str, version: str, payload_hash: str, payload: bytes | None) -> Recorded | Unreadable:
        if payload is None:
            return Unreadable(seq, at, "")
        if type(payload) is not bytes or digest(payload) != payload_hash:
            return Unreadable(seq, at, "the payload is not the one that was recorded")
        try:
            if version == VerdictCompleted.VERSION:  # as most are: nothing has to be looked up for them
                return Recorded(seq, id, at, _DECODER.decode(payload))
            event = self._catalogue.read(VerdictCompleted.NAME, version, payload)
        except (EvidenceError, ValueError, RecursionError) as error:
            return Unreadable(seq, at, f"does not hold what it should: {error}")
        if not isinstance(event, VerdictCompleted):
            return Unreadable(seq, at, f"version {version} is not known")
        return Recorded(seq, id, at, msgspec.convert(event, Told, from_attributes=True))
