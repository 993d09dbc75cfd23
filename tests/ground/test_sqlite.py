"""The store in a SQLite file: its durability, its log, a full disk, files that are no stores."""

import os
import resource
import shutil
import signal
import sqlite3

import pytest
import sqlalchemy as sa

from tests.ground.test_store import COUNTERS
from thunderlab import store
from thunderlab.errors import EnvironmentBlockedError
from thunderlab.store import Store


def test_durability_is_what_the_house_promises(tmp_path, make_store):
    with make_store(tmp_path / "lab.db").read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_a_full_disk_is_exit_3_and_the_store_stays_sound(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(EnvironmentBlockedError), opened.write() as connection:
            connection.execute(COUNTERS.insert(), [{"id": number, "value": 1} for number in range(200_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with opened.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(COUNTERS)).scalar_one() == 0
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_what_is_no_store_is_left_alone(tmp_path):
    path = tmp_path / "lab.db"
    path.write_bytes(b"this is no database" * 500)
    with pytest.raises(EnvironmentBlockedError, match="not a thunderlab store"):
        Store(path)
    assert path.read_bytes() == b"this is no database" * 500


def test_a_read_only_engine_cannot_write(tmp_path, make_store):
    make_store(tmp_path / "lab.db")
    with (
        store.open_read_only(tmp_path / "lab.db") as engine,
        engine.connect() as connection,
        pytest.raises(sa.exc.OperationalError, match="readonly"),
    ):
        connection.execute(sa.text("UPDATE store_schema SET version = 2"))


@pytest.mark.parametrize("log", [False, True])
def test_a_file_is_read_where_nothing_can_be_written_and_nothing_is_left_beside_it(tmp_path, make_store, monkeypatch, log):
    opened = make_store(tmp_path / "lab.db")
    _write(opened, range(5))
    if not log:
        opened.close()
    place = tmp_path / "closed"
    place.mkdir()
    for name in ("lab.db", "lab.db-wal") if log else ("lab.db",):
        shutil.copy(tmp_path / name, place)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    assert len(before) == 1 + log
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    place.chmod(0o555)
    with store.open_read_only(place / "lab.db") as engine, engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(COUNTERS)).scalar_one() == 5
        assert {file.name for file in place.iterdir()} == set(before)
    place.chmod(0o755)
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before


def _write(opened, numbers):
    for number in numbers:
        with opened.write() as connection:
            connection.execute(COUNTERS.insert().values(id=number, value=number))


def test_the_log_is_reserved_in_chunks_and_means_the_same(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    sizes = set()
    for number in range(1, 201):
        _write(opened, [number])
        sizes.add((tmp_path / "lab.db-wal").stat().st_size)
    # The file grew some few times instead of at each of 200 commits, each of which writes a page at least.
    assert len(sizes) <= 2 * (200 * 4120 // (256 * 1024) + 2)
    # What a crash leaves is file and log, without the memory that processes share: SQLite reads the log anew.
    (tmp_path / "copy").mkdir()
    for name in ("lab.db", "lab.db-wal"):
        shutil.copy(tmp_path / name, tmp_path / "copy" / name)
    assert (tmp_path / "copy" / "lab.db-wal").read_bytes().endswith(bytes(4096))
    with sqlite3.connect(tmp_path / "copy" / "lab.db") as plain:
        assert [row[0] for row in plain.execute("SELECT id FROM test_counters ORDER BY id")] == list(range(1, 201))
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_a_log_that_starts_anew_is_still_read_right(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    for turn in range(4):
        _write(opened, range(1000 * turn, 1000 * turn + 30))
        with sqlite3.connect(tmp_path / "lab.db", isolation_level=None) as plain:
            plain.execute("PRAGMA wal_checkpoint(RESTART)" if turn % 2 else "PRAGMA wal_checkpoint(TRUNCATE)")
        plain.close()
    expected = [1000 * turn + number for turn in range(4) for number in range(30)]
    for reader in (opened, make_store(tmp_path / "lab.db")):
        with reader.read() as connection:
            assert connection.execute(sa.select(COUNTERS.c.id).order_by(COUNTERS.c.id)).scalars().all() == expected


def test_no_room_to_reserve_is_no_reason_not_to_commit(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    _write(opened, [1])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    written = (tmp_path / "lab.db-wal").read_bytes().rstrip(b"\0")
    room = len(written) + 40_000  # for the commit itself, and for less than what is reserved
    assert room < (tmp_path / "lab.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        _write(opened, [2, 3])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    with opened.read() as connection:
        assert connection.execute(sa.select(COUNTERS.c.id)).scalars().all() == [1, 2, 3]


def test_streaming_rows_takes_no_memory(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    with opened.read() as connection:
        rows = connection.exec_driver_sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n")
        assert sum(row[0] for row in rows) == 50000 * 50001 // 2
