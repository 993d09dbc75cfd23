"""What the packed kernels share: vector types, adders, the end of a row, and the two loops over steps and rows.

Importing this module starts the backend. Annotations here are read by Taichi, so this module must not postpone them.
"""

# ruff: noqa: ARG001 - Taichi inlines these functions: their arguments are names, not a call; both loops take the same ones
# mypy: disable-error-code="valid-type, index"

from thunderlab.automata import backend
from thunderlab.automata.kernels.packed import STEPS_PER_LAUNCH
from thunderlab.automata.kernels.strips import WORDS

backend.start()  # before the import, which greets and warns when it is the first

import taichi as ti  # noqa: E402

vector = ti.types.vector(WORDS, ti.u64)
Grid = ti.types.ndarray(dtype=vector, ndim=3)  # [2 rows+1 S+2]: two states, an always empty row last
Live = ti.types.ndarray(dtype=ti.i32, ndim=2)  # [2 rows+1]: 1 where a row has a live cell
Scratch = Grid  # [bands height+1 4S+1]: in 3D the sums of a plane and, last, a mark where they are not 0; an always empty row last
Table = ti.types.ndarray(dtype=vector, ndim=1)  # SEAM, SUMS, the rule, then valid, key 0, key 1 for every vector of a row
Trace = ti.types.ndarray(dtype=ti.u64, ndim=3)  # [steps bands 2]: population and digest of each band of rows

SEAM = 0
SUMS = 4
RULE = 6


@ti.func
def mix(word: ti.u64) -> ti.u64:
    """Return the word scrambled as `strips.mix` does."""
    z = (word ^ (word >> 30)) * ti.u64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> 27)) * ti.u64(0x94D049BB133111EB)
    return z ^ (z >> 31)


@ti.func
def add3(a, b, c):
    """Return sum and carry of three bits."""
    half = a ^ b
    return half ^ c, (a & b) | (half & c)


@ti.func
def add_pairs(a0, a1, b0, b1, c0, c1):
    """Return the four bits of the sum of three numbers of two bits each, together at most 9."""
    bit0, carry1 = add3(a0, b0, c0)
    twos, fours = add3(a1, b1, c1)
    carry2 = twos & carry1
    return bit0, twos ^ carry1, fours ^ carry2, fours & carry2


@ti.func
def popcount(words):
    """Return live bits per word (Warren, Hacker's Delight, figure 5-2); the compiler recognises this and vectorises it."""
    pairs = words - ((words >> 1) & ti.u64(0x5555555555555555))
    nibbles = (pairs & ti.u64(0x3333333333333333)) + ((pairs >> 2) & ti.u64(0x3333333333333333))
    bytes_ = (nibbles + (nibbles >> 4)) & ti.u64(0x0F0F0F0F0F0F0F0F)
    return (bytes_ * ti.u64(0x0101010101010101)) >> 56


@ti.func
def product(words):
    """Return low half times high half of each word, the step of NH."""
    return (words & ti.u64(0xFFFFFFFF)) * (words >> 32)


@ti.func
def total(words):
    """Return the sum of a vector's words."""
    return words[0] + words[1] + words[2] + words[3]


@ti.func
def digest_of(live, sum0, sum1, row):
    """Return what a row adds to the digest: see `Strips.fingerprint`."""
    digest = ti.u64(0)
    if live:
        digest = mix(total(sum0) ^ mix(total(sum1) + ti.cast(row + 1, ti.u64) * ti.u64(0x9E3779B97F4A7C15)))
    return digest


@ti.func
def seal(grid: ti.template(), table: ti.template(), target, row, strips, last_at, after_at):
    """Write the ghosts of a finished row: the bit behind the last column, and the vectors on either side."""
    # A column's bit as a word of all zeros or all ones, without a branch: it would be mispredicted every other row.
    opening = ti.u64(0) - (grid[target, row, 1][0] & 1)
    closing = total(grid[target, row, last_at] & table[SEAM])
    closing = ti.u64(0) - ((closing | (ti.u64(0) - closing)) >> 63)
    # Written out, because |= on memory is atomic inside a parallel loop, and Taichi has no atomic vectors.
    grid[target, row, after_at] = grid[target, row, after_at] | (table[SEAM + 1] & opening)
    first = grid[target, row, 1]
    carry = first << 63
    grid[target, row, strips + 1] = (first >> 1) | ti.Vector([carry[1], carry[2], carry[3], ti.u64(0)]) | (table[SEAM + 2] & opening)
    last = grid[target, row, strips]
    carry = last >> 63
    grid[target, row, 0] = (last << 1) | ti.Vector([ti.u64(0), carry[0], carry[1], carry[2]]) | (table[SEAM + 3] & closing)


@ti.func
def clear(grid: ti.template(), live: ti.template(), target, row, strips):
    """Empty a row that still holds an older state."""
    if live[target, row]:
        for s in range(strips + 2):
            grid[target, row, s] = grid[target, row, s] & ti.u64(0)
        live[target, row] = 0


def loops(update):
    """Return the serial and the parallel kernel that run `update` over steps and units: rows in 2D, planes in 3D.

    Both take the same arguments and leave the same bits: every unit of a step is computed from the step before, and the sums over
    rows are integers, added modulo 2^64. The serial one is a single launch of any number of steps, the parallel one of up to STEPS_PER_LAUNCH.
    """

    @ti.kernel
    def serial(
        grid: Grid, live: Live, table: Table, scratch: Scratch, trace: Trace, source: ti.i32, steps: ti.i32, bands: ti.i32, units: ti.i32,
        depth: ti.i32, height: ti.i32, strips: ti.i32, last_at: ti.i32, after_at: ti.i32, torus: ti.i32, spontaneous: ti.i32,
    ):  # fmt: skip
        ti.loop_config(serialize=True)
        for i in range(steps):
            population = ti.u64(0)
            digest = ti.u64(0)
            for unit in range(units):
                n, d = update(
                    grid, live, table, scratch, (source + i) & 1, unit, 0,
                    depth, height, strips, last_at, after_at, torus, spontaneous,
                )  # fmt: skip
                population += n
                digest += d
            trace[i, 0, 0] = population
            trace[i, 0, 1] = digest

    @ti.kernel
    def parallel(
        grid: Grid, live: Live, table: Table, scratch: Scratch, trace: Trace, source: ti.i32, steps: ti.i32, bands: ti.i32, units: ti.i32,
        depth: ti.i32, height: ti.i32, strips: ti.i32, last_at: ti.i32, after_at: ti.i32, torus: ti.i32, spontaneous: ti.i32,
    ):  # fmt: skip
        for i in ti.static(range(STEPS_PER_LAUNCH)):
            ti.loop_config(block_dim=1)  # one task per band; the default would put 512 of them into one
            for band in range(bands):
                if i < steps:
                    size = (units + bands - 1) // bands
                    population = ti.u64(0)
                    digest = ti.u64(0)
                    for unit in range(band * size, ti.min(band * size + size, units)):
                        n, d = update(
                            grid, live, table, scratch, (source + i) & 1, unit, band,
                            depth, height, strips, last_at, after_at, torus, spontaneous,
                        )  # fmt: skip
                        population += n
                        digest += d
                    trace[i, band, 0] = population
                    trace[i, band, 1] = digest

    return serial, parallel
