"""The ledger: an append-only chain of events, its writer, and an auditor that trusts nobody."""

from thunderlab.ledger.audit import Audit, Failure, audit
from thunderlab.ledger.chain import Chain, Head
from thunderlab.ledger.events import EVENTS, AuditFailed, NoteRecorded

__all__ = ["EVENTS", "Audit", "AuditFailed", "Chain", "Failure", "Head", "NoteRecorded", "audit"]
