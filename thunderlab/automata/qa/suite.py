"""Suites: folders of scenarios that are run together, with the baseline that was agreed on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from thunderlab import files
from thunderlab.automata.qa.baseline import Baseline
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_file import read_scenario, scenario_files
from thunderlab.errors import InputError


class SuiteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A suite's own file, `suite.yaml`.

    Attributes:
        suite: its name, which is its folder's.
        format: of this file.
        title: what it is, in words.
        budget_s: the longest a run may take.
        entropy_band: how far `entropy_mean` may move either way, as a fraction of the baseline's, where no ensemble says it.
    """

    suite: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
    format: Literal[1]
    title: Annotated[str, Meta(min_length=1, max_length=400)]
    budget_s: Annotated[float, Meta(gt=0, le=86_400)] = 90.0
    entropy_band: Annotated[float, Meta(ge=0, le=1)] = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Suite:
    """Scenarios that are run together.

    Attributes:
        name: the suite's name, which is its folder's.
        title: what it is, in words.
        budget_s: the longest a run may take.
        entropy_band: how far `entropy_mean` may move either way, as a fraction of the baseline's, where no ensemble says it.
        folder: where it lies.
        scenarios: in name order.
        baseline: what was agreed, or None when there is none yet.
        stored: the digest of the stored pack it was taken from; None when it was read from its folder.
    """

    name: str
    title: str
    budget_s: float
    entropy_band: float
    folder: Path
    scenarios: tuple[Scenario, ...]
    baseline: Baseline | None
    stored: str | None = None

    @property
    def baseline_path(self) -> Path:
        """Where the baseline lies or is to lie."""
        return self.folder / "baseline.json"

    @property
    def recorded_name(self) -> str:
        """The name its runs are recorded under: a stored pack's is never taken for the suite as it is today."""
        return self.name if self.stored is None else f"{self.name}@{self.stored[:12]}"

    def scenario(self, name: str) -> Scenario:
        """Return one scenario by its name.

        Raises:
            InputError: when there is none of that name, listing those there are.
        """
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        raise InputError(
            f"the suite {self.name} has no scenario {name!r}; it has {', '.join(one.name for one in self.scenarios)}", field="scenario"
        )


def load_suite(folder: Path) -> Suite:
    """Return the suite in a folder: `suite.yaml`, one YAML or JSON file per scenario, and `baseline.json` when there is one.

    Raises:
        InputError: naming file, line and field, for anything missing, unknown or wrong in any of them.
    """
    document = files.read_document(folder / "suite.yaml")
    spec = document.convert(SuiteSettings)
    if spec.suite != folder.resolve().name:
        raise document.refuse(("suite",), f"{spec.suite!r} differs from the folder's name {folder.resolve().name!r}; they must be equal")
    scenarios = sorted((read_scenario(path, root=folder) for path in scenario_files(folder)), key=lambda scenario: scenario.name)
    for before, after in itertools.pairwise(scenarios):
        if before.name == after.name:
            raise InputError(f"two files hold a scenario {after.name!r}", where=folder, field="name")
    if not scenarios:
        raise InputError("holds no scenario", where=folder)
    return Suite(
        name=spec.suite,
        title=spec.title,
        budget_s=spec.budget_s,
        entropy_band=spec.entropy_band,
        folder=folder,
        scenarios=tuple(scenarios),
        baseline=baseline_in(folder, spec.suite),
    )


def baseline_in(folder: Path, suite: str) -> Baseline | None:
    """Return the baseline in a suite's folder, None when there is none.

    Raises:
        InputError: when there is one that is none, or is another suite's.
    """
    path = folder / "baseline.json"
    baseline = Baseline.load(path) if path.exists() else None
    if baseline is not None and baseline.suite != suite:
        raise InputError(f"is the baseline of {baseline.suite!r}, not of {suite!r}", where=path, field="suite")
    return baseline
