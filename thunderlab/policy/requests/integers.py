"""Telemetry's numbers as the integers that Cedar computes with: it has no floats.

Durations become microseconds, fractions parts per million. What is not whole then is refused unless the caller says which way to round: a
threshold is a promise, and only who compares knows which side is the safe one. What a `forbid ... when` asks to be low goes up, what it asks
to be high goes down, so that rounding may cost a permission and never grants one. There is no rounding to the nearest.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from thunderlab.policy.language.values import LONG_MAX, LONG_MIN

Rounding = Literal["exact", "up", "down"]

_MILLION = 1_000_000


def micros(seconds: float | Fraction, rounding: Rounding = "exact") -> int:
    """Return seconds as whole microseconds.

    A float counts as the number it is written as, the shortest one that reads back as the same float: `0.0015` is 1500 microseconds,
    though no float is exactly that.

    Args:
        seconds: any finite number that fits into 64 bits of microseconds.
        rounding: `exact` refuses what is no whole number of microseconds; `up` is towards plus infinity, `down` towards minus infinity.

    Raises:
        ValueError: when it is no finite number, beyond 64 bits, or not whole and not to be rounded.

    >>> micros(0.0015), micros(2), micros(Fraction(1, 3), "up")
    (1500, 2000000, 333334)
    >>> micros(1 / 3)
    Traceback (most recent call last):
    ValueError: 0.3333333333333333 is no whole number of microseconds: say whether it goes up or down
    """
    return _millionths(seconds, rounding, "microseconds")


def ppm(fraction: float | Fraction, rounding: Rounding = "exact") -> int:
    """Return a fraction, or any other number of unit 1, as whole parts per million.

    Args:
        fraction: any finite number that fits into 64 bits of millionths; 0.25 is 25 %.
        rounding: as in `micros`.

    Raises:
        ValueError: as `micros`.

    >>> ppm(0.25), ppm(Fraction(2, 3), "down"), ppm(-0.0000005, "up")
    (250000, 666666, 0)
    """
    return _millionths(fraction, rounding, "parts per million")


def _millionths(number: float | Fraction, rounding: Rounding, unit: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int | float | Fraction):
        raise ValueError(f"{number!r} is no number")  # noqa: TRY004 - all that is refused is refused alike
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{number!r} is no finite number")
    exact = (Fraction(Decimal(repr(float(number)))) if isinstance(number, float) else Fraction(number)) * _MILLION
    if rounding == "exact" and exact.denominator != 1:
        raise ValueError(f"{number!r} is no whole number of {unit}: say whether it goes up or down")
    whole = math.ceil(exact) if rounding == "up" else math.floor(exact)
    if not LONG_MIN <= whole <= LONG_MAX:
        raise ValueError(f"the number of {unit} is beyond 64 bits")
    return whole
