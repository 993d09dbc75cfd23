"""What a scenario file may hold: its fields as they are written, and the limits on them."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from thunderlab.automata.cells import Boundary
from thunderlab.automata.qa.facts import Facts
from thunderlab.automata.qa.scenario import EmergenceSpec, EnsembleSpec, Regime

MOST_SIDE = 16_384
MOST_CELLS = 1 << 26
MOST_STEPS = 1_000_000
MOST_WORK = 200_000_000_000
# On a plane, of the boxes around the pattern: most of a large one is empty, and empty rows are skipped.
MOST_WORK_ON_PLANE = 1_000_000_000_000
MOST_RUNS = 1_000_000
# Emergence is watched step by step on the cells themselves.
MOST_MEASURED = 1 << 21

_Side = Annotated[int, Meta(ge=1, le=MOST_SIDE)]
_Text = Annotated[str, Meta(min_length=1, max_length=400)]
_Place = Annotated[int, Meta(ge=0, lt=MOST_SIDE)]
_Number = Annotated[int, Meta(ge=0, le=MOST_SIDE)]


class Grid(msgspec.Struct, forbid_unknown_fields=True):
    """Lattice sizes, `[y x]` or `[z y x]`, and what lies beyond them; on a plane the box that the start lies in, which counts for nothing else."""

    size: Annotated[tuple[_Side, ...], Meta(min_length=2, max_length=3)]
    boundary: Boundary


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """The rule, and for a soup the share of its cells that live."""

    rule: str
    density: Annotated[float, Meta(ge=0, le=1)] | None = None


class ScenarioSpec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written; `scenario.Scenario` is what it means.

    One of `pattern`, `pattern_file`, `cells` and `runs` is the start; without one of them it is a soup of `parameters.density`, in the
    centred `soup_box` when that is given.
    """

    scenario: Literal[1]
    name: Annotated[str, Meta(max_length=64)]
    title: _Text
    regime: Regime
    grid: Grid
    seed: Annotated[int, Meta(ge=0)]
    parameters: Parameters
    pattern: str | None = None
    pattern_file: _Text | None = None
    cells: Annotated[tuple[tuple[_Place, ...], ...], Meta(min_length=1, max_length=100_000)] | None = None
    runs: Annotated[tuple[tuple[_Number, ...], ...], Meta(max_length=MOST_RUNS)] | None = None
    soup_box: tuple[_Side, ...] | None = None
    offset: tuple[_Place, ...] | None = None
    ensemble: EnsembleSpec | None = None
    emergence: EmergenceSpec | None = None
    duration: Annotated[int, Meta(ge=1, le=MOST_STEPS)]
    probes: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(max_length=64)] = ()
    expect: Facts = Facts()
    source: _Text
