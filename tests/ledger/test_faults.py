"""Bad days: killed processes, full and failing disks, clocks that jump, files that vanish. Nothing acknowledged is lost."""

import json
import random
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.ledger import accidents
from tests.ledger.doomed import WORKS
from tests.ledger.little import LittleLab

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
        opening, working = _spread(1, first - second + idle, 20), _spread(idle, second, 80)
        for place in opening:
            nursery.move()
            assert nursery.life(works=works, at=place) == -9
            nursery.nothing_was_lost()
        for place in working:
            if not nursery.workspace.exists():  # the tables are made first, so that the place is one of the works' own
                assert nursery.life(works=["one"]) == 0
            assert nursery.life(works=works, at=place) == -9
            nursery.nothing_was_lost()
    assert len(opening) == 20 and len(working) == 80


def _spread(first, last, most):
    """Return numbers from the first to the last, evenly spread; all there are when that is not more than asked for."""
    return sorted({first + (last - first) * number // (most - 1) for number in range(most)})
