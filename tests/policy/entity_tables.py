"""Boundary cases of what entities have: attributes of every type, records within records, tags, and what they are in; there or not."""

from __future__ import annotations

from tests.policy.cases import Batch
from tests.policy.tabled import when

SCHEMA = """
entity Team in [Team] { lead?: Person };
entity Person in [Team] {
  a?: Long, flag?: Bool, text?: String, cost?: decimal, since?: datetime, pause?: duration, home?: ipaddr, boss?: Person,
  r?: { b?: Long, must: Bool, deep?: { c?: Long, boss?: Person } }, g?: Set<Long>, names?: Set<String>, friends?: Set<Person>, n?: Set<Set<Long>>
} tags Long;
entity Box in [Box, Team] tags Set<String>;
action act appliesTo { principal: [Person, Box], resource: [Team, Person], context: { x?: String, p?: Person, ps?: Set<Person>, t?: Team } };
"""
ANN, BOB = {"__entity": {"type": "Person", "id": "ann"}}, {"__entity": {"type": "Person", "id": "bob"}}
NOBODY = {"__entity": {"type": "Person", "id": "nobody"}}
PEOPLE = {
    "ann": {
        "a": 1, "flag": True, "text": "x", "cost": {"__extn": {"fn": "decimal", "arg": "1.0"}}, "since": {"__extn": {"fn": "datetime", "arg": "1970-01-02"}},
        "pause": {"__extn": {"fn": "duration", "arg": "1d"}}, "home": {"__extn": {"fn": "ip", "arg": "10.0.0.1"}}, "boss": BOB,
        "r": {"b": 1, "must": True, "deep": {"c": 1, "boss": BOB}}, "g": [1, 2], "names": ["x", ""], "friends": [BOB, NOBODY], "n": [[1], []],
    },
    "bob": {"a": 2, "flag": False, "text": "", "boss": NOBODY, "r": {"must": False, "deep": {}}, "g": [], "names": [], "friends": [], "n": []},
    "cat": {"r": {"b": 2, "must": True}, "boss": ANN, "g": [2, 1], "friends": [ANN]},
    "eve": {},
}  # fmt: skip
TAGS = {"ann": {"x": 1, "": 2}, "bob": {"x": 2}, "cat": {}}
QUESTIONS = (
    "{}.a == 1", "{} has a", "{}.a + 1 > 2", "{}.flag", "!{}.flag", "{} has flag && {}.flag", '{}.text == "x"', '{}.text like "*x"', "{}.text == context.x",
    '{}.cost.lessThan(decimal("2.0"))', '{}.since < datetime("1970-01-03")', '{}.pause == duration("24h")', '{}.home.isInRange(ip("10.0.0.0/8"))',
    '{}.boss == Person::"bob"', "{}.boss.a == 2", "{} has boss.a", "{}.boss has a", "{}.boss.boss has a", "{}.boss == context.p", "{}.boss in context.t",
    "{}.r.b == 1", "{} has r.b", "{}.r has b", "{}.r has deep", "{}.r has zz", "{}.r.zz == 1", "{}.r.must", "{}.r.deep.c == 1", "{} has r.deep.c", "{}.r.deep has c",
    "{}.r == {must: true, b: 2}", "{}.r.deep == {}", "{}.r.deep.boss.a == 2", "(if context has x then {}.r else {b: 1, must: true}).b == 1",
    "{}.g.contains(1)", "{}.g == [2, 1]", "{}.g.isEmpty()", "{}.names.contains(context.x)", "{}.friends.contains(context.p)", "{}.friends.containsAny(context.ps)",
    "context.p in {}.friends", "{} in {}.friends", "{}.n.contains([1])", "{} has n", "{}.n.isEmpty()",
    '{}.hasTag("x")', '{}.getTag("x") == 1', '{}.hasTag("zz")', '{}.getTag("zz") == 1', "{}.hasTag(context.x)", "{}.getTag(context.x) == 2", "{}.hasTag({}.text)",
    "{} has zz", "{}.zz == 1", "{} in context.t", "{} in context.p", "{} in [context.p, context.t]", '{} in Team::"all"', '{} in [Team::"some", Team::"none"]', "{} is Person",
    "{} in context.ps", "context.p in {}", "context.t in {}", "{} == context.p", "context.ps.contains({})", "{}.lead.a == 1", "{}.getTag(context.x).contains(context.x)",
)  # fmt: skip
WHOM = (
    "principal",
    "resource",
    "context.p",
    "context.t",
    'Person::"ann"',
    'Person::"nobody"',
    'Box::"b"',
    "{r: principal}.r",
    "principal.boss",
)


def attributes():
    """Yield what entities of every standing have: those asked, those in the context, those that are written down, and those of other entities."""
    teams = [("some", ["all"], {"lead": ANN}), ("all", [], {}), ("empty", [], {"lead": NOBODY})]
    entities = [_entity("Team", name, above, attrs) for name, above, attrs in teams]
    entities += [
        {**_entity("Person", name, {"ann": ["some"], "bob": ["all"], "cat": ["none"]}.get(name, []), attrs), "tags": TAGS.get(name, {})}
        for name, attrs in PEOPLE.items()
    ]
    entities += [{**_entity("Box", "b", ["some"], {}), "tags": {"x": ["x", "y"], "y": []}}, _entity("Box", "c", [], {})]
    who = [*(("Person", name) for name in (*PEOPLE, "nobody")), ("Box", "b"), ("Box", "c"), ("Box", "none")]
    what = [("Team", "some"), ("Team", "all"), ("Person", "ann"), ("Person", "bob"), ("Team", "none")]
    contexts = [
        {"x": "x", "p": ANN, "t": _uid("Team", "all"), "ps": [ANN, BOB]}, {"x": "", "p": BOB, "t": _uid("Team", "some"), "ps": []}, {"p": NOBODY, "ps": [NOBODY]}, {"x": "y", "t": _uid("Team", "empty")}, {},
    ]  # fmt: skip
    requests = [
        {
            "principal": {"type": one[0], "id": one[1]},
            "action": {"type": "Action", "id": "act"},
            "resource": {"type": other[0], "id": other[1]},
            "context": context,
        }
        for one in who
        for place, other in enumerate(what)
        for context in contexts[place % 2 :: 2]
    ]
    for whom in WHOM:
        yield whom, Batch(tuple(when(one.replace("{}", whom)) for one in QUESTIONS), tuple(requests), tuple(entities), SCHEMA, FIELDS)


FIELDS = (("x", "String"), ("p", "Person"), ("ps", "Set<Person>"), ("t", "Team"))


def _uid(kind, name):
    return {"__entity": {"type": kind, "id": name}}


def _entity(kind, name, above, attrs):
    return {"uid": {"type": kind, "id": name}, "attrs": attrs, "parents": [{"type": "Team", "id": one} for one in above]}
