"""The files scenarios are written in: YAML or JSON, read strictly, every refusal naming file, line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from pathlib import Path

from thunderlab import files
from thunderlab.automata.cells import Cells
from thunderlab.automata.qa.facts import OF_COURSES, OF_EMERGENCE, OF_ENSEMBLES
from thunderlab.automata.qa.scenario import EmergenceSpec, EnsembleSpec, Scenario
from thunderlab.automata.qa.scenario_spec import MOST_CELLS, MOST_MEASURED, MOST_WORK, ScenarioSpec
from thunderlab.automata.qa.scenario_start import Start, check_axes
from thunderlab.automata.rules import Rule, parse_rule, refuse_on_plane
from thunderlab.documents import Document
from thunderlab.errors import InputError

__all__ = ["read_scenario", "scenario_files", "scenario_of"]

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def read_scenario(path: Path, *, root: Path | None = None) -> Scenario:
    """Return the scenario in a YAML or JSON file.

    Args:
        path: the file; its name without ending must be the scenario's name.
        root: the folder a `pattern_file` is looked for and must lie in; the file's own by default.

    Raises:
        InputError: naming file, line and field, for anything unknown, missing, of the wrong type, or out of its limits: sides up
            to 16384, 2**26 cells, a million steps, 2 * 10**11 cell updates in all. On a plane the last of these is found out by running.
    """
    document = files.read_document(path)
    checked = _Checked(document, document.convert(ScenarioSpec), path.parent if root is None else root)
    checked.check_name(path.stem)
    return checked.scenario()


def scenario_of(value: object, where: Path) -> Scenario:
    """Return the scenario in a value that was read already, as a pack holds it: checked like a file, and whole in itself.

    Args:
        value: what a scenario file would hold.
        where: the file it came from, for messages.

    Raises:
        InputError: as `read_scenario` does, and for a `pattern_file`.
    """
    document = Document(where, value, {})
    spec = document.convert(ScenarioSpec)
    if spec.pattern_file is not None:
        raise document.refuse(("pattern_file",), "is not accepted here; the cells themselves are")
    return _Checked(document, spec, where.parent).scenario()


def scenario_files(folder: Path) -> Iterator[Path]:
    """Yield the scenario files of a folder by name: `.yaml`, `.yml` and `.json`, without `suite.yaml` and `baseline.json`."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".yaml", ".yml", ".json") and path.name not in ("suite.yaml", "baseline.json") and not path.name.startswith("."):
            yield path


class _Checked:
    """Turns a file into a scenario, knowing for every refusal the line it stands in."""

    def __init__(self, document: Document, spec: ScenarioSpec, root: Path) -> None:
        self._document = document
        self._spec = spec
        self._root = root
        self._on_plane = spec.grid.boundary == "plane"

    def scenario(self) -> Scenario:
        spec = self._spec
        self._check_slug()
        self._check_size()
        self._check_probes()
        self._check_facts()
        rule = self._rule()
        pattern, offset = Start(self._document, spec, rule, self._root).cells()
        return Scenario(
            name=spec.name,
            title=spec.title,
            regime=spec.regime,
            rule=rule,
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
            ensemble=self._ensemble(pattern),
            emergence=self._emergence(),
        )

    def check_name(self, stem: str) -> None:
        """Make sure that a scenario is named as its file."""
        self._check_slug()
        if self._spec.name != stem:
            raise self._refuse(f"{self._spec.name!r} differs from the file's name {stem!r}; they must be equal", "name")

    def _refuse(self, what: str, *place: str | int) -> InputError:
        return self._document.refuse(place, what)

    def _check_slug(self) -> None:
        if not _SLUG.fullmatch(self._spec.name):
            raise self._refuse(
                f"{self._spec.name!r} is not a name; small letters, digits and single hyphens are, as in r-pentomino", "name"
            )

    def _check_size(self) -> None:
        size, steps = self._spec.grid.size, self._spec.duration
        if prod(size) > MOST_CELLS:
            raise self._refuse(f"{' x '.join(map(str, size))} is more than the {MOST_CELLS} cells a scenario may have", "grid", "size")
        # What a run on a plane takes shows while it runs.
        if prod(size) * steps > MOST_WORK and not self._on_plane:
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
            check_axes(self._document, self._spec, vector, "expect", *place)
        if facts.growth is not None and facts.growth.end - facts.growth.start < facts.growth.every:
            raise self._refuse("from and to lie less than `every` steps apart", "expect", "growth")
        if facts.alive_ratio is not None and facts.alive_ratio.low > facts.alive_ratio.high:
            raise self._refuse("low lies above high", "expect", "alive_ratio")
        known = OF_COURSES + (OF_ENSEMBLES if self._spec.ensemble else ()) + (OF_EMERGENCE if self._spec.emergence else ())
        for name, limits in facts.between.items():
            if name not in known:
                raise self._refuse(
                    f"this scenario measures no {name!r}; limits can be set to {', '.join(known)}", "expect", "between", name
                )
            if limits.low > limits.high:
                raise self._refuse("low lies above high", "expect", "between", name)

    def _rule(self) -> Rule:
        try:
            rule = parse_rule(self._spec.parameters.rule, dimensions=len(self._spec.grid.size))
        except InputError as error:
            raise self._refuse(error.what, "parameters", "rule") from None
        if rule.family == "lenia":
            raise self._refuse(
                "Lenia computes with rounded numbers, and a scenario is exact; rules of whole states are accepted", "parameters", "rule"
            )
        if self._on_plane:
            try:
                refuse_on_plane(rule)
            except InputError as error:
                raise self._refuse(error.what, "grid", "boundary") from None
        return rule

    def _ensemble(self, pattern: Cells | None) -> EnsembleSpec | None:
        spec, size = self._spec, prod(self._spec.grid.size)
        if spec.ensemble is None:
            return None
        if pattern is not None:
            raise self._refuse("only a soup has further seeds, and the start is a pattern", "ensemble")
        if self._on_plane:
            raise self._refuse(
                "further seeds are run side by side in one frame, which a plane does not have; accepted with an ensemble: torus, dead",
                "ensemble",
            )
        seeds = spec.ensemble.seeds
        if seeds * size > MOST_CELLS:
            raise self._refuse(f"{seeds} lattices of {size} cells are more than {MOST_CELLS} cells", "ensemble", "seeds")
        if seeds * size * spec.duration > MOST_WORK:
            raise self._refuse(
                f"{seeds} lattices of {size} cells for {spec.duration} steps are more than {MOST_WORK} cell updates", "ensemble", "seeds"
            )
        if spec.ensemble.every > spec.duration:
            raise self._refuse(f"{spec.ensemble.every} steps are more than the duration {spec.duration}", "ensemble", "every")
        return spec.ensemble

    def _emergence(self) -> EmergenceSpec | None:
        spec = self._spec.emergence
        if spec is None:
            return None
        if self._on_plane:
            raise self._refuse(
                "emergence compares the cells of one frame over time, which a plane does not have; accepted with emergence: torus, dead",
                "emergence",
            )
        if spec.steps > self._spec.duration:
            raise self._refuse(f"{spec.steps} steps are more than the duration {self._spec.duration}", "emergence", "steps")
        if prod(self._spec.grid.size) > MOST_MEASURED:
            raise self._refuse(f"emergence is measured on {MOST_MEASURED} cells at most", "emergence")
        return spec
