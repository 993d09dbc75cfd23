"""The notebook runner: Papermill with kernels on IPC sockets, outputs contained, failures named, and a way to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from thunderlab import files
from thunderlab.errors import EnvironmentBlockedError, InputError, NotebookFailedError
from thunderlab.faces.parameters import Value
from thunderlab.workspace import VARIABLE

KERNEL = "python3"
START_TIMEOUT_S = 120

# Called with (notebook name, cells done, cells in all).
OnCell = Callable[[str, int, int], None]


class Pack(msgspec.Struct, frozen=True):
    """A named list of notebooks in stages: those of one stage may run side by side, stages run one after the other."""

    name: str
    stages: tuple[tuple[str, ...], ...]

    def notebooks(self) -> list[str]:
        """Return all notebook names in order."""
        return [name for stage in self.stages for name in stage]


class _PackFile(msgspec.Struct, forbid_unknown_fields=True):
    packs: dict[str, list[list[str]]]


def read_pack(folder: Path, name: str) -> Pack:
    """Return a pack from `packs.yaml` in the notebooks folder.

    Raises:
        InputError: when there is no such pack, or it names a notebook that is not there.
    """
    path = folder / "packs.yaml"
    document = files.read_document(path)
    packs = document.convert(_PackFile).packs
    if name not in packs:
        raise InputError(f"there is no pack {name!r}; there are: {', '.join(sorted(packs))}", field="--pack")
    pack = Pack(name, tuple(tuple(stage) for stage in packs[name]))
    for notebook in pack.notebooks():
        if not notebook.replace("_", "").isalnum() or not (folder / f"{notebook}.ipynb").is_file():
            raise document.refuse(("packs", name), f"there is no notebook {notebook}.ipynb beside this file")
    return pack


class Runner:
    """Runs notebooks, one kernel each. Safe to use from several threads; `stop` ends every running kernel.

    Args:
        workspace: exported to the kernels, so that `thunderlab.open()` in a notebook is this lab.
        folder: where kernels start.
    """

    def __init__(self, workspace: Path, folder: Path) -> None:
        self._workspace = workspace
        self._folder = folder
        self._kernels: set[Any] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, notebook: Path, output: Path, parameters: Mapping[str, Value], on_cell: OnCell | None = None) -> None:
        """Run a notebook to the end and write it with its outputs.

        Raises:
            NotebookFailedError: when a cell fails; the message names the notebook and the cell, the output is written.
            EnvironmentBlockedError: when the kernel does not start or dies.
        """
        papermill, exceptions = _papermill()
        files.make_folder(output.parent)
        with tempfile.TemporaryDirectory(prefix="tl-", dir=_short_temporary_folder()) as sockets, _event_loop():
            try:
                papermill.execute_notebook(
                    str(notebook),
                    str(output),
                    parameters=dict(parameters),
                    kernel_name=KERNEL,
                    progress_bar=False,
                    start_timeout=START_TIMEOUT_S,
                    kernel_manager_class=self._manager_class(Path(sockets)),
                    extra_arguments=["--HistoryManager.enabled=False"],
                    resources={"metadata": {"path": str(self._folder)}},
                    on_cell_executed=_cell_counter(notebook, on_cell),
                )
            except exceptions.PapermillExecutionError as error:
                raise NotebookFailedError(_describe(error), where=notebook.name) from None
            except (RuntimeError, TimeoutError) as error:  # TimeoutError first: it is an OSError too
                if self._stopped:
                    raise KeyboardInterrupt from None
                raise EnvironmentBlockedError(f"its kernel did not start or died: {error}", where=notebook.name) from error
            except OSError as error:
                raise EnvironmentBlockedError(
                    f"cannot be written: {error.strerror}; free space or choose another place", where=output
                ) from error

    def stop(self) -> None:
        """Kill every kernel, also one that is only starting; the `run` calls that wait for them raise KeyboardInterrupt."""
        self._stopped = True
        with self._lock:
            kernels = list(self._kernels)
        for manager in kernels:
            _kill(manager)

    def _manager_class(self, sockets: Path) -> type:
        """Return a kernel manager class for one notebook: IPC sockets in a private folder, and our workspace in its environment.

        Kernels on TCP ports can be reached by every local user, and ports clash when several start at once.
        """
        from jupyter_client.manager import AsyncKernelManager

        runner = self
        environment = {**os.environ, VARIABLE: str(self._workspace), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}

        class IpcKernelManager(AsyncKernelManager):  # type: ignore[misc]
            def __init__(self, **arguments: Any) -> None:
                super().__init__(**arguments, transport="ipc", connection_file=str(sockets / "kernel.json"), ip=str(sockets / "k"))
                with runner._lock:
                    runner._kernels.add(self)

            async def _async_start_kernel(self, **arguments: Any) -> None:
                await super()._async_start_kernel(**{**arguments, "env": environment})
                if runner._stopped:
                    _kill(self)

            start_kernel = _async_start_kernel

            async def _async_cleanup_resources(self, restart: bool = False) -> None:
                await super()._async_cleanup_resources(restart=restart)
                with runner._lock:
                    runner._kernels.discard(self)

            cleanup_resources = _async_cleanup_resources

        return IpcKernelManager


def _kill(manager: Any) -> None:
    pid = getattr(manager.provisioner, "pid", None)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _papermill() -> tuple[Any, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import papermill
        from papermill import exceptions
    # Papermill, and the kernel clients that log through it, say in several lines what we say in one.
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    return papermill, exceptions


@contextlib.contextmanager
def _event_loop() -> Iterator[None]:
    """Give this thread the event loop that kernel clients use, and close it after: they make one and leave it open."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    try:
        yield
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _short_temporary_folder() -> str | None:
    """Return a folder whose socket paths stay below the 107 bytes Unix allows, None for the default one."""
    return "/tmp" if len(tempfile.gettempdir()) > 60 and Path("/tmp").is_dir() else None  # noqa: S108 - only its length matters


def _cell_counter(notebook: Path, on_cell: OnCell | None) -> Callable[..., None]:
    done = 0
    total = sum(cell["cell_type"] == "code" for cell in msgspec.json.decode(notebook.read_bytes())["cells"])

    def count(**_: Any) -> None:
        nonlocal done
        done += 1
        if on_cell is not None:
            on_cell(notebook.stem, min(done, total), total)

    return count


def _describe(error: Any) -> str:
    """Return a failed cell in one line: its number, first line of code, and what it raised."""
    first = next((line for line in error.source.splitlines() if line.strip()), "")
    value = next(iter(str(error.evalue).splitlines()), "")
    return f"cell [{error.exec_count}] ({first[:60]}) failed: {error.ename}: {value[:300]}"


@contextlib.contextmanager
def quiet_asyncio() -> Iterator[None]:
    """Keep asyncio from complaining on stderr about kernels that were killed on purpose."""
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
        sys.stderr.flush()
