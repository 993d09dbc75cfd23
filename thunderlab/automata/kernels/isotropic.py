"""The 2D kernel for every rule that looks at the nine cells of a 3 x 3 block, whatever it makes of them: isotropic ones among them.

The next state is a polynomial over GF(2) in nine variables, in blocks of sixteen terms; its 512 coefficients are data, words of all
ones or all zeros, so no rule needs compiling.

Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; all families take the same ones

from functools import cache

from thunderlab.automata.kernels.rows import cellwise, loops
from thunderlab.automata.kernels.vectors import splat, ti

BLOCK = 21  # words of `numbers` a block takes


@ti.func
def polynomial(numbers: ti.template(), v0, v1, v2, v3, v4, v5, v6, v7, v8):
    """Return the polynomial in nine variables, read from `numbers`: how many blocks there are, then the blocks.

    A block has 16 coefficients for the products of the four lowest variables, then a word for each other one: 0 when the block is
    multiplied with it, all ones when it is not.
    """
    m3 = v0 & v1
    m12 = v2 & v3
    m5, m6, m7, m9, m10, m11 = v0 & v2, v1 & v2, m3 & v2, v0 & v3, v1 & v3, m3 & v3
    m13, m14, m15 = v0 & m12, v1 & m12, m3 & m12
    result = v0 & ti.u64(0)
    for block in range(ti.cast(numbers[0], ti.i32)):
        at = 1 + block * BLOCK
        part = splat(numbers[at]) ^ (splat(numbers[at + 1]) & v0)
        part ^= splat(numbers[at + 2]) & v1
        part ^= splat(numbers[at + 3]) & m3
        part ^= splat(numbers[at + 4]) & v2
        part ^= splat(numbers[at + 5]) & m5
        part ^= splat(numbers[at + 6]) & m6
        part ^= splat(numbers[at + 7]) & m7
        part ^= splat(numbers[at + 8]) & v3
        part ^= splat(numbers[at + 9]) & m9
        part ^= splat(numbers[at + 10]) & m10
        part ^= splat(numbers[at + 11]) & m11
        part ^= splat(numbers[at + 12]) & m12
        part ^= splat(numbers[at + 13]) & m13
        part ^= splat(numbers[at + 14]) & m14
        part ^= splat(numbers[at + 15]) & m15
        part &= v4 | splat(numbers[at + 16])
        part &= v5 | splat(numbers[at + 17])
        part &= v6 | splat(numbers[at + 18])
        part &= v7 | splat(numbers[at + 19])
        part &= v8 | splat(numbers[at + 20])
        result ^= part
    return result


@ti.func
def rule(grid: ti.template(), table: ti.template(), numbers: ti.template(), up, row, down):
    """Return the polynomial in the cells of a block, row by row."""
    return polynomial(
        numbers, grid[up], grid[up + 1], grid[up + 2], grid[row], grid[row + 1], grid[row + 2], grid[down], grid[down + 1], grid[down + 2]
    )  # fmt: skip


@cache
def kernels(traced):
    """Return the serial and the parallel kernel, compiled when first launched."""
    return loops(cellwise(rule, traced), planes=1, traced=traced)
