"""The 2D kernels' frame: what is near a line, the ghosts of a finished one, and lines that need no work.

A line of vectors is a row of the lattice, or of each of many lattices, or, where a row alone would leave a line short, a row of each
of several parts of one lattice below each other. The parts meet in two ghost lines, which hold what is above their first rows and
below their last ones.

A family puts into it how the vectors of a line are computed. Importing this module starts the backend; annotations here are read by
Taichi, so they must not be postponed.
"""

from thunderlab.automata.kernels.layout import WORDS
from thunderlab.automata.kernels.states import placing, tracing
from thunderlab.automata.kernels.sweep import TORUS, UNITS, sweeps
from thunderlab.automata.kernels.vectors import any_of, digest_of, lanes_down, lanes_up, popcount, ti, total

# Lines of a state: those of the lattice, an empty one, and the ghosts above and below.
BEHIND = 3

# Where things are in the plan, behind UNITS and TORUS, which is also set for a lattice in parts. SEAL begins what `seal` wants to know.
SPONTANEOUS, ALONE, STRIPS, WRAP, PARTS, SEAL = range(2, 8)
SHARE, LAST, LAST_BIT, AFTER, AFTER_BIT = range(5)


@ti.func
def move_block(words: ti.template(), source, source_bit, target, target_bit, share):
    """OR a block of lanes into another one, which is empty."""
    # Written out, because |= on memory is atomic inside a parallel loop.
    if share < 64:
        block = (words[source] >> source_bit) & ((ti.u64(1) << share) - 1)
        words[target] = words[target] | (block << target_bit)
    else:
        for i in range(share >> 6):
            words[target + i] = words[target + i] | words[source + i]


@ti.func
def seal(grid: ti.template(), words: ti.template(), plan: ti.template(), place, line, stride, count, torus):
    """Write the two ghosts of a finished line: the neighbours of each block's first and last vector.

    The line starts at vector `line`, its first ghost; `stride` lies between its vectors, `count` of them without the ghosts. Its SHARE,
    LAST, ... are in the plan from `place` on, and positions in it are words and bits within the line.
    """
    share = plan[place + SHARE]
    after = plan[place + AFTER]
    start = line * WORDS
    step = stride * WORDS
    inside = after < (count + 1) * step
    if torus and inside:
        move_block(words, start + step, 0, start + after, plan[place + AFTER_BIT], share)
    last = grid[line + count * stride]
    first = grid[line + stride]
    grid[line] = lanes_up(last, share)
    grid[line + (count + 1) * stride] = lanes_down(first, share)
    if torus:
        move_block(words, start + plan[place + LAST], plan[place + LAST_BIT], start, 0, share)
        if not inside:
            move_block(words, start + step, 0, start + after, plan[place + AFTER_BIT], share)


@ti.func
def meet(grid: ti.template(), live: ti.template(), plan: ti.template(), out, line, ghost, parts, pitch, by: ti.template()):
    """Copy a finished first or last line into the ghost that the next part, `by` further on, finds it in."""
    if live[line] | live[ghost]:
        live[ghost] = live[line]
        first = ti.u64(1)  # the lanes of the first part of every block
        width = parts
        while width < 64:
            first |= first << width
            width *= 2
        last = first << (parts - 1)
        for s in range(pitch):
            words = grid[out + s]
            at = ghost * pitch + s
            if ti.static(by > 0):
                moved = (words << 1) & ~first
                if plan[WRAP]:
                    moved |= (words >> (parts - 1)) & first
                grid[at] = moved
            else:
                moved = (words >> 1) & ~last
                if plan[WRAP]:
                    moved |= (words & first) << (parts - 1)
                grid[at] = moved


@ti.func
def empty(grid: ti.template(), live: ti.template(), unit, start, count, stride, planes: ti.template()):
    """Make a unit empty, `count` vectors of each plane from `start` on, unless it is."""
    if live[unit]:
        live[unit] = 0
        for k in ti.static(range(planes)):
            for i in range(count):
                at = start + k * stride + i
                grid[at] = grid[at] & ti.u64(0)


def cellwise(rule, traced):
    """Return a `compute` as `loops` takes it, for two states whose next is found at each vector by itself.

    The table holds, for every vector of a row, the valid lanes and two keys, behind the masks of the rule.

    Args:
        rule: a Taichi function `(grid, table, numbers, up, row, down)` that returns what becomes of the middle vector, told where the
            vectors to its left start.
        traced: whether population and digest are wanted.
    """
    place = placing(0)
    trace = tracing(1)

    @ti.func
    def compute(grid: ti.template(), table: ti.template(), numbers: ti.template(), up, row, down, out, stride, strips):
        some = grid[row] & ti.u64(0)
        live = some
        sum0 = some
        sum1 = some
        for s in range(strips):
            new = rule(grid, table, numbers, up + s, row + s, down + s)
            at = table.shape[0] - 3 * (strips - s)
            living = place(grid, table, 0, new, new, table[at], row + s + 1, out + s + 1, stride)
            some |= living
            if ti.static(traced):
                live += popcount(living)
                sum0, sum1 = trace(grid, table, at + 1, out + s + 1, stride, sum0, sum1)
        return any_of(some), total(live), total(sum0), total(sum1)

    return compute


def loops(compute, *, planes, traced):
    """Return the serial and the parallel kernel of a 2D family.

    Args:
        compute: a Taichi function `(grid, table, numbers, up, row, down, out, stride, strips)` that writes a row's next state without
            its ghosts and returns whether any cell lives, its population and the two sums of its hash. It is told where the three rows
            and the result start, how far apart bit planes are, and how many vectors a row has.
        planes: bit planes of a state.
        traced: whether population and digest are wanted.
    """

    @ti.func
    def update(
        grid: ti.template(), words: ti.template(), live: ti.template(), table: ti.template(), numbers: ti.template(),
        plan: ti.template(), source, row,
    ):  # fmt: skip
        height = plan[UNITS]
        torus = plan[TORUS]
        strips = plan[STRIPS]
        parts = plan[PARTS]
        up = row - 1
        down = row + 1
        if up < 0:
            up = height - 1 if torus else height
            if parts > 1:
                up = height + 1
        if down == height:
            down = 0 if torus else height
            if parts > 1:
                down = height + 2
        if plan[ALONE]:
            up = height
            down = height
        population = ti.u64(0)
        digest = ti.u64(0)
        here = source * (height + BEHIND)
        there = (1 - source) * (height + BEHIND)
        pitch = strips + 2
        stride = 2 * (height + BEHIND) * pitch
        out = (there + row) * pitch
        if plan[SPONTANEOUS] | live[here + up] | live[here + row] | live[here + down]:
            some, found, sum0, sum1 = compute(
                grid, table, numbers, (here + up) * pitch, (here + row) * pitch, (here + down) * pitch, out,
                stride, strips,
            )  # fmt: skip
            seal(grid, words, plan, SEAL, out, 1, strips, plan[WRAP])
            live[there + row] = ti.cast(some != 0, ti.i32)
            if ti.static(traced):
                population = found
                digest = digest_of(found, sum0, sum1, row)
        else:
            empty(grid, live, there + row, out, pitch, stride, planes)
        if parts > 1:
            if row == 0:
                meet(grid, live, plan, out, there + row, there + height + 2, parts, pitch, -1)
            if row == height - 1:
                meet(grid, live, plan, out, there + row, there + height + 1, parts, pitch, 1)
        return population, digest

    return sweeps(update)
