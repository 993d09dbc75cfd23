"""Whether every recorded verdict can be reproduced from what is stored: request, policy set and entities, by their digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from thunderlab.errors import EvidenceError, InputError
from thunderlab.policy.events import VerdictCompleted
from thunderlab.policy.record.history import History, Recorded, Unreadable
from thunderlab.policy.record.precedents import Precedents
from thunderlab.policy.record.verdict import Judgement, judgement_in, verdict_id

MOST_FAILURES = 100

_COMPARED = ("decision", "reasons", "errors", "request_errors", "failed_closed")


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that cannot be reproduced: the number of its block, what differs, and how."""

    seq: int
    kind: str
    detail: str


class Reproduced(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit of the verdicts found.

    Attributes:
        ok: whether every verdict that is still there was reproduced.
        verdicts: how many were recorded.
        reproduced: how many were decided again with the same outcome and the same id.
        pruned: how many are known by their headers alone.
        failed: in how many something is wrong.
        failures: what, of the first hundred of them.
    """

    ok: bool
    verdicts: int
    reproduced: int
    pruned: int
    failed: int
    failures: tuple[Failure, ...]


def reproduce(history: History, precedents: Precedents, on_progress: Callable[[int], None] | None = None) -> Reproduced:
    """Decide every recorded verdict again, and compare decision, reasons, errors and id.

    Args:
        history: what was recorded.
        precedents: what it was based on.
        on_progress: called with how many were looked at.
    """
    verdicts = pruned = failed = 0
    failures: list[Failure] = []
    for piece in history.pieces():
        for one in piece:
            if isinstance(one, Unreadable) and not one.why:
                pruned += 1
                continue
            found = list(_failures(one, precedents))
            failed += bool(found)
            failures += found[: max(0, MOST_FAILURES - len(failures))]
        verdicts += len(piece)
        if on_progress is not None:
            on_progress(verdicts)
    return Reproduced(
        ok=not failed,
        verdicts=verdicts,
        reproduced=verdicts - pruned - failed,
        pruned=pruned,
        failed=failed,
        failures=tuple(failures),
    )


def _failures(one: Recorded | Unreadable, precedents: Precedents) -> Iterator[Failure]:
    """Yield what is wrong with a recorded verdict."""
    if isinstance(one, Unreadable):
        yield Failure(seq=one.seq, kind="payload", detail=one.why)
        return
    event = one.event
    expected = verdict_id(event.policy_set, event.entities, event.request, event.decision, event.reasons)
    if event.verdict_id != expected:
        yield Failure(seq=one.seq, kind="verdict_id", detail=f"recorded {event.verdict_id}, computed {expected}")
    try:
        again = judged_again(event, precedents)
    except EvidenceError as error:
        yield Failure(seq=one.seq, kind="evidence", detail=str(error))
        return
    before = judgement_in(event)
    for name in _COMPARED:
        recorded, now = getattr(before, name), getattr(again, name)
        if recorded != now:
            yield Failure(seq=one.seq, kind=name, detail=f"recorded {_shown(recorded)}, decided again {_shown(now)}")


def judged_again(event: VerdictCompleted, precedents: Precedents) -> Judgement:
    """Return what a recorded request comes to, judged by what it was judged by.

    Raises:
        EvidenceError: when the policy set or the entities are gone or changed, or the request is none.
    """
    policies, entities = precedents.policy_set(event.policy_set), precedents.entities(event.entities)
    document = request_in(event)
    if event.unsaid is not None:
        return Judgement.of_unbuildable(event.unsaid)
    try:
        return policies.judge(document, entities)
    except InputError as error:
        raise EvidenceError(str(error)) from None


def request_in(event: VerdictCompleted) -> dict[str, object]:
    """Return the recorded request.

    Raises:
        EvidenceError: when it is none.
    """
    try:
        document = msgspec.json.decode(event.request)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise EvidenceError("the recorded request is none")
    return document


def _shown(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    text = text if len(text) <= 200 else f"{text[:199]}…"
    return text or "none"
