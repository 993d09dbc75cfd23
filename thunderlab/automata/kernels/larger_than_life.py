"""The kernel of Larger than Life: sums over any neighbourhood of up to 101 x 101 cells, 8 or 16 bits a cell.

Rows lie in lanes as `lanes` says. Sums run: from line to line per column, adding a row and dropping one, and along the columns, so that a
square neighbourhood costs the same whatever its radius; one with rows of several widths costs two additions for each of its rows. The
rule is data, as the sums at which it changes its mind, so one compilation serves every rule.

Importing this module starts the backend. Annotations here are read by Taichi, so this module must not postpone them.
"""

# mypy: disable-error-code="valid-type, index"

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.kernels.dense import Dense
from thunderlab.automata.kernels.lane_lines import more_limits, round_sums, square_sums, survey
from thunderlab.automata.kernels.lanes import MASKS, Lanes
from thunderlab.automata.kernels.layout import WORDS, Bits, aligned
from thunderlab.automata.kernels.vectors import splat, ti, total, vector
from thunderlab.automata.rules import LargerThanLife

Vectors = ti.types.ndarray(dtype=vector, ndim=1)
Plan = ti.types.ndarray(dtype=ti.i32, ndim=1)
Count = ti.types.ndarray(dtype=ti.i64, ndim=1)
Found = ti.types.ndarray(dtype=ti.u64, ndim=2)  # [steps or lines, 2]: population and digest

# From this many cells on, columns are shared among threads; below, starting them costs more than they save.
PARALLEL_CELLS = 2**22
# Bands of columns are shares of the work: some more than threads, so that one slow share does not hold up the rest, and no wider than
# what stays near the processor: the sums of a line, and with round neighbourhoods the lines they are made of.
BANDS = 16
WIDE_BAND, NARROW_BAND = 2048, 256
# The compiler makes one task of so many turns of a parallel loop, whatever `block_dim` is set to.
TASK = 512
# A launch cannot be interrupted, so it is kept to a fraction of a second: 1 to 10 ns per addition to a vector.
LAUNCH_ADDITIONS = 2**26
LAUNCH_STEPS = 2**16

# What the plan begins with; then the half widths, `Lanes.gaps` and `Lanes.sides`.
WIDTH, LINES, RADIUS, BITS, CHANGES, AGED, SQUARE, TORUS, BANDS_AT, SHAPE = range(10)
# Where the parts of `Lanes.table` begin.
TOP, DOWN, UP, LANE, KEEP = 0, 1, 2, 3, 3 + MASKS


@ti.func
def settle(grid: ti.template(), scratch: ti.template(), table: ti.template(), plan: ti.template(), sums, source, target, s, width):
    """Write the next state of a line of cells that are dead or alive.

    With the top bit set, subtracting a limit from a sum leaves it set where the limit is reached; a verdict is the parity of those.
    """
    mask = table[KEEP + s]
    top = table[TOP]
    shift = plan[BITS] - 1
    rule = KEEP + plan[LINES]
    changes = plan[CHANGES]
    born0, stays0, born1, stays1 = table[rule], table[rule + 1], table[rule + 2], table[rule + 3]
    for x in range(width):
        n = scratch[sums + x] | top
        born, stays = more_limits(n, (n - born0) ^ (n - born1), (n - stays0) ^ (n - stays1), table, rule, changes)
        live = grid[source + x] << shift
        grid[target + x] = ((born ^ (live & (born ^ stays))) & mask) >> shift


@ti.func
def settle_ages(
    grid: ti.template(), ages: ti.template(), scratch: ti.template(), table: ti.template(), plan: ti.template(),
    sums, source, target, age, next_age, s, width,
):  # fmt: skip
    """Write the next state of a line of cells that may be decaying; states from 2 on are kept apart, as `ages`."""
    mask = table[KEEP + s]
    shift = plan[BITS] - 1
    rule = KEEP + plan[LINES]
    changes = plan[CHANGES]
    states = table[rule + 2 * changes]
    top = table[TOP]
    rest = top - (top >> shift)
    born0, stays0, born1, stays1 = table[rule], table[rule + 1], table[rule + 2], table[rule + 3]
    for x in range(width):
        n = scratch[sums + x] | top
        born, stays = more_limits(n, (n - born0) ^ (n - born1), (n - stays0) ^ (n - stays1), table, rule, changes)
        live = grid[source + x] << shift
        old = ages[age + x]
        decaying = (old + rest) & top
        grid[target + x] = (((live & stays) | (born & ~(live | decaying))) & mask) >> shift
        older = old + (decaying >> shift)
        over = ((older | top) - states) & top
        ages[next_age + x] = (older & ~((over - (over >> shift)) | over)) | ((live & ~stays & mask) >> (shift - 1))


@ti.func
def compute(
    grid: ti.template(), ages: ti.template(), scratch: ti.template(), table: ti.template(), plan: ti.template(), parity, band
):  # fmt: skip
    """Bring a band of columns to the next state."""
    radius = plan[RADIUS]
    lines = plan[LINES]
    pitch = ti.cast(plan[WIDTH] + 2 * radius, ti.i64)
    size = (plan[WIDTH] + plan[BANDS_AT] - 1) // plan[BANDS_AT]
    width = ti.min(size, plan[WIDTH] - band * size)
    columns = ti.cast(band, ti.i64) * (2 * size + 2 * radius)
    sums = columns + size + 2 * radius
    start = parity * (lines + 2 * radius + 1) * pitch + band * size
    across = (1 - 2 * parity) * (lines + 2 * radius + 1) * pitch
    if width > 0:
        if plan[SQUARE]:
            for x in range(width + 2 * radius):
                column = grid[0] & ti.u64(0)
                for d in range(1, 2 * radius + 1):
                    column += grid[start + d * pitch + x]
                scratch[columns + x] = column
        for s in range(lines):
            line = start + s * pitch
            here = line + (radius + 1) * pitch + radius
            if plan[SQUARE]:
                square_sums(grid, scratch, columns, sums, line, line + (2 * radius + 1) * pitch, radius, width)
            else:
                round_sums(grid, scratch, plan, SHAPE, sums, here, pitch, radius, width)
            if plan[AGED]:
                age = ti.cast(parity * lines + s, ti.i64) * plan[WIDTH] + band * size
                next_age = age + (1 - 2 * parity) * lines * ti.cast(plan[WIDTH], ti.i64)
                settle_ages(grid, ages, scratch, table, plan, sums, here, here + across, age, next_age, s, width)
            else:
                settle(grid, scratch, table, plan, sums, here, here + across, s, width)


@ti.func
def mend(grid: ti.template(), table: ti.template(), plan: ti.template(), start, line, first, width, pitch):
    """Bring into a line the one lane that is a row of another lane's, if it lacks one."""
    at = SHAPE + 2 * plan[RADIUS] + 1 + 3 * line
    per_word = 64 // plan[BITS]
    source = start + plan[at] * pitch
    target = start + line * pitch
    if plan[at] >= 0:
        give = table[LANE + plan[at + 1]]
        take = table[LANE + plan[at + 2]]
        down = plan[at + 1] % per_word * plan[BITS]
        up = plan[at + 2] % per_word * plan[BITS]
        for x in range(first, first + width):
            lane = (total(grid[source + x] & give) >> down) << up
            grid[target + x] = grid[target + x] | (splat(lane) & take)


@ti.func
def seal_lines(grid: ti.template(), table: ti.template(), plan: ti.template(), parity, band):
    """Write the lines above and below of a band of finished columns; nearest first, as further ones are made of them."""
    radius = plan[RADIUS]
    lines = plan[LINES]
    bits = plan[BITS]
    pitch = ti.cast(plan[WIDTH] + 2 * radius, ti.i64)
    size = (plan[WIDTH] + plan[BANDS_AT] - 1) // plan[BANDS_AT]
    first = band * size + radius
    width = ti.min(size, plan[WIDTH] - band * size)
    start = parity * (lines + 2 * radius + 1) * pitch
    for line in range(radius + 1, radius + 1 + lines):
        mend(grid, table, plan, start, line, first, width, pitch)
    for k in range(radius):
        line = radius + 1 + lines + k
        for x in range(first, first + width):
            v = grid[start + (line - lines) * pitch + x]
            carry = (v << (64 - bits)) & table[DOWN]
            grid[start + line * pitch + x] = (v >> bits) | ti.Vector([carry[(i + 1) % WORDS] for i in ti.static(range(WORDS))])
        mend(grid, table, plan, start, line, first, width, pitch)
    for k in range(radius):
        line = radius - k
        for x in range(first, first + width):
            v = grid[start + (line + lines) * pitch + x]
            carry = (v >> (64 - bits)) & table[UP]
            grid[start + line * pitch + x] = (v << bits) | ti.Vector([carry[(i - 1) % WORDS] for i in ti.static(range(WORDS))])
        mend(grid, table, plan, start, line, first, width, pitch)


@ti.func
def seal_columns(grid: ti.template(), plan: ti.template(), parity, line):
    """Write the columns left and right of a line on a torus."""
    radius = plan[RADIUS]
    pitch = ti.cast(plan[WIDTH] + 2 * radius, ti.i64)
    at = SHAPE + 2 * radius + 1 + 3 * (plan[LINES] + 2 * radius + 1)
    start = (parity * (plan[LINES] + 2 * radius + 1) + line) * pitch
    if plan[TORUS]:
        for k in range(2 * radius):
            grid[start + plan[at + 2 * k]] = grid[start + plan[at + 2 * k + 1]]


@ti.func
def look(grid: ti.template(), ages: ti.template(), keys: ti.template(), table: ti.template(), plan: ti.template(), parity, line):
    """Return population and digest of a line."""
    width = plan[WIDTH]
    lines = plan[LINES]
    radius = plan[RADIUS]
    here = (parity * (lines + 2 * radius + 1) + radius + 1 + line) * ti.cast(width + 2 * radius, ti.i64) + radius
    age = (parity * lines + line) * ti.cast(width, ti.i64)
    return survey(grid, ages, keys, table[TOP], table[KEEP + line], line, here, age, width, plan[BITS] - 1, plan[AGED])


@ti.kernel
def serial(
    grid: Vectors, ages: Vectors, scratch: Vectors, table: Vectors, keys: Vectors, plan: Plan, taken: Count, found: Found,
    steps: ti.i32, looked: ti.i32,
):  # fmt: skip
    """Run steps in one thread, and look at `looked` lines, all or none, after each."""
    ti.loop_config(serialize=True)
    for step in range(steps):
        parity = ti.cast(taken[0] & 1, ti.i32)
        for band in range(plan[BANDS_AT]):
            compute(grid, ages, scratch, table, plan, parity, band)
        for band in range(plan[BANDS_AT]):
            seal_lines(grid, table, plan, 1 - parity, band)
        for line in range(1, plan[LINES] + 2 * plan[RADIUS] + 1):
            seal_columns(grid, plan, 1 - parity, line)
        for line in range(looked):
            population, digest = look(grid, ages, keys, table, plan, 1 - parity, line)
            found[step, 0] = found[step, 0] + population
            found[step, 1] = found[step, 1] + digest
        taken[0] += 1


@ti.kernel
def parallel(
    grid: Vectors, ages: Vectors, scratch: Vectors, table: Vectors, keys: Vectors, plan: Plan, taken: Count, found: Found,
    parity: ti.i32, bands: ti.i32, lines: ti.i32, looked: ti.i32,
):  # fmt: skip
    """Run one step in all threads, and look at `looked` lines; each band of columns is computed from the state before, in any order."""
    for turn in range(bands * TASK):
        if turn % TASK == 0:
            compute(grid, ages, scratch, table, plan, parity, turn // TASK)
    for turn in range(bands * TASK):
        if turn % TASK == 0:
            seal_lines(grid, table, plan, 1 - parity, turn // TASK)
    for line in range(1, lines):
        seal_columns(grid, plan, 1 - parity, line)
    for turn in range(looked * TASK):
        if turn % TASK == 0:
            population, digest = look(grid, ages, keys, table, plan, 1 - parity, turn // TASK)
            found[turn // TASK, 0] = population
            found[turn // TASK, 1] = digest
    ti.loop_config(serialize=True)
    for _ in range(1):
        taken[0] += 1


class WidePlane(Dense):
    """A lattice under a Larger than Life rule, exact and the same on any number of threads.

    On a torus smaller than the neighbourhood a cell is met more than once and counted each time.

    Args:
        cells: uint8 `[y x]`, states 0..rule.states-1; valid, the caller has checked.
        rule: the rule.
        boundary: "torus" or "dead".

    It takes 2 or 4 bytes a cell, and more when it is small, narrow or decaying.

    >>> cells = np.zeros((9, 9), np.uint8)
    >>> cells[4, 4] = 1
    >>> plane = WidePlane(cells, LargerThanLife.parse("R2,C0,M1,S0..0,B1..1,NN"), "torus")  # the diamond around it is born, it dies
    >>> plane.advance(1)[0, 0], plane.unpack()[4].tolist()
    (np.uint64(12), [0, 0, 1, 1, 0, 1, 1, 0, 0])
    """

    def __init__(self, cells: Cells, rule: LargerThanLife, boundary: Boundary) -> None:
        self._lanes = lanes = Lanes(cells.shape, rule, torus=boundary == "torus")
        square = min(rule.half_widths) == rule.radius
        self._shared = self.is_shared(cells.size, backend.start().threads)
        self._bands = max(-(-lanes.width // (WIDE_BAND if square else NARROW_BAND)), min(BANDS, lanes.width) if self._shared else 1)
        additions = lanes.lines * lanes.width * (8 if square else 2 * len(rule.half_widths))
        super().__init__(max(1, min(LAUNCH_STEPS, LAUNCH_ADDITIONS // additions)) if not self._shared else 1)
        parts = lanes.pack(cells)
        self._states = tuple(aligned((2 * max(len(part), 1), WORDS)) for part in parts)
        for state, part in zip(self._states, parts, strict=True):
            state[: len(part)] = part
        size = -(-lanes.width // self._bands)
        self._scratch = aligned((2 * self._bands * (size + rule.radius), WORDS))
        self._table, self._keys = (aligned(part.shape) for part in (lanes.table, lanes.keys))
        self._table[:], self._keys[:] = lanes.table, lanes.keys
        head = (lanes.width, lanes.lines, rule.radius, lanes.bits, len(lanes.limits), lanes.aged, square, lanes.torus, self._bands)
        self._plan = np.concatenate([head, rule.half_widths, lanes.gaps.ravel(), lanes.sides.ravel()]).astype(np.int32)

    def is_shared(self, cells: int, threads: int) -> bool:
        """Return whether the work of a step is worth sharing among so many threads; the result is the same either way."""
        return threads > 1 and cells >= PARALLEL_CELLS

    def advance(self, steps: int, traced: bool = True) -> NDArray[np.uint64] | None:
        """Run `steps` steps; return population and digest after each, uint64 `[steps 2]`, or None when not traced."""
        if not traced:
            return super().advance(steps, traced=False)
        trace = np.zeros((steps, 2), dtype=np.uint64)
        for first in range(0, steps, self.most_steps):
            part = trace[first : first + self.most_steps]
            part[:] = self._launch(len(part), looked=self._lanes.lines)
        return trace

    def fingerprint(self) -> tuple[int, int]:
        """Return population and digest now, as `Lanes.fingerprint` defines them."""
        return self._lanes.fingerprint(*self._present)

    def unpack(self) -> Cells:
        """Return a copy of the cells now, uint8 `[y x]`."""
        return self._lanes.unpack(*self._present)

    @property
    def _present(self) -> tuple[Bits, Bits]:
        live, ages = (state.reshape(2, -1, WORDS)[self.steps % 2] for state in self._states)
        return live, ages

    def _run(self, steps: int) -> None:
        self._launch(steps, looked=0)

    def _launch(self, steps: int, looked: int) -> NDArray[np.uint64]:
        """Run steps, one when threads share the work, and return what was found after each, zeros when not looked."""
        found = np.zeros((max(looked, 1) if self._shared else steps, 2), dtype=np.uint64)
        arrays = (*self._states, self._scratch, self._table, self._keys, self._plan, self.taken, found)
        with backend.start().launching:
            if self._shared:
                parallel(*arrays, self.steps % 2, self._bands, self._lanes.all_lines, looked)
            else:
                serial(*arrays, steps, looked)
        return found.sum(axis=0, dtype=np.uint64, keepdims=True) if self._shared else found
