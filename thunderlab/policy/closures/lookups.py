"""The operators that look at the entities of a request: `in`, `hasTag`, `getTag`, and an entity's attributes."""

from __future__ import annotations

from typing import Any

from thunderlab.policy.closures.operators import EvaluationError, wanted
from thunderlab.policy.language.values import Record, Set, Uid, unkeyed
from thunderlab.policy.requests.request import Request


def is_in(request: Request, entity: Any, others: Any) -> bool:
    """Return whether an entity is another one, or below it; of a set of entities, whether it is so for one of them."""
    if type(entity) is not Uid:
        wanted("entity", entity)
    above = request.entities.ancestors.get(entity, ())
    if type(others) is Uid:
        return entity == others or others in above
    if type(others) is not Set:
        wanted("entity or set of entities", others)
    for other in others.keys:
        if type(other) is not Uid:
            wanted("entity", unkeyed(other))
    return entity in others.keys or not others.keys.isdisjoint(above)


def has_tag(request: Request, entity: Any, tag: Any) -> bool:
    """Return whether an entity has a tag; one that does not exist has none."""
    return tag in _tags(request, entity, tag)


def get_tag(request: Request, entity: Any, tag: Any) -> Any:
    """Return the value of an entity's tag.

    Raises:
        EvaluationError: when it has none of that name.
    """
    try:
        return _tags(request, entity, tag)[tag]
    except KeyError:
        raise EvaluationError(f"there is no tag {tag!r}") from None


def _tags(request: Request, entity: Any, tag: Any) -> Any:
    if type(entity) is not Uid:
        wanted("entity", entity)
    if type(tag) is not str:
        wanted("string", tag)
    return request.entities.tags.get(entity, {})


def attribute(of: Record | None, name: str) -> Any:
    """Return an attribute of a record, or of an entity's; there may be no such entity.

    Raises:
        EvaluationError: when there is no such entity or attribute.
    """
    if of is None:
        raise EvaluationError("the entity does not exist")
    try:
        return of[name]
    except KeyError:
        raise missing(name) from None


def missing(name: str) -> EvaluationError:
    """Return the error of an attribute that is not there."""
    return EvaluationError(f"there is no attribute {name!r}")
