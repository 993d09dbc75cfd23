"""Claim: a million requests are held against ten policies, with reasons and errors, for at most a fiftieth of the CPU time of `cedarpy`'s batch.

Both get the same requests: `cedarpy` 20,000 of them as the dictionaries it takes, made beforehand, with policies and entities parsed once; the
columns a frame of a million. They take turns, in one process, and CPU-seconds are those of all threads. Roles, thresholds, sets, groups, `like` and
attributes of entities are asked for; a fifth of the requests lack a metric, and one product leaves 64 bits, so that policies fail. All
answers to what both were asked are compared, reasons and errors included.

    python -m tests.benchmarks policy_bulk
"""

from __future__ import annotations

import json
import os
import random
import re
import statistics
import time

from tests.benchmarks._race import row, span

SCHEMA = """
entity Team;
entity Agent in [Team] { role: String, level: Long, site?: String };
entity Artifact { owner: Agent, tags: Set<String>, size: Long };
action read, write, promote, evict, publish appliesTo { principal: [Agent], resource: [Artifact], context: {
    latency_us: Long, errors_ppm?: Long, region: String, samples?: Long, labels?: Set<String>, trusted: Bool
} };
"""
POLICIES = """
permit(principal, action == Action::"read", resource) when { principal.role == "reader" || principal.role == "admin" };
permit(principal in Team::"writers", action in [Action::"write", Action::"publish"], resource) when { context.latency_us < 250000 && context.trusted };
permit(principal, action == Action::"promote", resource) when { principal.level >= 3 && context.errors_ppm <= 1000 && context.samples >= 30 };
forbid(principal, action, resource) when { context.latency_us * 4611686018427 > 1000 && principal.role == "guest" };
permit(principal, action == Action::"evict", resource) when { resource.owner == principal };
forbid(principal, action == Action::"publish", resource) when { context has labels && context.labels.contains("embargo") };
permit(principal, action, resource) when { ["eu", "us", "ap"].contains(context.region) && principal.site == "north" };
forbid(principal, action == Action::"write", resource) unless { resource.size < 1000000 };
permit(principal, action, resource) when { context.region like "eu*" && resource.tags.contains("open") };
forbid(principal, action, resource) when { context has errors_ppm && context.errors_ppm + context.samples > 900000 };
"""
AGENTS, ARTIFACTS = 200, 500
MOST_OF_A_BATCH = 20_000
_FAILED = re.compile(r"error while evaluating policy `(.*?)`")


def run(quick=False):
    """Return the claim's row, alone."""
    import cedarpy
    import polars as pl

    from thunderlab.policy.columns import Columns
    from thunderlab.policy.policy_set import PolicySet

    rows, some, rounds = (5_000, 1_000, 1) if quick else (1_000_000, MOST_OF_A_BATCH, 5)
    drawn = random.Random(7)
    entities = _entities(drawn)
    policies = PolicySet.parse(POLICIES, SCHEMA)
    world = policies.world(entities)
    ours = Columns(policies.policies, policies.vocabulary)
    frame = _frame(drawn, rows)
    theirs = cedarpy.PolicySet.from_str(POLICIES), cedarpy.Entities.from_json_str(json.dumps(entities), cedarpy.Schema.from_str(SCHEMA))
    batch = [_document(one) for one in frame.head(some).iter_rows(named=True)]
    cpu, rival, wall = [], [], []
    for _ in range(rounds):
        started, clock = time.process_time(), time.perf_counter()
        found = ours.evaluate(frame, world)
        cpu.append((time.process_time() - started) / rows * 1e6)
        wall.append(time.perf_counter() - clock)
        started = time.process_time()
        answers = cedarpy.is_authorized_batch(batch, *theirs)
        rival.append((time.process_time() - started) / some * 1e6)
    mine = found.head(some).select("decision", "reasons", "errors").rows()
    assert mine == [_read(answer) for answer in answers]
    assert found["request_errors"].null_count() == rows
    failing = (found["errors"].list.len() > 0).mean()
    note = (
        f"medians of {rounds}: {rows} rows in {statistics.median(wall):.2f} s of wall time on {pl.thread_pool_size()} threads; "
        f"{span(cpu)} against {span(rival)} us; {failing:.0%} of the requests have errors; load {os.getloadavg()[0]:.1f}"
    )
    return [
        row(
            "requests against ten policies in bulk",
            "cedarpy batch",
            statistics.median(cpu),
            statistics.median(rival),
            "us CPU a request",
            note,
            at_most=1 / 50,
        )
    ]


def _entities(drawn):
    made = [{"uid": {"type": "Team", "id": "writers"}, "attrs": {}, "parents": []}]
    for at in range(AGENTS):
        attributes = {"role": drawn.choice(["reader", "admin", "guest", "operator"]), "level": drawn.randrange(6)}
        if drawn.random() < 0.7:
            attributes["site"] = drawn.choice(["north", "south"])
        parents = [{"type": "Team", "id": "writers"}] if drawn.random() < 0.4 else []
        made.append({"uid": {"type": "Agent", "id": f"agent-{at:04d}"}, "attrs": attributes, "parents": parents})
    for at in range(ARTIFACTS):
        owner = {"__entity": {"type": "Agent", "id": f"agent-{drawn.randrange(AGENTS):04d}"}}
        attributes = {
            "owner": owner,
            "tags": drawn.sample(["open", "closed", "new", "old"], drawn.randrange(4)),
            "size": drawn.randrange(2_000_000),
        }
        made.append({"uid": {"type": "Artifact", "id": f"artifact-{at:05d}"}, "attrs": attributes, "parents": []})
    return made


def _frame(drawn, rows):
    import polars as pl

    def some_of(values):
        return drawn.choices(values, k=rows)

    context = {
        "latency_us": [drawn.randrange(4_000_000) for _ in range(rows)],
        "errors_ppm": [drawn.randrange(1_000_000) if drawn.random() < 0.8 else None for _ in range(rows)],
        "region": some_of(["eu-west", "eu", "us", "ap", "sa"]),
        "samples": [drawn.randrange(100) if drawn.random() < 0.8 else None for _ in range(rows)],
        "labels": some_of([None, ["embargo"], ["a", "b"], []]),
        "trusted": some_of([True, False]),
    }
    return pl.DataFrame(
        {
            "principal_type": ["Agent"] * rows,
            "principal_id": some_of([f"agent-{at:04d}" for at in range(AGENTS)]),
            "action_type": ["Action"] * rows,
            "action_id": some_of(["read", "write", "promote", "evict", "publish"]),
            "resource_type": ["Artifact"] * rows,
            "resource_id": some_of([f"artifact-{at:05d}" for at in range(ARTIFACTS)]),
            "context": pl.DataFrame(context).to_struct("context"),
        }
    )


def _document(one):
    uids = {part: {"type": one[f"{part}_type"], "id": one[f"{part}_id"]} for part in ("principal", "action", "resource")}
    return uids | {"context": {name: value for name, value in one["context"].items() if value is not None}}


def _read(answer):
    """Return a decision, reasons and errors in the order of the text; there are ten policies, so that is the order of their names."""
    failed = sorted(_FAILED.match(error)[1] for error in answer.diagnostics.errors)
    return answer.decision.value.lower(), sorted(answer.diagnostics.reasons), failed
