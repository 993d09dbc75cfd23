"""Policies as Cedar's own parser hands them over, its JSON form, read into the tree.

The form: https://docs.cedarpolicy.com/policies/json-format.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thunderlab.errors import InputError
from thunderlab.policy.language.extensions import FUNCTIONS
from thunderlab.policy.language.tree import (
    And,
    Apply,
    Arithmetic,
    Constant,
    Expression,
    GetAttribute,
    HasAttribute,
    If,
    Is,
    Like,
    Or,
    Policy,
    RecordOf,
    Scope,
    SetOf,
    Variable,
)
from thunderlab.policy.language.values import Uid

# A value that is evaluated calls as deep as its expression is; well below what Python lets call each other.
DEEPEST = 400

_Json = dict[str, Any]
_Parts = list[Expression]
_Made = tuple[list[Any], Callable[[_Parts], Expression]]

_UNARY = ("!", "neg", "isEmpty")
_BINARY = ("==", "!=", "<", "<=", ">", ">=", "in", "contains", "containsAll", "containsAny", "getTag", "hasTag")
_ARITHMETIC = ("+", "-", "*")


def read_policies(json_form: str, lines: Sequence[int] = (), ids: Sequence[str] = ()) -> tuple[Policy, ...]:
    """Return the policies of a set in the order of their text; templates, which apply to nothing by themselves, are left out.

    Args:
        json_form: what Cedar's parser made of the text.
        lines: the line each policy begins at, templates included; all 1 when not known.
        ids: the id of each; its `@id` or its place in the text when not given.

    Raises:
        InputError: when a policy's expression is nested too deeply, or of a kind there was not when this was written.
    """
    found = decode(json_form)
    named = {int(name.removeprefix("policy")): form for name, form in found["staticPolicies"].items()}
    return tuple(_policy(named[at], at, lines, ids) for at in sorted(named))


def decode(text: str) -> Any:
    """Return a JSON document, however deeply nested it is.

    >>> deep = decode("[" * 100_000 + "]" * 100_000)
    >>> decode('{"a": [1, "b", true]}')
    {'a': [1, 'b', True]}
    """
    try:
        return json.loads(text)
    except RecursionError:
        return _decode_step_by_step(text)


_PIECE = re.compile(r'\s*([\[\]{},:]|"(?:[^"\\]|\\.)*"|[^\s\[\]{},:"]+)')


def _decode_step_by_step(text: str) -> Any:
    """Read a document that a JSON parser wrote, with a stack of our own."""
    root: list[Any] = []
    stack: list[Any] = [root]
    names: list[str | None] = [None]
    for piece in (found[1] for found in _PIECE.finditer(text)):
        if piece in "]}":
            stack.pop()
            names.pop()
        elif piece not in ",:":
            inside = stack[-1]
            if type(inside) is dict and names[-1] is None:
                names[-1] = json.loads(piece)
                continue
            value = {"[": list, "{": dict}[piece]() if piece in "[{" else json.loads(piece)
            if type(inside) is dict:
                inside[names[-1]] = value
                names[-1] = None
            else:
                inside.append(value)
            if piece in "[{":
                stack.append(value)
                names.append(None)
    return root[0]


def _policy(form: _Json, at: int, lines: Sequence[int], ids: Sequence[str]) -> Policy:
    notes: Mapping[str, str] = {name: value or "" for name, value in form.get("annotations", {}).items()}
    id_ = ids[at] if ids else notes.get("id", f"policy{at}")
    line = lines[at] if lines else 1
    conditions = [
        body if condition["kind"] == "when" else Apply("!", (body,))
        for condition in form["conditions"]
        for body in [_expression(condition["body"], id_, line)]
    ]
    return Policy(
        id=id_,
        effect=form["effect"],
        principal=_scope(form["principal"]),
        action=_scope(form["action"]),
        resource=_scope(form["resource"]),
        condition=None if not conditions else _flat(And, conditions) if len(conditions) > 1 else conditions[0],
        annotations=notes,
        line=line,
    )


def _scope(form: _Json) -> Scope:
    match form["op"]:
        case "All":
            return Scope()
        case "==":
            return Scope(equal=_uid(form["entity"]))
        case "in":
            return Scope(within=tuple(map(_uid, form["entities"] if "entities" in form else [form["entity"]])))
        case _:
            within = form.get("in")
            return Scope(entity_type=form["entity_type"], within=None if within is None else (_uid(within["entity"]),))


def _uid(form: _Json) -> Uid:
    return Uid(form["type"], form["id"])


def _expression(form: _Json, id_: str, line: int) -> Expression:
    """Return the expression of a form, without recursion: those it is made of are read first."""
    read: list[_Parts] = [[]]
    waiting: list[tuple[_Json | None, Callable[[_Parts], Expression] | None]] = [(form, None)]
    heights: list[list[int]] = [[]]
    while waiting:
        inner, make = waiting.pop()
        if inner is not None:
            parts, make = _taken_apart(inner, id_, line)
            read.append([])
            heights.append([0])
            waiting.append((None, make))
            waiting.extend((part, None) for part in reversed(parts))
        elif make is not None:
            height = max(heights.pop()) + 1
            if height > DEEPEST:
                raise InputError(f"an expression is nested more than {DEEPEST} deep", field=f"line {line}: policy {id_}")
            read[-2].append(make(read.pop()))
            heights[-1].append(height)
    return read[0][0]


def _taken_apart(form: _Json, id_: str, line: int) -> _Made:
    """Return the forms that a form is made of, and what makes an expression of theirs."""
    ((kind, body),) = form.items()
    if kind in ("&&", "||"):
        return _spine(form, (kind,)), lambda parts: _flat(And if kind == "&&" else Or, parts)
    if kind in _ARITHMETIC:
        operators = _operators(form)
        return _spine(form, _ARITHMETIC), lambda parts: Arithmetic(parts[0], tuple(zip(operators, parts[1:], strict=True)))
    if kind in _UNARY:
        return [body["arg"]], lambda parts: Apply(kind, tuple(parts))
    if kind in _BINARY:
        return [body["left"], body["right"]], lambda parts: Apply(kind, tuple(parts))
    if kind in _KINDS:
        return _KINDS[kind](body)
    if kind in FUNCTIONS and isinstance(body, list):
        return body, lambda parts: Apply(kind, tuple(parts))
    raise InputError(f"{kind!r} is no expression this version knows", field=f"line {line}: policy {id_}")


def _spine(form: _Json, kinds: Sequence[str]) -> list[_Json]:
    """Return the operands of a run of operators that are grouped from the left."""
    operands: list[_Json] = []
    kind = next(iter(form))
    while kind in kinds:
        operands.append(form[kind]["right"])
        form = form[kind]["left"]
        kind = next(iter(form))
    return [form, *reversed(operands)]


def _operators(form: _Json) -> list[str]:
    """Return the operators of such a run of arithmetic, from left to right."""
    found: list[str] = []
    kind = next(iter(form))
    while kind in _ARITHMETIC:
        found.append(kind)
        form = form[kind]["left"]
        kind = next(iter(form))
    return found[::-1]


def _flat(kind: type[And | Or], parts: _Parts) -> Expression:
    """Return one run of terms; a term that is such a run itself means the same when its terms stand in its place."""
    return kind(tuple(term for part in parts for term in (part.terms if isinstance(part, kind) else (part,))))


def _if(body: _Json) -> _Made:
    return [body["if"], body["then"], body["else"]], lambda parts: If(*parts)


def _constant(body: Any) -> _Made:
    value = _uid(body["__entity"]) if isinstance(body, dict) else body
    return [], lambda _: Constant(value)


def _is(body: _Json) -> _Made:
    name = body["entity_type"]
    if "in" in body:
        return [body["left"], body["in"]], lambda parts: And((Is(parts[0], name), Apply("in", tuple(parts))))
    return [body["left"]], lambda parts: Is(parts[0], name)


def _like(body: _Json) -> _Made:
    pieces = [""]
    for piece in body["pattern"]:
        if piece == "Wildcard":
            pieces.append("")
        else:
            pieces[-1] += piece["Literal"]
    return [body["left"]], lambda parts: Like(parts[0], tuple(pieces))


def _record(body: _Json) -> _Made:
    return list(body.values()), lambda parts: RecordOf(tuple(zip(body, parts, strict=True)))


_KINDS: dict[str, Callable[[Any], _Made]] = {
    "Value": _constant,
    "Var": lambda name: ([], lambda _: Variable(name)),
    ".": lambda body: ([body["left"]], lambda parts: GetAttribute(parts[0], body["attr"])),
    "has": lambda body: ([body["left"]], lambda parts: HasAttribute(parts[0], body["attr"])),
    "if-then-else": _if,
    "is": _is,
    "like": _like,
    "Set": lambda items: (items, lambda parts: SetOf(tuple(parts))),
    "Record": _record,
}
