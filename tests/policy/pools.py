"""The labelled cases that mutants are held against, and how a mutant is held against them; Cedar labels them once."""

from __future__ import annotations

import contextlib
import importlib
import json
import random
from dataclasses import dataclass, field
from unittest import mock

from tests.policy import cases, head_tables, tables
from tests.policy.mutation import in_place
from tests.policy.oracle import Oracle

ENOUGH = 20  # cases that kill a mutant; nobody counts further
# Of each table: every so many of its batches, and at most so many cases of each of them.
SHARES = {
    "kinds": (1, 60),
    "single": (1, 2000), "longs": (1, 6000), "decimals": (1, 4000), "times": (1, 5000), "addresses": (1, 16000), "strings": (1, 16000), "sets": (1, 700), "records": (1, 1200),
    "logic": (9, 400), "chains": (1, 4000), "interplay": (1, 1300), "attributes": (1, 4000), "heads": (1, 5500), "questions": (1, 2000),
}  # fmt: skip


@dataclass
class Labelled:
    """Policies with the requests they are asked about and Cedar's answers.

    Attributes:
        batches: of the same policies, each with a world of its own.
        typed: whether Cedar was told the schema.
        form: the policies in Cedar's JSON form.
        expected: for each request the places of the permits that apply, of the forbids and of those that fail.
        made: what our modules make of it: policies and requests, made anew only for a mutant that might change them.
    """

    batches: list
    typed: bool
    form: str
    expected: list
    made: tuple | None = field(default=None, repr=False)

    @property
    def size(self):
        """How many cases these are."""
        return sum(len(batch.policies) * len(batch.requests) for batch in self.batches)


def chosen(batches, every, most):
    """Yield batches, fewer and with fewer requests: spread over all of them, and never the same ones of each."""
    for place, (_, batch) in enumerate(batches):
        if place % every == 0:
            wanted = max(8, most // max(1, len(batch.policies)))
            step = max(1, len(batch.requests) // wanted)
            step += step > 1 and step % 2 == 0  # operands were multiplied out: an even step would always miss the same ones
            yield cases.Batch(batch.policies, batch.requests[place % step :: step], batch.entities, batch.schema, batch.fields)


def part(table, share, scale):
    """Return some batches of a table, fewer and smaller ones for a smaller scale, but six at least where it has as many."""
    every, most = share
    batches = list(table())
    return chosen(batches, min(round(every / min(1, scale)), max(every, len(batches) // 6)), max(1, int(most * scale)))


def labelled(batches, typed):
    """Return batches of the same policies with Cedar's answers; permits are told apart from forbids that overrule them, so each effect is asked by itself."""
    import cedarpy

    first = batches[0]
    form = cedarpy.policies_to_json_str(first.text)
    effects = {int(name.removeprefix("policy")): policy["effect"] for name, policy in json.loads(form)["staticPolicies"].items()}
    permits, forbids = ({place for place, effect in effects.items() if effect == wanted} for wanted in ("permit", "forbid"))
    oracle = Oracle(first.text.replace("forbid(", "permit("), first.schema if typed else None)
    expected = []
    for answer in (answer for batch in batches for answer in oracle.answers(batch.requests, list(batch.entities))):
        assert answer.decision is not None, "a request of the pool must be one that can be built"
        applied, failed = ([int(name.removeprefix("policy")) for name in names] for names in (answer.reasons, answer.errors))
        expected.append(([at for at in applied if at in permits], [at for at in applied if at in forbids], failed))
    return Labelled(batches, typed, form, expected)


def pool(scale=1.0, batches=12):
    """Return the labelled cases that mutants are held against: some of every table, and made-up ones."""
    found, places = [], []
    for name, table in tables.TABLES.items():
        first = len(found)
        some = part(table, SHARES[name], scale)
        # `action in ...` asks for the schema's own hierarchy, which nobody without the schema has.
        found += [labelled([batch], typed=name == "heads") for batch in some]
        places.extend(range(len(found) - first))
    for seed in range(batches):
        found.append(labelled([cases.batch(random.Random(seed), policies=40, requests=10)], typed=True))
        places.append(0)
    found += [labelled(batches, typed=False) for batches in head_tables.worlds()]
    places += [0, 0]
    # Some of every table first: most mutants are known after a few sets.
    return [found[at] for at in sorted(range(len(found)), key=lambda at: places[at])]


def read(labelled_, modules):
    """Return policies and requests as these modules read them."""
    import cedarpy

    vocabulary = None
    if labelled_.typed:
        vocabulary = modules("text.schema").read_vocabulary(str(cedarpy.Schema.from_str(labelled_.batches[0].schema)))
    policies = modules("text.reading").read_policies(labelled_.form)
    reader = modules("requests.request").RequestReader(vocabulary)
    requests = []
    for batch in labelled_.batches:
        entities = modules("requests.entities").read_entities(batch.entities, vocabulary)
        requests += [reader.read(request, entities) for request in batch.requests]
    return policies, requests


def kills(cases_, mutant=None):
    """Return how many cases tell a mutant of the closures from the real thing; without one, how many are answered wrongly."""
    with in_place(mutant) if mutant is not None else contextlib.nullcontext({}) as changed:
        modules = lambda name: changed.get(f"thunderlab.policy.{name}") or importlib.import_module(f"thunderlab.policy.{name}")
        anew = any(
            f"thunderlab.policy.{name}" in changed
            for name in ("language.values", "language.tree", "text.reading", "requests.convert", "requests.request", "requests.entities")
        )
        program = modules("closures.program").Program
        # Few policies of a set ask the same first, and what is looked up for them is to be told from the real thing, too.
        with mock.patch.object(modules("closures.index"), "WORTH_ASKING", 2):
            return counted(cases_, lambda one: _told_apart(one, program, modules, anew))


def counted(cases_, tell):
    """Return how many cases tell a mutant apart. What told this one is asked first about the next, which is much like it."""
    told, killers = 0, []
    for one in cases_:
        found = tell(one)
        if found:
            killers.append(one)
            told += found
        if told >= ENOUGH:
            break
    if killers:
        killing = set(map(id, killers))
        cases_[:] = killers + [one for one in cases_ if id(one) not in killing]
    return told


def _told_apart(labelled_, program, modules, anew):
    try:
        if anew or labelled_.made is None:
            made = read(labelled_, modules)
            if not anew:
                labelled_.made = made
        else:
            made = labelled_.made
        compiled = program(made[0])
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001 - a crash of any kind tells them apart
        return labelled_.size
    told = 0
    for frequent in (False, True):
        if frequent:
            compiled.write()
        for place, (request, expected) in enumerate(zip(made[1], labelled_.expected, strict=True)):
            told += _differences(compiled, request, expected, range(place % 3, len(made[0]), 3))
    return told


def _differences(compiled, request, expected, singles):
    """Return how many policies are answered differently, and how many when each is asked alone: a sample of them."""
    permits, forbids, failed = expected
    try:
        ours = compiled.run(request)
        told = len(set(ours[0]) ^ set(permits)) + len(set(ours[1]) ^ set(forbids)) + len({at for at, _ in ours[2]} ^ set(failed))
        # What a single policy says, which the columns ask where they do not know.
        told += sum(compiled.applies(at, request) is not _single(at, permits, forbids, failed) for at in singles)
        return told + (ours[0] != sorted(ours[0]) or ours[1] != sorted(ours[1]) or ours[2] != sorted(ours[2]))
    except TimeoutError:
        raise
    except Exception:  # noqa: BLE001 - a crash of any kind tells them apart
        return len(compiled.policies)


def _single(at, permits, forbids, failed):
    """Return what one policy says: whether it applies, None when it fails."""
    return None if at in failed else at in permits or at in forbids
