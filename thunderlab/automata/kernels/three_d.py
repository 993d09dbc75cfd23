"""The 3D kernel: every outer-totalistic rule on the 26 Moore neighbours, 256 cells at a time.

The 27 cells around and in a place are added bit-sliced (0..27, centre included), one plane after another: first the nine across z
and x for every row of the plane, kept in a scratch plane because each serves three places, then three of those along y. The rule
is then a polynomial over GF(2) in the five bits of that sum and the centre, whose coefficients are data: no rule needs compiling.

Importing this module starts the backend. Annotations here are read by Taichi, so this module must not postpone them.
"""

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels import bits
from thunderlab.automata.kernels.bits import RULE, SUMS, add3, add_pairs, ti
from thunderlab.automata.kernels.packed import Packed, moebius
from thunderlab.automata.rules import OuterTotalistic

HALF = 28
STRIP = RULE + 2 * HALF


def masks(rule: OuterTotalistic) -> list[int]:
    """Return the 56 coefficients, 0 or 1, of a 3D rule.

    As in 2D the next state is dead(count) ^ centre * flip(count), count = 16 b4 + ... + b0. Counts from 28 on do not occur, so
    nothing depends on the monomials with b4 b3 b2 and each polynomial has the 28 others. Count 27 with a dead centre and count 0
    with a live one do not occur either; they are filled such that their coefficients are 0.

    >>> masks(OuterTotalistic.parse("B/S0-26", dimensions=3)) == [0] * 28 + [0] + [1] * 27  # nothing is born and nothing dies
    True
    """
    dead = [int(count in rule.birth) for count in range(27)] + [0] * 5
    live = dead[:1] + [int(count - 1 in rule.survival) for count in range(1, 28)] + [0] * 4
    of_dead = moebius(dead)
    dead[27] ^= of_dead[27]
    flip = [a ^ b for a, b in zip(dead, live, strict=True)]
    return moebius(dead)[:HALF] + moebius(flip)[:HALF]


@ti.func
def quarter(b0, b1, table: ti.template(), at):
    """Return the polynomial in the two lowest bits whose four coefficients start at `at`."""
    return table[at] ^ (table[at + 1] & b0) ^ (b1 & (table[at + 2] ^ (table[at + 3] & b0)))


@ti.func
def half(b0, b1, b2, b3, b4, table: ti.template(), at):
    """Return the polynomial whose 28 coefficients start at `at`, by Horner's scheme."""
    low = quarter(b0, b1, table, at) ^ (b2 & quarter(b0, b1, table, at + 4))
    low ^= b3 & (quarter(b0, b1, table, at + 8) ^ (b2 & quarter(b0, b1, table, at + 12)))
    high = quarter(b0, b1, table, at + 16) ^ (b2 & quarter(b0, b1, table, at + 20))
    high ^= b3 & quarter(b0, b1, table, at + 24)
    return low ^ (b4 & high)


@ti.func
def triple(grid: ti.template(), source, row, s):
    """Return the two bits of the sum of the three columns around vector s of a row."""
    return add3(grid[source, row, s], grid[source, row, s + 1], grid[source, row, s + 2])


@ti.func
def flatten(grid: ti.template(), scratch: ti.template(), source, above, row, below, band, y, strips):
    """Write the four bits of the sums across z and x for one row of the plane."""
    for s in range(strips):
        a0, a1 = triple(grid, source, above, s)
        b0, b1 = triple(grid, source, row, s)
        c0, c1 = triple(grid, source, below, s)
        d0, d1, d2, d3 = add_pairs(a0, a1, b0, b1, c0, c1)
        scratch[band, y, 4 * s] = d0
        scratch[band, y, 4 * s + 1] = d1
        scratch[band, y, 4 * s + 2] = d2
        scratch[band, y, 4 * s + 3] = d3


@ti.func
def add_nines(scratch: ti.template(), band, y0, y, y2, s):
    """Return the five bits of the sum of three numbers of four bits each, together at most 27."""
    b0, ones = add3(scratch[band, y0, 4 * s], scratch[band, y, 4 * s], scratch[band, y2, 4 * s])
    b1, twos = add3(scratch[band, y0, 4 * s + 1], scratch[band, y, 4 * s + 1], scratch[band, y2, 4 * s + 1])
    b2, fours = add3(scratch[band, y0, 4 * s + 2], scratch[band, y, 4 * s + 2], scratch[band, y2, 4 * s + 2])
    b3, eights = add3(scratch[band, y0, 4 * s + 3], scratch[band, y, 4 * s + 3], scratch[band, y2, 4 * s + 3])
    c2, carry4 = add3(b2, twos, b1 & ones)
    c3, carry8 = add3(b3, fours, carry4)
    return b0, b1 ^ ones, c2, c3, eights ^ carry8


@ti.func
def compute(grid: ti.template(), scratch: ti.template(), table: ti.template(), source, row, band, y0, y, y2, strips):
    """Write a row's next state, ghosts excepted; return its population and the two sums of its fingerprint."""
    live = table[SUMS] & ti.u64(0)
    sum0 = table[SUMS]
    sum1 = table[SUMS + 1]
    for s in range(strips):
        b0, b1, b2, b3, b4 = add_nines(scratch, band, y0, y, y2, s)
        centre = grid[source, row, s + 1]
        new = half(b0, b1, b2, b3, b4, table, RULE) ^ (centre & half(b0, b1, b2, b3, b4, table, RULE + HALF))
        new &= table[STRIP + 3 * s]
        grid[1 - source, row, s + 1] = new
        live += bits.popcount(new)
        sum0 += bits.product(new + table[STRIP + 3 * s + 1])
        sum1 += bits.product(new + table[STRIP + 3 * s + 2])
    return bits.total(live), sum0, sum1


@ti.func
def beside(index, size, outside, torus):
    """Return the indices before and after one, `outside` for those beyond a dead edge."""
    before = index - 1
    after = index + 1
    if after == size:
        after = 0 if torus else outside
    if before < 0:
        before = size - 1 if torus else outside
    return before, after


@ti.func
def update(
    grid: ti.template(), live: ti.template(), table: ti.template(), scratch: ti.template(),
    source, z, band, depth, height, strips, last_at, after_at, torus, spontaneous,
):  # fmt: skip
    """Bring one plane to the next state and return its population and digest; rows with nothing near them are skipped."""
    z0, z2 = beside(z, depth, -1, torus)
    for y in range(height):
        row = z * height + y
        above = z0 * height + y if z0 >= 0 else depth * height
        below = z2 * height + y if z2 >= 0 else depth * height
        near = live[source, above] | live[source, row] | live[source, below]
        if near:
            flatten(grid, scratch, source, above, row, below, band, y, strips)
        elif scratch[band, y, 4 * strips][0]:
            for k in range(4 * strips):
                scratch[band, y, k] = scratch[band, y, k] & ti.u64(0)
        mark = ti.cast(near, ti.u64)
        scratch[band, y, 4 * strips] = ti.Vector([mark, mark, mark, mark])
    population = ti.u64(0)
    digest = ti.u64(0)
    for y in range(height):
        row = z * height + y
        y0, y2 = beside(y, height, height, torus)
        close = scratch[band, y0, 4 * strips] | scratch[band, y, 4 * strips] | scratch[band, y2, 4 * strips]
        if spontaneous or close[0]:
            found, sum0, sum1 = compute(grid, scratch, table, source, row, band, y0, y, y2, strips)
            bits.seal(grid, table, 1 - source, row, strips, last_at, after_at)
            population += found
            digest += bits.digest_of(found, sum0, sum1, row)
            live[1 - source, row] = ti.cast(found != 0, ti.i32)
        else:
            bits.clear(grid, live, 1 - source, row, strips)
    return population, digest


_LOOPS = bits.loops(update)


class Volume(Packed):
    """A packed 3D lattice; see `Packed`."""

    def __init__(self, cells: Cells, rule: OuterTotalistic, boundary: Boundary) -> None:
        super().__init__(cells, boundary, loops=_LOOPS, coefficients=masks(rule), spontaneous=0 in rule.birth)
