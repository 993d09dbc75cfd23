"""Block entropy against blocks cut out one by one, SciPy's entropy, and courses whose entropy is known."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import stats

from thunderlab.automata.measures import blocks
from thunderlab.automata.measures.blocks import block_counts, block_entropy, entropy_of_counts
from thunderlab.automata.measures.observables import cell_entropy
from thunderlab.errors import InputError

states = arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6), elements=st.integers(0, 2))


def cut(cells, sides, boundary):
    """Return every block as a tuple of its cells, cut out place by place."""
    reach = [range(size if boundary == "torus" else size - side + 1) for size, side in zip(cells.shape, sides, strict=True)]
    offsets = list(product(*map(range, sides)))
    return [
        tuple(
            int(cells[tuple((at + step) % size for at, step, size in zip(place, offset, cells.shape, strict=True))]) for offset in offsets
        )
        for place in product(*reach)
    ]


@settings(deadline=None)
@given(states, st.data(), st.sampled_from(["torus", "dead"]))
def test_blocks_are_those_cut_out_one_by_one(cells, data, boundary):
    sides = tuple(data.draw(st.integers(1, 3 if boundary == "torus" else min(3, size))) for size in cells.shape)
    if math.prod(sides) > 12:  # more kinds than are counted one by one
        sides = (1,) * (cells.ndim - 1) + sides[-1:]
    seen = Counter(cut(cells, sides, boundary))
    counts = block_counts(cells, sides, boundary, states=3)
    assert {index: int(count) for index, count in enumerate(counts) if count} == {
        int("".join(map(str, block)), 3): count for block, count in seen.items()
    }
    assert block_entropy(cells, sides, boundary, states=3) == pytest.approx(float(stats.entropy(list(seen.values()), base=2)), abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(states, st.integers(1, 40))
def test_sorted_blocks_have_the_entropy_of_counted_ones(cells, places):
    expected = block_entropy(cells, 2, "torus", states=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_MOST_DENSE", 0)
        patch.setattr(blocks, "_MOST_SORTED", places)  # so that they are sorted in parts
        patch.setattr(blocks, "_SLAB", places)
        assert block_entropy(cells, 2, "torus", states=3) == expected


@pytest.mark.parametrize("size", [5, 7, (3, 17), (1, 45)])
def test_many_kinds_of_blocks_are_counted_right(size):
    cells = (np.random.default_rng(1).random((40, 50)) < 0.03).astype(np.uint8)
    seen = Counter(cut(cells, (size, size) if isinstance(size, int) else size, "torus"))
    assert 50 < len(seen) < 2000
    assert block_entropy(cells, size, "torus") == pytest.approx(float(stats.entropy(list(seen.values()), base=2)), abs=1e-9)


def test_known_entropies():
    stripes = np.tile(np.array([0, 1], np.uint8), (64, 32))
    assert [block_entropy(stripes, size, "torus") for size in (1, 2, 3, 4)] == [1.0] * 4
    assert block_entropy(np.zeros((9, 9), np.uint8), 3, "torus") == 0.0
    noise = np.random.default_rng(2).integers(0, 2, (1024, 1024), dtype=np.uint8)
    # Miller's correction: (kinds - 1) / (2 ln 2 places) bits too low.
    assert block_entropy(noise, 3, "torus") == pytest.approx(9 - 511 / (2 * math.log(2) * 2**20), abs=1e-4)
    de_bruijn = np.array([[0, 0, 0, 1, 0, 1, 1, 1]], np.uint8)  # every word of three once
    assert block_counts(de_bruijn, (1, 3), "torus").tolist() == [1] * 8 and block_entropy(de_bruijn, (1, 3), "torus") == 3.0


@settings(deadline=None)
@given(states)
def test_a_cell_alone_has_the_cells_entropy_and_blocks_no_more_each(cells):
    single = cell_entropy(cells, 3)
    assert block_entropy(cells, 1, "torus", states=3) == pytest.approx(single, abs=1e-11)
    assert block_entropy(cells, 2, "torus", states=3) <= 2**cells.ndim * single + 1e-9


@pytest.mark.parametrize(
    ("size", "boundary", "states", "what"),
    [
        (0, "torus", 2, "sides from 1 to 63"),
        (64, "torus", 2, "sides from 1 to 63"),
        ((3,), "torus", 2, "2 sides"),
        ((3, 3, 3), "torus", 2, "2 sides"),
        (8, "torus", 2, "2\\*\\*63"),
        (6, "torus", 4, "2\\*\\*63"),
        (3, "torus", 256, "2\\*\\*63"),
        (6, "dead", 2, "fits"),
        ((1, 7), "plane", 2, "fits"),
        (2, "torus", 1, "2 to 256 states"),
        (2, "torus", 257, "2 to 256 states"),
        (2, "torus", 3, "found 3"),
    ],
)
def test_blocks_that_cannot_be_are_refused(size, boundary, states, what):
    cells = np.zeros((5, 6), np.uint8)
    if what == "found 3":
        cells[1, 1] = 3
    with pytest.raises(InputError, match=what):
        block_entropy(cells, size, boundary, states)


def test_as_many_kinds_as_fit_a_number_are_accepted():
    cells = np.random.default_rng(3).integers(0, 2, (20, 20), dtype=np.uint8)
    assert block_entropy(cells, (1, 63), "torus") == block_entropy(cells, (63, 1), "torus") == pytest.approx(math.log2(400))  # wraps thrice
    assert block_entropy(cells, (7, 9), "torus") == pytest.approx(math.log2(400))  # 63 cells: every block another
    cells = np.random.default_rng(3).integers(0, 128, (20, 20), dtype=np.uint8)
    assert block_entropy(cells, 3, "torus", states=128) == pytest.approx(math.log2(400))  # 7 bits times 9 cells
    with pytest.raises(InputError, match="one by one"):
        block_counts(cells, 3, "torus", states=128)


def test_entropy_of_counts_is_scipys():
    counts = np.random.default_rng(4).integers(0, 50, 1000)
    assert entropy_of_counts(counts) == pytest.approx(float(stats.entropy(counts, base=2)), abs=1e-12)
    assert entropy_of_counts(np.zeros(4, np.int64)) == 0.0
