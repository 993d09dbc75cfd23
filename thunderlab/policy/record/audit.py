"""Whether every recorded verdict can be reproduced from what is stored: request, policy set and entities, by their digests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

import msgspec

from thunderlab.canonical import encode
from thunderlab.errors import EvidenceError, InputError
from thunderlab.policy.record.bulk import Bulk
from thunderlab.policy.record.history import History, Recorded, Told, Unreadable
from thunderlab.policy.record.precedents import Precedents
from thunderlab.policy.record.verdict import FORMAT, Judgement, judgement_in, verdict_id

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

MOST_FAILURES = 100

_MOST_KEPT = 4_096
_TEXT = json.JSONEncoder(ensure_ascii=False).encode  # of a text what `canonical.encode` makes of it within a list

K = TypeVar("K")
V = TypeVar("V")

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
    bulk, names = Bulk(precedents.policy_set, precedents), Names()
    for piece in history.pieces():
        for one, again in zip(piece, bulk.judged(piece), strict=True):
            if again is not None and names.is_own(one.event) and _is_same(one.event, again):  # type: ignore[union-attr]
                continue
            if isinstance(one, Unreadable) and not one.why:
                pruned += 1
                continue
            found = list(_failures(one, precedents, again))
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


def _failures(one: Recorded | Unreadable, precedents: Precedents, again: Judgement | None) -> Iterator[Failure]:
    """Yield what is wrong with a recorded verdict, which is decided again unless that was done."""
    if isinstance(one, Unreadable):
        yield Failure(seq=one.seq, kind="payload", detail=one.why)
        return
    event = one.event
    expected = verdict_id(event.policy_set, event.entities, event.request, event.decision, event.reasons)
    if event.verdict_id != expected:
        yield Failure(seq=one.seq, kind="verdict_id", detail=f"recorded {event.verdict_id}, computed {expected}")
    try:
        again = again or judged_again(event, precedents)
    except EvidenceError as error:
        yield Failure(seq=one.seq, kind="evidence", detail=str(error))
        return
    before = judgement_in(event)
    for name in _COMPARED:
        recorded, now = getattr(before, name), getattr(again, name)
        if recorded != now:
            yield Failure(seq=one.seq, kind=name, detail=f"recorded {_shown(recorded)}, decided again {_shown(now)}")


def _is_same(event: Told, again: Judgement) -> bool:
    """Return whether an event tells of a judgement: as comparing `judgement_in`, without making it."""
    return (
        event.decision == again.decision
        and event.failed_closed == again.failed_closed
        and event.reasons == again.reasons
        and event.errors == again.errors
        and event.request_errors == again.request_errors
    )


class Names:
    """Whether verdicts have the names that are theirs: as `verdict_id`, whose beginnings and ends are kept, since few of them differ."""

    def __init__(self) -> None:
        self._beginnings: dict[tuple[str, str], Hash] = {}
        self._ends: dict[tuple[str, tuple[str, ...]], bytes] = {}

    def is_own(self, event: Told) -> bool:
        """Return whether a verdict has the id that is computed of what it tells."""
        on = (event.policy_set, event.entities)
        beginning = self._beginnings.get(on)
        if beginning is None:
            beginning = _kept(self._beginnings, on, sha256(encode([FORMAT, *on])[:-1] + b","))
        to = (event.decision, event.reasons)
        end = self._ends.get(to)
        if end is None:
            end = _kept(self._ends, to, b"," + encode([event.decision, event.reasons])[1:])
        hashed = beginning.copy()
        hashed.update(_TEXT(event.request).encode() + end)
        return hashed.hexdigest() == event.verdict_id


def _kept(among: dict[K, V], name: K, made: V) -> V:
    """Keep something among a few thousand at most."""
    if len(among) >= _MOST_KEPT:
        among.clear()
    among[name] = made
    return made


def judged_again(event: Told, precedents: Precedents) -> Judgement:
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


def request_in(event: Told) -> dict[str, object]:
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
