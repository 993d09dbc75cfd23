"""What is known of the world: entities, their attributes and tags, and what they are in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from thunderlab.policy.language.names import is_action_type
from thunderlab.policy.language.types import Vocabulary
from thunderlab.policy.language.values import Record, Uid, Value
from thunderlab.policy.requests.checks import UnfitError, shown
from thunderlab.policy.requests.conform import Conformer, Read
from thunderlab.policy.requests.convert import DEEPEST, check_names, to_uid, to_value
from thunderlab.policy.requests.hierarchy import HierarchyError, ancestors, reachable
from thunderlab.policy.requests.request import RequestError


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


def read_entities(documents: Iterable[Any], vocabulary: Vocabulary | None = None) -> Entities:
    """Return the entities of a JSON list (https://docs.cedarpolicy.com/auth/entities-syntax.html), all their ancestors worked out.

    Each is an object with `uid`, `attrs`, `parents` and, if it has any, `tags`; other keys are passed over. An entity may come twice when
    it says the same. With a vocabulary each conforms to its type: attributes, tags, what it may be in, the ids there are; the actions of the
    schema are then entities, too, and one that is listed says exactly what the schema does.

    Raises:
        RequestError: when one is no entity, does not conform, comes twice with different content, or is in itself.

    >>> alice = {"uid": {"type": "User", "id": "alice"}, "attrs": {"rank": 3}, "parents": [{"type": "Team", "id": "lab"}]}
    >>> found = read_entities([alice])
    >>> found.attributes[Uid("User", "alice")], found.ancestors[Uid("User", "alice")]
    ({'rank': 3}, frozenset({Uid(type='Team', id='lab')}))
    >>> read_entities([{"uid": {"type": "User", "id": "bob"}, "attrs": {"rank": 0.5}, "parents": []}])
    Traceback (most recent call last):
    thunderlab.policy.requests.request.RequestError: entity 1: User::"bob": attrs.rank: 0.5 is a float: Cedar has none, telemetry comes in whole micro-units
    """
    gathered = _Gathered(vocabulary)
    if isinstance(documents, str | Mapping):
        raise RequestError(f"entities: expected a list, not {shown(documents)}")
    for number, document in enumerate(documents, 1):
        try:
            gathered.add(document)
        except UnfitError as error:
            raise RequestError(f"entity {number}: {error}") from None
    try:
        return gathered.entities()
    except (HierarchyError, UnfitError) as error:
        raise RequestError(f"entities: {error}") from None


class _Kind:
    """How the entities of one type are read."""

    __slots__ = ("allowed", "attributes", "tags")

    def __init__(self, attributes: Read, tags: Read | None, allowed: set[str] | None) -> None:
        self.attributes = attributes
        self.tags = tags
        self.allowed = allowed


class _Gathered:
    def __init__(self, vocabulary: Vocabulary | None) -> None:
        self._vocabulary = vocabulary
        self._conformer = None if vocabulary is None else Conformer(vocabulary)
        self._untyped = _Kind(_untyped_record, _untyped_value, None)
        self._kinds: dict[str, _Kind] = {}
        # One object for each uid: a hundred thousand members of a team name it once.
        self._uids: dict[Uid, Uid] = {}
        self._attributes: dict[Uid, Record] = {}
        self._parents: dict[Uid, frozenset[Uid]] = {}
        self._tags: dict[Uid, Record] = {}

    def add(self, document: Any) -> None:
        if not isinstance(document, Mapping):
            raise UnfitError(f"expected an object with uid, attrs and parents, not {shown(document)}")
        try:
            uid = self._uid(document.get("uid"))
        except UnfitError as error:
            raise error.within("uid") from None
        part = "uid"
        try:
            kind = self._kind(uid)
            part = "attrs"
            attributes = kind.attributes(document.get("attrs"))
            part = "parents"
            parents = self._read_parents(uid, document.get("parents"), kind)
            part = "tags"
            tags = _read_tags(document.get("tags", {}), kind.tags)
        except UnfitError as error:
            raise UnfitError(f"{uid}: {error.within(part)}") from None
        self._keep(uid, attributes, parents, tags)

    def entities(self) -> Entities:
        above = ancestors(self._parents)
        if self._vocabulary is not None:
            declared = ancestors({action.uid: action.parents for action in self._vocabulary.actions.values()})
            for uid, groups in declared.items():
                if uid in above and (above[uid] != groups or self._attributes[uid] or uid in self._tags):
                    raise UnfitError(f"{uid} is not what the schema says of this action")
                above[uid] = groups
                self._attributes[uid] = Record()
        return Entities(self._attributes, above, self._tags)

    def _keep(self, uid: Uid, attributes: Record, parents: frozenset[Uid], tags: Record) -> None:
        if uid in self._attributes and (self._attributes[uid], self._parents[uid], self._tags.get(uid, Record())) != (
            attributes,
            parents,
            tags,
        ):
            raise UnfitError(f"{uid} was listed before, with other content")
        self._attributes[uid] = attributes
        self._parents[uid] = parents
        if tags:
            self._tags[uid] = tags

    def _uid(self, document: Any) -> Uid:
        uid = to_uid(document)
        return self._uids.setdefault(uid, uid)

    def _kind(self, uid: Uid) -> _Kind:
        if self._conformer is None or self._vocabulary is None:
            return self._untyped
        self._conformer.check_uid(uid)
        if is_action_type(uid.type):
            return self._untyped
        kind = self._kinds.get(uid.type)
        if kind is None:
            kind = self._kinds[uid.type] = self._compiled(uid.type, self._conformer, self._vocabulary)
        return kind

    @staticmethod
    def _compiled(type_: str, conformer: Conformer, vocabulary: Vocabulary) -> _Kind:
        said = vocabulary.entities.get(type_)
        if said is None:
            raise UnfitError(f"the schema knows no type {type_}")
        tags = None if said.tags is None else conformer.reader(said.tags)
        # The schema names the types of direct parents; what those are in directly may stand in for them, as it does for Cedar.
        allowed = reachable({name: kind.parents for name, kind in vocabulary.entities.items()}, type_)
        return _Kind(conformer.reader(said.attributes), tags, allowed)

    def _read_parents(self, uid: Uid, documents: Any, kind: _Kind) -> frozenset[Uid]:
        if not isinstance(documents, list | tuple):
            raise UnfitError(f"expected a list of entities, not {shown(documents)}")
        parents = frozenset(map(self._uid, documents))
        if is_action_type(uid.type):
            for parent in parents:
                if not is_action_type(parent.type):
                    raise UnfitError(f"an action is in actions only, not in {parent}")
        if kind.allowed is not None and self._conformer is not None:
            for parent in parents:
                if parent.type not in kind.allowed:
                    raise UnfitError(f"the schema does not let a {uid.type} be in {parent}")
                self._conformer.check_uid(parent)
        return parents


def _untyped_value(document: Any) -> Value:
    # The list of entities, the entity and its attributes are levels, too.
    return to_value(document, DEEPEST - 3)


def _untyped_record(document: Any) -> Record:
    """Return attributes, whose names are never those of an escape."""
    if not isinstance(document, Mapping):
        raise UnfitError(f"expected an object of attributes, not {shown(document)}")
    return _read_each(document, _untyped_value)


def _read_tags(document: Any, read: Read | None) -> Record:
    if not isinstance(document, Mapping):
        raise UnfitError(f"expected an object of tags, not {shown(document)}")
    if read is None:
        if document:
            raise UnfitError("the schema knows no tags here")
        return Record()
    return _read_each(document, read)


def _read_each(document: Mapping[str, Any], read: Read) -> Record:
    check_names(document)
    record = Record()
    for name, value in document.items():
        try:
            record[name] = read(value)
        except UnfitError as error:
            raise error.within(name) from None
    return record
