"""Boundary tables of integers, decimals, times and addresses.

Nothing here knows an answer. Where a third operand is worked out (`z`: what a sum ought to be, and its neighbours), that only sees to it
that some request stands right at the edge; which side of it is Cedar's to say.
"""

from __future__ import annotations

import datetime as dt
import itertools

from tests.policy import texts
from tests.policy.cases import literal, quoted
from tests.policy.tabled import LEAST, MOST, near, table


def longs():
    """Yield arithmetic and comparisons of integers: at the edges, one before and one behind, and what a result ought to be, give or take one."""
    numbers = sorted(set(texts.LONGS))
    fields = {"x": "Long", "y": "Long", "z": "Long"}
    for name, exact in (("+", int.__add__), ("-", int.__sub__), ("*", int.__mul__)):
        rows = [(x, y, z) for x in numbers for y in numbers for z in near(exact(x, y))]
        expressions = [f"x {name} y {test} z" for test in ("==", "<", ">=")] + [
            f"z != x {name} y",
            f"x {name} y - z == 0",
            f"z - x {name} y <= 0",
        ]
        yield f"x {name} y", table(fields, expressions, rows)
    rows = [(x, y, z) for x in numbers for y in sorted({x, *near(x), 0, LEAST, MOST}) for z in (0, 1)]
    yield (
        "compared",
        table(
            fields,
            [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")] + ["-x == y", "-(-x) == y", "x - y < z", "x * 2 - y == z"],
            rows,
        ),
    )
    for first in range(4):
        limits = numbers[first::4]
        rows = sorted({(x, None, None) for limit in limits for x in near(limit)})
        written = [
            f"{one} {test} {other}"
            for limit in limits
            for one, other in (("x", limit), (limit, "x"))
            for test in ("==", "!=", "<", "<=", ">", ">=")
        ]
        written += [f"x {name} {limit} == x" for limit in limits for name in "+-*"] + [
            f"{limit} {name} x < {limit}" for limit in limits for name in "+-*"
        ]
        yield f"against written ones, {first}", table(fields, written, rows)
    few = (0, 1, -1, 2, MOST, LEAST)
    chains = [
        "x + y + z == z",
        "x - y - z == x",
        "x - y + z > 0",
        "x * y * z == x",
        "x + y * z < x",
        "x * y + z >= y",
        "x - (y - z) == x",
        "(x + y) * z != 0",
        "-x - y == z",
        "-(x + y) <= z",
        "x - y * z + x == y",
    ]
    chains += [f"{a} - {b} + x == {c}" for a, b, c in itertools.product((0, 1, MOST), (1, LEAST), (0, MOST))]
    yield "chains", table(fields, chains, itertools.product(few, few, few))


def decimals():
    """Yield comparisons of decimals, and the reading of their text."""
    fields = {"x": "decimal", "y": "decimal"}
    methods = [f"x.{method}(y)" for method in ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")]
    edges = (0, 1, 9999, 10_000, 12_345, -10_000, 123_000, MOST - 1, MOST, LEAST, LEAST + 1)
    rows = [(decimal_text(x), decimal_text(y)) for x in edges for y in (*near(x), 0)] + [
        (x, y) for x in texts.DECIMALS for y in texts.DECIMALS
    ]
    yield "decimals", table(fields, [*methods, "x == y", "x != y", "[x] == [y]", "[x, y].contains(y)"], rows)
    reads = {"x": "String", "y": "decimal"}
    tried = (*texts.DECIMALS, *texts.BAD_DECIMALS)
    rows = [(text, decimal_text(units)) for text in tried for units in near(_units(text))]
    yield (
        "texts",
        table(reads, ["decimal(x) == y", "decimal(x).lessThan(y)", "decimal(x).lessThanOrEqual(y)", "decimal(x) == decimal(x)"], rows),
    )
    written = [f"decimal({quoted(text)}).{method}(y)" for text in tried for method in ("lessThan", "greaterThanOrEqual")]
    yield "written", table(reads, written, [(None, decimal_text(one)) for one in (0, 10_000, 12_345, MOST)])


def decimal_text(units):
    """Return a decimal's text from its ten-thousandths."""
    whole, rest = divmod(abs(units), 10_000)
    return f"{'-' if units < 0 else ''}{whole}.{rest:04}"


def _units(text):
    """Return roughly how many ten-thousandths a text means; 0 where that is not plain."""
    try:
        whole, _, rest = text.partition(".")
        return min(max(int(whole + rest[:4].ljust(4, "0")), LEAST), MOST)
    except ValueError:
        return 0


def times():
    """Yield what can be done with moments and durations."""
    tried = (*texts.DATETIMES[:70], *texts.DATETIMES[70::5], *texts.BAD_DATETIMES)
    rows = [(text, f"{ms}ms") for text in tried for ms in near(_ms(text))]
    epoch = 'datetime("1970-01-01")'
    reads = {"x": "String", "y": "duration"}
    yield (
        "texts of moments",
        table(reads, [f"datetime(x) {test} {epoch}.offset(y)" for test in ("==", "<", ">=", "!=")] + ["datetime(x) == datetime(x)"], rows),
    )
    tried = (*texts.DURATIONS, *texts.BAD_DURATIONS)
    rows = [(text, ms) for text in tried for ms in near(_span(text))]
    yield (
        "texts of durations",
        table(
            {"x": "String", "y": "Long"},
            [f"duration(x).toMilliseconds() {test} y" for test in ("==", "<", ">")] + ["duration(x) == duration(x)"],
            rows,
        ),
    )
    edges = sorted(
        {
            edge
            for base in (0, 1000, 60_000, 3_600_000, 86_400_000, -86_400_000, -1000, 951_782_400_000, MOST, LEAST, 2**62)
            for edge in near(base)
        }
    )
    units = {"toMilliseconds": 1, "toSeconds": 1000, "toMinutes": 60_000, "toHours": 3_600_000, "toDays": 86_400_000}
    rows = [(f"{ms}ms", result) for ms in edges for unit in units.values() for result in near(ms // unit)]
    expressions = [f"x.{name}() {test} y" for name in units for test in ("==", "<", ">")]
    yield "conversions", table({"x": "duration", "y": "Long"}, expressions, sorted(set(rows)))
    rows = [(f"{x}ms", y) for x in (-1, 0, 1) for y in (-1, 0, 1)]
    yield "conversions around nought", table({"x": "duration", "y": "Long"}, expressions, rows)
    spans = {"x": "duration", "y": "duration", "z": "duration"}
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in edges for z in near(x + y)]
    yield (
        "offset",
        table(spans, [f"{epoch}.offset(x).offset(y) == {epoch}.offset(z)", f"{epoch}.offset(x).offset(y) < {epoch}.offset(z)"], rows[::2]),
    )
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in edges for z in near(x - y)]
    since = f"{epoch}.offset(x).durationSince({epoch}.offset(y))"
    yield "durationSince", table(spans, [f"{since} == z", f"{since} < z", f"{since} >= z"], rows[1::2])
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in near(x - x % 86_400_000) for z in near(x % 86_400_000)]
    day = [f"{epoch}.offset(x).toDate() {test} {epoch}.offset(y)" for test in ("==", "<", ">")] + [
        f"{epoch}.offset(x).toTime() {test} z" for test in ("==", "<", ">")
    ]
    yield "toDate and toTime", table(spans, day, rows)
    rows = [(f"{x}ms", f"{y}ms", None) for x in edges for y in (x, *near(x), 0)]
    yield "durations", table(spans, [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")], rows)
    few = texts.DATETIMES[::9]
    moments = {"x": "datetime", "y": "datetime"}
    expressions = [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")] + [
        "x.toDate() == y.toDate()",
        "x.toTime() == y.toTime()",
        'x.durationSince(y) == duration("0ms")',
        "[x].contains(y)",
    ]
    yield "moments", table(moments, expressions, [*itertools.product(few, few), *zip(texts.DATETIMES, texts.DATETIMES[1:], strict=False)])
    written = [f"{literal('datetime', text)} < x" for text in (*texts.DATETIMES[::11], *texts.BAD_DATETIMES)] + [
        f"duration({quoted(text)}) < context.x.toTime()" for text in texts.BAD_DURATIONS
    ]
    yield "written", table(moments, written, [(x, None) for x in ("1970-01-01", "2024-02-29T12:30:01Z", "9999-12-31T23:59:59.999Z")])


def _ms(text):
    """Return the moment that a text means, if it is a good one of the usual years; 0 otherwise."""
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError:
        return 0
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def _span(text):
    """Return roughly how many milliseconds a text of a duration means; 0 where that is not plain."""
    sizes = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    total, digits, unit = 0, "", ""
    for one in text.removeprefix("-") + "0":
        if one.isascii() and one.isdigit():
            if unit:
                total, digits, unit = total + int(digits or 0) * sizes.get(unit, 0), "", ""
            digits += one
        else:
            unit += one
    return min(max(-total if text.startswith("-") else total, LEAST), MOST)


def addresses():
    """Yield what can be asked of addresses and ranges."""
    every = (*texts.ADDRESSES, *texts.RANGES)
    fields = {"x": "ipaddr", "y": "ipaddr"}
    yield "pairs", table(fields, ["x.isInRange(y)", "x == y", "[x].contains(y)"], itertools.product(every, every))
    written = [f"x.isInRange({literal('ipaddr', text)})" for text in texts.RANGES] + [
        "x.isIpv4()",
        "x.isIpv6()",
        "x.isLoopback()",
        "x.isMulticast()",
    ]
    yield "single", table(fields, written, [(one, None) for one in (*every, *_around())])
    prefixed = [f"{text}/{prefix}" for text in texts.ADDRESSES[::3] for prefix in (32, 33, 128, 129)]
    tried = (*every, *texts.BAD_ADDRESSES, *prefixed)
    yield (
        "texts",
        table(
            {"x": "String", "y": "ipaddr"},
            ["ip(x) == y", "ip(x) != y", "ip(x).isInRange(y)"],
            [(text, one) for text in tried for one in ("0.0.0.0/0", "::/0", "10.0.0.1", "::1", "1.2.3.4/32")],
        ),
    )


def _around():
    """Return the addresses just outside and just inside of each edge of the loopback and multicast ranges, alone and as ranges."""
    fours = [number + step for number in (0x7F000000, 0x80000000, 0xE0000000, 0xF0000000) for step in (-1, 0, 1)]
    sixes = [number + step for number in (1, 0xFF << 120) for step in (-1, 0, 1)] + [2**128 - 1]
    for number in fours:
        text = ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
        yield from (text, *(f"{text}/{prefix}" for prefix in (3, 4, 5, 7, 8, 9, 31, 32)))
    for number in sixes:
        text = ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))
        yield from (text, *(f"{text}/{prefix}" for prefix in (7, 8, 9, 127, 128)))
