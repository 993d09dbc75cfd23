"""What if: recorded requests judged again under another policy set, failing closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.errors import EvidenceError
from thunderlab.policy.record.audit import request_in
from thunderlab.policy.record.bulk import Bulk
from thunderlab.policy.record.history import History, Recorded, Unreadable
from thunderlab.policy.record.precedents import Precedents, Successors
from thunderlab.policy.record.tally import Sample, Share, Tally, samples_of, uid_text
from thunderlab.policy.record.verdict import Judgement, judgement_in

if TYPE_CHECKING:
    from thunderlab.policy.record.loaded import Loaded

HISTORY = "history"

OnProgress = Callable[[int], None]


class Samples(msgspec.Struct, frozen=True, kw_only=True):
    """The first ten of each kind of change."""

    newly_denied: tuple[Sample, ...]
    newly_allowed: tuple[Sample, ...]


class Fallback(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that was not judged in columns, and why."""

    policy: str
    why: str


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What would be decided differently.

    Attributes:
        policy_set: digest of the other policy set.
        name: what people call it.
        against: digest of the policy set that the decisions before are of; null when each was recorded with its own.
        requests: `history`, or the digest of the file they came from.
        since: the first time that was looked at, RFC 3339 UTC; null for all.
        total: how many requests were judged.
        changed: how many are decided differently.
        newly_denied: how many of these are denied now.
        newly_allowed: how many are allowed now.
        cannot_be_built: how many of the newly denied no longer fit the schema.
        failed_closed: how many of the newly denied are denied because something went wrong.
        pruned: how many could not be judged, since their payloads were pruned.
        damaged: how many could not be judged, since what is stored is not what was recorded.
        samples: the first of each kind.
        by_principal: whom it concerns, the most concerned first.
        by_action: what it concerns.
        by_policy: which policies make the difference.
        fallbacks: policies that columns cannot express: their closures judged.
        duration_us: how long it took.
    """

    policy_set: str
    name: str
    against: str | None
    requests: str
    since: str | None
    total: int
    changed: int
    newly_denied: int
    newly_allowed: int
    cannot_be_built: int
    failed_closed: int
    pruned: int
    damaged: int
    samples: Samples
    by_principal: tuple[Share, ...]
    by_action: tuple[Share, ...]
    by_policy: tuple[Share, ...]
    fallbacks: tuple[Fallback, ...]
    duration_us: int


def replay_history(
    history: History,
    precedents: Precedents,
    changed: Loaded,
    *,
    since: str | None = None,
    limit: int | None = None,
    on_progress: OnProgress | None = None,
) -> Replay:
    """Judge recorded requests again under another policy set, each with the entities it was judged with.

    Args:
        history: what was recorded.
        precedents: what it was based on.
        changed: the other policy set; without a schema of its own it takes that of the set that decided.
        since: RFC 3339 with microseconds; leave out what was recorded before.
        limit: judge so many at most, the newest.
        on_progress: called with how many were looked at.
    """
    successors = Successors(changed, precedents)
    bulk = Bulk(successors.instead_of, precedents)
    tally = Tally()
    pruned = damaged = looked_at = 0
    for piece in _at_most(history.pieces(since, newest_first=limit is not None), limit):
        for one, together in zip(piece, bulk.judged(piece), strict=True):
            if isinstance(one, Unreadable):
                pruned, damaged = pruned + (not one.why), damaged + bool(one.why)
                continue
            try:
                after = _judged(one, precedents, successors) if together is None else together
                tally.total += 1
                if after is not None and after.decision != one.event.decision:
                    _count(one, after, tally)
            except EvidenceError:
                damaged += 1
        looked_at += len(piece)
        if on_progress is not None:
            on_progress(looked_at)
    return summed_up(tally, changed, requests=HISTORY, since=since, pruned=pruned, damaged=damaged)


def _at_most(pieces: Iterator[list[Recorded | Unreadable]], limit: int | None) -> Iterator[list[Recorded | Unreadable]]:
    left = limit
    for piece in pieces:
        if left is None:
            yield piece
        elif left > 0:
            yield piece[:left]
            left -= len(piece)
        else:
            return


def _judged(one: Recorded, precedents: Precedents, successors: Successors) -> Judgement | None:
    """Judge one recorded request again, alone; None when it was denied for saying too little, as any policy set would.

    Raises:
        EvidenceError: when what is needed for it is gone.
    """
    event = one.event
    document = request_in(event)
    if event.unsaid is not None:
        return None
    return successors.instead_of(event.policy_set).judge(document, precedents.entities(event.entities))


def _count(one: Recorded, after: Judgement, tally: Tally) -> None:
    """Count a changed decision."""
    document, before = request_in(one.event), judgement_in(one.event)
    policies = tally.change(before, after, uid_text(document.get("principal")), uid_text(document.get("action")))
    keep_sample(tally, one.seq, one.at, one.event.request, before, after, policies)


def keep_sample(
    tally: Tally, seq: int, at: str | None, request: str, before: Judgement, after: Judgement, policies: tuple[str, ...]
) -> None:
    """Keep a changed decision as a sample while there is room for one."""
    kind = "newly_denied" if after.decision == "deny" else "newly_allowed"
    if tally.wants(denied=after.decision == "deny"):
        tally.samples[kind].append(Sample(seq=seq, at=at, request=request, before=before, after=after, policies=policies))


def summed_up(
    tally: Tally,
    changed: Loaded,
    *,
    requests: str,
    since: str | None = None,
    against: str | None = None,
    pruned: int = 0,
    damaged: int = 0,
    fallbacks: tuple[Fallback, ...] = (),
) -> Replay:
    """Return what a tally comes to; how long it took is filled in by whoever took the time."""
    kinds: dict[str, Any] = {kind: samples_of(found) for kind, found in tally.samples.items()}
    return Replay(
        policy_set=changed.digest,
        name=changed.name,
        against=against,
        requests=requests,
        since=since,
        total=tally.total,
        changed=tally.newly_denied + tally.newly_allowed,
        newly_denied=tally.newly_denied,
        newly_allowed=tally.newly_allowed,
        cannot_be_built=tally.cannot_be_built,
        failed_closed=tally.failed_closed,
        pruned=pruned,
        damaged=damaged,
        samples=Samples(**kinds),
        by_principal=tally.principals.top(),
        by_action=tally.actions.top(),
        by_policy=tally.policies.top(),
        fallbacks=fallbacks,
        duration_us=0,
    )
