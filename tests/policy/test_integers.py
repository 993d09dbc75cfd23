"""Telemetry as integers: exact, or rounded the way the caller says, or refused."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.policy.requests.integers import micros, ppm


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0015, 1500), (0.1, 100_000), (1e-6, 1), (-0.000001, -1), (3, 3_000_000), (0.0, 0), (1e12, 10**18)]
)
def test_what_is_whole_is_exact(seconds, expected):
    assert [micros(seconds, rounding) for rounding in ("exact", "up", "down")] == [expected] * 3


@pytest.mark.parametrize("number", [0.1 + 0.2, 1 / 3, 1e-7, -1e-7, 5e-324, Fraction(1, 3)])
def test_what_is_not_whole_is_refused_unless_the_caller_says_which_way(number):
    with pytest.raises(ValueError, match="say whether it goes up or down"):
        ppm(number)
    assert ppm(number, "up") == ppm(number, "down") + 1
    assert ppm(number, "down") < Fraction(number) * 10**6 < ppm(number, "up")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, True, "1", None, 1e13, -1e13, 2**63, Fraction(2**63)])
def test_what_would_lose_its_meaning_is_refused(number):
    for rounding in ("exact", "up", "down"):
        with pytest.raises(ValueError):
            micros(number, rounding)


def test_the_last_integers_of_64_bits():
    assert micros(Fraction(2**63 - 1, 10**6)) == 2**63 - 1
    assert micros(Fraction(-(2**63), 10**6)) == -(2**63)
    with pytest.raises(ValueError, match="beyond 64 bits"):
        micros(Fraction(2**64 - 1, 2 * 10**6), "up")
    assert micros(Fraction(2**64 - 1, 2 * 10**6), "down") == 2**63 - 1


@given(st.floats(-1e12, 1e12))
def test_rounding_never_crosses_the_number(number):
    exact = Fraction(repr(number)) * 10**6
    assert micros(number, "up") - 1 < exact <= micros(number, "up")
    assert micros(number, "down") <= exact < micros(number, "down") + 1


@given(st.integers(0, 10**9))
def test_microseconds_come_back(count):
    assert micros(count / 10**6) == count
