"""Claim: Life on torus 4096 x 4096, two threads against one in wall time: x1.7; two C processes side by side are the rival, x2.0.

Wall time depends on what else the machine does, from one second to the next, so everything takes turns, in processes that are made anew
several times, and what is quoted is the median of the ratios of neighbours in time. What two processes that share nothing reach in the same
seconds is what the machine can give.

    python -m tests.benchmarks threads
"""

from __future__ import annotations

import contextlib
import os
import statistics

from tests.benchmarks._race import Worker, agree, calibrated, cores, made, rotated, row, span
from thunderlab.automata.soup import soup

OURS, C = "thunderlab", "C, Life alone"
UNIT = "Gcells per second"
PROMISE = 1.7


def run(quick=False):
    """Return two threads against one, and two processes against one, ours and C's."""
    shape = (64, 1024) if quick else (4096, 4096)
    claim = f"Life {shape[0]}x{shape[1]}"
    if len(cores()) < 2:
        return [row(f"{claim}, two threads", "one thread", None, None, UNIT, "absent: one core here", at_least=PROMISE)]
    cells = soup(shape, 0.4, seed=1)
    speeds, absent = {}, {}
    for _ in range(1 if quick else 3):
        for who, values in generation(cells, absent, rounds=1 if quick else 10, seconds=0.01 if quick else 0.2).items():
            speeds.setdefault(who, []).extend(values)
    note = f"load {os.getloadavg()[0]:.1f} at the end, {len(cores())} cores"

    def against(what, rival, who, base, **promise):
        if who not in speeds:
            return row(f"{claim}, {what}", rival, None, None, UNIT, f"absent: {absent[C]}", **promise)
        more = f"{span(speeds[who])} against {span(speeds[base])}; {note}"
        ratio = statistics.median(two / one for two, one in zip(speeds[who], speeds[base], strict=True))
        value = statistics.median(speeds[who])
        return row(f"{claim}, {what}", rival, value, value / ratio, UNIT, more, **promise)

    return [
        against("two threads", "one thread", "two threads", "one thread", at_least=PROMISE),
        against("two processes side by side", "one process", "two processes", "one thread"),
        against("two C processes side by side", "one C process", "two C processes", "one C process"),
    ]


def generation(cells, absent, rounds, seconds):
    """Return Gcells per second of wall time in every round of one set of fresh processes, by who ran."""
    with contextlib.ExitStack() as stack:
        one, other, both, c, c_other = workers = [
            Worker(OURS), Worker(OURS, core=0), Worker(OURS, threads=2), Worker(C), Worker(C, core=0)
        ]  # fmt: skip
        for worker in workers:
            stack.callback(worker.close)
        made(workers, cells, "B3/S23")
        absent.update({worker.name: worker.wrong for worker in workers if worker.wrong is not None})
        agree([worker for worker in workers if worker.wrong is None])
        runs = {"one thread": (one,), "two threads": (both,), "two processes": (one, other)}
        if C not in absent:
            runs |= {"one C process": (c,), "two C processes": (c, c_other)}
        steps = {worker.name: calibrated(worker, seconds) for worker in (one, c) if worker.name not in absent}
        speeds = {who: [] for who in runs}
        for turn in range(rounds):
            for who in rotated(list(runs), turn):
                speeds[who].append(side_by_side(runs[who], steps[runs[who][0].name], cells.size))
        return speeds


def side_by_side(workers, steps, cells):
    """Return Gcells per second when all of these run at the same time."""
    for worker in workers:
        worker.ask("restart")
    for worker in workers:
        worker.begin("time", steps=steps)
    return len(workers) * cells * steps / max(worker.finish()["wall"] for worker in workers) / 1e9
