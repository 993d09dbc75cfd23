"""What the ledger itself has to say. The blocks called `ledger.*` are its own: the auditor reads them, and they are never pruned."""

from __future__ import annotations

from thunderlab.events import Event

OWN = "ledger."


class LedgerOpened(Event, frozen=True):
    """A chain began: its first block, which gives it its name for ever."""

    NAME = "ledger.opened"
    DURABLE = True

    origin: str


class KeyAnnounced(Event, frozen=True):
    """A key began to sign for the ledger; the note that says so is signed by the key before it, the first one by itself."""

    NAME = "ledger.key.announced"
    DURABLE = True

    key_id: str
    key: str
    previous: str | None
    note: str


class CheckpointSigned(Event, frozen=True):
    """A checkpoint over all blocks before this one was signed: `note` is a C2SP checkpoint, `path` the last block's way to its root."""

    NAME = "ledger.checkpoint.signed"
    DURABLE = True

    size: int
    root: str
    key_id: str
    note: str
    path: list[str]


class PayloadsPruned(Event, frozen=True):
    """Payloads of blocks before `before` were removed, behind a checkpoint that covers them; their headers stay, and so do the ledger's own blocks."""

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
    """A person wrote something down."""

    NAME = "lab.note.recorded"
    DURABLE = True

    text: str
    value: int | None = None


class AuditCompleted(Event, frozen=True):
    """An audit of the event chain found nothing wrong; `first` is the block it began at, 0 when it was a full one."""

    NAME = "event_chain.audit.completed"
    DURABLE = True

    first: int
    blocks: int
    root: str
    signed_size: int


class AuditFailed(Event, frozen=True):
    """An audit of the event chain found something wrong; deployments stop."""

    NAME = "event_chain.audit.failure"
    DURABLE = True

    blocks: int
    failures: int
    first_bad_seq: int
    kind: str


class PolicyChainAudited(Event, frozen=True):
    """The chain of policy verdicts was audited: how many blocks there should be, and how many were verified."""

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
