"""Cedar's JSON form of values, read without a schema (https://docs.cedarpolicy.com/auth/entities-syntax.html).

Booleans, strings and integers of 64 bits stand for themselves, a list is a set, an object a record, `{"__entity": {"type", "id"}}` an
entity and `{"__extn": {"fn", "arg"}}` the value of an extension. There are no floats in Cedar, not even `2.0`, and no null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thunderlab.policy.language.extensions import FUNCTIONS
from thunderlab.policy.language.names import is_type_name
from thunderlab.policy.language.values import LONG_MAX, LONG_MIN, Record, Set, Uid, Value, key
from thunderlab.policy.requests.checks import MOST_SHOWN, UnfitError, check_integer, check_text, shown

DEEPEST = 127
"""How many lists and objects may lie within each other; Cedar's JSON reader stops there, too."""

# Names that were checked before; a lab asks about the same attributes again and again.
_MOST_NAMES = 4096
_NAMES: set[str] = set()


def to_value(document: Any, room: int = DEEPEST) -> Value:
    """Return the value of a JSON document as Python's `json` gives it.

    Where an escape lacks a part (`{"__extn": {"fn": "ip"}}`), or shares its object with other attributes, it is a record like any other, as it
    is for Cedar. Every function of an extension may be called, methods included. `unknown`, with which Cedar's experimental partial
    evaluation leaves values open, is refused: a verdict rests on what is known.

    Args:
        document: the JSON value.
        room: how many lists and objects may lie within each other.

    Raises:
        UnfitError: when there is a null, a float, an integer beyond 64 bits, half a surrogate pair, more levels than there is room
            for, or an escape that names no entity or value.

    >>> to_value({"load": 3, "from": {"__extn": {"fn": "ip", "arg": "10.0.0.1"}}})
    {'load': 3, 'from': Address(version=4, number=167772161, prefix=32)}
    >>> to_value({"load": 3.0})
    Traceback (most recent call last):
    thunderlab.policy.requests.checks.UnfitError: load: 3.0 is a float: Cedar has none, telemetry comes in whole micro-units
    """
    value: Value = _value(document, room)
    return value


def to_record(document: Any) -> Record:
    """Return a JSON object as a record.

    Raises:
        UnfitError: as `to_value`, and when it is no record.
    """
    value = _object(document, DEEPEST) if type(document) is dict else _value(document, DEEPEST)
    if type(value) is not Record:
        raise UnfitError(f"expected an object of attributes, not {shown(document)}")
    return value


def to_context(document: Any) -> dict[str, Any]:
    """Return a request's context: as `to_record`, but one of nothing but booleans, integers and strings is taken as it is.

    Most are, and this is on the way of every verdict; nobody changes a context, and what wants a record makes one.

    Raises:
        UnfitError: as `to_record`.

    >>> asked = {"load_us": 250}
    >>> to_context(asked) is asked
    True
    """
    if type(document) is not dict:
        return to_record(document)
    if not document.keys() <= _NAMES:
        check_names(document)
        if not _ESCAPES.keys().isdisjoint(document):
            return to_record(document)
    for value in document.values():
        kind = type(value)
        if kind is str:
            if not value.isascii():
                return to_record(document)
        elif kind is int:
            if not LONG_MIN <= value <= LONG_MAX:
                return to_record(document)
        elif kind is not bool:
            return to_record(document)
    return document


def to_uid(document: Any) -> Uid:
    """Return the entity that `{"type", "id"}` or `{"__entity": {"type", "id"}}` names, where an entity is expected; other keys are passed over.

    Raises:
        UnfitError: when it names none.

    >>> to_uid({"type": "User", "id": "alice"})
    Uid(type='User', id='alice')
    """
    if isinstance(document, Mapping) and type(document.get("__expr")) is not str:
        for named in (document.get("__entity"), document):
            if isinstance(named, Mapping) and type(named.get("type")) is str and type(named.get("id")) is str:
                return make_uid(named["type"], named["id"])
    raise UnfitError(f'expected an entity, {{"type": ..., "id": ...}}, not {shown(document)}')


def make_uid(type_: str, id: str) -> Uid:
    """Return a uid after checking that Cedar takes its names.

    Raises:
        UnfitError: when the type has no possible name, or the id is no Unicode.
    """
    if not is_type_name(type_):
        raise UnfitError(f"{shown(type_)} is no type of entities: expected identifiers joined by ::")
    return Uid(type_, check_text(id))


def call(name: str, operands: Sequence[Any]) -> Any:
    """Return what a function of an extension makes of values.

    Raises:
        UnfitError: when there is no such function, it takes others, or it refuses these.
    """
    function = FUNCTIONS.get(name)
    if function is None:
        raise UnfitError(f"{shown(name)} is no function of an extension: known are {', '.join(sorted(FUNCTIONS))}")
    if len(operands) != len(function.takes):
        raise UnfitError(f"{name} takes {len(function.takes)} values, not {len(operands)}")
    for operand, taken in zip(operands, function.takes, strict=True):
        if type(operand) is not taken:
            raise UnfitError(f"{name} does not take {shown(operand)}")
    try:
        return function.call(*operands)
    except (ValueError, OverflowError) as error:
        raise UnfitError(f"{name}: {error}") from None


def _value(document: Any, room: int) -> Any:
    read = _READERS.get(type(document))
    if read is not None:
        return read(document, room)
    if isinstance(document, Mapping):
        return _object(document, room)
    if isinstance(document, str):
        return check_text(str.__str__(document))
    if isinstance(document, int):
        return check_integer(int.__int__(document))
    raise UnfitError(f"expected a JSON value, not {type(document).__name__}")


def _same(document: Any, _room: int) -> Any:
    return document


def _integer(document: Any, _room: int) -> Any:
    return check_integer(document)


def _text(document: Any, _room: int) -> Any:
    return check_text(document)


def _null(_document: Any, _room: int) -> Any:
    raise UnfitError("null is no value of Cedar: leave the attribute out")


def _float(document: Any, _room: int) -> Any:
    raise UnfitError(f"{document} is a float: Cedar has none, telemetry comes in whole micro-units")


def _check_room(room: int) -> None:
    if room <= 0:
        raise UnfitError(f"lists and objects lie too deep: there may be {DEEPEST} levels")


def _list(document: Any, room: int) -> Any:
    _check_room(room)
    keys: list[Any] = []
    try:
        keys.extend(key(_value(one, room - 1)) for one in document)
    except UnfitError as error:
        raise error.within(len(keys)) from None
    return Set(frozenset(keys))


def _object(document: Any, room: int) -> Any:
    if room <= 0:
        _check_room(room)
    if len(document) == 1:
        name, inner = next(iter(document.items()))
        if name in _ESCAPES and (found := _ESCAPES[name](inner, room)) is not None:
            return found
    record = Record(document)
    if not document.keys() <= _NAMES:
        check_names(document)
    name = ""
    try:
        for name, value in document.items():
            kind = type(value)
            if kind is str:
                if not value.isascii():
                    check_text(value)
            elif kind is int:
                if not LONG_MIN <= value <= LONG_MAX:
                    check_integer(value)
            elif kind is not bool:
                record[name] = _value(value, room - 1)
    except UnfitError as error:
        raise error.within(name) from None
    return record


def check_names(document: Mapping[Any, Any]) -> None:
    """Make sure that the names of attributes are strings of Unicode.

    Raises:
        UnfitError: when one is not.
    """
    for name in document:
        if type(name) is not str:
            raise UnfitError(f"the names of attributes are strings, not {shown(name)}")
        check_text(name)
        if len(_NAMES) < _MOST_NAMES and len(name) <= MOST_SHOWN and name not in _ESCAPES:
            _NAMES.add(name)


def _entity(inner: Any, room: int) -> Uid | None:
    if not isinstance(inner, Mapping) or type(inner.get("type")) is not str or type(inner.get("id")) is not str:
        return None
    _check_room(room - 1)
    _check_passed_over(inner, ("type", "id"), room)
    return make_uid(inner["type"], inner["id"])


def _extension(inner: Any, room: int) -> Any:
    if not isinstance(inner, Mapping) or type(inner.get("fn")) is not str:
        return None
    given = [inner["arg"]] if "arg" in inner else inner.get("args")
    if not isinstance(given, list | tuple):
        return None
    name = "arg" if "arg" in inner else "args"
    _check_passed_over(inner, ("fn", name), room)
    # The escape and what it holds are levels, and so is a list of operands.
    room -= 2 if name == "arg" else 3
    _check_room(room + 1)
    return call(inner["fn"], [_value(one, room) for one in given])


def _expression(inner: Any, _room: int) -> None:
    if type(inner) is str:
        raise UnfitError("__expr is no longer a part of Cedar")


def _check_passed_over(inner: Mapping[str, Any], named: tuple[str, str], room: int) -> None:
    """Refuse what could not be read at all; nulls and nested escapes may stand where nobody looks."""
    waiting = [(value, room - 2) for name, value in inner.items() if name not in named]
    while waiting:
        value, left = waiting.pop()
        if value is None:
            continue
        if not isinstance(value, Mapping | list | tuple):
            _value(value, left)
        else:
            _check_room(left)
            waiting.extend((one, left - 1) for one in (value.values() if isinstance(value, Mapping) else value))


_ESCAPES: dict[str, Callable[[Any, int], Any]] = {"__entity": _entity, "__extn": _extension, "__expr": _expression}
_READERS: dict[type, Callable[[Any, int], Any]] = {
    bool: _same,
    int: _integer,
    str: _text,
    float: _float,
    type(None): _null,
    list: _list,
    tuple: _list,
    dict: _object,
}
