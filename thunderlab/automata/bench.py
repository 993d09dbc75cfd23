"""How fast this machine steps a lattice, measured here and now: what `thunderlab automata bench` answers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.soup import soup
from thunderlab.errors import InputError

# What is measured when nothing is asked for. Both soups stay dense; an emptying lattice would measure little.
RULES = {2: "B3/S23", 3: "B13-14,17-19/S13-26"}
DENSITIES = {2: 0.4, 3: 0.5}
SIZES = ((1024, 1024), (4096, 4096), (128, 128, 128), (256, 256, 256))

ROUNDS = 5
LEAST_SECONDS, MOST_SECONDS = 0.01, 60.0
MOST_SIZES = 16

# Called with what was measured, how many are done and how many there are.
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Speed:
    """How fast one lattice ran.

    Attributes:
        engine: what ran it: `backend`, `version`, `arch`, `threads` and what else `backend.describe` says.
        rule: the rule, in its canonical spelling.
        size: `HxW` or `DxHxW`.
        boundary: of the lattice.
        traced: whether population and digest of every step were taken.
        steps: steps per round.
        gcells_per_cpu_s: 10^9 cells stepped per second of processor time, all threads together; median of the rounds.
        gcells_per_wall_s: likewise per second of the clock on the wall.
        rounds: rounds measured; each starts from the same soup.
        spread: slowest and fastest round, in `gcells_per_cpu_s`.
        population: cells not 0 at the end of a round; 0 means that an empty lattice was measured.
    """

    engine: dict[str, str | int]
    rule: str
    size: str
    boundary: str
    traced: bool
    steps: int
    gcells_per_cpu_s: float
    gcells_per_wall_s: float
    rounds: int
    spread: tuple[float, float]
    population: int


def bench(
    sizes: Sequence[tuple[int, ...]] | None = None,
    rule: str | None = None,
    *,
    seconds: float = 1.0,
    boundary: Boundary = "torus",
    on_progress: OnProgress | None = None,
) -> list[Speed]:
    """Return how fast random starts run here, each size without a trace and with one.

    Speed is cells times steps over seconds, the median of five rounds that start from the same soup (seed 1; 40 % alive in 2D, 50 % in
    3D). Compilation and making the lattice are not counted. Other work on the machine shows in the spread.

    Args:
        sizes: `(y, x)` or `(z, y, x)`, at most 16; None for 1024 x 1024, 4096 x 4096, 128 x 128 x 128 and 256 x 256 x 256,
            or those of them that the rule fits.
        rule: the string of a rule; None for Life in 2D and B13-14,17-19/S13-26 in 3D.
        seconds: processor time per size and kind, 0.01..60.
        boundary: "torus" or "dead".
        on_progress: called before each measurement.

    Raises:
        InputError: naming `--size`, `--seconds` or the rule and what is accepted.

    >>> [speed] = [speed for speed in bench([(64, 64)], seconds=0.01) if speed.traced]
    >>> speed.size, speed.rule, speed.rounds, speed.spread[0] <= speed.gcells_per_cpu_s <= speed.spread[1]
    ('64x64', 'B3/S23', 5, True)
    """
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise InputError(f"expected {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds, not {seconds:g}", field="--seconds")
    pairs = _chosen(sizes, rule)
    plan = [(size, parsed, traced) for size, parsed in pairs for traced in (False, True)]
    found = []
    for number, (size, parsed, traced) in enumerate(plan):
        if on_progress is not None:
            on_progress("x".join(map(str, size)), number, len(plan))
        found.append(_measure(size, parsed, boundary, seconds, traced=traced))
    return found


def _chosen(sizes: Sequence[tuple[int, ...]] | None, rule: str | None) -> list[tuple[tuple[int, ...], Rule]]:
    """Return sizes with the rule each runs."""
    if sizes is not None and not 1 <= len(sizes) <= MOST_SIZES:
        raise InputError(f"expected 1 to {MOST_SIZES} sizes, not {len(sizes)}", field="--size")
    if rule is None:
        return [(size, parse_rule(RULES[len(size)], dimensions=len(size))) for size in sizes or SIZES]
    if sizes is not None:
        return [(size, parse_rule(rule, dimensions=len(size))) for size in sizes]
    try:
        parsed = parse_rule(rule, dimensions=2)
    except InputError as not_flat:
        try:
            parsed = parse_rule(rule, dimensions=3)
        except InputError:
            raise not_flat from None
    return [(size, parsed) for size in SIZES if len(size) == parsed.dimensions]


def _measure(size: tuple[int, ...], rule: Rule, boundary: Boundary, seconds: float, *, traced: bool) -> Speed:
    """Return the speed of one lattice."""
    start = soup(size, DENSITIES[len(size)], seed=1)
    lattice = Lattice(start, rule, boundary)
    _advance(lattice, 2, traced=traced)  # compiles
    steps = _steps_that_take(lattice, seconds / ROUNDS, traced=traced)
    cpu, wall = [], []
    for _ in range(ROUNDS):
        lattice = Lattice(start, rule, boundary)
        on_wall, on_cpu = time.perf_counter_ns(), time.process_time_ns()
        _advance(lattice, steps, traced=traced)
        cpu.append(start.size * steps / max(time.process_time_ns() - on_cpu, 1))
        wall.append(start.size * steps / max(time.perf_counter_ns() - on_wall, 1))
    return Speed(
        engine=backend.describe(),
        rule=str(rule),
        size="x".join(map(str, size)),
        boundary=boundary,
        traced=traced,
        steps=steps,
        gcells_per_cpu_s=statistics.median(cpu),
        gcells_per_wall_s=statistics.median(wall),
        rounds=ROUNDS,
        spread=(min(cpu), max(cpu)),
        population=int((lattice.cells() != 0).sum()),
    )


def _steps_that_take(lattice: Lattice, seconds: float, *, traced: bool) -> int:
    """Return how many steps take about so much processor time; a first guess is refined, because short runs are mostly overhead."""
    steps = 1
    while True:
        began = time.process_time_ns()
        _advance(lattice, steps, traced=traced)
        spent = max((time.process_time_ns() - began) / 1e9, 1e-6)
        wanted = max(1, round(steps * seconds / spent))
        if spent >= seconds / 4 or wanted <= steps:
            return wanted
        steps = min(wanted, 16 * steps)


def _advance(lattice: Lattice, steps: int, *, traced: bool) -> None:
    if traced:
        lattice.advance(steps)
    else:
        lattice.run(steps)
