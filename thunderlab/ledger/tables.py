"""The chain's table, with the seed's column names."""

from __future__ import annotations

import sqlalchemy as sa

from thunderlab.store import METADATA

EVENT_CHAIN_BLOCKS = sa.Table(
    "event_chain_blocks",
    METADATA,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("prev_hash", sa.String(64), nullable=False),
    sa.Column("payload_hash", sa.String(64), nullable=False),
    sa.Column("aggregate_hash", sa.String(64), nullable=False),
    sa.Column("event_name", sa.String(120), nullable=False),
    sa.Column("event_version", sa.String(12), nullable=False),
    sa.Column("inserted_at", sa.String(27), nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Index("event_chain_blocks_by_name", "event_name", "seq"),
)
