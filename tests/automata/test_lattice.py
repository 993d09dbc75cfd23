"""The lattice as its callers see it: published patterns, traces, digests, and what it refuses."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from thunderlab.automata import backend
from thunderlab.automata.kernels import packed
from thunderlab.automata.lattice import MOST_STEPS, Lattice, simulate
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError
from thunderlab.seeds import stream

GLIDER = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]


def plane(height, width, pattern, y=0, x=0):
    cells = np.zeros((height, width), dtype=np.uint8)
    cells[y : y + len(pattern), x : x + len(pattern[0])] = pattern
    return cells


def test_the_r_pentomino_settles_with_116_cells_at_step_1103():
    """Published many times; LifeWiki, "R-pentomino": stabilises at generation 1103 with a population of 116."""
    lattice = Lattice(plane(700, 700, [[0, 1, 1], [1, 1, 0], [0, 1, 0]], 350, 350), "B3/S23", "dead")
    trace = lattice.advance(1200)
    assert trace.population[1102 - 1] == 118
    # From then on there are still lifes, blinkers and gliders, which have as many cells at any time.
    assert set(trace.population[1103 - 1 :]) == {116}
    assert lattice.step == 1200


def test_a_glider_comes_back_around_a_torus():
    """One cell diagonally every four steps: on 20 by 30 it is home after 4 * lcm(20, 30) = 240, and not earlier."""
    lattice = Lattice(plane(20, 30, GLIDER), "B3/S23")
    home, start = lattice.digest, lattice.cells()
    digests = lattice.advance(240).digest.tolist()
    assert digests.index(home) == 239
    np.testing.assert_array_equal(lattice.cells(), start)
    assert lattice.digest == home


def test_a_glider_dies_against_a_dead_edge_as_a_block():
    """In the corner of a dead lattice it becomes a block of four."""
    lattice = Lattice(plane(10, 10, GLIDER), "B3/S23", "dead")
    assert lattice.advance(60).population[-1] == 4
    assert lattice.cells()[-2:, -2:].sum() == 4


def test_the_glider_of_bays_in_three_dimensions():
    """C. Bays (Complex Systems 1, 1987): Life 5766 (B6/S5-7) runs a Life glider doubled into two planes, ten cells, period four."""
    cells = np.zeros((8, 12, 12), dtype=np.uint8)
    cells[3:5, 4:7, 4:7] = GLIDER
    after = simulate(cells, "B6/S5-7", 4)
    np.testing.assert_array_equal(after, np.roll(cells, (1, 1), axis=(1, 2)))


@pytest.mark.parametrize("shape", [(31, 65), (5, 9, 33)])
def test_steps_taken_one_by_one_or_at_once_are_the_same(shape, monkeypatch):
    cells = (stream(1).random(shape) < 0.4).astype(np.uint8)
    rule = parse_rule("B3/S2-3", dimensions=len(shape))
    once, one_by_one, in_pieces = (Lattice(cells, rule) for _ in range(3))
    trace = once.advance(9)
    singles = [one_by_one.advance(1) for _ in range(9)]
    monkeypatch.setattr(packed, "LAUNCH_STEPS", 2)
    pieces = in_pieces.advance(9)
    for name in ("population", "digest"):
        assert getattr(trace, name).tolist() == [int(getattr(single, name)[0]) for single in singles] == getattr(pieces, name).tolist()
    assert once.digest == one_by_one.digest == in_pieces.digest == trace.digest[-1]
    assert once.population == trace.population[-1] == once.cells().sum()
    assert once.step == one_by_one.step == in_pieces.step == 9


def test_a_trace_has_its_types_and_zero_steps_leave_an_empty_one():
    lattice = Lattice(plane(5, 5, GLIDER), "B3/S23")
    before = lattice.digest, lattice.population
    trace = lattice.advance(0)
    assert trace.population.dtype == np.int64 and trace.digest.dtype == np.uint64
    assert trace.population.shape == trace.digest.shape == (0,)
    assert (lattice.digest, lattice.population, lattice.step) == (*before, 0)


def test_equal_states_have_equal_digests_whatever_led_to_them():
    """By another rule, another boundary, or none; and where unused bits follow the last column."""
    for width in (30, 255, 256, 300, 511):
        cells = (stream(width).random((12, width)) < 0.4).astype(np.uint8)
        cells[0] = cells[-1] = cells[:, 0] = cells[:, -1] = 0
        digests = {Lattice(cells, rule, boundary).digest for rule in ("B3/S23", "B0/S") for boundary in ("torus", "dead")}
        everything_stays = Lattice(cells, "B/S012345678")
        everything_stays.advance(3)
        assert digests == {everything_stays.digest}
    assert Lattice(np.zeros((3, 3), dtype=np.uint8), "B3/S23").digest == 0


def test_the_cells_belong_to_the_caller():
    cells = plane(6, 6, GLIDER)
    kept = cells.copy()
    lattice = Lattice(cells, "B3/S23")
    cells[:] = 1
    handed_out = lattice.cells()
    np.testing.assert_array_equal(handed_out, kept)
    handed_out[:] = 1
    np.testing.assert_array_equal(lattice.cells(), kept)


def test_views_of_any_stride_are_taken():
    cells = (stream(2).random((9, 14)) < 0.4).astype(np.uint8)
    np.testing.assert_array_equal(simulate(cells.T[::-1, ::2], "B3/S23", 3), simulate(cells.T[::-1, ::2].copy(), "B3/S23", 3))


def test_lattices_may_run_in_threads():
    cells = (stream(4).random((64, 64)) < 0.4).astype(np.uint8)
    expected = simulate(cells, "B3/S23", 50)
    results = []
    threads = [threading.Thread(target=lambda: results.append(simulate(cells, "B3/S23", 50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all((result == expected).all() for result in results)


def test_properties_tell_what_was_handed_in():
    lattice = Lattice(np.zeros((2, 3, 4), dtype=np.uint8), "B5-7/S4-6", "dead")
    assert (lattice.shape, lattice.rule, lattice.boundary) == ((2, 3, 4), parse_rule("B5-7/S4-6", dimensions=3), "dead")
    with pytest.raises(AttributeError):
        lattice.step = 5


GOOD = np.zeros((3, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("cells: expected a NumPy array of uint8, not int64", (np.zeros((3, 3), dtype=np.int64), "B3/S23")),
        ("cells: expected a NumPy array of uint8, not bool", (np.zeros((3, 3), dtype=bool), "B3/S23")),
        ("cells: expected a NumPy array of uint8, not list", ([[0, 1]], "B3/S23")),
        ("cells: expected states 0 to 1, as the rule has, found 2", (GOOD + np.uint8(2), "B3/S23")),
        ("cells: expected states 0 to 3, as the rule has, found 4", (GOOD + np.uint8(4), "345/2/4")),
        ("cells: expected .y x. or .z y x. with no empty axis, not the shape .3,.", (GOOD[0], "B3/S23")),
        ("cells: expected .y x. or .z y x.", (np.zeros((1, 1, 1, 1), dtype=np.uint8), "B3/S23")),
        ("cells: expected .y x. or .z y x. with no empty axis, not the shape .3, 0.", (GOOD[:, :0], "B3/S23")),
        ("boundary: 'klein' is not a boundary; accepted: torus, dead, plane", (GOOD, "B3/S23", "klein")),
        ("boundary: ", (GOOD, "B0/S23", "plane")),
        ("rule: expected a rule in 2 dimensions", (GOOD, parse_rule("B3/S2", dimensions=3))),
        ("rule: expected a rule in 2 dimensions", (GOOD, None)),
        ("rule: .* is not a rule", (GOOD, "alive")),
    ],
)
def test_what_is_not_a_lattice_is_refused(field, arguments):
    with pytest.raises(InputError, match=f"^{field}"):
        Lattice(*arguments)


@pytest.mark.parametrize("launches", [1, 2])
def test_an_interrupted_advance_leaves_a_lattice_that_goes_on(launches, monkeypatch):
    """The interrupt arrives while a launch runs and is raised as it returns."""
    cells = (stream(9).random((20, 40)) < 0.4).astype(np.uint8)
    lattice = Lattice(cells, "B3/S23")
    assert lattice.population == cells.sum()  # known from here on, and wrong after the interrupt unless forgotten
    monkeypatch.setattr(packed, "LAUNCH_STEPS", 3)
    engine, calls = lattice._engine._engine, []
    loops = engine._loops
    real = loops(True)[0]

    def interrupted(*arguments):
        real(*arguments)
        calls.append(arguments)
        if len(calls) == launches:
            raise KeyboardInterrupt

    engine._loops = lambda traced: (interrupted, None)
    with pytest.raises(KeyboardInterrupt):
        lattice.advance(7)
    engine._loops = loops
    assert lattice.step == 3 * launches
    expected = simulate(cells, "B3/S23", lattice.step)
    np.testing.assert_array_equal(lattice.cells(), expected)
    assert (lattice.population, lattice.digest) == (expected.sum(), Lattice(expected, "B3/S23").digest)
    lattice.advance(2)
    np.testing.assert_array_equal(lattice.cells(), simulate(cells, "B3/S23", 3 * launches + 2))


def test_an_interrupt_between_launches_waits_for_the_rest_of_a_round(monkeypatch):
    cells = (stream(10).random((67, 40)) < 0.4).astype(np.uint8)
    running = backend.start()
    monkeypatch.setattr(backend, "_running", running._replace(arch="cuda"))  # where bands and seams are launched one after the other
    monkeypatch.setattr(packed, "LAUNCH_STEPS", 16)
    monkeypatch.setattr(packed.Packed, "_cut", lambda self, threads: (4, 8, True))
    lattice = Lattice(cells, "B3/S23")
    engine = lattice._engine._engine
    loops, calls = engine._loops, []

    def interrupted(*arguments):
        calls.append(arguments)
        loops(True)[1](*arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt

    engine._loops = lambda traced: (None, interrupted)
    with pytest.raises(KeyboardInterrupt):
        lattice.advance(20)
    assert (lattice.step, len(calls)) == (16, 4)
    np.testing.assert_array_equal(lattice.cells(), simulate(cells, "B3/S23", 16))


@pytest.mark.parametrize("steps", [-1, 1.0, "3", None, True, MOST_STEPS + 1])
def test_steps_that_are_no_count_are_refused(steps):
    lattice = Lattice(GOOD, "B3/S23")
    with pytest.raises(InputError, match="^steps: expected a whole number from 0 to"):
        lattice.advance(steps)
    assert lattice.step == 0


def test_very_many_rows_in_very_many_bands(monkeypatch):
    """The product of rows and bands has more than 32 bits here, as it has by itself from 1.5 million rows on."""
    cells = np.zeros((200_003, 3), dtype=np.uint8)  # a prime, so that it is not taken in parts side by side
    for at in (*stream(11).integers(3, 199_990, 500), 0, 200_000):
        cells[at : at + 3, 1] = 1
    expected, made = simulate(cells, "B3/S23", 9), []

    def cut(self, threads):
        made.append(self._units)
        return self._units // 16, 8, False

    monkeypatch.setattr(packed.Packed, "_cut", cut)
    np.testing.assert_array_equal(simulate(cells, "B3/S23", 9), expected)
    assert made[0] * (made[0] // 16) > 2**31
