"""Recorded QA runs: each result stored in one transaction with the events that tell of it, and believed only if the ledger does."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from thunderlab.automata.events import ScenarioCompleted, SuiteCompleted
from thunderlab.automata.qa.results import ScenarioResult, SuiteResult
from thunderlab.automata.tables import QA_RUNS
from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.ledger import Chain
from thunderlab.ledger.block import Block
from thunderlab.store import Store

_RUNS = QA_RUNS.c


class RecordedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded run of a suite; `recorded_at` is the time of its block, RFC 3339 UTC."""

    run_id: str
    recorded_at: str
    result: SuiteResult


class _Named(msgspec.Struct):
    """Of a stored result the one field that is looked at; the rest is skipped."""

    pack: str = ""


class Runs:
    """The recorded runs of one store. The ledger says which there are and when; the table holds their results."""

    def __init__(self, store: Store, bus: Bus, chain: Chain) -> None:
        self._store = store
        self._bus = bus
        self._chain = chain

    def record(self, run_id: str, result: SuiteResult) -> RecordedRun:
        """Store a result with one event per scenario and one for the suite, all in one transaction."""
        data = msgspec.json.encode(result)
        completed = SuiteCompleted(
            run_id=run_id,
            suite=result.suite,
            scenarios=len(result.scenarios),
            breaches=len(result.breaches) + sum(len(one.breaches) for one in result.scenarios),
            passed=result.passed,
            duration_us=result.duration_us,
            result_sha256=digest(data),
        )
        with self._store.write() as connection:
            *_, told = self._bus.emit(*(_completed(run_id, result.suite, one) for one in result.scenarios), completed, within=connection)
            connection.execute(QA_RUNS.insert().values(id=run_id, event_id=told.id, result=data))
        return RecordedRun(run_id=run_id, recorded_at=told.at, result=result)

    def newest(self, suite: str, count: int) -> list[RecordedRun]:
        """Return the newest runs of a suite that the ledger tells of, newest first.

        Raises:
            EvidenceError: when a result the ledger tells of is gone, or is not the one whose digest it holds.
        """
        return [self._verified(block, told) for block, told in self._told(suite, count)]

    def by_id(self, run_id: str) -> RecordedRun:
        """Return one run.

        Raises:
            InputError: when there is no such run.
            EvidenceError: as for `newest`.
        """
        with self._store.read() as connection:
            event_id = connection.execute(sa.select(_RUNS.event_id).where(_RUNS.id == run_id)).scalar()
        if event_id is None:
            raise no_such_run(run_id)
        block = self._chain.block(event_id)
        told = None if block is None else self._decoded(block)
        if block is None or told is None or told.run_id != run_id:
            raise _disagreement(run_id)
        return self._verified(block, told)

    def packs_used(self) -> dict[str, str]:
        """Return when each pack was first run, by its digest, the first one first: the time of the block of the oldest run of it.

        Runs whose stored result is not the one the ledger recorded say nothing.
        """
        found: dict[str, str] = {}
        for block in reversed(list(self._chain.blocks(name=SuiteCompleted.NAME))):
            told = self._decoded(block)
            data = None if told is None else self._stored(told)
            if data is not None:
                found.setdefault(msgspec.json.decode(data, type=_Named).pack, block.inserted_at)
        return found

    def _told(self, suite: str, count: int) -> Iterator[tuple[Block, SuiteCompleted]]:
        for block in self._chain.blocks(name=SuiteCompleted.NAME):
            told = self._decoded(block)
            if told is None:
                raise EvidenceError(f"block {block.seq} is damaged; see thunderlab ledger audit", where="ledger")
            if told.suite == suite:
                yield block, told
                count -= 1
            if count == 0:
                return

    def _decoded(self, block: Block) -> SuiteCompleted | None:
        """Return what a block tells, None when it is damaged."""
        try:
            told = self._bus.catalogue.read(block.event_name, block.event_version, block.payload)
        except EvidenceError:
            return None
        return told if isinstance(told, SuiteCompleted) else None

    def _stored(self, told: SuiteCompleted) -> bytes | None:
        """Return the stored result that the ledger tells of, None when it is not the one whose digest it holds."""
        with self._store.read() as connection:
            data = connection.execute(sa.select(_RUNS.result).where(_RUNS.id == told.run_id)).scalar()
        return data if type(data) is bytes and digest(data) == told.result_sha256 else None

    def _verified(self, block: Block, told: SuiteCompleted) -> RecordedRun:
        data = self._stored(told)
        if data is None:
            raise _disagreement(told.run_id)
        return RecordedRun(run_id=told.run_id, recorded_at=block.inserted_at, result=msgspec.json.decode(data, type=SuiteResult))


def no_such_run(run_id: str) -> InputError:
    """Return the error for a run nobody recorded; the caller raises it."""
    return InputError(f"no run {run_id} was recorded here", field="RUN_ID|SCENARIO")


def _disagreement(run_id: str) -> EvidenceError:
    return EvidenceError("the stored result is not the one the ledger recorded", where=f"run {run_id}")


def _completed(run_id: str, suite: str, result: ScenarioResult) -> ScenarioCompleted:
    entropy_mean, convergence = result.metrics["entropy_mean"], result.metrics["convergence_steps"]
    assert isinstance(entropy_mean, float)
    assert convergence is None or isinstance(convergence, int)
    return ScenarioCompleted(
        run_id=run_id,
        suite=suite,
        scenario=result.name,
        scenario_sha256=result.scenario_digest,
        passed=result.passed,
        duration_us=result.duration_us,
        entropy_mean=entropy_mean,
        convergence_steps=convergence,
    )
