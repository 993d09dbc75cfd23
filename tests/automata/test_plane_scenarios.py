"""Scenarios on the unbounded plane: published facts, the reference inside far edges, Golly, and replays that know where cells lie."""

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest

from thunderlab.automata import packed_states, plane
from thunderlab.automata.cells import Cells
from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures import observables
from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.qa import course, course_record
from thunderlab.automata.qa.course import LOOKS, evenly
from thunderlab.automata.qa.measure import measure
from thunderlab.automata.qa.pack import pack_of, read_pack
from thunderlab.automata.qa.replay import Record, replay
from thunderlab.automata.qa.results import Checkpoint
from thunderlab.automata.qa.scenario_file import scenario_of
from thunderlab.automata.qa.suite import load_suite
from thunderlab.errors import InputError

STRESS = load_suite(Path(__file__).parents[2] / "scenarios" / "stress")
ON_PLANE = [one for one in STRESS.scenarios if one.boundary == "plane"]
GLIDER = "x = 3, y = 3\nbo$2bo$3o!"
R_PENTOMINO = "x = 3, y = 3\nb2o$2o$bo!"
golly = pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")


def scenario(pattern=GLIDER, rule="B3/S23", size=(9, 12), duration=200, **further):
    parameters = {"rule": rule} | ({} if pattern else {"density": 0.4})
    start = {"pattern": pattern} if pattern else {}
    written = {
        "scenario": 1, "name": "plain", "title": "Plain", "regime": "edge", "grid": {"size": list(size), "boundary": "plane"}, "seed": 3,
        "parameters": parameters, "duration": duration, "source": "a test", **start, **further,
    }  # fmt: skip
    return scenario_of(written, Path("plain.yaml"))


def recorded(one):
    result, steps = measure(one)
    return Record.of(result, steps, comparable=True)


# --- what is measured ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "size", "duration"),
    [("B3/S23", (12, 9), 70), ("B2/S34H", (7, 7), 40), ("345/2/4", (9, 11), 40), ("W30", (1, 5), 40), ("B5-7/S4-6", (6, 7, 8), 12)],
)
def test_a_soup_measures_what_plain_numpy_does_inside_far_edges(rule, size, duration):
    """Population at every step; entropy, clusters and alive ratio of the smallest box; digests and box where the cells lie."""
    probes = (0, duration // 3, duration)
    one = scenario(None, rule, size, duration, probes=probes)
    found, steps = measure(one)
    far = duration * one.rule.radius
    states: list[Cells] = [np.pad(one.initial_cells(), far)]
    for _ in range(duration):
        states.append(reference.simulate(states[-1], one.rule, 1, "dead"))
    boxes = [_cropped(state) for state in states]
    absolute = [cells_sha256(state, origin=(-far,) * len(size)) for state in states]
    entropy = [observables.cell_entropy(boxes[step], one.rule.states) for step in evenly(duration, LOOKS)]
    mean, spread = observables.mean_and_std(entropy)
    final, metrics = boxes[-1], found.metrics
    assert steps.populations.tolist() == [np.count_nonzero(state) for state in states]
    assert found.entropy == tuple(entropy)
    assert (metrics["entropy_mean"], metrics["entropy_std"], metrics["entropy_final"]) == (mean, spread, entropy[-1])
    assert metrics["population_final"] == np.count_nonzero(final) and metrics["alive_ratio"] == np.count_nonzero(final) / final.size
    assert metrics["cluster_count"] == observables.cluster_count(states[-1], "dead")
    assert metrics["cells_sha256"] == cells_sha256(final)
    assert found.checkpoints == tuple(Checkpoint(step, absolute[step]) for step in probes)
    assert metrics["bbox_final"] == ",".join(f"{low}..{high}" for low, high in bbox(states[-1], (-far,) * len(size)))
    assert np.array_equal(packed_states.unpack(found.final_state), final)
    for step, digest in enumerate(steps.digests.tolist()):
        assert digest in (0, int(absolute[step][:16], 16))
    assert set(np.flatnonzero(steps.digests).tolist()) >= {*evenly(duration, LOOKS), *probes}


def _cropped(cells):
    box = bbox(cells)
    return cells[tuple(slice(low, high + 1) for low, high in box)]


@pytest.mark.parametrize(
    ("expect", "breached"),
    [
        ({"displacement": {"steps": 4, "by": [1, 1]}, "transient": 0, "period": 4, "repeats": True, "clusters": 1}, set()),
        ({"copies_at": [{"step": 200, "offsets": [[50, 50]]}], "population_at": [{"step": 133, "population": 5}]}, set()),
        ({"alive_ratio": {"low": 0.5, "high": 0.6}, "between": {"entropy_mean": {"low": 0.99, "high": 1}}}, set()),
        ({"copies_at": [{"step": 200, "offsets": [[50, 51]]}]}, {"expect.copies_at[200]"}),
        ({"copies_at": [{"step": 200, "offsets": [[50, 50], [0, 0]]}]}, {"expect.copies_at[200]"}),
        ({"displacement": {"steps": 4, "by": [1, -1]}}, {"expect.displacement"}),
        ({"repeats": False, "dies_at": 5}, {"expect.repeats", "expect.dies_at"}),
    ],
)
def test_facts_of_a_glider_on_the_plane(expect, breached):
    found, _ = measure(scenario(expect=expect))
    assert {breach.metric for breach in found.breaches} == breached and found.passed == (not breached)


def test_copies_leave_the_box_the_start_lay_in():
    """LifeWiki, "Replicator": in HighLife a copy along the diagonal every 12 generations, as rule 90 makes them."""
    text = "x = 5, y = 5\n2b3o$bo2bo$o3bo$o2bo$3o!"
    copies = [{"step": 96, "offsets": [[-16, -16], [16, 16]]}, {"step": 36, "offsets": [[-6, -6], [-2, -2], [2, 2], [6, 6]]}]
    found, _ = measure(scenario(text, "B36/S23", (5, 5), 96, expect={"copies_at": copies}))
    assert found.passed, found.breaches


def test_what_dies_on_the_plane_has_no_box():
    found, _ = measure(scenario("x = 8, y = 3\n6bo$2o$bo3b3o!", duration=160, expect={"dies_at": 130, "transient": 130, "period": 1}))
    assert found.passed
    assert [found.metrics[name] for name in ("population_final", "alive_ratio", "entropy_final", "cluster_count", "bbox_final")] == [
        0, 0.0, 0.0, 0, None,
    ]  # fmt: skip


def test_a_scenario_on_a_torus_measures_no_box():
    one = dataclasses.replace(scenario(), boundary="torus")
    assert "bbox_final" not in measure(one)[0].metrics and "bbox_final" in measure(scenario())[0].metrics


def test_the_frame_a_start_is_given_in_counts_for_its_place_alone():
    small, large = (measure(scenario(R_PENTOMINO, size=size, offset=(2, 3), duration=300))[0] for size in ((9, 12), (700, 40)))
    assert small.metrics == large.metrics and small.scenario_digest != large.scenario_digest
    moved = measure(scenario(R_PENTOMINO, offset=(3, 3), duration=300))[0].metrics
    assert {name for name in moved if moved[name] != small.metrics[name]} == {"bbox_final"}


# --- limits -------------------------------------------------------------------------------------------------------------


def test_what_outgrows_the_plane_names_the_scenario_and_its_duration(monkeypatch):
    monkeypatch.setattr(plane, "MOST_CELLS", 400)
    one = scenario("x = 4, y = 2\n4o$4o!", "B2/S", duration=1000)
    for run in (measure, replay):
        with pytest.raises(InputError, match=r"^scenario plain: duration: after \d+ steps the pattern on the plane is \d+ x \d+ cells"):
            run(one)


def test_what_takes_too_much_work_names_the_scenario_and_its_duration(monkeypatch):
    monkeypatch.setattr(course, "MOST_WORK_ON_PLANE", 50_000)
    with pytest.raises(InputError, match=r"^scenario plain: duration: after \d+ steps .* more than the 50000 cell updates"):
        measure(scenario(R_PENTOMINO, duration=400))
    assert measure(scenario(duration=2000))[0].metrics["population_final"] == 5


@pytest.mark.parametrize("steps", [0, -1, 1_000_001])
def test_a_replay_of_another_length_than_there_is_is_refused(steps):
    with pytest.raises(InputError, match=r"^plain: steps: .* 1 to 1000000 are accepted on a plane"):
        replay(scenario(), steps)


# --- replay -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pentomino():
    one = scenario(R_PENTOMINO, duration=600, probes=[100, 333])
    return one, recorded(one)


@pytest.mark.parametrize("steps", [None, 1, 99, 100, 400, 599, 900])
def test_a_replay_is_identical_to_its_record_however_far_it_goes(pentomino, steps):
    one, record = pentomino
    found = replay(one, steps, record=record)
    assert (found.fidelity, found.first_difference, found.steps) == (1.0, None, steps or 600)
    assert found.recorded == min(found.steps, 600)
    assert replay(one, steps).fidelity == 1.0


def test_a_course_on_the_plane_is_written_and_read_back(pentomino):
    one, record = pentomino
    courses, key = course_record.read(course_record.written({"pentomino": record.steps}, "k"), Path("x"))
    assert key == "k" and all(np.array_equal(*pair) for pair in zip(courses["pentomino"], record.steps, strict=True))


def test_every_part_of_the_record_of_a_plane_counts(pentomino):
    one, record = pentomino
    look = course.looks(one)[3]
    populations, digests = (column.copy() for column in record.steps)
    populations[7] += 1
    digests[look] ^= np.uint64(1)
    marks = tuple(Checkpoint(mark.step, "0" * 64 if mark.step == 333 else mark.cells_sha256) for mark in record.checkpoints)
    final = record.final.copy()
    final[0, 0] ^= 1
    for spoilt, step in [
        (dataclasses.replace(record, steps=record.steps._replace(populations=populations)), 7),
        (dataclasses.replace(record, steps=record.steps._replace(digests=digests)), look),
        (dataclasses.replace(record, checkpoints=marks), 333),
        (dataclasses.replace(record, final=final), 600),
        (dataclasses.replace(record, final=final[1:]), 600),
    ]:
        found = replay(one, record=spoilt)
        assert (found.first_difference, found.fidelity) == (step, 600 / 601)


class Drifting(Lattice):
    """A lattice whose cells are right and in the wrong place: what only a digest of cells where they lie can tell."""

    @property
    def origin(self):
        return tuple(at + 1 for at in super().origin)

    @property
    def digest(self):
        return int(cells_sha256(self.cells(), origin=self.origin)[:16], 16)


def test_cells_in_another_place_are_another_state(pentomino):
    one, record = pentomino
    found = replay(one, record=record, lattice=Drifting)
    assert found.first_difference == 0 and found.fidelity == (601 - len(course.looks(one))) / 601


def test_a_pack_holds_scenarios_on_the_plane():
    one = scenario(R_PENTOMINO, probes=[5])
    suite = dataclasses.replace(STRESS, scenarios=(one, scenario_soup()))
    _, (back, soup) = read_pack(pack_of(suite), Path("x"))
    assert (back.digest, soup.digest) == (one.digest, scenario_soup().digest) and soup.boundary == "plane"


def scenario_soup():
    return dataclasses.replace(scenario(None), name="soup")


def test_a_lab_records_a_run_on_the_plane_and_replays_it_bit_for_bit(lab, tmp_path):
    folder = tmp_path / "far"
    folder.mkdir()
    (folder / "suite.yaml").write_text("suite: far\nformat: 1\ntitle: Far\n")
    (folder / "glider.json").write_bytes(
        msgspec.json.encode(
            {
                "scenario": 1, "name": "glider", "title": "Glider", "regime": "periodic", "grid": {"size": [3, 3], "boundary": "plane"},
                "seed": 0, "parameters": {"rule": "B3/S23"}, "pattern": GLIDER, "duration": 1000, "source": "LifeWiki, Glider",
            }
        )
    )  # fmt: skip
    run = lab.automata.qa.run(load_suite(folder))
    [(name, found)] = lab.automata.qa.replay(run.run_id)
    assert (name, found.fidelity, found.steps, found.recorded) == ("glider", 1.0, 1000, 1000)
    assert run.result.scenarios[0].metrics["bbox_final"] == "250..252,250..252"


# --- the stress suite ---------------------------------------------------------------------------------------------------


def test_the_stress_suite_has_published_facts_on_the_plane():
    assert {one.name for one in ON_PLANE} >= {"acorn", "blinker-puffer", "gosper-gun-long", "r-pentomino", "rabbits", "rule-90"}
    assert all(one.expect.population_at and "LifeWiki" in one.source or "OEIS" in one.source for one in ON_PLANE)


@pytest.mark.parametrize("name", ["acorn", "blinker-puffer", "r-pentomino"])
def test_scenarios_on_the_plane_hold(name):
    found, _ = measure(STRESS.scenario(name))
    assert found.passed, found.breaches


@golly
@pytest.mark.parametrize("name", [one.name for one in ON_PLANE if one.rule.family == "outer-totalistic"])
def test_golly_counts_what_the_stress_suite_states(tmp_path, name):
    """HashLife says the population at every step that a fact speaks of, gliders that have flown thousands of cells included."""
    one = STRESS.scenario(name)
    start = tmp_path / "start.rle"
    start.write_text(Pattern(one.pattern, str(one.rule)).text())
    facts = {fact.step: fact.population for fact in one.expect.population_at}
    growth = one.expect.growth
    if growth is not None:
        first = facts.get(growth.start, int(np.count_nonzero(one.pattern)))
        facts[growth.end - growth.end % growth.every] = first + growth.population * (growth.end // growth.every)
    settled = one.expect.settles_at
    if settled:
        facts[settled + 30], before = facts[settled], settled - 1
        assert _golly_counts(start, before) != facts[settled]
    assert len(facts) >= 2
    assert {step: _golly_counts(start, step) for step in facts} == facts


def _golly_counts(start, step):
    ran = subprocess.run(["bgolly", "-a", "HashLife", "-m", str(step), "-i", str(step), start], check=True, capture_output=True, text=True)
    return int(re.findall(r"^[\d,]+: ([\d,]+)$", ran.stdout, re.MULTILINE)[-1].replace(",", ""))


def test_the_r_pentomino_lets_six_gliders_go():
    """LifeWiki, "R-pentomino": of its 25 last objects six are gliders; they are the ones that go on and on."""
    text = STRESS.scenario("r-pentomino").pattern
    lattice = Lattice(text, "B3/S23", "plane")
    lattice.run(1103)
    before = lattice.cells(), lattice.origin
    lattice.run(4000)
    middle = lattice.cells()
    gone = {tuple(np.add(place, lattice.origin)) for place in np.argwhere(middle)}
    stayed = {tuple(np.add(place, before[1])) for place in np.argwhere(before[0])}
    assert len(gone - stayed) == 6 * 5
