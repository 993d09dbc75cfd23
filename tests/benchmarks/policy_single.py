"""Claim: a single verdict with all of Cedar's semantics costs at most a twentieth of the CPU that cedarpy takes with everything parsed beforehand,
at 10 and at 100 policies, and less than CEL and casbin.

Every engine has the same policies in its own language and is handed the same requests as plain dictionaries; reading the request is part of
what is measured, for all of them. Conditions are of five kinds in turn: role, action, threshold, set, attribute. They take turns round by
round in one process; figures are CPU-time. All must agree on all decisions before anything is timed; cedarpy also on reasons.

    python -m tests.benchmarks policy_single
"""

from __future__ import annotations

import os
import random
import statistics
import time

from tests.benchmarks._race import row, span
from tests.policy.oracle import Oracle, parsed

SIZES = (10, 100, 1000)
PROMISED = {10: 20, 100: 20}
ACTIONS = ("read", "write", "promote", "publish", "evict")
ROLES = ("admin", "editor", "viewer", "auditor", "guest")
ZONES = ("eu", "us", "asia", "moon")
SCHEMA = """
entity Agent { role: String };
entity Artifact { owner: String, level: Long };
action "read", "write", "promote", "publish", "evict" appliesTo {
  principal: Agent, resource: Artifact, context: { role: String, latency_us: Long, zone: String, owner: String, secure: Bool }
};
"""
KINDS = {
    "role": ('context.role == "{role}"', 'context.role == "{role}"', 'r.asked.role == "{role}"'),
    "action": ("context.secure", "context.secure", "r.asked.secure"),
    "threshold": ("context.latency_us < {limit}", "context.latency_us < {limit}", "r.asked.latency_us < {limit}"),
    "set": ("[{zones}].contains(context.zone)", "context.zone in [{zones}]", "r.asked.zone in ({zones})"),
    "attribute": ('resource.owner == context.owner && context.role != "{role}"', 'resource.owner == context.owner && context.role != "{role}"', 'r.asked.resource_owner == r.asked.owner && r.asked.role != "{role}"'),
}  # fmt: skip
CASBIN = """
[request_definition]
r = asked, act
[policy_definition]
p = rule, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && eval(p.rule)
"""


def written(size):
    """Return (effect, action, condition as Cedar, as CEL and for casbin) of each policy; every tenth forbids."""
    rng = random.Random(size)
    for place in range(size):
        kind = list(KINDS)[place % len(KINDS)]
        zones = ", ".join(f'"{zone}"' for zone in sorted(rng.sample(ZONES, 2)))
        filled = {"role": rng.choice(ROLES), "limit": rng.randrange(100, 5000), "zones": zones}
        forms = [form.format(**filled) for form in KINDS[kind]]
        yield ("forbid" if place % 10 == 9 else "permit", ACTIONS[rng.randrange(len(ACTIONS))], *forms)


def asked(count):
    """Return requests, and the entities they are about."""
    rng = random.Random(1)
    entities = [
        {"uid": {"type": "Artifact", "id": f"a{at}"}, "attrs": {"owner": f"o{at % 7}", "level": at}, "parents": []} for at in range(50)
    ]
    entities += [{"uid": {"type": "Agent", "id": f"g{at}"}, "attrs": {"role": ROLES[at % 5]}, "parents": []} for at in range(20)]
    requests = [
        {
            "principal": {"type": "Agent", "id": f"g{rng.randrange(20)}"},
            "action": {"type": "Action", "id": rng.choice(ACTIONS)},
            "resource": {"type": "Artifact", "id": f"a{rng.randrange(50)}"},
            "context": {
                "role": rng.choice(ROLES),
                "latency_us": rng.randrange(6000),
                "zone": rng.choice(ZONES),
                "owner": f"o{rng.randrange(7)}",
                "secure": rng.random() < 0.5,
            },
        }
        for _ in range(count)
    ]
    return requests, entities


def cedar_text(policies):
    """Return policies in Cedar's language."""
    return "\n".join(
        f'{effect}(principal, action == Action::"{action}", resource) when {{ {condition} }};'
        for effect, action, condition, _, _ in policies
    )


class Ours:
    """This project's closures."""

    def __init__(self, policies, entities, schema=None):
        self._set = parsed(cedar_text(policies), schema)
        self._known = self._set.world(entities)

    def run(self, requests):
        evaluate, known = self._set.evaluate, self._known
        return [evaluate(request, known) for request in requests]

    @staticmethod
    def decisions(answers):
        return [answer.decision for answer in answers]


class Cedarpy:
    """cedarpy, with policies, entities and schema parsed beforehand, one request a call."""

    def __init__(self, policies, entities, schema=None):
        import cedarpy

        self._ask, self._oracle = cedarpy.is_authorized, Oracle(cedar_text(policies), schema)
        self._known = self._oracle.entities(entities)

    def run(self, requests):
        ask, policies, known, schema = self._ask, self._oracle.policies, self._known, self._oracle.schema
        return [ask(request, policies, known, schema) for request in requests]

    @staticmethod
    def decisions(answers):
        return [answer.decision.value.lower() for answer in answers]


class Cel:
    """common-expression-language, a binding of the Rust implementation: one compiled program a policy, and only those of the action are run.

    CEL has no policies: permits, forbids and the choice by action are written here. Values are converted once a request.
    """

    def __init__(self, policies, entities):
        import cel

        self._context, self._by_action = cel.Context, {}
        self._attributes = {document["uid"]["id"]: document["attrs"] for document in entities}
        for effect, action, _, condition, _ in policies:
            self._by_action.setdefault(action, ([], []))[effect == "permit"].append(cel.compile(condition))

    def run(self, requests):
        return list(map(self._one, requests))

    def _one(self, request):
        forbids, permits = self._by_action.get(request["action"]["id"], ((), ()))
        known = self._context(variables={"context": request["context"], "resource": self._attributes[request["resource"]["id"]]})
        # Every policy is evaluated, as everywhere else here: reasons are part of the answer.
        forbidding = [policy for policy in forbids if policy.execute(known)]
        permitting = [policy for policy in permits if policy.execute(known)]
        return "allow" if permitting and not forbidding else "deny"

    @staticmethod
    def decisions(answers):
        return answers


class Asked:
    """A request in the form casbin's matchers look into."""

    __slots__ = ("latency_us", "owner", "resource_owner", "role", "secure", "zone")

    def __init__(self, context, resource):
        self.role, self.latency_us, self.zone, self.owner, self.secure = (
            context[name] for name in ("role", "latency_us", "zone", "owner", "secure")
        )
        self.resource_owner = resource["owner"]


class Casbin:
    """casbin, its conditions as rules that its matcher evaluates."""

    def __init__(self, policies, entities):
        import logging

        import casbin

        logging.getLogger("casbin").setLevel(logging.ERROR)
        self._enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=CASBIN))
        self._attributes = {document["uid"]["id"]: document["attrs"] for document in entities}
        for effect, action, _, _, condition in policies:
            self._enforcer.add_policy(condition, action, "allow" if effect == "permit" else "deny")

    def run(self, requests):
        enforce = self._enforcer.enforce
        return [
            enforce(Asked(request["context"], self._attributes[request["resource"]["id"]]), request["action"]["id"]) for request in requests
        ]

    @staticmethod
    def decisions(answers):
        return ["allow" if answer else "deny" for answer in answers]


def run(quick=False):
    """Return a row per size and rival."""
    rows = []
    requests, entities = asked(60 if quick else 2000)
    for size in SIZES[:2] if quick else SIZES:
        policies = list(written(size))
        engines = {
            "ours": Ours(policies, entities),
            "ours, with a schema": Ours(policies, entities, SCHEMA),
            "cedarpy": Cedarpy(policies, entities),
        }
        engines["cedarpy, with a schema"] = Cedarpy(policies, entities, SCHEMA)
        absent = {}
        for name, engine in (("CEL", Cel), ("casbin", Casbin)):
            try:
                engines[name] = engine(policies, entities)
            except ImportError as error:
                absent[name] = str(error)
        agree(engines, requests[:60])
        spent = race(engines, requests, rounds=1 if quick else 9, seconds=0.01 if quick else 0.15)
        rows += list(_rows(size, spent, absent))
    return rows


def agree(engines, requests):
    """Raise AssertionError unless all decide alike, and ours has the reasons and errors that cedarpy has."""
    answers = {name: engine.run(requests) for name, engine in engines.items()}
    wanted = engines["cedarpy"].decisions(answers["cedarpy"])
    assert 0 < wanted.count("allow") < len(wanted), "requests that are all decided alike show nothing"
    for name, engine in engines.items():
        assert engine.decisions(answers[name]) == wanted, f"{name} decides otherwise than cedarpy"
    for ours, theirs in zip(answers["ours"], answers["cedarpy"], strict=True):
        assert set(ours.reasons) == set(theirs.diagnostics.reasons) and not ours.errors and not theirs.diagnostics.errors


def race(engines, requests, rounds, seconds):
    """Return CPU-microseconds a verdict of each engine in every round, the order rotated."""
    counts = {name: _calibrated(engine, requests, seconds) for name, engine in engines.items()}
    spent = {name: [] for name in engines}
    for turn in range(rounds):
        names = list(engines)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            spent[name].append(_timed(engines[name], requests, counts[name]))
    return spent


def _calibrated(engine, requests, seconds):
    """Return how many verdicts take about so long; what is made when first asked is made here."""
    engine.run(requests[:20])
    each = _timed(engine, requests, 20) / 1e6
    return max(10, min(50_000, round(seconds / max(each, 1e-7))))


def _timed(engine, requests, count):
    chosen = (requests * (count // len(requests) + 1))[:count]
    started = time.process_time()
    engine.run(chosen)
    return (time.process_time() - started) / count * 1e6


def _rows(size, spent, absent):
    medians = {name: statistics.median(values) for name, values in spent.items()}
    pairs = [
        ("ours", "cedarpy", PROMISED.get(size)),
        ("ours, with a schema", "cedarpy, with a schema", PROMISED.get(size)),
        ("ours", "CEL", 1 if size in PROMISED else None),
        ("ours", "casbin", 1 if size in PROMISED else None),
    ]
    for mine, rival, promised in pairs:
        claim = f"a verdict at {size} policies{mine.removeprefix('ours')}"
        if rival in absent:
            yield row(claim, rival, 1e6 / medians[mine], None, "verdicts per CPU-second", absent[rival], at_least=promised)
            continue
        note = f"{medians[mine]:.2f} us against {medians[rival]:.1f} us, medians of {len(spent[mine])}, {span(spent[mine])} and {span(spent[rival])}; load {os.getloadavg()[0]:.1f}"
        yield row(claim, rival, 1e6 / medians[mine], 1e6 / medians[rival], "verdicts per CPU-second", note, at_least=promised)
