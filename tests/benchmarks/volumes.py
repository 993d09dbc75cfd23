"""Claim: any 3D rule, torus 256 x 256 x 256, one thread: at least 10 Gcells per CPU-second, naive Taichi x100.

The rule is B13-14,17-19/S13-26, which stays dense. The numba rivals are written for this rule alone.

    python -m tests.benchmarks volumes
"""

from __future__ import annotations

import statistics

from tests.benchmarks._engines import CLOUDS
from tests.benchmarks._race import UNIT, Stable, compared, race, row, span
from thunderlab.automata.soup import soup

OURS, TRACED = "thunderlab", "thunderlab, traced"
RIVALS = ("numba, packed words", "numba, bytes", "JAX, bytes", "naive Taichi", "NumPy roll", "scipy.ndimage.convolve")
BOUND = 10


def run(quick=False):
    """Return the bound, and one row per size and rival."""
    sizes = ((8, 12, 128),) if quick else ((128, 128, 128), (256, 256, 256))
    settings = {"rounds": 1, "seconds": 0.005} if quick else {"rounds": 5, "seconds": 0.25}
    rows = []
    with Stable((OURS, TRACED, *RIVALS)) as stable:
        for shape in sizes:
            last = shape == sizes[-1]
            # Clouds of fewer live cells die out, and empty rows cost us nothing: no comparison.
            results = race(stable, soup(shape, 0.5, seed=1), CLOUDS, (TRACED, OURS, *RIVALS), **settings)
            claim = f"clouds {'x'.join(map(str, shape))}"
            if last:
                speeds = results[0][OURS]
                rows.append(row(claim, "bound", statistics.median(speeds), BOUND, UNIT, f"ours {span(speeds)}", at_least=1))
            rows += compared(claim, OURS, RIVALS, *results, {"naive Taichi": 100} if last else None)
            rows += compared(f"{claim}, traced", TRACED, (OURS,), *results)
    return rows
