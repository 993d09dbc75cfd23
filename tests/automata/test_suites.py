"""The suites that ship beside the core: whole, agreed on, and right where something else can say so."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from thunderlab.automata.qa.facts import Facts
from thunderlab.automata.qa.harness import run_suite
from thunderlab.automata.qa.measure import measure
from thunderlab.automata.qa.suite import load_suite

from .plain import Reference

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SUITES = {name: load_suite(SCENARIOS / name) for name in ("core", "emergence", "stress")}


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_every_scenario_has_a_baseline_of_exactly_this_meaning(suite):
    assert {one.name: one.digest for one in suite.scenarios} == {
        name: entry.scenario_digest for name, entry in suite.baseline.scenarios.items()
    }
    assert suite.baseline.format == 2 and suite.baseline.pack and suite.baseline.engine is not None
    for scenario in suite.scenarios:
        entry = suite.baseline.scenarios[scenario.name]
        assert bool(entry.ensemble) == (scenario.ensemble is not None)
        for band in entry.ensemble.values():
            assert (band.samples, band.confidence, band.coverage, band.most_outside) == (64, 0.95, 0.92801, 12)
            assert band.low <= band.median_low <= band.median <= band.median_high <= band.high


def test_the_core_suite_calibrates_its_soups_on_64_seeds():
    soups = [one for one in SUITES["core"].scenarios if one.density is not None and len(one.shape) == 2]
    assert len(soups) == 10 and all(one.ensemble is not None and one.ensemble.seeds == 64 for one in soups)


def test_the_emergence_suite_has_rules_of_every_family_each_kept_from_an_end_it_is_known_not_to_reach():
    suite = SUITES["emergence"]
    assert {one.rule.family for one in suite.scenarios} == {"outer-totalistic", "isotropic", "elementary", "larger-than-life"}
    assert {str(one.rule) for one in suite.scenarios} >= {"B3/S23", "/2/3", "B2/S34H", "W30", "W110"}
    assert {one.rule.states for one in suite.scenarios} >= {2, 3, 4} and {len(one.shape) for one in suite.scenarios} == {2, 3}
    assert all(one.emergence is not None and one.expect != Facts() for one in suite.scenarios)
    assert 12 <= len(suite.scenarios) <= 24 and suite.budget_s <= 90


# Small enough for plain NumPy, one of every way states are kept; the further seeds are compared elsewhere.
@pytest.mark.parametrize("name", ["brians-brain", "hexagonal", "tlife", "von-neumann-parity", "majority", "rule-110", "rule-184"])
def test_the_emergence_baseline_is_what_plain_numpy_says(name):
    suite = SUITES["emergence"]
    scenario = dataclasses.replace(suite.scenario(name), emergence=None, ensemble=None)
    expect = dataclasses.replace(scenario, expect=Facts())
    found, _ = measure(expect, lattice=Reference)
    agreed = suite.baseline.scenarios[name].metrics
    assert len(found.metrics) == 16 and found.metrics == {metric: agreed[metric] for metric in found.metrics}


@pytest.mark.parametrize(
    ("suite", "name"), [("emergence", "life"), ("emergence", "rule-18"), ("stress", "highlife-replicator-far"), ("stress", "glider-far")]
)
def test_quick_scenarios_hold(suite, name):
    result = run_suite(dataclasses.replace(SUITES[suite], budget_s=86_400.0), only=name)
    assert result.passed, result.scenarios[0].breaches


def test_the_stress_suite_is_large_and_long():
    scenarios = SUITES["stress"].scenarios
    cells = {one.name: int(np.prod(one.shape)) for one in scenarios}
    assert max(cells.values()) == 2**26 and max(one.duration for one in scenarios) == 1_000_000
    assert sum(cells[one.name] * one.duration for one in scenarios) > 35 * 10**10  # those on the plane count for nothing: they grow
    assert {one.boundary for one in scenarios} == {"torus", "dead", "plane"}
    assert {len(one.shape) for one in scenarios} == {2, 3} and sum(one.expect != Facts() for one in scenarios) >= len(scenarios) - 1
    assert SUITES["stress"].budget_s <= 600
