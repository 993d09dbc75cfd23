"""What stands in a schema's text, declaration by declaration, before any name in it was looked up.

The grammar is https://docs.cedarpolicy.com/schema/human-readable-schema-grammar.html. A text is read that Cedar itself has taken before,
so what it would refuse is not looked for again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from thunderlab.errors import InputError
from thunderlab.policy.language.names import unescaped

DEEPEST = 127
"""How deep types may nest: no value that can be read is deeper."""

_TOKEN = re.compile(
    r"""\s+|//[^\n\r]*|(?P<string>"(?:\\.|[^"\\])*")|(?P<word>[_a-zA-Z][_a-zA-Z0-9]*)|(?P<sign>::|[,;:{}\[\]<>=?@()])""", re.DOTALL
)
_END = ("end", "the end of the text")

T = TypeVar("T")


class Reference(NamedTuple):
    """The name of a type, as it was written."""

    path: str


class SetOf(NamedTuple):
    """`Set<of>`."""

    of: Written


class Field(NamedTuple):
    """`name: type`, or `name?: type` when it is not required."""

    name: str
    type: Written
    required: bool


class RecordOf(NamedTuple):
    """`{...}`."""

    fields: tuple[Field, ...] = ()


Written = Reference | SetOf | RecordOf


class EntityDeclaration(NamedTuple):
    """`entity name in [parents] = shape tags type;` or `entity name enum [ids];`."""

    name: str
    parents: tuple[str, ...] = ()
    shape: Written = RecordOf()
    tags: Written | None = None
    ids: tuple[str, ...] | None = None


class ActionDeclaration(NamedTuple):
    """`action "id" in [parents] appliesTo {...};`; a parent is the type and the id of an action."""

    id: str
    parents: tuple[tuple[str, str], ...] = ()
    principals: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    context: Written = RecordOf()


class Declared(NamedTuple):
    """Everything one namespace declares; the empty one's name is empty.

    Attributes:
        namespace: its name.
        types: common types by name.
        entities: types of entities.
        actions: actions.
    """

    namespace: str
    types: dict[str, Written]
    entities: list[EntityDeclaration]
    actions: list[ActionDeclaration]


def read_declarations(text: str) -> list[Declared]:
    """Return what a schema declares, a namespace at a time.

    Raises:
        InputError: when the text is none that Cedar takes, or types nest deeper than 127 levels.

    >>> [declared] = read_declarations('entity User, Guest in Group; entity Group;')
    >>> [(entity.name, entity.parents) for entity in declared.entities]
    [('User', ('Group',)), ('Guest', ('Group',)), ('Group', ())]
    """
    return _Reader(text).schema()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._place = at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise InputError(f"the schema cannot be read at {text[at : at + 20]!r}")
            at = found.end()
            if found.lastgroup is not None:
                self._tokens.append((found.lastgroup, found[0]))
        self._tokens.append(_END)

    def schema(self) -> list[Declared]:
        outside = Declared("", {}, [], [])
        found = [outside]
        while self._tokens[self._place] is not _END:
            self._annotations()
            if self._takes("namespace"):
                found.append(self._namespace())
            else:
                self._declaration(outside)
        return found

    def _namespace(self) -> Declared:
        inside = Declared(self._path(), {}, [], [])
        self._expect("{")
        while not self._takes("}"):
            self._annotations()
            self._declaration(inside)
        return inside

    def _declaration(self, into: Declared) -> None:
        if self._takes("type"):
            name = self._next("word")
            self._expect("=")
            into.types[name] = self._type()
        elif self._takes("entity"):
            into.entities.extend(self._entities())
        else:
            self._expect("action")
            into.actions.extend(self._actions())
        self._expect(";")

    def _entities(self) -> list[EntityDeclaration]:
        names = self._several(partial(self._next, "word"))
        if self._takes("enum"):
            ids = self._listed(self._string)
            return [EntityDeclaration(name, ids=ids) for name in names]
        parents = self._listed(self._path) if self._takes("in") else ()
        shape = self._type() if self._takes("=") or self._is("{") else RecordOf()
        tags = self._type() if self._takes("tags") else None
        return [EntityDeclaration(name, parents, shape, tags) for name in names]

    def _actions(self) -> list[ActionDeclaration]:
        names = self._several(self._name)
        declared = ActionDeclaration("", self._listed(self._action_name) if self._takes("in") else ())
        if self._takes("appliesTo"):
            declared = self._applied(declared)
        if self._takes("attributes"):
            self._expect("{")
            self._expect("}")
        return [declared._replace(id=name) for name in names]

    def _applied(self, declared: ActionDeclaration) -> ActionDeclaration:
        self._expect("{")
        while not self._takes("}"):
            what = self._next("word")
            self._expect(":")
            if what == "context":
                declared = declared._replace(context=self._type())
            elif what == "principal":
                declared = declared._replace(principals=self._listed(self._path))
            elif what == "resource":
                declared = declared._replace(resources=self._listed(self._path))
            else:
                raise InputError(f"the schema's actions apply to a principal, a resource and a context, not to {what!r}")
            self._takes(",")
        return declared

    def _type(self, level: int = 0) -> Written:
        if level > DEEPEST:
            raise InputError(f"the schema's types nest deeper than {DEEPEST} levels")
        if self._takes("{"):
            fields: list[Field] = []
            while not self._takes("}"):
                self._annotations()
                name = self._name()
                required = not self._takes("?")
                self._expect(":")
                fields.append(Field(name, self._type(level + 1), required))
                self._takes(",")
            return RecordOf(tuple(fields))
        path = self._path()
        if path == "Set" and self._takes("<"):
            of = self._type(level + 1)
            self._expect(">")
            return SetOf(of)
        return Reference(path)

    def _annotations(self) -> None:
        while self._takes("@"):
            self._next("word")
            if self._takes("("):
                self._next("string")
                self._expect(")")

    def _action_name(self) -> tuple[str, str]:
        parts = [self._name()]
        while self._takes("::"):
            parts.append(self._name())
        return "::".join(parts[:-1]) or "Action", parts[-1]

    def _name(self) -> str:
        return self._string() if self._tokens[self._place][0] == "string" else self._next("word")

    def _path(self) -> str:
        parts = [self._next("word")]
        while self._takes("::"):
            parts.append(self._next("word"))
        return "::".join(parts)

    def _string(self) -> str:
        return unescaped(self._next("string")[1:-1])

    def _listed(self, one: Callable[[], T]) -> tuple[T, ...]:
        """Read a list in brackets, or a single one without."""
        if not self._takes("["):
            return (one(),)
        if self._takes("]"):
            return ()
        found = self._several(one)
        self._expect("]")
        return found

    def _several(self, one: Callable[[], T]) -> tuple[T, ...]:
        found = [one()]
        while self._takes(","):
            found.append(one())
        return tuple(found)

    def _is(self, text: str) -> bool:
        kind, here = self._tokens[self._place]
        return here == text and kind != "string"

    def _takes(self, text: str) -> bool:
        if not self._is(text):
            return False
        self._place += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise InputError(f"the schema has {self._tokens[self._place][1]!r} where {text!r} belongs")

    def _next(self, kind: str) -> str:
        found, text = self._tokens[self._place]
        if found != kind:
            raise InputError(f"the schema has {text!r} where a {kind} belongs")
        self._place += 1
        return text
