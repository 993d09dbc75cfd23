"""JSON values read by the types a schema gives them (https://docs.cedarpolicy.com/auth/entities-syntax.html, "schema-based parsing").

Knowing the type, `__entity` and `__extn` may be left out, a bare string is the text of an extension's value, records hold exactly the
attributes of their type, entities of enumerated types have one of the listed ids, and actions are declared ones. A type is compiled once
into a function, which then reads many values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from thunderlab.policy.language.extensions import CONSTRUCTORS, FUNCTIONS
from thunderlab.policy.language.names import is_action_type
from thunderlab.policy.language.types import Attribute, EntityOf, Plain, RecordType, SetType, Type, Vocabulary
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN, Address, Datetime, Decimal, Duration, Record, Set, Uid, key
from thunderlab.policy.requests.checks import UnfitError, check_integer, check_text, shown
from thunderlab.policy.requests.convert import call, to_uid, to_value

Read = Callable[[Any], Any]

_PYTHON: dict[str, type] = {
    "Bool": bool,
    "Long": int,
    "String": str,
    "decimal": Decimal,
    "ipaddr": Address,
    "datetime": Datetime,
    "duration": Duration,
}
_CONSTRUCTOR = {function.gives: name for name, function in CONSTRUCTORS.items()}
_NAMES = {kind: name for name, kind in _PYTHON.items()}
_ABSENT = object()


class Conformer:
    """Reads JSON values by the types of one schema.

    Args:
        vocabulary: what the schema says.

    >>> read = Conformer(Vocabulary({}, {})).reader(RecordType({"at": Attribute(Plain("datetime")), "load": Attribute(Plain("Long"), required=False)}))
    >>> read({"at": "1970-01-02"})
    {'at': Datetime(ms=86400000)}
    >>> read({"at": "1970-01-02", "load": True})
    Traceback (most recent call last):
    thunderlab.policy.requests.checks.UnfitError: load: expected Long, not true
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        # By identity: records cannot be hashed, and a type that many others share is compiled once.
        self._readers: dict[int, tuple[Type, Read]] = {}

    def reader(self, expected: Type) -> Read:
        """Return the function that makes a JSON value one of a type.

        It raises UnfitError, which says where in the value what was expected.
        """
        known = self._readers.get(id(expected))
        if known is None:
            known = self._readers[id(expected)] = (expected, self._compiled(expected))
        return known[1]

    def context_reader(self, expected: RecordType) -> Callable[[Any], dict[str, Any]]:
        """Return the function that makes a JSON object a request's context; see `convert.to_context` for what is taken as it is."""
        return self._record(expected, as_it_is=True)

    def check_uid(self, uid: Uid) -> Uid:
        """Return a uid that the schema lets be: its id is one of those listed, if they are, and an action is declared.

        Raises:
            UnfitError: when it does not.
        """
        kind = self._vocabulary.entities.get(uid.type)
        if kind is not None and kind.ids is not None and uid.id not in kind.ids:
            raise UnfitError(f"{uid} is none of the entities that the schema lists for {uid.type}")
        if is_action_type(uid.type) and uid not in self._vocabulary.actions:
            raise UnfitError(f"{uid} is no action of the schema")
        return uid

    def _compiled(self, expected: Type) -> Read:
        if isinstance(expected, EntityOf):
            return self._entity(expected.name)
        if isinstance(expected, SetType):
            return _set(self.reader(expected.of))
        if isinstance(expected, RecordType):
            return self._record(expected)
        return _plain(_PYTHON[expected.name])

    def _entity(self, name: str) -> Read:
        def read(document: Any) -> Uid:
            uid = to_uid(document)
            if uid.type != name:
                raise UnfitError(f"expected an entity of type {name}, not {uid}")
            return self.check_uid(uid)

        return read

    def _attribute(self, attribute: Attribute) -> Read:
        convert = self.reader(attribute.type)
        return _present(convert) if attribute.required else convert

    def _record(self, expected: RecordType, *, as_it_is: bool = False) -> Callable[[Any], Any]:
        fields = tuple(
            (name, _python(attribute.type), self._attribute(attribute), attribute.required)
            for name, attribute in expected.attributes.items()
        )

        def read(document: Any) -> Any:
            if type(document) is not dict and not isinstance(document, Mapping):
                raise UnfitError(f"expected an object of attributes, not {shown(document)}")
            record = document if as_it_is and type(document) is dict else Record(document)
            name, found = "", 0
            try:
                for name, kind, convert, required in fields:
                    value = document.get(name, _ABSENT)
                    given = type(value)
                    # What needs no conversion gets none: this is on the way of every verdict.
                    if given is not kind:
                        if value is _ABSENT and not required:
                            continue
                        value = convert(value)
                        if record is document:
                            record = Record(document)
                        record[name] = value
                    elif given is int:
                        if not LONG_MIN <= value <= LONG_MAX:
                            check_integer(value)
                    elif given is str and not value.isascii():
                        check_text(value)
                    found += 1
            except UnfitError as error:
                raise error.within(name) from None
            if found != len(document):
                strange = next(one for one in document if one not in expected.attributes)
                raise UnfitError(f"{shown(strange)} is no attribute that the schema knows here")
            return record

        return read


def _present(convert: Read) -> Read:
    """Return a function that reads what must be there."""

    def read(document: Any) -> Any:
        if document is _ABSENT:
            raise UnfitError("is missing")
        return convert(document)

    return read


def _python(expected: Type) -> type | None:
    """Return the Python type of JSON values that may be taken as they are."""
    return _PYTHON[expected.name] if isinstance(expected, Plain) and expected.name in ("Bool", "Long", "String") else None


def _plain(kind: type) -> Read:
    by_text = _CONSTRUCTOR.get(kind)

    def read(document: Any) -> Any:
        value = to_value(document) if by_text is None else _extension_value(document, by_text)
        if type(value) is not kind:
            raise UnfitError(f"expected {_NAMES[kind]}, not {shown(document)}")
        return value

    return read


def _set(read_one: Read) -> Read:
    def read(document: Any) -> Set:
        if not isinstance(document, list | tuple):
            raise UnfitError(f"expected a list, not {shown(document)}")
        keys: list[Any] = []
        try:
            keys.extend(key(read_one(one)) for one in document)
        except UnfitError as error:
            raise error.within(len(keys)) from None
        return Set(frozenset(keys))

    return read


def _extension_value(document: Any, constructor: str) -> Any:
    """Return the value of an extension: by `__extn`, by `{"fn", "arg"}` alone, or by the text its constructor takes."""
    if isinstance(document, str):
        return call(constructor, [check_text(document)])
    if isinstance(document, Mapping) and type(document.get("__expr")) is not str:
        for inner in (document.get("__extn"), document):
            if isinstance(inner, Mapping) and type(inner.get("fn")) is str:
                given = [inner["arg"]] if "arg" in inner else inner.get("args")
                if isinstance(given, list | tuple):
                    return _called(inner["fn"], given)
    raise UnfitError(f"expected the text of a value, or a call, not {shown(document)}")


def _called(name: str, given: list[Any] | tuple[Any, ...]) -> Any:
    takes = FUNCTIONS[name].takes if name in FUNCTIONS else ()
    if len(takes) != len(given):
        return call(name, given)
    operands = [
        _extension_value(one, _CONSTRUCTOR[taken]) if taken in _CONSTRUCTOR else to_value(one)
        for one, taken in zip(given, takes, strict=True)
    ]
    return call(name, operands)
