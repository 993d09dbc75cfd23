"""Many writers: threads that share a transaction, processes that append, sign, rotate and audit at once, and every interleaving of two."""

import json
import multiprocessing
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest

from tests.conftest import interrupted
from tests.ledger import busy
from tests.ledger.little import LittleLab
from thunderlab import locks
from thunderlab.errors import EnvironmentBlockedError, ThunderlabError
from thunderlab.ledger import CHAINS, NoteRecorded
from thunderlab.ledger.chain import Chain

THREADS, EACH = 32, 50
PROCESSES = 6


@pytest.fixture
def little(tmp_path, store_place):
    """A lab without rooms, on a store of each kind in turn."""
    with LittleLab(tmp_path / "w", store=store_place) as lab:
        yield lab


@contextmanager
def transactions(lab):
    """Count the transactions a lab begins to write, and the blocks that each appended."""
    sizes, write, append = [], lab.store.write, Chain._append
    lab.store.write = lambda: (sizes.append(0), write())[1]

    def counting(chain, connection, envelopes):
        sizes[-1] += len(envelopes)
        return append(chain, connection, envelopes)

    Chain._append = counting
    try:
        yield sizes
    finally:
        Chain._append = append
        lab.store.write = write


def in_threads(*actions):
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    return threads


def test_threads_share_transactions_and_each_keeps_its_order(little):
    told = {number: [] for number in range(THREADS)}

    def write(number):
        for turn in range(EACH):
            told[number].append(little.note(f"{number}", turn))

    with transactions(little) as sizes:
        for thread in in_threads(*(lambda number=number: write(number) for number in told)):
            thread.join()
    place = {block_id: seq for seq, block_id in enumerate(little.ids())}
    assert little.is_sound().blocks == 1 + THREADS * EACH
    assert sum(sizes) == THREADS * EACH and len(sizes) < THREADS * EACH / 2
    for ids in told.values():
        assert [place[one] for one in ids] == sorted(place[one] for one in ids) and len(ids) == EACH


@contextmanager
def a_leader_at_the_store(lab, others):
    """Hold one thread where it has the store to itself until `others` more wait behind it; yield the place to put them."""
    reached, go, write = threading.Event(), threading.Event(), lab.store.write

    @contextmanager
    def held():
        with write() as connection:
            if not reached.is_set():
                reached.set()
                assert go.wait(60)
            yield connection

    lab.store.write = held
    leader = in_threads(lambda: lab.note("leader"))
    assert reached.wait(60)
    waiting = []
    yield waiting
    while len(lab.ledger._waiting) < others + 1:
        time.sleep(0.001)
    lab.store.write = write
    go.set()
    for thread in [*leader, *waiting]:
        thread.join(60)


def test_all_who_wait_while_one_commits_share_the_next_transaction(little):
    with transactions(little) as sizes:
        with a_leader_at_the_store(little, 31) as waiting:
            waiting += in_threads(*(little.note for _ in range(31)))
        assert sizes == [1, 31]
    assert little.is_sound().blocks == 33


def test_what_went_wrong_reaches_all_whose_blocks_were_in_it_and_nobody_else(little):
    wrong, append = [], Chain._append

    def fail(chain, connection, envelopes):
        newest = append(chain, connection, envelopes)
        if len(envelopes) > 1:
            raise EnvironmentBlockedError("the disk is full")
        return newest

    def note():
        try:
            little.note()
        except ThunderlabError as error:
            wrong.append(str(error))

    try:
        Chain._append = fail
        with a_leader_at_the_store(little, 9) as waiting:
            waiting += in_threads(*(note for _ in range(9)))
    finally:
        Chain._append = append
    assert wrong == ["the disk is full"] * 9
    assert len(little.ids()) == 2 and little.note() in little.ids()
    assert little.is_sound()


def test_a_leader_interrupted_anywhere_loses_nobodys_blocks_and_writes_none_twice(memory):
    """Two threads' blocks are in its hands; whatever line it is interrupted at, both are written, once."""
    reached, line = True, 0
    with LittleLab(memory) as lab:
        chain = lab.ledger
        while reached:
            told, mine = [], []
            chain._leader = somebody = object()
            others = in_threads(*(lambda told=told: told.append(lab.note("others")) for _ in range(2)))
            while len(chain._waiting) < 2:
                time.sleep(0.0005)
            chain._leader = None  # nobody was told, so the next to come leads
            reached = interrupted(lambda mine=mine: mine.append(lab.note("mine")), line, _of_the_writer)
            with chain._news:
                chain._news.notify_all()  # it may have been interrupted before it came to lead
            for thread in others:
                thread.join(60)
                assert not thread.is_alive(), line
            there = Counter(lab.ids())
            assert set(there.values()) == {1} and len(told) == 2 and {*told, *mine} <= set(there), line
            assert not chain._waiting and chain._leader is None and somebody is not None
            line += 1
        assert line > 40
        assert lab.is_sound()


def _of_the_writer(code):
    return code.co_filename.endswith(("ledger/chain.py", "thunderlab/sqlite.py"))


def test_one_interrupted_while_it_waits_takes_its_block_with_it(lab):
    chain = lab.ledger
    chain._leader = object()
    wait = chain._news.wait

    def interrupt(*arguments):
        raise KeyboardInterrupt

    chain._news.wait = interrupt
    with pytest.raises(KeyboardInterrupt):
        lab.events.emit(NoteRecorded(text="never"))
    chain._news.wait, chain._leader = wait, None
    lab.events.emit(NoteRecorded(text="next"))
    assert [json.loads(block.payload).get("text") for block in chain.blocks(newest=2)] == ["next", None]


def meanwhile(action, line, other):
    """Run `action`, and `other` when it has come to n different lines of what looks after the chains; return whether it did."""
    seen = set()

    def watch(frame, event, _):
        if not frame.f_code.co_filename.endswith(("ledger/custody.py", "ledger/notary.py", "ledger/prune.py")):
            return watch if event == "call" else None
        place = (frame.f_code, frame.f_lineno)
        if event == "line" and len(seen) <= line and place not in seen:
            seen.add(place)
            if len(seen) > line:
                sys.settrace(None)
                other()
                sys.settrace(watch)
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        action()
    finally:
        sys.settrace(before)
    return len(seen) > line


ACTIONS = {
    "audits": lambda lab: lab.is_sound(),
    "audits what is new": lambda lab: [lab.custody.audit(kind, full=False) for kind in CHAINS],
    "signs": lambda lab: lab.custody.sign(),
    "rotates": lambda lab: lab.custody.rotate_key(),
    "prunes": lambda lab: lab.prune(),
}


# Every fourth line of the long ones: what is done between two looks at the disk takes more lines than that.
@pytest.mark.parametrize(("which", "step"), [(which, 1 if "audits" in which else 4) for which in ACTIONS])
def test_whatever_another_does_at_any_moment_is_no_false_alarm(memory, which, step):
    """The other appends, signs or rotates; while we hold the store it can only make a key."""
    reached, line = True, 0
    while reached:
        place = memory / f"{line}"
        with LittleLab(place) as lab, LittleLab(place) as other:
            lab.notes(3)
            lab.custody.sign_all()
            newer = []

            def interfere(place=place, other=other, newer=newer):
                newer.append(other.keys.new())
                if locks.holder(place / "lab.db.writer.lock") is None:
                    newer.append(other.custody.rotate_key())
                    other.note()
                    newer.append(other.custody.sign())

            reached = meanwhile(lambda lab=lab: _clean(ACTIONS[which](lab)), line, interfere)
            assert lab.is_sound() and other.is_sound(), line
            newest = max(lab.custody.audit().signed_size, newer[-1].checkpoint.size if len(newer) == 3 else 0)
            assert lab.custody.anchored().checkpoint.size == newest, line
            # Whoever comes next can sign: no key that is still needed was destroyed.
            other.note()
            other.custody.rotate_key()
            assert lab.is_sound(), line
        line += step
    assert line > 15


def _clean(found):
    for one in found if isinstance(found, list) else []:
        assert one.ok, one.failures


def test_processes_that_append_sign_rotate_prune_and_audit_at_once(tmp_path, store_place):
    """Some seconds: so many processes start, and each is to have its turns."""
    context = multiprocessing.get_context("spawn")
    start, said = context.Barrier(PROCESSES), context.Queue()
    url = store_place if isinstance(store_place, str) else None
    workers = [context.Process(target=busy.work, args=(tmp_path / "w", url, number, start, said)) for number in range(PROCESSES)]
    for worker in workers:
        worker.start()
    answers = [said.get(timeout=120) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert [wrong for _, _, wrong in answers if wrong] == []
    done = sum((counted for _, counted, _ in answers), Counter())
    assert min(done["signed"], done["rotated"], done["audited"]) > 0
    with LittleLab(tmp_path / "w", store=url) as lab:
        there = lab.ids()
        told = {one for ids, _, _ in answers for one in ids}
        # What was acknowledged is there, and nothing else but what the ledger says of itself: no fork was overwritten, no gap filled.
        assert len(told) == sum(len(ids) for ids, _, _ in answers) and len(set(there)) == len(there)
        rest = set(there) - told
        assert len(rest) == len(there) - len(told)
        assert {block.event_name.partition(".")[0] for block in map(lab.ledger.block, rest)} == {"ledger"}
        assert lab.is_sound() and lab.custody.sign() and lab.is_sound()
