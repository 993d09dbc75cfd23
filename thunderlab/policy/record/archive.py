"""What verdicts rest on, kept once each in the store under the SHA-256 of its bytes, never changed, and believed only after it was hashed anew."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa

from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError
from thunderlab.policy.tables import POLICY_ARCHIVE
from thunderlab.store import Store, insert_rows

Kind = Literal["policy set", "entities", "replay"]

_COLUMN = POLICY_ARCHIVE.c


class Archive:
    """The archive of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, connection: sa.Connection, kind: Kind, data: bytes) -> str:
        """Keep some bytes within the caller's transaction, and return their digest; nothing is written when they are kept already.

        Raises:
            EvidenceError: when other bytes are kept under their digest.
        """
        name = digest(data)
        kept = connection.execute(sa.select(_COLUMN.kind, _COLUMN.document).where(_COLUMN.digest == name)).first()
        if kept is None:
            insert_rows(connection, POLICY_ARCHIVE, [(name, kind, data)])
        elif kept.document != data or kept.kind != kind:
            raise _damaged(kind, name)
        return name

    def get(self, kind: Kind, name: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            EvidenceError: when they are gone, or are no longer those of that digest.
        """
        with self._store.read() as connection:
            kept = connection.execute(sa.select(_COLUMN.kind, _COLUMN.document).where(_COLUMN.digest == name)).first()
        if kept is None:
            raise EvidenceError(f"the {kind} of this digest is gone", where=f"policy_archive, {name}")
        if kept.kind != kind or type(kept.document) is not bytes or digest(kept.document) != name:
            raise _damaged(kind, name)
        return bytes(kept.document)


def _damaged(kind: Kind, name: str) -> EvidenceError:
    return EvidenceError(
        f"the bytes of this {kind} are no longer those of its digest; see: thunderlab policy audit", where=f"policy_archive, {name}"
    )
