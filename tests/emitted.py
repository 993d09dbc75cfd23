"""Every documented event is emitted by the code in some test: noted in every test process, and judged when all tests ran.

An emission counts when the package's own code makes it, or a command that the `cli_process` fixture runs: the blocks it leaves tell. A test that
emits an event itself shows nothing of whether the code ever does.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest

from thunderlab.events import Bus, Envelope, Event, MinuteCounted

VARIABLE = "THUNDERLAB_TESTS_EMITTED"
PACKAGE = Path(__file__).resolve().parents[1] / "thunderlab"

# What leaves tests out; a run with none of these, and without paths, is a complete one.
_NARROWING = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob", "collectonly", "stepwise", "maxfail")


def note(names: Iterable[str]) -> None:
    """Keep names for the end of the run, in a file of this process alone."""
    folder = os.environ.get(VARIABLE)
    if folder:
        with (Path(folder) / str(os.getpid())).open("a") as file:
            file.writelines(f"{name}\n" for name in names)


def noted() -> set[str]:
    """Return the names that all processes kept."""
    return {name for path in Path(os.environ[VARIABLE]).iterdir() for name in path.read_text().split()}


def watch(code: Path) -> Callable[[], None]:
    """Note what code under a folder emits through any bus from now on; call the result to stop."""
    emit, roll_up, seen = Bus.emit, Bus._roll_up, set[str]()
    prefix = f"{code}{os.sep}"

    def noting(self: Bus, *events: Event, **how: object) -> list[Envelope]:
        envelopes = emit(self, *events, **how)
        fresh = {envelope.name for envelope in envelopes} - seen
        if fresh and sys._getframe(1).f_code.co_filename.startswith(prefix):
            note(fresh)
            seen.update(fresh)
        return envelopes

    def counting(self: Bus, **how: bool) -> list[Envelope]:
        told = roll_up(self, **how)
        note({envelope.name for envelope in told})
        return told

    def stop() -> None:
        Bus.emit, Bus._roll_up = emit, roll_up

    Bus.emit, Bus._roll_up = noting, counting
    return stop


@contextlib.contextmanager
def blocks_noted(store: Path) -> Iterator[None]:
    """Note the events whose blocks come into a store meanwhile, and those that such a block says were counted."""
    newest = max((seq for seq, *_ in _blocks(store, -1)), default=-1)
    yield
    for _, name, payload in _blocks(store, newest):
        counted = msgspec.json.decode(payload)["counts"] if name == MinuteCounted.NAME else ()
        note([name, *counted])


def _blocks(store: Path, after: int) -> list[tuple[int, str, bytes]]:
    """Return the blocks of a store after a number; none when it is no store, which some tests see to."""
    try:
        with contextlib.closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as database:
            return database.execute(
                "SELECT seq, event_name, payload FROM event_chain_blocks WHERE seq > ? ORDER BY seq", (after,)
            ).fetchall()
    except sqlite3.Error:
        return []


class Emitted:
    """The plugin: judges a complete run that passed, in the process that started the others.

    Args:
        config: pytest's.
        documented: gives the names that must be emitted.
        code: the folder whose emissions count.
    """

    def __init__(self, config: pytest.Config, documented: Callable[[], set[str]], code: Path = PACKAGE) -> None:
        self._config = config
        self._documented = documented
        self._narrowed = config.args_source is not pytest.Config.ArgsSource.TESTPATHS or any(
            config.getoption(name, None) for name in _NARROWING
        )
        self._starter = not hasattr(config, "workerinput")
        self._missing: list[str] = []
        if self._starter:
            self._folder = tempfile.TemporaryDirectory(prefix="thunderlab-emitted-")
            os.environ[VARIABLE] = self._folder.name
        self._stop = watch(code)

    def pytest_deselected(self) -> None:
        """Whoever leaves tests out by other means has no complete run either."""
        self._narrowed = True

    # First, so that the last line already tells of the failure.
    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail a complete run in which a documented event was never emitted."""
        if self._starter and not self._narrowed and exitstatus == pytest.ExitCode.OK:
            self._missing = sorted(self._documented() - noted())
            if self._missing:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name what was not emitted."""
        if self._missing:
            names = ", ".join(self._missing)
            terminalreporter.write_line(f"FAILED: documented, and never emitted by the code in any test: {names}", red=True)

    def pytest_unconfigure(self) -> None:
        """Leave nothing behind."""
        self._stop()
        if self._starter:
            os.environ.pop(VARIABLE, None)
            self._folder.cleanup()
