"""A question put to a policy set: whether a principal may do something to a resource, as things are."""

from __future__ import annotations

from dataclasses import dataclass, field
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
        principal_attributes: the principal's; None when there is no such entity. Looked up once, since most policies ask for some.
        resource_attributes: the resource's, likewise.
    """

    principal: Uid
    action: Uid
    resource: Uid
    context: Record
    entities: Entities
    principal_attributes: Record | None = field(init=False, repr=False)
    resource_attributes: Record | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        attributes = self.entities.attributes
        self.principal_attributes = attributes.get(self.principal)
        self.resource_attributes = attributes.get(self.resource)
