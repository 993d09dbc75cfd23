"""Requests in Parquet files: read piece by piece, judged in columns, and compared there, so that only what changed becomes Python's.

Columns: `principal_type`, `principal_id`, `action_type`, `action_id`, `resource_type`, `resource_id`, the struct `context`, in which null means
absent; and, where somebody decided them before, `decision` (`allow` or `deny`) and perhaps `reasons` (a list of policy ids).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from thunderlab.canonical import encode
from thunderlab.errors import InputError
from thunderlab.policy.language.values import Uid
from thunderlab.policy.record.replay import keep_sample
from thunderlab.policy.record.tally import CANNOT_BE_BUILT, MOST_NAMES, NOTHING_PERMITS, SAMPLES, Tally, responsible
from thunderlab.policy.record.verdict import Judgement

if TYPE_CHECKING:
    from thunderlab.policy.record.loaded import Loaded
    from thunderlab.policy.record.wire import EntitySet

PIECE = 100_000
UIDS = ("principal", "action", "resource")
TEXTS = tuple(f"{role}_{part}" for role in UIDS for part in ("type", "id"))
CONTEXT = "context"

_BETWEEN = "\x1f"  # in no policy's id: those are printable


class RequestsFile:
    """A Parquet file of requests.

    Args:
        path: the file.
        limit: take so many of the first rows at most.

    Attributes:
        rows: how many requests are taken.
        decided: whether it says how they were decided before.

    Raises:
        InputError: when it is no Parquet file, or a column is missing.
    """

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self._path = path
        try:
            found = pl.read_parquet_schema(path)
            rows = int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise InputError(f"is no Parquet file of requests: {' '.join(str(error).split())[:200]}", where=path) from None
        missing = [name for name in TEXTS if name not in found]
        if missing:
            raise InputError(f"has no column {missing[0]}; expected {', '.join(TEXTS)} and {CONTEXT}", where=path)
        self.rows = rows if limit is None else min(rows, limit)
        self.decided = "decision" in found
        wanted = [*TEXTS, CONTEXT, "decision", "reasons"]
        self._columns = [name for name in wanted if name in found]

    def digest(self) -> str:
        """Return the SHA-256 of the file's bytes."""
        try:
            with self._path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=self._path) from None

    def examples(self) -> pl.DataFrame:
        """Return a row for each action with types of principal and resource: whether the columns fit a schema depends on nothing else."""
        try:
            return self._lazy().head(self.rows).unique([f"{role}_type" for role in UIDS] + ["action_id"], maintain_order=True).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._damaged(error) from None

    def pieces(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield the number of the first row, and a hundred thousand rows, and so on."""
        lazy = self._lazy()
        for first in range(0, self.rows, PIECE):
            try:
                yield first, lazy.slice(first, min(PIECE, self.rows - first)).collect()
            except (pl.exceptions.PolarsError, OSError) as error:
                raise self._damaged(error) from None

    def _lazy(self) -> pl.LazyFrame:
        return pl.scan_parquet(self._path, glob=False).select(self._columns)

    def _damaged(self, error: Exception) -> InputError:
        return InputError(f"is damaged: {' '.join(str(error).split())[:200]}", where=self._path)


def judged(policies: Loaded, frame: pl.DataFrame, entities: EntitySet, where: Path) -> pl.DataFrame:
    """Return what a policy set decides of each row, failing closed; see `PolicySet.decide_frame`.

    Raises:
        InputError: when a column does not fit the schema, or the entities cannot be built.
    """
    requests = frame.select(name for name in frame.columns if name in TEXTS or name == CONTEXT)
    try:
        return policies.policies.decide_frame(requests, policies.world(entities))
    except InputError as error:
        raise InputError(error.what, where=where, field=error.field) from None
    except ValueError as error:
        raise InputError(f"cannot be built: {error}", where=where, field="entities") from None


def _no_ids() -> pl.Expr:
    return pl.lit(pl.Series([[]], dtype=pl.List(pl.String))).first()


def recorded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return what a file says was decided before; what is not `allow` was not allowed."""
    allowed = (pl.col("decision").cast(pl.String) == "allow").fill_null(value=False)
    nothing = _no_ids()
    reasons = pl.col("reasons").cast(pl.List(pl.String)).fill_null(nothing) if "reasons" in frame.columns else nothing
    return frame.select(
        decision=pl.when(allowed).then(pl.lit("allow")).otherwise(pl.lit("deny")),
        reasons=reasons,
        errors=nothing,
        request_errors=pl.lit(None, dtype=pl.String),
        failed_closed=pl.lit(value=False),
    )


class _Changed(NamedTuple):
    """The rows that are decided differently, with both decisions."""

    rows: pl.DataFrame

    def by(self, columns: list[str]) -> Iterator[tuple[dict[str, Any], int, int]]:
        """Yield what is the same in these columns, and how many of it are newly denied and newly allowed; the most first."""
        denied = (pl.col("decision") == "deny").sum().alias("denied")
        found = self.rows.group_by(columns).agg(denied, (pl.col("decision") == "allow").sum().alias("allowed"))
        for row in found.sort(pl.col("denied") + pl.col("allowed"), descending=True).head(MOST_NAMES).iter_rows(named=True):
            yield row, row.pop("denied"), row.pop("allowed")


def count_changes(tally: Tally, first: int, frame: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame) -> None:
    """Count what is decided differently in a piece of a file, and keep samples.

    Args:
        tally: what is added to.
        first: the number of the piece's first row.
        frame: the requests.
        before: how each row was decided.
        after: how it is decided now.
    """
    tally.total += frame.height
    both = pl.concat(
        [
            frame.select(name for name in frame.columns if name in TEXTS or name == CONTEXT),
            after,
            before.select(pl.all().name.prefix("was_")),
        ],
        how="horizontal",
    )
    rows = both.with_row_index("row", offset=first).filter(pl.col("decision") != pl.col("was_decision"))
    if not rows.height:
        return
    changed = _Changed(
        rows.with_columns(
            pl.col("reasons", "errors", "was_reasons").list.join(_BETWEEN).name.suffix("_text"), built=pl.col("request_errors").is_null()
        )
    )
    for role, counted in (("principal", tally.principals), ("action", tally.actions)):
        for row, denied, allowed in changed.by([f"{role}_type", f"{role}_id"]):
            counted.add(str(Uid(row[f"{role}_type"] or "", row[f"{role}_id"] or "")), denied=denied, allowed=allowed)
    for row, denied, allowed in changed.by(["reasons_text", "errors_text", "was_reasons_text", "built", "failed_closed", "decision"]):
        tally.newly_denied += denied
        tally.newly_allowed += allowed
        tally.cannot_be_built += 0 if row["built"] else denied
        tally.failed_closed += denied if row["failed_closed"] else 0
        for name in _responsible(row):
            tally.policies.add(name, denied=denied, allowed=allowed)
    _keep_samples(tally, rows)


def _responsible(row: dict[str, Any]) -> tuple[str, ...]:
    if not row["built"]:
        return (CANNOT_BE_BUILT,)
    before = Judgement(decision="allow" if row["decision"] == "deny" else "deny", reasons=_split(row["was_reasons_text"]))
    after = Judgement(decision=row["decision"], reasons=_split(row["reasons_text"]), errors=_split(row["errors_text"]))
    return responsible(before, after) or (NOTHING_PERMITS,)


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(_BETWEEN)) if text else ()


def _keep_samples(tally: Tally, rows: pl.DataFrame) -> None:
    for decision in ("deny", "allow"):
        if not tally.wants(denied=decision == "deny"):
            continue
        for row in rows.filter(pl.col("decision") == decision).head(SAMPLES).iter_rows(named=True):
            before, after = _judgement(row, "was_"), _judgement(row, "")
            keep_sample(tally, row["row"], None, request_text(row), before, after, responsible(before, after))


def _judgement(row: dict[str, Any], prefix: str) -> Judgement:
    wrong = row[f"{prefix}request_errors"]
    return Judgement(
        decision=row[f"{prefix}decision"],
        reasons=tuple(row[f"{prefix}reasons"] or ()),
        errors=tuple(row[f"{prefix}errors"] or ()),
        request_errors=() if wrong is None else (wrong,),
        failed_closed=row[f"{prefix}failed_closed"],
    )


def request_text(row: dict[str, Any]) -> str:
    """Return a row as a request in canonical JSON; what is null is left out, and what JSON has no value for is told as text.

    >>> request_text({"principal_type": "U", "principal_id": "a", "context": {"n": 1, "m": None}})
    '{"action":{"id":null,"type":null},"context":{"n":1},"principal":{"id":"a","type":"U"},"resource":{"id":null,"type":null}}'
    """
    request: dict[str, Any] = {role: {"type": row.get(f"{role}_type"), "id": row.get(f"{role}_id")} for role in UIDS}
    return encode(request | {CONTEXT: _plain(row.get(CONTEXT) or {})}).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | str) or value is None else str(value)
