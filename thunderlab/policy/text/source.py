"""Policy sets as people keep them: a folder, or some files, of Cedar text with a schema; content-addressed.

A folder holds `*.cedar` (policies, read in the order of their names), at most one schema (`*.cedarschema`, or `*.cedarschema.json` in the JSON
form) and, if need be, `entities.json`. What policies are called runs through all files: the first policy without an `@id` in the second of two
files of three policies each can be `policy3`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from thunderlab import canonical, files
from thunderlab.errors import InputError
from thunderlab.policy.text import bounds, cedar
from thunderlab.policy.text.positions import Position

FORMAT = "thunderlab-policies/1"
ENTITIES = "entities.json"
_SCHEMAS = (".cedarschema", ".cedarschema.json")
_KEYS = {"format", "policies", "schema"}

NamedText = tuple[str, str]


class Place(NamedTuple):
    """Where a policy stands.

    Attributes:
        policy: its id.
        file: its file's name.
        line: its first line in that, from 1.
    """

    policy: str
    file: str
    line: int


class Problem(NamedTuple):
    """Something that a policy set should not have.

    Attributes:
        file: the file's name.
        line: where the policy begins in it.
        policy: its id.
        message: what is wrong.
    """

    file: str
    line: int
    policy: str
    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """A policy set that parses; made by `source`, `read_files`, `read_folder` or `from_bytes`.

    Attributes:
        texts: names and texts of the files, in order.
        schema: name and text of the schema, in the form it came in; None when there is none.
        places: where each policy stands, in order.
    """

    texts: tuple[NamedText, ...]
    schema: NamedText | None
    places: tuple[Place, ...] = field(compare=False)

    @property
    def text(self) -> str:
        """All texts as one: it has the same policies with the same ids."""
        return "\n".join(text for _, text in self.texts)

    @property
    def ids(self) -> tuple[str, ...]:
        """What the policies are called, in order."""
        return tuple(place.policy for place in self.places)

    @property
    def digest(self) -> str:
        """The SHA-256 of `to_bytes()`: it names this policy set and no other."""
        return canonical.digest(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the document that has this set's digest: format, names and texts of the files, name and text of the schema."""
        schema = None if self.schema is None else list(self.schema)
        return canonical.encode({"format": FORMAT, "policies": [list(one) for one in self.texts], "schema": schema})


def source(texts: Sequence[NamedText], schema: NamedText | None = None, *, strict: bool = True, called: Sequence[object] = ()) -> Source:
    """Return a policy set from texts.

    Args:
        texts: names and texts.
        schema: name and text, in either of Cedar's two forms.
        strict: as in `bounds.check`.
        called: what to call the texts in messages, and the schema last; their names, unless told otherwise.

    Raises:
        InputError: naming file, line and policy: for what `bounds.check` or Cedar's parser refuses, for two policies of one id, two texts of one
            name, and more than 1 MiB in all.

    >>> source([("a.cedar", 'permit(principal, action, resource);')]).places
    (Place(policy='policy0', file='a.cedar', line=1),)
    """
    called = called or [name for name, _ in (*texts, *([schema] if schema else []))]
    names = [name for name, _ in texts]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError(f"another file of this policy set is called {name}, too", where=called[place])
    if len("\n".join(text for _, text in texts).encode(errors="surrogatepass")) > bounds.BYTES:
        raise InputError(f"with the other files there are over {bounds.BYTES} bytes, the most accepted here", where=called[len(texts) - 1])
    parts: list[tuple[object, tuple[Position, ...]]] = []
    count = 0
    for where, (_, text) in zip(called, texts, strict=False):
        positions = bounds.check(text, where, strict=strict, first=count)
        cedar.to_json(text, positions, where, count)
        parts.append((where, positions))
        count += len(positions)
    ids = iter(bounds.identities(parts))
    if schema is not None:
        cedar.normalise_schema(schema[1], called[-1], strict=strict)
    places = [
        Place(next(ids), name, position.first_line) for name, (_, positions) in zip(names, parts, strict=True) for position in positions
    ]
    return Source(tuple(texts), schema, tuple(places))


def read_files(paths: Sequence[Path], schema: Path | None = None) -> Source:
    """Return the policy set that files hold; the set knows their names without the folders.

    Args:
        paths: `*.cedar` files, in the order in which their policies count.
        schema: the schema's file.

    Raises:
        InputError: as `source`, and for what is no such file.
    """
    texts = [(path.name, _read(path)) for path in paths]
    return source(texts, None if schema is None else (schema.name, _read(schema)), called=[*paths, *([schema] if schema else [])])


def read_folder(folder: Path) -> Source:
    """Return the policy set of a folder.

    Raises:
        InputError: as `source`, and when the folder holds no policies, more than one schema, or a link that leads out of it.
    """
    found = _listed(folder)
    policies = [path for path in found if path.name.endswith(".cedar")]
    schemas = [path for path in found if path.name.endswith(_SCHEMAS)]
    if not policies:
        raise InputError("holds no policies: expected files called *.cedar", where=folder)
    if len(schemas) > 1:
        names = " and ".join(path.name for path in schemas)
        raise InputError(f"holds more than one schema ({names}); one is accepted", where=folder)
    return read_files(policies, schemas[0] if schemas else None)


def read_entities(folder: Path) -> NamedText | None:
    """Return name and text of a folder's `entities.json`, None when it has none."""
    return next(((path.name, _read(path)) for path in _listed(folder) if path.name == ENTITIES), None)


def _listed(folder: Path) -> list[Path]:
    """Return what a folder holds by name, without what is hidden; links that lead out of it are refused."""
    if not folder.is_dir():
        raise InputError("no such folder", where=folder)
    try:
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=folder) from None
    for path in found:
        files.contained(path, folder)
    return found


def _read(path: Path) -> str:
    return bounds.decode(files.read_bytes(path, bounds.BYTES), path)


def from_bytes(data: bytes, where: object = None) -> Source:
    """Return the policy set of which `to_bytes` returned these bytes; others are refused.

    Args:
        data: the document.
        where: what to call it in messages.

    Raises:
        InputError: when the bytes are no such document, or its policies do not parse.
    """
    try:
        document = json.loads(data)
        own = canonical.encode(document) == data
    except (ValueError, RecursionError):
        own = False
    if not own or not isinstance(document, dict) or set(document) != _KEYS or document["format"] != FORMAT:
        raise InputError(f"is no policy set as {FORMAT} has them", where=where)
    policies, schema = document["policies"], document["schema"]
    if not isinstance(policies, list) or not all(map(_is_named, policies)) or not (schema is None or _is_named(schema)):
        raise InputError("holds something else than names and texts", where=where)
    # Nobody reads it for the first time here: it was strict when it was accepted.
    return source([(name, text) for name, text in policies], None if schema is None else (schema[0], schema[1]), strict=False)


def _is_named(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(one) is str for one in value)


def problems(of: Source) -> tuple[Problem, ...]:
    """Return what Cedar's validator finds against a policy set's schema, and which policies never apply, in the order of the text.

    Templates never do: nothing here links them. Without a schema nothing is validated.

    Raises:
        InputError: when it is too large to be validated.
    """
    text = of.text
    positions = bounds.check(text, strict=False)
    found = [] if of.schema is None else cedar.validate(text, of.schema[1], positions)
    never = "is a template: nothing links it here, so it never applies"
    found += [(place, never) for place, position in enumerate(positions) if position.template]
    return tuple(
        Problem(of.places[place].file, of.places[place].line, of.places[place].policy, message) for place, message in sorted(found)
    )
