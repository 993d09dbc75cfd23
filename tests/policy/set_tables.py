"""Boundary cases of sets and records: against each other and against what is written down."""

from __future__ import annotations

import itertools

from tests.policy import world
from tests.policy.cases import SETS, literal
from tests.policy.tabled import MOST, table, wrapped


def _against_written_sets(kind, items, columns):
    """Return sets that are columns against sets of constants: none, one, some, all, many, and with something of another kind."""
    few = [literal(kind, one["__entity"]["id"] if kind in world.IDS else one) for one in items]
    many = [*few, *(literal(kind, one) for one in world.POOLS.get(kind, ())[:16])]
    other = "1" if kind == "String" else '"a"'
    lists = (
        [],
        ["z", *many],
        ["z", *many, other],
        *([one] for one in few),
        few[:2],
        few[::-1],
        many,
        [*few[:1], other],
        [*many, other],
        [*many[len(few) :], few[0]],
        ["principal", *few],
        [other],
    )
    forms = (
        "x == {}",
        "{} != x",
        "x.containsAll({})",
        "{}.containsAll(x)",
        "x.containsAny({})",
        "{}.containsAny(x)",
        "{}.contains(z)",
        "[z].containsAll({})",
        "[z].containsAny({})",
        "{}.containsAll([z])",
        "(if x.isEmpty() then x else {}) == x",
    )
    tests = [form.format(f"[{', '.join(one)}]") for one in lists for form in forms]
    tests += [f"[[{few[0]}], [{few[0]}, {few[-1]}], []].contains(x)", f"[[{other}], {few[0]}].contains(x)", f"[x].contains([{few[0]}])"]
    whole = [wrapped(kind, one) for one in (*items, *world.POOLS.get(kind, ())[:16])]
    columns = [whole, whole[::-1], whole[1:], whole[:-1], *columns]
    rows = [(one, items[place % len(items)] if place % 7 else None) for place, one in enumerate(columns)]
    return table({"x": f"Set<{kind}>", "z": kind}, tests, rows)


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
        "(if x.isEmpty() then [z] else [z, z]).contains(z)",
        "(if x.isEmpty() then [z] else y).containsAll(x)",
        "(if x.isEmpty() then x else [z]) == y",
        '(if x.isEmpty() then [z, "a"] else [true]).contains(z)',
        "(if context has z then [] else [z]) == x",
        "[[z], x].contains(y)",
        "[z, z] == x",
        "if x.isEmpty() then x == y else false",
        "if x.isEmpty() then true else y == x",
        "x == []",
        "[] != y",
        "[].containsAll(x)",
        "y.containsAny([])",
        "[[], x].contains(y)",
        "x.containsAll([[], [1], [2], [1, 2], [3], [4], [5], [6], [7]])",
        "x.containsAny([[], [1], [2], [3], [4], [5], [6], [7], [8]])",
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
        yield f"{kind}, written down", _against_written_sets(kind, items[kind], [*map(wrap, chosen[::3]), None])
    kinds = {"x": "Set<Long>", "y": "Set<String>", "z": "Set<Bool>"}
    forms = ("{0} == {1}", "{1} != {0}", "{0}.containsAll({1})", "{0}.containsAny({1})", "[{0}].contains({1})", "[{0}, {1}].contains({1})")
    pairs = [form.format(*pair) for pair in itertools.permutations(kinds, 2) for form in forms]
    rows = itertools.product(([], [0], [1, 0], None), ([], ["a"], ["a", "b"], None), ([], [True], [True, False], None))
    yield "of two kinds", table(kinds, pairs, rows)
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
    shape = "{a?: Long, b?: Long}"
    sides = (None, {}, {"a": 1}, {"b": 1}, {"a": 1, "b": 2})
    chosen = ("x", "y", "{a: 1}", "{a: 1, b: 2}", "{a: x.a}", "{b: y.b, a: 1}", "{a: 1}.b", "{}", "(if z then y else x)")
    asked_of = (
        "{}.a == 1",
        "{} has a",
        "{} has b",
        "{} == x",
        "{} == {{a: 1}}",
        "{} == 1",
        "[{}, 1].contains(1)",
        "[{}].contains(y)",
        "{} has a && {}.a == 1",
        "{} == {}",
    )
    written = [
        question.replace("{}", f"(if z then {one} else {other})").replace("{{", "{").replace("}}", "}")
        for one, other in itertools.product(chosen, chosen)
        for question in asked_of
    ]
    written += [question.replace("{}", one).replace("{{", "{").replace("}}", "}") for one in chosen[2:] for question in asked_of]
    rows = list(itertools.product(sides, sides, (True, False, None)))
    for place in range(6):
        yield f"chosen, {place}", table({"x": shape, "y": shape, "z": "Bool"}, written[place::6], rows)
