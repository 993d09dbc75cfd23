"""What is computed of one line in the layout of `lanes`: the sums around its cells, verdicts on them, and its part of the digest.

Importing this module starts the backend. Annotations here are read by Taichi, so this module must not postpone them.
"""

# mypy: disable-error-code="valid-type"

from thunderlab.automata.kernels.vectors import digest_of, popcount, product, ti, total


@ti.func
def square_sums(grid: ti.template(), scratch: ti.template(), columns, sums, old, new, radius, width):
    """Write the sums of a line and its column sums, given those of the line before and where the two lines begin that differ."""
    run = grid[0] & ti.u64(0)
    for x in range(2 * radius):
        column = scratch[columns + x] + grid[new + x] - grid[old + x]
        scratch[columns + x] = column
        run += column
    for x in range(2 * radius, width + 2 * radius):
        column = scratch[columns + x] + grid[new + x] - grid[old + x]
        scratch[columns + x] = column
        run += column
        scratch[sums + x - 2 * radius] = run
        run -= scratch[columns + x - 2 * radius]


@ti.func
def round_sums(grid: ti.template(), scratch: ti.template(), plan: ti.template(), shape, sums, centre, pitch, radius, width):
    """Write the sums of a line, row by row of the neighbourhood, whose half widths are in the plan from `shape` on.

    `centre` is where the line begins.
    """
    reach = plan[shape + radius]
    for x in range(width):
        scratch[sums + x] = grid[centre + x + reach] - grid[centre + x - reach - 1]
    for d in range(1, radius + 1):  # above and below at once
        reach = plan[shape + radius + d]
        above = centre - d * pitch
        below = centre + d * pitch
        for x in range(width):
            gained = grid[above + x + reach] + grid[below + x + reach]
            lost = grid[above + x - reach - 1] + grid[below + x - reach - 1]
            scratch[sums + x] = scratch[sums + x] + (gained - lost)
    run = grid[0] & ti.u64(0)
    for d in range(-radius, radius + 1):
        reach = plan[shape + radius + d]
        for k in range(-reach, reach + 1):
            run += grid[centre + d * pitch + k]
    scratch[sums] = run
    for x in range(1, width):
        run += scratch[sums + x]
        scratch[sums + x] = run


@ti.func
def more_limits(n, born, stays, table: ti.template(), rule, changes):
    """Return both verdicts after the limits beyond the second, which few rules have."""
    for k in range(2, changes):
        born ^= n - table[rule + 2 * k]
        stays ^= n - table[rule + 2 * k + 1]
    return born, stays


@ti.func
def survey(grid: ti.template(), ages: ti.template(), keys: ti.template(), top, rows, line, here, age, width, shift, aged):
    """Return population and digest of a line, as `Lanes.fingerprint` has them.

    The line's cells begin at `here`, its ages at `age`; `top` has the top bits of all lanes, `shift` further up than the lowest ones, and
    `rows` those of the lanes that are rows.
    """
    mask = rows >> shift
    live = top & ti.u64(0)
    sum0 = live
    sum1 = live
    for x in range(width):
        cells = grid[here + x] & mask
        live += popcount(cells)
        sum0 += product(cells + keys[x])
        sum1 += product(cells + keys[width + x])
    if aged:
        rest = top - (top >> shift)
        for x in range(width):
            old = ages[age + x]
            live += popcount((old + rest) & top)
            sum0 += product(old + keys[2 * width + x])
            sum1 += product(old + keys[3 * width + x])
    population = total(live)
    return population, digest_of(population, total(sum0), total(sum1), line)
