"""Life alone in C (`life.c`), compiled for this machine when gcc is here."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from tests.benchmarks._engines import Absent, Engine

SOURCE = Path(__file__).resolve().parents[1] / "life.c"
FLAGS = ("-O3", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC", "-Wno-psabi")
WORDS = 8  # 64-bit words a vector


def compiled():
    """Return the library and what compiled it."""
    gcc = shutil.which("gcc")
    if gcc is None:
        raise Absent("no gcc here")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "life.so"
        done = subprocess.run([gcc, *FLAGS, "-o", str(library), str(SOURCE)], capture_output=True, text=True)
        if done.returncode != 0:
            raise Absent(f"gcc: {done.stderr.strip().splitlines()[0]}")
        loaded = ctypes.CDLL(str(library))
    for function in (loaded.one_lattice, loaded.lattices_256):
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int] * 4]
    version = subprocess.run([gcc, "-dumpfullversion"], capture_output=True, text=True).stdout.strip()
    wide = "__AVX512F__" in subprocess.run([gcc, "-march=native", "-dM", "-E", "-xc", "/dev/null"], capture_output=True, text=True).stdout
    return loaded, f"gcc {version} -O3, {'AVX-512' if wide else 'no AVX-512 here'}"


class Life(Engine):
    """One step per pass through memory."""

    steps_per_pass = 1
    lanes = 512  # of one bit each

    def prepare(self):
        if self.rule != "B3/S23" or len(self.axes) != 2 or self.batch != (self.lanes != 512):
            raise Absent("runs Life alone, in this form alone")
        self.height, self.width = self.start.shape[-2:]
        if self.width % self.lanes:
            raise Absent(f"takes widths that are multiples of {self.lanes}")
        library, self.version = compiled()
        self.run = library.one_lattice if self.lanes == 512 else library.lattices_256
        self.strips = self.width // self.lanes
        self.packed = self.pack()
        self.buffers = [aligned(self.packed.shape) for _ in range(2)]

    def pack(self):
        """Return 64-bit words `[y strip 8]` with both ghosts."""
        lanes = self.start.reshape(self.height, self.lanes, self.strips)
        words = np.packbits(lanes.transpose(0, 2, 1), axis=-1, bitorder="little").view(np.uint64)
        before = np.packbits(np.roll(lanes[:, :, -1], 1, axis=1), axis=-1, bitorder="little").view(np.uint64)
        after = np.packbits(np.roll(lanes[:, :, 0], -1, axis=1), axis=-1, bitorder="little").view(np.uint64)
        return np.concatenate([before[:, None], words, after[:, None]], axis=1)

    def restart(self):
        self.buffers[0][:] = self.packed

    def advance(self, steps):
        passes, rest = divmod(steps, self.steps_per_pass)
        for count, each in ((passes, self.steps_per_pass), (rest, 1)):
            here, there = self.buffers
            if self.run(here.ctypes.data, there.ctypes.data, self.height, self.strips, count, each):
                raise MemoryError
            if count % 2:
                self.buffers.reverse()

    def cells(self):
        words = np.ascontiguousarray(self.buffers[0][:, 1:-1])
        lanes = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")
        return lanes.transpose(0, 2, 1).reshape(self.height, self.width)

    def about(self):
        return self.version


class LifeFourSteps(Life):
    """Four steps per pass, so that less goes through memory."""

    steps_per_pass = 4


class Seeds(Life):
    """256 lattices side by side, a bit for each."""

    steps_per_pass = 4
    lanes = 2  # of 256 bits each

    def pack(self):
        if len(self.start) != 256:
            raise Absent("takes 256 lattices")
        bits = np.packbits(self.start.transpose(1, 2, 0), axis=-1, bitorder="little")  # [y x 32]
        halves = bits.reshape(self.height, 2, self.strips, 32)
        words = halves.transpose(0, 2, 1, 3).reshape(self.height, self.strips, 64)
        before, after = (halves[:, ::-1, at].reshape(self.height, 1, 64) for at in (-1, 0))
        return np.ascontiguousarray(np.concatenate([before, words, after], axis=1)).view(np.uint64)

    def cells(self):
        halves = np.ascontiguousarray(self.buffers[0][:, 1:-1]).view(np.uint8).reshape(self.height, self.strips, 2, 32)
        bits = halves.transpose(0, 2, 1, 3).reshape(self.height, self.width, 32)
        return np.unpackbits(bits, axis=-1, bitorder="little").transpose(2, 0, 1)


def aligned(shape):
    """Return zeroed 64-bit words that begin on a line of the cache."""
    size = int(np.prod(shape)) * 8
    raw = np.zeros(size + 64, dtype=np.uint8)
    offset = -raw.ctypes.data % 64
    return raw[offset : offset + size].view(np.uint64).reshape(shape)
