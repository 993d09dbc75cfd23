"""Requests in Parquet files: judged in columns, and compared; the same totals as counting by hand."""

import json

import polars as pl
import pytest

from tests.policy.little_policies import ENTITIES, OVERFLOWS, POLICIES, asks, load
from thunderlab.errors import InputError
from thunderlab.policy.record import frames
from thunderlab.policy.record.frames import RequestsFile
from thunderlab.policy.record.wire import say_entities

CLOSED = POLICIES + '@id("closed") forbid (principal == User::"ann", action == Action::"write", resource);\n'


def _file(path, requests, **more):
    rows = [
        {
            **{f"{role}_{part}": request[role][part] for role in ("principal", "action", "resource") for part in ("type", "id")},
            "context": request["context"],
        }
        for request in requests
    ]
    context = pl.Struct({"hour": pl.Int64, "cost": pl.Int64})
    pl.DataFrame(rows, schema_overrides={"context": context}).with_columns(**more).write_parquet(path)
    return path


REQUESTS = [
    asks("ann", "read"), asks("ann", "write"), asks("bob", "read", hour=18), asks("bob", "write"), asks("ann", "read", cost=OVERFLOWS),
    asks("ann", "read", cost=6), asks("eve", "read"), asks("ann", "remove"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(frames, "PIECE", 3)


@pytest.fixture
def little(tmp_path):
    return load(tmp_path / "little")


def test_columns_decide_as_one_by_one(tmp_path, little):
    world = little.with_own(say_entities(ENTITIES))
    found = [
        row
        for _, frame in RequestsFile(_file(tmp_path / "r.parquet", REQUESTS)).pieces()
        for row in frames.judged(little, frame, world, tmp_path).iter_rows(named=True)
    ]
    alone = [little.judge(request, world) for request in REQUESTS]
    assert (
        [row["decision"] for row in found]
        == [one.decision for one in alone]
        == ["allow", "allow", "deny", "deny", "deny", "deny", "deny", "deny"]
    )
    assert [tuple(row["reasons"]) for row in found] == [one.reasons for one in alone]
    assert [tuple(row["errors"]) for row in found] == [one.errors for one in alone]
    assert [row["request_errors"] is None for row in found] == [not one.request_errors for one in alone]
    assert [row["failed_closed"] for row in found] == [one.failed_closed for one in alone]


def test_what_if_for_a_file_against_another_policy_set(lab, tmp_path, little):
    path = _file(tmp_path / "r.parquet", REQUESTS)
    seen = []
    found = lab.policy.replay_file(
        load(tmp_path / "changed", CLOSED), path, against=little, entities=ENTITIES, on_progress=lambda *at: seen.append(at)
    )
    assert (found.total, found.changed, found.newly_denied, found.newly_allowed) == (8, 1, 1, 0)
    (sample,) = found.samples.newly_denied
    assert (sample.seq, sample.policies, json.loads(sample.request)) == (1, ("closed",), asks("ann", "write"))
    assert found.against == little.digest and found.requests == RequestsFile(path).digest()
    assert [(one.name, one.newly_denied) for one in found.by_policy] == [("closed", 1)]
    assert seen == [(3, 8), (6, 8), (8, 8)]
    assert lab.policy.newest_replay()[0] == found
    back = lab.policy.replay_file(little, path, against=load(tmp_path / "changed", CLOSED), entities=ENTITIES)
    assert (back.newly_allowed, back.newly_denied, back.by_policy[0].name) == (1, 0, "writers")
    assert lab.policy.replay_file(little, path, against=little, entities=ENTITIES).changed == 0


def test_a_file_may_say_how_it_was_decided(lab, tmp_path, little):
    told = pl.Series(["allow", "deny", None, "allow", "allow", "deny", "deny", "allow"])
    reasons = pl.Series([["readers"], [], [], ["old"], ["readers"], [], [], []])
    path = _file(tmp_path / "r.parquet", REQUESTS, decision=told, reasons=reasons)
    found = lab.policy.replay_file(little, path, entities=ENTITIES)
    assert (found.total, found.newly_denied, found.newly_allowed, found.cannot_be_built, found.failed_closed) == (8, 3, 1, 1, 2)
    assert {(one.name, one.newly_denied, one.newly_allowed) for one in found.by_policy} == {
        ("old", 1, 0),
        ("dear", 1, 0),
        ("writers", 0, 1),
        ("(cannot be built)", 1, 0),
    }
    assert {one.name: one.newly_denied + one.newly_allowed for one in found.by_principal} == {'User::"ann"': 3, 'User::"bob"': 1}
    assert found.against is None
    assert lab.policy.replay_file(little, path, entities=ENTITIES, limit=2).total == 2


def test_without_decisions_the_lab_s_own_policies_decided_before(lab, tmp_path, little):
    (lab.workspace / "policies").mkdir()
    load(lab.workspace / "policies", CLOSED)
    found = lab.policy.replay_file(little, _file(tmp_path / "r.parquet", REQUESTS), entities=ENTITIES)
    assert found.newly_allowed == 1 and found.against == lab.policy.policies.digest


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda path: path.write_text("{}"), "is no Parquet file"),
        (lambda path: pl.DataFrame({"a": [1]}).write_parquet(path), "has no column principal_type"),
        (lambda path: _file(path, REQUESTS[:1], context=pl.struct(hour=pl.lit(1.5), cost=pl.lit(1))), "context"),
        (lambda path: _file(path, REQUESTS[:1], action_id=pl.lit(7)), "action_id"),
    ],
    ids=["no file of that kind", "other columns", "a float", "a number"],
)
def test_a_file_that_cannot_be_read_names_what_is_wrong(lab, tmp_path, little, make, word):
    path = tmp_path / "r.parquet"
    make(path)
    with pytest.raises(InputError) as refused:
        lab.policy.replay_file(little, path, against=little)
    assert str(path) in str(refused.value) and word in str(refused.value)


def test_a_policy_set_without_a_schema_reads_no_columns(lab, tmp_path, little):
    with pytest.raises(InputError, match="no schema"):
        lab.policy.replay_file(load(tmp_path / "bare", schema=None), _file(tmp_path / "r.parquet", REQUESTS), against=little)


def test_an_empty_file_changes_nothing(lab, tmp_path, little):
    path = tmp_path / "r.parquet"
    pl.read_parquet(_file(path, REQUESTS)).head(0).write_parquet(path)
    found = lab.policy.replay_file(little, path, against=little)
    assert (found.total, found.changed, found.by_policy) == (0, 0, ())
