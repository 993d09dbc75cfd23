"""One engine in a process of its own: told what to do line by line on stdin, answers in JSON on what was stdout.

    python -m tests.benchmarks._worker "C, Life alone" 1

The second argument is a core to stay on, so that no library can hide work in other threads; `-` leaves the choice open.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
import traceback

import numpy as np

from tests.benchmarks._engines import Absent, find


def make(name, before, cells, rule, batch):
    """Return an engine in place of the one before, and how it describes itself."""
    if before is not None:
        before.close()
    engine = find(name)(np.load(cells), rule, batch)
    return engine, {"about": engine.about()}


def timed(engine, steps, every=None):
    """Return CPU and wall seconds of steps, with a look every few when asked; CPU counts every thread of the process."""
    if hasattr(engine, "timed"):
        cpu, wall = engine.timed(steps)
    else:
        wall, cpu = time.perf_counter(), time.process_time()
        if every is None:
            engine.advance(steps)
        else:
            engine.observe(steps, every)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu, "wall": wall}


def digest(cells):
    """Return digests of the cells and of their bounding box, and how many live."""
    live = np.nonzero(cells)
    box = cells[tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in live)] if len(live[0]) else cells[..., :0]
    whole, moved = (hashlib.sha256(f"{one.shape}".encode() + np.ascontiguousarray(one).tobytes()).hexdigest() for one in (cells, box))
    return {"whole": whole, "moved": moved, "population": len(live[0])}


def serve(name, answers):
    """Answer until stdin ends. What goes wrong is an answer, too."""
    engine = None
    for line in sys.stdin:
        ask = json.loads(line)
        do = ask.pop("do")
        try:
            if do == "make":
                engine, answer = make(name, engine, **ask)
            elif do == "digest":
                answer = digest(engine.cells())
            elif do == "time":
                answer = timed(engine, **ask)
            else:
                getattr(engine, do)(**ask)
                answer = {}
        except Exception as error:  # noqa: BLE001 - a rival whose interface changed is as absent as one that is not installed
            what = " ".join(str(error).split())[:200]
            answer = {"wrong": what if isinstance(error, Absent | ImportError) else f"{type(error).__name__}: {what}"}
            traceback.print_exc()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    if engine is not None:
        engine.close()


def main():
    name, core = sys.argv[1:]
    if core != "-":
        os.sched_setaffinity(0, {int(core)})
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print there
    serve(name, answers)


if __name__ == "__main__":
    main()
