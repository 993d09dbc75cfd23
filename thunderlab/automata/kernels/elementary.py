"""The kernel for elementary rules: every row is a lattice of its own, and the next state is one of 256 functions of three cells.

The function is a polynomial over GF(2) whose eight coefficients are data. Importing this module starts the backend; annotations here
are read by Taichi, so they must not be postponed.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; all families take the same ones

from functools import cache

from thunderlab.automata.kernels.rows import cellwise, loops
from thunderlab.automata.kernels.vectors import ti


@ti.func
def rule(grid: ti.template(), table: ti.template(), numbers: ti.template(), up, row, down):
    """Return the polynomial in the three cells of a row, whose coefficients are the first vectors of the table."""
    left, centre, right = grid[row], grid[row + 1], grid[row + 2]
    new = table[0] ^ (table[1] & right) ^ (centre & (table[2] ^ (table[3] & right)))
    return new ^ (left & (table[4] ^ (table[5] & right) ^ (centre & (table[6] ^ (table[7] & right)))))


@cache
def kernels(traced):
    """Return the serial and the parallel kernel, compiled when first launched."""
    return loops(cellwise(rule, traced), planes=1, traced=traced)
