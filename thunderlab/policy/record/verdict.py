"""A verdict: what policy answered, on what it rests, and the name it has for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from thunderlab.canonical import digest_of
from thunderlab.policy.events import VerdictCompleted

if TYPE_CHECKING:
    from thunderlab.policy.policy_set import Answer
    from thunderlab.policy.record.history import Told

FORMAT = "thunderlab-verdict/1"

Decision = Literal["allow", "deny"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that is on record.

    Attributes:
        decision: `allow` or `deny`.
        reasons: ids of the policies that decided, in the order of their text.
        errors: ids of the policies that could not be evaluated.
        request_errors: why the request could not be built; empty when it could.
        failed_closed: whether it was denied because something went wrong, and not because a policy says so.
        verdict_id: SHA-256; see `verdict_id`.
        latency_us: how long deciding took, without recording it.
        policy_set: digest of the policy set.
        entities: digest of what was known of the world.
        policy_module: what asked.
        id: the id of the event, which is that of the block.
        at: when, RFC 3339 UTC.
    """

    decision: Decision
    reasons: tuple[str, ...]
    errors: tuple[str, ...]
    request_errors: tuple[str, ...]
    failed_closed: bool
    verdict_id: str
    latency_us: int
    policy_set: str
    entities: str
    policy_module: str
    id: str
    at: str

    @property
    def allowed(self) -> bool:
        """Whether the answer is yes."""
        return self.decision == "allow"


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What deciding comes to, before it is on record; the fields are those of `Verdict`."""

    decision: Decision
    reasons: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    request_errors: tuple[str, ...] = ()
    failed_closed: bool = False

    @classmethod
    def of(cls, answer: Answer) -> Judgement:
        """Return what a policy set answered when it failed closed."""
        return cls(
            decision="allow" if answer.decision == "allow" else "deny",
            reasons=tuple(answer.reasons),
            errors=tuple(answer.errors),
            request_errors=tuple(answer.request_errors),
            failed_closed=bool(answer.failed_closed),
        )

    @classmethod
    def of_unbuildable(cls, why: str) -> Judgement:
        """Return what becomes of a request that cannot be written down, or asked of entities that cannot be built: it is denied."""
        return cls(decision="deny", request_errors=(why,), failed_closed=True)


def verdict_id(policy_set: str, entities: str, request: str, decision: str, reasons: Sequence[str]) -> str:
    """Return the name of a verdict: SHA-256 over the canonical list of a format tag and what is given.

    Latency and time are not in it, so whoever decides the same again, with the same outcome, gets the same name.

    Args:
        policy_set: digest of the policy set.
        entities: digest of the entities.
        request: the recorded request, canonical JSON.
        decision: `allow` or `deny`.
        reasons: policy ids in the order of their text.

    >>> verdict_id("00", "11", "{}", "deny", [])[:16]
    'e16a992bf09e49e0'
    """
    return digest_of([FORMAT, policy_set, entities, request, decision, list(reasons)])


def event_of(
    judged: Judgement, *, module: str, latency_us: int, policy_set: str, entities: str, request: str, unsaid: str | None
) -> VerdictCompleted:
    """Return the event that tells of a judgement; the arguments are the event's own fields."""
    return VerdictCompleted(
        verdict_id=verdict_id(policy_set, entities, request, judged.decision, judged.reasons),
        policy_module=module,
        latency_us=latency_us,
        policy_set=policy_set,
        entities=entities,
        request=request,
        unsaid=unsaid,
        decision=judged.decision,
        reasons=list(judged.reasons),
        errors=list(judged.errors),
        request_errors=list(judged.request_errors),
        failed_closed=judged.failed_closed,
    )


def judgement_in(event: VerdictCompleted | Told) -> Judgement:
    """Return the judgement that an event tells of."""
    return Judgement(
        decision=event.decision,
        reasons=tuple(event.reasons),
        errors=tuple(event.errors),
        request_errors=tuple(event.request_errors),
        failed_closed=event.failed_closed,
    )


def verdict_of(event: VerdictCompleted | Told, id: str, at: str) -> Verdict:
    """Return the verdict of an event that was recorded under that id at that time."""
    judged = judgement_in(event)
    return Verdict(
        **msgspec.structs.asdict(judged),
        verdict_id=event.verdict_id,
        latency_us=event.latency_us,
        policy_set=event.policy_set,
        entities=event.entities,
        policy_module=event.policy_module,
        id=id,
        at=at,
    )
