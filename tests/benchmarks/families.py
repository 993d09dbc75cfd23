"""Claim: every family of rules runs faster than the plain NumPy reference of this project, one thread, on a torus.

Gigacells per CPU-second, one row per family. The reference is written to be read, and every kernel equals it bit for bit, which is looked at
before anything is timed.

    python -m tests.benchmarks families
"""

from __future__ import annotations

from tests.benchmarks._engines import CLOUDS
from tests.benchmarks._race import UNIT, Stable, compared, race, row
from thunderlab.automata.soup import soup

OURS, RIVAL = "thunderlab", "NumPy reference"
FLAT, DEEP = (1024, 1024), (128, 128, 128)
# Family, rule, size, and a density from which it does not die out.
FAMILIES = (
    ("outer-totalistic, 8 neighbours", "B3/S23", FLAT, 0.4),
    ("hexagonal, 6 neighbours", "B2/S34H", FLAT, 0.5),
    ("von Neumann, 4 neighbours", "B2/S013V", FLAT, 0.5),
    ("isotropic", "B3/S2-i34q", FLAT, 0.4),
    ("Generations", "345/2/4", FLAT, 0.4),
    ("Larger than Life, radius 5", "R5,C0,M1,S34..58,B34..45,NM", FLAT, 0.5),
    ("elementary", "W110", FLAT, 0.5),
    ("3D, 26 neighbours", CLOUDS, DEEP, 0.5),
    ("3D, 6 neighbours", "0-6/1,3/2/N", DEEP, 0.2),
    ("3D Generations, 26 neighbours", "4/4/5/M", DEEP, 0.2),
)


def run(quick=False):
    """Return one row per family."""
    settings = {"rounds": 1, "seconds": 0.005} if quick else {"rounds": 3, "seconds": 0.2}
    rows = []
    with Stable((OURS, RIVAL)) as stable:
        for family, rule, shape, density in FAMILIES:
            size = tuple(side // 4 for side in shape) if quick else shape
            claim = f"{family}: {rule} {'x'.join(map(str, size))}"
            results = race(stable, soup(size, density, seed=1), rule, (RIVAL, OURS), **settings)
            if OURS in results[1]:
                rows.append(row(claim, RIVAL, None, None, UNIT, f"absent: {results[1][OURS]}", at_least=1))
            else:
                rows += compared(claim, OURS, (RIVAL,), *results, {RIVAL: 1})
    return rows
