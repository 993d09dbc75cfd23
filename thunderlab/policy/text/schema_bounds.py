"""What a schema may be, before Cedar's own parser sees it.

Cedar writes named types out wherever they are used, so a few lines that double a type over and over cost time without end; it closes the
hierarchy of actions, and judges each policy for every kind of principal, action and resource that can come together. All three are counted
first, in time linear in the text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thunderlab.errors import InputError
from thunderlab.policy.text import lookalikes
from thunderlab.policy.text.bounds import limit_size
from thunderlab.policy.text.lexer import NAME, Lines, Token, tokens

BYTES = 1 << 18  # of which Cedar's parser makes half a gigabyte, at worst
NESTING = 50
NAMES = 1_000
WRITTEN_OUT = 1_000_000
TOGETHER = 10_000

_CLOSES = {"(": ")", "[": "]", "{": "}", "<": ">"}


@dataclass(slots=True)
class _Said:
    """What a schema says, as far as it costs something.

    Attributes:
        types: named types, each with how many words it has and which names it uses how often.
        uses: the same of all that is no named type.
        entities: how many types of entities there are.
        actions: how many actions there are.
        together: how many kinds of principal, action and resource can come together.
    """

    types: dict[str, tuple[int, Counter[str]]] = field(default_factory=dict)
    uses: list[tuple[int, Counter[str]]] = field(default_factory=list)
    entities: int = 0
    actions: int = 0
    together: int = 0


def check(text: str, where: object = None, *, strict: bool = True) -> int:
    """Return how many kinds of principal, action and resource can come together in requests.

    Args:
        text: a schema in Cedar's own syntax or in its JSON form.
        where: what to call it in messages.
        strict: as in `bounds.check`.

    Raises:
        InputError: when it is larger than 256 KiB, nested deeper than 50 (32 in JSON), has over 1,000 types of entities or actions, types of over 1,000,000 words
            once they are written out, or over 10,000 kinds of requests; or is no JSON where it begins with a brace.

    >>> check('entity A, B; action "a" appliesTo {principal: [A, B], resource: B};')
    2
    """
    limit_size(text, where, BYTES)
    lookalikes.check_hidden(text, where)
    said = _said_in_json(text, where) if is_json(text) else _said_in_text(text, where, strict=strict)
    for count, limit, what in (
        (said.entities, NAMES, "types of entities"),
        (said.actions, NAMES, "actions"),
        (_written_out(said), WRITTEN_OUT, "words once its types are written out"),
        (said.together, TOGETHER, "kinds of principal, action and resource that can come together"),
    ):
        if count > limit:
            raise InputError(f"has over {limit} {what}, the most accepted here", where=where)
    return said.together


def is_json(text: str) -> bool:
    """Return whether a schema is in the JSON form: no other begins with a brace."""
    return text.lstrip()[:1] == "{"


def _written_out(said: _Said) -> int:
    """Return how many words all types have in all; a type that uses itself counts once, since Cedar refuses it."""
    sizes: dict[str, int] = {}
    for name in said.types:
        waiting = [] if name in sizes else [name]
        entered: set[str] = set()
        while waiting:
            one = waiting[-1]
            words, uses = said.types[one]
            missing = [] if one in entered else [used for used in uses if used in said.types and used not in sizes and used not in entered]
            entered.add(one)
            waiting += missing
            if not missing:
                waiting.pop()
                inner = sum(count * sizes.get(used, 1) for used, count in uses.items() if used != one)
                sizes[one] = min(WRITTEN_OUT + 1, words + inner)
    return sum(sizes.values()) + sum(words + sum(count * sizes.get(used, 0) for used, count in uses.items()) for words, uses in said.uses)


def _said_in_text(text: str, where: object, *, strict: bool) -> _Said:
    """Walk over a schema in Cedar's syntax, declaration by declaration."""
    said, lines, spaces = _Said(), Lines(text), [""]
    open_: list[Token] = []
    words: list[Token] = []
    parts: list[tuple[str, list[Token]]] = []
    for token in tokens(text, where):
        if strict:
            lookalikes.check_string(token, lines, where)
        line = f"line {lines.of(token.start)}"
        if token.text in (")", "]", "}", ">"):
            if not open_ or _CLOSES[open_[-1].text] != token.text:
                raise InputError(f"{token.text} closes no bracket that is open", where=where, field=line)
            if len(open_) == len(spaces) - 1 and not words:
                spaces.pop()
                open_.pop()
                continue
            open_.pop()
        elif token.text in _CLOSES:
            open_.append(token)
            if len(open_) > NESTING:
                raise InputError(f"brackets are nested deeper than {NESTING}", where=where, field=line)
            if token.text == "{" and len(open_) == len(spaces) and (name := _namespace(words)) is not None:
                spaces.append(f"{name}::")
                words = []
                continue
        words.append(token)
        if token.text == ";" and len(open_) == len(spaces) - 1:
            parts.append((spaces[-1], words))
            words = []
    if open_:
        line = f"line {lines.of(open_[-1].start)}"
        raise InputError(f"{open_[-1].text} is opened here and never closed", where=where, field=line)
    declared = {space + name for space, part in parts if (name := _type_name(part)) is not None}
    for space, part in parts:
        _declare(said, space, part, declared)
    return said


def _without_annotations(words: list[Token]) -> list[Token]:
    place = 0
    while place < len(words) and words[place].text == "@":
        place += 2
        if place < len(words) and words[place].text == "(":
            place += 3
    return words[place:]


def _namespace(words: list[Token]) -> str | None:
    words = _without_annotations(words)
    return "".join(word.text for word in words[1:]) if words and words[0].text == "namespace" else None


def _type_name(words: list[Token]) -> str | None:
    words = _without_annotations(words)
    return words[1].text if len(words) > 1 and words[0].text == "type" else None


def _declare(said: _Said, space: str, words: list[Token], declared: set[str]) -> None:
    """Note what one declaration says."""
    words = _without_annotations(words)
    kind = words[0].text if words else ""
    size = len(words), _uses(words[1:], space, declared)
    if kind == "type" and (name := _type_name(words)) is not None:
        said.types[space + name] = size
        return
    said.uses.append(size)
    heads = 1  # names with commas between
    while 2 * heads < len(words) and words[2 * heads].text == ",":
        heads += 1
    if kind == "entity":
        said.entities += heads
    elif kind == "action":
        said.actions += heads
        said.together += heads * _listed(words, "principal") * _listed(words, "resource")


def _listed(words: list[Token], part: str) -> int:
    """Return how many types of principals, or resources, an action's declaration lists."""
    for place in range(len(words) - 2):
        if words[place].text == part and words[place + 1].text == ":":
            count = 1
            if words[place + 2].text == "[":
                for word in words[place + 3 :]:
                    if word.text == "]":
                        break
                    count += word.text == ","
            return count
    return 0


def _uses(words: list[Token], space: str, declared: set[str]) -> Counter[str]:
    """Return which named types a declaration uses, as Cedar looks names up: in its own namespace first."""
    found: Counter[str] = Counter()
    path = ""
    for word in [*words, None]:
        if word is not None and (word.text == "::" or (word.kind == NAME and (not path or path.endswith("::")))):
            path += word.text
            continue
        if path:
            found[space + path if space + path in declared else path] += 1
        path = word.text if word is not None and word.kind == NAME else ""
    return found


def _said_in_json(text: str, where: object) -> _Said:
    """Walk over a schema in the JSON form."""
    from thunderlab.documents import parse_json

    value = parse_json(text, Path(str(where or "schema"))).value
    _size_in_json(value, "", set(), where)
    if not isinstance(value, dict):
        return _Said()
    said = _Said()
    spaces = {name: space for name, space in value.items() if isinstance(space, dict)}
    declared = {_full(name, one) for name, space in spaces.items() for one in _mapping(space, "commonTypes")}
    for name, space in spaces.items():
        for one, body in _mapping(space, "commonTypes").items():
            said.types[_full(name, one)] = _size_in_json(body, name, declared, where)
        entities, actions = _mapping(space, "entityTypes"), _mapping(space, "actions")
        said.entities += len(entities)
        said.actions += len(actions)
        said.uses.append(_size_in_json([entities, actions], name, declared, where))
        for action in actions.values():
            applies = _mapping(action, "appliesTo")
            said.together += len(applies.get("principalTypes") or ()) * len(applies.get("resourceTypes") or ())
    return said


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _full(space: str, name: str) -> str:
    return f"{space}::{name}" if space else name


def _size_in_json(body: Any, space: str, declared: set[str], where: object) -> tuple[int, Counter[str]]:
    """Return how many values a JSON value has in it, and which named types it uses; without recursion."""
    from thunderlab.documents import MAX_DEPTH

    words, uses = 0, Counter[str]()
    waiting: list[tuple[Any, int]] = [(body, 1)]
    while waiting:
        value, depth = waiting.pop()
        words += 1
        if depth > MAX_DEPTH:
            raise InputError(f"is nested deeper than {MAX_DEPTH}", where=where)
        if isinstance(value, dict | list):
            waiting += [(inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value)]
        elif isinstance(value, str):
            name = _full(space, value)
            uses[name if name in declared else value] += 1
    return words, uses
