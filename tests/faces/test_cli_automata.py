"""`thunderlab automata run` and `attractor` as a user meets them: every family, boundary and format, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from thunderlab.automata import plane
from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import simulate
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import parse_rule
from thunderlab.automata.soup import soup
from thunderlab.faces.cli import app

GLIDER = "x = 3, y = 3\nbo$2bo$3o!\n"
LIVE, PAPER = (47, 125, 190), (251, 250, 247)
FAMILIES = [
    ("B3/S23", "B3/S23", "12x17"),
    ("23/3", "B3/S23", "12x17"),
    ("life", "B3/S23", "1x9"),
    ("Day and Night", "B3678/S34678", "9x9"),
    ("Brian's Brain", "/2/3", "14x14"),
    ("star wars", "345/2/4", "14x14"),
    ("B2/S34H", "B2/S34H", "10x11"),
    ("B2/S013V", "B2/S013V", "10x11"),
    ("B3/S2-i34q", "B3/S2-i34q", "13x8"),
    ("tlife", "B3/S2-i34q", "13x8"),
    ("rule 110", "W110", "4x30"),
    ("R2,C0,M1,S4..9,B5..8,NC", "R2,C0,M1,S4..9,B5..8,NC", "11x16"),
    ("Bosco's Rule", "R5,C0,M1,S34..58,B34..45,NM", "24x20"),
    ("B5-7/S4-6", "B5-7/S4-6", "5x6x7"),
    ("clouds", "B13-14,17-19/S13-26", "6x6x6"),
    ("445", "4/4/5/M", "6x7x8"),
    ("0-6/1,3/2/N", "0-6/1,3/2/N", "3x4x5"),
]


@pytest.fixture
def automata(tmp_path, monkeypatch, capfd):
    """Run `thunderlab automata ARGUMENTS` in this process, in an empty folder; return exit code, stdout and stderr."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    kept = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        capfd.readouterr()
        code = app.run(["automata", *map(str, arguments)])
        return code, *capfd.readouterr()

    yield run
    for which, handler in kept.items():
        signal.signal(which, handler)


@pytest.fixture
def answer(automata):
    """The same for what succeeds: return its JSON."""

    def run(*arguments):
        code, stdout, stderr = automata(*arguments, "--json")
        assert (code, stderr) == (0, "")
        return json.loads(stdout)

    return run


def soup_start(size, seed=3, density=0.4):
    return soup(tuple(map(int, size.split("x"))), density, seed)


@pytest.mark.parametrize(("text", "spelling", "size"), FAMILIES, ids=[text for text, _, _ in FAMILIES])
def test_every_family_runs_by_its_rule_or_name(answer, text, spelling, size):
    found = answer("run", "--soup", 0.4, "--seed", 3, "--size", size, "--rule", text, "--steps", 6)
    start = soup_start(size)
    rule = parse_rule(spelling, dimensions=start.ndim)
    expected = reference.simulate(start, rule, 6, "torus")
    assert (found["rule"], found["boundary"], found["shape"], found["steps"]) == (spelling, "torus", list(start.shape), 6)
    assert found["population"] == np.count_nonzero(expected)
    assert found["cells_sha256_absolute"] == cells_sha256(expected, moved=False)
    assert [row["step"] for row in found["trace"]] == list(range(7))


def test_lenia_runs_by_name(answer):
    found = answer("run", "--soup", 0.5, "--size", "40x40", "--rule", "Lenia", "--steps", 4)
    expected = simulate(soup_start("40x40", 0, 0.5) * np.uint8(255), "Lenia", 4)
    assert (found["rule"], found["population"]) == ("Lenia R13,T10,m0.15,s0.015", np.count_nonzero(expected))


@pytest.mark.parametrize("boundary", ["torus", "dead", "plane"])
@pytest.mark.parametrize("rule", ["B3/S23", "345/2/4", "R2,C0,M0,S3..8,B5..7,NC", "W90"])
def test_every_boundary(answer, rule, boundary):
    found = answer("run", "--soup", 0.4, "--seed", 3, "--size", "10x12", "--rule", rule, "--boundary", boundary, "--steps", 9)
    parsed, start = parse_rule(rule, dimensions=2), soup_start("10x12")
    far = 9 * parsed.radius if boundary == "plane" else 0
    expected = reference.simulate(np.pad(start, far), parsed, 9, "dead" if boundary == "plane" else boundary)
    assert (found["boundary"], found["population"]) == (boundary, np.count_nonzero(expected))
    assert found["cells_sha256"] == cells_sha256(expected)
    assert expected.any()
    places = np.argwhere(expected) - far
    assert found["bbox"] == [[int(axis.min()), int(axis.max())] for axis in places.T]
    lines = "".join(f"{x},{y},{expected[y + far, x + far]}\n" for y, x in places)
    assert found["cells_sha256_absolute"] == hashlib.sha256(lines.encode()).hexdigest()
    assert found["shape"] == ([high - low + 1 for low, high in found["bbox"]] if boundary == "plane" else [10, 12])


FORMATS = {
    "glider.rle": GLIDER,
    "glider.cells": "!Name: Glider\n.O\n..O\nOOO\n",
    "glider.life": "#Life 1.05\n#P -1 -1\n.*\n..*\n***\n",
    "glider.lif": "#Life 1.06\n0 -1\n1 0\n-1 1\n0 1\n1 1\n",
}


@pytest.mark.parametrize("name", FORMATS)
def test_patterns_in_every_format(answer, tmp_path, name):
    (tmp_path / name).write_text(FORMATS[name])
    found = answer("run", "--pattern", tmp_path / name, "--size", "9x11", "--steps", 4)
    assert (found["rule"], found["shape"], found["bbox"]) == ("B3/S23", [9, 11], [[4, 6], [5, 7]])
    assert answer("run", tmp_path / name, "--size", "9x11", "--steps", 4) == found  # its name says that it is no scenario


@pytest.mark.parametrize("rule", ["B3/S23", "B2/S34H", "B3/S2-i34q", "345/2/4", "/2/256", "W110", "R2,C0,M1,S4..9,B5..8,NC", "Lenia"])
def test_a_state_written_as_rle_goes_on_as_if_never_written(answer, rule):
    first = answer("run", "--soup", 0.4, "--size", "10x12", "--rule", rule, "--steps", 5, "--out", "five.rle")
    again = answer("run", "--pattern", "five.rle", "--steps", 0)
    for name in ("rule", "population", "shape", "cells_sha256", "cells_sha256_absolute"):
        assert again[name] == first[name]
    if rule != "Lenia":  # whose states are rounded to be written
        on = answer("run", "--pattern", "five.rle", "--steps", 3)
        assert (
            on["cells_sha256_absolute"]
            == answer("run", "--soup", 0.4, "--size", "10x12", "--rule", rule, "--steps", 8)["cells_sha256_absolute"]
        )


@pytest.mark.parametrize("boundary", ["torus", "dead", "plane"])
@pytest.mark.parametrize("rule", ["B3/S23", "345/2/4", "R2,C0,M0,S3..8,B5..7,NC", "W90"])
def test_rle_holds_the_grid_or_the_place_on_the_plane(answer, rule, boundary):
    found = answer("run", "--soup", 0.4, "--size", "10x12", "--rule", rule, "--boundary", boundary, "--steps", 5, "--out", "five.rle")
    written = Pattern.read(Path("five.rle"))
    assert written.rule == rule
    if boundary == "plane":
        assert (written.boundary, written.size, written.origin) == (None, None, tuple(low for low, _ in found["bbox"]))
        assert cells_sha256(written.cells, origin=written.origin) == found["cells_sha256_absolute"]
    else:
        assert (written.boundary, written.size) == (boundary, (10, 12))
        again = answer("run", "--pattern", "five.rle", "--steps", 0)
        for name in ("boundary", "shape", "cells_sha256_absolute"):
            assert again[name] == found[name]


def test_a_pattern_on_the_plane_is_written_where_its_file_has_placed_it(answer):
    """A glider moves a cell in four steps; written and read on the way, it ends in the same place as in one go."""
    Path("start.rle").write_text(f"#CXRLE Pos=100,-7\n{GLIDER}")
    on_plane = ("--boundary", "plane", "--out")
    answer("run", "--pattern", "start.rle", "--steps", 8, *on_plane, "first.rle")
    answer("run", "--pattern", "first.rle", "--steps", 12, *on_plane, "both.rle")
    answer("run", "--pattern", "start.rle", "--steps", 20, "--size", "40x50", *on_plane, "whole.rle")
    assert [Pattern.read(Path(f"{name}.rle")).origin for name in ("first", "both", "whole")] == [(-5, 102), (-2, 105), (-2, 105)]
    answer("run", "--soup", 0, "--size", "9x9", "--steps", 1, *on_plane, "empty.rle")
    assert Pattern.read(Path("empty.rle")).origin is None


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
@pytest.mark.parametrize("boundary", ["torus", "dead", "plane"])
def test_golly_goes_on_from_what_was_written(answer, boundary):
    """Small lattices, on which a pattern one cell off, or under another edge, would go another way."""
    for seed in range(6):
        how = ("--soup", 0.5, "--seed", seed, "--size", f"{7 + seed}x{11 - seed}", "--boundary", boundary)
        answer("run", *how, "--steps", 3, "--out", "three.rle")
        subprocess.run(["bgolly", "-m", "9", "-i", "9", "-o", "twelve.rle", "three.rle"], check=True, capture_output=True)
        text = Path("twelve.rle").read_text()
        expected = answer("run", *how, "--steps", 12)
        if expected["population"] == 0:
            assert "x = 0" in text
        else:
            assert cells_sha256(Pattern.parse(text).cells) == expected["cells_sha256"]


def test_a_state_written_as_plaintext(answer):
    found = answer("run", "--soup", 0.4, "--size", "10x12", "--steps", 5, "--out", "final.cells")
    text = Path("final.cells").read_text()
    drawn = np.array([[cell == "O" for cell in line] for line in text.splitlines() if not line.startswith("!")], np.uint8)
    np.testing.assert_array_equal(drawn, reference.simulate(soup_start("10x12", 0), parse_rule("B3/S23", dimensions=2), 5))
    assert found["population"] == drawn.sum()


@pytest.mark.parametrize("rule", ["B3/S23", "345/2/4"])
def test_a_state_drawn_as_png(answer, rule):
    answer("run", "--soup", 0.4, "--size", "10x12", "--rule", rule, "--steps", 5, "--out", "final.PNG")
    with Image.open("final.PNG") as image:
        pixels = np.asarray(image)
    scale = pixels.shape[0] // 10
    assert pixels.shape == (10 * scale, 12 * scale)
    expected = reference.simulate(soup_start("10x12", 0), parse_rule(rule, dimensions=2), 5)
    np.testing.assert_array_equal(pixels, expected.repeat(scale, axis=0).repeat(scale, axis=1))


def frames_of(path, shape):
    """The frames of a GIF as arrays of 0 and 1."""
    found = []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            pixels = np.asarray(image.convert("RGB"))
            scale = pixels.shape[0] // shape[0]
            assert pixels.shape == (shape[0] * scale, shape[1] * scale, 3)
            cells = pixels[scale // 2 :: scale, scale // 2 :: scale]
            assert {tuple(map(int, colour)) for colour in cells.reshape(-1, 3)} <= {LIVE, PAPER}
            found.append((cells == LIVE).all(axis=2).astype(np.uint8))
    return found


def test_a_run_drawn_as_gif(answer):
    answer("run", "--soup", 0.4, "--size", "10x12", "--steps", 10, "--every", 4, "--out", "run.gif")
    frames = frames_of("run.gif", (10, 12))
    expected = [reference.simulate(soup_start("10x12", 0), parse_rule("B3/S23", dimensions=2), step) for step in (0, 4, 8, 10)]
    np.testing.assert_array_equal(frames, expected)


def test_a_gif_of_a_glider_on_a_plane_shows_it_flying(answer, tmp_path):
    (tmp_path / "glider.rle").write_text(GLIDER)
    answer("run", "--pattern", tmp_path / "glider.rle", "--boundary", "plane", "--steps", 12, "--every", 4, "--out", "run.gif")
    for turn, frame in enumerate(frames_of("run.gif", (6, 6))):
        expected = np.zeros((6, 6), np.uint8)
        expected[turn : turn + 3, turn : turn + 3] = Pattern.parse(GLIDER).cells
        np.testing.assert_array_equal(frame, expected)


@pytest.mark.parametrize(("boundary", "width"), [("torus", 31), ("plane", 1)])
def test_one_row_of_an_elementary_rule_is_drawn_as_time_below_time(answer, tmp_path, boundary, width):
    """Rule 30 from one cell; on a plane the picture is as wide as the last row."""
    (tmp_path / "one.cells").write_text("O\n")
    answer(
        "run",
        "--pattern",
        tmp_path / "one.cells",
        "--size",
        f"1x{width}",
        "--rule",
        "W30",
        "--boundary",
        boundary,
        "--steps",
        15,
        "--out",
        "w30.png",
    )
    rows = [np.zeros((1, 31), np.uint8)]
    rows[0][0, 15] = 1
    for _ in range(15):
        rows.append(reference.simulate(rows[-1], parse_rule("W30", dimensions=2), 1))
    with Image.open("w30.png") as image:
        pixels = np.asarray(image)
    scale = pixels.shape[1] // 31
    np.testing.assert_array_equal(pixels, np.concatenate(rows).repeat(scale, axis=0).repeat(scale, axis=1))


def test_attractors_on_a_plane(answer, tmp_path):
    (tmp_path / "glider.rle").write_text(GLIDER)
    (tmp_path / "pi.rle").write_text("x = 3, y = 3\n3o$obo$obo!\n")
    glider = answer("attractor", "--pattern", tmp_path / "glider.rle", "--boundary", "plane")
    assert glider == {
        "found": True,
        "transient": 0,
        "period": 4,
        "displacement": [1, 1],
        "exact_period": None,
        "searched": glider["searched"],
    }
    pi = answer("attractor", "--pattern", tmp_path / "pi.rle", "--boundary", "plane", "--max-steps", 200)
    assert (pi["found"], pi["transient"], pi["period"], pi["displacement"]) == (True, 173, 2, None)
    none = answer("attractor", "--pattern", tmp_path / "pi.rle", "--boundary", "plane", "--max-steps", 174)
    assert (none["found"], none["transient"], none["period"], none["searched"]) == (False, None, None, 174)


def test_a_plane_that_is_searched_too_far_names_the_option_that_says_how_far(automata, tmp_path, monkeypatch):
    monkeypatch.setattr(plane, "MOST_CELLS", 400)
    (tmp_path / "spread.rle").write_text("x = 4, y = 2, rule = B2/S\n4o$4o!\n")
    code, stdout, stderr = automata("attractor", "--pattern", tmp_path / "spread.rle", "--boundary", "plane", "--max-steps", 1000)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert stderr.startswith("error: --max-steps: after ") and "needs a box of more than the 400 there may be" in stderr


def test_people_are_told_the_same_as_programs(automata, tmp_path):
    (tmp_path / "glider.rle").write_text(GLIDER)
    code, stdout, stderr = automata("run", "--pattern", tmp_path / "glider.rle", "--boundary", "plane", "--steps", 40)
    assert (code, stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in stdout.splitlines()[:8])
    assert (lines["shape"], lines["bbox"], lines["population"], lines["boundary"]) == ("3x3", "10..12 10..12", "5", "plane")
    assert stdout.splitlines()[-1].split() == ["40", "5", "0.991076"]


BAD_FILES = {
    "over.rle": "x = 3, y = 1\n999999999999o!",
    "wide.rle": "x = 3, y = 1\n4o!",
    "endless.rle": "x = 3, y = 1\n3o",
    "rows.rle": "x = 3, y = 1\n3o$3o!",
    "huge.rle": "x = 99999999, y = 99999999\no!",
    "headless.rle": "3o!",
    "letters.rle": "x = 3, y = 1\nooz!",
    "klein.rle": "x = 1, y = 1, rule = B3/S23:K30,20\no!",
    "states.rle": "x = 1, y = 1, rule = B3/S23\nC!",
    "bad.cells": ".O\nXX\n",
    "far.lif": "#Life 1.06\n0 0\n999999999999 3\n",
    "empty.rle": "",
}
RUN = ["run", "--steps", "3"]
SOUP = ["--soup", "0.4", "--size", "9x9"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*RUN, *SOUP, "--rule", "B9/S23"], ["rule: 'B9/S23'", "8 neighbours"]),
        ([*RUN, *SOUP, "--rule", "B3/S23z"], ["rule: 'B3/S23z'", "letters after 3"]),
        ([*RUN, *SOUP, "--rule", "345/2/999"], ["rule: '345/2/999'", "2 to 256 states"]),
        ([*RUN, *SOUP, "--rule", "W256"], ["rule: 'W256'", "W0 to W255"]),
        ([*RUN, *SOUP, "--rule", "R99,C0,M1,S1..2,B1..2,NM"], ["rule: ", "R, the radius, is from 1 to 50"]),
        ([*RUN, *SOUP, "--rule", "Wireworld"], ["rule: 'Wireworld' is not a rule", "accepted in 2D"]),
        ([*RUN, *SOUP, "--rule", "Brian Brain"], ["rule: ", "did you mean Brian's Brain?"]),
        ([*RUN, *SOUP, "--rule", "B" * 5000], ["rule: ", "at most 200 characters"]),
        ([*RUN, *SOUP, "--rule", "4/4/5/M"], ["rule: '4/4/5/M' is a rule in 3 dimensions"]),
        ([*RUN, "--soup", "0.4", "--size", "4x4x4", "--rule", "B3/S2-i34q"], ["rule: ", "in 2 dimensions"]),
        ([*RUN, *SOUP, "--boundary", "klein"], ["--boundary: 'klein'", "torus, dead, plane"]),
        ([*RUN, *SOUP, "--boundary", "plane", "--rule", "B0/S8"], ["boundary: ", "B0", "accepted with this rule: torus, dead"]),
        ([*RUN, *SOUP, "--boundary", "plane", "--rule", "W1"], ["boundary: ", "accepted with this rule: torus, dead"]),
        ([*RUN, *SOUP, "--boundary", "plane", "--rule", "Lenia"], ["boundary: Lenia", "accepted with it: torus, dead"]),
        (["run", *SOUP], ["--steps: say how many"]),
        (["run", *SOUP, "--steps", "-1"], ["--steps: ", "not -1"]),
        (["run", *SOUP, "--steps", "-1", "--out", "x.gif"], ["--steps: ", "not -1"]),
        (["run", *SOUP, "--steps", "1000000000"], ["--steps: ", "from 0 to 100000000"]),
        (["run", *SOUP, "--steps", "1.5"], ["--steps", "not a valid integer"]),
        (["run", *SOUP, "--steps", "100000000", "--every", "1"], ["--every: ", "take fewer, say every 96 steps"]),
        ([*RUN, *SOUP, "--every", "0"], ["--every: ", "give 1 or more"]),
        ([*RUN, *SOUP, "--every", "-7", "--out", "x.gif"], ["--every: ", "give 1 or more"]),
        (["run", *SOUP, "--steps", "5000", "--every", "1", "--out", "x.gif"], ["--every: ", "5,001 frames", "at most 2,000"]),
        (["run", "--soup", ".5", "--size", "1x99999", "--rule", "W30", "--steps", "2000", "--out", "x.png"], ["--every: ", "2001 rows"]),
        ([*RUN, *SOUP, "--out", "x.jpg"], ["x.jpg: ", "accepted: .rle"]),
        ([*RUN, *SOUP, "--out", "x"], ["x: ", "accepted: .rle"]),
        ([*RUN, *SOUP, "--out", "x.cells", "--rule", "345/2/4"], ["x.cells: .cells holds two states"]),
        ([*RUN, *SOUP, "--out", "x.cells", "--rule", "Lenia"], ["x.cells: .cells holds two states"]),
        *(
            ([*RUN, "--soup", "0.4", "--size", "4x4x4", "--rule", "4/4/5/M", "--out", f"x.{ending}"], [f"x.{ending}: ", "two-dimensional"])
            for ending in ("gif", "png", "rle")
        ),
        ([*RUN, "--soup", "0.4", "--size", "100000x100000"], ["--size: 100000x100000", "9.3 GiB"]),
        ([*RUN, "--soup", "0.4", "--size", "2000x2000x2000", "--rule", "445"], ["--size: 2000x2000x2000", "7.5 GiB"]),
        ([*RUN, "--soup", "0.4", "--size", "20000003x1"], ["cells: ", "would need 7.2 GiB"]),
        ([*RUN, "--soup", "0.4", "--size", "10000000000x9"], ["--size: 10000000000x9", "83.8 GiB"]),
        ([*RUN, "--soup", "0.4", "--size", "67108864x1x1", "--rule", "Clouds"], ["cells: ", "would need 72.1 GiB"]),
        ([*RUN, *SOUP, "--rule", ""], ["rule: "]),
        ([*RUN, "--soup", "0.4", "--size", "4x4x4", "--rule", ""], ["rule: "]),
        ([*RUN, "--pattern", "good.rle", "--rule", ""], ["rule: "]),
        (["attractor", *SOUP, "--rule", ""], ["rule: "]),
        ([*RUN, *SOUP, "--out", ""], ["--out", "is empty"]),
        ([*RUN, *SOUP, "--out", "good.rle/x.rle"], ["--out", "good.rle' is no folder"]),
        ([*RUN, *SOUP, "--out", "."], ["--out", "is a directory"]),
        ([*RUN, "--soup", "0.4", "--size", "9x9x9x9"], ["--size: '9x9x9x9'"]),
        ([*RUN, "--soup", "nan", "--size", "9x9"], ["--soup: ", "0..1"]),
        ([*RUN, *SOUP, "--seed", "-1"], ["--seed: "]),
        ([*RUN, "--pattern", "over.rle"], ["over.rle: line 2", "a run whose count has more than 6 digits"]),
        ([*RUN, "--pattern", "wide.rle"], ["wide.rle: line 2"]),
        ([*RUN, "--pattern", "endless.rle"], ["endless.rle: line 2", "ends without `!`"]),
        ([*RUN, "--pattern", "rows.rle"], ["rows.rle: line 2", "more rows than the 1 of the header"]),
        ([*RUN, "--pattern", "huge.rle"], ["huge.rle: line 1", "9,313,225.6 GiB"]),
        ([*RUN, "--pattern", "headless.rle"], ["headless.rle: line 1"]),
        ([*RUN, "--pattern", "letters.rle"], ["letters.rle: line 2", "'z'"]),
        ([*RUN, "--pattern", "klein.rle"], ["klein.rle: line 1", "Klein bottle"]),
        ([*RUN, "--pattern", "states.rle"], ["states.rle: "]),
        ([*RUN, "--pattern", "bad.cells"], ["bad.cells: line 2", "'X'"]),
        ([*RUN, "--pattern", "far.lif"], ["far.lif: line 3", "GiB"]),
        ([*RUN, "--pattern", "empty.rle"], ["empty.rle: line 1", "is empty"]),
        ([*RUN, "--pattern", "none.rle"], ["none.rle: ", "no such file"]),
        ([*RUN, "--pattern", "wide.rle", "--soup", "0.3"], ["--pattern and --soup"]),
        (["attractor"], ["got none"]),
        (["attractor", *SOUP, "--boundary", "plane", "--rule", "B0/S"], ["boundary: ", "B0"]),
        (["attractor", *SOUP, "--boundary", "klein"], ["--boundary: 'klein'"]),
        (["attractor", *SOUP, "--rule", "Lenia"], ["error: rule: Lenia computes with rounded numbers"]),
        (["attractor", *SOUP, "--max-steps", "-3"], ["--max-steps"]),
        (["attractor", *SOUP, "--max-steps", "99999999999"], ["--max-steps"]),
    ],
    ids=lambda value: " ".join(value)[:60],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(automata, tmp_path, arguments, words):
    here = tmp_path / "here"
    (here / "good.rle").write_text(GLIDER)
    for name in BAD_FILES.keys() & set(arguments):
        (here / name).write_text(BAD_FILES[name])
    before = sorted(path.name for path in here.iterdir())
    code, stdout, stderr = automata(*arguments, "--json")
    assert (code, stdout) == (2, "")
    assert stderr.startswith("error: ") and stderr.count("\n") == 1 and len(stderr) < 500
    assert [word for word in words if word not in stderr] == []
    assert sorted(path.name for path in here.iterdir()) == before
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(
    ("variable", "value", "code", "words"),
    [
        ("THUNDERLAB_BACKEND", "numba", 2, "'numba' is not accepted; taichi and quadrants are"),
        ("THUNDERLAB_ARCH", "vulkan", 2, "'vulkan' is not accepted; cpu and cuda are"),
        ("THUNDERLAB_VECTOR_BITS", "128", 2, "expected 256 or 512, not '128'"),
        ("THUNDERLAB_THREADS", "0", 2, "expected a whole number from 1 to 256, not '0'"),
        ("THUNDERLAB_ARCH", "cuda", 3, "finds no CUDA device here: unset THUNDERLAB_ARCH"),
    ],
)
def test_a_setting_of_the_environment_that_is_wrong_is_one_line(cli_process, variable, value, code, words):
    hidden = {"CUDA_VISIBLE_DEVICES": ""}  # so that machines with a card have none
    ran = cli_process("automata", "run", *SOUP, "--steps", 3, "--json", env={variable: value, **hidden})
    assert (ran.code, ran.stdout) == (code, "")
    assert ran.stderr.count("\n") == 1 and variable in ran.stderr and words in ran.stderr
