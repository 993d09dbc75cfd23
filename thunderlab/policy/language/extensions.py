"""Cedar's extension types: how their values are written, and what can be done with them.

Formats and rules are those of https://docs.cedarpolicy.com/policies/syntax-datatypes.html and syntax-operators.html. All numbers are of 64 bits: what
leaves them is an error, as it is in Cedar, and never wraps.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from thunderlab.policy.language.values import LONG_MAX, LONG_MIN, Address, Datetime, Decimal, Duration

_PLACES = 4
_MOST_DIGITS = 20
_DECIMAL = re.compile(r"(-?)([0-9]+)\.([0-9]+)")

_LONGEST_ADDRESS = len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_BITS = {4: 32, 6: 128}
_LOOPBACK = {4: (0x7F << 24, 8), 6: (1, 128)}
_MULTICAST = {4: (0xE0 << 24, 4), 6: (0xFF << 120, 8)}

_DATETIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?"
)
_DURATION = re.compile(r"(-?)(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?")
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def decimal(text: str) -> Decimal:
    """Return a decimal number from its text: digits, a point, one to four digits.

    Raises:
        ValueError: when it is not written so, or beyond 64 bits.

    >>> decimal("-1.25").units
    -12500
    """
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no decimal: expected digits, a point, and one to {_PLACES} digits")
    sign, whole, fraction = found.groups()
    if len(fraction) > _PLACES:
        raise ValueError(f"{text!r} has more than {_PLACES} digits behind the point")
    units = _digits(whole) * 10**_PLACES + int(fraction.ljust(_PLACES, "0"))
    return Decimal(_long(-units if sign else units, text))


def ip(text: str) -> Address:
    """Return an IP address, or a range of them, from its text: `10.0.0.1`, `10.0.0.0/8`, `::1`, `fe80::/10`.

    Raises:
        ValueError: when it is neither; IPv4 inside of IPv6 is not accepted.

    >>> ip("10.0.0.0/8")
    Address(version=4, number=167772160, prefix=8)
    """
    address, slash, prefix = text.partition("/")
    if len(text) > _LONGEST_ADDRESS or "%" in text or (":" in address and "." in address):
        raise ValueError(f"{text!r} is no IP address")
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise ValueError(f"{text!r} is no IP address") from None
    bits = _BITS[parsed.version]
    if slash and (_PREFIX.fullmatch(prefix) is None or int(prefix) > bits):
        raise ValueError(f"{text!r} has no prefix from 0 to {bits} behind its slash")
    return Address(parsed.version, int(parsed), int(prefix) if slash else bits)


def datetime(text: str) -> Datetime:
    """Return a moment from its text: a date, or a date and a time to the second or millisecond, in UTC (`Z`) or with an offset (`+0130`).

    Raises:
        ValueError: when it is not written so, or there is no such day or time.

    >>> datetime("1970-01-02T00:00:00.001+0100").ms == DAY + 1 - HOUR
    True
    """
    found = _DATETIME.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no datetime: expected YYYY-MM-DD, and THH:MM:SS or THH:MM:SS.mmm with Z or an offset like +0130 behind it"
        )
    year, month, day, hour, minute, second, ms = (int(part or 0) for part in found.groups()[:7])
    sign, offset_hours, offset_minutes = found[8], int(found[9] or 0), int(found[10] or 0)
    if not (1 <= month <= 12 and 1 <= day <= _days_in(year, month)):
        raise ValueError(f"{text!r} is no day of the calendar")
    if max(hour, offset_hours) > 23 or max(minute, second, offset_minutes) > 59:
        raise ValueError(f"{text!r} is no time of the day")
    offset = offset_hours * HOUR + offset_minutes * MINUTE
    of_day = hour * HOUR + minute * MINUTE + second * SECOND + ms
    return Datetime(_days_since_1970(year, month, day) * DAY + of_day - (-offset if sign == "-" else offset))


def duration(text: str) -> Duration:
    """Return a span of time from its text: `1d2h3m4s5ms`, any of them in that order, with a minus before it for a negative one.

    Raises:
        ValueError: when it is not written so, or beyond 64 bits.

    >>> duration("-1h30m").ms
    -5400000
    """
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"{text!r} is no duration: expected numbers with d, h, m, s, ms, in that order")
    sign, *parts = found.groups()
    ms = sum(_digits(part or "0") * unit for part, unit in zip(parts, (DAY, HOUR, MINUTE, SECOND, 1), strict=True))
    return Duration(_long(-ms if sign else ms, text))


def is_loopback(address: Address) -> bool:
    """Return whether all of a range is `127.0.0.0/8` or `::1`.

    >>> is_loopback(ip("127.0.0.1")), is_loopback(ip("127.0.0.0/7"))
    (True, False)
    """
    return _within(address, *_LOOPBACK[address.version])


def is_multicast(address: Address) -> bool:
    """Return whether all of a range is `224.0.0.0/4` or `ff00::/8`.

    >>> is_multicast(ip("239.1.2.3")), is_multicast(ip("ff00::/7"))
    (True, False)
    """
    return _within(address, *_MULTICAST[address.version])


def is_in_range(inner: Address, outer: Address) -> bool:
    """Return whether all of one range lies in the other.

    >>> is_in_range(ip("10.1.0.0/16"), ip("10.0.0.0/8")), is_in_range(ip("10.0.0.0/8"), ip("10.1.0.0/16"))
    (True, False)
    """
    return inner.version == outer.version and _within(inner, outer.number, outer.prefix)


def to_date(moment: Datetime) -> Datetime:
    """Return the beginning of a moment's day, in UTC.

    Raises:
        OverflowError: when that is beyond 64 bits.

    >>> to_date(Datetime(-1)).ms == -DAY
    True
    """
    return Datetime(_bounded(moment.ms - moment.ms % DAY))


def to_time(moment: Datetime) -> Duration:
    """Return the time since a moment's day began, in UTC.

    >>> to_time(Datetime(-1)).ms == DAY - 1
    True
    """
    return Duration(moment.ms % DAY)


def offset(moment: Datetime, span: Duration) -> Datetime:
    """Return the moment a span of time later.

    Raises:
        OverflowError: when that is beyond 64 bits.
    """
    return Datetime(_bounded(moment.ms + span.ms))


def duration_since(moment: Datetime, earlier: Datetime) -> Duration:
    """Return the time from `earlier` to `moment`.

    Raises:
        OverflowError: when that is beyond 64 bits.
    """
    return Duration(_bounded(moment.ms - earlier.ms))


def whole(span: Duration, unit: int) -> int:
    """Return how many whole units of so many milliseconds a span is, towards zero.

    >>> whole(Duration(-1999), SECOND)
    -1
    """
    return span.ms // unit if span.ms >= 0 else -(-span.ms // unit)


class Function(NamedTuple):
    """A function or method of an extension.

    Attributes:
        takes: the types of its operands.
        gives: the type of what it returns.
        call: the function itself; raises ValueError or OverflowError.
    """

    takes: tuple[type, ...]
    gives: type
    call: Callable[..., Any]


CONSTRUCTORS: dict[str, Function] = {
    "decimal": Function((str,), Decimal, decimal),
    "ip": Function((str,), Address, ip),
    "datetime": Function((str,), Datetime, datetime),
    "duration": Function((str,), Duration, duration),
}

FUNCTIONS: dict[str, Function] = {
    **CONSTRUCTORS,
    "lessThan": Function((Decimal, Decimal), bool, lambda a, b: a.units < b.units),
    "lessThanOrEqual": Function((Decimal, Decimal), bool, lambda a, b: a.units <= b.units),
    "greaterThan": Function((Decimal, Decimal), bool, lambda a, b: a.units > b.units),
    "greaterThanOrEqual": Function((Decimal, Decimal), bool, lambda a, b: a.units >= b.units),
    "isIpv4": Function((Address,), bool, lambda a: a.version == 4),
    "isIpv6": Function((Address,), bool, lambda a: a.version == 6),
    "isLoopback": Function((Address,), bool, is_loopback),
    "isMulticast": Function((Address,), bool, is_multicast),
    "isInRange": Function((Address, Address), bool, is_in_range),
    "offset": Function((Datetime, Duration), Datetime, offset),
    "durationSince": Function((Datetime, Datetime), Duration, duration_since),
    "toDate": Function((Datetime,), Datetime, to_date),
    "toTime": Function((Datetime,), Duration, to_time),
    "toMilliseconds": Function((Duration,), int, lambda a: a.ms),
    "toSeconds": Function((Duration,), int, lambda a: whole(a, SECOND)),
    "toMinutes": Function((Duration,), int, lambda a: whole(a, MINUTE)),
    "toHours": Function((Duration,), int, lambda a: whole(a, HOUR)),
    "toDays": Function((Duration,), int, lambda a: whole(a, DAY)),
}


def _within(address: Address, number: int, prefix: int) -> bool:
    behind = _BITS[address.version] - prefix
    return address.prefix >= prefix and address.number >> behind == number >> behind


def _digits(text: str) -> int:
    """Return the number that digits say, however many zeros lead; any number of 64 bits has fewer digits than are looked at."""
    return int(text.lstrip("0")[:_MOST_DIGITS] or "0")


def _long(number: int, text: str) -> int:
    if not LONG_MIN <= number <= LONG_MAX:
        raise ValueError(f"{text!r} is beyond 64 bits")
    return number


def _bounded(number: int) -> int:
    if not LONG_MIN <= number <= LONG_MAX:
        raise OverflowError(f"{number} is beyond 64 bits")
    return number


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _days_in(year: int, month: int) -> int:
    return 28 + _is_leap(year) if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))


def _days_since_1970(year: int, month: int, day: int) -> int:
    """Return the number of a day of the proleptic Gregorian calendar; Python's own dates have no year 0."""
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400
    return before * 365 + leap_days + sum(_days_in(year, earlier) for earlier in range(1, month)) + day - 719_163
