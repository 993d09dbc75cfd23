"""The writer: turns durable events into blocks, each linked to the one before."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.events import Catalogue, Envelope, Event
from thunderlab.ledger.block import GENESIS_PREV, Block, link, malformed, valid_origin
from thunderlab.ledger.events import OWN, LedgerOpened
from thunderlab.ledger.merkle import Frontier
from thunderlab.ledger.tables import EVENTS_CHAIN, ChainKind
from thunderlab.store import Store, first_row, insert_rows
from thunderlab.telemetry import Meter

_FIELDS = tuple(Block.__struct_fields__)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The newest block of a chain, and the Merkle root over all of them."""

    origin: str
    seq: int
    aggregate_hash: str
    root: str
    inserted_at: str


class _Waiting:
    """One caller's envelopes, on their way into a transaction that several callers share."""

    def __init__(self, envelopes: Sequence[Envelope]) -> None:
        self.envelopes = envelopes
        self.done = False
        self.perhaps_written = False
        self.error: Exception | None = None


class Chain:
    """One chain of a store. Opening it writes the first block, which names the chain, when there is none yet.

    A chain that lost its first block can be opened, so that it can be audited; nothing can be appended to it.

    Args:
        store: where it is kept.
        catalogue: what may be written: nothing else is, whoever asks.
        clock: where times come from.
        meter: what times the commits.
        anchors: the folder with the newest checkpoint of each chain: where there is one, no other chain is begun in place of one that is gone.
        kind: which chain.

    Attributes:
        kind: which chain it is.
        origin: its name; empty when its first block does not tell.
        anchor: the file with its newest checkpoint.
    """

    def __init__(
        self, store: Store, catalogue: Catalogue, clock: Clock, meter: Meter, anchors: Path, kind: ChainKind = EVENTS_CHAIN
    ) -> None:
        self.kind = kind
        self.anchor = anchors / f"{kind.name}.checkpoint"
        self._store = store
        self._catalogue = catalogue
        self._clock = clock
        self._meter = meter
        self._table = kind.table
        self._column = kind.table.c
        self._newest_row = f"SELECT {', '.join(kind.columns)} FROM {kind.table.name} ORDER BY seq DESC LIMIT 1"  # noqa: S608 - our own names
        self._last: tuple[object, ...] | None = None
        self._waiting: list[_Waiting] = []
        self._leader: _Waiting | None = None
        self._guard = threading.Lock()
        self._news = threading.Condition(self._guard)
        with store.read() as connection:
            empty = connection.execute(sa.select(self._column.seq).limit(1)).first() is None
        if empty:
            with store.write() as connection:
                self._open(connection)
        self.origin = self._read_origin()

    def append(self, envelopes: Sequence[Envelope], within: sa.Connection | None = None) -> None:
        """Append one block per envelope, all in one transaction: the caller's when given, else a durable one.

        Threads that append at the same time share a transaction, and its one wait for the disk; each returns once its own blocks
        are durable.

        Raises:
            UndocumentedEventError: when an envelope is not what the catalogue's newest version of its event would be.
            EvidenceError: when the newest block is gone or malformed: nothing can be linked to it.
        """
        self._catalogue.check(envelopes)
        if within is not None:
            self._append(within, envelopes)
            return
        mine = _Waiting(envelopes)
        with self._meter.span(self.kind.metric):
            try:
                with self._guard:
                    self._waiting.append(mine)
                    while not mine.done and self._leader is not None:
                        self._news.wait()
                    if not mine.done:
                        self._leader = mine
                if self._leader is mine:
                    self._commit_all_that_wait()
                    self._leave(mine)
            except BaseException:
                self._leave(mine)
                raise
        if mine.error is not None:
            raise mine.error

    def _commit_all_that_wait(self) -> None:
        """Write the blocks of all who wait. They wait on until they are done: a leader that is interrupted leaves them to the next."""
        with self._guard:
            together = [one for one in self._waiting if not one.done]
        try:
            with self._store.write() as connection:
                envelopes = [envelope for one in together for envelope in self._not_written(connection, one)]
                for one in together:
                    one.perhaps_written = True
                newest = self._append(connection, envelopes)
            self._last = newest
        except Exception as error:  # noqa: BLE001 - raised again by each whose blocks these were
            for one in together:
                one.error = error
        for one in together:
            one.done = True

    def _leave(self, mine: _Waiting) -> None:
        """Wait no longer, and lead no longer; those who are done go, and one of those who still wait leads next."""
        with self._guard:
            if self._leader is mine:
                self._leader = None
            if self._waiting == [mine]:
                self._waiting.clear()
            else:
                self._waiting = [one for one in self._waiting if one is not mine and not one.done]
                self._news.notify_all()

    def _not_written(self, connection: sa.Connection, one: _Waiting) -> Sequence[Envelope]:
        if not one.perhaps_written or not one.envelopes:
            return one.envelopes
        query = sa.select(self._column.id).where(self._column.id == one.envelopes[0].id)
        return one.envelopes if connection.execute(query).first() is None else ()

    def head(self) -> Head:
        """Return the newest block and the root over all, from one consistent snapshot.

        Raises:
            EvidenceError: when a hash in the chain is none.
        """
        tree = Frontier()
        with self._store.read() as connection:
            seq, aggregate_hash = self._newest(connection)
            hashes = connection.execute(sa.select(self._column.aggregate_hash).order_by(self._column.seq).execution_options(yield_per=4096))
            try:
                for some in hashes.scalars().partitions():
                    tree.extend([bytes.fromhex(one) for one in some])
            except (TypeError, ValueError):
                raise self._damaged("a block's hash is none") from None
            at = connection.execute(sa.select(self._column.inserted_at).where(self._column.seq == seq)).scalar_one()
        return Head(origin=self.origin, seq=seq, aggregate_hash=aggregate_hash, root=tree.root(), inserted_at=at)

    def blocks(self, *, name: str | None = None, newest: int | None = None) -> Iterator[Block]:
        """Yield blocks whose payload is still there, newest first, only those of one event when `name` is given, at most `newest`."""
        of_event = "" if name is None else " AND event_name = :name"
        at_most = "" if newest is None else " LIMIT :newest"
        wanted = {key: value for key, value in (("name", name), ("newest", newest)) if value is not None}
        yield from self._read_blocks(f"WHERE payload IS NOT NULL{of_event} ORDER BY seq DESC{at_most}", **wanted)

    def has_entries(self) -> bool:
        """Return whether anything but the ledger's own blocks was ever written."""
        query = sa.select(self._column.seq).where(self._column.event_name.not_like(f"{OWN}%")).limit(1)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def block(self, id: str) -> Block | None:
        """Return the block of one event, by the event's id; None when there is none."""
        return next(self._read_blocks("WHERE id = :id", id=id), None)

    def block_at(self, seq: int) -> Block | None:
        """Return a block by its number; None when there is none."""
        return next(self._read_blocks("WHERE seq = :seq", seq=seq), None)

    def _read_blocks(self, which: str, **values: object) -> Iterator[Block]:
        """Yield the blocks that the end of a statement chooses, as they lie there: a damaged chain can be looked at, too."""
        columns = ", ".join(self.kind.columns[: len(_FIELDS)])
        with self._store.read() as connection:
            for row in connection.execute(sa.text(f"SELECT {columns} FROM {self._table.name} {which}"), values):  # noqa: S608 - our own names
                yield _block(row)

    def _open(self, connection: sa.Connection) -> None:
        if connection.execute(sa.select(self._column.seq).limit(1)).first() is not None:
            return  # another process was first
        ids = IdSource(self._clock)
        origin = self._new_origin(connection, ids)
        if not origin or self.anchor.exists():
            return
        opened = LedgerOpened(origin=origin)
        genesis = link(
            origin=opened.origin,
            seq=0,
            prev_hash=GENESIS_PREV,
            id=ids.new(),
            inserted_at=rfc3339(self._clock.now_us()),
            event_name=opened.NAME,
            event_version=opened.VERSION,
            payload=opened.encode(),
        )
        insert_rows(connection, self._table, [(*genesis, *self._copies(opened))])

    def _new_origin(self, connection: sa.Connection, ids: IdSource) -> str:
        if self.kind is EVENTS_CHAIN:
            return f"thunderlab/{ids.new()}"
        ledger = self._origin_of(connection, EVENTS_CHAIN)
        return ledger and f"{ledger}{self.kind.suffix}"

    def _read_origin(self) -> str:
        with self._store.read() as connection:
            return self._origin_of(connection, self.kind)

    def _origin_of(self, connection: sa.Connection, kind: ChainKind) -> str:
        payload = connection.execute(sa.select(kind.table.c.payload).where(kind.table.c.seq == 0)).scalar()
        try:
            origin = msgspec.json.decode(payload or b"", type=LedgerOpened).origin
        except (ValueError, TypeError, RecursionError):
            return ""
        return origin if valid_origin(origin) else ""

    def _append(self, connection: sa.Connection, envelopes: Sequence[Envelope]) -> tuple[object, ...] | None:
        """Write the blocks, and return the row of the last one."""
        seq, prev_hash = self._newest(connection)
        rows: list[tuple[object, ...]] = []
        for envelope in envelopes:
            seq += 1
            row = link(
                origin=self.origin,
                seq=seq,
                prev_hash=prev_hash,
                id=envelope.id,
                inserted_at=envelope.at,
                event_name=envelope.name,
                event_version=envelope.version,
                payload=envelope.payload,
            )
            prev_hash = row[4]
            rows.append((*row, *self._copies(envelope.event)))
        if rows:
            insert_rows(connection, self._table, rows)
        return rows[-1] if rows else None

    def _copies(self, event: Event) -> tuple[object, ...]:
        """Return the values that this chain's rows repeat of an event's fields."""
        return tuple(getattr(event, field, None) for field in self.kind.copies) if self.kind.copies else ()

    def _newest(self, connection: sa.Connection) -> tuple[int, str]:
        """Return number and hash of the newest block, once it is one that can be linked to."""
        row = first_row(connection, self._newest_row)
        if row is None:
            lost = f", though {self.anchor} is a checkpoint of one: restore the store, or move that file away to begin a new ledger"
            raise self._damaged(f"there is no block{lost if self.anchor.exists() else ''}")
        if not self.origin:
            raise self._damaged("block 0 does not open a ledger")
        if row != self._last:  # what this process wrote itself, and finds unchanged, is well-formed
            wrong = malformed(_block(row[: len(_FIELDS)]))
            if wrong is not None:
                raise self._damaged(f"the newest block is malformed: {wrong}")
        return row[0], row[4]

    def _damaged(self, what: str) -> EvidenceError:
        of = f" --store {self._store.path}" if self._store.path is not None else " --full"
        return EvidenceError(
            f"{what}; see all that is wrong with: thunderlab ledger audit{of}", where=f"{self._store.place}, {self._table.name}"
        )


def _block(row: Sequence[Any]) -> Block:
    return Block(*row)
