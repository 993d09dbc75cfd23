"""The 3D kernel for every outer-totalistic rule: 26 or 6 neighbours, two states and Generations, in the layout of `folds`.

The 27 cells around and in a place are added bit-sliced (0..27, centre included): first the nine across z and y, which serve three
places along x, then three of those. The rule is a polynomial over GF(2) in the five bits of that sum and the centre, whose
coefficients are data: no rule needs compiling.

Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

from functools import cache

from thunderlab.automata.kernels.outer_totalistic import MASKS as SMALL
from thunderlab.automata.kernels.outer_totalistic import next_state
from thunderlab.automata.kernels.rows import empty, seal
from thunderlab.automata.kernels.states import PLANES, placing, tracing
from thunderlab.automata.kernels.sweep import TORUS, UNITS, sweeps
from thunderlab.automata.kernels.vectors import add3, add_pairs, any_of, digest_of, popcount, ti, total

# Where things are in the plan, behind UNITS and TORUS. Columns are vectors and tiles; SEAL begins what `rows.seal` wants to know of y.
SPONTANEOUS, STRIPS, LINES, ACROSS, LAST, LAST_TILE, AFTER, AFTER_TILE, SEAL = range(2, 11)

HALF = 28
MASKS = {"moore": 2 * HALF, "von-neumann": SMALL}


def strip(neighbourhood):
    """Return where in the table the keys of a line's vectors are, two for each plane; behind all of them come the valid lanes."""
    return MASKS[neighbourhood] + PLANES


@ti.func
def quarter(b0, b1, table: ti.template(), at: ti.template()):
    """Return the polynomial in the two lowest bits whose four coefficients start at `at`."""
    return table[at] ^ (table[at + 1] & b0) ^ (b1 & (table[at + 2] ^ (table[at + 3] & b0)))


@ti.func
def half(b0, b1, b2, b3, b4, table: ti.template(), at: ti.template()):
    """Return the polynomial whose 28 coefficients start at `at`, by Horner's scheme."""
    low = quarter(b0, b1, table, at) ^ (b2 & quarter(b0, b1, table, at + 4))
    low ^= b3 & (quarter(b0, b1, table, at + 8) ^ (b2 & quarter(b0, b1, table, at + 12)))
    high = quarter(b0, b1, table, at + 16) ^ (b2 & quarter(b0, b1, table, at + 20))
    high ^= b3 & quarter(b0, b1, table, at + 24)
    return low ^ (b4 & high)


@ti.func
def nine(grid: ti.template(), above, here, below, pitch):
    """Return the four bits of the sum across z and y at one vector."""
    a0, a1 = add3(grid[above - pitch], grid[here - pitch], grid[below - pitch])
    b0, b1 = add3(grid[above], grid[here], grid[below])
    c0, c1 = add3(grid[above + pitch], grid[here + pitch], grid[below + pitch])
    return add_pairs(a0, a1, b0, b1, c0, c1)


@ti.func
def add_nines(l0, l1, l2, l3, h0, h1, h2, h3, r0, r1, r2, r3):
    """Return the five bits of the sum of three numbers of four bits each, together at most 27."""
    b0, ones = add3(l0, h0, r0)
    b1, twos = add3(l1, h1, r1)
    b2, fours = add3(l2, h2, r2)
    b3, eights = add3(l3, h3, r3)
    c2, carry4 = add3(b2, twos, b1 & ones)
    c3, carry8 = add3(b3, fours, carry4)
    return b0, b1 ^ ones, c2, c3, eights ^ carry8


@ti.func
def moore(grid: ti.template(), table: ti.template(), above, here, below, pitch, l0, l1, l2, l3, h0, h1, h2, h3):
    """Return what the rule makes of vector `here`, and the sums across z and y at it and behind it."""
    r0, r1, r2, r3 = nine(grid, above + 1, here + 1, below + 1, pitch)
    b0, b1, b2, b3, b4 = add_nines(l0, l1, l2, l3, h0, h1, h2, h3, r0, r1, r2, r3)
    new = half(b0, b1, b2, b3, b4, table, 0) ^ (grid[here] & half(b0, b1, b2, b3, b4, table, HALF))
    return new, h0, h1, h2, h3, r0, r1, r2, r3


@ti.func
def von_neumann(grid: ti.template(), table: ti.template(), above, here, below, pitch, l0, l1, l2, l3, h0, h1, h2, h3):
    """Return likewise what becomes of it among the six across a face."""
    centre = grid[here]
    across, carry0 = add3(grid[here - 1], centre, grid[here + 1])
    along, carry1 = add3(grid[here - pitch], grid[here + pitch], grid[above])
    b0, carry2 = add3(across, along, grid[below])
    b1, b2 = add3(carry0, carry1, carry2)
    new = next_state(b0, b1, b2, b0 & ti.u64(0), centre, table)
    return new, l0, l1, l2, l3, h0, h1, h2, h3


RULES = {"moore": moore, "von-neumann": von_neumann}


@ti.func
def seal_line(grid: ti.template(), numbers: ti.template(), plan: ti.template(), line, strips, torus):
    """Write the two ghosts of a finished line: each tile's neighbours in the tile beside it."""
    opening = numbers[0]  # the first tile of every row of tiles
    last_bit = plan[ACROSS] - 1
    after = plan[AFTER]
    if torus and after <= strips:
        grid[line + after] = grid[line + after] | ((grid[line + 1] & opening) << plan[AFTER_TILE])
    first = grid[line + 1]
    left = (grid[line + strips] << 1) & ~opening
    right = (first >> 1) & ~(opening << last_bit)
    if torus:
        left |= (grid[line + plan[LAST]] >> plan[LAST_TILE]) & opening
        if after > strips:
            right |= (first & opening) << last_bit
    grid[line] = left
    grid[line + strips + 1] = right


@cache
def kernels(neighbourhood, dying, traced):
    """Return the serial and the parallel kernel for a neighbourhood and so many planes of dying cells, compiled when first launched."""
    planes = dying + 1
    keys = strip(neighbourhood)
    compute = computing(neighbourhood, dying, traced)

    @ti.func
    def update(
        grid: ti.template(), words: ti.template(), live: ti.template(), table: ti.template(), numbers: ti.template(),
        plan: ti.template(), source, z,
    ):  # fmt: skip
        depth = plan[UNITS]
        torus = plan[TORUS]
        strips = plan[STRIPS]
        lines = plan[LINES]
        before, after = beside(z, depth, torus)
        pitch = strips + 2
        area = pitch * (lines + 2)
        here = source * (depth + 1)
        there = (1 - source) * (depth + 1)
        stride = 2 * (depth + 1) * area
        population = ti.u64(0)
        digest = ti.u64(0)
        if plan[SPONTANEOUS] | live[here + before] | live[here + z] | live[here + after]:
            some = ti.u64(0)
            for y in range(lines):
                line = (y + 1) * pitch
                alive, found, sum0, sum1 = compute(
                    grid, table, (here + before) * area + line, (here + z) * area + line, (here + after) * area + line,
                    (there + z) * area + line, stride, pitch, strips, keys + (2 * planes + y) * strips,
                )  # fmt: skip
                some |= alive
                seal_line(grid, numbers, plan, (there + z) * area + line, strips, torus)
                if ti.static(traced):
                    population += found
                    digest += digest_of(found, sum0, sum1, z * lines + y)
            for s in range(pitch):
                seal(grid, words, plan, SEAL, (there + z) * area + s, pitch, lines, torus)
            live[there + z] = ti.cast(some != 0, ti.i32)
        else:
            empty(grid, live, there + z, (there + z) * area, area, stride, planes)
        return population, digest

    return sweeps(update)


@ti.func
def beside(z, depth, torus):
    """Return the planes before and behind one; beyond a dead edge that is the empty one behind the last."""
    before = z - 1
    after = z + 1
    if before < 0:
        before = depth - 1 if torus else depth
    if after == depth and torus:
        after = 0
    return before, after


def computing(neighbourhood, dying, traced):
    """Return a Taichi function that writes a line's next state without its ghosts; see `rows.loops` for what it returns."""
    rule = RULES[neighbourhood]
    masks = MASKS[neighbourhood]
    keys = strip(neighbourhood)
    place = placing(dying)
    trace = tracing(dying + 1)
    planes = dying + 1

    @ti.func
    def compute(grid: ti.template(), table: ti.template(), above, here, below, out, stride, pitch, strips, valid):
        l0, l1, l2, l3 = nine(grid, above, here, below, pitch)
        h0, h1, h2, h3 = nine(grid, above + 1, here + 1, below + 1, pitch)
        some = h0 & ti.u64(0)
        live = some
        sum0 = some
        sum1 = some
        for s in range(1, strips + 1):
            new, l0, l1, l2, l3, h0, h1, h2, h3 = rule(
                grid, table, above + s, here + s, below + s, pitch, l0, l1, l2, l3, h0, h1, h2, h3
            )  # fmt: skip
            living = place(grid, table, masks, new, grid[here + s], table[valid + s - 1], here + s, out + s, stride)
            some |= living
            if ti.static(traced):
                live += popcount(living)
                sum0, sum1 = trace(grid, table, keys + 2 * planes * (s - 1), out + s, stride, sum0, sum1)
        return any_of(some), total(live), total(sum0), total(sum1)

    return compute
