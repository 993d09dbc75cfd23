"""Lenia: states between 0 and 1 that grow or shrink by how well a smooth neighbourhood suits them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

Field = NDArray[np.float64]

RADII = (2, 100)
MOST_TIME = 100_000
LEAST_SIGMA = 1e-4
LEAST_MU = 1e-9  # other than 0, so that every number can be written out
MOST_RINGS = 8

_FORM = re.compile(r"lenia(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)
_PART = re.compile(r"(kn|gn|[rtmsb])=?([0-9.;/]+)", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]{0,6}\.?[0-9]{1,30}")
_FRACTION = re.compile(r"([0-9]{1,3})/([0-9]{1,3})")
_ACCEPTED = "accepted: Lenia, or Lenia R13,T10,m0.15,s0.015, to which b1;1/3, kn1 and gn1 may be added"


@dataclass(frozen=True, repr=False)
class LeniaRule(Rule):
    """A rule of Lenia with one kernel (Chan, "Lenia: Biology of Artificial Life", Complex Systems 28, 2019).

    A step takes the state A of every cell to A + growth(U) / T, cut off at 0 and 1, where U is the mean of A around it weighted by
    `weights`. Numbers of cores and growth functions are those of Chan's programs, as are the letters of the string form.

    Attributes:
        radius: R, 2..100 cells.
        time: T, steps in a unit of time, 1..100000.
        mu: m, the neighbourhood that suits a cell best, 0..1, and no less than 10^-9 unless 0.
        sigma: s, how far from it growth is still positive or nearly so, 0.0001..1.
        rings: b, the heights of the rings of the neighbourhood from the inside out, 1 to 8 of them in 0..1, not all 0; fractions of
            numbers up to 999, or decimals of up to 10 places.
        core: kn, the profile of a ring, see `weights`: 1 polynomial, 2 exponential, 3 step, 4 staircase.
        peak: gn, the growth function, see `growth`: 1 polynomial, 2 exponential, 3 step.

    Raises:
        InputError: no such rule exists.

    >>> str(LeniaRule.parse("Lenia")), LeniaRule.parse("lenia s.02, R=26,T10,m0.2,b1/3;1")
    ('Lenia R13,T10,m0.15,s0.015', Rule('Lenia R26,T10,m0.2,s0.02,b1/3;1', dimensions=2))
    """

    radius: int
    time: int
    mu: float
    sigma: float
    rings: tuple[float, ...] = (1.0,)
    core: int = 1
    peak: int = 1

    family = "lenia"
    dimensions = 2
    states = 256

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("R, the radius,", self.radius, *RADII),
            ("T, the steps in a unit of time,", self.time, 1, MOST_TIME),
            ("m, where growth is greatest,", self.mu, 0, 1),
            ("s, the width of growth,", self.sigma, LEAST_SIGMA, 1),
            ("kn, the kernel's profile,", self.core, 1, 4),
            ("gn, the growth function,", self.peak, 1, 3),
        ):
            if not least <= value <= most:
                raise InputError(f"{name} is from {least:g} to {most:g}, not {value:g}", field="rule")
        if 0 < self.mu < LEAST_MU:
            raise InputError(f"m, where growth is greatest, is 0 or at least {LEAST_MU:g}, not {self.mu:g}", field="rule")
        if not 1 <= len(self.rings) <= MOST_RINGS:
            raise InputError(f"b, the rings, are from 1 to {MOST_RINGS}, not {len(self.rings)}", field="rule")
        if not all(0 <= height <= 1 for height in self.rings):
            raise InputError("b, the heights of the rings, are from 0 to 1", field="rule")
        if max(len(_height(height)) for height in self.rings) > 12:
            raise InputError("b, the heights of the rings, are fractions of numbers up to 999 or decimals of up to 10 places", field="rule")
        if not self._profile.any():
            raise InputError(f"no cell within R{self.radius} lies in a ring of height above 0", field="rule")

    @classmethod
    def parse(cls, text: str) -> LeniaRule | None:
        """Return the rule a string stands for, or None when it does not begin with the word Lenia.

        Accepted: `Lenia` alone, which is the rule of Orbium; or with R, T, m and s and, where they are not 1, b (heights separated by
        semicolons, as fractions or decimals), kn and gn, in any order and either case: `Lenia R13,T10,m0.15,s0.015,b1;1/3`.

        Raises:
            InputError: it does, and no such rule exists.
        """
        match = _FORM.fullmatch(text.strip())
        if match is None:
            return None
        if match[1] is None:
            return cls(13, 10, 0.15, 0.015)
        found: dict[str, str] = {}
        for part in match[1].split(","):
            named = _PART.fullmatch(re.sub(r"\s", "", part))
            if named is None:
                raise InputError(f"{part.strip()[:40]!r} is not a part of it; {_ACCEPTED}", field="rule")
            if named[1].lower() in found:
                raise InputError(f"{named[1]} is named twice", field="rule")
            found[named[1].lower()] = named[2]
        missing = [letter for letter, key in (("R", "r"), ("T", "t"), ("m", "m"), ("s", "s")) if key not in found]
        if missing:
            raise InputError(f"{', '.join(missing)} missing; {_ACCEPTED}", field="rule")
        return cls(
            radius=_whole(found["r"], "R"),
            time=_whole(found["t"], "T"),
            mu=_number(found["m"], "m"),
            sigma=_number(found["s"], "s"),
            rings=tuple(_number(height, "b") for height in found.get("b", "1").split(";")),
            core=_whole(found.get("kn", "1"), "kn"),
            peak=_whole(found.get("gn", "1"), "gn"),
        )

    def __str__(self) -> str:
        parts = [f"R{self.radius}", f"T{self.time}", f"m{_decimal(self.mu)}", f"s{_decimal(self.sigma)}"]
        if self.rings != (1.0,):
            parts.append("b" + ";".join(map(_height, self.rings)))
        parts += [f"{letter}{number}" for letter, number in (("kn", self.core), ("gn", self.peak)) if number != 1]
        return f"Lenia {','.join(parts)}"

    @property
    def spontaneous(self) -> bool:
        """Whether a cell grows with nothing around."""
        return bool(self.growth(np.zeros(1))[0] > 0)

    @cached_property
    def weights(self) -> Field:
        """What each cell around weighs: float64 `[2R+1 2R+1]`, read-only, together 1.

        At the distance d < R, with B rings, x = B d / R is in the ring floor(x), and the cell weighs as much as the ring's height times
        the core of r = x - floor(x): (4 r (1 - r))^4 (polynomial); exp(4 - 1 / (r (1 - r))) (exponential); 1 from 1/4 to 3/4, else 0
        (step); likewise, but 1/2 below 1/4 (staircase).

        >>> LeniaRule.parse("Lenia R2,T1,m0.35,s0.07,kn4,gn3").weights[1:4, 1:4] * 8.5  # the Game of Life's
        array([[1. , 1. , 1. ],
               [1. , 0.5, 1. ],
               [1. , 1. , 1. ]])
        """
        weights: Field = self._profile / self._profile.sum()
        weights.setflags(write=False)
        return weights

    def growth(self, around: Field) -> Field:
        """Return the growth in a unit of time, -1..1, of cells with the weighted mean `around`, float64 of any shape.

        With z = (around - m) / s: 2 max(0, 1 - z^2 / 9)^4 - 1 (polynomial), 2 exp(-z^2 / 2) - 1 (exponential), or 1 where |z| <= 1 and
        -1 elsewhere (step).

        >>> LeniaRule.parse("Lenia").growth(np.array([0.15, 0.0, 0.165])).round(4).tolist()  # 2 (8/9)^4 - 1
        [1.0, -1.0, 0.2486]
        """
        found = around - self.mu
        if self.peak == 3:
            return np.where(np.abs(found) <= self.sigma, 1.0, -1.0)
        found *= found  # in place from here on: half of a step's time goes into this function
        if self.peak == 2:
            found *= -0.5 / self.sigma**2
            np.exp(found, out=found)
        else:
            found *= -1 / (9 * self.sigma**2)
            found += 1
            np.maximum(found, 0, out=found)
            found *= found
            found *= found
        found *= 2
        found -= 1
        return found

    @cached_property
    def _profile(self) -> Field:
        """The weights before they are made to add up to 1."""
        beside = np.arange(-self.radius, self.radius + 1)
        squares = beside[:, None] ** 2 + beside**2
        x = len(self.rings) * np.sqrt(squares) / self.radius
        ring = np.minimum(x.astype(np.int64), len(self.rings) - 1)
        return np.where(squares < self.radius**2, np.array(self.rings)[ring] * _core(self.core, x % 1), 0.0)


def _core(number: int, r: Field) -> Field:
    """Return the profile of a ring, r from 0 to 1 across it."""
    across = r * (1 - r)
    if number == 1:
        return np.power(4 * across, 4)
    if number == 2:
        with np.errstate(divide="ignore"):  # exp(-infinity) is the 0 it should be
            return np.exp(4 - 1 / across)
    return np.where(r < 0.25, 0.0 if number == 3 else 0.5, np.where(r <= 0.75, 1.0, 0.0))


def _whole(text: str, letter: str) -> int:
    if not (text.isdigit() and len(text) <= 6):
        raise InputError(f"{letter} is a whole number, not {text[:40]!r}", field="rule")
    return int(text)


def _number(text: str, letter: str) -> float:
    """Return a decimal, or a fraction such as 1/3."""
    parts = _FRACTION.fullmatch(text)
    if parts and int(parts[2]):
        return int(parts[1]) / int(parts[2])
    if _DECIMAL.fullmatch(text):
        return float(text)
    raise InputError(f"{letter} is a number such as 0.15 or 1/3, not {text[:40]!r}", field="rule")


def _decimal(value: float) -> str:
    """Return the shortest decimal, without an exponent, that reads as this number."""
    return format(Decimal(repr(float(value))), "f").removesuffix(".0")


def _height(value: float) -> str:
    """Return the fraction of small numbers that reads as this number, or else the decimal."""
    fraction = Fraction(value).limit_denominator(999)
    return str(fraction) if float(fraction) == value else _decimal(value)
