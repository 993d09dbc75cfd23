"""Counting lane by lane: how many cells of each seed are not 0, and how many changed in the last step.

Lanes are counted bit-sliced, in a carry-save tree of eight vectors at a time (Harley and Seal; Warren, Hacker's Delight, section 5-1),
so nothing is unpacked. Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

# mypy: disable-error-code="valid-type"

from functools import cache

from thunderlab.automata.kernels.vectors import Numbers, Vectors, add3, ti

# Counters of so many bits, enough for every lattice there may be.
BITS = 32


@ti.func
def add_eights(counts: ti.template(), first, carry):
    """Add a bit of weight 8 to the counters that start at vector `first`."""
    for k in range(3, BITS):
        count = counts[first + k]
        counts[first + k] = count ^ carry
        carry &= count


@cache
def census(planes):
    """Return a kernel `(grid, valid, counts, plan)` that counts the lanes of a lattice, whatever its family.

    `counts` gets 2 BITS vectors, lowest bit first: the cells that are not 0, then those that differ from the step before. `plan` holds
    the lines, the vectors of a line with their ghosts, where in the grid the present and the earlier state start, and how far apart bit
    planes are.

    Args:
        planes: bit planes of a state.
    """

    @ti.func
    def seen(grid: ti.template(), valid: ti.template(), plan: ti.template(), line, s, changed: ti.template()):
        lines = plan[0]
        at = ti.min(line, lines) * plan[1] + s + 1  # the line behind the last is empty
        result = valid[s] & ti.u64(0)
        for k in ti.static(range(planes)):
            here = grid[plan[2] + k * plan[4] + at]
            if ti.static(changed):
                here ^= grid[plan[3] + k * plan[4] + at]
            result |= here
        return result & valid[s]

    @ti.func
    def count(grid: ti.template(), valid: ti.template(), counts: ti.template(), plan: ti.template(), first, changed: ti.template()):
        ones = valid[0] & ti.u64(0)
        twos = ones
        fours = ones
        for k in range(BITS):
            counts[first + k] = ones
        for octet in range((plan[0] + 7) // 8):
            line = 8 * octet
            for s in range(plan[1] - 2):
                ones, a = add3(ones, seen(grid, valid, plan, line, s, changed), seen(grid, valid, plan, line + 1, s, changed))
                ones, b = add3(ones, seen(grid, valid, plan, line + 2, s, changed), seen(grid, valid, plan, line + 3, s, changed))
                twos, c = add3(twos, a, b)
                ones, a = add3(ones, seen(grid, valid, plan, line + 4, s, changed), seen(grid, valid, plan, line + 5, s, changed))
                ones, b = add3(ones, seen(grid, valid, plan, line + 6, s, changed), seen(grid, valid, plan, line + 7, s, changed))
                twos, d = add3(twos, a, b)
                fours, eights = add3(fours, c, d)
                add_eights(counts, first, eights)
        counts[first] = ones
        counts[first + 1] = twos
        counts[first + 2] = fours

    @ti.kernel
    def kernel(grid: Vectors, valid: Vectors, counts: Vectors, plan: Numbers):
        ti.loop_config(serialize=True)
        for _ in range(1):
            count(grid, valid, counts, plan, 0, False)
            count(grid, valid, counts, plan, BITS, True)

    return kernel
