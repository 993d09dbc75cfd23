"""Named random streams: one integer seed, any number of independent generators, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator that `seed` and a path of names stand for.

    The path is hashed (SHA-256) into the entropy of a NumPy `SeedSequence` for PCG64, so streams of different names are
    independent and adding one never shifts another.

    Args:
        seed: any integer >= 0.
        names: what the numbers are for, for example `"soup"`, or `"trial", 7`.

    >>> stream(1, "soup").integers(0, 100, 3).tolist() == stream(1, "soup").integers(0, 100, 3).tolist()
    True
    >>> stream(1, "soup").integers(0, 2**32).item() == stream(1, "noise").integers(0, 2**32).item()
    False
    """
    import numpy as np

    if seed < 0:
        raise ValueError("a seed is an integer >= 0")
    path = "\0".join(f"{type(name).__name__}:{name}" for name in names)
    words = np.frombuffer(hashlib.sha256(path.encode()).digest(), dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *map(int, words)])))
