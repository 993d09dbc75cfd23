"""Calibrated bands: what the spread over many seeds says about further ones, without supposing any distribution.

All of it rests on one fact: n + m numbers drawn independently from one continuous distribution come in every order equally often, so
where m new ones lie among n old ones is counting. Ties make alarms rarer, never more frequent.
"""

from __future__ import annotations

import bisect
import functools
import math
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from thunderlab import stats

CONFIDENCE = 0.95
# Of one test of one metric, when nothing but the seeds has changed.
FALSE_ALARM = Fraction(1, 1000)


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits within which a metric may move, both included.

    Attributes:
        low, high: the limits.
        samples: seeds the limits were calibrated on; None when they are a fraction of the agreed value.
        coverage: share of all seeds that lie within the limits, at least, with `confidence`.
        confidence: how sure that is.
    """

    low: float
    high: float
    samples: int | None = None
    coverage: float | None = None
    confidence: float | None = None


class EnsembleBand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one metric was over the seeds of an ensemble, and what another ensemble of the same size may make of it.

    Attributes:
        low, high: the least and the greatest: a tolerance interval, see `coverage`.
        samples: how many seeds.
        coverage: share of all seeds within it, at least, with `confidence`.
        confidence: how sure that is.
        most_outside: how many of another ensemble's seeds may lie outside, see `most_outside`.
        median: of the seeds, the smallest value that half of them do not exceed.
        median_low, median_high: where another ensemble's median may lie, see `median_ranks`.
    """

    low: float
    high: float
    samples: int
    coverage: float
    confidence: float
    most_outside: int
    median: float
    median_low: float
    median_high: float


def calibrated(values: Sequence[float]) -> EnsembleBand:
    """Return the band that the values of one metric over many seeds set; at least `LEAST_SEEDS` of them."""
    ordered, count = sorted(values), len(values)
    first, last = median_ranks(count, count)
    return EnsembleBand(
        low=ordered[0],
        high=ordered[-1],
        samples=count,
        coverage=coverage(count),
        confidence=CONFIDENCE,
        most_outside=most_outside(count, count),
        median=median(ordered),
        median_low=ordered[first - 1],
        median_high=ordered[last - 1],
    )


def median(values: Sequence[float]) -> float:
    """Return the smallest value that at least half of the values do not exceed.

    >>> median([4.0, 1.0, 3.0, 2.0])
    2.0
    """
    return stats.quantile(values, 0.5)


def outside(values: Sequence[float], band: Band | EnsembleBand) -> int:
    """Return how many values lie outside a band.

    >>> outside([0.1, 0.5, 0.9], Band(0.2, 0.6))
    2
    """
    return sum(not band.low <= value <= band.high for value in values)


@functools.cache
def coverage(samples: int, confidence: float = CONFIDENCE) -> float:
    """Return the share of a population that the range of `samples` of its members covers at least, with `confidence`; to 6 decimals.

    The share the range covers is distributed Beta(n - 1, 2), whatever the population's own distribution is: it exceeds p with
    probability 1 - n p^(n-1) + (n-1) p^n (S. S. Wilks, Ann. Math. Statist. 12, 91-96, 1941). Solved for p by halving, rounded down.

    >>> coverage(64), coverage(93) >= 0.95 > coverage(92)
    (0.92801, True)
    """
    low, high = 0, 1_000_000
    while high - low > 1:
        middle = (low + high) // 2
        p = middle / 1_000_000
        if 1 - samples * p ** (samples - 1) + (samples - 1) * p**samples >= confidence:
            low = middle
        else:
            high = middle
    return low / 1_000_000


@functools.cache
def most_outside(samples: int, fresh: int, alarm: Fraction = FALSE_ALARM) -> int:
    """Return the least k such that more than k of `fresh` new values lie outside the range of `samples` old ones with odds up to `alarm`.

    Exactly k of m new values lie outside the range of n old ones in (k + 1) C(m - k + n - 2, n - 2) of the C(n + m, n) orders that
    are equally likely when nothing has changed: i below, k - i above, i = 0..k (E. J. Gumbel and H. von Schelling, Ann. Math.
    Statist. 21, 247-262, 1950).

    >>> most_outside(64, 64), most_outside(64, 1)
    (12, 1)
    """
    orders, more = math.comb(samples + fresh, samples), 0
    for count in range(fresh, 0, -1):
        more += (count + 1) * math.comb(fresh - count + samples - 2, samples - 2)
        if Fraction(more, orders) > alarm:
            return count
    return 0


@functools.cache
def median_ranks(samples: int, fresh: int, alarm: Fraction = FALSE_ALARM) -> tuple[int, int]:
    """Return the ranks (from 1) of the two old values between which the median of `fresh` new ones lies, but for odds up to `alarm`.

    Of m new values exactly j lie below the a-th of n old ones in C(j + a - 1, j) C(m - j + n - a, m - j) of the C(n + m, n) orders
    that are equally likely when nothing has changed (the precedence statistic: L. S. Nelson, Technometrics 5, 491-499, 1963;
    H. C. Mathisen, Ann. Math. Statist. 14, 188-194, 1943, for the median). Each side takes half of the odds.

    Raises:
        ValueError: when so few values cannot say anything with such odds.

    >>> median_ranks(64, 64), median_ranks(20, 20)
    ((14, 50), (1, 20))
    """
    rank, orders = (fresh + 1) // 2, math.comb(samples + fresh, samples)

    def unlikely(old: int, least: int, most: int) -> bool:
        """Return whether `least` to `most` new values lie below the old value of that rank with odds up to half the alarm."""
        ways = (math.comb(j + old - 1, j) * math.comb(fresh - j + samples - old, fresh - j) for j in range(least, most + 1))
        return Fraction(sum(ways), orders) <= alarm / 2

    # The higher an old value's rank, the likelier are many new ones below it: both sides are found by halving.
    ranks = range(1, samples + 1)
    first = bisect.bisect_left(ranks, True, key=lambda old: not unlikely(old, rank, fresh))
    last = bisect.bisect_left(ranks, True, key=lambda old: unlikely(old, 0, rank - 1)) + 1
    if first < 1 or last > samples:
        raise ValueError(f"{samples} and {fresh} values are too few for odds of {alarm}")
    return first, last
