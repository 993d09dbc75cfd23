"""Connected groups against a flood fill written differently, in two and three dimensions, for every neighbourhood."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from thunderlab.automata.measures.components import components
from thunderlab.errors import InputError

states = arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7), elements=st.sampled_from([0, 0, 1, 2, 255]))


def near(neighbourhood, here, there, shape, boundary):
    """Whether two places are neighbours, told from their distances along the axes (and, for hexagons, which way these go)."""
    away = []
    for a, b, size in zip(here, there, shape, strict=True):
        turns = {(b - a) % size, (b - a) % size - size} if boundary == "torus" else {b - a}
        away.append([turn for turn in turns if abs(turn) <= 1])
    for step in product(*away):
        far = sum(map(abs, step))
        if far and {"moore": True, "von-neumann": far == 1, "hexagonal": step not in {(1, -1), (-1, 1)}}[neighbourhood]:
            return True
    return False


def groups(cells, boundary, neighbourhood):
    left, sizes = [tuple(map(int, place)) for place in np.argwhere(cells)], []
    while left:
        front, size = [left.pop()], 0
        while front:
            here, size = front.pop(), size + 1
            met = [place for place in left if near(neighbourhood, here, place, cells.shape, boundary)]
            left = [place for place in left if place not in met]
            front += met
        sizes.append(size)
    return sorted(sizes, reverse=True)


@settings(deadline=None, max_examples=150)
@given(states, st.sampled_from(["torus", "dead", "plane"]), st.sampled_from(["moore", "von-neumann", "hexagonal"]))
def test_groups_are_those_of_a_flood_fill(cells, boundary, neighbourhood):
    if cells.ndim == 3 and neighbourhood == "hexagonal":
        with pytest.raises(InputError, match="no hexagonal neighbourhood in 3"):
            components(cells, boundary, neighbourhood)
        return
    found = components(cells, boundary, neighbourhood)
    expected = groups(cells, boundary, neighbourhood)
    assert found.sizes.tolist() == expected and found.sizes.dtype == np.int64
    assert (found.count, found.largest) == (len(expected), max(expected, default=0))


def test_a_ring_round_the_torus_is_one_and_a_checkerboard_depends_on_corners():
    board = np.indices((6, 8)).sum(axis=0).astype(np.uint8) % 2
    assert components(board, "torus").sizes.tolist() == [24]
    assert components(board, "torus", "von-neumann").count == 24
    ring = np.zeros((5, 5), np.uint8)
    ring[:, 2] = 1
    ring[2, 2] = 0
    assert (components(ring, "dead").sizes.tolist(), components(ring, "torus").sizes.tolist()) == ([2, 2], [4])


def test_hexagons_touch_along_one_diagonal_only():
    down, up = np.eye(2, dtype=np.uint8), np.eye(2, dtype=np.uint8)[::-1]
    assert (components(down, "dead", "hexagonal").count, components(up, "dead", "hexagonal").count) == (1, 2)


def test_as_many_cells_as_are_not_zero_are_in_groups():
    cells = np.random.default_rng(5).integers(0, 3, (300, 211), dtype=np.uint8)
    found = components(cells, "torus")
    assert int(found.sizes.sum()) == int((cells != 0).sum()) and (np.diff(found.sizes) <= 0).all()
