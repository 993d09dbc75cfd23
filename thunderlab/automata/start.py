"""Where a run starts: a scenario file, a pattern file or a random soup, made into cells, rule and boundary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.memory import check_size
from thunderlab.automata.pattern import MOST_CELLS, Pattern
from thunderlab.automata.rules import LeniaRule, Rule, parse_rule
from thunderlab.automata.soup import soup
from thunderlab.errors import InputError

LIFE = "B3/S23"


@dataclass(frozen=True, eq=False)
class Start:
    """A complete start.

    Attributes:
        cells: uint8 `[y x]` or `[z y x]`.
        rule: of as many dimensions.
        boundary: "torus", "dead" or "plane".
        steps: the scenario's duration, None when there is no scenario.
        origin: y and x of the first cell where the pattern's file gives coordinates, else zeros.
    """

    cells: Cells
    rule: Rule
    boundary: Boundary
    steps: int | None = None
    origin: tuple[int, ...] = (0, 0)


def from_scenario(path: Path, rule: str | None, boundary: Boundary | None) -> Start:
    """Return a scenario's start; `rule` and `boundary` override the file's when given."""
    from thunderlab.automata.qa.scenario_file import read_scenario  # files of scenarios are YAML, whose parser other starts do not need

    scenario = read_scenario(path)
    parsed = scenario.rule if rule is None else parse_rule(rule, dimensions=len(scenario.shape))
    return Start(scenario.initial_cells(), parsed, boundary or scenario.boundary, scenario.duration)


def from_pattern(path: Path, size: tuple[int, ...] | None, rule: str | None, boundary: Boundary | None) -> Start:
    """Return a pattern's start: centred on a lattice of `size`, else on the grid it names itself, else on one just as large.

    A file that names a grid (`B3/S23:T30,20`) runs on it, placed where Golly places it: at its `#CXRLE Pos`, else in the middle. `rule`
    and `boundary` override the file's when given; Life on a torus is what a file means that names none.

    Raises:
        InputError: when the pattern is empty without a size, does not fit, or has a state that the rule does not have.
    """
    pattern = Pattern.read(path)
    height, width = pattern.cells.shape
    shape = size or pattern.size or (height, width)
    if len(shape) != 2:
        raise InputError("a pattern is two-dimensional; give its lattice as HxW", field="--size")
    if 0 in shape:
        raise InputError("is empty; give the lattice's size with --size HxW", where=path)
    if height > shape[0] or width > shape[1]:
        raise InputError(f"{shape[0]}x{shape[1]} is too small for the pattern, which is {height}x{width}", field="--size")
    parsed = parse_rule(rule if rule is not None else pattern.rule or LIFE, dimensions=2)
    highest = int(pattern.cells.max(initial=0))
    if highest >= parsed.states:
        raise InputError(f"has cells in state {highest}, and {parsed} has the states 0 to {parsed.states - 1}", where=path)
    top, left = _corner_on_grid(path, pattern, pattern.size) if pattern.size and not size else _centred(pattern, shape)
    cells = np.zeros(shape, dtype=np.uint8)
    cells[top : top + height, left : left + width] = pattern.cells
    origin = (0, 0) if pattern.origin is None else (pattern.origin[0] - top, pattern.origin[1] - left)
    return Start(cells, parsed, boundary or pattern.boundary or "torus", origin=origin)


def _centred(pattern: Pattern, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple((size - part) // 2 for size, part in zip(shape, pattern.cells.shape, strict=True))


def _corner_on_grid(path: Path, pattern: Pattern, grid: tuple[int, int]) -> tuple[int, ...]:
    """Return row and column of the pattern's corner on its own grid, whose cell (0, 0) Golly calls (-width // 2, -height // 2)."""
    corner = pattern.origin or tuple(-(part // 2) for part in pattern.cells.shape)
    found = tuple(place + size // 2 for place, size in zip(corner, grid, strict=True))
    if any(at < 0 or at + part > size for at, part, size in zip(found, pattern.cells.shape, grid, strict=True)):
        raise InputError(
            f"its `#CXRLE Pos={corner[1]},{corner[0]}` places cells outside its grid of {grid[1]} x {grid[0]}; "
            "leave the line out, or give a lattice with --size HxW",
            where=path,
        )
    return found


def from_soup(density: float, size: tuple[int, ...] | None, seed: int, rule: str | None, boundary: Boundary | None) -> Start:
    """Return a random start; the rule is Life when none is given in 2D.

    Cells of a soup are 0 or 1, under Lenia 0 or 255: nothing and everything.

    Raises:
        InputError: when the density or seed is out of range, or a 3D soup has no rule.
    """
    if size is None:
        raise InputError("a soup needs a lattice: HxW, or DxHxW in 3D", field="--size")
    if not 0 <= density <= 1:
        raise InputError(f"a density lies in 0..1, got {density:g}", field="--soup")
    if seed < 0:
        raise InputError(f"a seed is an integer >= 0, got {seed}", field="--seed")
    if rule is None and len(size) == 3:
        raise InputError("a 3D soup needs a rule, for example B5-7/S4-6", field="--rule")
    parsed = parse_rule(LIFE if rule is None else rule, dimensions=len(size))
    check_size(size, parsed, boundary or "torus")  # before anything of that size is drawn
    cells = soup(size, density, seed)
    if parsed.family == LeniaRule.family:
        cells *= np.uint8(parsed.states - 1)
    return Start(cells, parsed, boundary or "torus")


def parse_size(text: str) -> tuple[int, ...]:
    """Return `"48x64"` as (48, 64) and `"8x16x32"` as (8, 16, 32).

    Raises:
        InputError: for anything else, an empty side, or more cells than fit; then it says how much memory they would need.

    >>> parse_size("48x64")
    (48, 64)
    """
    parts = text.lower().split("x")
    if len(parts) not in (2, 3) or not all(part.isascii() and part.isdigit() and len(part) <= 30 for part in parts):
        raise InputError(f"{text!r} is not a size; write HxW, or DxHxW in 3D", field="--size")
    size = tuple(int(part) for part in parts)
    if 0 in size:
        raise InputError(f"{text} has an empty side", field="--size")
    cells = math.prod(size)
    if cells > MOST_CELLS:
        raise InputError(
            f"{text} is {cells:,} cells, which would need {cells / 2**30:,.1f} GiB; at most {MOST_CELLS:,} are run", field="--size"
        )
    return size
