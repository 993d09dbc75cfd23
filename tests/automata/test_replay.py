"""Replays: held against the record step by step, and the same on any number of threads, with and without a cache of kernels."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa

from thunderlab.automata import packed_states
from thunderlab.automata.events import ReplayCompleted
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.qa import course_record
from thunderlab.automata.qa.course_record import Steps
from thunderlab.automata.qa.engine_digest import engine_digest
from thunderlab.automata.qa.measure import measure
from thunderlab.automata.qa.replay import Record, replay
from thunderlab.automata.qa.results import Checkpoint
from thunderlab.automata.qa.suite import load_suite
from thunderlab.automata.rules import OuterTotalistic
from thunderlab.errors import EvidenceError, InputError

CORE = load_suite(Path(__file__).parents[2] / "scenarios" / "core")
NAMES = ("diehard", "glider", "pulsar", "bays-5766-soup")


def record_of(scenario, *, comparable=True):
    result, steps = measure(scenario)
    return Record.of(result, steps, comparable=comparable)


@pytest.fixture(scope="module")
def glider():
    scenario = dataclasses.replace(
        CORE.scenario("glider"), duration=200, probes=(0, 40, 100), expect=type(CORE.scenario("glider").expect)()
    )
    return scenario, record_of(scenario)


class Forgetful(Lattice):
    """A lattice that differs from run to run: every second one loses a cell at step 50."""

    made = 0

    def __init__(self, cells, rule, boundary):
        super().__init__(cells, rule, boundary)
        type(self).made += 1
        self._wrong = type(self).made % 2 == 0

    def advance(self, steps):
        trace = super().advance(steps)
        if self._wrong and self.step >= 50 > self.step - steps:
            trace.digest[50 - (self.step - steps) - 1] ^= np.uint64(1)
        return trace


@pytest.mark.parametrize("name", NAMES)
def test_a_replay_is_identical_and_says_so(name):
    scenario = CORE.scenario(name)
    assert replay(scenario, 100) == (found := replay(scenario, 100)) and (found.fidelity, found.first_difference) == (1.0, None)
    assert found.steps == 100 and found.recorded is None
    assert replay(CORE.scenario("diehard")).steps == 200
    assert replay(CORE.scenario("diehard"), 300).steps == 300


def test_two_runs_that_differ_say_where():
    found = replay(CORE.scenario("glider"), 99, lattice=Forgetful)
    assert (found.fidelity, found.steps, found.first_difference) == (0.99, 99, 50)


def test_ten_thousand_steps_are_held_against_the_record_and_beyond_it_against_a_second_run(glider):
    scenario, record = glider
    found = replay(scenario, 10_000, record=record)
    assert (found.fidelity, found.steps, found.first_difference, found.recorded) == (1.0, 10_000, None, 200)


@pytest.mark.parametrize("steps", [None, 60, 500])
def test_the_record_tells_the_first_step_that_differs(glider, steps):
    """Two runs that are wrong in the same way agree with each other: only the record knows better."""
    scenario, record = glider

    class Drifting(Lattice):
        """A lattice that loses its cells after 50 steps, in every run alike."""

        def advance(self, steps):
            trace = super().advance(steps)
            first = max(0, 50 - (self.step - steps) - 1)
            if self.step >= 50:
                trace.population[first:], trace.digest[first:] = 0, 0
            return trace

    found = replay(scenario, steps, record=record, lattice=Drifting)
    last = 200 if steps is None else steps
    assert found.first_difference == 50
    assert found.fidelity == (last + 1 - (min(last, 200) - 49)) / (last + 1)
    assert replay(scenario, steps, lattice=Drifting).fidelity == 1.0


def test_every_part_of_the_record_counts(glider):
    scenario, record = glider
    populations, digests = record.steps
    populations, digests = populations.copy(), digests.copy()
    populations[7] += 1
    digests[9] ^= np.uint64(1)
    marks = tuple(Checkpoint(mark.step, "0" * 64 if mark.step == 40 else mark.cells_sha256) for mark in record.checkpoints)
    final = record.final.copy()
    final[0, 0] ^= 1
    for spoilt, step in [
        (dataclasses.replace(record, steps=Steps(populations, record.steps.digests)), 7),
        (dataclasses.replace(record, steps=Steps(record.steps.populations, digests)), 9),
        (dataclasses.replace(record, checkpoints=marks), 40),
        (dataclasses.replace(record, final=final), 200),
    ]:
        found = replay(scenario, record=spoilt)
        assert (found.first_difference, found.fidelity) == (step, 200 / 201)
    assert [mark.step for mark in record.checkpoints] == [0, 40, 100, 200]
    assert replay(scenario, 30, record=dataclasses.replace(record, checkpoints=marks)).fidelity == 1.0  # never got that far


def test_another_engine_is_held_against_what_means_the_same_to_it(glider):
    scenario, record = glider
    digests = record.steps.digests ^ np.uint64(1)
    other = dataclasses.replace(record, steps=Steps(record.steps.populations, digests), comparable=False)
    assert replay(scenario, record=other).fidelity == 1.0
    assert replay(scenario, record=dataclasses.replace(other, comparable=True)).fidelity == 0.0
    rule = OuterTotalistic(frozenset({3}), frozenset({2}), 2)

    def wrong(cells, _rule, boundary):
        return Lattice(cells, rule, boundary)

    found = replay(scenario, record=other, lattice=wrong)
    assert found.first_difference is not None and found.fidelity < 0.1


def test_a_record_without_steps_still_has_its_last_state():
    pulsar = CORE.scenario("pulsar")
    result, _ = measure(pulsar)
    record = Record.of(result, None, comparable=True)
    found = replay(pulsar, record=record)
    assert (found.fidelity, found.recorded) == (1.0, None)
    cells = packed_states.unpack(result.final_state)
    cells[0, 0] ^= 1
    found = replay(pulsar, record=Record(cells))
    assert (found.fidelity, found.first_difference) == (1000 / 1001, 1000)
    with pytest.raises(EvidenceError):
        Record.of(msgspec.structs.replace(result, final_state=b"nonsense"), None, comparable=True)
    with pytest.raises(EvidenceError, match="has the shape"):
        replay(pulsar, record=Record(cells[1:]))


def test_courses_of_other_results_and_broken_ones_are_not_believed(glider):
    scenario, record = glider
    result, _ = measure(scenario)
    with pytest.raises(EvidenceError, match="not that of the recorded result"):
        Record.of(result, Steps(record.steps.populations[:-1], record.steps.digests[:-1]), comparable=True)
    data = course_record.written({"glider": record.steps, "other": record.steps}, "an engine")
    found, key = course_record.read(data, Path("kept.bin"))
    assert key == "an engine" and list(found) == ["glider", "other"] and np.array_equal(found["other"].digests, record.steps.digests)
    assert np.array_equal(found["glider"].populations, record.steps.populations) and course_record.written(found, key) == data
    for broken in (b"", data[:-1], data + b"\0", data.replace(b'"courses":1', b'"courses":2'), b"[" * 9999, b'{"courses":1}\n'):
        with pytest.raises(EvidenceError, match="kept.bin: is "):
            course_record.read(broken, Path("kept.bin"))


@pytest.mark.parametrize("steps", [0, -1, 10**12])
def test_a_replay_of_no_steps_or_of_too_many_is_refused(steps):
    with pytest.raises(InputError, match="steps: "):
        replay(CORE.scenario("glider"), steps)


def test_steps_too_many_for_one_scenario_of_a_run_stop_the_replay_before_it_begins(lab):
    suite = dataclasses.replace(CORE, scenarios=tuple(CORE.scenario(name) for name in ("glider", "r-pentomino")))
    run = lab.automata.qa.run(suite)
    with pytest.raises(InputError, match="steps: 1000000 steps"):
        list(lab.automata.qa.replay(run.run_id, steps=1_000_000))
    assert not list(lab.ledger.blocks(name=ReplayCompleted.NAME))
    (told, _) = lab.automata.qa.replay(run.run_id, steps=1100)
    assert told[1].recorded == 1000


def test_courses_are_kept_once_for_many_runs_and_tell_of_the_engine(lab):
    suite = dataclasses.replace(CORE, scenarios=(CORE.scenario("glider"),))
    first, second = lab.automata.qa.run(suite), lab.automata.qa.run(suite)
    assert first.result.courses == second.result.courses and first.result.engine == engine_digest()
    (kept,) = (lab.workspace / "courses").iterdir()
    assert kept.stat().st_size < 13 * 1002
    replays = dict(lab.automata.qa.replay(second.run_id))
    assert replays["glider"].recorded == 1000


def test_runs_recorded_before_there_were_packs_still_replay(lab):
    """Their results lack every newer field; the files of today stand in for the pack."""
    run = lab.automata.qa.run("core", only="glider")
    old = msgspec.to_builtins(run.result, builtin_types=(bytes,))
    for name in ("pack", "engine", "courses", "notes"):
        del old[name]
    for one in old["scenarios"]:
        del one["checkpoints"], one["ensemble"]
    from thunderlab.automata.qa.results import SuiteResult

    older = lab.automata.qa._runs.record(lab.automata.qa._ids.new(), msgspec.convert(old, SuiteResult))
    with lab.store.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM qa_runs")).scalar() == 2
    assert older.result.pack == "" and older.result.engine is None
    assert dict(lab.automata.qa.replay(older.run_id))["glider"].recorded is None


PROGRAM = """
import hashlib, json, sys
from pathlib import Path
from thunderlab.automata import backend
from thunderlab.automata.qa import course_record
from thunderlab.automata.qa.measure import measure
from thunderlab.automata.qa.scenario_file import scenario_of
cache, *texts = sys.argv[1:]
backend.start(Path(cache) if cache else None)
found = {}
for text in texts:
    result, steps = measure(scenario_of(json.loads(text), Path("given")))
    bits = backend.describe()["vector_bits"]
    exact = hashlib.sha256(course_record.written({result.name: steps}, "")).hexdigest()
    found[result.name] = [result.metrics, [mark.cells_sha256 for mark in result.checkpoints], result.ensemble, {bits: exact}]
print(json.dumps({"threads": backend.describe()["threads"], "bits": bits, "found": found}))
"""


def soup(name, size, rule, duration, **more):
    grid = {"size": size, "boundary": "torus"}
    base = {"scenario": 1, "name": name, "title": name, "regime": "edge", "grid": grid, "seed": 9, "source": "none"}
    return json.dumps({**base, "parameters": {"rule": rule, "density": 0.3}, "duration": duration, "probes": [0, duration // 2], **more})


def test_threads_cache_and_vectors_change_nothing(tmp_path):
    """One lattice small enough for one thread, and ones whose rows are shared among threads."""
    texts = [
        soup("small", [33, 31], "B3/S23", 600, ensemble={"seeds": 20, "every": 100}),
        soup("large", [1000, 1100], "B3/S23", 40),
        soup("solid", [48, 96, 96], "B5/S4-5", 40),
    ]
    cache, seen = str(tmp_path / "cache"), []
    for threads, kept, bits in [("1", "", "512"), ("4", cache, "512"), ("2", cache, "512"), ("2", "", "256")]:
        environment = {**os.environ, "THUNDERLAB_THREADS": threads, "THUNDERLAB_VECTOR_BITS": bits}
        ran = subprocess.run([sys.executable, "-c", PROGRAM, kept, *texts], capture_output=True, text=True, env=environment, check=False)
        assert ran.returncode == 0, ran.stderr
        answer = json.loads(ran.stdout.splitlines()[-1])
        assert (answer["threads"], answer["bits"]) == (int(threads), int(bits))
        seen.append(answer["found"])
    assert list((tmp_path / "cache").rglob("*")), "nothing was cached"
    assert set(seen[0]) == {"small", "large", "solid"} and seen[0]["large"][0]["population_final"] > 10_000
    # Fingerprints depend on how states are laid out in vectors, and on nothing else; all the rest on nothing at all.
    assert all(found == seen[0] for found in seen[:3])
    assert all(seen[3][name][:3] == seen[0][name][:3] for name in seen[0])
    assert any(seen[3][name][3]["256"] != seen[0][name][3]["512"] for name in seen[0])


def test_a_run_recorded_with_other_vectors_replays(cli_process, tmp_path):
    project = tmp_path / "project"
    folder = project / "scenarios" / "one"
    folder.mkdir(parents=True)
    (project / "notebooks").mkdir()
    (project / "scenarios" / "gate").mkdir()
    (folder / "suite.yaml").write_text("suite: one\nformat: 1\ntitle: One\n")
    (folder / "wide.json").write_text(soup("wide", [40, 300], "B3/S23", 100))
    ran = cli_process(
        "qa", "run", "--suite", "one", "--json", cwd=project, env={"THUNDERLAB_VECTOR_BITS": "256", "THUNDERLAB_THREADS": "1"}
    )
    assert ran.code == 1 and ran.json()["scenarios"][0]["breaches"][0]["metric"] == "baseline.scenario"
    back = cli_process(
        "qa", "replay", ran.json()["run_id"], "--steps", "10000", "--json", cwd=project, env={"THUNDERLAB_VECTOR_BITS": "512"}
    )
    assert back.code == 0 and back.json()["fidelity"] == 1.0 and back.json()["steps"] == 10_000
    assert back.json()["scenarios"][0]["recorded"] == 100
