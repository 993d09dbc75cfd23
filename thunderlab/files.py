"""The one front door for files a user hands in, and the one way files are written.

Reading: a size limit, UTF-8, then a strict parse (`documents`) and conversion to a typed structure; every refusal is an
`InputError` naming file, line and field. Writing: whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from thunderlab.errors import EnvironmentBlockedError, InputError

if TYPE_CHECKING:
    from thunderlab.documents import Document

T = TypeVar("T")

TEXT_LIMIT = 1 << 20


def read_bytes(path: Path, limit: int = TEXT_LIMIT) -> bytes:
    """Return a file's bytes.

    Raises:
        InputError: when it does not exist, cannot be read, is no regular file, or is larger than `limit` bytes.
    """
    try:
        if not path.exists():
            raise InputError("no such file", where=path)
        if not path.is_file():
            raise InputError("is not a regular file", where=path)
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from None
    if len(data) > limit:
        raise InputError(f"is larger than {limit} bytes, the most accepted here", where=path)
    return data


def read_text(path: Path, limit: int = TEXT_LIMIT) -> str:
    """Return a file's text, which must be UTF-8 without NUL; a byte order mark is dropped."""
    return _decode(read_bytes(path, limit), path)


def _decode(data: bytes, where: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text (byte {error.start})", where=where) from None
    if "\0" in text:
        raise InputError("holds a NUL character; text is expected", where=where)
    return text


def read_document(path: Path) -> Document:
    """Return the parsed YAML (or, by its name, JSON) file; what is accepted stands in `documents`."""
    from thunderlab import documents  # the parser of YAML is loaded by those who read some

    parse = documents.parse_json if path.suffix.lower() == ".json" else documents.parse_yaml
    return parse(read_text(path), path)


def parse_json(data: bytes, where: Path) -> Document:
    """Return the parsed JSON text, with the same strictness: no duplicate keys, no NaN, UTF-8.

    Args:
        data: the bytes.
        where: what to call them in messages.
    """
    from thunderlab import documents

    if len(data) > TEXT_LIMIT:
        raise InputError(f"is larger than {TEXT_LIMIT} bytes, the most accepted here", where=where)
    return documents.parse_json(_decode(data, where), where)


def read_as(path: Path, kind: type[T]) -> T:
    """Return the YAML or JSON file as a typed structure, strictly."""
    return read_document(path).convert(kind)


def contained(path: Path, root: Path) -> Path:
    """Return `path` resolved, after making sure that it lies under `root` once links are followed.

    Raises:
        InputError: when it does not.
    """
    resolved, base = path.resolve(), root.resolve()
    if not resolved.is_relative_to(base):
        raise InputError(f"lies outside {base}", where=path)
    return resolved


def make_folder(folder: Path, advice: str = "free space or choose another place") -> None:
    """Make a folder and those above it; `advice` is what the message says to do when that is not possible.

    Raises:
        EnvironmentBlockedError: when that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentBlockedError(f"cannot be made: {error.strerror}; {advice}", where=folder) from error


def write_whole(path: Path, data: bytes | str, mode: int = 0o644) -> None:
    """Write a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    A link stays, and what it leads to is replaced. What is no file, a pipe or a device, is written to as it is.

    Raises:
        EnvironmentBlockedError: when the disk is full or the place cannot be written; the old file is untouched.
    """
    write_pieces(path, (data.encode() if isinstance(data, str) else data,), mode)


def write_pieces(path: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    """Write a file like `write_whole`, piece by piece, so that it need not fit into memory."""
    temporary: str | None = None
    make_folder(path.parent)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as stream:
                stream.writelines(pieces)
            return
        path = Path(os.path.realpath(path))  # which takes links that lead in a circle as they are
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            for piece in pieces:
                stream.write(piece)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise EnvironmentBlockedError(f"cannot be written: {error.strerror}; free space or choose another place", where=path) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def sync_folder(folder: Path) -> None:
    """Make durable which files a folder holds: what was renamed into it, or removed from it, stays so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
