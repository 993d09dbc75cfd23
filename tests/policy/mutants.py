"""Mutation testing of both compilers: every change of `tests.policy.mutation` to their modules is held against cases that Cedar has labelled.

    python -m tests.policy.mutants closures            every mutant of the closures' modules, about ten minutes
    python -m tests.policy.mutants columns             of the columns'
    python -m tests.policy.mutants closures --only extensions index --every 5

A mutant is killed by each policy and request whose answer (applies, does not, fails) it changes, or that it crashes. `EQUIVALENT` names the
changes that change no answer, and why; whatever else survives is printed, and so is what fewer than twenty cases kill.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.policy import cases, tables
from tests.policy.mutation import in_place, mutants
from tests.policy.oracle import Oracle

CLOSURES = ("closure", "operators", "shapes", "world", "index", "program", "extensions", "values")
MANY = 20
PATIENCE_S = 30
# Of each table: every so many of its batches, and at most so many cases of each of them.
SHARES = {
    "kinds": (3, 100), "longs": (1, 1500), "decimals": (1, 600), "times": (1, 1000), "addresses": (1, 1200), "strings": (1, 1200), "sets": (1, 700), "records": (1, 1200),
    "logic": (9, 400), "interplay": (1, 1300), "heads": (1, 5500), "questions": (1, 2000),
}  # fmt: skip


@dataclass
class Labelled:
    """A batch with Cedar's answers.

    Attributes:
        batch: policies, requests, entities, schema.
        typed: whether Cedar was told the schema.
        form: the policies in Cedar's JSON form.
        expected: for each request the places of the permits that apply, of the forbids and of those that fail.
        made: what our modules make of it: policies, entities and requests, made anew only for a mutant that might change them.
    """

    batch: cases.Batch
    typed: bool
    form: str
    expected: list
    made: tuple | None = field(default=None, repr=False)

    @property
    def size(self):
        """How many cases these are."""
        return len(self.batch.policies) * len(self.batch.requests)


def chosen(batches, every, most):
    """Yield batches, fewer and with fewer requests: spread over all of them, and never the same ones of each."""
    for place, (_, batch) in enumerate(batches):
        if place % every == 0:
            wanted = max(4, most // max(1, len(batch.policies)))
            step = max(1, len(batch.requests) // wanted)
            step += step > 1 and step % 2 == 0  # operands were multiplied out: an even step would always miss the same ones
            yield cases.Batch(batch.policies, batch.requests[place % step :: step], batch.entities, batch.schema, batch.fields)


def labelled(batch, typed):
    """Return a batch with Cedar's answers; permits only are told apart from forbids that overrule them, so each effect is asked by itself."""
    import cedarpy

    form = cedarpy.policies_to_json_str(batch.text)
    effects = {int(name.removeprefix("policy")): policy["effect"] for name, policy in json.loads(form)["staticPolicies"].items()}
    permits, forbids = ({place for place, effect in effects.items() if effect == wanted} for wanted in ("permit", "forbid"))
    answers = Oracle(batch.text.replace("forbid(", "permit("), batch.schema if typed else None).answers(batch.requests, list(batch.entities))
    expected = []
    for answer in answers:
        assert answer.decision is not None, "a request of the pool must be one that can be built"
        applied, failed = ([int(name.removeprefix("policy")) for name in names] for names in (answer.reasons, answer.errors))
        expected.append(([at for at in applied if at in permits], [at for at in applied if at in forbids], failed))
    return Labelled(batch, typed, form, expected)


def pool(scale=1.0, batches=12):
    """Return the labelled cases that mutants are held against: some of every table, and made-up ones."""
    found = []
    for name, table in tables.TABLES.items():
        every, most = SHARES[name]
        for batch in chosen(table(), max(1, round(every / min(1, scale))), max(1, int(most * scale))):
            # `action in ...` asks for the schema's own hierarchy, which nobody without the schema has.
            found.append(labelled(batch, typed=name == "heads"))
    for seed in range(batches):
        found.append(labelled(cases.batch(random.Random(seed), policies=40, requests=10), typed=True))
    return found


def read(labelled_, modules):
    """Return policies, entities and requests as these modules read them."""
    import cedarpy

    vocabulary = None
    if labelled_.typed:
        vocabulary = modules("schema").read_vocabulary(str(cedarpy.Schema.from_str(labelled_.batch.schema)))
    policies = modules("reading").read_policies(labelled_.form)
    entities = modules("entities").read_entities(labelled_.batch.entities, vocabulary)
    reader = modules("request").RequestReader(vocabulary)
    return policies, [reader.read(request, entities) for request in labelled_.batch.requests]


def kills(cases_, mutant=None):
    """Return how many cases tell a mutant of the closures from the real thing; without one, how many are answered wrongly."""
    with in_place(mutant) if mutant is not None else contextlib.nullcontext({}) as changed:
        modules = lambda name: changed.get(f"thunderlab.policy.{name}") or importlib.import_module(f"thunderlab.policy.{name}")
        anew = any(f"thunderlab.policy.{name}" in changed for name in ("values", "tree", "reading", "convert", "request", "entities"))
        program = modules("program").Program
        return sum(_told_apart(one, program, modules, anew) for one in cases_)


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
    except Exception:
        return labelled_.size
    told = 0
    for request, (permits, forbids, failed) in zip(made[1], labelled_.expected, strict=True):
        try:
            ours = compiled.run(request)
            told += len(set(ours[0]) ^ set(permits)) + len(set(ours[1]) ^ set(forbids)) + len({at for at, _ in ours[2]} ^ set(failed))
            told += ours[0] != sorted(ours[0]) or ours[1] != sorted(ours[1]) or ours[2] != sorted(ours[2])
        except TimeoutError:
            raise
        except Exception:
            told += len(labelled_.batch.policies)
    return told


@contextlib.contextmanager
def patience(seconds):
    """Raise TimeoutError in what takes longer: a mutant may never end."""

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def counted(mutant, judge):
    """Return how many cases kill a mutant; one that cannot be loaded, or never ends, is killed by all of them."""
    try:
        with patience(PATIENCE_S):
            return judge(mutant)
    except TimeoutError:
        return sys.maxsize
    except Exception:  # it cannot even be loaded
        return sys.maxsize


def equivalent(mutant):
    """Return why a mutant changes no answer; None when it should."""
    return next((why for (module, what), why in EQUIVALENT.items() if mutant.module.endswith(f".{module}") and what in mutant.what), None)


# (module, part of the change): why no answer changes.
EQUIVALENT: dict[tuple[str, str], str] = {}


def every_mutant(names, every=1, first=0):
    """Yield the mutants of modules of the policy room."""
    found = itertools.chain.from_iterable(mutants(f"thunderlab.policy.{name}") for name in names)
    yield from itertools.islice(found, first, None, every)


def main():
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.policy.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("which", choices=["closures", "columns"])
    parser.add_argument("--only", nargs="+", metavar="MODULE")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="how many cases, as a share of all")
    asked = parser.parse_args()
    names = asked.only or CLOSURES
    judged = pool(asked.scale)
    judge = lambda mutant: kills(judged, mutant)
    print(f"{sum(one.size for one in judged)} cases in {len(judged)} sets; {kills(judged)} answered wrongly by what is to be mutated")
    started, tally, survivors, few = time.process_time(), Counter(), [], []
    for mutant in every_mutant(names, asked.every, asked.first):
        told = counted(mutant, judge)
        reason = equivalent(mutant)
        kind = "equivalent" if reason and not told else "survived" if not told else "few" if told < MANY else "killed"
        tally[kind] += 1
        if kind == "survived":
            survivors.append(mutant)
            print(f"survived: {mutant}", flush=True)
        elif kind == "few":
            few.append(mutant)
            print(f"killed by {told}: {mutant}", flush=True)
        elif reason and told:
            print(f"not equivalent after all, killed by {told}: {mutant}", flush=True)
    alive = sum(tally[kind] for kind in ("survived", "few", "killed"))
    print(f"{dict(tally)}; killed {1 - tally['survived'] / max(1, alive):.2%}, by {MANY} or more {tally['killed'] / max(1, alive):.2%}, {time.process_time() - started:.0f} s")
    return 1 if tally["survived"] else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
