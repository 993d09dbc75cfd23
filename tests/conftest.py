"""What several tests share: a lab in a temporary workspace, a clock that stands still, and the command line as a user runs it."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import linecache
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import settings

import thunderlab
from tests import postgres
from tests.emitted import Emitted, blocks_noted
from thunderlab import workspace
from thunderlab.clock import VirtualClock
from thunderlab.faces.cli import app
from thunderlab.lab import Lab, catalogue
from thunderlab.store import Store

ROOT = Path(__file__).resolve().parents[1]

# The same examples in every run, so that a red build is the change's own doing; HYPOTHESIS_PROFILE=explore looks further afield.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


def pytest_configure(config: pytest.Config) -> None:
    """Notebooks run by nbval are no functions, so fixtures do not reach them: their kernels inherit this workspace instead."""
    os.environ[workspace.VARIABLE] = tempfile.mkdtemp(prefix="thunderlab-tests-")
    config.pluginmanager.register(Emitted(config, lambda: {entry.name for entry in catalogue()}), "emitted")


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the project's own workspace."""
    monkeypatch.setenv(workspace.VARIABLE, str(tmp_path / "workspace"))
    monkeypatch.delenv(workspace.DATABASE_VARIABLE, raising=False)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def lab(tmp_path: Path, clock: VirtualClock):
    with Lab(tmp_path / "workspace", clock=clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server of this run's own; tests that want one skip where there is none."""
    place = postgres.binaries()
    if place is None:
        pytest.skip(postgres.MISSING)
    server = postgres.Server(place)
    try:
        server.make()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def postgres_url(postgres_server: postgres.Server) -> str:
    """The address of an empty schema on a running server."""
    return postgres_server.fresh()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a `Store` may be opened, of each kind in turn."""
    return tmp_path / "lab.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def make_store():
    """Open stores that are closed when the test ends."""
    opened: list[Store] = []

    def make(place: Path | str) -> Store:
        opened.append(Store(place))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def any_workspace(store_place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose store is of each kind in turn: for `Lab(any_workspace)`, child processes and `cli` alike."""
    if isinstance(store_place, str):
        monkeypatch.setenv(workspace.DATABASE_VARIABLE, store_place)
    return tmp_path / "workspace"


@pytest.fixture
def any_lab(any_workspace: Path, clock: VirtualClock):
    """The lab of `lab`, on a store of each kind in turn."""
    with Lab(any_workspace, clock=clock) as opened:
        yield opened


@pytest.fixture
def real_lab(tmp_path: Path):
    with thunderlab.open(tmp_path / "workspace") as opened:
        yield opened


def heed_interrupts() -> None:
    """Let a child process hear Ctrl-C even when these tests run in the background of a shell, which has it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupted(action: Callable[[], object], line: int, within: Callable[[CodeType], bool]) -> bool:
    """Return whether `action` was interrupted, which happens when it comes to the n-th line of the code that is `within`.

    Never where a `with` statement is left: Python looks at signals neither there nor before what it holds is let go.
    """
    left = line
    # What runs when garbage is collected is no place either: Python drops an exception that is raised there.
    collecting = {callback.__code__ for callback in gc.callbacks if hasattr(callback, "__code__")}
    entered: set[tuple[FrameType, int]] = set()

    def watch(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code in collecting or not within(frame.f_code):
            return watch if event == "call" else None
        if event != "line" or (frame, frame.f_lineno) in entered:
            return watch
        if linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            entered.add((frame, frame.f_lineno))
        left -= 1
        if left < 0:
            sys.settrace(before)
            raise KeyboardInterrupt
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        action()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@dataclass
class Ran:
    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        return json.loads(self.stdout)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]):
    """Run `thunderlab ARGUMENTS` on the test's workspace, in this process: what `cli_process` does, without the second that it takes."""
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]

    def run(*arguments: object, stdin: str | None = None, cwd: Path = ROOT, env: dict[str, str] | None = None) -> Ran:
        capfd.readouterr()
        environment, input_ = dict(os.environ), sys.stdin
        os.environ.update(env or {})
        if stdin is not None:
            sys.stdin = io.TextIOWrapper(io.BytesIO(stdin.encode()))
        try:
            with contextlib.chdir(cwd):
                code = app.run([str(argument) for argument in arguments])
        finally:
            sys.stdin = input_
            os.environ.clear()
            os.environ.update(environment)
        return Ran(code, *capfd.readouterr())

    yield run
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.fixture
def cli_process(tmp_path: Path):
    """Run `thunderlab ARGUMENTS` in a process of its own, from the checkout, on the test's workspace."""

    def run(*arguments: object, stdin: str | None = None, cwd: Path = ROOT, env: dict[str, str] | None = None, timeout: float = 240) -> Ran:
        environment = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace"), **(env or {})}
        with blocks_noted(Path(environment[workspace.VARIABLE]) / workspace.STORE):
            done = subprocess.run(
                [sys.executable, "-m", "thunderlab", *map(str, arguments)],
                capture_output=True,
                text=True,
                input=stdin,
                cwd=cwd,
                env=environment,
                timeout=timeout,
            )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
