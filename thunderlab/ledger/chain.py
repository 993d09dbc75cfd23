"""The writer: turns durable events into blocks, each linked to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import sqlalchemy as sa

from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.events import Envelope
from thunderlab.ledger.block import GENESIS_PREV, Block, link, malformed
from thunderlab.ledger.events import LedgerOpened
from thunderlab.ledger.merkle import Frontier
from thunderlab.ledger.tables import EVENT_CHAIN_BLOCKS
from thunderlab.store import Store
from thunderlab.telemetry import Meter

_TABLE = EVENT_CHAIN_BLOCKS.c


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest block of a ledger, and the Merkle root over all of them."""

    origin: str
    seq: int
    aggregate_hash: str
    root: str
    inserted_at: str


class Chain:
    """The ledger of one store. Opening it writes the first block, which names the ledger, when there is none yet."""

    def __init__(self, store: Store, clock: Clock, meter: Meter) -> None:
        self._store = store
        self._clock = clock
        self._meter = meter
        with store.read() as connection:
            empty = connection.execute(sa.select(_TABLE.seq).limit(1)).first() is None
        if empty:
            with store.write() as connection:
                self._open(connection)
        self.origin = self._read_origin()

    def append(self, envelopes: Sequence[Envelope], within: sa.Connection | None = None) -> None:
        """Append one block per envelope, all in one transaction: the caller's when given, else an own, durable one.

        Raises:
            EvidenceError: when the newest block is gone or malformed: nothing can be linked to it.
        """
        if within is not None:
            self._append(within, envelopes)
            return
        with self._meter.span("ledger.append"), self._store.write() as connection:
            self._append(connection, envelopes)

    def head(self) -> Head:
        """Return the newest block and the root over all, from one consistent snapshot.

        Raises:
            EvidenceError: when a hash in the chain is none.
        """
        frontier = Frontier()
        with self._store.read() as connection:
            newest = self._newest(connection)
            try:
                for leaf in connection.execute(sa.select(_TABLE.aggregate_hash).order_by(_TABLE.seq)).scalars():
                    frontier.add(leaf)
            except (TypeError, ValueError):
                raise self._damaged("a block's hash is none") from None
        return Head(
            origin=self.origin, seq=newest.seq, aggregate_hash=newest.aggregate_hash, root=frontier.root(), inserted_at=newest.inserted_at
        )

    def blocks(self, *, name: str | None = None, newest: int | None = None) -> Iterator[Block]:
        """Yield blocks, newest first, only those of one event when `name` is given, at most `newest` of them."""
        query = sa.select(EVENT_CHAIN_BLOCKS).order_by(_TABLE.seq.desc())
        if name is not None:
            query = query.where(_TABLE.event_name == name)
        with self._store.read() as connection:
            for row in connection.execute(query.limit(newest)).mappings():
                yield Block(**row)

    def block(self, id: str) -> Block | None:
        """Return the block of one event, by the event's id; None when there is none."""
        with self._store.read() as connection:
            row = connection.execute(sa.select(EVENT_CHAIN_BLOCKS).where(_TABLE.id == id)).mappings().first()
        return Block(**row) if row is not None else None

    def _open(self, connection: sa.Connection) -> None:
        if connection.execute(_newest_row()).first() is not None:
            return  # another process was first
        ids = IdSource(self._clock)
        opened = LedgerOpened(origin=f"thunderlab/{ids.new()}")
        at = rfc3339(self._clock.now_us())
        genesis = link(
            origin=opened.origin,
            seq=0,
            prev_hash=GENESIS_PREV,
            id=ids.new(),
            inserted_at=at,
            event_name=opened.NAME,
            event_version=opened.VERSION,
            payload=opened.encode(),
        )
        connection.execute(EVENT_CHAIN_BLOCKS.insert().values(**msgspec.structs.asdict(genesis)))

    def _read_origin(self) -> str:
        with self._store.read() as connection:
            payload = connection.execute(sa.select(_TABLE.payload).where(_TABLE.seq == 0)).scalar()
        try:
            return msgspec.json.decode(payload or b"", type=LedgerOpened).origin
        except (msgspec.DecodeError, TypeError):
            raise self._damaged("block 0 does not open a ledger") from None

    def _append(self, connection: sa.Connection, envelopes: Sequence[Envelope]) -> None:
        newest = self._newest(connection)
        seq, prev_hash, rows = newest.seq, newest.aggregate_hash, []
        for envelope in envelopes:
            seq += 1
            block = link(
                origin=self.origin,
                seq=seq,
                prev_hash=prev_hash,
                id=envelope.id,
                inserted_at=envelope.at,
                event_name=envelope.name,
                event_version=envelope.version,
                payload=envelope.payload,
            )
            prev_hash = block.aggregate_hash
            rows.append(msgspec.structs.asdict(block))
        connection.execute(EVENT_CHAIN_BLOCKS.insert(), rows)

    def _newest(self, connection: sa.Connection) -> Block:
        """Return the newest block, once it is one that can be linked to."""
        row = connection.execute(_newest_row()).mappings().first()
        if row is None:
            raise self._damaged("there is no block")
        newest = Block(**row)
        wrong = malformed(newest)
        if wrong is not None:
            raise self._damaged(f"the newest block is malformed: {wrong}")
        return newest

    def _damaged(self, what: str) -> EvidenceError:
        of = f" --store {self._store.path}" if self._store.path is not None else ""
        return EvidenceError(f"{what}; see all that is wrong with: thunderlab ledger audit{of}", where=self._store.place)


def _newest_row() -> sa.Select[tuple[object, ...]]:
    return sa.select(EVENT_CHAIN_BLOCKS).order_by(_TABLE.seq.desc()).limit(1)
