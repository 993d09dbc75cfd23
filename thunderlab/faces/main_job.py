"""The main job: run a pack of notebooks, collect live readings, decide readiness, write the report; resumable."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import msgspec

from thunderlab import files, workspace
from thunderlab.canonical import digest, digest_of
from thunderlab.clock import IdSource, rfc3339
from thunderlab.errors import InputError, NotebookFailedError
from thunderlab.faces.notebooks import Pack, Runner, quiet_asyncio, read_pack
from thunderlab.faces.parameters import NOTEBOOK_LIMIT, Value, declared, resolve
from thunderlab.faces.report.build import build
from thunderlab.faces.report.notebook_page import render_notebook
from thunderlab.faces.report.policy import collect_policy
from thunderlab.faces.report.provenance import NotebookRun, collect
from thunderlab.faces.report.standing import baselines_of
from thunderlab.gate import Readiness, RunCompleted
from thunderlab.lab import Lab

STATE = "run.json"
LATEST = "latest"

# Called with (what is going on, steps done, steps in all).
OnProgress = Callable[[str, int, int], None]


class Progress(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How far a run has come, kept in its folder so that an interrupted one can be taken up again.

    Attributes:
        run_id: UUID version 7.
        started_at: RFC 3339 UTC.
        pid: the process that runs it.
        inputs_sha256: digest of pack, parameters, notebooks, scenarios and code: only an equal one is resumed.
        finished: whether the report was written.
        notebooks: those that ended, in the order they did.
    """

    run_id: str
    started_at: str
    pid: int
    inputs_sha256: str
    finished: bool = False
    notebooks: list[NotebookRun] = []


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the main job answers with."""

    readiness: Readiness
    report: dict[str, Path]
    notebooks: tuple[NotebookRun, ...]
    duration_us: int
    resumed: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will do, checked before anything is created: the pack, and every notebook's file and typed parameters."""

    pack: Pack
    given: dict[str, str]
    sources: dict[str, Path]
    parameters: dict[str, dict[str, Value]]


def plan(pack_name: str, given: Mapping[str, str]) -> Plan:
    """Return the plan for a pack and parameters given as text.

    Raises:
        InputError: when the pack, a notebook or a parameter does not exist or fit.
    """
    folder = workspace.shipped("notebooks")
    pack = read_pack(folder, pack_name)
    sources = {name: folder / f"{name}.ipynb" for name in pack.notebooks()}
    parameters = resolve(given, {name: declared(path) for name, path in sources.items()})
    return Plan(pack=pack, given=dict(given), sources=sources, parameters=parameters)


class MainJob:
    """One run of a plan on a lab.

    Args:
        lab: where it runs.
        plan: what to run.
        reports: the folder under which each run gets its own.
    """

    def __init__(self, lab: Lab, plan: Plan, reports: Path) -> None:
        self._lab = lab
        self._plan = plan
        self._reports = reports

    def run(self, *, workers: int, fresh: bool, on_progress: OnProgress) -> Outcome:
        """Run every notebook, then the gate, then write the report.

        A failing notebook does not stop the others: the gate reads that it failed. A run that was interrupted is taken up where
        it stopped, unless `fresh`: notebooks that had ended well are not run again.
        """
        started_ns = self._lab.clock.monotonic_ns()
        state, folder = self._resume_or_start(fresh=fresh)
        resumed = len(state.notebooks)
        self._run_stages(state, folder, workers, on_progress)
        failed = [run.name for run in state.notebooks if run.status != "ok"]
        duration_us = (self._lab.clock.monotonic_ns() - started_ns) // 1_000
        order = self._plan.pack.notebooks()
        notebooks = tuple(sorted(state.notebooks, key=lambda run: order.index(run.name)))
        self._lab.events.emit(
            RunCompleted(run_id=state.run_id, pack=self._plan.pack.name, notebooks=len(notebooks), failed=failed, duration_us=duration_us)
        )
        on_progress("deciding readiness", len(notebooks), len(notebooks))
        readiness = self._lab.gate.check()
        suites = self._lab.automata.qa.newest_results()
        provenance = collect(self._lab, suites, run_id=state.run_id, parameters=self._plan.given)
        report = build(folder, readiness, suites, provenance, notebooks, baselines_of(suites), collect_policy(self._lab))
        state.finished = True
        self._save(state, folder)
        self._point_latest_at(folder)
        return Outcome(readiness=readiness, report=report, notebooks=notebooks, duration_us=duration_us, resumed=resumed)

    def _run_stages(self, state: Progress, folder: Path, workers: int, on_progress: OnProgress) -> None:
        done = {run.name for run in state.notebooks}
        total = len(self._plan.pack.notebooks())
        runner = Runner(self._lab.workspace, workspace.project_root())
        for stage in self._plan.pack.stages:
            waiting = [name for name in stage if name not in done]
            with ThreadPoolExecutor(max_workers=workers) as pool:
                running: set[Future[NotebookRun]] = {
                    pool.submit(self._run_one, runner, name, folder, on_progress, total, state) for name in waiting
                }
                try:
                    while running:
                        ended, running = wait(running, return_when=FIRST_COMPLETED)
                        for future in ended:
                            state.notebooks.append(future.result())
                            self._save(state, folder)
                except BaseException:
                    with quiet_asyncio():
                        for future in running:
                            future.cancel()
                        runner.stop()
                        wait(running)
                    raise

    def _run_one(self, runner: Runner, name: str, folder: Path, on_progress: OnProgress, total: int, state: Progress) -> NotebookRun:
        def on_cell(notebook: str, cells_done: int, cells: int) -> None:
            on_progress(f"{notebook}: cell {cells_done} of {cells}", len(state.notebooks), total)

        on_progress(f"{name}: starting its kernel", len(state.notebooks), total)
        output = files.contained(folder / f"{name}.ipynb", self._reports)
        status, why, started_ns = "ok", "", self._lab.clock.monotonic_ns()
        try:
            runner.run(self._plan.sources[name], output, self._plan.parameters[name], on_cell)
        except NotebookFailedError as error:
            status, why = "failed", str(error)
        duration_us = (self._lab.clock.monotonic_ns() - started_ns) // 1_000
        page = output.with_suffix(".html")
        render_notebook(output, page, name, back="index.html")
        return NotebookRun(name=name, status=status, duration_us=duration_us, html=page.name, why=why)

    def _resume_or_start(self, *, fresh: bool) -> tuple[Progress, Path]:
        folders = {kind: workspace.shipped(kind) for kind in ("notebooks", "scenarios")} | {"code": Path(__file__).parents[1]}
        sources = {kind: _folder_digests(folder) for kind, folder in folders.items()}
        inputs = digest_of([self._plan.pack.name, self._plan.given, sources, str(self._lab.workspace)])
        interrupted = None if fresh else self._interrupted(inputs)
        if interrupted is not None:
            state, folder = interrupted
            state.pid = os.getpid()
            state.notebooks = [run for run in state.notebooks if run.status == "ok"]
        else:
            now = self._lab.clock.now_us()
            run_id = IdSource(self._lab.clock).new()
            state = Progress(run_id=run_id, started_at=rfc3339(now), pid=os.getpid(), inputs_sha256=inputs)
            # The readable time sorts; the id's tail keeps two runs of one second apart.
            folder = self._reports / f"{state.started_at[:19].replace(':', '')}Z-{run_id[-8:]}"
        self._save(state, folder)
        return state, folder

    def _interrupted(self, inputs: str) -> tuple[Progress, Path] | None:
        """Return the newest run when it was cut short, had the same inputs, and no living process works on it."""
        newest = max(self._reports.glob(f"*Z-*/{STATE}"), default=None)
        if newest is None:
            return None
        try:
            state = files.parse_json(files.read_bytes(newest), newest).convert(Progress)
        except InputError:
            return None
        if state.finished or state.inputs_sha256 != inputs or _alive(state.pid):
            return None
        return state, newest.parent

    @staticmethod
    def _save(state: Progress, folder: Path) -> None:
        files.write_whole(folder / STATE, msgspec.json.format(msgspec.json.encode(state), indent=2))

    def _point_latest_at(self, folder: Path) -> None:
        """Make `reports/latest` lead to this run, in one step; a real folder of that name is left alone."""
        link = self._reports / LATEST
        if link.exists() and not link.is_symlink():
            return
        fresh = self._reports / f".{LATEST}.{os.getpid()}"
        # A convenience only: a file system without links has its reports all the same.
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(folder.name)
            fresh.replace(link)


def _folder_digests(folder: Path) -> dict[str, str]:
    """Return relative path -> digest of every file that may decide what a run computes."""
    wanted = (".py", ".ipynb", ".yaml", ".yml", ".json", ".rle")
    found = sorted(path for path in folder.rglob("*") if path.suffix in wanted and ".ipynb_checkpoints" not in path.parts)
    return {path.relative_to(folder).as_posix(): digest(files.read_bytes(path, NOTEBOOK_LIMIT)) for path in found}


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def newest_report(reports: Path) -> Path:
    """Return the newest written report's page.

    Raises:
        InputError: when there is none.
    """
    pages = [page for page in reports.glob("*Z-*/index.html") if page.is_file()]
    if not pages:
        raise InputError("holds no report yet; make one with: thunderlab run", where=reports)
    return max(pages)
