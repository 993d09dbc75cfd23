"""How tables of boundary cases are put together: expressions over the context's x, y and z, a schema for them, and a request per row."""

from __future__ import annotations

from tests.policy import world
from tests.policy.cases import Batch

LEAST, MOST = -(2**63), 2**63 - 1
WHO = {"principal": {"type": "Person", "id": "ann"}, "action": {"type": "Action", "id": "act"}, "resource": {"type": "Team", "id": "t1"}}
ANN = {"__entity": {"type": "Person", "id": "ann"}}
PEOPLE = (
    {"uid": {"type": "Person", "id": "ann"}, "attrs": {"a": 1}, "parents": [{"type": "Team", "id": "t0"}], "tags": {"x": "a", "": "b"}},
    {"uid": {"type": "Team", "id": "t0"}, "attrs": {}, "parents": [{"type": "Team", "id": "t1"}]},
    {"uid": {"type": "Team", "id": "t1"}, "attrs": {}, "parents": []},
)
# The records of tables, as `world.CONTEXT` says them.
SHAPES = {
    "{a?: Long, b?: Long}": {"a?": "Long", "b?": "Long"},
    "{a?: {b: Long}}": {"a?": {"b": "Long"}},
    "{a: Long, b?: Bool}": {"a": "Long", "b?": "Bool"},
    "{a: Long, b?: {c?: Bool, d: String}}": {"a": "Long", "b?": {"c?": "Bool", "d": "String"}},
}


def schema(fields):
    """Return a schema whose only action has a context with these fields; they need not be there."""
    inside = ", ".join(f"{name}?: {kind}" for name, kind in fields.items())
    people = "entity Team in [Team]; entity Person in [Team] { a?: Long, boss?: Person } tags String;"
    return people + f"\naction act appliesTo {{ principal: [Person, Team], resource: [Team, Person], context: {{ {inside} }} }};\n"


def when(expression):
    """Return a permit with a condition; x, y and z in it become attributes of the context."""
    return f"permit(principal, action, resource) when {{ {expression} }};"


def in_context(expression, names="xyz"):
    """Return an expression with its single letters x, y and z as attributes of the context, where they are not names already.

    >>> in_context('{x: x} has x || y.x < 1')
    '{x: context.x} has x || context.y.x < 1'
    """
    pieces, inside = [], False
    for place, one in enumerate(expression):
        inside ^= one == '"'
        before, behind = expression[max(0, place - 4) : place], expression[place + 1 : place + 2]
        alone = not (before[-1:].isalnum() or before[-1:] == "." or before == "has " or behind.isalnum() or behind == ":")
        pieces.append(f"context.{one}" if one in names and alone and not inside else one)
    return "".join(pieces)


def asked(**context):
    """Return a request with a context; None stands for an attribute that is not there."""
    return {**WHO, "context": {name: value for name, value in context.items() if value is not None}}


def wrapped(kind, value):
    """Return a value of a kind in Cedar's JSON form."""
    return {"__extn": {"fn": world.EXTENSION_OF[kind], "arg": value}} if kind in world.EXTENSION_OF and value is not None else value


def table(fields, expressions, rows, entities=PEOPLE):
    """Return a batch: expressions over the context's x, y and z, of these kinds, and a row of plain values per request."""
    kinds = tuple(fields.values())
    requests = [asked(**{name: wrapped(kind, value) for name, kind, value in zip(fields, kinds, row, strict=True)}) for row in rows]
    return Batch(
        tuple(when(in_context(one)) for one in expressions), tuple(requests), tuple(entities), schema(fields), tuple(fields.items())
    )


def kinds(batch):
    """Return what the attributes of a table's contexts are, as `world.CONTEXT` says it."""
    return {f"{name}?": _kind(said) for name, said in batch.fields}


def _kind(said):
    return [_kind(said[4:-1])] if said.startswith("Set<") else SHAPES.get(said, said)


def context_type(batch):
    """Return the Polars type of a table's contexts, whose values alone may not tell it."""
    return world.polars_type(kinds(batch)) if batch.fields else None


def near(number, apart=1):
    """Return a number and its neighbours, as far as they have 64 bits; the nearest that has where none does."""
    return sorted({min(max(one, LEAST), MOST) for one in (number - apart, number, number + apart)})
