"""The 2D kernel for every outer-totalistic rule: Moore, hexagonal and von Neumann neighbourhoods, two states and Generations.

The cells around and in a place are added bit-sliced (0..9, centre included), columns first, because a column's sum serves three
places. The rule is then a polynomial over GF(2) in the four bits of that sum and the centre, whose coefficients are data: 18 masks
of all ones or all zeros, so no rule needs compiling.

Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; all families take the same ones

from functools import cache

from thunderlab.automata.kernels.rows import loops
from thunderlab.automata.kernels.states import PLANES, placing, tracing
from thunderlab.automata.kernels.vectors import add2, add3, add_pairs, any_of, popcount, ti, total

MASKS = 18
STRIP = MASKS + PLANES  # from here on, for every vector of a row: the valid lanes, then two keys a plane


@ti.func
def next_state(b0, b1, b2, b3, centre, table: ti.template()):
    """Return the rule's polynomial, by Horner's scheme."""
    dead = table[0] ^ (table[1] & b0) ^ (b1 & (table[2] ^ (table[3] & b0)))
    dead ^= b2 & (table[4] ^ (table[5] & b0) ^ (b1 & (table[6] ^ (table[7] & b0))))
    dead ^= b3 & table[8]
    flip = (table[9] & b0) ^ (b1 & (table[10] ^ (table[11] & b0)))
    flip ^= b2 & (table[12] ^ (table[13] & b0) ^ (b1 & (table[14] ^ (table[15] & b0))))
    flip ^= b3 & (table[16] ^ (table[17] & b0))
    return dead ^ (centre & flip)


@ti.func
def moore(left0, left1, here0, here1, grid: ti.template(), up, row, down, s):
    """Return the sum around vector s, four bits; then the columns at and behind it, and the centre behind it."""
    next_centre = grid[row + s + 2]
    right0, right1 = add3(grid[up + s + 2], next_centre, grid[down + s + 2])
    b0, b1, b2, b3 = add_pairs(left0, left1, here0, here1, right0, right1)
    return b0, b1, b2, b3, here0, here1, right0, right1, next_centre


@ti.func
def hexagonal(left0, left1, here0, here1, grid: ti.template(), up, row, down, s):
    """Return likewise the sum without the upper right and the lower left neighbour, at most 7."""
    next_centre = grid[row + s + 2]
    left0, left1 = add2(grid[up + s], grid[row + s])
    here0, here1 = add3(grid[up + s + 1], grid[row + s + 1], grid[down + s + 1])
    right0, right1 = add2(next_centre, grid[down + s + 2])
    b0, b1, b2, _ = add_pairs(left0, left1, here0, here1, right0, right1)
    return b0, b1, b2, b2 & ti.u64(0), left0, left1, here0, here1, next_centre


@ti.func
def von_neumann(left0, left1, here0, here1, grid: ti.template(), up, row, down, s):
    """Return likewise the sum of the centre and the four across an edge, at most 5."""
    next_centre = grid[row + s + 2]
    here0, here1 = add3(grid[up + s + 1], grid[row + s + 1], grid[down + s + 1])
    b0, carry = add3(grid[row + s], here0, next_centre)
    return b0, here1 ^ carry, here1 & carry, b0 & ti.u64(0), left0, left1, here0, here1, next_centre


SUMS = {"moore": moore, "hexagonal": hexagonal, "von-neumann": von_neumann}


@cache
def kernels(neighbourhood, dying, traced):
    """Return the serial and the parallel kernel for a neighbourhood and so many planes of dying cells, compiled when first launched."""
    around = SUMS[neighbourhood]
    place = placing(dying)
    trace = tracing(dying + 1)
    entries = 1 + 2 * (dying + 1)

    @ti.func
    def compute(grid: ti.template(), table: ti.template(), numbers: ti.template(), up, row, down, out, stride, strips):
        left0, left1 = add3(grid[up], grid[row], grid[down])
        centre = grid[row + 1]
        here0, here1 = add3(grid[up + 1], centre, grid[down + 1])
        some = here0 & ti.u64(0)
        live = some
        sum0 = some
        sum1 = some
        for s in range(strips):
            b0, b1, b2, b3, left0, left1, here0, here1, behind = around(left0, left1, here0, here1, grid, up, row, down, s)
            new = next_state(b0, b1, b2, b3, centre, table)
            at = STRIP + entries * s
            living = place(grid, table, MASKS, new, centre, table[at], row + s + 1, out + s + 1, stride)
            centre = behind
            some |= living
            if ti.static(traced):
                live += popcount(living)
                sum0, sum1 = trace(grid, table, at + 1, out + s + 1, stride, sum0, sum1)
        return any_of(some), total(live), total(sum0), total(sum1)

    return loops(compute, planes=dying + 1, traced=traced)
