"""Locks and the store: several processes, a killed holder, a full disk, files that are no stores."""

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest
import sqlalchemy as sa

from thunderlab import locks, store
from thunderlab.errors import BusyError, EnvironmentBlockedError
from thunderlab.store import Store

COUNTERS = sa.Table(
    "test_counters", store.METADATA, sa.Column("id", sa.Integer, primary_key=True), sa.Column("value", sa.Integer, nullable=False)
)


def _hold(path, ready, seconds):
    with locks.held(path):
        ready.set()
        time.sleep(seconds)


@pytest.fixture
def make_store():
    """Open stores that are closed when the test ends."""
    opened = []

    def make(path):
        opened.append(Store(path))
        return opened[-1]

    yield make
    for store_ in opened:
        store_.close()


def _count(path, rounds):
    opened = Store(path)
    for _ in range(rounds):
        with opened.write() as connection:
            value = connection.execute(sa.select(COUNTERS.c.value)).scalar_one()
            connection.execute(COUNTERS.update().values(value=value + 1))
    opened.close()


@pytest.fixture
def spawn():
    return multiprocessing.get_context("spawn")


def test_a_lock_that_stays_held_says_by_whom(tmp_path, spawn):
    ready = spawn.Event()
    process = spawn.Process(target=_hold, args=(tmp_path / "x.lock", ready, 30))
    process.start()
    assert ready.wait(30)
    try:
        with pytest.raises(BusyError, match=f"pid {process.pid} "), locks.held(tmp_path / "x.lock", patience_s=0.1):
            pass
        assert f"pid {process.pid} " in (locks.holder(tmp_path / "x.lock") or "")
    finally:
        process.kill()
        process.join()
    # The operating system released it with the process.
    with locks.held(tmp_path / "x.lock", patience_s=5):
        assert True
    assert locks.holder(tmp_path / "x.lock") is None


def test_threads_exclude_each_other(tmp_path):
    inside, most = [], []

    def enter():
        with locks.held(tmp_path / "x.lock"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1 and len(most) == 8


def test_processes_never_lose_an_update(tmp_path, spawn, make_store):
    path = tmp_path / "lab.db"
    opened = make_store(path)
    with opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))
    workers = [spawn.Process(target=_count, args=(path, 25)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with opened.read() as connection:
        assert connection.execute(sa.select(COUNTERS.c.value)).scalar_one() == 75


def test_several_processes_may_create_the_store_at_once(tmp_path, spawn):
    workers = [spawn.Process(target=_count, args=(tmp_path / "lab.db", 0)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]


def test_a_failed_block_leaves_nothing(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    with pytest.raises(RuntimeError), opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=0))
        raise RuntimeError
    with opened.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(COUNTERS)).scalar_one() == 0


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    count = sa.select(sa.func.count()).select_from(COUNTERS)
    with opened.read() as reader:
        assert reader.execute(count).scalar_one() == 0
        with opened.write() as writer:
            writer.execute(COUNTERS.insert().values(id=1, value=0))
        assert reader.execute(count).scalar_one() == 0
    with opened.read() as reader:
        assert reader.execute(count).scalar_one() == 1


def test_durability_is_what_the_house_promises(tmp_path, make_store):
    with make_store(tmp_path / "lab.db").read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_kill_9_loses_nothing_acknowledged(tmp_path, make_store):
    program = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(os.getcwd())!r})
        from pathlib import Path
        from tests.ground.test_locks_and_store import COUNTERS, Store
        opened = Store(Path({str(tmp_path / "lab.db")!r}))
        for number in range(1, 100_000):
            with opened.write() as connection:
                connection.execute(COUNTERS.insert().values(id=number, value=number))
            print(number, flush=True)
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 40:
            process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with make_store(tmp_path / "lab.db").read() as connection:
        found = connection.execute(sa.select(COUNTERS.c.id).order_by(COUNTERS.c.id)).scalars().all()
    assert acknowledged >= 40
    assert found[:acknowledged] == list(range(1, acknowledged + 1))


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


def test_a_store_of_another_version_is_refused(tmp_path, make_store):
    opened = make_store(tmp_path / "lab.db")
    with opened.write() as connection:
        connection.execute(sa.text("UPDATE store_schema SET version = 99"))
    with pytest.raises(EnvironmentBlockedError, match="schema version 99"):
        Store(tmp_path / "lab.db")


def test_a_read_only_engine_cannot_write(tmp_path, make_store):
    make_store(tmp_path / "lab.db")
    engine = store.open_read_only(tmp_path / "lab.db")
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text("UPDATE store_schema SET version = 2"))
    engine.dispose()
