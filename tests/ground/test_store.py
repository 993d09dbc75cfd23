"""The store, the same on SQLite and on PostgreSQL: several processes, killed writers, snapshots, another version's store."""

import multiprocessing
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import ROOT
from thunderlab import store
from thunderlab.errors import EnvironmentBlockedError
from thunderlab.store import Store, insert_rows

COUNTERS = sa.Table(
    "test_counters", store.METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", sa.Integer, nullable=False)
)
CONTENTS = sa.Table(
    "test_contents",
    store.METADATA,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
    sa.Column("share", sa.Float),
)
COUNT = sa.select(sa.func.count()).select_from(COUNTERS)


@pytest.fixture
def spawn():
    return multiprocessing.get_context("spawn")


def _count(place, rounds):
    opened = Store(place)
    for _ in range(rounds):
        with opened.write() as connection:
            value = connection.execute(sa.select(COUNTERS.c.value)).scalar_one()
            connection.execute(COUNTERS.update().values(value=value + 1))
    opened.close()


def _joined(workers):
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [worker.exitcode for worker in workers]


def test_processes_never_lose_an_update(store_place, spawn, make_store):
    opened = make_store(store_place)
    with opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))
    assert _joined([spawn.Process(target=_count, args=(store_place, 25)) for _ in range(3)]) == [0, 0, 0]
    with opened.read() as connection:
        assert connection.execute(sa.select(COUNTERS.c.value)).scalar_one() == 75


def test_threads_of_one_store_never_lose_an_update(store_place, make_store):
    opened = make_store(store_place)
    with opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))

    def add():
        for _ in range(10):
            with opened.write() as connection:
                value = connection.execute(sa.select(COUNTERS.c.value)).scalar_one()
                connection.execute(COUNTERS.update().values(value=value + 1))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with opened.read() as connection:
        assert connection.execute(sa.select(COUNTERS.c.value)).scalar_one() == 60


def test_several_processes_may_create_the_store_at_once(store_place, spawn, make_store):
    assert _joined([spawn.Process(target=_count, args=(store_place, 0)) for _ in range(4)]) == [0, 0, 0, 0]
    with make_store(store_place).read() as connection:
        assert connection.execute(sa.text("SELECT version FROM store_schema")).scalars().all() == [store.SCHEMA_VERSION]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_block_leaves_nothing(store_place, make_store, error):
    opened = make_store(store_place)
    with pytest.raises(error), opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))
        raise error
    with opened.read() as connection:
        assert connection.execute(COUNT).scalar_one() == 0
    with opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))
    with opened.read() as connection:
        assert connection.execute(COUNT).scalar_one() == 1


def test_a_row_that_may_not_be_leaves_nothing_and_says_so(store_place, make_store):
    opened = make_store(store_place)
    for insert in (
        lambda connection, rows: connection.execute(COUNTERS.insert(), [{"id": row[0], "value": row[1]} for row in rows]),
        lambda connection, rows: insert_rows(connection, COUNTERS, rows),
    ):
        with pytest.raises(EnvironmentBlockedError, match="(?i)unique"), opened.write() as connection:
            insert(connection, [(1, 1), (1, 2)])
        with opened.read() as connection:
            assert connection.execute(COUNT).scalar_one() == 0


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(store_place, make_store):
    opened = make_store(store_place)
    with opened.read() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
        with opened.write() as writer:
            writer.execute(COUNTERS.insert().values(id=1, value=0))
        assert reader.execute(COUNT).scalar_one() == 0
    with opened.read() as reader:
        assert reader.execute(COUNT).scalar_one() == 1


def test_what_is_inserted_comes_back_as_it_was(store_place, make_store):
    opened = make_store(store_place)
    rows = [
        (2**62, "grüße 🧪 'quoted' %s :name ?", bytes(range(256)), 0.1),
        (-5, "", b"", None),
        *((number, str(number), b"\x00" * (number % 7), number / 3) for number in range(4000)),
    ]
    with opened.write() as connection:
        insert_rows(connection, CONTENTS, rows)
        insert_rows(connection, CONTENTS, [])
    with opened.read() as connection:
        found = connection.execute(sa.select(CONTENTS).order_by(CONTENTS.c.id)).all()
        plain = connection.exec_driver_sql("SELECT id, text, bytes, share FROM test_contents ORDER BY id").fetchall()
    assert [tuple(row) for row in found] == sorted(rows)
    assert [tuple(row) for row in plain] == sorted(rows)


def test_kill_9_loses_nothing_acknowledged(store_place, make_store):
    make_store(store_place)
    program = textwrap.dedent(
        f"""
        from pathlib import Path, PosixPath
        from tests.ground.test_store import COUNTERS, Store
        opened = Store({store_place!r})
        for number in range(1, 100_000):
            with opened.write() as connection:
                connection.execute(COUNTERS.insert().values(id=2 * number, value=number))
                connection.execute(COUNTERS.insert().values(id=2 * number + 1, value=number))
            print(number, flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 40:
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    opened = make_store(store_place)
    # The next writer waits until the killed one is gone, which a server learns a moment later.
    with opened.write() as connection:
        found = connection.execute(sa.select(COUNTERS.c.id).order_by(COUNTERS.c.id)).scalars().all()
    assert acknowledged >= 40
    assert found[: 2 * acknowledged] == list(range(2, 2 * acknowledged + 2))
    assert len(found) % 2 == 0


@pytest.mark.parametrize("version", [1, 99])
def test_a_store_of_another_version_is_refused_and_left_as_it_is(store_place, make_store, version):
    opened = make_store(store_place)
    with opened.write() as connection:
        connection.execute(sa.text(f"UPDATE store_schema SET version = {version}"))
        connection.execute(sa.text("DROP TABLE test_counters"))
    with pytest.raises(EnvironmentBlockedError, match=f"schema version {version}"):
        Store(store_place)
    with opened.read() as connection:
        assert "test_counters" not in sa.inspect(connection).get_table_names()


def test_a_store_says_where_it_is_and_of_what_kind(store_place, make_store):
    opened = make_store(store_place)
    on_file = isinstance(store_place, Path)
    assert (opened.kind, opened.path) == (("SQLite", store_place) if on_file else ("PostgreSQL", None))
    assert str(opened.place).startswith(str(store_place) if on_file else "postgresql://")
