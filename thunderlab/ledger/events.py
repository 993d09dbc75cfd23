"""What the ledger itself has to say. The blocks called `ledger.*` are its own: the auditor reads them, and they are never pruned."""

from __future__ import annotations

from thunderlab.events import Event

OWN = "ledger."


class LedgerOpened(Event, frozen=True):
    """A chain began: its first block, which gives it its name for ever.

    Attributes:
        origin: the chain's name, part of what every block's hash covers.
    """

    NAME = "ledger.opened"
    DURABLE = True

    origin: str


class KeyAnnounced(Event, frozen=True):
    """A key began to sign for the ledger.

    Attributes:
        key_id: the first 16 hexadecimal digits of the SHA-256 of the key.
        key: the public key, 32 bytes in hexadecimal.
        previous: id of the key that signed until now; null for the first one.
        note: C2SP signed note that says so, signed by the previous key, the first one by itself.
    """

    NAME = "ledger.key.announced"
    DURABLE = True

    key_id: str
    key: str
    previous: str | None
    note: str


class CheckpointSigned(Event, frozen=True):
    """A checkpoint over all blocks before this one was signed.

    Attributes:
        size: how many blocks it covers; the number of this one.
        root: their Merkle root, hexadecimal.
        key_id: the key that signed.
        note: the checkpoint, a C2SP signed note.
        path: inclusion proof of the last block it covers, from the leaf up, hexadecimal: an audit can begin here.
    """

    NAME = "ledger.checkpoint.signed"
    DURABLE = True

    size: int
    root: str
    key_id: str
    note: str
    path: list[str]


class PayloadsPruned(Event, frozen=True):
    """Payloads were removed behind a signed checkpoint; their headers stay, and so do the ledger's own blocks.

    Attributes:
        before: the first block whose payload stayed.
        blocks: how many payloads went.
        bytes: how large they were together.
        size: of the checkpoint that covers them.
        root: of that checkpoint, hexadecimal.
        key_id: the key that signed the note.
        note: C2SP signed note that says so.
    """

    NAME = "ledger.payloads.pruned"
    DURABLE = True

    before: int
    blocks: int
    bytes: int
    size: int
    root: str
    key_id: str
    note: str


class NoteRecorded(Event, frozen=True):
    """A person wrote something down.

    Attributes:
        text: what they wrote.
        value: a number that belongs to it, if any.
    """

    NAME = "lab.note.recorded"
    DURABLE = True

    text: str
    value: int | None = None


class AuditCompleted(Event, frozen=True):
    """An audit of the event chain found nothing wrong.

    Attributes:
        first: the block it began at; 0 when it was a full one.
        blocks: how many were audited.
        root: Merkle root over all blocks up to there, hexadecimal.
        signed_size: so many blocks were covered by the largest checkpoint that held.
    """

    NAME = "event_chain.audit.completed"
    DURABLE = True

    first: int
    blocks: int
    root: str
    signed_size: int


class AuditFailed(Event, frozen=True):
    """An audit of the event chain found something wrong; deployments stop.

    Attributes:
        blocks: how many were audited.
        failures: how much was wrong.
        first_bad_seq: the first wrong block.
        kind: what kind of wrong it is.
    """

    NAME = "event_chain.audit.failure"
    DURABLE = True

    blocks: int
    failures: int
    first_bad_seq: int
    kind: str


class PolicyChainAudited(Event, frozen=True):
    """The chain of policy verdicts was audited.

    Attributes:
        first: the block the audit began at; 0 when it was a full one.
        expected: how many blocks there were from there on.
        verified: how many of them were right.
        failures: how much was wrong.
        first_bad_seq: the first wrong block, if any.
        kind: what kind of wrong it is, if any.
    """

    NAME = "policy.chain.audit"
    DURABLE = True

    first: int
    expected: int
    verified: int
    failures: int
    first_bad_seq: int | None
    kind: str | None


EVENTS = (
    LedgerOpened,
    KeyAnnounced,
    CheckpointSigned,
    PayloadsPruned,
    NoteRecorded,
    AuditCompleted,
    AuditFailed,
    PolicyChainAudited,
)
