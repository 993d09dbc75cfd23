"""Quantiles, intervals and entropy against SciPy and published numbers."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.stats import entropy_bits, quantile, quantile_with_bounds, wilson

SAMPLES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=60)
LEVELS = st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0])


@given(SAMPLES, LEVELS)
def test_quantile_is_the_inverted_empirical_distribution(samples, q):
    assert quantile(samples, q) == np.quantile(samples, q, method="inverted_cdf")


@given(st.lists(st.integers(0, 50), max_size=20))
def test_entropy_agrees_with_scipy(counts):
    expected = scipy.stats.entropy(counts, base=2) if sum(counts) else 0.0
    assert entropy_bits(counts) == pytest.approx(expected, abs=1e-12)


def test_bounds_are_order_statistics_of_the_binomial():
    samples = list(range(1, 17))
    found = quantile_with_bounds(samples, 0.75, confidence=0.90)
    # Among 16 samples Binomial(16, 0.75) fall below the quartile: P(at most 8) = 0.027 and P(at most 15) = 0.990, while
    # P(at most 9) = 0.080 and P(at most 14) = 0.937 would leave more than 0.05 outside.
    assert (found.low, found.value, found.high) == (9, 12, 16)


@pytest.mark.parametrize("count", [10, 59, 1500])
def test_bounds_hold_at_least_the_confidence(count):
    samples = list(range(1, count + 1))
    for q in (0.5, 0.95):
        found = quantile_with_bounds(samples, q)
        low = scipy.stats.binom.cdf((found.low or 0) - 1, count, q)
        high = 1 - scipy.stats.binom.cdf(found.high - 1, count, q) if found.high else 0.0
        assert low <= 0.025 + 1e-9 and high <= 0.025 + 1e-9


def test_too_few_samples_have_no_upper_bound_for_a_high_quantile():
    assert quantile_with_bounds([1, 2, 3], 0.99).high is None


@pytest.mark.parametrize(("samples", "q"), [([], 0.5), ([1], 0.0), ([1], 1.5)])
def test_impossible_questions_are_refused(samples, q):
    with pytest.raises(ValueError):
        quantile(samples, q)


def test_an_even_coin_has_one_bit():
    assert entropy_bits([7, 7]) == 1.0
    assert entropy_bits([1, 3]) == pytest.approx(2 - 0.75 * math.log2(3))


# Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)
    assert wilson(trials - successes, trials) == pytest.approx((1 - high, 1 - low), abs=5e-5)
