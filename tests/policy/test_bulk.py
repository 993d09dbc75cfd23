"""Recorded requests judged in columns come to what each comes to alone, by the closures; what is unusual is left to these."""

import json
import random

import msgspec
import pytest

from tests.policy import texts, world
from tests.policy.little_policies import ENTITIES, OVERFLOWS, POLICIES, SCHEMA, asks, load
from thunderlab.canonical import encode
from thunderlab.errors import EvidenceError
from thunderlab.policy.events import VerdictCompleted
from thunderlab.policy.language.values import Uid
from thunderlab.policy.record import bulk as bulk_module
from thunderlab.policy.record.audit import Names
from thunderlab.policy.record.bulk import Bulk
from thunderlab.policy.record.history import Recorded, Told, Unreadable
from thunderlab.policy.record.shapes import Shape
from thunderlab.policy.record.verdict import Judgement, event_of, verdict_id
from thunderlab.policy.record.wire import say, say_entities

LATE = POLICIES.replace("< 17", "< 23") + '@id("eve") permit (principal == User::"eve", action, resource);'
MORE = [*ENTITIES, {"uid": {"type": "User", "id": "eve"}, "attrs": {"level": 9}, "parents": []}]


class Kept:
    """Policy sets and entities by digest, as `Precedents` has them."""

    def __init__(self, sets, worlds):
        self._sets = {one.digest: one for one in sets}
        self._worlds = {one.digest: one for one in worlds}

    def policy_set(self, name):
        if name not in self._sets:
            raise EvidenceError("gone")
        return self._sets[name]

    def entities(self, name):
        if name not in self._worlds:
            raise EvidenceError("gone")
        return self._worlds[name]


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(bulk_module, "FEWEST", 1)
    monkeypatch.setattr(bulk_module, "FEWEST_PER_POLICY", 0)


def _recorded(seq, text, policies, entities, unsaid=None):
    told = event_of(
        Judgement(decision="deny"), module="m", latency_us=1, policy_set=policies, entities=entities, request=text, unsaid=unsaid
    )
    return Recorded(seq, str(seq), "2026", msgspec.convert(told, Told, from_attributes=True))


def _both(kept, piece):
    """Return how many were judged together, after comparing each with what its request comes to alone."""
    together = 0
    for one, found in zip(piece, Bulk(kept.policy_set, kept).judged(piece), strict=True):
        if found is None:
            continue
        together += 1
        event = one.event
        alone = kept.policy_set(event.policy_set).judge(json.loads(event.request), kept.entities(event.entities))
        assert found == alone, event.request
    return together


# What a request about little policies may look like, and whether columns have to take it.
TAKEN = [
    asks(), asks(hour=18), asks(action="write"), asks("bob", "write"), asks("eve"), asks("nobody"), asks(cost=6), asks(cost=OVERFLOWS),
    asks(hour=2**63 - 1), asks(hour=-(2**63)), asks("é\u2028𝄞"), asks('q"\\', what=""), asks("\x00\x1f\x7f"), asks("a\nb\r"),
    asks("x" * 5000), asks('",\\"context\\":{'), asks("ann", what=',"context":'),
]  # fmt: skip
LEFT = [
    asks(hour=2**63), asks(hour=-(2**63) - 1), asks(hour=2**200), asks(hour=9.0), asks(hour=1e300), asks(hour=None), asks(hour=True), asks(hour="9"),
    asks(cost=None), asks(extra=1), asks(action="remove"), asks(action="é"), asks() | {"context": {}}, asks() | {"context": None},
    asks() | {"context": []}, asks() | {"more": 1}, asks() | {"principal": 'User::"ann"'}, asks() | {"principal": {"type": "Page", "id": "1"}},
    asks() | {"principal": {"type": "User", "id": "ann", "x": 1}}, asks() | {"principal": {"__entity": {"type": "User", "id": "ann"}}},
    asks() | {"action": 'Action::"read"'}, asks() | {"resource": {"type": "User", "id": "ann"}}, asks() | {"resource": None},
    {"principal": "nobody"}, {}, {name: part for name, part in asks().items() if name != "context"},
]  # fmt: skip
NO_TEXTS = ["", "[]", "[", "null", "{", '{"action":{"id":"read","type":"Action"},"context":', "\n"]


def _forged():
    """Yield texts that say something usual in another way, as nobody records them."""
    usual = encode(asks()).decode()
    yield json.dumps(asks())
    yield usual.replace('"hour":9', '"hour":9,"hour":9')
    yield usual.replace('"hour":9', '"hour":8,"hour":9')
    yield usual.replace('"hour":9', '"hour":9e0')
    yield usual.replace('"hour":9', '"hour":-0')
    yield usual.replace('"hour":9', '"h\\u006fur":9')
    yield usual.replace('"ann"', '"\\u0061nn"')
    yield usual.replace('"ann"', '"\\ud800"')
    yield usual.replace('"ann"', '"a\x01"')
    yield usual.replace(',"context"', ',"action":{"id":"write","type":"Action"},"context"')
    yield usual[:-1] + ',"action":{"id":"write","type":"Action"}}'
    yield usual + "\n" + usual
    yield usual + "\n"
    yield usual + " "
    yield usual + usual
    yield f"{usual},{usual}"


def test_usual_requests_are_judged_together_and_as_alone(tmp_path):
    sets = [
        load(tmp_path / "little"),
        load(tmp_path / "late", LATE),
        load(tmp_path / "none", "permit (principal, action, resource);", SCHEMA),
    ]
    worlds = [say_entities(ENTITIES), say_entities(MORE), say_entities([])]
    kept = Kept(sets, worlds)
    pairs = [(one.digest, known.digest) for one in sets for known in worlds]
    said = [say(request) for request in TAKEN]
    piece = [_recorded(at, one.text, *pair, one.unsaid) for at, (one, pair) in enumerate((one, pair) for pair in pairs for one in said)]
    random.Random(1).shuffle(piece)
    assert _both(kept, piece) == len(piece)


def test_what_is_unusual_is_left_to_the_closures(tmp_path):
    little, known = load(tmp_path / "little"), say_entities(ENTITIES)
    odd = [*(say(request) for request in LEFT), *((text, None, None) for text in (*NO_TEXTS, *_forged()))]
    usual = [say(request) for request in TAKEN]
    piece = [_recorded(at, one[0], little.digest, known.digest, one[2]) for at, one in enumerate([*odd, *usual, *odd])]
    found = Bulk(Kept([little], [known]).policy_set, Kept([little], [known])).judged(piece)
    # In the same blocks as usual ones, on either side of them: none is taken, and none keeps the others from being taken.
    assert [at for at, one in enumerate(found) if one is not None] == list(range(len(odd), len(odd) + len(usual)))
    assert _both(Kept([little], [known]), piece) == len(usual)


def test_what_cannot_be_judged_is_left(tmp_path):
    little, known = load(tmp_path / "little"), say_entities(ENTITIES)
    bare, broken = load(tmp_path / "bare", schema=None), say_entities([{"uid": {"type": "Nobody", "id": "x"}, "attrs": {}, "parents": []}])
    kept = Kept([little, bare], [known, broken])
    text = say(asks()).text
    piece = [
        _recorded(0, text, "0" * 64, known.digest), _recorded(1, text, little.digest, "0" * 64), _recorded(2, text, bare.digest, known.digest),
        _recorded(3, text, little.digest, broken.digest), _recorded(4, text, little.digest, known.digest, "something"), Unreadable(5, "2026", ""),
        _recorded(6, text, little.digest, known.digest),
    ]  # fmt: skip
    found = Bulk(kept.policy_set, kept).judged(piece)
    assert [one is None for one in found] == [True] * 6 + [False]


def test_few_requests_are_not_worth_it(tmp_path, monkeypatch):
    monkeypatch.setattr(bulk_module, "FEWEST", 3)
    little, known = load(tmp_path / "little"), say_entities(ENTITIES)
    kept = Kept([little], [known])
    piece = [_recorded(at, say(asks()).text, little.digest, known.digest) for at in range(3)]
    assert (_both(kept, piece[:2]), _both(kept, piece)) == (0, 3)
    monkeypatch.setattr(bulk_module, "FEWEST_PER_POLICY", 1)
    assert _both(kept, piece) == 0


@pytest.mark.parametrize("seed", range(3))
def test_values_of_all_types_near_edges(tmp_path, seed):
    """Requests of the made-up world, with policies that ask for each attribute; extensions, entities, sets and records among them."""
    hot = world.Hot(random.Random(seed))
    wanted = [
        "context.i < context.j", "context has k && context.k + 1 > 0", "context.s == context.t", "context.b", "context has c && context.c",
        'context.d.lessThan(decimal("1.5"))', "context.e == context.d", "context.m == context.n", "context has v && context.u <= context.v",
        "context.a.isIpv4()", "context.x.isInRange(context.a)", "context.p == principal", "context.q in context.g", "context.p.age > 3",
        "context.si.contains(1)", "context has sj && context.sj.containsAny(context.si)", 'context.ss.contains("")', "context.sp.contains(principal)",
        "context.sd.isEmpty()", "context.sv.containsAll(context.sv)", "context.sa.contains(context.a)", "context.r.from > 0", "context.r has deep.x",
        'context.r.deep.note == ""', "context has w && context.w has to && context.w.to < 9", "context.w.deep.x * 2 > 1", "context has f",
    ]  # fmt: skip
    policies = "\n".join(
        f'{"permit" if at % 2 else "forbid"} (principal, action in [Action::"read", Action::"wri\\"te"], resource) when {{ {text} }};'
        for at, text in enumerate(wanted)
    )
    loaded = load(tmp_path / "world", policies, world.SCHEMA)
    made = [say(world.request(hot)) for _ in range(400)]
    piece = []
    known = say_entities(world.entities(hot))
    # Cedar's tests leave out what columns never read: sets of sets and of records, and entities of an enumerated type.
    for at, one in enumerate(made):
        context = {name: value for name, value in one.document["context"].items() if name not in ("sss", "sr", "h") or at % 5 == 0}
        piece.append(_recorded(at, say(one.document | {"context": context}).text, loaded.digest, known.digest))
    assert len(texts.LONGS) > 3
    assert _both(Kept([loaded], [known]), piece) > 200


def test_names_that_no_text_is_read_by_are_left():
    vocabulary = _vocabulary('entity U; action a appliesTo { principal: U, resource: U, context: { "q\\"": Long } };')
    with pytest.raises(ValueError, match="judged|names|characters"):
        Shape(vocabulary.actions[Uid("Action", "a")], vocabulary)


def _vocabulary(schema):
    from thunderlab.policy.policy_set import PolicySet

    return PolicySet.parse("", schema).vocabulary


@pytest.mark.parametrize("text", ["{}", 'a"\\/\b\f\n\r\t\x00\x1f\x7f\x80é\u2028𝄞', ""])
@pytest.mark.parametrize("reasons", [[], ["a"], ["é", 'b"']])
def test_a_verdict_s_own_name(text, reasons):
    name = verdict_id("00", "11", text, "deny", reasons)
    made = Told(
        verdict_id=name, policy_module="m", latency_us=1, policy_set="00", entities="11", request=text, unsaid=None, decision="deny",
        reasons=tuple(reasons), errors=(), request_errors=(), failed_closed=False,
    )  # fmt: skip
    names = Names()
    assert names.is_own(made) and names.is_own(made)
    assert not names.is_own(msgspec.structs.replace(made, decision="allow"))
    assert not names.is_own(msgspec.structs.replace(made, entities="12"))


def test_what_is_told_is_what_the_event_tells():
    event = event_of(Judgement(decision="deny"), module="m", latency_us=1, policy_set="0", entities="1", request="{}", unsaid=None)
    told = msgspec.convert(event, Told, from_attributes=True)
    assert Told.__struct_fields__ == VerdictCompleted.__struct_fields__
    assert msgspec.json.decode(event.encode(), type=Told) == told and msgspec.json.encode(told) == event.encode()
    for name in Told.__struct_fields__:  # what the event refuses is refused
        lacking = {key: value for key, value in json.loads(event.encode()).items() if key != name}
        for changed in (lacking, lacking | {name: 1.5}):
            for kind in (Told, VerdictCompleted):
                with pytest.raises(msgspec.ValidationError):
                    msgspec.json.decode(msgspec.json.encode(changed), type=kind)
