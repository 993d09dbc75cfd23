"""Scenario files: what they mean, and a long table of those that mean nothing and are refused by file, line and field."""

import json

import numpy as np
import pytest

from thunderlab import seeds
from thunderlab.automata.qa.facts import Displacement, Growth, PopulationAt
from thunderlab.automata.qa.scenario_file import read_scenario, scenario_files
from thunderlab.automata.soup import soup
from thunderlab.errors import InputError

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
  population_at:
    - {step: 4, population: 5}
source: LifeWiki, Glider
"""
SOUP = """\
scenario: 1
name: soup
title: Soup
regime: chaotic
grid: {size: [8, 9, 10], boundary: dead}
seed: 5
parameters: {rule: B5-7/S4-6, density: 0.25}
soup_box: [4, 5, 6]
duration: 10
source: nobody
"""


RUNS = (
    GLIDER[: GLIDER.index("pattern: |")]
    + "runs: [[0, 1, 1, 1], [1, 2, 1, 1], [2, 0, 3, 1]]\noffset: [4, 6]\n"
    + GLIDER[GLIDER.index("duration") :]
)


def written(folder, text, name=None):
    name = name or next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("name:")), "nameless")
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def test_a_pattern_is_centred_and_everything_is_there(tmp_path):
    found = read_scenario(written(tmp_path, GLIDER))
    assert (found.name, found.title, found.regime, str(found.rule)) == ("glider", "Glider", "periodic", "B3/S23")
    assert (found.shape, found.boundary, found.duration, found.probes) == ((12, 16), "torus", 40, (0, 4, 40))
    assert found.expect.displacement == Displacement(4, (1, 1)) and found.expect.population_at == (PopulationAt(4, 5),)
    cells = found.initial_cells()
    assert np.argwhere(cells).tolist() == [[4, 7], [5, 8], [6, 6], [6, 7], [6, 8]] and cells.dtype == np.uint8


def test_an_offset_places_the_pattern(tmp_path):
    found = read_scenario(written(tmp_path, GLIDER + "offset: [9, 0]\n"))
    assert np.argwhere(found.initial_cells()).tolist() == [[9, 1], [10, 2], [11, 0], [11, 1], [11, 2]]


def test_a_soup_is_what_its_seed_says(tmp_path):
    found = read_scenario(written(tmp_path, SOUP))
    cells = found.initial_cells()
    box = (seeds.stream(5, "soup").random((4, 5, 6)) < 0.25).astype(np.uint8)
    assert np.array_equal(cells[2:6, 2:7, 2:8], box) and cells.sum() == box.sum() > 0
    assert np.array_equal(cells, found.initial_cells())


@pytest.mark.parametrize("density", [0.0, 0.1, 1 / 3, 0.5, 1.0])
def test_soups_have_their_density(density):
    assert soup((200, 200), density, 1).mean() == pytest.approx(density, abs=0.01)
    assert not np.array_equal(soup((20, 20), 0.5, 1), soup((20, 20), 0.5, 2))


def test_cells_may_be_listed_in_three_dimensions(tmp_path):
    text = SOUP.replace("soup_box: [4, 5, 6]\n", "cells: [[0, 0, 0], [1, 2, 3]]\n").replace(", density: 0.25", "")
    assert np.argwhere(read_scenario(written(tmp_path, text)).initial_cells()).tolist() == [[3, 3, 3], [4, 5, 6]]


def test_json_and_a_pattern_file_mean_the_same(tmp_path):
    (tmp_path / "patterns").mkdir()
    (tmp_path / "patterns" / "ship.rle").write_text("#C a glider\nx = 3, y = 3\nbob$2bo$3o!")
    spec = {
        "scenario": 1,
        "name": "glider",
        "title": "Another title",
        "regime": "periodic",
        "grid": {"size": [12, 16], "boundary": "torus"},
        "seed": 0,
        "parameters": {"rule": "23/3"},
        "pattern_file": "patterns/ship.rle",
        "duration": 40,
        "probes": [0, 4, 40],
        "expect": {"population_at": [{"population": 5, "step": 4}], "displacement": {"steps": 4, "by": [1, 1]}},
        "source": "elsewhere",
    }
    (tmp_path / "glider.json").write_text(json.dumps(spec))
    assert read_scenario(tmp_path / "glider.json").digest == read_scenario(written(tmp_path, GLIDER)).digest


def test_a_pattern_may_be_written_as_runs(tmp_path):
    (tmp_path / "runs").mkdir()
    assert read_scenario(written(tmp_path / "runs", RUNS)).digest == read_scenario(written(tmp_path, GLIDER)).digest


def test_ensemble_and_emergence_are_part_of_the_meaning(tmp_path):
    text = SOUP.replace("duration: 10", "duration: 100")
    digests = {read_scenario(written(tmp_path, text)).digest}
    for more in (
        "ensemble: {seeds: 20}",
        "ensemble: {seeds: 21}",
        "ensemble: {seeds: 20, every: 5}",
        "emergence: {steps: 64}",
        "emergence: {steps: 65}",
        "ensemble: {seeds: 20}\nemergence: {steps: 64}",
        "emergence: {steps: 64}\nexpect: {between: {emergence_time: {low: 0, high: 1}, entropy_mean: {low: 0, high: 1}}}",
    ):
        digests.add(read_scenario(written(tmp_path, f"{text}{more}\n")).digest)
    assert len(digests) == 8
    found = read_scenario(written(tmp_path, text + "ensemble: {seeds: 20}\n"))
    assert (found.ensemble.seeds, found.ensemble.every, found.emergence) == (20, 10, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("B3/S23}", "B36/S23}"),
        ("duration: 40", "duration: 41"),
        ("[0, 4, 40]", "[0, 40]"),
        ("seed: 0", "seed: 1"),
        ("torus", "dead"),
        ("[12, 16]", "[12, 17]"),
        ("bo$2bo", "bo$bo"),
        ("by: [1, 1]", "by: [1, -1]"),
    ],
)
def test_the_digest_knows_every_change_that_matters(tmp_path, old, new):
    text = GLIDER.replace(", rule = B3/S23", "")
    assert old in text
    assert read_scenario(written(tmp_path, text)).digest != read_scenario(written(tmp_path, text.replace(old, new))).digest


def test_growth_is_written_with_from_and_to(tmp_path):
    text = GLIDER.replace("displacement: {steps: 4, by: [1, 1]}", "growth: {every: 4, population: 0, from: 1, to: 39}")
    assert read_scenario(written(tmp_path, text)).expect.growth == Growth(4, 0, 1, 39)


def test_scenario_files_leave_out_what_is_none(tmp_path):
    for name in ("b.yaml", "a.json", "c.yml", "suite.yaml", "baseline.json", "notes.txt", ".hidden.yaml"):
        (tmp_path / name).write_text("")
    assert [path.name for path in scenario_files(tmp_path)] == ["a.json", "b.yaml", "c.yml"]


# (text replaced in the glider, its replacement, the field blamed, a word of the reason)
BAD = [
    ("scenario: 1\n", "", "line 1", "scenario"),
    ("scenario: 1", "scenario: 2", "scenario", "2"),
    ("scenario: 1", "scenario: one", "scenario", "expected an integer"),
    ("title: Glider\n", "", "line 1", "title"),
    ("title: Glider", "title: ''", "title", "length"),
    ("title: Glider", "title: 7", "title", "expected text"),
    ("title: Glider", "titel: Glider", "line 3", "titel: is not a field here"),
    ("name: glider", "name: Glider", "name", "is not a name"),
    ("name: glider", "name: glider--two", "name", "is not a name"),
    ("name: glider", "name: ../glider", "name", "is not a name"),
    ("regime: periodic", "regime: calm", "regime", "calm"),
    ("regime: periodic", "regime: no", "regime", "ambiguous"),
    ("regime: periodic\n", "", "line 1", "regime"),
    ("[12, 16]", "[12]", "grid.size", "length >= 2"),
    ("[12, 16]", "[1, 2, 12, 16]", "grid.size", "length <= 3"),
    ("[12, 16]", "[0, 16]", "grid.size[", ">= 1"),
    ("[12, 16]", "[-12, 16]", "grid.size[", ">= 1"),
    ("[12, 16]", "[12.5, 16]", "grid.size[", "expected an integer"),
    ("[12, 16]", "[12, 16385]", "grid.size[", "<= 16384"),
    ("[12, 16]", "[16384, 16384]", "grid.size", "67108864 cells"),
    ("[12, 16]", "[12, '16']", "grid.size[", "expected an integer"),
    ("[12, 16]", "[12, 0x10]", "grid.size.1", "ambiguous"),
    ("[12, 16]", "12 x 16", "grid.size", "expected a list"),
    ("boundary: torus", "boundary: sphere", "grid.boundary", "sphere"),
    (", boundary: torus", "", "grid", "boundary"),
    ("boundary: torus}", "boundary: torus, depth: 3}", "grid", "depth: is not a field here"),
    ("seed: 0", "seed: -1", "seed", ">= 0"),
    ("seed: 0", "seed: 1.5", "seed", "expected an integer"),
    ("seed: 0", "seed: 007", "seed", "ambiguous"),
    ("seed: 0", "seed: 99999999999999999999", "seed", "18 digits"),
    ("seed: 0\n", "", "line 1", "seed"),
    ("seed: 0", "seed: 0\nseed: 1", "seed", "appears twice"),
    ("{rule: B3/S23}", "{}", "parameters", "rule"),
    ("{rule: B3/S23}", "{rule: B9/S23}", "parameters.rule", "cannot be counted"),
    ("{rule: B3/S23}", "{rule: Alive}", "parameters.rule", "is not a rule"),
    ("{rule: B3/S23}", "{rule: 23}", "parameters.rule", "expected text"),
    ("{rule: B3/S23}", "{rule: B36/S23}", "pattern", "was made for B3/S23"),
    ("{rule: B3/S23}", "{rule: B3/S23, density: 0.5}", "parameters.density", "only a soup"),
    ("{rule: B3/S23}", "{rule: B3/S23, lambda: 0.5}", "parameters", "lambda: is not a field here"),
    ("bo$2bo$3o!", "bo$2bo$4o!", "pattern: line 2 of the pattern", "row 3"),
    ("bo$2bo$3o!", "bo$2bo$3o", "pattern: line 2 of the pattern", "ends without `!`"),
    ("x = 3, y = 3, rule", "x = 30, y = 3, rule", "grid", "does not fit"),
    ("rule = B3/S23\n", "rule = B3/S23:T12,16\n", "pattern", "was made for a torus of 16 x 12 cells, and the grid is a torus of 12 x 16"),
    ("rule = B3/S23\n", "rule = B3/S23:P16,12\n", "pattern", "was made for a dead edge around 12 x 16 cells, and the grid is a torus of"),
    ("bo$2bo$3o!", ".A$2.A$3B!", "pattern", "state 2 is none of B3/S23, which has the states 0 to 1"),
    ("duration: 40", "duration: 40\noffset: [10, 0]", "offset", "does not fit"),
    ("duration: 40", "duration: 40\noffset: [-1, 0]", "offset[", ">= 0"),
    ("duration: 40", "duration: 40\noffset: [1]", "offset", "needs 2 numbers"),
    ("duration: 40", "duration: 40\nsoup_box: [3, 3]", "soup_box", "given already by pattern"),
    ("duration: 40", "duration: 40\npattern_file: a.rle", "pattern_file", "given already by pattern"),
    ("duration: 40", "duration: 40\ncells: [[0, 0]]", "cells", "given already by pattern"),
    ("duration: 40", "duration: 0", "duration", ">= 1"),
    ("duration: 40", "duration: 1000001", "duration", "<= 1000000"),
    ("duration: 40", "duration: forty", "duration", "expected an integer"),
    ("duration: 40\n", "", "line 1", "duration"),
    ("[0, 4, 40]", "[0, 4, 41]", "probes[2]", "behind the end"),
    ("[0, 4, 40]", "[0, 40, 4]", "probes[2]", "does not ascend"),
    ("[0, 4, 40]", "[0, 4, 4]", "probes[2]", "does not ascend"),
    ("[0, 4, 40]", "[-1, 4]", "probes[", ">= 0"),
    ("[0, 4, 40]", "4", "probes", "expected a list"),
    ("[0, 4, 40]", "[0, .inf]", "probes.1", "not a finite number"),
    ("{step: 4, population: 5}", "{step: 41, population: 5}", "expect.population_at[0].step", "behind the end"),
    ("{step: 4, population: 5}", "{step: 4, population: -5}", "expect.population_at[0].population", ">= 0"),
    ("{step: 4, population: 5}", "{step: 4}", "expect.population_at[0]", "population"),
    ("{step: 4, population: 5}", "{step: 4, populaton: 5}", "expect.population_at[0]", "populaton: is not a field here"),
    ("by: [1, 1]", "by: [1, 1, 1]", "expect.displacement.by", "needs 2 numbers"),
    ("steps: 4, by", "steps: 0, by", "expect.displacement.steps", ">= 1"),
    ("displacement: {steps: 4, by: [1, 1]}", "period: 0", "expect.period", ">= 1"),
    ("displacement: {steps: 4, by: [1, 1]}", "dies_at: 41", "expect.dies_at", "behind the end"),
    ("displacement: {steps: 4, by: [1, 1]}", "growth: {every: 9, population: 5, from: 8, to: 9}", "expect.growth", "less than"),
    ("displacement: {steps: 4, by: [1, 1]}", "growth: {every: 9, population: 5, from: 8, to: 41}", "expect.growth.to", "behind the end"),
    ("displacement: {steps: 4, by: [1, 1]}", "copies_at: [{step: 4, offsets: [[1]]}]", "expect.copies_at[0].offsets[0]", "needs 2 numbers"),
    ("displacement: {steps: 4, by: [1, 1]}", "alive_ratio: {low: 0.5, high: 0.4}", "expect.alive_ratio", "low lies above high"),
    ("displacement: {steps: 4, by: [1, 1]}", "alive_ratio: {low: 0.5, high: 1.4}", "expect.alive_ratio.high", "<= 1"),
    ("displacement: {steps: 4, by: [1, 1]}", "4: 5", "expect", "a key must be text"),
    ("displacement: {steps: 4, by: [1, 1]}", "moves: true", "expect", "moves: is not a field here"),
    ("source: LifeWiki, Glider\n", "", "line 1", "source"),
    ("source: LifeWiki, Glider", "source: &a LifeWiki", "source", "anchors"),
    ("source: LifeWiki, Glider", "source: !!str LifeWiki", "source", "tag"),
]

BAD_SOUPS = [
    (", density: 0.25", "", "parameters", "density from 0 to 1 is missing"),
    ("density: 0.25", "density: 1.5", "parameters.density", "<= 1"),
    ("density: 0.25", "density: -0.1", "parameters.density", ">= 0"),
    ("density: 0.25", "density: .nan", "parameters.density", "not a finite number"),
    ("density: 0.25", "density: half", "parameters.density", "expected a number"),
    ("[4, 5, 6]", "[4, 5]", "soup_box", "needs 3 numbers"),
    ("[4, 5, 6]", "[4, 5, 11]", "soup_box", "larger than the grid"),
    ("[4, 5, 6]", "[0, 5, 6]", "soup_box[", ">= 1"),
    ("duration: 10", "duration: 10\noffset: [0, 0, 0]", "offset", "only a pattern"),
    ("B5-7/S4-6", "B567/S456", "parameters.rule", "ambiguous"),
    ("B5-7/S4-6", "B5-27/S4", "parameters.rule", "26 neighbours"),
    ("soup_box: [4, 5, 6]", "pattern: |\n  x = 1, y = 1\n  o!", "parameters.density", ""),
    ("duration: 10", "duration: 10\nensemble: {seeds: 19}", "ensemble.seeds", ">= 20"),
    ("duration: 10", "duration: 10\nensemble: {seeds: 1025}", "ensemble.seeds", "<= 1024"),
    ("duration: 10", "duration: 10\nensemble: {seeds: many}", "ensemble.seeds", "expected an integer"),
    ("duration: 10", "duration: 10\nensemble: {seeds: 64, every: 0}", "ensemble.every", ">= 1"),
    ("duration: 10", "duration: 10\nensemble: {seeds: 64, every: 11}", "ensemble.every", "more than the duration 10"),
    ("duration: 10", "duration: 10\nensemble: {every: 5}", "ensemble.seeds", "is missing"),
    ("duration: 10", "duration: 10\nensemble: {seeds: 64, often: 5}", "ensemble.often", "is not a field here"),
    ("duration: 10", "duration: 10\nensemble: 64", "ensemble", "expected a mapping"),
    ("duration: 10", "duration: 10\nemergence: {steps: 63}", "emergence.steps", ">= 64"),
    ("duration: 10", "duration: 10\nemergence: {steps: 64}", "emergence.steps", "more than the duration 10"),
    ("duration: 10", "duration: 10\nexpect: {between: {activity: {low: 0, high: 1}}}", "expect.between.activity", "measures no 'activity'"),
    ("duration: 10", "duration: 10\nexpect: {between: {ensemble_activity: {low: 0, high: 1}}}", "between.ensemble_activity", "measures no"),
    ("duration: 10", "duration: 10\nexpect: {between: {entropy_mean: {low: 0.5, high: 0.4}}}", "between.entropy_mean", "low lies above"),
    ("duration: 10", "duration: 10\nexpect: {between: {entropy_mean: {low: 0.5}}}", "between.entropy_mean.high", "is missing"),
    ("duration: 10", "duration: 10\nexpect: {between: {entropy_mean: {low: 0, high: 99}}}", "between.entropy_mean.high", "<= 8"),
    ("[8, 9, 10], boundary: dead}", "[200, 200, 200], boundary: dead}\nensemble: {seeds: 64}", "ensemble.seeds", "67108864 cells"),
    ("soup_box: [4, 5, 6]", "runs: [[0, 0, 1, 1]]", "runs[0]", "needs 5 numbers"),
    ("soup_box: [4, 5, 6]", "runs: [[0, 0, 9, 2, 1]]", "runs[0]", "outside the grid"),
    ("soup_box: [4, 5, 6]", "runs: [[0, 1, 0, 2, 1], [0, 0, 0, 1, 1]]", "runs[1]", "begins before"),
    ("soup_box: [4, 5, 6]", "runs: [[0, 0, 0, 1, 2]]", "parameters.density", "only a soup"),
    ("soup_box: [4, 5, 6]", "cells: [[0, 0, 10]]", "cells[0]", "outside the grid"),
    ("soup_box: [4, 5, 6]", "cells: [[0, 0]]", "cells[0]", "needs 3 numbers"),
    ("soup_box: [4, 5, 6]", "cells: [[0, 0, 1], [0, 0, 1]]", "cells", "names a cell twice"),
    ("soup_box: [4, 5, 6]", "cells: []", "cells", "length >= 1"),
    ("boundary: dead}", "boundary: plane}\nensemble: {seeds: 64}", "ensemble", "accepted with an ensemble: torus, dead"),
    ("boundary: dead}", "boundary: plane}\nemergence: {steps: 64}", "emergence", "accepted with emergence: torus, dead"),
    ("B5-7/S4-6, density: 0.25}", "B0/S4-6, density: 0.25}\ngrid: {size: [8, 9, 10], boundary: plane}", "grid.boundary", "(B0)"),
    ("[8, 9, 10], boundary: dead}\nseed: 5", "[400, 400, 400], boundary: dead}\nseed: 5", "duration", "cell updates"),
]


# (text replaced in the glider written as runs, its replacement, the field blamed, a word of the reason)
BAD_RUNS = [
    ("[2, 0, 3, 1]", "[2, 0, 3, 2]", "runs", "holds state 2, and B3/S23 has the states 0 to 1"),
    ("[2, 0, 3, 1]", "[2, 0, 3, 256]", "runs[2]", "a state 1 to 255"),
    ("[2, 0, 3, 1]", "[2, 0, 20000, 1]", "runs[2]", "<= 16384"),
    ("duration: 40", "duration: 40\nensemble: {seeds: 64}", "ensemble", "only a soup has further seeds"),
    ("duration: 40", "duration: 40\ncells: [[0, 0]]", "runs", "a start is given already by cells"),
]


def refused(path, field, what):
    with pytest.raises(InputError) as caught:
        read_scenario(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line ") and field in message and what in message, message


@pytest.mark.parametrize(("old", "new", "field", "what"), BAD)
def test_what_is_no_scenario_is_refused_by_field(tmp_path, old, new, field, what):
    assert old in GLIDER
    refused(written(tmp_path, GLIDER.replace(old, new), "glider"), field, what)


@pytest.mark.parametrize(("old", "new", "field", "what"), BAD_SOUPS)
def test_what_is_no_soup_is_refused_by_field(tmp_path, old, new, field, what):
    assert old in SOUP
    text = SOUP.replace(old, new)
    if "400, 400" in new:
        text = text.replace("duration: 10", "duration: 1000000")
    if "grid:" in new:
        text = text.replace("grid: {size: [8, 9, 10], boundary: dead}\n", "")
    if "pattern: |" in new:
        field, what, text = "pattern", "two dimensions", text.replace(", density: 0.25", "")
    refused(written(tmp_path, text, "soup"), field, what)


@pytest.mark.parametrize(("old", "new", "field", "what"), BAD_RUNS)
def test_what_are_no_runs_is_refused_by_field(tmp_path, old, new, field, what):
    assert old in RUNS
    refused(written(tmp_path, RUNS.replace(old, new), "glider"), field, what)


@pytest.mark.parametrize(
    ("header", "boundary", "accepted"),
    [
        ("B3/S23", "plane", True),
        ("B3/S23:T16,12", "torus", True),
        ("B3/S23:P16,12", "dead", True),
        ("B3/S23:T16,12", "dead", False),
        ("B3/S23:T16,12", "plane", False),
        ("B3/S23:T12,16", "torus", False),
    ],
)
def test_a_pattern_file_with_a_grid_of_its_own_fits_the_scenario_s_or_is_refused(tmp_path, header, boundary, accepted):
    (tmp_path / "glider.rle").write_text(f"x = 3, y = 3, rule = {header}\nbo$2bo$3o!\n")
    block = GLIDER[GLIDER.index("pattern: |") : GLIDER.index("duration")]
    path = written(tmp_path, GLIDER.replace(block, "pattern_file: glider.rle\n").replace("torus", boundary))
    if accepted:
        assert read_scenario(path).boundary == boundary
    else:
        refused(path, "pattern_file", "was made for a torus of ")


def test_a_pattern_file_with_a_state_the_rule_does_not_have_is_refused(tmp_path):
    (tmp_path / "glider.rle").write_text("x = 3, y = 3\n.A$2.C$3A!\n")
    block = GLIDER[GLIDER.index("pattern: |") : GLIDER.index("duration")]
    refused(written(tmp_path, GLIDER.replace(block, "pattern_file: glider.rle\n")), "pattern_file", "holds state 3, and B3/S23 has")


def test_a_soup_may_start_on_the_plane(tmp_path):
    found = read_scenario(written(tmp_path, SOUP.replace("dead", "plane")))
    assert (found.boundary, found.shape) == ("plane", (8, 9, 10)) and found.initial_cells()[2:6, 2:7, 2:8].any()


def test_a_scenario_is_named_as_its_file(tmp_path):
    refused(written(tmp_path, GLIDER, "rocket"), "line 2: name", "differs from the file's name 'rocket'")


def test_a_pattern_file_outside_the_folder_is_refused(tmp_path):
    (tmp_path / "core").mkdir()
    (tmp_path / "secret.rle").write_text("x = 1, y = 1\no!")
    (tmp_path / "core" / "link.rle").symlink_to(tmp_path / "secret.rle")
    block = GLIDER[GLIDER.index("pattern: |") : GLIDER.index("duration")]
    for target in ("../secret.rle", str(tmp_path / "secret.rle"), "link.rle"):
        refused(written(tmp_path / "core", GLIDER.replace(block, f"pattern_file: {target}\n")), "pattern_file", "lies outside")
    refused(written(tmp_path / "core", GLIDER.replace(block, "pattern_file: absent.rle\n")), "pattern_file", "no such file")


@pytest.mark.parametrize("text", ["", "[]", "7", "scenario: 1\n---\nscenario: 1\n", "a: b: c", "\t- a", "{", "name: [1, 2"])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    with pytest.raises(InputError, match=r"x\.yaml"):
        read_scenario(written(tmp_path, text, "x"))
