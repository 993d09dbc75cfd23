"""Repeats and settling against published periods, and against brute force that remembers every state."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata import plane
from thunderlab.automata.kernels.reference import simulate
from thunderlab.automata.lattice import Lattice, Trace
from thunderlab.automata.measures import attractor
from thunderlab.automata.measures.attractor import Attractor, find
from thunderlab.automata.measures.settling import Settling, settle
from thunderlab.automata.measures.trail import Trail
from thunderlab.automata.measures.translation import translation
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError

LIFE = parse_rule("B3/S23", dimensions=2)
PATTERNS = {
    "block": ("x = 2, y = 2\n2o$2o!", 0, 1),
    "blinker": ("x = 3, y = 1\n3o!", 0, 2),
    "toad": ("x = 4, y = 2\nb3o$3o!", 0, 2),
    "pulsar": (
        "x = 13, y = 13\n2b3o3b3o2$o4bobo4bo$o4bobo4bo$o4bobo4bo$2b3o3b3o2$2b3o3b3o$o4bobo4bo$o4bobo4bo$o4bobo4bo2$2b3o3b3o!",
        0,
        3,
    ),
    "figure eight": ("x = 6, y = 6\n3o$3o$3o$3b3o$3b3o$3b3o!", 0, 8),
    "tumbler": ("x = 9, y = 5\nbo5bo$obo3bobo$o2bobo2bo$2bo3bo$2b2ob2o!", 0, 14),
    "row of ten": ("x = 10, y = 1\n10o!", 2, 15),
    "queen bee shuttle": ("x = 22, y = 7\n9b2o$9bobo$4b2o6bo7b2o$2obo2bo2bo2bo7b2o$2o2b2o6bo$9bobo$9b2o!", 0, 30),
    "pi-heptomino": ("x = 3, y = 3\n3o$obo$obo!", 173, 2),
    "diehard": ("x = 8, y = 3\n6bo$2o$bo3b3o!", 130, 1),
}
SHIPS = {
    "glider": ("x = 3, y = 3\nbo$2bo$3o!", (1, 1)),
    "lwss": ("x = 5, y = 4\nbo2bo$o$o3bo$4o!", (0, -2)),
    "mwss": ("x = 6, y = 5\n3bo$bo3bo$o$o4bo$5o!", (0, -2)),
    "hwss": ("x = 7, y = 5\n3b2o$bo4bo$o$o5bo$6o!", (0, -2)),
}


def placed(text, size, at=None):
    pattern = Pattern.parse(text).cells
    cells = np.zeros(size, np.uint8)
    y, x = at or ((size[0] - pattern.shape[0]) // 2, (size[1] - pattern.shape[1]) // 2)
    cells[y : y + pattern.shape[0], x : x + pattern.shape[1]] = pattern
    return cells


@pytest.mark.parametrize("name", PATTERNS)
def test_published_oscillators_and_what_settles_into_one(name):
    text, transient, period = PATTERNS[name]
    found = find(placed(text, (120, 121)), LIFE, "dead", max_steps=600)
    assert (found.found, found.transient, found.period, found.displacement, found.exact_period) == (True, transient, period, None, period)


@pytest.mark.parametrize("boundary", ["torus", "dead"])
@pytest.mark.parametrize("name", SHIPS)
def test_published_spaceships(name, boundary):
    text, by = SHIPS[name]
    found = find(placed(text, (60, 66)), LIFE, boundary, max_steps=40)
    assert (found.found, found.transient, found.period, found.displacement) == (True, 0, 4, by)
    around = {(1, 1): 4 * 660, (0, -2): 4 * 33}[by]  # once round 60 x 66 diagonally, once round 66 by twos
    assert found.exact_period == (around if boundary == "torus" else None)


def test_a_glider_across_the_seam_moves_all_the_same():
    cells = np.roll(placed("x = 3, y = 3\nbo$2bo$3o!", (20, 20), (0, 0)), (-2, -1), (0, 1))
    assert find(cells, LIFE).displacement == (1, 1)


def test_a_glider_on_a_torus_so_small_that_it_comes_round_first_still_moves():
    found = find(placed("x = 3, y = 3\nbo$2bo$3o!", (8, 8)), LIFE)
    assert (found.transient, found.period, found.displacement, found.exact_period) == (0, 4, (1, 1), 32)


def test_a_glider_that_passes_a_blinker_repeats_only_once_it_is_round():
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (40, 40), (30, 2))
    cells[5, 32:35] = 1
    found = find(cells, LIFE, "torus", max_steps=400)
    assert (found.transient, found.period, found.displacement) == (0, 160, None)


def test_a_moving_pattern_after_a_transient():
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (50, 50))
    cells[2, 2] = cells[44, 3] = 1  # lone cells die in the first step
    found = find(cells, LIFE, "torus", max_steps=100)
    assert (found.transient, found.period, found.displacement) == (1, 4, (1, 1))


class Scripted:
    """Two cells on a large torus: until step 7 ever further apart, then a pair that moves by (1, 1) a step."""

    def __init__(self, cells, rule, boundary):
        self._step = 0

    def cells(self):
        cells = np.zeros((200, 200), np.uint8)
        cells[self._step, self._step] = cells[self._step, self._step + (20 + self._step if self._step < 7 else 2)] = 1
        return cells

    population = 2

    @property
    def digest(self):
        return self._step

    def advance(self, steps):
        self._step += steps
        return Trace(np.full(steps, 2, np.int64), np.arange(self._step - steps + 1, self._step + 1).astype(np.uint64))


def test_the_transient_of_a_moving_pattern_is_found_though_the_population_never_changes():
    found = find(np.zeros((200, 200), np.uint8), LIFE, "torus", max_steps=150, lattice=Scripted)
    assert (found.transient, found.period, found.displacement, found.exact_period) == (7, 1, (1, 1), 200)


def test_a_glider_that_comes_round_a_small_torus_after_a_transient_still_moves():
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (10, 10), (0, 0))
    cells[6, 6] = 1  # dies in the first step
    found = find(cells, LIFE)
    assert (found.transient, found.period, found.displacement, found.exact_period) == (1, 4, (1, 1), 40)


def test_a_texture_that_shifts_is_an_oscillator_and_does_not_move():
    stripes = np.zeros((6, 8), np.uint8)
    stripes[:, ::2] = 1
    # Every dead cell has six live neighbours, and no live cell stays: the stripes change places.
    found = find(stripes, parse_rule("B6/S", dimensions=2), "torus")
    assert (found.period, found.displacement) == (2, None)


def test_a_pattern_moves_on_a_torus_only_with_two_empty_lines_between_its_ends():
    assert find(placed("x = 3, y = 3\nbo$2bo$3o!", (6, 6)), LIFE).displacement == (1, 1)
    narrow = np.zeros((4, 4), np.uint8)
    narrow[0, 0] = 1
    assert translation(narrow[:2], np.roll(narrow[:2], 1, 1), "torus") == (0, 1)
    assert translation(narrow[:2], np.roll(narrow[:2], 1, 0), "torus") is None


def test_nothing_is_found_before_its_time():
    cells = placed("x = 3, y = 3\n3o$obo$obo!", (120, 121))
    assert find(cells, LIFE, "dead", max_steps=174) == Attractor(False, None, None, None, None, 174)
    assert find(cells, LIFE, "dead", max_steps=175).transient == 173
    assert not find(cells, LIFE, "dead", max_steps=0).found


def test_an_empty_lattice_repeats_at_once():
    found = find(np.zeros((5, 5), np.uint8), LIFE)
    assert (found.transient, found.period, found.displacement) == (0, 1, None)


def brute_force(cells, rule, boundary, most):
    seen = {}
    for step in range(most + 1):
        key = cells.tobytes()
        if key in seen:
            return seen[key], step - seen[key]
        seen[key] = step
        cells = simulate(cells, rule, 1, boundary)
    return None


small = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7), elements=st.integers(0, 1))


@settings(deadline=None, max_examples=60)
@given(small, st.sampled_from(["B3/S23", "B36/S23", "B1357/S1357", "B2/S", "B026/S1"]), st.sampled_from(["torus", "dead"]))
def test_exact_repeats_are_those_of_brute_force(cells, rule, boundary):
    parsed = parse_rule(rule, dimensions=2)
    expected = brute_force(cells, parsed, boundary, 150)
    found = find(cells, parsed, boundary, max_steps=150)
    if found.displacement is None:
        assert ((found.transient, found.period) if found.found else None) == expected
    else:
        lattice = Lattice(cells, parsed, boundary)
        lattice.advance(found.transient)
        before = lattice.cells()
        lattice.advance(found.period)
        assert translation(before, lattice.cells(), boundary) == found.displacement
        assert boundary == "torus" and expected in (None, (found.transient, found.exact_period))  # no room to move 150 steps elsewhere


@pytest.mark.parametrize("corner", [(2, 3), (9, 1), (0, 0)])
def test_a_glider_between_dead_edges_moves_until_it_meets_one(corner):
    """And then is whatever became of it there, which plain stepping tells."""
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (20, 20), corner)
    transient, period = brute_force(cells, LIFE, "dead", 200)
    found = find(cells, LIFE, "dead", max_steps=200)
    assert (found.transient, found.period, found.displacement, found.exact_period) == (transient, period, None, period)
    assert transient > 20
    few = find(cells, LIFE, "dead", max_steps=20)
    assert (few.period, few.displacement, few.exact_period) == ((4, (1, 1), None) if min(corner) else (None, None, None))


class Colliding(Lattice):
    """A lattice whose fingerprints say nothing, so that only comparing cells can tell."""

    digest = 7

    def advance(self, steps):
        trace = super().advance(steps)
        return Trace(trace.population, np.full(steps, 7, np.uint64))


def test_equal_fingerprints_of_different_states_are_no_repeat():
    cells = placed("x = 6, y = 6\n3o$3o$3o$3b3o$3b3o$3b3o!", (30, 30))
    assert not find(cells, LIFE, "dead", max_steps=20, lattice=Colliding).found
    assert find(cells, LIFE, "dead", max_steps=20).period == 8


def test_a_search_that_is_out_of_budget_ends_and_says_not_found(monkeypatch):
    monkeypatch.setattr(attractor, "_MOST_INSPECTED", 60 * 60)
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (60, 60))
    assert not find(cells, LIFE, "torus", max_steps=100).found


@pytest.mark.parametrize("by", [(0, 0), (1, 0), (0, 5), (-3, 2), (4, -4)])
def test_translations_are_found_and_others_refused(by):
    cells = placed("x = 3, y = 3\nbo$2bo$3o!", (16, 18))
    moved = np.roll(cells, by, (0, 1))
    assert translation(cells, moved, "dead") == translation(cells, moved, "torus") == by
    moved[0, 0] ^= 1
    assert translation(cells, moved, "dead") is None and translation(cells, moved, "torus") is None


def test_translations_in_three_dimensions():
    cells = np.zeros((7, 8, 9), np.uint8)
    cells[1, 2, 3] = cells[2, 2, 4] = cells[2, 3, 3] = 1
    moved = np.roll(cells, (2, -2, 4), (0, 1, 2))
    assert translation(cells, moved, "torus") == (2, -2, 4)
    assert translation(cells, moved, "dead") == (2, -2, 4)


def test_settling_by_hand():
    assert settle(np.array([7] * 40)) == Settling(0, 1, 0)
    assert settle(np.array([3, 9] + [4, 5, 6] * 20)) == Settling(2, 3, 0)
    assert settle(np.arange(0, 400, 5)) == Settling(0, 1, 5)
    assert settle(np.array([1, 2] + [5, 5, 6] * 20) + np.arange(62) // 3 * 2) is not None
    assert settle(np.array([1, 2, 3] + [5] * 30)) is None  # 29 steps of evidence
    assert settle(np.array([1, 2, 3] + [5] * 31)) == Settling(3, 1, 0)
    assert settle(np.array([0])) is None


def test_a_gun_settles_into_growth_and_escaping_gliders_do_not_hinder():
    gun = "x = 36, y = 9\n24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!"
    trail = Trail(placed(gun, (120, 150), (4, 4)), LIFE, "dead")
    trail.run_to(240)
    assert settle(trail.populations) == Settling(0, 30, 5)
    assert not attractor.find_in(trail, 240).found


def test_a_trail_gives_back_any_state_and_is_the_reference():
    cells = placed("x = 3, y = 3\nb2o$2o$bo!", (40, 40))
    trail = Trail(cells, LIFE, "torus")
    trail.run_to(30)
    trail.keep()
    trail.run_to(10)
    trail.run_to(50)
    assert trail.steps == 50 and trail.populations.shape == trail.digests.shape == (51,)
    for step in (0, 7, 30, 45):
        expected = simulate(cells, LIFE, step, "torus")
        assert np.array_equal(trail.cells_at(step), expected)
        assert trail.populations[step] == expected.sum()


@pytest.mark.parametrize("name", PATTERNS)
def test_on_a_plane_oscillators_are_those_inside_far_edges(name):
    text, transient, period = PATTERNS[name]
    found = find(Pattern.parse(text).cells, LIFE, "plane", max_steps=600)
    assert (found.found, found.transient, found.period, found.displacement, found.exact_period) == (True, transient, period, None, period)


@pytest.mark.parametrize("name", SHIPS)
def test_on_a_plane_spaceships_move_and_never_come_round(name):
    text, by = SHIPS[name]
    found = find(Pattern.parse(text).cells, "B3/S23", "plane", max_steps=40)
    assert (found.found, found.transient, found.period, found.displacement, found.exact_period) == (True, 0, 4, by, None)


def test_on_a_plane_a_ship_far_from_the_first_cell_moves_all_the_same():
    found = find(placed(SHIPS["lwss"][0], (300, 400)), LIFE, "plane")
    assert (found.transient, found.period, found.displacement) == (0, 4, (0, -2))


def test_on_a_plane_what_never_repeats_is_not_found():
    """A gun, and an R-pentomino whose gliders never stop to part (LifeWiki): both go on for ever."""
    gun = "x = 36, y = 9\n24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!"
    for text, most in ((gun, 500), ("x = 3, y = 3\nb2o$2o$bo!", 1500)):
        assert find(Pattern.parse(text).cells, LIFE, "plane", max_steps=most) == Attractor(False, None, None, None, None, most)


def test_on_a_plane_nothing_is_found_before_its_time():
    cells = Pattern.parse("x = 3, y = 3\n3o$obo$obo!").cells
    assert find(cells, LIFE, "plane", max_steps=174) == Attractor(False, None, None, None, None, 174)
    assert find(cells, LIFE, "plane", max_steps=175).transient == 173
    assert not find(cells, LIFE, "plane", max_steps=0).found


def test_on_a_plane_other_families_and_dimensions_move_too():
    """Bays's glider in three dimensions; Brian's Brain's smallest ship, a cell a step (LifeWiki, "Brian's Brain")."""
    glider = np.stack([Pattern.parse("x = 3, y = 3\nbo$2bo$3o!").cells] * 2)
    found = find(glider, "B6/S5-7", "plane", max_steps=50)
    assert (found.transient, found.period, found.displacement) == (0, 4, (0, 1, 1))
    brain = find(np.array([[2, 1], [2, 1]], np.uint8), "/2/3", "plane", max_steps=50)
    assert (brain.transient, brain.period, brain.displacement, brain.exact_period) == (0, 1, (0, 1), None)


def test_on_a_plane_an_empty_start_repeats_at_once_and_a_dying_one_as_it_dies():
    assert find(np.zeros((4, 4), np.uint8), LIFE, "plane").transient == 0
    found = find(np.ones((1, 2), np.uint8), LIFE, "plane")
    assert (found.transient, found.period, found.displacement) == (1, 1, None)


@settings(deadline=None, max_examples=25)
@given(small, st.sampled_from(["B3/S23", "B36/S23", "B2/S", "B2-a/S12", "345/2/4"]))
def test_on_a_plane_repeats_are_those_of_brute_force(cells, rule):
    parsed = parse_rule(rule, dimensions=2)
    steps = 20
    expected = brute_force(np.pad(cells, steps), parsed, "dead", steps)
    found = find(cells, parsed, "plane", max_steps=steps)
    if found.displacement is None:
        assert ((found.transient, found.period) if found.found else None) == expected
    else:
        assert found.exact_period is None and any(found.displacement)


def test_a_plane_that_cannot_be_looked_at_so_far_names_the_number_of_steps_that_was_given(monkeypatch):
    monkeypatch.setattr(plane, "_FREE_CELLS", 400)
    monkeypatch.setattr(plane, "MOST_CELLS", 2000)
    ships = np.zeros((20, 20), np.uint8)
    ships[:3, :3], ships[-3:, -3:] = placed("x = 3, y = 3\n3o$o$bo!", (3, 3)), placed("x = 3, y = 3\nbo$2bo$3o!", (3, 3))
    with pytest.raises(InputError, match=r"^max_steps: "):
        find(ships, LIFE, "plane", max_steps=1000)


@pytest.mark.parametrize(
    ("message", "arguments", "most"),
    [
        ("cells: expected a NumPy array of uint8, not float64", (np.ones((3, 3)), LIFE, "plane"), 100),
        ("cells: expected states 0 to 1, as the rule has, found 5", (np.full((3, 3), 5, np.uint8), LIFE, "plane"), 100),
        ("cells: .* no empty axis", (np.zeros((3, 0), np.uint8), LIFE, "plane"), 100),
        ("boundary: .*B0", (np.ones((3, 3), np.uint8), "B0/S", "plane"), 100),
        ("boundary: Lenia", (np.ones((3, 3), np.uint8), "Lenia", "plane"), 100),
        ("boundary: 'klein'", (np.ones((3, 3), np.uint8), LIFE, "klein"), 100),
        ("max_steps: expected a whole number from 0 to", (np.ones((3, 3), np.uint8), LIFE, "plane"), -1),
        ("max_steps: expected a whole number from 0 to", (np.ones((3, 3), np.uint8), LIFE, "torus"), -1),
    ],
)
def test_what_cannot_be_searched_is_refused(message, arguments, most):
    with pytest.raises(InputError, match=f"^{message}"):
        find(*arguments, max_steps=most)


@pytest.mark.parametrize("name", [*PATTERNS, *SHIPS])
@pytest.mark.parametrize("last", [30, 200, 700])
def test_a_trail_on_a_plane_repeats_as_it_does_inside_far_edges(name, last):
    cells = Pattern.parse((PATTERNS | SHIPS)[name][0]).cells
    trail = Trail(cells, LIFE, "plane")
    found, expected = attractor.find_in(trail, last), find(cells, LIFE, "plane", max_steps=last)
    assert dataclasses.replace(found, searched=0) == dataclasses.replace(expected, searched=0)
    assert found.found == ((name in SHIPS) or sum(PATTERNS[name][1:]) <= last)


@settings(deadline=None, max_examples=25)
@given(small, st.sampled_from(["B3/S23", "B36/S23", "B2/S", "B2-a/S12", "345/2/4"]), st.integers(1, 24))
def test_a_trail_on_a_plane_repeats_as_brute_force_says(cells, rule, steps):
    parsed = parse_rule(rule, dimensions=2)
    expected = brute_force(np.pad(cells, steps), parsed, "dead", steps)
    found = attractor.find_in(Trail(cells, parsed, "plane"), steps)
    if found.displacement is None:
        assert ((found.transient, found.period) if found.found else None) == expected
    else:
        assert expected is None and found.exact_period is None and any(found.displacement)


def test_on_a_plane_gliders_that_part_for_ever_do_not_repeat():
    """Two gliders that fly apart look alike every fourth step and are never the same; the queen bee shuttle has period 30 (LifeWiki)."""
    apart = np.zeros((20, 20), np.uint8)
    apart[:3, :3], apart[-3:, -3:] = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]])
    found = attractor.find_in(Trail(apart, LIFE, "plane"), 3000)
    assert found == Attractor(False, None, None, None, None, 3000)
    queen = Pattern.parse(PATTERNS["queen bee shuttle"][0]).cells
    assert attractor.find_in(Trail(queen, LIFE, "plane"), 3000).period == 30


def test_a_trail_on_a_plane_tells_where_any_state_lies():
    cells = placed(SHIPS["glider"][0], (9, 12))
    trail = Trail(cells, LIFE, "plane")
    top, left = (int(at) for at in np.argwhere(cells).min(axis=0))
    for step in (40, 400):
        trail.run_to(step)
        trail.keep()
    trail.run_to(401)
    for step in (0, 4, 36, 40, 44, 400):
        state = trail.state_at(step)
        assert state.origin == (top + step // 4, left + step // 4) and (state.cells == Pattern.parse(SHIPS["glider"][0]).cells).all()
        assert trail.known[step] == (step in (0, 40, 400))
    far = Trail(cells, LIFE, "plane")
    for step in (7, 40, 123, 400):
        far.run_to(step)
    assert far.digests[[40, 400]].tolist() == trail.digests[[40, 400]].tolist() and far.digests[40] != far.digests[400]
