"""How a run stands to its baseline: seeds counted by hand, and whatever may lie where the baseline should."""

import msgspec
import pytest

from tests.automata.test_pack import write_suite
from thunderlab import workspace
from thunderlab.automata.qa.baseline import Baseline
from thunderlab.automata.qa.results import Breach
from thunderlab.automata.qa.suite import load_suite
from thunderlab.faces.report import standing
from thunderlab.faces.report.build import build
from thunderlab.faces.report.provenance import collect

from . import samples

change = msgspec.structs.replace


def stand(suite=None, **changes):
    suite = suite or samples.suite()
    return standing.stand(suite, samples.baseline(suite, **changes))


class TestAgreement:
    def test_the_same_pack_and_engine(self):
        assert stand()[:3] == ("healthy", "same pack, same engine", ("It was taken with the pack and the engine of this run.",))

    @pytest.mark.parametrize(
        ("changes", "word"),
        [
            ({"pack": "1" * 64}, "another pack"),
            ({"engine": change(samples.ENGINE, digest="2" * 64)}, "another engine"),
            ({"pack": "1" * 64, "engine": change(samples.ENGINE, digest="2" * 64)}, "another pack and engine"),
            ({"pack": ""}, "not known"),
            ({"engine": None}, "not known"),
        ],
    )
    def test_other_baselines(self, changes, word):
        found = stand(**changes)
        assert found.word == word and found.status == ("unknown" if word == "not known" else "degraded")
        if word != "not known":
            assert all(value[:12] in found.sentences[0] for value in (changes.get("pack"),) if value)

    def test_an_older_run(self):
        for older in (change(samples.suite(), pack=""), change(samples.suite(), engine=None)):
            assert stand(older)[:2] == ("unknown", "not known")

    def test_none(self):
        assert standing.stand(samples.suite(), None)[:2] == ("unknown", "none")
        assert standing.twin(samples.suite(), None) is None


class TestSeeds:
    """The sixteen seeds are 0.10, 0.11, ... 0.25; their median, the eighth, is 0.17."""

    @pytest.mark.parametrize(
        ("limits", "inside", "reasons"),
        [
            ((0.1, 0.25), 16, 0),
            ((0.12, 0.25), 14, 0),
            ((0.14, 0.25), 12, 0),  # four may
            ((0.15, 0.25), 11, 1),
            ((0.3, 0.4), 0, 1),
        ],
    )
    def test_are_counted(self, limits, inside, reasons):
        found = stand(bands={"entropy_mean": samples.band(*limits)})
        held = next(held for held in found.seeds["life-soup"] if held.metric == "entropy_mean")
        assert (held.inside, held.median, len(held.reasons)) == (inside, 0.17, reasons)
        assert found.strayed == ["life-soup"] * (reasons > 0)

    @pytest.mark.parametrize(("low", "high", "reasons"), [(0.17, 0.17, 0), (0.171, 0.2, 1), (0.1, 0.169, 1)])
    def test_their_median_has_limits_of_its_own(self, low, high, reasons):
        found = stand(bands={"entropy_mean": samples.band(median_low=low, median_high=high)})
        assert [len(held.reasons) for held in found.seeds["life-soup"]] == [reasons, 0]

    def test_entropy_comes_first_whatever_it_is_called(self):
        one = samples.scenario(ensemble={"activity": (1.0,), "alive_entropy_mean": (0.5,), "alive_ratio": (0.2,)})
        (found,) = stand(change(samples.suite(), scenarios=(one,))).seeds.values()
        assert [held.metric for held in found] == ["alive_entropy_mean", "activity", "alive_ratio"]
        assert [held.unit for held in found] == ["bits", "", ""]

    def test_a_changed_scenario_is_not_held_against_its_old_band(self):
        run = samples.suite()
        agreed = samples.baseline(run)
        moved = change(run, scenarios=tuple(change(one, scenario_digest="9" * 64) for one in run.scenarios))
        found = standing.stand(moved, agreed)
        assert found.unheld == ["life-soup"] and all(held.band is None for held in found.seeds["life-soup"])

    def test_scenarios_without_seeds_and_empty_ones_are_not_listed(self):
        run = change(samples.suite(), scenarios=(samples.scenario(), samples.scenario("none", ensemble={"activity": ()})))
        assert stand(run).seeds == {}

    def test_those_outside_come_first_and_bands_of_one_kind_share_their_terms(self):
        inside = samples.scenario("a", ensemble={"entropy_mean": (0.2, 0.2)})
        outside = samples.scenario("b", ensemble={"entropy_mean": (0.9, 0.9)})
        found = stand(change(samples.suite(), scenarios=(inside, outside)), bands={"entropy_mean": samples.band(most_outside=0)})
        assert [held.scenario for (held,) in found.rows] == ["b", "a"] and found.terms.samples == 16
        other = {"entropy_mean": samples.band(), "activity": samples.band(most_outside=9)}
        assert stand(bands=other).terms is None


class TestChanged:
    def test_a_baseline_that_would_judge_otherwise_is_noticed(self):
        run = samples.suite()
        agreed = samples.baseline(run)
        metrics = agreed.scenarios["lone-cell"].metrics | {"cluster_count": 2}
        moved = change(agreed, scenarios=agreed.scenarios | {"lone-cell": change(agreed.scenarios["lone-cell"], metrics=metrics)})
        found = standing.stand(run, moved)
        assert (found.word, found.changed) == ("changed since this run", ("lone-cell",)) and "lone-cell" in found.sentences[0]
        judged = Breach("cluster_count", 1, 2, 2, 2)
        scenarios = tuple(change(one, breaches=(judged,), passed=False) if one.name == "lone-cell" else one for one in run.scenarios)
        assert standing.stand(change(run, scenarios=scenarios), moved).changed == ()

    def test_published_facts_are_not_the_baselines(self):
        fact = Breach("expect.period", 3, 2, 2, 2)
        run = samples.suite()
        failed = change(run, scenarios=tuple(change(one, breaches=(fact,), passed=False) for one in run.scenarios))
        assert stand(failed).changed == ()

    def test_what_a_baseline_does_not_know_of_a_stored_pack_is_no_change(self):
        run = samples.suite()
        stored = change(run, suite="core@c0dec0dec0de", scenarios=tuple(change(one, scenario_digest="9" * 64) for one in run.scenarios))
        assert standing.stand(stored, samples.baseline(run)).changed == ()
        assert standing.pack_name(stored) == standing.pack_name(run) == "core@c0dec0dec0de"


class TestBaselinesOf:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        folder = tmp_path / "scenarios" / "two"
        write_suite(folder)
        monkeypatch.setattr(workspace, "shipped", lambda _kind: folder.parent)
        return folder

    @staticmethod
    def run_of(folder):
        return change(samples.suite(), suite=folder.name)

    def test_they_are_those_of_the_folders(self, folder):
        run = self.run_of(folder)
        assert standing.baselines_of([run]) == {}
        samples.baseline(run).write(folder / "baseline.json")
        assert standing.baselines_of([run])["two"].pack == samples.PACK
        alone, stored = change(run, suite="two/glider"), change(run, suite="two@c0dec0dec0de")
        assert set(standing.baselines_of([alone, stored])) == {"two/glider", "two@c0dec0dec0de"}

    @pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '{"format": 9}', '{"format": 2, "suite": "other", "scenarios": {}}'])
    def test_one_that_was_tampered_with_is_none_and_the_report_still_builds(self, folder, lab, tmp_path, text):
        run = self.run_of(folder)
        (folder / "baseline.json").write_text(text)
        found = standing.baselines_of([run])
        assert found == {}
        paths = build(tmp_path / "report", samples.readiness(), [run], collect(lab, [run]), (), found)
        assert "No baseline of this suite can be read here." in paths["index.html"].read_text()

    @pytest.mark.parametrize("name", ["../two", "/etc", "", "none", "two\x00"])
    def test_a_name_that_is_no_suites_is_looked_for_nowhere(self, folder, name):
        samples.baseline(self.run_of(folder)).write(folder / "baseline.json")
        assert standing.baselines_of([change(samples.suite(), suite=name)]) == {}


def test_a_real_run_stands_to_the_baseline_it_sets(lab, tmp_path):
    folder = tmp_path / "two"
    write_suite(folder)
    run = lab.automata.qa.run(load_suite(folder)).result
    agreed = Baseline.of(run, 0.05)
    first = standing.stand(run, agreed)
    assert first.status == "degraded" and set(first.changed) == {one.name for one in run.scenarios}  # it was judged by none
    agreed.write(folder / "baseline.json")
    again = lab.automata.qa.run(load_suite(folder)).result
    assert standing.stand(again, agreed)[:2] == ("healthy", "same pack, same engine") and again.passed
