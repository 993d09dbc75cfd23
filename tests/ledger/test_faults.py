"""Bad days: killed processes, full and failing disks, clocks that jump, files that vanish. Nothing acknowledged is lost."""

import ast
import errno
import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress

import pytest

from tests.conftest import ROOT
from tests.ledger import accidents
from tests.ledger.doomed import WORKS
from tests.ledger.little import LittleLab, integrity
from thunderlab.clock import VirtualClock
from thunderlab.errors import EnvironmentBlockedError, EvidenceError, ThunderlabError

needs_replaced_calls = pytest.mark.skipif(
    accidents.library() is None, reason="SQLite is linked into this Python, or this is not Linux: its system calls cannot be replaced"
)


class Nursery:
    """The processes that will be killed, and what each had acknowledged before it was."""

    def __init__(self, folder):
        self._folder = folder
        self._workspaces = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger.doomed"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.lived = 0
        self.move()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def move(self):
        """Go on in a new workspace, so that no audit grows long."""
        self._workspaces += 1
        self.workspace = self._folder / str(self._workspaces)
        self.told = {kind: [] for kind in ("block", "size", "key", "before", "calls")}

    def life(self, **told):
        """Have one process live and die; return its exit status, -9 when it was killed."""
        self.lived += 1
        self._process.stdin.write(json.dumps({"folder": str(self.workspace), **told}) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            kind, value = line.split()
            if kind == "ended":
                return int(value)
            self.told[kind].append(value if kind in ("block", "key") else int(value))
        raise AssertionError("the nursery itself died")

    def nothing_was_lost(self):
        """Open the workspace as the next process does, hold it against all that was ever acknowledged, and sometimes go on."""
        with LittleLab(self.workspace) as lab:
            there = lab.ids()
            assert set(self.told["block"]) <= set(there)
            assert len(set(there)) == len(there) and len(set(self.told["block"])) == len(self.told["block"])
            assert set(self.told["key"]) <= {key.id for key in lab.keys.public_keys()}
            signed = lab.is_sound().signed_size
            assert signed >= max(self.told["size"], default=0)
            if self.lived % 3 == 0:
                lab.note()
                assert lab.custody.sign().checkpoint.size > signed
                assert lab.is_sound()
        if self.lived % 8 == 0:
            self.move()


def test_kill_9_at_a_hundred_random_moments_loses_nothing(memory):
    draw = random.Random(4)
    told = 0
    with Nursery(memory) as nursery:
        for number in range(100):
            # One in five while the workspace is being opened, or a little later.
            before = sum(map(len, nursery.told.values()))
            assert nursery.life(works=number, after_us=draw.randrange(40_000), opened=number % 5 > 0) == -9
            told += sum(map(len, nursery.told.values())) - before
            nursery.nothing_was_lost()
    assert told > 0


@needs_replaced_calls
def test_kill_9_at_a_hundred_places_where_the_disk_is_changed_loses_nothing(memory):
    """Between a commit and its anchor, a private key and its place in the list, an announcement and a retirement, and all between."""
    works = [*WORKS, "one"]
    with Nursery(memory) as nursery:
        assert (
            nursery.life(works=works, at=1_000_000) == nursery.life(works=works, at=1_000_000) == nursery.life(works=[], at=1_000_000) == 0
        )
        first, second, idle = nursery.told["calls"]
        opening, working, died = _spread(1, first - second + idle, 20), _spread(idle, second, 95), 0
        for place in opening:
            nursery.move()
            assert nursery.life(works=works, at=place) == -9
            nursery.nothing_was_lost()
        for place in working:
            if not nursery.workspace.exists():  # the tables are made first, so that the place is one of the works' own
                assert nursery.life(works=["one"]) == 0
            # A life in which the log need not grow has a few such places less: then it ends by itself, late in the works.
            died += (ended := nursery.life(works=works, at=place)) == -9
            assert ended == -9 or (ended == 0 and place > 0.9 * second)
            nursery.nothing_was_lost()
    assert len(opening) == 20 and died >= 80


def _spread(first, last, most):
    """Return numbers from the first to the last, evenly spread; all there are when that is not more than asked for."""
    return sorted({first + (last - first) * number // (most - 1) for number in range(most)})


class Wild(VirtualClock):
    """A clock that may be anywhere, within a century, each time it is looked at."""

    def __init__(self, seed):
        super().__init__(0)
        self._draw = random.Random(seed)

    def now_us(self):
        return self._draw.randrange(100 * 365 * 86_400 * 1_000_000)


@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_jumps_at_every_look_breaks_nothing(memory, seed):
    ids = []
    for _ in range(3):  # each opens it anew: what keeps ids apart within a process is forgotten
        with LittleLab(memory, Wild(seed)) as lab:
            for work in (lab.note, lab.custody.sign, lab.note, lab.custody.rotate_key, lab.prune, lab.custody.sign_when_due):
                work()
            ids += lab.notes(20)
            assert lab.is_sound() and lab.custody.audit(full=False).ok
            assert lab.ids()[-20:] == ids[-20:] and len(set(lab.ids())) == len(lab.ids())
    assert ids[:20] != ids[20:40]


def test_a_clock_set_back_or_forward_puts_no_checkpoint_off(memory, clock):
    with LittleLab(memory, clock) as lab:
        notary = lab.custody._notaries["events"]
        lab.note()
        lab.custody.sign()
        lab.note()
        assert not notary.due()
        clock.advance(90_000)
        assert notary.due()
        lab.custody.sign_when_due()
        lab.note()
        assert not notary.due()
        clock.set_back(400 * 86_400)  # it had been wrong for a year
        assert notary.due()
        lab.custody.sign_when_due()
        lab.note()
        assert not notary.due() and lab.is_sound()


def test_a_checkpoint_that_was_signed_and_not_anchored_is_due(memory, clock, monkeypatch):
    with LittleLab(memory, clock) as lab:
        lab.note()
        first = lab.custody.sign()
        lab.note()
        with monkeypatch.context() as patch:
            patch.setattr("thunderlab.files.write_whole", _full)
            with pytest.raises(EnvironmentBlockedError, match="No space left"):
                lab.custody.sign()
        assert lab.custody.anchored() == first and lab.is_sound()
        lab.custody.sign_when_due()
        assert lab.custody.anchored().checkpoint.size == 5 and lab.is_sound()  # opened, note, key, checkpoint, note


def _full(path, *_, **__):
    raise EnvironmentBlockedError(os.strerror(errno.ENOSPC), where=path)


def _try_all(lab, told):
    """Do everything there is; return which of it was refused."""
    refused = []
    for name, work in (
        ("note", lambda: told.append(lab.note("one"))),
        ("batch", lambda: told.extend(lab.notes(4))),
        ("sign", lab.custody.sign),
        ("within", lambda: told.extend(lab.notes_within(2))),
        ("rotate", lab.custody.rotate_key),
        ("prune", lab.prune),
        ("last", lambda: told.append(lab.note("last"))),
    ):
        try:
            work()
        except EnvironmentBlockedError:  # exit 3; anything else fails the test
            refused.append(name)
    return refused


def _goes_on(lab, told):
    told.append(lab.note("after"))
    lab.custody.sign()
    assert set(told) <= set(lab.ids())
    assert lab.is_sound()


@pytest.fixture
def template(memory):
    with LittleLab(memory / "template") as lab:
        lab.note()
        lab.custody.sign()
    return memory / "template"


@needs_replaced_calls
@pytest.mark.parametrize(("accident", "step"), [(accidents.FailingDisk, 2), (accidents.FullDisk, 3)])
def test_a_disk_that_fails_or_fills_up_at_any_call_refuses_and_loses_nothing(memory, template, accident, step):
    """One call fails, or all from one on that need space; every call of a life that does everything has its turn at some step."""
    at, refusals = 1, 0
    while True:
        place = shutil.copytree(template, memory / f"{at}")
        with LittleLab(place) as lab:
            told = []
            with accidents.happening(accident(at)) as happened:
                refused = _try_all(lab, told)
            refusals += bool(refused)
            _goes_on(lab, told)
        with LittleLab(place) as lab:
            assert set(told) <= set(lab.ids())
            _goes_on(lab, told)
        assert integrity(place / "lab.db") == [("ok",)]
        shutil.rmtree(place)
        if len(happened.calls) < at:
            break
        at += step
    assert at > 80 and refusals > 20


@needs_replaced_calls
@pytest.mark.parametrize("accident", [accidents.FailingDisk, accidents.FullDisk])
def test_a_disk_that_fails_while_a_workspace_is_opened_is_exit_3_and_the_next_open_works(memory, template, accident):
    for at in range(1, 200):
        place = memory / f"{at}"
        if at % 2:
            shutil.copytree(template, place)
        with accidents.happening(accident(at)) as happened:
            try:
                LittleLab(place).store.close()
                opened = True
            except EnvironmentBlockedError:
                opened = False
        with LittleLab(place) as lab:
            _goes_on(lab, [])
        if len(happened.calls) < at:
            assert opened
            break
    assert at > 8


def test_a_write_limit_refuses_and_loses_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    refusals = 0
    for room in (0, 5_000, 40_000):
        with LittleLab(tmp_path / f"{room}") as lab:
            told = [lab.note()]
            most = (tmp_path / f"{room}" / "lab.db-wal").stat().st_size + room
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
            try:
                with pytest.raises(EnvironmentBlockedError):
                    while True:
                        told += lab.notes(300)
                refusals += 1
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            _goes_on(lab, told)
    assert refusals == 3


FULL_DISK = """
import sys
from pathlib import Path
from tests.ledger.test_faults import LittleLab, _goes_on, _try_all, integrity
place = Path(sys.argv[1])
with LittleLab(place) as lab:
    told, refused = [lab.note()], []
    lab.custody.sign()
    for room in (0, 1, 9, 40):
        ballast = place / "ballast"
        with ballast.open("wb", buffering=0) as stream:
            try:
                while stream.write(bytes(4096)):
                    pass
            except OSError:
                stream.truncate(max(0, ballast.stat().st_size - 4096 * room))
        while not (failed := _try_all(lab, told)):
            pass
        refused.append(failed)
        assert set(told) <= set(lab.ids())
        ballast.unlink()
        _goes_on(lab, told)
assert integrity(place / "lab.db") == [("ok",)]
print(refused)
"""


def test_a_disk_that_is_really_full_refuses_and_loses_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=3m tmpfs {disk}"
    try:
        tried = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no unshare here to mount a small disk with")
    if tried.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {tried.stderr.strip()}")
    within = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$0" -c "$1" {disk}/w', sys.executable, FULL_DISK]
    done = subprocess.run(within, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    # Without any room a commit may still find some behind the log, where it was reserved; a file cannot be written anew.
    assert {"sign", "rotate"} <= set(ast.literal_eval(done.stdout)[0])


FAILED_SYNC = """
import sys
from pathlib import Path
from tests.ledger.test_faults import LittleLab, _goes_on, _try_all
with LittleLab(Path(sys.argv[1])) as lab:
    told = []
    refused = _try_all(lab, told)
    _goes_on(lab, told)
print(refused)
"""


@pytest.mark.parametrize("at", [1, 3, 5, 8])
def test_a_sync_that_fails_refuses_what_it_was_for(tmp_path, at):
    """SQLite's own syncs cannot be replaced from within, so strace has the n-th one fail: the log's header, then commits.

    The second one is of the folder the log was made in, whose failure SQLite passes over.
    """
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here to have a sync fail")
    with LittleLab(tmp_path / "w") as lab:
        told = [lab.note()]
        lab.custody.sign()
    trace = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=fdatasync,fsync", "-e", f"inject=fdatasync:error=EIO:when={at}"]
    done = subprocess.run([*trace, sys.executable, "-c", FAILED_SYNC, str(tmp_path / "w")], capture_output=True, text=True, cwd=ROOT)
    if "PTRACE" in done.stderr or "Operation not permitted" in done.stderr:
        pytest.skip("strace may not look into a process here")
    assert done.returncode == 0, done.stderr
    assert len(ast.literal_eval(done.stdout)) == 1
    with LittleLab(tmp_path / "w") as lab:
        assert set(told) <= set(lab.ids()) and lab.is_sound()


def test_two_labs_in_one_process_and_one_of_them_closes(memory):
    with LittleLab(memory) as lab:
        other = LittleLab(memory)
        told, stop = [], threading.Event()

        def append():
            while not stop.is_set():
                told.append(lab.note())

        thread = threading.Thread(target=append)
        thread.start()
        while len(told) < 20:
            other.note()
        other.store.close()
        before = len(told)
        while len(told) < before + 20:
            pass
        stop.set()
        thread.join()
        assert set(told) <= set(lab.ids()) and lab.is_sound()


def test_a_lab_closed_under_its_own_threads_loses_nothing_it_acknowledged(memory):
    for _ in range(5):
        told, wrong = [], []

        def append(lab, told=told, wrong=wrong):
            try:
                while len(told) < 100:
                    told.append(lab.note())
            except ThunderlabError as error:
                wrong.append(error)

        lab = LittleLab(memory)
        threads = [threading.Thread(target=append, args=(lab,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(told) < 30:
            pass
        lab.store.close()
        for thread in threads:
            thread.join(60)
        lab.store.close()
        with LittleLab(memory) as next_one:
            assert set(told) <= set(next_one.ids()) and next_one.is_sound()


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_store_that_is_gone_while_it_is_open_takes_nothing_more(memory, what):
    """SQLite itself goes on writing a file that was removed, and everything acknowledged from then on would be lost."""
    with LittleLab(memory / "other") as other:
        other.note()
    with LittleLab(memory / "w") as lab:
        told = [lab.note()]
        kept = (memory / "w" / "lab.db").rename(memory / "kept.db")
        (memory / "w" / "lab.db-wal").rename(memory / "kept.db-wal")
        if what == "replaced":
            shutil.copy(memory / "other" / "lab.db", memory / "w" / "lab.db")
        for refused in (lab.note, lab.ids, lab.custody.sign):
            with pytest.raises(EnvironmentBlockedError, match="while it was open"):
                refused()
        (memory / "w" / "lab.db").unlink(missing_ok=True)
        kept.rename(memory / "w" / "lab.db")
        (memory / "kept.db-wal").rename(memory / "w" / "lab.db-wal")
        told.append(lab.note())
    with LittleLab(memory / "w") as lab:
        assert set(told) <= set(lab.ids()) and lab.is_sound()


def _garbage(path):
    path.write_bytes(b"this is no database" * 500)


def _folder(path):
    path.unlink()
    path.mkdir()


def _empty(path):
    path.write_bytes(b"")


def _cut_short(path):
    with path.open("r+b") as stream:
        stream.truncate(9_000)


@pytest.mark.parametrize(
    ("damage", "command"),
    [
        *((damage, ("audit",)) for damage in (_garbage, _folder, _empty, _cut_short)),
        *((damage, ("append", "--event", "lab.note.recorded", "--payload", "-")) for damage in (_garbage, _empty, _cut_short)),
        *((damage, ("checkpoint",)) for damage in (_folder, _empty)),
    ],
)
def test_the_command_line_says_in_a_line_what_became_of_the_store(memory, damage, command):
    workspace = memory / "w"
    with LittleLab(workspace) as lab:
        lab.note()
        lab.custody.sign()
    for name in ("lab.db-wal", "lab.db-shm"):
        (workspace / name).unlink(missing_ok=True)
    damage(workspace / "lab.db")
    done = subprocess.run(
        [sys.executable, "-m", "thunderlab", "ledger", *command, "--workspace", str(workspace)],
        input='{"text": "a note"}', capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode in (1, 3), (done.returncode, done.stdout, done.stderr)
    assert done.stdout or len(done.stderr.splitlines()) == 1


def test_a_ledger_that_was_lost_is_not_quietly_begun_anew(memory):
    with LittleLab(memory) as lab:
        lab.note()
        lab.custody.sign()
        anchor = lab.custody.anchor_path()
    for file in memory.glob("lab.db*"):
        file.unlink()
    with LittleLab(memory) as lab:
        for refused in (lab.note, lab.custody.sign, lab.ledger.head):
            with pytest.raises(EvidenceError):
                refused()
        found = lab.custody.audit(full=True)
        assert {(failure.seq, failure.kind) for failure in found.failures} == {(0, "empty"), (0, "origin")}
        with pytest.raises(EvidenceError, match=f"no block, though {anchor} is a checkpoint of one: restore the store, or move"):
            lab.note()
    anchor.rename(memory / "moved.checkpoint")
    with LittleLab(memory) as lab:
        told = lab.note()
        assert lab.ids()[1:] == [told] and lab.is_sound()


DAMAGES = (None, "", "x", "0" * 64, "\n", 7, -1, 2.5, b"", b"{}", b'{"origin":"a\\nb"}', b"[" * 100_000)


@pytest.mark.parametrize(
    "column", ["seq", "id", "prev_hash", "payload_hash", "aggregate_hash", "event_name", "event_version", "inserted_at", "payload"]
)
def test_a_chain_with_a_damaged_block_opens_answers_and_closes(memory, column):
    """Whatever a column of the first block, the newest, or the one with the newest checkpoint holds: no command fails but by saying so."""
    with LittleLab(memory / "sound") as lab:
        lab.notes(3)
        lab.custody.sign()
        names = [block.event_name for block in lab.ledger.blocks()]
        lab.note()
        places = (0, len(names) - 1, len(names))
    for number, (place, value) in enumerate((place, value) for place in places for value in DAMAGES):
        shutil.copytree(memory / "sound", memory / f"{number}")
        with closing(sqlite3.connect(memory / f"{number}" / "lab.db", isolation_level=None)) as database:
            database.executescript(_untyped(database))
            before = database.execute("SELECT * FROM event_chain_blocks ORDER BY seq").fetchall()
            database.execute(f"UPDATE event_chain_blocks SET {column} = ? WHERE seq = ?", (value, place))
            if database.execute("SELECT * FROM event_chain_blocks ORDER BY seq").fetchall() == before:
                continue
        with LittleLab(memory / f"{number}") as lab:
            found = lab.custody.audit(full=True)
            assert not found.ok and min(failure.seq for failure in found.failures) <= place, (place, value)
            for action in (
                lab.custody.sign_when_due,
                lab.custody.sign,
                lab.note,
                lab.ledger.head,
                lambda lab=lab: lab.custody.prove(1),
                lambda lab=lab, found=found: lab.custody.record(found),
            ):
                with suppress(EvidenceError):
                    action()
        shutil.rmtree(memory / f"{number}")


def _untyped(database):
    """Return what makes the table one whose columns take anything and need nothing, as SQLite would let a forger have it."""
    columns = [row[1] for row in database.execute("PRAGMA table_info(event_chain_blocks)")]
    return (
        f"ALTER TABLE event_chain_blocks RENAME TO kept; CREATE TABLE event_chain_blocks ({', '.join(columns)});"
        "INSERT INTO event_chain_blocks SELECT * FROM kept; DROP TABLE kept;"
    )
