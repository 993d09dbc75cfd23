"""A Cedar schema as a `Vocabulary`: every name looked up, every shared type put in its place.

A name without a namespace means what its own namespace declares, else what the empty one does; a common type comes before a type of
entities; and last come the types Cedar brings along, which `__cedar::` names in any case (https://docs.cedarpolicy.com/schema/human-readable-schema.html,
and Cedar's RFCs 24 and 70).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from thunderlab.errors import InputError
from thunderlab.policy.language.types import (
    ActionKind,
    Attribute,
    EntityKind,
    EntityOf,
    Plain,
    Primitive,
    RecordType,
    SetType,
    Type,
    Vocabulary,
)
from thunderlab.policy.language.values import Uid
from thunderlab.policy.text.declarations import (
    DEEPEST,
    ActionDeclaration,
    Declared,
    EntityDeclaration,
    Reference,
    SetOf,
    Written,
    read_declarations,
)

_PRIMITIVES: dict[str, Type] = {name: Plain(name) for name in get_args(Primitive)}
_RESERVED = "__cedar::"


def read_vocabulary(text: str) -> Vocabulary:
    """Return what a schema says, from its text, once Cedar has taken it: as a person wrote it, or as Cedar writes it itself.

    (Cedar cannot write schemas that give a common type and a type of entities one name, which is allowed; their own text can be read.)

    Raises:
        InputError: when the text is no schema's, names something that is not declared, or its types nest deeper than 127 levels.

    >>> vocabulary = read_vocabulary('''
    ... entity Agent in [Agent] = { rank: Long };
    ... action "promote" appliesTo { principal: [Agent], resource: [Agent], context: { drift_ppm?: Long } };
    ... ''')
    >>> vocabulary.entities["Agent"].attributes.attributes["rank"].type
    Plain(name='Long')
    >>> vocabulary.actions[Uid("Action", "promote")].context.attributes["drift_ppm"].required
    False
    """
    return _Resolver(read_declarations(text)).vocabulary()


class _Resolver:
    def __init__(self, declared: list[Declared]) -> None:
        self._declared = declared
        self._shared = {_within(one.namespace, name): (written, one.namespace) for one in declared for name, written in one.types.items()}
        self._kinds = {_within(one.namespace, entity.name) for one in declared for entity in one.entities}
        self._actions = {Uid(_within(one.namespace, "Action"), action.id) for one in declared for action in one.actions}
        # Attributes may refer to actions: each namespace that has any declares their type by that.
        self._referable = self._kinds | {uid.type for uid in self._actions}
        # Each common type once, with how deep it nests: others may refer to it any number of times.
        self._resolved: dict[str, tuple[Type, int]] = {}

    def vocabulary(self) -> Vocabulary:
        entities = [self._entity(entity, one.namespace) for one in self._declared for entity in one.entities]
        actions = [self._action(action, one.namespace) for one in self._declared for action in one.actions]
        return Vocabulary({kind.name: kind for kind in entities}, {kind.uid: kind for kind in actions})

    def _entity(self, entity: EntityDeclaration, namespace: str) -> EntityKind:
        return EntityKind(
            name=_within(namespace, entity.name),
            attributes=self._record(entity.shape, namespace),
            parents=frozenset(self._kind(path, namespace) for path in entity.parents),
            tags=None if entity.tags is None else self._type(entity.tags, namespace, 0)[0],
            ids=None if entity.ids is None else frozenset(entity.ids),
        )

    def _action(self, action: ActionDeclaration, namespace: str) -> ActionKind:
        return ActionKind(
            uid=Uid(_within(namespace, "Action"), action.id),
            parents=frozenset(self._group(*parent, namespace) for parent in action.parents),
            principals=frozenset(self._kind(path, namespace) for path in action.principals),
            resources=frozenset(self._kind(path, namespace) for path in action.resources),
            context=self._record(action.context, namespace),
        )

    def _kind(self, path: str, namespace: str) -> str:
        for name in _meanings(path, namespace):
            if name in self._kinds:
                return name
        raise InputError(f"{path!r} is no type of entities that the schema declares")

    def _group(self, type_: str, id: str, namespace: str) -> Uid:
        for name in _meanings(type_, namespace):
            if (uid := Uid(name, id)) in self._actions:
                return uid
        raise InputError(f"{Uid(type_, id)} is no action that the schema declares")

    def _record(self, written: Written, namespace: str) -> RecordType:
        found, _ = self._type(written, namespace, 0)
        if not isinstance(found, RecordType):
            raise InputError("what a schema's entities and contexts hold is a record")
        return found

    def _type(self, written: Written, namespace: str, level: int) -> tuple[Type, int]:
        """Return a type, and how many levels it has below it."""
        if level > DEEPEST:
            raise InputError(f"the schema's types nest deeper than {DEEPEST} levels")
        if isinstance(written, Reference):
            return self._referred(written.path, namespace, level)
        if isinstance(written, SetOf):
            of, below = self._type(written.of, namespace, level + 1)
            found: Type = SetType(of)
        else:
            fields = [(field.name, *self._type(field.type, namespace, level + 1), field.required) for field in written.fields]
            below = max((depth for _, _, depth, _ in fields), default=-1)
            found = RecordType({name: Attribute(type_, required) for name, type_, _, required in fields})
        if below >= DEEPEST:
            raise InputError(f"the schema's types nest deeper than {DEEPEST} levels")
        return found, below + 1

    def _referred(self, path: str, namespace: str, level: int) -> tuple[Type, int]:
        for name in _meanings(path, namespace):
            if name in self._shared:
                if name not in self._resolved:
                    written, home = self._shared[name]
                    # A name for a name is no level of a value's, but there is an end to following them.
                    self._resolved[name] = self._type(written, home, level + isinstance(written, Reference))
                return self._resolved[name]
            if name in self._referable:
                return EntityOf(name), 0
        primitive = _PRIMITIVES.get(path.removeprefix(_RESERVED))
        if primitive is None:
            raise InputError(f"{path!r} is no type that the schema declares")
        return primitive, 0


def _within(namespace: str, name: str) -> str:
    return f"{namespace}::{name}" if namespace else name


def _meanings(path: str, namespace: str) -> Iterator[str]:
    """Yield the full names that a written one may stand for, the preferred one first."""
    if namespace and "::" not in path:
        yield _within(namespace, path)
    yield path
