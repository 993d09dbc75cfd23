"""Golly's QuickLife on a torus, through `bgolly`: a process a run, so its seconds are the difference of a long run and a short one."""

from __future__ import annotations

import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.benchmarks._engines import Absent, Engine


class QuickLife(Engine):
    def prepare(self):
        if self.batch or self.start.ndim != 2:
            raise Absent("runs one lattice in two dimensions")
        if shutil.which("bgolly") is None:
            raise Absent("no bgolly here")
        self.folder = tempfile.TemporaryDirectory()
        self.soup = Path(self.folder.name) / "soup.rle"
        height, width = self.start.shape
        self.soup.write_bytes(rle(self.start, f"{self.rule}:T{width},{height}"))

    def restart(self):
        self.steps = 0

    def advance(self, steps):
        self.steps += steps

    def timed(self, steps):
        """Return (CPU, wall) seconds of `steps` steps: of four times as many less a start-up, which varies, so a short run would drown in it."""
        long, short = self.run(1 + 4 * steps), self.run(1)
        return (long[0] - short[0]) / 4, (long[1] - short[1]) / 4

    def run(self, steps, *more):
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = ["bgolly", "-a", "QuickLife", "-q", "-m", str(steps), *more, str(self.soup)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.perf_counter() - started

    def cells(self):
        end = Path(self.folder.name) / "end.rle"
        self.run(self.steps, "-o", str(end))
        return live_box(end.read_bytes())

    def close(self):
        self.folder.cleanup()

    def about(self):
        said = subprocess.run(["bgolly", "-h"], capture_output=True, text=True).stdout
        return " ".join(said.partition("Copyright")[0].split()[-2:])


def rle(cells, rule):
    """Return a pattern file with a letter for every cell: nothing is counted, so a dense soup is written in no time."""
    height, width = cells.shape
    letters = np.full((height, width + 1), ord("$"), dtype=np.uint8)
    letters[:, :width] = np.where(cells, ord("o"), ord("b"))
    lines = np.full((-(-letters.size // 64), 65), ord(" "), dtype=np.uint8)
    lines[:, 64] = ord("\n")
    padded = np.full(lines[:, :64].size, ord(" "), dtype=np.uint8)
    padded[: letters.size] = letters.reshape(-1)
    lines[:, :64] = padded.reshape(-1, 64)
    return f"x = {width}, y = {height}, rule = {rule}\n".encode() + lines.tobytes() + b"!\n"


def live_box(text):
    """Return the bounding box of the live cells of a pattern file, as cells."""
    body = b"".join(line for line in text.splitlines() if not line.startswith((b"#", b"x"))).partition(b"!")[0]
    signs = np.frombuffer(body.replace(b" ", b""), dtype=np.uint8)
    digit = (signs >= ord("0")) & (signs <= ord("9"))
    at = np.flatnonzero(~digit)
    counts, still = np.zeros(len(at), dtype=np.int64), np.ones(len(at), dtype=bool)
    for place in range(9):
        still &= at > place
        still &= digit[np.maximum(at - 1 - place, 0)]
        counts[still] += (signs[at[still] - 1 - place].astype(np.int64) - ord("0")) * 10**place
    counts[counts == 0] = 1
    kind = signs[at]
    rows = np.where(kind == ord("$"), counts, 0)
    y = np.cumsum(rows)
    along = np.cumsum(np.where(kind == ord("$"), 0, counts))
    ends = np.flatnonzero(kind == ord("$"))
    row_start = np.zeros(len(at), dtype=np.int64)
    row_start[ends] = along[ends]
    x = along - np.maximum.accumulate(row_start) - counts  # where a run begins
    live = kind == ord("o")
    if not live.any():
        return np.zeros((1, 1), dtype=np.uint8)
    cells = np.zeros((int(y[live].max()) + 1, int((x + counts)[live].max())), dtype=np.uint8)
    runs = counts[live]
    first = np.repeat(np.cumsum(runs) - runs, runs)
    cells[np.repeat(y[live], runs), np.repeat(x[live], runs) + np.arange(runs.sum()) - first] = 1
    return cells
