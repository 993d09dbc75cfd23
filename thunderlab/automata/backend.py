"""The compiler behind the kernels: Taichi or its fork Quadrants, started once per process, silently, and never in a forked child.

It forgets its arrays when it is initialised twice and hangs when it is used after `fork`, so this is the one place that
initialises it, and `start` refuses what would hang. Importing a module that holds kernels starts it. Which one it is, and for what it
compiles, are settings of the environment: THUNDERLAB_BACKEND is `taichi` or `quadrants`, THUNDERLAB_ARCH is `cpu` or `cuda`, and
THUNDERLAB_THREADS says how many threads there may be. None of them changes what is computed.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from thunderlab.errors import EnvironmentBlockedError, InputError

THREADS_VARIABLE = "THUNDERLAB_THREADS"
MOST_THREADS = 256
BACKEND_VARIABLE = "THUNDERLAB_BACKEND"
BACKENDS = ("taichi", "quadrants")
ARCH_VARIABLE = "THUNDERLAB_ARCH"
ARCHS = ("cpu", "cuda")
# A graphics card runs about so many bands of a lattice at a time.
_CUDA_THREADS = 512


class Backend(NamedTuple):
    """The running backend.

    Attributes:
        process: id of the process that started it.
        name: `taichi` or `quadrants`.
        version: its version.
        arch: what it compiles for, for example `x64`.
        threads: worker threads it may use.
        module: the compiler itself, as kernels import it.
        launching: held around every kernel launch, because compilation is not safe from two threads at once.
    """

    process: int
    name: str
    version: str
    arch: str
    threads: int
    module: Any
    launching: threading.Lock


_starting = threading.Lock()
_running: Backend | None = None


def start(cache: Path | None = None) -> Backend:
    """Return the backend, started by the first call in this process.

    Args:
        cache: folder where compiled kernels are kept between processes; None compiles afresh (under a second per kernel).
            The first caller decides: later calls get the running backend whatever they pass.

    Raises:
        EnvironmentBlockedError: this process was forked from one that had started the backend.
        EnvironmentBlockedError: the backend is not installed, or there is no such device.
        InputError: a setting of the environment is none of those accepted.
    """
    global _running  # noqa: PLW0603 - Taichi itself is one per process
    running = _running
    if running is None:
        # A lock inherited in the locked state would never open, so a child forked in mid-start must not wait for it.
        if not _starting.acquire(timeout=60):
            raise EnvironmentBlockedError("another thread has been starting Taichi for 60 s", where="automata backend")
        try:
            running = _running = _running or _initialise(
                cache, _setting(BACKEND_VARIABLE, BACKENDS), _setting(ARCH_VARIABLE, ARCHS), thread_count()
            )
        finally:
            _starting.release()
    if running.process != os.getpid():
        raise EnvironmentBlockedError(
            "a forked process cannot use the Taichi of its parent (it would hang): start workers with "
            "multiprocessing.get_context('spawn'), or fork before the first lattice is stepped",
            where="automata backend",
        )
    return running


def describe() -> dict[str, str | int]:
    """Return what the kernels run on: `backend`, `version`, `arch`, `threads` and `vector_bits`. Starts the backend."""
    running = start()
    from thunderlab.automata.kernels.layout import LANES

    return {
        "backend": running.name,
        "version": running.version,
        "arch": running.arch,
        "threads": running.threads,
        "vector_bits": LANES,
    }


def _setting(variable: str, accepted: tuple[str, ...]) -> str:
    """Return a setting of the environment, the first one accepted by default.

    Raises:
        InputError: it is none of those accepted.
    """
    text = os.environ.get(variable, "").strip() or accepted[0]
    if text not in accepted:
        raise InputError(f"{text!r} is not accepted; {' and '.join(accepted)} are", where="environment", field=variable)
    return text


def thread_count() -> int:
    """Return how many threads the backend may use: THUNDERLAB_THREADS, or every processor this process may run on.

    Raises:
        InputError: the variable is not a whole number from 1 to 256.
    """
    text = os.environ.get(THREADS_VARIABLE, "").strip()
    if not text:
        return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, MOST_THREADS)
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_THREADS):
        raise InputError(f"expected a whole number from 1 to {MOST_THREADS}, not {text!r}", where="environment", field=THREADS_VARIABLE)
    return int(text)


def _initialise(cache: Path | None, name: str, arch: str, threads: int) -> Backend:
    try:
        with _silence(), _floats_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 1.7.4 asks Python for the locale in a way it deprecates
            ti = import_module(name)
            ti.init(
                arch=getattr(ti, arch),
                log_level=ti.ERROR,
                cpu_max_num_threads=threads,
                # Vectors stay vectors in the compiler's input; scalarised, the packed kernels run four times slower.
                real_matrix_scalarize=False,
                offline_cache=cache is not None,
                **({} if cache is None else {"offline_cache_file_path": str(cache)}),
            )
            ti.sync()  # builds what may only be built in this thread; after that any thread may launch
            _name_places_briefly(name)
    except ImportError as error:
        raise EnvironmentBlockedError(
            f"{name} cannot be imported ({error}): install it with pip install {name}, or set {BACKEND_VARIABLE} to another",
            where="automata backend",
        ) from error
    running = ti.lang.impl.current_cfg().arch.name
    if arch == "cuda" and running != "cuda":
        raise EnvironmentBlockedError(
            f"{name} finds no CUDA device here: unset {ARCH_VARIABLE} to use the processor", where="automata backend"
        )
    return Backend(
        process=os.getpid(),
        name=name,
        version=".".join(map(str, ti.__version__)),
        arch=running,
        threads=_CUDA_THREADS if arch == "cuda" else threads,
        module=ti,
        launching=threading.Lock(),
    )


def _name_places_briefly(name: str) -> None:
    """Have Taichi name a place in a kernel by file and line alone.

    It draws the line for every expression, in case something should be wrong there, which is half of a kernel's way through Python.
    """
    context: Any = None
    with contextlib.suppress(ImportError):  # a version that is arranged otherwise works all the same
        context = getattr(import_module(f"{name}.lang.ast.ast_transformer_utils"), "ASTTransformerContext", None)
    if hasattr(context, "get_pos_info"):

        def place(self: Any, node: Any) -> str:
            return f'File "{self.file}", line {node.lineno + self.lineno_offset}, in {self.func.func.__name__}:\n'

        context.get_pos_info = place


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep Taichi's greetings off standard output, where our commands print results.

    Some come from Python (in a notebook `sys.stdout` is not file descriptor 1) and some from C++ (which writes to the descriptor),
    so both are turned aside for the moment; what other threads print meanwhile is lost.
    """
    # Without these the compiler takes the turned-aside sys.stdout for a notebook's and prints to it after every launch.
    buffering = {variable: os.environ.get(variable) for variable in ("TI_ENABLE_PYBUF", "QD_ENABLE_PYBUF")}
    os.environ.update(dict.fromkeys(buffering, "0"))
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stdout.flush()
    kept = os.dup(1) if _is_open(1) else None
    try:
        with contextlib.redirect_stdout(io.StringIO()), Path(os.devnull).open("wb") as nowhere:
            if kept is not None:
                os.dup2(nowhere.fileno(), 1)
            yield
    finally:
        ctypes.CDLL(None).fflush(None)  # C's own buffer, before the descriptor leads to people again
        if kept is not None:
            os.dup2(kept, 1)
            os.close(kept)
        for variable, before in buffering.items():
            if before is None:
                del os.environ[variable]
            else:
                os.environ[variable] = before


@contextlib.contextmanager
def _floats_kept() -> Iterator[None]:
    """Keep this thread's rules of floating point: the compiler, when it starts, has numbers below 2.2e-308 taken for zero ever after."""
    library = ctypes.CDLL(None)
    kept = ctypes.create_string_buffer(256)  # an fenv_t, of a few dozen bytes
    known = hasattr(library, "fegetenv") and library.fegetenv(kept) == 0
    try:
        yield
    finally:
        if known:
            library.fesetenv(kept)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
