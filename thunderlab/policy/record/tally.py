"""What changed in a replay: how often, for whom, and by which policies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from thunderlab.policy.record.verdict import Judgement

MOST_NAMES = 10_000
TOP = 20
SAMPLES = 10
OTHERS = "(others)"
NOTHING_PERMITS = "(nothing permits)"
CANNOT_BE_BUILT = "(cannot be built)"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions changed for one principal, action or policy."""

    name: str
    newly_denied: int
    newly_allowed: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One changed decision.

    Attributes:
        seq: the number of its block, or of its row in the file, from 0.
        at: when it was recorded, RFC 3339 UTC; null for a file.
        request: the request, canonical JSON.
        before: the recorded decision with its reasons and errors.
        after: the new one.
        policies: ids of the policies that make the difference.
    """

    seq: int
    at: str | None
    request: str
    before: Judgement
    after: Judgement
    policies: tuple[str, ...]


class Counted:
    """Counts by name, of the first ten thousand names; the others share one, so that many names take no more memory."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {}

    def add(self, name: str, *, denied: int, allowed: int) -> None:
        """Count some newly denied and some newly allowed."""
        if name not in self._counts and len(self._counts) >= MOST_NAMES:
            name = OTHERS
        found = self._counts.setdefault(name, [0, 0])
        found[0] += denied
        found[1] += allowed

    def top(self, most: int = TOP) -> tuple[Share, ...]:
        """Return those with the most changes, by name where they are equal."""
        ordered = sorted(self._counts.items(), key=lambda item: (-sum(item[1]), item[0]))[:most]
        return tuple(Share(name=name, newly_denied=denied, newly_allowed=allowed) for name, (denied, allowed) in ordered)


class Tally:
    """Adds up a replay.

    Attributes:
        total: how many requests were judged.
        newly_denied: how many were allowed and are denied.
        newly_allowed: how many were denied and are allowed.
        cannot_be_built: how many of the newly denied no longer fit the schema.
        failed_closed: how many of the newly denied are denied because something went wrong.
    """

    def __init__(self) -> None:
        self.total = self.newly_denied = self.newly_allowed = self.cannot_be_built = self.failed_closed = 0
        self.principals, self.actions, self.policies = Counted(), Counted(), Counted()
        self.samples: dict[str, list[Sample]] = {"newly_denied": [], "newly_allowed": []}

    def wants(self, *, denied: bool) -> bool:
        """Return whether there is room for another sample."""
        return len(self.samples["newly_denied" if denied else "newly_allowed"]) < SAMPLES

    def change(self, before: Judgement, after: Judgement, principal: str, action: str, times: int = 1) -> tuple[str, ...]:
        """Count a changed decision, and return the policies that make the difference."""
        denied = after.decision == "deny"
        told = {"denied": times * denied, "allowed": times * (not denied)}
        self.newly_denied += told["denied"]
        self.newly_allowed += told["allowed"]
        self.cannot_be_built += told["denied"] * bool(after.request_errors)
        self.failed_closed += told["denied"] * after.failed_closed
        self.principals.add(principal, **told)
        self.actions.add(action, **told)
        found = responsible(before, after)
        for name in found or (CANNOT_BE_BUILT if after.request_errors else NOTHING_PERMITS,):
            self.policies.add(name, **told)
        return found


def responsible(before: Judgement, after: Judgement) -> tuple[str, ...]:
    """Return the policies that make the difference between two decisions.

    Those that decide now; where a policy's error denies, those with errors; where nothing permits any more, those that permitted.

    >>> permitted, nothing = Judgement(decision="allow", reasons=("a",)), Judgement(decision="deny")
    >>> responsible(permitted, nothing), responsible(nothing, permitted)
    (('a',), ('a',))
    """
    if after.request_errors:
        return ()
    if after.decision == "deny":
        return after.reasons or after.errors or before.reasons
    return after.reasons


def uid_text(value: object) -> str:
    """Return an entity's uid as Cedar writes it, as far as it is one.

    >>> uid_text({"type": "User", "id": "alice"}), uid_text(None)
    ('User::"alice"', '?')
    """
    from thunderlab.policy.language.values import Uid

    if isinstance(value, dict) and isinstance(value.get("__entity"), dict):
        value = value["__entity"]
    if isinstance(value, dict) and isinstance(value.get("type"), str) and isinstance(value.get("id"), str):
        return str(Uid(value["type"], value["id"]))
    return value if isinstance(value, str) else "?"


def shown(names: Sequence[str], most: int = 3) -> str:
    """Return a few names in a line."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def samples_of(found: Iterable[Sample]) -> tuple[Sample, ...]:
    """Return samples in the order of their numbers."""
    return tuple(sorted(found, key=lambda one: one.seq))
