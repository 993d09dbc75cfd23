"""Accidents at the system calls that change what is on a disk: a process that dies, a disk that is full, one that fails.

SQLite lets its system calls be replaced (https://www.sqlite.org/c3ref/vfs.html, xSetSystemCall): those are counted together with
the ones Python makes for files, locks and keys, and at the n-th something happens. Only syncs of SQLite's own cannot be replaced.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import signal
import sqlite3  # loads the library that is looked for
from contextlib import contextmanager
from pathlib import Path

_SIZE, _OFFSET = ctypes.c_size_t, ctypes.c_int64
_SQLITE_CALLS = {
    "write": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE),
    "pwrite": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE, _OFFSET),
    "pwrite64": (ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, _SIZE, _OFFSET),
    "ftruncate": (ctypes.c_int, ctypes.c_int, _OFFSET),
    "unlink": (ctypes.c_int, ctypes.c_char_p),
}
_PYTHON_CALLS = ("open", "pwrite", "fchmod", "fsync", "replace", "unlink", "mkdir")
_POINTERS = (
    *("xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness", "xSleep"),
    *("xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall"),
)


class _Vfs(ctypes.Structure):
    """`struct sqlite3_vfs`, version 3."""

    _fields_ = [
        *(("version", ctypes.c_int), ("size", ctypes.c_int), ("longest", ctypes.c_int)),
        *(("next", ctypes.c_void_p), ("name", ctypes.c_char_p), ("data", ctypes.c_void_p)),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    ]


def library():
    """Return the path of the SQLite library this process has loaded, None when it is linked into Python or cannot be told."""
    assert sqlite3.sqlite_version
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    return next((line.split()[-1] for line in lines if "libsqlite3" in line), None)


@functools.cache
def _vfs():
    loaded = ctypes.CDLL(library())
    loaded.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    return loaded.sqlite3_vfs_find(None)


class Accident:
    """Counts calls, and says what becomes of each."""

    def __init__(self, at=None):
        self.at = at
        self.calls = []

    def happens(self, name):
        """Return what becomes of this call: None when nothing, an error number, or "half" for a write that stops half-way."""
        self.calls.append(name)
        return self.now(name) if self.at is not None and len(self.calls) >= self.at else None

    def now(self, name):
        """Return what becomes of this call, which is the n-th or a later one."""
        raise AssertionError("nothing was meant to happen")

    def half_way(self):
        """Have happen what happens when half of what was to be written was."""


class Death(Accident):
    """Kills the process at the n-th call; every other time half of what was to be written is written first."""

    def now(self, name):
        return "half" if "write" in name and self.at % 2 else self.half_way()

    def half_way(self):
        os.kill(os.getpid(), signal.SIGKILL)


class FullDisk(Accident):
    """Lets the n-th call stop half-way and refuses all that would take space from then on, until `over` is set."""

    over = False

    def now(self, name):
        if self.over or name in ("unlink", "ftruncate", "os.unlink", "os.fchmod"):
            return None
        return "half" if len(self.calls) == self.at and "write" in name else errno.ENOSPC


class FailingDisk(Accident):
    """Fails the n-th call."""

    def now(self, name):
        return errno.EIO if len(self.calls) == self.at else None


@contextmanager
def happening(accident):
    """Have an accident happen to this process during the block."""
    kept = [*_replaced_in_sqlite(accident), *_replaced_in_python(accident)]
    try:
        yield accident
    finally:
        for undo in kept:
            undo()


def _replaced_in_sqlite(accident):
    vfs = _vfs()
    get = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(vfs.contents.xGetSystemCall)
    put = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(vfs.contents.xSetSystemCall)
    for name, signature in _SQLITE_CALLS.items():
        address = get(vfs, name.encode())
        if address is None:
            continue
        kind = ctypes.CFUNCTYPE(*signature, use_errno=True)
        ours = kind(functools.partial(_system_call, accident, name, kind(address)))
        put(vfs, name.encode(), ctypes.cast(ours, ctypes.c_void_p))
        # `ours` must live as long as SQLite may call it: it does as long as whoever can undo it.
        yield functools.partial(lambda _ours, *arguments: put(vfs, *arguments), ours, name.encode(), address)


def _system_call(accident, name, original, *arguments):
    what = accident.happens(name)
    if what == "half":
        descriptor, data, size, *place = arguments
        done = original(descriptor, data, size // 2, *place)
        accident.half_way()
        return done
    if what is not None:
        ctypes.set_errno(what)
        return -1
    return original(*arguments)


def _replaced_in_python(accident):
    for name in _PYTHON_CALLS:
        original = getattr(os, name)
        setattr(os, name, functools.partial(_python_call, accident, name, original))
        yield functools.partial(setattr, os, name, original)


def _python_call(accident, name, original, *arguments, **more):
    if name == "open" and not arguments[1] & (os.O_CREAT | os.O_WRONLY):
        return original(*arguments, **more)
    what = accident.happens(f"os.{name}")
    if what == "half":
        descriptor, data, *place = arguments
        done = original(descriptor, data[: len(data) // 2], *place)
        accident.half_way()
        return done
    if what is not None:
        raise OSError(what, os.strerror(what))
    return original(*arguments, **more)
