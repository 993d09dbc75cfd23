"""The gate: collects live readings, judges them by the thresholds file, and answers whether the lab is ready."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import msgspec

from thunderlab.canonical import digest
from thunderlab.clock import rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.gate import thresholds as thresholds_file
from thunderlab.gate.collectors import COLLECTORS, Collector, Sources
from thunderlab.gate.events import ReadinessDecided
from thunderlab.gate.readiness import Blocking, DeployGate, Readiness
from thunderlab.gate.reading import SEVERITY, Reading, worst
from thunderlab.gate.thresholds import Limits, Thresholds

# The five gates that block a deployment, each with the reading that measures it once a room provides one.
DEPLOY_GATES = (
    ("event chain", "Event chain audit failures", "event_chain.audit.failures"),
    ("policy chain", "Policy chain continuity", "policy.chain.failures"),
    ("vector latency", "Vector search latency, 95th percentile", "vault.search.latency_us_p95"),
    ("cluster churn", "Clustering churn, sustained over 3 intervals", "embed.cluster.churn_sustained"),
    ("ca qa", "CA QA suite", "ca.qa.breaches"),
)


class Gate:
    """The readiness gate of one lab."""

    def __init__(self, sources: Sources, default_thresholds: Path, collectors: Sequence[Collector] = COLLECTORS) -> None:
        self._sources = sources
        self._default_thresholds = default_thresholds
        self._collectors = collectors

    def check(self, thresholds: Path | None = None) -> Readiness:
        """Collect, judge, record the decision in the ledger, sign checkpoints that cover it, and return it.

        A ledger too damaged to write to, or to sign for, keeps the decision from being recorded, not from being made: its audit blocks
        anyway.

        Args:
            thresholds: a thresholds file; the one that ships with the lab when None.

        Raises:
            InputError: when the thresholds file is not one.
        """
        limits = thresholds_file.read(thresholds or self._default_thresholds, frozenset(collector.name for collector in self._collectors))
        at = rfc3339(self._sources.clock.now_us())
        readings = [collector.read(self._sources) for collector in self._collectors if not collector.judges]
        judges = {collector.name: collector for collector in self._collectors if collector.judges}
        # What is still to be read is not missing yet.
        others = {name: limit for name, limit in limits.readings.items() if name not in judges}
        first = msgspec.structs.replace(limits, readings=others)
        judged = dataclasses.replace(self._sources, judged=decide(readings, first, at))
        readings += [collector.read(judged) for collector in judges.values()]
        decided = decide(readings, limits, at)
        decision = ReadinessDecided(
            status=decided.status,
            blocking=[reason.gate for reason in decided.blocking],
            readings_sha256=digest(msgspec.json.encode(decided.readings)),
            thresholds_sha256=limits.sha256,
        )
        with contextlib.suppress(EvidenceError):
            self._sources.bus.emit(decision)
            self._sources.custody.sign_all()
        return decided


def decide(readings: Sequence[Reading], thresholds: Thresholds, at: str) -> Readiness:
    """Return the verdict on readings: a pure function, so that anybody can decide again.

    The lab is as bad as its worst reading, except that an optional reading without data does not count against it. A required
    reading nobody collected is unknown.
    """
    judged = [_judge(reading, thresholds.readings.get(reading.name, Limits())) for reading in readings]
    present = {reading.name for reading in judged}
    judged += [_missing(name) for name, limits in thresholds.readings.items() if limits.required and name not in present]
    counted = [reading for reading in judged if reading.required or reading.status != "unknown"]
    measured = {reading.name for reading in counted}
    status = worst([reading.status for reading in counted])
    reasons = sorted((reading for reading in counted if reading.status != "healthy"), key=lambda reading: -SEVERITY[reading.status])
    gates = tuple(
        # An optional reading without data measures its gate no more than one that nobody takes.
        DeployGate(name=name, title=title, reading=reading if reading in measured else None)
        for name, title, reading in DEPLOY_GATES
    )
    absent = tuple(gate.name for gate in gates if gate.reading is None)
    return Readiness(
        status=status,
        blocking=tuple(
            Blocking(gate=reading.name, value=reading.value, threshold=reading.threshold, why=reading.why) for reading in reasons
        ),
        readings=tuple(judged),
        gates=gates,
        absent=absent,
        coverage=_coverage(gates, absent),
        thresholds_sha256=thresholds.sha256,
        at=at,
    )


def _judge(reading: Reading, limits: Limits) -> Reading:
    status, why = limits.judge(reading)
    if status != "healthy" and reading.why and reading.why not in why:
        why = f"{why}; {reading.why}"
    return msgspec.structs.replace(
        reading, status=status, why=why if status != "healthy" else "", threshold=limits.words(reading.unit), required=limits.required
    )


def _missing(name: str) -> Reading:
    return Reading(
        name=name,
        title=name,
        value=None,
        unit="",
        samples=0,
        age_s=None,
        source="",
        required=True,
        why="nothing collects this required reading",
    )


def _coverage(gates: Sequence[DeployGate], absent: Sequence[str]) -> str:
    measured = f"{len(gates) - len(absent)} of {len(gates)} deploy gates measured"
    return f"{measured}; not yet: {', '.join(absent)}" if absent else measured
