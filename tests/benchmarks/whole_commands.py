"""Claim: the core suite, 64 seeds a scenario, stays under 10 s cold and 8 s warm, a second main job under 60 s, the front door 0.25 s CPU.

Whole processes, measured from outside. Cold is a new workspace, so every kernel is compiled; warm is the same workspace again.
The rival of the front door is a bare interpreter, run in turn with it. The published bound of the core suite is 90 s.

    python -m tests.benchmarks whole_commands
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks._race import row

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
CLI = [sys.executable, "-m", "thunderlab"]


def measure(command, cwd, workspace):
    """Return (wall, CPU) seconds of one finished process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    environment = {**os.environ, "THUNDERLAB_WORKSPACE": str(workspace)}
    subprocess.run(command, cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(quick=False):
    """Return one row per claim; a quick run looks at the front door alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if quick:
            return list(_front_door(place, rounds=1))
        return [*_suite(place), *_main_job(place), *_front_door(place, ROUNDS)]


def _suite(folder):
    command = [*CLI, "qa", "run", "--suite", "core"]
    cold, warm = [], []
    for number in range(3):
        place = folder / f"workspace-{number}"
        cold.append(measure(command, ROOT, place))
        warm.append(measure(command, ROOT, place))
    for label, bound, times in (("cold", 10, cold), ("warm", 8, warm)):
        wall, cpu = (statistics.median(values) for values in zip(*times, strict=True))
        note = f"{cpu:.1f} s CPU, median of 3; the published bound is 90 s"
        yield row(f"core suite, whole command, {label}", "bound", wall, bound, "s wall", note, at_most=1)


def _main_job(folder):
    project = folder / "project"
    project.mkdir()
    first = measure([*CLI, "run"], project, project / ".thunderlab")
    second = measure([*CLI, "run"], project, project / ".thunderlab")
    note = f"{second[1]:.1f} s CPU; the first took {first[0]:.1f} s"
    yield row("second main job, default pack", "bound", second[0], 60, "s wall", note, at_most=1)
    page = max(project.glob("reports/*Z-*/index.html"))
    yield row("report size", "bound", page.stat().st_size / 1024, 1024, "KiB", "one file, nothing fetched", at_most=1)


def _front_door(folder, rounds):
    commands = {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "import thunderlab": [sys.executable, "-c", "import thunderlab"],
        "thunderlab --help": [*CLI, "--help"],
    }
    times = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            times[name].append(measure(command, ROOT, folder)[1])
    cpu = {name: statistics.median(values[1:]) for name, values in times.items()}
    for name in ("import thunderlab", "thunderlab --help"):
        above = cpu[name] - cpu["bare interpreter"]
        note = f"median of {rounds}, interleaved; bare {cpu['bare interpreter']:.3f} s"
        yield row(f"{name}, CPU above a bare interpreter", "bound", above, 0.25, "s CPU", note, at_most=1)
