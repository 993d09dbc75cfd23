"""QA in a lab: runs suites, records every run with its events in one transaction, and replays what was recorded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import sqlalchemy as sa

from thunderlab import files
from thunderlab.automata import harness
from thunderlab.automata.baseline import Baseline
from thunderlab.automata.events import BaselineWritten, EntropySampled, ReplayCompleted, ScenarioCompleted, SuiteCompleted
from thunderlab.automata.harness import Replay, Suite
from thunderlab.automata.results import ScenarioResult, SuiteResult
from thunderlab.automata.scenario import Scenario
from thunderlab.automata.scenario_file import read_scenario
from thunderlab.automata.tables import QA_RUNS
from thunderlab.canonical import digest
from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.ledger import Chain
from thunderlab.store import Store
from thunderlab.telemetry import Meter

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RUNS = QA_RUNS.c

# Called with (scenario just finished, how many are, how many there are).
OnProgress = Callable[[str, int, int], None]


class RecordedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded run of a suite; `started_at` is RFC 3339 UTC."""

    run_id: str
    started_at: str
    result: SuiteResult


def suite_names(scenarios: Path) -> list[str]:
    """Return the names of the suites in a folder: its subfolders that hold a `suite.yaml`."""
    return sorted(path.parent.name for path in scenarios.glob("*/suite.yaml"))


def find_suite(scenarios: Path, name: str) -> Suite:
    """Return a suite by name, checked.

    Raises:
        InputError: when there is none, or anything in its files is wrong.
    """
    names = suite_names(scenarios)
    if name not in names:
        raise InputError(f"there is no suite {name!r}; there are: {', '.join(names)}", field="--suite")
    return harness.load_suite(scenarios / name)


class Qa:
    """The QA desk of the automata room: `lab.automata.qa`.

    Args:
        store, bus, chain, meter, clock: the lab's services.
        scenarios: the folder whose subfolders are suites.
        engine: called before anything is simulated, to start the engine with the lab's cache.
    """

    def __init__(
        self, *, store: Store, bus: Bus, chain: Chain, meter: Meter, clock: Clock, scenarios: Path, engine: Callable[[], None]
    ) -> None:
        self._store = store
        self._bus = bus
        self._chain = chain
        self._meter = meter
        self._clock = clock
        self._ids = IdSource(clock)
        self._scenarios = scenarios
        self._engine = engine

    def suites(self) -> list[str]:
        """Return the names of all suites."""
        return suite_names(self._scenarios)

    def suite(self, name: str) -> Suite:
        """Return a suite by name, checked; see `find_suite`."""
        return find_suite(self._scenarios, name)

    def run(self, suite: str | Suite = "core", *, only: str | None = None, on_progress: OnProgress | None = None) -> RecordedRun:
        """Run a suite and record it: the result, one event per scenario and one for the suite, in one transaction.

        Args:
            suite: its name, or one that was loaded.
            only: run this scenario alone; such a run is recorded under the suite's name with `/` and the scenario's, so that
                nobody takes it for the whole.
            on_progress: called after each scenario.
        """
        loaded = self.suite(suite) if isinstance(suite, str) else suite
        run_id, started_at = self._ids.new(), rfc3339(self._clock.now_us())
        total = len(loaded.scenarios) if only is None else 1
        done = 0

        def finished(result: ScenarioResult) -> None:
            nonlocal done
            done += 1
            self._meter.record("ca.qa.scenario", result.duration_us)
            self._bus.emit(*_entropy_samples(result))
            if on_progress is not None:
                on_progress(result.name, done, total)

        self._engine()
        result = harness.run_suite(loaded, only=only, on_progress=finished)
        if only is not None:
            result = msgspec.structs.replace(result, suite=f"{loaded.name}/{only}")
        self._record(run_id, started_at, result)
        return RecordedRun(run_id=run_id, started_at=started_at, result=result)

    def runs(self, suite: str, *, newest: int = 1) -> list[RecordedRun]:
        """Return the newest recorded runs of a suite, newest first.

        Raises:
            EvidenceError: when a stored result is not the one whose digest the ledger holds.
        """
        query = sa.select(QA_RUNS).where(_RUNS.suite == suite).order_by(_RUNS.id.desc()).limit(newest)
        with self._store.read() as connection:
            return [self._verified(row) for row in connection.execute(query)]

    def newest_results(self) -> list[SuiteResult]:
        """Return the newest result of every suite that was ever run whole, in name order."""
        return [run.result for name in self.suites() for run in self.runs(name)]

    def baseline(self, suite: str, *, on_progress: OnProgress | None = None) -> tuple[Path, RecordedRun]:
        """Run a suite, write what it measured as its new baseline, and return the file and the run.

        Raises:
            InputError: when a published fact is violated: wrong answers are never made the baseline.
        """
        loaded = self.suite(suite)
        run = self.run(loaded, on_progress=on_progress)
        for scenario in run.result.scenarios:
            violated = [breach for breach in scenario.breaches if breach.metric.startswith("expect.")]
            if violated:
                raise InputError(f"violates the published fact {violated[0].metric}; the baseline was left as it is", where=scenario.name)
        made = Baseline.of(run.result, loaded.entropy_band)
        made.write(loaded.baseline_path)
        sha256 = digest(files.read_bytes(loaded.baseline_path))
        self._bus.emit(BaselineWritten(suite=suite, scenarios=len(made.scenarios), baseline_sha256=sha256))
        return loaded.baseline_path, run

    def replay(self, target: str, *, steps: int | None = None, suite: str | None = None) -> Iterator[tuple[str, Replay]]:
        """Replay a recorded run, or one scenario by name or file; yields (scenario, how faithful) one by one.

        Args:
            target: the id of a recorded run, the name of a scenario of any suite, or a scenario file.
            steps: how far; the scenario's duration by default.
            suite: where to look for a scenario by name; all suites by default.
        """
        self._engine()
        for scenario, recorded, run_id in self._targets(target, suite):
            with self._meter.span("ca.qa.replay"):
                found = harness.replay(scenario, steps, recorded_final=recorded)
            self._bus.emit(ReplayCompleted(run_id=run_id, scenario=scenario.name, steps=found.steps, fidelity=found.fidelity))
            yield scenario.name, found

    def _targets(self, target: str, suite: str | None) -> Iterator[tuple[Scenario, bytes | None, str | None]]:
        if _UUID.fullmatch(target):
            run = self._run_by_id(target)
            loaded = self.suite(run.result.suite.partition("/")[0])
            for result in run.result.scenarios:
                scenario = loaded.scenario(result.name)
                if scenario.digest != result.scenario_digest:
                    raise InputError(
                        f"scenario {result.name} has changed since; its recorded digest is {result.scenario_digest}", where=f"run {target}"
                    )
                yield scenario, result.final_state, target
            return
        path = Path(target)
        if path.suffix in (".yaml", ".yml", ".json"):
            yield read_scenario(path), None, None
            return
        for name in [suite] if suite is not None else self.suites():
            found = [scenario for scenario in self.suite(name).scenarios if scenario.name == target]
            if found:
                yield found[0], None, None
                return
        raise InputError(f"{target!r} is neither a recorded run's id, nor a scenario's name, nor a scenario file", field="RUN_ID|SCENARIO")

    def _run_by_id(self, run_id: str) -> RecordedRun:
        with self._store.read() as connection:
            row = connection.execute(sa.select(QA_RUNS).where(_RUNS.id == run_id)).first()
        if row is None:
            raise InputError(f"no run {run_id} was recorded here", field="RUN_ID|SCENARIO")
        return self._verified(row)

    def _record(self, run_id: str, started_at: str, result: SuiteResult) -> None:
        data = msgspec.json.encode(result)
        breaches = len(result.breaches) + sum(len(one.breaches) for one in result.scenarios)
        completed = SuiteCompleted(
            run_id=run_id,
            suite=result.suite,
            scenarios=len(result.scenarios),
            breaches=breaches,
            passed=result.passed,
            duration_us=result.duration_us,
            result_sha256=digest(data),
        )
        row = {
            "id": run_id,
            "suite": result.suite,
            "passed": result.passed,
            "started_at": started_at,
            "duration_us": result.duration_us,
            "result": data,
        }
        with self._store.write() as connection:
            *_, told = self._bus.emit(*(_completed(run_id, result.suite, one) for one in result.scenarios), completed, within=connection)
            connection.execute(QA_RUNS.insert().values(**row, event_id=told.id))

    def _verified(self, row: sa.Row[tuple[object, ...]]) -> RecordedRun:
        """Return a stored run, once its bytes are those whose digest the ledger holds."""
        block = self._chain.block(row.event_id)
        told = None if block is None else msgspec.json.decode(block.payload, type=SuiteCompleted)
        if told is None or told.run_id != row.id or told.result_sha256 != digest(row.result):
            raise EvidenceError("the stored result is not the one the ledger recorded", where=f"run {row.id}")
        return RecordedRun(run_id=row.id, started_at=row.started_at, result=msgspec.json.decode(row.result, type=SuiteResult))


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


def _entropy_samples(result: ScenarioResult) -> Iterator[EntropySampled]:
    """Yield the scenario's entropy over time, as the live sampler of a running lattice would: ten samples."""
    last = len(result.entropy) - 1
    for index in sorted({round(part * last / 9) for part in range(10)}):
        yield EntropySampled(scenario=result.name, step=round(index * result.steps / last) if last else 0, entropy=result.entropy[index])
