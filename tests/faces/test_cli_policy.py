"""`thunderlab policy` as a user types it: exit codes, answers, and what is refused before anything is made."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tests.policy.little_policies import ENTITIES, OVERFLOWS, POLICIES, SCHEMA, asks, write
from thunderlab.workspace import shipped

LAB = shipped("scenarios") / "policies" / "lab"


@pytest.fixture
def place(tmp_path):
    """A folder with a policy set, its schema beside it as the contract has it, entities and a request."""
    write(tmp_path / "set", schema=None)
    (tmp_path / "little.cedarschema").write_text(SCHEMA)
    (tmp_path / "entities.json").write_text(json.dumps(ENTITIES))
    (tmp_path / "request.json").write_text(json.dumps(asks()))
    return tmp_path


def _asked(place, *more, request="request.json"):
    return (
        "--policies", place / "set", "--schema", place / "little.cedarschema", "--entities", place / "entities.json",
        "--request", request if request == "-" else place / request, *more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("request_", "code", "expected"),
    [
        (asks(), 0, {"decision": "allow", "reasons": ["readers"], "errors": [], "failed_closed": False}),
        (asks(hour=20), 1, {"decision": "deny", "reasons": [], "errors": [], "failed_closed": False}),
        (asks(cost=6), 1, {"decision": "deny", "reasons": ["dear"], "errors": [], "failed_closed": False}),
        (asks(cost=OVERFLOWS), 1, {"decision": "deny", "reasons": [], "errors": ["dear"], "failed_closed": True}),
        (asks(hour=2.0), 1, {"decision": "deny", "reasons": [], "errors": [], "failed_closed": True}),
        ({}, 1, {"decision": "deny", "reasons": [], "errors": [], "failed_closed": True}),
    ],
)
def test_decide_exits_by_its_decision_and_is_on_record(cli, place, request_, code, expected):
    ran = cli("policy", "decide", *_asked(place, "--json", request="-"), stdin=json.dumps(request_))
    assert ran.code == code and ran.stderr == ""
    found = ran.json()
    assert {name: found[name] for name in expected} == expected
    assert (
        found["latency_us"] >= 0
        and len(found["verdict_id"]) == 64
        and bool(found["request_errors"]) == (request_ == {} or request_ == asks(hour=2.0))
    )
    listed = cli("policy", "log", "--json").json()
    assert [(one["verdict_id"], one["decision"]) for one in listed["verdicts"]] == [(found["verdict_id"], expected["decision"])]
    assert listed["verdicts"][0]["request"] == request_


def test_decide_says_so_to_people(cli, place):
    ran = cli("policy", "decide", *_asked(place))
    assert ran.code == 0 and ran.stdout.startswith("allow in ") and "people may read before five" in ran.stdout
    ran = cli("policy", "decide", *_asked(place, request="-"), stdin=json.dumps(asks(hour=20)))
    assert ran.code == 1 and "nothing permits it" in ran.stdout


def test_the_lab_s_own_policies_are_asked_by_default(cli, tmp_path):
    request = {
        "principal": {"type": "Lab::Service", "id": "retention"}, "action": {"type": "Lab::Action", "id": "evict"},
        "resource": {"type": "Lab::Collection", "id": "runs"}, "context": {"age_us": 1, "share_ppm": 1, "superseded": True},
    }  # fmt: skip
    known = [{"uid": request["resource"], "attrs": {"protected": False}, "parents": []}]
    (tmp_path / "known.json").write_text(json.dumps(known))
    ran = cli("policy", "decide", "--request", "-", "--entities", tmp_path / "known.json", "--json", stdin=json.dumps(request))
    assert (ran.code, ran.json()["reasons"], ran.json()["policy_module"]) == (0, ["evict.old"], "cli/lab")


def test_batch_answers_line_by_line(cli, place):
    lines = [asks(), asks(hour=20), {}, asks("bob", "write")]
    (place / "r.jsonl").write_text("\n".join(map(json.dumps, lines)).replace("\n{}", "\n\n{}") + "\n")
    how = ("--policies", place / "set", "--schema", place / "little.cedarschema", "--entities", place / "entities.json")
    ran = cli("policy", "batch", *how, "--requests", place / "r.jsonl", "--json")
    found = ran.json()
    assert ran.code == 0
    assert (found["total"], found["allowed"], found["denied"], found["failed_closed"]) == (4, 1, 3, 1)
    assert [(one["line"], one["decision"], one["reasons"]) for one in found["answers"]] == [
        (1, "allow", ["readers"]), (2, "deny", []), (4, "deny", []), (5, "deny", []),
    ]  # fmt: skip
    piped = cli("policy", "batch", *how, "--requests", "-", stdin=json.dumps(asks()))
    assert piped.code == 0 and "1 decided: 1 allowed, 0 denied." in piped.stdout
    assert cli("policy", "log", "--limit", "2", "--decision", "deny", "--json").json()["total"] == 3
    audited = cli("policy", "audit", "--json")
    assert (audited.code, audited.json()["ok"], audited.json()["reproduced"]) == (0, True, 5)


def test_replay_says_what_would_change(cli, place):
    for number in range(3):
        cli("policy", "decide", *_asked(place, request="-"), stdin=json.dumps(asks(hour=16 + number)))
    write(place / "changed", POLICIES.replace("< 17", "< 18").replace("> 2", "> 9"), schema=None)
    ran = cli("policy", "replay", "--policies", place / "changed", "--json")
    found = ran.json()
    assert ran.code == 0
    assert (found["total"], found["changed"], found["newly_denied"], found["newly_allowed"]) == (3, 1, 0, 1)
    assert [one["request"] for one in found["samples"]["newly_allowed"]] == [
        json.dumps(asks(hour=17), sort_keys=True, separators=(",", ":"))
    ]
    assert found["by_policy"] == [{"name": "readers", "newly_denied": 0, "newly_allowed": 1}]
    assert cli("policy", "replay", "--policies", place / "changed", "--since", "2200-01-01", "--json").json()["total"] == 0
    said = cli("policy", "replay", "--policies", place / "changed").stdout
    assert "newly allowed" in said and "readers" in said
    report = cli("report", "build", "--out", place / "report", "--json")
    page = (place / "report" / "index.html").read_text()
    assert report.code == 1 and "What if: changed" in page and "readers" in page
    assert json.loads((place / "report" / "brg.json").read_bytes())["policy"]["replay"]["newly_allowed"] == 1


def _parquet(place, *requests):
    rows = [
        {
            **{f"{role}_{part}": request[role][part] for role in ("principal", "action", "resource") for part in ("type", "id")},
            "context": request["context"],
        }
        for request in requests
    ]
    pl.DataFrame(rows).write_parquet(place / "r.parquet")
    return place / "r.parquet"


def test_replay_of_a_parquet_file(cli, place):
    _parquet(place, asks(), asks(hour=17), asks(hour=20))
    write(place / "changed", POLICIES.replace("< 17", "< 18"))
    write(place / "before")
    how = (
        "--policies",
        place / "changed",
        "--requests",
        place / "r.parquet",
        "--against",
        place / "before",
        "--entities",
        place / "entities.json",
    )
    found = cli("policy", "replay", *how, "--json").json()
    assert (found["total"], found["newly_allowed"], found["newly_denied"], found["samples"]["newly_allowed"][0]["seq"]) == (3, 1, 0, 1)


def test_audit_says_no_to_a_forged_verdict(cli, place, tmp_path):
    import sqlite3
    from contextlib import closing

    cli("policy", "decide", *_asked(place))
    with closing(sqlite3.connect(tmp_path / "workspace" / "lab.db")) as database, database:
        database.execute("UPDATE policy_verdict_chain SET payload = replace(CAST(payload AS TEXT), 'ann', 'bob') WHERE seq = 1")
    ran = cli("policy", "audit", "--json")
    assert ran.code == 1 and ran.json()["failures"][0]["seq"] == 1
    assert cli("ledger", "audit", "--full").code == 1
    assert cli("gate", "check").code == 1
    assert "damaged" in cli("policy", "log").stdout


def test_check_holds_policies_against_schema_and_tests(cli, place):
    ran = cli("policy", "check", LAB, "--json")
    (found,) = ran.json()["policy_sets"]
    assert ran.code == 0 and ran.json()["ok"] and found["tests"] > 40 and found["validated"] and not found["failed"]
    assert found["policies"][0] == {"policy": "deploy.ready", "file": "deploy.cedar", "line": 4}
    write(place / "tested")
    (place / "tested" / "tests.yaml").write_text(
        "policy_tests: 1\nrequests:\n  r: {principal: {type: User, id: a}, action: {type: Action, id: read}, resource: {type: Page, id: b}, context: {hour: 1}}\n"
        "tests:\n  - {name: anybody reads, of: r, decision: allow}\n"
    )
    ran = cli("policy", "check", place / "tested")
    assert ran.code == 1 and "anybody reads" in ran.stdout and "expected allow, got deny" in ran.stdout
    assert cli("policy", "check", place / "set" / "all.cedar", place / "little.cedarschema").code == 0


def _decide(place, **files):
    for name, text in files.items():
        (place / name.replace("_", ".")).write_text(text)
    return ("policy", "decide", *_asked(place))


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (lambda p: ("policy", "check"), ("FILE",)),
        (lambda p: ("policy", "check", p / "nothing.cedar"), ("nothing.cedar", "no such file")),
        (lambda p: ("policy", "check", (p / "empty").mkdir() or p / "empty"), ("empty",)),
        (
            lambda p: ("policy", "check", write(p / "bad", POLICIES + "\npermit (principal, action, resource) when { context.nonsense };")),
            ("bad", "line", "policy3"),
        ),
        (lambda p: ("policy", "check", write(p / "bad", "permit (principal,\naction,\nresource) when {")), ("all.cedar", "line")),
        (lambda p: ("policy", "decide"), ("--request",)),
        (lambda p: ("policy", "decide", "--policies", p / "set", "--request", p / "request.json"), ("set", "no schema", "--schema")),
        (lambda p: ("policy", "decide", "--schema", p / "little.cedarschema", "--request", p / "request.json"), ("--policies",)),
        (lambda p: ("policy", "decide", "--policies", p / "none", "--request", p / "request.json"), ("none", "no such folder")),
        (lambda p: ("policy", "decide", "--policies", p / "request.json", "--request", p / "request.json"), ("is no folder",)),
        (lambda p: ("policy", "decide", *_asked(p, "--schema", p / "none.cedarschema")), ("none.cedarschema", "no such file")),
        (lambda p: _decide(p, request_json="[1, 2]"), ("request.json", "expected a request", "a list")),
        (lambda p: _decide(p, request_json="{"), ("request.json", "line 1", "not JSON")),
        (lambda p: _decide(p, request_json='{"a": 1, "a": 2}'), ("'a' is said twice",)),
        (lambda p: _decide(p, entities_json="{}"), ("entities.json", "list of entities")),
        (lambda p: _decide(p, little_cedarschema="entity User in"), ("schema",)),
        (lambda p: ("policy", "batch", "--policies", LAB, "--requests", p / "none.jsonl"), ("none.jsonl", "no such file")),
        (
            lambda p: ("policy", "batch", "--policies", LAB, "--requests", (p / "r.jsonl").write_text("{}\n{}\n[]\n") and p / "r.jsonl"),
            ("r.jsonl", "line 3", "a list"),
        ),
        (
            lambda p: ("policy", "batch", "--policies", LAB, "--requests", (p / "r.jsonl").write_text("{}\n{]\n") and p / "r.jsonl"),
            ("r.jsonl", "line 2", "not JSON"),
        ),
        (lambda p: ("policy", "replay"), ("--policies",)),
        (lambda p: ("policy", "replay", "--policies", p / "set", "--since", "yesterday"), ("--since", "yesterday", "24h")),
        (lambda p: ("policy", "replay", "--policies", LAB, "--requests", p / "request.json"), ("request.json", "Parquet")),
        (lambda p: ("policy", "replay", "--policies", LAB, "--entities", p / "entities.json"), ("--requests",)),
        (lambda p: ("policy", "log", "--decision", "maybe"), ("maybe",)),
        (lambda p: ("policy", "log", "--limit", "-1"), ("--limit",)),
    ],
    ids=range(25),
)
def test_bad_input_is_one_line_and_nothing_is_recorded(cli, place, arrange, words):
    ran = cli(*arrange(place), "--json")
    assert ran.code == 2, (ran.stdout, ran.stderr)
    assert ran.stdout == "" and ran.stderr.count("\n") == 1 and ran.stderr.startswith("error: ")
    assert all(word in ran.stderr for word in words), ran.stderr


@pytest.mark.parametrize("verb", ["decide", "batch"])
def test_bad_input_makes_no_workspace(cli, place, tmp_path, verb):
    (place / "bad.json").write_text("[")
    ran = cli("policy", verb, "--policies", LAB, "--request" if verb == "decide" else "--requests", place / "bad.json")
    assert ran.code == 2 and not (tmp_path / "workspace").exists()


def test_a_parquet_file_that_fits_no_schema_makes_no_workspace(cli, place, tmp_path):
    write(place / "changed")
    replay = ("policy", "replay", "--policies", place / "changed", "--requests")
    ran = cli(*replay, _parquet(place, asks(), asks(hour=1.5)))
    assert ran.code == 2 and "r.parquet: column context.hour: expected integers" in ran.stderr
    (place / "people.json").write_text('[{"uid": {"type": "User", "id": "ann"}, "attrs": {}, "parents": []}]')
    ran = cli(*replay, _parquet(place, asks()), "--entities", place / "people.json")
    assert ran.code == 2 and 'people.json: entity 1: User::"ann": attrs.level: is missing' in ran.stderr
    assert not (tmp_path / "workspace").exists()
    more = ("--against", place / "changed", "--entities", place / "entities.json", "--json")
    assert cli(*replay, _parquet(place, asks()), *more).json()["total"] == 1


def test_nothing_decided_is_an_answer(cli):
    assert cli("policy", "log", "--json").json()["total"] == 0
    assert cli("policy", "audit", "--json").json()["ok"]
    assert cli("policy", "replay", "--policies", LAB, "--json").json()["total"] == 0
