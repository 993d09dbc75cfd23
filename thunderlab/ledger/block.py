"""A block of a chain: which bytes are hashed, in which order, and what a well-formed row looks like.

The writer and the auditor share this file and nothing else.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from thunderlab.canonical import digest
from thunderlab.clock import UUID7, parse_rfc3339
from thunderlab.errors import EvidenceError

FORMAT = "thunderlab-ledger/1"
GENESIS_PREV = "0" * 64

_DIGEST = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[1-9][0-9]{0,4}\.(0|[1-9][0-9]{0,4})")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_ORIGIN = re.compile(r"[A-Za-z0-9._/-]{1,200}")
_SEQ = re.compile(r"0|[1-9][0-9]{0,17}")


class Block(msgspec.Struct, frozen=True):
    """One row of a chain.

    Attributes:
        seq: 0, 1, 2, ... without gaps.
        id: UUID version 7 of the event.
        prev_hash: `aggregate_hash` of block seq - 1; 64 zeros for the first.
        payload_hash: SHA-256 of `payload`.
        aggregate_hash: SHA-256 over the header; see `header`.
        event_name: dotted name.
        event_version: schema version of the payload, major.minor.
        inserted_at: RFC 3339 UTC with microseconds.
        payload: the event's exact bytes; None once they were pruned.
    """

    seq: int
    id: str
    prev_hash: str
    payload_hash: str
    aggregate_hash: str
    event_name: str
    event_version: str
    inserted_at: str
    payload: bytes | None


def header(
    *, origin: str, seq: int, prev_hash: str, payload_hash: str, id: str, inserted_at: str, event_name: str, event_version: str
) -> bytes:
    """Return the bytes a block's hash covers: every column but the payload itself, which is covered by its hash.

    Nine lines: format tag, ledger origin, seq, prev_hash, payload_hash, id, time, event name, schema version. None of the fields
    can hold a line break, so no two blocks share a header.
    """
    head = f"{FORMAT}\n{origin}\n{seq}\n{prev_hash}\n{payload_hash}\n{id}\n{inserted_at}\n{event_name}\n{event_version}\n"
    assert head.count("\n") == 9
    return head.encode()


def header_of(block: Block, origin: str) -> bytes:
    """Return the header of a block of the chain with that name; see `header`."""
    return header(
        origin=origin,
        seq=block.seq,
        prev_hash=block.prev_hash,
        payload_hash=block.payload_hash,
        id=block.id,
        inserted_at=block.inserted_at,
        event_name=block.event_name,
        event_version=block.event_version,
    )


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the nine lines of a header say; the fields are those of `Block`, with the ledger's origin and without what is hashed."""

    origin: str
    seq: int
    prev_hash: str
    payload_hash: str
    id: str
    inserted_at: str
    event_name: str
    event_version: str


def parse_header(head: bytes) -> Header:
    """Return what a header says, if it is one that `header` writes.

    Raises:
        EvidenceError: for anything else; the message names the first line that is wrong.
    """
    lines = head.decode("ascii", "replace").split("\n")
    if len(lines) != 10 or lines.pop():
        raise EvidenceError("a block's header has nine lines, each with its line break")
    tag, origin, seq, prev_hash, payload_hash, id_, inserted_at, event_name, event_version = lines
    if tag != FORMAT:
        raise EvidenceError(f"the header's format is not {FORMAT}")
    for value, form, what in (
        (origin, _ORIGIN, "origin is not the name of a ledger"),
        (seq, _SEQ, "seq is not a number"),
        (prev_hash, _DIGEST, "prev_hash is not a SHA-256"),
        (payload_hash, _DIGEST, "payload_hash is not a SHA-256"),
        (id_, UUID7, "id is not a version 7 UUID"),
        (event_name, _NAME, "event_name is not a dotted name"),
        (event_version, _VERSION, "event_version is not major.minor"),
    ):
        if not form.fullmatch(value):
            raise EvidenceError(f"the header's {what}")
    try:
        parse_rfc3339(inserted_at)
    except ValueError:
        raise EvidenceError("the header's time is not RFC 3339 with microseconds") from None
    if (seq == "0") != (prev_hash == GENESIS_PREV):
        raise EvidenceError("the header's prev_hash is zeros in block 0 and there alone")
    return Header(
        origin=origin,
        seq=int(seq),
        prev_hash=prev_hash,
        payload_hash=payload_hash,
        id=id_,
        inserted_at=inserted_at,
        event_name=event_name,
        event_version=event_version,
    )


def leaf_hash(head: bytes) -> str:
    """Return SHA-256(0x00 || header): the chain hash is at the same time the leaf hash of RFC 6962's Merkle tree."""
    return hashlib.sha256(b"\0" + head).hexdigest()


def link(
    *, origin: str, seq: int, prev_hash: str, id: str, inserted_at: str, event_name: str, event_version: str, payload: bytes
) -> tuple[int, str, str, str, str, str, str, str, bytes]:
    """Return the block that follows `prev_hash`, as a row: its fields in the order of `Block`."""
    payload_hash = digest(payload)
    head = header(
        origin=origin,
        seq=seq,
        prev_hash=prev_hash,
        payload_hash=payload_hash,
        id=id,
        inserted_at=inserted_at,
        event_name=event_name,
        event_version=event_version,
    )
    return seq, id, prev_hash, payload_hash, leaf_hash(head), event_name, event_version, inserted_at, payload


def malformed(block: Block) -> str | None:
    """Return what is wrong with the form of a row's fields, None when nothing is.

    SQLite stores any type in any column, so types are checked too; the chain's hashes are not looked at here.
    """
    texts = (block.id, block.prev_hash, block.payload_hash, block.aggregate_hash, block.event_name, block.event_version, block.inserted_at)
    if type(block.seq) is not int or type(block.payload) not in (bytes, type(None)) or not all(type(value) is str for value in texts):
        return "a column holds a value of the wrong type"
    for value, form, what in (
        (block.id, UUID7, "id is not a version 7 UUID"),
        (block.prev_hash, _DIGEST, "prev_hash is not a SHA-256"),
        (block.payload_hash, _DIGEST, "payload_hash is not a SHA-256"),
        (block.aggregate_hash, _DIGEST, "aggregate_hash is not a SHA-256"),
        (block.event_name, _NAME, "event_name is not a dotted name"),
        (block.event_version, _VERSION, "event_version is not major.minor"),
    ):
        if not form.fullmatch(value):
            return what
    try:
        parse_rfc3339(block.inserted_at)
    except ValueError:
        return "inserted_at is not an RFC 3339 time with microseconds"
    return None


def valid_origin(origin: object) -> bool:
    """Return whether a ledger may be called that."""
    return isinstance(origin, str) and _ORIGIN.fullmatch(origin) is not None
