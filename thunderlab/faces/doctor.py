"""What is on this machine: looked at, never assumed."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from thunderlab import __version__, workspace
from thunderlab.errors import ThunderlabError
from thunderlab.faces.report.provenance import PACKAGES, installed_versions
from thunderlab.locks import holder
from thunderlab.postgres import Postgres
from thunderlab.sqlite import LOCK_SUFFIX


@dataclass(frozen=True)
class Part:
    """An optional part: whether it is here, where or why not, and what it is for."""

    name: str
    present: bool
    detail: str
    purpose: str


@dataclass(frozen=True)
class Findings:
    """Everything `thunderlab doctor` shows."""

    facts: dict[str, str | int | None]
    versions: dict[str, str]
    parts: tuple[Part, ...]


def examine() -> Findings:
    """Look around and return what there is; nothing is created, not even the workspace."""
    from thunderlab.automata import backend

    place = workspace.locate()
    database = workspace.database_url()
    store = place / workspace.STORE
    try:
        engine = ", ".join(f"{name} {value}" for name, value in backend.describe().items())
    except ThunderlabError as error:
        engine = f"not started: {error}"
    facts: dict[str, str | int | None] = {
        "thunderlab": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "workspace": f"{place}{'' if place.is_dir() else ' (made on first use)'}",
        **(_on_server(database) if database is not None else _in_file(store)),
        "engine": engine,
        "notebooks": str(workspace.shipped("notebooks")),
        "scenarios": str(workspace.shipped("scenarios")),
    }
    return Findings(facts, installed_versions(PACKAGES), tuple(_parts()))


def _in_file(store: Path) -> dict[str, str | int | None]:
    return {
        "store": f"SQLite, {store.stat().st_size} bytes" if store.is_file() else "SQLite (made on first use)",
        "store writer": holder(store.with_name(store.name + LOCK_SUFFIX)) or "nobody",
    }


def _on_server(url: str) -> dict[str, str | int | None]:
    """Ask the server; a wrong address is bad input, and a server that does not answer is one of the things to be told."""
    postgres = Postgres(url)
    try:
        return {"store": f"PostgreSQL {postgres.version()} at {postgres.place}", "store writer": postgres.writer() or "nobody"}
    except ThunderlabError as error:
        return {"store": f"PostgreSQL, not to be had: {error}", "store writer": None}
    finally:
        postgres.close()


def _parts() -> list[Part]:
    return [
        _program("git", "the commit in a report's provenance"),
        _program("chromium", "the browser tests of the report"),
        _server(),
        _program("bgolly", "the comparison of the automata with Golly"),
        _program("gcc", "the C rivals in make bench"),
        _program("nvidia-smi", "a GPU, used with THUNDERLAB_ARCH=cuda; the engine runs on the processor otherwise"),
        _module("quadrants", "another compiler for the engine, used with THUNDERLAB_BACKEND=quadrants"),
        _module("numba", "a rival in make bench"),
        _module("jax", "a rival in make bench"),
        _module("cax", "a rival in make bench"),
        _module("playwright", "the browser tests of the report"),
        _module("jupyterlab", "thunderlab lab"),
    ]


def _server() -> Part:
    """Debian keeps the server off the path, by version."""
    places = [found for found in [shutil.which("postgres")] if found] + sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/postgres")))
    return Part(
        "postgres",
        bool(places),
        places[0] if places else "not on the path",
        f"the tests of a store on a server, used with {workspace.DATABASE_VARIABLE}",
    )


def _program(name: str, purpose: str) -> Part:
    found = shutil.which(name)
    return Part(name, found is not None, found or "not on the path", purpose)


def _module(name: str, purpose: str) -> Part:
    present = util.find_spec(name) is not None
    return Part(name, present, installed_versions([name]).get(name, "") if present else "not installed", purpose)
