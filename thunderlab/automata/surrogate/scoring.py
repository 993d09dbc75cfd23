"""The score of a surrogate: how often it is right after one step, and for how many steps it stays right, beside doing nothing clever."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from thunderlab import seeds
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.rules import Rule
from thunderlab.automata.soup import soup
from thunderlab.automata.surrogate.model import NEIGHBOURHOODS, PATCHES, Edge, Surrogate, truth
from thunderlab.automata.surrogate.skill import Skill, Tally
from thunderlab.errors import InputError

DENSITIES = (0.1, 0.3, 0.5, 0.7, 0.9)
GRIDS = 10
STEPS = 50
MOST_DENSITIES = 100
MOST_GRIDS = 10_000
MOST_STEPS = 10_000
# Of one grid, and multiplications and look-ups in all: some minutes.
MOST_CELLS = 2**26
MOST_WORK = 2 * 10**11

# Called with (what is being scored, how many grids are, how many there are).
OnProgress = Callable[[str, int, int], None]
Predictors = Mapping[str, Callable[[Cells], Cells]]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A surrogate beside two predictors that know nothing, on the same grids.

    Attributes:
        density: of the soups; None for all of them together, and for a scenario's own start.
        expected_cell_accuracy: what a soup of this density without end would give: the sum of p^k (1 - p)^(9 - k) over the
            neighbourhoods predicted right, k of whose cells are alive. None above radius 1, at dead edges, and on tori narrower than
            three cells.
        steps: how far rollouts were followed.
        surrogate: what is scored.
        all_dead: predicts that every cell is dead.
        nothing_changes: predicts that every cell stays what it is.
    """

    density: float | None
    expected_cell_accuracy: float | None
    steps: int
    surrogate: Skill
    all_dead: Skill
    nothing_changes: Skill


class SurrogateScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a surrogate scored.

    Attributes:
        surrogate: its name.
        predicts: the rule it was made for.
        rule: the rule it was compared with.
        boundary, shape, grids, steps, seed: as asked for.
        neighbourhoods: 512, the neighbourhoods of radius 1; None when surrogate or rule look further.
        neighbourhoods_right: how many of them it predicts right. All of them is a proof: then it is the rule.
        overall: all soups together.
        densities: the soups of one density each, in the order given.
        course: the scenario's own run: one-step predictions of each of its states, and one rollout; None without a scenario.
    """

    surrogate: str
    predicts: str
    rule: str
    boundary: Edge
    shape: tuple[int, ...]
    grids: int
    steps: int
    seed: int
    neighbourhoods: int | None
    neighbourhoods_right: int | None
    overall: Row
    densities: tuple[Row, ...]
    course: Row | None


@dataclass(frozen=True)
class Setting:
    """Where a surrogate is scored when there is no scenario.

    Attributes:
        shape: `(y, x)`.
        rule: what to compare with.
        boundary: "torus" or "dead".
    """

    shape: tuple[int, ...]
    rule: Rule
    boundary: Boundary = "torus"


def score(
    surrogate: Surrogate,
    where: Scenario | Setting,
    *,
    densities: Sequence[float] = DENSITIES,
    grids: int = GRIDS,
    steps: int = STEPS,
    seed: int = 0,
    any_rule: bool = False,
    on_progress: OnProgress | None = None,
) -> SurrogateScore:
    """Return what a surrogate scores against the kernel.

    One step is predicted of every soup. Its rollout is followed until it first differs from the kernel's run. A predictor that looks
    at nothing but the state leaves the true course with its first wrong prediction of a state on it, so that one is looked for.

    Args:
        surrogate: what to score.
        where: shape, boundary and rule; a scenario's own course is scored too, for `steps` steps or its duration if that is shorter.
        densities: of the soups, 1 to 100 different ones, each 0..1.
        grids: soups per density, 1 to 10000; those of a density are the same whatever the other densities are.
        steps: how far rollouts are followed, 1 to 10000.
        seed: what the soups are drawn from, >= 0.
        any_rule: compare with a rule it was not made for, too.
        on_progress: called after each soup.

    Raises:
        InputError: naming what is out of its limits; when the rule is another than the surrogate's, or has more than two states or
            dimensions; when it might take more than 2 * 10**11 predictions, or multiplications for a surrogate above radius 1.

    >>> from thunderlab.automata.surrogate.file import find_surrogate
    >>> from thunderlab.workspace import shipped
    >>> exact = find_surrogate(shipped("scenarios"), "life-exact")
    >>> found = score(exact, Setting((16, 16), exact.rule), densities=[0.3], grids=2, steps=5)
    >>> found.neighbourhoods_right, found.overall.surrogate.cell_accuracy, found.overall.surrogate.horizon
    (512, 1.0, 5)
    """
    edge = check_score(surrogate, where, densities=densities, grids=grids, steps=steps, seed=seed, any_rule=any_rule)
    predictors: Predictors = {
        "surrogate": lambda cells: surrogate.predict(cells, edge),
        "all_dead": np.zeros_like,
        "nothing_changes": lambda cells: cells,
    }
    right = _right(surrogate, where.rule)
    rows, together, done = [], _tallies(predictors), 0
    for density in densities:
        tallies = _tallies(predictors)
        # One stream per density, so that asking for another density changes nothing here.
        for number in seeds.stream(seed, "surrogate", repr(float(density))).bit_generator.random_raw(grids).tolist():
            _follow(soup(where.shape, density, number), where.rule, edge, steps, predictors, tallies)
            done += 1
            if on_progress is not None:
                on_progress(f"density {density:g}", done, grids * len(densities))
        for name, tally in tallies.items():
            together[name].add(tally)
        rows.append(_row(tallies, steps, density=density, expected=_expected(right, density, where)))
    return SurrogateScore(
        surrogate=surrogate.name, predicts=str(surrogate.rule), rule=str(where.rule), boundary=edge, shape=tuple(where.shape),
        grids=grids, steps=steps, seed=seed,
        neighbourhoods=None if right is None else NEIGHBOURHOODS, neighbourhoods_right=None if right is None else int(right.sum()),
        overall=_row(together, steps), densities=tuple(rows), course=_course(where, edge, steps, predictors),
    )  # fmt: skip


def _follow(
    now: Cells, rule: Rule, edge: Edge, steps: int, predictors: Predictors, tallies: dict[str, Tally], *, whole_course: bool = False
) -> None:
    """Count the first step, or every one with `whole_course`, and follow each rollout until it differs."""
    lattice = Lattice(now, rule, edge)
    horizons = dict.fromkeys(predictors, 0)
    holding = set(predictors)
    for step in range(steps):
        counted = whole_course or step == 0
        if not counted and not holding:
            break
        lattice.advance(1)
        after = lattice.cells()
        for name, predict in predictors.items():
            if not counted and name not in holding:
                continue
            predicted = predict(now)
            if counted:
                tallies[name].one_step(predicted, after)
            if name in holding:
                if np.array_equal(predicted, after):
                    horizons[name] = step + 1
                else:
                    holding.remove(name)
        now = after
    for name, horizon in horizons.items():
        tallies[name].rollout(horizon, held=name in holding)


def _course(where: Scenario | Setting, edge: Edge, steps: int, predictors: Predictors) -> Row | None:
    if not isinstance(where, Scenario):
        return None
    tallies, followed = _tallies(predictors), min(steps, where.duration)
    _follow(where.initial_cells(), where.rule, edge, followed, predictors, tallies, whole_course=True)
    return _row(tallies, followed, independent=False)


def _tallies(predictors: Predictors) -> dict[str, Tally]:
    return {name: Tally() for name in predictors}


def _row(
    tallies: Mapping[str, Tally], steps: int, *, density: float | None = None, expected: float | None = None, independent: bool = True
) -> Row:
    skills = {name: tally.skill(independent=independent) for name, tally in tallies.items()}
    return Row(density=density, expected_cell_accuracy=expected, steps=steps, **skills)


def _right(surrogate: Surrogate, rule: Rule) -> NDArray[np.bool_] | None:
    """Return which of the 512 neighbourhoods are predicted right; None when surrogate or rule look further."""
    found, true = surrogate.outcomes, truth(rule)
    return None if found is None or true is None else found == true


def _expected(right: NDArray[np.bool_] | None, density: float, where: Scenario | Setting) -> float | None:
    if right is None or where.boundary != "torus" or min(where.shape) < 3:
        return None
    alive = PATCHES.sum(axis=0).astype(np.int64)[right].tolist()
    return math.fsum(density**count * (1 - density) ** (9 - count) for count in alive)


def check_score(
    surrogate: Surrogate,
    where: Scenario | Setting,
    *,
    densities: Sequence[float] = DENSITIES,
    grids: int = GRIDS,
    steps: int = STEPS,
    seed: int = 0,
    any_rule: bool = False,
) -> Edge:
    """Refuse what `score` would refuse, before a compiler is started; return how the lattice ends.

    Raises:
        InputError: as `score`.
    """
    edge = _check_setting(surrogate, where, any_rule=any_rule)
    _check_amount(surrogate, where.shape, densities, grids, steps, seed)
    return edge


def _check_setting(surrogate: Surrogate, where: Scenario | Setting, *, any_rule: bool) -> Edge:
    shape, rule = where.shape, where.rule
    if rule.dimensions != 2 or len(shape) != 2:
        raise InputError(f"predicts rules in the plane, and {rule} runs in {len(shape)} dimensions", where=surrogate.name)
    if rule.states != 2:
        raise InputError(f"predicts rules of two states, and {rule} has {rule.states}", where=surrogate.name)
    if where.boundary == "plane":
        raise InputError("an unbounded plane is not scored; accepted: torus, dead", where=surrogate.name, field="boundary")
    if min(shape) < 1 or math.prod(shape) > MOST_CELLS:
        raise InputError(f"{shape} is not accepted: two sides of 1 or more, and {MOST_CELLS} cells", field="shape")
    if rule != surrogate.rule and not any_rule:
        raise InputError(
            f"predicts {surrogate.rule}, and what it is to be compared with runs {rule}; --any-rule (any_rule) compares all the same",
            where=surrogate.name,
        )
    return where.boundary


def _check_amount(surrogate: Surrogate, shape: tuple[int, ...], densities: Sequence[float], grids: int, steps: int, seed: int) -> None:
    if not 1 <= len(densities) <= MOST_DENSITIES or len(set(densities)) != len(densities):
        raise InputError(f"expected 1 to {MOST_DENSITIES} different densities", field="densities")
    for density in densities:
        if not 0 <= density <= 1:
            raise InputError(f"a density lies in 0..1, got {density:g}", field="densities")
    for name, value, most in (("grids", grids, MOST_GRIDS), ("steps", steps, MOST_STEPS)):
        if not 1 <= value <= most:
            raise InputError(f"expected a whole number from 1 to {most}, got {value}", field=name)
    if seed < 0:
        raise InputError("a seed is an integer >= 0", field="seed")
    # At radius 1 a prediction is one look into the table of outcomes.
    each = 1 if surrogate.outcomes is not None else surrogate.weights
    work = math.prod(shape) * grids * len(densities) * steps * each
    if work > MOST_WORK:
        raise InputError(
            f"this might take {work:.1e} operations, and {MOST_WORK:.1e} are accepted; ask for fewer steps, grids or densities"
        )
