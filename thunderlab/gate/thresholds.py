"""The thresholds file: which readings are required, and where each turns from healthy to degraded to blocked."""

from __future__ import annotations

from pathlib import Path

import msgspec

from thunderlab import files
from thunderlab.canonical import digest
from thunderlab.errors import InputError
from thunderlab.gate.reading import Reading, Status


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The limits of one reading; a value exactly on a limit is still within it."""

    required: bool = False
    blocked_above: float | None = None
    blocked_below: float | None = None
    degraded_above: float | None = None
    degraded_below: float | None = None
    stale_after_s: float | None = None
    minimum_samples: int = 1

    def words(self, unit: str) -> str:
        """Return the limits as people read them, microseconds as milliseconds.

        >>> Limits(blocked_above=0).words("count"), Limits(degraded_above=100_000).words("us")
        ('blocked above 0', 'degraded above 100 ms')
        """
        names = ("blocked_above", "blocked_below", "degraded_above", "degraded_below")
        limits = ((name.replace("_", " "), getattr(self, name)) for name in names)
        return ", ".join(f"{name} {_shown(value, unit)}" for name, value in limits if value is not None)

    def judge(self, reading: Reading) -> tuple[Status, str]:
        """Return what these limits make of a reading, and why when it is not healthy.

        Missing, too old and too few come first: a value nobody can rely on is not compared with anything.
        """
        if reading.value is None:
            return "unknown", reading.why or "nothing to read yet"
        if reading.samples < self.minimum_samples:
            return "unknown", f"rests on {reading.samples} samples; at least {self.minimum_samples} are needed"
        if self.stale_after_s is not None and (reading.age_s is None or reading.age_s > self.stale_after_s):
            return "unknown", f"is {reading.age_s or 0:.0f} s old; at most {self.stale_after_s:g} s is accepted"
        for limit, beyond, status in (
            (self.blocked_above, "above", "blocked"),
            (self.blocked_below, "below", "blocked"),
            (self.degraded_above, "above", "degraded"),
            (self.degraded_below, "below", "degraded"),
        ):
            if limit is not None and (reading.value > limit if beyond == "above" else reading.value < limit):
                return status, f"{_shown(reading.value, reading.unit)} is {beyond} {_shown(limit, reading.unit)}"  # type: ignore[return-value]
        return "healthy", ""


def _shown(value: float, unit: str) -> str:
    """Return a value with its unit: microseconds as milliseconds, counts and fractions bare."""
    name, scale = {"us": ("ms", 1e-3), "count": ("", 1.0), "fraction": ("", 1.0)}.get(unit, (unit, 1.0))
    return f"{value * scale:g} {name}".rstrip()


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """A thresholds file as read: limits by reading name, and the digest of the file's bytes."""

    readings: dict[str, Limits]
    sha256: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    thresholds: int
    readings: dict[str, Limits]


def read(path: Path, known: frozenset[str]) -> Thresholds:
    """Return the thresholds in a file.

    Args:
        path: YAML or JSON.
        known: the readings there are; a limit on any other is a mistake.

    Raises:
        InputError: naming file, line and field.
    """
    document = files.read_document(path)
    found = document.convert(_File)
    if found.thresholds != 1:
        raise document.refuse(("thresholds",), f"format {found.thresholds} is not known; 1 is")
    for name, limits in found.readings.items():
        if name not in known:
            raise document.refuse(("readings", name), f"there is no such reading; there are: {', '.join(sorted(known))}")
        if limits.minimum_samples < 1 or (limits.stale_after_s is not None and limits.stale_after_s <= 0):
            raise document.refuse(("readings", name), "minimum_samples and stale_after_s must be positive")
    if not any(limits.required for limits in found.readings.values()):
        raise InputError(
            "no reading is required, so anything would pass; mark at least one with required: true", where=path, field="readings"
        )
    return Thresholds(readings=found.readings, sha256=digest(files.read_bytes(path)))
