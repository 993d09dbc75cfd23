"""What the ledger itself has to say."""

from __future__ import annotations

from thunderlab.events import Event


class LedgerOpened(Event, frozen=True):
    """A ledger began: its first block, which gives it its name for ever."""

    NAME = "ledger.opened"
    DURABLE = True

    origin: str


class NoteRecorded(Event, frozen=True):
    """A person wrote something down."""

    NAME = "lab.note.recorded"
    DURABLE = True

    text: str
    value: int | None = None


class AuditFailed(Event, frozen=True):
    """An audit of the event chain found something wrong; deployments stop."""

    NAME = "event_chain.audit.failure"
    DURABLE = True

    blocks: int
    failures: int
    first_bad_seq: int
    kind: str


EVENTS = (LedgerOpened, NoteRecorded, AuditFailed)
