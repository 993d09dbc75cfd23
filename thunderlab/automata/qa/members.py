"""The seeds of a scenario, run side by side: what each of them measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.ensemble import Ensemble, Watched
from thunderlab.automata.measures import observables
from thunderlab.automata.qa.bands import median
from thunderlab.automata.qa.results import Value
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.rules import Rule

_DECIMALS = 12


class Watching(Protocol):
    """What is needed of an ensemble; tests hand in ensembles that are wrong on purpose."""

    def observe(self, steps: int, every: int) -> Watched:
        """Run `steps` steps and return what was seen on the way."""


MakeEnsemble = Callable[[Cells, Rule, Boundary], Watching]


@dataclass(frozen=True, eq=False)
class Members:
    """What the seeds of a scenario left behind.

    Attributes:
        watched: populations and changed cells of every seed, at every look.
        cells: cells of one lattice.
        states: of the rule.
        entropy: of a cell being 0 or not, in bits, float64 `[samples seeds]`; with two states that is the state entropy.
    """

    watched: Watched
    cells: int
    states: int
    entropy: NDArray[np.float64]

    def values(self) -> dict[str, tuple[float, ...]]:
        """Return what each seed measured, in the order of the seeds, rounded to 12 decimals.

        * `entropy_mean`: the mean of `entropy` over the looks, which are at the steps 0, `every`, 2 `every`, ... and the last one;
          it is called `alive_entropy_mean` when the rule has more than two states, for then it is not the state entropy.
        * `alive_ratio`: the share of cells that are not 0 at the end.
        * `activity`: the mean, over the looks after step 0, of the share of cells that the step before the look changed.
        """
        population, changed = self.watched.population, self.watched.changed
        return {
            "entropy_mean" if self.states == 2 else "alive_entropy_mean": tuple(
                observables.mean_and_std(column)[0] for column in self.entropy.T.tolist()
            ),
            "alive_ratio": tuple(round(alive / self.cells, _DECIMALS) for alive in population[-1].tolist()),
            "activity": tuple(
                round(total / (self.cells * (len(changed) - 1)), _DECIMALS) for total in changed[1:].sum(axis=0, dtype=np.int64).tolist()
            ),
        }

    def metrics(self) -> dict[str, Value]:
        """Return the median of each of `values` over the seeds as `ensemble_entropy_mean` and so on, and `ensemble_sha256`.

        The digest is over steps, populations and changed cells of every look at every seed, as little-endian 64-bit integers. Exact
        as it is, it tells that a single cell of a single seed went another way; whether that matters is what the bands tell.
        """
        exact = hashlib.sha256()
        for table in self.watched:
            exact.update(np.ascontiguousarray(table, dtype="<i8").tobytes())
        medians: dict[str, Value] = {f"ensemble_{name}": median(values) for name, values in self.values().items()}
        return {**medians, "ensemble_sha256": exact.hexdigest()}


def watch(scenario: Scenario, ensemble: MakeEnsemble = Ensemble) -> Members:
    """Run the further seeds of a scenario, all side by side, to its duration and return what they left behind."""
    assert scenario.ensemble is not None
    cells = scenario.ensemble_cells()
    watched = ensemble(cells, scenario.rule, scenario.boundary).observe(scenario.duration, scenario.ensemble.every)
    size = cells[0].size
    columns = [observables.entropies(column, size) for column in watched.population.T]
    return Members(watched, size, scenario.rule.states, np.array(columns, dtype=np.float64).T)
