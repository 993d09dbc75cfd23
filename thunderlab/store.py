"""The store: one SQLite file in WAL mode that many processes share; the only shared truth of a workspace.

Rooms declare their tables on `METADATA` in their `tables.py`; the hall opens the store once all are declared. Writers queue at
a lock file and then take SQLite's write lock at once (`BEGIN IMMEDIATE`): with a busy timeout alone some writers starve, and a
transaction that starts as a reader cannot be upgraded. Readers never wait.
"""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from thunderlab.errors import EnvironmentBlockedError
from thunderlab.locks import held

METADATA = sa.MetaData()
SCHEMA_VERSION = 2

_BUSY_TIMEOUT_S = 30.0

_SCHEMA = sa.Table(
    "store_schema",
    METADATA,
    sa.Column("version", sa.Integer, nullable=False),
)


class Store:
    """An open store.

    Args:
        path: the SQLite file; made, with every declared table, when it does not exist.

    Raises:
        EnvironmentBlockedError: when it cannot be opened, is no store, or belongs to a newer thunderlab.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_name(path.name + ".writer.lock")
        self._engine = _engine(path)
        try:
            with _translated(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        """Create the tables that are missing in one transaction, and check that the store is of our version."""
        with self.read() as connection:
            missing = METADATA.tables.keys() - set(sa.inspect(connection).get_table_names())
        if missing:
            with held(self._lock), self._begin("IMMEDIATE") as connection:
                METADATA.create_all(connection)
                if connection.execute(sa.select(_SCHEMA.c.version)).first() is None:
                    connection.execute(_SCHEMA.insert().values(version=SCHEMA_VERSION))
        with self.read() as connection:
            version = connection.execute(sa.select(_SCHEMA.c.version)).scalar_one()
        if version != SCHEMA_VERSION:
            raise EnvironmentBlockedError(
                f"has schema version {version}, this thunderlab reads {SCHEMA_VERSION}; use the matching version", where=self.path
            )

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection inside one write transaction: committed durably at the end of the block, rolled back on any error."""
        with _translated(self.path), held(self._lock), self._begin("IMMEDIATE") as connection:
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection inside one read transaction: a consistent snapshot that no writer disturbs."""
        with _translated(self.path), self._begin("DEFERRED") as connection:
            yield connection

    @contextlib.contextmanager
    def _begin(self, mode: str) -> Iterator[sa.Connection]:
        with self._engine.connect().execution_options(thunderlab_begin=mode) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Close every connection; the file stays."""
        self._engine.dispose()


def open_read_only(path: Path) -> sa.Engine:
    """Return an engine on somebody's store that cannot change it: for audits of handed-in files."""
    return _engine(path, read_only=True)


def _engine(path: Path, *, read_only: bool = False) -> sa.Engine:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> sqlite3.Connection:
        # isolation_level=None leaves BEGIN to us; the pool hands one connection to one thread at a time.
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool)

    @sa_event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            # FULL: with NORMAL, WAL may lose the last acknowledged commits at a power cut.
            connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa_event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('thunderlab_begin', 'DEFERRED')}")

    return engine


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn the database's and the system's complaints into errors that say what to do."""
    try:
        yield
    except sa.exc.DatabaseError as error:
        raise EnvironmentBlockedError(_advice(str(error.orig)), where=path) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT):
            raise EnvironmentBlockedError(f"{error.strerror}; nothing was written", where=path) from error
        raise


def _advice(complaint: str) -> str:
    """Return SQLite's complaint with what to do about it."""
    for sign, advice in (
        ("full", "the disk is full; free some space and try again, nothing acknowledged was lost"),
        ("readonly", "the store cannot be written; check the permissions of the workspace"),
        ("unable to open", "the store cannot be opened; check that the workspace exists and may be written"),
        ("not a database", "the file is not a thunderlab store; move it away or name another workspace"),
        ("malformed", "the store is damaged; restore it from a backup, or move it away to start anew"),
        ("locked", "another process holds the store for too long; wait for it or end it"),
        ("disk I/O", "the disk failed or the process reached a size limit; check it and try again"),
    ):
        if sign in complaint:
            return f"{advice} ({complaint})"
    return complaint
