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

# One row per named lattice. `state` holds the cells at `step` and where they lie (see `named.pack_state`), `trace` the newest samples as JSON.
# Whoever changes a lattice names the id, status and step it was read with; a row that has moved on is not touched.
# `runner` is who runs it now; one that died leaves its name behind, and so the next knows that it takes over.
CA_LATTICES = sa.Table(
    "ca_lattices",
    METADATA,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("boundary", sa.String(16), nullable=False),
    sa.Column("shape", sa.String(40), nullable=False),
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("step", sa.BigInteger, nullable=False),
    sa.Column("population", sa.BigInteger, nullable=False),
    sa.Column("entropy", sa.Float, nullable=False),
    sa.Column("rate", sa.Float),
    sa.Column("until", sa.BigInteger),
    sa.Column("created_at", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Column("runner", sa.Text),
    sa.Column("trace", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.LargeBinary, nullable=False),
)
