"""Small exact statistics: order-statistic quantiles with confidence bounds, an interval for a probability, and entropy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Quantile(NamedTuple):
    """A sample quantile and the order statistics that bound the true one; a bound is None where the sample is too small."""

    value: float
    low: float | None
    high: float | None


def quantile(samples: Sequence[float], q: float) -> float:
    """Return the smallest sample that at least a fraction `q` of the samples do not exceed (nearest rank).

    Args:
        samples: at least one number, in any order.
        q: 0 < q <= 1.

    >>> quantile([15, 20, 35, 40, 50], 0.4)
    20
    """
    if not samples:
        raise ValueError("a quantile needs at least one sample")
    if not 0 < q <= 1:
        raise ValueError("q lies in (0, 1]")
    # The small slack undoes products such as 0.95 * 20 = 19.000000000000004 that would skip a rank.
    return sorted(samples)[max(0, math.ceil(q * len(samples) - 1e-9) - 1)]


def quantile_with_bounds(samples: Sequence[float], q: float, confidence: float = 0.95) -> Quantile:
    """Return the sample quantile with a distribution-free confidence interval.

    The number of samples below the true quantile is Binomial(n, q), so two order statistics enclose it with at least
    `confidence` (David and Nagaraja, Order Statistics, section 7.1). With few samples a bound does not exist: None.

    >>> quantile_with_bounds(list(range(1, 101)), 0.5)
    Quantile(value=50, low=40, high=61)
    """
    value = quantile(samples, q)
    ordered, count, tail = sorted(samples), len(samples), (1 - confidence) / 2
    low_rank, high_rank, cumulative = 0, 0, 0.0
    for below in range(count + 1):
        cumulative += math.comb(count, below) * q**below * (1 - q) ** (count - below) if count <= 1000 else _binomial(count, below, q)
        if cumulative <= tail:
            low_rank = below + 1
        if not high_rank and cumulative >= 1 - tail:
            high_rank = below + 1
    low = ordered[low_rank - 1] if low_rank >= 1 else None
    high = ordered[high_rank - 1] if 1 <= high_rank <= count else None
    return Quantile(value, low, high)


def wilson(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval for a probability (Wilson 1927), whose ends lie in 0..1.

    (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n), with p = successes / trials and z the normal quantile.

    Args:
        successes: 0..trials.
        trials: 1 or more.
        confidence: between 0 and 1.

    >>> [round(end, 4) for end in wilson(0, 10)]  # 0 of 10 may be a quarter: z^2 / (10 + z^2), z = 1.96
    [0.0, 0.2775]
    """
    from statistics import NormalDist  # slow to load, and seldom wanted

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / trials
    middle = share + z * z / (2 * trials)
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    # None and all are exact ends, which the square root misses by a last bit.
    return (middle - reach) / scale if successes else 0.0, (middle + reach) / scale if successes < trials else 1.0


def _binomial(count: int, successes: int, p: float) -> float:
    """Return one binomial probability by logarithms, which large counts need."""
    if p >= 1:
        return float(successes == count)
    log_choose = math.lgamma(count + 1) - math.lgamma(successes + 1) - math.lgamma(count - successes + 1)
    return math.exp(log_choose + successes * math.log(p) + (count - successes) * math.log1p(-p))


def entropy_bits(counts: Iterable[int]) -> float:
    """Return the Shannon entropy in bits of the distribution that integer counts describe; 0 for an empty one.

    H = -sum p log2 p with p = count / total (Shannon 1948). Counts stay integers until the divisions.

    >>> entropy_bits([1, 1]), entropy_bits([4, 0]), entropy_bits([])
    (1.0, 0.0, 0.0)
    """
    present = [count for count in counts if count]
    total = sum(present)
    if len(present) < 2:
        return 0.0
    return math.fsum(-(count / total) * math.log2(count / total) for count in present)
