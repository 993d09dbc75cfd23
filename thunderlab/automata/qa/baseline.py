"""Baselines: what the scenarios of a suite measured when somebody last looked and agreed, and the comparison with it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from thunderlab import files
from thunderlab.automata.qa.bands import Band, EnsembleBand, calibrated, outside
from thunderlab.automata.qa.results import Breach, EngineDigest, ScenarioResult, SuiteResult, Value

TOLERANCE = 1e-9

_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class ScenarioBaseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one scenario measured.

    Attributes:
        scenario_digest: of the scenario as it was run; another digest means the numbers are about something else.
        metrics: observables by name.
        entropy_mean: the band for the metric of that name.
        ensemble: the bands for what the further seeds measure, by metric; empty for a scenario without an ensemble.
    """

    scenario_digest: _Digest
    metrics: dict[str, Value]
    entropy_mean: Band
    ensemble: dict[str, EnsembleBand] = {}


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """The baseline of one suite, as its `baseline.json` holds it.

    Attributes:
        format: version of the file's format; 1 knew neither pack nor engine nor ensembles.
        suite: the suite's name.
        pack: digest of the pack it was taken with; empty in format 1.
        engine: what computed it; None in format 1.
        scenarios: one entry per scenario, by name.
    """

    format: Literal[1, 2]
    suite: str
    pack: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    engine: EngineDigest | None = None
    scenarios: dict[str, ScenarioBaseline]

    @classmethod
    def of(cls, result: SuiteResult, entropy_band: float) -> Baseline:
        """Return the baseline that a run sets.

        Args:
            result: the run.
            entropy_band: how far `entropy_mean` may move either way, as a fraction of itself, where no ensemble says it; 0.05 is 5 %.
        """
        return cls(
            format=2,
            suite=result.suite,
            pack=result.pack,
            engine=result.engine,
            scenarios={one.name: _agreed(one, entropy_band) for one in result.scenarios},
        )

    @classmethod
    def load(cls, path: Path) -> Baseline:
        """Return the baseline in a file.

        Raises:
            InputError: naming file, line and field, when the file is missing or anything in it is not as `write` writes it.
        """
        document = files.read_document(path)
        found = document.convert(cls)
        for name, one in found.scenarios.items():
            if not isinstance(one.metrics.get("entropy_mean"), float | int):
                raise document.refuse(("scenarios", name, "metrics"), "entropy_mean is missing, a number is expected")
            if one.entropy_mean.low > one.entropy_mean.high:
                raise document.refuse(("scenarios", name, "entropy_mean"), "low lies above high")
            for metric, band in one.ensemble.items():
                if band.low > band.high or band.median_low > band.median_high:
                    raise document.refuse(("scenarios", name, "ensemble", metric), "low lies above high")
        return found

    def write(self, path: Path) -> None:
        """Write the file whole or not at all, one metric a line, names sorted, so that differences read well in a review."""
        files.write_whole(path, json.dumps(msgspec.to_builtins(self), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def _agreed(result: ScenarioResult, entropy_band: float) -> ScenarioBaseline:
    mean = result.metrics["entropy_mean"]
    assert isinstance(mean, float)
    bands = {name: calibrated(values) for name, values in result.ensemble.items()}
    spread = bands.get("entropy_mean")
    if spread is None:
        own = Band(mean * (1 - entropy_band), mean * (1 + entropy_band))
    else:
        # The scenario's own seed was not among those that set the limits, and sees every step where they see some.
        own = Band(min(mean, spread.low), max(mean, spread.high), spread.samples, spread.coverage, spread.confidence)
    return ScenarioBaseline(result.scenario_digest, dict(result.metrics), own, bands)


def compare(result: ScenarioResult, baseline: Baseline | None) -> list[Breach]:
    """Return where a scenario's metrics left its baseline, in name order.

    Counts, text and undefined metrics must be equal; `entropy_mean` must lie within its band; other fractions are divisions of
    counts and may differ by 1e-9. Besides metrics a breach can be `baseline.scenario` (no baseline for this scenario: take one) and
    `baseline.scenario_digest` (the scenario changed since: take a new one).

    Of an ensemble, the median of a metric over the seeds (`ensemble_entropy_mean` and so on) must lie where medians do, and no more
    seeds outside the range of those that set the baseline (`ensemble_entropy_mean_outside`) than belong there. An engine that is
    right makes the same numbers again, so neither moves at all. When it computes something else, `ensemble_sha256` says so at once,
    and these two whether what it computes still behaves alike: were only the seeds others, each would be outside in less than one
    of a thousand cases (`bands.FALSE_ALARM`).
    """
    agreed = None if baseline is None else baseline.scenarios.get(result.name)
    if agreed is None:
        return [Breach("baseline.scenario", result.name, None, None, None)]
    if agreed.scenario_digest != result.scenario_digest:
        old = agreed.scenario_digest
        return [Breach("baseline.scenario_digest", result.scenario_digest, old, old, old)]
    found = []
    for name in sorted({*result.metrics, *agreed.metrics}):
        value, expected = result.metrics.get(name), agreed.metrics.get(name)
        low, high = _limits(name, expected, agreed)
        unknown = name not in agreed.metrics or name not in result.metrics
        if unknown or not _within(value, low, high):
            found.append(Breach(name, value, expected, low, high))
    return [*found, *_scattered(result, agreed)]


def _scattered(result: ScenarioResult, agreed: ScenarioBaseline) -> Iterator[Breach]:
    for name, band in agreed.ensemble.items():
        count = outside(result.ensemble.get(name, ()), band)
        if count > band.most_outside:
            yield Breach(f"ensemble_{name}_outside", count, 0, 0, band.most_outside)


def orphans(names: Iterable[str], baseline: Baseline | None) -> list[Breach]:
    """Return a breach `baseline.orphan` for every scenario that has a baseline and is not among `names` any more."""
    known = set(names)
    return [
        Breach("baseline.orphan", None, name, None, None) for name in sorted(baseline.scenarios if baseline else ()) if name not in known
    ]


def _limits(name: str, expected: Value, agreed: ScenarioBaseline) -> tuple[Value, Value]:
    if name == "entropy_mean":
        return agreed.entropy_mean.low, agreed.entropy_mean.high
    band = agreed.ensemble.get(name.removeprefix("ensemble_")) if name.startswith("ensemble_") else None
    if band is not None:
        return band.median_low, band.median_high
    if isinstance(expected, float):
        return expected - TOLERANCE, expected + TOLERANCE
    return expected, expected


def _within(value: Value, low: Value, high: Value) -> bool:
    if isinstance(value, float | int) and isinstance(low, float | int) and isinstance(high, float | int):
        return low <= value <= high
    return value == low == high


_COLOURS = {"pass": "32", "FAIL": "31;1"}


def diff(result: SuiteResult, *, colour: bool = False) -> list[str]:
    """Return where a run differs from what was promised, as lines for people: failed scenarios, the suite, and notes on it.

    Every line says in words what its colour says.

    Args:
        result: the run.
        colour: use ANSI colours; ask for them on a terminal only.
    """
    lines = []
    for one in result.scenarios:
        if one.passed:
            continue
        lines.append(f"{_mark(one.passed, colour=colour)} {one.name}")
        lines.extend(f"       {breach_text(breach)}" for breach in one.breaches)
    passed = sum(one.passed for one in result.scenarios)
    seconds = result.duration_us / 1e6
    lines.append(
        f"{_mark(result.passed, colour=colour)} suite {result.suite}: {passed} of {len(result.scenarios)} scenarios passed, "
        f"{seconds:.1f} s of {result.budget_s:g} s"
    )
    lines.extend(f"       {breach_text(breach)}" for breach in result.breaches)
    lines.extend(f"       note: {note}" for note in result.notes)
    return lines


def breach_text(breach: Breach) -> str:
    """Return one breach as a sentence.

    >>> breach_text(Breach("population_final", 7, 5, 5, 5))
    'population_final is 7, expected 5'
    >>> breach_text(Breach("entropy_mean", 0.9, 0.5, 0.475, 0.525))
    'entropy_mean is 0.9, outside 0.475 to 0.525 (baseline 0.5)'
    """
    return "".join(_sentence(breach))


def _sentence(breach: Breach) -> Iterator[str]:
    if breach.metric == "baseline.scenario":
        yield f"baseline.scenario: {breach.value} has no baseline; take one with `qa baseline`"
    elif breach.metric == "baseline.orphan":
        yield f"baseline.orphan: {breach.baseline} has a baseline and no scenario; take a new baseline with `qa baseline`"
    elif breach.metric == "baseline.scenario_digest":
        yield "baseline.scenario_digest: the scenario changed since its baseline was taken; take a new one with `qa baseline`"
    elif breach.low == breach.high:
        yield f"{breach.metric} is {_shown(breach.value)}, expected {_shown(breach.low)}"
    else:
        yield f"{breach.metric} is {_shown(breach.value)}, outside {_shown(breach.low)} to {_shown(breach.high)}"
        if breach.baseline is not None:
            yield f" (baseline {_shown(breach.baseline)})"


def _shown(value: Value) -> str:
    return "undefined" if value is None else str(value)


def _mark(passed: bool, *, colour: bool) -> str:
    word = "pass" if passed else "FAIL"
    mark = f"{'✓' if passed else '✗'} {word}"
    return f"\x1b[{_COLOURS[word]}m{mark}\x1b[0m" if colour else mark
