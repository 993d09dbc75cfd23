"""What Cedar itself says (through `cedarpy`), and what both of our compilers say, all in one form so that they can be compared."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_POLICY = re.compile(r"error while evaluating policy `(.*?)`: ", re.DOTALL)
_NUMBER = re.compile(r"\d+$")
UIDS = ("principal", "action", "resource")


class Answer(NamedTuple):
    """The answer to one request.

    Attributes:
        decision: "allow" or "deny"; None when the request cannot be built.
        reasons: ids of the policies that decided, in text order.
        errors: ids of the policies that failed, in text order.
    """

    decision: str | None
    reasons: tuple[str, ...]
    errors: tuple[str, ...]


UNBUILT = Answer(None, (), ())


class Oracle:
    """Cedar with one policy set, whose ids are `policy0`, `policy1` and so on: no policy of it may have an `@id`."""

    def __init__(self, text, schema=None):
        import cedarpy

        self._cedarpy = cedarpy
        self.policies = cedarpy.PolicySet.from_str(text)
        self.schema = None if schema is None else cedarpy.Schema.from_str(schema)

    def entities(self, documents):
        """Return entities that can be handed to `answers` again and again."""
        return self._cedarpy.Entities.from_json_str(json.dumps(documents), self.schema)

    def answers(self, requests, entities=()):
        """Return an `Answer` per request; with a schema, requests that do not fit it are not built."""
        known = self.entities(list(entities)) if isinstance(entities, (list, tuple)) else entities
        return [_read(result) for result in self._cedarpy.is_authorized_batch(list(requests), self.policies, known, self.schema)]


def _read(result):
    decision = result.decision.value
    if decision == "NoDecision":
        return UNBUILT
    failed = [_POLICY.match(error)[1] for error in result.diagnostics.errors]
    return Answer(decision.lower(), in_order(result.diagnostics.reasons), in_order(failed))


def in_order(ids):
    """Return positional ids in text order."""
    return tuple(sorted(ids, key=lambda name: int(_NUMBER.search(name)[0])))


def closures(batch, schema=None):
    """Return what the closures say to each request of a `cases.Batch`."""
    return closures_of(parsed(batch.text, schema), batch.requests, batch.entities)


def parsed(text, schema=None):
    """Return a policy set of ours."""
    from thunderlab.policy.policy_set import PolicySet

    return PolicySet.parse(text, schema)


def closures_of(policies, requests, entities=()):
    """Return what a policy set that was parsed says to each request, one by one; it must say the same once requests are frequent."""
    known = policies.world(entities)
    answers = [_given(policies.evaluate(request, known)) for request in requests]
    policies.program.write()
    again = [_given(policies.evaluate(request, known)) for request in requests]
    return [one if one == other else (one, other) for one, other in zip(answers, again, strict=True)]


def _given(answer):
    return Answer(answer.decision, tuple(answer.reasons), tuple(answer.errors))


def columns(batch, context_type=None):
    """Return what the columns say to each request of a `cases.Batch`."""
    return columns_of(parsed(batch.text, batch.schema), frame(batch.requests, context_type), batch.entities)


def columns_of(policies, requests, entities=()):
    """Return what a policy set that was parsed says to each row of a frame."""
    rows = policies.evaluate_frame(requests, policies.world(entities)).select("decision", "reasons", "errors").rows()
    return [Answer(decision, tuple(reasons or ()), tuple(errors or ())) for decision, reasons, errors in rows]


def frame(requests, context_type=None):
    """Return requests as a Polars frame.

    Values of extensions become their text and entities a struct of type and id, as `evaluate_frame` takes them.

    Args:
        requests: in Cedar's JSON form.
        context_type: the Polars type of the context; found from the values when not given, and then a field nobody has is not there.
    """
    import polars as pl

    columns_ = {f"{part}_{field}": [request[part][field] for request in requests] for part in UIDS for field in ("type", "id")}
    made = pl.DataFrame(columns_, schema=dict.fromkeys(columns_, pl.String))
    contexts = [plain(request.get("context", {})) for request in requests]
    if context_type is None:
        if not any(contexts):
            return made
        return made.with_columns(pl.Series("context", contexts, strict=True))
    return made.with_columns(pl.Series("context", contexts, dtype=context_type, strict=True))


def plain(value):
    """Return a JSON value without Cedar's escapes.

    >>> plain({"a": {"__extn": {"fn": "ip", "arg": "::1"}}, "b": [{"__entity": {"type": "T", "id": "x"}}]})
    {'a': '::1', 'b': [{'type': 'T', 'id': 'x'}]}
    """
    if isinstance(value, dict):
        if "__extn" in value:
            return value["__extn"]["arg"]
        if "__entity" in value:
            return dict(value["__entity"])
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
