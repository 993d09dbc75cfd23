"""Boundary cases made by products: operators times operands at the edges, operands in the context so that nothing can be folded beforehand.

Nothing here knows an answer. Where a third operand is worked out (`z`: what a sum ought to be, and its neighbours), that only sees to it
that some request stands right at the edge; which side of it is Cedar's to say.
"""

from __future__ import annotations

import datetime
import itertools

from tests.policy import texts, world
from tests.policy.cases import PATTERNS, SETS, Batch, literal, quoted

LEAST, MOST = -(2**63), 2**63 - 1
WHO = {"principal": {"type": "Person", "id": "ann"}, "action": {"type": "Action", "id": "act"}, "resource": {"type": "Team", "id": "t1"}}
BINARY = ("x == y", "x != y", "x < y", "x <= y", "x > y", "x >= y", "x + y == x", "x - y == x", "x * y == x", "x && y", "x || y", "x in y", "x in [y]")
BINARY += ("x.contains(y)", "x.containsAll(y)", "x.containsAny(y)", "[x].contains(y)", "[x] == [y]", "[x, y] == [y, x, y]", "{a: x} == {a: y}", "[[x]].contains([y])")
BINARY += ("x.lessThan(y)", "x.lessThanOrEqual(y)", "x.greaterThan(y)", "x.greaterThanOrEqual(y)", "x.isInRange(y)", "x.offset(y) == x", "x.durationSince(y) == x")
BINARY += ("x.hasTag(y)", "x.getTag(y) == y", "if x then y else false", "x.offset(y) < x", "x.durationSince(y) == y", "[x, 1, true].containsAll([y])", "[x, y].containsAny([1, true])")
UNARY = ("x", "!x", "-x == x", "-x < 0", 'x like "a*"', "x.isEmpty()", "x is Person", "x is Team", "x has a", "x.a == 1", "x has a.b", 'x.getTag("x") == "a"', 'x.hasTag("x")')
UNARY += ("x.isIpv4()", "x.isIpv6()", "x.isLoopback()", "x.isMulticast()", "x.toDate() == x", "x.toTime().toMilliseconds() == 0", "x.toMilliseconds() == 0", "x.toDays() == 0")
UNARY += ("decimal(x) == x", "ip(x).isIpv4()", "datetime(x) == x", "duration(x) == x", "if x then true else false", "x && true", "true && x", "false || x", "x || false", "x in x", "x == x")
UNARY += ("x.toSeconds() == 0", "x.toMinutes() == 0", "x.toHours() == 0", "x in [x, principal]", "principal in [principal, x]", "principal in x", "x.contains(x)", "x.containsAll(x)", "x.containsAny(x)")
# One or two values of every kind there is, in the order of `KINDS`.
PERSON = {"__entity": {"type": "Person", "id": "ann"}}
VALUES = {
    "Bool": (True, False),
    "Long": (0, 1),
    "String": ("", "a"),
    "decimal": ("0.0", "1.0"),
    "datetime": ("1970-01-01", "2024-02-29"),
    "duration": ("0ms", "1d"),
    "ipaddr": ("127.0.0.1", "::1/128"),
    "Person": (PERSON, {"__entity": {"type": "Person", "id": "nobody"}}),
    "Team": ({"__entity": {"type": "Team", "id": "t0"}}, {"__entity": {"type": "Team", "id": "t1"}}),
    "Set<Long>": ([], [1, 0]),
    "Set<Bool>": ([], [True]),
    "Set<Person>": ([], [PERSON]),
    "Set<Set<Long>>": ([], [[1], []]),
    "{a?: Long, b?: Long}": ({}, {"a": 1}, {"a": 1, "b": 0}),
    "{a?: {b: Long}}": ({}, {"a": {"b": 1}}),
}


def schema(fields):
    """Return a schema whose only action has a context with these fields; they need not be there."""
    inside = ", ".join(f"{name}?: {kind}" for name, kind in fields.items())
    people = "entity Team in [Team]; entity Person in [Team] { a?: Long, boss?: Person } tags String;"
    return people + f"\naction act appliesTo {{ principal: [Person, Team], resource: [Team, Person], context: {{ {inside} }} }};\n"


PEOPLE = (
    {"uid": {"type": "Person", "id": "ann"}, "attrs": {"a": 1}, "parents": [{"type": "Team", "id": "t0"}], "tags": {"x": "a", "": "b"}},
    {"uid": {"type": "Team", "id": "t0"}, "attrs": {}, "parents": [{"type": "Team", "id": "t1"}]},
    {"uid": {"type": "Team", "id": "t1"}, "attrs": {}, "parents": []},
)


def when(expression):
    """Return a permit with a condition; x, y and z in it become attributes of the context."""
    return f"permit(principal, action, resource) when {{ {expression} }};"


def in_context(expression, names="xyz"):
    """Return an expression with its single letters x, y and z as attributes of the context, where they are not names already.

    >>> in_context('{x: x} has x || y.x < 1')
    '{x: context.x} has x || context.y.x < 1'
    """
    pieces, inside = [], False
    for place, one in enumerate(expression):
        inside ^= one == '"'
        before, behind = expression[max(0, place - 4) : place], expression[place + 1 : place + 2]
        alone = not (before[-1:].isalnum() or before[-1:] == "." or before == "has " or behind.isalnum() or behind == ":")
        pieces.append(f"context.{one}" if one in names and alone and not inside else one)
    return "".join(pieces)


def asked(**context):
    """Return a request with a context; None stands for an attribute that is not there."""
    return {**WHO, "context": {name: value for name, value in context.items() if value is not None}}


def wrapped(kind, value):
    """Return a value of a kind in Cedar's JSON form."""
    return {"__extn": {"fn": world.EXTENSION_OF[kind], "arg": value}} if kind in world.EXTENSION_OF and value is not None else value


def table(fields, expressions, rows, entities=PEOPLE):
    """Return a batch: expressions over the context's x, y and z, of these kinds, and a row of plain values per request."""
    kinds = tuple(fields.values())
    requests = [asked(**{name: wrapped(kind, value) for name, kind, value in zip(fields, kinds, row, strict=True)}) for row in rows]
    return Batch(tuple(when(in_context(one)) for one in expressions), tuple(requests), tuple(entities), schema(fields), tuple(fields.items()))


def context_type(batch):
    """Return the Polars type of a table's contexts, whose values alone may not tell it."""
    import polars as pl

    fields = {"Long": pl.Int64, "Bool": pl.Boolean, "Person": world.polars_type("Person"), "Team": world.polars_type("Team")}
    fields |= {f"Set<{kind}>": pl.List(fields.get(kind, pl.String)) for kind in (*SETS, "Person")} | {"Set<Set<Long>>": pl.List(pl.List(pl.Int64))}
    shapes = {"{a?: Long, b?: Long}": {"a": "Long", "b": "Long"}, "{a?: {b: Long}}": {"a": {"b": "Long"}}, "{a: Long, b?: Bool}": {"a": "Long", "b": "Bool"}}
    shapes["{a: Long, b?: {c?: Bool, d: String}}"] = {"a": "Long", "b": {"c": "Bool", "d": "String"}}
    fields |= {kind: world.polars_type(shape) for kind, shape in shapes.items()}
    fields |= {f"Set<{kind}>": pl.List(fields[kind]) for kind in shapes}
    found = dict(batch.fields)
    return pl.Struct({name: fields.get(kind, pl.String) for name, kind in found.items()}) if found else None


def kinds():
    """Yield every operator over every pair of kinds, well typed or not, and with each operand missing."""
    for one, other in itertools.product(VALUES, VALUES):
        rows = itertools.product((*VALUES[one], None), (*VALUES[other], None))
        yield f"{one} and {other}", table({"x": one, "y": other}, BINARY, rows)
    for kind, values in VALUES.items():
        yield kind, table({"x": kind}, UNARY, [(value,) for value in (*values, None)])


def longs():
    """Yield arithmetic and comparisons of integers: at the edges, one before and one behind, and what a result ought to be, give or take one."""
    numbers = sorted(set(texts.LONGS))
    fields = {"x": "Long", "y": "Long", "z": "Long"}
    for name, exact in (("+", int.__add__), ("-", int.__sub__), ("*", int.__mul__)):
        rows = [(x, y, z) for x in numbers for y in numbers for z in near(exact(x, y))]
        expressions = [f"x {name} y {test} z" for test in ("==", "<", ">=")] + [f"z != x {name} y", f"x {name} y - z == 0", f"z - x {name} y <= 0"]
        yield f"x {name} y", table(fields, expressions, rows)
    rows = [(x, y, z) for x in numbers for y in sorted({x, *near(x), 0, LEAST, MOST}) for z in (0, 1)]
    yield "compared", table(fields, [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")] + ["-x == y", "-(-x) == y", "x - y < z", "x * 2 - y == z"], rows)
    rows = [(x, None, None) for number in numbers for x in near(number)]
    written = [f"x {test} {limit}" for limit in numbers for test in ("==", "!=", "<", "<=", ">", ">=")]
    written += [f"{limit} {test} x" for limit in numbers[::3] for test in ("==", "!=", "<", "<=", ">", ">=")]
    written += [f"x {name} {limit} == x" for limit in numbers[::2] for name in "+-*"] + [f"{limit} {name} x < {limit}" for limit in numbers[::2] for name in "+-*"]
    yield "against written ones", table(fields, written, sorted(set(rows)))
    few = (0, 1, -1, 2, MOST, LEAST)
    chains = ["x + y + z == z", "x - y - z == x", "x - y + z > 0", "x * y * z == x", "x + y * z < x", "x * y + z >= y", "x - (y - z) == x", "(x + y) * z != 0", "-x - y == z", "-(x + y) <= z", "x - y * z + x == y"]
    chains += [f"{a} - {b} + x == {c}" for a, b, c in itertools.product((0, 1, MOST), (1, LEAST), (0, MOST))]
    yield "chains", table(fields, chains, itertools.product(few, few, few))


def near(number, apart=1):
    """Return a number and its neighbours, as far as they have 64 bits; the nearest that has where none does."""
    return sorted({min(max(one, LEAST), MOST) for one in (number - apart, number, number + apart)})


def decimals():
    """Yield comparisons of decimals, and the reading of their text."""
    fields = {"x": "decimal", "y": "decimal"}
    methods = [f"x.{method}(y)" for method in ("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual")]
    edges = (0, 1, 9999, 10_000, 12_345, -10_000, 123_000, MOST - 1, MOST, LEAST, LEAST + 1)
    rows = [(decimal_text(x), decimal_text(y)) for x in edges for y in (*near(x), 0)] + [(x, y) for x in texts.DECIMALS for y in texts.DECIMALS]
    yield "decimals", table(fields, [*methods, "x == y", "x != y", "[x] == [y]", "[x, y].contains(y)"], rows)
    reads = {"x": "String", "y": "decimal"}
    tried = (*texts.DECIMALS, *texts.BAD_DECIMALS)
    rows = [(text, decimal_text(units)) for text in tried for units in near(_units(text))]
    yield "texts", table(reads, ["decimal(x) == y", "decimal(x).lessThan(y)", "decimal(x).lessThanOrEqual(y)", "decimal(x) == decimal(x)"], rows)
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
    tried = (*texts.DATETIMES[:: max(1, len(texts.DATETIMES) // 150)], *texts.BAD_DATETIMES)
    rows = [(text, f"{ms}ms") for text in tried for ms in near(_ms(text))]
    epoch = 'datetime("1970-01-01")'
    reads = {"x": "String", "y": "duration"}
    yield "texts of moments", table(reads, [f"datetime(x) {test} {epoch}.offset(y)" for test in ("==", "<", ">=", "!=")] + ["datetime(x) == datetime(x)"], rows)
    tried = (*texts.DURATIONS, *texts.BAD_DURATIONS)
    rows = [(text, ms) for text in tried for ms in near(_span(text))]
    yield "texts of durations", table({"x": "String", "y": "Long"}, [f"duration(x).toMilliseconds() {test} y" for test in ("==", "<", ">")] + ["duration(x) == duration(x)"], rows)
    edges = sorted({edge for base in (0, 1000, 60_000, 3_600_000, 86_400_000, -86_400_000, -1000, 951_782_400_000, MOST, LEAST, 2**62) for edge in near(base)})
    units = {"toMilliseconds": 1, "toSeconds": 1000, "toMinutes": 60_000, "toHours": 3_600_000, "toDays": 86_400_000}
    rows = [(f"{ms}ms", result) for ms in edges for unit in units.values() for result in near(ms // unit)]
    expressions = [f"x.{name}() {test} y" for name in units for test in ("==", "<", ">")]
    yield "conversions", table({"x": "duration", "y": "Long"}, expressions, sorted(set(rows)))
    spans = {"x": "duration", "y": "duration", "z": "duration"}
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in edges for z in near(x + y)]
    yield "offset", table(spans, [f"{epoch}.offset(x).offset(y) == {epoch}.offset(z)", f"{epoch}.offset(x).offset(y) < {epoch}.offset(z)"], rows[::2])
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in edges for z in near(x - y)]
    since = f"{epoch}.offset(x).durationSince({epoch}.offset(y))"
    yield "durationSince", table(spans, [f"{since} == z", f"{since} < z", f"{since} >= z"], rows[1::2])
    rows = [(f"{x}ms", f"{y}ms", f"{z}ms") for x in edges for y in near(x - x % 86_400_000) for z in near(x % 86_400_000)]
    day = [f"{epoch}.offset(x).toDate() {test} {epoch}.offset(y)" for test in ("==", "<", ">")] + [f"{epoch}.offset(x).toTime() {test} z" for test in ("==", "<", ">")]
    yield "toDate and toTime", table(spans, day, rows)
    rows = [(f"{x}ms", f"{y}ms", None) for x in edges for y in (x, *near(x), 0)]
    yield "durations", table(spans, [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")], rows)
    few = texts.DATETIMES[::9]
    moments = {"x": "datetime", "y": "datetime"}
    expressions = [f"x {test} y" for test in ("==", "!=", "<", "<=", ">", ">=")] + ["x.toDate() == y.toDate()", "x.toTime() == y.toTime()", 'x.durationSince(y) == duration("0ms")', "[x].contains(y)"]
    yield "moments", table(moments, expressions, [*itertools.product(few, few), *zip(texts.DATETIMES, texts.DATETIMES[1:], strict=False)])
    written = [f"{literal('datetime', text)} < x" for text in (*texts.DATETIMES[::11], *texts.BAD_DATETIMES)] + [f"duration({quoted(text)}) < context.x.toTime()" for text in texts.BAD_DURATIONS]
    yield "written", table(moments, written, [(x, None) for x in ("1970-01-01", "2024-02-29T12:30:01Z", "9999-12-31T23:59:59.999Z")])


def _ms(text):
    """Return the moment that a text means, if it is a good one of the usual years; 0 otherwise."""
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        return 0
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


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
    written = [f"x.isInRange({literal('ipaddr', text)})" for text in texts.RANGES] + ["x.isIpv4()", "x.isIpv6()", "x.isLoopback()", "x.isMulticast()"]
    yield "single", table(fields, written, [(one, None) for one in (*every, *_around())])
    tried = (*every, *texts.BAD_ADDRESSES)
    yield "texts", table({"x": "String", "y": "ipaddr"}, ["ip(x) == y", "ip(x) != y", "ip(x).isInRange(y)"], [(text, one) for text in tried for one in ("0.0.0.0/0", "::/0", "10.0.0.1", "::1", "1.2.3.4/32")])


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


def strings():
    """Yield `like` with all patterns over all strings, and equality of strings written differently."""
    fields = {"x": "String", "y": "String"}
    rows = [(one, other) for one in texts.STRINGS for other in (one, "a")]
    expressions = [f'x like "{pattern}"' for pattern in PATTERNS] + [f"x == {quoted(text)}" for text in texts.STRINGS]
    yield "strings", table(fields, [*expressions, "x == y", "x != y", "[x] == [y]", f"[{', '.join(map(quoted, texts.STRINGS[::2]))}].contains(x)"], rows)
    letters = ["".join(parts) for size in range(6) for parts in itertools.product("ab", repeat=size)]
    patterns = ["".join(parts) for size in range(5) for parts in itertools.product("ab*", repeat=size)]
    yield "small ones", table(fields, [f'x like "{pattern}"' for pattern in patterns[::2]], [(one, None) for one in letters])


def sets():
    """Yield sets of every kind against each other, with items in any order, repeated, and written differently."""
    items = {
        "Long": (0, 1, -1, MOST), "String": ("", "a", "b", "é"), "Bool": (True, False), "decimal": ("1.0", "1.00", "0.0", "-0.0"), "datetime": ("1970-01-01", "1970-01-01T00:00:00Z", "2024-02-29"),
        "duration": ("1d", "24h", "0ms", "-0ms"), "ipaddr": ("::1", "0:0:0:0:0:0:0:1", "::1/128", "10.0.0.0/8"),
        "Person": tuple({"__entity": {"type": "Person", "id": name}} for name in ("ann", "bob", "nobody")),
    }  # fmt: skip
    tests = ["x == y", "x != y", "x.containsAll(y)", "x.containsAny(y)", "x.isEmpty()", "x.contains(z)", "[x].contains(y)", "[x, y] == [y]", "{a: x} == {a: y}", "[x].containsAll([y])", "principal in x", "[z].containsAny(x)"]
    for kind in SETS:
        chosen = [list(parts) for size in range(4) for parts in itertools.product(items[kind], repeat=size)]
        pairs = [(one, other, items[kind][place % len(items[kind])]) for place, (one, other) in enumerate(itertools.product(chosen[:10], chosen[::4]))]
        fields = {"x": f"Set<{kind}>", "y": f"Set<{kind}>", "z": kind}
        wrap = lambda many, kind=kind: [wrapped(kind, one) for one in many]
        yield kind, table(fields, tests, [(wrap(one), wrap(other), z) for one, other, z in pairs])
    nested = ([], [[]], [[1]], [[], [1]], [[1, 2], [2, 1]], [[2, 1]], [[1], [1]])
    yield "nested", table({"x": "Set<Set<Long>>", "y": "Set<Set<Long>>", "z": "Set<Long>"}, tests, [(one, other, z) for one in nested for other in nested for z in ([], [1], [1, 2], [2, 1, 1])])
    records = ([], [{"a": 1}], [{"a": 1, "b": True}], [{"a": 1}, {"a": 1}], [{"a": 2}, {"a": 1}])
    kind = "{a: Long, b?: Bool}"
    yield "records", table({"x": f"Set<{kind}>", "y": f"Set<{kind}>", "z": kind}, tests, [(one, other, z) for one in records for other in records for z in ({"a": 1}, {"a": 1, "b": False})])
    mixed = ["[1, true]", '["a", 1, 1]', "[true]", "[1]", "[]", "[[1], 1]", '["true"]', 'decimal("1.0")', '[decimal("1.0"), 1]', "[principal]", '[Person::"ann", principal]', "{}", "{a: true}", "{a: 1}"]
    written = [form.format(one, other) for one, other in itertools.product(mixed, mixed) for form in ("{} == {}", "({}).containsAll({})", "({}).containsAny({})", "[{}].contains({})")]
    written += [f"({one}).contains(x)" for one in mixed] + [f"({one}).contains(y)" for one in mixed] + [f"({one}).contains({{a: y}}.a)" for one in mixed]
    yield "mixed", table({"x": "Long", "y": "Bool"}, written, itertools.product((0, 1, None), (True, False, None)))


def records():
    """Yield records: attributes that are there, are not, or are deeper."""
    kind = "{a: Long, b?: {c?: Bool, d: String}}"
    values = ({"a": 1}, {"a": 2}, {"a": 1, "b": {"d": ""}}, {"a": 1, "b": {"d": "", "c": True}}, {"a": 1, "b": {"d": "x", "c": False}}, None)
    tests = ["x == y", "x != y", "x has a", "x has b", "x has b.c", "x has b.d", "x has a.b", "x has b.c.d", "x has zz", 'x has "b"', "x.a == y.a", "x.b == y.b", "x.b.c", 'x["b"].d == ""', "context has x", "context has x.b.c"]
    tests += ["x has b && x.b has c && x.b.c", "context has x && x.a == 1", "!(context has y) || y.a > 1", "{a: 1} == x", '{a: 1, b: {d: ""}} == x', '{b: {c: true, d: ""}, a: 1} == x', "x.zz == 1", "[x].contains({a: 1})"]
    tests += ["context == {}", "context == {x: {a: 1}}", "context == context", "{context: context}.context has x", "if x has b then x.b has c else x.a == 1", "{z: x.b}.z == y.b", "{a: x, b: x.zz}.a == x", "{a: x, b: y} has a"]
    yield "records", table({"x": kind, "y": kind}, tests, itertools.product(values, values))


def logic():
    """Yield `&&`, `||`, `!` and `if` with true, false, an error and something that is no boolean in every place, from the context and written down."""
    context = ("context.x", "context.y", "context.z", "context.x.y", "(1 == 1)")
    written = ("true", "false", "1", "(1 + true == 1)", "context.x")
    forms = ("{} && {} && {}", "{} || {} || {}", "if {} then {} else {}", "{} && {} || {}", "{} || {} && {}", "({} || {}) && {}", "{} && ({} || {})", "!({} && {}) || !{}", "({} && {}) == {}", "[{} || {}, {}].contains(true)")
    forms += ("{} && (if {} then {} else true)", "{{a: {}, b: {}}}.a && {}", "(if {} then {} else {}) || false")
    for names in (context, written):
        for place, operands in enumerate(itertools.product(names, repeat=3)):
            rows = itertools.product((True, False, None), repeat=3)
            expressions = [form.format(*operands) for form in forms]
            if place % 2 == 0 or names is written:
                yield " ".join(operands), table({"x": "Bool", "y": "Bool", "z": "Bool"}, expressions, rows)
    long = [word.join("x" if at < place else "y" if at == place else "z" for at in range(size)) for word in (" && ", " || ") for size in range(2, 10) for place in range(size)]
    long += [word.join("y" if at == place else same for at in range(size)) for word, same in ((" && ", "x"), (" || ", "x")) for size in range(2, 10) for place in range(size)]
    long += [" && ".join(f"(x || {'y' if at == place else 'z'})" for at in range(9)) for place in range(9)] + [" || ".join(f"(x && {'y' if at == place else 'z'})" for at in range(9)) for place in range(9)]
    yield "long", table({"x": "Bool", "y": "Bool", "z": "Bool"}, long, itertools.product((True, False, None), repeat=3))


def interplay():
    """Yield policies that apply, do not or fail, in all combinations: what Cedar makes of permits, forbids and errors together."""
    effects = ("permit", "forbid", "permit", "forbid", "permit")
    names = "abcde"
    policies = [f"{effect}(principal, action, resource) when {{ if context.{name} == 0 then false else context.{name} == 1 || context.zz }};" for effect, name in zip(effects, names, strict=True)]
    fields = dict.fromkeys(names, "Long")
    requests = [asked(**dict(zip(names, row, strict=True))) for row in itertools.product((0, 1, 2), repeat=5)]
    yield "five policies", Batch(tuple(policies), tuple(requests), PEOPLE, schema(fields), tuple(fields.items()))
    yield "none", Batch((), (asked(),), PEOPLE, schema({}))
    yield "no conditions", Batch(("permit(principal, action, resource);", "forbid(principal, action, resource) unless { context.x };"), (asked(), asked(x=True), asked(x=False)), PEOPLE, schema({"x": "Bool"}), (("x", "Bool"),))


def heads():
    """Yield every form of a policy's head against every principal, action and resource."""
    uids = [("Person", "ann"), ("Person", "nobody"), ("Team", "t0"), ("Team", "t1"), ("Team", "nowhere"), ("Nope", "x")]
    written = [f"{kind}::{quoted(name)}" for kind, name in uids]
    forms = ["{}"] + [f"{{}} == {one}" for one in written] + [f"{{}} in {one}" for one in written] + [f"{{}} is {kind}" for kind in ("Person", "Team", "Nope", "Lab::Person")]
    forms += [f"{{}} is {kind} in {one}" for kind in ("Person", "Team", "Nope") for one in written]
    actions = ["action", 'action == Action::"act"', 'action == Action::"up"', 'action in Action::"up"', 'action in Action::"act"', 'action in [Action::"top"]', "action in []", 'action in [Action::"no", Action::"act"]', 'action == Action::"no"']
    policies = [f"permit({form.format('principal')}, action, {other.format('resource')});" for form in forms for other in forms[:: 1 if form == "{}" else 4]]
    policies += [f"permit(principal, {one}, resource);" for one in actions] + [f"forbid({form.format('principal')}, {one}, resource);" for one in actions[3:6] for form in forms[1:8:3]]
    policies += [f"permit(principal, action, resource) when {{ {form.format('principal')} }};" for form in forms[1:]] + [f"permit(principal, action, resource) when {{ {one} }};" for one in actions[1:]]
    policies += [f"permit(principal, action, resource) when {{ {form.format(one)} }};" for form in forms[1:] for one in ("resource", 'Team::"t0"', 'Person::"ann"', 'Team::"nowhere"')]
    policies += [f"permit(principal, action, resource) when {{ principal in [{', '.join(chosen)}] }};" for chosen in itertools.combinations(written[:5], 2)]
    requests = tuple(
        {"principal": {"type": one[0], "id": one[1]}, "action": {"type": "Action", "id": action}, "resource": {"type": other[0], "id": other[1]}, "context": {}}
        for one in uids[:5]
        for other in uids[:5]
        for action in ("act", "up")
    )
    types = "{ principal: [Person, Team], resource: [Team, Person], context: {} }"
    with_actions = f'entity Team in [Team]; entity Person in [Team] {{ a?: Long }} tags String; action top; action up in [top] appliesTo {types}; action act in [up] appliesTo {types};'
    yield "heads", Batch(tuple(policies), requests, PEOPLE, with_actions)


def questions():
    """Yield policies that begin by asking which string an attribute is, as most do: of context, principal and resource, there or not, string or not."""
    first = ('context.x == "a"', '"b" == context.x', 'context.x == ""', 'principal.x == "a"', '"a" == resource.x', 'principal.x == "b"', 'context.y == "a"', 'context.x != "a"', "context.x == context.y", "context.x == 1")
    then = ("", " && context.z", " && true", " && context.y.a", ' && context.y == "b"', " || context.z", " && context.z && principal has x", " && 1", " == true")
    policies = [f"permit(principal, action, resource) when {{ {'(' + one + ')' if rest == ' == true' else one}{rest} }};" for rest in then for one in first]
    policies += [f"permit({head}) when {{ {one} && context.z }};" for one in first[:6] for head in ('principal == Person::"ann", action, resource', 'principal in Team::"t1", action, resource', "principal is Person, action, resource")]
    policies += [f"permit(principal, action, resource) unless {{ {one} }};" for one in first] + [f"permit(principal, action, resource) when {{ {one} }} when {{ context.z }};" for one in first]
    policies += ["permit(principal, action, resource) when { context has x && context.x == \"a\" };", "permit(principal, action, resource);", 'permit(principal, action, resource) when { context.x == "only" && context.z };']
    policies += [f'permit(principal, action, resource) when {{ context["{name}"] == "a" && context.x == "a" }};' for name in ("w", "x", "y")]
    people = [{"uid": {"type": "Person", "id": name}, "attrs": attributes, "parents": [{"type": "Team", "id": "t1"}]} for name, attributes in (("ann", {"x": "a"}), ("bob", {}), ("eve", {"x": 1}))]
    wholes = ("a", "b", "", "only", 1, True, ["a"], {"a": "a"}, PERSON, None)
    requests = [
        {**WHO, "principal": {"type": "Person", "id": name}, "resource": {"type": "Person", "id": other}, "context": asked(x=x, y=y, z=z)["context"]}
        for name, other in (("ann", "bob"), ("bob", "ann"), ("eve", "ann"), ("nobody", "eve"), ("ann", "nobody"))
        for x, y, z in itertools.product(wholes, ("a", {"a": True}, None), (True, False, 1))
    ]
    yield "untyped", Batch(tuple(policies), tuple(requests), tuple(people), None)
    typed = [request for request in requests if all(isinstance(request["context"].get(name, ""), str) for name in "xy") and type(request["context"]["z"]) is bool]
    fits = "entity Team; entity Person in [Team] { x?: String }; action act appliesTo { principal: Person, resource: Person, context: { x?: String, y?: String, z?: Bool } };"
    yield "typed", Batch(tuple(policies), tuple(typed), tuple(people[:2]), fits, (("x", "String"), ("y", "String"), ("z", "Bool")))


TABLES = {
    "kinds": kinds, "longs": longs, "decimals": decimals, "times": times, "addresses": addresses, "strings": strings, "sets": sets, "records": records,
    "logic": logic, "interplay": interplay, "heads": heads, "questions": questions,
}  # fmt: skip
