"""Baselines: what is compared exactly, what within a band, and baseline files that are none."""

import json

import msgspec
import pytest

from thunderlab.automata.qa.baseline import Baseline, breach_text, compare, diff, orphans
from thunderlab.automata.qa.results import Breach, ScenarioResult, SuiteResult
from thunderlab.errors import EnvironmentBlockedError, InputError

METRICS = {
    "population_final": 5,
    "alive_ratio": 0.3125,
    "entropy_mean": 0.9,
    "convergence_steps": None,
    "cells_sha256": "a" * 64,
}


def scenario(name="glider", digest="0" * 64, breaches=(), **metrics):
    return ScenarioResult(
        name=name,
        title="Glider",
        regime="periodic",
        rule="B3/S23",
        boundary="torus",
        shape=(4, 4),
        steps=4,
        seed=0,
        passed=not breaches,
        metrics={**METRICS, **metrics},
        breaches=tuple(breaches),
        duration_us=1500,
        entropy=(0.9,),
        scenario_digest=digest,
        final_state=b"",
    )


def suite(*scenarios, breaches=()):
    passed = not breaches and all(one.passed for one in scenarios)
    return SuiteResult(suite="core", passed=passed, duration_us=2_500_000, budget_s=90.0, breaches=tuple(breaches), scenarios=scenarios)


BASELINE = Baseline.of(suite(scenario(), scenario("blinker")), 0.05)


def test_the_same_again_is_no_breach():
    assert compare(scenario(), BASELINE) == []
    assert orphans(["blinker", "glider"], BASELINE) == []


@pytest.mark.parametrize(
    ("metric", "value"),
    [("population_final", 6), ("population_final", None), ("convergence_steps", 3), ("cells_sha256", "b" * 64), ("alive_ratio", 0.3126)],
)
def test_counts_digests_and_undefined_metrics_are_exact(metric, value):
    (breach,) = compare(scenario(**{metric: value}), BASELINE)
    assert (breach.metric, breach.value, breach.baseline) == (metric, value, METRICS[metric])


@pytest.mark.parametrize(("value", "inside"), [(0.856, True), (0.944, True), (0.854, False), (0.946, False), (None, False)])
def test_the_mean_entropy_may_move_within_its_band(value, inside):
    found = compare(scenario(entropy_mean=value), BASELINE)
    assert (found == []) is inside
    if not inside:
        assert found[0].metric == "entropy_mean" and (found[0].low, found[0].high) == pytest.approx((0.855, 0.945))


def test_a_metric_on_one_side_only_is_a_breach_either_way():
    assert [breach.metric for breach in compare(scenario(displacement=None), BASELINE)] == ["displacement"]
    less = msgspec.structs.replace(scenario(), metrics={name: value for name, value in METRICS.items() if name != "convergence_steps"})
    assert [breach.metric for breach in compare(less, BASELINE)] == ["convergence_steps"]


def test_missing_changed_and_orphaned_scenarios_are_breaches():
    assert [breach.metric for breach in compare(scenario(), None)] == ["baseline.scenario"]
    assert [breach.metric for breach in compare(scenario("toad"), BASELINE)] == ["baseline.scenario"]
    (breach,) = compare(scenario(digest="1" * 64, population_final=99), BASELINE)
    assert (breach.metric, breach.value, breach.baseline) == ("baseline.scenario_digest", "1" * 64, "0" * 64)
    assert [(breach.metric, breach.baseline) for breach in orphans(["glider"], BASELINE)] == [("baseline.orphan", "blinker")]
    assert orphans(["glider"], None) == []


def test_what_is_written_is_read_back_and_written_the_same(tmp_path):
    path = tmp_path / "baseline.json"
    BASELINE.write(path)
    assert Baseline.load(path) == BASELINE
    first = path.read_bytes()
    Baseline.load(path).write(path)
    assert path.read_bytes() == first
    assert list(tmp_path.iterdir()) == [path]
    assert json.loads(first)["scenarios"]["glider"]["entropy_mean"] == {"low": 0.9 * 0.95, "high": 0.9 * 1.05}


def test_a_baseline_that_cannot_be_written_leaves_the_old_one(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EnvironmentBlockedError):
        BASELINE.write(tmp_path / "file" / "baseline.json")


GOOD = msgspec.to_builtins(BASELINE)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"format": 3}, "format"),
        ({"suite": 7}, "suite"),
        ({"extra": 1}, "extra"),
        ({"scenarios": []}, "scenarios"),
        ({"scenarios": {"glider": {}}}, "scenarios"),
        ({"scenarios": {"glider": {**GOOD["scenarios"]["glider"], "scenario_digest": "abc"}}}, "scenario_digest"),
        ({"scenarios": {"glider": {**GOOD["scenarios"]["glider"], "metrics": {"entropy_mean": [1]}}}}, "metrics"),
        ({"scenarios": {"glider": {**GOOD["scenarios"]["glider"], "metrics": {}}}}, "metrics"),
        ({"scenarios": {"glider": {**GOOD["scenarios"]["glider"], "entropy_mean": {"low": 1.0, "high": 0.0}}}}, "entropy_mean"),
        ({"scenarios": {"glider": {**GOOD["scenarios"]["glider"], "entropy_mean": {"low": 1.0}}}}, "entropy_mean"),
    ],
)
def test_what_is_no_baseline_is_refused_by_field(tmp_path, change, field):
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(InputError) as caught:
        Baseline.load(path)
    assert str(caught.value).startswith(f"{path}: line ") and field in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", '{"format": 1, "format": 1}', '{"format": NaN}', "format: 1"])
def test_what_is_no_json_is_refused(tmp_path, text):
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"baseline\.json"):
        Baseline.load(path)


def test_the_difference_is_told_in_words_and_in_colour_only_when_asked():
    breaches = (Breach("population_final", 6, 5, 5, 5), Breach("entropy_mean", 0.5, 0.9, 0.855, 0.945))
    result = suite(scenario("blinker"), scenario(breaches=breaches), breaches=[Breach("suite.duration_s", 91.0, None, 0.0, 90.0)])
    assert diff(result) == [
        "✗ FAIL glider",
        "       population_final is 6, expected 5",
        "       entropy_mean is 0.5, outside 0.855 to 0.945 (baseline 0.9)",
        "✗ FAIL suite core: 1 of 2 scenarios passed, 2.5 s of 90 s",
        "       suite.duration_s is 91.0, outside 0.0 to 90.0",
    ]
    coloured = diff(result, colour=True)
    assert coloured[0] == "\x1b[31;1m✗ FAIL\x1b[0m glider"
    assert diff(suite(scenario("blinker")), colour=True) == ["\x1b[32m✓ pass\x1b[0m suite core: 1 of 1 scenarios passed, 2.5 s of 90 s"]
    plain = [line.replace("\x1b[32m", "").replace("\x1b[31;1m", "").replace("\x1b[0m", "") for line in coloured]
    assert plain == diff(result)


def test_every_breach_says_what_to_do():
    (missing,) = compare(scenario("toad"), BASELINE)
    (changed,) = compare(scenario(digest="1" * 64), BASELINE)
    (orphan,) = orphans(["glider"], BASELINE)
    assert "toad has no baseline; take one" in breach_text(missing)
    assert "changed since its baseline was taken" in breach_text(changed)
    assert "blinker has a baseline and no scenario" in breach_text(orphan)
    assert breach_text(Breach("convergence_steps", None, 3, 3, 3)) == "convergence_steps is undefined, expected 3"
