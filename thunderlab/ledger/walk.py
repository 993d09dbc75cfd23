"""One pass of the auditor over a chain's rows: everything is recomputed from the columns, chunk by chunk.

A chunk in which all is right is checked column by column, which is fast. In any other chunk the rows are looked at one by one, and
what is wrong is named. Neither uses anything of the writer but the encoding rules in `block`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import repeat
from operator import lt
from typing import Any, NamedTuple

import msgspec

from thunderlab.canonical import digest
from thunderlab.events import Event
from thunderlab.ledger import forms
from thunderlab.ledger.block import FORMAT, GENESIS_PREV, Block, header_of, leaf_hash, malformed
from thunderlab.ledger.claims import Claims
from thunderlab.ledger.events import OWN
from thunderlab.ledger.failure import CLAIMS, MOST_FAILURES, Failure
from thunderlab.ledger.merkle import Frontier, Leaves
from thunderlab.ledger.rows import Row
from thunderlab.ledger.shape import Shapes
from thunderlab.ledger.tables import ChainKind
from thunderlab.ledger.unsaid import Unsaid

_FIELDS = 9
# What is wrong with what blocks say, or with what is kept of them, and not with a block: the tree over them goes on.
_BESIDE = CLAIMS | {"leaf"}


class _Chunk(NamedTuple):
    """What was verified of a chunk: its leaves, its ids, its ledger's own blocks by their place, how many payloads were pruned."""

    leaves: Leaves
    ids: Sequence[str]
    own: list[tuple[int, Event]]
    pruned: int


class Walk:
    """The state of a pass: what the next row has to follow.

    Args:
        kind: which chain.
        shapes: the payloads' shapes.
        claims: checks what the ledger's own blocks and the anchors say.
        origin: the chain's name, as its first block has it; empty when that is none.
        leaves: takes the leaf hashes of the blocks that were right.

    Attributes:
        seq: the block that is expected next.
        blocks: rows looked at.
        pruned: rows whose payload was pruned.
        failures: what was found wrong, at most `MOST_FAILURES`.
        ids_rise: whether every id was greater than the one before, so that none stands there twice.
        unsaid: the payloads that are gone without a word.
        tree: the Merkle tree over the blocks before the first that is itself wrong, whatever the blocks may say.
    """

    def __init__(
        self,
        kind: ChainKind,
        shapes: Shapes,
        claims: Claims,
        origin: str,
        leaves: bytearray | None = None,
    ) -> None:
        self._kind = kind
        self._shapes = shapes
        self._claims = claims
        self._strays: list[tuple[Block, int]] = []
        self.unsaid = Unsaid(shapes)
        self.origin = origin
        self._begun = sha256(f"\0{FORMAT}\n{origin}\n".encode())
        self.leaves = leaves
        self.seq = 0
        self.prev_hash = GENESIS_PREV
        self.tree = Frontier()
        self.ids_rise, self._newest_id = True, ""
        self.blocks = 0
        self.pruned = 0
        self.failures: list[Failure] = []
        self._whole = True

    def resume(self, seq: int, prev_hash: str, tree: Frontier) -> None:
        """Begin at block `seq` instead, behind a block with that hash and a tree over all before."""
        self.seq, self.prev_hash, self.tree = seq, prev_hash, tree
        self._claims.begin_at(tree)
        self._found(self._claims.at_size(tree))

    def feed(self, rows: Sequence[Row]) -> None:
        """Check the next rows."""
        self.blocks += len(rows)
        if len(self.failures) >= MOST_FAILURES:
            self.seq += len(rows)
            self.ids_rise = False
            return
        verified = self._verified(rows)
        if verified is None:
            self.ids_rise = False
            for row in rows:
                self._look_at(row)
            return
        self.pruned += verified.pruned
        ids = verified.ids
        self.ids_rise = self.ids_rise and self._newest_id < ids[0] and all(map(lt, ids, ids[1:]))
        self._newest_id = ids[-1]
        self.unsaid.keep(rows)
        if self._whole:
            self._take(verified)
        self.seq += len(rows)
        self.prev_hash = rows[-1][4]

    def strays(self) -> Iterator[Failure]:
        """Yield the rows that have no place in the chain, at the place they seem to come from: a gap, the end, or where they lie."""
        gaps = [failure.seq for failure in self.failures if failure.kind == "gap"]
        for stray, place in self._strays:
            here = self.seq if stray.prev_hash == self.prev_hash else place
            detail = f"a row has no place in the chain: its seq is {stray.seq!a}"
            yield Failure(seq=min(gaps, default=here), kind="malformed", detail=detail)

    # The fast way: a chunk at a time.

    def _verified(self, rows: Sequence[Row]) -> _Chunk | None:
        """Return what a chunk holds when everything in it is right, else None; nothing is changed."""
        seqs, ids, prevs, payload_hashes, hashes, names, versions, times, payloads, *copies = zip(*rows, strict=True)
        if not self.origin or seqs != tuple(range(self.seq, self.seq + len(rows))) or not forms.all_of(seqs, int):
            return None
        if prevs[0] != self.prev_hash or prevs[1:] != hashes[:-1]:
            return None
        try:
            # A value that is no text where text belongs is a TypeError here, or finds nothing it is equal to.
            if not (forms.all_long(hashes, 64) and forms.all_long(payload_hashes, 64) and forms.ids(ids) and forms.times(times)):
                return None
            leaves = self._leaves(zip(map(str, seqs), prevs, payload_hashes, ids, times, names, versions, repeat(""), strict=False))
            if leaves.hex() != "".join(hashes):
                return None
            read = self._payloads(names, versions, payloads, payload_hashes, copies)
        except (TypeError, UnicodeEncodeError):
            return None
        return None if read is None else _Chunk(Leaves(leaves), ids, *read)

    def _leaves(self, headers: Iterable[tuple[str, ...]]) -> bytes:
        """Return SHA-256(0x00 || header) of many headers, joined, given as their last lines: what all begin with is hashed once."""
        begun, leaves = self._begun.copy, []
        for lines in headers:
            leaf = begun()
            leaf.update("\n".join(lines).encode())
            leaves.append(leaf.digest())
        return b"".join(leaves)

    def _payloads(
        self,
        names: Sequence[str],
        versions: Sequence[str],
        payloads: Sequence[bytes | None],
        hashes: Sequence[str],
        copies: Sequence[Sequence[object]],
    ) -> tuple[list[tuple[int, Event]], int] | None:
        """Return the ledger's own events by their place, and how many payloads were pruned; None when any payload is wrong."""
        gone = [place for place, payload in enumerate(payloads) if payload is None] if None in payloads else []
        for place in gone:
            known = self._shapes.knows(names[place], versions[place]) and all(column[place] is None for column in copies)
            if not (known and self._claims.may_be_pruned(self.seq + place, names[place])):
                return None
        there: Sequence[Any] = [payload for payload in payloads if payload is not None] if gone else payloads
        told = [one for one, payload in zip(hashes, payloads, strict=True) if payload is not None] if gone else hashes
        if b"".join([sha256(payload).digest() for payload in there]).hex() != "".join(told) or not forms.all_of(there, bytes):
            return None
        groups: dict[tuple[str, str], Sequence[int]] = {}
        kinds = set(zip(names, versions, strict=True))
        if len(kinds) == 1 and not gone:
            groups[kinds.pop()] = range(len(payloads))
        else:
            for place, (name, version, payload) in enumerate(zip(names, versions, payloads, strict=True)):
                if payload is not None:
                    groups.setdefault((name, version), []).append(place)  # type: ignore[attr-defined]
        own: list[tuple[int, Event]] = []
        for (name, version), places in groups.items():
            of_kind = [payloads[place] for place in places] if len(places) < len(payloads) else payloads
            events = self._shapes.read_all(name, version, of_kind)  # type: ignore[arg-type]
            if events is None or not self._same_copies(events, places, copies):
                return None
            if name.startswith(OWN):
                own += zip(places, events, strict=True)
        return sorted(own, key=lambda one: one[0]), len(gone)

    def _same_copies(self, events: Sequence[Event], places: Sequence[int], copies: Sequence[Sequence[object]]) -> bool:
        return all(
            _same(column[place], getattr(event, field, None))
            for field, column in zip(self._kind.copies, copies, strict=True)
            for event, place in zip(events, places, strict=True)
        )

    def _take(self, chunk: _Chunk) -> None:
        """Let the tree grow by a verified chunk, stopping where a root is claimed."""
        first, leaves = self.seq, chunk.leaves
        if self.leaves is not None:
            self.leaves += bytes(leaves)
        self._found(self._claims.compare(first, bytes(leaves)))
        self._found(self._claims.announced(first, first + len(leaves), ((first + place, event) for place, event in chunk.own)))
        events = dict(chunk.own)
        done = 0
        for cut in sorted(events.keys() | self._claims.sizes(first, first + len(leaves))):
            self.tree.extend(leaves[done:cut])
            done = cut
            self._found(self._claims.at_size(self.tree))
            if cut in events:
                self._found(self._claims.told(first + cut, events[cut], self.tree))
        self.tree.extend(leaves[done:])
        self._found(self._claims.at_size(self.tree))

    # The slow way: a row at a time.

    def _look_at(self, row: Row) -> None:
        block = Block(*row[:_FIELDS])
        if type(block.seq) is not int or block.seq < 0:
            if len(self._strays) < MOST_FAILURES:
                self._strays.append((block, self.seq))
            return
        if block.seq < self.seq:
            self._fail(Failure(seq=block.seq, kind="duplicate", detail=f"there is a second block {block.seq}"))
            return
        read: list[Event] = []
        before = len(self.failures)
        self._found(self._wrong_with(block, row[_FIELDS:], read))
        if self._whole:
            leaf = bytes.fromhex(block.aggregate_hash)
            self._found(self._claims.compare(block.seq, leaf))
            self._found(self._claims.at_size(self.tree))
            self._found(self._claims.announced(block.seq, block.seq + 1, [(block.seq, event) for event in read]))
            if read and block.event_name.startswith(OWN):
                self._found(self._claims.told(block.seq, read[0], self.tree))
        if self._whole:
            self.tree.extend([leaf])
            if self.leaves is not None:
                self.leaves += leaf
            self._found(self._claims.at_size(self.tree))
        self.unsaid.damaged(block, self.failures[before:])
        if len(self.failures) == before and block.payload is None and block.seq not in self.unsaid:
            self.pruned += 1
        self.prev_hash = block.aggregate_hash
        self.seq = block.seq + 1

    def _wrong_with(self, block: Block, copies: Row, read: list[Event]) -> Iterator[Failure]:
        """Yield what is wrong with one row, most basic first; `read` takes its event."""
        wrong = malformed(block)
        if wrong is not None:
            yield Failure(seq=self.seq, kind="malformed", detail=wrong)
            return
        if block.seq != self.seq:
            yield Failure(seq=self.seq, kind="gap", detail=f"block {self.seq} is missing; the next one is {block.seq}")
        elif block.prev_hash != self.prev_hash:
            yield Failure(seq=block.seq, kind="link", detail="prev_hash is not the hash of the block before")
        if block.seq == 0 and not self.origin:
            yield Failure(seq=0, kind="origin", detail="the first block does not open a ledger")
        if block.payload is not None and digest(block.payload) != block.payload_hash:
            yield Failure(seq=block.seq, kind="payload_hash", detail="the payload is not the one that was hashed")
        if leaf_hash(header_of(block, self.origin)) != block.aggregate_hash:
            yield Failure(seq=block.seq, kind="aggregate_hash", detail="a column is not what was hashed")
        yield from self._wrong_with_payload(block, copies, read)

    def _wrong_with_payload(self, block: Block, copies: Row, read: list[Event]) -> Iterator[Failure]:
        if not self._shapes.knows(block.event_name, block.event_version):
            detail = f"{block.event_name} {block.event_version} is not in the catalogue"
            yield Failure(seq=block.seq, kind="unknown_event", detail=detail)
            return
        if block.payload is None:
            if block.event_name.startswith(OWN):
                yield Failure(seq=block.seq, kind="pruned", detail="the payload is gone, and the ledger's own blocks are never pruned")
            elif not self._claims.may_be_pruned(block.seq, block.event_name):
                self.unsaid.add(block.seq)
            if any(value is not None for value in copies):
                yield Failure(seq=block.seq, kind="copy", detail="a column repeats something of a payload that was pruned")
            return
        self.unsaid.keep([msgspec.structs.astuple(block)])
        event = self._shapes.read(block.event_name, block.event_version, block.payload)
        if isinstance(event, str):
            yield Failure(seq=block.seq, kind="payload", detail=event)
            return
        read.append(event)
        for field, value in zip(self._kind.copies, copies, strict=True):
            if not _same(value, getattr(event, field, None)):
                yield Failure(seq=block.seq, kind="copy", detail=f"column {field} is not what the payload says")

    def _found(self, failures: Iterator[Failure]) -> None:
        for failure in failures:
            self._fail(failure)

    def _fail(self, failure: Failure) -> None:
        self._whole = self._whole and failure.kind in _BESIDE
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(msgspec.structs.replace(failure, chain=self._kind.name))


def _same(value: object, told: object) -> bool:
    """Return whether a column repeats a field of the payload: same type, same value."""
    return type(value) is type(told) and value == told
