"""Where windows go when a process ends, so that another one can read them."""

from __future__ import annotations

import sqlalchemy as sa

from thunderlab.store import METADATA

# One row per metric and flush: `samples` holds the raw values as JSON integers, so percentiles over rows stay exact.
TELEMETRY_WINDOWS = sa.Table(
    "telemetry_windows",
    METADATA,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("metric", sa.String(120), nullable=False),
    sa.Column("unit", sa.String(16), nullable=False),
    sa.Column("inserted_at", sa.String(27), nullable=False),
    sa.Column("samples", sa.LargeBinary, nullable=False),
    sa.Index("telemetry_windows_by_metric", "metric", "inserted_at"),
)
