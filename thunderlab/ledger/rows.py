"""A chain's rows as they lie in the store, in order and in chunks, without anything being repaired on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from thunderlab.ledger.tables import CHAINS, EVENTS_CHAIN, LEDGER_LEAVES, ChainKind

CHUNK = 256  # what a chunk takes stays in the processor's cache

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
    # For this statement alone: options set on the connection stay, and then what is written through it would be streamed, too.
    result = connection.exec_driver_sql(statement, execution_options={"stream_results": True, "yield_per": CHUNK})
    for partition in result.partitions():
        yield [tuple(row) for row in partition]


@contextlib.contextmanager
def broken_text(connection: sa.Connection) -> Iterator[None]:
    """Have text that is not UTF-8 come through this connection for a while, so that the row it stands in can be named."""
    plain: Any = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite":
        yield
        return
    before, plain.text_factory = plain.text_factory, _tolerant
    try:
        yield
    finally:
        plain.text_factory = before


def count_blocks(connection: sa.Connection, kind: ChainKind, first: int = 0) -> int:
    """Return how many blocks of a chain there are from block `first` on."""
    query = sa.select(sa.func.count()).select_from(kind.table)
    return int(connection.execute(query.where(kind.table.c.seq >= first) if first else query).scalar_one())


def has_event(connection: sa.Connection, kind: ChainKind, name: str, first: int) -> bool:
    """Return whether there is a block of that event from block `first` on."""
    column = kind.table.c
    return connection.execute(sa.select(column.seq).where(column.event_name == name, column.seq >= first).limit(1)).first() is not None


def duplicate_ids(connection: sa.Connection, kind: ChainKind, first: int, most: int) -> list[tuple[Any, Any]]:
    """Return ids that stand in an earlier row, too, each with the block from `first` on that repeats it, lowest first.

    The database compares them, so that memory stays flat.
    """
    table = kind.table.name
    if first:
        # A few blocks at the end, each looked up in the index.
        query = (
            f"SELECT id, seq FROM {table} AS late WHERE seq >= {first:d} AND EXISTS "  # noqa: S608 - our own names, and integers
            f"(SELECT 1 FROM {table} AS early WHERE early.id = late.id AND early.seq < late.seq) ORDER BY seq LIMIT {most:d}"
        )
        return [tuple(row) for row in connection.exec_driver_sql(query)]
    twice = f"SELECT 1 FROM {table} GROUP BY id HAVING count(*) > 1 LIMIT 1"  # noqa: S608 - our own names
    if connection.exec_driver_sql(twice).first() is None:
        return []
    query = (
        f"SELECT id, seq FROM (SELECT id, seq, row_number() OVER (PARTITION BY id ORDER BY seq) AS place FROM {table}) AS numbered "  # noqa: S608
        f"WHERE place = 2 ORDER BY seq LIMIT {most:d}"
    )
    return [tuple(row) for row in connection.exec_driver_sql(query)]


def stored_leaves(connection: sa.Connection, kind: ChainKind, first: int) -> tuple[Any, Any] | None:
    """Return the leaf hashes kept from block `first` or later on: (first block, hashes), None when there are none.

    Plain text, as in `chunks`: what lies there is what comes back, of whatever type.
    """
    of_chain = f"FROM {LEDGER_LEAVES.name} WHERE chain = '{kind.name}'"
    query = f"SELECT first, hashes {of_chain} AND first >= {first:d} ORDER BY first LIMIT 1"
    row = connection.exec_driver_sql(query).first()
    return None if row is None else tuple(row)


def leaves_at(connection: sa.Connection, kind: ChainKind, first: int = 0) -> list[Any]:
    """Return where all rows of a chain's leaf hashes begin, those from block `first` on; at the events', also the rows of no chain."""
    known = ", ".join(f"'{chain.name}'" for chain in CHAINS)
    strange = f" OR chain NOT IN ({known}) OR chain IS NULL" if kind is EVENTS_CHAIN else ""
    where = f"(chain = '{kind.name}' AND first >= {first:d}){strange}" if first else f"chain = '{kind.name}'{strange}"
    query = f"SELECT CASE WHEN chain = '{kind.name}' THEN first END FROM {LEDGER_LEAVES.name} WHERE {where}"  # noqa: S608 - our own names
    return [row[0] for row in connection.exec_driver_sql(query)]


def _tolerant(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
