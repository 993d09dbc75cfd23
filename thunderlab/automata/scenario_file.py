"""The files scenarios are written in: YAML or JSON, read strictly, every refusal naming file, line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from thunderlab import files
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.facts import Facts
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.scenario import Regime, Scenario
from thunderlab.documents import Document
from thunderlab.errors import InputError

MOST_SIDE = 16_384
MOST_CELLS = 1 << 26
MOST_STEPS = 1_000_000
MOST_WORK = 200_000_000_000

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_Side = Annotated[int, Meta(ge=1, le=MOST_SIDE)]
_Text = Annotated[str, Meta(min_length=1, max_length=400)]
_Place = Annotated[int, Meta(ge=0, lt=MOST_SIDE)]


def read_scenario(path: Path, *, root: Path | None = None) -> Scenario:
    """Return the scenario in a YAML or JSON file.

    Args:
        path: the file; its name without ending must be the scenario's name.
        root: the folder a `pattern_file` is looked for and must lie in; the file's own by default.

    Raises:
        InputError: naming file, line and field, for anything unknown, missing, of the wrong type, or out of its limits: sides up
            to 16384, 2**26 cells, a million steps, 2 * 10**11 cell updates in all.
    """
    document = files.read_document(path)
    return _Checked(document, document.convert(_Spec), path, path.parent if root is None else root).scenario()


def scenario_files(folder: Path) -> Iterator[Path]:
    """Yield the scenario files of a folder by name: `.yaml`, `.yml` and `.json`, without `suite.yaml` and `baseline.json`."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml", ".json") and path.name not in ("suite.yaml", "baseline.json") and not path.name.startswith("."):
            yield path


class _Grid(msgspec.Struct, forbid_unknown_fields=True):
    size: Annotated[tuple[_Side, ...], Meta(min_length=2, max_length=3)]
    boundary: Boundary


class _Parameters(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    density: Annotated[float, Meta(ge=0, le=1)] | None = None


class _Spec(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The file as it is written; `Scenario` is what it means."""

    scenario: Literal[1]
    name: Annotated[str, Meta(max_length=64)]
    title: _Text
    regime: Regime
    grid: _Grid
    seed: Annotated[int, Meta(ge=0)]
    parameters: _Parameters
    pattern: str | None = None
    pattern_file: _Text | None = None
    cells: Annotated[tuple[tuple[_Place, ...], ...], Meta(min_length=1, max_length=100_000)] | None = None
    soup_box: tuple[_Side, ...] | None = None
    offset: tuple[_Place, ...] | None = None
    duration: Annotated[int, Meta(ge=1, le=MOST_STEPS)]
    probes: Annotated[tuple[Annotated[int, Meta(ge=0)], ...], Meta(max_length=64)] = ()
    expect: Facts = Facts()
    source: _Text


class _Checked:
    """Turns a file into a scenario, knowing for every refusal the line it stands in."""

    def __init__(self, document: Document, spec: _Spec, path: Path, root: Path) -> None:
        self._document = document
        self._spec = spec
        self._path = path
        self._root = root

    def scenario(self) -> Scenario:
        spec = self._spec
        self._check_name()
        self._check_size()
        self._check_probes()
        self._check_facts()
        pattern, offset = self._start()
        return Scenario(
            name=spec.name,
            title=spec.title,
            regime=spec.regime,
            rule=self._rule(),
            boundary=spec.grid.boundary,
            shape=spec.grid.size,
            seed=spec.seed,
            density=spec.parameters.density,
            duration=spec.duration,
            probes=spec.probes,
            expect=spec.expect,
            source=spec.source,
            pattern=pattern,
            offset=offset,
            soup_box=spec.soup_box,
        )

    def _refuse(self, what: str, *place: str | int) -> InputError:
        return self._document.refuse(place, what)

    def _check_name(self) -> None:
        name = self._spec.name
        if not _SLUG.fullmatch(name):
            raise self._refuse(f"{name!r} is not a name; small letters, digits and single hyphens are, as in r-pentomino", "name")
        if name != self._path.stem:
            raise self._refuse(f"{name!r} differs from the file's name {self._path.stem!r}; they must be equal", "name")

    def _check_size(self) -> None:
        size, steps = self._spec.grid.size, self._spec.duration
        if prod(size) > MOST_CELLS:
            raise self._refuse(f"{' x '.join(map(str, size))} is more than the {MOST_CELLS} cells a scenario may have", "grid", "size")
        if prod(size) * steps > MOST_WORK:
            raise self._refuse(
                f"{prod(size)} cells for {steps} steps are more than the {MOST_WORK} cell updates a scenario may take", "duration"
            )

    def _check_probes(self) -> None:
        for index, probe in enumerate(self._spec.probes):
            if probe > self._spec.duration:
                raise self._refuse(f"{probe} lies behind the end; steps up to the duration {self._spec.duration} exist", "probes", index)
            if index and probe <= self._spec.probes[index - 1]:
                raise self._refuse(f"{probe} does not ascend; probes are sorted and each named once", "probes", index)

    def _check_facts(self) -> None:
        facts, duration = self._spec.expect, self._spec.duration
        for place, step in facts.steps():
            if step > duration:
                raise self._refuse(f"{step} lies behind the end; steps up to the duration {duration} exist", "expect", *place)
        for place, vector in facts.vectors():
            self._check_axes(vector, "expect", *place)
        if facts.growth is not None and facts.growth.end - facts.growth.start < facts.growth.every:
            raise self._refuse("from and to lie less than `every` steps apart", "expect", "growth")
        if facts.alive_ratio is not None and facts.alive_ratio.low > facts.alive_ratio.high:
            raise self._refuse("low lies above high", "expect", "alive_ratio")

    def _check_axes(self, vector: tuple[int, ...], *place: str | int) -> None:
        axes = len(self._spec.grid.size)
        if len(vector) != axes:
            raise self._refuse(f"needs {axes} numbers, one per axis of the grid, not {len(vector)}", *place)

    def _rule(self) -> Rule:
        try:
            return parse_rule(self._spec.parameters.rule, dimensions=len(self._spec.grid.size))
        except InputError as error:
            raise self._refuse(error.what, "parameters", "rule") from None

    def _start(self) -> tuple[Cells | None, tuple[int, ...] | None]:
        spec = self._spec
        given = [name for name in ("pattern", "pattern_file", "cells", "soup_box") if getattr(spec, name) is not None]
        if len(given) > 1:
            raise self._refuse(
                f"a start is given already by {given[0]}; one of pattern, pattern_file, cells or soup_box is accepted", given[1]
            )
        pattern = self._pattern()
        if pattern is None:
            self._check_soup()
            return None, None
        if spec.parameters.density is not None:
            raise self._refuse("only a soup has a density, and the start is a pattern", "parameters", "density")
        return pattern, self._offset(pattern)

    def _check_soup(self) -> None:
        spec = self._spec
        if spec.parameters.density is None:
            raise self._refuse("a density from 0 to 1 is missing, which a soup needs; or give a pattern", "parameters")
        if spec.offset is not None:
            raise self._refuse("only a pattern has an offset, and the start is a soup", "offset")
        if spec.soup_box is not None:
            self._check_axes(spec.soup_box, "soup_box")
            if any(part > size for part, size in zip(spec.soup_box, spec.grid.size, strict=True)):
                raise self._refuse("is larger than the grid", "soup_box")

    def _pattern(self) -> Cells | None:
        spec = self._spec
        if spec.cells is not None:
            return self._listed(spec.cells)
        if spec.pattern is not None:
            key, found = "pattern", Pattern.parse(spec.pattern, where=self._path, field=self._refuse("", "pattern").field)
        elif spec.pattern_file is not None:
            key = "pattern_file"
            try:
                found = Pattern.read(files.contained(self._root / spec.pattern_file, self._root))
            except InputError as error:
                raise self._refuse(str(error), key) from None
        else:
            return None
        if len(spec.grid.size) != 2:
            raise self._refuse("patterns in this format have two dimensions; give `cells` or a soup for a 3D grid", key)
        if found.rule is not None and found.rule != str(self._rule()):
            raise self._refuse(f"was made for {found.rule}, and parameters.rule is {self._rule()}", key)
        return found.cells

    def _listed(self, places: tuple[tuple[int, ...], ...]) -> Cells:
        for index, place in enumerate(places):
            self._check_axes(place, "cells", index)
            if any(at >= size for at, size in zip(place, self._spec.grid.size, strict=True)):
                raise self._refuse(f"{list(place)} lies outside the grid", "cells", index)
        if len(set(places)) != len(places):
            raise self._refuse("names a cell twice", "cells")
        corner = np.array(places).max(axis=0) + 1
        cells = np.zeros(tuple(corner.tolist()), dtype=np.uint8)
        cells[tuple(np.array(places).T)] = 1
        return cells

    def _offset(self, pattern: Cells) -> tuple[int, ...]:
        size = self._spec.grid.size
        if self._spec.offset is None:
            offset = tuple((whole - part) // 2 for whole, part in zip(size, pattern.shape, strict=True))
        else:
            offset = self._spec.offset
            self._check_axes(offset, "offset")
        for at, part, whole in zip(offset, pattern.shape, size, strict=True):
            if at < 0 or at + part > whole:
                key = "offset" if self._spec.offset is not None else "grid"
                raise self._refuse(f"the pattern of {' x '.join(map(str, pattern.shape))} cells does not fit the grid there", key)
        return offset
