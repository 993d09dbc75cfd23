"""What a run is answered with, checked against states simulated one by one; and the frames of a film."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest

from thunderlab.automata import film as films
from thunderlab.automata import observe as observing
from thunderlab.automata.film import Film
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.observe import check_samples, observe
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError
from thunderlab.seeds import stream

LIFE = parse_rule("B3/S23", dimensions=2)
GLIDER = Pattern.parse("x = 3, y = 3\nbo$2bo$3o!").cells
R_PENTOMINO = Pattern.parse("x = 3, y = 3\nb2o$2o$bo!").cells


def soup_of(shape, rule, seed):
    rng = stream(seed, "observe")
    return ((rng.random(shape) < 0.5) * rng.integers(1, rule.states, shape)).astype(np.uint8)


def entropy(cells, states):
    """Shannon's, from its definition."""
    shares = [np.count_nonzero(cells == state) / cells.size for state in range(states)]
    return -sum(share * math.log2(share) for share in shares if share)


def sha256(places):
    """The digest of the contract, from places and states."""
    return hashlib.sha256("".join(f"{','.join(map(str, place))}\n" for place in places).encode()).hexdigest()


@pytest.mark.parametrize("every", [None, 1, 4, 7, 20, 100])
@pytest.mark.parametrize(
    ("text", "shape", "boundary"),
    [
        ("B3/S23", (20, 30), "torus"),
        ("B3/S23", (20, 30), "plane"),
        ("345/2/4", (16, 18), "dead"),
        ("345/2/4", (9, 9), "plane"),
        ("W30", (1, 25), "torus"),
        ("R2,C4,M1,S4..9,B5..8,NC", (15, 11), "torus"),
        ("B5-7/S4-6", (6, 7, 8), "torus"),
        ("4/4/5/M", (4, 5, 6), "plane"),
    ],
)
def test_samples_are_those_of_states_simulated_one_by_one(text, shape, boundary, every):
    rule = parse_rule(text, dimensions=len(shape))
    start, steps = soup_of(shape, rule, 3), 20
    seen, final = observe(start, rule, boundary, steps, every=every)
    wanted = sorted({0, steps, *range(0, steps, every or 1)})
    assert [sample.step for sample in seen.trace] == wanted
    states = {step: simulate(start, rule, step, boundary) for step in wanted}
    assert [sample.population for sample in seen.trace] == [np.count_nonzero(states[step]) for step in wanted]
    assert [sample.entropy for sample in seen.trace] == pytest.approx([entropy(states[step], rule.states) for step in wanted], abs=1e-9)
    np.testing.assert_array_equal(final, states[steps])
    assert (seen.rule, seen.boundary, seen.shape, seen.steps) == (str(rule), boundary, final.shape, steps)
    assert seen.population == np.count_nonzero(final)


def test_looking_at_every_state_changes_nothing_that_is_answered():
    """With two states in a fixed frame samples come from the trace of the kernel; with a listener from the cells."""
    start = soup_of((24, 24), LIFE, 4)
    looked = []
    plain = observe(start, LIFE, "torus", 33, every=5)[0]
    assert observe(start, LIFE, "torus", 33, every=5, on_sample=lambda cells, origin: looked.append((cells, origin)))[0] == plain
    assert [int(cells.sum()) for cells, _ in looked] == [sample.population for sample in plain.trace]
    assert {origin for _, origin in looked} == {(0, 0)}


@pytest.mark.parametrize("boundary", ["torus", "plane"])
@pytest.mark.parametrize("every", [1, 6, 10**6])
def test_slices_of_a_run_are_not_seen_from_outside(monkeypatch, boundary, every):
    start = soup_of((10, 10), LIFE, 5)
    whole = observe(start, LIFE, boundary, 50, every=every)
    monkeypatch.setattr(observing, "_SLICE_STEPS", 7)
    done = []
    np.testing.assert_equal(observe(start, LIFE, boundary, 50, every=every, on_progress=done.append), whole)
    assert done == sorted(set(done)) and done[-1] == 50 and len(done) >= 8


def test_no_steps_are_one_sample():
    seen, final = observe(GLIDER, LIFE, "torus", 0)
    assert [sample.step for sample in seen.trace] == [0]
    np.testing.assert_array_equal(final, GLIDER)


def test_a_plane_is_answered_as_a_torus_whose_edge_nothing_reaches():
    """Digests to the letter; coordinates count from the first cell handed in."""
    torus = np.zeros((220, 220), np.uint8)
    torus[100:103, 110:113] = R_PENTOMINO
    there, _ = observe(torus, LIFE, "torus", 150)
    here, final = observe(R_PENTOMINO, LIFE, "plane", 150)
    assert here.cells_sha256 == there.cells_sha256
    assert here.population == there.population
    assert here.bbox == [[low - at, high - at] for (low, high), at in zip(there.bbox, (100, 110), strict=True)]
    assert here.shape == final.shape == tuple(high - low + 1 for low, high in here.bbox)
    assert here.bbox[0][0] < 0, "some of it is above where it started"
    in_place, _ = observe(torus, LIFE, "plane", 150)
    assert (in_place.bbox, in_place.cells_sha256_absolute) == (there.bbox, there.cells_sha256_absolute)
    assert [sample.population for sample in here.trace] == [sample.population for sample in there.trace]


def test_absolute_coordinates_on_a_plane_may_be_negative():
    seen, _ = observe(GLIDER[::-1, ::-1], LIFE, "plane", 400)
    assert seen.bbox == [[-100, -98], [-100, -98]]
    places = [(x - 100, y - 100, 1) for y, x in np.argwhere(GLIDER[::-1, ::-1])]
    assert seen.cells_sha256_absolute == sha256(places)
    assert seen.cells_sha256 == sha256((x + 100, y + 100, state) for x, y, state in places)


def test_absolute_coordinates_from_below_zero_to_above_have_no_fill():
    """Numbers of one digit, of two and of three with a sign next to each other in one column."""
    line = np.ones((1, 130), np.uint8)
    seen, final = observe(line, parse_rule("W254", dimensions=2), "plane", 12)
    assert seen.bbox == [[0, 0], [-12, 141]] and final.all()
    assert seen.cells_sha256_absolute == sha256((x, 0, 1) for x in range(-12, 142))


def test_absolute_coordinates_in_three_dimensions_come_as_z_y_x():
    glider = np.zeros((2, 3, 3), np.uint8)
    glider[:] = GLIDER[::-1, ::-1]
    seen, _ = observe(glider, parse_rule("B6/S5-7", dimensions=3), "plane", 8)
    assert seen.bbox == [[0, 1], [-2, 0], [-2, 0]]
    assert seen.cells_sha256_absolute == sha256((z, y - 2, x - 2, 1) for z, y, x in np.argwhere(glider))


def test_states_are_part_of_the_digest():
    rule = parse_rule("345/2/4", dimensions=2)
    cells = np.array([[0, 3, 0], [0, 0, 2]], np.uint8)
    seen, _ = observe(cells, rule, "dead", 0)
    assert seen.cells_sha256 == sha256([(0, 0, 3), (1, 1, 2)])
    assert seen.cells_sha256_absolute == sha256([(1, 0, 3), (2, 1, 2)])


def test_what_has_died_on_a_plane_has_no_box():
    seen, final = observe(np.ones((1, 2), np.uint8), LIFE, "plane", 5)
    assert (seen.population, seen.bbox, seen.shape, final.tolist()) == (0, None, (1, 1), [[0]])
    assert seen.cells_sha256 == seen.cells_sha256_absolute == hashlib.sha256(b"").hexdigest()
    assert [sample.entropy for sample in seen.trace] == [0.0] * 6


@pytest.mark.parametrize(
    ("steps", "every", "message"),
    [
        (-1, None, "--steps: expected a whole number from 0 to 100000000, not -1"),
        (10**8 + 1, None, "--steps: expected a whole number from 0 to 100000000, not 100000001"),
        (10**400, 1, "--steps: expected a whole number from 0 to 100000000, not 10000"),
        (2.5, None, "--steps: expected a whole number"),
        (5, 0, "--every: a sample every 0 steps cannot be taken; give 1 or more"),
        (5, -2, "--every: a sample every -2 steps"),
        (5, 1.5, "--every: a sample every 1.5 steps"),
        (10**8, 1, "--every: 100000001 samples are more than the 1048576 that can be kept; take fewer, say every 96 steps"),
    ],
)
def test_numbers_out_of_their_range_are_refused(steps, every, message):
    for ask in (lambda: check_samples(steps, every), lambda: observe(GLIDER, LIFE, "torus", steps, every=every)):
        with pytest.raises(InputError) as refused:
            ask()
        assert str(refused.value).startswith(message) and len(str(refused.value)) < 200


def test_a_number_that_python_does_not_write_is_refused_all_the_same():
    with pytest.raises(InputError, match="^--steps: expected a whole number from 0 to 100000000, not a number of thousands of digits"):
        check_samples(10**5000, None)


def test_the_stride_named_in_a_refusal_is_accepted():
    assert check_samples(10**8, 96) == 96
    assert check_samples(10**8, None) == 10**6
    assert check_samples(0, 3) == 3


def test_a_film_on_a_plane_has_frames_of_one_size_where_things_lay():
    start = np.zeros((9, 9), np.uint8)
    start[3:6, 3:6] = GLIDER
    film = Film()
    observe(start, LIFE, "plane", 40, every=4, on_sample=film.add)
    frames = film.frames()
    assert [frame.shape for frame in frames] == [(13, 13)] * 11
    for turn, frame in enumerate(frames):
        expected = np.zeros((13, 13), np.uint8)
        expected[turn : turn + 3, turn : turn + 3] = GLIDER
        np.testing.assert_array_equal(frame, expected)


def test_a_film_in_a_fixed_frame_keeps_it():
    start = np.zeros((8, 9), np.uint8)
    start[0, 0] = 1
    film = Film()
    observe(start, LIFE, "torus", 2, every=1, on_sample=film.add)
    assert [frame.tolist() for frame in film.frames()] == [start.tolist(), *[np.zeros((8, 9), int).tolist()] * 2]


def test_what_has_died_does_not_widen_a_film():
    start = np.zeros((50, 50), np.uint8)
    start[30, 40:42] = 1
    film = Film()
    observe(start, LIFE, "plane", 100, every=50, on_sample=film.add)
    assert [frame.tolist() for frame in film.frames()] == [[[1, 1]], [[0, 0]], [[0, 0]]]
    nothing = Film()
    observe(np.zeros((3, 3), np.uint8), LIFE, "plane", 2, every=1, on_sample=nothing.add)
    assert [frame.tolist() for frame in nothing.frames()] == [[[0]]] * 3


def test_space_time_rows_of_an_elementary_rule_grow_with_time():
    """Wolfram's rule 30 from one cell: 1, 111, 11001, 1101111 (OEIS A070950)."""
    film = Film()
    observe(np.ones((1, 1), np.uint8), parse_rule("W30", dimensions=2), "plane", 3, every=1, on_sample=film.add)
    assert film.rows().tolist() == [[0, 0, 0, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 1, 1, 0, 0, 1, 0], [1, 1, 0, 1, 1, 1, 1]]


def test_a_film_too_long_or_too_wide_is_refused(monkeypatch):
    monkeypatch.setattr(films, "MOST_CELLS", 100)
    film = Film()
    film.add(np.ones((5, 9), np.uint8), (0, 0))
    film.add(np.ones((5, 9), np.uint8), (0, 0))
    with pytest.raises(InputError, match="^--every: 3 frames have more than the 100 cells a film may have"):
        film.add(np.ones((5, 9), np.uint8), (0, 0))
    assert len(film.frames()) == 2
    wide = Film()
    wide.add(np.ones((1, 1), np.uint8), (0, 0))
    wide.add(np.ones((1, 1), np.uint8), (0, 60))
    with pytest.raises(InputError, match="^--every: 2 frames of 1 x 61 cells are more than the 100 cells a film may have; take fewer"):
        wide.frames()


def test_the_lattice_agrees_with_what_is_answered():
    start = soup_of((12, 12), LIFE, 9)
    lattice = Lattice(start, LIFE, "plane")
    lattice.run(30)
    seen, final = observe(start, LIFE, "plane", 30)
    assert seen.population == lattice.population
    np.testing.assert_array_equal(final, lattice.cells())
    assert [low for low, _ in seen.bbox] == list(lattice.origin)
