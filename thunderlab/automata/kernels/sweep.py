"""How a lattice is taken through many steps at a time, in a processor's cache and on all threads.

A lattice is a sequence of units, rows in 2D and planes in 3D, and the next state of a unit needs the present one of its two
neighbours. The units are cut into bands. In a round every band first takes some steps by itself, losing a unit at either end with
each step; then every seam between two bands takes them too, gaining what the bands have lost (split tiling; Wonnacott, "Using time
skewing to eliminate idle time due to memory bandwidth and network limitations", IPDPS 2000). Bands do not meet, and seams do not, so
both can run in parallel; two states are enough, nothing is computed twice, and a band stays in the cache while it is stepped.

Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

# mypy: disable-error-code="valid-type"

from thunderlab.automata.kernels.vectors import Numbers, Trace, Vectors, Words, ti

# The compiler makes one task of so many turns of a parallel loop, whatever block_dim says; so a band takes as many of them.
TURNS = 512
# The first two places of every plan.
UNITS, TORUS = range(2)


@ti.func
def window(seam, band, bands, i, units, torus):
    """Return the first unit and the one behind the last that a band, or the seam behind it, computes in step i of a round.

    Units of a seam count on behind the last one: on a torus the last seam lies between the last band and the first.
    """
    wide = ti.cast(units, ti.i64)  # a million units are cut into so many bands that their product has more than 32 bits
    first = ti.cast(band * wide // bands, ti.i32)
    last = ti.cast((band + 1) * wide // bands, ti.i32)
    if seam:
        first = last - i
        last += i
        if band == bands - 1 and not torus:
            last = first
    elif bands > 1:
        if torus or band > 0:
            first += i
        if torus or band < bands - 1:
            last -= i
    return first, last


def sweeps(update):
    """Return the serial and the parallel kernel that take a lattice through steps.

    Both leave the same bits: every unit of a step is computed from the step before, and the sums of the trace are integers, added
    modulo 2^64. Entry `[step, 2 band + seam]` of the trace gets population and digest of a band's, or a seam's, units.

    Args:
        update: a Taichi function `(grid, words, live, table, numbers, plan, source, unit)` that brings one unit to the next state and
            returns its population and digest.
    """

    @ti.func
    def share(
        grid: ti.template(), words: ti.template(), live: ti.template(), table: ti.template(), numbers: ti.template(),
        plan: ti.template(), trace: ti.template(), source, done, steps, seam, band, bands,
    ):  # fmt: skip
        units = plan[UNITS]
        for i in range(steps):
            population = ti.u64(0)
            digest = ti.u64(0)
            first, last = window(seam, band, bands, i, units, plan[TORUS])
            for at in range(first, last):
                unit = at
                if at >= units:
                    unit = at - units
                n, d = update(grid, words, live, table, numbers, plan, (source + done + i) & 1, unit)
                population += n
                digest += d
            trace[done + i, 2 * band + seam, 0] = population
            trace[done + i, 2 * band + seam, 1] = digest

    @ti.kernel
    def serial(
        grid: Vectors, words: Words, live: Numbers, table: Vectors, numbers: Words, plan: Numbers, trace: Trace,
        source: ti.i32, steps: ti.i32, bands: ti.i32, depth: ti.i32,
    ):  # fmt: skip
        ti.loop_config(serialize=True)
        for turn in range((steps + depth - 1) // depth):
            done = turn * depth
            for share_ in range(2 * bands if bands > 1 else 1):
                share(
                    grid, words, live, table, numbers, plan, trace,
                    source, done, ti.min(depth, steps - done), share_ // bands, share_ % bands, bands,
                )  # fmt: skip

    @ti.kernel
    def parallel(
        grid: Vectors, words: Words, live: Numbers, table: Vectors, numbers: Words, plan: Numbers, trace: Trace,
        source: ti.i32, steps: ti.i32, bands: ti.i32, seam: ti.i32,
    ):  # fmt: skip
        for turn in range(bands * TURNS):
            if turn % TURNS == 0:
                share(grid, words, live, table, numbers, plan, trace, source, 0, steps, seam, turn // TURNS, bands)

    return serial, parallel
