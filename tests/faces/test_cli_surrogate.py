"""`qa surrogate` as a user meets it: a score, honest words, one line for bad input, and no workspace."""

import json

import pytest

from tests.conftest import ROOT

SURROGATES = ROOT / "scenarios" / "surrogates"


def test_a_score_is_one_document_and_makes_no_workspace(cli, tmp_path):
    ran = cli("qa", "surrogate", "life-exact", "glider", "--grids", 3, "--steps", 7, "--density", 0.2, "--density", 0.6, "--json")
    data = ran.json()
    assert (ran.code, data["cell_accuracy"], data["grid_accuracy"], data["horizon"]) == (0, 1.0, 1.0, 7)
    assert [row["density"] for row in data["densities"]] == [0.2, 0.6]
    assert data["overall"]["all_dead"]["cell_accuracy"] < 1
    assert (data["scenario"], data["shape"], data["course"]["surrogate"]["grids"]) == ("glider", [61, 67], 7)
    assert not (tmp_path / "workspace").exists()


def test_people_read_a_table_and_how_far_it_holds(cli, tmp_path):
    model = tmp_path / "life-mlp.json"
    model.write_bytes((SURROGATES / "life-mlp.json").read_bytes())
    ran = cli("qa", "surrogate", model, "scenarios/core/life-soup-torus.yaml", "--grids", 2, "--density", 0.3)
    assert (ran.code, ran.stderr) == (0, "")
    lines = ran.stdout.splitlines()
    assert "compared with B3/S23 on life-soup-torus: 2 soups of 256x256 per density (torus)" in lines[0]
    assert lines[2].split()[:2] == ["density", "predictor"]
    assert [line[9:26].strip() for line in lines[3:6]] == ["life-mlp", "all dead", "nothing changes"]
    # 256 x 256 cells leave no room for three wrong neighbourhoods: nearly every cell right, and no grid.
    assert lines[3].split()[:5] == ["0.3", "life-mlp", lines[3].split()[2], lines[3].split()[3], "0.000000"]
    assert lines[3].split()[2].startswith("0.99")
    assert "It is right on 509 of the 512 neighbourhoods of a cell, and wrong wherever one of the other 3 turns up." in lines
    assert "Steps it stays exact when left to itself: 0 (median; worst 0). 0 of 2 rollouts were exact to step 50" in ran.stdout
    assert lines[-1] == "It was trained on 300 patches of soups of density 0.3, 0.4, 0.5."


def test_a_perfect_score_is_capped_and_says_so(cli):
    text = cli("qa", "surrogate", "life-exact", "blinker", "--grids", 2, "--steps", 5).stdout
    assert "stays exact when left to itself: 5 or more (median; worst 5)" in text
    assert "512 of the 512 neighbourhoods of a cell, which proves that it is the rule." in text


def test_another_rule_is_compared_when_asked_for(cli):
    ran = cli("qa", "surrogate", "life-exact", "seeds", "--any-rule", "--grids", 1, "--density", 0.3, "--json")
    assert (ran.code, ran.json()["predicts"], ran.json()["rule"]) == (0, "B3/S23", "B2/S")
    assert ran.json()["cell_accuracy"] < 0.9


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope", "glider"], "MODEL: 'nope' is neither a .json file nor a shipped surrogate; those are: life-exact, life-mlp"),
        (["life-mlp", "nope"], "SCENARIO: 'nope' is neither a scenario's name nor a scenario file"),
        (["life-mlp", "nope.yaml"], "nope.yaml: no such file"),
        (["life-mlp", "seeds"], "life-mlp: predicts B3/S23, and what it is to be compared with runs B2/S; --any-rule"),
        (["life-mlp", "glider", "--grids", "0"], "grids: expected a whole number from 1 to 10000, got 0"),
        (["life-mlp", "glider", "--density", "1.5"], "densities: a density lies in 0..1, got 1.5"),
        (["life-mlp"], "Missing argument 'SCENARIO'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(cli, tmp_path, arguments, said):
    ran = cli("qa", "surrogate", *arguments)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert said in ran.stderr
    assert not (tmp_path / "workspace").exists()


def test_a_broken_model_is_refused_with_its_line(cli, tmp_path):
    document = json.loads((SURROGATES / "life-exact.json").read_text())
    document["layers"][1]["bias"] = [0.0, 0.0]
    path = tmp_path / "life-exact.json"
    path.write_text(json.dumps(document, indent=1))
    ran = cli("qa", "surrogate", path, "glider")
    assert (ran.code, ran.stdout) == (2, "")
    assert ": layers[1].bias: has 2 numbers; the rows of weights are 1" in ran.stderr
    assert "line " in ran.stderr
