"""Audits with progress: of the open workspace, or of a store file somebody hands in."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

import thunderlab
from thunderlab.errors import EvidenceError, InputError, ThunderlabError
from thunderlab.keys import PinnedKeys
from thunderlab.ledger import (
    CHAINS,
    EVENTS_CHAIN,
    Audit,
    Auditor,
    ChainKind,
    Failure,
    SignedCheckpoint,
    count_blocks,
    first_origin,
    read_anchor,
)
from thunderlab.ledger.witness import verify_witnessed
from thunderlab.store import open_read_only

Update = Callable[[str, int, int], None]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit is held against, besides the rows themselves.

    Attributes:
        pins: the keys believed in; None for the workspace's own, or none at all for a file.
        checkpoints: those that were handed in.
        refused: what is wrong with those that are none: findings, not mistakes.
    """

    pins: PinnedKeys | None
    checkpoints: tuple[SignedCheckpoint, ...]
    refused: tuple[Failure, ...]


def read_evidence(keys: Path | None, checkpoints: Sequence[Path], witnesses: Path | None = None) -> Evidence:
    """Return what was handed in, read strictly; with `witnesses`, each checkpoint must be cosigned by one of these keys.

    Raises:
        InputError: when a file does not exist, or the keys are none.
    """
    pins = None if keys is None else PinnedKeys.read(keys)
    cosigners = None if witnesses is None else PinnedKeys.read(witnesses)
    found: list[SignedCheckpoint] = []
    refused: list[Failure] = []
    for path in checkpoints:
        try:
            found.append(read_anchor(path))
            if cosigners is not None:
                verify_witnessed(found[-1], cosigners)
        except EvidenceError as error:
            refused.append(Failure(seq=0, kind="checkpoint", detail=str(error)))
    return Evidence(pins=pins, checkpoints=tuple(found), refused=tuple(refused))


def audit_workspace(evidence: Evidence, update: Update, *, full: bool | None) -> list[Audit]:
    """Return the audits of this workspace's own chains; what is wrong is put on record, if that can still be done."""
    with thunderlab.open() as lab:
        audits = []
        for kind in CHAINS:
            with lab.store.read() as connection:
                total = count_blocks(connection, kind)
            anchors = _of(kind, lab.ledger.origin, evidence.checkpoints)
            found = lab.custody.audit(kind, full=full, pins=evidence.pins, anchors=anchors, on_blocks=_progress(kind, total, update))
            audits.append(found)
        for found in audits:
            if not found.ok:
                # Whatever keeps it from being recorded, a damaged block first of all, does not keep it from being told.
                with contextlib.suppress(ThunderlabError):
                    lab.custody.record(found)
    return audits


def audit_file(path: Path, evidence: Evidence, update: Update) -> list[Audit]:
    """Return the audits of a store file's chains, from their first blocks on; the file is only read.

    What is no store at all is evidence that fails, not bad input.

    Raises:
        InputError: when there is no such file.
    """
    if not path.is_file():
        raise InputError("no such file", where=path)
    try:
        with open_read_only(path) as engine, engine.connect() as connection:
            return [_audit_kind(connection, kind, evidence, update) for kind in CHAINS]
    except (sa.exc.DatabaseError, UnicodeDecodeError) as error:  # the latter when a name in the file's own schema is no text
        return [_unreadable(error)]


def answer(audits: Sequence[Audit], refused: Sequence[Failure] = ()) -> dict[str, Any]:
    """Return what `ledger audit` answers with: the events' chain, and the failures of all."""
    failures = [*refused, *(failure for found in audits for failure in found.failures)]
    first = msgspec.to_builtins(audits[0])
    return {**first, "ok": not failures, "failures": msgspec.to_builtins(failures), "chains": msgspec.to_builtins(audits)}


def _audit_kind(connection: sa.Connection, kind: ChainKind, evidence: Evidence, update: Update) -> Audit:
    from thunderlab.lab import catalogue

    anchors = _of(kind, first_origin(connection, EVENTS_CHAIN), evidence.checkpoints)
    total = count_blocks(connection, kind)
    return Auditor(catalogue(), kind=kind, pins=evidence.pins, anchors=anchors).run(connection, _progress(kind, total, update))


def _of(kind: ChainKind, origin: str, checkpoints: Sequence[SignedCheckpoint]) -> list[SignedCheckpoint]:
    """Return the checkpoints that are held against one chain: those of another ledger altogether are held against the events' one."""
    others = {origin + other.suffix for other in CHAINS if other.suffix}
    if kind is EVENTS_CHAIN:
        return [one for one in checkpoints if one.checkpoint.origin not in others]
    return [one for one in checkpoints if one.checkpoint.origin == origin + kind.suffix]


def _progress(kind: ChainKind, total: int, update: Update) -> Callable[[int], None]:
    return lambda done: update(kind.name, done, total)


def _unreadable(error: Exception) -> Audit:
    failure = Failure(seq=0, kind="unreadable", detail=" ".join(str(getattr(error, "orig", error)).split()))
    return Audit(ok=False, chain=EVENTS_CHAIN.name, origin="", first=0, blocks=0, failures=(failure,), root="", signed_size=0, pruned=0)
