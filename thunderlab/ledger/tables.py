"""The tables of the two chains, with the seed's column names, and what tells one chain from the other."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from thunderlab.store import METADATA

# SQLite keeps a table in the order of an INTEGER key, without an index of its own for it, and lets nothing but integers be one.
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")

EVENT_CHAIN_BLOCKS = sa.Table(
    "event_chain_blocks",
    METADATA,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("prev_hash", sa.String(64), nullable=False),
    sa.Column("payload_hash", sa.String(64), nullable=False),
    sa.Column("aggregate_hash", sa.String(64), nullable=False),
    sa.Column("event_name", sa.String(120), nullable=False),
    sa.Column("event_version", sa.String(12), nullable=False),
    sa.Column("inserted_at", sa.String(27), nullable=False),
    sa.Column("payload", sa.LargeBinary),
    sa.Index("event_chain_blocks_by_name", "event_name", "seq"),
)

POLICY_VERDICT_CHAIN = sa.Table(
    "policy_verdict_chain",
    METADATA,
    sa.Column("seq", _NUMBER, primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("prev_hash", sa.String(64), nullable=False),
    sa.Column("verdict_hash", sa.String(64), nullable=False),
    sa.Column("aggregate_hash", sa.String(64), nullable=False),
    sa.Column("event_name", sa.String(120), nullable=False),
    sa.Column("event_version", sa.String(12), nullable=False),
    sa.Column("inserted_at", sa.String(27), nullable=False),
    sa.Column("payload", sa.LargeBinary),
    sa.Column("policy_module", sa.String(200)),
    sa.Column("latency_us", sa.BigInteger),
    sa.Index("policy_verdict_chain_by_name", "event_name", "seq"),
)

# Leaf hashes as they were when a checkpoint was signed: when a chain was rebuilt, they say from which block on.
LEDGER_LEAVES = sa.Table(
    "ledger_leaves",
    METADATA,
    sa.Column("chain", sa.String(16), primary_key=True),
    sa.Column("first", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class ChainKind:
    """One of the chains a store holds; writer and auditor are the same code for all of them.

    Attributes:
        name: what people call it on the command line.
        metric: what the time of its commits is called.
        table: its rows; the first nine columns are a block's, in the order of `Block`.
        suffix: what its origin has behind the ledger's.
        copies: columns that repeat a field of the payload so that queries can use it; audited with the payload.
    """

    name: str
    metric: str
    table: sa.Table
    suffix: str = ""
    copies: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names in the order of the rows that writer and auditor handle."""
        return tuple(column.name for column in self.table.columns)


EVENTS_CHAIN = ChainKind(name="events", metric="ledger.append", table=EVENT_CHAIN_BLOCKS)
VERDICTS_CHAIN = ChainKind(
    name="verdicts",
    metric="policy.chain.append",
    table=POLICY_VERDICT_CHAIN,
    suffix="/verdicts",
    copies=("policy_module", "latency_us"),
)
CHAINS = (EVENTS_CHAIN, VERDICTS_CHAIN)
