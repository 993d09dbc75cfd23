"""How well predictions did: counts of cells, grids and rollouts, and the fractions and bounds they come to."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from thunderlab import stats
from thunderlab.automata.cells import Cells


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """How well one predictor did.

    Attributes:
        cells, grids: predicted cells and grids, one step ahead, that the accuracies are fractions of.
        cell_accuracy: cells predicted right.
        balanced_accuracy: the mean of the fractions right among cells that come out alive and among those that come out dead; it is
            1/2 for whoever always says dead, however rare life is. None when all of them came out alike.
        grid_accuracy: grids predicted without an error.
        grid_accuracy_low, grid_accuracy_high: `stats.wilson` for it, over grids drawn anew. None for states of one course, which are not
            independent.
        rollouts: runs of the predictor on its own predictions.
        horizon: steps before a rollout first differs from the kernel's run, median over rollouts (nearest rank). A rollout is
            followed for so many steps at most, and then counts as that many.
        horizon_low, horizon_high: order statistics that enclose the true median with at least 95 %; None where there are too few.
        horizon_min: the least over rollouts.
        rollouts_held: rollouts that had not differed when they were followed no further.
    """

    cells: int
    grids: int
    cell_accuracy: float
    balanced_accuracy: float | None
    grid_accuracy: float
    grid_accuracy_low: float | None
    grid_accuracy_high: float | None
    rollouts: int
    horizon: int
    horizon_low: int | None
    horizon_high: int | None
    horizon_min: int
    rollouts_held: int


@dataclass
class Tally:
    """Running counts of one predictor.

    Attributes:
        dead, alive: cells that came out dead, and alive.
        dead_right, alive_right: how many of them were predicted.
        grids, grids_right: grids, and those predicted without an error.
        horizons: of each rollout.
        held: rollouts that had not differed at the end.
    """

    dead: int = 0
    alive: int = 0
    dead_right: int = 0
    alive_right: int = 0
    grids: int = 0
    grids_right: int = 0
    horizons: list[int] = field(default_factory=list)
    held: int = 0

    def one_step(self, predicted: Cells, after: Cells) -> None:
        """Count one grid: what was predicted and what came, uint8 of one shape, 0 or 1."""
        alive, both = int(np.count_nonzero(after)), int(np.count_nonzero(predicted & after))
        wrongly_alive = int(np.count_nonzero(predicted)) - both
        self.alive += alive
        self.alive_right += both
        self.dead += after.size - alive
        self.dead_right += after.size - alive - wrongly_alive
        self.grids += 1
        self.grids_right += both == alive and wrongly_alive == 0

    def rollout(self, horizon: int, *, held: bool) -> None:
        """Count one rollout that was right for `horizon` steps; `held` when it was followed no further."""
        self.horizons.append(horizon)
        self.held += held

    def add(self, other: Tally) -> None:
        """Count everything another one counted."""
        self.dead += other.dead
        self.alive += other.alive
        self.dead_right += other.dead_right
        self.alive_right += other.alive_right
        self.grids += other.grids
        self.grids_right += other.grids_right
        self.horizons += other.horizons
        self.held += other.held

    def skill(self, *, independent: bool = True) -> Skill:
        """Return what the counts come to; `independent` says whether the grids were drawn each for itself."""
        cells = self.dead + self.alive
        both = self.dead > 0 and self.alive > 0
        median = stats.quantile_with_bounds(self.horizons, 0.5)
        low, high = stats.wilson(self.grids_right, self.grids) if independent else (None, None)
        return Skill(
            cells=cells,
            grids=self.grids,
            cell_accuracy=(self.dead_right + self.alive_right) / cells,
            balanced_accuracy=(self.dead_right / self.dead + self.alive_right / self.alive) / 2 if both else None,
            grid_accuracy=self.grids_right / self.grids,
            grid_accuracy_low=low,
            grid_accuracy_high=high,
            rollouts=len(self.horizons),
            horizon=int(median.value),
            horizon_low=None if median.low is None else int(median.low),
            horizon_high=None if median.high is None else int(median.high),
            horizon_min=min(self.horizons),
            rollouts_held=self.held,
        )
