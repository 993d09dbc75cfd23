"""A question put to a policy set: whether a principal may do something to a resource, as things are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.policy.language.names import uid_from_text
from thunderlab.policy.language.types import ActionKind, Vocabulary
from thunderlab.policy.language.values import Record, Uid
from thunderlab.policy.requests.checks import UnfitError, check_text, shown
from thunderlab.policy.requests.conform import Conformer
from thunderlab.policy.requests.convert import make_uid, to_context

if TYPE_CHECKING:
    from thunderlab.policy.requests.entities import Entities

_MOST_KEPT = 16_384
_LONGEST_KEPT = 128


class RequestError(ValueError):
    """A request, or an entity, that cannot be built: its text says what is wrong where."""


class Request(msgspec.Struct, gc=False):
    """A request that was read and, when there is a schema, found to fit it; `Request.of` looks up the last two.

    Attributes:
        principal: who asks.
        action: to do what.
        resource: with what.
        context: the rest that is known of the request; a plain dictionary of booleans, integers and strings stands for the record.
        entities: what is known of the world.
        principal_attributes: the principal's; None when there is no such entity. Most policies ask for some.
        resource_attributes: the resource's, likewise.
    """

    principal: Uid
    action: Uid
    resource: Uid
    context: dict[str, Any]
    entities: Entities
    principal_attributes: Record | None
    resource_attributes: Record | None

    @classmethod
    def of(cls, principal: Uid, action: Uid, resource: Uid, context: dict[str, Any], entities: Entities) -> Request:
        """Return a request, with what is known of its principal and resource."""
        known = entities.attributes
        return cls(principal, action, resource, context, entities, known.get(principal), known.get(resource))


class _Asked(msgspec.Struct, gc=False):
    """What a schema lets be asked about one action."""

    uid: Uid
    principals: frozenset[str]
    resources: frozenset[str]
    context: Callable[[Any], dict[str, Any]]


class RequestReader:
    """Reads requests, with a schema or without.

    Args:
        vocabulary: what the schema says; None to take any request that can be built.

    >>> from thunderlab.policy.requests.entities import Entities
    >>> asked = {"principal": {"type": "User", "id": "alice"}, "action": 'Action::"view"', "resource": {"type": "Run", "id": "7"}}
    >>> found = RequestReader().read(asked | {"context": {"load_us": 250}}, Entities())
    >>> str(found.principal), str(found.action), found.context["load_us"]
    ('User::"alice"', 'Action::"view"', 250)
    >>> RequestReader().read(asked | {"context": {"load": 0.25}}, Entities())
    Traceback (most recent call last):
    thunderlab.policy.requests.request.RequestError: context.load: 0.25 is a float: Cedar has none, telemetry comes in whole micro-units
    """

    def __init__(self, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary
        self._conformer = None if vocabulary is None else Conformer(vocabulary)
        # By type, then id: nothing is built or checked for what was asked by before.
        self._known: dict[str, dict[str, Uid]] = {}
        self._kept = 0
        self._asked: dict[str, dict[str, _Asked]] = {}
        if vocabulary is not None:
            for kind in vocabulary.actions.values():
                self._asked.setdefault(kind.uid.type, {})[kind.uid.id] = self._compiled(kind)

    def read(self, document: Mapping[str, Any], entities: Entities) -> Request:
        """Return the request that a document asks.

        It is `{"principal": ..., "action": ..., "resource": ..., "context": {...}}`. The first three are `{"type": ..., "id": ...}` or text like
        `User::"alice"`; a context that is missing or None is empty; other keys are passed over, as Cedar's own bindings do.

        With a vocabulary the action is a declared one that applies to the types of principal and resource, entities of enumerated types are
        among those listed, and the context is exactly what the action asks for.

        Raises:
            RequestError: when it cannot be built or does not fit the schema; its text names the field.
        """
        known = self._known
        try:
            named = document["principal"]
            principal = known[named["type"]][named["id"]]
        except (KeyError, TypeError):
            principal = self._uid(document, "principal")
        try:
            named = document["resource"]
            resource = known[named["type"]][named["id"]]
        except (KeyError, TypeError):
            resource = self._uid(document, "resource")
        context, attributes = document.get("context"), entities.attributes
        if self._vocabulary is None:
            try:
                named = document["action"]
                action = known[named["type"]][named["id"]]
            except (KeyError, TypeError):
                action = self._uid(document, "action")
            try:
                told = {} if context is None else to_context(context)
            except UnfitError as error:
                raise _unfit("context", error) from None
            return Request(principal, action, resource, told, entities, attributes.get(principal), attributes.get(resource))
        try:
            named = document["action"]
            asked = self._asked[named["type"]][named["id"]]
        except (KeyError, TypeError):
            asked = self._action(document)
        if principal.type not in asked.principals or resource.type not in asked.resources:
            raise _not_applicable(asked, principal, resource)
        try:
            told = asked.context({} if context is None else context)
        except UnfitError as error:
            raise _unfit("context", error) from None
        return Request(principal, asked.uid, resource, told, entities, attributes.get(principal), attributes.get(resource))

    def _compiled(self, kind: ActionKind) -> _Asked:
        assert self._conformer is not None
        return _Asked(kind.uid, kind.principals, kind.resources, self._conformer.context_reader(kind.context))

    def _uid(self, document: Mapping[str, Any], field: str) -> Uid:
        """Return the uid a field names, checked; and keep it for the next request."""
        try:
            uid = self._checked(_read_uid(document, field))
        except UnfitError as error:
            raise _unfit(field, error) from None
        if len(uid.id) <= _LONGEST_KEPT and len(uid.type) <= _LONGEST_KEPT:
            if self._kept >= _MOST_KEPT:
                self._known, self._kept = {}, 0
            self._known.setdefault(uid.type, {})[uid.id] = uid
            self._kept += 1
        return uid

    def _checked(self, uid: Uid) -> Uid:
        if self._vocabulary is None or self._conformer is None:
            return uid
        if uid.type not in self._vocabulary.entities:
            raise UnfitError(f"the schema knows no type {uid.type}")
        return self._conformer.check_uid(uid)

    def _action(self, document: Mapping[str, Any]) -> _Asked:
        try:
            uid = _read_uid(document, "action")
        except UnfitError as error:
            raise _unfit("action", error) from None
        asked = self._asked.get(uid.type, {}).get(uid.id)
        if asked is None:
            raise RequestError(f"action: {uid} is no action of the schema")
        return asked


def _read_uid(document: Any, field: str) -> Uid:
    if not isinstance(document, Mapping):
        raise UnfitError(f"expected an object with principal, action, resource and context, not {shown(document)}")
    named = document.get(field)
    if isinstance(named, str):
        try:
            return uid_from_text(check_text(str.__str__(named)))
        except ValueError as error:
            raise UnfitError(str(error)) from None
    if not isinstance(named, Mapping) or not isinstance(named.get("type"), str) or not isinstance(named.get("id"), str):
        raise UnfitError(f'expected {{"type": ..., "id": ...}} or text like User::"alice", not {shown(named)}')
    return make_uid(str.__str__(named["type"]), str.__str__(named["id"]))


def _unfit(field: str, error: UnfitError) -> RequestError:
    return RequestError(str(error.within(field)))


def _not_applicable(asked: _Asked, principal: Uid, resource: Uid) -> RequestError:
    field, uid, allowed = (
        ("principal", principal, asked.principals) if principal.type not in asked.principals else ("resource", resource, asked.resources)
    )
    wanted = ", ".join(sorted(allowed)) or "nothing"
    return RequestError(f"{field}: {asked.uid} does not apply to {uid}: the schema has it apply to {wanted}")
