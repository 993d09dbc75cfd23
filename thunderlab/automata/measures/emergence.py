"""The emergence score: how far a course keeps between order and disorder, in space, in time, and under a small disturbance.

The score is a convention of this lab, no law of nature. It says: behaviour is emergent when it is neither frozen nor noise in each
of three respects at once, and it takes from others what to measure.

* `space`: bits per cell of small blocks over bits per cell of single cells. 1 when cells tell nothing about those beside them, near 0
  when large parts are alike. The gap between the two is mutual information, which Langton found to be greatest between order and chaos
  ("Computation at the edge of chaos", 1990); block entropies are Grassberger's (1986), and Wuensche ("Classifying cellular automata
  automatically", 1999) follows those of the neighbourhoods that a rule meets.
* `time`: bits by which a cell surprises somebody who knows its last seven states, over bits per cell. 0 for what stands still or blinks
  with a short period, and, whatever the period, for a course that repeats itself; 1 for coin tosses.
* `spread`: how much of the light cone of one changed cell is changed in the course of 64 steps, on a logarithmic scale
  (`Damage.exponent`): 0 when disturbances heal or stay where they are, near 1 in chaos.

Each is a disorder from 0 to 1 and counts by 4 x (1 - x), which is 0 at both ends and 1 in the middle (Shiner, Davison and Landsberg,
"Simple measure for complexity", 1999); the score is the product, so one end reached is enough to make it 0. Nothing is fitted to rules.

What it gives on soups of density 1/2 in 500 steps: on 128 x 128 over five seeds, and for elementary rules on four rows of 4096, with
Wolfram's classes as Martinez lists them ("A note on elementary cellular automata classification", 2013):

* Life .55-.61, HighLife .42-.56, Brian's Brain .7-.8; rule 54 .65, 110 .56-.59, 41 .51 (class 4).
* Day & Night .13-.20 and Anneal .10-.14, whose domains grow ever more slowly and which differ little; 2x2 .09-.16.
* Chaos: Serviettes .11-.12, Seeds .01, Amoeba and 34 Life below .003; rules 30, 45, 60, 90, 105, 122, 126, 150 below .002 (class 3).
* Frozen: Maze, Life without Death, rules 4, 50, 94, 108, 204, 232 (class 2), 0, 8, 32, 160 (class 1) and the empty rule B/S 0.

Where it disagrees with the classes: rule 106 (class 4) scores 0, because its states look like coin tosses; 18 and 146 (class 3) score
.5, because their chaos has walls that wander and annihilate; 73 (class 2) scores .28, many independent blinkers; 184 (class 2) .19,
because a pattern carried along looks like news to a cell that does not move, and .6-.7 on rows as short as 128. A settled course
scores 0, as Life on 128 x 128 mostly does by step 2000. On rows or squares of 2^n cells linear rules die or repeat early.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.blocks import block_counts, entropy_of_counts
from thunderlab.automata.measures.components import components
from thunderlab.automata.measures.compressibility import compressibility
from thunderlab.automata.measures.damage import Damage, damage
from thunderlab.automata.measures.langton import langton_lambda
from thunderlab.automata.measures.observables import DECIMALS, activity, cell_entropy, entropies, stability, state_counts, trend
from thunderlab.automata.measures.settling import settle
from thunderlab.automata.rules import Elementary, Rule, parse_rule
from thunderlab.errors import InputError

LEAST_STEPS = 64
MOST_STEPS = 10**6

DAMAGE_STEPS = 64
DAMAGE_COPIES = 16

# The last quarter of a course is looked at step by step, this many steps at most.
_MOST_WATCHED = 256
# Blocks of nine cells, or eight: many enough to show a pattern, few enough kinds to be counted well on small lattices.
_BLOCKS = {2: (3, 3), 3: (2, 2, 2)}
_ROW_BLOCK = (1, 9)


class EmergenceScore(msgspec.Struct, frozen=True):
    """An emergence score and what it is made of.

    Attributes:
        value: 0..1, the product of 4 x (1 - x) over the parts.
        space: disorder in space, 0..1.
        time: disorder in time, 0..1.
        spread: disorder under a small disturbance, 0..1.
    """

    value: float
    space: float
    time: float
    spread: float

    @property
    def parts(self) -> dict[str, float]:
        """What each of the three respects contributes: 0 when it is all order or all disorder, 1 half way between."""
        return {name: round(_balance(getattr(self, name)), DECIMALS) for name in ("space", "time", "spread")}


class Emergence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is measured on one course to say how emergent it is.

    Attributes:
        rule: in its canonical spelling.
        boundary: "torus" or "dead".
        shape: `[y x]` or `[z y x]`.
        steps: steps run.
        seed: of the disturbances.
        score: the emergence score.
        population: cells that are not 0 at the end.
        cell_entropy: bits of one cell at the end, over all states.
        entropy_trend: mean state entropy (alive or not) of the last quarter of the course less that of the first.
        activity: share of cells that change in a step, over the steps watched: the last quarter, its last 256 steps at most.
        stability: share that does not.
        compressibility: of the last state.
        components: connected groups of cells that are not 0 at the end.
        largest_component: cells of the largest one.
        langton_lambda: of the rule; None when it has none.
        settles_at: from when on the population repeats itself, or None.
        damage_healed: share of the disturbances that are gone after 64 steps.
        damage_speed: how fast they spread, as a share of the most there can be.
    """

    rule: str
    boundary: Boundary
    shape: tuple[int, ...]
    steps: int
    seed: int
    score: EmergenceScore
    population: int
    cell_entropy: float
    entropy_trend: float
    activity: float
    stability: float
    compressibility: float
    components: int
    largest_component: int
    langton_lambda: float | None
    settles_at: int | None
    damage_healed: float
    damage_speed: float


def measure(cells: Cells, rule: Rule | str, boundary: Boundary = "torus", steps: int = 500, seed: int = 0) -> Emergence:
    """Return how emergent a course is, with all that is measured to say so; meant for soups.

    The cells are run for `steps` steps and watched during the last quarter (256 steps at most); beside that 16 copies with one cell
    changed are run for 64 steps from the start. For the score a cell is alive when it is not 0, so that rules of any number of states
    are measured alike. A course that has settled scores low; small lattices settle early, so compare courses of one size and length.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, states of the rule, at most 2**30 / 17 of them.
        rule: as for `Lattice`.
        boundary: "torus" or "dead".
        steps: 64..10**6.
        seed: of the disturbances, any integer >= 0.

    Raises:
        InputError: a number is out of its range, or as for `Lattice`.

    >>> measure(np.ones((16, 16), np.uint8), "B3/S23").score.value  # dies of overcrowding
    0.0
    """
    if not LEAST_STEPS <= steps <= MOST_STEPS:
        raise InputError(f"steps lie in {LEAST_STEPS}..{MOST_STEPS}, got {steps}", field="steps")
    parsed = parse_rule(rule, dimensions=cells.ndim) if isinstance(rule, str) else rule
    # First, because it refuses what cannot be measured before anything long is run.
    spread = damage(cells, parsed, min(DAMAGE_STEPS, steps), boundary, seed, DAMAGE_COPIES)
    lattice = Lattice(cells, parsed, boundary)
    populations = [np.array([lattice.population]), lattice.advance(steps - min(steps // 4, _MOST_WATCHED)).population]
    watch = _Watch(lattice.cells(), parsed, boundary)
    digests = {lattice.digest}
    while lattice.step < steps:
        trace = lattice.advance(1)
        populations.append(trace.population)
        digests.add(lattice.digest)
        watch.see(lattice.cells())
    course = np.concatenate(populations)
    repeats = len(digests) <= len(watch.changed)
    return _report(watch, spread, course, parsed, boundary, steps, seed, repeats)


def score(space: float, time: float, spread: float) -> EmergenceScore:
    """Return the emergence score of three disorders, each from 0 to 1: the product of 4 x (1 - x).

    >>> score(0.5, 0.5, 0.5).value, score(0.5, 0.25, 0.5).value, score(1.0, 0.5, 0.5).value
    (1.0, 0.75, 0.0)
    """
    return EmergenceScore(round(_balance(space) * _balance(time) * _balance(spread), DECIMALS), space, time, spread)


def space_disorder(blocks: NDArray[np.int64], cells: NDArray[np.int64]) -> float:
    """Return the bits per cell of blocks over those of single cells, 0..1; 0 when all cells are alike.

    Args:
        blocks: int64 `[2 ** cells in a block]`, how often each block occurs, as `block_counts` returns it.
        cells: int64 `[2]`, how often each state occurs.

    >>> space_disorder(np.array([1, 1, 1, 1]), np.array([2, 2])), space_disorder(np.array([2, 0, 0, 2]), np.array([2, 2]))
    (1.0, 0.5)
    """
    single = entropy_of_counts(cells)
    in_block = len(blocks).bit_length() - 1
    return round(min(entropy_of_counts(blocks) / (in_block * single), 1.0), DECIMALS) if single else 0.0


def time_disorder(histories: NDArray[np.int64]) -> float:
    """Return the bits by which a cell's next state surprises who knows the ones before, over the bits of that state alone: 0..1.

    (H(histories) - H(histories without their last state)) / H(last state), the conditional entropy of Shannon 1948.

    Args:
        histories: int64 `[2 ** length]`, how often each history occurs; its states are binary digits, the last one lowest.

    >>> time_disorder(np.array([0, 1, 1, 0])), time_disorder(np.array([1, 1, 1, 1]))  # 01 and 10: blinking; all four: coin tosses
    (0.0, 1.0)
    """
    pairs = histories.reshape(-1, 2)
    last = entropy_of_counts(pairs.sum(axis=0))
    surprise = entropy_of_counts(histories) - entropy_of_counts(pairs.sum(axis=1))
    return round(min(max(surprise / last, 0.0), 1.0), DECIMALS) if last else 0.0


class _Watch:
    """What is counted while a course is watched step by step, all of it whole numbers.

    Args:
        cells: the first state.
        rule: whose course it is.
        boundary: likewise.
    """

    def __init__(self, cells: Cells, rule: Rule, boundary: Boundary) -> None:
        self.last = cells
        self.changed: list[int] = []
        self._boundary = boundary
        self._block = _ROW_BLOCK if isinstance(rule, Elementary) else _BLOCKS[cells.ndim]
        # A byte holds a cell's last eight states, the last one lowest; what is older falls out of it.
        self._recent = (cells != 0).astype(np.uint8)
        self.blocks = np.zeros(2 ** int(np.prod(self._block)), dtype=np.int64)
        self.alive = np.zeros(2, dtype=np.int64)
        self.histories = np.zeros(256, dtype=np.int64)

    def see(self, cells: Cells) -> None:
        """Count the next state."""
        alive = (cells != 0).view(np.uint8)
        self.changed.append(activity(self.last, cells))
        self.last = cells
        self._recent = self._recent << 1 | alive
        if len(self.changed) >= 7:
            self.histories += state_counts(self._recent, 256)
        self.blocks += block_counts(alive, self._block, self._boundary)
        self.alive += state_counts(alive, 2)


def _balance(disorder: float) -> float:
    return 4 * disorder * (1 - disorder)


def _report(
    watch: _Watch, spread: Damage, course: NDArray[np.int64], rule: Rule, boundary: Boundary, steps: int, seed: int, repeats: bool
) -> Emergence:
    final, groups, share = watch.last, components(watch.last, boundary), langton_lambda(rule)
    settled = settle(course)
    stable = stability(watch.changed, final.size)
    return Emergence(
        rule=str(rule),
        boundary=boundary,
        shape=final.shape,
        steps=steps,
        seed=seed,
        score=score(space_disorder(watch.blocks, watch.alive), 0.0 if repeats else time_disorder(watch.histories), spread.exponent),
        population=int(course[-1]),
        cell_entropy=cell_entropy(final, rule.states),
        entropy_trend=trend(entropies(course, final.size)),
        activity=round(1 - stable, DECIMALS),
        stability=stable,
        compressibility=compressibility(final, rule.states),
        components=groups.count,
        largest_component=groups.largest,
        langton_lambda=None if share is None else round(float(share), DECIMALS),
        settles_at=None if settled is None else settled.step,
        damage_healed=spread.healed,
        damage_speed=spread.speed,
    )
