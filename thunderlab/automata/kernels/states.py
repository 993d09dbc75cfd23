"""What a place does with its new state: two states in one bit plane, or Generations in several; and what it adds to the trace.

Plane 0 holds the live cells. A cell that dies counts 1, 2, ... in the other planes, and is dead when it has come to the limit: state k
counts k - 1, and a rule with n states has the limit n - 2. Importing this module starts the backend; annotations here are read by
Taichi, so they must not be postponed.
"""

from functools import cache

from thunderlab.automata.kernels.vectors import product, ti

PLANES = 8  # a dying cell's count at most, enough for 256 states


@cache
def placing(dying):
    """Return a Taichi function that writes the new state of a vector and returns where it is not 0.

    It takes `(grid, table, limit, new, centre, valid, row, out, stride)`: the masks of the limit start at `limit` of the table, `new` is where the rule
    wants life, `row` and `out` are the vector before and after, `stride` lies between planes.

    Args:
        dying: planes a dying cell counts in, 0 for two states.
    """

    @ti.func
    def place(grid: ti.template(), table: ti.template(), limit: ti.template(), new, centre, valid, row, out, stride):
        living = new & valid
        if ti.static(dying == 0):
            grid[out] = living
        else:
            starts = centre & ~new & valid
            waning = grid[row + stride]
            last = ~(waning ^ table[limit])
            for k in ti.static(range(1, dying)):
                count = grid[row + (k + 1) * stride]
                waning |= count
                last &= ~(count ^ table[limit + k])
            living &= ~waning
            grid[out] = living
            goes_on = waning & ~last
            carry = goes_on
            for k in ti.static(range(dying)):
                count = grid[row + (k + 1) * stride]
                counted = (count ^ carry) & goes_on
                carry &= count
                if ti.static(k == 0):
                    counted |= starts
                grid[out + (k + 1) * stride] = counted
                living |= counted
        return living

    return place


@cache
def tracing(planes):
    """Return a Taichi function that adds a vector to the two sums of its line's hash: `(grid, table, keys, out, stride, sum0, sum1)`.

    Args:
        planes: bit planes, each with two keys from `keys` of the table on.
    """

    @ti.func
    def trace(grid: ti.template(), table: ti.template(), keys, out, stride, sum0, sum1):
        for k in ti.static(range(planes)):
            words = grid[out + k * stride]
            sum0 += product(words + table[keys + 2 * k])
            sum1 += product(words + table[keys + 2 * k + 1])
        return sum0, sum1

    return trace
