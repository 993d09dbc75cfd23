"""The automata room's tables."""

from __future__ import annotations

import sqlalchemy as sa

from thunderlab.store import METADATA

# `result` holds the whole suite result as JSON; the ledger block of id `event_id` (ca.qa.suite.completed) holds its digest.
QA_RUNS = sa.Table(
    "qa_runs",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("suite", sa.String(64), nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("started_at", sa.String(27), nullable=False),
    sa.Column("duration_us", sa.BigInteger, nullable=False),
    sa.Column("event_id", sa.String(36), nullable=False),
    sa.Column("result", sa.LargeBinary, nullable=False),
    sa.Index("qa_runs_by_suite", "suite", "id"),
)
