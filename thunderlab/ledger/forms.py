"""Whether whole columns of rows are well-formed, at a few nanoseconds a character.

These checks only ever say yes or no; when one says no, the auditor looks at the rows one by one and names what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import Any

_LOWER_HEX = bytes.maketrans(b"0123456789abcdef", b"h" * 16)
_DIGITS = bytes.maketrans(b"0123456789", b"d" * 10)
_ID = b"hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"
_DAY_AND_HOUR = itemgetter(slice(13))
_TIME = b"dddd-dd-ddTdd:dd:dd.ddddddZ"


def all_of(values: Sequence[Any], kind: type) -> bool:
    """Return whether every value is of exactly this type: for SQLite any column may hold any.

    >>> all_of([1, 2], int), all_of([1, True], int), all_of([], int)
    (True, False, True)
    """
    return set(map(type, values)) <= {kind}


def all_long(values: Sequence[str], length: int) -> bool:
    """Return whether every text has this many characters.

    >>> all_long(["ab", "cd"], 2), all_long(["ab", "c"], 2)
    (True, False)
    """
    return set(map(len, values)) <= {length}


def ids(values: Sequence[str]) -> bool:
    """Return whether every text is a version 7 UUID in lower case.

    >>> ids(["018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b"]), ids(["018bcfe5-6800-4000-8f3a-5c1d2e3f4a5b"])
    (True, False)
    """
    text = "".join(values)
    if not (text.isascii() and all_long(values, 36)):
        return False
    data = text.encode()
    count = len(values)
    return data.translate(_LOWER_HEX) == _ID * count and data[14::36] == b"7" * count and not data[19::36].translate(None, b"89ab")


def times(values: Sequence[str]) -> bool:
    """Return whether every text is a time as `clock.rfc3339` writes it.

    >>> times(["2024-02-29T23:59:59.000000Z"]), times(["2023-02-29T23:59:59.000000Z"]), times(["2024-02-29T24:00:00.000000Z"])
    (True, False, False)
    """
    text = "".join(values)
    if not (text.isascii() and all_long(values, 27)):
        return False
    data = text.encode()
    if data.translate(_DIGITS) != _TIME * len(values) or data[14::27].translate(None, b"012345") or data[17::27].translate(None, b"012345"):
        return False
    if not values or text.count(values[0][:13]) == len(values):
        days_and_hours = {values[0][:13]} if values else set()  # a chunk is mostly written within an hour
    else:
        days_and_hours = set(map(_DAY_AND_HOUR, values))
    return all(_is_day(one[:10]) and one[11:] < "24" for one in days_and_hours)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
