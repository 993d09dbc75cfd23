"""A nursery of processes that will be killed: it has everything loaded and forks one at a time, so that a life costs little.

    python -m tests.ledger.doomed

On stdin it is told, a JSON object a line, what a life should do and how it ends: `folder`, its workspace; `works`, a list of names of `WORKS` or a number
that seeds an endless choice of them; `after_us`, when to kill it, counted from its birth, or from the moment it has `opened` the
workspace; `at`, at which call that changes the disk it dies by itself. What a life has had acknowledged it tells at once, a line
each; a last line says how it ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.ledger.accidents import Death, happening
from tests.ledger.little import LittleLab


def tell(kind, *values):
    os.write(1, "".join(f"{kind} {value}\n" for value in values).encode())


def _one(lab):
    tell("block", lab.note("one"))


def _batch(lab):
    tell("block", *lab.notes(8))


def _within(lab):
    tell("block", *lab.notes_within(3))


def _sign(lab):
    tell("size", lab.custody.sign().checkpoint.size)


def _rotate(lab):
    tell("key", lab.custody.rotate_key().id)


def _prune(lab):
    if lab.custody.anchored() is not None:
        tell("before", lab.prune())


WORKS = {"one": _one, "batch": _batch, "within": _within, "sign": _sign, "rotate": _rotate, "prune": _prune}


def live(folder, works, opened=lambda: None):
    """Open the workspace and work in it."""
    draw = random.Random(works) if isinstance(works, int) else None
    with LittleLab(folder) as lab:
        opened()
        for name in works if draw is None else iter(lambda: draw.choice(list(WORKS)), None):
            WORKS[name](lab)


def born(told):
    """Have a process live; return how it ended."""
    ready, say = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with happening(Death(told["at"])) if "at" in told else contextlib.nullcontext() as accident:
                live(Path(told["folder"]), told["works"], lambda: os.write(say, b"!"))
            if accident is not None:
                tell("calls", len(accident.calls))
            status = 0
        finally:
            os._exit(status)
    os.close(say)
    if told.get("opened"):
        os.read(ready, 1)
    os.close(ready)
    if "after_us" in told:
        time.sleep(told["after_us"] / 1e6)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main():
    with tempfile.TemporaryDirectory() as elsewhere, open(os.devnull, "w") as nowhere:
        # A life lived to its end loads what is loaded on first use.
        spoken = os.dup(1)
        os.dup2(nowhere.fileno(), 1)
        live(Path(elsewhere), list(WORKS))
        os.dup2(spoken, 1)
    for line in sys.stdin:
        tell("ended", born(json.loads(line)))


if __name__ == "__main__":
    main()
