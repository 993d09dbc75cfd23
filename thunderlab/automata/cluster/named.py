"""A named lattice: what is known about it, what a name and its limits are, and the bytes its cells are kept as."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule
from thunderlab.errors import EvidenceError, InputError

Status = Literal["running", "paused", "stopped"]

# 4096 x 4096 cells with two states: 2 MiB written each time such a lattice is saved, about once a second.
MOST_BITS = 2**24
MOST_LATTICES = 64
MOST_SAMPLES = 100
MOST_UNTIL = 10**15
LEAST_RATE, MOST_RATE = 0.001, 1_000_000.0

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MOST_NAME = 64
_MOST_SOURCE = 200


class Sample(msgspec.Struct, frozen=True):
    """A lattice at one step: live cells, and entropy in bits a cell. It is kept in the store, so its fields stay."""

    step: int
    population: int
    entropy: float


class NamedLattice(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a named lattice, as it was last saved.

    Attributes:
        name: lower-case words and numbers joined by hyphens.
        id: UUID version 7; another lattice created later under the same name has another one.
        status: `running`, `paused` or, for good, `stopped`.
        rule: in its canonical spelling.
        boundary: as for `Lattice`.
        shape: `[y x]` or `[z y x]`; on a plane of the box around its live cells, which changes.
        source: where its cells came from, in the words of whoever created it.
        step: steps run since it was created.
        population: live cells.
        entropy: as `observables.state_entropy`, in bits a cell; on a plane of that box.
        rate: the most steps a second it is run at; None for as many as there is time for.
        until: the step at which it is stopped; None for never.
        created_at, updated_at: RFC 3339 UTC; when it was created, and when any of this last changed.
        trace: the newest samples, at most 100, oldest first; one each time it was saved.
    """

    name: str
    id: str
    status: Status
    rule: str
    boundary: Boundary
    shape: tuple[int, ...]
    source: str
    step: int
    population: int
    entropy: float
    rate: float | None
    until: int | None
    created_at: str
    updated_at: str
    trace: tuple[Sample, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """A named lattice about to be created; everything in it has been checked. `origin` is where the first of `cells` lies."""

    name: str
    cells: Cells
    origin: tuple[int, ...]
    rule: Rule
    boundary: Boundary
    population: int
    source: str
    rate: float | None
    until: int | None
    paused: bool


def plan(
    name: str,
    cells: Cells,
    rule: Rule | str,
    boundary: Boundary = "torus",
    *,
    source: str = "",
    rate: float | None = None,
    until: int | None = None,
    paused: bool = False,
) -> Plan:
    """Return a checked plan for a named lattice; nothing is written.

    Args:
        name: lower-case words and numbers joined by hyphens, at most 64 characters.
        cells: as for `Lattice`; at most 2^24 cells with two states, fewer with more states.
        rule: as for `Lattice`.
        boundary: as for `Lattice`.
        source: one line of at most 200 characters that says where the cells came from.
        rate: the most steps a second, 0.001..1000000; None for as many as there is time for.
        until: the step at which it is to stop, 1..10^15; None for never.
        paused: create it paused, instead of running.

    Raises:
        InputError: naming the argument, what is wrong and what is accepted.
    """
    check_name(name)
    _check_source(source)
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float) or not LEAST_RATE <= rate <= MOST_RATE):
        raise InputError(f"expected {LEAST_RATE:g} to {MOST_RATE:.0f} steps a second, not {_short(rate)}", field="rate")
    if until is not None and (isinstance(until, bool) or not isinstance(until, int) or not 1 <= until <= MOST_UNTIL):
        raise InputError(f"expected a step from 1 to {MOST_UNTIL}, not {_short(until)}", field="until")
    if isinstance(cells, np.ndarray) and cells.size > MOST_BITS:
        raise _too_large(cells.shape, 1)
    lattice = Lattice(cells, rule, boundary)
    if cells.size * _bits(lattice.rule.states) > MOST_BITS:
        raise _too_large(cells.shape, _bits(lattice.rule.states))
    return Plan(
        name=name,
        cells=lattice.cells(),
        origin=lattice.origin,
        rule=lattice.rule,
        boundary=boundary,
        population=lattice.population,
        source=source,
        rate=None if rate is None else float(rate),
        until=until,
        paused=paused,
    )


def check_name(name: str) -> None:
    """Make sure that a text is a lattice's name.

    Raises:
        InputError: when it is not.

    >>> check_name("gosper-gun-2")
    >>> check_name("Gosper gun")
    Traceback (most recent call last):
    thunderlab.errors.InputError: name: expected lower-case words and numbers joined by hyphens, at most 64 characters, not 'Gosper gun'
    """
    if not isinstance(name, str) or len(name) > _MOST_NAME or not _NAME.fullmatch(name):
        raise InputError(
            f"expected lower-case words and numbers joined by hyphens, at most {_MOST_NAME} characters, not {_short(name)}", field="name"
        )


def pack_state(cells: Cells, states: int, origin: tuple[int, ...] = ()) -> bytes:
    """Return a state as bytes: shape and bits a cell, then the bits, lowest of every cell first, compressed quickly, then its place.

    A runner writes these once a second: level 1 of zlib takes a fifth of the time of level 6 and makes them a tenth longer.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0..states-1.
        states: how many states the rule has, 2..256.
        origin: where the first cell lies on a plane; zeros by default.

    Raises:
        InputError: it is larger than a named lattice may be; on a plane it grows.

    >>> cells, origin = unpack_state(pack_state(np.array([[0, 3, 5]], np.uint8), states=6, origin=(7, -2)))
    >>> cells.tolist(), origin
    ([[0, 3, 5]], (7, -2))
    """
    bits = _bits(states)
    if cells.size * bits > MOST_BITS:
        raise _too_large(cells.shape, bits)
    planes = [np.packbits(cells & np.uint8(1 << bit)) for bit in range(bits)]
    body = zlib.compress(b"".join(plane.tobytes() for plane in planes), 1)
    return msgspec.msgpack.encode(_Packed(cells.shape, bits, body, origin or (0,) * cells.ndim))


def unpack_state(data: bytes) -> tuple[Cells, tuple[int, ...]]:
    """Return the cells that `pack_state` wrote, and where the first one lies: at zeros in states of versions that did not say.

    Raises:
        EvidenceError: these are not such bytes, or not all of them.
    """
    try:
        packed = msgspec.msgpack.decode(data, type=_Packed)
        size = math.prod(packed.shape)
        if len(packed.shape) not in (2, 3) or min(packed.shape) < 1 or not 1 <= packed.bits <= 8 or size * packed.bits > MOST_BITS:
            raise EvidenceError("the packed state has a shape no named lattice has")
        origin = packed.origin or (0,) * len(packed.shape)
        if len(origin) != len(packed.shape):
            raise EvidenceError("the packed state lies in another number of dimensions than its shape has")
        of_plane = (size + 7) // 8
        # One byte more than needed is enough to notice a stream that goes on, whatever it would grow to.
        reader = zlib.decompressobj()
        found = reader.decompress(packed.planes, packed.bits * of_plane + 1)
    except (msgspec.MsgspecError, zlib.error):
        raise EvidenceError("the packed state is none") from None
    if len(found) != packed.bits * of_plane or not reader.eof or reader.unused_data:
        raise EvidenceError("the packed state has another size than its shape says")
    planes = np.frombuffer(found, dtype=np.uint8).reshape(packed.bits, of_plane)
    cells = np.zeros(size, dtype=np.uint8)
    for bit, plane in enumerate(planes):
        cells |= np.unpackbits(plane, count=size) << np.uint8(bit)
    return cells.reshape(packed.shape), origin


class _Packed(msgspec.Struct, array_like=True, frozen=True):
    shape: tuple[int, ...]
    bits: int
    planes: bytes
    origin: tuple[int, ...] = ()


def _bits(states: int) -> int:
    return max(1, (states - 1).bit_length())


def _too_large(shape: tuple[int, ...], bits: int) -> InputError:
    size = math.prod(shape)
    return InputError(
        f"a named lattice has at most {MOST_BITS} bits of state, as 4096x4096 cells with two states have; "
        f"these {size} cells of {bits} would have {size * bits}",
        field="cells",
    )


def _check_source(source: str) -> None:
    if not isinstance(source, str) or len(source) > _MOST_SOURCE or not source.isprintable():
        raise InputError(f"expected one printable line of at most {_MOST_SOURCE} characters, not {_short(source)}", field="source")


def _short(value: object) -> str:
    """Return a value as a message may show it, however long it is."""
    if isinstance(value, int) and abs(value) > MOST_UNTIL:
        return "one far larger" if value > 0 else "one far smaller"
    text = repr(value[:_MOST_NAME] if isinstance(value, str) else value)
    return text if len(text) <= _MOST_NAME + 2 else f"{text[:_MOST_NAME]}..."
