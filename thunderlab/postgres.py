"""The store on a PostgreSQL server: one database schema that any number of machines share.

Writers queue at an advisory lock, which PostgreSQL hands on in the order of asking and takes back when a connection ends
(https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Readers have a snapshot and never wait.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from thunderlab.errors import BusyError, EnvironmentBlockedError, InputError
from thunderlab.locks import PATIENCE_S
from thunderlab.workspace import DATABASE_VARIABLE, SCHEMES

_CONNECT_S = 10.0
# A statement has at most 32767 of them (the protocol counts them in 16 bits); more than some thousands gain nothing.
_MOST_PARAMETERS = 6000
_OPTIONS = ("host", "options", "sslmode", "sslrootcert")
_TLS = ("disable", "prefer", "require", "verify-full")
# Advisory locks are numbers that all programs of a database share: ours start with these bytes and end with the schema's number.
_LOCK_FAMILY = int.from_bytes(b"tlab") << 32

# `on` at least: an acknowledged commit is on disk. A lost client is noticed within two minutes, since it may hold the lock.
_SESSION = """
    SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
        set_config('tcp_keepalives_idle', '60', false), set_config('tcp_keepalives_interval', '10', false),
        set_config('tcp_keepalives_count', '6', false)
"""
_HOLDER = """
    SELECT activity.pid, activity.application_name FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32) + objid::bigint = {key}
"""


class Postgres:
    """A schema of a PostgreSQL database, open.

    Args:
        url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, as `parse` takes it. The schema is the first one of the search path.

    Attributes:
        place: the address without its password, for messages.
    """

    name = "PostgreSQL"

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        parsed = parse(url)
        self.place = sa.URL.create(
            parsed.drivername, parsed.username, None, parsed.host, parsed.port, parsed.database, parsed.query
        ).render_as_string()
        self._patience_s = patience_s
        self._engine = _engine(parsed)
        self._key: int | None = None

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection inside one write transaction: committed durably at the end of the block, rolled back on any error."""
        with self._translated(), self._engine.connect() as connection:
            if self._key is None:
                self._key = self._schema_key()
            with connection.execution_options(thunderlab_begin="").begin():
                self._lock(connection, self._key)
                yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection inside one read transaction: a consistent snapshot that no writer disturbs."""
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    def version(self) -> str:
        """Return the server's version."""
        with self.read() as connection:
            return str(connection.exec_driver_sql("SHOW server_version").scalar_one())

    def writer(self) -> str | None:
        """Return who is writing now, None when nobody is."""
        with self._translated():
            return self._holder(self._schema_key())

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def _lock(self, connection: sa.Connection, key: int) -> None:
        """Wait for the turn to write; each statement after it sees what those before committed."""
        milliseconds = max(int(self._patience_s * 1000), 1)
        try:
            connection.exec_driver_sql(
                f"SET LOCAL lock_timeout = {milliseconds}; SELECT pg_advisory_xact_lock({key}); SET LOCAL lock_timeout = DEFAULT"
            )
        except sa.exc.DBAPIError as error:
            if _state(error) != "55P03":
                raise
            raise BusyError(
                f"held by {self._holder(key) or 'another process'} for more than {self._patience_s:g} s; wait for it or end it",
                where=self.place,
            ) from error

    def _holder(self, key: int) -> str | None:
        with self._engine.connect() as connection, connection.begin():
            row = connection.exec_driver_sql(_HOLDER.format(key=key)).first()
        return f"{row[1] or 'another program'} (server process {row[0]})" if row is not None else None

    def _schema_key(self) -> int:
        with self._engine.connect() as connection, connection.begin():
            number = connection.exec_driver_sql("SELECT oid::bigint FROM pg_namespace WHERE nspname = current_schema()").scalar()
        if number is None:
            raise EnvironmentBlockedError("no schema of its search path exists; create one, or name one that does", where=self.place)
        return _LOCK_FAMILY | int(number)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn the server's complaints into errors that say what to do."""
        try:
            yield
        except sa.exc.DBAPIError as error:
            state = _state(error)
            if state is None or state.startswith(("08", "57P")):
                self._engine.dispose()  # the other connections of this process are as dead; the next use makes new ones
            raise EnvironmentBlockedError(_advice(error, state), where=self.place) from error
        except (ConnectionError, TimeoutError, socket.gaierror, FileNotFoundError) as error:
            raise EnvironmentBlockedError(f"{_UNREACHABLE} ({error.strerror or error})", where=self.place) from error
        except sa.exc.TimeoutError as error:
            raise BusyError("all connections of this process are in use; end some of its work first", where=self.place) from error


def insert(connection: sa.Connection, into: str, width: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of `width` values; `into` is the statement as far as VALUES. Many go into one: each is a question and an answer."""
    one, most = f"({', '.join(['%s'] * width)})", _MOST_PARAMETERS // width
    for start in range(0, len(rows), most):
        some = rows[start : start + most]
        connection.exec_driver_sql(f"{into} {', '.join([one] * len(some))}", tuple(value for row in some for value in row))


def parse(url: str) -> sa.URL:
    """Return a checked address of a database.

    >>> parse("postgres://ann@db.example/lab").host
    'db.example'

    Args:
        url: with `postgresql://` or `postgres://`; after `?` there may be `host=FOLDER` (of a Unix socket), `options=-csearch_path=SCHEMA`,
            `sslmode=` one of disable, prefer (when nothing is said), require, verify-full, and `sslrootcert=FILE`.

    Raises:
        InputError: it is none; the message names the variable and repeats no password.
    """
    try:
        parsed = sa.make_url(url)
        port = parsed.port
    except (sa.exc.ArgumentError, ValueError):
        raise _wrong(f"is not an address of a database; expected {SCHEMES[0]}USER:PASSWORD@HOST:PORT/DATABASE") from None
    if parsed.drivername not in ("postgresql", "postgres"):
        raise _wrong(f"expected {' or '.join(SCHEMES)}, not {parsed.drivername}://")
    if not parsed.database:
        raise _wrong("names no database; expected one behind the host, as in postgresql://host/lab")
    if port is not None and not 0 < port < 65536:
        raise _wrong("has no such port; expected 1 to 65535")
    for name, value in parsed.query.items():
        if name not in _OPTIONS or not isinstance(value, str):
            raise _wrong(f"{name!r} is not understood, or given twice; accepted are {', '.join(_OPTIONS)}")
    if parsed.query.get("sslmode", "prefer") not in _TLS:
        raise _wrong(f"expected sslmode to be one of {', '.join(_TLS)}")
    return parsed.set(drivername="postgresql")


def _wrong(what: str) -> InputError:
    return InputError(what, where=DATABASE_VARIABLE)


def _engine(url: sa.URL) -> sa.Engine:
    def connect() -> Any:
        from pg8000 import dbapi

        # The driver would leave a socket of its own open when the server says no.
        with contextlib.ExitStack() as opened:
            line = opened.enter_context(_socket(url))
            made = dbapi.connect(sock=line, **_arguments(url))
            opened.pop_all()
        # The driver would begin a transaction of its own choice; ours are begun below.
        made.autocommit = True
        return made

    # A server that was restarted is noticed before a connection is used, not by its user.
    engine = sa.create_engine("postgresql+pg8000://", creator=connect, pool_pre_ping=True)

    @sa_event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(_SESSION)
        cursor.close()

    @sa_event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        kind = connection.get_execution_options().get("thunderlab_begin", "ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.exec_driver_sql(f"BEGIN {kind or 'ISOLATION LEVEL READ COMMITTED READ WRITE'}")

    return engine


def _arguments(url: sa.URL) -> dict[str, Any]:
    """Return what the driver is told."""
    query = {name: str(value) for name, value in url.query.items()}
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])[:30]
    told: dict[str, Any] = {
        "user": url.username or getpass.getuser(),
        "password": url.password or os.environ.get("PGPASSWORD", ""),
        "database": url.database,
        "application_name": f"pid {os.getpid()} ({command}) on {socket.gethostname()}"[:63],
        "ssl_context": _tls(query),
        "host": url.host or "localhost",  # the name a certificate must be for
    }
    if "options" in query:
        told["startup_params"] = {"options": query["options"]}
    return told


def _socket(url: sa.URL) -> socket.socket:
    """Return a connected socket; a folder as host means the Unix socket in it."""
    host, port = str(url.query.get("host") or url.host or "localhost"), url.port or 5432
    if not host.startswith("/"):
        made = socket.create_connection((host, port), _CONNECT_S)
        made.settimeout(None)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return made
    made = socket.socket(socket.AF_UNIX)
    try:
        made.connect(f"{host}/.s.PGSQL.{port}")
    except BaseException:
        made.close()
        raise
    return made


def _tls(query: dict[str, str]) -> Any:
    if query.get("host", "").startswith("/"):
        return False
    mode = query.get("sslmode", "prefer")
    if mode == "verify-full" or "sslrootcert" in query:
        import ssl

        return ssl.create_default_context(cafile=query.get("sslrootcert"))
    return {"disable": False, "prefer": None, "require": True}[mode]


def _said(error: sa.exc.DBAPIError) -> dict[str, str]:
    """Return what the server said, field by field; empty when it was the connection that failed.

    A server that says no hangs up, and the driver may run into that while it still deals with what was said.
    """
    reason: BaseException | None = error.orig
    while reason is not None:
        if reason.args and isinstance(reason.args[0], dict):
            return reason.args[0]
        reason = reason.__context__
    return {}


def _state(error: sa.exc.DBAPIError) -> str | None:
    """Return the five letters by which PostgreSQL names what is wrong; None when it was the connection."""
    return _said(error).get("C")


def _advice(error: sa.exc.DBAPIError, state: str | None) -> str:
    """Return the server's complaint with what to do about it; codes of https://www.postgresql.org/docs/current/errcodes-appendix.html."""
    if state is None:
        return f"{_UNREACHABLE} ({error.orig})"
    complaint = _said(error).get("M", state)
    advice = next((advice for signs, advice in _ADVICE if state.startswith(signs)), None)
    return f"{advice} ({complaint})" if advice is not None else f"the server refused ({state}: {complaint})"


_UNREACHABLE = (
    f"the server cannot be reached, or went away; start it, or check {DATABASE_VARIABLE}, and try again: nothing acknowledged was lost"
)
_ADVICE = (
    (("28",), f"the server does not let us in; check user and password in {DATABASE_VARIABLE}"),
    (("3D000",), f"there is no such database; create it with createdb, or check {DATABASE_VARIABLE}"),
    (("3F000",), "there is no such schema; create it, or check the search path"),
    (("42501",), "the user may not do that; let the database's owner grant it CREATE and USAGE on the schema"),
    (("25006",), "the server can only be read: a standby, or set to read only; name the primary"),
    (("53100",), "the server's disk is full; free some space there and try again, nothing acknowledged was lost"),
    (("53300",), "the server has no connection left; close some programs, or raise max_connections there"),
    (("53", "54"), "the server reached a limit; look at its log and try again"),
    (("57P03",), "the server is starting or stopping; try again in a moment"),
    (("57P", "08"), "the server was shut down or dropped the connection; try again once it runs: nothing acknowledged was lost"),
    (("40", "55P03"), "another program is in the way; try again"),
    (("58", "XX"), "the server or its disk failed; look at its log"),
)
