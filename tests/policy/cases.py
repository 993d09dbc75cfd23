"""Made-up policies: expressions of Cedar put together at random, most of them well typed and some deliberately not.

An expression is a tree of `Node`s until it is written, so that one that shows a difference can be made small (`tests.policy.fresh`). Whoever
makes them hands in a `random.Random`; Hypothesis has one that it can shrink (`hypothesis.strategies.randoms`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.policy import world

KINDS = ("Bool", "Long", "String", "decimal", "datetime", "duration", "ipaddr", "Person", "Team", "Colour", "Lab::Thing", "Set", "Span")
ORDERED = ("Long", "datetime", "duration")
ENTITIES = ("Person", "Team", "Colour", "Lab::Thing")
SETS = ("Long", "String", "Bool", "decimal", "datetime", "duration", "ipaddr", "Person")
SIMPLEST = {
    "Bool": ("true", "false"), "Long": ("0", "1"), "String": ('""', '"a"'), "decimal": ('decimal("0.0")',), "datetime": ('datetime("1970-01-01")',),
    "duration": ('duration("0ms")',), "ipaddr": ('ip("::")',), "Person": ('Person::"ann"',), "Team": ('Team::"t0"',), "Colour": ('Colour::"red"',),
    "Lab::Thing": ('Lab::Thing::"x"',), "Set": ("[]",), "Span": ("{}",),
}  # fmt: skip
# Where a value of each kind is to be had, and what tells whether it is there.
PATHS = {
    "Bool": [("context.b", None), ("context.c", "context has c"), ('principal["odd name"]', None), ("resource.ok", "resource has ok")],
    "Long": [
        ("context.i", None), ("context.j", None), ("context.k", "context has k"), ("principal.age", None), ("resource.size", None), ("context.p.age", None),
        ("context.r.from", None), ("context.r.to", "context.r has to"), ("context.w.deep.x", "context has w.deep.x"), ("principal.boss.age", "principal has boss.age"),
        ('resource.getTag("x")', 'resource.hasTag("x")'), ("context.f.size", "context has f"), ('context.f.getTag("a b")', 'context has f && context.f.hasTag("a b")'),
        ("principal.span.deep.x", "principal has span.deep.x"), ("resource.owner.age", None),
    ],
    "String": [
        ("context.s", None), ("context.t", "context has t"), ("principal.name", "principal has name"), ('principal.getTag("y")', 'principal.hasTag("y")'),
        ("context.q.name", "context has q.name"), ("resource.kind", "resource has kind"), ('context.p.getTag("")', 'context.p.hasTag("")'),
        ("context.r.deep.note", "context.r has deep.note"), ("principal.getTag(context.s)", "principal.hasTag(context.s)"),
    ],
    "decimal": [("context.d", None), ("context.e", "context has e"), ("principal.limit", "principal has limit")],
    "datetime": [("context.m", None), ("context.n", "context has n"), ("principal.since", None), ("context.p.since", None)],
    "duration": [("context.u", None), ("context.v", "context has v"), ("principal.pause", "principal has pause")],
    "ipaddr": [("context.a", None), ("context.x", "context has x"), ("principal.home", "principal has home")],
    "Person": [("principal", None), ("context.p", None), ("context.q", "context has q"), ("principal.boss", "principal has boss"), ("resource.owner", None), ("resource.owner.boss", "resource.owner has boss")],
    "Team": [("context.g", "context has g"), ("principal", None)],
    "Colour": [("context.h", "context has h")],
    "Lab::Thing": [("resource", None), ("context.f", "context has f")],
    "Span": [("context.r", None), ("context.w", "context has w"), ("principal.span", "principal has span"), ("context.r.deep", "context.r has deep"), ("context", None)],
}  # fmt: skip
SET_PATHS = {
    "Long": [("context.si", None), ("context.sj", "context has sj")],
    "String": [("context.ss", None), ("principal.skills", None)],
    "Bool": [("context.sb", "context has sb")],
    "decimal": [("context.sd", "context has sd")],
    "datetime": [("context.sm", "context has sm")],
    "duration": [("context.sv", "context has sv")],
    "ipaddr": [("context.sa", "context has sa")],
    "Person": [("context.sp", None), ("resource.readers", None)],
}
NAMES = ("i", "k", "c", "t", "q", "w", "deep", "age", "name", "boss", "size", "kind", "from", "to", "x", "nosuch", "span", "sr", "sss")
TYPES = ("Person", "Team", "Colour", "Lab::Thing", "Lab::Box", "Nope", "Action", "Lab::Person", "Thing")
PATTERNS = (
    "*",
    "",
    "a",
    "a*",
    "*a",
    "*b",
    "a*b",
    "*a*",
    "a\\*b",
    "\\*",
    "*\\*",
    "**",
    "*a*b*",
    "a*a",
    "\\*\\*",
    "é*",
    "*\U0001f600",
    "?",
    "a.b",
    "\\\\*",
    "*\\n*",
    "ab*ba",
    "b*a*a",
    "*iss*ip*",
    "\\u{61}*",
)


@dataclass(frozen=True)
class Node:
    """A piece of an expression: text and smaller pieces, in turns; `kind` is what it was meant to be."""

    kind: str
    parts: tuple

    def __str__(self):
        return "".join(map(str, self.parts))


@dataclass(frozen=True)
class Made:
    """A policy: its effect, its head, and the words (`when` or `unless`) and expressions of its conditions."""

    effect: str
    head: str
    conditions: tuple

    def __str__(self):
        return f"{self.effect}({self.head})" + "".join(f"\n  {word} {{ {condition} }}" for word, condition in self.conditions) + ";"


def literal(kind, value):
    """Return how a value of a plain kind is written."""
    if kind in world.EXTENSION_OF:
        return f"{world.EXTENSION_OF[kind]}({quoted(value)})"
    if kind in world.IDS:
        return f"{kind}::{quoted(value)}"
    if kind == "String":
        return quoted(value)
    return str(value).lower()


def quoted(text):
    """Return a string as Cedar reads it, with escapes for all that is not plain."""
    return '"' + "".join(one if one.isascii() and one.isprintable() and one not in '"\\' else f"\\u{{{ord(one):x}}}" for one in text) + '"'


class Maker:
    """Makes expressions and policies.

    Args:
        hot: the values that turn up often, with their random generator.
        wrong: how often something of another kind stands where one is expected.
        rng: the random generator, when it is another than that of the values.
    """

    def __init__(self, hot, wrong=0.03, rng=None):
        self.hot, self.rng, self.wrong = hot, rng or hot.rng, wrong

    def policy(self, permits=0.75, depth=4):
        """Return a policy."""
        effect = "permit" if self.rng.random() < permits else "forbid"
        head = self.head() if self.rng.random() < 0.3 else "principal, action, resource"
        conditions = [(self.rng.choice(("when", "when", "when", "unless")), self.make("Bool", depth))]
        if self.rng.random() < 0.15:
            conditions.append((self.rng.choice(("when", "unless")), self.make("Bool", depth - 1)))
        return Made(effect, head, tuple(conditions) if self.rng.random() > 0.02 else ())

    def head(self):
        """Return what a policy asks of principal, action and resource."""
        return ", ".join(self._asked(part) for part in ("principal", "action", "resource"))

    def _asked(self, part):
        rng, form = self.rng, self.rng.randrange(6)
        if part == "action":
            one = rng.choice(("read", "alone", "all", "change", 'wri"te'))
            more = ", ".join(f"Action::{quoted(name)}" for name in rng.sample(("read", "alone", "all", "change"), rng.randrange(3)))
            return (part, part, f"action == Action::{quoted(one)}", f"action in Action::{quoted(one)}", f"action in [{more}]", part)[form]
        kind = rng.choice(("Person", "Team", "Lab::Thing", "Lab::Box"))
        uid = f"{kind}::{quoted(rng.choice(world.IDS[kind]))}"
        return (
            part,
            f"{part} == {uid}",
            f"{part} in {uid}",
            f"{part} is {rng.choice(TYPES[:6])}",
            f"{part} is {rng.choice(TYPES[:5])} in {uid}",
            part,
        )[form]

    def make(self, kind, depth):
        """Return an expression that is of a kind, mostly."""
        rng = self.rng
        if rng.random() < self.wrong:
            return Node(kind, (self._leaf(rng.choice(KINDS)),))
        if depth <= 0 or rng.random() < (0.12 if kind == "Bool" else 0.35):
            return self._leaf(kind)
        if rng.random() < 0.08:
            return Node(
                kind,
                ("(if ", self.make("Bool", depth - 1), " then ", self.make(kind, depth - 1), " else ", self.make(kind, depth - 1), ")"),
            )
        return Node(kind, self._compound(kind, depth - 1))

    def _leaf(self, kind):
        rng = self.rng
        if kind == "Set":
            return self._set(rng.choice(SETS), 0)
        paths = PATHS[kind]
        if rng.random() < 0.65:
            path, guard = rng.choice(paths)
            if guard is not None and rng.random() < 0.8:
                return Node(kind, ("(if ", guard, " then ", path, " else ", self._literal(kind), ")"))
            return Node(kind, (path,))
        return Node(kind, (self._literal(kind),))

    def _literal(self, kind):
        rng = self.rng
        if kind == "Span":
            return rng.choice(("{}", '{"from": 1}', '{"from": 1, "to": 2}', '{"to": 2, "from": 1}', '{"x": 0}', '{"from": true}'))
        if kind in world.IDS:
            return literal(kind, rng.choice(world.IDS[kind]))
        if kind in world.EXTENSION_OF and rng.random() < 0.05:
            bad = world.texts.EXTENSIONS[world.EXTENSION_OF[kind]][1]
            return literal(kind, rng.choice(bad))
        return literal(kind, self.hot.of(kind))

    def _set(self, kind, depth):
        rng = self.rng
        if rng.random() < 0.6:
            path, guard = rng.choice(SET_PATHS[kind])
            return Node("Set", (path,) if guard is None or rng.random() < 0.2 else ("(if ", guard, " then ", path, " else [])"))
        items = [self.make(kind, depth) for _ in range(rng.choice((0, 1, 2, 2, 3)))]
        parts = ["["]
        for place, item in enumerate(items):
            parts += [", " if place else "", item]
        return Node("Set", (*parts, "]"))

    def _compound(self, kind, depth):
        made = getattr(self, "_of_" + kind.rpartition(":")[2].lower())
        return made(depth)

    def _of_bool(self, depth):
        form = self.rng.choice(_BOOLEANS)
        return form(self, depth)

    def _logic(self, depth):
        word = self.rng.choice((" && ", " || "))
        parts = ["(", self.make("Bool", depth)]
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            parts += [word, self.make("Bool", depth)]
        return (*parts, ")")

    def _guarded(self, depth):
        kind = self.rng.choice(list(PATHS))
        path, guard = self.rng.choice(PATHS[kind])
        if guard is None:
            return self._equal(depth)
        return ("(", guard, " && ", path, self.rng.choice((" == ", " != ", " < ", " >= ")), self._operand(kind, depth), ")")

    def _not(self, depth):
        return ("!(", self.make("Bool", depth), ")")

    def _compare(self, depth):
        kind = self.rng.choice(ORDERED)
        return ("(", self._operand(kind, depth), self.rng.choice((" < ", " <= ", " > ", " >= ")), self._operand(kind, depth), ")")

    def _equal(self, depth):
        kind = self.rng.choice(KINDS)
        other = kind if self.rng.random() < 0.9 else self.rng.choice(KINDS)
        return ("(", self._operand(kind, depth), self.rng.choice((" == ", " != ")), self._operand(other, depth), ")")

    def _operand(self, kind, depth):
        node = self.make(kind, depth)
        return node if len(node.parts) == 1 else Node(kind, ("(", node, ")"))

    def _within(self, depth):
        rng = self.rng
        kind, other = rng.choice(ENTITIES), rng.choice(("Person", "Team", "Team", "Lab::Thing"))
        if rng.random() < 0.5:
            return ("((", self.make(kind, depth), ") in (", self.make(other, depth), "))")
        parts = ["((", self.make(kind, depth), ") in ["]
        for place in range(rng.randrange(4)):
            parts += [", " if place else "", self.make(rng.choice(("Person", "Team", "Lab::Thing")), 0)]
        return (*parts, "])")

    def _is(self, depth):
        rng = self.rng
        node = self.make(rng.choice(ENTITIES), depth)
        if rng.random() < 0.3:
            return ("((", node, f") is {rng.choice(TYPES)} in (", self.make("Team", depth), "))")
        return ("((", node, f") is {rng.choice(TYPES)})")

    def _has(self, depth):
        rng = self.rng
        of = self.make(rng.choice(("Person", "Lab::Thing", "Span", "Span")), depth)
        name = rng.choice(NAMES)
        form = rng.choice((name, name, f"{name}.{rng.choice(NAMES)}", quoted(name), '"odd name"'))
        return ("((", of, f") has {form})")

    def _tag(self, depth):
        of = self.make(self.rng.choice(("Person", "Lab::Thing", "Team")), depth)
        name = quoted(self.rng.choice(world.TAG_NAMES)) if self.rng.random() < 0.7 else self.make("String", depth)
        return ("(", of, ").hasTag(", name, ")")

    def _like(self, depth):
        return ("((", self.make("String", depth), f') like "{self.rng.choice(PATTERNS)}")')

    def _membership(self, depth):
        rng, kind = self.rng, self.rng.choice(SETS)
        form = rng.choice(("contains", "contains", "containsAll", "containsAny", "isEmpty", "in"))
        if form == "isEmpty":
            return ("(", self._set(kind, depth), ").isEmpty()")
        if form == "in":
            return ("((", self.make("Person", depth), ") in (", self._set("Person", depth), "))")
        other = kind if rng.random() < 0.93 else rng.choice(SETS)
        argument = self.make(other, depth) if form == "contains" else self._set(other, depth)
        return ("(", self._set(kind, depth), f").{form}(", argument, ")")

    def _nested(self, depth):
        kind = self.rng.choice(("Long", "Set", "Span"))
        inner = self._set("Long", depth) if kind == "Set" else self.make(kind, depth)
        return ("(if context has sss then context.sss else [[1], [], [1, 2]]).contains(", inner, ")")

    def _decimals(self, depth):
        method = self.rng.choice(("lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"))
        return ("(", self.make("decimal", depth), f").{method}(", self.make("decimal", depth), ")")

    def _addresses(self, depth):
        method = self.rng.choice(("isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange", "isInRange", "isInRange"))
        argument = self.make("ipaddr", depth) if method == "isInRange" else ""
        return ("(", self.make("ipaddr", depth), f").{method}(", argument, ")")

    def _of_long(self, depth):
        rng, form = self.rng, self.rng.random()
        if form < 0.6:
            parts = ["(", self._operand("Long", depth)]
            for _ in range(rng.choice((1, 1, 2, 3))):
                parts += [rng.choice((" + ", " - ", " * ")), self._operand("Long", depth)]
            return (*parts, ")")
        if form < 0.7:
            return ("(-(", self.make("Long", depth), "))")
        return ("(", self.make("duration", depth), f").{rng.choice(('toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'))}()")

    def _of_string(self, depth):
        return ("(if ", self.make("Bool", depth), " then ", self.make("String", depth), " else ", self.make("String", depth), ")")

    def _of_decimal(self, depth):
        return ("decimal(", self.make("String", depth), ")") if self.rng.random() < 0.2 else ("{z: ", self.make("decimal", depth), "}.z")

    def _of_datetime(self, depth):
        form = self.rng.random()
        if form < 0.6:
            return ("(", self.make("datetime", depth), ").offset(", self.make("duration", depth), ")")
        return ("(", self.make("datetime", depth), ").toDate()")

    def _of_duration(self, depth):
        if self.rng.random() < 0.6:
            return ("(", self.make("datetime", depth), ").durationSince(", self.make("datetime", depth), ")")
        return ("(", self.make("datetime", depth), ").toTime()")

    def _of_ipaddr(self, depth):
        return ("ip(", self.make("String", depth), ")") if self.rng.random() < 0.3 else ("{z: ", self.make("ipaddr", depth), "}.z")

    def _of_person(self, depth):
        return ("(", self.make("Person", depth), ").boss") if self.rng.random() < 0.6 else ("(", self.make("Lab::Thing", depth), ").owner")

    def _of_team(self, depth):
        return ("{z: ", self.make("Team", depth), "}.z")

    def _of_colour(self, depth):
        return ('{"a b": ', self.make("Colour", depth), '}["a b"]')

    def _of_thing(self, depth):
        return ("(if ", self.make("Bool", depth), " then ", self.make("Lab::Thing", depth), " else ", self.make("Lab::Thing", depth), ")")

    def _of_set(self, depth):
        return (self._set(self.rng.choice(SETS), depth),)

    def _of_span(self, depth):
        return ("{from: ", self.make("Long", depth), ', "to": ', self.make("Long", depth), "}")


_BOOLEANS = (
    *[Maker._logic] * 5, *[Maker._guarded] * 3, Maker._not, *[Maker._compare] * 5, *[Maker._equal] * 3, *[Maker._within] * 2, Maker._is, *[Maker._has] * 2, Maker._tag,
    *[Maker._like] * 2, *[Maker._membership] * 3, Maker._nested, *[Maker._decimals] * 2, *[Maker._addresses] * 2,
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Batch:
    """Policies and the requests they are asked about.

    Attributes:
        policies: `Made` ones, or texts.
        requests: in Cedar's JSON form.
        entities: likewise.
        schema: that requests and entities fit; None when there is none.
        fields: names and types of the context's attributes, when all requests have one action.
    """

    policies: tuple
    requests: tuple
    entities: tuple
    schema: str | None = world.SCHEMA
    fields: tuple = ()

    def __repr__(self):
        return f"{self.text}\n({len(self.requests)} requests)"

    @property
    def text(self):
        """All policies as text."""
        return "\n".join(map(str, self.policies))


def batch(rng, policies=40, requests=25, wrong=0.03, permits=None, depth=4):
    """Return a batch about the world, made at random."""
    hot = world.Hot(rng)
    maker = Maker(hot, wrong)
    share = rng.choice((1.0, 1.0, 0.6)) if permits is None else permits
    return Batch(
        tuple(maker.policy(share, depth) for _ in range(policies)),
        tuple(world.request(hot) for _ in range(requests)),
        tuple(world.entities(hot)),
    )


@st.composite
def batches(draw, policies=5, requests=25, wrong=0.05):
    """Return a strategy of batches: Hypothesis draws the policies, which it can make small; requests and entities come from a seed that it draws."""
    hot = world.Hot(random.Random(draw(st.integers(0, 9999))))
    maker = Maker(hot, wrong, draw(st.randoms(use_true_random=False)))
    made = tuple(maker.policy(1.0, 3) for _ in range(draw(st.integers(1, policies))))
    return Batch(made, tuple(world.request(hot) for _ in range(requests)), tuple(world.entities(hot)))
