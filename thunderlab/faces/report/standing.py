"""How a run stands to its suite's baseline: whether pack and engine are the same, and its seeds held against their bands."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from thunderlab import workspace
from thunderlab.automata.qa.bands import EnsembleBand, median, outside
from thunderlab.automata.qa.baseline import Baseline, ScenarioBaseline, compare
from thunderlab.automata.qa.desk import suite_names
from thunderlab.automata.qa.results import ScenarioResult, SuiteResult
from thunderlab.automata.qa.suite import baseline_in
from thunderlab.errors import ThunderlabError
from thunderlab.faces.report import wording
from thunderlab.gate.reading import Status


class Held(NamedTuple):
    """What the seeds of one scenario measured of one metric, beside the baseline's band.

    Attributes:
        scenario, title, metric: which.
        unit: of the metric.
        values: one a seed, in their order; at least one.
        band: None when the baseline has none for this scenario as it was run.
        inside: how many values lie within the band; all of them without one.
        median: of the values.
        reasons: in words, why they are not as the band allows; empty when they are, and without a band.
    """

    scenario: str
    title: str
    metric: str
    unit: str
    values: tuple[float, ...]
    band: EnsembleBand | None
    inside: int
    median: float
    reasons: tuple[str, ...]


class Standing(NamedTuple):
    """How a run of a suite stands to the baseline as it is now.

    Attributes:
        status, word: in one word, with the status whose sign and colour goes with it.
        sentences: the same at length.
        seeds: for each scenario with seeds its metrics, entropy first.
        changed: scenarios that this baseline would judge otherwise than the run was judged.
    """

    status: Status
    word: str
    sentences: tuple[str, ...]
    seeds: dict[str, tuple[Held, ...]]
    changed: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[Held, ...]]:
        """The metrics of each scenario with seeds, those first that are not as their bands allow."""
        return sorted(self.seeds.values(), key=lambda found: not any(held.reasons for held in found))

    @property
    def terms(self) -> EnsembleBand | None:
        """Any of the bands when all were calibrated alike, None else."""
        bands = {
            (held.band.samples, held.band.coverage, held.band.confidence, held.band.most_outside): held.band
            for found in self.seeds.values()
            for held in found
            if held.band is not None
        }
        return next(iter(bands.values())) if len(bands) == 1 else None

    @property
    def strayed(self) -> list[str]:
        """The scenarios whose seeds are not as their bands allow."""
        return [name for name, found in self.seeds.items() if any(held.reasons for held in found)]

    @property
    def unheld(self) -> list[str]:
        """The scenarios with a metric of their seeds that no band is known for."""
        return [name for name, found in self.seeds.items() if any(held.band is None for held in found)]

    @property
    def seeds_words(self) -> str:
        """How many scenarios have seeds and whether those are as their bands allow, in words."""
        count = len(self.seeds)
        allowed = count - len({*self.strayed, *self.unheld})
        parts = [f"{count} {'scenario' if count == 1 else 'scenarios'} with seeds, {allowed} as their bands allow"]
        if self.strayed:
            parts.append(f"{len(self.strayed)} outside: {', '.join(self.strayed)}")
        if self.unheld:
            parts.append(f"{len(self.unheld)} without a band")
        return "; ".join(parts)


def baselines_of(suites: Sequence[SuiteResult]) -> dict[str, Baseline]:
    """Return the baselines that the folders of these suites hold now, by suite; one that is missing or cannot be read is left out."""
    folder, found = workspace.shipped("scenarios"), {}
    known = suite_names(folder)
    for suite in suites:
        name = folder_name(suite)
        # A report must be possible whatever lies there; it then says that there is no baseline to hold the run against.
        with contextlib.suppress(ThunderlabError):
            baseline = baseline_in(folder / name, name) if name in known else None
            if baseline is not None:
                found[suite.suite] = baseline
    return found


def stand(suite: SuiteResult, baseline: Baseline | None) -> Standing:
    """Return how a run stands to a baseline, None when there is none that can be read."""
    seeds = {one.name: tuple(_held(one, baseline)) for one in suite.scenarios if any(one.ensemble.values())}
    changed = tuple(one.name for one in suite.scenarios if baseline is not None and _judged_otherwise(suite, one, baseline))
    status, word, sentences = _agreement(suite, baseline)
    if changed:
        shown = f"{', '.join(changed[:5])}{' and others' if changed[5:] else ''}"
        later = f"The baseline changed after this run, which it would now judge otherwise: {shown}. Run the suite again."
        status, word, sentences = "degraded", "changed since this run", (later, *sentences)
    return Standing(status, word, sentences, seeds, changed)


def twin(suite: SuiteResult, baseline: Baseline | None) -> dict[str, object] | None:
    """Return the same for machines: what the baseline was taken with, and the bands that seeds of this run were held against."""
    if baseline is None:
        return None
    standing = stand(suite, baseline)
    return {
        "pack": baseline.pack,
        "engine": baseline.engine,
        "changed_since": standing.changed,
        "bands": {name: {held.metric: held.band for held in found if held.band is not None} for name, found in standing.seeds.items()},
    }


def pack_name(suite: SuiteResult) -> str:
    """Return the name of the pack that was run, as `qa run --suite` takes it; empty when the run named none.

    >>> pack_name(SuiteResult(suite="core", passed=True, duration_us=1, budget_s=1.0, breaches=(), scenarios=(), pack="3f" * 32))
    'core@3f3f3f3f3f3f'
    """
    return f"{folder_name(suite)}@{suite.pack[:12]}" if suite.pack else ""


def folder_name(suite: SuiteResult) -> str:
    """Return the name of the suite that was run, whole, in part (`core/glider`) or from a stored pack (`core@7d3f0a9b2c41`)."""
    return suite.suite.partition("/")[0].partition("@")[0]


def _agreement(suite: SuiteResult, baseline: Baseline | None) -> tuple[Status, str, tuple[str, ...]]:
    if baseline is None:
        return "unknown", "none", ("No baseline of this suite can be read here.",)
    if not baseline.pack or baseline.engine is None:
        return "unknown", "not known", ("The baseline does not say which pack and engine it was taken with: take a new one.",)
    if not suite.pack or suite.engine is None:
        return "unknown", "not known", ("This run does not say which pack and engine it was made with: run the suite again.",)
    others = [
        *(["pack"] if baseline.pack != suite.pack else []),
        *(["engine"] if baseline.engine.digest != suite.engine.digest else []),
    ]
    if not others:
        return "healthy", "same pack, same engine", ("It was taken with the pack and the engine of this run.",)
    taken = f"It was taken with the pack {folder_name(suite)}@{baseline.pack[:12]} and the engine {baseline.engine}."
    return "degraded", f"another {' and '.join(others)}", (taken,)


def _judged_otherwise(suite: SuiteResult, one: ScenarioResult, baseline: Baseline) -> bool:
    """Return whether the baseline finds other breaches in a result than were recorded; those of published facts are not its own."""
    if "@" in suite.suite and not _speaks_of(baseline, one):
        return False  # what a baseline does not know of a stored pack, published facts alone judge
    return compare(one, baseline) != [breach for breach in one.breaches if not breach.metric.startswith("expect.")]


def _speaks_of(baseline: Baseline | None, one: ScenarioResult) -> ScenarioBaseline | None:
    """Return what a baseline has of a scenario as it was run, None when that is nothing."""
    agreed = None if baseline is None else baseline.scenarios.get(one.name)
    return agreed if agreed is not None and agreed.scenario_digest == one.scenario_digest else None


def _held(one: ScenarioResult, baseline: Baseline | None) -> Iterator[Held]:
    agreed = _speaks_of(baseline, one)
    bands = {} if agreed is None else agreed.ensemble
    for metric, values in sorted(one.ensemble.items(), key=lambda item: ("entropy" not in item[0], item[0])):
        if values:
            band, middle = bands.get(metric), median(values)
            inside = len(values) if band is None else len(values) - outside(values, band)
            unit = "bits" if "entropy" in metric else ""
            yield Held(one.name, one.title, metric, unit, values, band, inside, middle, tuple(_reasons(values, inside, middle, band)))


def _reasons(values: Sequence[float], inside: int, middle: float, band: EnsembleBand | None) -> Iterator[str]:
    if band is None:
        return
    if len(values) - inside > band.most_outside:
        yield f"{len(values) - inside} of {len(values)} seeds lie outside the band; at most {band.most_outside} may"
    if not band.median_low <= middle <= band.median_high:
        yield f"the median lies outside {wording.span(band.median_low, band.median_high)}"
