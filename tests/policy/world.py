"""A small world that made-up policies speak of: its schema, its entities and requests, all values near edges."""

from __future__ import annotations

from tests.policy import texts

SCHEMA = """
type Span = { from: Long, to?: Long, deep?: { x: Long, note?: String } };
entity Team in [Team];
entity Colour enum ["red", "green", ""];
entity Person in [Team] {
  age: Long, name?: String, boss?: Person, since: datetime, home?: ipaddr, limit?: decimal, pause?: duration,
  skills: Set<String>, span?: Span, "odd name": Bool
} tags String;
namespace Lab {
  entity Thing in [Box, Team] { owner: Person, size: Long, kind?: String, readers: Set<Person>, ok?: Bool } tags Long;
  entity Box in [Box] { size?: Long };
}
action all;
action change in [all];
action read in [all] appliesTo { principal: [Person, Team], resource: [Lab::Thing, Lab::Box], context: Context };
action "wri\\"te" in [change, all] appliesTo { principal: [Person], resource: [Lab::Thing], context: Context };
action alone appliesTo { principal: [Person], resource: [Person], context: {} };
type Context = {
  i: Long, j: Long, k?: Long, b: Bool, c?: Bool, s: String, t?: String, d: decimal, e?: decimal,
  m: datetime, n?: datetime, u: duration, v?: duration, a: ipaddr, x?: ipaddr,
  p: Person, q?: Person, g?: Team, h?: Colour, f?: Lab::Thing,
  si: Set<Long>, sj?: Set<Long>, ss: Set<String>, sb?: Set<Bool>, sd?: Set<decimal>, sm?: Set<datetime>, sv?: Set<duration>, sa?: Set<ipaddr>,
  sp: Set<Person>, sss?: Set<Set<Long>>, sr?: Set<{ a: Long, o?: Bool }>, r: Span, w?: Span
};
"""
SPAN = {"from": "Long", "to?": "Long", "deep?": {"x": "Long", "note?": "String"}}
CONTEXT = {
    "i": "Long", "j": "Long", "k?": "Long", "b": "Bool", "c?": "Bool", "s": "String", "t?": "String", "d": "decimal", "e?": "decimal",
    "m": "datetime", "n?": "datetime", "u": "duration", "v?": "duration", "a": "ipaddr", "x?": "ipaddr",
    "p": "Person", "q?": "Person", "g?": "Team", "h?": "Colour", "f?": "Lab::Thing",
    "si": ["Long"], "sj?": ["Long"], "ss": ["String"], "sb?": ["Bool"], "sd?": ["decimal"], "sm?": ["datetime"], "sv?": ["duration"], "sa?": ["ipaddr"],
    "sp": ["Person"], "sss?": [["Long"]], "sr?": [{"a": "Long", "o?": "Bool"}], "r": SPAN, "w?": SPAN,
}  # fmt: skip
PERSON = {
    "age": "Long", "name?": "String", "boss?": "Person", "since": "datetime", "home?": "ipaddr", "limit?": "decimal", "pause?": "duration",
    "skills": ["String"], "span?": SPAN, "odd name": "Bool",
}  # fmt: skip
THING = {"owner": "Person", "size": "Long", "kind?": "String", "readers": ["Person"], "ok?": "Bool"}
BOX = {"size?": "Long"}
# The last of each never exists as an entity.
IDS = {
    "Person": ("ann", "bob", "", 'q"\\uote', "né\n", "nobody"),
    "Team": ("t0", "t1", "t2", "t3", "nowhere"),
    "Colour": ("red", "green", ""),
    "Lab::Thing": ("x", "y", "z", "nothing"),
    "Lab::Box": ("b0", "b1", "b2", "none"),
}
PARENTS = {"Person": ("Team",), "Team": ("Team",), "Lab::Thing": ("Lab::Box", "Team"), "Lab::Box": ("Lab::Box",)}
ATTRIBUTES = {"Person": PERSON, "Lab::Thing": THING, "Lab::Box": BOX}
TAGS = {"Person": "String", "Lab::Thing": "Long"}
TAG_NAMES = ("x", "y", "", "a b")
ACTIONS = {
    "read": (("Person", "Team"), ("Lab::Thing", "Lab::Box")),
    'wri"te': (("Person",), ("Lab::Thing",)),
    "alone": (("Person",), ("Person",)),
}
EXTENSION_OF = {"decimal": "decimal", "datetime": "datetime", "duration": "duration", "ipaddr": "ip"}
POOLS = {
    "Long": texts.LONGS,
    "String": texts.STRINGS,
    "decimal": texts.DECIMALS,
    "datetime": texts.DATETIMES,
    "duration": texts.DURATIONS,
    "ipaddr": (*texts.ADDRESSES, *texts.RANGES),
    "Bool": (True, False),
}


class Hot:
    """A few values of each type that keep turning up, in requests and in policies alike, so that they often meet.

    Args:
        rng: a `random.Random`.
    """

    def __init__(self, rng):
        self.rng = rng
        self.values = {kind: [rng.choice(pool) for _ in range(4)] for kind, pool in POOLS.items()}
        edges = (texts.LONGS[-3:], (2**63 - 1, -(2**63), 1), (0, 1, -1))
        self.values["Long"] += rng.choice(edges)
        self.values["Long"] += [value + rng.choice((-1, 1)) for value in self.values["Long"][:3] if abs(value) < 2**63 - 1]
        self.values["duration"] += ["1ms", rng.choice(("9223372036854775807ms", "-9223372036854775808ms", "1d", "0ms"))]

    def of(self, kind):
        """Return a value of a plain type: mostly one of the few."""
        return self.rng.choice(self.values[kind] if self.rng.random() < 0.8 else POOLS[kind])


def value(hot, kind):
    """Return a value of a type in Cedar's JSON form."""
    rng = hot.rng
    if isinstance(kind, dict):
        return record(hot, kind)
    if isinstance(kind, list):
        return [value(hot, kind[0]) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
    if kind in EXTENSION_OF:
        return {"__extn": {"fn": EXTENSION_OF[kind], "arg": hot.of(kind)}}
    if kind in IDS:
        return {"__entity": {"type": kind, "id": rng.choice(IDS[kind])}}
    return hot.of(kind)


def record(hot, fields):
    """Return a record of a type; what need not be there is there two times of three."""
    made = {}
    for name, kind in fields.items():
        if not name.endswith("?") or hot.rng.random() < 0.66:
            made[name.removesuffix("?")] = value(hot, kind)
    return made


def entities(hot):
    """Return documents of entities: parents only further down their list, so that nothing is in itself."""
    rng, made = hot.rng, []
    for kind, ids in IDS.items():
        if kind == "Colour":
            continue
        for place, name in enumerate(ids[:-1]):
            above = [{"type": other, "id": one} for other in PARENTS[kind] for one in (ids[place + 1 :] if other == kind else IDS[other])]
            document = {"uid": {"type": kind, "id": name}, "attrs": record(hot, ATTRIBUTES.get(kind, {}))}
            document["parents"] = rng.sample(above, min(len(above), rng.choice((0, 1, 1, 2))))
            if kind in TAGS:
                document["tags"] = {tag: value(hot, TAGS[kind]) for tag in TAG_NAMES if rng.random() < 0.6}
            made.append(document)
    return made


def request(hot):
    """Return a request that fits the schema."""
    rng = hot.rng
    action = rng.choice(("read", "read", "read", 'wri"te', "alone"))
    principals, resources = ACTIONS[action]
    kinds = {
        "principal": rng.choice((principals[0], rng.choice(principals))),
        "resource": rng.choice((resources[0], rng.choice(resources))),
    }
    return {
        **{part: {"type": kind, "id": rng.choice(IDS[kind])} for part, kind in kinds.items()},
        "action": {"type": "Action", "id": action},
        "context": {} if action == "alone" else record(hot, CONTEXT),
    }


def polars_type(kind):
    """Return the Polars type that holds values of a type in a frame."""
    import polars as pl

    if isinstance(kind, dict):
        return pl.Struct({name.removesuffix("?"): polars_type(inner) for name, inner in kind.items()})
    if isinstance(kind, list):
        return pl.List(polars_type(kind[0]))
    if kind in IDS:
        return pl.Struct({"type": pl.String, "id": pl.String})
    return {"Long": pl.Int64, "Bool": pl.Boolean}.get(kind, pl.String)
