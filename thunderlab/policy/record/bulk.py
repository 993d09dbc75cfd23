"""Recorded requests judged many at a time, where that is certain to come to what judging them one by one comes to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.errors import EvidenceError, InputError
from thunderlab.policy.language.values import Uid
from thunderlab.policy.record.history import Recorded, Unreadable
from thunderlab.policy.record.precedents import Precedents
from thunderlab.policy.record.verdict import Judgement

if TYPE_CHECKING:
    import polars as pl

    from thunderlab.policy.record.loaded import Loaded
    from thunderlab.policy.record.shapes import Shape
    from thunderlab.policy.record.wire import EntitySet

FEWEST = 500
"""As many requests, and so many more for each policy, are worth what it costs to compile a policy set to columns."""
FEWEST_PER_POLICY = 10

_BEFORE_CONTEXT = ',"context":'


class _Named(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: str


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """What stands before a request's context: in canonical JSON, its action."""

    action: _Named


class Bulk:
    """Judges recorded requests in columns.

    Args:
        judges: gives what judges in place of the policy set of a digest; its errors are left to whoever judges one by one.
        precedents: what verdicts were based on.
    """

    def __init__(self, judges: Callable[[str], Loaded], precedents: Precedents) -> None:
        self._judges = judges
        self._precedents = precedents
        self._shapes: dict[tuple[str, str], Shape | None] = {}

    def judged(self, piece: Sequence[Recorded | Unreadable]) -> list[Judgement | None]:
        """Return what becomes of each request; None where it has to be judged alone.

        Requests about the same action that are put to the same policy set and the same entities are judged together.
        """
        found: list[Judgement | None] = [None] * len(piece)
        if len(piece) < FEWEST:
            return found
        judge = cache(self._judge)
        groups: dict[tuple[str, str, str], list[int]] = {}
        for at, one in enumerate(piece):
            if type(one) is Recorded and one.event.unsaid is None:
                event = one.event
                key = (event.policy_set, event.entities, event.request.partition(_BEFORE_CONTEXT)[0])
                group = groups.get(key)
                if group is None:
                    groups[key] = [at]
                else:
                    group.append(at)
        for (policy_set, entities, head), places in groups.items():
            if len(places) >= FEWEST and (policies := judge(policy_set)) is not None:
                texts = [piece[at].event.request for at in places]  # type: ignore[union-attr]
                for place, judgement in self._together(policies, entities, head, texts):
                    found[places[place]] = judgement
        return found

    def _judge(self, policy_set: str) -> Loaded | None:
        try:
            found = self._judges(policy_set)
        except (EvidenceError, InputError):
            return None
        return None if found.policies.vocabulary is None else found

    def _together(self, policies: Loaded, name: str, head: str, texts: Sequence[str]) -> Iterable[tuple[int, Judgement]]:
        """Return what becomes of requests about one action, with their places, as far as that is certain."""
        if len(texts) < FEWEST + FEWEST_PER_POLICY * len(policies.policies.policies):
            return []
        shape = self._shape(policies, head)
        if shape is None:
            return []
        try:
            entities: EntitySet = self._precedents.entities(name)
            world = policies.world(entities)
        except (EvidenceError, ValueError):
            return []
        places, frame = shape.frame(texts)
        if not places:
            return []
        decided = policies.policies.decide_frame(frame, world)
        return ((place, judgement) for place, judgement in zip(places, judgements(decided), strict=True) if judgement is not None)

    def _shape(self, policies: Loaded, head: str) -> Shape | None:
        """Return the form of requests about an action; None when the schema has none that can be read in columns."""
        key = (policies.digest, head)
        if key not in self._shapes:
            self._shapes[key] = self._made(policies, head)
        return self._shapes[key]

    def _made(self, policies: Loaded, head: str) -> Shape | None:
        from thunderlab.policy.record.shapes import Shape

        vocabulary = policies.policies.vocabulary
        assert vocabulary is not None
        try:
            action = msgspec.json.decode(f"{head}}}", type=_Head).action
            return Shape(vocabulary.actions[Uid(action.type, action.id)], vocabulary)
        except (ValueError, KeyError):
            return None


def judgements(decided: pl.DataFrame) -> list[Judgement | None]:
    """Return the rows of what `PolicySet.decide_frame` answered; None for a request that it could not build: why, is told one by one.

    Few rows differ, so each outcome is looked up by a text that says it all; a policy's id holds nothing unprintable.
    """
    import polars as pl

    parts: list[pl.Expr] = [pl.col("decision"), pl.col("failed_closed").cast(pl.String), pl.col("request_errors").is_null().cast(pl.String)]
    for name in ("reasons", "errors"):
        parts += [pl.col(name).list.len().cast(pl.String), pl.col(name).list.join("\x1f")]
    names = decided.select(pl.concat_str(parts, separator="\x1e")).to_series()
    first = decided[names.arg_unique()]
    known = dict(zip(names.unique(maintain_order=True), map(_judgement, first.iter_rows(named=True)), strict=True))
    return [known[name] for name in names.to_list()]


def _judgement(row: dict[str, Any]) -> Judgement | None:
    if row["request_errors"] is not None:
        return None
    return Judgement(
        decision=row["decision"], reasons=tuple(row["reasons"]), errors=tuple(row["errors"]), failed_closed=row["failed_closed"]
    )
