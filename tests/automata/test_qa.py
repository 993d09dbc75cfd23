"""QA in a lab: what a run records, what listeners hear, and that a stored result cannot be exchanged."""

import msgspec
import pytest
import sqlalchemy as sa

from thunderlab.automata.events import EVENTS, EntropySampled, ReplayCompleted, ScenarioCompleted, SuiteCompleted
from thunderlab.automata.qa.desk import find_suite, suite_names
from thunderlab.automata.qa.suite import load_suite
from thunderlab.errors import EvidenceError, InputError
from thunderlab.faces.report.build import build
from thunderlab.faces.report.provenance import collect
from thunderlab.workspace import shipped

NAMES = ("blinker", "glider", "bays-5766-soup")


@pytest.fixture
def suite(tmp_path):
    """A suite of three scenarios of the core suite, with their baselines."""
    core, folder = shipped("scenarios") / "core", tmp_path / "core"
    folder.mkdir()
    for name in ("suite.yaml", *(f"{name}.yaml" for name in NAMES)):
        (folder / name).write_bytes((core / name).read_bytes())
    baseline = msgspec.json.decode((core / "baseline.json").read_bytes())
    baseline["scenarios"] = {name: baseline["scenarios"][name] for name in NAMES}
    (folder / "baseline.json").write_bytes(msgspec.json.encode(baseline))
    return load_suite(folder)


def test_a_run_is_one_transaction_of_result_and_events(lab, suite):
    run = lab.automata.qa.run(suite)
    assert run.result.passed
    blocks = list(lab.ledger.blocks())
    events = [block.event_name for block in blocks][::-1]
    assert events == ["ledger.opened", *[ScenarioCompleted.NAME] * 3, SuiteCompleted.NAME]
    told = msgspec.json.decode(blocks[0].payload, type=SuiteCompleted)
    assert (told.run_id, told.scenarios, told.breaches, told.passed) == (run.run_id, 3, 0, True)
    [stored] = lab.automata.qa.runs("core")
    assert stored.result == run.result


def test_listeners_hear_every_scenario_and_the_entropy_over_time(lab, suite):
    heard = []
    lab.events.subscribe("ca.*", lambda envelope: heard.append(envelope.event))
    run = lab.automata.qa.run(suite)
    completed = [event for event in heard if isinstance(event, ScenarioCompleted)]
    samples = [event for event in heard if isinstance(event, EntropySampled) and event.scenario == "glider"]
    result = {one.name: one for one in run.result.scenarios}
    assert {event.scenario for event in completed} == set(NAMES)
    for event in completed:
        one = result[event.scenario]
        assert (event.duration_us, event.entropy_mean, event.convergence_steps) == (
            one.duration_us,
            one.metrics["entropy_mean"],
            one.metrics["convergence_steps"],
        )
        assert event.duration_us > 0
    assert [event.step for event in samples] == sorted({event.step for event in samples})
    assert (samples[0].step, samples[-1].step) == (0, result["glider"].steps)
    assert all(event.entropy in result["glider"].entropy for event in samples)
    assert sorted(lab.telemetry.window("ca.qa.scenario", "us").samples()) == sorted(one.duration_us for one in run.result.scenarios)


def test_progress_counts_scenarios(lab, suite):
    seen = []
    lab.automata.qa.run(suite, on_progress=lambda name, done, total: seen.append((name, done, total)))
    assert seen == [(name, number, 3) for number, name in enumerate(sorted(NAMES), start=1)]


def test_one_scenario_alone_is_not_taken_for_the_suite(lab, suite):
    alone = lab.automata.qa.run(suite, only="glider")
    assert alone.result.suite == "core/glider" and alone.result.passed
    assert lab.automata.qa.runs("core") == []
    assert lab.automata.qa.newest_results() == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE qa_runs SET result = x'7b7d'",
        "UPDATE qa_runs SET result = CAST(result AS TEXT)",
        "UPDATE qa_runs SET result = replace(result, 'true', 'false')",
        "DELETE FROM qa_runs",
        "UPDATE event_chain_blocks SET payload = x'00' WHERE event_name = 'ca.qa.suite.completed'",
    ],
)
def test_a_result_the_ledger_did_not_record_is_not_believed_and_the_report_is_built_without_it(lab, suite, tmp_path, damage):
    lab.automata.qa.run(suite)
    with lab.store.write() as connection:
        connection.execute(sa.text(damage))
    with pytest.raises(EvidenceError):
        lab.automata.qa.runs("core")
    readiness = lab.gate.check()
    reading = next(reading for reading in readiness.readings if reading.name == "ca.qa.breaches")
    assert reading.status == "unknown" and "EvidenceError" in reading.why
    assert lab.automata.qa.newest_results() == []
    paths = build(tmp_path / "report", readiness, [], collect(lab, []), ())
    assert reading.why[:40] in paths["summary.md"].read_text()


def test_an_older_good_run_does_not_stand_in_for_a_newer_one_that_was_removed(lab, suite):
    lab.automata.qa.run(suite)
    newer = lab.automata.qa.run(suite)
    with lab.store.write() as connection:
        connection.execute(sa.text("DELETE FROM qa_runs WHERE id = :id"), {"id": newer.run_id})
    with pytest.raises(EvidenceError, match=newer.run_id):
        lab.automata.qa.runs("core")


def test_a_recorded_run_replays_bit_for_bit_and_says_so(lab, suite, monkeypatch):
    monkeypatch.setattr("thunderlab.automata.qa.desk.find_suite", lambda _folder, _name: suite)
    run = lab.automata.qa.run(suite)
    replays = dict(lab.automata.qa.replay(run.run_id))
    assert {name: found.fidelity for name, found in replays.items()} == dict.fromkeys(NAMES, 1.0)
    told = [msgspec.json.decode(block.payload, type=ReplayCompleted) for block in lab.ledger.blocks(name=ReplayCompleted.NAME)]
    assert {event.run_id for event in told} == {run.run_id} and len(told) == 3


def test_baselines_are_not_made_from_wrong_answers(lab, suite, monkeypatch):
    path = suite.folder / "glider.yaml"
    path.write_text(path.read_text().replace("B3/S23", "B36/S2"))
    wrong = load_suite(suite.folder)
    monkeypatch.setattr("thunderlab.automata.qa.desk.find_suite", lambda _folder, _name: wrong)
    before = wrong.baseline_path.read_bytes()
    with pytest.raises(InputError, match="published fact"):
        lab.automata.qa.baseline("core")
    assert wrong.baseline_path.read_bytes() == before


def test_every_event_of_the_room_is_emitted(lab, suite, monkeypatch):
    monkeypatch.setattr("thunderlab.automata.qa.desk.find_suite", lambda _folder, _name: suite)
    heard = set()
    lab.events.subscribe("ca.*", lambda envelope: heard.add(envelope.name))
    lab.automata.qa.baseline("core")
    list(lab.automata.qa.replay("glider", steps=4))
    assert heard == {kind.NAME for kind in EVENTS if not kind.NAME.startswith("ca.lattice.")}  # named lattices are another desk's


def test_suites_are_found_by_name():
    assert "core" in suite_names(shipped("scenarios"))
    with pytest.raises(InputError, match=r"no suite 'none'.*core"):
        find_suite(shipped("scenarios"), "none")


def test_the_core_suite_covers_every_regime_in_two_and_three_dimensions():
    core = find_suite(shipped("scenarios"), "core")
    covered = {(one.regime, len(one.shape)) for one in core.scenarios}
    assert len(core.scenarios) >= 24
    assert {(regime, dimensions) for regime in ("fixed", "periodic", "chaotic", "edge") for dimensions in (2, 3)} <= covered
    assert core.budget_s == 90
    facts = {one.name: msgspec.to_builtins(one.expect) for one in core.scenarios}
    # The answers everybody knows; LifeWiki names each of them.
    assert facts["r-pentomino"]["settles_at"] == 1103 and {"step": 1103, "population": 116} in facts["r-pentomino"]["population_at"]
    assert facts["acorn"]["settles_at"] == 5206 and {"step": 5206, "population": 633} in facts["acorn"]["population_at"]
    assert facts["diehard"]["dies_at"] == 130
    assert (facts["pulsar"]["period"], facts["pentadecathlon"]["period"], facts["gosper-gun-and-eater"]["period"]) == (3, 15, 30)
