"""Locks: who is inside, in which order, for how long, and what remains of a holder or a waiter that was killed."""

import contextlib
import fcntl
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, heed_interrupts, interrupted
from thunderlab import locks
from thunderlab.errors import BusyError, EnvironmentBlockedError

SOURCE = Path(locks.__file__)


@pytest.fixture
def spawn():
    return multiprocessing.get_context("spawn")


def _hold(path, ready, seconds):
    with locks.held(path):
        ready.set()
        time.sleep(seconds)


def _take_turns(path, order, name, rounds, go):
    lock = locks.Lock(path)
    go.wait()
    for _ in range(rounds):
        with lock.held(), order.open("a") as told:
            told.write(f"{name}\n")
            told.flush()
            time.sleep(0.001)
    lock.close()


def _queued(path):
    """Return whether somebody stands in line, as the kernel tells of byte locks."""
    inode = path.stat().st_ino
    return sum(f":{inode} " in line and "OFDLCK" in line and "->" in line for line in Path("/proc/locks").read_text().splitlines())


def _until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


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


def test_the_lock_is_flock_whatever_the_queue_says(tmp_path):
    with locks.held(tmp_path / "x.lock"), (tmp_path / "x.lock").open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with (tmp_path / "x.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(BusyError), locks.held(tmp_path / "x.lock", patience_s=0.05):
            pass


def test_threads_exclude_each_other(tmp_path):
    inside, most = [], []

    def enter():
        with locks.held(tmp_path / "x.lock"):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            inside.pop()

    _together(enter, 8)
    assert max(most) == 1 and len(most) == 8


@pytest.mark.parametrize("shared", [True, False], ids=["one lock", "a lock each"])
def test_threads_come_in_the_order_they_asked(tmp_path, shared):
    lock, order = locks.Lock(tmp_path / "x.lock"), []

    def enter(number):
        with lock.held() if shared else locks.held(tmp_path / "x.lock"):
            order.append(number)

    waiting = []
    with lock.held():
        for number in range(6):
            waiting.append(threading.Thread(target=enter, args=(number,)))
            waiting[-1].start()
            _until(lambda at=number: len(lock._threads._there) == at + 2 if shared else _queued(tmp_path / "x.lock") == at)
            time.sleep(0.02)
    for thread in waiting:
        thread.join()
    lock.close()
    assert order == list(range(6))


def test_processes_take_turns(tmp_path, spawn):
    go, order = spawn.Barrier(4), tmp_path / "order"
    workers = [spawn.Process(target=_take_turns, args=(tmp_path / "x.lock", order, name, 60, go)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = order.read_text().split()
    assert sorted(told) == sorted("abcd" * 60)
    # As long as all four are at it nobody comes twice in a row, but for a process the machine had no time for.
    together = told[max(told.index(name) for name in "abcd") : min(len(told) - told[::-1].index(name) for name in "abcd")]
    again = sum(before == after for before, after in itertools.pairwise(together))
    assert again <= len(together) // 10


def test_a_waiter_that_is_killed_is_passed_over(tmp_path, spawn):
    path = tmp_path / "x.lock"
    came = []
    with locks.held(path):
        ready = spawn.Event()
        victim = spawn.Process(target=_hold, args=(path, ready, 0))
        victim.start()
        _until(lambda: b"0" * 19 + b"1" in path.read_bytes()[:20])

        def enter():
            with locks.held(path):
                came.append(1)

        behind = threading.Thread(target=enter)
        behind.start()
        _until(lambda: b"0" * 19 + b"2" in path.read_bytes()[:20])
        victim.kill()
        victim.join()
        # Its byte is free, so that the one behind stands first now; the lock is still ours.
        time.sleep(0.05)
        assert came == []
    behind.join(10)
    assert came == [1]


def test_who_gives_up_waiting_leaves_nothing_in_the_way(tmp_path):
    path, lock = tmp_path / "x.lock", locks.Lock(tmp_path / "x.lock")
    before = len(os.listdir("/proc/self/fd"))
    with locks.held(path):
        for _ in range(3):
            with pytest.raises(BusyError, match=f"pid {os.getpid()} "), lock.held(patience_s=0.02):
                pass
    _until(lambda: len(os.listdir("/proc/self/fd")) == before)
    with lock.held(patience_s=5):
        assert locks.holder(path) is not None
    assert locks.holder(path) is None
    lock.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "thunderlab-lock" and not _ended(thread)]


def test_a_thread_that_gives_up_lets_the_next_one_pass(tmp_path):
    lock, came = locks.Lock(tmp_path / "x.lock"), []

    def enter(patience_s):
        try:
            with lock.held(patience_s=patience_s):
                came.append(patience_s)
        except BusyError:
            came.append(None)

    with lock.held():
        threads = [threading.Thread(target=enter, args=(patience_s,)) for patience_s in (0.01, 30.0)]
        for thread in threads:
            thread.start()
        threads[0].join()
    threads[1].join()
    lock.close()
    assert came == [None, 30.0]


def test_the_queue_outlives_nonsense_in_its_file(tmp_path):
    path = tmp_path / "x.lock"
    for text in ("", "9" * 20, "not a number at all, but long", '{"pid": 1}', "\0" * 500):
        path.write_text(text)
        with locks.held(path):
            with pytest.raises(BusyError, match=f"pid {os.getpid()} "), locks.held(path, patience_s=0.02):
                pass
            other = threading.Thread(target=lambda: contextlib.ExitStack().__enter__().enter_context(locks.held(path)))
            other.start()
        other.join(10)
        assert not other.is_alive()


def test_a_forked_child_does_not_hold_what_its_parent_holds():
    program = (
        "import os, sys, pathlib, tempfile\n"
        "from thunderlab import locks\nfrom thunderlab.errors import BusyError\n"
        "path = pathlib.Path(tempfile.mkdtemp()) / 'x.lock'\nlock = locks.Lock(path)\n"
        "with lock.held():\n"
        "    if os.fork() == 0:\n"
        "        child = locks.Lock(path)\n"
        "        inherited = lock\n"
        "        inherited._threads = locks._Line()\n"
        "        for one in (inherited, child):\n"
        "            try:\n"
        "                with one.held(patience_s=0.05): os._exit(1)\n"
        "            except BusyError: pass\n"
        "        os._exit(0)\n"
        "    assert os.wait()[1] == 0\n"
        "    assert locks.holder(path)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_wait(tmp_path):
    program = f"from pathlib import Path\nfrom thunderlab import locks\nprint('asks', flush=True)\nwith locks.held(Path({str(tmp_path / 'x.lock')!r})): pass\n"
    with locks.held(tmp_path / "x.lock"):
        child = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
        )
        assert child.stdout.readline() == "asks\n"
        _until(lambda: (tmp_path / "x.lock").read_bytes()[:20].isdigit())
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=20)
    assert child.returncode in (-signal.SIGINT, 130, 1) and "KeyboardInterrupt" in told


@pytest.mark.parametrize("contended", [False, True])
def test_an_interrupt_at_any_line_leaves_the_lock_free(tmp_path, contended):
    path, lock = tmp_path / "x.lock", locks.Lock(tmp_path / "x.lock")

    def enter():
        with contextlib.ExitStack() as held:
            if contended:
                held.enter_context(locks.held(path))
                with contextlib.suppress(BusyError), lock.held(patience_s=0.002):
                    pass
            else:
                with lock.held():
                    pass

    line = 0
    while interrupted(
        enter,
        line,
        lambda code: Path(code.co_filename) == SOURCE and code.co_name in ("enter", "_queue", "wait", "_sign", "_taken_at_once"),
    ):
        _until(lambda: locks.holder(path) is None)
        with lock.held(patience_s=5):
            pass
        line += 1
    lock.close()
    assert line > 5


def test_a_lock_file_that_cannot_be_made_is_the_environments_fault(tmp_path):
    with pytest.raises(EnvironmentBlockedError, match="cannot be opened"), locks.held(tmp_path / "nowhere" / "x.lock"):
        pass


def _together(action, count):
    threads = [threading.Thread(target=action) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ended(thread):
    thread.join(5)
    return not thread.is_alive()
