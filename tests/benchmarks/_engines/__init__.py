"""Everything that takes part in a benchmark: ourselves and the rivals, one class each, made inside a process of its own.

A class takes cells ([y x] or [z y x]; [seed y x] for a batch of lattices side by side), the string of a rule, and whether it is a batch.
It offers `restart()`, `advance(steps)`, `cells()` and `close()`; `timed(steps)` when its seconds cannot be read off the process it runs in. It raises
`Absent` or ImportError when what it needs is not on this machine.
"""

from __future__ import annotations

import importlib

CLOUDS = "B13-14,17-19/S13-26"

# Name -> module and class.
ENGINES = {
    "thunderlab": "ours.Untraced",
    "thunderlab, traced": "ours.Traced",
    "C, Life alone": "c.Life",
    "C, Life alone, 4 steps a pass": "c.LifeFourSteps",
    "C, Life alone, a bit per seed": "c.Seeds",
    "numba, packed words": "compiled.PackedWords",
    "numba, bytes": "compiled.Bytes",
    "JAX, packed words": "xla.PackedWords",
    "JAX, bytes": "xla.Bytes",
    "CAX": "xla.Cax",
    "Golly QuickLife": "golly.QuickLife",
    "naive Taichi": "fields.Naive",
    "NumPy roll": "arrays.NumpyRoll",
    "scipy.ndimage.convolve": "arrays.ScipyConvolve",
    "NumPy reference": "arrays.Reference",
}


class Absent(Exception):
    """What an engine needs is not here; says what."""


class Engine:
    """What all have in common: the start they are put back to."""

    def __init__(self, cells, rule, batch=False):
        self.start, self.rule, self.batch = cells, rule, batch
        self.axes = tuple(range(batch, cells.ndim))  # along which neighbours lie
        self.three_d = len(self.axes) == 3
        self.prepare()
        self.restart()

    def prepare(self):
        """Make what does not change from restart to restart."""

    def restart(self):
        """Go back to the cells handed in."""
        self.state = self.start.copy()

    def cells(self):
        """Return the cells now, as they were handed in."""
        return self.state

    def close(self):
        """Leave nothing behind."""

    def about(self):
        """Return what to say about it: a version, a compiler."""
        return ""


def find(name):
    """Return the class of an engine."""
    module, _, attribute = ENGINES[name].partition(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def sum_rule(total, cell, three_d):
    """Return who lives, from the sum of a cell and its neighbours: Life, or clouds in three dimensions. Bytes in, truth values out."""
    if three_d:
        born = (total == 13) | (total == 14) | ((total >= 17) & (total <= 19))
        return ((cell == 0) & born) | ((cell == 1) & (total >= 14))
    return (total == 3) | ((total == 4) & (cell == 1))


def only_known(rule, three_d):
    """Refuse the rules that a hand-written rival was not written for."""
    known = CLOUDS if three_d else "B3/S23"
    if rule != known:
        raise Absent(f"written for {known} alone")
