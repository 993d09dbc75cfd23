"""Boundary cases made by products: operators times operands at the edges, operands in the context so that nothing can be folded beforehand."""

from __future__ import annotations

import itertools

from tests.policy import texts
from tests.policy.cases import PATTERNS, Batch, quoted
from tests.policy.entity_tables import attributes
from tests.policy.head_tables import heads, questions
from tests.policy.number_tables import addresses, decimals, longs, times
from tests.policy.set_tables import records, sets
from tests.policy.tabled import ANN, PEOPLE, asked, schema, table

BINARY = (
    "x == y",
    "x != y",
    "x < y",
    "x <= y",
    "x > y",
    "x >= y",
    "x + y == x",
    "x - y == x",
    "x * y == x",
    "x && y",
    "x || y",
    "x in y",
    "x in [y]",
)
BINARY += (
    "x.contains(y)",
    "x.containsAll(y)",
    "x.containsAny(y)",
    "[x].contains(y)",
    "[x] == [y]",
    "[x, y] == [y, x, y]",
    "{a: x} == {a: y}",
    "[[x]].contains([y])",
)
BINARY += (
    "x.lessThan(y)",
    "x.lessThanOrEqual(y)",
    "x.greaterThan(y)",
    "x.greaterThanOrEqual(y)",
    "x.isInRange(y)",
    "x.offset(y) == x",
    "x.durationSince(y) == x",
)
BINARY += (
    "x.hasTag(y)",
    "x.getTag(y) == y",
    "if x then y else false",
    "x.offset(y) < x",
    "x.durationSince(y) == y",
    "[x, 1, true].containsAll([y])",
    "[x, y].containsAny([1, true])",
    "y == x",
    "!(x == y)",
    "(if y != x then 1 else 2) == 1",
    "(if context has x then [y] else [x]).contains(y)",
    "(if context has x then [x, x] else []) == [x]",
    "if context has x then context has y else x",
)
UNARY = (
    "x",
    "!x",
    "-x == x",
    "-x < 0",
    'x like "a*"',
    "x.isEmpty()",
    "x is Person",
    "x is Team",
    "x has a",
    "x.a == 1",
    "x has a.b",
    'x.getTag("x") == "a"',
    'x.hasTag("x")',
)
UNARY += (
    "x.isIpv4()",
    "x.isIpv6()",
    "x.isLoopback()",
    "x.isMulticast()",
    "x.toDate() == x",
    "x.toTime().toMilliseconds() == 0",
    "x.toMilliseconds() == 0",
    "x.toDays() == 0",
)
UNARY += (
    "decimal(x) == x",
    "ip(x).isIpv4()",
    "datetime(x) == x",
    "duration(x) == x",
    "if x then true else false",
    "x && true",
    "true && x",
    "false || x",
    "x || false",
    "x in x",
    "x == x",
)
UNARY += (
    "x.toDays()",
    "-x",
    "decimal(x) || true",
    "x.toDate() && true",
    'x.getTag("x") && true',
    "x.offset(x)",
    "x + x || true",
    "(if x == x then x else false) && true",
    "if x == 1 then true else x",
)
UNARY += (
    "x.toSeconds() == 0",
    "x.toMinutes() == 0",
    "x.toHours() == 0",
    "x in [x, principal]",
    "principal in [principal, x]",
    "principal in x",
    "x.contains(x)",
    "x.containsAll(x)",
    "x.containsAny(x)",
)
UNARY += (
    'x in Team::"t0"',
    'x in [Team::"t0"]',
    'Person::"ann" in x',
    '["a", "b"].contains(x)',
    '[Person::"ann", Team::"t0"].contains(x)',
    "[0, true].contains(x)",
    'x == "a"',
)
UNARY += (
    'x != "a"',
    '"a" == x',
    'x == Person::"ann"',
    'x != Person::"ann"',
    "x == 1",
    "x != 1",
    "1 == x",
    "x < 1",
    "x <= 0",
    "x > 0",
    "x >= 1",
    "1 > x",
    "0 < x",
    "x == true",
    "x != true",
)
UNARY += (
    'x < datetime("1970-01-02")',
    'x >= duration("1d")',
    'x == decimal("1.0")',
    'x == ip("::1")',
    "x == []",
    "x == {}",
    "x == {a: 1}",
    "[x] == [1]",
    "{a: x} == {a: true}",
)
UNARY += (
    "x.toDays() && true",
    "x.toHours() || false",
    "!x.toSeconds()",
    "if x.toMinutes() then true else false",
    "x.toTime() || true",
    "decimal(x) && true",
    'x.getTag("x") || true',
)
UNARY += (
    "!(-x)",
    "-x || true",
    'if x.getTag("x") then true else true',
    "true && x.toMilliseconds()",
    "x.toDate()",
    "ip(x) || ip(x)",
    "x == x && duration(x)",
    "x < true",
    "x >= false",
    "false == x",
    "x == 0",
    "0 != x",
    "x == 1 || x == 0",
    "!(x == 1)",
    "if x == 1 then false else true",
    "[true, x].contains(1)",
    "x == 1 && true",
    "x > true",
    "x <= true",
    "x != 1 && true",
    "1 == x && true",
    "(if context has x then 1 else 2) == 1",
    "if x then true else true",
    "if context has x then x else false",
    "(if context has x then {a: x} else {a: 1}.b).a == x",
    "(if context has x then {a: 1}.b else {a: 1}) has a",
    "(if x == x then {a: 1} else {a: 1}.b) has a",
    '(if context has x then [1, "a"] else [true, 1]).contains(1)',
)
# Functions and methods of the extensions with too few or too many operands: Cedar's parser lets them through.
WRONG_ARITY = (
    "decimal()",
    "decimal(x, x)",
    "ip()",
    "ip(x, x)",
    "datetime()",
    "datetime(x, x)",
    "duration()",
    "duration(x, x)",
    "x.lessThan()",
    "x.lessThan(x, x)",
    "x.greaterThanOrEqual()",
)
WRONG_ARITY += (
    "x.isIpv4(x)",
    "x.isLoopback(x)",
    "x.isMulticast(1)",
    "x.isInRange()",
    "x.isInRange(x, x)",
    "x.offset()",
    "x.offset(x, x)",
    "x.durationSince()",
    "x.toDate(x)",
    "x.toTime(1)",
)
WRONG_ARITY += (
    "x.toDays(x)",
    "x.toHours(1)",
    "x.toMilliseconds(x)",
    "decimal() == 1",
    "true || decimal()",
    "[ip()] == [1]",
    'if x == x then true else ip("::", "::").isIpv4()',
    "x.isIpv6(1 + true)",
)
# One or two values of every kind there is, in the order of `KINDS`.
VALUES = {
    "Bool": (True, False),
    "Long": (0, 1),
    "String": ("", "a"),
    "decimal": ("0.0", "1.0"),
    "datetime": ("1970-01-01", "2024-02-29"),
    "duration": ("0ms", "1d"),
    "ipaddr": ("127.0.0.1", "::1/128"),
    "Person": (ANN, {"__entity": {"type": "Person", "id": "nobody"}}),
    "Team": ({"__entity": {"type": "Team", "id": "t0"}}, {"__entity": {"type": "Team", "id": "t1"}}),
    "Set<Long>": ([], [1, 0]),
    "Set<Bool>": ([], [True]),
    "Set<Person>": ([], [ANN]),
    "Set<Set<Long>>": ([], [[1], []]),
    "{a?: Long, b?: Long}": ({}, {"a": 1}, {"a": 1, "b": 0}),
    "{a?: {b: Long}}": ({}, {"a": {"b": 1}}),
}


def kinds():
    """Yield every operator over every pair of kinds, well typed or not, and with each operand missing."""
    for one, other in itertools.product(VALUES, VALUES):
        rows = itertools.product((*VALUES[one], None), (*VALUES[other], None))
        yield f"{one} and {other}", table({"x": one, "y": other}, BINARY, rows)


def single():
    """Yield everything that one operand of every kind can stand in, calls with too many or too few operands among it."""
    for kind, values in VALUES.items():
        yield kind, table({"x": kind}, [*UNARY, *WRONG_ARITY], [(value,) for value in (*values, None)])


def strings():
    """Yield `like` with all patterns over all strings, and equality of strings written differently."""
    fields = {"x": "String", "y": "String"}
    rows = [(one, other) for one in texts.STRINGS for other in (one, "a")]
    expressions = [f'x like "{pattern}"' for pattern in PATTERNS] + [f"x == {quoted(text)}" for text in texts.STRINGS]
    yield (
        "strings",
        table(
            fields, [*expressions, "x == y", "x != y", "[x] == [y]", f"[{', '.join(map(quoted, texts.STRINGS[::2]))}].contains(x)"], rows
        ),
    )
    letters = ["".join(parts) for size in range(6) for parts in itertools.product("ab", repeat=size)]
    patterns = ["".join(parts) for size in range(5) for parts in itertools.product("ab*", repeat=size)]
    patterns = [*patterns[::2], *("".join(parts) for parts in itertools.product("ab*", repeat=5) if parts.count("*") >= 2)]
    yield "small ones", table(fields, [f'x like "{pattern}"' for pattern in patterns], [(one, None) for one in letters])
    # What means something to regular expressions.
    special = ".+?()[]{}|^$\\-&~#_ \n*é"
    written = ["\\*" if one == "*" else quoted(one)[1:-1] for one in special]
    patterns = [form.replace("_", one) for one in written for form in ("a*_*b", "*__*", "*_*_", "*_*", "a*__b*", "_*a*_")]
    rows = [(form.replace("_", one), None) for one in (*special, "x") for form in ("a_b", "a__b", "_", "__", "_a_", "ab", "aa__b_")]
    yield "special", table(fields, [f'x like "{pattern}"' for pattern in patterns], rows)
    words = ("aa", "aba", "abab", "né né", "aaaaa")
    # What begins and ends as it should, but with the same letters.
    overlapping = [f"{one[:most]}*{one[least:]}" for one in words for most in range(1, len(one) + 1) for least in range(most)]
    yield "overlapping", table(fields, [f'x like "{pattern}"' for pattern in overlapping], [(one, None) for one in words])


def logic():
    """Yield `&&`, `||`, `!` and `if` with true, false, an error and something that is no boolean in every place, from the context and written down."""
    context = ("context.x", "context.y", "context.z", "context.x.y", "(1 == 1)")
    written = ("true", "false", "1", "(1 + true == 1)", "context.x")
    forms = (
        "{} && {} && {}",
        "{} || {} || {}",
        "if {} then {} else {}",
        "{} && {} || {}",
        "{} || {} && {}",
        "({} || {}) && {}",
        "{} && ({} || {})",
        "!({} && {}) || !{}",
        "({} && {}) == {}",
        "[{} || {}, {}].contains(true)",
    )
    forms += ("{} && (if {} then {} else true)", "{{a: {}, b: {}}}.a && {}", "(if {} then {} else {}) || false")
    known = ("(context.x == context.y)", "1", "context.z", '"a"')
    for names in (context, written, known):
        for place, operands in enumerate(itertools.product(names, repeat=3)):
            rows = itertools.product((True, False, None), repeat=3)
            expressions = [form.format(*operands) for form in forms]
            if place % 2 == 0 or names is not context:
                yield " ".join(operands), table({"x": "Bool", "y": "Bool", "z": "Bool"}, expressions, rows)


def chains():
    """Yield long chains of `&&` and `||`, with each term in turn the one that matters."""
    long = [
        word.join("x" if at < place else "y" if at == place else "z" for at in range(size))
        for word in (" && ", " || ")
        for size in range(2, 10)
        for place in range(size)
    ]
    long += [
        word.join("y" if at == place else same for at in range(size))
        for word, same in ((" && ", "x"), (" || ", "x"))
        for size in range(2, 10)
        for place in range(size)
    ]
    long += [" && ".join(f"(x || {'y' if at == place else 'z'})" for at in range(9)) for place in range(9)] + [
        " || ".join(f"(x && {'y' if at == place else 'z'})" for at in range(9)) for place in range(9)
    ]
    yield "long", table({"x": "Bool", "y": "Bool", "z": "Bool"}, long, itertools.product((True, False, None), repeat=3))


def interplay():
    """Yield policies that apply, do not or fail, in all combinations: what Cedar makes of permits, forbids and errors together."""
    effects = ("permit", "forbid", "permit", "forbid", "permit")
    names = "abcde"
    policies = [
        f"{effect}(principal, action, resource) when {{ if context.{name} == 0 then false else context.{name} == 1 || context.zz }};"
        for effect, name in zip(effects, names, strict=True)
    ]
    fields = dict.fromkeys(names, "Long")
    requests = [asked(**dict(zip(names, row, strict=True))) for row in itertools.product((0, 1, 2), repeat=5)]
    yield "five policies", Batch(tuple(policies), tuple(requests), PEOPLE, schema(fields), tuple(fields.items()))
    yield "none", Batch((), (asked(),), PEOPLE, schema({}))
    yield (
        "no conditions",
        Batch(
            ("permit(principal, action, resource);", "forbid(principal, action, resource) unless { context.x };"),
            (asked(), asked(x=True), asked(x=False)),
            PEOPLE,
            schema({"x": "Bool"}),
            (("x", "Bool"),),
        ),
    )


TABLES = {
    "kinds": kinds, "single": single, "longs": longs, "decimals": decimals, "times": times, "addresses": addresses, "strings": strings, "sets": sets, "records": records,
    "logic": logic, "chains": chains, "interplay": interplay, "attributes": attributes, "heads": heads, "questions": questions,
}  # fmt: skip
