"""Claim: any 2D rule against Life alone, torus 4096 x 4096, one thread: C x0.5, packed numba x1.2, CAX x1000, Golly QuickLife x10.

Gigacells per CPU-second. Ours runs any rule from data; C, numba and JAX are written for Life alone. Steps that leave no trace are compared
with rivals, which leave none either; what a trace of population and digest of every step costs is a row of its own. Each round starts
from the same dense soup. Golly is at its best on sparse or settled patterns, which these are not; its start-up is taken off.

    python -m tests.benchmarks life_engines
"""

from __future__ import annotations

from tests.benchmarks._race import Stable, compared, race
from thunderlab.automata.soup import soup

OURS, TRACED = "thunderlab", "thunderlab, traced"
RULE = "B3/S23"
FAST = ("C, Life alone", "C, Life alone, 4 steps a pass", "numba, packed words")
ALL = (
    *FAST, "numba, bytes", "JAX, packed words", "JAX, bytes", "CAX", "Golly QuickLife", "naive Taichi", "NumPy roll",
    "scipy.ndimage.convolve",
)  # fmt: skip
PROMISES = {"C, Life alone": 0.5, "numba, packed words": 1.2, "CAX": 1000, "Golly QuickLife": 10}


def run(quick=False):
    """Return one row per size and rival."""
    cases = [((1024, 1024), FAST, {}), ((4096, 4096), ALL, PROMISES)] if not quick else [((48, 1024), ALL, PROMISES)]
    settings = {"rounds": 1, "seconds": 0.005} if quick else {"rounds": 7, "seconds": 0.25}
    rows = []
    with Stable((OURS, TRACED, *ALL)) as stable:
        for shape, rivals, promises in cases:
            results = race(stable, soup(shape, 0.4, seed=1), RULE, (TRACED, OURS, *rivals), **settings)
            claim = f"Life {shape[0]}x{shape[1]}"
            rows += compared(claim, OURS, rivals, *results, promises)
            rows += compared(f"{claim}, traced", TRACED, (OURS, *FAST), *results)
    return rows
