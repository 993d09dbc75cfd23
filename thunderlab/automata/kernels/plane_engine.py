"""The packed engines in two dimensions: what the kernels of each family are given, for one lattice or for many side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.layout import WORDS, Bits, Blocks, aligned, as_lanes, keys, parts_of
from thunderlab.automata.kernels.packed import Loop, Packed, moebius, spread
from thunderlab.automata.rules import Elementary, Isotropic, OuterTotalistic, Rule


class Plane(Packed):
    """Lattices of one size, packed and stepped together.

    Args:
        cells: uint8 `[seed y x]`; valid, the caller has checked.
        rule: of the family the kernels are of.
        boundary: "torus" or "dead".
        loops: gives the kernels, traced or not.
        masks: the rule as the kernels' first vectors, uint64 `[n WORDS]`.
        numbers: the kernels' words.
        alone: whether rows do not look at each other.
    """

    def __init__(
        self,
        cells: Cells,
        rule: Rule,
        boundary: Boundary,
        *,
        loops: Callable[[bool], tuple[Loop, Loop]],
        masks: Bits,
        numbers: Bits | None = None,
        alone: bool = False,
    ) -> None:
        self._shape = cells.shape
        many, height, width = cells.shape
        torus = boundary == "torus"
        self._parts = parts_of(height, width) if many == 1 else 1
        lines = height // self._parts
        self.blocks = Blocks(width, many * self._parts)
        planes = [plane.reshape(-1, lines, width) for plane in bit_planes(cells, rule.states)]
        meeting = self._parts > 1 and not alone
        plan = (
            lines, torus or meeting, rule.spontaneous, alone, self.blocks.count, torus, self._parts if meeting else 1,
            self.blocks.share, *self.blocks.last, *self.blocks.after,
        )  # fmt: skip
        super().__init__(
            # Only live cells are looked at from beside, so only they have ghosts.
            [self.blocks.pack(plane, torus=torus and not number) for number, plane in enumerate(planes)],
            np.asarray(cells.reshape(-1, lines, width).any(axis=(0, 2))),
            loops=loops,
            plan=plan,
            table=np.concatenate([masks, self._by_strip(len(planes))]),
            numbers=np.zeros(0, dtype=np.uint64) if numbers is None else numbers,
            ghosts=self._meeting(planes[0], torus=torus),
        )

    def _meeting(self, parts: Cells, *, torus: bool) -> Bits:
        """Return the ghost lines of parts, uint8 `[part y x]`: what is above their first rows, and below their last ones."""
        above, below = np.roll(parts[:, -1:], 1, axis=0), np.roll(parts[:, :1], -1, axis=0)
        if not torus:
            above[0] = below[-1] = 0
        return np.concatenate([self.blocks.pack(ghost, torus=torus) for ghost in (above, below)])

    def _by_strip(self, planes: int) -> Bits:
        """Return the valid lanes and the keys of every vector of a row, uint64 `[n WORDS]`, as the kernels find them."""
        keyed = [key for plane in range(planes) for key in keys(plane, self.blocks.count)]
        return np.stack([self.blocks.valid, *keyed], axis=1).reshape(-1, WORDS)

    def unpack(self) -> Cells:
        """Return the cells now, uint8 `[seed y x]`."""
        return cells_of([self.blocks.unpack(self.state(plane)) for plane in range(len(self._grid))]).reshape(self._shape)

    def counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return for each seed how many cells are not 0, and how many differ from the step before (from nothing, before the first)."""
        from thunderlab.automata.kernels.census import BITS, census

        planes, lines, pitch = len(self._grid), self._units, self.blocks.count + 2
        state = self._grid.shape[2] * pitch
        now = self.steps % 2
        plan = np.array([lines, pitch, now * state, (1 - now) * state, 2 * state], dtype=np.int32)
        counts, valid = aligned((2 * BITS, WORDS)), aligned(self.blocks.valid.shape)
        valid[:] = self.blocks.valid
        with backend.start().launching:
            census(planes)(self._grid.reshape(-1, WORDS), valid, counts, plan)
        lanes = as_lanes(counts).reshape(2, BITS, self.blocks.blocks, self.blocks.share)[..., : self.blocks.seeds]
        weights = np.int64(1) << np.arange(BITS, dtype=np.int64)
        alive, changed = np.tensordot(weights, lanes.sum(axis=2, dtype=np.int64), axes=(0, 1)).reshape(2, -1, self._parts).sum(axis=2)
        return alive, changed

    def lines(self, plane: int) -> Bits:
        """Return the valid lanes of the rows, uint64 `[y S WORDS]`."""
        return self.state(plane)[:, 1:-1] & self.blocks.valid


def bit_planes(cells: Cells, states: int) -> list[Cells]:
    """Return the live cells, and the bits of the count of those that die, lowest first; see `states`.

    >>> [plane.tolist() for plane in bit_planes(np.array([0, 1, 2, 3], dtype=np.uint8), 4)]  # 2 counts 1, 3 counts 2
    [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    """
    if states == 2:
        return [cells]
    count = np.maximum(cells, 1) - 1
    return [(cells == 1).astype(np.uint8), *((count >> bit) & 1 for bit in range(dying_planes(states)))]


def cells_of(planes: Sequence[Cells]) -> Cells:
    """Return the cells whose bit planes these are; the first may be written to.

    >>> cells_of([np.array([0, 1, 0], dtype=np.uint8), np.array([0, 0, 1], dtype=np.uint8)]).tolist()
    [0, 1, 2]
    """
    cells, *counts = planes
    for bit, plane in enumerate(counts):
        cells += plane << bit
    if counts:
        dying = np.bitwise_or.reduce(counts)
        cells += dying
    return cells


def dying_planes(states: int) -> int:
    """Return how many planes a dying cell counts in: its count goes up to states - 2."""
    return (states - 2).bit_length()


def limit_masks(states: int, most: int) -> Bits:
    """Return the count a dying cell ends at, one mask a plane and zeros up to `most` planes, uint64 `[most WORDS]`."""
    return spread([(states - 2) >> bit & 1 for bit in range(most)])


def outer_totalistic(cells: Cells, rule: OuterTotalistic, boundary: Boundary) -> Plane:
    """Return the engine of an outer-totalistic rule for cells `[seed y x]`."""
    from thunderlab.automata.kernels.outer_totalistic import kernels
    from thunderlab.automata.kernels.states import PLANES

    return Plane(
        cells,
        rule,
        boundary,
        loops=partial(kernels, rule.neighbourhood, dying_planes(rule.states)),
        masks=np.concatenate([spread(small_masks(rule)), limit_masks(rule.states, PLANES)]),
    )


def isotropic(cells: Cells, rule: Isotropic, boundary: Boundary) -> Plane:
    """Return the engine of an isotropic rule for cells `[seed y x]`."""
    from thunderlab.automata.kernels.isotropic import kernels

    nothing = np.zeros((0, WORDS), dtype=np.uint64)
    return Plane(cells, rule, boundary, loops=kernels, masks=nothing, numbers=nine_numbers([int(bit) for bit in rule.table]))


def elementary(cells: Cells, rule: Elementary, boundary: Boundary) -> Plane:
    """Return the engine of an elementary rule for cells `[seed y x]`; every row is a lattice of its own."""
    from thunderlab.automata.kernels.elementary import kernels

    masks = spread(moebius([rule.number >> index & 1 for index in range(8)]))
    return Plane(cells, rule, boundary, loops=kernels, masks=masks, alone=True)


def small_masks(rule: OuterTotalistic) -> list[int]:
    """Return the 18 coefficients, 0 or 1, of a rule with at most 8 neighbours.

    With count = 8 b3 + 4 b2 + 2 b1 + b0, centre included, the next state is dead(count) ^ centre * flip(count), where dead is the
    rule for a dead centre and flip its difference from a live one's. b3 excludes b2 and b1, so each polynomial has the 8 monomials
    of b2, b1 and b0, then b3 and b3 b0. Two counts cannot occur (9 with a dead centre, 0 with a live one); they are filled such that
    dead has no b3 b0 and flip no constant, which leaves 9 and 9.

    >>> small_masks(OuterTotalistic.parse("B/S012345678", dimensions=2))  # nothing is born and nothing dies: flip is the OR of all bits
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    dead = [int(count in rule.birth) for count in range(9)]
    dead.append(dead[8] ^ dead[0] ^ dead[1])
    live = [dead[0]] + [int(count - 1 in rule.survival) for count in range(1, 10)]
    flip = [a ^ b for a, b in zip(dead, live, strict=True)]
    halves = [[*moebius(half[:8]), half[8] ^ half[0], half[9] ^ half[8] ^ half[1] ^ half[0]] for half in (dead, flip)]
    return halves[0][:9] + halves[1][1:]


def nine_numbers(values: Sequence[int]) -> Bits:
    """Return a function of nine cells as `isotropic.polynomial` reads it.

    Args:
        values: 512 of 0 and 1; bit k of an index is cell k.

    >>> nine_numbers([0] * 512).tolist()  # no blocks
    [0]
    """
    coefficients = moebius(values)
    blocks = []
    for top, outside in enumerate(product((1, 0), repeat=5)):
        block = coefficients[16 * top : 16 * top + 16]
        if any(block):
            blocks.append([*block, *reversed(outside)])
    words = -np.array(blocks, dtype=np.uint64).reshape(-1)
    return np.concatenate([np.array([len(blocks)], dtype=np.uint64), words])
