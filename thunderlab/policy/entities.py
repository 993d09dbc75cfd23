"""What is known of the world: entities, their attributes and tags, and what they are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from thunderlab.policy.values import Record, Uid, Value


@dataclass(frozen=True, slots=True)
class Entities:
    """A set of entities.

    Attributes:
        attributes: of each entity; one that is not a key does not exist.
        ancestors: all that an entity is in, directly or not, without itself.
        tags: of each entity that has any.
    """

    attributes: Mapping[Uid, Record] = field(default_factory=dict)
    ancestors: Mapping[Uid, frozenset[Uid]] = field(default_factory=dict)
    tags: Mapping[Uid, Mapping[str, Value]] = field(default_factory=dict)
