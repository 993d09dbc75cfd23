"""The public Cedar corpus, read where it lies: 7,809 generated tests from their archive, and the hand-written ones beside it."""

from __future__ import annotations

import functools
import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.policy.oracle import Answer, in_order

SHARED = "THUNDERLAB_SHARED"  # where the folder `shared` is, when it does not lie beside the checkout
EVERYTHING = "THUNDERLAB_WHOLE_CORPUS"  # set it to 1 to have every test of the corpus run, not every so many


@dataclass(frozen=True)
class Test:
    """One test of the corpus.

    Attributes:
        name: of its file.
        policies: Cedar text.
        schema: Cedar schema text.
        entities: documents in Cedar's JSON form.
        requests: different ones, in Cedar's JSON form.
        expected: what Cedar's authors say to each of them.
        repeated: how many more requests the file has that are the same as one of these.
        valid: whether the policies pass validation against the schema.
    """

    __test__ = False
    name: str
    policies: str
    schema: str
    entities: list
    requests: tuple[dict, ...]
    expected: tuple[Answer, ...]
    repeated: int
    valid: bool


def folder():
    """Return where the corpus lies; skip the test that asks, when it is not there."""
    named = [Path(os.environ[SHARED])] if SHARED in os.environ else []
    for place in (*named, *(parent / "shared" for parent in Path(__file__).resolve().parents)):
        if (place / "data" / "cedar" / "corpus-tests.tar.gz").is_file():
            return place / "data" / "cedar"
    pytest.skip("the public Cedar corpus (shared/data/cedar) is not here")


@functools.cache
def _archive(place):
    """Return name -> bytes of the archive's files: 31,236 small ones, read in one go.

    `tarfile` takes seconds for so many; all that is needed of a header here is its name, its size and its kind
    (https://www.gnu.org/software/tar/manual/html_node/Standard.html).
    """
    data, at, files = memoryview(gzip.decompress((place / "corpus-tests.tar.gz").read_bytes())), 0, {}
    while at + 512 <= len(data) and data[at]:
        name, size, kind = bytes(data[at : at + 100]).rstrip(b"\0").decode(), int(bytes(data[at + 124 : at + 135]), 8), data[at + 156]
        if kind in b"0\0":
            files[name.removeprefix("./")] = data[at + 512 : at + 512 + size]
        at += 512 + (size + 511) // 512 * 512
    return files


def generated(stride=1, first=0):
    """Yield every `stride`-th generated test in the order of their names, from the `first` on."""
    files = _archive(folder())
    names = sorted(name for name in files if name.endswith(".json") and not name.endswith(".entities.json"))
    for name in names[first::stride]:
        yield _test(name, files.__getitem__)


def hand_written():
    """Yield the hand-written tests."""
    place = folder()
    for path in sorted((place / "tests").rglob("*.json")):
        yield _test(path.relative_to(place).as_posix(), lambda name: (place / name).read_bytes())


def _test(name, read):
    document = json.loads(bytes(read(name)))
    requests, seen = [], {}
    for request in document["requests"]:
        asked = {part: request[part] for part in ("principal", "action", "resource", "context")}
        expected = Answer(request["decision"], in_order(request["reason"]), in_order(request["errors"]))
        seen.setdefault(json.dumps(asked, sort_keys=True), (asked, expected))
        assert seen[json.dumps(asked, sort_keys=True)][1] == expected, f"{name}: one question, two answers"
        requests.append(asked)
    return Test(
        name=name,
        policies=str(read(document["policies"]), "utf-8"),
        schema=str(read(document["schema"]), "utf-8"),
        entities=json.loads(bytes(read(document["entities"]))),
        requests=tuple(asked for asked, _ in seen.values()),
        expected=tuple(expected for _, expected in seen.values()),
        repeated=len(requests) - len(seen),
        valid=document["shouldValidate"],
    )


def whole():
    """Return whether all of the corpus is asked for."""
    return os.environ.get(EVERYTHING) == "1"
