"""What if, for the requests in a Parquet file: both policy sets judge in columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from thunderlab.errors import InputError
from thunderlab.policy.record.replay import Fallback, Replay, summed_up
from thunderlab.policy.record.tally import Tally

if TYPE_CHECKING:
    from thunderlab.policy.record.loaded import Loaded
    from thunderlab.policy.record.wire import EntitySet


def replay_file(
    path: Path,
    changed: Loaded,
    against: Loaded | None,
    own: Callable[[], Loaded],
    entities: EntitySet,
    *,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Replay:
    """Return what would be decided differently.

    Args:
        path: the file; see `frames`.
        changed: the other policy set.
        against: the policy set that decides before; without one it is the file's `decision` column.
        own: gives the policy set that decides before when there is neither.
        entities: what is known of the world, besides what each policy set's own folder says.
        limit: judge so many of the first rows at most.
        on_progress: called with how many were judged, and how many there are.

    Raises:
        InputError: when the file is none, or its columns do not fit the schema of a policy set.
    """
    from thunderlab.policy.record import frames

    found = frames.RequestsFile(path, limit)
    before_set = against if against is not None or found.decided else own()
    for one in (changed, before_set):
        if one is not None and one.source.schema is None:
            raise InputError("has no schema, and columns are read by one", where=one.name)
    tally = Tally()
    for first, frame in found.pieces():
        after = frames.judged(changed, frame, changed.with_own(entities), path)
        before = frames.recorded(frame) if before_set is None else frames.judged(before_set, frame, before_set.with_own(entities), path)
        frames.count_changes(tally, first, frame, before, after)
        if on_progress is not None:
            on_progress(first + frame.height, found.rows)
    fallbacks = tuple(Fallback(policy=policy, why=why) for policy, why in changed.policies.columns.fallbacks.items())
    return summed_up(
        tally,
        changed,
        requests=found.digest(),
        against=None if before_set is None else before_set.digest,
        fallbacks=fallbacks,
    )
