"""The store: the only shared truth of a workspace, in a SQLite file or on a PostgreSQL server.

Rooms declare their tables on `METADATA` in their `tables.py`; the hall opens the store once all are declared. What a room writes
against it is the same for both: one writer at a time, in the order of asking, durable when the block ends; readers have a
snapshot and never wait.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from thunderlab import postgres, sqlite
from thunderlab.errors import EnvironmentBlockedError
from thunderlab.postgres import Postgres
from thunderlab.sqlite import Sqlite, open_read_only

__all__ = ["METADATA", "SCHEMA_VERSION", "Store", "insert_rows", "open_read_only"]

METADATA = sa.MetaData()
SCHEMA_VERSION = 2

_SCHEMA = sa.Table(
    "store_schema",
    METADATA,
    sa.Column("version", sa.Integer, nullable=False),
)


class Store:
    """An open store; every declared table is made when it does not exist.

    Args:
        where: a `Path`, the SQLite file; or text, the address of a PostgreSQL database (see `postgres.parse`).

    Attributes:
        place: where it is, as text for messages: the file, or the address without its password.
        path: the SQLite file; None on a server.
        kind: `SQLite` or `PostgreSQL`.

    Raises:
        InputError: when the address is none.
        EnvironmentBlockedError: when it cannot be opened, is no store, or belongs to another version of thunderlab.
    """

    def __init__(self, where: Path | str) -> None:
        self._engine: Sqlite | Postgres = Postgres(where) if isinstance(where, str) else Sqlite(where)
        self.path = where if isinstance(where, Path) else None
        self.place, self.kind = self._engine.place, self._engine.name
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Create the tables that are missing in one transaction, once it is known that the store is of our version."""
        with self.read() as connection:
            missing = self._missing(connection)
        if missing:
            with self.write() as connection:
                self._missing(connection)
                METADATA.create_all(connection)
                if connection.execute(sa.select(_SCHEMA.c.version)).first() is None:
                    connection.execute(_SCHEMA.insert().values(version=SCHEMA_VERSION))

    def _missing(self, connection: sa.Connection) -> set[str]:
        """Return the tables that are not there yet; refuse a store of another version before anything is added to it."""
        try:
            there = set(sa.inspect(connection).get_table_names())
        except UnicodeDecodeError:
            raise EnvironmentBlockedError(
                "is damaged: the name of a table is no text; restore it from a backup", where=self.place
            ) from None
        version = connection.execute(sa.select(_SCHEMA.c.version)).scalar() if _SCHEMA.name in there else None
        if version not in (None, SCHEMA_VERSION):
            raise EnvironmentBlockedError(
                f"has schema version {version}, this thunderlab reads {SCHEMA_VERSION}; use the one it was made with, or another workspace",
                where=self.place,
            )
        return set(METADATA.tables) - there

    def write(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection inside one write transaction: committed durably at the end of the block, rolled back on any error.

        Raises:
            BusyError: when another writer was at it for 30 s; the message says which.
        """
        return self._engine.write()

    def read(self) -> AbstractContextManager[sa.Connection]:
        """Give a connection inside one read transaction: a consistent snapshot that no writer disturbs."""
        return self._engine.read()

    def close(self) -> None:
        """Close every connection; the store stays."""
        self._engine.close()


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the table's columns, past SQLAlchemy's types: what is given is what is stored."""
    on_sqlite = connection.dialect.name == "sqlite"
    (sqlite.insert if on_sqlite else postgres.insert)(connection, _into(table), len(table.columns), rows)


def first_row(connection: sa.Connection, statement: str) -> tuple[Any, ...] | None:
    """Return the first row of a plain statement as it lies in the store, None when there is none; past SQLAlchemy, like `insert_rows`."""
    if connection.dialect.name == "sqlite":
        return sqlite.first_row(connection, statement)
    row = connection.exec_driver_sql(statement).first()
    return None if row is None else tuple(row)


@functools.cache
def _into(table: sa.Table) -> str:
    """Return an insert as far as VALUES; our names need no quotes in either language."""
    return f"INSERT INTO {table.name} ({', '.join(table.columns.keys())}) VALUES"
