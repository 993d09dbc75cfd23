"""What policy has to say."""

from __future__ import annotations

from typing import Literal

from thunderlab.events import Event


class VerdictCompleted(Event, frozen=True):
    """Policy was asked and answered; denials, and requests that could not be built, are told likewise. A block of the chain of verdicts.

    Attributes:
        verdict_id: SHA-256 over policy set, entities, request, decision and reasons: whoever decides again has the same.
        policy_module: what asked, or the policy set that was asked, by name.
        latency_us: how long deciding took, without recording it.
        policy_set: digest of the policy set, which the archive holds.
        entities: digest of what was known of the world, likewise.
        request: the request, canonical JSON.
        unsaid: what of the request JSON cannot say, or was too large to keep, and so is missing from it; null when nothing is.
        decision: `allow` or `deny`.
        reasons: the policies that decided, in the order of their text; none for a denial because nothing permits.
        errors: the policies that could not be evaluated.
        request_errors: why the request could not be built; none when it could.
        failed_closed: whether it was denied because something went wrong, and not because a policy says so.
    """

    NAME = "policy.verdict.complete"
    DURABLE = True

    verdict_id: str
    policy_module: str
    latency_us: int
    policy_set: str
    entities: str
    request: str
    unsaid: str | None
    decision: Literal["allow", "deny"]
    reasons: list[str]
    errors: list[str]
    request_errors: list[str]
    failed_closed: bool


class ReplayCompleted(Event, frozen=True):
    """Recorded requests were judged again under another policy set, failing closed.

    Attributes:
        policy_set: digest of the other policy set, which the archive holds.
        requests: `history`, or the digest of the file they came from.
        since: the first time that was looked at, RFC 3339 UTC; null for all of them.
        total: how many were judged.
        changed: how many are decided differently.
        newly_denied: how many of these are denied now.
        newly_allowed: how many are allowed now.
        cannot_be_built: how many no longer fit the schema, and are denied for it.
        left_out: how many could not be judged again: their payload was pruned, or is damaged.
        result_sha256: digest of the whole result, which the archive holds.
        duration_us: how long it took.
    """

    NAME = "policy.replay.completed"
    DURABLE = True

    policy_set: str
    requests: str
    since: str | None
    total: int
    changed: int
    newly_denied: int
    newly_allowed: int
    cannot_be_built: int
    left_out: int
    result_sha256: str
    duration_us: int


EVENTS = (VerdictCompleted, ReplayCompleted)
