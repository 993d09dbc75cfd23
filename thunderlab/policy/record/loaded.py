"""A policy set that is ready to decide, and the folder from which a lab takes its own."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from thunderlab import files
from thunderlab.errors import InputError
from thunderlab.policy.record.verdict import Judgement
from thunderlab.policy.record.wire import MOST_ENTITIES_BYTES, EntitySet, read_json, say_entities
from thunderlab.policy.requests.request import RequestError

if TYPE_CHECKING:
    from thunderlab.policy.requests.entities import Entities
    from thunderlab.policy.text.source import Source

ENTITIES = "entities.json"

_MOST_WORLDS = 64
T = TypeVar("T")


class Few(Generic[T]):
    """Things that are dear to make, by name: the newest few are kept. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, make: Callable[[], T]) -> T:
        """Return the thing of that name, made now when it is not there; what fails to be made is not kept."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        made = make()
        with self._lock:
            self._kept[name] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


class Loaded:
    """A policy set that is ready to decide.

    Args:
        source: its texts and its schema.
        name: what people call it.
        entities: what its folder says of the world: roles, and who has them; part of every question put to it.

    Attributes:
        source: its texts and its schema.
        name: what people call it.
        data: the bytes that are kept of it.
        digest: their SHA-256: the policy set's version.
        policies: the compiled policies.
        own: what its folder says of the world.

    Raises:
        InputError: when the texts or the schema are none.
    """

    def __init__(self, source: Source, name: str, entities: Sequence[object] = ()) -> None:
        from thunderlab.policy.policy_set import PolicySet

        self.source = source
        self.name = name
        self.data = source.to_bytes()
        self.digest = source.digest
        self.policies = PolicySet.parse(source.text, None if source.schema is None else source.schema[1])
        self.own = say_entities(entities)
        self._worlds: Few[Entities] = Few(_MOST_WORLDS)
        self._merged: Few[EntitySet] = Few(_MOST_WORLDS)

    def with_own(self, entities: EntitySet) -> EntitySet:
        """Return entities together with those of the policy set's own folder, which come first."""
        if not self.own.documents:
            return entities
        if not entities.documents:
            return self.own
        return self._merged.get(entities.digest, lambda: say_entities([*self.own.documents, *entities.documents]))

    def judge(self, document: dict[str, Any], entities: EntitySet) -> Judgement:
        """Return the answer to a request as it was read back, failing closed: where the entities cannot be built, nothing can be asked."""
        try:
            world = self.world(entities)
        except RequestError as error:
            return Judgement.of_unbuildable(f"entities: {error}")
        return Judgement.of(self.policies.decide(document, world))

    def world(self, entities: EntitySet) -> Entities:
        """Return entities as this policy set understands them; those it was asked with lately are not read again.

        Raises:
            RequestError: when they cannot be built, or do not fit the schema.
        """
        return self._worlds.get(entities.digest, lambda: self.policies.world(entities.documents))

    @property
    def whys(self) -> dict[str, str]:
        """What each policy says about itself: its `@why`, by its id."""
        return {policy.id: policy.annotations["why"] for policy in self.policies.policies if policy.annotations.get("why")}


def load_folder(folder: Path, schema: Path | None = None) -> Loaded:
    """Return the policy set of a folder: its `*.cedar` files, its schema, and its `entities.json` when there is one.

    Args:
        folder: where they are.
        schema: take this schema instead of the folder's own.

    Raises:
        InputError: naming file, line and policy.
    """
    return Loaded(read_source(folder, schema), folder.absolute().name, folder_entities(folder))


def read_source(folder: Path, schema: Path | None = None) -> Source:
    """Return what a folder holds, with another schema in place of its own when one is given; see `source.read_folder`."""
    from thunderlab.policy.text import source

    found = source.read_folder(folder)
    if schema is None:
        return found
    called = [*(folder / name for name, _ in found.texts), schema]
    return source.source(found.texts, (schema.name, files.read_text(schema)), called=called)


def folder_entities(folder: Path) -> list[Any]:
    """Return the entities that a folder's `entities.json` tells of; none when it has no such file."""
    path = folder / ENTITIES
    return read_entities(path) if path.exists() else []


def read_entities(path: Path) -> list[Any]:
    """Return the entities in a JSON file, a list of Cedar's entity objects.

    Raises:
        InputError: when the file is none.
    """
    found = read_json(files.read_bytes(path, MOST_ENTITIES_BYTES), path)
    if not isinstance(found, list):
        raise InputError(
            'expected a list of entities, [{"uid": {"type": ..., "id": ...}, "attrs": {...}, "parents": [...]}, ...]', where=path
        )
    return found


class Shelf:
    """The folder a lab takes its own policy set from. What is changed in it counts from the next question on.

    Args:
        folders: the first of these that exists is taken, looked for anew each time.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._last: tuple[object, Loaded] | None = None
        self._lock = threading.Lock()

    def current(self) -> Loaded:
        """Return the policy set as it is now.

        Raises:
            InputError: when something in the folder is wrong: then nothing is decided by what stood there before.
        """
        folder, state = self._state()
        last = self._last
        if last is not None and last[0] == state:
            return last[1]
        with self._lock:
            if self._last is None or self._last[0] != state:
                self._last = (state, load_folder(folder))
            return self._last[1]

    @property
    def folder(self) -> Path:
        """The folder that is taken now."""
        return next((folder for folder in self._folders if folder.is_dir()), self._folders[-1])

    def _state(self) -> tuple[Path, object]:
        """Return the folder and what tells that nothing in it has changed."""
        folder = self.folder
        try:
            with os.scandir(folder) as entries:
                seen = sorted((entry.name, (found := entry.stat()).st_mtime_ns, found.st_size, found.st_ino) for entry in entries)
        except OSError as error:
            raise InputError(f"the lab's policies cannot be read: {error.strerror}", where=folder) from None
        return folder, (folder, seen)
