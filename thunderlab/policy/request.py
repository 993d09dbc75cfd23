"""A question put to a policy set: whether a principal may do something to a resource, as things are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from thunderlab.policy.entities import Entities
    from thunderlab.policy.values import Record, Uid


class RequestError(ValueError):
    """A request, or an entity, that cannot be built: its text says what is wrong where."""


class Request(msgspec.Struct, gc=False):
    """A request that was read and, when there is a schema, found to fit it; `Request.of` looks up the last two.

    Attributes:
        principal: who asks.
        action: to do what.
        resource: with what.
        context: the rest that is known of the request.
        entities: what is known of the world.
        principal_attributes: the principal's; None when there is no such entity. Most policies ask for some.
        resource_attributes: the resource's, likewise.
    """

    principal: Uid
    action: Uid
    resource: Uid
    context: Record
    entities: Entities
    principal_attributes: Record | None
    resource_attributes: Record | None

    @classmethod
    def of(cls, principal: Uid, action: Uid, resource: Uid, context: Record, entities: Entities) -> Request:
        """Return a request, with what is known of its principal and resource."""
        known = entities.attributes
        return cls(principal, action, resource, context, entities, known.get(principal), known.get(resource))
