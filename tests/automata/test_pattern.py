"""Patterns and fingerprints: the format's own examples, round trips, brute force, and a table of things that are no pattern."""

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata.measures.fingerprint import bbox, canonical_cells, cells_sha256
from thunderlab.automata.pattern import Pattern
from thunderlab.errors import InputError

grids = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40), elements=st.integers(0, 1))
states = arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=13), elements=st.integers(0, 1))


def test_the_glider_of_the_format_description():
    found = Pattern.parse("#N Glider\n#O Richard K. Guy\n#C The smallest spaceship.\nx = 3, y = 3, rule = b3/s23\nbob$2bo$3o!\n")
    assert found.cells.tolist() == [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
    assert (found.rule, found.name) == ("B3/S23", "Glider")
    assert found.comments == ("#O Richard K. Guy", "#C The smallest spaceship.")


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("3o$b2o$2bo!", ["111", "011", "001"]),
        ("o!", ["100", "000", "000"]),
        ("!", ["000", "000", "000"]),
        ("2$o!", ["000", "000", "100"]),
        ("o2$o$!", ["100", "000", "100"]),
        ("o 2b\t$\n\n b\no!", ["100", "010", "000"]),
        ("3o!and whatever follows", ["111", "000", "000"]),
        ("003o!", ["111", "000", "000"]),
        (".A.$2.A$3A!", ["010", "001", "111"]),
        ("bA.$obA!", ["010", "101", "000"]),
        ("o!\n#C comments at the end, and ! and 9999999o", ["100", "000", "000"]),
        ("#C 3o! in a comment\nbo\n#\n$o!", ["010", "100", "000"]),
        ("o$\n#C in between\no!", ["100", "100", "000"]),
    ],
)
def test_bodies(body, rows):
    assert Pattern.parse(f"x=3,y=3\n{body}").cells.tolist() == [[int(cell) for cell in row] for row in rows]


@settings(deadline=None)
@given(grids, st.sampled_from([None, "B3/S23", "B36/S23", "B/S"]), st.sampled_from([None, "Glider", "R 5, π"]))
def test_what_is_written_reads_back_the_same(cells, rule, name):
    text = Pattern(cells, rule, name, ("#C one", "#C two")).text()
    found = Pattern.parse(text)
    assert np.array_equal(found.cells, cells) and found.cells.shape == cells.shape
    assert (found.rule, found.name, found.comments) == (rule, name, ("#C one", "#C two"))
    assert max(map(len, text.splitlines())) <= 70


def test_a_long_row_is_wrapped_between_runs_and_not_inside_one():
    text = Pattern(np.tile(np.array([1, 1, 0, 0, 0], np.uint8), 100)[None, :]).text()
    lines = text.splitlines()[1:]
    assert len(lines) > 5 and all(65 <= len(line) <= 70 for line in lines[:-1])
    assert all(line[-1] in "bo" for line in lines[:-1])


def test_a_file_is_read_and_named_in_messages(tmp_path):
    path = tmp_path / "bad.rle"
    path.write_text("x = 1, y = 1\n2o!")
    with pytest.raises(InputError, match=r"bad\.rle: line 2 of the pattern: row 1 has at least 2 cells"):
        Pattern.read(path)


def test_a_comment_that_is_none_cannot_be_written():
    with pytest.raises(ValueError, match="starts with #"):
        Pattern(np.zeros((1, 1), np.uint8), comments=("x = 9, y = 9",)).text()


BAD = [
    ("", 1, "no header"),
    ("\n\n", 2, "no header"),
    ("#C only a comment", 1, "no header"),
    ("bo$2bo$3o!", 1, "is not a header"),
    ("x = 3", 1, "is not a header"),
    ("x = 3 y = 3\n!", 1, "is not a header"),
    ("y = 3, x = 3\n!", 1, "is not a header"),
    ("x = -3, y = 3\n!", 1, "is not a header"),
    ("x = 3.0, y = 3\n!", 1, "is not a header"),
    ("x = 3, y = 3, rules = B3/S23\n!", 1, "is not a header"),
    ("x = 3, y = 3, rule =\n!", 1, "is not a header"),
    ("x = 3, y = 3,\n!", 1, "is not a header"),
    ("x = a, y = b\n!", 1, "is not a header"),
    ("x = 3, y = 3, rule = " + "B" * 5000 + "\n!", 1, "is not a header"),
    ("x = 65537, y = 1\n!", 1, "at most 65536"),
    ("x = 1, y = 65537\n!", 1, "at most 65536"),
    ("x = 999999999999999999999999, y = 1\n!", 1, "fit no memory"),
    ("x = 65536, y = 65536\n!", 1, "4,294,967,296 cells, which would need 4.0 GiB; at most 67,108,864 are accepted"),
    ("x = 3, y = 3, rule = B3/S23:T2,100\n!", 1, "a pattern of 3 x 3 does not fit its grid of 2 x 100"),
    ("x = 3, y = 3, rule = B3/S23:P30\n!", 1, "given one side only; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:T30\n!", 1, "given one side only; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:T0,20\n!", 1, "unbounded in one direction; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:P30,0\n!", 1, "unbounded in one direction; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:T30*,20\n!", 1, "shifted or twisted at an edge"),
    ("x = 3, y = 3, rule = B3/S23:T30+5,20\n!", 1, "shifted or twisted at an edge"),
    ("x = 3, y = 3, rule = B3/S23:T30,20-2\n!", 1, "shifted or twisted at an edge"),
    ("x = 3, y = 3, rule = B3/S23:K30*,20\n!", 1, "a Klein bottle, which is not run here; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:C30,20\n!", 1, "a cross-surface, which is not run here; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:S30\n!", 1, "a sphere, which is not run here; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:\n!", 1, "not one of a kind known here; accepted are :T30,20"),
    ("x = 3, y = 3, rule = B3/S23:T30;20\n!", 1, "not two whole numbers"),
    ("x = 3, y = 3, rule = B3/S23:T" + "9" * 500 + ",20\n!", 1, "not two whole numbers"),
    ("x = 3, y = 3, rule = B3/S23:T2000000000,2000000000\n!", 1, "which would need 3,725,290,298.5 GiB"),
    ("x = 3, y = 3, rule = B9/S23\n!", 1, "rule: "),
    ("x = 3, y = 3, rule = LifeHistory\n!", 1, "rule: 'LifeHistory'"),
    ("#r LifeHistory\nx = 3, y = 3\n!", 1, "rule: 'LifeHistory'"),
    ("#C hello\n" * 10_001 + "x = 3, y = 3\n!", 10_001, "more than 10,000 comment lines"),
    ("x = 3, y = 3\n" + "#C hello\n" * 10_001 + "!", 10_002, "more than 10,000 comment lines"),
    ("x = 3, y = 3\nbo$2bo$3o", 2, "ends without `!`"),
    ("x = 3, y = 3\n", 1, "ends without `!`"),
    ("x = 3, y = 3\nbo$\n2bo$\n", 3, "ends without `!`"),
    ("x = 3, y = 3\n4o!", 2, "row 1 has at least 4 cells"),
    ("x = 3, y = 3\n4b!", 2, "row 1 has at least 4 cells"),
    ("x = 3, y = 3\noooo!", 2, "row 1 has at least 4 cells"),
    ("x = 3, y = 3\no$\nobob$!", 3, "row 2 has at least 4 cells"),
    ("x = 3, y = 3\n3$o!", 2, "more rows than the 3"),
    ("x = 3, y = 3\no$o$o$o!", 2, "more rows than the 3"),
    ("x = 3, y = 3\n4$!", 2, "more rows than the 3"),
    ("x = 3, y = 3\n999999$!", 2, "more rows than the 3"),
    ("x = 0, y = 0\no!", 2, "more rows than the 0"),
    ("x = 3, y = 3\n0o!", 2, "at least one cell"),
    ("x = 3, y = 3\n000b!", 2, "at least one cell"),
    ("x = 3, y = 3\n9999999o!", 2, "longer than any pattern"),
    ("x = 3, y = 3\n" + "9" * 5000 + "o!", 2, "longer than any pattern"),
    ("x = 3, y = 3\n3!", 2, "takes no count"),
    ("x = 3, y = 3\n2 o!", 2, "directly behind it"),
    ("x = 3, y = 3\n2\no!", 2, "directly behind it"),
    ("x = 3, y = 3\n2", 2, "directly behind it"),
    ("x = 3, y = 3\nbZ!", 2, "'Z' is not a state"),
    ("x = 3, y = 3\nbc!", 2, "'c' is not a state"),
    ("x = 3, y = 3\nx = 3, y = 3\n!", 2, "'x' is not a state"),
    ("x = 3, y = 3\no$\n2yP!", 3, "'yP' is not a state"),
    ("x = 3, y = 3\n3zA!", 2, "needs b, o, $ or a letter directly behind it"),
    ("x = 3, y = 3\n3po!", 2, "'po' is not a state"),
    ("x = 3, y = 3\nbp!", 2, "'p' is not a state"),
    ("x = 3, y = 3\nbp A!", 2, "'p' is not a state"),
    ("x = 3, y = 3\n9999999pA!", 2, "longer than any pattern"),
    ("x = 3, y = 3, rule = B3/S23\no$\nB!", 3, "state 2 is none of B3/S23, which has the states 0 to 1"),
    ("x = 3, y = 3, rule = 345/2/4\nABC$D!", 2, "state 4 is none of 345/2/4, which has the states 0 to 3"),
    ("x = 3, y = 3, rule = 345/2/4\npA!", 2, "state 25 is none of 345/2/4"),
    ("x = 3, y = 3\no$\n#C\n#C !\n#C\n#C\nbZ!", 7, "'Z' is not a state"),
    ("x = 3, y = 3\nb²!", 2, "'²' is not part of a pattern"),
    ("x = 3, y = 3\n-1o!", 2, "'-' is not part"),
    ("x = 3, y = 3\no,o!", 2, "',' is not part"),
    ("x = 3, y = 3\n #C no comment!", 2, "'#' is not part"),
]


@pytest.mark.parametrize(("text", "line", "what"), BAD)
def test_what_is_no_pattern_is_refused_with_its_line(text, line, what):
    with pytest.raises(InputError) as caught:
        Pattern.parse(text, where="p.rle")
    assert str(caught.value).startswith(f"p.rle: line {line} of the pattern: ")
    assert what in str(caught.value)
    assert len(str(caught.value)) < 400


def test_an_absurd_run_is_refused_before_it_is_expanded():
    tracemalloc.start()
    for text in ("x = 65536, y = 16\n999999o!", "x = 8, y = 8\n" + "999999$" * 9, "x = 99999999999999999999, y = 99999999999999999999\n!"):
        with pytest.raises(InputError):
            Pattern.parse(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 24


@settings(deadline=None)
@given(states, st.booleans())
def test_canonical_cells_are_the_lines_brute_force_writes(cells, moved):
    places = [tuple(map(int, place)) for place in np.argwhere(cells)]
    origin = tuple(min(axis) for axis in zip(*places, strict=True)) if moved and places else (0,) * cells.ndim
    lines = []
    for place in sorted(places):
        at = [a - b for a, b in zip(place, origin, strict=True)]
        lines.append(",".join(map(str, [at[1], at[0]] if cells.ndim == 2 else at)) + ",1\n")
    expected = "".join(lines).encode()
    assert canonical_cells(cells, moved=moved) == expected
    assert cells_sha256(cells, moved=moved) == hashlib.sha256(expected).hexdigest()
    assert bbox(cells) == ([[min(axis), max(axis)] for axis in zip(*places, strict=True)] if places else None)


def test_numbers_of_every_length_and_other_states_are_written_in_full():
    cells = np.zeros((3, 1200), np.uint8)
    cells[0, 5], cells[1, 99], cells[2, 1005], cells[2, 1199] = 1, 12, 255, 3
    assert canonical_cells(cells, moved=False) == b"5,0,1\n99,1,12\n1005,2,255\n1199,2,3\n"
    assert canonical_cells(cells) == b"0,0,1\n94,1,12\n1000,2,255\n1194,2,3\n"


@settings(max_examples=20, deadline=None)
@given(states.filter(lambda cells: cells.any()), st.integers(1, 9))
def test_moving_a_state_keeps_its_digest_and_not_the_absolute_one(cells, by):
    moved = np.pad(cells, [(by, 0)] * cells.ndim)
    assert cells_sha256(moved) == cells_sha256(cells)
    assert cells_sha256(moved, moved=False) != cells_sha256(cells, moved=False)


def test_more_cells_than_fit_one_block_are_hashed_in_order():
    cells = np.ones((600, 600), np.uint8)  # more than 2**18 live cells
    expected = hashlib.sha256("".join(f"{x},{y},1\n" for y in range(600) for x in range(600)).encode()).hexdigest()
    assert cells_sha256(cells) == expected
