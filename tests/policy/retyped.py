"""The same requests in other dtypes: integers of other widths, categories, decimals, datetimes and durations instead of their text.

What a value is in a dtype is found by Python's own `datetime`, `timedelta` and `Decimal`, never by what is under test.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl

from tests.policy import oracle, world

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS = {"ms": 1, "us": 1_000, "ns": 1_000_000}
WIDTHS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128)
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}
# What is written otherwise may be none of Cedar's, however Python reads it, and stays text.
DECIMAL = re.compile(r"-?[0-9]+\.[0-9]{1,4}")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3})?(Z|[+-][0-9]{4}))?")
SPAN = re.compile(r"-?(?=[0-9])([0-9]+d)?([0-9]+h)?([0-9]+m(?!s))?([0-9]+s)?([0-9]+ms)?")


def frame(requests, kinds, rng):
    """Return requests as a Polars frame, each attribute of their contexts in a dtype drawn from those that hold all of its values.

    Args:
        requests: in Cedar's JSON form.
        kinds: what the attributes are, as `world.CONTEXT` says it.
        rng: a `random.Random`.
    """
    bare = oracle.frame([{**request, "context": {}} for request in requests])
    return bare.with_columns(column([oracle.plain(request["context"]) for request in requests], kinds, rng).alias("context"))


def column(values, kind, rng):
    """Return values of a kind as a column of a dtype that holds them; None is null."""
    if values and all(one is None for one in values) and rng.random() < 0.5:
        return pl.Series(values, dtype=pl.Null)
    if isinstance(kind, dict):
        return _structs(values, kind, rng)
    if isinstance(kind, list):
        return _lists(values, kind[0], rng)
    if kind in world.IDS:
        return _entities(values, rng)
    return {"Bool": _booleans, "Long": _integers, "decimal": _decimals, "datetime": _datetimes, "duration": _durations}.get(kind, _texts)(
        values, rng
    )


def _structs(values, kinds, rng):
    parts = {
        name.removesuffix("?"): column([None if one is None else one.get(name.removesuffix("?")) for one in values], kind, rng)
        for name, kind in kinds.items()
    }
    parts["of another action"] = pl.Series([None] * len(values), dtype=rng.choice((pl.Null, pl.Float64, pl.List(pl.String))))
    there = pl.Series([one is not None for one in values], dtype=pl.Boolean)
    return pl.DataFrame(parts).select(pl.when(there).then(pl.struct(*parts)))[:, 0]


def _lists(values, kind, rng):
    items = column([item for one in values if one is not None for item in one], kind, rng)
    made, start = [], 0
    for one in values:
        made.append(None if one is None else items[start : start + len(one)])
        start += len(one or ())
    lists = pl.Series(made, dtype=pl.List(items.dtype))
    lengths = {len(one) for one in values if one is not None}
    return lists.cast(pl.Array(items.dtype, lengths.pop())) if len(lengths) == 1 and rng.random() < 0.7 else lists


def _entities(values, rng):
    ids = _texts([None if one is None else one["id"] for one in values], rng)
    if len({one["type"] for one in values if one is not None}) == 1 and rng.random() < 0.5:
        return ids  # the schema names their type
    there = pl.Series([one is not None for one in values], dtype=pl.Boolean)
    types = _texts([None if one is None else one["type"] for one in values], rng)
    return pl.DataFrame({"type": types, "id": ids}).select(pl.when(there).then(pl.struct("type", "id")))[:, 0]


def _booleans(values, rng):
    return pl.Series(values, dtype=pl.Boolean)


def _texts(values, rng):
    there = sorted({one for one in values if one is not None})
    dtype = rng.choice((pl.String, pl.Categorical, pl.Enum(there)))
    return pl.Series(values, dtype=pl.String).cast(dtype)


def _integers(values, rng):
    known = [one for one in values if one is not None]
    fitting = [dtype for dtype in WIDTHS if all(_holds(dtype, one) for one in known)]
    return pl.Series(values, dtype=rng.choice(fitting))


def _holds(dtype, number):
    """Return whether an integer is one of those of a width, which its dtype's name tells."""
    signed, bits = not dtype.__name__.startswith("U"), int(re.search("[0-9]+", dtype.__name__)[0])
    return -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) if signed else 0 <= number < 2**bits


def _decimals(values, rng):
    numbers = [None if one is None else _number(one) for one in values]
    if any(number is None for number, one in zip(numbers, values, strict=True) if one is not None):
        return _texts(values, rng)
    places = max((-number.normalize().as_tuple().exponent for number in numbers if number is not None), default=0)
    fitting = [scale for scale in range(5) if scale >= places]
    return pl.Series(numbers, dtype=pl.Decimal(38, rng.choice(fitting))) if rng.random() < 0.8 else _texts(values, rng)


def _number(text):
    return Decimal(text) if DECIMAL.fullmatch(text) else None


def _datetimes(values, rng):
    return _ticking(
        [None if one is None else _moment(one) for one in values], values, rng, lambda unit: pl.Datetime(unit, rng.choice((None, "UTC")))
    )


def _moment(text):
    if not MOMENT.fullmatch(text):
        return None
    try:
        return (datetime.fromisoformat(text).replace(tzinfo=UTC) if len(text) == 10 else datetime.fromisoformat(text)) - EPOCH
    except (ValueError, OverflowError):
        return None


def _durations(values, rng):
    return _ticking([None if one is None else _span(one) for one in values], values, rng, pl.Duration)


def _span(text):
    if not SPAN.fullmatch(text):
        return None
    try:
        whole = sum((int(number) * timedelta(**{UNITS[unit]: 1}) for number, unit in re.findall(r"(\d+)(d|h|ms|m|s)", text)), timedelta())
    except OverflowError:
        return None
    return -whole if text.startswith("-") else whole


def _ticking(spans, values, rng, dtype):
    """Return what Python counted as a column of ticks, where it could count them all and they have 64 bits."""
    if any(span is None for span, one in zip(spans, values, strict=True) if one is not None):
        return _texts(values, rng)
    counts = [None if span is None else span // timedelta(milliseconds=1) for span in spans]
    fitting = [unit for unit, per_ms in TICKS.items() if all(abs(one) * per_ms < 2**63 for one in counts if one is not None)]
    unit = rng.choice(fitting)
    return pl.Series([None if one is None else one * TICKS[unit] for one in counts], dtype=pl.Int64).cast(dtype(unit))
