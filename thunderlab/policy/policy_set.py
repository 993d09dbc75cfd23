"""A policy set: what is asked, and how it answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import msgspec

from thunderlab.errors import InputError
from thunderlab.policy.closures.program import Program
from thunderlab.policy.requests.entities import Entities, read_entities
from thunderlab.policy.requests.request import RequestError, RequestReader
from thunderlab.policy.text import bounds, cedar, source
from thunderlab.policy.text.reading import read_policies
from thunderlab.policy.text.schema import read_vocabulary

if TYPE_CHECKING:
    import polars as pl

    from thunderlab.policy.columns import Columns
    from thunderlab.policy.language.tree import Policy
    from thunderlab.policy.language.types import Vocabulary
    from thunderlab.policy.text.source import Source

Decision = Literal["allow", "deny"]
Known = Entities | Iterable[Mapping[str, Any]]


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a policy set says of a request. Its lists are made when they are looked at: most verdicts are only asked for their decision.

    Attributes:
        decision: `allow` or `deny`; None from `evaluate` when the request cannot be built.
        ids: the policies' ids, in the order of the text.
        decided: places of the policies that decide.
        failed: places of those without a value, with what went wrong.
        wrong: why the request cannot be built; None when it can.
        failed_closed: whether `decide` denies for want of certainty: no request, or a forbid that may have applied.
    """

    decision: Decision | None
    ids: Sequence[str]
    decided: Sequence[int] = ()
    failed: Sequence[tuple[int, str]] = ()
    wrong: str | None = None
    failed_closed: bool = False

    @property
    def reasons(self) -> list[str]:
        """Ids of the policies that decide, in the order of the text: the forbids that apply, else the permits."""
        return [self.ids[at] for at in self.decided]

    @property
    def errors(self) -> list[str]:
        """Ids of the policies that have no value, in the order of the text; Cedar skips them."""
        return [self.ids[at] for at, _ in self.failed]

    @property
    def request_errors(self) -> list[str]:
        """Why the request cannot be built; empty when it can."""
        return [] if self.wrong is None else [self.wrong]

    @property
    def details(self) -> dict[str, str]:
        """What went wrong in each of `errors`."""
        return {self.ids[at]: why for at, why in self.failed}


class PolicySet:
    """Policies that were read once and answer any number of requests.

    Args:
        policies: in the order of their text.
        vocabulary: what the schema says; None without one.

    Attributes:
        policies: what it was made of.
        vocabulary: likewise.
        program: the policies compiled for single requests.

    >>> reads = PolicySet.parse('@id("readers") permit(principal, action == Action::"read", resource) when { context.hour < 17 };')
    >>> asked = {"principal": {"type": "User", "id": "ann"}, "action": {"type": "Action", "id": "read"}, "resource": {"type": "Page", "id": "1"}}
    >>> answer = reads.evaluate(asked | {"context": {"hour": 9}})
    >>> answer.decision, answer.reasons
    ('allow', ['readers'])
    >>> reads.decide(asked).errors
    ['readers']
    """

    def __init__(self, policies: Sequence[Policy], vocabulary: Vocabulary | None = None) -> None:
        self.policies = tuple(policies)
        self.vocabulary = vocabulary
        self._ids = [policy.id for policy in self.policies]
        self.program = Program(self.policies)
        self._run = self.program.run
        self._read = RequestReader(vocabulary).read
        self._nothing = read_entities((), vocabulary)

    @classmethod
    def parse(cls, text: str, schema: str | Mapping[str, Any] | None = None) -> Self:
        """Return the policies of a text.

        Args:
            text: Cedar policies.
            schema: what requests and entities must fit: Cedar's schema syntax or its JSON form, as text or parsed.

        Raises:
            InputError: when one of them is not what it should be; it names line and policy.
        """
        described = schema if schema is None or isinstance(schema, str) else json.dumps(schema)
        return cls.of(source.source([("policies", text)], None if described is None else ("schema", described), strict=False))

    @classmethod
    def of(cls, read: Source) -> Self:
        """Return the policies of texts that were read.

        Raises:
            InputError: when an expression is nested more deeply than can be evaluated.
        """
        positions = bounds.check(read.text, strict=False)
        lines = [place.line for place in read.places]
        vocabulary = None if read.schema is None else read_vocabulary(cedar.normalise_schema(read.schema[1], read.schema[0], strict=False))
        return cls(read_policies(cedar.to_json(read.text, positions), lines, read.ids), vocabulary)

    def world(self, entities: Iterable[Mapping[str, Any]]) -> Entities:
        """Return entities read once, for many requests.

        Args:
            entities: Cedar's JSON form: `{"uid": {"type", "id"}, "attrs": {...}, "parents": [...], "tags": {...}}`.

        Raises:
            RequestError: when one of them cannot be built, or does not fit the schema.
        """
        return read_entities(entities, self.vocabulary)

    def evaluate(self, request: Mapping[str, Any], entities: Known = ()) -> Answer:
        """Return what Cedar says of a request: policies without a value are skipped.

        Args:
            request: `{"principal": {"type", "id"}, "action": ..., "resource": ..., "context": {...}}`.
            entities: what is known of the world; read them once with `world` when there are many requests.
        """
        try:
            read = self._read(request, entities if type(entities) is Entities else self._known(entities))
        except RequestError as error:
            return Answer(None, self._ids, wrong=str(error))
        permits, forbids, errors = self._run(read)
        if forbids or not permits:
            return Answer("deny", self._ids, forbids, errors)
        return Answer("allow", self._ids, permits, errors)

    def decide(self, request: Mapping[str, Any], entities: Known = ()) -> Answer:
        """Return the same, failing closed: a request that cannot be built is denied, and so is one that a forbid has no value for."""
        answer = self.evaluate(request, entities)
        unsure = answer.decision is None or (
            answer.decision == "allow" and any(self.policies[at].effect == "forbid" for at, _ in answer.failed)
        )
        return msgspec.structs.replace(answer, decision="deny", decided=(), failed_closed=True) if unsure else answer

    def evaluate_frame(self, requests: pl.DataFrame, entities: Known = ()) -> pl.DataFrame:
        """Return what `evaluate` says of many requests, in their order, with a fraction of its time for each.

        Args:
            requests: columns `principal_type`, `principal_id`, `action_type`, `action_id`, `resource_type`, `resource_id`, and the struct
                `context`, in which null means that the attribute is not there.
            entities: what is known of the world.

        Returns:
            Columns `decision` (null when the request cannot be built), `reasons`, `errors` and `request_errors`.

        Raises:
            InputError: when a column is missing, or of a type that the schema has not, or there is no schema.
        """
        return self.columns.evaluate(requests, self._known(entities))

    def decide_frame(self, requests: pl.DataFrame, entities: Known = ()) -> pl.DataFrame:
        """Return what `decide` says of many requests: as `evaluate_frame`, failing closed, with a column `failed_closed`.

        Raises:
            InputError: likewise.
        """
        from thunderlab.policy.columns import fail_closed

        return fail_closed(self.evaluate_frame(requests, entities), self.policies)

    @cached_property
    def columns(self) -> Columns:
        """The policies compiled to columns; its `explain` and `fallbacks` tell which cannot be.

        Raises:
            InputError: when there is no schema: no column has a type.
        """
        from thunderlab.policy.columns import Columns

        if self.vocabulary is None:
            raise InputError("requests in columns need a schema, which says what type each column has")
        return Columns(self.policies, self.vocabulary)

    def _known(self, entities: Known) -> Entities:
        if type(entities) is Entities:
            return entities
        return self._nothing if entities == () else self.world(entities)  # type: ignore[arg-type]
