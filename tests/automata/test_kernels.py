"""Every kernel equals the plain NumPy reference bit for bit, in states, populations and digests."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thunderlab.automata.ensemble import Ensemble
from thunderlab.automata.kernels import layout, packed, reference
from thunderlab.automata.kernels.folds import Folds
from thunderlab.automata.kernels.layout import WORDS, Blocks
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.rules import Elementary, LargerThanLife, OuterTotalistic, parse_rule
from thunderlab.automata.rules.outer_totalistic import NEIGHBOURS
from thunderlab.seeds import stream

# Around the ends of words and of vectors, once, twice and thrice, layouts change.
WIDTHS = (1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 127, 129, 255, 256, 257, 258, 511, 512, 513, 514, 767, 768, 769, 1023, 1024, 1025)
EDGES = ("torus", "dead")
HENSEL = ("B2-a/S12", "B3/S2-i34q", "B3-k4ci/S23", "B2ek3ain/S1c2-n4w8", "B0124e/S5-a78")


@pytest.fixture(params=["whole", "bands", "shared"])
def cut(request, monkeypatch):
    """Force one way of cutting a lattice, whatever its size and the machine: not at all, in serial bands, or shared among threads."""
    if request.param == "whole":
        return request.param

    def cut(self, threads):
        bands = max(1, min(3, self._units // 2))
        return (bands, max(1, self._units // bands // 2), request.param == "shared") if bands > 1 else (1, 0, False)

    monkeypatch.setattr(packed.Packed, "_cut", cut)
    return request.param


@st.composite
def outer_totalistic(draw, dimensions):
    """Any such rule: every neighbourhood, two states and Generations."""
    names = [name for axes, name in NEIGHBOURS if axes == dimensions]
    neighbourhood = draw(st.sampled_from(names))
    counts = st.frozensets(st.integers(0, NEIGHBOURS[dimensions, neighbourhood]))
    return OuterTotalistic(draw(counts), draw(counts), dimensions, neighbourhood, draw(st.sampled_from([2, 2, 3, 6])))


@st.composite
def rules(draw):
    """Any rule of any family that is stepped exactly."""
    family = draw(st.sampled_from(["2D", "2D", "3D", "isotropic", "elementary", "larger than life"]))
    if family == "isotropic":
        return parse_rule(draw(st.sampled_from(HENSEL)), dimensions=2)
    if family == "elementary":
        return Elementary(draw(st.integers(0, 255)))
    if family == "larger than life":
        counts = st.frozensets(st.integers(0, 21), max_size=12)
        middle = draw(st.booleans())
        stays = draw(counts)
        return LargerThanLife(2, draw(st.sampled_from([2, 4])), middle, stays if middle else stays - {21}, draw(counts) - {21}, "circular")
    return draw(outer_totalistic(2 if family == "2D" else 3))


@st.composite
def situations(draw):
    """Any rule on any lattice: dense, sparse, or all in one row, where skipping rows matters."""
    rule = draw(rules())
    heights = st.integers(1, 12) if rule.dimensions == 2 else st.sampled_from([1, 2, 3, 5, 8, 9, 17, 33])
    shape = (*(draw(heights) for _ in range(rule.dimensions - 1)), draw(st.sampled_from(WIDTHS) | st.integers(1, 700)))
    if rule.dimensions == 3:
        shape = (min(shape[0], 5), shape[1], min(shape[2], 258))
    cells = soup_of(shape, rule.states, draw(st.sampled_from([0.01, 0.1, 0.4, 0.8])), draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        cells[draw(st.integers(0, shape[0] - 1)) + 1 :] = 0
    return cells, rule, draw(st.sampled_from(EDGES)), draw(st.integers(0, 6))


def soup_of(shape, states, density, seed):
    """Cells of every state."""
    rng = stream(seed, "cells")
    return ((rng.random(shape) < density) * rng.integers(1, states, shape)).astype(np.uint8)


def check(cells, rule, boundary, steps):
    lattice, silent = Lattice(cells, rule, boundary), Lattice(cells, rule, boundary)
    trace = lattice.advance(steps)
    expected = cells
    for step in range(steps):
        expected = reference.simulate(expected, rule, 1, boundary)
        assert trace.population[step] == np.count_nonzero(expected)
        assert trace.digest[step] == Lattice(expected, rule, boundary).digest
    np.testing.assert_array_equal(lattice.cells(), expected)
    assert lattice.population == np.count_nonzero(expected)
    silent.run(steps)
    np.testing.assert_array_equal(silent.cells(), expected)
    assert silent.digest == lattice.digest


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(situation=situations())
def test_any_rule_on_any_lattice_equals_the_reference(cut, situation):
    check(*situation)


@pytest.mark.parametrize("boundary", EDGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_layout_boundaries_in_two_dimensions(width, boundary):
    for height in (1, 2, 3, 11):
        for rule in ("B3/S23", "B0123478/S01234678", "B1357/S02468"):
            check(soup_of((height, width), 2, 0.4, width), parse_rule(rule, dimensions=2), boundary, 3)


@pytest.mark.parametrize("boundary", EDGES)
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 64, 65, 127, 128, 129, 257])
def test_layout_boundaries_in_three_dimensions(width, boundary):
    for shape in ((1, 1, width), (2, 1, width), (1, 2, width), (3, 9, width), (2, 32, width), (1, 67, width)):
        for rule in ("B5-7,12/S4-6", "B0-2,13,26/S3-9,20-26"):
            check(soup_of(shape, 2, 0.3, width), parse_rule(rule, dimensions=3), boundary, 2)


@pytest.mark.parametrize("boundary", EDGES)
@pytest.mark.parametrize("seeds", [1, 2, 3, 5, 8, 31, 33, 64, 65, 100, 130, 257, 300, 513])
def test_many_side_by_side_are_each_as_if_alone(seeds, boundary):
    """Every number of lanes a seed may get, and groups of several sizes."""
    for rule, shape in (("B3/S23", (4, 7)), ("B2/S013V", (1, 3)), ("B0124e/S5-a78", (3, 5)), ("345/2/4", (5, 18)), ("W30", (2, 9))):
        parsed = parse_rule(rule, dimensions=2)
        cells = soup_of((seeds, *shape), parsed.states, 0.4, seeds)
        before, after = (np.stack([reference.simulate(one, parsed, steps, boundary) for one in cells]) for steps in (3, 4))
        ensemble = Ensemble(cells, rule, boundary)
        watched = ensemble.observe(4, every=4)
        np.testing.assert_array_equal(ensemble.cells(), after)
        np.testing.assert_array_equal(watched.population, [np.count_nonzero(now, axis=(1, 2)) for now in (cells, after)])
        np.testing.assert_array_equal(watched.changed, [[0] * seeds, np.count_nonzero(before != after, axis=(1, 2))])


def test_every_neighbour_count_alone():
    """Each of the rule bits, one at a time, decides what it should and nothing else."""
    for dimensions, most in ((2, 8), (3, 26)):
        cells = (stream(dimensions).random((24, 24, 24)[:dimensions]) < 0.5).astype(np.uint8)
        cells[:8] = stream(1).random(cells[:8].shape) < 0.05
        cells[12:] = stream(2).random(cells[12:].shape) < 0.95
        cells[12:20, 2:10] = 1
        neighbours = reference.neighbour_counts(cells, "torus")
        assert set(neighbours[cells == 1]) == set(neighbours[cells == 0]) | {most} or dimensions == 3
        for count in range(most + 1):
            born = simulate(cells, OuterTotalistic(frozenset({count}), frozenset(), dimensions), 1)
            stays = simulate(cells, OuterTotalistic(frozenset(), frozenset({count}), dimensions), 1)
            np.testing.assert_array_equal(born, (neighbours == count) & (cells == 0))
            np.testing.assert_array_equal(stays, (neighbours == count) & (cells == 1))


@pytest.mark.parametrize(("shape", "offset"), [((300, 333), 64), ((20, 18, 70), 8)])
def test_the_parity_rule_copies_any_pattern(cut, shape, offset):
    """Fredkin's replicator: after 2^k steps a lattice is the XOR of its shifts by 2^k to every neighbour, by (a+b)^2 = a^2+b^2 in GF(2)."""
    dimensions = len(shape)
    odd = frozenset(range(1, NEIGHBOURS[dimensions, "moore"], 2))
    cells = (stream(3).random(shape) < 0.2).astype(np.uint8)
    expected = cells.copy()  # cancels the shift by nothing below
    for index in np.ndindex(*(3,) * dimensions):
        expected ^= np.roll(cells, [offset * (step - 1) for step in index], axis=tuple(range(dimensions)))
    np.testing.assert_array_equal(simulate(cells, OuterTotalistic(odd, odd, dimensions), offset), expected)


def test_a_long_sparse_run_leaves_nothing_stale():
    """A glider crosses rows that were live before, are empty now, and are skipped; then everything dies out."""
    cells = np.zeros((40, 300), dtype=np.uint8)
    cells[1:4, 2:5] = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
    cells[30, 100:103] = 1
    check(cells, parse_rule("B3/S23", dimensions=2), "torus", 170)
    check(cells, parse_rule("B2/S", dimensions=2), "dead", 60)
    check(cells, parse_rule("B8/S8", dimensions=2), "dead", 3)


@pytest.mark.parametrize("seeds", [1, 3, 20, 100])
def test_packing_is_undone_by_unpacking_across_blocks(monkeypatch, seeds):
    monkeypatch.setattr(layout, "_BLOCK_CELLS", 1000)
    for width in WIDTHS:
        cells = soup_of((seeds, 9, width), 2, 0.5, width)
        blocks = Blocks(width, seeds)
        lines = blocks.pack(cells, torus=True)
        np.testing.assert_array_equal(blocks.unpack(lines), cells)
        # Neighbouring vectors hold neighbouring columns, ghosts included: the property the kernels rest on.
        np.testing.assert_array_equal(blocks.unpack(np.roll(lines, -1, axis=1)), np.roll(cells, -1, axis=2))


def test_folding_is_undone_by_unfolding():
    for height, width in product((1, 2, 7, 32, 33, 64, 100), (1, 2, 8, 15, 16, 17, 65, 130)):
        cells = soup_of((3, height, width), 2, 0.5, width)
        folds = Folds(height, width)
        planes = folds.pack(cells, torus=True)
        np.testing.assert_array_equal(folds.unpack(planes), cells)
        for axis in (1, 2):
            np.testing.assert_array_equal(folds.unpack(np.roll(planes, 1, axis=axis)), np.roll(cells, 1, axis=axis))


def mix(word: int) -> int:
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def digest_by_definition(planes) -> int:
    """The digest of a lattice of at most 64 columns, from its definition, in Python's own integers."""
    golden, total = 0x9E3779B97F4A7C15, 0
    for number, rows in enumerate(zip(*planes, strict=True), start=1):
        sums = [0, 0]
        for plane, row in enumerate(rows):
            words = [0] * WORDS
            for x, bit in enumerate(row):
                words[x // 64] |= int(bit) << x % 64
            for which in (0, 1):
                keys = [mix(golden * (which * WORDS + word + 1 + (plane << 40)) % 2**64) for word in range(WORDS)]
                products = ((x + k) % 2**64 for x, k in zip(words, keys, strict=True))
                sums[which] += sum((p % 2**32) * (p >> 32) for p in products)
        if any(row.any() for row in rows):
            total += mix(sums[0] % 2**64 ^ mix((sums[1] + number * golden) % 2**64))
    return total % 2**64


@pytest.mark.parametrize("shape", [(1, 1), (5, 64), (7, 33)])
def test_the_digest_is_what_its_definition_says(shape):
    cells = soup_of(shape, 2, 0.4, 5)
    assert Lattice(cells, "B3/S2-3").digest == digest_by_definition([cells])
    four = soup_of(shape, 4, 0.6, 6)  # a cell of state 2 counts 1, of state 3 counts 2
    assert Lattice(four, "23/3/4").digest == digest_by_definition([four == 1, four == 2, four == 3])


def test_digests_of_states_one_or_two_cells_apart_all_differ():
    """Including cells in the highest bits of a word, where a multiplicative hash is weakest."""
    cells = soup_of((4, 512), 2, 0.3, 6)
    seen = {Lattice(cells, "B3/S23").digest}
    flips = [(y, x) for y in range(4) for x in range(512)]
    rng = stream(7)
    for first in flips:
        for second in (None, flips[rng.integers(len(flips))]):
            other = cells.copy()
            for place in {first, second or first}:
                other[place] ^= 1
            seen.add(Lattice(other, "B3/S23").digest)
    changed = 1 + len(flips)
    assert len(seen) > changed * 2 - 20  # all the single flips, and the pairs but for the few drawn twice
    assert 0 not in seen


ELSEWHERE = """
import hashlib
import numpy as np
from thunderlab.automata import backend
from thunderlab.automata.kernels import packed
from thunderlab.automata.lattice import Lattice
packed.SHARED_VECTORS = 2**10  # so that lattices of moderate size are shared among threads
from thunderlab.seeds import stream
cases = ((900, 3111), "B3/S23"), ((90, 150, 200), "B0,13-14,17-19/S13-26"), ((600, 4500), "345/2/4"), ((600, 4500), "B2-a/S12")
for shape, rule in cases:
    lattice = Lattice((stream(8).random(shape) < 0.4).astype(np.uint8), rule)
    trace = lattice.advance(150)  # several rounds of bands and seams
    engine = getattr(lattice._engine, "_engine", lattice._engine)
    assert engine._bands[2] == (backend.start().threads > 1), "shared among threads when there are several"
    assert lattice.digest == Lattice(lattice.cells(), rule).digest
    print(rule, hashlib.sha256(lattice.cells()).hexdigest(), hashlib.sha256(trace.population).hexdigest(), DIGESTS and trace.digest[-1])
"""


def elsewhere(digests, **environment):
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE.replace("DIGESTS", repr(digests))], capture_output=True, text=True, timeout=300, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_one_two_and_four_threads_give_the_same_bits():
    outputs = [elsewhere(True, THUNDERLAB_THREADS=threads) for threads in ("1", "2", "4")]
    assert len(set(outputs[0])) == 4
    assert outputs[0] == outputs[1] == outputs[2]


def test_wide_and_narrow_vectors_give_the_same_cells():
    """Digests belong to a layout; cells and populations do not."""
    assert elsewhere(False, THUNDERLAB_VECTOR_BITS="256") == elsewhere(False, THUNDERLAB_VECTOR_BITS="512")
