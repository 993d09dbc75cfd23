"""Claim: 256 seeds of Life on 128 x 128, 1000 steps: 0.1 CPU-s stepping, 0.5 with all cheap observables every 10th; C with a bit per seed x0.5.

One thread; making the ensemble and compiling are not counted, as for the rivals. JAX takes all seeds as one array, numba one after the
other, C has a bit for each seed.

    python -m tests.benchmarks ensembles
"""

from __future__ import annotations

import statistics

import numpy as np

from tests.benchmarks._race import Stable, compared, race, required, row
from thunderlab.automata.soup import soup

OURS = "thunderlab"
RULE = "B3/S23"
RIVALS = ("C, Life alone, a bit per seed", "numba, packed words", "JAX, packed words", "JAX, bytes", "NumPy roll")
SEEDS, EVERY = 256, 10
STEPPING, OBSERVED = 0.1, 0.5  # CPU-seconds


def run(quick=False):
    """Return the two bounds, and one row per rival."""
    shape, steps, rounds = ((8, 128), 20, 1) if quick else ((128, 128), 1000, 5)
    cells = np.stack([soup(shape, 0.4, seed=seed) for seed in range(SEEDS)])
    claim = f"{SEEDS} seeds of Life {shape[0]}x{shape[1]}"
    with Stable((OURS, *RIVALS)) as stable:
        results = race(stable, cells, RULE, (OURS, *RIVALS), rounds=rounds, seconds=0.005 if quick else 0.25, batch=True)
        ours = stable.workers[OURS]
        bounds = []
        for what, more, bound in (("stepping", {}, STEPPING), (f"observed every {EVERY}", {"every": EVERY}, OBSERVED)):
            spent = []
            for turn in range(rounds + 1):  # the first compiles
                ours.ask("restart")
                answer = required(ours, "time", steps=steps, **more)
                spent += [answer["cpu"]] if turn else []
            note = f"{ours.about}; {min(spent):.3g}..{max(spent):.3g} over {rounds} rounds"
            bounds.append(row(f"{claim}, {steps} steps, {what}", "bound", statistics.median(spent), bound, "CPU-s", note, at_most=1))
        return bounds + compared(claim, OURS, RIVALS, *results)
