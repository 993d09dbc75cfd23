"""A question put to a policy set: whether a principal may do something to a resource, as things are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thunderlab.policy.entities import Entities
    from thunderlab.policy.values import Record, Uid


class RequestError(ValueError):
    """A request, or an entity, that cannot be built: its text says what is wrong where."""


@dataclass(slots=True)
class Request:
    """A request that was read and, when there is a schema, found to fit it.

    Attributes:
        principal: who asks.
        action: to do what.
        resource: with what.
        context: the rest that is known of the request.
        entities: what is known of the world.
    """

    principal: Uid
    action: Uid
    resource: Uid
    context: Record
    entities: Entities
