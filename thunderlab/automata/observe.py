"""One run of one lattice, watched: what `thunderlab automata run` and `lab.automata.observe` answer with."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.fingerprint import bbox, cells_sha256
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.observables import state_entropy
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

MOST_STEPS = 100_000_000

# Between two calls of `on_progress`, in cell updates: about a tenth of a second.
_SLICE = 2_000_000_000


class Sample(msgspec.Struct, frozen=True):
    """The state at one step: live cells and entropy in bits a cell."""

    step: int
    population: int
    entropy: float


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run.

    Attributes:
        rule: in its canonical spelling.
        boundary: `torus` or `dead`.
        shape: `[y x]` or `[z y x]`.
        steps: steps run.
        population: live cells at the end.
        bbox: `[min, max]` of the live cells along each axis of `shape`; None when none is alive.
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
) -> tuple[Observation, Cells]:
    """Run a lattice and return what was seen together with its final cells.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0 or 1.
        rule: of as many dimensions.
        boundary: "torus" or "dead".
        steps: 0..10**8.
        every: steps between two samples of the trace; a hundredth of `steps` when None.
        on_progress: called now and then with the number of steps done.

    Raises:
        InputError: when a number is out of its range.
    """
    if not 0 <= steps <= MOST_STEPS:
        raise InputError(f"steps lie in 0..{MOST_STEPS}, got {steps}", field="--steps")
    stride = every if every is not None else max(1, steps // 100)
    if stride < 1:
        raise InputError(f"a sample every {stride} steps cannot be taken; give 1 or more", field="--every")
    lattice = Lattice(cells, rule, boundary)
    trace = [_sample(0, lattice.population, cells.size)]
    slice_steps = max(1, _SLICE // cells.size)
    while lattice.step < steps:
        before = lattice.step
        populations = lattice.advance(min(slice_steps, steps - before)).population
        wanted = (step for step in range(before + 1, lattice.step + 1) if step % stride == 0 or step == steps)
        trace.extend(_sample(step, int(populations[step - before - 1]), cells.size) for step in wanted)
        if on_progress is not None:
            on_progress(lattice.step)
    final = lattice.cells()
    seen = Observation(
        rule=str(rule),
        boundary=boundary,
        shape=cells.shape,
        steps=steps,
        population=lattice.population,
        bbox=bbox(final),
        cells_sha256=cells_sha256(final),
        cells_sha256_absolute=cells_sha256(final, moved=False),
        trace=tuple(trace),
    )
    return seen, final


def _sample(step: int, population: int, cells: int) -> Sample:
    return Sample(step, population, state_entropy(population, cells))
