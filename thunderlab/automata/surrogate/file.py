"""The files surrogates are kept in: one JSON document each, read strictly, every refusal naming file, line and field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from thunderlab import files
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.surrogate.model import MOST_LAYERS, MOST_RADIUS, MOST_UNITS, Activation, Claims, Layer, Surrogate, Training
from thunderlab.documents import Document
from thunderlab.errors import InputError

FOLDER = "surrogates"

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Half way from the largest float32 to the next power of two; from here on rounding gives infinity.
_TOO_LARGE = 2.0**128 - 2.0**103
_INNERMOST = re.compile(r"\[\s+([^\[\]{}]*?)\s+\]")


class _Layer(msgspec.Struct, forbid_unknown_fields=True):
    weights: Annotated[tuple[tuple[float, ...], ...], Meta(min_length=1, max_length=MOST_UNITS)]
    bias: tuple[float, ...]


class _Spec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written; `Surrogate` is what it means."""

    surrogate: Literal[1] = 1
    name: Annotated[str, Meta(max_length=64)]
    title: Annotated[str, Meta(min_length=1, max_length=400)]
    rule: str
    radius: Annotated[int, Meta(ge=1, le=MOST_RADIUS)]
    activation: Activation
    threshold: float
    layers: Annotated[tuple[_Layer, ...], Meta(min_length=1, max_length=MOST_LAYERS)]
    training: Training | None = None
    scored: Claims | None = None


def read_surrogate(path: Path) -> Surrogate:
    """Return the surrogate in a JSON file.

    The fields are those of `Surrogate`, and `"surrogate": 1` for the format. A layer is `{"weights": [[...], ...], "bias": [...]}`
    with one row of weights per unit; numbers are rounded to float32.

    Args:
        path: at most a mebibyte, whose name without ending must be the surrogate's name.

    Raises:
        InputError: naming file, line and field, for anything unknown, missing, of the wrong type or shape, or out of its limits:
            radius 1 to 3, 1 to 4 layers of at most 256 units, numbers that float32 holds.
    """
    if path.suffix.lower() != ".json":
        raise InputError("is not a surrogate's file; those are JSON and end in .json", where=path)
    document = files.read_document(path)
    if isinstance(document.value, dict) and "surrogate" not in document.value:
        raise document.refuse(("surrogate",), "is missing; 1 is the format that is read here")
    spec = document.convert(_Spec)
    if not _SLUG.fullmatch(spec.name):
        raise document.refuse(("name",), f"{spec.name!r} is not a name; small letters, digits and single hyphens are, as in life-mlp")
    if spec.name != path.stem:
        raise document.refuse(("name",), f"{spec.name!r} differs from the file's name {path.stem!r}; they must be equal")
    return Surrogate(
        name=spec.name,
        title=spec.title,
        rule=_rule(document, spec.rule),
        radius=spec.radius,
        activation=spec.activation,
        threshold=spec.threshold,
        layers=_layers(document, spec),
        training=spec.training,
        scored=spec.scored,
    )


def write_surrogate(surrogate: Surrogate, path: Path) -> None:
    """Write a surrogate's file whole or not at all, one unit's weights a line; reading it gives the same surrogate, bit for bit."""
    spec = _Spec(
        name=surrogate.name,
        title=surrogate.title,
        rule=str(surrogate.rule),
        radius=surrogate.radius,
        activation=surrogate.activation,
        threshold=surrogate.threshold,
        layers=tuple(_Layer(tuple(map(_shortest, layer.weights)), _shortest(layer.bias)) for layer in surrogate.layers),
        training=surrogate.training,
        scored=surrogate.scored,
    )
    text = json.dumps(msgspec.to_builtins(spec), indent=1, ensure_ascii=False, allow_nan=False)
    files.write_whole(path, _INNERMOST.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n")


def find_surrogate(scenarios: Path, target: str) -> Surrogate:
    """Return a surrogate by file, or by the name of a shipped one.

    Args:
        scenarios: the folder whose subfolder `surrogates` holds those that ship.
        target: a path that ends in `.json`, or a name.

    Raises:
        InputError: when there is none, or anything in its file is wrong.
    """
    if Path(target).suffix.lower() == ".json":
        return read_surrogate(Path(target))
    names = sorted(path.stem for path in (scenarios / FOLDER).glob("*.json"))
    if target not in names:
        raise InputError(
            f"{target[:80]!r} is neither a .json file nor a shipped surrogate; those are: {', '.join(names) or 'none'}", field="MODEL"
        )
    return read_surrogate(scenarios / FOLDER / f"{target}.json")


def _rule(document: Document, text: str) -> Rule:
    try:
        rule = parse_rule(text, dimensions=2)
    except InputError as error:
        raise document.refuse(("rule",), error.what) from None
    if rule.states != 2:
        raise document.refuse(("rule",), f"{rule} has {rule.states} states; a surrogate predicts rules of two")
    return rule


def _layers(document: Document, spec: _Spec) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    inputs, givers = (2 * spec.radius + 1) ** 2, f"cells in a patch of radius {spec.radius}"
    for number, layer in enumerate(spec.layers):
        place = ("layers", number)
        for unit, row in enumerate(layer.weights):
            if len(row) != inputs:
                raise document.refuse((*place, "weights", unit), f"has {len(row)} weights; the {givers} are {inputs}")
        units = len(layer.weights)
        if len(layer.bias) != units:
            raise document.refuse((*place, "bias"), f"has {len(layer.bias)} numbers; the rows of weights are {units}")
        weights = [_floats(document, row, (*place, "weights", unit)) for unit, row in enumerate(layer.weights)]
        layers.append(Layer(np.stack(weights), _floats(document, layer.bias, (*place, "bias"))))
        inputs, givers = units, f"units of layer {number}"
    if inputs != 1:
        raise document.refuse(("layers", len(layers) - 1, "weights"), f"has {inputs} rows; the last layer has one unit, its output")
    return tuple(layers)


def _floats(document: Document, values: tuple[float, ...], place: tuple[str | int, ...]) -> NDArray[np.float32]:
    for index, value in enumerate(values):
        if abs(value) >= _TOO_LARGE:
            raise document.refuse((*place, index), f"{value:g} is larger than float32 holds")
    return np.array(values, dtype=np.float64).astype(np.float32)


def _shortest(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Return numbers whose decimal spelling is the shortest that rounds to these float32."""
    return tuple(float(str(value)) for value in values)
