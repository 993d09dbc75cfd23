"""RLE of many states, bounded grids and what Golly, an independent program, makes of the same files."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata.formats import runs
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.errors import InputError
from thunderlab.seeds import stream

needs_golly = pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
patterns_of_golly = Path("/usr/share/golly/Patterns")

many_states = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=30), elements=st.integers(0, 255))

ALGORITHMS = {
    "B36/S23": "QuickLife",
    "B2/S34H": "QuickLife",
    "B3/S2-i34q": "QuickLife",
    "345/2/4": "Generations",
    "/2/3": "Generations",
    "0/2/256": "Generations",
    "R5,C0,M1,S34..58,B34..45,NM": "Larger than Life",
    "W110": "QuickLife",
}
STATES = {"345/2/4": 4, "/2/3": 3, "0/2/256": 256}


def _golly(folder, text, rule, steps=0):
    start, end = folder / "start.rle", folder / "end.rle"
    start.write_text(text)
    command = ["bgolly", "-a", ALGORITHMS[rule], "-m", str(steps), "-i", str(max(1, steps)), "-o", end, start]
    subprocess.run(command, check=True, capture_output=True)
    return end


def test_letters_of_every_state_are_those_of_the_format():
    cells = np.arange(256, dtype=np.uint8)[None, :]
    body = "".join(Pattern(cells).text().splitlines()[1:])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWX"
    expected = (
        [".", *letters] + [prefix + letter for prefix in "pqrstuvwx" for letter in letters] + ["y" + letter for letter in "ABCDEFGHIJKLMNO"]
    )
    assert body == "".join(expected) + "!"
    assert np.array_equal(Pattern.parse(f"x = 256, y = 1\n{body}").cells, cells)


def test_two_state_letters_are_used_unless_the_rule_or_a_cell_has_more():
    cells = np.array([[0, 1, 1]], np.uint8)
    assert Pattern(cells, "B3/S23").text().splitlines()[1] == "b2o!"
    assert Pattern(cells, "/2/3").text().splitlines()[1] == ".2A!"
    assert Pattern(cells * 2).text().splitlines()[1] == ".2B!"


@settings(deadline=None)
@given(many_states, st.integers(8, 20))
def test_any_cells_read_back_the_same_however_the_text_is_cut_into_blocks(cells, block):
    text = Pattern(cells).text()
    before = runs._BLOCK
    runs._BLOCK = block
    try:
        found = Pattern.parse(text)
    finally:
        runs._BLOCK = before
    assert np.array_equal(found.cells, cells) and found.cells.shape == cells.shape
    assert max(map(len, text.splitlines())) <= 70


@pytest.mark.parametrize("block", [8, 9, 10, 13])
@pytest.mark.parametrize("text", ["bo$bo$12bo$o$o$!", "o$o$o$3$2o!", "bo$2bo$o$9999999o!", "bo$o$o$b3pZ!", "bo$2b\no$ 2 o!", "bo$2bo$o$3"])
def test_a_fault_is_named_alike_wherever_blocks_end(monkeypatch, block, text):
    with pytest.raises(InputError) as expected:
        Pattern.parse(f"x = 3, y = 5\n{text}")
    monkeypatch.setattr(runs, "_BLOCK", block)
    with pytest.raises(InputError) as found:
        Pattern.parse(f"x = 3, y = 5\n{text}")
    assert str(found.value) == str(expected.value)


def test_runs_are_drawn_as_a_plain_loop_draws_them():
    rng = stream(5, "runs")
    for _ in range(50):
        items, rows, width = [], [[]], 0
        for _ in range(int(rng.integers(1, 80))):
            count, tag = int(rng.integers(1, 15)), "bo.ABX$"[int(rng.integers(0, 7))]
            items.append(f"{count if count > 1 or rng.random() < 0.5 else ''}{tag}")
            if tag == "$":
                rows += [[] for _ in range(count)]
            else:
                rows[-1] += ["b.oAB".find(tag) // 2 if tag in "bo.A" else {"B": 2, "X": 24}[tag]] * count
            width = max(width, len(rows[-1]))
        text = f"x = {width}, y = {len(rows)}\n{' '.join(items)}!"
        assert Pattern.parse(text).cells.tolist() == [row + [0] * (width - len(row)) for row in rows]


def test_a_bounded_grid_stands_behind_the_rule():
    torus = Pattern.parse("x = 3, y = 3, rule = 23/3:T30,20\nbo$2bo$3o!")
    assert (torus.rule, torus.boundary, torus.size) == ("B3/S23", "torus", (20, 30))
    plane = Pattern.parse("x = 3, y = 3, rule = B2/S345/4:p7, 5\nABC!")
    assert (plane.rule, plane.boundary, plane.size) == ("345/2/4", "dead", (5, 7))
    assert Pattern(torus.cells, "B3/S23", boundary="torus", size=(20, 30)).text().splitlines()[0] == "x = 3, y = 3, rule = B3/S23:T30,20"
    assert Pattern(plane.cells, "345/2/4", boundary="dead", size=(5, 7)).text().splitlines()[0] == "x = 3, y = 3, rule = 345/2/4:P7,5"


def test_coordinates_and_an_older_rule_line_are_read():
    found = Pattern.parse("#CXRLE Pos=-3,14 Gen=7\n#r 23/36\nx = 1, y = 1\no!")
    assert (found.origin, found.rule) == ((14, -3), "B36/S23")
    assert Pattern.parse("#r 23/36\nx = 1, y = 1, rule = B3/S23\no!").rule == "B3/S23"
    assert Pattern.parse(found.text()).comments == found.comments == ("#CXRLE Pos=-3,14 Gen=7", "#r 23/36")
    assert Pattern.parse(Pattern(found.cells, origin=(-2, 5)).text()).origin == (-2, 5)


@pytest.mark.parametrize(
    "pattern",
    [
        Pattern(np.full((1, 1), 2, np.uint8), "B3/S23"),
        Pattern(np.full((1, 1), 4, np.uint8), "345/2/4"),
        Pattern(np.ones((3, 3), np.uint8), "B3/S23", boundary="torus", size=(2, 9)),
        Pattern(np.ones((3, 3), np.uint8), "B3/S23", boundary="plane", size=(9, 9)),
        Pattern(np.ones((3, 3), np.uint8), "B3/S23", size=(9, 9)),
        Pattern(np.ones((3, 3), np.uint8), boundary="torus", size=(9, 9)),
        Pattern(np.ones((3, 3), np.uint8), name="two\nlines"),
    ],
)
def test_what_no_text_can_say_is_not_written(pattern):
    with pytest.raises(ValueError):
        pattern.text()


@needs_golly
@pytest.mark.parametrize("grid", [None, "torus", "dead"])
@pytest.mark.parametrize("rule", ALGORITHMS)
def test_golly_reads_what_we_write_and_we_read_what_golly_writes(tmp_path, rule, grid):
    cells = stream(len(rule), "rle").integers(0, STATES.get(rule, 2), (17, 45)).astype(np.uint8)
    cells[[0, -1]] = cells[:, [0, -1]] = 1
    written = Pattern(cells, rule, boundary=grid, size=(40, 61) if grid else None)
    found = Pattern.read(_golly(tmp_path, written.text(), rule))
    assert np.array_equal(found.cells, cells)
    assert (found.rule, found.boundary, found.size) == (rule, grid, written.size)


@needs_golly
def test_golly_agrees_on_an_empty_pattern(tmp_path):
    found = Pattern.read(_golly(tmp_path, Pattern(np.zeros((4, 5), np.uint8), "B36/S23").text(), "B36/S23"))
    assert (found.cells.size, found.rule) == (0, "B36/S23")


@needs_golly
@pytest.mark.skipif(not patterns_of_golly.is_dir(), reason="Golly's patterns are not installed (Debian: golly-common)")
@pytest.mark.parametrize(
    "name",
    [
        "Generations/Sawfish.rle",
        "Generations/Delta.rle",
        "Larger-than-Life/BugGun.rle",
        "Larger-than-Life/BugReactions.rle",
        "Non-Totalistic/rr14gun.rle",
        "Life/Bounded-Grids/agar-p3.rle",
        "Life/Guns/golly-ticker.rle",
        "Life/Miscellaneous/twinprimes.rle",
        "Life/Breeders/breeder.lif",
        "Life/Methuselahs/rabbits.lif",
        "Life/Methuselahs/acorn.lif",
    ],
)
def test_files_that_come_with_golly_are_read_as_golly_reads_them(tmp_path, name):
    path, end = patterns_of_golly / name, tmp_path / "end.rle"
    found = Pattern.read(path)
    algorithm = {"G": "Generations", "L": "QuickLife", "N": "QuickLife"}[name[0]] if "Larger" not in name else "Larger than Life"
    subprocess.run(["bgolly", "-a", algorithm, "-m", "0", "-o", end, path], check=True, capture_output=True)
    theirs = Pattern.read(end)
    assert cells_sha256(found.cells) == cells_sha256(theirs.cells)
    assert (found.rule or "B3/S23", found.boundary, found.size) == (theirs.rule, theirs.boundary, theirs.size)
