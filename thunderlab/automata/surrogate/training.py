"""Training of surrogates of radius 1: one hidden layer, logistic loss, Adam, in plain NumPy.

The shipped example is made and scored again, and written over the old file, by

    python -c "from thunderlab.automata.surrogate.training import write_life_mlp as w; w('scenarios/surrogates/life-mlp.json')"
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thunderlab import seeds
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.soup import soup
from thunderlab.automata.surrogate.file import write_surrogate
from thunderlab.automata.surrogate.model import (
    MOST_UNITS,
    NEIGHBOURHOODS,
    PATCHES,
    Claim,
    Claims,
    Layer,
    Surrogate,
    Training,
    codes,
    padded,
    truth,
)  # fmt: skip
from thunderlab.automata.surrogate.scoring import Setting, SurrogateScore, score
from thunderlab.errors import InputError

Floats = NDArray[np.float64]

# Adam (Kingma and Ba 2015, algorithm 1) with the constants its authors recommend.
_FIRST_DECAY, _SECOND_DECAY, _EPSILON = 0.9, 0.999, 1e-8


def train(
    rule: Rule,
    *,
    name: str,
    title: str,
    hidden: int = 8,
    seed: int = 0,
    densities: Sequence[float] = (0.3, 0.4, 0.5),
    ages: Sequence[int] = (0,),
    size: tuple[int, int] = (32, 32),
    soups: int = 1,
    epochs: int = 1500,
    learning_rate: float = 0.02,
) -> Surrogate:
    """Return a surrogate trained on soups.

    Patches are taken from soups on a torus after each of `ages` steps. Neighbourhoods that come up more often weigh more; those that
    never come up are not trained on, and what the network says about them is its own guess. The loss is the mean of
    log(1 + exp(-output)) where the cell comes out alive and of log(1 + exp(output)) where it does not, so the threshold is 0.

    The same arguments give the same surrogate, bit for bit, on one machine with one installation. On another one sums and exponentials
    may differ in their last bit, and a long training may turn that into other predictions for a few neighbourhoods. What is kept is
    the trained file, and that predicts the same everywhere.

    Args:
        rule: two states, in the plane, radius 1.
        name: what the surrogate is to be called, a slug.
        title: what it is, in words.
        hidden: units of the one hidden layer, 1 to 256.
        seed: what soups and first weights are drawn from, >= 0.
        densities: of the soups, 0..1.
        ages: ascending steps, each >= 0.
        size: of a soup, 3 or more a side.
        soups: per density, 1 or more.
        epochs: passes over all patches together, 1 or more.
        learning_rate: Adam's, above 0.

    Raises:
        InputError: naming what is none of these.
    """
    _check(rule, hidden, seed, densities, ages, size, soups, epochs, learning_rate)
    seen = _seen(rule, seed, densities, ages, size, soups)
    alive = truth(rule)
    assert alive is not None
    present = seen > 0
    layers = _fit(PATCHES.T[present], alive[present], seen[present] / seen.sum(), hidden, seed, epochs, learning_rate)
    return Surrogate(
        name=name,
        title=title,
        rule=rule,
        radius=1,
        activation="relu",
        threshold=0.0,
        layers=layers,
        training=Training(
            seed=seed,
            densities=tuple(densities),
            ages=tuple(ages),
            size=size,
            soups=soups,
            samples=int(seen.sum()),
            neighbourhoods_seen=int(present.sum()),
            epochs=epochs,
            learning_rate=learning_rate,
        ),
    )


def with_claims(surrogate: Surrogate, found: SurrogateScore) -> Surrogate:
    """Return the surrogate with what it scored written into it."""
    rows = [(row.density, row.surrogate) for row in found.densities if row.density is not None]
    claims = Claims(
        size=(found.shape[0], found.shape[1]),
        boundary=found.boundary,
        grids=found.grids,
        steps=found.steps,
        seed=found.seed,
        neighbourhoods_right=found.neighbourhoods_right,
        densities=tuple(
            Claim(
                density=density,
                cell_accuracy=skill.cell_accuracy,
                grid_accuracy=skill.grid_accuracy,
                horizon=skill.horizon,
                horizon_min=skill.horizon_min,
            )
            for density, skill in rows
        ),
    )
    return dataclasses.replace(surrogate, scored=claims)


def life_mlp() -> Surrogate:
    """Return the shipped example, trained and scored: Life from three soups of 10 by 10 cells.

    So few patches on purpose: they show 184 of the 512 neighbourhoods, the network guesses the others, and some of them wrong. Of the
    seeds 0 to 7, five learn Life exactly from as little; seed 0 does not. From soups of 32 by 32 cells all eight do.
    """
    title = "Life learned from 300 patches, a deliberately small example: right on most neighbourhoods, not on all; `scored` says how far"
    trained = train(parse_rule("B3/S23", dimensions=2), name="life-mlp", title=title, size=(10, 10))
    return with_claims(trained, score(trained, Setting((32, 32), trained.rule), grids=50, steps=20))


def write_life_mlp(path: str | os.PathLike[str]) -> None:
    """Make the shipped example and write its file."""
    write_surrogate(life_mlp(), Path(path))


def _seen(rule: Rule, seed: int, densities: Sequence[float], ages: Sequence[int], size: tuple[int, int], soups: int) -> NDArray[np.int64]:
    """Return how often each neighbourhood came up, int64 `[512]`."""
    counts = np.zeros(NEIGHBOURHOODS, dtype=np.int64)
    for density in densities:
        for number in seeds.stream(seed, "surrogate-training", repr(float(density))).bit_generator.random_raw(soups).tolist():
            lattice = Lattice(soup(size, density, number), rule, "torus")
            for before, age in pairwise((0, *ages)):
                lattice.advance(age - before)
                counts += np.bincount(codes(padded(lattice.cells(), "torus", 1)).ravel(), minlength=NEIGHBOURHOODS)
    return counts


def _fit(
    patches: Floats, alive: NDArray[np.bool_], share: Floats, hidden: int, seed: int, epochs: int, learning_rate: float
) -> tuple[Layer, ...]:
    """Return the layers after so many steps of Adam, each over all patches weighed by their share."""
    weights = _drawn(seed, "first", (hidden, 9), math.sqrt(6 / 9))
    readout = _drawn(seed, "second", (1, hidden), math.sqrt(6 / hidden))
    parameters = [weights, np.zeros(hidden), readout, np.zeros(1)]
    means = [np.zeros_like(values) for values in parameters]
    squares = [np.zeros_like(values) for values in parameters]
    for epoch in range(1, epochs + 1):
        weights, bias, readout, offset = parameters
        before = patches @ weights.T + bias
        signal = np.maximum(before, 0.0)
        output = signal @ readout[0] + offset[0]
        error = share * (_logistic(output) - alive)
        back = error[:, None] * readout * (before > 0)
        gradients = (back.T @ patches, back.sum(axis=0), (error @ signal)[None, :], error.sum(keepdims=True))
        for index, gradient in enumerate(gradients):
            means[index] = _FIRST_DECAY * means[index] + (1 - _FIRST_DECAY) * gradient
            squares[index] = _SECOND_DECAY * squares[index] + (1 - _SECOND_DECAY) * gradient**2
            mean, square = means[index] / (1 - _FIRST_DECAY**epoch), squares[index] / (1 - _SECOND_DECAY**epoch)
            parameters[index] = parameters[index] - learning_rate * mean / (np.sqrt(square) + _EPSILON)
    rounded = [values.astype(np.float32) for values in parameters]
    return Layer(*rounded[:2]), Layer(*rounded[2:])


def _logistic(values: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), by way of the half that cannot overflow."""
    small = np.exp(-np.abs(values))
    share: Floats = np.where(values >= 0, 1.0, small) / (1.0 + small)
    return share


def _drawn(seed: int, name: str, shape: tuple[int, int], reach: float) -> Floats:
    """Return first weights, uniform in -reach..reach: with reach = sqrt(6 / inputs) as He and others (2015) advise for this activation."""
    words = seeds.stream(seed, "surrogate-training", name).bit_generator.random_raw(shape[0] * shape[1])
    drawn: Floats = (words >> np.uint64(11)).astype(np.float64) * (2.0 * reach / 2**53) - reach
    return drawn.reshape(shape)


def _check(
    rule: Rule, hidden: int, seed: int, densities: Sequence[float], ages: Sequence[int], size: tuple[int, int], soups: int, epochs: int,
    learning_rate: float,
) -> None:  # fmt: skip
    if rule.dimensions != 2 or rule.states != 2 or rule.radius != 1:
        raise InputError(f"{rule} is not accepted: two states, in the plane, radius 1", field="rule")
    limits = (("hidden", hidden, 1, MOST_UNITS), ("seed", seed, 0, 2**63), ("soups", soups, 1, 1000), ("epochs", epochs, 1, 100_000),
              *(("size", side, 3, 1024) for side in size), *(("ages", age, 0, 10_000) for age in ages))  # fmt: skip
    for field, value, least, most in limits:
        if not least <= value <= most:
            raise InputError(f"expected a whole number from {least} to {most}, got {value}", field=field)
    if not densities or len(set(densities)) != len(densities) or not all(0 <= density <= 1 for density in densities):
        raise InputError("expected different densities from 0 to 1", field="densities")
    if not ages or any(later <= earlier for earlier, later in pairwise(ages)):
        raise InputError("expected ages that ascend", field="ages")
    if not 0 < learning_rate <= 1:
        raise InputError(f"expected a number above 0, at most 1, got {learning_rate:g}", field="learning_rate")
