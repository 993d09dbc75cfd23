"""Scenarios: what to run, from which start, for how long, and what is known about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np

from thunderlab import canonical
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.facts import Facts
from thunderlab.automata.rules import Rule
from thunderlab.automata.soup import soup

FORMAT = 1

Regime = Literal["fixed", "periodic", "chaotic", "edge"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenario:
    """One experiment, complete and checked.

    Attributes:
        name: slug, the file's name without its ending.
        title: what it is, in words.
        regime: `fixed`, `periodic`, `chaotic` or `edge`.
        rule: of as many dimensions as `shape`.
        boundary: "torus" or "dead".
        shape: lattice sizes, `[y x]` or `[z y x]`.
        seed: integer >= 0 that a soup is drawn from.
        density: of the soup, 0..1; None when the start is a pattern.
        duration: steps to run.
        probes: steps whose state is kept, ascending, within 0..duration.
        expect: published facts.
        source: where the facts come from.
        pattern: uint8 cells of the start pattern, None for a soup.
        offset: where the pattern's first corner lies.
        soup_box: sizes of the centred box the soup fills; None for the whole lattice.
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

    def initial_cells(self) -> Cells:
        """Return the state at step 0: uint8 of `shape`, 0 or 1; the same for the same scenario on every machine."""
        if self.pattern is None:
            assert self.density is not None
            return soup(self.shape, self.density, self.seed, self.soup_box)
        cells = np.zeros(self.shape, dtype=np.uint8)
        assert self.offset is not None
        cells[tuple(slice(at, at + size) for at, size in zip(self.offset, self.pattern.shape, strict=True))] = self.pattern
        return cells

    @cached_property
    def digest(self) -> str:
        """Return the digest of what the scenario means: spelling, comments and the way a pattern is written do not count."""
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
                "start": hashlib.sha256(np.packbits(self.initial_cells()).tobytes()).hexdigest(),
            }
        )
