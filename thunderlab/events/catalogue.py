"""The catalogue: every event there is, its JSON Schema, and the committed snapshot that notices changed shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from inspect import cleandoc
from typing import Any

import msgspec

from thunderlab.canonical import digest_of
from thunderlab.errors import InputError, UndocumentedEventError
from thunderlab.events.event import Envelope, Event

SNAPSHOT = "catalogue.json"

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the catalogue, as `events list` shows it."""

    name: str
    version: str
    durable: bool
    about: str
    json_schema: dict[str, Any]
    digest: str


class Catalogue:
    """The events a lab may emit, by name.

    >>> class Rang(Event, frozen=True):
    ...     '''A bell rang.'''
    ...     NAME = "bell.rang"
    ...     times: int
    >>> Catalogue([Rang]).entry("bell.rang").about
    'A bell rang.'
    """

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self._kinds: dict[str, type[Event]] = {}
        for kind in kinds:
            if not _NAME.fullmatch(kind.NAME):
                raise ValueError(f"{kind.NAME!r} is not a dotted event name")
            if kind.NAME in self._kinds:
                raise ValueError(f"two events are called {kind.NAME}")
            if not kind.__doc__ or kind.__doc__ == Event.__doc__:
                raise ValueError(f"event {kind.NAME} has no docstring, so it is undocumented")
            self._kinds[kind.NAME] = kind

    def __iter__(self) -> Iterator[Entry]:
        return (self.entry(name) for name in sorted(self._kinds))

    def kind(self, name: str, version: str) -> type[Event] | None:
        """Return the class of an event's exact version, None when the catalogue has none."""
        found = self._kinds.get(name)
        return found if found is not None and version == found.VERSION else None

    def require(self, event: Event) -> None:
        """Make sure that this very class is in the catalogue.

        Raises:
            UndocumentedEventError: when it is not; nothing undocumented can be emitted.
        """
        if self._kinds.get(event.NAME) is not type(event):
            raise UndocumentedEventError(f"event {event.NAME} is not in the catalogue")

    def check(self, envelope: Envelope) -> None:
        """x."""
        self.require(envelope.event)

    def by_name(self, name: str) -> type[Event]:
        """Return the newest class of that name.

        Raises:
            InputError: naming the events there are.
        """
        if name not in self._kinds:
            raise InputError(f"there is no event {name!r}; there are: {', '.join(sorted(self._kinds))}", field="event")
        return self._kinds[name]

    def entry(self, name: str) -> Entry:
        """Return what the catalogue says of an event."""
        kind = self.by_name(name)
        schema = _undented(msgspec.json.schema(kind))
        about = (kind.__doc__ or "").strip().splitlines()[0]
        return Entry(
            name=name, version=kind.VERSION, durable=kind.DURABLE, about=about, json_schema=schema, digest=digest_of(_shape(schema))
        )

    def snapshot(self) -> dict[str, Any]:
        """Return what gets committed: for every event its version, durability and schema."""
        return {
            f"{entry.name}@{entry.version}": {"durable": entry.durable, "digest": entry.digest, "schema": entry.json_schema}
            for entry in self
        }

    def differences(self, committed: dict[str, Any]) -> list[str]:
        """Return, as sentences, how the code differs from the committed snapshot; empty when it does not.

        A shape that changed under an unchanged version is named as such: old blocks could no longer be read.
        """
        now, found = self.snapshot(), []
        for key in sorted(now.keys() | committed.keys()):
            if key not in committed:
                found.append(f"{key}: is new; write the snapshot anew with: make docs")
            elif key not in now:
                found.append(f"{key}: is in the snapshot and no longer in the code")
            elif now[key]["digest"] != committed[key]["digest"]:
                found.append(f"{key}: its shape changed without a new version; raise VERSION")
            elif now[key] != committed[key]:
                found.append(f"{key}: changed; write the snapshot anew with: make docs")
        return found


def _undented(schema: Any) -> Any:
    """Return a JSON Schema whose prose is the docstrings' without their indentation, which Python leaves out itself from 3.13 on."""
    if isinstance(schema, dict):
        return {
            key: cleandoc(value) if key == "description" and isinstance(value, str) else _undented(value) for key, value in schema.items()
        }
    return [_undented(value) for value in schema] if isinstance(schema, list) else schema


def _shape(schema: Any) -> Any:
    """Return a JSON Schema without its prose, which may improve without a new version."""
    if isinstance(schema, dict):
        return {key: _shape(value) for key, value in schema.items() if key not in ("description", "title")}
    return [_shape(value) for value in schema] if isinstance(schema, list) else schema


def committed_snapshot() -> dict[str, Any]:
    """Return the snapshot that ships with the package; empty when it was never written."""
    resource = files("thunderlab.events") / SNAPSHOT
    found: dict[str, Any] = msgspec.json.decode(resource.read_bytes()) if resource.is_file() else {}
    return found
