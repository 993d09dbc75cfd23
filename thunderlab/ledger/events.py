"""What the ledger itself has to say."""

from __future__ import annotations

from thunderlab.events import Event


class LedgerOpened(Event, frozen=True):
    """A ledger began: its first block, which gives it its name for ever.

    Attributes:
        origin: the ledger's name, part of what every block's hash covers.
    """

    NAME = "ledger.opened"
    DURABLE = True

    origin: str


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


EVENTS = (LedgerOpened, NoteRecorded, AuditFailed)
