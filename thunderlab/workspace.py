"""Where things are: the workspace, the project around it, and the notebooks and scenarios that ship with the package."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from thunderlab.errors import EnvironmentBlockedError, InputError

FOLDER = ".thunderlab"
VARIABLE = "THUNDERLAB_WORKSPACE"
DATABASE_VARIABLE = "THUNDERLAB_DATABASE_URL"
SCHEMES = ("postgresql://", "postgres://")
STORE = "lab.db"
OWN_FOLDERS = ("anchors", "cache", "courses", "keys", "packs")

_PACKAGE = Path(__file__).resolve().parent


def locate(
    explicit: str | os.PathLike[str] | None = None, *, environment: Mapping[str, str] = os.environ, start: Path | None = None
) -> Path:
    """Return the workspace folder, which need not exist yet.

    In order: `explicit`, the environment's THUNDERLAB_WORKSPACE, the nearest `.thunderlab` upward from `start` (the current
    folder), `.thunderlab` in the project's root.

    Raises:
        InputError: when a file lies where the workspace should be.
    """
    named = explicit or environment.get(VARIABLE)
    here = (start or Path.cwd()).resolve()
    found = (
        Path(named).expanduser().absolute()
        if named
        else next((up / FOLDER for up in (here, *here.parents) if (up / FOLDER).is_dir()), None)
    )
    workspace = found or project_root(here) / FOLDER
    if workspace.exists() and not workspace.is_dir():
        raise InputError("is not a folder; name a folder for the workspace", where=workspace)
    return workspace


def database_url(*, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of the PostgreSQL database that holds the store, None when it is in the workspace.

    Raises:
        InputError: when it is no such address; it is not repeated, since it may hold a password.
    """
    url = environment.get(DATABASE_VARIABLE, "").strip()
    if url and not url.startswith(SCHEMES):
        raise InputError(
            f"expected an address that begins with {' or '.join(SCHEMES)}; unset it for a store in the workspace", where=DATABASE_VARIABLE
        )
    return url or None


def nothing_yet() -> bool:
    """Return whether there is neither a workspace nor a database: what is sought in a store cannot be there, and none need be made."""
    return not locate().is_dir() and database_url() is None


def is_own(path: Path) -> bool:
    """Return whether a file is one that a workspace keeps for itself, or would be: nobody else may write it."""
    try:
        first = Path(os.path.realpath(path)).relative_to(locate().resolve()).parts[:1]
    except ValueError:
        return False
    return bool(first) and (first[0] in OWN_FOLDERS or first[0].startswith(STORE))


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder upward that holds both `notebooks` and `scenarios`, else the folder itself."""
    here = (start or Path.cwd()).resolve()
    return next((up for up in (here, *here.parents) if (up / "notebooks").is_dir() and (up / "scenarios").is_dir()), here)


def shipped(kind: str, start: Path | None = None) -> Path:
    """Return the folder of `notebooks` or `scenarios`: the project's own, else the ones the package carries.

    Raises:
        EnvironmentBlockedError: when neither exists, which means a broken installation.
    """
    for folder in (project_root(start) / kind, _PACKAGE / "_shipped" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise EnvironmentBlockedError("is not there; install thunderlab again", where=_PACKAGE / "_shipped" / kind)
