"""The auditor: recomputes everything from the rows alone, apart from the writer, and says which block is wrong and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import sqlalchemy as sa

from thunderlab.canonical import digest
from thunderlab.events import Catalogue
from thunderlab.ledger.block import GENESIS_PREV, Block, header, leaf_hash, malformed, valid_origin
from thunderlab.ledger.events import LedgerOpened
from thunderlab.ledger.merkle import Frontier

MOST_FAILURES = 100

# Columns as they lie in the file: through SQLAlchemy's types a number stored as text would be repaired on the way.
_ROWS = sa.text(
    "SELECT seq, id, prev_hash, payload_hash, aggregate_hash, event_name, event_version, inserted_at, payload FROM event_chain_blocks ORDER BY seq"
)


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Something wrong at one block.

    Attributes:
        seq: the block's number, or the number that is missing.
        kind: `malformed`, `gap`, `link`, `payload_hash`, `aggregate_hash`, `duplicate_id`, `unknown_event`, `payload`, `origin`,
            `empty`, `unreadable`.
        detail: one sentence.
    """

    seq: int
    kind: str
    detail: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found: `ok` when `failures` is empty; `blocks` counts rows, the root is over those before the first wrong one."""

    ok: bool
    blocks: int
    failures: tuple[Failure, ...]
    root: str


def audit(connection: sa.Connection, catalogue: Catalogue, on_block: Callable[[int], None] | None = None) -> Audit:
    """Check every block of a store's chain, in order, keeping only the ids seen so far.

    Args:
        connection: an open read transaction; nothing is written.
        catalogue: which events exist; payloads are decoded strictly and encoded again, and must come out as stored.
        on_block: called with the number of blocks done, for progress.

    Returns:
        At most `MOST_FAILURES` failures, the first wrong block first. A chain that was cut at the end or rewritten from the
        beginning is consistent in itself: telling that needs a head kept elsewhere.
    """
    failures: list[Failure] = []
    frontier = Frontier()
    ids: set[str] = set()
    origin, expected_seq, prev_hash, blocks = "", 0, GENESIS_PREV, 0
    try:
        for blocks, row in enumerate(connection.execute(_ROWS).mappings(), start=1):
            block = Block(**row)
            if len(failures) < MOST_FAILURES:
                if blocks == 1:
                    origin = _origin(block)
                failures.extend(_check(block, catalogue, origin=origin, expected_seq=expected_seq, prev_hash=prev_hash, ids=ids))
            prev_hash = block.aggregate_hash
            expected_seq = block.seq + 1 if type(block.seq) is int else expected_seq + 1
            if not failures:
                frontier.add(block.aggregate_hash)
            if on_block is not None:
                on_block(blocks)
    except (sa.exc.DatabaseError, ValueError) as error:
        failures.append(Failure(seq=expected_seq, kind="unreadable", detail=" ".join(str(getattr(error, "orig", error)).split())))
    if blocks == 0 and not failures:
        failures.append(Failure(seq=0, kind="empty", detail="there is no block at all"))
    return Audit(ok=not failures, blocks=blocks, failures=tuple(failures[:MOST_FAILURES]), root=frontier.root())


def count_blocks(connection: sa.Connection) -> int:
    """Return how many blocks there are to audit."""
    return int(connection.execute(sa.text("SELECT count(*) FROM event_chain_blocks")).scalar_one())


def _check(block: Block, catalogue: Catalogue, *, origin: str, expected_seq: int, prev_hash: str, ids: set[str]) -> Iterator[Failure]:
    """Yield what is wrong with one block, most basic first."""
    wrong = malformed(block)
    if wrong is not None:
        yield Failure(seq=block.seq if type(block.seq) is int else expected_seq, kind="malformed", detail=wrong)
        return
    if block.seq != expected_seq:
        yield Failure(seq=expected_seq, kind="gap", detail=f"block {expected_seq} is missing; the next one is {block.seq}")
    elif block.prev_hash != prev_hash:
        yield Failure(seq=block.seq, kind="link", detail="prev_hash is not the hash of the block before")
    if digest(block.payload) != block.payload_hash:
        yield Failure(seq=block.seq, kind="payload_hash", detail="the payload is not the one that was hashed")
    if block.seq == 0 and not origin:
        yield Failure(seq=0, kind="origin", detail="the first block does not open a ledger")
    head = header(
        origin=origin,
        seq=block.seq,
        prev_hash=block.prev_hash,
        payload_hash=block.payload_hash,
        id=block.id,
        inserted_at=block.inserted_at,
        event_name=block.event_name,
        event_version=block.event_version,
    )
    if leaf_hash(head) != block.aggregate_hash:
        yield Failure(seq=block.seq, kind="aggregate_hash", detail="a column is not what was hashed")
    if block.id in ids:
        yield Failure(seq=block.seq, kind="duplicate_id", detail=f"id {block.id} was used before")
    ids.add(block.id)
    yield from _check_payload(block, catalogue)


def _check_payload(block: Block, catalogue: Catalogue) -> Iterator[Failure]:
    kind = catalogue.kind(block.event_name, block.event_version)
    if kind is None:
        yield Failure(seq=block.seq, kind="unknown_event", detail=f"{block.event_name}@{block.event_version} is not in the catalogue")
        return
    try:
        same = kind.decode(block.payload).encode() == block.payload
    except Exception as error:  # noqa: BLE001 - whatever a hostile payload provokes, the audit goes on and says so
        yield Failure(seq=block.seq, kind="payload", detail=f"does not fit its schema: {' '.join(str(error).split())}")
        return
    if not same:
        yield Failure(seq=block.seq, kind="payload", detail="holds bytes its own schema would not write, for example a key twice")


def _origin(block: Block) -> str:
    """Return the ledger's name from its first block, empty when that block is none."""
    try:
        opened = msgspec.json.decode(block.payload, type=LedgerOpened)
    except (msgspec.DecodeError, TypeError):
        return ""
    return opened.origin if valid_origin(opened.origin) and block.event_name == LedgerOpened.NAME else ""
