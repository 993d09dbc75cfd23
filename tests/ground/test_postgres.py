"""The store on PostgreSQL: what a server can do to its clients, and clients to each other."""

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc

import pytest
import sqlalchemy as sa

from tests import postgres as servers
from tests.conftest import ROOT
from tests.ground.test_store import CONTENTS, COUNT, COUNTERS
from thunderlab import postgres, workspace
from thunderlab.errors import BusyError, EnvironmentBlockedError, InputError
from thunderlab.postgres import Postgres, parse
from thunderlab.store import Store, insert_rows

HIDDEN = "hunter2"


@pytest.fixture
def own_server():
    """A server that a test may stop and kill."""
    place = servers.binaries()
    if place is None:
        pytest.skip(servers.MISSING)
    server = servers.Server(place)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/lab", "expected postgresql:// or postgres://"),
        (f"postgresql://ann:{HIDDEN}@host", "names no database"),
        (f"postgresql://ann:{HIDDEN}@host:port/lab", "is not an address"),
        (f"postgresql://ann:{HIDDEN}@host:99999/lab", "no such port"),
        (f"postgresql://ann:{HIDDEN}@host/lab?sslmode=maybe", "sslmode"),
        (f"postgresql://ann:{HIDDEN}@host/lab?colour=red", "'colour' is not understood"),
        (f"postgresql://ann:{HIDDEN}@host/lab?host=/a&host=/b", "given twice"),
        ("sqlite:///lab.db", "expected postgresql:// or postgres://"),
        (f"{HIDDEN}", "is not an address"),
    ],
)
def test_a_wrong_address_is_bad_input_and_its_password_is_not_repeated(url, said):
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        parse(url)
    assert str(caught.value).startswith("THUNDERLAB_DATABASE_URL: ") and HIDDEN not in str(caught.value)


def test_the_command_line_refuses_a_wrong_address_before_it_makes_anything(cli_process, tmp_path):
    for url in (f"mysql://ann:{HIDDEN}@host/lab", f"postgresql://ann:{HIDDEN}@host"):
        ran = cli_process("ledger", "head", env={workspace.DATABASE_VARIABLE: url})
        assert ran.code == 2 and ran.stdout == "" and HIDDEN not in ran.stderr
        assert ran.stderr.startswith("error: THUNDERLAB_DATABASE_URL: ") and len(ran.stderr.splitlines()) == 1
    assert not (tmp_path / "workspace").exists()


def test_a_server_that_is_not_there_is_exit_3(cli_process):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        url = f"postgresql://ann:{HIDDEN}@127.0.0.1:{taken.getsockname()[1]}/lab"
        ran = cli_process("ledger", "head", env={workspace.DATABASE_VARIABLE: url})
    assert ran.code == 3 and ran.stdout == "" and HIDDEN not in ran.stderr
    assert "the server cannot be reached" in ran.stderr and "THUNDERLAB_DATABASE_URL" in ran.stderr and len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"database": "nothing"}, "no such database"),
        ({"user": "locked"}, "does not let us in"),
        ({"user": "stranger"}, "does not let us in"),
        ({"schema": "nothing"}, "no schema of its search path"),
        ({"user": "poor"}, "may not do that"),
    ],
)
def test_what_the_server_refuses_says_what_to_do(postgres_server, changed, said):
    postgres_server.execute(
        "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'x'; CREATE ROLE poor LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    with pytest.raises(EnvironmentBlockedError, match=said) as caught:
        Store(
            postgres_server.url(**{"schema": "pg_temp_none,public" if changed.get("user") else "public", **changed}).replace(
                "tester@", f"tester:{HIDDEN}@"
            )
        )
    assert HIDDEN not in str(caught.value)


def test_a_password_lets_in_and_is_never_shown(postgres_server):
    postgres_server.execute("CREATE ROLE known LOGIN PASSWORD 'hunter2' SUPERUSER")
    (postgres_server.folder / "data" / "pg_hba.conf").write_text("local all known scram-sha-256\nlocal all all trust\n")
    postgres_server.execute("SELECT pg_reload_conf()")
    url = postgres_server.fresh().replace("tester@", f"known:{HIDDEN}@")
    opened = Store(url)
    assert HIDDEN not in opened.place and "known@" in opened.place
    opened.close()


def test_commits_are_durable_whatever_the_servers_setting(postgres_server, postgres_url, make_store):
    assert postgres_server.execute("SHOW synchronous_commit") == [("off",)]
    opened = make_store(postgres_url)
    for use in (opened.write, opened.read):
        with use() as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_reader_cannot_write(postgres_url, make_store):
    with pytest.raises(EnvironmentBlockedError, match="can only be read"), make_store(postgres_url).read() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=1))


def test_a_writer_that_stays_is_named(postgres_url, make_store):
    holder, other = make_store(postgres_url), Postgres(postgres_url, patience_s=0.1)
    with holder.write() as connection:
        number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with pytest.raises(BusyError, match=f"held by pid {os.getpid()} .*server process {number}.* more than 0.1 s"), other.write():
            pass
    with other.write() as connection:
        assert connection.exec_driver_sql("SHOW lock_timeout").scalar() == "0"
    other.close()


def test_two_labs_of_one_database_do_not_wait_for_each_other(postgres_server, make_store):
    first, second = make_store(postgres_server.fresh()), Postgres(postgres_server.fresh(), patience_s=0.1)
    with first.write(), second.write():
        pass
    second.close()


def _add_many(url, rows, go):
    opened = Store(url)
    go.wait()
    for _ in range(rows):
        with opened.write() as connection:
            newest = connection.execute(sa.select(sa.func.max(COUNTERS.c.id))).scalar() or 0
            connection.execute(COUNTERS.insert().values(id=newest + 1, value=os.getpid()))
    opened.close()


def test_many_processes_add_to_one_row_of_numbers(postgres_url, make_store):
    spawn = multiprocessing.get_context("spawn")
    go = spawn.Barrier(6)
    workers = [spawn.Process(target=_add_many, args=(postgres_url, 30, go)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with make_store(postgres_url).read() as connection:
        found = connection.execute(sa.select(COUNTERS).order_by(COUNTERS.c.id)).all()
    assert [row.id for row in found] == list(range(1, 181))
    # Served in turns: each of the six is among any eighteen rows that were written while all were at it.
    assert min(len({row.value for row in found[start : start + 18]}) for start in range(20, 120)) >= 4


def test_a_lost_connection_is_said_and_the_next_use_works(postgres_server, postgres_url, make_store):
    opened = make_store(postgres_url)
    with pytest.raises(EnvironmentBlockedError, match="nothing acknowledged was lost"), opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=1))
        postgres_server.execute(f"SELECT pg_terminate_backend({connection.exec_driver_sql('SELECT pg_backend_pid()').scalar()})")
        connection.execute(COUNTERS.insert().values(id=2, value=2))
    with opened.write() as connection:
        assert connection.execute(COUNT).scalar_one() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_restarted_in_the_middle(own_server, how):
    opened = Store(own_server.fresh())
    with opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=1, value=1))
    with pytest.raises(EnvironmentBlockedError, match="try again"), opened.write() as connection:
        connection.execute(COUNTERS.insert().values(id=2, value=2))
        own_server.stop(how)
    with pytest.raises(EnvironmentBlockedError, match="cannot be reached"), opened.read():
        pass
    own_server.start()
    # What was acknowledged is there, what was not is not, and no connection of before is tried again.
    with opened.write() as connection:
        assert connection.execute(sa.select(COUNTERS.c.id)).scalars().all() == [1]
        connection.execute(COUNTERS.insert().values(id=3, value=3))
    own_server.stop()
    own_server.start()
    with opened.read() as connection:
        assert connection.execute(sa.select(COUNTERS.c.id)).scalars().all() == [1, 3]
    opened.close()


def test_a_killed_writer_lets_the_next_one_in(postgres_url, make_store):
    opened = make_store(postgres_url)
    program = (
        "import sys, time\nfrom tests.ground.test_store import COUNTERS, Store\n"
        f"with Store({postgres_url!r}).write() as connection:\n"
        "    connection.execute(COUNTERS.insert().values(id=1, value=1))\n    print('in', flush=True)\n    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "in\n"
    came = threading.Event()

    def enter():
        with opened.write() as connection:
            assert connection.execute(COUNT).scalar_one() == 0
            came.set()

    waiting = threading.Thread(target=enter)
    waiting.start()
    time.sleep(0.2)
    assert not came.is_set()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    waiting.join(20)
    assert came.is_set()


def test_two_hundred_thousand_rows_stream_in_flat_memory(postgres_url, make_store):
    opened = make_store(postgres_url)
    with opened.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO test_contents SELECT i, repeat('x', 100), '\\x00'::bytea, NULL FROM generate_series(1, 200000) AS i"
        )
    query = sa.text("SELECT id, text, bytes FROM test_contents ORDER BY id")
    with opened.read() as connection:
        tracemalloc.start()
        try:
            rows = connection.execution_options(stream_results=True, yield_per=500).execute(query)
            assert sum(row[0] for row in rows) == 200_000 * 200_001 // 2
            assert tracemalloc.get_traced_memory()[1] < 3_000_000  # all rows at once are some 80 MB
        finally:
            tracemalloc.stop()


def test_a_large_insert_is_cut_into_statements(postgres_url, make_store, monkeypatch):
    monkeypatch.setattr(postgres, "_MOST_PARAMETERS", 8)
    opened = make_store(postgres_url)
    with opened.write() as connection:
        insert_rows(connection, CONTENTS, [(number, "t", b"b", None) for number in range(7)])
        assert connection.execute(sa.select(CONTENTS.c.id).order_by(CONTENTS.c.id)).scalars().all() == list(range(7))
