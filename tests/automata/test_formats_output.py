"""Files a run leaves behind, and runs that start from files: the ending decides, the grid a file names is the one it runs on."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from thunderlab.automata import simulate
from thunderlab.automata.formats import image
from thunderlab.automata.formats.output import check_output, write_pattern
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import parse_rule
from thunderlab.automata.start import from_pattern
from thunderlab.errors import InputError
from thunderlab.seeds import stream

LIFE = parse_rule("B3/S23", dimensions=2)
BRAIN = parse_rule("/2/3", dimensions=2)
CLOUDS = parse_rule("B13-14,17-19/S13-26", dimensions=3)
CELLS = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]], np.uint8)


@pytest.mark.parametrize("name", ["a.rle", "a.RLE"])
@pytest.mark.parametrize(("boundary", "size"), [("torus", (3, 3)), ("dead", (3, 3)), ("plane", None), (None, None)])
def test_rle_names_the_rule_and_a_grid_that_has_an_edge(tmp_path, name, boundary, size):
    write_pattern(tmp_path / name, CELLS * 2, BRAIN, boundary=boundary)
    found = Pattern.read(tmp_path / name)
    assert found.cells.tolist() == (CELLS * 2).tolist()
    assert (found.rule, found.size, found.boundary) == ("/2/3", size, boundary if size else None)


@pytest.mark.parametrize(("boundary", "origin"), [("plane", (-3, 70)), (None, (0, 0)), ("plane", None), ("torus", None)])
def test_rle_says_where_on_a_plane_its_cells_lie(tmp_path, boundary, origin):
    write_pattern(tmp_path / "a.rle", CELLS, LIFE, boundary=boundary, origin=origin)
    assert Pattern.read(tmp_path / "a.rle").origin == origin
    assert ("#CXRLE Pos=70,-3\n" in (tmp_path / "a.rle").read_text()) == (origin == (-3, 70))


def test_plaintext_and_pictures_show_the_cells(tmp_path):
    write_pattern(tmp_path / "a.cells", CELLS, LIFE)
    assert (tmp_path / "a.cells").read_text() == ".O.\n..O\nOOO\n"
    write_pattern(tmp_path / "a.png", CELLS * 2, BRAIN)
    assert (tmp_path / "a.png").read_bytes() == image.png(CELLS * 2, states=3)
    write_pattern(tmp_path / "a.gif", CELLS, BRAIN, frames=[CELLS * 2, CELLS], delay_ms=120)
    with Image.open(io.BytesIO((tmp_path / "a.gif").read_bytes())) as shown:
        assert (shown.n_frames, shown.info["duration"]) == (2, 120)


def test_pictures_of_lenia_show_amounts(tmp_path):
    lenia, cells = parse_rule("Lenia", dimensions=2), CELLS * np.uint8(200)
    write_pattern(tmp_path / "a.png", cells, lenia)
    assert (tmp_path / "a.png").read_bytes() == image.png(cells, states=256, amounts=True) != image.png(cells, states=256)
    write_pattern(tmp_path / "a.gif", cells, lenia, frames=[CELLS, cells])
    assert (tmp_path / "a.gif").read_bytes() == image.gif([CELLS, cells], states=256, amounts=True)


@pytest.mark.parametrize(
    ("name", "rule", "what"),
    [
        ("a", LIFE, "the ending '' names no format; accepted: .rle (a pattern), .cells (one of two states), .png (a picture), .gif"),
        ("a.mc", LIFE, "the ending '.mc' names no format; accepted: .rle"),
        ("a.rle.gz", LIFE, "the ending '.gz' names no format"),
        ("a.gif", LIFE, ".gif shows a run, and here is one state only; write it as .png, or ask for frames"),
        ("a.cells", BRAIN, ".cells holds two states, and /2/3 has 3; .rle holds as many as you like"),
        ("a.rle", CLOUDS, ".rle holds two-dimensional states"),
        ("a.png", CLOUDS, ".png holds two-dimensional states"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_before_anything_is_written(tmp_path, name, rule, what):
    for call in (lambda path: check_output(path, rule), lambda path: write_pattern(path, CELLS, rule)):
        with pytest.raises(InputError) as caught:
            call(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: {what}")
    assert not any(tmp_path.iterdir())


def test_a_picture_that_is_too_large_is_refused_by_the_name_of_its_file(tmp_path):
    with pytest.raises(InputError, match=r"a\.gif: frames: an animation of 2,001 frames is too long"):
        write_pattern(tmp_path / "a.gif", CELLS, LIFE, frames=[CELLS] * 2001)
    assert not any(tmp_path.iterdir())


def _file(folder, text):
    path = folder / "p.rle"
    path.write_text(text)
    return path


def test_a_pattern_that_names_a_grid_runs_on_it(tmp_path):
    path = _file(tmp_path, "x = 3, y = 3, rule = B36/S23:P7,6\nbo$2bo$3o!")
    start = from_pattern(path, None, None, None)
    assert (start.cells.shape, start.boundary, str(start.rule), start.steps) == ((6, 7), "dead", "B36/S23", None)
    assert start.cells[2:5, 2:5].tolist() == CELLS.tolist() and start.cells.sum() == 5
    assert from_pattern(path, None, None, "torus").boundary == "torus"
    wider = from_pattern(path, (9, 9), "B3/S23", None)
    assert (wider.cells.shape, wider.boundary, str(wider.rule)) == ((9, 9), "dead", "B3/S23")
    assert wider.cells[3:6, 3:6].tolist() == CELLS.tolist()
    assert from_pattern(_file(tmp_path, "x = 3, y = 3, rule = B36/S23:T7,6\n3o!"), None, None, None).boundary == "torus"


def test_an_empty_pattern_on_a_grid_is_a_start_and_one_without_is_not(tmp_path):
    assert from_pattern(_file(tmp_path, "x = 0, y = 0, rule = B36/S23:T7,6\n!"), None, None, None).cells.shape == (6, 7)
    with pytest.raises(InputError, match="is empty; give the lattice's size"):
        from_pattern(_file(tmp_path, "x = 0, y = 0\n!"), None, None, None)


def test_without_a_grid_a_pattern_lies_in_the_middle_of_a_torus(tmp_path):
    start = from_pattern(_file(tmp_path, "#CXRLE Pos=50,60\nx = 3, y = 3\nbo$2bo$3o!"), (8, 6), None, None)
    assert (start.boundary, str(start.rule)) == ("torus", "B3/S23")
    assert start.cells[2:5, 1:4].tolist() == CELLS.tolist() and start.cells.sum() == 5


@pytest.mark.parametrize(
    ("text", "size", "rule", "what"),
    [
        ("x = 1, y = 1, rule = /2/3\nB!", None, "B3/S23", "has cells in state 2, and B3/S23 has the states 0 to 1"),
        ("x = 1, y = 1\nC!", None, None, "has cells in state 3, and B3/S23 has the states 0 to 1"),
        ("x = 3, y = 3, rule = B3/S23:T9,9\n3o!", (2, 2), None, "--size: 2x2 is too small for the pattern, which is 3x3"),
        ("#CXRLE Pos=2,0\nx = 3, y = 1, rule = B3/S23:T8,8\n3o!", None, None, "`#CXRLE Pos=2,0` places cells outside its grid of 8 x 8"),
        ("#CXRLE Pos=0,-5\nx = 3, y = 1, rule = B3/S23:T8,8\n3o!", None, None, "`#CXRLE Pos=0,-5` places cells outside its grid"),
        ("x = 1, y = 1\no!", (2, 2, 2), None, "a pattern is two-dimensional"),
    ],
)
def test_a_start_that_cannot_be_is_refused(tmp_path, text, size, rule, what):
    with pytest.raises(InputError) as caught:
        from_pattern(_file(tmp_path, text), size, rule, None)
    assert what in str(caught.value)


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
@pytest.mark.parametrize("case", range(12))
def test_patterns_lie_on_a_bounded_plane_where_golly_puts_them(tmp_path, case):
    # Walls are near, so that a pattern one cell off would grow differently.
    rng = stream(case, "placement")
    height, width, rows, columns = (int(rng.integers(low, high)) for low, high in ((2, 5), (2, 5), (5, 9), (5, 9)))
    cells = rng.integers(0, 2, (height, width)).astype(np.uint8)
    cells[[0, -1]] = cells[:, [0, -1]] = 1
    corner = (int(rng.integers(0, rows - height + 1)) - rows // 2, int(rng.integers(0, columns - width + 1)) - columns // 2)
    path, end = tmp_path / "p.rle", tmp_path / "end.rle"
    for origin in (None, corner):
        path.write_text(Pattern(cells, "B3/S23", boundary="dead", size=(rows, columns), origin=origin).text())
        for steps in (1, 2, 4):
            subprocess.run(["bgolly", "-m", str(steps), "-i", str(steps), "-o", end, path], check=True, capture_output=True)
            start = from_pattern(path, None, None, None)
            ours = simulate(start.cells, start.rule, steps, start.boundary)
            assert cells_sha256(ours) == cells_sha256(Pattern.read(end).cells)
