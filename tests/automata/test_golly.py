"""Golly, an independent program, on the same starts: the same cells after the same steps."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from thunderlab.automata import Pattern, read_scenario, simulate, soup
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.seeds import stream
from thunderlab.workspace import shipped

pytestmark = pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")


def _golly(folder, cells, rule, steps):
    """Return the live cells after `steps` of Golly's QuickLife, as a pattern of their bounding box; `rule` may name a torus."""
    start, end = folder / "start.rle", folder / "end.rle"
    header, _, body = Pattern(cells).text().partition("\n")
    start.write_text(f"{header.partition(', rule')[0]}, rule = {rule}\n{body}")
    subprocess.run(["bgolly", "-a", "QuickLife", "-m", str(steps), "-i", str(steps), "-o", end, start], check=True, capture_output=True)
    text = re.sub(r":T\d+,\d+", "", end.read_text())
    # An empty universe is written with no size at all.
    return Pattern.parse(text).cells if "x = 0" not in text else np.zeros((1, 1), np.uint8)


@pytest.mark.parametrize("case", range(24))
def test_random_rules_on_random_tori(tmp_path, case):
    rng = stream(case, "golly")
    birth, survival = (sorted(rng.choice(np.arange(low, 9), size=rng.integers(1, 5), replace=False)) for low in (1, 0))
    rule = f"B{''.join(map(str, birth))}/S{''.join(map(str, survival))}"
    height, width, steps = int(rng.integers(5, 80)), int(rng.integers(5, 300)), int(rng.choice([1, 7, 64, 257]))
    start = soup((height, width), 0.4, case)
    theirs = _golly(tmp_path, start, f"{rule}:T{width},{height}", steps)
    assert cells_sha256(simulate(start, rule, steps, "torus")) == cells_sha256(theirs)


@pytest.mark.parametrize("name", ["r-pentomino", "acorn", "diehard", "pi-heptomino", "highlife-replicator"])
def test_published_patterns_on_the_unbounded_plane(tmp_path, name):
    scenario = read_scenario(shipped("scenarios") / "core" / f"{name}.yaml")
    theirs = _golly(tmp_path, scenario.pattern, str(scenario.rule), scenario.duration)
    ours = simulate(scenario.initial_cells(), scenario.rule, scenario.duration, scenario.boundary)
    assert cells_sha256(ours) == cells_sha256(theirs)
