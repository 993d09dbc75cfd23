"""Both compilers against Cedar at the boundaries: every table of `tables`, and made-up policies that Hypothesis puts together.

Cedar labels every case while the test runs. `python -m tests.policy.fresh` looks at as many more as one likes.
"""

from __future__ import annotations

import random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from tests.policy import cases, tabled, tables, texts, world
from tests.policy.oracle import Oracle, closures, closures_of, columns, columns_of, frame, parsed
from tests.policy.pools import chosen
from tests.policy.tabled import PEOPLE, asked

# Of each table: every so many of its batches, and at most so many cases of each of those; for closures, then for columns.
FEWER = {
    "kinds": ((9, 100), (49, 100)),
    "single": ((1, 400), (3, 400)), "longs": ((1, 1500), (1, 1500)), "decimals": ((1, 900), (1, 900)), "times": ((1, 900), (1, 900)), "addresses": ((1, 900), (1, 900)),
    "strings": ((1, 5000), (1, 5000)), "sets": ((1, 900), (2, 900)), "records": ((1, 1200), (1, 1200)), "logic": ((24, 350), (80, 350)), "chains": ((1, 3000), (1, 3000)), "interplay": ((1, 1300), (1, 1300)), "attributes": ((2, 2000), (2, 2000)),
    "heads": ((1, 2500), (1, 2500)), "questions": ((1, 2000), (1, 2000)),
}  # fmt: skip
QUIET = settings(suppress_health_check=list(HealthCheck), max_examples=7)


def differing(batch, ours, schema):
    """Return (request, Cedar's answer, ours) where they differ."""
    wanted = Oracle(batch.text, schema).answers(batch.requests, list(batch.entities))
    return [one for one in zip(batch.requests, wanted, ours, strict=True) if one[1] != one[2]]


@pytest.mark.parametrize("name", tables.TABLES)
def test_closures_say_what_cedar_says_at_the_edges(name):
    every, most = FEWER[name][0]
    for place, batch in enumerate(chosen(tables.TABLES[name](), every, most)):
        schema = batch.schema if place % 3 == 0 or name == "heads" else None
        assert differing(batch, closures(batch, schema), schema) == []


@pytest.mark.parametrize("name", tables.TABLES)
def test_columns_say_what_cedar_says_at_the_edges(name):
    every, most = FEWER[name][1]
    for batch in chosen(tables.TABLES[name](), every, most):
        if batch.schema is not None:
            assert differing(batch, columns(batch, tabled.context_type(batch)), batch.schema) == []


@QUIET
@given(cases.batches(policies=5, requests=25))
def test_made_up_policies(batch):
    assert differing(batch, closures(batch, batch.schema), batch.schema) == []
    assert differing(batch, columns(batch, world.polars_type(world.CONTEXT)), batch.schema) == []


@pytest.mark.parametrize("seed", range(6))
def test_many_made_up_policies_in_one_set(seed):
    batch = cases.batch(random.Random(seed), wrong=0.02 * seed)
    assert differing(batch, closures(batch, batch.schema), batch.schema) == []
    assert differing(batch, closures(batch), None) == []


@pytest.mark.parametrize("seed", range(3))
def test_many_made_up_policies_in_columns(seed):
    batch = cases.batch(random.Random(seed), policies=25, wrong=0.02 * seed)
    assert differing(batch, columns(batch, world.polars_type(world.CONTEXT)), batch.schema) == []


def test_one_set_is_asked_in_worlds_whose_actions_are_in_different_groups():
    """What was found out about an action in one world holds there alone."""
    text = 'permit(principal, action in Action::"up", resource); forbid(principal, action == Action::"act", resource in Team::"t1") when { action in Action::"top" };'
    ours, theirs, group = parsed(text), Oracle(text), {"type": "Action", "id": "up"}
    act = {"uid": {"type": "Action", "id": "act"}, "attrs": {}}
    for parents in ([], [group], [{"type": "Action", "id": "top"}], [group, {"type": "Action", "id": "top"}], []):
        entities = [*PEOPLE, {**act, "parents": parents}]
        assert closures_of(ours, [asked()], entities) == theirs.answers([asked()], entities), parents


@pytest.mark.parametrize("name", texts.EXTENSIONS)
def test_the_tables_hold_what_they_say(name):
    """Cedar reads all texts that are listed as good, and none of the others."""
    good, bad = texts.EXTENSIONS[name]
    oracle = Oracle(tabled.when(f"{name}(context.x) == {name}(context.x)"))
    answers = oracle.answers([tabled.asked(x=text) for text in (*good, *bad)])
    assert [answer.decision for answer in answers] == ["allow"] * len(good) + ["deny"] * len(bad)


def test_made_up_policies_apply_fail_and_do_neither():
    """Else they would say little."""
    applied = failed = asked = 0
    for seed in range(6):
        batch = cases.batch(random.Random(seed))
        for answer in Oracle(batch.text, batch.schema).answers(batch.requests, list(batch.entities)):
            assert answer.decision is not None
            applied, failed, asked = applied + len(answer.reasons), failed + len(answer.errors), asked + len(batch.policies)
    assert applied > asked / 12 and asked / 12 < failed < asked / 2


def test_an_operand_that_is_missing_is_an_error_whatever_the_other_is():
    """Also of a set that has nothing in it, or nothing that could be an entity: it decides the answer, but not whether there is one."""
    schema = "entity P, T; action a appliesTo { principal: [P], resource: [T], context: { x?: P, y?: Set<Long>, z?: Set<P> } };"
    conditions = (
        "context.x in context.y",
        "context.x in context.z",
        "context.x in []",
        "[context.x].contains(3)",
        "context.y == context.z",
    )
    text = "\n".join(f"permit(principal, action, resource) when {{ {one} || true }};" for one in conditions)
    who = {"__entity": {"type": "P", "id": "p"}}
    contexts = [{"x": who, "y": [], "z": []}, {"y": [], "z": [who]}, {"x": who, "y": [1]}, {"x": who, "z": []}, {"x": who}, {}]
    uids = {"principal": who["__entity"], "action": {"type": "Action", "id": "a"}, "resource": {"type": "T", "id": "t"}}
    requests = [uids | {"context": context} for context in contexts]
    named = pl.Struct({"type": pl.String, "id": pl.String})
    rows = frame(requests, pl.Struct({"x": named, "y": pl.List(pl.Int64), "z": pl.List(named)}))
    wanted = Oracle(text, schema).answers(requests)
    assert columns_of(parsed(text, schema), rows) == wanted
    assert closures_of(parsed(text, schema), requests) == wanted
