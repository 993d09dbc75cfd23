"""The automata room's tables."""

from __future__ import annotations

import sqlalchemy as sa

from thunderlab.store import METADATA

# `result` holds the whole suite result as JSON; the ledger block of id `event_id` (ca.qa.suite.completed) holds its digest, its
# suite and its time. Nothing is kept twice.
QA_RUNS = sa.Table(
    "qa_runs",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("result", sa.LargeBinary, nullable=False),
)
