"""Where a report came from: everything needed to do it again."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import msgspec

from thunderlab.automata.qa.results import SuiteResult
from thunderlab.clock import rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.lab import Lab
from thunderlab.ledger import CHAINS, Head


class NotebookRun(msgspec.Struct, frozen=True, kw_only=True):
    """One notebook of the pack: `status` is ok, failed or skipped; `html` is its page relative to the report's folder."""

    name: str
    status: str
    duration_us: int
    html: str | None
    why: str = ""


class Pruning(msgspec.Struct, frozen=True, kw_only=True):
    """Payloads that were removed from a chain: `blocks` of them, before block `before`, as its block `seq` says, at that time."""

    chain: str
    seq: int
    at: str
    before: int
    blocks: int
    bytes: int
    size: int


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What produced a report.

    Attributes:
        run_id: the main job's id; None for a report built outside one.
        built_at: RFC 3339 UTC.
        commit: Git commit of the code, None outside a checkout.
        dirty: whether the checkout had changes that are not committed; None when unknown.
        versions: package -> version.
        python: interpreter version.
        platform: operating system, machine and processor count in one line.
        seeds: scenario -> seed.
        parameters: notebook parameter -> value as given.
        ledger_origin: which ledger.
        ledger_seq: number of its newest block; None, as the next two, when the ledger is too damaged to tell.
        ledger_head: aggregate hash of that block.
        ledger_root: Merkle root over all blocks up to it.
        ledger_signed_size: so many blocks are covered by the newest checkpoint kept outside the store; None when there is none.
        ledger_pruned: what was pruned, newest first; None when the ledger is too damaged to tell.
    """

    run_id: str | None
    built_at: str
    commit: str | None
    dirty: bool | None
    versions: dict[str, str]
    python: str
    platform: str
    seeds: dict[str, int]
    parameters: dict[str, str]
    ledger_origin: str
    ledger_seq: int | None
    ledger_head: str | None
    ledger_root: str | None
    ledger_signed_size: int | None = None
    ledger_pruned: tuple[Pruning, ...] | None = ()


# The packages whose versions decide what a run computes; everything else is pinned by constraints.txt.
PACKAGES = ("thunderlab", "taichi", "numpy", "scipy", "polars", "scikit-learn", "papermill", "jupyterlab", "sqlalchemy", "msgspec")


def collect(
    lab: Lab, suites: Sequence[SuiteResult], *, run_id: str | None = None, parameters: Mapping[str, str] | None = None
) -> Provenance:
    """Return where a report made now would come from."""
    try:
        head: Head | None = lab.ledger.head()
    except EvidenceError:
        head = None
    try:
        anchor = lab.custody.anchored()
    except EvidenceError:
        anchor = None
    commit, dirty = _checkout()
    return Provenance(
        run_id=run_id,
        built_at=rfc3339(lab.clock.now_us()),
        commit=commit,
        dirty=dirty,
        versions=installed_versions(PACKAGES),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        seeds={scenario.name: scenario.seed for suite in suites for scenario in suite.scenarios},
        parameters=dict(parameters or {}),
        ledger_origin=lab.ledger.origin,
        ledger_seq=head.seq if head else None,
        ledger_head=head.aggregate_hash if head else None,
        ledger_root=head.root if head else None,
        ledger_signed_size=anchor.checkpoint.size if anchor else None,
        ledger_pruned=_pruned(lab),
    )


def _pruned(lab: Lab) -> tuple[Pruning, ...] | None:
    try:
        return tuple(
            Pruning(
                chain=kind.name,
                seq=block.seq,
                at=block.inserted_at,
                before=told.before,
                blocks=told.blocks,
                bytes=told.bytes,
                size=told.size,
            )
            for kind in CHAINS
            for block, told in lab.custody.prunings(kind)
        )
    except EvidenceError:
        return None


def installed_versions(packages: Sequence[str]) -> dict[str, str]:
    """Return package -> version for those of the packages that are installed."""
    found: dict[str, str] = {}
    for name in packages:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _checkout() -> tuple[str | None, bool | None]:
    """Return the commit of the code and whether it was changed since; (None, None) when it is no checkout or Git is absent."""
    root = Path(__file__).resolve().parents[3]
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None, None

    def ask(*question: str) -> str:
        found = subprocess.run([git, "-C", root, *question], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - fixed arguments
        return found.stdout.strip()

    try:
        # Untracked files are left out of the question: generated reports are no change of the code.
        return ask("rev-parse", "HEAD"), bool(ask("status", "--porcelain", "--untracked-files=no"))
    except (subprocess.SubprocessError, OSError):
        return None, None
