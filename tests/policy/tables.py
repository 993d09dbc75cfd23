"""Boundary cases made by products: operators times operands at the edges, operands in the context so that nothing can be folded beforehand."""

from __future__ import annotations

import itertools

from tests.policy import texts
from tests.policy.cases import PATTERNS, SETS, Batch, quoted
from tests.policy.number_tables import addresses, decimals, longs, times
from tests.policy.tabled import MOST, PEOPLE, WHO, asked, schema, table, when, wrapped

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


def sets():
    """Yield sets of every kind against each other, with items in any order, repeated, and written differently."""
    items = {
        "Long": (0, 1, -1, MOST), "String": ("", "a", "b", "é"), "Bool": (True, False), "decimal": ("1.0", "1.00", "0.0", "-0.0"), "datetime": ("1970-01-01", "1970-01-01T00:00:00Z", "2024-02-29"),
        "duration": ("1d", "24h", "0ms", "-0ms"), "ipaddr": ("::1", "0:0:0:0:0:0:0:1", "::1/128", "10.0.0.0/8"),
        "Person": tuple({"__entity": {"type": "Person", "id": name}} for name in ("ann", "bob", "nobody")),
    }  # fmt: skip
    tests = [
        "x == y",
        "x != y",
        "x.containsAll(y)",
        "x.containsAny(y)",
        "x.isEmpty()",
        "x.contains(z)",
        "[x].contains(y)",
        "[x, y] == [y]",
        "{a: x} == {a: y}",
        "[x].containsAll([y])",
        "principal in x",
        "[z].containsAny(x)",
    ]
    for kind in SETS:
        chosen = [list(parts) for size in range(4) for parts in itertools.product(items[kind], repeat=size)]
        pairs = [
            (one, other, items[kind][place % len(items[kind])])
            for place, (one, other) in enumerate(itertools.product(chosen[:10], chosen[::4]))
        ]
        fields = {"x": f"Set<{kind}>", "y": f"Set<{kind}>", "z": kind}
        wrap = lambda many, kind=kind: [wrapped(kind, one) for one in many]
        yield kind, table(fields, tests, [(wrap(one), wrap(other), z) for one, other, z in pairs])
    nested = ([], [[]], [[1]], [[], [1]], [[1, 2], [2, 1]], [[2, 1]], [[1], [1]])
    yield (
        "nested",
        table(
            {"x": "Set<Set<Long>>", "y": "Set<Set<Long>>", "z": "Set<Long>"},
            tests,
            [(one, other, z) for one in nested for other in nested for z in ([], [1], [1, 2], [2, 1, 1])],
        ),
    )
    records = ([], [{"a": 1}], [{"a": 1, "b": True}], [{"a": 1}, {"a": 1}], [{"a": 2}, {"a": 1}])
    kind = "{a: Long, b?: Bool}"
    yield (
        "records",
        table(
            {"x": f"Set<{kind}>", "y": f"Set<{kind}>", "z": kind},
            tests,
            [(one, other, z) for one in records for other in records for z in ({"a": 1}, {"a": 1, "b": False})],
        ),
    )
    mixed = [
        "[1, true]",
        '["a", 1, 1]',
        "[true]",
        "[1]",
        "[]",
        "[[1], 1]",
        '["true"]',
        'decimal("1.0")',
        '[decimal("1.0"), 1]',
        "[principal]",
        '[Person::"ann", principal]',
        "{}",
        "{a: true}",
        "{a: 1}",
    ]
    written = [
        form.format(one, other)
        for one, other in itertools.product(mixed, mixed)
        for form in ("{} == {}", "({}).containsAll({})", "({}).containsAny({})", "[{}].contains({})")
    ]
    written += (
        [f"({one}).contains(x)" for one in mixed]
        + [f"({one}).contains(y)" for one in mixed]
        + [f"({one}).contains({{a: y}}.a)" for one in mixed]
    )
    yield "mixed", table({"x": "Long", "y": "Bool"}, written, itertools.product((0, 1, None), (True, False, None)))


def records():
    """Yield records: attributes that are there, are not, or are deeper."""
    kind = "{a: Long, b?: {c?: Bool, d: String}}"
    values = (
        {"a": 1},
        {"a": 2},
        {"a": 1, "b": {"d": ""}},
        {"a": 1, "b": {"d": "", "c": True}},
        {"a": 1, "b": {"d": "x", "c": False}},
        None,
    )
    tests = [
        "x == y",
        "x != y",
        "x has a",
        "x has b",
        "x has b.c",
        "x has b.d",
        "x has a.b",
        "x has b.c.d",
        "x has zz",
        'x has "b"',
        "x.a == y.a",
        "x.b == y.b",
        "x.b.c",
        'x["b"].d == ""',
        "context has x",
        "context has x.b.c",
    ]
    tests += [
        "x has b && x.b has c && x.b.c",
        "context has x && x.a == 1",
        "!(context has y) || y.a > 1",
        "{a: 1} == x",
        '{a: 1, b: {d: ""}} == x',
        '{b: {c: true, d: ""}, a: 1} == x',
        "x.zz == 1",
        "[x].contains({a: 1})",
    ]
    tests += [
        "context == {}",
        "context == {x: {a: 1}}",
        "context == context",
        "{context: context}.context has x",
        "if x has b then x.b has c else x.a == 1",
        "{z: x.b}.z == y.b",
        "{a: x, b: x.zz}.a == x",
        "{a: x, b: y} has a",
    ]
    yield "records", table({"x": kind, "y": kind}, tests, itertools.product(values, values))


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


def heads():
    """Yield every form of a policy's head against every principal, action and resource."""
    uids = [("Person", "ann"), ("Person", "nobody"), ("Team", "t0"), ("Team", "t1"), ("Team", "nowhere"), ("Nope", "x")]
    written = [f"{kind}::{quoted(name)}" for kind, name in uids]
    forms = (
        ["{}"]
        + [f"{{}} == {one}" for one in written]
        + [f"{{}} in {one}" for one in written]
        + [f"{{}} is {kind}" for kind in ("Person", "Team", "Nope", "Lab::Person")]
    )
    forms += [f"{{}} is {kind} in {one}" for kind in ("Person", "Team", "Nope") for one in written]
    actions = [
        "action",
        'action == Action::"act"',
        'action == Action::"up"',
        'action in Action::"up"',
        'action in Action::"act"',
        'action in [Action::"top"]',
        "action in []",
        'action in [Action::"no", Action::"act"]',
        'action == Action::"no"',
    ]
    policies = [
        f"permit({form.format('principal')}, action, {other.format('resource')});"
        for form in forms
        for other in forms[:: 1 if form == "{}" else 4]
    ]
    policies += [f"permit(principal, {one}, resource);" for one in actions] + [
        f"forbid({form.format('principal')}, {one}, resource);" for one in actions[3:6] for form in forms[1:8:3]
    ]
    policies += [f"permit(principal, action, resource) when {{ {form.format('principal')} }};" for form in forms[1:]] + [
        f"permit(principal, action, resource) when {{ {one} }};" for one in actions[1:]
    ]
    policies += [
        f"permit(principal, action, resource) when {{ {form.format(one)} }};"
        for form in forms[1:]
        for one in ("resource", 'Team::"t0"', 'Person::"ann"', 'Team::"nowhere"')
    ]
    policies += [
        when(one)
        for one in (
            "action.x == 1",
            "action has x",
            'action.hasTag("x")',
            'action.getTag("x") == 1',
            "action is Action",
            "action in action",
            "action in [principal, action]",
            "action == principal",
            'action["x y"]',
        )
    ]
    policies += [
        f"permit(principal, action, resource) when {{ principal in [{', '.join(chosen)}] }};"
        for chosen in itertools.combinations(written[:5], 2)
    ]
    requests = tuple(
        {
            "principal": {"type": one[0], "id": one[1]},
            "action": {"type": "Action", "id": action},
            "resource": {"type": other[0], "id": other[1]},
            "context": {},
        }
        for one in uids[:5]
        for other in uids[:5]
        for action in ("act", "up")
    )
    types = "{ principal: [Person, Team], resource: [Team, Person], context: {} }"
    with_actions = f"entity Team in [Team]; entity Person in [Team] {{ a?: Long }} tags String; action top; action up in [top] appliesTo {types}; action act in [up] appliesTo {types};"
    few = [
        "permit(principal, action, resource);",
        'permit(principal == Person::"ann", action, resource);',
        'permit(principal in Team::"t1", action, resource);',
        'permit(principal, action, resource in Team::"t0");',
    ]
    few += [
        'permit(principal == Person::"ann", action, resource == Team::"t0");',
        'permit(principal, action, resource == Team::"t0") when { context.zz };',
        'permit(principal in Team::"t0", action, resource in Team::"t1") when { true };',
    ]
    for place, pair in enumerate(itertools.permutations(few, 2)):
        yield f"two, {place}", Batch(pair, requests[::3], PEOPLE, with_actions)
    yield "heads", Batch(tuple(policies), requests, PEOPLE, with_actions)


def questions():
    """Yield policies that begin by asking which string an attribute is, as most do: of context, principal and resource, there or not, string or not."""
    first = (
        'context.x == "a"',
        'action.x == "a"',
        '"b" == context.x',
        'context.x == ""',
        'principal.x == "a"',
        '"a" == resource.x',
        'principal.x == "b"',
        'context.y == "a"',
        'context.x != "a"',
        "context.x == context.y",
        "context.x == 1",
    )
    then = (
        "",
        " && context.z",
        " && true",
        " && context.y.a",
        ' && context.y == "b"',
        " || context.z",
        " && context.z && principal has x",
        " && 1",
        " == true",
    )
    policies = [
        f"permit(principal, action, resource) when {{ {'(' + one + ')' if rest == ' == true' else one}{rest} }};"
        for rest in then
        for one in first
    ]
    policies += [
        f"permit({head}) when {{ {one} && context.z }};"
        for one in first[:6]
        for head in (
            'principal == Person::"ann", action, resource',
            'principal in Team::"t1", action, resource',
            "principal is Person, action, resource",
        )
    ]
    policies += [f"permit(principal, action, resource) unless {{ {one} }};" for one in first] + [
        f"permit(principal, action, resource) when {{ {one} }} when {{ context.z }};" for one in first
    ]
    policies += [
        'permit(principal, action, resource) when { context has x && context.x == "a" };',
        "permit(principal, action, resource);",
        'permit(principal, action, resource) when { context.x == "only" && context.z };',
    ]
    policies += [
        f'permit(principal, action, resource) when {{ context["{name}"] == "a" && context.x == "a" }};' for name in ("w", "x", "y")
    ]
    people = [
        {"uid": {"type": "Person", "id": name}, "attrs": attributes, "parents": [{"type": "Team", "id": "t1"}]}
        for name, attributes in (("ann", {"x": "a"}), ("bob", {}), ("eve", {"x": 1}))
    ]
    wholes = ("a", "b", "", "only", 1, True, ["a"], {"a": "a"}, PERSON, None)
    requests = [
        {
            **WHO,
            "principal": {"type": "Person", "id": name},
            "resource": {"type": "Person", "id": other},
            "context": asked(x=x, y=y, z=z)["context"],
        }
        for name, other in (("ann", "bob"), ("bob", "ann"), ("eve", "ann"), ("nobody", "eve"), ("ann", "nobody"))
        for x, y, z in itertools.product(wholes, ("a", {"a": True}, None), (True, False, 1))
    ]
    yield "untyped", Batch(tuple(policies), tuple(requests), tuple(people), None)
    typed = [
        request
        for request in requests
        if all(isinstance(request["context"].get(name, ""), str) for name in "xy") and type(request["context"]["z"]) is bool
    ]
    fits = "entity Team; entity Person in [Team] { x?: String }; action act appliesTo { principal: Person, resource: Person, context: { x?: String, y?: String, z?: Bool } };"
    yield "typed", Batch(tuple(policies), tuple(typed), tuple(people[:2]), fits, (("x", "String"), ("y", "String"), ("z", "Bool")))


TABLES = {
    "kinds": kinds, "single": single, "longs": longs, "decimals": decimals, "times": times, "addresses": addresses, "strings": strings, "sets": sets, "records": records,
    "logic": logic, "chains": chains, "interplay": interplay, "heads": heads, "questions": questions,
}  # fmt: skip
