"""The store in one SQLite file, WAL mode, FULL durability: no server, any number of processes of one machine.

Writers queue at a lock file and then take SQLite's write lock at once (`BEGIN IMMEDIATE`): with a busy timeout alone some writers
starve, and a transaction that starts as a reader cannot be upgraded. Readers never wait.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from thunderlab.errors import EnvironmentBlockedError
from thunderlab.locks import Lock

LOCK_SUFFIX = ".writer.lock"

_BUSY_TIMEOUT_S = 30.0
_WAL_CHUNK = 256 * 1024


class Sqlite:
    """A SQLite file, open.

    Args:
        path: the file; made, with its folder, when it does not exist.

    Attributes:
        place: where it is, as text for messages.
    """

    name = "SQLite"

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path
        self._lock = Lock(path.with_name(path.name + LOCK_SUFFIX))
        self._engine = _engine(path)
        self._writer: _Writer | None = None
        self._file: tuple[int, int] | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._explained(error) from error

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection inside one write transaction: committed durably at the end of the block, rolled back on any error."""
        try:
            with self._lock.held():
                # One connection serves all writers of a process, who come one by one: borrowing one from the pool each time
                # costs as much as SQLite itself. After an error it is closed, for nobody knows what state it is in.
                writer, self._writer = self._writer or _Writer(self._engine, self._path), None
                try:
                    self._refuse_another_file()
                    writer.plain.execute("BEGIN IMMEDIATE")
                    writer.reserve()
                    yield writer.connection
                    writer.plain.commit()
                except BaseException:
                    writer.close()
                    raise
                self._writer = writer
        except _ERRORS as error:
            raise self._explained(error) from error

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection inside one read transaction: a consistent snapshot that no writer disturbs."""
        try:
            self._refuse_another_file()
            with self._engine.connect() as connection, connection.begin():
                yield connection
        except _ERRORS as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """Close every connection, once no other thread writes; the file stays."""
        with self._lock.closing():
            writer, self._writer = self._writer, None
            if writer is not None:
                writer.close()
            self._engine.dispose()

    def _refuse_another_file(self) -> None:
        """Make sure that the file is the one that was opened: SQLite would go on writing one that was removed, and all would be lost."""
        try:
            found = os.stat(self.place)  # noqa: PTH116 - at every transaction, where a Path costs more than the call
            file = (found.st_dev, found.st_ino)
        except FileNotFoundError:
            file = None
        if self._file is None:
            self._file = file
        elif file != self._file:
            raise EnvironmentBlockedError(
                "was removed, or another file put in its place, while it was open; put it back, or open what is there now", where=self.place
            )

    def _explained(self, error: Exception) -> Exception:
        """Return the database's or the system's complaint as an error that says what to do; what is not theirs as it is."""
        if isinstance(error, OSError):
            if error.errno not in _ENVIRONMENT:
                return error
            return EnvironmentBlockedError(f"{error.strerror}; nothing was written", where=self.place)
        return EnvironmentBlockedError(_advice(str(getattr(error, "orig", error))), where=self.place)


class _Writer:
    """A connection that SQLAlchemy holds to be in one long transaction; the real ones are begun and committed on the driver's own.

    What SQLAlchemy does around a transaction costs a third of a commit.
    """

    def __init__(self, engine: sa.Engine, path: Path) -> None:
        self.connection = engine.connect().execution_options(thunderlab_begin=None)
        self.connection.begin()
        self.plain = _plain(self.connection)
        self._log_path = f"{path.absolute()}-wal"
        self._log: int | None = None

    def reserve(self) -> None:
        """Write zeros behind the log when it has grown, so that the next commits overwrite bytes instead of adding them.

        A sync that must also record a new file size takes twice as long. SQLite reads a log up to the first frame whose checksum
        is wrong (https://www.sqlite.org/fileformat2.html#walformat) and so never comes to the zeros; nobody else writes it, since
        the write lock is ours. A log whose size is a round number has not outgrown what was reserved.
        """
        with contextlib.suppress(OSError):  # without room to spare the commit itself will tell, or succeed
            if self._log is None:  # SQLite keeps the file while a connection to it is open, and ours is
                self._log = os.open(self._log_path, os.O_WRONLY | os.O_CLOEXEC)
            size = os.fstat(self._log).st_size
            if size % _WAL_CHUNK:
                os.pwrite(self._log, bytes(_WAL_CHUNK - size % _WAL_CHUNK), size)

    def close(self) -> None:
        """Roll back what is open, and give the connection back."""
        log, self._log = self._log, None
        if log is not None:
            os.close(log)
        self.connection.close()


_ERRORS = (sa.exc.DatabaseError, sqlite3.Error, OSError)
_ENVIRONMENT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ENOENT)


@contextlib.contextmanager
def open_read_only(path: Path) -> Iterator[sa.Engine]:
    """Give an engine on somebody's store file that cannot change it, nor what lies beside it: for audits of handed-in files.

    Whoever reads a write-ahead log has to write an index of it. Where nothing can be written, a copy of both is read instead.
    """
    logs = [log for log in (path.with_name(path.name + end) for end in ("-wal", "-journal")) if log.exists()]
    with tempfile.TemporaryDirectory() if logs and not os.access(path.parent, os.W_OK) else contextlib.nullcontext() as elsewhere:
        if elsewhere is not None:
            for file in (path, *logs):
                shutil.copyfile(file, Path(elsewhere) / file.name)
            path = Path(elsewhere) / path.name
        # Without a log nobody has it open, and so nobody changes it while it is read.
        engine = _engine(path, mode="ro" if logs else "ro&immutable=1")
        try:
            yield engine
        finally:
            engine.dispose()


def _engine(path: Path, *, mode: str = "rwc") -> sa.Engine:
    uri, read_only = f"{path.absolute().as_uri()}?mode={mode}", mode != "rwc"

    def connect() -> sqlite3.Connection:
        # isolation_level=None leaves BEGIN to us; the pool hands one connection to one thread at a time.
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool)

    @sa_event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        if not read_only:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except UnicodeDecodeError:  # of SQLite's own complaint, which quotes the schema
                raise sqlite3.DatabaseError("malformed database schema") from None
            # FULL: with NORMAL, WAL may lose the last acknowledged commits at a power cut.
            connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa_event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        kind = connection.get_execution_options().get("thunderlab_begin", "DEFERRED")
        if kind is not None:
            _plain(connection).execute(f"BEGIN {kind}")

    return engine


def insert(connection: sa.Connection, into: str, width: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of `width` values; `into` is the statement as far as VALUES."""
    _plain(connection).executemany(f"{into} ({', '.join('?' * width)})", rows)


def first_row(connection: sa.Connection, statement: str) -> tuple[Any, ...] | None:
    """Return the first row of a statement, None when there is none."""
    row: tuple[Any, ...] | None = _plain(connection).execute(statement).fetchone()
    return row


def _plain(connection: sa.Connection) -> sqlite3.Connection:
    """Return the driver's own connection: on a commit of a row SQLAlchemy's way to a statement costs more than the statement."""
    plain: Any = connection.connection.dbapi_connection
    assert isinstance(plain, sqlite3.Connection)
    return plain


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
