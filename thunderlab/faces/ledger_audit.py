"""Audits with progress: of the open workspace, or of a store file somebody hands in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

import thunderlab
from thunderlab.errors import InputError
from thunderlab.ledger import Audit, Failure, audit
from thunderlab.ledger.audit import count_blocks
from thunderlab.store import open_read_only

Update = Callable[[str, int, int], None]

_EVERY = 500


def audit_workspace(update: Update) -> Audit:
    """Return the audit of this workspace's own ledger."""
    with thunderlab.open() as lab, lab.store.read() as connection:
        return _audit(connection, update)


def audit_file(path: Path, update: Update) -> Audit:
    """Return the audit of a store file, which is only read. What is no store at all is evidence that fails, not bad input.

    Raises:
        InputError: when there is no such file.
    """
    if not path.is_file():
        raise InputError("no such file", where=path)
    engine = open_read_only(path)
    try:
        with engine.connect() as connection:
            return _audit(connection, update)
    except sa.exc.DatabaseError as error:
        unreadable = Failure(seq=0, kind="unreadable", detail=" ".join(str(error.orig).split()))
        return Audit(ok=False, blocks=0, failures=(unreadable,), root="")
    finally:
        engine.dispose()


def _audit(connection: sa.Connection, update: Update) -> Audit:
    from thunderlab.lab import catalogue

    total = count_blocks(connection)
    return audit(connection, catalogue(), lambda done: update("", done, total) if done % _EVERY == 0 else None)
