"""A chain's rows as they lie in the store, in order and in chunks, without anything being repaired on the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from thunderlab.ledger.tables import LEDGER_LEAVES, ChainKind

CHUNK = 512

# One row: the columns of `ChainKind.columns`.
Row = tuple[Any, ...]


def chunks(connection: sa.Connection, kind: ChainKind, first: int = 0) -> Iterator[list[Row]]:
    """Yield a chain's rows from block `first` on, at most `CHUNK` at a time; memory stays flat.

    The statement is plain text: through SQLAlchemy's types a number stored as text would come back as a number.
    """
    columns = ", ".join(kind.columns)
    where = f"WHERE seq >= {first:d} " if first else ""
    statement = f"SELECT {columns} FROM {kind.table.name} {where}ORDER BY seq"  # noqa: S608 - names of our own tables, and an integer
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        try:
            cursor.execute(statement)
            while rows := list(cursor.fetchmany(CHUNK)):
                yield rows
        finally:
            cursor.close()
        return
    result = connection.execute(sa.text(statement).execution_options(stream_results=True, yield_per=CHUNK))
    for partition in result.partitions():
        yield [tuple(row) for row in partition]


def tolerate_broken_text(connection: sa.Connection) -> None:
    """Have text that is not UTF-8 come through this connection all the same, so that the row it stands in can be named."""
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.text_factory = _tolerant  # type: ignore[union-attr]


def count_blocks(connection: sa.Connection, kind: ChainKind, first: int = 0) -> int:
    """Return how many blocks of a chain there are from block `first` on."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(kind.table).where(kind.table.c.seq >= first)).scalar_one())


def duplicate_ids(connection: sa.Connection, kind: ChainKind, most: int) -> list[tuple[str, int]]:
    """Return ids that stand in more than one row, each with the block that holds it the second time.

    The database compares them, so that memory stays flat.
    """
    table = kind.table
    twice = sa.select(table.c.id).group_by(table.c.id).having(sa.func.count() > 1).limit(most)
    second = sa.select(table.c.seq).order_by(table.c.seq).limit(1).offset(1)
    ids = connection.execute(twice).scalars().all()
    return [(str(one), connection.execute(second.where(table.c.id == one)).scalar_one()) for one in ids]


def stored_leaves(connection: sa.Connection, kind: ChainKind, first: int) -> tuple[int, bytes] | None:
    """Return the leaf hashes kept from block `first` or later on: (first block, hashes), None when there are none."""
    table = LEDGER_LEAVES.c
    query = sa.select(table.first, table.hashes).where(table.chain == kind.name, table.first >= first).order_by(table.first).limit(1)
    row = connection.execute(query).first()
    return None if row is None else (row.first, row.hashes)


def _tolerant(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
