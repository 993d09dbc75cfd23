"""Every kernel equals the plain NumPy reference bit for bit, in states, populations and digests."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thunderlab.automata.kernels import packed, reference
from thunderlab.automata.kernels.strips import Strips
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.rules import OuterTotalistic, parse_rule
from thunderlab.automata.rules.outer_totalistic import NEIGHBOURS
from thunderlab.seeds import stream

# One vector holds 256 columns; around its end, twice and thrice its end, and the ends of words, layouts change.
WIDTHS = (1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 127, 129, 255, 256, 257, 258, 511, 512, 513, 514, 767, 768, 769, 1025)
BOUNDARIES = ("torus", "dead")


@pytest.fixture(params=["serial", "parallel"])
def loop(request, monkeypatch):
    """Force one of the two loops, whatever the size and the machine."""
    monkeypatch.setattr(packed.Packed, "is_shared", lambda self, threads: request.param == "parallel")
    return request.param


@st.composite
def situations(draw):
    """Any rule on any lattice: dense, sparse, or all in one row, where skipping rows matters."""
    dimensions = draw(st.sampled_from([2, 3]))
    counts = st.frozensets(st.integers(0, NEIGHBOURS[dimensions, "moore"]))
    rule = OuterTotalistic(draw(counts), draw(counts), dimensions)
    heights = st.integers(1, 9) if dimensions == 2 else st.integers(1, 5)
    shape = (*(draw(heights) for _ in range(dimensions - 1)), draw(st.sampled_from(WIDTHS) | st.integers(1, 700)))
    rng = stream(draw(st.integers(0, 2**32)), "cells")
    cells = (rng.random(shape) < draw(st.sampled_from([0.01, 0.1, 0.4, 0.8]))).astype(np.uint8)
    if draw(st.booleans()):
        cells[draw(st.integers(0, shape[0] - 1)) + 1 :] = 0
    return cells, rule, draw(st.sampled_from(BOUNDARIES)), draw(st.integers(0, 6))


def check(cells, rule, boundary, steps):
    lattice = Lattice(cells, rule, boundary)
    trace = lattice.advance(steps)
    expected = cells
    for step in range(steps):
        expected = reference.simulate(expected, rule, 1, boundary)
        assert trace.population[step] == expected.sum()
        assert trace.digest[step] == Lattice(expected, rule, boundary).digest
    np.testing.assert_array_equal(lattice.cells(), expected)
    assert lattice.population == expected.sum()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(situation=situations())
def test_any_rule_on_any_lattice_equals_the_reference(loop, situation):
    check(*situation)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("width", WIDTHS)
def test_layout_boundaries_in_two_dimensions(width, boundary):
    for height in (1, 2, 3, 11):
        for rule in ("B3/S23", "B0123478/S01234678", "B1357/S02468"):
            check((stream(width, height).random((height, width)) < 0.4).astype(np.uint8), parse_rule(rule, dimensions=2), boundary, 3)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("width", [1, 2, 3, 31, 64, 255, 256, 257, 511, 513])
def test_layout_boundaries_in_three_dimensions(width, boundary):
    for shape in ((1, 1, width), (2, 1, width), (1, 2, width), (3, 5, width)):
        for rule in ("B5-7,12/S4-6", "B0-2,13,26/S3-9,20-26"):
            check((stream(width).random(shape) < 0.3).astype(np.uint8), parse_rule(rule, dimensions=3), boundary, 3)


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
def test_the_parity_rule_copies_any_pattern(loop, shape, offset):
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


def test_packing_is_undone_by_unpacking_across_blocks(monkeypatch):
    monkeypatch.setattr("thunderlab.automata.kernels.strips._BLOCK_CELLS", 1000)
    for width in WIDTHS:
        cells = (stream(width).random((17, width)) < 0.5).astype(np.uint8)
        strips = Strips(width, torus=True)
        packed_rows = strips.pack(cells)
        np.testing.assert_array_equal(strips.unpack(packed_rows), cells)
        assert strips.fingerprint(packed_rows)[0] == cells.sum()
        # Neighbouring vectors hold neighbouring columns, ghosts included: the property the kernels rest on.
        np.testing.assert_array_equal(strips.unpack(np.roll(packed_rows, -1, axis=1)), np.roll(cells, -1, axis=1))


def mix(word: int) -> int:
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def digest_by_definition(cells) -> int:
    """The digest of a lattice of at most 64 columns, from its definition, in Python's own integers."""
    golden, total = 0x9E3779B97F4A7C15, 0
    keys = [mix(golden * n % 2**64) for n in range(1, 9)]  # four words under two keys each
    for number, row in enumerate(cells.reshape(-1, cells.shape[-1]), start=1):
        words = [sum(int(bit) << x for x, bit in enumerate(row)), 0, 0, 0]
        sums = []
        for key in (keys[:4], keys[4:]):
            products = ((x + k) % 2**64 for x, k in zip(words, key, strict=True))
            sums.append(sum((p % 2**32) * (p >> 32) for p in products) - sum((k % 2**32) * (k >> 32) for k in key))
        if row.any():
            total += mix(sums[0] % 2**64 ^ mix((sums[1] + number * golden) % 2**64))
    return total % 2**64


@pytest.mark.parametrize("shape", [(1, 1), (5, 64), (7, 33), (2, 3, 20)])
def test_the_digest_is_what_its_definition_says(shape):
    cells = (stream(5).random(shape) < 0.4).astype(np.uint8)
    assert Lattice(cells, "B3/S2-3").digest == digest_by_definition(cells)


def test_digests_of_states_one_or_two_cells_apart_all_differ():
    """Including cells in the highest bits of a word, where a multiplicative hash is weakest."""
    cells = (stream(6).random((4, 512)) < 0.3).astype(np.uint8)
    strips = Strips(512, torus=True)
    seen = {strips.fingerprint(strips.pack(cells))[1]}
    flips = [(y, x) for y in range(4) for x in range(512)]
    rng = stream(7)
    for first in flips:
        for second in (None, flips[rng.integers(len(flips))]):
            other = cells.copy()
            for place in {first, second or first}:
                other[place] ^= 1
            seen.add(strips.fingerprint(strips.pack(other))[1])
    changed = 1 + len(flips)
    assert len(seen) > changed * 2 - 20  # all the single flips, and the pairs but for the few drawn twice
    assert 0 not in seen


THREADS = """
import numpy as np
from thunderlab.automata import backend
from thunderlab.automata.kernels import packed
from thunderlab.automata.lattice import Lattice
from thunderlab.seeds import stream
packed.PARALLEL_CELLS = 2**18  # so that a lattice of moderate size is shared among threads
for shape, rule in (((700, 1111), "B3/S23"), ((70, 30, 400), "B0,13-14,17-19/S13-26")):
    lattice = Lattice((stream(8).random(shape) < 0.4).astype(np.uint8), rule)
    trace = lattice.advance(7)
    assert lattice._engine.is_shared(backend.start().threads) == (backend.start().threads > 1)
    print(trace.population.tolist(), trace.digest.tolist(), lattice.digest == Lattice(lattice.cells(), rule).digest)
"""


def test_one_two_and_four_threads_give_the_same_bits():
    outputs = []
    for threads in ("1", "2", "4"):
        done = subprocess.run(
            [sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "THUNDERLAB_THREADS": threads},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert outputs[0].count("True") == 2
    assert outputs[0] == outputs[1] == outputs[2]
