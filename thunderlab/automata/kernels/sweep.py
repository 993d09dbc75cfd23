"""How a lattice is taken through many steps at a time, in a processor's cache and on all threads.

A lattice is a sequence of units, rows in 2D and planes in 3D, and the next state of a unit needs the present one of its two
neighbours. The units are cut into bands. In a round every band first takes some steps by itself, losing a unit at either end with
each step; then every seam between two bands takes them too, gaining what the bands have lost (split tiling; Wonnacott, "Using time
skewing to eliminate idle time due to memory bandwidth and network limitations", IPDPS 2000). Bands do not meet, and seams do not, so
both can run in parallel; two states are enough, nothing is computed twice, and a band stays in the cache while it is stepped.

A seam waits for the two bands beside it and a band for the two seams beside it, nothing waits for a whole round: threads take the
tasks in their order, and one that is held up holds up the others only when they have come round to it.

Importing this module starts the backend; annotations here are read by Taichi, so they must not be postponed.
"""

# mypy: disable-error-code="valid-type, index"

from thunderlab.automata.kernels.vectors import Numbers, Trace, Vectors, Words, ti

Progress = ti.types.ndarray(dtype=ti.i32, ndim=2)  # tasks taken, then rounds done by each band and each seam; [which 0]

# The compiler hands so many turns of a parallel loop to a thread at once, whatever block_dim says; so a task takes as many of them.
TURNS = 512
# The first two places of every plan.
UNITS, TORUS = range(2)


@ti.func
def nth(task, bands):
    """Return round, seam (1) or band (0), and which: of the 2 bands tasks of a round, the bands come first.

    Every round begins one band later, so that what a task waits for was taken by a thread about `bands` tasks before.
    """
    kinds = 2 if bands > 1 else 1
    turn = task // (kinds * bands)
    return turn, task // bands % kinds, (task + turn) % bands


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


@ti.func
def wait(progress: ti.template(), place, rounds):
    """Wait until a band or seam has done so many rounds."""
    while ti.atomic_add(progress[place, 0], 0) < rounds:
        pass


def sweeps(update):
    """Return the serial and the parallel kernel that take a lattice through steps, `depth` of them a round.

    Both leave the same bits: every unit of a step is computed from the step before, and the sums of the trace are integers, added
    modulo 2^64. Entry `[step, 2 band + seam]` of the trace gets population and digest of a band's, or a seam's, units. The parallel
    one does the next `tasks` tasks after those that `progress` knows of.

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
        source: ti.i32, steps: ti.i32, depth: ti.i32, bands: ti.i32, tasks: ti.i32,
    ):  # fmt: skip
        ti.loop_config(serialize=True)
        for task in range(tasks):
            turn, seam, band = nth(task, bands)
            done = turn * depth
            share(grid, words, live, table, numbers, plan, trace, source, done, ti.min(depth, steps - done), seam, band, bands)

    @ti.kernel
    def parallel(
        grid: Vectors, words: Words, live: Numbers, table: Vectors, numbers: Words, plan: Numbers, trace: Trace,
        source: ti.i32, steps: ti.i32, depth: ti.i32, bands: ti.i32, tasks: ti.i32, progress: Progress,
    ):  # fmt: skip
        for chunk in range(tasks * TURNS):
            if chunk % TURNS == 0:
                turn, seam, band = nth(ti.atomic_add(progress[0, 0], 1), bands)
                own = 1 + seam * bands + band
                if seam:
                    wait(progress, 1 + band, turn + 1)
                    wait(progress, 1 + (band + 1) % bands, turn + 1)
                else:
                    wait(progress, 1 + bands + band, turn)
                    wait(progress, 1 + bands + (band + bands - 1) % bands, turn)
                done = turn * depth
                share(grid, words, live, table, numbers, plan, trace, source, done, ti.min(depth, steps - done), seam, band, bands)
                ti.atomic_add(progress[own, 0], 1)

    return serial, parallel
