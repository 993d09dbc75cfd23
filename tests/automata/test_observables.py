"""Observables against brute force: flood fill, entropies by hand, and stored states that must come back or be refused."""

import math
import struct
import zlib
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata import packed_states
from thunderlab.automata.measures import observables
from thunderlab.errors import EvidenceError, InputError

states = arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7), elements=st.integers(0, 1))


def flood_fill(cells, boundary):
    left, count = {tuple(map(int, place)) for place in np.argwhere(cells)}, 0
    while left:
        count += 1
        front = [left.pop()]
        while front:
            place = front.pop()
            for shift in product((-1, 0, 1), repeat=cells.ndim):
                there = tuple(at + by for at, by in zip(place, shift, strict=True))
                if boundary == "torus":
                    there = tuple(at % size for at, size in zip(there, cells.shape, strict=True))
                if there in left:
                    left.remove(there)
                    front.append(there)
    return count


@settings(deadline=None)
@given(states, st.sampled_from(["torus", "dead"]))
def test_clusters_are_those_of_a_flood_fill(cells, boundary):
    assert observables.cluster_count(cells, boundary) == flood_fill(cells, boundary)


@pytest.mark.parametrize(
    ("alive", "dead", "torus"),
    [
        ([], 0, 0),
        ([(0, 0), (0, 5)], 2, 1),  # across the vertical seam
        ([(0, 0), (4, 0)], 2, 1),  # across the horizontal one
        ([(0, 0), (4, 5)], 2, 1),  # across the corner
        ([(0, 5), (4, 0)], 2, 1),  # across the other corner
        ([(4, 2), (0, 3)], 2, 1),  # diagonally across a seam
        ([(0, 0), (4, 2)], 2, 2),
        ([(1, 1), (2, 2), (3, 1)], 1, 1),
    ],
)
def test_clusters_across_seams_and_corners(alive, dead, torus):
    cells = np.zeros((5, 6), np.uint8)
    for place in alive:
        cells[place] = 1
    assert (observables.cluster_count(cells, "dead"), observables.cluster_count(cells, "torus")) == (dead, torus)


def test_a_three_dimensional_corner_joins_across_all_three_seams():
    cells = np.zeros((4, 4, 4), np.uint8)
    cells[0, 0, 0] = cells[3, 3, 3] = 1
    assert (observables.cluster_count(cells, "dead"), observables.cluster_count(cells, "torus")) == (2, 1)


@settings(deadline=None)
@given(st.integers(1, 10**9), st.data())
def test_entropy_is_that_of_the_formula_and_symmetric(cells, data):
    alive = data.draw(st.integers(0, cells))
    p = alive / cells
    expected = 0.0 if p in (0, 1) else -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    assert observables.state_entropy(alive, cells) == pytest.approx(expected, abs=1e-9)
    assert observables.state_entropy(alive, cells) == observables.state_entropy(cells - alive, cells)


def test_entropies_are_those_of_each_step():
    course = np.array([1, 2, 1, 4, 0])
    assert observables.entropies(course, 4) == [observables.state_entropy(int(alive), 4) for alive in course]


@settings(deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6)), st.integers(1, 256))
def test_cells_are_counted_by_state_and_others_refused(cells, states):
    if int(cells.max()) >= states:
        with pytest.raises(InputError, match=f"states 0 to {states - 1}, found {cells.max()}"):
            observables.state_counts(cells, states)
        return
    counts = observables.state_counts(cells, states)
    assert counts.dtype == np.int64 and counts.tolist() == [cells.ravel().tolist().count(state) for state in range(states)]
    assert observables.cell_entropy(cells, states) == pytest.approx(float(scipy.stats.entropy(counts, base=2)), abs=1e-9)


def test_counts_are_right_beyond_one_slab(monkeypatch):
    cells = np.random.default_rng(1).integers(0, 5, (37, 53), dtype=np.uint8)
    whole = observables.state_counts(cells, 5)
    monkeypatch.setattr(observables, "_SLAB", 100)
    assert observables.state_counts(cells, 5).tolist() == whole.tolist()
    for states in (0, 257):
        with pytest.raises(InputError, match="1 to 256 states"):
            observables.state_counts(cells, states)


@settings(deadline=None)
@given(states)
def test_with_two_states_a_cells_entropy_is_the_states(cells):
    assert observables.cell_entropy(cells, 2) == observables.state_entropy(int(cells.sum()), cells.size)


@settings(deadline=None)
@given(states, st.data())
def test_activity_is_the_cells_that_differ(cells, data):
    after = data.draw(arrays(np.uint8, cells.shape, elements=st.integers(0, 2)))
    changed = sum(a != b for a, b in zip(cells.ravel().tolist(), after.ravel().tolist(), strict=True))
    assert observables.activity(cells, after) == changed
    assert observables.activity_ratio(cells, after) == changed / cells.size
    with pytest.raises(InputError, match="cannot be compared"):
        observables.activity(cells, np.zeros((1, 99), np.uint8))


def test_stability_by_hand_and_of_a_blinker_in_a_field():
    assert observables.stability([0, 0], 9) == 1.0 and observables.stability([9, 9], 9) == 0.0
    assert observables.stability(np.array([4] * 3, dtype=np.int64), 25) == 0.84
    assert observables.stability([1, 0, 0], 3) == 0.888888888889


def test_mean_spread_and_trend_by_hand():
    assert observables.mean_and_std([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]) == (5.0, 2.0)
    assert observables.mean_and_std([0.1] * 10) == (0.1, 0.0)
    assert observables.trend([1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 2.0, 4.0]) == 2.0
    assert observables.trend([3.0]) == 0.0


@settings(deadline=None)
@given(states)
def test_a_packed_state_comes_back(cells):
    found = packed_states.unpack(packed_states.pack(cells))
    assert np.array_equal(found, cells) and found.dtype == np.uint8


GOOD = packed_states.pack(np.ones((3, 5), np.uint8))


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"TLC1",
        b"PNG" + GOOD[3:],
        GOOD[:-1],
        GOOD[:20],
        GOOD + b"\0",
        GOOD[:4] + struct.pack("<I", 4) + GOOD[8:],
        GOOD[:4] + struct.pack("<III", 2, 3, 50) + GOOD[16:],
        GOOD[:4] + struct.pack("<III", 2, 3, 1) + GOOD[16:],
        GOOD[:4] + struct.pack("<III", 2, 2**31, 2**31) + GOOD[16:],
        GOOD[:16] + b"\xff" + GOOD[17:],
        GOOD[:16] + zlib.compress(b"\0" * 10**6),  # far more than the header says
    ],
)
def test_what_is_no_packed_state_is_refused(packed):
    with pytest.raises(EvidenceError):
        packed_states.unpack(packed)
