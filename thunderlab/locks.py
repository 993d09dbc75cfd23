"""Small named locks between processes: held briefly, in the order of asking, released at death, and they say who holds them.

The lock itself is the operating system's (`flock`), and nothing else decides who is inside. Who comes next is decided by a queue
of tickets in front of it: whoever finds the lock taken draws the next ticket, locks the byte of that number, and waits for the
byte of the number before. One process wakes at a time, and a process that dies lets its bytes go. A byte lock says nothing about
what is guarded, so a queue in disorder (a waiter that was killed) costs the order, never the exclusion.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from thunderlab.errors import BusyError, EnvironmentBlockedError

PATIENCE_S = 30.0

# The file's text: a line with the newest ticket, and one with who took the lock last.
_TICKET_BYTES = 20
_SIGNATURE_AT, _LONGEST_SIGNATURE = 21, 4096
# Byte locks may lie beyond the end of a file, where they cover nothing that is written.
_DRAWER = 1 << 40
_TICKETS = _DRAWER + 1
_MOST_TICKETS = 1 << 50
# `struct flock` of Linux on 64 bits: type, whence, start, length, pid.
_FLOCK = struct.Struct("hhqqi4x")
_ALL_TICKETS = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, _TICKETS, 0, 0)


class Lock:
    """One lock file, kept open: for whoever takes the same lock many times. Threads may share it; close it at the end.

    Args:
        path: the lock file, named after what it guards; created when missing, never removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._threads = _Line()
        self._descriptor: int | None = None
        self._waiter: _Waiter | None = None
        self._pid = 0

    @contextlib.contextmanager
    def held(self, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
        """Hold the lock for the block; threads and processes alike come in the order in which they asked.

        Args:
            patience_s: seconds to wait.

        Raises:
            BusyError: when another holder kept it longer; the message names its process id and command.
            EnvironmentBlockedError: when the lock file cannot be made.
        """
        until = time.monotonic() + patience_s
        ours = threading.Lock()
        try:
            if not self._threads.enter(ours, patience_s):
                raise self._busy(self._opened(), patience_s)
            descriptor = self._opened()
            try:
                if not _taken_at_once(descriptor):
                    self._queue(descriptor, until - time.monotonic(), patience_s)
                _sign(descriptor)
                yield
            finally:
                self._let_go(descriptor)
        finally:
            self._threads.leave(ours)

    def close(self) -> None:
        """Close the file, once no other thread is at it; a lock that is held longer than `PATIENCE_S` is let go."""
        with self.closing():
            pass

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Close the file at the end of the block, which no other thread of this process disturbs; see `close`."""
        # The number of a file that is closed is soon another file's, and a thread that just took it up would lock and sign that.
        ours = threading.Lock()
        try:
            self._threads.enter(ours, PATIENCE_S)
            yield
        finally:
            self._close()
            self._threads.leave(ours)

    def _close(self) -> None:
        descriptor, waiter, self._descriptor, self._waiter = self._descriptor, self._waiter, None, None
        if waiter is not None and self._pid == os.getpid():
            waiter.end()
        if descriptor is not None:
            os.close(descriptor)

    def _opened(self) -> int:
        """Return the file's descriptor. A forked child opens its own: what it inherits is its parent's lock."""
        if self._descriptor is None or self._pid != os.getpid():
            self._close()
            try:
                self._descriptor, self._pid = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644), os.getpid()
            except OSError as error:
                raise EnvironmentBlockedError(f"cannot be opened: {error.strerror}", where=self.path) from error
        return self._descriptor

    def _queue(self, descriptor: int, seconds: float, patience_s: float) -> None:
        """Wait for the lock in line. Nothing can end a wait in the kernel early, so a thread waits there, and we wait for it."""
        if self._waiter is None:
            self._waiter = _Waiter(descriptor)
        if not self._waiter.wait(max(seconds, 0.0)):
            raise self._busy(descriptor, patience_s)

    def _let_go(self, descriptor: int) -> None:
        """Let the lock go, or the place in the queue; then the file is closed as soon as the thread in the kernel comes back."""
        waiter = self._waiter
        if waiter is not None and waiter.pending:
            self._waiter, self._descriptor = None, None
            waiter.abandon()
        elif self._descriptor == descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _busy(self, descriptor: int, patience_s: float) -> BusyError:
        return BusyError(
            f"held by {_read_signature(descriptor)} for more than {patience_s:g} s; wait for it or end it",
            where=self.path,
        )


@contextlib.contextmanager
def held(path: Path, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock file `path` for the block; see `Lock.held`. Each call opens the file anew."""
    lock = Lock(path)
    try:
        with lock.held(patience_s=patience_s):
            yield
    finally:
        lock.close()


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


class _Line:
    """The threads of one process in front of one lock, first come, first served; `threading.Lock` lets a thread overtake."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._there: deque[threading.Lock] = deque()  # the first one is inside

    def enter(self, ours: threading.Lock, seconds: float) -> bool:
        """Stand in line with a new lock and return whether its turn came in time; `leave` must follow in any case."""
        with self._guard:
            self._there.append(ours)
            if self._there[0] is ours:
                return True
            ours.acquire()
        return ours.acquire(timeout=max(seconds, 0.0))

    def leave(self, ours: threading.Lock) -> None:
        """Leave the line, or the place at its head, and call the next one."""
        with self._guard:
            if ours in self._there:
                self._there.remove(ours)
            self._call_first()

    def _call_first(self) -> None:
        # The one inside may be called again: it hears no more.
        if self._there and self._there[0].locked():
            self._there[0].release()


class _Waiter:
    """A thread that waits in the kernel for a lock, again and again; started when a lock is found taken for the first time."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._guard = threading.Lock()
        self._asked, self._had = threading.Semaphore(0), threading.Semaphore(0)
        self.pending = self._waiting = self._ended = self._abandoned = False
        self._error: OSError | None = None
        threading.Thread(target=self._run, name="thunderlab-lock", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Return whether the lock was had within so many seconds; while `pending` holds it may still come, and `abandon` must follow."""
        self.pending = True
        with self._guard:
            self._waiting = True
        self._asked.release()
        had = self._had.acquire(timeout=seconds)
        if self._error is not None:
            raise self._error
        self.pending = not had
        return had

    def abandon(self) -> None:
        """Close the file: now, or when the thread comes back from the kernel; then the thread ends."""
        with self._guard:
            self._abandoned = True
            if not self._waiting:
                os.close(self._descriptor)
        self.end()

    def end(self) -> None:
        """Let the thread end once it has nothing to wait for."""
        self._ended = True
        self._asked.release()

    def _run(self) -> None:
        while True:
            self._asked.acquire()
            if not self._waiting:
                if self._ended:
                    return
                continue
            try:
                _stand_in_line(self._descriptor)
            except OSError as error:
                self._error = error
            with self._guard:
                self._waiting = False
                if self._abandoned:
                    os.close(self._descriptor)
                    return
            self._had.release()


def _taken_at_once(descriptor: int) -> bool:
    """Take the lock if it is free and nobody waits for it: who comes now does not overtake."""
    if _kind(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _ALL_TICKETS)) != fcntl.F_UNLCK:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _stand_in_line(descriptor: int) -> None:
    """Draw a ticket, wait for the one before, take the lock, and throw the ticket away."""
    _byte(descriptor, fcntl.F_OFD_SETLKW, fcntl.F_WRLCK, _DRAWER)
    newest = os.pread(descriptor, _TICKET_BYTES, 0)
    ours = int(newest) % _MOST_TICKETS + 1 if newest.isdigit() else 1
    # Held by another only when a full disk kept it from writing its number: then it is waited for here.
    _byte(descriptor, fcntl.F_OFD_SETLKW, fcntl.F_WRLCK, _TICKETS + ours)
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, b"%020d\n" % ours, 0)
    _byte(descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, _DRAWER)
    _byte(descriptor, fcntl.F_OFD_SETLKW, fcntl.F_RDLCK, _TICKETS + ours - 1)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    _byte(descriptor, fcntl.F_OFD_SETLK, fcntl.F_UNLCK, _TICKETS + ours - 1, 2)


def _byte(descriptor: int, command: int, kind: int, start: int, length: int = 1) -> None:
    """Lock or unlock bytes of the file, for this opening of it."""
    fcntl.fcntl(descriptor, command, _FLOCK.pack(kind, os.SEEK_SET, start, length, 0))


def _kind(flock: bytes) -> int:
    """Return the kind of lock that was found in the way."""
    return int.from_bytes(flock[:2], sys.byteorder)


def _sign(descriptor: int) -> None:
    """Write who we are into the lock file, for the ones who wait; who signed last has nothing to write."""
    signature = _signature(os.getpid())
    # A full disk must not stop work that needs no space: then the lock is held all the same, only unsigned.
    with contextlib.suppress(OSError):
        if os.pread(descriptor, len(signature), _SIGNATURE_AT) != signature:
            os.pwrite(descriptor, signature, _SIGNATURE_AT)


@functools.lru_cache(maxsize=1)
def _signature(pid: int) -> bytes:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    return json.dumps({"pid": pid, "command": command}).encode() + b"\n"


def _read_signature(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, _LONGEST_SIGNATURE, _SIGNATURE_AT).partition(b"\n")[0])
        return f"pid {found['pid']} ({found['command']})"
    except (ValueError, KeyError, TypeError, OSError):
        return "another process"
