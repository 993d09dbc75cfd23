"""The types a schema speaks of, and what it says of entities and actions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from thunderlab.policy.language.values import Uid

Primitive = Literal["Bool", "Long", "String", "decimal", "ipaddr", "datetime", "duration"]


@dataclass(frozen=True, slots=True)
class Plain:
    """A boolean, an integer, a string, or a value of one of the extensions."""

    name: Primitive


@dataclass(frozen=True, slots=True)
class EntityOf:
    """An entity of one type."""

    name: str


@dataclass(frozen=True, slots=True)
class SetType:
    """A set of values of one type."""

    of: Type


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a record or an entity."""

    type: Type
    required: bool = True


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record: exactly these attributes, without those of them that need not be there."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)


Type = Plain | EntityOf | SetType | RecordType


@dataclass(frozen=True, slots=True)
class EntityKind:
    """What a schema says of a type of entities.

    Attributes:
        name: the type, with its namespaces.
        attributes: those of each entity of it.
        parents: types that its entities may be in directly.
        tags: the type of its tags' values; None when it has none.
        ids: the only ids there are, of an enumerated type; None when any.
    """

    name: str
    attributes: RecordType
    parents: frozenset[str] = frozenset()
    tags: Type | None = None
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ActionKind:
    """What a schema says of an action.

    Attributes:
        uid: the action.
        parents: the groups of actions it is in directly.
        principals: types of principals it applies to.
        resources: types of resources it applies to.
        context: what a request's context must hold.
    """

    uid: Uid
    parents: frozenset[Uid] = frozenset()
    principals: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    context: RecordType = RecordType()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that a schema says.

    Attributes:
        entities: types of entities by their names.
        actions: actions by their uids.
    """

    entities: Mapping[str, EntityKind]
    actions: Mapping[Uid, ActionKind]
