"""The 2D kernel: every outer-totalistic rule on the Moore neighbourhood, 256 cells at a time.

The nine cells around and in a place are added bit-sliced (0..9, centre included), columns first, because a column's sum serves
three places. The rule is then a polynomial over GF(2) in the four bits of that sum and the centre, whose coefficients are data:
18 masks of all ones or all zeros, so no rule needs compiling.

Importing this module starts the backend. Annotations here are read by Taichi, so this module must not postpone them.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; both dimensions take the same ones

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels import bits
from thunderlab.automata.kernels.bits import RULE, SUMS, add3, add_pairs, ti
from thunderlab.automata.kernels.packed import Packed, moebius
from thunderlab.automata.rules import OuterTotalistic

MASKS = 18
STRIP = RULE + MASKS


def masks(rule: OuterTotalistic) -> list[int]:
    """Return the 18 coefficients, 0 or 1, of a 2D rule.

    With count = 8 b3 + 4 b2 + 2 b1 + b0 the next state is dead(count) ^ centre * flip(count), where dead is the rule for a dead
    centre and flip its difference from a live one's. b3 excludes b2 and b1, so each polynomial has the 8 monomials of b2, b1 and
    b0, then b3 and b3 b0. Two counts cannot occur (9 with a dead centre, 0 with a live one); they are filled such that dead has no
    b3 b0 and flip no constant, which leaves 9 and 9.

    >>> masks(OuterTotalistic.parse("B/S012345678", dimensions=2))  # nothing is born and nothing dies: flip is the OR of all bits
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    dead = [int(count in rule.birth) for count in range(9)]
    dead.append(dead[8] ^ dead[0] ^ dead[1])
    live = [dead[0]] + [int(count - 1 in rule.survival) for count in range(1, 10)]
    flip = [a ^ b for a, b in zip(dead, live, strict=True)]
    halves = [[*moebius(half[:8]), half[8] ^ half[0], half[9] ^ half[8] ^ half[1] ^ half[0]] for half in (dead, flip)]
    return halves[0][:9] + halves[1][1:]


@ti.func
def next_state(b0, b1, b2, b3, centre, table: ti.template()):
    """Return the rule's polynomial, by Horner's scheme."""
    dead = table[RULE] ^ (table[RULE + 1] & b0) ^ (b1 & (table[RULE + 2] ^ (table[RULE + 3] & b0)))
    dead ^= b2 & (table[RULE + 4] ^ (table[RULE + 5] & b0) ^ (b1 & (table[RULE + 6] ^ (table[RULE + 7] & b0))))
    dead ^= b3 & table[RULE + 8]
    flip = (table[RULE + 9] & b0) ^ (b1 & (table[RULE + 10] ^ (table[RULE + 11] & b0)))
    flip ^= b2 & (table[RULE + 12] ^ (table[RULE + 13] & b0) ^ (b1 & (table[RULE + 14] ^ (table[RULE + 15] & b0))))
    flip ^= b3 & (table[RULE + 16] ^ (table[RULE + 17] & b0))
    return dead ^ (centre & flip)


@ti.func
def compute(grid: ti.template(), table: ti.template(), source, up, row, down, strips):
    """Write a row's next state, ghosts excepted; return its population and the two sums of its fingerprint."""
    centre = grid[source, row, 1]
    left0, left1 = add3(grid[source, up, 0], grid[source, row, 0], grid[source, down, 0])
    here0, here1 = add3(grid[source, up, 1], centre, grid[source, down, 1])
    live = centre & ti.u64(0)
    sum0 = table[SUMS]
    sum1 = table[SUMS + 1]
    for s in range(strips):
        next_centre = grid[source, row, s + 2]
        right0, right1 = add3(grid[source, up, s + 2], next_centre, grid[source, down, s + 2])
        b0, b1, b2, b3 = add_pairs(left0, left1, here0, here1, right0, right1)
        new = next_state(b0, b1, b2, b3, centre, table) & table[STRIP + 3 * s]
        grid[1 - source, row, s + 1] = new
        live += bits.popcount(new)
        sum0 += bits.product(new + table[STRIP + 3 * s + 1])
        sum1 += bits.product(new + table[STRIP + 3 * s + 2])
        left0, left1, here0, here1, centre = here0, here1, right0, right1, next_centre
    return bits.total(live), sum0, sum1


@ti.func
def update(
    grid: ti.template(), live: ti.template(), table: ti.template(), scratch: ti.template(),
    source, row, band, depth, height, strips, last_at, after_at, torus, spontaneous,
):  # fmt: skip
    """Bring one row to the next state and return its population and digest; rows with nothing near them are skipped."""
    up = row - 1
    down = row + 1
    if up < 0:
        up = height - 1 if torus else height
    if down == height and torus:
        down = 0
    population = ti.u64(0)
    digest = ti.u64(0)
    if spontaneous or live[source, up] or live[source, row] or live[source, down]:
        found, sum0, sum1 = compute(grid, table, source, up, row, down, strips)
        bits.seal(grid, table, 1 - source, row, strips, last_at, after_at)
        population = found
        digest = bits.digest_of(population, sum0, sum1, row)
        live[1 - source, row] = ti.cast(population != 0, ti.i32)
    else:
        bits.clear(grid, live, 1 - source, row, strips)
    return population, digest


_LOOPS = bits.loops(update)


class Plane(Packed):
    """A packed 2D lattice; see `Packed`."""

    def __init__(self, cells: Cells, rule: OuterTotalistic, boundary: Boundary) -> None:
        super().__init__(cells, boundary, loops=_LOOPS, coefficients=masks(rule), spontaneous=0 in rule.birth)
