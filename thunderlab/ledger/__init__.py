"""The ledger: append-only chains of events and verdicts, their writer, an auditor that trusts nobody, and signed proofs."""

from thunderlab.ledger.audit import Audit, Auditor, audit, first_origin, newest_start
from thunderlab.ledger.chain import Chain, Head
from thunderlab.ledger.checkpoint import SignedCheckpoint
from thunderlab.ledger.custody import Custody
from thunderlab.ledger.events import EVENTS, NoteRecorded
from thunderlab.ledger.failure import Failure
from thunderlab.ledger.notary import read_anchor
from thunderlab.ledger.rows import count_blocks
from thunderlab.ledger.tables import CHAINS, EVENTS_CHAIN, VERDICTS_CHAIN, ChainKind
from thunderlab.ledger.witness import Witness

__all__ = [
    "CHAINS",
    "EVENTS",
    "EVENTS_CHAIN",
    "VERDICTS_CHAIN",
    "Audit",
    "Auditor",
    "Chain",
    "ChainKind",
    "Custody",
    "Failure",
    "Head",
    "NoteRecorded",
    "SignedCheckpoint",
    "Witness",
    "audit",
    "count_blocks",
    "first_origin",
    "newest_start",
    "read_anchor",
]
