"""The harness end to end: the core suite holds, every way of being wrong is caught, and the breach says which it was."""

import dataclasses
import json
import shutil
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest

from thunderlab.automata import packed_states
from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures import emergence, observables
from thunderlab.automata.qa.baseline import Baseline, diff
from thunderlab.automata.qa.facts import OF_EMERGENCE, Facts
from thunderlab.automata.qa.harness import run_scenario, run_suite
from thunderlab.automata.qa.junit import junit
from thunderlab.automata.qa.results import Breach, EngineDigest, ScenarioResult, SuiteResult
from thunderlab.automata.qa.scenario import EmergenceSpec
from thunderlab.automata.qa.scenario_file import scenario_of
from thunderlab.automata.qa.suite import load_suite
from thunderlab.automata.rules import OuterTotalistic
from thunderlab.errors import InputError

from .plain import Reference

CORE = Path(__file__).parents[2] / "scenarios" / "core"
FEW = ("bays-5766-oscillators", "diehard", "glider", "highlife-replicator", "life-soup-small-torus", "pulsar")


class OneCellWrong(Reference):
    """A kernel that is wrong in one corner of the lattice: it takes every neighbour of the first cell for dead."""

    def next(self, cells):
        found = super().next(cells)
        found[(0,) * cells.ndim] = 0 in self._rule.birth
        return found


class FlatSeam(Reference):
    """A kernel that forgets to wrap."""

    def next(self, cells):
        return reference.simulate(cells, self._rule, 1, "dead")


def other_rule(birth, survival):
    def make(cells, rule, boundary):
        return Lattice(cells, OuterTotalistic(frozenset(birth), frozenset(survival), cells.ndim), boundary)

    return make


@pytest.fixture(scope="module")
def agreed(tmp_path_factory):
    """A reduced suite with a baseline of its own."""
    folder = tmp_path_factory.mktemp("suites") / "few"
    folder.mkdir()
    (folder / "suite.yaml").write_text("suite: few\nformat: 1\ntitle: A few\nbudget_s: 86400\n")
    for name in FEW:
        shutil.copy(CORE / f"{name}.yaml", folder)
    suite = load_suite(folder)
    Baseline.of(run_suite(suite), suite.entropy_band).write(suite.baseline_path)
    return folder


@pytest.fixture
def few(agreed, tmp_path):
    """The reduced suite in a folder one may spoil."""
    return load_suite(Path(shutil.copytree(agreed, tmp_path / "few")))


def metrics_breached(result):
    return {(one.name, breach.metric) for one in result.scenarios for breach in one.breaches}


def without_durations(result):
    return [msgspec.structs.replace(one, duration_us=0) for one in result.scenarios]


def test_the_core_suite_holds():
    suite = load_suite(CORE)
    result = run_suite(dataclasses.replace(suite, budget_s=86_400.0))
    assert metrics_breached(result) == set() and result.passed and not result.breaches
    assert suite.budget_s == 90 and suite.entropy_band == 0.05


def test_the_core_suite_covers_every_regime_in_two_and_three_dimensions():
    suite = load_suite(CORE)
    assert len(suite.scenarios) >= 26
    seen = Counter((one.regime, len(one.shape)) for one in suite.scenarios)
    assert all(seen[regime, axes] for regime in ("fixed", "periodic", "chaotic", "edge") for axes in (2, 3))
    assert sum(one.expect != Facts() for one in suite.scenarios) >= 26
    assert {one.boundary for one in suite.scenarios} == {"torus", "dead"}
    assert any(0 in one.rule.birth for one in suite.scenarios)


SMALL = [one.name for one in load_suite(CORE).scenarios if len(one.shape) == 2 and one.duration * np.prod(one.shape) < 2_000_000]


@pytest.mark.parametrize("name", SMALL)
def test_the_core_baseline_is_what_plain_numpy_says(name):
    result = run_suite(load_suite(CORE), only=name, lattice=Reference)
    assert metrics_breached(result) == set()
    assert len(SMALL) >= 10


def test_a_run_is_the_same_again_in_any_order_and_alone(few):
    forwards = run_suite(few)
    backwards = run_suite(dataclasses.replace(few, scenarios=few.scenarios[::-1]))
    assert forwards.passed and backwards.passed
    assert without_durations(forwards) == without_durations(backwards)[::-1]
    alone = run_suite(few, only="pulsar")
    assert without_durations(alone) == [one for one in without_durations(forwards) if one.name == "pulsar"]
    assert alone.passed


def test_results_carry_what_pictures_and_replays_need(few):
    seen = []
    result = run_suite(few, on_progress=lambda one: seen.append(one.name))
    assert seen == [one.name for one in result.scenarios] == sorted(FEW)
    pulsar = next(one for one in result.scenarios if one.name == "pulsar")
    assert (pulsar.rule, pulsar.boundary, pulsar.shape, pulsar.steps, pulsar.regime) == ("B3/S23", "dead", (31, 33), 1000, "periodic")
    assert len(pulsar.entropy) == 200 and pulsar.entropy[0] == observables.state_entropy(48, 31 * 33)
    assert pulsar.entropy[1] == observables.state_entropy(72, 31 * 33)  # after 1000 // 199 = 5 steps, of a period of 3
    assert pulsar.entropy[-1] == pulsar.metrics["entropy_final"]
    assert packed_states.unpack(pulsar.final_state).sum() == pulsar.metrics["population_final"] == 56
    assert (pulsar.metrics["convergence_steps"], pulsar.metrics["oscillation_period"], pulsar.metrics["displacement"]) == (0, 3, None)
    glider = next(one for one in result.scenarios if one.name == "glider")
    assert glider.metrics["displacement"] == "1,1" and glider.metrics["cluster_count"] == 1
    assert msgspec.json.decode(msgspec.json.encode(result), type=SuiteResult) == result


def test_a_wrong_rule_is_caught_by_published_facts_and_by_the_baseline(few):
    result = run_suite(few, lattice=other_rule({3, 6}, {2, 3}))  # HighLife for Life
    found = metrics_breached(result)
    assert ("diehard", "expect.dies_at") in found or ("diehard", "populations_sha256") in found
    assert ("life-soup-small-torus", "cells_sha256") in found and ("life-soup-small-torus", "populations_sha256") in found
    assert not any(name == "glider" for name, _ in found)  # none of its cells ever has six live neighbours
    result = run_suite(few, lattice=other_rule({3}, {2}))
    assert {("glider", "expect.displacement"), ("pulsar", "expect.period"), ("diehard", "expect.dies_at")} <= metrics_breached(result)
    assert ("highlife-replicator", "expect.copies_at[12]") in metrics_breached(result)


def test_a_kernel_that_is_wrong_at_the_seam_is_caught(few):
    found = metrics_breached(run_suite(few, lattice=FlatSeam))
    assert {
        ("glider", "expect.copies_at[1000]"),
        ("glider", "expect.population_at[1000]"),
        ("life-soup-small-torus", "cells_sha256"),
    } <= found
    assert {name for name, _ in found} == {"glider", "life-soup-small-torus"}


def test_a_kernel_that_is_wrong_in_a_single_cell_is_caught(few):
    found = metrics_breached(run_suite(few, only="life-soup-small-torus", lattice=OneCellWrong))
    assert ("life-soup-small-torus", "populations_sha256") in found


def test_a_wrong_kernel_is_caught_without_any_baseline(few):
    glider = few.scenario("glider")
    assert run_scenario(glider).passed
    assert [breach.metric for breach in run_scenario(glider, lattice=other_rule({2}, {2, 3})).breaches][:1] == ["expect.transient"]


def test_another_seed_is_another_scenario_and_another_course(few):
    path = few.folder / "life-soup-small-torus.yaml"
    path.write_text(path.read_text().replace("seed: 3", "seed: 4"))
    changed = load_suite(few.folder)
    result = run_suite(changed)
    assert metrics_breached(result) == {("life-soup-small-torus", "baseline.scenario_digest")}
    # Somebody who also forges the digest in the baseline is told by the numbers.
    text = few.baseline_path.read_text()
    old, new = few.scenario("life-soup-small-torus").digest, changed.scenario("life-soup-small-torus").digest
    few.baseline_path.write_text(text.replace(old, new))
    found = {metric for _, metric in metrics_breached(run_suite(load_suite(few.folder)))}
    assert {"cells_sha256", "population_final", "populations_sha256", "probes_sha256"} <= found


def test_entropy_outside_its_band_is_a_breach_of_its_own(few):
    data = json.loads(few.baseline_path.read_text())
    mean = data["scenarios"]["pulsar"]["metrics"]["entropy_mean"]
    data["scenarios"]["pulsar"]["entropy_mean"] = {"low": mean * 1.01, "high": mean * 1.1}
    few.baseline_path.write_text(json.dumps(data))
    result = run_suite(load_suite(few.folder))
    assert metrics_breached(result) == {("pulsar", "entropy_mean")} and not result.passed


def test_missing_and_orphaned_baselines_are_breaches(few):
    (few.folder / "pulsar.yaml").unlink()
    result = run_suite(load_suite(few.folder))
    assert [(breach.metric, breach.baseline) for breach in result.breaches] == [("baseline.orphan", "pulsar")] and not result.passed
    few.baseline_path.unlink()
    result = run_suite(load_suite(few.folder))
    assert {metric for _, metric in metrics_breached(result)} == {"baseline.scenario"} and not result.passed


def test_a_suite_over_its_budget_fails_as_a_suite(few):
    result = run_suite(dataclasses.replace(few, budget_s=1e-9))
    (breach,) = result.breaches
    assert (breach.metric, breach.high) == ("suite.duration_s", 1e-9) and not result.passed
    assert all(one.passed for one in result.scenarios)


@pytest.mark.parametrize(
    ("name", "fact", "breach"),
    [
        ("pulsar", {"population_at": [{"step": 1, "population": 55}]}, Breach("expect.population_at[1]", 56, 55, 55, 55)),
        ("pulsar", {"period": 2}, Breach("expect.period", 3, 2, 2, 2)),
        ("pulsar", {"transient": 1}, Breach("expect.transient", 0, 1, 1, 1)),
        ("pulsar", {"repeats": False}, Breach("expect.repeats", "yes", "no", "no", "no")),
        ("pulsar", {"settles_at": 1}, Breach("expect.settles_at", 0, 1, 1, 1)),
        ("pulsar", {"dies_at": 5}, Breach("expect.dies_at", None, 5, 5, 5)),
        ("pulsar", {"clusters": 11}, Breach("expect.clusters", 12, 11, 11, 11)),
        ("pulsar", {"growth": {"every": 3, "population": 1, "from": 0, "to": 9}}, Breach("expect.growth", 0, 1, 1, 1)),
        ("pulsar", {"alive_ratio": {"low": 0.5, "high": 1}}, Breach("expect.alive_ratio", 56 / 1023, None, 0.5, 1.0)),
        ("pulsar", {"displacement": {"steps": 3, "by": [0, 1]}}, Breach("expect.displacement", "0,0 in 3", *["0,1 in 3"] * 3)),
        ("diehard", {"dies_at": 129}, Breach("expect.dies_at", 130, 129, 129, 129)),
        ("glider", {"displacement": {"steps": 4, "by": [1, -1]}}, Breach("expect.displacement", "1,1 in 4", *["1,-1 in 4"] * 3)),
        ("glider", {"copies_at": [{"step": 4, "offsets": [[1, 2]]}]}, Breach("expect.copies_at[4]", 6, 0, 0, 0)),
        ("diehard", {"copies_at": [{"step": 4, "offsets": [[99, 0]]}]}, Breach("expect.copies_at[4]", None, 0, 0, 0)),
    ],
)
def test_every_kind_of_fact_can_be_contradicted(few, name, fact, breach):
    scenario = dataclasses.replace(few.scenario(name), expect=msgspec.convert(fact, Facts))
    result = run_scenario(scenario)
    assert result.breaches == (breach,) and not result.passed
    assert msgspec.json.decode(msgspec.json.encode(result), type=ScenarioResult) == result


def test_one_scenario_by_name_and_none_by_another(few):
    with pytest.raises(InputError, match="no scenario 'plusar'; it has bays-5766-oscillators, diehard"):
        run_suite(few, only="plusar")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "suite.yaml"),
        ("suite: few\nformat: 2\ntitle: t\n", "format"),
        ("suite: few\nformat: 1\n", "title"),
        ("suite: other\nformat: 1\ntitle: t\n", "line 1: suite"),
        ("suite: Few\nformat: 1\ntitle: t\n", "line 1: suite"),
        ("suite: few\nformat: 1\ntitle: t\nbudget_s: 0\n", "line 4: budget_s"),
        ("suite: few\nformat: 1\ntitle: t\nbudget_s: soon\n", "line 4: budget_s"),
        ("suite: few\nformat: 1\ntitle: t\nentropy_band: 5\n", "line 4: entropy_band"),
        ("suite: few\nformat: 1\ntitle: t\nband: 0.05\n", "band"),
    ],
)
def test_what_is_no_suite_is_refused(few, text, field):
    (few.folder / "suite.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load_suite(few.folder)
    assert "suite.yaml" in str(caught.value) and field in str(caught.value)


def test_folders_that_hold_no_suite_are_refused(few, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_suite(tmp_path / "absent")
    for path in few.folder.glob("*.yaml"):
        if path.name != "suite.yaml":
            path.unlink()
    with pytest.raises(InputError, match="holds no scenario"):
        load_suite(few.folder)


def test_two_files_of_one_scenario_and_a_baseline_of_another_suite_are_refused(few):
    shutil.copy(few.folder / "pulsar.yaml", few.folder / "pulsar.yml")
    with pytest.raises(InputError, match="two files hold a scenario 'pulsar'"):
        load_suite(few.folder)
    (few.folder / "pulsar.yml").unlink()
    few.baseline_path.write_text(few.baseline_path.read_text().replace('"suite": "few"', '"suite": "many"'))
    with pytest.raises(InputError, match="is the baseline of 'many'"):
        load_suite(few.folder)


def test_a_baseline_of_another_engine_is_compared_all_the_same_and_a_note_says_so(few):
    assert run_suite(few).notes == ()
    other = EngineDigest("0" * 64, "abacus", "1")
    result = run_suite(dataclasses.replace(few, baseline=msgspec.structs.replace(few.baseline, engine=other)))
    assert result.passed and len(result.notes) == 1 and "000000000000 (abacus 1)" in result.notes[0]
    assert diff(result)[-1] == f"       note: {result.notes[0]}"
    assert result.notes[0] in junit(result)
    assert msgspec.json.decode(msgspec.json.encode(result), type=SuiteResult) == result


def test_a_baseline_of_the_first_format_still_holds(few):
    data = json.loads(few.baseline_path.read_text())
    del data["pack"], data["engine"]
    few.baseline_path.write_text(json.dumps({**data, "format": 1}))
    suite = load_suite(few.folder)
    assert (suite.baseline.format, suite.baseline.pack, suite.baseline.engine) == (1, "", None)
    assert run_suite(suite).passed and run_suite(suite).notes == ()


BRAIN = {
    "scenario": 1,
    "name": "brain",
    "title": "Brian's Brain",
    "regime": "chaotic",
    "grid": {"size": [20, 24], "boundary": "torus"},
    "seed": 3,
    "parameters": {"rule": "/2/3"},
    "runs": [[4, 4, 2, 1], [5, 3, 4, 2], [9, 9, 3, 1]],
    "offset": [0, 0],
    "duration": 500,
    "probes": [0, 7],
    "source": "none",
}


def test_scenarios_of_more_states_are_measured_on_all_of_them():
    scenario = scenario_of(BRAIN, Path("given"))
    found = run_scenario(scenario, lattice=Reference)
    cells, states = scenario.initial_cells(), []
    for _ in range(501):
        states.append(cells)
        cells = reference.simulate(cells, scenario.rule, 1, "torus")
    assert found.metrics["population_final"] == np.count_nonzero(states[500]) and states[500].max() == 2
    assert np.array_equal(packed_states.unpack(found.final_state), states[500])
    steps = [index * 500 // 199 for index in range(200)]
    assert list(found.entropy) == [observables.cell_entropy(states[step], 3) for step in steps]
    assert found.metrics["entropy_mean"] == pytest.approx(np.mean(found.entropy), abs=1e-11)
    alive = [observables.state_entropy(int(np.count_nonzero(states[step])), 480) for step in steps]
    assert all(of_three >= of_two for of_three, of_two in zip(found.entropy, alive, strict=True)) and list(found.entropy) != alive
    assert [mark.step for mark in found.checkpoints] == [0, 7, 500]
    short = run_scenario(dataclasses.replace(scenario, duration=30), lattice=Reference)
    assert list(short.entropy) == [observables.cell_entropy(one, 3) for one in states[:31]]


def test_states_count_in_the_meaning_of_a_scenario_and_in_its_copies():
    scenario = scenario_of(BRAIN, Path("given"))
    other = scenario_of({**BRAIN, "runs": [[4, 4, 2, 1], [5, 3, 4, 1], [9, 9, 3, 1]]}, Path("given"))
    assert scenario.digest != other.digest
    glider = scenario_of(
        {
            **BRAIN,
            # Two live cells with two dying ones behind them move on by one cell a step: LifeWiki, Brian's Brain.
            "runs": [[6, 10, 1, 2], [6, 11, 1, 1], [7, 10, 1, 2], [7, 11, 1, 1]],
            "duration": 5,
            "probes": [],
            "expect": {"copies_at": [{"step": 5, "offsets": [[0, 5]]}], "displacement": {"steps": 1, "by": [0, 1]}},
        },
        Path("given"),
    )
    assert run_scenario(glider, lattice=Reference).passed
    wrong = dataclasses.replace(glider, expect=msgspec.convert({"copies_at": [{"step": 5, "offsets": [[0, 4]]}]}, Facts))
    assert [breach.value for breach in run_scenario(wrong, lattice=Reference).breaches] == [6]


def test_limits_of_metrics_are_checked_and_told(few):
    scenario = few.scenario("pulsar")
    said = {
        "between": {"entropy_mean": {"low": 0.3, "high": 0.4}, "entropy_trend": {"low": 0.5, "high": 1}, "activity": {"low": 0, "high": 1}}
    }
    result = run_scenario(dataclasses.replace(scenario, expect=msgspec.convert(said, Facts)))
    assert [(breach.metric, breach.value) for breach in result.breaches] == [
        ("expect.between.entropy_trend", result.metrics["entropy_trend"]),
        ("expect.between.activity", None),
    ]
    assert result.breaches[0].low == 0.5 and result.breaches[0].high == 1 and result.breaches[0].baseline is None


def test_emergence_is_measured_where_it_is_asked_for(few):
    scenario = dataclasses.replace(few.scenario("life-soup-small-torus"), emergence=EmergenceSpec(200))
    found = run_scenario(scenario).metrics
    said = emergence.measure(scenario.initial_cells(), scenario.rule, scenario.boundary, 200, scenario.seed)
    assert (found["emergence"], found["emergence_space"], found["emergence_time"], found["emergence_spread"]) == (
        said.score.value,
        said.score.space,
        said.score.time,
        said.score.spread,
    )
    assert (found["activity"], found["largest_component"]) == (said.activity, said.largest_component)
    assert not set(OF_EMERGENCE) & set(run_scenario(few.scenario("life-soup-small-torus")).metrics)
    assert set(OF_EMERGENCE) <= set(found)


def test_junit_names_every_scenario_and_every_breach(few):
    result = run_suite(dataclasses.replace(few, budget_s=1e-9), lattice=FlatSeam)
    root = ET.fromstring(junit(result))
    (suite,) = root
    assert suite.attrib["tests"] == str(len(FEW) + 1) and suite.attrib["failures"] == "3"
    assert [case.attrib["name"] for case in suite] == [*sorted(FEW), "suite"]
    failures = {case.attrib["name"]: case.find("failure") for case in suite if case.find("failure") is not None}
    assert set(failures) == {"glider", "life-soup-small-torus", "suite"}
    assert "expect.copies_at[1000]" in failures["glider"].text and "expect.copies_at[1000]" in failures["glider"].attrib["message"]
    assert "suite.duration_s" in failures["suite"].text
    assert all(float(case.attrib["time"]) >= 0 for case in suite)


def test_junit_of_a_good_run_has_no_failure(few):
    (suite,) = ET.fromstring(junit(run_suite(few)))
    assert suite.attrib["failures"] == "0" and len(suite) == len(FEW) and not list(suite.iter("failure"))


def test_junit_is_xml_whatever_the_texts_hold(few):
    result = run_suite(few, only="pulsar")
    hostile = 'a<b>&"\x00\x1b[31m]]>\ud800\ufffe é'
    one = msgspec.structs.replace(result.scenarios[0], name=hostile, passed=False, breaches=(Breach(hostile, hostile, None, 1, 2),))
    text = junit(msgspec.structs.replace(result, suite=hostile, scenarios=(one,)))
    (suite,) = ET.fromstring(text.encode())
    assert suite[0].attrib["name"].startswith('a<b>&"') and "é" in suite[0].attrib["name"]
    assert 'a<b>&"' in suite[0].find("failure").text
