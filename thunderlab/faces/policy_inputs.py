"""What the policy commands are handed: policy sets, requests, entities and times, read before a workspace is made."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab import files
from thunderlab.clock import rfc3339
from thunderlab.errors import InputError

if TYPE_CHECKING:
    from thunderlab.policy.record.loaded import Loaded

STDIN = "-"
MOST_LINES = 1_000_000
MOST_BYTES = 1 << 30
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def policy_set(folder: Path, schema: Path | None, *, needs_schema: bool = True) -> Loaded:
    """Return the policy set in a folder; what does not fit its schema is said on stderr, since `policy check` may not have been asked.

    Args:
        folder: where its `*.cedar` files are.
        schema: a schema instead of the folder's own.
        needs_schema: whether requests are to be judged by it as it is, and so must be held against a schema.

    Raises:
        InputError: naming file, line and policy.
    """
    from thunderlab.policy.record.loaded import load_folder
    from thunderlab.policy.text import source

    if not folder.is_dir():
        raise InputError(
            "is no folder; name one with *.cedar files" if folder.exists() else "no such folder", where=folder, field="--policies"
        )
    if schema is not None:
        files.read_text(schema)  # a schema that is not there is told before what is wrong with the policies
    loaded = load_folder(folder, schema)
    if needs_schema and loaded.source.schema is None:
        raise InputError(
            "there is no schema, and requests are held against one: put a .cedarschema file beside the policies, or name one with --schema",
            where=folder,
        )
    for problem in source.problems(loaded.source):
        where = folder / problem.file
        click.echo(f"warning: {where}: line {problem.line}: policy {problem.policy}: {problem.message}", err=True)
    return loaded


def entities(path: Path | None) -> list[Any]:
    """Return the entities in a file; none without a file."""
    from thunderlab.policy.record.loaded import read_entities

    return [] if path is None else read_entities(path)


def check_requests(path: Path, limit: int | None, policies: list[Loaded], entities_file: Path | None) -> None:
    """Refuse a Parquet file of requests that policy sets cannot judge.

    Args:
        path: the file.
        limit: how many of its rows are asked for; all of them when not given.
        policies: the policy sets.
        entities_file: entities besides their own.

    Raises:
        InputError: naming the column that does not fit a schema, or the entities that do not.
    """
    from thunderlab.policy.record import frames
    from thunderlab.policy.record.wire import say_entities

    examples, more = frames.RequestsFile(path, limit).examples(), say_entities(entities(entities_file))
    for one in policies:
        known = one.with_own(more)
        try:
            one.world(known)
        except ValueError as error:
            raise InputError(str(error), where=entities_file or one.name) from None
        frames.judged(one, examples, known, path)


def request(path: Path) -> dict[str, Any]:
    """Return the request in a file, or on stdin when the path is `-`.

    Raises:
        InputError: when it is no JSON object.
    """
    from thunderlab.policy.record.wire import read_json

    data = sys.stdin.buffer.read(files.TEXT_LIMIT + 1) if str(path) == STDIN else files.read_bytes(path)
    if len(data) > files.TEXT_LIMIT:
        raise InputError(f"is larger than {files.TEXT_LIMIT} bytes, the most accepted here", where=path)
    return _request(read_json(data, path), path, None)


def _request(found: Any, where: Path, field: str | None) -> dict[str, Any]:
    if not isinstance(found, dict):
        kind = {list: "a list", str: "text", type(None): "null"}.get(type(found), "a number or a boolean")
        raise InputError(
            f'expected a request, {{"principal": ..., "action": ..., "resource": ..., "context": ...}}, got {kind}',
            where=where,
            field=field,
        )
    return found


class RequestLines:
    """The requests in a file of JSON Lines, each with its line number. They can be gone through several times.

    Args:
        path: the file; `-` is stdin, which is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[bytes] | None = None
        if str(path) == STDIN:
            self._lines = sys.stdin.buffer.read(MOST_BYTES).splitlines()
        else:
            require_file(path)

    def check(self) -> int:
        """Return how many requests there are, once all of them were read.

        Raises:
            InputError: naming the first line that is no request.
        """
        count = sum(1 for _ in self)
        if count > MOST_LINES:
            raise InputError(f"holds {count} requests, {MOST_LINES} are accepted at once", where=self._path)
        return count

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield line number, from 1, and request; lines with nothing on them are passed over."""
        from thunderlab.policy.record.wire import read_json

        for number, line in enumerate(self._raw(), 1):
            if line.strip():
                field = f"line {number}"
                yield number, _request(read_json(line, self._path, field), self._path, field)

    def _raw(self) -> Iterator[bytes]:
        if self._lines is not None:
            yield from self._lines
            return
        with self._path.open("rb") as stream:
            number = 0
            while line := stream.readline(files.TEXT_LIMIT + 1):
                number += 1
                if len(line) > files.TEXT_LIMIT:
                    raise InputError(f"is longer than {files.TEXT_LIMIT} bytes", where=self._path, field=f"line {number}")
                yield line


def several(requests: RequestLines, most: int) -> Iterator[list[tuple[int, dict[str, Any]]]]:
    """Yield line numbers and requests, so many at a time."""
    lines = iter(requests)
    while some := list(itertools.islice(lines, most)):
        yield some


def require_file(path: Path) -> None:
    """Refuse a file that is none, without reading it.

    Raises:
        InputError: when it does not exist, cannot be read, or is no regular file.
    """
    try:
        files.read_bytes(path, 0)
    except InputError as error:
        if not error.what.startswith("is larger"):
            raise


def since(text: str | None, now_us: int = 0) -> str | None:
    """Return a time as blocks have it: RFC 3339 UTC with microseconds.

    Args:
        text: a time with its zone, a day (in UTC), or how long ago: `90s`, `15m`, `24h`, `7d`.
        now_us: what time it is, in microseconds since the epoch.

    Raises:
        InputError: when it is none of these.

    >>> since("2026-01-02"), since("2026-01-02T03:04:05+01:00"), since("90s", now_us=100_000_000)
    ('2026-01-02T00:00:00.000000Z', '2026-01-02T02:04:05.000000Z', '1970-01-01T00:00:10.000000Z')
    """
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span:
        return rfc3339(max(0, now_us - int(span[1]) * _SECONDS[span[2]] * 1_000_000))
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None and len(text) == 10:
            found = found.replace(tzinfo=UTC)
        if found.tzinfo is not None:
            return _rfc3339(found.astimezone(UTC))
    except (ValueError, OverflowError):
        pass
    raise InputError(
        f"{text[:60]!r} is no time; write 2026-01-31, 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 24h, 7d", field="--since"
    )


def _rfc3339(moment: datetime) -> str:
    return rfc3339(int((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)))
