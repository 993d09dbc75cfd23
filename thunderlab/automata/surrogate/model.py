"""Surrogates: small networks that predict the next state of a cell from the cells around it, evaluated so that every machine agrees."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thunderlab.automata.cells import Cells
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule
from thunderlab.errors import InputError

Activation = Literal["relu", "tanh"]
# A surrogate's world wraps around or ends in dead cells; on an unbounded plane there is nothing to compare cell by cell.
Edge = Literal["torus", "dead"]

MOST_RADIUS = 3
MOST_LAYERS = 4
MOST_UNITS = 256

NEIGHBOURHOODS = 512
# Cells are predicted in tiles, so that a layer's values take tens of megabytes however large the lattice is.
_TILE = (32, 512)

_Share = Annotated[float, Meta(ge=0, le=1)]
_Count = Annotated[int, Meta(ge=0)]
_Sides = Annotated[tuple[Annotated[int, Meta(ge=1)], ...], Meta(min_length=2, max_length=2)]


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a surrogate was trained.

    Attributes:
        seed: what soups and first weights were drawn from.
        densities: of the soups.
        ages: steps the rule had run when patches were taken from them.
        size: of each soup, on a torus.
        soups: per density.
        samples: patches with their outcome that were seen, repeats counted.
        neighbourhoods_seen: how many different ones of the 512 were among them.
        epochs: passes over all of them.
        learning_rate: Adam's.
    """

    seed: _Count
    densities: tuple[_Share, ...]
    ages: tuple[_Count, ...]
    size: _Sides
    soups: _Count
    samples: _Count
    neighbourhoods_seen: Annotated[int, Meta(ge=0, le=NEIGHBOURHOODS)]
    epochs: _Count
    learning_rate: float


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a surrogate scored on soups of one density; see `surrogate.Skill`."""

    density: _Share
    cell_accuracy: _Share
    grid_accuracy: _Share
    horizon: _Count
    horizon_min: _Count


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a surrogate scored, and on what, so that anybody can measure it again.

    Attributes:
        size, boundary, grids, steps, seed: as `scoring.score` takes them.
        neighbourhoods_right: of the 512, None for a radius above 1.
        densities: one claim each.
    """

    size: _Sides
    boundary: Edge
    grids: _Count
    steps: _Count
    seed: _Count
    neighbourhoods_right: Annotated[int, Meta(ge=0, le=NEIGHBOURHOODS)] | None
    densities: tuple[Claim, ...]


@dataclass(frozen=True, eq=False)
class Layer:
    """One dense layer: `weights @ inputs + bias`.

    Attributes:
        weights: float32 `[units inputs]`.
        bias: float32 `[units]`.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True)
class Surrogate:
    """A one-step predictor of a two-state rule in the plane: the same small network looks at the patch around every cell.

    The inputs are the (2 radius + 1)^2 cells of the patch, 0 or 1, row by row from the upper left. Every layer but the last is
    followed by the activation. A cell is predicted alive when the one output lies above the threshold.

    Sums are taken in float64, input by input in that order, one IEEE operation at a time. So with "relu" every machine predicts the
    same; with "tanh" the last bit of a value is the mathematical library's, and a prediction may differ where it decides.

    Attributes:
        name: slug, the file's name without its ending.
        title: what it is, in words.
        rule: what it predicts.
        radius: 1 to 3.
        activation: "relu" or "tanh".
        threshold: of the output, which is a number and no probability.
        layers: 1 to 4, of at most 256 units; the last has one.
        training: how it was trained, None when nobody says.
        scored: what it scored, None when nobody says.
    """

    name: str
    title: str
    rule: Rule
    radius: int
    activation: Activation
    threshold: float
    layers: tuple[Layer, ...]
    training: Training | None = None
    scored: Claims | None = None

    @property
    def weights(self) -> int:
        """How many weights and biases it has."""
        return sum(layer.weights.size + layer.bias.size for layer in self.layers)

    @cached_property
    def outcomes(self) -> NDArray[np.bool_] | None:
        """What it predicts for each neighbourhood of radius 1, bool `[512]` by the code of `codes`; None for a larger radius."""
        return self.outputs(PATCHES) > self.threshold if self.radius == 1 else None

    def outputs(self, patches: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the network's output for patches, float64 `[n]`.

        Args:
            patches: float64 `[(2 radius + 1)^2 n]`, one patch a column.
        """
        signal = patches
        for number, layer in enumerate(self.layers):
            if number:
                signal = np.tanh(signal) if self.activation == "tanh" else np.maximum(signal, 0.0)
            total = np.repeat(layer.bias.astype(np.float64)[:, None], signal.shape[1], axis=1)
            # Not a matrix product: its order of summation is the library's, and a cell on the threshold would depend on its tile.
            for column, values in zip(layer.weights.astype(np.float64).T, signal, strict=True):
                total += column[:, None] * values
            signal = total
        output: NDArray[np.float64] = signal[0]
        return output

    def predict(self, cells: Cells, boundary: Edge = "torus") -> Cells:
        """Return the predicted next state, uint8 of the same shape.

        Args:
            cells: uint8 `[y x]`, 0 or 1.
            boundary: "torus" wraps both axes; "dead" surrounds the lattice with dead cells.

        Raises:
            InputError: naming `cells` or `boundary`.

        >>> blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
        >>> from thunderlab.automata.surrogate.file import find_surrogate
        >>> from thunderlab.workspace import shipped
        >>> find_surrogate(shipped("scenarios"), "life-exact").predict(blinker, "dead").tolist()
        [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
        """
        if not isinstance(cells, np.ndarray) or cells.dtype != np.uint8 or cells.ndim != 2 or not cells.size or cells.max() > 1:
            raise InputError("expected uint8 [y x] of states 0 and 1 with no empty axis", field="cells")
        if boundary not in ("torus", "dead"):
            raise InputError(f"{boundary!r} is not a boundary a surrogate knows; accepted: torus, dead", field="boundary")
        around = padded(cells, boundary, self.radius)
        height, width = cells.shape
        predicted = np.empty_like(cells)
        for top, left in product(range(0, height, _TILE[0]), range(0, width, _TILE[1])):
            bottom, right = min(top + _TILE[0], height), min(left + _TILE[1], width)
            predicted[top:bottom, left:right] = self._tile(around[top : bottom + 2 * self.radius, left : right + 2 * self.radius])
        return predicted

    def _tile(self, around: Cells) -> NDArray[np.bool_]:
        if self.outcomes is not None:
            return self.outcomes.take(codes(around))
        side = 2 * self.radius + 1
        height, width = around.shape[0] - side + 1, around.shape[1] - side + 1
        patches = np.stack([around[y : y + height, x : x + width].ravel() for y, x in product(range(side), repeat=2)])
        return (self.outputs(patches.astype(np.float64)) > self.threshold).reshape(height, width)


def padded(cells: Cells, boundary: Edge, radius: int) -> Cells:
    """Return the cells with the cells around them, `radius` more on every side: wrapped around on a torus, else dead."""
    return np.pad(cells, radius, mode="wrap" if boundary == "torus" else "constant")


def codes(around: Cells) -> NDArray[np.uint16]:
    """Return the neighbourhood of every inner cell as a number, uint16: bit 3 y + x is the cell at row y, column x of its 3x3 patch.

    >>> codes(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.uint8)).tolist()  # 1 + 16 + 256
    [[273]]
    """
    wide = around.astype(np.uint16)
    across = wide[:, :-2] | np.left_shift(wide[:, 1:-1], 1) | np.left_shift(wide[:, 2:], 2)
    found: NDArray[np.uint16] = across[:-2] | np.left_shift(across[1:-1], 3) | np.left_shift(across[2:], 6)
    return found


# Every neighbourhood of radius 1 as the patch its code stands for: float64 `[9 512]`.
PATCHES: NDArray[np.float64] = (np.arange(NEIGHBOURHOODS) >> np.arange(9)[:, None] & 1).astype(np.float64)


def truth(rule: Rule) -> NDArray[np.bool_] | None:
    """Return what becomes of the middle cell of each neighbourhood, bool `[512]` by code, as the kernel says; None above radius 1.

    >>> from thunderlab.automata.rules import parse_rule
    >>> alive = truth(parse_rule("B3/S23", dimensions=2))
    >>> int(alive.sum()), bool(alive[0b111_000_000])  # 56 + 28 + 56 of them live on or are born; three above give birth
    (140, True)
    """
    if rule.radius != 1:
        return None
    sheet = PATCHES.reshape(3, 3, NEIGHBOURHOODS).transpose(0, 2, 1).reshape(3, -1)
    lattice = Lattice(np.ascontiguousarray(sheet, dtype=np.uint8), rule, "dead")
    lattice.advance(1)
    alive: NDArray[np.bool_] = lattice.cells()[1, 1::3] == 1
    return alive
