"""The catalogue: every event there is in every version, and the committed snapshot that notices broken promises."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from thunderlab.clock import UUID7, parse_rfc3339
from thunderlab.errors import EvidenceError, InputError, UndocumentedEventError
from thunderlab.events.compatibility import differences
from thunderlab.events.event import Envelope, Event, are_encoded_as
from thunderlab.events.fields import FieldEntry, documented, fields
from thunderlab.events.shape import schema_of, shape_digest, unsaid

SNAPSHOT = "catalogue.json"

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"([1-9][0-9]{0,4})\.(0|[1-9][0-9]{0,4})")

Version = tuple[int, int]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an event, as `events list` and `events show` say it.

    Attributes:
        name: dotted name.
        version: `major.minor`.
        versions: all versions of that name, oldest first.
        durable: whether it becomes a block of the ledger.
        kept: the same in words: `one by one`, or `counted per minute`.
        about: the first line of its docstring.
        json_schema: its JSON Schema.
        digest: of the schema without its prose.
    """

    name: str
    version: str
    versions: tuple[str, ...]
    durable: bool
    kept: str
    about: str
    json_schema: dict[str, Any]
    digest: str


class Catalogue:
    """The events of a lab, by name and version. The newest version of each may be emitted, the older ones can be read for ever.

    >>> class Rang(Event, frozen=True):
    ...     '''A bell rang.'''
    ...     NAME = "bell.rang"
    ...     times: int
    >>> bells = Catalogue([Rang])
    >>> bells.entry("bell.rang").about
    'A bell rang.'
    >>> bells.read("bell.rang", "1.7", b'{"times":3,"pitch":440.0}')
    Rang(times=3)

    Raises:
        ValueError: for a class that is misnamed, undocumented or in the catalogue already, for a version that is none or leaves out
            the one before, and for fields whose JSON Schema would not tell readers all (see `unsaid`).
    """

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self._kinds: dict[tuple[str, str], type[Event]] = {}
        found: dict[str, dict[Version, type[Event]]] = {}
        for kind in kinds:
            key = f"{kind.NAME}@{kind.VERSION}"
            version = _parsed(kind.VERSION)
            if not _NAME.fullmatch(kind.NAME):
                raise ValueError(f"{kind.NAME!r} is not a dotted event name")
            if version is None:
                raise ValueError(f"event {kind.NAME}: {kind.VERSION!r} is not a version like 1.0")
            if (kind.NAME, kind.VERSION) in self._kinds:
                raise ValueError(f"two events are called {key}")
            if not kind.__doc__ or kind.__doc__ == Event.__doc__:
                raise ValueError(f"event {key} has no docstring, so it is undocumented")
            if secret := unsaid(kind):
                raise ValueError(f"event {key}: {secret}")
            self._kinds[kind.NAME, kind.VERSION] = kind
            found.setdefault(kind.NAME, {})[version] = kind
        # By name, then by version, oldest first.
        self._versions = {name: dict(sorted(found[name].items())) for name in sorted(found)}
        self._newest = {name: next(reversed(versions.values())) for name, versions in self._versions.items()}
        for name, versions in self._versions.items():
            _require_no_gaps(name, list(versions))

    def __iter__(self) -> Iterator[Entry]:
        """Yield the newest version of every event, by name."""
        return (self.entry(name) for name in self._versions)

    def __contains__(self, kind: type[Event]) -> bool:
        """Return whether this very class is in the catalogue, in whatever version."""
        return self._kinds.get((kind.NAME, kind.VERSION)) is kind

    def kind(self, name: str, version: str) -> type[Event] | None:
        """Return the class of an event's exact version, None when the catalogue has none."""
        return self._kinds.get((name, version))

    def require(self, kinds: Iterable[type[Event]]) -> None:
        """Make sure that each of these is the newest version's very class.

        Raises:
            UndocumentedEventError: when one is not; nothing undocumented can be emitted.
        """
        for kind in set(kinds):
            newest = self._newest.get(kind.NAME)
            if newest is not kind:
                if newest is not None and kind in self:
                    raise UndocumentedEventError(f"event {kind.NAME}@{kind.VERSION} is only read any more; emit {newest.VERSION}")
                raise UndocumentedEventError(f"event {kind.NAME} is not in the catalogue")

    def check(self, envelopes: Sequence[Envelope]) -> None:
        """Make sure that envelopes hold what the bus would have put in: for whoever is handed some to record.

        Raises:
            UndocumentedEventError: when an event cannot be emitted, or an envelope says something else than its event.
        """
        self.require(type(envelope.event) for envelope in envelopes)
        try:
            for event, name, version in {(type(one.event), one.name, one.version) for one in envelopes}:
                if name != event.NAME or version != event.VERSION:
                    raise UndocumentedEventError(f"event {event.NAME}@{event.VERSION} was handed in as {name}@{version}")
            if not all(map(UUID7.fullmatch, [one.id for one in envelopes])):
                raise UndocumentedEventError("an event was handed in with an id that is no UUID of version 7")
            for at in {one.at for one in envelopes}:
                parse_rfc3339(at)
        except (TypeError, ValueError) as error:
            raise UndocumentedEventError(f"an event was handed in with a name, version, id or time that is none: {error}") from None
        if not are_encoded_as([one.event for one in envelopes], [one.payload for one in envelopes]):
            wrong = next(one for one in envelopes if not are_encoded_as([one.event], [one.payload]))
            raise UndocumentedEventError(f"event {wrong.name} was handed in with a payload that is not its own")

    def read(self, name: str, version: str, payload: bytes | None) -> Event:
        """Return what a recorded event tells, as the newest class of its major version that there is here.

        Fields that came later have their defaults; those that are gone, or came with a minor version newer than ours, are skipped.
        This is for those who want to know what happened; whether the bytes are the ones that were written the auditor tells.

        Args:
            name: the event's name.
            version: the version it was written in.
            payload: its bytes; None when they were pruned.

        Raises:
            EvidenceError: when the event or its major version is not known here, or the payload does not fit it.
        """
        where, wanted = f"event {name}@{version}", _parsed(version)
        known = {} if wanted is None else {minor: kind for minor, kind in self._versions.get(name, {}).items() if minor[0] == wanted[0]}
        if wanted is None or not known:
            raise EvidenceError("is not known here; a newer thunderlab may know it", where=where)
        newest = max(known)
        if wanted not in known and wanted < newest:
            raise EvidenceError("is not known here, though older and newer versions are", where=where)
        if not isinstance(payload, bytes):
            raise EvidenceError("has no payload; it may have been pruned", where=where)
        try:
            if wanted in known:
                # It must be what its own version allows; that the newest one reads it, too, `events check` makes sure of.
                known[wanted].decode(payload)
            return known[newest].decode(payload)
        except (ValueError, RecursionError) as error:
            raise EvidenceError(f"does not hold what it should: {error}", where=where) from None

    def entry(self, name: str, version: str | None = None) -> Entry:
        """Return what the catalogue says of an event; of its newest version when none is given.

        Raises:
            InputError: naming the events, or the versions, there are.
        """
        kind = self._named(name, version)
        schema = schema_of(kind)
        return Entry(
            name=name,
            version=kind.VERSION,
            versions=tuple(one.VERSION for one in self._versions[name].values()),
            durable=kind.DURABLE,
            kept="one by one" if kind.DURABLE else "counted per minute",
            about=documented(kind)[0].splitlines()[0],
            json_schema=schema,
            digest=shape_digest(schema),
        )

    def fields(self, name: str, version: str | None = None) -> list[FieldEntry]:
        """Return the fields of an event in words; of its newest version when none is given. Errors as for `entry`."""
        return fields(self._named(name, version))

    def prose(self, name: str) -> str:
        """Return all that the newest version's docstring says of the event, without its fields."""
        return documented(self._named(name, None))[0]

    def _named(self, name: str, version: str | None) -> type[Event]:
        if name not in self._versions:
            raise InputError(f"there is no event {name!r}; there are: {', '.join(self._versions)}", field="event")
        kind = self._newest[name] if version is None else self.kind(name, version)
        if kind is None:
            there = ", ".join(one.VERSION for one in self._versions[name].values())
            raise InputError(f"{name} has no version {version!r}; there are: {there}", field="event")
        return kind

    def snapshot(self) -> dict[str, Any]:
        """Return what gets committed: for every version of every event its durability, digest and schema."""
        entries = (self.entry(name, version) for name, version in self._kinds)
        return {
            f"{entry.name}@{entry.version}": {"durable": entry.durable, "digest": entry.digest, "schema": entry.json_schema}
            for entry in entries
        }

    def differences(self, committed: dict[str, Any]) -> list[str]:
        """Return, as sentences, how the code differs from the committed snapshot; empty when it does not.

        Broken promises come first; the rest is what a snapshot written anew would hold.
        """
        now = self.snapshot()
        found = self.broken_promises(committed)
        for key in sorted(now):
            if key not in committed:
                found.append(f"{key}: is new; write the snapshot anew with: make docs")
            elif now[key] != committed[key] and _promised(now[key]) == _promised(committed[key]):
                found.append(f"{key}: is described in other words; write the snapshot anew with: make docs")
        return found

    def broken_promises(self, committed: dict[str, Any]) -> list[str]:
        """Return, as sentences, what no snapshot can make good: committed versions that are gone or changed, and incompatible ones.

        Blocks of a committed version may lie in ledgers, so it stays what it is: what changes is a new version.
        """
        now, found = self.snapshot(), []
        for key in sorted(committed):
            if key not in now:
                found.append(f"{key}: is in the snapshot and no longer in the code; old blocks could no longer be read: keep its class")
                continue
            durable, digest = _promised(now[key])
            if (was := _promised(committed[key])) != (durable, digest):
                if digest != was[1]:
                    found.append(f"{key}: its shape changed without a new version; keep the class as it was and add one of a new VERSION")
                if durable != was[0]:
                    found.append(f"{key}: DURABLE changed without a new version; keep the class as it was and add one of a new VERSION")
        return [*found, *self._incompatible()]

    def _incompatible(self) -> Iterator[str]:
        """Yield what one version of an event cannot read of another one's within their major version, each with each."""
        for name, versions in self._versions.items():
            schemas = {version: schema_of(kind) for version, kind in versions.items()} if len(versions) > 1 else {}
            for reader, writer in itertools.permutations(schemas, 2):
                if reader[0] == writer[0]:
                    for sentence in differences(schemas[reader], schemas[writer]):
                        yield f"{name}@{_written(reader)}: cannot read what {_written(writer)} writes: {sentence}"


def committed_snapshot() -> dict[str, Any]:
    """Return the snapshot that ships with the package; empty when it was never written."""
    resource = files("thunderlab.events") / SNAPSHOT
    found: dict[str, Any] = msgspec.json.decode(resource.read_bytes()) if resource.is_file() else {}
    return found


def _promised(entry: dict[str, Any]) -> tuple[Any, Any]:
    """Return what of a snapshot's entry must not change."""
    return entry.get("durable"), entry.get("digest")


def _parsed(version: object) -> Version | None:
    found = _VERSION.fullmatch(version) if isinstance(version, str) else None
    return (int(found[1]), int(found[2])) if found else None


def _written(version: Version) -> str:
    return f"{version[0]}.{version[1]}"


def _require_no_gaps(name: str, versions: list[Version]) -> None:
    """Make sure that versions count 1.0, 1.1, ... 2.0, ...: what is missing was thrown away, and its blocks can no longer be read."""
    before: Version | None = None
    for version in versions:
        following = [(1, 0)] if before is None else [(before[0], before[1] + 1), (before[0] + 1, 0)]
        if version not in following:
            raise ValueError(f"event {name}: version {_written(version)} is there and the one before is not")
        before = version
