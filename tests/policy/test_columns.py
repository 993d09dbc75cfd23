"""Columns say what Cedar says: of values at every edge, of every dtype that is accepted, in the order of the rows."""

import decimal
import json
import random
import re
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.errors import InputError
from thunderlab.policy.columns import Columns, fail_closed, part
from thunderlab.policy.columns.outcomes import combined
from thunderlab.policy.columns.shared import Shared
from thunderlab.policy.language import tree
from thunderlab.policy.policy_set import PolicySet

cedarpy = pytest.importorskip("cedarpy")

DAY_ONE = datetime(1970, 1, 1)  # noqa: DTZ001 - a column without a time zone is accepted
DAY_TWO = DAY_ONE + timedelta(days=1)
LEAST, MOST = -(2**63), 2**63 - 1
LONGS = [0, 1, -1, 2, 5, -7, MOST, LEAST, MOST - 1, LEAST + 1, 2**62, -(2**62), 3037000500]
TEXTS = ["", "a", "ab", "aba", "abab", "a*b", "x\ny", "é", "e\u0301", "\0", "A"]
SCHEMA = """
entity Team in [Team];
entity User in [Team] { name: String, level: Long, boss?: User, on?: Bool, spans: Set<Long>, info?: { a: Long, deep?: { x?: Long } } } tags Long;
entity Colour enum ["red", "green"];
entity Doc in [Doc, Team] { owner: User, readers: Set<User> };
action view, edit in [some] appliesTo { principal: [User], resource: [Doc, User], context: {
    n: Long, m?: Long, s: String, o?: String, b: Bool, c?: Bool, u: User, v?: User, g: Set<Long>, h?: Set<String>, z?: Set<User>, w?: Set<Bool>,
    r: { x: Long, y?: String, q?: { w?: Bool } }, p?: { x: Long, y?: String, q?: { w?: Bool } }, l?: Set<{ x: Long }>,
    d: decimal, e?: decimal, t: datetime, t2?: datetime, k: duration, i?: ipaddr, j: ipaddr, f?: Colour
} };
action some;
action tally appliesTo { principal: [User], resource: [Doc], context: { n: String } };
action ping appliesTo { principal: [User], resource: [Doc] };
"""
ENTITIES = [
    {"uid": {"type": "Team", "id": "t0"}, "attrs": {}, "parents": [{"type": "Team", "id": "t1"}]},
    {"uid": {"type": "Team", "id": "t1"}, "attrs": {}, "parents": []},
    {
        "uid": {"type": "User", "id": "u0"},
        "attrs": {
            "name": "ab",
            "level": MOST,
            "boss": {"__entity": {"type": "User", "id": "u1"}},
            "on": True,
            "spans": [1, 2],
            "info": {"a": 1},
        },
        "parents": [{"type": "Team", "id": "t0"}],
        "tags": {"a": 1, "ab": LEAST},
    },
    {
        "uid": {"type": "User", "id": "u1"},
        "attrs": {"name": "", "level": LEAST, "on": False, "spans": [], "info": {"a": -1, "deep": {"x": 5}}},
        "parents": [{"type": "Team", "id": "t1"}],
    },
    {
        "uid": {"type": "User", "id": "u2"},
        "attrs": {"name": "é", "level": 3, "boss": {"__entity": {"type": "User", "id": "gone"}}, "spans": [5]},
        "parents": [],
    },
    {
        "uid": {"type": "Doc", "id": "d0"},
        "attrs": {"owner": {"__entity": {"type": "User", "id": "u0"}}, "readers": [{"__entity": {"type": "User", "id": "u1"}}]},
        "parents": [{"type": "Team", "id": "t0"}],
    },
    {
        "uid": {"type": "Doc", "id": "d1"},
        "attrs": {"owner": {"__entity": {"type": "User", "id": "gone"}}, "readers": []},
        "parents": [{"type": "Doc", "id": "d0"}],
    },
]

# Conditions, each a policy of its own. What they are is in the schema: `m`, `o`, `c`, ... may be missing.
CONDITIONS = r"""
context.n + 1 > 0
context.n - 1 < context.n
context.n * 2 >= context.m
context.n * context.n == context.m
-context.n != context.n
-context.m == 9223372036854775807
context.n + context.m - context.m == context.n
context.n <= 5 && context.m > -1
context.m > 0 && context.b
context.b && context.m > 0
context.m > 0 || context.b
context.b || context.m > 0
context.c && context.b
context.b && context.c && context.m == 1 || context.o == "a"
!(context.c || context.b)
context.c || true
false && context.c
true || context.c
context.s && true
true && context.s
context.b && context.s
context.b || context.s
if context.c then context.m == 1 else context.n == 1
(if context.b then context.m else context.n) > 0
(if context.b then context.o else "a") == context.s
(if context.c then context.p else context.r).x == 1
(if context.b then context.n else context.s) == 1
(if context.b then principal else resource) == principal
(if context.c then [1] else context.g).contains(1)
context has m
context has m && context.m == 1
context has p && context.p has q && context.p.q has w && context.p.q.w
context has p.q.w && !context.p.q.w
context.p has q
context.p.q has w
context.p.y == context.r.y
context.p == context.r
context.p != {x: 1, y: "a"}
context.r == {x: context.n}
{x: context.n, y: context.o} == context.r
{x: context.m}.x == 1
{x: context.n, y: context.o} has y
{x: context.n, y: context.o}.x == 1
{x: context.n} has y
context.s like "*"
context.s like "a*"
context.s like "*b"
context.s like "a*a"
context.s like "*b*"
context.s like "a*b*b"
context.s like "a\*b"
context.s like "*\**"
context.s like "x*y"
context.s like "é"
context.o like ""
context.n like "a"
context.s == context.o
context.s != context.n
context.s == 1
context.u == principal
context.v == principal
context.u == resource
context.u in Team::"t1"
context.v in Team::"t1"
context.u in [Team::"t1", User::"u2"]
context.u in [principal, context.v]
context.u in [principal, 1]
context.u in []
context.u in context.z
principal in context.z
principal in resource.readers
context.u in resource
resource in resource
resource in Team::"t1"
resource in principal
User::"u0" in context.z
User::"u0" in context.u
Team::"t0" in Team::"t1"
User::"u0" in resource
context.n in Team::"t1"
context.u in context.g
context.u in context.s
resource is Doc
context.v is User
context.n is User
resource is Doc && resource.owner == principal
resource is Doc && resource.owner.name == "ab"
principal.boss.name == ""
principal.boss.boss has name
principal.boss has on
principal.level + context.n > 0
principal.on
principal.on || context.b
principal has on && principal.on
principal.info.a == 1
principal.info.deep.x == 5
principal has info.deep.x
principal.info has deep
principal.info == {a: 1}
principal.nothing == 1
principal has nothing
principal.getTag("a") == 1
principal.hasTag("a")
principal.getTag(context.s) < 0
principal.hasTag(context.s)
principal.hasTag(context.o)
context.v.hasTag(context.s)
User::"u0".getTag(context.s) == 1
User::"u0".hasTag(context.o)
principal.hasTag(context.n)
context.g.contains(context.n)
context.g.contains(context.m)
context.g.contains(1)
context.g.contains("a")
context.g.contains(context.s)
[1, 2, 5].contains(context.m)
[1, "a", true].contains(context.n)
[].contains(context.m)
["a", "ab"].contains(context.o)
[context.n, context.m].contains(1)
[context.r].contains({x: 1})
[context.b].contains(context.c)
[true].contains(context.c)
context.w.contains(context.b)
context.w.contains(true)
context.w == [true]
context.w.containsAll([true, false])
context.w.containsAny(context.w)
context.g.containsAll([1, 2])
context.g.containsAll([context.m])
context.g.containsAll([])
context.g.containsAll(["a"])
context.g.containsAll(principal.spans)
context.g.containsAny(principal.spans)
context.g.containsAny([1, context.m])
[1, 2, 5, 7, 8, 9, 10, 11, 12, 13].containsAll(context.g)
context.g.containsAll([1, 2, 5, 7, 8, 9, 10, 11, 12, 13])
context.g.containsAny([5, 17, 18, 19, 110, 111, 112, 113, 114])
context.g.containsAny(context.h)
context.h.containsAll(context.g)
context.g.isEmpty()
context.h.isEmpty()
context.s.isEmpty()
context.g == []
context.g == [1, 2]
context.g == [1, "a"]
context.g == context.h
context.g == principal.spans
context.g == [context.m]
context.z == [principal]
context.z.contains(principal)
context.l.isEmpty()
context.l == [{x: 1}]
context has l
[1, context.n] == [context.m, 1]
[context.n, context.s].contains(1)
context.d == decimal("1.0")
context.d.lessThan(decimal("1.0001"))
context.d.lessThanOrEqual(context.e)
context.d.greaterThan(context.e)
context.d.greaterThanOrEqual(decimal("922337203685477.5807"))
context.d < context.e
context.d.lessThan(context.n)
decimal(context.s) == context.d
context.t < context.t2
context.t >= datetime("2024-10-15T11:35:00.001Z")
context.t.offset(context.k) > context.t
context.t.durationSince(context.t2) < duration("1d")
context.t.toDate() == context.t
context.t.toTime() == duration("0ms")
context.t2.toTime() > duration("12h")
context.t == context.k
context.k.toMilliseconds() + 1 > 0
context.k.toSeconds() == -1
context.k.toMinutes() == 1
context.k.toHours() * 3600 == context.k.toSeconds()
context.k.toDays() == 1
context.k <= duration("-1ms")
context.t < context.k
context.j.isInRange(ip("10.0.0.0/8"))
context.j.isInRange(context.i)
context.j.isLoopback()
context.i.isMulticast()
context.j.isIpv4() && context.j == ip("127.0.0.1/32")
context.j.isIpv6() || context.i.isIpv6()
context.n.isIpv4()
ip(context.s).isIpv4()
context.f == Colour::"red"
context.f in [Colour::"red", Colour::"green"]
"""
# All of them permits: a forbid that applies would hide them from the reasons.
POLICIES = [f"permit(principal, action, resource) when {{ {one} }};" for one in CONDITIONS.strip().splitlines()]
POLICIES += [
    'permit(principal == User::"u0", action in Action::"some", resource is Doc in Team::"t1");',
    'permit(principal in Team::"t0", action == Action::"view", resource);',
    'permit(principal == Team::"t0", action, resource);',
    'permit(principal, action in [Action::"edit", Action::"ping"], resource in Doc::"d0") unless { context.c };',
]
TEXT = "\n".join(POLICIES)
Q = pl.Struct({"w": pl.Boolean})
R = pl.Struct({"x": pl.Int64, "y": pl.String, "q": Q})
UID = pl.Struct({"type": pl.String, "id": pl.String})
CONTEXT = pl.Struct(
    {
        "n": pl.Int64,
        "m": pl.Int64,
        "s": pl.String,
        "o": pl.String,
        "b": pl.Boolean,
        "c": pl.Boolean,
        "u": UID,
        "v": pl.String,
        "g": pl.List(pl.Int64),
    }
    | {
        "h": pl.List(pl.String),
        "z": pl.List(UID),
        "w": pl.List(pl.Boolean),
        "r": R,
        "p": R,
        "l": pl.List(pl.Struct({"x": pl.Int64})),
        "d": pl.String,
    }
    | {"e": pl.String, "t": pl.String, "t2": pl.String, "k": pl.String, "i": pl.String, "j": pl.String, "f": pl.String}
)
EXTENSIONS = {"d": "decimal", "e": "decimal", "t": "datetime", "t2": "datetime", "k": "duration", "i": "ip", "j": "ip"}
ENTITY_TYPES = {"u": "User", "v": "User", "f": "Colour"}
_ERROR = re.compile(r"error while evaluating policy `(.*?)`", re.DOTALL)


def in_json(context):
    """Return a context as Cedar reads it."""

    def one(name, value):
        if name in EXTENSIONS:
            return {"__extn": {"fn": EXTENSIONS[name], "arg": value}}
        if name in ENTITY_TYPES:
            return {"__entity": {"type": ENTITY_TYPES[name], "id": value}}
        return [{"__entity": {"type": "User", "id": id_}} for id_ in value] if name == "z" else value

    return {name: one(name, value) for name, value in context.items()}


def in_row(context):
    """Return a context as a row of CONTEXT."""
    row = {field.name: context.get(field.name) for field in CONTEXT.fields}
    row["u"] = {"type": "User", "id": context["u"]}
    if "z" in context:
        row["z"] = [{"type": "User", "id": id_} for id_ in context["z"]]
    return row


def frame(asked):
    """Return (principal's id, action's id, (resource's type and id), context) as a frame."""
    columns = {
        "principal_type": ["User" for _ in asked],
        "principal_id": [one[0] for one in asked],
        "action_type": ["Action" for _ in asked],
        "action_id": [one[1] for one in asked],
        "resource_type": [one[2][0] for one in asked],
        "resource_id": [one[2][1] for one in asked],
    }
    rows = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return rows.with_columns(pl.Series("context", [in_row(one[3]) for one in asked], dtype=CONTEXT, strict=True))


def of_cedar(text, asked):
    """Return Cedar's own answers."""
    documents = [
        {
            "principal": {"type": "User", "id": principal},
            "action": {"type": "Action", "id": action},
            "resource": {"type": kind, "id": id_},
            "context": in_json(context),
        }
        for principal, action, (kind, id_), context in asked
    ]
    schema = cedarpy.Schema.from_str(SCHEMA)
    entities = cedarpy.Entities.from_json_str(json.dumps(ENTITIES), schema)
    found = cedarpy.is_authorized_batch(documents, cedarpy.PolicySet.from_str(text), entities, schema)

    def number(id_):
        return int(id_.removeprefix("policy"))

    return [
        (
            {"Allow": "allow", "Deny": "deny"}.get(one.decision.value),
            sorted(one.diagnostics.reasons, key=number),
            sorted({_ERROR.search(error)[1] for error in one.diagnostics.errors if _ERROR.search(error)}, key=number),
        )
        for one in found
    ]


def answers(evaluated):
    return evaluated.select("decision", "reasons", "errors").rows()


def with_(policies, rows, **more):
    compiled = Columns(policies.policies, policies.vocabulary)
    return compiled, compiled.evaluate(rows, policies.world(ENTITIES), **more)


longs, texts, users = st.sampled_from(LONGS), st.sampled_from(TEXTS), st.sampled_from(["u0", "u1", "u2", "gone"])
records = st.fixed_dictionaries({"x": longs}, optional={"y": texts, "q": st.fixed_dictionaries({}, optional={"w": st.booleans()})})
decimals = st.sampled_from(["1.0", "1.0001", "0.9999", "-0.0001", "922337203685477.5807", "-922337203685477.5808"])
moments = st.sampled_from(
    ["1970-01-01", "1969-12-31T23:59:59.999Z", "2024-10-15T11:35:00.000Z", "2024-10-15T11:35:00.001Z", "9999-12-31", "0001-01-01"]
)
spans = st.sampled_from(["0ms", "1d", "-1ms", "-1999ms", "60s", "59s", "9223372036854775807ms", "-9223372036854775808ms", "90m"])
addresses = st.sampled_from(["127.0.0.1", "127.0.0.1/32", "10.0.0.1", "10.0.0.0/8", "10.0.0.0/7", "::1", "ff00::1", "::/0"])
contexts = st.fixed_dictionaries(
    {"n": longs, "s": texts, "b": st.booleans(), "u": users, "g": st.lists(longs, max_size=3), "r": records, "d": decimals, "t": moments, "k": spans, "j": addresses},
    optional={
        "m": longs, "o": texts, "c": st.booleans(), "v": users, "h": st.lists(texts, max_size=3), "z": st.lists(users, max_size=3), "w": st.lists(st.booleans(), max_size=3),
        "p": records, "l": st.lists(st.fixed_dictionaries({"x": longs}), max_size=2), "e": decimals, "t2": moments, "i": addresses, "f": st.sampled_from(["red", "green"]),
    },
)  # fmt: skip
requests = st.tuples(
    users,
    st.sampled_from(["view", "edit"]),
    st.sampled_from([("Doc", "d0"), ("Doc", "d1"), ("Doc", "gone"), ("User", "u0"), ("User", "gone")]),
    contexts,
)
PLAIN = {"n": 1, "s": "a", "b": True, "u": "u0", "g": [1], "r": {"x": 1}, "d": "1.0", "t": "1970-01-01", "k": "1d", "j": "::1"}


@pytest.fixture(scope="module")
def policies():
    return PolicySet.parse(TEXT, SCHEMA)


@pytest.fixture(scope="module")
def few():
    """Every ninth of them, for what does not depend on which."""
    return PolicySet.parse("\n".join(POLICIES[::9]), SCHEMA)


@given(st.lists(requests, min_size=30, max_size=60))
@settings(max_examples=3)
def test_columns_say_what_cedar_says(policies, asked):
    _, evaluated = with_(policies, frame(asked))
    assert answers(evaluated) == of_cedar(TEXT, asked)
    assert evaluated["request_errors"].null_count() == len(asked)


def test_few_conditions_are_not_for_columns(policies):
    compiled, _ = with_(policies, frame([("u0", "view", ("Doc", "d0"), PLAIN)]))
    inexpressible = {
        POLICIES[int(id_.removeprefix("policy"))].split("{ ")[1].split(" }")[0]: why for id_, why in compiled.explain().items()
    }
    assert inexpressible == {
        "(if context.b then principal else resource) == principal": "an if of two types",
        "(if context.b then context.n else context.s) == 1": "an if of two types",
        "context.l == [{x: 1}]": "a set of sets or records",
    }
    assert compiled.fallbacks.keys() == compiled.explain().keys()


def test_what_falls_back_asks_the_closures_it_is_given():
    calls = []

    def closures(at, asked):
        asked = list(asked)
        calls.append((at, [one.context["n"] for one in asked]))
        return [None for _ in asked]

    two = PolicySet.parse(
        "permit(principal, action, resource); forbid(principal, action, resource) when { (if context.b then 1 else context.s) == 1 };",
        SCHEMA,
    )
    asked = [("u0", "view", ("Doc", "d0"), PLAIN | {"n": n}) for n in (3, 4, 5)]
    _, evaluated = with_(two, frame(asked), closures=closures)
    assert calls == [(1, [3, 4, 5])]
    assert answers(evaluated) == [("allow", ["policy0"], ["policy1"])] * 3


def test_the_order_of_rows_and_blocks_is_nobodys_business(few, monkeypatch):
    drawn = random.Random(5)
    asked = [
        (
            drawn.choice(["u0", "u1", "gone"]),
            drawn.choice(["view", "edit"]),
            drawn.choice([("Doc", "d0"), ("User", "u0")]),
            PLAIN | {"n": drawn.choice(LONGS), "m": 1},
        )
        for _ in range(40)
    ]
    _, whole = with_(few, frame(asked))
    monkeypatch.setattr(part, "BLOCK_ROWS", 7)
    order = drawn.sample(range(40), 40)
    _, shuffled = with_(few, frame([asked[at] for at in order]))
    assert shuffled.rows() == [whole.row(at) for at in order]
    assert len(set(map(repr, whole.rows()))) > 5


def test_nothing_asked_is_nothing_answered(few):
    _, evaluated = with_(few, frame([]))
    assert evaluated.schema == {
        "decision": pl.String,
        "reasons": pl.List(pl.String),
        "errors": pl.List(pl.String),
        "request_errors": pl.String,
    }
    assert evaluated.height == 0


def test_a_frame_of_nulls_has_no_requests(few):
    rows = pl.DataFrame({name: [None, None] for name in frame([]).columns})
    _, evaluated = with_(few, rows)
    assert evaluated["decision"].to_list() == [None, None]
    assert evaluated["request_errors"].null_count() == 0


SMALL = "permit(principal, action, resource) when { context.value == 1 }; forbid(principal, action, resource) when { context.value > 5 };"


def small(type_, dtype, values, text=SMALL, actions="view"):
    """Return what is said of a context of one attribute, and what is wrong."""
    schema = f'entity User; entity Colour enum ["red"]; action view appliesTo {{ principal: User, resource: User, context: {{ value?: {type_} }} }};'
    policies = PolicySet.parse(text, schema)
    rows = pl.DataFrame(
        {
            f"{role}_{part}": [{"type": "User", "id": "a"}[part]] * len(values)
            for role in ("principal", "resource")
            for part in ("type", "id")
        }
    )
    rows = rows.with_columns(action_type=pl.lit("Action"), action_id=pl.lit(actions))
    rows = rows.with_columns(pl.struct(pl.Series("value", values, dtype=dtype)).alias("context"))
    found = Columns(policies.policies, policies.vocabulary).evaluate(rows)
    return found["decision"].to_list(), found["request_errors"].to_list()


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Int128])
def test_integers_of_any_width(dtype):
    assert small("Long", dtype, [1, 6, 0, None])[0] == ["allow", "deny", "deny", "deny"]


def test_integers_beyond_64_bits_are_no_requests():
    decisions, errors = small("Long", pl.UInt64, [2**63 - 1, 2**63, 1])
    assert decisions == ["deny", None, "allow"]
    assert errors == [None, "context.value: an integer beyond 64 bits", None]


@pytest.mark.parametrize(
    ("type_", "dtype", "what"),
    [
        ("Long", pl.Float64, "column context.value: expected integers, got a column of Float64"),
        ("Long", pl.String, "expected integers"),
        ("Long", pl.Decimal(10, 0), "expected integers"),
        ("Bool", pl.Int8, "expected booleans"),
        ("String", pl.Int64, "expected strings"),
        ("User", pl.Int64, "expected entities"),
        ("User", pl.Struct({"type": pl.String, "name": pl.String}), "expected entities with type and id"),
        ("decimal", pl.Float64, "expected strings or decimals"),
        ("decimal", pl.Decimal(20, 5), "at most 4 places"),
        ("datetime", pl.Int64, "expected strings or datetimes"),
        ("duration", pl.Datetime, "expected strings or durations"),
        ("ipaddr", pl.Int64, "expected strings for ipaddr"),
        ("Set<Long>", pl.Int64, "expected sets"),
        ("Set<Long>", pl.List(pl.Float64), "expected integers"),
        ("{ a: Long }", pl.Int64, "expected records"),
        ("{ a: Long }", pl.Struct({"a": pl.Float64}), "column context.value.a: expected integers"),
    ],
)
def test_columns_that_cannot_hold_what_the_schema_says_are_refused(type_, dtype, what):
    with pytest.raises(InputError, match=re.escape(what)):
        small(type_, dtype, [None])


@pytest.mark.parametrize(
    ("type_", "dtype", "values", "literal"),
    [
        ("String", pl.Categorical, ["a", "b", None], '"a"'),
        ("String", pl.Enum(["b", "a"]), ["a", "b", None], '"a"'),
        ("User", pl.String, ["a", "b", None], 'User::"a"'),
        ("User", pl.Categorical, ["a", "b", None], 'User::"a"'),
        ("User", UID, [{"type": "User", "id": "a"}, {"type": "User", "id": "b"}, None], 'User::"a"'),
        ("decimal", pl.Decimal(10, 2), [decimal.Decimal("1.25"), decimal.Decimal("1.26"), None], 'decimal("1.25")'),
        ("decimal", pl.Decimal(10, 4), [decimal.Decimal("1.2500"), decimal.Decimal("1.2501"), None], 'decimal("1.25")'),
        ("datetime", pl.Datetime("us"), [DAY_TWO, DAY_ONE, None], 'datetime("1970-01-02")'),
        (
            "datetime",
            pl.Datetime("ns", "UTC"),
            [datetime(1969, 12, 31, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), None],
            'datetime("1969-12-31")',
        ),
        ("datetime", pl.Datetime("ms"), [DAY_TWO, DAY_ONE, None], 'datetime("1970-01-02")'),
        ("duration", pl.Duration("us"), [timedelta(hours=-1), timedelta(0), None], 'duration("-1h")'),
        ("Set<Long>", pl.Array(pl.Int32, 2), [[1, 2], [1, 1], None], "[2, 1]"),
        ("Set<decimal>", pl.List(pl.String), [["1.0", "1.00"], ["1.1"], None], '[decimal("1.0")]'),
        ("Set<datetime>", pl.List(pl.Datetime("us")), [[DAY_TWO], [], None], '[datetime("1970-01-02")]'),
        ("Set<User>", pl.List(UID), [[{"type": "User", "id": "a"}], [], None], '[User::"a"]'),
        ("Set<ipaddr>", pl.List(pl.String), [["10.0.0.1"], ["10.0.0.1/8"], None], '[ip("10.0.0.1/32")]'),
    ],
)
def test_every_dtype_that_is_accepted(type_, dtype, values, literal):
    text = f"permit(principal, action, resource) when {{ context.value == {literal} }}; permit(principal, action, resource) unless {{ context has value }};"
    assert small(type_, dtype, values, text)[0] == ["allow", "deny", "allow"]


@pytest.mark.parametrize(
    ("type_", "dtype", "value", "what"),
    [
        ("User", UID, {"type": "Team", "id": "a"}, "expected an entity of type User"),
        ("User", UID, {"type": "User", "id": None}, "expected an entity of type User"),
        ("Colour", pl.String, "blue", "enumerated type Colour"),
        ("Set<Colour>", pl.List(pl.String), ["red", "blue"], "enumerated type Colour"),
        ("decimal", pl.String, "1", "no decimal"),
        ("decimal", pl.Decimal(38, 0), decimal.Decimal(10**15), "beyond 64 bits"),
        ("datetime", pl.String, "1970-02-30", "no datetime"),
        ("datetime", pl.Datetime("us"), DAY_ONE + timedelta(microseconds=1), "no whole milliseconds"),
        ("duration", pl.Duration("us"), timedelta(microseconds=-1), "no whole milliseconds"),
        ("ipaddr", pl.String, "1.2.3", "no ipaddr"),
        ("Set<Long>", pl.List(pl.Int64), [1, None], "an item is null"),
        ("Set<{ a: Long }>", pl.List(pl.Struct({"a": pl.Int64})), [{"a": 1}, {"a": None}], "is missing"),
        ("Set<decimal>", pl.List(pl.String), ["1.0", "1"], "no decimal"),
        ("{ a: Long }", pl.Struct({"a": pl.Int64}), {"a": None}, "context.value.a: is missing"),
        (
            "{ a: Long }",
            pl.Struct({"a": pl.Int64, "b": pl.Int64}),
            {"a": 1, "b": 2},
            "context.value.b: the schema has no such attribute here",
        ),
    ],
)
def test_values_that_the_schema_does_not_allow_are_no_requests(type_, dtype, value, what):
    decisions, errors = small(type_, dtype, [value, None], "permit(principal, action, resource);")
    assert decisions == [None, "allow"]
    assert what in errors[0] and errors[1] is None


def test_what_is_asked_must_be_in_the_schema(few):
    good = ("u0", "view", ("Doc", "d0"), PLAIN)
    rows = frame([good] * 6).with_columns(
        pl.Series("principal_type", ["User", "Team", "Ghost", "User", "User", "User"]),
        pl.Series("action_id", ["view", "view", "view", "some", "nothing", "view"]),
        pl.Series("resource_id", ["d0"] * 5 + [None]),
    )
    _, evaluated = with_(few, rows)
    assert [one is None for one in evaluated["decision"]] == [False, True, True, True, True, True]
    assert evaluated["request_errors"].to_list()[1:] == [
        'principal: Action::"view" does not apply to Team',
        "principal: the schema has no type Ghost",
        'principal: Action::"some" does not apply to User',
        'action: the schema has no Action::"nothing"',
        "resource: there is none",
    ]


def test_one_name_of_two_types_holds_what_its_column_can(few):
    asked = [("u0", "view", ("Doc", "d0"), PLAIN), ("u0", "tally", ("Doc", "d0"), PLAIN), ("u0", "ping", ("Doc", "d0"), PLAIN)]
    _, evaluated = with_(few, frame(asked))
    assert [one is None for one in evaluated["decision"]] == [False, True, True]
    with pytest.raises(InputError, match=r"column context.n: expected strings"):
        with_(few, frame(asked[1:]))


def test_a_context_may_be_missing_when_nothing_asks_for_one(few):
    rows = frame([("u0", "ping", ("Doc", "d0"), PLAIN)]).drop("context")
    _, evaluated = with_(few, rows)
    assert evaluated["request_errors"].to_list() == [None]
    with pytest.raises(InputError, match="column context: is missing"):
        with_(few, rows.with_columns(action_id=pl.lit("view")))
    with pytest.raises(InputError, match="column action_id: is missing"):
        with_(few, rows.drop("action_id"))
    with pytest.raises(InputError, match="column principal_id: expected strings"):
        with_(few, rows.with_columns(principal_id=pl.lit(1)))
    with pytest.raises(InputError, match="column context: expected a struct"):
        with_(few, rows.with_columns(context=pl.lit("{}")))


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum])
def test_who_asks_for_what_may_be_categories(few, kind):
    asked = [("u0", "view", ("Doc", "d0"), PLAIN), ("u1", "edit", ("User", "u0"), PLAIN | {"n": 6})]
    rows = frame(asked)
    names = [name for name in rows.columns if name != "context"]
    categories = rows.with_columns(rows[name].cast(kind if kind is pl.Categorical else pl.Enum(rows[name].unique())) for name in names)
    assert with_(few, categories)[1].rows() == with_(few, rows)[1].rows()


def test_a_forbid_that_is_an_error_denies_when_it_must():
    text = 'permit(principal, action, resource); forbid(principal, action, resource) when { context.m > 5 }; permit(principal, action, resource) when { context.o == "" };'
    policies = PolicySet.parse(text, SCHEMA)
    asked = [("u0", "view", ("Doc", "d0"), PLAIN), ("u0", "view", ("Doc", "d0"), PLAIN | {"m": 5}), ("u0", "tally", ("Doc", "d0"), PLAIN)]
    _, evaluated = with_(policies, frame(asked))
    assert answers(evaluated)[:2] == [("allow", ["policy0"], ["policy1", "policy2"]), ("allow", ["policy0"], ["policy2"])]
    assert evaluated["decision"].to_list() == ["allow", "allow", None]
    closed = fail_closed(evaluated, policies.policies)
    assert closed["decision"].to_list() == ["deny", "allow", "deny"]
    assert closed["reasons"].to_list() == [[], ["policy0"], []]
    assert closed["errors"].to_list() == evaluated["errors"].to_list()
    assert closed["failed_closed"].to_list() == [True, False, True]
    assert fail_closed(evaluated[2:], policies.policies)["decision"].to_list() == ["deny"]


def test_reasons_and_errors_of_many_policies_are_in_the_order_of_the_text():
    conditions = [f"context.n == {at}" if at % 3 else f"context.m == {at}" for at in range(75)]
    text = "\n".join(f"permit(principal, action, resource) when {{ {one} || context.n == 1000 }};" for one in conditions)
    policies = PolicySet.parse(text, SCHEMA)
    asked = [("u0", "view", ("Doc", "d0"), PLAIN | {"n": n} | m) for n in (*range(75), 1000) for m in ({}, {"m": n})]
    _, evaluated = with_(policies, frame(asked))
    assert answers(evaluated) == of_cedar(text, asked)


def test_combinations_beyond_any_table():
    drawn = random.Random(3)
    bits = [pl.Series([drawn.random() < 0.5 for _ in range(5000)]).to_numpy() for _ in range(40)]
    numbers, sets = combined(bits, 5000)
    assert [sets[number] for number in numbers] == [[at for at, column in enumerate(bits) if column[row]] for row in range(5000)]


def test_long_and_deep_conditions_are_no_trouble():
    long = " && ".join(f"context.m != {at}" for at in range(1000))
    deep = "!" * 2 + "(" * 100 + "context.m > 3" + " || context.c)" * 100
    text = f"permit(principal, action, resource) when {{ {long} }};\nforbid(principal, action, resource) when {{ {deep} }};"
    asked = [("u0", "view", ("Doc", "d0"), PLAIN | more) for more in ({}, {"m": -1}, {"m": 999, "c": True}, {"m": 1, "c": False}, {"m": 5})]
    _, evaluated = with_(PolicySet.parse(text, SCHEMA), frame(asked))
    assert answers(evaluated) == of_cedar(text, asked)


def test_a_shared_part_is_computed_once():
    text = "\n".join(f"permit(principal, action, resource) when {{ context.n * 3 > {at} }};" for at in range(5))
    policies = PolicySet.parse(text, SCHEMA)
    parts = Shared(policies.policies).parts
    assert len([one for one, _ in parts if isinstance(one, tree.Arithmetic)]) == 1
