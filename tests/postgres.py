"""A real PostgreSQL server for tests: made from the system's own binaries in a folder of its own, gone when the tests end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from urllib.parse import quote

from pg8000 import dbapi

MISSING = "no PostgreSQL server on this machine: Debian and Ubuntu have it in the package postgresql"
_START_S = 60.0


def binaries() -> Path | None:
    """Return the folder that holds initdb and postgres; Debian keeps it off the path."""
    places = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: -float(place.parent.name))
    return next((place for place in places if all((place / name).is_file() for name in ("initdb", "postgres"))), None)


class Server:
    """One server on a Unix socket that only this test run knows. PostgreSQL refuses to run as root: then it runs as another user.

    Args:
        bin: where its programs are.
    """

    def __init__(self, bin: Path) -> None:
        self._bin = bin
        self._numbers = count()
        self._user = _unprivileged()
        # Not under pytest's own folders: they are closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="thunderlab-pg-"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make an empty database cluster."""
        # A collation of a language: what is sorted by the database and what is sorted by Python then differ where they can.
        made = self._run("initdb", "--locale-provider=icu", "--icu-locale=en", "--locale=C.UTF-8")
        if made.returncode != 0:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            made = self._run("initdb", "--locale=C.UTF-8")
        assert made.returncode == 0, made.stderr
        (self.folder / "data" / "pg_hba.conf").write_text("local all locked scram-sha-256\nlocal all all trust\n")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            # A power cut is not what these tests are about; a killed server loses nothing by this.
            "fsync": "off",
            "shared_buffers": "32MB",
            "max_connections": "60",
            # What the store must not take over from a careless server.
            "synchronous_commit": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "data", *options], stdout=log, stderr=log, cwd="/", **self._as_user()
            )
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self.execute("SELECT 1")
            except dbapi.Error:
                assert self._process.poll() is None and time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT ends every connection, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_S)
            self._process = None

    def remove(self) -> None:
        """Stop the server and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.folder)

    def url(self, *, schema: str = "public", database: str = "postgres", user: str = "tester") -> str:
        """Return an address as a user would write it."""
        return f"postgresql://{user}@/{database}?host={self.folder}&options={quote(f'-csearch_path={schema}')}"

    def fresh(self) -> str:
        """Return the address of a schema that nobody has used."""
        schema = f"lab_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {schema}")
        return self.url(schema=schema)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run one statement as the server's owner, apart from the code that is tested."""
        connection = dbapi.connect("tester", database="postgres", unix_sock=f"{self.folder}/.s.PGSQL.5432", ssl_context=False)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def _run(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [str(self._bin / name), "-D", str(self.folder / "data"), "-U", "tester", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        return subprocess.run([*command, *options], capture_output=True, text=True, cwd="/", **self._as_user())

    def _as_user(self) -> dict[str, object]:
        return {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom to run the server as when we are root, None when we are not."""
    if os.geteuid() != 0:
        return None
    there = {entry.pw_name: entry for entry in pwd.getpwall()}
    return there.get("postgres") or there["nobody"]
