"""How engines are compared: side by side in processes of their own, in turns, on one core each, from the same soup, after they agree."""

from __future__ import annotations

import contextlib
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
UNIT = "Gcells per CPU-second"
LONGEST_ANSWER = 300  # seconds
AGREED_STEPS = 6  # more than a pass of four, and no multiple of one


class Died(Exception):
    """A worker ended without an answer."""


class Worker:
    """One engine, running.

    Args:
        name: of `_engines.ENGINES`.
        threads: what it may use; with one it is kept on one core.
        core: which, of `cores()`; the last by default.
    """

    def __init__(self, name, threads=1, core=-1):
        self.name, self.wrong, self.about = name, None, ""
        core = str(cores()[core]) if cores() and threads == 1 else "-"
        one = {name: str(threads) for name in ("THUNDERLAB_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        environment = {**os.environ, **one, "JAX_PLATFORMS": "cpu"}
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 - what libraries print; closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks._worker", name, core],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, cwd=ROOT, env=environment, text=True,
        )  # fmt: skip

    def begin(self, do, **more):
        """Ask for something."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()

    def finish(self):
        """Return the answer; `wrong` says why there is none."""
        ready, _, _ = select.select([self.process.stdout], [], [], LONGEST_ANSWER)
        line = self.process.stdout.readline() if ready else ""
        answer = json.loads(line) if line else {"wrong": "no answer" if not ready else "its process died"}
        if "wrong" in answer:
            self.wrong = answer["wrong"]
        return answer

    def ask(self, do, **more):
        self.begin(do, **more)
        return self.finish()

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # the end of what it is asked, upon which it ends
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.said.close()


def cores():
    """Return the cores this process may run on; none where nobody can say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


class Stable:
    """Engines that stay running from one race to the next, so that each pays for its imports once."""

    def __init__(self, names):
        self.workers = {name: Worker(name) for name in names}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.close()

    def ready(self, cells, rule, names, batch=False):
        """Return those of the named engines that start from these cells; `absent` says why others do not.

        All must agree after some steps with the first that is there.
        """
        asked = [self.workers[name] for name in names]
        made(asked, cells, rule, batch)
        absent = {worker.name: worker.wrong for worker in asked if worker.wrong is not None}
        present = [worker for worker in asked if worker.wrong is None]
        agree(present, f"{rule} on {cells.shape}: ")
        return present, absent


def made(workers, cells, rule, batch=False):
    """Have each worker make its engine and run a few steps, which compiles; `worker.wrong` says why one could not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.npy"
        np.save(path, cells)
        for worker in workers:
            worker.wrong = None
            worker.begin("make", cells=str(path), rule=rule, batch=batch)
        for worker in workers:
            worker.about = worker.finish().get("about", "")
    for worker in workers:
        if worker.wrong is None:
            worker.ask("advance", steps=AGREED_STEPS)


def agree(workers, where=""):
    """Raise AssertionError unless all have come to the same cells."""
    digests = [(worker, required(worker, "digest")) for worker in workers]
    for worker, digest in digests:
        # Golly writes the bounding box of what lives.
        which = "moved" if worker.name == "Golly QuickLife" else "whole"
        if digest[which] != digests[0][1][which]:
            raise AssertionError(f"{where}{worker.name} and {workers[0].name} compute different cells")


def race(stable, cells, rule, names, *, rounds=7, seconds=0.25, batch=False):
    """Return Gcells per CPU-second of each engine in every round, and why others are absent.

    Each round starts from the cells handed in, every engine in turn, the order rotated; an engine runs as many steps as fit in `seconds`.
    """
    workers, absent = stable.ready(cells, rule, names, batch)
    steps = {worker.name: calibrated(worker, seconds) for worker in workers}
    speeds = {worker.name: [] for worker in workers}
    for turn in range(rounds):
        for worker in rotated(workers, turn):
            worker.ask("restart")
            spent = required(worker, "time", steps=steps[worker.name])["cpu"]
            speeds[worker.name].append(cells.size * steps[worker.name] / spent / 1e9)
    for worker in workers:
        if worker.name != "Golly QuickLife" and not required(worker, "digest")["population"]:
            raise AssertionError("an empty lattice measures nothing")
    return speeds, absent, {worker.name: worker.about for worker in workers}


def calibrated(worker, seconds):
    """Return how many steps take about so long, after having compiled what that needs."""
    steps, least = 1, 1e-4
    worker.ask("restart")
    required(worker, "time", steps=1)
    while True:
        spent = max(required(worker, "time", steps=steps)["cpu"], least)
        wanted = max(1, min(100_000, round(steps * seconds / spent)))
        if spent >= seconds / 4 or wanted <= steps:
            break
        steps = min(wanted, 16 * steps)
    worker.ask("restart")
    required(worker, "time", steps=wanted)  # some compile for a number of steps
    return wanted


def required(worker, do, **more):
    """Return an answer there must be."""
    answer = worker.ask(do, **more)
    if "wrong" in answer:
        raise Died(f"{worker.name}: {answer['wrong']}")
    return answer


def rotated(workers, turn):
    """Return the order of a round: everybody is first at some time."""
    first = turn % len(workers)
    return workers[first:] + workers[:first]


def row(claim, rival, value, rival_value, unit, note, *, at_least=None, at_most=None):
    """Return a row of the table; `rival_value` None says that the rival is absent, for the reason in the note."""
    ratio = None if rival_value is None or value is None else value / rival_value
    promised, kept = None, None
    if at_least is not None or at_most is not None:
        promised = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
        kept = None if ratio is None else (ratio >= at_least if at_least is not None else ratio <= at_most)
    return {
        "claim": claim, "rival": rival, "value": value, "rival_value": rival_value, "ratio": ratio,
        "promised": promised, "kept": kept, "unit": unit, "note": note,
    }  # fmt: skip


def compared(claim, ours, rivals, speeds, absent, about, promises=None):
    """Return a row per rival of one race: medians, and the spread of both in the note."""
    rows, promises = [], promises or {}
    value = statistics.median(speeds[ours])
    for rival in rivals:
        if rival in absent:
            rows.append(row(claim, rival, value, None, UNIT, f"absent: {absent[rival]}", at_least=promises.get(rival)))
            continue
        note = f"{about[rival]}; ours {span(speeds[ours])}, rival {span(speeds[rival])}"
        rows.append(row(claim, rival, value, statistics.median(speeds[rival]), UNIT, note, at_least=promises.get(rival)))
    return rows


def span(values):
    return f"{min(values):.3g}..{max(values):.3g}"
