"""One collector per reading: each looks at live data and says what it saw, or that there is nothing to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from thunderlab.automata.events import ReplayCompleted
from thunderlab.automata.qa.desk import Qa
from thunderlab.automata.qa.runs import RecordedRun
from thunderlab.clock import Clock, parse_rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.events import Bus, Event
from thunderlab.gate import deploy
from thunderlab.gate.events import RunCompleted
from thunderlab.gate.readiness import Readiness
from thunderlab.gate.reading import Reading
from thunderlab.ledger import EVENTS_CHAIN, VERDICTS_CHAIN, Chain, ChainKind, Custody
from thunderlab.ledger.block import Block
from thunderlab.policy.room import METRIC as VERDICT_METRIC
from thunderlab.policy.room import Policy
from thunderlab.stats import quantile
from thunderlab.store import Store
from thunderlab.telemetry import Meter, summarise

SUITE = "core"
HISTORY = 30

T = TypeVar("T", bound=Event)


@dataclass(frozen=True)
class Sources:
    """Everything a collector may look at; the hall fills it in, and the gate what it has judged so far."""

    store: Store
    clock: Clock
    bus: Bus
    chain: Chain
    custody: Custody
    meter: Meter
    qa: Qa
    policy: Policy | None = None
    judged: Readiness | None = None

    def age_s(self, at: str) -> float:
        """Return how long ago an RFC 3339 time was; a time in the future counts as now."""
        return max(0.0, (self.clock.now_us() - parse_rfc3339(at)) / 1e6)


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a collector saw."""

    value: float | int | None
    samples: int
    age_s: float | None
    source: str
    why: str = ""
    history: tuple[float, ...] = ()


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """A reading's name, words and unit, and the function that takes it; one that `judges` is taken once the others were judged."""

    name: str
    title: str
    unit: str
    observe: Callable[[Sources], Observation]
    judges: bool = False

    def read(self, sources: Sources) -> Reading:
        """Take the reading. A collector that fails reads nothing, and says why: never zero."""
        try:
            seen = self.observe(sources)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the gate must know that it does not know
            why = f"could not be read: {type(error).__name__}: {' '.join(str(error).split())}"
            seen = Observation(value=None, samples=0, age_s=None, source="", why=why)
        return Reading(name=self.name, title=self.title, unit=self.unit, **msgspec.structs.asdict(seen))


def _chain(kind: ChainKind) -> Callable[[Sources], Observation]:
    """Return a collector function that audits a chain now, and puts on record what it found."""

    def observe(sources: Sources) -> Observation:
        found = sources.custody.audit(kind)
        table = str(kind.table.name)
        if kind is VERDICTS_CHAIN and found.ok and not sources.custody.chain(kind).has_entries():
            # Its own opening, keys and checkpoints say nothing of what the chain is for.
            return Observation(value=None, samples=0, age_s=None, source=table, why="nothing was recorded in this chain yet")
        why = ""
        if not found.ok:
            first = found.failures[0]
            why = f"first at block {first.seq}: {first.kind}: {first.detail}"
        try:
            sources.custody.record(found)
        except EvidenceError as error:
            why = f"{why}; the audit could not be recorded: {error.what}"
        source = f"{table}, recomputed now from block {found.first} on"
        # That there is no block at all is a finding, too: one observation.
        return Observation(value=len(found.failures), samples=max(found.blocks, 1), age_s=0.0, source=source, why=why)

    return observe


def _of_suite(measure: Callable[[RecordedRun], float | int | None]) -> Callable[[Sources], Observation]:
    """Return a collector function over the newest recorded run of the core suite, with earlier runs as history."""

    def observe(sources: Sources) -> Observation:
        runs = sources.qa.runs(SUITE, newest=HISTORY)
        if not runs:
            return Observation(
                value=None,
                samples=0,
                age_s=None,
                source="qa_runs",
                why=f"no run of the suite yet; make one with: thunderlab qa run --suite {SUITE}",
            )
        newest = runs[0]
        values = [measure(run) for run in reversed(runs)]
        return Observation(
            value=values[-1],
            samples=len(newest.result.scenarios),
            age_s=sources.age_s(newest.recorded_at),
            source=f"qa_runs {newest.run_id}",
            history=tuple(float(value) for value in values if value is not None),
        )

    return observe


def _breaches(run: RecordedRun) -> int:
    return len(run.result.breaches) + sum(len(scenario.breaches) for scenario in run.result.scenarios)


def _numbers(run: RecordedRun, metric: str) -> list[float]:
    found = (scenario.metrics.get(metric) for scenario in run.result.scenarios)
    return [value for value in found if isinstance(value, int | float)]


def _entropy_mean(run: RecordedRun) -> float | None:
    values = _numbers(run, "entropy_mean")
    return sum(values) / len(values) if values else None


def _convergence_p95(run: RecordedRun) -> float | None:
    values = _numbers(run, "convergence_steps")
    return quantile(values, 0.95) if values else None


def _told(sources: Sources, block: Block, kind: type[T]) -> T:
    """Return the event that a block tells of, in whatever version it was written."""
    event = sources.bus.catalogue.read(block.event_name, block.event_version, block.payload)
    if not isinstance(event, kind):
        raise EvidenceError(f"block {block.seq} tells of {block.event_name}@{block.event_version}, which this reading does not know")
    return event


def _replay_fidelity(sources: Sources) -> Observation:
    blocks = list(sources.chain.blocks(name=ReplayCompleted.NAME, newest=HISTORY))
    if not blocks:
        return Observation(
            value=None,
            samples=0,
            age_s=None,
            source=ReplayCompleted.NAME,
            why="nothing was replayed yet; replay with: thunderlab qa replay SCENARIO",
        )
    replays = [_told(sources, block, ReplayCompleted) for block in blocks]
    return Observation(
        value=min(replay.fidelity for replay in replays),
        samples=sum(replay.steps for replay in replays),
        age_s=sources.age_s(blocks[0].inserted_at),
        source=f"the newest {len(blocks)} {ReplayCompleted.NAME} events",
        history=tuple(replay.fidelity for replay in reversed(replays)),
    )


def _latency(metric: str, nothing: str) -> Callable[[Sources], Observation]:
    """Return a collector function over the newest samples of a metric, of all processes."""

    def observe(sources: Sources) -> Observation:
        sources.meter.flush()
        recorded = sources.meter.recorded(metric)
        summary = summarise(recorded.samples) if recorded else None
        if recorded is None or summary is None:
            return Observation(value=None, samples=0, age_s=None, source="telemetry_windows", why=nothing)
        source = f"telemetry_windows, {metric}"
        return Observation(value=summary.p95.value, samples=summary.samples, age_s=sources.age_s(recorded.newest_at), source=source)

    return observe


def _deploy(sources: Sources) -> Observation:
    """Ask the deploy policy; its verdict is on record before it is a reading."""
    if sources.policy is None or sources.judged is None:
        return Observation(value=None, samples=0, age_s=None, source="", why="there is no policy to ask")
    verdict = sources.policy.decide(deploy.question(sources.judged.readings, sources.chain.origin or "damaged"), module=deploy.MODULE)
    source = f"policy_verdict_chain, verdict {verdict.verdict_id[:12]}"
    if verdict.allowed:
        return Observation(value=0, samples=1, age_s=0.0, source=source)
    why = deploy.why_denied(verdict.reasons, verdict.errors, verdict.request_errors, sources.policy.policies.whys)
    if not deploy.counts(sources.judged.status):
        return Observation(value=None, samples=0, age_s=None, source=source, why=f"denied while evidence is missing: {why}")
    return Observation(value=1, samples=1, age_s=0.0, source=source, why=why)


def _notebooks(sources: Sources) -> Observation:
    blocks = list(sources.chain.blocks(name=RunCompleted.NAME, newest=HISTORY))
    if not blocks:
        return Observation(
            value=None,
            samples=0,
            age_s=None,
            source=RunCompleted.NAME,
            why="the main job has not run here yet; start it with: thunderlab run",
        )
    runs = [_told(sources, block, RunCompleted) for block in blocks]
    newest = runs[0]
    return Observation(
        value=len(newest.failed),
        samples=newest.notebooks,
        age_s=sources.age_s(blocks[0].inserted_at),
        source=f"{RunCompleted.NAME}, run {newest.run_id}",
        why=f"failed: {', '.join(newest.failed)}" if newest.failed else "",
        history=tuple(float(len(run.failed)) for run in reversed(runs)),
    )


COLLECTORS: Sequence[Collector] = (
    Collector(name="event_chain.audit.failures", title="Event chain audit failures", unit="count", observe=_chain(EVENTS_CHAIN)),
    Collector(name="policy.chain.failures", title="Policy chain continuity", unit="count", observe=_chain(VERDICTS_CHAIN)),
    Collector(name="ca.qa.breaches", title="CA QA breaches, core suite", unit="count", observe=_of_suite(_breaches)),
    Collector(
        name="ca.qa.duration_s", title="CA QA duration, core suite", unit="s", observe=_of_suite(lambda run: run.result.duration_us / 1e6)
    ),
    Collector(name="ca.qa.replay_fidelity", title="CA replay fidelity", unit="fraction", observe=_replay_fidelity),
    Collector(name="ca.entropy.mean_bits", title="CA state entropy, mean over scenarios", unit="bits", observe=_of_suite(_entropy_mean)),
    Collector(
        name="ca.convergence.steps_p95", title="CA convergence time, 95th percentile", unit="steps", observe=_of_suite(_convergence_p95)
    ),
    Collector(
        name="ledger.append.latency_us_p95",
        title="Ledger append latency, 95th percentile",
        unit="us",
        observe=_latency("ledger.append", "no append was timed yet"),
    ),
    Collector(
        name="policy.verdict.latency_us_p95",
        title="Policy verdict latency, 95th percentile",
        unit="us",
        observe=_latency(VERDICT_METRIC, "no verdict was timed yet"),
    ),
    Collector(name="run.notebooks.failed", title="Notebooks that failed in the last main job", unit="count", observe=_notebooks),
    Collector(name=deploy.NAME, title="Denials by the deploy policy", unit="count", observe=_deploy, judges=True),
)
