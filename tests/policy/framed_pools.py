"""The labelled frames that mutants of the columns are held against: Cedar's answers to every row, and which frames are refused."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import random
from dataclasses import dataclass

import polars as pl

from tests.policy import cases, retyped, tabled, tables, unfit, world
from tests.policy.mutation import in_place
from tests.policy.oracle import UNBUILT, Answer, Oracle, frame, parsed
from tests.policy.pools import counted, part
from thunderlab.errors import InputError
from thunderlab.policy.requests.entities import read_entities

# Of each table: every so many of its batches, and at most so many cases of each of them.
SHARES = {
    "kinds": (12, 200),
    "single": (2, 900), "longs": (1, 3000), "decimals": (1, 1000), "times": (1, 1500), "addresses": (1, 1500), "strings": (1, 6000), "sets": (1, 1500), "records": (1, 1200),
    "logic": (25, 400), "chains": (1, 4000), "interplay": (1, 1300), "attributes": (1, 3000), "heads": (1, 10000), "questions": (1, 4000),
}  # fmt: skip
DAY_MS = 86_400_000
SECOND_OF = {"datetime": "1970-01-01T00:00:01Z", "duration": "1s"}


@dataclass
class Framed:
    """Cases for the columns: what they are made of, and the rows Cedar expects.

    Attributes:
        policies: mostly permits, so that every one that applies is a reason.
        vocabulary: what the schema says.
        frame: the requests.
        entities: what is known of the world.
        expected: an `Answer` per row; None when the frame is to be refused.
        field: the column that is named then.
        fallbacks: the policies that columns cannot express, and why, as the real thing says.
    """

    policies: tuple
    vocabulary: object
    frame: pl.DataFrame
    entities: object
    expected: list | None
    field: str = ""
    fallbacks: dict = dataclasses.field(default_factory=dict)

    @property
    def size(self):
        """How many cases these are."""
        return len(self.policies) * self.frame.height


def framed_pool(scale=1.0, batches=8):
    """Return the labelled cases that mutants of the columns are held against: of every table, made-up ones, and what a schema does not allow."""
    found = []
    for name, table in tables.TABLES.items():
        for place, batch in enumerate(part(table, SHARES[name], scale)):
            if batch.schema is not None and batch.policies:
                found.append((place, framed(batch, tabled.kinds(batch))))
                if batch.fields:
                    found.append((place, framed(fewer(batch, place), tabled.kinds(batch), place)))
                if any("forbid(" in str(policy) for policy in batch.policies):
                    found.append((place, framed(fewer(batch, place), tabled.kinds(batch), effects=True)))
    for seed in range(batches):
        made = cases.batch(random.Random(seed), policies=25, requests=20, permits=0.6, depth=3)
        found += [
            (seed, framed(made, world.CONTEXT)),
            (seed, framed(made, world.CONTEXT, seed)),
            (seed, framed(made, world.CONTEXT, effects=True)),
        ]
    found += [(0, estranged()), (0, long_ago()), *((0, one) for one in split_milliseconds())]
    every = max(1, round(1 / scale))
    found += [(place, framed(batch, kinds, place)) for place, (_, batch, kinds) in enumerate(unfit.requests()) if place % every == 0]
    # Some of everything first: most mutants are known after a few frames.
    return [one for _, one in sorted(found, key=lambda pair: pair[0])] + list(misfits(every))


def framed(batch, kinds, seed=None, *, effects=False):
    """Return a batch with Cedar's answers, as a frame.

    Args:
        batch: policies and requests.
        kinds: what the attributes of its contexts are, as `world.CONTEXT` says it.
        seed: of dtypes other than the natural ones; none without one.
        effects: whether forbids stay forbids; else they become permits, so that every policy that applies is a reason.
    """
    text = batch.text if effects else "\n".join(str(policy).replace("forbid(", "permit(", 1) for policy in batch.policies)
    answers = Oracle(text, batch.schema).answers(batch.requests, list(batch.entities))
    policies = parsed(text, batch.schema)
    if seed is None:
        requests = frame(batch.requests, world.polars_type(kinds) if kinds else None)
    else:
        requests = retyped.frame(batch.requests, kinds, random.Random(seed))
    return _real(policies, requests, policies.world(batch.entities), answers)


def _real(policies, requests, entities, answers):
    """Return the cases, with what the real thing holds against rows one by one."""
    made = Framed(policies.policies, policies.vocabulary, requests, entities, answers)
    _, made.fallbacks = _evaluated(made, importlib.import_module("thunderlab.policy.columns.evaluate").Columns)
    return made


def estranged():
    """Return entities that were never held against the schema, which Cedar only takes when it is not told the schema."""
    batch = unfit.strangers()
    policies = parsed(batch.text, batch.schema)
    uid = pl.Struct({"type": pl.String, "id": pl.String})
    requests = frame(batch.requests, pl.Struct({"x": pl.String, "p": uid, "g": uid}))
    answers = Oracle(batch.text).answers(batch.requests, list(batch.entities))
    return _real(policies, requests, read_entities(batch.entities), answers)


def long_ago():
    """Return moments that only a column of datetimes holds, since no text that Cedar reads is so early: Python says when a day began too early."""
    days = (
        "context.x.toDate() == context.x || true",
        "context.x.toDate() <= context.x || true",
        "!(context.x.toDate() > context.x) || true",
    )
    policies = parsed("\n".join(map(tabled.when, days)), tabled.schema({"x": "datetime"}).replace("x?", "x"))
    moments = [one for number in range(12) for one in (tabled.LEAST + number, -(-tabled.LEAST // DAY_MS) * DAY_MS + number)]
    requests = frame([tabled.asked()] * len(moments)).with_columns(
        pl.struct(x=pl.Series(moments, dtype=pl.Int64).cast(pl.Datetime("ms"))).alias("context")
    )
    names = tuple(policy.id for policy in policies.policies)
    too_early = [moment - moment % DAY_MS < tabled.LEAST for moment in moments]
    answers = [Answer("deny", (), names) if early else Answer("allow", names, ()) for early in too_early]
    return _real(policies, requests, policies.world([]), answers)


def split_milliseconds():
    """Yield moments and spans in finer units than Cedar has: Python says which of them are whole milliseconds, and the others are no requests."""
    for kind, dtype, ticks in (
        ("datetime", pl.Datetime("us"), 1_000),
        ("datetime", pl.Datetime("ns", "UTC"), 1_000_000),
        ("duration", pl.Duration("us"), 1_000),
        ("duration", pl.Duration("ns"), 1_000_000),
    ):
        policies = parsed(tabled.when(f'context.x == {world.EXTENSION_OF[kind]}("{SECOND_OF[kind]}")'), tabled.schema({"x": kind}))
        counts = [ms * ticks + more for ms in (0, 1_000, -1_000, 1_001) for more in (0, 1, -1, ticks // 2, ticks - 1, 0)]
        requests = frame([tabled.asked()] * len(counts)).with_columns(
            pl.struct(x=pl.Series(counts, dtype=pl.Int64).cast(dtype)).alias("context")
        )
        ids = tuple(policy.id for policy in policies.policies)
        second = Answer("allow", ids, ())
        answers = [UNBUILT if count % ticks else second if count == 1_000 * ticks else Answer("deny", (), ()) for count in counts]
        yield _real(policies, requests, policies.world([]), answers)


def fewer(batch, seed):
    """Return a batch with a third of its requests, when there are many."""
    step = slice(seed % 3, None, 3) if len(batch.requests) >= 60 else slice(None)
    return dataclasses.replace(batch, requests=batch.requests[step])


def misfits(every=1):
    """Yield a frame of each dtype that cannot hold what the schema says, and of each that can."""
    bare = frame([{**tabled.WHO, "principal": {"type": "Person", "id": "ann"}, "resource": {"type": "Team", "id": "t0"}, "context": {}}])
    text, answer = unfit.POLICIES[0], Oracle(unfit.POLICIES[0]).answers([tabled.WHO])
    read = functools.cache(lambda schema: parsed(text, schema))
    for schema, where, dtype, fits in list(unfit.columns())[::every]:
        policies = read(schema)
        requests = bare.with_columns(pl.Series("context", [None], dtype=dtype))
        yield Framed(
            policies.policies, policies.vocabulary, requests, policies.world([]), answer if fits else None, f"column context.{where}"
        )


def kills_columns(cases_, mutant=None):
    """Return how many cases tell a mutant of the columns from the real thing; without one, how many are answered wrongly."""
    with in_place(mutant) if mutant is not None else contextlib.nullcontext({}):
        evaluator = importlib.import_module("thunderlab.policy.columns.evaluate").Columns
        return counted(cases_, lambda one: _rows_told_apart(one, evaluator))


def _evaluated(framed_, evaluator):
    """Return the rows of the answer, and the policies that were held against rows one by one."""
    compiled = evaluator(framed_.policies, framed_.vocabulary)
    rows = compiled.evaluate(framed_.frame, framed_.entities).select("decision", "reasons", "errors", "request_errors").rows()
    return rows, compiled.fallbacks


def _rows_told_apart(framed_, evaluator):
    try:
        rows, fallbacks = _evaluated(framed_, evaluator)
    except TimeoutError:
        raise
    except InputError as refused:
        return 0 if framed_.expected is None and (refused.field or "").startswith(framed_.field) else framed_.size
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return framed_.size  # a panic of Polars is no `Exception`
    if framed_.expected is None:
        return framed_.size
    # That a policy is held against rows one by one, and why, is told to whoever asks.
    told = abs(len(rows) - len(framed_.expected)) + len(framed_.fallbacks.items() ^ fallbacks.items()) * len(rows)
    for (decision, reasons, failed, wrong), wanted in zip(rows, framed_.expected, strict=False):
        told += (wrong is None) is (wanted.decision is None)
        told += len(set(reasons or ()) ^ set(wanted.reasons)) + len(set(failed or ()) ^ set(wanted.errors))
        told += (decision, tuple(reasons or ()), tuple(failed or ())) != wanted
    return told
