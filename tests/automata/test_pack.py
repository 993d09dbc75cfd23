"""Packs: one canonical text per content, stored once, believed only while its bytes have its digest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from thunderlab import canonical
from thunderlab.automata.qa.archive import Archive
from thunderlab.automata.qa.cell_runs import cells_of, runs_of
from thunderlab.automata.qa.pack import Packs, pack_of, read_pack
from thunderlab.automata.qa.runs import Runs
from thunderlab.automata.qa.suite import load_suite
from thunderlab.errors import EnvironmentBlockedError, EvidenceError, InputError
from thunderlab.seeds import stream

CORE = Path(__file__).parents[2] / "scenarios" / "core"
SUITE = "suite: two\nformat: 1\ntitle: Two\nbudget_s: 60\n"
GLIDER = """\
scenario: 1
name: glider
title: Glider
regime: periodic
grid: {size: [12, 16], boundary: torus}
seed: 0
parameters: {rule: B3/S23}
pattern: |
  x = 3, y = 3, rule = B3/S23
  bo$2bo$3o!
duration: 40
probes: [0, 4, 40]
expect:
  displacement: {steps: 4, by: [1, 1]}
  growth: {every: 4, population: 0, from: 0, to: 40}
source: LifeWiki, Glider
"""
SOUP = """\
scenario: 1
name: soup
title: Soup
regime: edge
grid: {size: [20, 21], boundary: torus}
seed: 5
parameters: {rule: B3/S23, density: 0.35}
soup_box: [12, 13]
ensemble: {seeds: 20, every: 5}
duration: 30
source: nobody
"""


def write_suite(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.yaml").write_text(SUITE)
    for name, text in {"glider": GLIDER, "soup": SOUP, **files}.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_suite(tmp_path / "scenarios" / "two")


def test_the_form_of_a_pack_is_a_promise(folder):
    """Recorded runs name packs by digest for ever: another form of the same content would need another format number."""
    data = pack_of(load_suite(folder))
    assert json.loads(data)["scenarios"][0] == {
        "scenario": 1,
        "name": "glider",
        "title": "Glider",
        "regime": "periodic",
        "grid": {"size": [12, 16], "boundary": "torus"},
        "seed": 0,
        "parameters": {"rule": "B3/S23"},
        "runs": [[0, 1, 1, 1], [1, 2, 1, 1], [2, 0, 3, 1]],
        "offset": [4, 6],
        "duration": 40,
        "probes": [0, 4, 40],
        "expect": {"displacement": {"steps": 4, "by": [1, 1]}, "growth": {"every": 4, "population": 0, "from": 0, "to": 40}},
        "source": "LifeWiki, Glider",
    }
    assert canonical.digest(data) == "f70e98a69346825c525d358455f8ebac5780d619d7ba608147a61b1a72def08f"


def test_spelling_comments_and_files_do_not_count_and_everything_else_does(folder, tmp_path):
    known = pack_of(load_suite(folder))
    block = GLIDER[GLIDER.index("pattern: |") : GLIDER.index("duration")]
    (folder / "patterns").mkdir()
    (folder / "patterns" / "ship.rle").write_text("#C a glider\nx = 3, y = 3\nbob$2bo$3o!")
    same = [
        "# a comment\n" + GLIDER.replace("B3/S23}", "23/3}"),
        GLIDER.replace(block, "pattern_file: patterns/ship.rle\n"),
        GLIDER.replace(block, "cells: [[2, 2], [2, 1], [2, 0], [1, 2], [0, 1]]\n"),
        GLIDER.replace(block, "runs: [[0, 1, 1, 1], [1, 2, 1, 1], [2, 0, 2, 1], [2, 2, 1, 1]]\noffset: [4, 6]\n"),
        "seed: 0\n" + GLIDER.replace("seed: 0\n", ""),
    ]
    for text in same:
        assert pack_of(load_suite(write_suite(folder, glider=text))) == known
    other = [
        ("title: Glider", "title: A glider"),
        ("size: [12, 16]", "size: [12, 17]"),
        ("seed: 0", "seed: 1"),
        ("bo$2bo", "bo$bo"),
        ("duration: 40", "duration: 44"),
        ("[0, 4, 40]", "[0, 4]"),
        ("by: [1, 1]", "by: [1, -1]"),
        ("source: LifeWiki", "source: Wiki"),
        ("regime: periodic", "regime: edge"),
        ("torus", "dead"),
    ]
    for old, new in other:
        assert old in GLIDER
        assert pack_of(load_suite(write_suite(folder, glider=GLIDER.replace(old, new)))) != known
    write_suite(folder)
    for old, new in [("every: 5", "every: 6"), ("seeds: 20", "seeds: 21"), ("[12, 13]", "[13, 13]"), ("0.35", "0.350001")]:
        (folder / "soup.yaml").write_text(SOUP.replace(old, new))
        assert pack_of(load_suite(folder)) != known
    write_suite(folder)
    assert pack_of(load_suite(folder)) == known
    (folder / "suite.yaml").write_text(SUITE.replace("60", "61"))
    assert pack_of(load_suite(folder)) != known


def test_the_core_suite_comes_back_as_it_went():
    core = load_suite(CORE)
    data = pack_of(core)
    settings, scenarios = read_pack(data, Path("pack"))
    assert settings.suite == "core" and settings.budget_s == core.budget_s
    assert [one.digest for one in scenarios] == [one.digest for one in core.scenarios]
    for one, other in zip(scenarios, core.scenarios, strict=True):
        assert np.array_equal(one.initial_cells(), other.initial_cells())
        assert (one.expect, one.probes, one.title, one.source, one.regime) == (
            other.expect,
            other.probes,
            other.title,
            other.source,
            other.regime,
        )
    assert len(data) < 100_000


@pytest.mark.parametrize("case", range(20))
def test_runs_stand_for_any_cells(case):
    rng = stream(case, "runs")
    shape = tuple(int(side) for side in rng.integers(1, 9, size=2 + case % 2))
    cells = (rng.integers(0, 4, shape) * (rng.random(shape) < 0.6)).astype(np.uint8)
    runs = runs_of(cells)
    back = np.zeros(shape, np.uint8)
    found = cells_of(runs, shape)
    back[tuple(slice(0, side) for side in found.shape)] = found
    assert np.array_equal(back, cells) and runs_of(back) == runs
    assert sum(run[-2] for run in runs) == np.count_nonzero(cells)


@pytest.mark.parametrize(
    ("runs", "what"),
    [
        ([[0, 0, 1]], "needs 4 numbers"),
        ([[0, 0, 0, 1]], "a length is 1 or more"),
        ([[0, 0, 1, 0]], "a state 1 to 255"),
        ([[0, 0, 1, 256]], "a state 1 to 255"),
        ([[5, 0, 1, 1]], "outside the grid"),
        ([[0, 4, 3, 1]], "outside the grid"),
        ([[1, 0, 1, 1], [0, 0, 1, 1]], "begins before"),
        ([[0, 0, 2, 1], [0, 1, 1, 1]], "begins before"),
    ],
)
def test_what_are_no_runs_is_refused(runs, what):
    with pytest.raises(InputError, match=what):
        cells_of(runs, (5, 6))


def damaged(change):
    """Return the bytes of a pack after a change to its value, still in canonical form."""

    def make(data):
        value = json.loads(data)
        change(value)
        return canonical.encode(value)

    return make


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda data: b"", "is not a pack"),
        (lambda data: b"[" * 100_000, "is not a pack"),
        (lambda data: b"\xff" + data, "is not a pack"),
        (lambda data: data + b"\n", "only form"),
        (lambda data: json.dumps(json.loads(data)).encode(), "only form"),
        (lambda data: data.replace(b'"pack":1', b'"pack":1,"pack":1'), "only form"),
        (lambda data: canonical.encode([1]), "is not a pack"),
        (damaged(lambda value: value.update(pack=2)), "pack"),
        (damaged(lambda value: value.update(more=2)), "more"),
        (damaged(lambda value: value["scenarios"].clear()), "one or more"),
        (damaged(lambda value: value["scenarios"].reverse()), "order of their names"),
        (damaged(lambda value: value["scenarios"][0].update(scenario=2)), "scenario"),
        (damaged(lambda value: value["scenarios"][0]["grid"].update(size=[16384, 16384])), "cells"),
        (damaged(lambda value: value["scenarios"][0]["runs"].append([0, 0, 1, 1])), "begins before"),
        (damaged(lambda value: value["scenarios"][0]["runs"].append([3, 0, 1, 2])), "holds state 2"),
        (damaged(lambda value: value["scenarios"][1].update(pattern_file="soup.rle")), "pattern_file"),
        (damaged(lambda value: value["scenarios"][1]["ensemble"].update(seeds=10**9)), "seeds"),
        (damaged(lambda value: value["scenarios"][0].update(name="../glider")), "is not a name"),
    ],
)
def test_what_is_no_pack_is_refused(folder, damage, what):
    with pytest.raises(EvidenceError, match=what) as caught:
        read_pack(damage(pack_of(load_suite(folder))), Path("somewhere.json"))
    assert str(caught.value).startswith("somewhere.json: ") and "\n" not in str(caught.value)


def test_a_pack_is_stored_once_and_healed_and_not_believed_when_it_changed(folder, tmp_path):
    packs, suite = Packs(tmp_path / "packs", tmp_path / "scenarios"), load_suite(folder)
    name = packs.keep(suite)
    (path,) = (tmp_path / "packs").iterdir()
    assert path.name == f"{name}.json" and canonical.digest(path.read_bytes()) == name
    before = path.stat().st_mtime_ns
    assert packs.keep(suite) == name and path.stat().st_mtime_ns == before
    found = packs.named(f"two@{name[:12]}")
    assert found.stored == name and found.recorded_name == f"two@{name[:12]}" and pack_of(found) == pack_of(suite)
    path.write_bytes(path.read_bytes().replace(b'"seed":5', b'"seed":6'))
    with pytest.raises(EvidenceError, match="no longer those of its digest"):
        packs.suite(name)
    assert packs.keep(suite) == name and packs.suite(name).name == "two"
    path.unlink()
    with pytest.raises(EvidenceError, match="not kept here any more"):
        packs.suite(name)


def test_packs_are_named_by_enough_of_their_digest(folder, tmp_path):
    packs = Packs(tmp_path / "packs", tmp_path / "scenarios")
    name = packs.keep(load_suite(folder))
    for wrong, what in [
        (f"three@{name}", "no pack"),
        ("two@" + "0" * 64, "no pack"),
        (f"two@{name[:11]}", "12 to 64"),
        (f"two@{name.upper()}", "12 to 64"),
        ("two@", "12 to 64"),
        (f"two@{name}@", "is not the name of a pack"),
        (f"@{name}", "is not the name of a pack"),
        ("two@../../etc/passwd", "12 to 64"),
    ]:
        with pytest.raises(InputError, match=what):
            packs.named(wrong)
    (tmp_path / "packs" / f"{name[:12]}{'0' * 52}.json").write_bytes(b"{}")
    with pytest.raises(InputError, match="write more digits"):
        packs.named(f"two@{name[:12]}")
    assert packs.named(f"two@{name}").name == "two"


def test_an_archive_holds_no_more_than_its_limit_and_ignores_strangers(tmp_path):
    archive = Archive(tmp_path / "kept", ".bin", "thing", limit=4)
    name = archive.put(b"four")
    assert archive.get(name) == b"four" and list(archive.digests()) == [name]
    with pytest.raises(InputError, match="larger than the 4"):
        archive.put(b"five!")
    (tmp_path / "kept" / "notes.bin").write_text("mine")
    archive.path("a" * 64).write_bytes(b"much longer than that")
    assert list(archive.digests()) == sorted([name, "a" * 64])
    with pytest.raises(EvidenceError, match="larger than"):
        archive.get("a" * 64)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(EnvironmentBlockedError):
        Archive(tmp_path / "file", ".bin", "thing", limit=4).put(b"four")


def test_a_run_replays_from_its_pack_when_its_files_changed_or_are_gone(lab, folder):
    run = lab.automata.qa.run(load_suite(folder))
    (folder / "glider.yaml").write_text(GLIDER.replace("B3/S23", "B36/S23"))
    (folder / "soup.yaml").unlink()
    replays = dict(lab.automata.qa.replay(run.run_id))
    assert {name: (found.fidelity, found.recorded) for name, found in replays.items()} == {"glider": (1.0, 40), "soup": (1.0, 30)}
    shutil.rmtree(folder)
    assert all(found.fidelity == 1.0 for _, found in lab.automata.qa.replay(run.run_id, steps=50))


def test_a_run_whose_pack_changed_or_is_gone_is_not_replayed(lab, folder):
    run = lab.automata.qa.run(load_suite(folder))
    path = lab.workspace / "packs" / f"{run.result.pack}.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(b'"seed":5', b'"seed":6'))
    with pytest.raises(EvidenceError, match="no longer those of its digest"):
        list(lab.automata.qa.replay(run.run_id))
    path.unlink()
    with pytest.raises(EvidenceError, match="not kept here any more"):
        list(lab.automata.qa.replay(run.run_id))
    path.write_bytes(good)
    courses = lab.workspace / "courses" / f"{run.result.courses}.bin"
    courses.write_bytes(courses.read_bytes()[:-1])
    with pytest.raises(EvidenceError, match="record of courses"):
        list(lab.automata.qa.replay(run.run_id))


def test_a_pack_is_stored_before_the_run_that_names_it(lab, folder, monkeypatch):
    def recorded(self, run_id, result):
        assert (lab.workspace / "packs" / f"{result.pack}.json").is_file()
        assert (lab.workspace / "courses" / f"{result.courses}.bin").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(Runs, "record", recorded)
    with pytest.raises(KeyboardInterrupt):
        lab.automata.qa.run(load_suite(folder))
    assert [one.first_used for one in lab.automata.qa.packs()] == [None]


def test_a_stored_pack_runs_under_its_own_name_and_is_judged_by_what_is_known_of_it(lab, folder, monkeypatch):
    monkeypatch.setattr("thunderlab.automata.qa.desk.suite_names", lambda _folder: ["two"])
    monkeypatch.setattr("thunderlab.automata.qa.desk.find_suite", lambda _folder, _name: load_suite(folder))
    monkeypatch.setattr(lab.automata.qa._packs, "_suites", folder.parent)
    lab.automata.qa.baseline("two")
    (first,) = lab.automata.qa.packs()
    (folder / "soup.yaml").write_text(SOUP.replace("seed: 5", "seed: 6"))
    lab.automata.qa.baseline("two")
    found = lab.automata.qa.packs()
    assert [one.digest for one in found][0] == first.digest and len(found) == 2
    assert all(one.pack == f"two@{one.digest}" and one.scenarios == 2 and one.first_used and not one.why for one in found)
    run = lab.automata.qa.run(first.pack)
    assert run.result.passed and run.result.suite == f"two@{first.digest[:12]}" and run.result.pack == first.digest
    assert [note for note in run.result.notes if "no baseline is known for 1" in note]
    assert lab.automata.qa.runs("two")[0].result.pack == found[1].digest
    alone = lab.automata.qa.run(first.pack, only="glider")
    assert alone.result.suite == f"two@{first.digest[:12]}/glider" and alone.result.notes == ()
    assert dict(lab.automata.qa.replay(run.run_id))["soup"].fidelity == 1.0
    with pytest.raises(InputError, match="belongs to a suite's folder"):
        lab.automata.qa.baseline(first.pack)
    path = lab.workspace / "packs" / f"{first.digest}.json"
    path.write_bytes(b"{}")
    listed = {one.digest: one for one in lab.automata.qa.packs()}
    assert (listed[first.digest].pack, listed[first.digest].scenarios) == (f"?@{first.digest}", None)
    assert "no longer those of its digest" in listed[first.digest].why


def test_the_command_line_runs_lists_and_refuses_packs(cli, tmp_path):
    project = tmp_path / "project"
    write_suite(project / "scenarios" / "two")
    (project / "scenarios" / "gate").mkdir()
    shutil.copy(CORE.parent / "gate" / "thresholds.yaml", project / "scenarios" / "gate")
    (project / "notebooks").mkdir()
    empty = cli("qa", "packs", "--json", cwd=project)
    assert (empty.code, empty.json()) == (0, {"packs": []}) and not (tmp_path / "workspace").exists()
    assert cli("qa", "baseline", "--suite", "two", cwd=project).code == 0
    (listed,) = cli("qa", "packs", "--json", cwd=project).json()["packs"]
    assert listed["scenarios"] == 2 and listed["suite"] == "two" and listed["pack"] == f"two@{listed['digest']}"
    ran = cli("qa", "run", "--suite", f"two@{listed['digest'][:12]}", "--json", cwd=project)
    assert ran.code == 0 and ran.json()["pack"] == listed["pack"] and ran.json()["passed"]
    refused = cli("qa", "run", "--suite", "two@0123456789ab", cwd=project)
    assert (refused.code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1) and "no pack" in refused.stderr
    shutil.rmtree(project / "scenarios" / "two")
    replayed = cli("qa", "replay", ran.json()["run_id"], "--json", cwd=project)
    assert (replayed.code, replayed.json()["fidelity"]) == (0, 1.0)
    pack = tmp_path / "workspace" / "packs" / f"{listed['digest']}.json"
    pack.write_bytes(pack.read_bytes().replace(b"0.35", b"0.36"))
    broken = cli("qa", "replay", ran.json()["run_id"], cwd=project)
    assert (broken.code, broken.stdout, broken.stderr.count("\n")) == (1, "", 1) and "no longer those of its digest" in broken.stderr
