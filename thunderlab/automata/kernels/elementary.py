"""The kernel for elementary rules: every row is a lattice of its own, and the next state is one of 256 functions of three cells.

The function is a polynomial over GF(2) whose eight coefficients are data. Importing this module starts the backend; annotations here
are read by Taichi, so they must not be postponed.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; all families take the same ones

from functools import cache

from thunderlab.automata.kernels.rows import loops
from thunderlab.automata.kernels.states import placing, tracing
from thunderlab.automata.kernels.vectors import any_of, popcount, ti, total

MASKS = 8
STRIP = MASKS  # from here on in the table, for every vector of a row: the valid lanes and two keys


@cache
def kernels(traced):
    """Return the serial and the parallel kernel, compiled when first launched."""
    place = placing(0)
    trace = tracing(1)

    @ti.func
    def compute(grid: ti.template(), table: ti.template(), numbers: ti.template(), up, row, down, out, stride, strips):
        some = grid[row] & ti.u64(0)
        live = some
        sum0 = some
        sum1 = some
        for s in range(strips):
            left, centre, right = grid[row + s], grid[row + s + 1], grid[row + s + 2]
            new = table[0] ^ (table[1] & right) ^ (centre & (table[2] ^ (table[3] & right)))
            new ^= left & (table[4] ^ (table[5] & right) ^ (centre & (table[6] ^ (table[7] & right))))
            at = STRIP + 3 * s
            living = place(grid, table, 0, new, centre, table[at], row + s + 1, out + s + 1, stride)
            some |= living
            if ti.static(traced):
                live += popcount(living)
                sum0, sum1 = trace(grid, table, at + 1, out + s + 1, stride, sum0, sum1)
        return any_of(some), total(live), total(sum0), total(sum1)

    return loops(compute, planes=1, traced=traced)
