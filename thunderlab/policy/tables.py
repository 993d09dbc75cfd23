"""The policy room's table. Verdicts themselves are blocks of the ledger's `policy_verdict_chain`."""

from __future__ import annotations

import sqlalchemy as sa

from thunderlab.store import METADATA

# What verdicts rest on, once each, by the SHA-256 of its bytes: policy sets, entities, and results of replays. Rows are only ever added.
POLICY_ARCHIVE = sa.Table(
    "policy_archive",
    METADATA,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)
