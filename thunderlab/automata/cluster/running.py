"""A runner of named lattices in a background thread, for the length of a `with` block."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from thunderlab.automata.cluster.runner import Runner, Services
from thunderlab.errors import InputError
from thunderlab.locks import held, holder

# A runner keeps the lock as long as it runs: nobody waits for that.
_PATIENCE_S = 1.0
# How long a runner sleeps that has nothing to do, and how often `wait` looks.
_NAP_S = 0.05
_MOST_NOTES = 100
_LEAST_EVERY_S, _MOST_EVERY_S = 0.05, 3600.0


class Running:
    """Runs the running lattices of a workspace while the block lasts; at its end everything is saved. Made by `Cluster.running`.

    The thread ends with the program too, saving, when `stop` was forgotten. Listeners to `ca.entropy.sample` are called from it.

    Args:
        services: what the runner works with.
        lock: the lock file of the one runner of the workspace.
        engine: called first, from the caller's thread, because only there may Taichi be started.
        every_s: the fewest seconds between two samples of one lattice, as `check_every` accepts it.
        on_note: called with sentences a person may want to read.

    Attributes:
        notes: the newest 100 of those sentences.
    """

    def __init__(
        self, services: Services, lock: Path, *, engine: Callable[[], None], every_s: float, on_note: Callable[[str], None] | None
    ) -> None:
        check_every(every_s)
        self._services = services
        self._lock = lock
        self._engine = engine
        self._every_s = every_s
        self._on_note = on_note
        self._holding = contextlib.ExitStack()
        self._leave = threading.Event()
        # Waited for instead of the thread: a `join` that Ctrl-C interrupts takes a thread for ended that is not (CPython 3.11).
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._runner: Runner | None = None
        self._error: BaseException | None = None
        self.notes: deque[str] = deque(maxlen=_MOST_NOTES)

    @property
    def steps(self) -> int:
        """Steps run since the start, over all lattices."""
        return self._runner.steps if self._runner is not None else 0

    @property
    def lattices(self) -> int:
        """How many lattices are being run."""
        return self._runner.lattices if self._runner is not None else 0

    def start(self) -> None:
        """Start running.

        Raises:
            BusyError: another runner has this workspace; the message names its process id and command.
        """
        self._engine()
        with contextlib.ExitStack() as holding:
            holding.enter_context(held(self._lock, patience_s=_PATIENCE_S))
            self._leave.clear()
            self._ended.clear()
            self._runner = Runner(self._services, name=holder(self._lock) or "", every_s=self._every_s, on_note=self._note)
            thread = threading.Thread(target=self._run, args=(self._runner,), name="thunderlab-cluster")
            thread.start()
            self._thread, self._holding = thread, holding.pop_all()

    def stop(self) -> None:
        """Save everything and stop running; what went wrong in the runner is raised here."""
        self._leave.set()
        if self._thread is not None:
            self._ended.wait()
            self._thread.join()
        self._holding.close()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def wait(self, seconds: float | None = None, *, until_idle: bool = False, on_progress: Callable[[], None] | None = None) -> None:
        """Return after so many seconds, or once no lattice is running, or, with neither, when the runner fails.

        Args:
            seconds: at most this long; None for no limit.
            until_idle: return as soon as every lattice is paused or stopped.
            on_progress: called some twenty times a second.

        Raises:
            KeyboardInterrupt: the user does not want to wait longer; the runner goes on until the block ends.
        """
        clock = self._services.clock
        started = clock.monotonic_ns()
        while self._thread is not None and not self._ended.is_set():
            if until_idle and not self._services.rows.running():
                return
            left = _NAP_S if seconds is None else seconds - (clock.monotonic_ns() - started) / 1e9
            if left <= 0:
                return
            self._ended.wait(min(left, _NAP_S))
            if on_progress is not None:
                on_progress()
        self.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def _note(self, text: str) -> None:
        self.notes.append(text)
        if self._on_note is not None:
            self._on_note(text)

    def _run(self, runner: Runner) -> None:
        """Run until told to leave, or until the program ends: a thread that never ends would keep it from ending."""
        try:
            try:
                while not self._leave.is_set() and threading.main_thread().is_alive():
                    if not runner.turn():
                        self._leave.wait(_NAP_S)
            finally:
                runner.close()
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that asked
            self._error = error
        finally:
            self._ended.set()


def check_every(every_s: float) -> None:
    """Make sure that samples can be so many seconds apart: 0.05..3600.

    Raises:
        InputError: when they cannot.
    """
    if isinstance(every_s, bool) or not isinstance(every_s, int | float) or not _LEAST_EVERY_S <= every_s <= _MOST_EVERY_S:
        raise InputError(f"expected {_LEAST_EVERY_S:g} to {_MOST_EVERY_S:g} seconds between two samples, not {every_s!r}", field="every")
