"""From when on the population of a course repeats itself, which escaping gliders do not hinder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_PERIOD = 120
LEAST_STEPS = 30


@dataclass(frozen=True)
class Settling:
    """From when on a population repeats itself.

    Attributes:
        step: the first step from which it does.
        period: of the population, which divides the period of the state.
        growth: cells gained in each period; 0 unless something keeps emitting, as a gun does.
    """

    step: int
    period: int
    growth: int


def settle(populations: NDArray[np.int64]) -> Settling | None:
    """Return from when on a population repeats itself up to constant growth, or None when it does not.

    For the smallest period q (at most 120) there is: the smallest step t such that `n[i + q] - n[i]` is the same for all i from t to
    the end, and the course goes on for at least 30 steps and two periods after t. This is how methuselahs are said to stabilise
    (LifeWiki, "Methuselah") although their escaping gliders never repeat; a constant population after step t gives (t, 1, 0).

    Args:
        populations: int64 `[steps + 1]`, live cells after 0, 1, ... steps.

    >>> settle(np.array([9, 4, 6] + [5] * 40))
    Settling(step=3, period=1, growth=0)
    """
    last = len(populations) - 1
    for period in range(1, min(MOST_PERIOD, last // 2) + 1):
        gained = populations[period:] - populations[:-period]
        differing = np.flatnonzero(gained != gained[-1])
        step = int(differing[-1]) + 1 if differing.size else 0
        if last - step >= max(2 * period, LEAST_STEPS):
            return Settling(step, period, int(gained[-1]))
    return None
