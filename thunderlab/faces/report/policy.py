"""What a report says of policy: how much was decided, how fast, and what the newest replay would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.errors import EvidenceError, InputError
from thunderlab.faces import bars
from thunderlab.faces.policy_texts import because, by, request_words
from thunderlab.policy.record.log import Latency
from thunderlab.policy.record.replay import Replay
from thunderlab.policy.record.tally import Sample, Share

if TYPE_CHECKING:
    from markupsafe import Markup

    from thunderlab.lab import Lab

MOST_SHARES = 8


class PolicyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and what would be decided otherwise.

    Attributes:
        policy_set: digest of the lab's own policy set; None when it cannot be read.
        policies: how many policies it has.
        total: how many verdicts there are.
        allowed: how many of them allow.
        denied: how many deny.
        failed_closed: how many of these because something went wrong.
        latency: how long deciding took.
        replay: the newest replay on record; None without one.
        replayed_at: when it was, RFC 3339 UTC.
        damaged: what of this cannot be told, and why; empty when all can.
    """

    policy_set: str | None
    policies: int
    total: int
    allowed: int
    denied: int
    failed_closed: int
    latency: Latency
    replay: Replay | None = None
    replayed_at: str | None = None
    damaged: str = ""


def collect_policy(lab: Lab) -> PolicyReport:
    """Return what a report made now would say of policy."""
    found = lab.policy.log(limit=0)
    damaged = [f"{len(found.damaged)} blocks of the chain of verdicts are damaged"] if found.damaged else []
    replay: tuple[Replay | None, str | None] = (None, None)
    try:
        replay = lab.policy.newest_replay() or replay
    except EvidenceError as error:
        damaged.append(f"the newest replay cannot be shown: {error}")
    digest, policies = None, 0
    try:
        own = lab.policy.policies
        digest, policies = own.digest, len(own.policies.policies)
    except InputError as error:
        damaged.append(f"the lab's own policies cannot be read: {error}")
    return PolicyReport(
        policy_set=digest,
        policies=policies,
        total=found.total,
        allowed=found.allowed,
        denied=found.denied,
        failed_closed=found.failed_closed,
        latency=found.latency,
        replay=replay[0],
        replayed_at=replay[1],
        damaged="; ".join(damaged),
    )


def concerned(replay: Replay) -> list[tuple[str, Share]]:
    """Return who and what a replay concerns, each with what it is, the most concerned of each kind."""
    return [(kind, share) for kind, shares in by(replay) for share in shares[:MOST_SHARES]]


def share_bar(share: Share, replay: Replay) -> Markup:
    """Return how many decisions changed for one of them, as a picture against all that changed."""
    from markupsafe import Markup

    return Markup(bars.bar(share.newly_denied, share.newly_allowed, replay.changed, title=share.name))  # noqa: S704 - escaped by `charts.svg`


def changed_samples(replay: Replay) -> list[tuple[str, Sample, tuple[str, str, str], str]]:
    """Return samples of changed decisions: how, the sample, who does what to what, and why."""
    return [
        (how, one, request_words(one.request), because(one))
        for how, found in (("newly denied", replay.samples.newly_denied), ("newly allowed", replay.samples.newly_allowed))
        for one in found[:MOST_SHARES]
    ]


def twin(found: PolicyReport | None) -> dict[str, Any] | None:
    """Return the same for machines."""
    return None if found is None else msgspec.to_builtins(found)
