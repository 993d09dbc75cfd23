"""The packed engine in three dimensions: what the kernels are given."""

from __future__ import annotations

from functools import partial

import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.folds import Folds
from thunderlab.automata.kernels.layout import WORDS, Bits, keys
from thunderlab.automata.kernels.packed import Packed, moebius, spread
from thunderlab.automata.kernels.plane_engine import bit_planes, cells_of, dying_planes, limit_masks, small_masks
from thunderlab.automata.rules import OuterTotalistic


class Volume(Packed):
    """A 3D lattice under an outer-totalistic rule.

    Args:
        cells: uint8 `[z y x]`; valid, the caller has checked.
        rule: of three dimensions.
        boundary: "torus" or "dead".
    """

    def __init__(self, cells: Cells, rule: OuterTotalistic, boundary: Boundary) -> None:
        from thunderlab.automata.kernels.states import PLANES
        from thunderlab.automata.kernels.three_d import HALF, kernels

        depth, height, width = cells.shape
        torus = boundary == "torus"
        self.folds = folds = Folds(height, width)
        planes = bit_planes(cells, rule.states)
        pitch = folds.shape[1]
        last, last_tile, behind, behind_tile = folds.rows
        seal = [number for line, tile in ((last, last_tile), (behind, behind_tile)) for number in self._place(line * pitch, tile)]
        plan = (depth, torus, rule.spontaneous, folds.strips, folds.lines, folds.across, *folds.columns, folds.across, *seal)
        masks = large_masks(rule, HALF) if rule.neighbourhood == "moore" else small_masks(rule)
        table = [spread(masks), limit_masks(rule.states, PLANES), self._keys(len(planes)), folds.valid.reshape(-1, WORDS)]
        first_tiles = sum(1 << at for at in range(0, 64, folds.across))
        super().__init__(
            [folds.pack(plane, torus=torus and not number) for number, plane in enumerate(planes)],
            np.asarray(cells.any(axis=(1, 2))),
            loops=partial(kernels, rule.neighbourhood, dying_planes(rule.states)),
            plan=plan,
            table=np.concatenate(table),
            numbers=np.array([first_tiles], dtype=np.uint64),
        )

    def _place(self, vector: int, tile: int) -> tuple[int, int]:
        """Return word and bit, from the start of a plane, where a row of tiles in a vector begins."""
        lane = tile * self.folds.across
        return vector * WORDS + lane // 64, lane % 64

    def _keys(self, planes: int) -> Bits:
        keyed = [key for plane in range(planes) for key in keys(plane, self.folds.strips)]
        return np.stack(keyed, axis=1).reshape(-1, WORDS)

    def unpack(self) -> Cells:
        """Return the cells now, uint8 `[z y x]`."""
        return cells_of([self.folds.unpack(self.state(plane)) for plane in range(len(self._grid))])

    def lines(self, plane: int) -> Bits:
        """Return the valid lanes of the lines of all planes, uint64 `[z*Sy Sx WORDS]`."""
        inner = self.state(plane)[:, 1:-1, 1:-1] & self.folds.valid
        return inner.reshape(-1, self.folds.strips, WORDS)


def large_masks(rule: OuterTotalistic, half: int) -> list[int]:
    """Return the 56 coefficients, 0 or 1, of a rule with 26 neighbours.

    As in 2D the next state is dead(count) ^ centre * flip(count), count = 16 b4 + ... + b0. Counts from 28 on do not occur, so
    nothing depends on the monomials with b4 b3 b2 and each polynomial has the 28 others. Count 27 with a dead centre and count 0
    with a live one do not occur either; they are filled such that their coefficients are 0.

    >>> rule = OuterTotalistic.parse("B/S0-26", dimensions=3)
    >>> large_masks(rule, 28) == [0] * 28 + [0] + [1] * 27  # nothing is born and nothing dies
    True
    """
    dead = [int(count in rule.birth) for count in range(27)] + [0] * 5
    live = dead[:1] + [int(count - 1 in rule.survival) for count in range(1, 28)] + [0] * 4
    of_dead = moebius(dead)
    dead[27] ^= of_dead[27]
    flip = [a ^ b for a, b in zip(dead, live, strict=True)]
    return moebius(dead)[:half] + moebius(flip)[:half]
