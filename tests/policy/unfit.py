"""Requests that a schema does not allow, beside some that it does, and columns that can hold nothing the schema speaks of.

Cedar says of every request whether it can be built; which dtypes a column may have is what the door of the bulk compiler promises.
"""

from __future__ import annotations

import random

import polars as pl

from tests.policy import tabled, world
from tests.policy.cases import Batch

# Of each kind some values that are allowed, and some that are not.
VALUES = {
    "Long": ((0, 1, -1, 2**63 - 1, -(2**63)), (2**63, -(2**63) - 1, 2**64, -(2**100))),
    "Person": (({"type": "Person", "id": "ann"}, {"type": "Person", "id": ""}), ({"type": "Team", "id": "t0"}, {"type": "Nobody", "id": "ann"})),
    "Colour": (({"type": "Colour", "id": "red"}, {"type": "Colour", "id": ""}), ({"type": "Colour", "id": "blue"}, {"type": "Colour", "id": "Red"})),
    "decimal": (("0.0", "-1.25", "922337203685477.5807"), ("1", "1.00000", "922337203685477.5808", ".5", "")),
    "datetime": (("1970-01-01", "2024-02-29T12:00:00.001Z"), ("1970-02-30", "2024", "2023-02-29", "2024-01-01T25:00:00Z")),
    "duration": (("0ms", "-1d2h", "9223372036854775807ms"), ("1", "", "1h1d", "9223372036854775808ms", "d")),
    "ipaddr": (("127.0.0.1", "::/0"), ("1.2.3", "::1/129", "10.0.0.0/33", "")),
}  # fmt: skip
# Written as they should be, and beyond 64 bits all the same: no column of decimals has others.
BEYOND = (("decimal", ("922337203685477.5808", "-922337203685477.5809", "9999999999999999.0")),)
PLAIN = {"String": ("a", "", "né"), "Bool": (True, False)}
SCHEMA = """
entity Team; entity Person; entity Colour enum ["red", "green", ""];
action act appliesTo {{ principal: [Person, Colour], resource: [Team], context: {{ x{may}: {kind} }} }};
"""
POLICIES = (
    "permit(principal, action, resource);",
    tabled.when("context has x"),
    tabled.when("context.x == context.x"),
    'permit(principal == Person::"ann", action, resource);',
)
ROWS = 48


def _nested(kind, bad):
    """Yield (what it is in a schema, what its columns are, makers of an allowed value and of one that is not) for a kind alone and within others.

    A maker takes values, a `random.Random` and the place where it makes one.
    """
    good = VALUES[kind][0] if kind in VALUES else PLAIN[kind]
    allowed = lambda rng: _wrapped(kind, rng.choice(good))
    # Where no value of the kind itself is wrong, only what holds it can be.
    refused = (lambda rng: _wrapped(kind, rng.choice(bad))) if bad else (lambda rng: None)
    within = {"a": kind, "b?": kind, "c?": kind}

    def broken(rng):
        """A record with a wrong attribute, without one that it needs, or with one that the schema does not have."""
        whole = {"a": allowed(rng)}
        return rng.choice(
            ({"a": refused(rng)}, {"b": allowed(rng)}, {**whole, "c": allowed(rng)}, {**whole, "b": refused(rng)} if bad else {})
        )

    def whole(rng):
        return {"a": allowed(rng), **({"b": allowed(rng)} if rng.random() < 0.5 else {})}

    many = lambda one: lambda rng: [one(rng) for _ in range(rng.randint(0, 3))]
    spoilt = lambda one, other: (
        lambda rng: rng.sample([*many(one)(rng), other(rng)], k=1) + [one(rng)] if rng.random() < 0.5 else [one(rng), other(rng)]
    )
    if bad:
        yield kind, kind, allowed, refused
    yield f"{{ a: {kind}, b?: {kind} }}", within, whole, broken
    yield f"Set<{kind}>", [kind], many(allowed), spoilt(allowed, refused)
    yield f"Set<{{ a: {kind}, b?: {kind} }}>", [within], many(whole), spoilt(whole, broken)
    yield f"Set<Set<{kind}>>", [[kind]], many(many(allowed)), spoilt(many(allowed), spoilt(allowed, refused))
    yield f"{{ a: {{ a: {kind}, b?: {kind} }} }}", {"a": within}, lambda rng: {"a": whole(rng)}, lambda rng: {"a": broken(rng)}


def _wrapped(kind, value):
    return {"__entity": value} if kind in world.IDS else tabled.wrapped(kind, value)


def requests():
    """Yield (name, batch, what the columns of its contexts are): about half of the requests of each are not allowed."""
    for kind, bad in (*((kind, bad) for kind, (_, bad) in VALUES.items()), *BEYOND, *((kind, ()) for kind in PLAIN)):
        for said, columns, allowed, refused in _nested(kind, bad):
            for may in ("?", ""):
                rng = random.Random(f"{said}{may}{len(bad)}")
                asked = [_asked(rng, allowed, refused) for _ in range(ROWS)]
                yield f"x{may}: {said}", Batch(POLICIES, tuple(asked), (), SCHEMA.format(may=may, kind=said)), {f"x{may}": columns}


def _asked(rng, allowed, refused):
    principal = rng.choice(({"type": "Person", "id": "ann"}, {"type": "Colour", "id": "red"}, {"type": "Colour", "id": "grey"}))
    chance = rng.random()
    context = {} if chance < 0.1 else {"x": allowed(rng) if chance < 0.6 else refused(rng)}
    return {"principal": principal, "action": {"type": "Action", "id": "act"}, "resource": {"type": "Team", "id": "t0"}, "context": context}


DTYPES = (
    pl.Null(), pl.Boolean(), pl.Int8(), pl.Int64(), pl.UInt64(), pl.Float32(), pl.Float64(), pl.String(), pl.Categorical(), pl.Binary(), pl.Date(), pl.Time(),
    pl.Decimal(10, 0), pl.Decimal(20, 4), pl.Decimal(20, 5), pl.Decimal(20, 6), pl.Decimal(38, 9), pl.Decimal(10, 8), pl.Decimal(38, 30), pl.Datetime("ms"), pl.Datetime("ns", "UTC"), pl.Duration("us"), pl.Struct({"type": pl.String, "id": pl.String}),
    pl.Struct({"type": pl.String, "name": pl.String}), pl.Struct({"type": pl.Int64, "id": pl.String}), pl.Struct({"id": pl.String}),
    pl.Struct({"type": pl.String, "id": pl.Null}), pl.Struct({"type": pl.Categorical, "id": pl.String}),
)  # fmt: skip


def may_hold(kind, dtype):
    """Return whether a column of a dtype may hold values of a kind, by the table of what is accepted."""
    if dtype == pl.Null():
        return True
    if dtype in (pl.String(), pl.Categorical()):
        return kind not in ("Bool", "Long")
    if isinstance(dtype, pl.Struct):
        fields = {one.name: one.dtype for one in dtype.fields}
        return (
            kind in world.IDS
            and fields.keys() == {"type", "id"}
            and all(one in (pl.String, pl.Categorical, pl.Null) for one in fields.values())
        )
    if isinstance(dtype, pl.Decimal):
        return kind == "decimal" and dtype.scale <= 4
    family = {"Bool": pl.Boolean, "datetime": pl.Datetime, "duration": pl.Duration}.get(kind)
    return dtype.is_integer() if kind == "Long" else family is not None and isinstance(dtype, family)


def columns():
    """Yield (schema, the attribute with those around it, dtype of the context, whether it may hold what the schema says)."""
    for kind in (*VALUES, *PLAIN):
        for dtype in DTYPES:
            for said, where, around in (
                (kind, "x", lambda one: one),
                (f"Set<{kind}>", "x", pl.List),
                (f"Set<{kind}>", "x", lambda one: pl.Array(one, 2)),
                (f"Set<Set<{kind}>>", "x", lambda one: pl.List(pl.List(one))),
                (f"{{ a: {kind} }}", "x.a", lambda one: pl.Struct({"a": one})),
                (f"Set<{{ a?: {kind} }}>", "x", lambda one: pl.List(pl.Struct({"a": one}))),
            ):
                yield SCHEMA.format(may="?", kind=said), where, pl.Struct({"x": around(dtype)}), may_hold(kind, dtype)
        for said, dtype in (
            (f"Set<{kind}>", pl.Int64()),
            (f"Set<{kind}>", pl.String()),
            (f"{{ a: {kind} }}", pl.String()),
            (f"{{ a: {kind} }}", pl.List(pl.Int64)),
        ):
            yield SCHEMA.format(may="?", kind=said), "x", pl.Struct({"x": dtype}), False


def strangers():
    """Return a batch whose entities were never held against its schema: other attributes, of other types, and tags that it does not know."""
    schema = """
entity Team;
entity Person in [Team] { a?: Long, r?: { b?: Long }, s?: Set<Long>, n?: Set<Set<Long>> };
entity Tagged tags Long;
action act appliesTo { principal: [Person, Tagged], resource: [Team, Person], context: { x?: String, p?: Person, g?: Tagged } };
"""
    attributes = {
        "ann": {"n": [], "a": "text", "extra": 1, "r": {"b": "x", "c": 2}, "s": [1, "a"]},
        "bob": {"a": 1, "r": 3, "s": [1]},
        "cat": {"r": {"b": 1}, "n": [[1], []]},
        "eve": {},
    }
    people = [
        {"uid": {"type": "Person", "id": name}, "attrs": attrs, "parents": [], "tags": {"t": 1}} for name, attrs in attributes.items()
    ]
    tagged = [
        {"uid": {"type": "Tagged", "id": name}, "attrs": {}, "parents": [], "tags": {"t": value}}
        for name, value in (("one", 1), ("text", "1"))
    ]
    asked = (
        "{} has a", "{}.a == 1", "{} has extra", "{}.extra == 1", "{}.extra", "{}.r.b == 1", "{} has r.b", "{}.r has c", "{}.r == {b: 1}", "{}.s.contains(1)", "{}.s == [1]",
        '{}.hasTag("t")', '{}.getTag("t") == 1', "{}.hasTag(context.x)", "{}.getTag(context.x) == 1", "{} has zz", "{}.zz == 1",
        "{} has n", "{}.n.contains([1])", "{}.n.isEmpty()", "{}.n == [[], [1]]",
    )  # fmt: skip
    whom = ("principal", "resource", "context.p", "context.g", 'Person::"ann"', 'Person::"eve"', 'Tagged::"text"')
    policies = tuple(tabled.when(one.replace("{}", who)) for who in whom for one in asked)
    who = [{"type": "Person", "id": name} for name in (*attributes, "nobody")] + [
        {"type": "Tagged", "id": name} for name in ("one", "text", "none")
    ]
    requests = [
        {
            "principal": one,
            "action": {"type": "Action", "id": "act"},
            "resource": {"type": "Team", "id": "t"} if place % 2 else who[place % 5],
            "context": {
                **({} if name is None else {"x": name}),
                **({"p": {"__entity": who[place % 5]}} if place % 3 else {}),
                **({"g": {"__entity": who[5 + place % 3]}} if place % 4 else {}),
            },
        }
        for place, (one, name) in enumerate((one, name) for one in who for name in ("t", "zz", None))
    ]
    return Batch(policies, tuple(requests), (*people, *tagged), schema)
