"""The start a scenario file gives: a pattern in one of four ways of writing it, or what a soup needs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thunderlab import files
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.qa.cell_runs import cells_of
from thunderlab.automata.qa.scenario_spec import ScenarioSpec
from thunderlab.automata.rules import Rule
from thunderlab.documents import Document
from thunderlab.errors import InputError

STARTS = ("pattern", "pattern_file", "cells", "runs", "soup_box")


def check_axes(document: Document, spec: ScenarioSpec, vector: tuple[int, ...], *place: str | int) -> None:
    """Make sure that a list has one number per axis of the grid."""
    axes = len(spec.grid.size)
    if len(vector) != axes:
        raise document.refuse(place, f"needs {axes} numbers, one per axis of the grid, not {len(vector)}")


class Start:
    """Turns the start of a file into cells, knowing for every refusal the line it stands in.

    Args:
        document: the file.
        spec: what it holds.
        rule: the scenario's.
        root: the folder a `pattern_file` is looked for and must lie in.
    """

    def __init__(self, document: Document, spec: ScenarioSpec, rule: Rule, root: Path) -> None:
        self._document = document
        self._spec = spec
        self._rule = rule
        self._root = root

    def _refuse(self, what: str, *place: str | int) -> InputError:
        return self._document.refuse(place, what)

    def cells(self) -> tuple[Cells | None, tuple[int, ...] | None]:
        """Return the cells of the pattern and where its first corner lies; None and None for a soup."""
        spec, rule = self._spec, self._rule
        given = [name for name in STARTS if getattr(spec, name) is not None]
        if len(given) > 1:
            raise self._refuse(f"a start is given already by {given[0]}; one of {', '.join(STARTS)} is accepted", given[1])
        pattern = self._pattern()
        if pattern is None:
            self._check_soup()
            return None, None
        if spec.parameters.density is not None:
            raise self._refuse("only a soup has a density, and the start is a pattern", "parameters", "density")
        most = int(pattern.max(initial=0))
        if most >= rule.states:
            raise self._refuse(f"holds state {most}, and {rule} has the states 0 to {rule.states - 1}", given[0])
        return pattern, self._offset(pattern)

    def _check_soup(self) -> None:
        spec = self._spec
        if spec.parameters.density is None:
            raise self._refuse("a density from 0 to 1 is missing, which a soup needs; or give a pattern", "parameters")
        if spec.offset is not None:
            raise self._refuse("only a pattern has an offset, and the start is a soup", "offset")
        if spec.soup_box is not None:
            check_axes(self._document, self._spec, spec.soup_box, "soup_box")
            if any(part > size for part, size in zip(spec.soup_box, spec.grid.size, strict=True)):
                raise self._refuse("is larger than the grid", "soup_box")

    def _pattern(self) -> Cells | None:
        spec = self._spec
        if spec.cells is not None:
            return self._listed(spec.cells)
        if spec.runs is not None:
            return self._laid(spec.runs)
        if spec.pattern is not None:
            key, found = "pattern", Pattern.parse(spec.pattern, where=self._document.path, field=self._refuse("", "pattern").field)
        elif spec.pattern_file is not None:
            key = "pattern_file"
            try:
                found = Pattern.read(files.contained(self._root / spec.pattern_file, self._root))
            except InputError as error:
                raise self._refuse(str(error), key) from None
        else:
            return None
        if len(spec.grid.size) != 2:
            raise self._refuse("patterns in this format have two dimensions; give `cells`, `runs` or a soup for a 3D grid", key)
        if found.rule is not None and found.rule != str(self._rule):
            raise self._refuse(f"was made for {found.rule}, and parameters.rule is {self._rule}", key)
        grid = spec.grid
        if found.size is not None and (found.boundary, found.size) != (grid.boundary, grid.size):
            own, given = _words(found.boundary or grid.boundary, found.size), _words(grid.boundary, grid.size)
            raise self._refuse(f"was made for {own}, and the grid is {given}; leave the pattern's own out or make them equal", key)
        return found.cells

    def _listed(self, places: tuple[tuple[int, ...], ...]) -> Cells:
        for index, place in enumerate(places):
            check_axes(self._document, self._spec, place, "cells", index)
            if any(at >= size for at, size in zip(place, self._spec.grid.size, strict=True)):
                raise self._refuse(f"{list(place)} lies outside the grid", "cells", index)
        if len(set(places)) != len(places):
            raise self._refuse("names a cell twice", "cells")
        corner = np.array(places).max(axis=0) + 1
        cells = np.zeros(tuple(corner.tolist()), dtype=np.uint8)
        cells[tuple(np.array(places).T)] = 1
        return cells

    def _laid(self, runs: tuple[tuple[int, ...], ...]) -> Cells:
        try:
            return cells_of(runs, self._spec.grid.size)
        except InputError as error:
            raise self._refuse(error.what, "runs", int(error.field or 0)) from None

    def _offset(self, pattern: Cells) -> tuple[int, ...]:
        size = self._spec.grid.size
        if self._spec.offset is None:
            offset = tuple((whole - part) // 2 for whole, part in zip(size, pattern.shape, strict=True))
        else:
            offset = self._spec.offset
            check_axes(self._document, self._spec, offset, "offset")
        for at, part, whole in zip(offset, pattern.shape, size, strict=True):
            if at < 0 or at + part > whole:
                key = "offset" if self._spec.offset is not None else "grid"
                raise self._refuse(f"the pattern of {' x '.join(map(str, pattern.shape))} cells does not fit the grid there", key)
        return offset


def _words(boundary: Boundary, size: tuple[int, ...]) -> str:
    """Return a grid in words."""
    surface = {"torus": "a torus of", "dead": "a dead edge around", "plane": "an unbounded plane, starting from"}[boundary]
    return f"{surface} {' x '.join(map(str, size))} cells"
