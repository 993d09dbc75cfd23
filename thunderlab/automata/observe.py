"""One run of one lattice, watched: what `thunderlab automata run` and `lab.automata.observe` answer with."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice, check_every
from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
from thunderlab.automata.measures.observables import cell_entropy, state_entropy
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

# Between two calls of `on_progress`: in cell updates about a tenth of a second, and in steps a trace of some megabytes.
_SLICE = 2_000_000_000
_SLICE_STEPS = 2**18
# What a sample weighs against the numbers that may be kept: some hundred bytes.
_NUMBERS = 64


class Sample(msgspec.Struct, frozen=True):
    """The state at one step: cells that are not 0, and entropy in bits a cell, on a plane of the box around them."""

    step: int
    population: int
    entropy: float


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run.

    Attributes:
        rule: in its canonical spelling.
        boundary: `torus`, `dead` or `plane`.
        shape: `[y x]` or `[z y x]`; on a plane that of the final cells.
        steps: steps run.
        population: live cells at the end.
        bbox: `[min, max]` of the live cells along each axis of `shape`; None when none is alive. On a plane coordinates count from the
            first of the cells handed in and may be negative.
        cells_sha256: digest of the live cells with their bounding box moved to the origin; see `fingerprint.canonical_cells`.
        cells_sha256_absolute: likewise where they are.
        trace: samples at step 0, every so many steps, and at the end.
    """

    rule: str
    boundary: str
    shape: tuple[int, ...]
    steps: int
    population: int
    bbox: list[list[int]] | None
    cells_sha256: str
    cells_sha256_absolute: str
    trace: tuple[Sample, ...]


def check_samples(steps: int, every: int | None) -> int:
    """Return how many steps lie between two samples, a hundredth of `steps` when `every` is None.

    Raises:
        InputError: as for `observe`, before anything is started.

    >>> check_samples(1000, None), check_samples(7, None), check_samples(7, 3)
    (10, 1, 3)
    """
    try:
        check_every(steps, 1 if every is None else every, each=_NUMBERS if every is not None else 0)
    except InputError as error:
        raise InputError(error.what, field=f"--{error.field}") from None
    return every if every is not None else max(1, steps // 100)


def observe(
    cells: Cells,
    rule: Rule,
    boundary: Boundary,
    steps: int,
    *,
    every: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_sample: Callable[[Cells, tuple[int, ...]], None] | None = None,
) -> tuple[Observation, Cells]:
    """Run a lattice and return what was seen together with its final cells.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, states 0..n-1 of the rule.
        rule: of as many dimensions.
        boundary: "torus", "dead" or "plane".
        steps: 0..10**8.
        every: steps between two samples of the trace; a hundredth of `steps` when None.
        on_progress: called now and then with the number of steps done.
        on_sample: called with the cells and the place of the first of them at every sample.

    Raises:
        InputError: when a number is out of its range, or there would be more than a million samples.
    """
    stride = check_samples(steps, every)
    lattice = Lattice(cells, rule, boundary)
    # Two states in a fixed frame have the entropy of their population, which every step leaves behind; all else is looked at when due.
    known = lattice.rule.states == 2 and boundary != "plane" and on_sample is None
    trace = [_sample(lattice, known=known)]
    if on_sample is not None:
        on_sample(lattice.cells(), lattice.origin)
    most = min(max(1, _SLICE // cells.size), _SLICE_STEPS)
    while lattice.step < steps:
        before = lattice.step
        if known:
            populations = lattice.advance(min(most, steps - before)).population
            wanted = [*range(before + stride - before % stride, lattice.step + 1, stride)]
            if lattice.step == steps and steps % stride:
                wanted.append(steps)
            trace.extend(_two_states(step, int(populations[step - before - 1]), cells.size) for step in wanted)
        else:
            lattice.run(min(most, steps - before, stride - before % stride))
            if lattice.step % stride == 0 or lattice.step == steps:
                trace.append(_sample(lattice, known=False))
                if on_sample is not None:
                    on_sample(lattice.cells(), lattice.origin)
        if on_progress is not None:
            on_progress(lattice.step)
    final, origin = lattice.cells(), lattice.origin
    on_plane = origin if boundary == "plane" else None
    box, moved = bbox(final), cells_sha256(final)
    unmoved = on_plane is None and all(low == 0 for low, _ in box or ())
    seen = Observation(
        rule=str(lattice.rule),
        boundary=boundary,
        shape=final.shape,
        steps=steps,
        population=int(np.count_nonzero(final)),
        bbox=bbox(final, on_plane),
        cells_sha256=moved,
        cells_sha256_absolute=moved if unmoved else cells_sha256(final, moved=False, origin=on_plane),
        trace=tuple(trace),
    )
    return seen, final


def _two_states(step: int, population: int, cells: int) -> Sample:
    return Sample(step, population, state_entropy(population, cells))


def _sample(lattice: Lattice, *, known: bool) -> Sample:
    if known:
        return _two_states(lattice.step, lattice.population, math.prod(lattice.shape))
    cells = lattice.cells()
    return Sample(lattice.step, int(np.count_nonzero(cells)), cell_entropy(cells, lattice.rule.states))
