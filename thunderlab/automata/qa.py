"""QA in a lab: runs suites and records them, takes new baselines, and replays what was recorded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from thunderlab import files
from thunderlab.automata import harness
from thunderlab.automata.baseline import Baseline
from thunderlab.automata.events import BaselineWritten, EntropySampled, ReplayCompleted
from thunderlab.automata.harness import Replay, Suite
from thunderlab.automata.results import ScenarioResult, SuiteResult
from thunderlab.automata.runs import RecordedRun, Runs
from thunderlab.automata.scenario import Scenario
from thunderlab.automata.scenario_file import read_scenario
from thunderlab.canonical import digest
from thunderlab.clock import Clock, IdSource
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.ledger import Chain
from thunderlab.store import Store
from thunderlab.telemetry import Meter

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Called with (scenario just finished, how many are, how many there are).
OnProgress = Callable[[str, int, int], None]


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


def find_scenario(scenarios: Path, target: str, suite: str | None = None) -> Scenario:
    """Return a scenario by file, or by name from one suite or, without one, from the first suite that has it.

    Raises:
        InputError: when there is none, or anything in its file is wrong.
    """
    path = Path(target)
    if path.suffix in (".yaml", ".yml", ".json"):
        return read_scenario(path)
    for name in [suite] if suite is not None else suite_names(scenarios):
        for scenario in find_suite(scenarios, name).scenarios:
            if scenario.name == target:
                return scenario
    raise InputError(f"{target!r} is neither a recorded run's id, nor a scenario's name, nor a scenario file", field="RUN_ID|SCENARIO")


def is_run_id(target: str) -> bool:
    """Return whether a text has the form of a recorded run's id."""
    return _UUID.fullmatch(target) is not None


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
        self._runs = Runs(store, bus, chain)
        self._bus = bus
        self._meter = meter
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
        run_id = self._ids.new()
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
        return self._runs.record(run_id, result)

    def runs(self, suite: str, *, newest: int = 1) -> list[RecordedRun]:
        """Return the newest recorded runs of a suite, newest first; see `Runs.newest`."""
        return self._runs.newest(suite, newest)

    def newest_results(self) -> list[SuiteResult]:
        """Return the newest result of every suite that was ever run whole, in name order.

        One that is not what the ledger recorded is left out: a report must still be possible, and the gate says what is wrong.
        """
        found: list[SuiteResult] = []
        for name in self.suites():
            with contextlib.suppress(EvidenceError):
                found.extend(run.result for run in self.runs(name))
        return found

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
        if is_run_id(target):
            run = self._runs.by_id(target)
            loaded = self.suite(run.result.suite.partition("/")[0])
            for result in run.result.scenarios:
                scenario = loaded.scenario(result.name)
                if scenario.digest != result.scenario_digest:
                    raise InputError(
                        f"scenario {result.name} has changed since; its recorded digest is {result.scenario_digest}", where=f"run {target}"
                    )
                yield scenario, result.final_state, target
            return
        yield find_scenario(self._scenarios, target, suite), None, None


def _entropy_samples(result: ScenarioResult) -> Iterator[EntropySampled]:
    """Yield the scenario's entropy over time, as the live sampler of a running lattice would: ten samples."""
    last = len(result.entropy) - 1
    for index in sorted({round(part * last / 9) for part in range(10)}):
        yield EntropySampled(scenario=result.name, step=round(index * result.steps / last) if last else 0, entropy=result.entropy[index])
