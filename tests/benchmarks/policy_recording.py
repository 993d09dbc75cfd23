"""Claim: with recording included, 1,000 verdicts a second are durable; what is asked at once shares a wait for the disk.

Verdicts of the lab's own deploy policy, each a block of the chain of verdicts, and bare syncs of as many bytes take turns in short rounds, in
the same folder, so that a slow disk is slow for both. The floor is what one thread that only writes and syncs would get.

    python -m tests.benchmarks policy_recording
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from pathlib import Path

from tests.benchmarks._race import row, span
from thunderlab.gate.deploy import question
from thunderlab.lab import Lab

BYTES = 12_000  # of SQLite's write-ahead log that a verdict costs alone, about
PROMISED = 1_000


def run(quick=False):
    """Return a row per way of asking."""
    rounds, seconds = (1, 0.1) if quick else (15, 0.4)
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Lab(Path(folder) / "lab") as lab,
        (Path(folder) / "plain").open("wb", buffering=0) as plain,
    ):
        _verdict(lab, 0)
        for name, ask, promised in (
            ("one thread", lambda s: _threads(lab, 1, s), None),
            ("8 threads", lambda s: _threads(lab, 8, s), None),
            ("32 threads", lambda s: _threads(lab, 32, s), PROMISED),
            ("1,000 at once, `decide_many`", lambda s: _many(lab, s), PROMISED),
        ):
            ours, floor = [], []
            for _ in range(rounds):
                ours.append(ask(seconds))
                floor.append(_syncs(plain, seconds / 4))
            value, bare = statistics.median(ours), statistics.median(floor)
            note = (
                f"median of {rounds} rounds of {seconds:g} s, {span(ours)}; bare syncs {bare:.0f} a second; load {os.getloadavg()[0]:.1f}"
            )
            if promised:
                rows.append(row(f"durable verdicts, {name}", "bound", value, promised, "verdicts per second", note, at_least=1))
            rows.append(row(f"durable verdicts, {name}", "bare fdatasync, one thread", value, bare, "a second", note))
        found, per_second = _audited(lab)
        note = f"{found.verdicts} of them, each judged again; load {os.getloadavg()[0]:.1f}"
        rows.append(row("verdicts judged again by `policy audit`", "deciding alone, 100 us", per_second, 10_000, "per CPU-second", note))
    return rows


def _audited(lab):
    """Return what the audit found, and how many verdicts it judged a CPU-second."""
    started = time.process_time()
    found = lab.policy.audit()
    spent = time.process_time() - started
    assert found.ok and found.reproduced == found.verdicts
    return found, found.verdicts / spent


def _request(number):
    request = question([], "here")
    context = {"blocked": 0, "unknown": 0, "event_chain_failures": 0, "qa_breaches": number % 2, "append_us_p95": number}
    return request | {"context": context}


def _verdict(lab, number):
    verdict = lab.policy.decide(_request(number), module="bench")
    assert verdict.allowed == (number % 2 == 0)


def _threads(lab, count, seconds):
    """Return how many verdicts a second that many threads have told and durable."""
    told, until = [0] * count, time.perf_counter() + seconds

    def ask(mine):
        while time.perf_counter() < until:
            _verdict(lab, told[mine])
            told[mine] += 1

    threads = [threading.Thread(target=ask, args=(mine,)) for mine in range(count)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(told) / (time.perf_counter() - started)


def _many(lab, seconds):
    requests = [_request(number) for number in range(1_000)]
    told, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        told += len(lab.policy.decide_many(requests, module="bench"))
    return told / (time.perf_counter() - started)


def _syncs(plain, seconds):
    """Return how many times a second as many bytes as a verdict costs are written and synced."""
    data, count, started = os.urandom(BYTES), 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        plain.write(data)
        os.fdatasync(plain.fileno())
        count += 1
    return count / (time.perf_counter() - started)
