"""Small named locks between processes: held briefly, released by the operating system at death, and they say who holds them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from thunderlab.errors import BusyError, EnvironmentBlockedError

PATIENCE_S = 30.0
_FIRST_PAUSE_S = 0.0005
_LONGEST_PAUSE_S = 0.01


@contextlib.contextmanager
def held(path: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock file `path` for the block; threads and processes alike wait their turn.

    Each call opens the file anew, so two threads of one process exclude each other too. The lock is the operating system's
    (`flock`): a killed holder releases it.

    Args:
        path: the lock file, named after what it guards; created when missing, never removed.
        patience_s: seconds to wait.

    Raises:
        BusyError: when another holder kept it longer; the message names its process id and command.
        EnvironmentBlockedError: when the lock file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise EnvironmentBlockedError(f"cannot be opened: {error.strerror}", where=path) from error
    try:
        _wait(descriptor, path, patience_s)
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """Return who holds the lock (`pid 41 (thunderlab run)`), or None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_signature(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _wait(descriptor: int, path: Path, patience_s: float) -> None:
    deadline, pause = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BusyError(
                    f"held by {_read_signature(descriptor)} for more than {patience_s:g} s; wait for it or end it", where=path
                ) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        else:
            return


def _sign(descriptor: int) -> None:
    """Write who we are into the lock file, for the ones who wait."""
    signature = json.dumps({"pid": os.getpid(), "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]}).encode()
    # A full disk must not stop work that needs no space: then the lock is held all the same, only unsigned.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, signature, 0)


def _read_signature(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return f"pid {found['pid']} ({found['command']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"
