"""Tests of a policy set, as data beside it: requests, and what must be answered to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from thunderlab import files
from thunderlab.policy.record.loaded import Loaded
from thunderlab.policy.record.wire import say, say_entities

FILES = ("tests.yaml", "tests.json")


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One test.

    Attributes:
        name: what it is about.
        of: the request it takes, by name.
        decision: the answer that is expected when failing closed.
        reasons: the policies that decide, in the order of their text.
        errors: the policies that cannot be evaluated.
        built: whether the request can be built.
        principal: asked by somebody else.
        resource: asked about something else.
        context: what the context says differently, or besides.
        without: what is taken out of the context.
    """

    name: str
    of: str
    decision: Literal["allow", "deny"]
    reasons: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    built: bool = True
    principal: dict[str, str] | None = None
    resource: dict[str, str] | None = None
    context: dict[str, Any] = {}
    without: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    policy_tests: int
    requests: dict[str, dict[str, Any]]
    tests: list[Expectation]
    entities: list[dict[str, Any]] = []


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A test that was answered otherwise: its name, its line, and what differs."""

    name: str
    line: int
    detail: str


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """How the tests of a policy set went: how many there are, and those that were answered otherwise."""

    file: str
    tests: int
    unmet: tuple[Unmet, ...]


def find_tests(folder: Path) -> Path | None:
    """Return the tests beside a policy set, None when it has none."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


def run_tests(path: Path, policies: Loaded) -> Checked:
    """Put every test of a file to a policy set. Nothing is recorded.

    Raises:
        InputError: when the file is none, naming line and field.
    """
    document = files.read_document(path)
    found = document.convert(_File)
    if found.policy_tests != 1:
        raise document.refuse(("policy_tests",), f"format {found.policy_tests} is not known; 1 is")
    world = policies.with_own(say_entities(found.entities))
    unmet: list[Unmet] = []
    for number, test in enumerate(found.tests):
        if test.of not in found.requests:
            raise document.refuse(("tests", number, "of"), f"there is no request {test.of!r}; there are: {', '.join(found.requests)}")
        said = say(_request(found.requests[test.of], test))
        if said.unsaid:
            raise document.refuse(("tests", number), said.unsaid)
        answer = policies.judge(said.document, world)
        seen = {"decision": answer.decision, "reasons": answer.reasons, "errors": answer.errors, "built": not answer.request_errors}
        wrong = [
            f"{name}: expected {_shown(getattr(test, name))}, got {_shown(value)}"
            for name, value in seen.items()
            if getattr(test, name) != value
        ]
        if wrong:
            line = document.lines.get(("tests", number), 1)
            unmet.append(Unmet(name=test.name, line=line, detail="; ".join([*wrong, *answer.request_errors])))
    return Checked(file=str(path), tests=len(found.tests), unmet=tuple(unmet))


def _request(base: dict[str, Any], test: Expectation) -> dict[str, Any]:
    context = {**base.get("context", {}), **test.context}
    changed = {name: value for name, value in (("principal", test.principal), ("resource", test.resource)) if value is not None}
    return {**base, **changed, "context": {name: value for name, value in context.items() if name not in test.without}}


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
