"""JSON documents near the edges of what Cedar takes: values, uids, entities and requests, drawn from a source of randomness."""

from __future__ import annotations

import json
import random

import cedarpy
from hypothesis import strategies as st

sources = st.integers(0, 2**32).map(random.Random)

SCHEMA = """
namespace N {
  type Rec = {a: Long, b?: {c: Set<String>}};
  entity User in [Team, Team2] = {x?: Long, e?: Color, d?: decimal, t?: datetime, dur?: duration, g?: Team, s?: Set<Set<Long>>, r?: Rec,
    ac?: Action, b?: Bool, i?: ipaddr, st?: String, es?: Set<Team>, ex?: Ext, "__entity"?: {"type": String, id: String}, "__extn"?: Long} tags Set<Long>;
  entity Team in [Org];
  entity Org;
  entity Color enum ["red", "blue"];
  entity Team2 in [Team2, Color] tags Color;
  action view, edit in [grp] appliesTo {principal: [User, Color], resource: [Team, Color], context: Rec};
  action all appliesTo {principal: User, resource: Team, context: {x?: Long, e?: Color, d?: decimal, t?: datetime, dur?: duration, g?: Team,
    s?: Set<Set<Long>>, r?: Rec, ac?: Action, b?: Bool, i?: ipaddr, st?: String, es?: Set<Team>, ex?: Ext, ac2?: Other::Action}};
  action grp in [Other::Action::"top"];
}
entity Ext;
namespace Other { action top; action lonely appliesTo {principal: N::User, resource: Ext, context: {}}; }
"""

TYPES = ("N::User", "N::Team", "N::Org", "N::Color", "N::Team2", "Ext", "N::Action", "Other::Action")
STRANGE_TYPES = ("Action", "User", "N::Nope", "if", "", "N::", "A::__cedar")
IDS = ("red", "blue", "a", "b", "", "view", "edit", "grp", "top", "all", "lonely", "é", 'x"y', "\0")
TEXTS = {
    "decimal": ("1.0", "1", "-1.2345", "1.23456", "922337203685477.5807", "922337203685477.5808", ".5", "1."),
    "ip": ("1.1.1.1", "1.1.1.1/33", "::1", "::/0", "x", "1.1.1.1/8"),
    "datetime": ("2024-01-01", "2024-02-30", "2024-01-01T00:00:00Z", "x", "2024-01-01T00:00:00+0130"),
    "duration": ("1h", "1d2h", "-1ms", "x", "", "1ms1h"),
}
ALL_TEXTS = tuple(text for texts in TEXTS.values() for text in texts)
OPERANDS = {
    "offset": ("datetime", "duration"),
    "durationSince": ("datetime", "datetime"),
    "lessThan": ("decimal", "decimal"),
    "isInRange": ("ip", "ip"),
}
FUNCTIONS = (*TEXTS, *OPERANDS, "toDate", "isIpv4", "toDays", "toTime", "nope", "if")
PLAIN = (True, False, 0, 1, -1, 2**63 - 1, -(2**63), "", "a", "\0", "é", "\U0001f600", "1.0", "red")
REFUSED = (2**63, -(2**63) - 1, 2**64, 10**30, 1.5, 2.0, 1e300, None, "\ud800")


def uid(rng):
    return {"type": rng.choice(TYPES if rng.random() < 0.9 else STRANGE_TYPES), "id": rng.choice(IDS)}


def uid_form(rng):
    """Draw something that is a uid, or nearly."""
    named = uid(rng)
    forms = (
        named,
        {"__entity": named},
        {**named, "z": rng.choice([1, None, 1.5, "q"])},
        {"__entity": {**named, "z": rng.choice([1, None, "q", {"__expr": "x"}, 1.5, [2.0]])}},
        {"__entity": {"type": named["type"]}},
        {"__entity": named, "k": 1},
        {"__expr": rng.choice(["x", 1]), **named},
        {"__entity": rng.choice([1, None, "x"]), **named},
        {"type": named["type"], "id": rng.choice([1, None, True])},
        rng.choice([None, 'N::User::"a"', {}, [], 1]),
    )
    return rng.choice(forms if rng.random() < 0.4 else forms[:2])


def extension_form(rng, depth=0):
    """Draw something that calls a function of an extension, or nearly."""
    name = rng.choice(FUNCTIONS)
    if name in OPERANDS:
        inner = {"fn": name, "args": [_operand(rng, kind) for kind in OPERANDS[name]][: rng.choice([2, 2, 2, 1])]}
    else:
        argument = (
            rng.choice(TEXTS.get(name, ALL_TEXTS))
            if depth > 1 or rng.random() < 0.6
            else rng.choice([extension_form, scalar])(rng, depth + 1)
        )
        exact = ({"fn": name, "arg": argument}, {"fn": name, "args": [argument]})
        inner = rng.choice(
            exact
            if rng.random() < 0.7
            else (
                {"fn": name},
                {"fn": 1, "arg": argument},
                {"fn": name, "arg": argument, "args": rng.choice([[argument], 1])},
                {"fn": name, "arg": argument, "z": rng.choice([None, 1])},
            )
        )
    forms = ({"__extn": inner}, inner, {"__extn": inner, "k": 1}, {"__extn": rng.choice([1, "x", None]), **inner}, rng.choice(ALL_TEXTS))
    return rng.choice(forms if rng.random() < 0.5 else forms[:1])


def _operand(rng, kind):
    text = rng.choice(TEXTS[kind])
    return rng.choice([{"__extn": {"fn": kind, "arg": text}}, text, {"fn": kind, "arg": text}])


def scalar(rng, _depth=0):
    return rng.choice(PLAIN if rng.random() < 0.85 else REFUSED)


def value(rng, depth=0):
    """Draw any JSON value."""
    chosen = rng.random()
    if chosen < 0.4 or depth > 2:
        return scalar(rng)
    if chosen < 0.55:
        return uid_form(rng)
    if chosen < 0.7:
        return extension_form(rng)
    if chosen < 0.85:
        return [value(rng, depth + 1) for _ in range(rng.randrange(3))]
    names = ("a", "b", "__entity", "__extn", "__expr", "type", "id", "fn", "arg", "", "é")
    return {rng.choice(names): value(rng, depth + 1) for _ in range(rng.randrange(3))}


def record(rng):
    """Draw a record of the schema's type `Rec`, or nearly."""
    found = {"a": rng.choice(PLAIN) if rng.random() < 0.3 else 3}
    if rng.random() < 0.5:
        found["b"] = {"c": ["x", "y"][: rng.randrange(3)]} if rng.random() < 0.8 else value(rng)
    if rng.random() < 0.1:
        found["zz"] = 1
    if rng.random() < 0.1:
        del found["a"]
    return found


_FITTING = {
    "x": lambda rng: 3,
    "e": lambda rng: {"type": "N::Color", "id": rng.choice(["red", "blue", "green"])},
    "d": lambda rng: rng.choice(TEXTS["decimal"]),
    "t": lambda rng: rng.choice(TEXTS["datetime"]),
    "dur": lambda rng: rng.choice(TEXTS["duration"]),
    "g": lambda rng: {"type": "N::Team", "id": "q"},
    "s": lambda rng: rng.choice([[], [[]], [[1, 2], [3]], [1], [[True]]]),
    "r": record,
    "ac": lambda rng: {"type": "N::Action", "id": rng.choice(["view", "view", "nope"])},
    "b": lambda rng: True,
    "i": lambda rng: rng.choice(TEXTS["ip"]),
    "st": lambda rng: "é",
    "es": lambda rng: [uid_form(rng) for _ in range(rng.randrange(2))],
    "ex": lambda rng: {"type": "Ext", "id": "1"},
    "ac2": lambda rng: {"type": "Other::Action", "id": "top"},
    "__entity": lambda rng: {"type": "a", "id": "b"},
    "__extn": lambda rng: 4,
}


def attributes(rng, fitting=0.8):
    """Draw attributes of the schema's `User`, or of the context of its action `all`."""
    found = {}
    for name in rng.sample(sorted(_FITTING), rng.randrange(4)):
        near = extension_form if name in ("d", "t", "dur", "i", "b", "x") else uid_form if name in ("e", "g", "ac", "ex") else value
        found[name] = _FITTING[name](rng) if rng.random() < fitting else rng.choice([near, value])(rng)
    if rng.random() < 0.03:
        found["unheard_of"] = 1
    return found


def entity(rng):
    """Draw an entity document."""
    found = {"uid": {"type": "N::User", "id": rng.choice("abc")} if rng.random() < 0.7 else uid_form(rng), "attrs": attributes(rng)}
    groups = [{"type": rng.choice(["N::Team", "N::Team2", "N::Org", "N::Color"]), "id": "red"}, uid(rng), uid_form(rng)]
    found["parents"] = [groups[rng.choice([0, 0, 0, 1, 2])] for _ in range(rng.choice([0, 0, 1, 2]))]
    if rng.random() < 0.2:
        found["tags"] = {rng.choice(["a", "", "k"]): rng.choice([[1], [], {"type": "N::Color", "id": "red"}, value(rng)])}
    if rng.random() < 0.02:
        del found[rng.choice(sorted(found))]
    if rng.random() < 0.02:
        found["extra"] = 1
    return found


def request(rng):
    """Draw a request document."""
    found = {
        "principal": {"type": "N::User", "id": "a"} if rng.random() < 0.85 else uid(rng),
        "action": {"type": "N::Action", "id": rng.choice(["all", "all", "view", "edit", "grp", "zz"])} if rng.random() < 0.9 else uid(rng),
        "resource": {"type": "N::Team", "id": "a"} if rng.random() < 0.85 else uid(rng),
        "context": attributes(rng) if rng.random() < 0.7 else record(rng),
    }
    if rng.random() < 0.02:
        del found["context"]
    return found


_NO_POLICIES = cedarpy.PolicySet.from_str("")


def cedar_builds(asked, schema=None, entities="[]"):
    """Return whether Cedar builds a request."""
    try:
        return cedarpy.is_authorized(asked, _NO_POLICIES, entities, schema).decision is not cedarpy.Decision.NoDecision
    except (TypeError, KeyError, UnicodeEncodeError):
        return False


def cedar_entities(listed, schema=None):
    """Return entities as Cedar writes them back, with all their ancestors; None when it refuses them, "" when it cannot write them."""
    try:
        written = str(cedarpy.Entities.from_json_str(json.dumps(listed), schema))
    except ValueError:
        return None
    return "" if written.startswith("<") else json.loads(written)
