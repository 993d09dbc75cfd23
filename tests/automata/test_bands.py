"""Calibrated bands: the published sample sizes, every order of small samples counted one by one, and simulated seeds."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from thunderlab.automata.qa.bands import FALSE_ALARM, Band, calibrated, coverage, median, median_ranks, most_outside, outside
from thunderlab.seeds import stream


# The fewest samples whose range covers a share with a confidence, two-sided (Wilks 1941; Hahn and Meeker, Statistical Intervals).
@pytest.mark.parametrize(
    ("share", "confidence", "samples"),
    [(0.90, 0.90, 38), (0.90, 0.95, 46), (0.90, 0.99, 64), (0.95, 0.90, 77), (0.95, 0.95, 93), (0.95, 0.99, 130), (0.99, 0.95, 473)],
)
def test_the_range_covers_what_the_tables_say(share, confidence, samples):
    assert coverage(samples, confidence) >= share > coverage(samples - 1, confidence)


def orders(old, new):
    """Every order of old and new values, as the places the old ones take."""
    return list(itertools.combinations(range(old + new), old))


@pytest.mark.parametrize(("old", "new"), [(5, 5), (6, 4), (4, 7), (2, 6), (8, 8)])
@pytest.mark.parametrize("alarm", [Fraction(1, 2), Fraction(1, 5), Fraction(1, 20), Fraction(1, 100)])
def test_limits_are_those_of_every_order_counted(old, new, alarm):
    places = orders(old, new)
    fresh = [sorted(set(range(old + new)) - set(taken)) for taken in places]
    beyond = [sum(not taken[0] < one < taken[-1] for one in others) for taken, others in zip(places, fresh, strict=True)]
    odds = {most: Fraction(sum(count > most for count in beyond), len(places)) for most in range(new + 1)}
    assert most_outside(old, new, alarm) == min(most for most, chance in odds.items() if chance <= alarm)
    medians = [others[math.ceil(new / 2) - 1] for others in fresh]
    low = [Fraction(sum(taken[rank] > half for taken, half in zip(places, medians, strict=True)), len(places)) for rank in range(old)]
    high = [Fraction(sum(taken[rank] < half for taken, half in zip(places, medians, strict=True)), len(places)) for rank in range(old)]
    first = [rank + 1 for rank in range(old) if low[rank] <= alarm / 2]
    last = [rank + 1 for rank in range(old) if high[rank] <= alarm / 2]
    if first and last:
        assert median_ranks(old, new, alarm) == (max(first), min(last))
    else:
        with pytest.raises(ValueError, match="too few"):
            median_ranks(old, new, alarm)


def test_the_fewest_seeds_of_a_scenario_are_enough_and_many_stay_quick():
    assert median_ranks(20, 20) == (1, 20)
    with pytest.raises(ValueError, match="too few"):
        median_ranks(18, 18)
    assert median_ranks(1024, 1024) == (437, 587) and most_outside(1024, 1024) == 12


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential", "bernoulli"])
def test_alarms_are_as_rare_as_promised_whatever_the_distribution(draw):
    rng = stream(5, draw)
    size = (4000, 2, 64)
    values = rng.integers(0, 2, size).astype(float) if draw == "bernoulli" else getattr(rng, draw)(size=size)
    first, last = median_ranks(64, 64)
    before, after = np.sort(values[:, 0]), np.sort(values[:, 1])
    beyond = ((after < before[:, :1]) | (after > before[:, -1:])).sum(axis=1)
    moved = (after[:, 31] < before[:, first - 1]) | (after[:, 31] > before[:, last - 1])
    # Odds of 1/1000 make four in 4000; fifteen happen in one of 20000 such tests.
    assert (beyond > most_outside(64, 64)).sum() < 15 and moved.sum() < 15


def test_the_share_of_the_population_within_the_range_is_as_promised():
    ranges = np.sort(stream(6, "coverage").random((20_000, 64)))
    # Of uniform numbers the share within a range is its length.
    assert np.mean(ranges[:, -1] - ranges[:, 0] >= coverage(64)) == pytest.approx(0.95, abs=0.006)


def test_a_shift_and_a_wider_spread_are_both_noticed():
    before, after = stream(7, "before").normal(size=64), stream(7, "after").normal(size=64)
    band = calibrated(before.tolist())
    assert band.median_low <= median(after.tolist()) <= band.median_high and outside(after.tolist(), band) <= band.most_outside
    assert not band.median_low <= median((after + 1).tolist()) <= band.median_high
    assert outside((after * 3).tolist(), band) > band.most_outside
    assert band.median_low <= median((after * 3).tolist()) <= band.median_high
    assert (band.low, band.high, band.samples) == (before.min(), before.max(), 64)
    assert (band.coverage, band.confidence, FALSE_ALARM) == (0.92801, 0.95, Fraction(1, 1000))


def test_the_limits_themselves_lie_within():
    assert outside([0.2, 0.6], Band(0.2, 0.6)) == 0
    assert median([3.0, 1.0, 2.0]) == 2.0
