"""The adapter to Cedar's own engine, and the only place that imports it: it parses, formats and validates, and is what our engine is measured by.

Cedar's parser recurses, so nothing reaches it before `bounds` and `schema_bounds` accepted it, and it works on a thread whose stack
holds the highest text these accept many times over: how large the caller's stack is does not matter then.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from thunderlab.errors import EnvironmentBlockedError, InputError
from thunderlab.policy.text import blame, bounds, schema_bounds
from thunderlab.policy.text.lexer import Lines
from thunderlab.policy.text.positions import Position

if TYPE_CHECKING:
    from cedarpy import Schema, ValidationError

T = TypeVar("T")

# Measured with cedarpy 4.12.2: 13 KiB for a bracket, 2 KiB for an `if`, 0.6 KiB for a term; 200, 200 a bracket and 2,000 are the bounds.
STACK = 64 << 20
LINE_WIDTH, INDENT = 120, 4
# Its formatter's time grows with the square of a policy's words, and what it writes with how deep they lie.
FORMAT_SQUARES, FORMAT_DEPTHS = 2_000_000_000, 4_000_000
# Its validator judges each policy for every kind of request, in a time that grows with the square of what it finds wrong.
VALIDATE_WORDS, VALIDATE_SQUARES = 20_000_000, 20_000_000_000

_stack_lock = threading.Lock()


class Judged(NamedTuple):
    """What Cedar itself decided.

    Attributes:
        decision: `allow` or `deny`; None when the request could not be built.
        reasons: ids of the policies that decided, in the order of the text.
        errors: ids of the policies that failed, likewise.
        request_errors: why the request could not be built.
    """

    decision: str | None
    reasons: tuple[str, ...]
    errors: tuple[str, ...]
    request_errors: tuple[str, ...] = ()


def with_stack(work: Callable[[], T]) -> T:
    """Return what `work()` returns; it runs on a thread of its own with a stack of 64 MiB.

    Raises:
        EnvironmentBlockedError: when there is no such thread to be had.
        BaseException: what `work` raises.

    >>> with_stack(lambda: 1 + 1)
    2
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again, where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, name="cedar")
    with _stack_lock:  # the size holds for every thread of the process that starts meanwhile
        before = threading.stack_size(STACK)
        try:
            thread.start()
        except RuntimeError as error:
            raise EnvironmentBlockedError(f"{error}; Cedar's parser needs a thread with {STACK >> 20} MiB of stack") from None
        finally:
            threading.stack_size(before)
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def to_json(text: str, positions: Sequence[Position], where: object = None, first: int = 0) -> str:
    """Return policies in Cedar's JSON form, where they are called `policy0`, `policy1`, ... by their place in this text.

    Args:
        text: policies.
        positions: what `bounds.check(text, ...)` returned for it.
        where: what to call the text in messages.
        first: how many policies there are before these ones, for the ids in messages.

    Raises:
        InputError: naming line and policy, with what Cedar's parser says of it.
    """
    import cedarpy

    def work() -> str:
        try:
            return cedarpy.policies_to_json_str(text)
        except ValueError as error:
            raise _located(text, positions, where, first, str(error)) from None

    return with_stack(work)


def _complaint(text: str) -> str | None:
    """Return what Cedar's parser says against a text, None when nothing."""
    import cedarpy

    try:
        cedarpy.policies_to_json_str(text)
    except ValueError as error:
        return str(error)
    return None


def _located(text: str, positions: Sequence[Position], where: object, first: int, whole: str) -> InputError:
    """Return the error that says where a text is wrong: in the first policy that does not parse alone, and there at the word that is to blame."""
    lines = Lines(text)
    for place, position in enumerate(positions):
        own = text[position.start : position.end]
        what = _complaint(own)
        if what is not None:
            line = lines.of(position.start + blame.culprit(own, what, _complaint))
            id_ = position.id or f"policy{first + place}"
            return InputError(blame.cut(what), where=where, field=f"line {line}: policy {id_}")
    return InputError(blame.cut(whole), where=where)


def validate(text: str, schema: str, positions: Sequence[Position]) -> list[tuple[int, str]]:
    """Return what Cedar's validator finds against policies that parse: the place of the policy, from 0, and the message; in the order of the text.

    Args:
        text: policies.
        schema: a schema that `normalise_schema` accepts.
        positions: what `bounds.check(text, ...)` returned for it.

    Raises:
        InputError: when it would take too long: kinds of requests times words of the policies are over 20 million, or times the sum of the squares
            of each policy's words over 20 thousand million.
    """
    from cedarpy import validate_policies

    kinds = schema_bounds.check(schema, strict=False)
    words, squares = sum(position.words for position in positions), sum(position.words**2 for position in positions)
    if kinds * words > VALIDATE_WORDS or kinds * squares > VALIDATE_SQUARES:
        raise InputError(f"is too large to be validated for {kinds} kinds of requests; split the policies or the schema")
    pieces = [text[position.start : position.end] for position in positions]

    def work() -> list[tuple[int, str]]:
        parsed = _parsed_schema(schema)
        # One at a time, since what is found in one policy makes all that follow slower.
        results = [validate_policies(piece, parsed) for piece in pieces]
        return sorted({(place, _message(error)) for place, result in enumerate(results) for error in result.errors})

    return with_stack(work)


def _message(error: ValidationError) -> str:
    """Return what the validator says, without what it calls the policy."""
    return blame.cut(error.error).removeprefix("for policy `policy0`, ")


def format(text: str, where: object = None) -> str:  # noqa: A001 - it is what Cedar calls it
    """Return policies as Cedar's formatter writes them: 120 columns, 4 spaces; comments stay.

    Raises:
        InputError: naming line and policy, when it does not parse or is too large to be formatted.

    >>> print(format("permit(principal,action,resource);"), end="")
    permit (principal, action, resource);
    """
    import cedarpy

    positions = bounds.check(text, where, strict=False)
    to_json(text, positions, where)
    squares, depths = sum(position.words**2 for position in positions), sum(position.depths for position in positions)
    if squares > FORMAT_SQUARES or depths > FORMAT_DEPTHS:
        raise InputError("holds policies too large to be formatted; split them", where=where)
    pieces = _pieces(text, positions)
    return with_stack(lambda: "\n".join(cedarpy.format_policies(piece, LINE_WIDTH, INDENT) for piece in pieces))


def _pieces(text: str, positions: Sequence[Position]) -> list[str]:
    """Return the text in pieces of one policy each, with the comments before it and at its end."""
    ends = [_end_of_line(text, position.end) for position in positions[:-1]]
    return [text[start:end].strip() for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def _end_of_line(text: str, place: int) -> int:
    found = re.compile(r"[ \t]*(//[^\r\n]*)?").match(text, place)
    return found.end() if found else place


def normalise_schema(text: str, where: object = None, *, strict: bool = True) -> str:
    """Return a schema in Cedar's own syntax, as Cedar writes it, whichever of its two forms it came in.

    Raises:
        InputError: with what Cedar's parser says of it, and the line where that can be found.

    >>> print(normalise_schema('{"": {"entityTypes": {"A": {}}, "actions": {}}}').strip())
    entity A;
    """
    schema_bounds.check(text, where, strict=strict)
    try:
        return with_stack(lambda: str(_parsed_schema(text)))
    except ValueError as error:
        what = str(error).removeprefix("error parsing schema: ")
    line = None if schema_bounds.is_json(text) else with_stack(lambda: blame.schema_line(text, what, _schema_complaint))
    raise InputError(blame.cut(what), where=where, field=f"line {line}" if line else None)


def _parsed_schema(text: str) -> Schema:
    from cedarpy import Schema

    return Schema.from_json_str(text) if schema_bounds.is_json(text) else Schema.from_str(text)


def _schema_complaint(text: str) -> str | None:
    """Return what Cedar's parser says against a schema, None when nothing."""
    try:
        _parsed_schema(text)
    except ValueError as error:
        return str(error)
    return None


class Oracle:
    """Cedar's own engine with policies, schema and entities parsed once: the answers that ours must give, and the time it has to beat.

    Args:
        text: policies that `bounds.check` accepts; what they are called follows `bounds.identities`.
        schema: a schema in Cedar's syntax or in the JSON form; None for none.
        entities: as Cedar's JSON form has them.

    Raises:
        InputError: when policies or schema do not parse.
        ValueError: when the entities do not.
    """

    def __init__(self, text: str, schema: str | None = None, entities: Sequence[Mapping[str, Any]] | str = ()) -> None:
        from cedarpy import Entities, PolicySet

        positions = bounds.check(text, strict=False)
        to_json(text, positions)
        self.ids = bounds.identities([(None, positions)])
        if schema is not None:
            normalise_schema(schema, strict=False)
        written = entities if isinstance(entities, str) else json.dumps(list(entities))

        def work() -> tuple[PolicySet, Schema | None, Entities]:
            parsed = None if schema is None else _parsed_schema(schema)
            return PolicySet.from_str(text), parsed, Entities.from_json_str(written, parsed)

        self.policies, self.schema, self.entities = with_stack(work)

    def decide(self, request: Mapping[str, Any], entities: Sequence[Mapping[str, Any]] | str | None = None) -> Judged:
        """Return what Cedar decides, on the caller's own stack: nothing but Cedar is measured.

        Args:
            request: `principal`, `action`, `resource`, each `{"type": ..., "id": ...}`, and `context`, as in the JSON form.
            entities: those of this request, in place of those that were parsed once.
        """
        from cedarpy import is_authorized

        known = self.entities if entities is None else entities if isinstance(entities, str) else [dict(one) for one in entities]
        result = is_authorized(dict(request), self.policies, known, self.schema)
        said = result.diagnostics
        if result.decision.value == "NoDecision":
            return Judged(None, (), (), tuple(said.errors))
        failed = [found[1] for error in said.errors if (found := re.match(r"error while evaluating policy `(policy\d+)`", error))]
        if len(failed) != len(said.errors):
            raise AssertionError(f"an error of no policy: {said.errors}")
        return Judged(result.decision.value.lower(), self._in_order(said.reasons), self._in_order(failed))

    def _in_order(self, positional: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.ids[place] for place in sorted({int(id_.removeprefix("policy")) for id_ in positional}))
