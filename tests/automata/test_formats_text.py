"""Plaintext, Life 1.05 and Life 1.06: how they are told apart, what they draw, and a table of things that are none of them."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata.formats import life106, plaintext
from thunderlab.automata.formats.source import Source
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.errors import InputError

GLIDER = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
places = st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=1, max_size=30)


def _read(folder, text, name="p.txt"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Pattern.read(path)


@pytest.mark.parametrize(
    "text",
    [
        "x = 3, y = 3\nbo$2bo$3o!",
        "#C a comment first\nx=3,y=3\nbo$2bo$3o!",
        "\n  \nx = 3, y = 3\nbo$2bo$3o!",
        ".O.\n..O\nOOO",
        ".*\n..*\n***\n",
        "!Name: Glider\n!\n.O\n..O\nOOO\n",
        "\n\n.O.\n..O\nOOO\n\n\n",
        ".O  \n..O\t\nOOO\n",
        "#Life 1.05\n#D Glider\n#N\n#P -1 -1\n.*\n..*\n***\n",
        "#Life 1.05\n#P\n.*\n..*\n***\n",
        "#Life 1.05\n.*\n..*\n***\n",
        "#Life 1.05\n#P 1 0\n*\n#P 0 2\n***\n#P 2 1\n*\n",
        "#Life 1.06\n0 -1\n1 0\n-1 1\n0 1\n1 1\n",
        "#Life 1.06\n+1 1\n1 1\n0 1\n  -1\t1 \n\n#C\n1 0\n0 -1",
        "\n#Life 1.06\n0 -1\n1 0\n-1 1\n0 1\n1 1",
    ],
)
@pytest.mark.parametrize("name", ["p", "p.rle", "p.cells", "p.lif"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_the_text_tells_the_format_whatever_the_file_is_called(tmp_path, text, name, line_end):
    assert _read(tmp_path, "\ufeff" + text.replace("\n", line_end), name).cells.tolist() == GLIDER


def test_an_empty_row_inside_a_drawing_counts_and_ragged_rows_are_filled(tmp_path):
    assert _read(tmp_path, "O\n\n..O\n").cells.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert _read(tmp_path, "...\n.O\n...\n").cells.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert _read(tmp_path, "#Life 1.05\n#P 0 0\n*\n.\n\n..*").cells.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_what_is_said_about_a_pattern_is_kept(tmp_path):
    drawn = _read(tmp_path, "!Name:  Glider \n!Author: Richard K. Guy\n!\n.O\n..O\nOOO\n")
    assert (drawn.name, drawn.comments, drawn.origin) == ("Glider", ("#C Author: Richard K. Guy",), None)
    blocks = _read(tmp_path, "#Life 1.05\n#D Glider\n#R 23/36\n#P -7 12\n.*\n..*\n***\n#P -9 15\n..\n")
    assert (blocks.rule, blocks.comments, blocks.origin) == ("B36/S23", ("#D Glider",), (12, -9))
    assert blocks.cells.shape == (4, 5)
    assert _read(tmp_path, "#Life 1.05\n#N\n#P 0 0\n*").rule == "B3/S23"
    listed = _read(tmp_path, "#Life 1.06\n#D far away\n-1000000000 999999999\n-999999998 1000000000\n")
    assert (listed.origin, listed.cells.tolist()) == ((999_999_999, -1_000_000_000), [[1, 0, 0], [0, 0, 1]])
    assert listed.comments == ("#D far away",)
    assert Pattern.parse(listed.text()).origin == listed.origin


@pytest.mark.parametrize("text", ["!Name: nothing\n", "#Life 1.05\n#P 3 4\n", "#Life 1.06\n", "#Life 1.06\n\n\n#C\n", "x = 0, y = 0\n!"])
def test_a_pattern_without_cells_is_empty_and_lies_nowhere(tmp_path, text):
    found = _read(tmp_path, text)
    assert found.cells.shape == (0, 0) and found.origin is None


@settings(deadline=None, max_examples=60)
@given(places, st.integers(16, 60))
def test_life_106_draws_each_place_once(named, block):
    text = "#Life 1.06\n" + "\n".join(f"{x} {y}" for x, y in named)
    before, life106._BLOCK = life106._BLOCK, block
    try:
        found = life106.read(Source(text))
    finally:
        life106._BLOCK = before
    top, left = min(y for _, y in named), min(x for x, _ in named)
    expected = np.zeros((max(y for _, y in named) + 1 - top, max(x for x, _ in named) + 1 - left), np.uint8)
    for x, y in named:
        expected[y - top, x - left] = 1
    assert found.origin == (top, left) and np.array_equal(found.cells, expected)


@settings(deadline=None, max_examples=60)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12), elements=st.integers(0, 1)))
def test_plaintext_reads_back_the_same(cells):
    found = plaintext.read(Source(plaintext.write(Pattern(cells, name="A name"))))
    assert np.array_equal(found.cells, cells) and found.name == "A name"


def test_plaintext_has_no_letter_for_a_third_state():
    with pytest.raises(ValueError, match="two states"):
        plaintext.write(Pattern(np.full((1, 1), 2, np.uint8)))


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.cells", "!Name: X\n.O\n\n..O\nO\n"),
        ("b.lif", "#Life 1.05\n#D two blocks\n#N\n#P -3 -2\n.*\n\n***\n.\n*\n#P 10 4\n*\n"),
        ("c.lif", "#Life 1.05\n#R 125/36\n#P 2 2\n.*\n*\n#P\n**\n"),
        ("d.lif", "#Life 1.05\n*\n#P 1 1\n*.*\n#P 0 1\n.**\n"),
        ("d2.lif", "#Life 1.05\n#P 0 0\n***\n*\n#P 0 0\n.*.\n..*\n"),
        ("e.lif", "#Life 1.06\n-3 -2\n4 5\n4 5\n-8 1\n"),
    ],
)
def test_golly_draws_the_same(tmp_path, name, text):
    found, end = _read(tmp_path, text, name), tmp_path / "end.rle"
    subprocess.run(["bgolly", "-m", "0", "-o", end, tmp_path / name], check=True, capture_output=True)
    theirs = Pattern.read(end)
    assert cells_sha256(found.cells) == cells_sha256(theirs.cells)
    assert (found.rule or "B3/S23") == theirs.rule


BAD = [
    (b"", "p", "line 1 of the pattern: is empty; accepted: RLE"),
    (b"\xef\xbb\xbf\r\n \r\n", "p.rle", "line 1 of the pattern: is empty; accepted: RLE"),
    (b"\x1f\x8b\x08\x00", "p.rle.gz", "is not UTF-8 text (byte 1)"),
    (b"x = 1, y = 1\no!\n#C caf\xe9", "p.rle", "is not UTF-8 text (byte 22)"),
    (b".O\0", "p.cells", "NUL"),
    (b"hello", "p.txt", "line 1 of the pattern: hello does not start a pattern; accepted: RLE"),
    (b"hello", "p.rle", "line 1 of the pattern: hello is not a header"),
    (b"hello", "p.cells", "'h' is not part of a plaintext pattern; `.` (dead) and O or * (alive) are"),
    (b"bo$2bo$3o!", "p.RLE", "is not a header"),
    (b"#C only a comment", "p.rle", "no header"),
    (b"#C only a comment", "p.txt", "does not start a pattern"),
    (b"[M2] (golly 2.0)\n$$..*$\n", "p.mc", "is a macrocell file, which is not read here; accepted: RLE"),
    (b"#MCell 4.00\n#GAME Life", "p.mcl", "is an MCell file"),
    (b"#Life 1.07\n1 1", "p.lif", "#Life 1.07 is not a version read here"),
    (b"#C\n" * 10_001 + b"hello", "p.txt", "more than 10,000 comment lines"),
    (b".O\n.o\n", "p.cells", "line 2 of the pattern: 'o' is not part of a plaintext pattern"),
    (b"!\n.O\n\n x\n", "p.cells", "line 4 of the pattern: ' ' is not part of a plaintext pattern"),
    ("!\n.O\n.Ö\n".encode(), "p.cells", "line 3 of the pattern: 'Ö' is not part of a plaintext pattern"),
    (b"O" * 65_537, "p.cells", "65537 x 1 is too long: a pattern is at most 65536 cells wide and high"),
    (b"O" * 65_536 + b"\n" * 1_100 + b"O", "p.cells", "72,155,136 cells, which would need 0.1 GiB; at most 67,108,864 are accepted"),
    (b"!\n" * 140_000, "p.cells", "more than 131,072 lines are not read"),
    (b"!C\n" * 10_001, "p.cells", "more than 10,000 comment lines are not read"),
    (b"#Life 1.05\n#P 0 0\n*O\n", "p", "line 3 of the pattern: 'O' is not part of a Life 1.05 pattern; `.` (dead) and * (alive) are"),
    (b"#Life 1.05\n#P 0\n*\n", "p", "line 2 of the pattern: #P 0 does not say where a block starts; `#P x y` with two integers does"),
    (b"#Life 1.05\n#P 0 " + b"9" * 19, "p", "does not say where a block starts"),
    (b"#Life 1.05\n#R 9/9\n*", "p", "line 2 of the pattern: rule: "),
    (b"#Life 1.05\n#P 0 0\n*\n#P 3000000000 3000000000\n*", "p", "which would need 8,381,903,"),
    (b"#Life 1.05\n" + b"#D\n" * 10_001, "p", "more than 10,000 comment lines"),
    (b"#Life 1.06\n1 2\n3\n", "p", "line 3 of the pattern: 3 is not a cell; `x y` with two integers of at most 18 digits is"),
    (b"#Life 1.06\n1 2 3 4\n", "p", "line 2 of the pattern: 1 2 3 4 is not a cell"),
    (b"#Life 1.06\n1 2\n3 x\n", "p", "line 3 of the pattern: 3 x is not a cell"),
    (b"#Life 1.06\n1.5 2\n", "p", "line 2 of the pattern: 1.5 2 is not a cell"),
    (b"#Life 1.06\n1 -\n", "p", "1 - is not a cell"),
    (b"#Life 1.06\n1 --2\n", "p", "1 --2 is not a cell"),
    (b"#Life 1.06\n1-2\n", "p", "1-2 is not a cell"),
    (b"#Life 1.06\n1 " + b"9" * 19, "p", "is not a cell"),
    ("#Life 1.06\n1 ²\n".encode(), "p", "1 ² is not a cell"),
    (b"#Life 1.06\n0 0\n3000000000 0\n", "p", "3,000,000,001 cells, which would need 2.8 GiB; at most 67,108,864 are accepted"),
    (b"#Life 1.06\n-999999999999999999 0\n999999999999999999 -999999999999999999", "p", "GiB; at most 67,108,864 are accepted"),
    (b"#Life 1.06\n" + b"#C\n" * 10_001, "p", "more than 10,000 comment lines"),
    (b"#Life 1.06\n" + b" " * 300_000 + b"1 1", "p", "is not a cell"),
    (b"1" * ((1 << 24) + 1), "p", "is larger than 16777216 bytes"),
]


@pytest.mark.parametrize(("text", "name", "what"), BAD, ids=range(len(BAD)))
def test_what_is_none_of_them_is_refused_by_name_and_line(tmp_path, text, name, what):
    with pytest.raises(InputError) as caught:
        _read(tmp_path, text, name)
    assert str(caught.value).startswith(str(tmp_path / name)) and what in str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 400


def test_a_stray_character_in_a_later_block_is_found_on_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(life106, "_BLOCK", 64)
    lines = [f"{x} {x * x}" for x in range(60)]
    for bad in (0, 17, 42, 59):
        with pytest.raises(InputError, match=f"line {bad + 2} of the pattern: {bad} is not a cell"):
            _read(tmp_path, "#Life 1.06\n" + "\n".join([*lines[:bad], f"{bad}", *lines[bad + 1 :]]))
