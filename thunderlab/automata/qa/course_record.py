"""The courses of a run as bytes: population and fingerprint of every step of every scenario, which replays are held against."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thunderlab import canonical
from thunderlab.errors import EvidenceError

# A step takes twelve bytes: the core suite half a megabyte. Runs of one pack by one engine have the same courses, so they share a file.
MOST_BYTES = 1 << 30


class Steps(NamedTuple):
    """What each step of a course was known by, step 0 first.

    Attributes:
        populations: int64 `[steps + 1]`, cells that are not 0.
        digests: uint64 `[steps + 1]`, fingerprints; they mean the same under the same `engine_digest.fingerprint_key` only. On a plane
            they are 0 but at the steps that were looked at, see `trail.Trail`.
    """

    populations: NDArray[np.int64]
    digests: NDArray[np.uint64]


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    courses: Literal[1]
    fingerprints: str
    scenarios: list[tuple[str, Annotated[int, Meta(ge=1)]]]


def written(courses: Mapping[str, Steps], key: str) -> bytes:
    """Return courses as bytes: one line of JSON with names and numbers of states, then the numbers of each, little-endian.

    Populations take 32 bits, fingerprints 64; equal courses give equal bytes.

    Args:
        courses: by scenario.
        key: what the fingerprints mean the same under.
    """
    head = {"courses": 1, "fingerprints": key, "scenarios": [[name, len(one.populations)] for name, one in courses.items()]}
    bodies = (one.populations.astype("<u4").tobytes() + one.digests.astype("<u8").tobytes() for one in courses.values())
    return canonical.encode(head) + b"\n" + b"".join(bodies)


def read(data: bytes, where: Path) -> tuple[dict[str, Steps], str]:
    """Return the courses that `written` wrote, by scenario, and the key.

    Raises:
        EvidenceError: when these are not such bytes, or not all of them.
    """
    line, _, body = data.partition(b"\n")
    try:
        head = msgspec.json.decode(line, type=_Head)
    except msgspec.DecodeError:
        raise EvidenceError("is no record of courses", where=where) from None
    if len(body) != 12 * sum(states for _, states in head.scenarios):
        raise EvidenceError("is a record of courses of another length than its first line says", where=where)
    found, at = {}, 0
    for name, states in head.scenarios:
        populations = np.frombuffer(body, dtype="<u4", count=states, offset=at).astype(np.int64)
        found[name] = Steps(populations, np.frombuffer(body, dtype="<u8", count=states, offset=at + 4 * states).astype(np.uint64))
        at += 12 * states
    return found, head.fingerprints
