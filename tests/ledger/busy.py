"""A process that does everything with a ledger for a while, beside others that do the same; it loads little, so that many can start."""

from __future__ import annotations

import time
import traceback
from collections import Counter

from tests.ledger.little import LittleLab

SECONDS = 2.0


def work(folder, url, number, start, said):
    """Append all the time, and now and then do what else is done to a ledger; say what was acknowledged, what was done, what went wrong."""
    told, done, wrong = [], Counter(), ""
    try:
        with LittleLab(folder, store=url) as lab:
            start.wait(60)
            until = time.monotonic() + SECONDS
            while time.monotonic() < until or done["appended"] < 6:
                told += [lab.note(f"{number}"), *lab.notes(5), *lab.notes_within(2)]
                _look_after(lab, number, (done["appended"] + number) % 6, done)
                done["appended"] += 1
    except BaseException:  # noqa: BLE001 - the test fails by it
        wrong = traceback.format_exc()
    said.put((told, done, wrong))


def _look_after(lab, number, turn, done):
    if turn == 0 and number % 2:
        lab.custody.sign()
        done["signed"] += 1
    elif turn == 2 and number < 2:
        lab.custody.rotate_key()
        done["rotated"] += 1
    elif turn == 3 and number > 2:
        assert lab.is_sound()
        assert lab.custody.audit(full=False).ok
        done["audited"] += 1
    elif turn == 5 and number == 2 and lab.custody.anchored() is not None:
        lab.prune()
        done["pruned"] += 1
