"""QA in a lab: runs suites and records them, takes new baselines, and replays what was recorded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from thunderlab import files
from thunderlab.automata.events import BaselineWritten, EntropySampled, ReplayCompleted
from thunderlab.automata.qa import course_record, harness
from thunderlab.automata.qa.archive import Archive
from thunderlab.automata.qa.baseline import Baseline
from thunderlab.automata.qa.course_record import Steps
from thunderlab.automata.qa.engine_digest import fingerprint_key
from thunderlab.automata.qa.pack import Packs, is_pack_name
from thunderlab.automata.qa.replay import Record, Replay, check_steps, replay
from thunderlab.automata.qa.results import ScenarioResult, SuiteResult
from thunderlab.automata.qa.runs import RecordedRun, Runs
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_file import read_scenario
from thunderlab.automata.qa.suite import Suite, load_suite
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
    return load_suite(scenarios / name)


def stored_packs(workspace: Path, scenarios: Path) -> Packs:
    """Return the packs stored in a workspace, which need not exist.

    Args:
        workspace: its folder.
        scenarios: the folder whose subfolders are suites.
    """
    return Packs(workspace / "packs", scenarios)


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


class PackListed(msgspec.Struct, frozen=True, kw_only=True):
    """One stored pack.

    Attributes:
        pack: its name, `SUITE@DIGEST`; `?` for the suite when its bytes are no longer those of its digest.
        digest: the digest.
        suite: the suite it is of, None when it cannot be read.
        scenarios: how many it holds, None likewise.
        first_used: when the first run that names it was recorded, RFC 3339 UTC; None when none was.
        why: what is wrong with it, empty when nothing is.
    """

    pack: str
    digest: str
    suite: str | None
    scenarios: int | None
    first_used: str | None
    why: str = ""


def is_run_id(target: str) -> bool:
    """Return whether a text has the form of a recorded run's id."""
    return _UUID.fullmatch(target) is not None


class Qa:
    """The QA desk of the automata room: `lab.automata.qa`.

    Args:
        store, bus, chain, meter, clock: the lab's services.
        scenarios: the folder whose subfolders are suites.
        workspace: the folder that packs and courses are kept in.
        engine: called before anything is simulated, to start the engine with the lab's cache.
    """

    def __init__(
        self,
        *,
        store: Store,
        bus: Bus,
        chain: Chain,
        meter: Meter,
        clock: Clock,
        scenarios: Path,
        workspace: Path,
        engine: Callable[[], None],
    ) -> None:
        self._runs = Runs(store, bus, chain)
        # What never changes lies in the workspace, and the store's rows name it by its digest.
        self._packs = stored_packs(workspace, scenarios)
        self._courses = Archive(workspace / "courses", ".bin", "record of courses", course_record.MOST_BYTES)
        self._bus = bus
        self._meter = meter
        self._ids = IdSource(clock)
        self._scenarios = scenarios
        self._engine = engine

    def suites(self) -> list[str]:
        """Return the names of all suites."""
        return suite_names(self._scenarios)

    def suite(self, name: str) -> Suite:
        """Return a suite by name, checked: one of the folders (see `find_suite`), or a stored pack by `SUITE@DIGEST`."""
        return self._packs.named(name) if is_pack_name(name) else find_suite(self._scenarios, name)

    def packs(self) -> list[PackListed]:
        """Return the packs stored in this workspace: one for every content a suite had when it was run, the first used one first."""
        used, stored = self._runs.packs_used(), self._packs.digests()
        return [self._listed(digest, used.get(digest)) for digest in sorted(stored, key=[*used, *stored].index)]

    def run(self, suite: str | Suite = "core", *, only: str | None = None, on_progress: OnProgress | None = None) -> RecordedRun:
        """Run a suite and record it: the result, one event per scenario and one for the suite, in one transaction.

        What the result names by digest is stored before: the suite's pack, from which the run can be replayed when its files have
        long changed, and the population and fingerprint of every step, which replays are held against.

        Args:
            suite: its name, that of a stored pack (`core@7d3f0a9b2c41`), or one that was loaded.
            only: run this scenario alone; such a run is recorded under the suite's name with `/` and the scenario's, so that
                nobody takes it for the whole. Runs of a stored pack are recorded under the pack's name, likewise.
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
        courses: dict[str, Steps] = {}
        result = harness.run_suite(loaded, only=only, on_progress=finished, on_course=courses.__setitem__)
        self._packs.keep(loaded)
        name = loaded.recorded_name if only is None else f"{loaded.recorded_name}/{only}"
        return self._runs.record(
            run_id,
            msgspec.structs.replace(result, suite=name, courses=self._courses.put(course_record.written(courses, fingerprint_key()))),
        )

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
            InputError: when a published fact is violated: wrong answers are never made the baseline; or for a stored pack.
        """
        if is_pack_name(suite):
            raise InputError(f"{suite} is a stored pack, and a baseline belongs to a suite's folder; give its name alone", field="--suite")
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

        A recorded run is replayed from the pack it names, whatever became of the files since, and held against what was recorded of
        it; see `replay.replay`.

        Args:
            target: the id of a recorded run, the name of a scenario of any suite, or a scenario file.
            steps: how far; the scenario's duration by default.
            suite: where to look for a scenario by name; all suites by default.

        Raises:
            InputError: when there is no such target, or `steps` is more than one of its scenarios may take.
            EvidenceError: when the run, its pack or its courses are not what the ledger recorded.
        """
        self._engine()
        targets = list(self._targets(target, suite))
        for scenario, _, _ in targets:
            check_steps(scenario, steps)
        for scenario, record, run_id in targets:
            with self._meter.span("ca.qa.replay"):
                found = replay(scenario, steps, record=record)
            self._bus.emit(ReplayCompleted(run_id=run_id, scenario=scenario.name, steps=found.steps, fidelity=found.fidelity))
            yield scenario.name, found

    def _targets(self, target: str, suite: str | None) -> Iterator[tuple[Scenario, Record | None, str | None]]:
        if not is_run_id(target):
            yield find_scenario(self._scenarios, target, suite), None, None
            return
        result = self._runs.by_id(target).result
        # Runs of versions without packs have the files as they are now, or nothing.
        loaded = self._packs.suite(result.pack) if result.pack else self.suite(result.suite.partition("/")[0])
        courses, key = self._recorded_courses(result)
        for one in result.scenarios:
            scenario = loaded.scenario(one.name)
            if scenario.digest != one.scenario_digest:
                raise InputError(
                    f"scenario {one.name} has changed since; its recorded digest is {one.scenario_digest}", where=f"run {target}"
                )
            yield scenario, Record.of(one, courses.get(one.name), comparable=key == fingerprint_key()), target

    def _recorded_courses(self, result: SuiteResult) -> tuple[dict[str, Steps], str]:
        if not result.courses:
            return {}, ""
        return course_record.read(self._courses.get(result.courses), self._courses.path(result.courses))

    def _listed(self, digest: str, first_used: str | None) -> PackListed:
        try:
            found = self._packs.suite(digest)
        except EvidenceError as error:
            return PackListed(pack=f"?@{digest}", digest=digest, suite=None, scenarios=None, first_used=first_used, why=error.what)
        pack, scenarios = f"{found.name}@{digest}", len(found.scenarios)
        return PackListed(pack=pack, digest=digest, suite=found.name, scenarios=scenarios, first_used=first_used)


def _entropy_samples(result: ScenarioResult) -> Iterator[EntropySampled]:
    """Yield the scenario's entropy over time, as the live sampler of a running lattice would: ten samples."""
    last = len(result.entropy) - 1
    for index in sorted({round(part * last / 9) for part in range(10)}):
        yield EntropySampled(scenario=result.name, step=round(index * result.steps / last) if last else 0, entropy=result.entropy[index])
