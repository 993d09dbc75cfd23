"""Scenarios: what to run, from which start, for how long, and what is known about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from thunderlab import canonical, seeds
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.qa.facts import Facts
from thunderlab.automata.rules import Rule
from thunderlab.automata.soup import soup

FORMAT = 1

Regime = Literal["fixed", "periodic", "chaotic", "edge"]

# Fewer seeds than 20 cannot keep a false alarm below one in a thousand, see `bands.median_ranks`.
LEAST_SEEDS = 20
MOST_SEEDS = 1024


class EnsembleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many further soups of a scenario are run beside its own, and how often they are looked at.

    Attributes:
        seeds: how many soups, 20..1024.
        every: steps between two looks; step 0 and the last step are looked at, too.
    """

    seeds: Annotated[int, Meta(ge=LEAST_SEEDS, le=MOST_SEEDS)]
    every: Annotated[int, Meta(ge=1)] = 10


class EmergenceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That the emergence of a scenario's start is measured, and over how many steps; see `emergence.measure`."""

    steps: Annotated[int, Meta(ge=64, le=10_000)]


def member_seed(seed: int, member: int) -> int:
    """Return the seed of one soup of an ensemble: the upper 63 bits of the first word of `seeds.stream(seed, "ensemble", member)`.

    >>> member_seed(7, 0) == member_seed(7, 0), member_seed(7, 0) == member_seed(7, 1)
    (True, False)
    """
    return int(seeds.stream(seed, "ensemble", member).bit_generator.random_raw()) >> 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenario:
    """One experiment, complete and checked.

    Attributes:
        name: slug, the file's name without its ending.
        title: what it is, in words.
        regime: `fixed`, `periodic`, `chaotic` or `edge`.
        rule: of as many dimensions as `shape`.
        boundary: "torus", "dead" or "plane".
        shape: lattice sizes, `[y x]` or `[z y x]`; on a plane those of the box the start lies in, from whose first cell places count.
        seed: integer >= 0 that a soup is drawn from.
        density: of the soup, 0..1; None when the start is a pattern.
        duration: steps to run.
        probes: steps whose state is kept, ascending, within 0..duration.
        expect: published facts.
        source: where the facts come from.
        pattern: uint8 cells of the start pattern, None for a soup.
        offset: where the pattern's first corner lies.
        soup_box: sizes of the centred box the soup fills; None for the whole lattice.
        ensemble: further soups of the same density that its bands are calibrated on; None when there are none.
        emergence: whether and how its emergence is measured.
    """

    name: str
    title: str
    regime: Regime
    rule: Rule
    boundary: Boundary
    shape: tuple[int, ...]
    seed: int
    density: float | None
    duration: int
    probes: tuple[int, ...]
    expect: Facts
    source: str
    pattern: Cells | None = field(default=None, repr=False)
    offset: tuple[int, ...] | None = None
    soup_box: tuple[int, ...] | None = None
    ensemble: EnsembleSpec | None = None
    emergence: EmergenceSpec | None = None

    def initial_cells(self) -> Cells:
        """Return the state at step 0: uint8 of `shape`, states 0..n-1; the same for the same scenario on every machine."""
        if self.pattern is None:
            assert self.density is not None
            return soup(self.shape, self.density, self.seed, self.soup_box)
        cells = np.zeros(self.shape, dtype=np.uint8)
        assert self.offset is not None
        cells[tuple(slice(at, at + size) for at, size in zip(self.offset, self.pattern.shape, strict=True))] = self.pattern
        return cells

    def ensemble_cells(self) -> Cells:
        """Return the states at step 0 of the ensemble's soups, uint8 `[seed ...]`: soup i has the seed `member_seed(seed, i)`."""
        assert self.ensemble is not None
        assert self.density is not None
        density, box = self.density, self.soup_box
        return np.stack([soup(self.shape, density, member_seed(self.seed, member), box) for member in range(self.ensemble.seeds)])

    @cached_property
    def digest(self) -> str:
        """Return the digest of what the scenario means: spelling, comments and the way a pattern is written do not count."""
        cells = self.initial_cells()
        start = np.packbits(cells) if self.rule.states == 2 else cells
        further = {} if self.ensemble is None else {"ensemble": msgspec.to_builtins(self.ensemble), "soup_box": self.soup_box}
        further |= {} if self.emergence is None else {"emergence": msgspec.to_builtins(self.emergence)}
        return canonical.digest_of(
            {
                "format": FORMAT,
                "name": self.name,
                "rule": str(self.rule),
                "boundary": self.boundary,
                "shape": list(self.shape),
                "seed": self.seed,
                "density": self.density,
                "duration": self.duration,
                "probes": list(self.probes),
                "expect": msgspec.to_builtins(self.expect),
                "start": hashlib.sha256(start.tobytes()).hexdigest(),
                **further,
            }
        )
