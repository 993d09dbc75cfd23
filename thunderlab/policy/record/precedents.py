"""Policy sets and entities as recorded verdicts name them: by digest, from the archive, loaded once."""

from __future__ import annotations

import dataclasses

import msgspec

from thunderlab.canonical import digest
from thunderlab.errors import EvidenceError, InputError
from thunderlab.policy.record.archive import Archive
from thunderlab.policy.record.loaded import Few, Loaded
from thunderlab.policy.record.wire import EntitySet

_MOST_SETS = 32
_MOST_WORLDS = 64


class Precedents:
    """What verdicts were based on.

    Args:
        archive: where it is kept.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._sets: Few[Loaded] = Few(_MOST_SETS)
        self._worlds: Few[EntitySet] = Few(_MOST_WORLDS)

    def policy_set(self, name: str) -> Loaded:
        """Return the policy set of a digest, ready to decide.

        Raises:
            EvidenceError: when it is gone, is not that of its digest, or is no policy set any more.
        """
        return self._sets.get(name, lambda: self._load(name))

    def _load(self, name: str) -> Loaded:
        from thunderlab.policy.text import source

        data = self._archive.get("policy set", name)
        try:
            loaded = Loaded(source.from_bytes(data), name[:12])
        except (InputError, ValueError) as error:
            raise EvidenceError(f"cannot be read any more: {error}", where=f"policy set {name}") from None
        if loaded.digest != name:
            raise EvidenceError("reads as another one", where=f"policy set {name}")
        return loaded

    def entities(self, name: str) -> EntitySet:
        """Return the entities of a digest.

        Raises:
            EvidenceError: when they are gone, or are not those of their digest.
        """
        return self._worlds.get(name, lambda: self._read(name))

    def _read(self, name: str) -> EntitySet:
        data = self._archive.get("entities", name)
        try:
            documents = msgspec.json.decode(data)
        except (ValueError, RecursionError):
            documents = None
        if not isinstance(documents, list):
            raise EvidenceError("are no list of entities", where=f"entities {name}")
        return EntitySet(name, data, documents)


class Successors:
    """Another policy set in place of those that verdicts were based on.

    A set without a schema is about policies alone: each request is then held against the schema of the set that decided it.

    Args:
        changed: the other policy set.
        precedents: what verdicts were based on.
    """

    def __init__(self, changed: Loaded, precedents: Precedents) -> None:
        self.changed = changed
        self._precedents = precedents
        self._made: Few[Loaded] = Few(_MOST_SETS)

    def instead_of(self, name: str) -> Loaded:
        """Return the policy set that judges in place of the one of that digest.

        Raises:
            EvidenceError: when the schema is needed of a set that is gone.
            InputError: when the policies cannot be read together with that schema.
        """
        if self.changed.source.schema is not None:
            return self.changed
        schema = self._precedents.policy_set(name).source.schema
        if schema is None:
            return self.changed
        key = digest("\0".join(schema).encode())
        return self._made.get(key, lambda: Loaded(dataclasses.replace(self.changed.source, schema=schema), self.changed.name))
