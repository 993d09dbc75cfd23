"""The engine's identity: one digest over the code that decides what a scenario measures."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from thunderlab import canonical
from thunderlab.automata import backend
from thunderlab.automata.qa.results import EngineDigest

# Whatever this imports, directly or not, is part of the engine: what steps a lattice, what is read off it, how a start is drawn.
ROOT = "automata/qa/measure.py"
# Kernels are chosen by name while a lattice is made, so all of them are.
FOLDERS = ("automata/kernels", "automata/rules")

_PACKAGE = Path(__file__).resolve().parents[2]
_IMPORT = re.compile(r"^[ \t]*from (thunderlab[.\w]*) import (?:\(([^)]*)\)|([^\n#(]*))", re.MULTILINE)


@functools.cache
def engine_digest() -> EngineDigest:
    """Return the identity of the engine of this process; starts the backend.

    The digest is over the name and version of the backend and the name and SHA-256 of every source file that takes part in a
    measurement (`sources`). A comment counts like code: equal digests mean equal engines, different ones do not say that any number
    differs. Machine, threads and cache are left out, since no result may depend on them.
    """
    running = backend.describe()
    name, version = str(running["backend"]), str(running["version"])
    parts = {place: canonical.digest((_PACKAGE / place).read_bytes()) for place in sources()}
    return EngineDigest(canonical.digest_of({"engine": 1, "backend": name, "version": version, "sources": parts}), name, version)


def fingerprint_key() -> str:
    """Return what fingerprints of steps mean the same under: the engine's digest and the width of its vectors, which lay states out."""
    return f"{engine_digest().digest}/{backend.describe()['vector_bits']}"


@functools.cache
def sources() -> tuple[str, ...]:
    """Return the source files of the engine, below the package's folder, in order: `ROOT`, `FOLDERS` and all they import from here.

    Following the imports leaves nothing out that a measurement could depend on, and nothing has to be remembered here when a kernel
    or an observable is added. What runs, records and shows suites is not reached, so it may change without a new engine.
    """
    found: set[str] = set()
    waiting = [ROOT, *(path.relative_to(_PACKAGE).as_posix() for folder in FOLDERS for path in (_PACKAGE / folder).glob("*.py"))]
    while waiting:
        place = waiting.pop()
        if place not in found:
            found.add(place)
            waiting.extend(_imported((_PACKAGE / place).read_text(encoding="utf-8")))
    return tuple(sorted(found))


def _imported(source: str) -> list[str]:
    """Return the files that a source imports from this package: modules by name, and a folder's `__init__` for anything else in it."""
    found = []
    for match in _IMPORT.finditer(source):
        parts = match[1].split(".")[1:]
        names = re.findall(r"(\w+)(?: as \w+)?", re.sub(r"#[^\n]*", "", match[2] or match[3]))
        for name in names:
            inner, whole = Path(*parts, f"{name}.py"), Path(*parts).with_suffix(".py") if parts else Path("__init__.py")
            package, below = Path(*parts, "__init__.py"), Path(*parts, name, "__init__.py")
            found.append(next((place.as_posix() for place in (inner, below, whole, package) if (_PACKAGE / place).is_file()), ""))
    return [place for place in found if place]
