"""Files that never change, each named by the SHA-256 of its bytes: they lie beside the store and are only ever added to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from thunderlab import files
from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError, InputError

LEAST_PREFIX = 12

_PREFIX = re.compile(r"[0-9a-f]{12,64}")


class Archive:
    """A folder of such files.

    Args:
        folder: where they lie; made when the first one is put in.
        ending: of their names, for example `.json`.
        what: one of them, in words, for messages.
        limit: the most bytes one may have.
    """

    def __init__(self, folder: Path, ending: str, what: str, limit: int) -> None:
        self._folder = folder
        self._ending = ending
        self._what = what
        self._limit = limit

    def put(self, data: bytes) -> str:
        """Keep some bytes and return their digest; nothing is written when they are kept already.

        Raises:
            InputError: when they are more than the limit.
            EnvironmentBlockedError: when they cannot be written.
        """
        if len(data) > self._limit:
            raise InputError(f"a {self._what} of {len(data)} bytes is larger than the {self._limit} that are kept")
        name = digest(data)
        path = self.path(name)
        # Bytes that no longer fit their name are replaced: these do.
        if not path.is_file() or path.stat().st_size != len(data) or digest(path.read_bytes()) != name:
            files.write_whole(path, data)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of a digest.

        Raises:
            EvidenceError: when they are gone, or are no longer those of that digest.
        """
        path = self.path(name)
        if not path.is_file():
            raise EvidenceError(f"the {self._what} of this digest is not kept here any more", where=path)
        try:
            data = files.read_bytes(path, self._limit)
        except InputError as error:
            raise EvidenceError(error.what, where=path) from None
        if digest(data) != name:
            raise EvidenceError(f"the bytes of this {self._what} are no longer those of its digest", where=path)
        return data

    def path(self, name: str) -> Path:
        """Return where the bytes of a digest lie or are to lie."""
        return self._folder / f"{name}{self._ending}"

    def digests(self) -> Iterator[str]:
        """Yield the digest of everything kept, in order, whether or not its bytes still have it."""
        for path in sorted(self._folder.glob(f"*{self._ending}")):
            if len(path.stem) == 64 and _PREFIX.fullmatch(path.stem):
                yield path.stem

    def find(self, prefix: str) -> str | None:
        """Return the only digest that begins so, None when none does.

        Args:
            prefix: 12 to 64 hexadecimal digits.

        Raises:
            InputError: when it is no such prefix, or several begin so.
        """
        if not _PREFIX.fullmatch(prefix):
            raise InputError(f"{prefix[:80]!r} is no digest; {LEAST_PREFIX} to 64 small hexadecimal digits are expected", field="digest")
        found = [name for name in self.digests() if name.startswith(prefix)]
        if len(found) > 1:
            raise InputError(f"{prefix} could be any of {', '.join(found)}; write more digits", field="digest")
        return found[0] if found else None
