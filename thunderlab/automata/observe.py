"""One run of one lattice, watched: what `thunderlab automata run` and `lab.automata.observe` answer with."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.fingerprint import bbox, cells_sha256
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.observables import cell_entropy, state_entropy
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

MOST_STEPS = 100_000_000

# Between two calls of `on_progress`, in cell updates: about a tenth of a second.
_SLICE = 2_000_000_000


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
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1.
        rule: of as many dimensions.
        boundary: "torus", "dead" or "plane".
        steps: 0..10**8.
        every: steps between two samples of the trace; a hundredth of `steps` when None.
        on_progress: called now and then with the number of steps done.
        on_sample: called with the cells and the place of the first of them at every sample.

    Raises:
        InputError: when a number is out of its range.
    """
    if not 0 <= steps <= MOST_STEPS:
        raise InputError(f"steps lie in 0..{MOST_STEPS}, got {steps}", field="--steps")
    stride = every if every is not None else max(1, steps // 100)
    if stride < 1:
        raise InputError(f"a sample every {stride} steps cannot be taken; give 1 or more", field="--every")
    lattice = Lattice(cells, rule, boundary)
    # Two states in a fixed frame have the entropy of their population, which every step leaves behind; all else is looked at when due.
    known = lattice.rule.states == 2 and boundary != "plane" and on_sample is None
    trace = [_sample(lattice, known=known)]
    if on_sample is not None:
        on_sample(lattice.cells(), lattice.origin)
    most = max(1, _SLICE // cells.size)
    while lattice.step < steps:
        before = lattice.step
        populations = lattice.advance(min(most, steps - before, most if known else stride - before % stride)).population
        if known:
            wanted = (step for step in range(before + 1, lattice.step + 1) if step % stride == 0 or step == steps)
            trace.extend(_two_states(step, int(populations[step - before - 1]), cells.size) for step in wanted)
        elif lattice.step % stride == 0 or lattice.step == steps:
            trace.append(_sample(lattice, known=False))
            if on_sample is not None:
                on_sample(lattice.cells(), lattice.origin)
        if on_progress is not None:
            on_progress(lattice.step)
    final, origin = lattice.cells(), lattice.origin
    on_plane = origin if boundary == "plane" else None
    seen = Observation(
        rule=str(lattice.rule),
        boundary=boundary,
        shape=final.shape,
        steps=steps,
        population=lattice.population,
        bbox=bbox(final, on_plane),
        cells_sha256=cells_sha256(final),
        cells_sha256_absolute=cells_sha256(final, moved=False, origin=on_plane),
        trace=tuple(trace),
    )
    return seen, final


def _two_states(step: int, population: int, cells: int) -> Sample:
    return Sample(step, population, state_entropy(population, cells))


def _sample(lattice: Lattice, *, known: bool) -> Sample:
    if known:
        return _two_states(lattice.step, lattice.population, math.prod(lattice.shape))
    return Sample(lattice.step, lattice.population, cell_entropy(lattice.cells(), lattice.rule.states))
