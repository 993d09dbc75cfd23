"""Larger than Life: equal to plain NumPy bit for bit, to Golly, and to the other kernels where they run the same rule."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import interrupted
from thunderlab.automata.kernels import dense, reference
from thunderlab.automata.kernels.larger_than_life import WidePlane
from thunderlab.automata.kernels.layout import WORDS
from thunderlab.automata.rules import LargerThanLife, parse_rule
from thunderlab.seeds import stream

SHAPES = ("moore", "von-neumann", "circular")
BOUNDARIES = ("torus", "dead")
BUGS = LargerThanLife.parse("R5,C0,M1,S34..58,B34..45,NM")


@pytest.fixture(params=["serial", "parallel"])
def loop(request, monkeypatch):
    """Force one of the two loops, whatever the size and the machine."""
    monkeypatch.setattr(WidePlane, "is_shared", lambda self, cells, threads: request.param == "parallel")
    return request.param


def some_counts(rng, most):
    """One range, as in most rules, or any counts at all."""
    if rng.random() < 0.5:
        low, high = sorted(rng.integers(0, most + 1, 2))
        return frozenset(range(low, high + 1))
    return frozenset(np.flatnonzero(rng.random(most + 1) < rng.choice([0.05, 0.3, 0.7])).tolist())


def some_rule(rng, radius):
    empty = LargerThanLife(radius, 2, bool(rng.integers(2)), frozenset(), frozenset(), str(rng.choice(SHAPES)))
    states = int(rng.choice([2, 2, 3, 4, 127, 128, 256]))
    return LargerThanLife(radius, states, empty.middle, some_counts(rng, empty.most), some_counts(rng, empty.most), empty.neighbourhood)


def some_cells(rng, shape, states):
    """Dead, live and decaying cells; under a few rules only the first two."""
    live = rng.random(shape) < rng.choice([0.1, 0.5, 0.9])
    decaying = (rng.random(shape) < rng.choice([0.0, 0.3])) * rng.integers(0, states, shape)
    return np.where(decaying > 1, decaying, live).astype(np.uint8)


def fingerprint(cells):
    """Population and digest as `dense.fingerprint` defines them, written again."""
    if not cells.any():
        return [0, 0]
    if cells.max() == 1:
        text = "".join(map(str, cells.ravel())).ljust(-(-cells.size // 8) * 8, "0")
        found = hashlib.blake2b(bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8)), digest_size=8, person=b"bits")
    else:
        found = hashlib.blake2b(cells.tobytes(), digest_size=8)
    return [int((cells > 0).sum()), int.from_bytes(found.digest(), "little")]


GOLDEN = 0x9E3779B97F4A7C15


@cache
def mix(word):
    """The finaliser of splitmix64."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def lane_fingerprint(cells, rule):
    """Population and digest as `Lanes.fingerprint` and `layout.fingerprint` define them, in Python's own integers."""
    upright = cells.T if cells.shape[0] < cells.shape[1] else cells
    lane = 1 if max(rule.most + 1, rule.states) < 128 else 2  # bytes
    lanes = 8 * WORDS // lane
    lines = -(-len(upright) // lanes)
    rows = np.pad(upright, ((0, lanes * lines - len(upright)), (0, 0)))
    digest = 0
    for number, line in enumerate(rows.reshape(lanes, lines, -1).transpose(1, 2, 0), start=1):
        sums = [0, 0]
        for plane, states in enumerate([line == 1, line * (line > 1)][: 1 + (rule.states > 2)]):
            words = np.ascontiguousarray(states, dtype=f"<u{lane}").view("<u8").ravel().tolist()
            for which in (0, 1):
                first = which * len(words) + 1 + (plane << 40)
                keyed = ((word + mix(GOLDEN * (first + place) % 2**64)) % 2**64 for place, word in enumerate(words))
                sums[which] += sum((part % 2**32) * (part >> 32) for part in keyed)
        if line.any():
            digest += mix(sums[0] % 2**64 ^ mix((sums[1] + number * GOLDEN) % 2**64))
    return [int((cells > 0).sum()), digest % 2**64]


def check(cells, rule, boundary, steps):
    traced, untraced = (WidePlane(cells, rule, boundary) for _ in range(2))
    np.testing.assert_array_equal(traced.unpack(), cells)
    trace = traced.advance(steps)
    assert untraced.advance(steps, traced=False) is None
    expected = cells
    for step in range(steps):
        expected = reference.simulate(expected, rule, 1, boundary)
        assert trace[step].tolist() == lane_fingerprint(expected, rule)
    for engine in (traced, untraced):
        np.testing.assert_array_equal(engine.unpack(), expected)
        assert engine.steps == steps
        assert list(engine.fingerprint()) == lane_fingerprint(expected, rule)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), radius=st.integers(1, 13), height=st.integers(1, 90), width=st.integers(1, 90),
    boundary=st.sampled_from(BOUNDARIES), steps=st.integers(0, 5),
)  # fmt: skip
def test_any_rule_on_any_lattice_equals_the_reference(loop, seed, radius, height, width, boundary, steps):
    rng = stream(seed, "larger than life")
    rule = some_rule(rng, radius)
    check(some_cells(rng, (height, width), rule.states), rule, boundary, steps)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("height", [1, 2, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 97, 127, 128, 129, 257, 331])
def test_where_the_layout_changes(height, shape, boundary):
    """Around the number of lanes and its multiples, for either width of lane; wider than high, too, where rows and columns change places."""
    for radius, states, width in ((2, 2, 3), (3, 4, 19), (9, 2, 7), (2, 200, 40), (3, 2, height + 5)):
        rng = stream(height, f"{radius} {states}")
        rule = some_rule(rng, radius)
        rule = LargerThanLife(radius, states, rule.middle, *(some_counts(rng, 2 * radius**2) for _ in range(2)), shape)
        check(some_cells(rng, (height, width), states), rule, boundary, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (5, 1), (2, 3), (40, 33), (103, 101)])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_longest_reach_around_a_small_torus(size, shape):
    """With a radius of 50 a cell of a small torus is met many times, itself included, and counts each time."""
    rng = stream(*size)
    limits = sorted(rng.integers(0, 5000, 4))
    rule = LargerThanLife(50, 2, False, frozenset(range(limits[0], limits[2])), frozenset(range(limits[1], limits[3])), shape)
    for boundary in BOUNDARIES:
        check(some_cells(rng, size, 2), rule, boundary, 2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("radius", [1, 2, 5, 8])
def test_each_count_alone(radius, shape):
    """Every sum from nothing to everything decides what it should: a cell sees n of the live cells, and only n makes it born."""
    most = LargerThanLife(radius, 2, True, frozenset(), frozenset(), shape).most
    cells = np.zeros((2 * radius + 1, (most + 1) * (2 * radius + 2)), dtype=np.uint8)
    near = [
        (dy, dx) for dy in range(-radius, radius + 1) for dx in range(-radius, radius + 1)
        if reference._is_near(dy, dx, LargerThanLife(radius, 2, True, frozenset(), frozenset(), shape))
    ]  # fmt: skip
    centres = [n * (2 * radius + 2) + radius for n in range(most + 1)]
    order = [place for place in near if place != (0, 0)]
    for n, x in enumerate(centres[:most]):  # the last would need the cell itself
        for dy, dx in order[:n]:
            cells[radius + dy, x + dx] = 1
    for n in range(most):
        rule = LargerThanLife(radius, 2, True, frozenset(), frozenset({n}), shape)
        engine = WidePlane(cells, rule, "dead")
        engine.advance(1, traced=False)
        assert np.flatnonzero(engine.unpack()[radius, centres[:most]]).tolist() == [n]


@pytest.mark.parametrize(
    ("rule", "other"),
    [
        ("R1,C0,M0,S2..3,B3..3,NM", "B3/S23"),
        ("R1,C0,M1,S3..4,B3..3,NM", "B3/S23"),  # the cell itself is the fourth
        ("R1,C0,M0,S2..3,B3..3,6..6,NM", "B36/S23"),
        ("R1,C0,M0,S0..1,4..5,B1..1,3..3,5..5,7..7,NM", "B1357/S0145"),
        ("R1,C4,M0,S3..5,B2..2,NM", "345/2/4"),
    ],
)
def test_with_radius_one_it_is_the_game_of_life(rule, other):
    cells = (stream(1, other).random((203, 91)) < 0.35).astype(np.uint8)
    for boundary in BOUNDARIES:
        engine = WidePlane(cells, LargerThanLife.parse(rule), boundary)
        engine.advance(100)
        np.testing.assert_array_equal(engine.unpack(), reference.simulate(cells, parse_rule(other, dimensions=2), 100, boundary))


# Golly's letters for states: . is 0, A to X are 1 to 24, pA to pX 25 to 48, and so on.
def rle(cells, rule):
    def letter(state):
        if state == 0:
            return "."
        block, place = divmod(int(state) - 1, 24)
        return ("" if block == 0 else chr(ord("p") + block - 1)) + chr(ord("A") + place)

    body = "$\n".join("".join(map(letter, row)) for row in cells)
    return f"x = {cells.shape[1]}, y = {cells.shape[0]}, rule = {rule}\n{body}!\n"


def read_rle(text):
    """Return the rows of a pattern as lists of states, empty edges cut off."""
    header, _, body = text.partition("\n")
    width = int(re.search(r"x = (\d+)", header)[1])
    rows = [[]]
    for count, block, letter in re.findall(r"(\d*)([p-y]?)([A-X.bo$!])", body.replace("\n", "")):
        times = int(count or 1)
        if letter == "!":
            break
        if letter == "$":
            rows += [[] for _ in range(times)]
        else:
            state = {".": 0, "b": 0, "o": 1}.get(letter, ord(letter) - ord("A") + 1)
            rows[-1] += [state + (24 * (ord(block) - ord("p") + 1) if block else 0)] * times
    return cut(np.array([row + [0] * (width - len(row)) for row in rows]))


def cut(cells):
    if not cells.any():
        return []
    y, x = np.nonzero(cells)
    return cells[y.min() : y.max() + 1, x.min() : x.max() + 1].tolist()


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")
@pytest.mark.parametrize("case", range(30))
def test_random_rules_as_golly_runs_them(tmp_path, case):
    """Golly's own Larger than Life, on tori and inside dead edges (its bounded plane)."""
    rng = stream(case, "golly")
    radius = int(rng.choice([1, 2, 3, 5, 7, 10, 15]))
    shape, middle, states = SHAPES[case % 3], bool(rng.integers(2)), int(rng.choice([2, 2, 3, 20, 60, 255]))
    most = LargerThanLife(radius, 2, middle, frozenset(), frozenset(), shape).most
    low, high = sorted(rng.integers(most // 8, most // 2 + 2, 2))
    birth, survival = range(low, high + 1), range(max(0, low - int(rng.integers(3))), min(most, high + most // 4) + 1)
    rule = LargerThanLife(radius, states, middle, frozenset(survival), frozenset(birth), shape)
    height, width = (int(rng.integers(2 * radius + 2, 110)) for _ in range(2))
    boundary, steps = BOUNDARIES[case // 3 % 2], int(rng.integers(1, 9))
    cells = np.where(rng.random((height, width)) < (low + high) / 2 / most, 1, 0).astype(np.uint8)
    if states > 2:
        cells[rng.random((height, width)) < 0.1] = states - 1
    end = tmp_path / "end.rle"
    (tmp_path / "start.rle").write_text(rle(cells, f"{rule}:{'T' if boundary == 'torus' else 'P'}{width},{height}"))
    subprocess.run(
        ["bgolly", "-a", "Larger than Life", "-m", str(steps), "-i", str(steps), "-o", end, tmp_path / "start.rle"],
        check=True, capture_output=True,
    )  # fmt: skip
    engine = WidePlane(cells, rule, boundary)
    engine.advance(steps)
    assert cut(engine.unpack()) == read_rle(end.read_text())


THREADS = """
import numpy as np
from thunderlab.automata import backend
from thunderlab.automata.kernels import larger_than_life
from thunderlab.automata.rules import LargerThanLife
from thunderlab.seeds import stream
larger_than_life.PARALLEL_CELLS = 2**14  # so that a lattice of moderate size is shared among threads
for rule in ("R5,C0,M1,S34..58,B34..45,NM", "R7,C9,M0,S30..80,B30..50,NC"):
    engine = larger_than_life.WidePlane((stream(8).random((307, 411)) < 0.4).astype(np.uint8), LargerThanLife.parse(rule), "torus")
    assert engine.is_shared(307 * 411, backend.start().threads) == (backend.start().threads > 1)
    print(engine.advance(9).tolist())
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
    assert outputs[0].count("[") == 2 * 10
    assert outputs[0] == outputs[1] == outputs[2]


@pytest.mark.parametrize("traced", [True, False])
def test_an_interrupt_leaves_a_state_and_its_count(loop, traced, monkeypatch):
    """At lines all over the engine and the compiler's launcher; what is left goes on as if nothing had been."""
    monkeypatch.setattr("thunderlab.automata.kernels.larger_than_life.LAUNCH_ADDITIONS", 2**10)  # a few steps per launch
    states = [(stream(4).random((64, 60)) < 0.4).astype(np.uint8)]
    engine = WidePlane(states[0], BUGS, "torus")
    for _ in range(12):
        engine.advance(1, traced=False)
        states.append(engine.unpack())
    reached = set()
    for line in range(0, 100_000, 53):
        engine = WidePlane(states[0], BUGS, "torus")
        halted = interrupted(lambda engine=engine: engine.advance(9, traced=traced), line, lambda code: True)
        np.testing.assert_array_equal(engine.unpack(), states[engine.steps])
        reached.add(engine.steps)
        if not halted:
            break
        engine.advance(3, traced)
        np.testing.assert_array_equal(engine.unpack(), states[engine.steps])
    assert len(reached) > 3 and max(reached) == 9


def test_cells_are_handed_out_and_taken_as_copies():
    """Including a single column, which lies in memory as it does in an array."""
    for shape in ((20, 30), (30, 1), (1, 1)):
        for rule in (BUGS, LargerThanLife.parse("R2,C4,M0,S2..5,B3..5,NM")):
            cells = np.ones(shape, np.uint8)
            engine = WidePlane(cells, rule, "torus")
            cells[:] = 0
            engine.unpack()[:] = 0
            assert engine.unpack().all()


def test_digests_tell_states_apart():
    """All single cells, all states of one cell, and what packing eight to a byte could mix up."""
    seen = set()
    for place in range(60):
        cells = np.zeros((6, 10), np.uint8)
        for state in (1, 2, 128, 255):
            cells.flat[place] = state
            seen.add(dense.fingerprint(cells)[1])
    assert len(seen) == 240
    assert dense.fingerprint(np.array([[1]], np.uint8)) != dense.fingerprint(np.array([[128]], np.uint8))
    turned = np.ones((4, 6), np.uint8)
    turned[1, 2] = 0
    assert dense.fingerprint(turned.T) == dense.fingerprint(np.ascontiguousarray(turned.T))


@pytest.mark.parametrize("rule", ["R2,C0,M1,S4..9,B5..8,NC", "R2,C256,M0,S2..5,B3..5,NM"])
def test_digests_of_the_kernel_tell_states_apart_and_nothing_else(rule):
    rule = LargerThanLife.parse(rule)
    cells = np.zeros((6, 70), np.uint8)
    seen = {WidePlane(cells, rule, "torus").fingerprint()}
    assert seen == {(0, 0)}
    states = (1,) if rule.states == 2 else (1, 2, 128, 255)
    for place in range(cells.size):
        for state in states:
            other = cells.copy()
            other.flat[place] = state
            seen.add(WidePlane(other, rule, "torus").fingerprint())
    assert len(seen) == 1 + cells.size * len(states)
    still = LargerThanLife(3, rule.states, True, frozenset(range(50)), frozenset())
    cells[1:4, 3:60] = 1
    standing = WidePlane(cells, still, "dead")
    standing.advance(3, traced=False)
    assert standing.fingerprint() == WidePlane(cells, rule, "torus").fingerprint()


class Counting(dense.Dense):
    """An engine whose state is its step, which fails at one of them."""

    def __init__(self, most_steps, fails_at):
        super().__init__(most_steps)
        self.fails_at, self.runs = fails_at, []

    def unpack(self):
        return np.full((2, 2), self.steps % 256, np.uint8)

    def _run(self, steps):
        if self.steps + steps > self.fails_at:
            raise KeyboardInterrupt
        self.runs.append(steps)
        self.taken[0] += steps


def test_the_base_takes_steps_in_runs_and_singly_when_traced():
    engine = Counting(4, 100)
    assert engine.advance(10, traced=False) is None
    assert engine.runs == [4, 4, 2]
    assert engine.advance(0).shape == (0, 2)
    assert engine.advance(2).tolist() == [fingerprint(np.full((2, 2), n, np.uint8)) for n in (11, 12)]
    assert engine.runs[3:] == [1, 1]
    engine = Counting(4, 9)
    with pytest.raises(KeyboardInterrupt):
        engine.advance(10, traced=False)
    assert engine.steps == 8
