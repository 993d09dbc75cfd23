"""How a report says things: status words, values with units for people, and the command that acts on a gate."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import NamedTuple

from thunderlab.gate.reading import Status


class Verdict(NamedTuple):
    """One status in words: `word` for the verdict, `state` for a single reading, `sign` a shape that needs no colour."""

    word: str
    state: str
    sign: str
    sentence: str


VERDICTS: dict[Status, Verdict] = {
    "healthy": Verdict("Ready", "healthy", "✔", "Every required reading is present, fresh and within its limits."),
    "degraded": Verdict("Not ready", "degraded", "▲", "Nothing is known to be broken, but a reading is outside its comfortable limits."),
    "blocked": Verdict("Blocked", "blocked", "✖", "A reading is past its hard limit; the reasons follow, worst first."),
    "unknown": Verdict("Unknown", "unknown", "?", "Evidence is missing or too old to decide. Missing is never counted as healthy."),
}

# Beginning of a gate's or reading's dotted name -> the command that looks into it; the first that fits is taken.
_ACTIONS = (
    ("event_chain.", "thunderlab ledger audit --full"),
    ("policy.chain.", "thunderlab ledger audit --full"),
    ("policy.deploy.", "thunderlab policy log --limit 1"),
    ("policy.verdict.", "thunderlab policy log"),
    ("ca.qa.replay", "thunderlab qa replay SCENARIO"),
    ("ca.", "thunderlab qa run --suite core"),
    ("ledger.", "thunderlab metrics"),
    ("run.", "thunderlab run --fresh"),
)


def action(gate: str) -> str:
    """Return the command that reproduces what a gate said; the gate's own check when nothing closer is known.

    >>> action("event_chain.audit.failures"), action("something.new")
    ('thunderlab ledger audit --full', 'thunderlab gate check')
    """
    return next((command for beginning, command in _ACTIONS if gate.startswith(beginning)), "thunderlab gate check")


def quantity(value: object, unit: str = "") -> str:
    """Return a value with its unit as people write it; `no data` for None, text unchanged.

    >>> quantity(12_345, "us"), quantity(95.0, "s"), quantity(0.984, "fraction"), quantity(1234567, "count")
    ('12.3 ms', '1 min 35 s', '98.4 %', '1,234,567')
    >>> quantity(None, "us"), quantity(0.91234, "bits")
    ('no data', '0.9123 bits')
    """
    if value is None:
        return "no data"
    if isinstance(value, str | bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return "not a finite number"
    if unit == "us":
        return duration(value / 1e6)
    if unit == "s":
        return duration(value)
    if unit == "fraction":
        # Nearly all is not all: a gate that wants everything must not be shown "100 %" beside its no.
        return "> 99.9 %" if 0.9995 <= value < 1 else f"{number(value * 100, 3)} %"
    return number(value) if unit in {"", "count"} else f"{number(value)} {unit}"


def number(value: float, digits: int = 4) -> str:
    """Return a finite number with `digits` significant digits; whole numbers whole, with commas.

    >>> number(3), number(0.123456), number(98765.4), number(1e-9), number(2.50)
    ('3', '0.1235', '98,765', '1e-09', '2.5')
    """
    if abs(value) >= 1e15:
        return f"{value:.{digits}g}"
    if value == int(value) or abs(value) >= 10 ** (digits - 1):
        return f"{value + 0.0:,.0f}"  # the sum turns -0.0 into 0.0
    return f"{value:.{digits}g}"


def at_scale(value: float, low: float, high: float) -> str:
    """Return a number with as many decimals as it takes to place it between two others.

    >>> at_scale(0.9811, 0.8654, 0.9996), at_scale(0.998977123, 0.998976, 0.998979), at_scale(5, 5, 5), at_scale(120.5, 0, 4000)
    ('0.9811', '0.998977123', '5', '120')
    """
    width = high - low
    if not math.isfinite(value) or not math.isfinite(width) or width <= 0:
        return number(value, 6) if math.isfinite(value) else quantity(value)
    return f"{value + 0.0:,.{min(12, max(0, 3 - math.floor(math.log10(width))))}f}"


def span(low: float, high: float) -> str:
    """Return two limits with as many decimals as it takes to tell them apart.

    >>> span(0.8653, 0.99959), span(0.5, 0.5)
    ('0.8653 to 0.9996', 'exactly 0.5')
    """
    return f"exactly {at_scale(low, low, high)}" if low == high else f"{at_scale(low, low, high)} to {at_scale(high, low, high)}"


def duration(seconds: float) -> str:
    """Return a length of time with the two units that matter.

    >>> duration(0.000_85), duration(0), duration(42.31), duration(7_384), duration(200_000)
    ('850 µs', '0 s', '42.3 s', '2 h 3 min', '2 d 7 h')
    """
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if seconds == 0:
        return "0 s"
    for limit, factor, unit in ((0.9995e-3, 1e6, "µs"), (0.9995, 1e3, "ms"), (59.95, 1.0, "s")):
        if seconds < limit:
            return f"{sign}{number(seconds * factor, 3)} {unit}"
    whole = round(seconds)
    for size, unit, part, below in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{sign}{whole // size:,} {unit} {whole % size // part} {below}"
    return f"{sign}1 min 0 s"


def moment(text: str) -> str:
    """Return an RFC 3339 UTC time to the minute for people; anything else unchanged.

    >>> moment("2026-01-31T12:05:09.123456Z"), moment("yesterday")
    ('31 January 2026, 12:05 UTC', 'yesterday')
    """
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


# Spelled out: strftime would answer in whatever language the machine is set to.
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
