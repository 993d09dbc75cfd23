"""The auditor: recomputes a chain from its rows alone, apart from the writer, and says which block is wrong and how."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterator, Sequence

import msgspec
import sqlalchemy as sa

from thunderlab.errors import EvidenceError
from thunderlab.events import Catalogue, Event
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import checkpoint, rows
from thunderlab.ledger.block import Block, malformed, valid_origin
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.claims import Claims
from thunderlab.ledger.events import CheckpointSigned, KeyAnnounced, LedgerOpened, PayloadsPruned
from thunderlab.ledger.failure import MOST_FAILURES, Failure
from thunderlab.ledger.merkle import Frontier
from thunderlab.ledger.shape import Shapes
from thunderlab.ledger.tables import EVENTS_CHAIN, ChainKind
from thunderlab.ledger.walk import Walk


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit of one chain found.

    Attributes:
        ok: whether nothing was wrong.
        chain: which one.
        origin: its name; empty when its first block does not say.
        first: the block the audit began at: 0, or the size of the signed checkpoint everything before it rests on.
        blocks: rows looked at.
        failures: what is wrong, the first wrong block first; at most `MOST_FAILURES`.
        root: Merkle root over the blocks before the first wrong one.
        signed_size: the size of the largest checkpoint that held: so many blocks were signed for; 0 when none was.
        pruned: blocks whose payload was pruned, as a signed statement says.
    """

    ok: bool
    chain: str
    origin: str
    first: int
    blocks: int
    failures: tuple[Failure, ...]
    root: str
    signed_size: int
    pruned: int


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A verified checkpoint that an audit may begin at: the block that announced it is the first one to be looked at."""

    origin: str
    size: int
    prev_hash: str
    key_id: str
    tree: Frontier


# Called with the number of blocks done.
OnBlocks = Callable[[int], None]


class Auditor:
    """An audit of one chain, which can go on where it stopped when blocks were added meanwhile; behind a new checkpoint it begins anew.

    Args:
        catalogue: which events exist; payloads are decoded strictly and encoded again, and must come out as stored.
        kind: which chain.
        pins: the keys believed in; without any, signatures are not looked at.
        anchors: checkpoints kept outside the store.
        start: a verified checkpoint to begin at; by default the first block.
        keep_leaves: whether to remember the leaf hashes of the blocks looked at, 32 bytes each.

    An anchor that is not signed by a pinned key is a failure like any other.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        kind: ChainKind = EVENTS_CHAIN,
        pins: PinnedKeys | None = None,
        anchors: Sequence[SignedCheckpoint] = (),
        start: Start | None = None,
        keep_leaves: bool = False,
    ) -> None:
        self._shapes = Shapes(catalogue)
        self._kind = kind
        self._pins = pins
        self._anchors, self._unsigned = _sorted_out(anchors, pins)
        self._start = start
        self._keep_leaves = keep_leaves
        self._begun: tuple[Walk, Claims] | None = None
        self._at_the_end: list[Failure] = []

    def run(self, connection: sa.Connection, on_blocks: OnBlocks | None = None) -> Audit:
        """Look at every block from where the last run stopped, and return what was found so far.

        Args:
            connection: an open transaction; nothing is written, and memory stays flat but for `keep_leaves`.
            on_blocks: called now and then, for progress.
        """
        broken = (sa.exc.DatabaseError, connection.dialect.loaded_dbapi.Error)
        try:
            try:
                # PostgreSQL takes nothing more in a transaction in which something failed, unless it is rolled back as far as here.
                with connection.begin_nested() if connection.dialect.name == "postgresql" else contextlib.nullcontext():
                    self._run(connection, on_blocks)
            except broken as error:
                if "UTF-8" not in str(error):
                    raise
                # Text that is none stops the reader before the row it stands in can be named: once more, with a reader that takes any.
                self._begun = None
                with rows.broken_text(connection):
                    self._run(connection, on_blocks)
        except broken as error:
            return self._unreadable(error)
        return self.found()

    def found(self) -> Audit:
        """Return what was found so far."""
        walk, claims = self._walk_and_claims
        failures = sorted([*walk.failures, *self._at_the_end, *self._unsigned], key=lambda failure: failure.seq)[:MOST_FAILURES]
        return Audit(
            ok=not failures,
            chain=self._kind.name,
            origin=walk.origin,
            first=self._start.size if self._start else 0,
            blocks=walk.blocks,
            failures=tuple(failures),
            root=walk.tree.root(),
            signed_size=claims.signed,
            pruned=walk.pruned,
        )

    @property
    def tree(self) -> Frontier:
        """The Merkle tree over all blocks before the first wrong one."""
        return self._walk_and_claims[0].tree

    @property
    def leaves(self) -> bytes:
        """The leaf hashes of the blocks looked at, when they were to be kept."""
        return bytes(self._walk_and_claims[0].leaves or b"")

    @property
    def active_key(self) -> str | None:
        """The id of the key announced last."""
        return self._walk_and_claims[1].active

    @property
    def _walk_and_claims(self) -> tuple[Walk, Claims]:
        assert self._begun is not None, "run first"
        return self._begun

    def _run(self, connection: sa.Connection, on_blocks: OnBlocks | None) -> None:
        # The leaf hashes kept with a checkpoint that was signed meanwhile are of blocks that were passed already.
        if self._begun is None or rows.has_event(connection, self._kind, CheckpointSigned.NAME, self._begun[0].seq):
            self._begun = self._begin(connection)
        walk, claims = self._begun
        claims.stored = lambda first: rows.stored_leaves(connection, self._kind, first)
        for chunk in rows.chunks(connection, self._kind, walk.seq):
            walk.feed(chunk)
            if on_blocks is not None:
                on_blocks(walk.blocks)
        self._at_the_end = list(self._finish(connection, walk, claims))

    def _begin(self, connection: sa.Connection) -> tuple[Walk, Claims]:
        origin = self._start.origin if self._start else first_origin(connection, self._kind)
        claims = Claims(
            origin,
            self._pins,
            self._anchors,
            start=self._start.size if self._start else 0,
            active=self._start.key_id if self._start else None,
            statements=_statements(connection, self._kind, self._shapes, self._start.size if self._start else 0),
        )
        walk = Walk(self._kind, self._shapes, claims, origin, leaves=bytearray() if self._keep_leaves else None)
        if self._start is not None:
            walk.resume(self._start.size, self._start.prev_hash, self._start.tree.copy())
        return walk, claims

    def _finish(self, connection: sa.Connection, walk: Walk, claims: Claims) -> Iterator[Failure]:
        """Yield what only shows at the end."""
        intact = not walk.failures
        found = [*walk.strays(), *claims.finish(walk.seq, intact=intact), *self._of_the_whole(connection, walk)]
        if not walk.failures and not found:
            found += self._kept_for_nothing(connection, walk, claims)
        found += walk.unsaid.failures([*walk.failures, *found])
        yield from (msgspec.structs.replace(failure, chain=self._kind.name) for failure in found)

    def _of_the_whole(self, connection: sa.Connection, walk: Walk) -> Iterator[Failure]:
        if walk.seq == 0:
            yield Failure(seq=0, kind="empty", detail="there is no block at all")
        first = self._start.size if self._start else 0
        # What the walk saw of ids suffices where they rise from the first block on; blocks before the start it did not see.
        unique = walk.ids_rise and not first
        for twice, seq in () if unique else rows.duplicate_ids(connection, self._kind, first, MOST_FAILURES):
            # A row whose number is none has no place; that it is there the walk has found.
            yield Failure(
                seq=seq if type(seq) is int and seq >= 0 else walk.seq, kind="duplicate_id", detail=f"id {twice!a} was used before"
            )
        if self._kind.suffix:
            ledger = first_origin(connection, EVENTS_CHAIN)
            if ledger and walk.origin and walk.origin != ledger + self._kind.suffix:
                yield Failure(seq=0, kind="origin", detail=f"this chain is {walk.origin}, which is not of the ledger {ledger}")

    def _kept_for_nothing(self, connection: sa.Connection, walk: Walk, claims: Claims) -> Iterator[Failure]:
        """Yield a failure for each row of leaf hashes that no checkpoint keeps."""
        left = set(claims.kept_at)
        for place in rows.leaves_at(connection, self._kind, self._start.size if self._start else 0):
            if type(place) is int and place in left:
                left.remove(place)
            else:
                seq = place if type(place) is int and 0 <= place < walk.seq else walk.seq
                yield Failure(seq=seq, kind="leaf", detail="leaf hashes are kept at a place where no checkpoint keeps any")

    def _unreadable(self, error: Exception) -> Audit:
        detail = " ".join(str(getattr(error, "orig", error)).split())
        if self._begun is None:
            self._begun = Walk(self._kind, self._shapes, Claims("", self._pins, ()), ""), Claims("", self._pins, ())
        seq = self._begun[0].seq
        self._at_the_end = [Failure(seq=seq, kind="unreadable", detail=detail, chain=self._kind.name)]
        return self.found()


def _sorted_out(anchors: Sequence[SignedCheckpoint], pins: PinnedKeys | None) -> tuple[list[SignedCheckpoint], list[Failure]]:
    """Return the anchors that are signed by a pinned key, and a failure for each that is not; without pins all are taken as they are."""
    signed, failures = [], []
    for anchor in anchors:
        try:
            if pins is not None:
                checkpoint.verify(anchor, pins)
            signed.append(anchor)
        except EvidenceError as error:
            failures.append(Failure(seq=0, kind="checkpoint", detail=f"the checkpoint kept outside: {error}"))
    return signed, failures


def audit(
    connection: sa.Connection,
    catalogue: Catalogue,
    on_blocks: OnBlocks | None = None,
    *,
    kind: ChainKind = EVENTS_CHAIN,
    pins: PinnedKeys | None = None,
    anchors: Sequence[SignedCheckpoint] = (),
    start: Start | None = None,
) -> Audit:
    """Return what a single audit of a chain finds; see `Auditor` for the arguments.

    Without anchors, a chain that was cut at its end or rewritten from the beginning, with everything else in the store, is consistent
    in itself: telling that needs a checkpoint kept elsewhere.
    """
    return Auditor(catalogue, kind=kind, pins=pins, anchors=anchors, start=start).run(connection, on_blocks)


def newest_start(
    connection: sa.Connection, catalogue: Catalogue, pins: PinnedKeys, kind: ChainKind = EVENTS_CHAIN, *, keys: Container[str] | None = None
) -> Start | None:
    """Return the newest checkpoint that a chain announces and that an audit may begin at, None when there is none to be relied upon.

    Its note must be signed by a pinned key, and the block before it must be on the way to the root: then everything before rests on
    that signature, and need not be looked at again. The private half of an older key may have been stolen since, and whether it still
    signed here only the blocks before could tell: so its id must be one of `keys`, by default the newest that is pinned alone.
    """
    keys = {key.id for key in pins[-1:]} if keys is None else keys
    shapes = Shapes(catalogue)
    with rows.broken_text(connection):
        row = _named(connection, kind, (CheckpointSigned.NAME,), "ORDER BY seq DESC LIMIT 1")
    block = Block(*row[0][:9]) if row else None
    if block is None or malformed(block) is not None or block.payload is None:
        return None
    event = shapes.read(block.event_name, block.event_version, block.payload)
    if not isinstance(event, CheckpointSigned) or event.size != block.seq:
        return None
    try:
        signed = checkpoint.read(event.note.encode())
        key = checkpoint.verify(signed, pins)
        tree = Frontier.resume(event.size, bytes.fromhex(block.prev_hash), [bytes.fromhex(one) for one in event.path])
    except (EvidenceError, ValueError):
        return None
    told = signed.checkpoint
    if (told.size, told.root) != (event.size, event.root) or not (key.id == event.key_id and key.id in keys) or tree.root() != event.root:
        return None
    return Start(origin=told.origin, size=event.size, prev_hash=block.prev_hash, key_id=key.id, tree=tree)


def first_origin(connection: sa.Connection, kind: ChainKind) -> str:
    """Return the chain's name from its first block, empty when that block is none."""
    query = f"SELECT event_name, payload FROM {kind.table.name} WHERE seq = 0"  # noqa: S608 - the name of our own table
    row = connection.exec_driver_sql(query).first()
    try:
        opened = msgspec.json.decode(row.payload, type=LedgerOpened) if row else None
    except (TypeError, ValueError, RecursionError):
        return ""
    return opened.origin if opened and row and row.event_name == LedgerOpened.NAME and valid_origin(opened.origin) else ""


def _statements(connection: sa.Connection, kind: ChainKind, shapes: Shapes, first: int) -> list[Event]:
    """Return all that is said of keys and of pruning from block `first` on, in the order of the blocks, whether it is true or not."""
    found = (
        shapes.read(row[5], row[6], row[8])
        for row in _named(connection, kind, (KeyAnnounced.NAME, PayloadsPruned.NAME), "ORDER BY seq")
        if type(row[0]) is int and row[0] >= first and type(row[8]) is bytes and type(row[6]) is str
    )
    return [event for event in found if isinstance(event, Event)]


def _named(connection: sa.Connection, kind: ChainKind, names: Sequence[str], order: str) -> list[rows.Row]:
    """Return the rows of some events, as they lie in the store."""
    wanted = ", ".join(f"'{name}'" for name in names)
    query = f"SELECT {', '.join(kind.columns)} FROM {kind.table.name} WHERE event_name IN ({wanted}) {order}"  # noqa: S608 - our own names
    return [tuple(row) for row in connection.exec_driver_sql(query)]
