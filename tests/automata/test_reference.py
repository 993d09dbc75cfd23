"""The plain NumPy reference: published facts of every family, Golly's answers, and the definition cell by cell."""

import re
import shutil
import subprocess
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.automata.kernels.reference import neighbour_counts, simulate
from thunderlab.automata.rules import Elementary, Isotropic, LargerThanLife, OuterTotalistic, Rule, parse_rule
from thunderlab.automata.rules.isotropic import CONFIGURATIONS
from thunderlab.automata.rules.outer_totalistic import NEIGHBOURS
from thunderlab.seeds import stream

BOUNDARIES = ("torus", "dead")
needs_golly = pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")


def run(cells, text, steps, boundary="dead"):
    return simulate(cells, parse_rule(text, dimensions=cells.ndim), steps, boundary)


def drawn(rows, around=0):
    """Return the cells of a drawing (`.` is 0, `o` and `A` are 1, `B` is 2, ...) with `around` dead cells on every side."""
    states = {".": 0, "o": 1} | {letter: number for number, letter in enumerate("ABCDEFGH", start=1)}
    return np.pad(np.array([[states[cell] for cell in row] for row in rows.split()], np.uint8), around)


def of_rle(text, around=0):
    """Return the cells of an RLE body, two states or more, as Golly's help ("File formats") describes it."""
    rows, row = [], []
    for count, page, tag in re.findall(r"(\d*)([p-y]?)([A-Xbo.$!])", text.replace("\n", "")):
        if tag in "$!":
            rows.append(row)
            rows.extend([] for _ in range(int(count or 1) - 1))
            row = []
        else:
            state = {".": 0, "b": 0, "o": 1}.get(tag, ord(tag) - ord("A") + 1)
            row += [state + (24 * (ord(page) - ord("p") + 1) if page else 0)] * int(count or 1)
    width = max(map(len, rows))
    return np.pad(np.array([row + [0] * (width - len(row)) for row in rows], np.uint8), around)


def cropped(cells):
    """Return the bounding box of what is not 0."""
    places = np.argwhere(cells)
    if not len(places):
        return np.zeros((1, 1), np.uint8)
    (top, left), (bottom, right) = places.min(axis=0), places.max(axis=0)
    return cells[top : bottom + 1, left : right + 1]


def period(cells, text, limit, boundary="dead"):
    """Return after how many steps the cells are the same again."""
    now = cells
    for step in range(1, limit + 1):
        now = run(now, text, 1, boundary)
        if np.array_equal(now, cells):
            return step
    return None


def populations(text, shape, steps):
    """Return the live cells after 0, 1, ... `steps` steps of a single cell in the middle."""
    cells = np.zeros(shape, np.uint8)
    cells[tuple(size // 2 for size in shape)] = 1
    found = [1]
    for _ in range(steps):
        cells = run(cells, text, 1)
        found.append(int((cells == 1).sum()))
    return found


# --- published facts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("2o$obo$b2o!", 3),
        ("4bo$ob2o$b3o$3o$bobo!", 5),
        ("obo7bo$o$3bo7bo$bobo$11bobo$10bo4bo!", 12),
        ("o16bo$obo12b2o$2b2o10bobo$5bo9bo!", 48),
    ],
)
def test_hexagonal_oscillators(body, expected):
    """ConwayLife forums, "B2/S34H (Hexagonal Life)": oscillators of periods 3, 5, 12 and 48."""
    assert period(of_rle(body, 12), "B2/S34H", 60) == expected


def test_growth_on_hexagons():
    """OEIS A151723: born with exactly one of six neighbours, and for ever, from one cell."""
    expected = [1, 7, 13, 31, 37, 55, 85, 127, 133, 151, 181, 235, 289, 331, 409, 499]
    assert populations("B1/S0123456H", (35, 35), 15) == expected


def test_growth_over_edges():
    """OEIS A147562, the automaton of Ulam and Warburton."""
    assert populations("B1/S01234V", (23, 23), 8) == [1, 5, 9, 21, 25, 37, 49, 85, 89]


def test_parity_in_three_dimensions():
    """OEIS A246031: alive with an odd number of 26 neighbours alive, from one cell."""
    odd = ",".join(map(str, range(1, 26, 2)))
    assert populations(f"B{odd}/S{odd}", (17, 17, 17), 7) == [1, 26, 26, 124, 26, 676, 124, 1400]


def test_parity_over_faces_is_a_power_of_a_polynomial():
    """With six neighbours the live cells after n steps are the odd coefficients of (x + 1/x + y + 1/y + z + 1/z)^n."""
    power = Counter({(0, 0, 0): 1})
    cells = np.zeros((13, 13, 13), np.uint8)
    cells[6, 6, 6] = 1
    for _ in range(6):
        grown = Counter()
        for place, times in power.items():
            for axis, step in product(range(3), (-1, 1)):
                grown[tuple(at + step * (number == axis) for number, at in enumerate(place))] += times
        power = grown
        cells = run(cells, "1,3,5/1,3,5/2/N", 1)
        assert {tuple(place - 6) for place in np.argwhere(cells)} == {place for place, times in power.items() if times % 2}


@pytest.mark.parametrize("text", ["B13/S13V", "B135/S135H", "B1357/S1357"])
def test_parity_copies_any_pattern(text):
    """Fredkin's replicator: after 2^k steps the XOR of the pattern's shifts by 2^k to every neighbour."""
    rule = parse_rule(text, dimensions=2)
    cells = (stream(1, text).random((20, 23)) < 0.4).astype(np.uint8)
    offsets = {4: [(0, 1), (1, 0)], 6: [(0, 1), (1, 0), (1, 1)], 8: [(0, 1), (1, 0), (1, 1), (1, -1)]}[rule.neighbours]
    expected = np.zeros_like(cells)
    for (dy, dx), sign in product(offsets, (-4, 4)):
        expected ^= np.roll(cells, (sign * dy, sign * dx), axis=(0, 1))
    np.testing.assert_array_equal(simulate(cells, rule, 4, "torus"), expected)


def test_hexagonal_rules_turn_with_the_pattern():
    """A turn by 60 degrees sends (dx, dy) to (dx - dy, dx) on these axes; every hexagonal rule commutes with it."""
    size = 31
    middle = size // 2
    cells = np.zeros((size, size), np.uint8)
    cells[middle - 3 : middle + 4, middle - 3 : middle + 4] = stream(2, "turn").random((7, 7)) < 0.4

    def turned(cells):
        turn = np.zeros_like(cells)
        for y, x in np.argwhere(cells):
            dy, dx = y - middle, x - middle
            turn[middle + dx, middle + dx - dy] = cells[y, x]
        return turn

    assert turned(cells).sum() == cells.sum()
    for text in ("B2/S34H", "B245/S3H", "34/2/5H"):
        np.testing.assert_array_equal(run(turned(cells), text, 4), turned(run(cells, text, 4)))


def test_brians_brain_has_an_oscillator_of_period_3():
    """LifeWiki, "Brian's Brain"; and none of period 2, as no rule with more than two states has."""
    assert period(of_rle("2.A$A2B$.2BA$.A!", 3), "/2/3", 5) == 3


@pytest.mark.parametrize(("text", "ship"), [("/2/3", "BA BA"), ("345/2/4", "CBA CBA")])
def test_two_cells_with_a_tail_move_a_cell_every_step(text, ship):
    """The commonest ships of Brian's Brain and Star Wars ("electron" and glider in the ConwayLife forums), at the speed of light."""
    cells = drawn(ship, 8)
    np.testing.assert_array_equal(run(cells, text, 5), np.roll(cells, 5, axis=1))


def test_star_wars_has_still_lifes():
    """LifeWiki, "Star Wars", draws this one; a block is none there, for two cells of it bear a third."""
    assert period(drawn(".o..o. oooooo .o..o.", 3), "345/2/4", 1) == 1
    assert period(drawn("oo oo", 3), "345/2/4", 1) is None


def test_an_old_cell_dies_whatever_is_around_it():
    cells = np.arange(10, dtype=np.uint8)[None, :]
    assert run(cells, "012345678//10", 1).tolist() == [[0, 1, 3, 4, 5, 6, 7, 8, 9, 0]]
    assert run(cells, "//10", 1).tolist() == [[0, 2, 3, 4, 5, 6, 7, 8, 9, 0]]
    assert run(np.array([[255, 254, 1]], np.uint8), "/2/256", 1).tolist() == [[0, 255, 2]]


BOSCO = "6bo$4b5o$2b5ob2o$b5o3b2o$b4o5bo$4o5b3o$b4o3b3o$b5ob4o$2b8o$3b7o$4b5o!"


def test_bosco_oscillates_with_period_166():
    """LifeWiki, "Bugs": the oscillator that Bosco's rule is named after, and the 6 x 6 block, a still life."""
    assert period(of_rle(BOSCO, 30), "R5,C0,M1,S34..58,B34..45,NM", 170, "torus") == 166
    assert period(drawn(" ".join(["o" * 6] * 6), 6), "Bugs", 1) == 1


@pytest.mark.parametrize(
    ("large", "small"),
    [
        ("R1,C0,M0,S2..3,B3..3,NM", "B3/S23"),
        ("1,3,3,3,4", "B3/S23"),
        ("R1,C0,M0,S0..2,B2..2,NN", "B2/S012V"),
        ("R1,C0,M1,S1..3,B2..2,NN", "B2/S012V"),
        ("R1,C0,M0,S2..3,B3..3,NC", "B3/S23"),  # corners are nearer than 3/2
        ("R1,C4,M0,S3..5,B2..2,NM", "345/2/4"),
    ],
)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_radius_1_is_outer_totalistic(large, small, boundary):
    """Golly's help, "Larger than Life", gives Life in both notations."""
    states = parse_rule(small, dimensions=2).states
    cells = stream(3, "small").integers(0, states, (19, 24), dtype=np.uint8)
    np.testing.assert_array_equal(run(cells, large, 5, boundary), run(cells, small, 5, boundary))


def test_the_t_tetromino_is_a_spaceship_in_tlife():
    """LifeWiki, "tlife": c/5 with the tip of the T leading; the glider still glides, and the blinker dies."""
    t = drawn(".o. ooo", 6)
    np.testing.assert_array_equal(run(t, "tlife", 5), np.roll(t, -1, axis=0))
    glider = drawn(".o. ..o ooo", 4)
    np.testing.assert_array_equal(run(glider, "B3/S2-i34q", 4), np.roll(glider, (1, 1), axis=(0, 1)))
    assert not run(drawn("ooo", 3), "B3/S2-i34q", 2).any()


def test_rule_90_is_pascals_triangle():
    """Sierpinski's triangle: after n steps the cell 2k - n away from the single live one is binomial(n, k) mod 2, alive when k & ~n == 0."""
    cells = np.zeros((1, 129), np.uint8)
    cells[0, 64] = 1
    for n in range(64):
        assert set(np.flatnonzero(cells[0])) == {64 + 2 * k - n for k in range(n + 1) if k & ~n == 0}
        cells = run(cells, "W90", 1)


@pytest.mark.parametrize(
    ("number", "rows"),
    [
        (30, [1, 7, 25, 111, 401, 1783, 6409, 28479, 102849, 456263]),  # OEIS A110240
        (110, [1, 6, 28, 104, 496, 1568, 7360, 27520, 130304, 396800]),  # OEIS A117999
        (54, [1, 7, 17, 119, 273, 1911, 4369, 30583, 69905, 489335]),  # OEIS A118108
        (111, [1, 6, 7, 122, 31, 2018, 95, 32738, 95, 524258]),  # OEIS A267255, a rule with an odd number
    ],
)
def test_rows_of_elementary_rules(number, rows):
    """From a single live cell, the 2n + 1 cells around it after n steps as a binary number."""
    cells = np.zeros((1, 41), np.uint8)
    cells[0, 20] = 1
    for n, expected in enumerate(rows):
        row = run(cells, f"W{number}", n, "torus")[0, 20 - n : 21 + n]
        assert int("".join(map(str, row)), 2) == expected


def test_rule_184_keeps_its_cars():
    """Traffic: a car moves right when the place is free, and none is lost; up to half density all of them end up moving."""
    cells = (stream(4, "road").random((6, 50)) < 0.4).astype(np.uint8)
    cells = cells[cells.sum(axis=1) <= 25]
    later = run(cells, "W184", 50, "torus")
    assert len(cells) > 3 and later.sum(axis=1).tolist() == cells.sum(axis=1).tolist()
    np.testing.assert_array_equal(run(later, "W184", 1, "torus"), np.roll(later, 1, axis=1))


# --- the definition, cell by cell ------------------------------------------------------------------------------------------------


def state_at(cells, place, boundary):
    if boundary == "torus":
        return int(cells[tuple(at % size for at, size in zip(place, cells.shape, strict=True))])
    inside = all(0 <= at < size for at, size in zip(place, cells.shape, strict=True))
    return int(cells[place]) if inside else 0


def next_state(cells, place, rule, boundary):
    """Return the next state of one cell, from the words of the definition."""
    state = state_at(cells, place, boundary)

    def alive(*offset):
        return state_at(cells, tuple(at + step for at, step in zip(place, offset, strict=True)), boundary) == 1

    if isinstance(rule, Elementary):
        return int(f"{rule.number:08b}"[7 - int("".join(str(int(alive(0, dx))) for dx in (-1, 0, 1)), 2)])
    if isinstance(rule, Isotropic):
        block = sum(2 ** (3 * (dy + 1) + dx + 1) for dy, dx in product((-1, 0, 1), repeat=2) if (dy or dx) and alive(dy, dx))
        name = next(name for name, blocks in CONFIGURATIONS.items() if block in blocks)
        return int(name in (rule.survival if state else rule.birth))
    if isinstance(rule, LargerThanLife):
        near = {"moore": lambda y, x: True, "von-neumann": lambda y, x: abs(y) + abs(x) <= rule.radius}.get(
            rule.neighbourhood, lambda y, x: y * y + x * x < (rule.radius + 0.5) ** 2
        )
        reach = range(-rule.radius, rule.radius + 1)
        count = sum(alive(dy, dx) for dy, dx in product(reach, repeat=2) if near(dy, dx) and (rule.middle or dy or dx))
    else:
        offsets = [offset for offset in product((-1, 0, 1), repeat=cells.ndim) if any(offset)]
        if rule.neighbourhood == "hexagonal":
            offsets = [(-1, -1), (-1, 0), (0, -1), (0, 1), (1, 0), (1, 1)]  # Golly's help, "QuickLife": all but NE and SW
        elif rule.neighbourhood == "von-neumann":
            offsets = [offset for offset in offsets if np.count_nonzero(offset) == 1]
        count = sum(alive(*offset) for offset in offsets)
    if state == 0:
        return int(count in rule.birth)
    if state == 1 and count in rule.survival:
        return 1
    return 0 if state == rule.states - 1 else state + 1


@st.composite
def situations(draw):
    """Any rule of any family on a small lattice, often narrower than the neighbourhood."""
    family = draw(st.sampled_from(["outer-totalistic", "isotropic", "larger-than-life", "elementary"]))
    states = draw(st.sampled_from([2, 3, 5, 256]))
    rule: Rule
    if family == "outer-totalistic":
        key = draw(st.sampled_from(sorted(NEIGHBOURS)))
        counts = st.frozensets(st.integers(0, NEIGHBOURS[key]))
        rule = OuterTotalistic(draw(counts), draw(counts), *key, states=states)
    elif family == "isotropic":
        names = st.frozensets(st.sampled_from(sorted(CONFIGURATIONS)))
        # 4a without the other letters of 4 depends on more than counts.
        rule = Isotropic((draw(names) | {"4a"}) - {"4c"}, draw(names))
    elif family == "larger-than-life":
        radius, middle, shape = draw(st.integers(1, 4)), draw(st.booleans()), draw(st.sampled_from(["moore", "von-neumann", "circular"]))
        most = LargerThanLife(radius, 2, middle, frozenset(), frozenset(), shape).most
        counts = st.frozensets(st.integers(0, most), max_size=most)
        rule = LargerThanLife(radius, states, middle, draw(counts), draw(counts), shape)
    else:
        rule = Elementary(draw(st.integers(0, 255)))
    shape = draw(st.tuples(*[st.integers(1, 7 if rule.dimensions == 2 else 4)] * rule.dimensions))
    rng = stream(draw(st.integers(0, 2**32)), "cells")
    cells = rng.integers(1, rule.states, shape) * (rng.random(shape) < draw(st.sampled_from([0.2, 0.6])))
    return cells.astype(np.uint8), rule, draw(st.sampled_from(BOUNDARIES))


@settings(deadline=None, max_examples=150)
@given(situations())
def test_any_rule_does_to_every_cell_what_its_definition_says(situation):
    cells, rule, boundary = situation
    found = simulate(cells, rule, 1, boundary)
    assert found.dtype == np.uint8
    expected = [next_state(cells, place, rule, boundary) for place in np.ndindex(cells.shape)]
    np.testing.assert_array_equal(found, np.array(expected).reshape(cells.shape))


@pytest.mark.parametrize("text", ["B3/S23", "B2/S34H", "345/2/4", "B2-a/S12", "R5,C3,M1,S34..58,B34..45,NM", "W110"])
def test_a_torus_is_the_same_wherever_one_begins_to_write_it(text):
    rule = parse_rule(text, dimensions=2)
    cells = stream(5, text).integers(0, rule.states, (9, 14), dtype=np.uint8)
    moved = simulate(np.roll(cells, (4, 5), axis=(0, 1)), rule, 3, "torus")
    np.testing.assert_array_equal(moved, np.roll(simulate(cells, rule, 3, "torus"), (4, 5), axis=(0, 1)))


def test_no_steps_change_nothing_and_counts_are_of_state_1():
    cells = np.array([[0, 1, 2], [3, 1, 1]], np.uint8)
    np.testing.assert_array_equal(simulate(cells, parse_rule("/2/4", dimensions=2), 0), cells)
    assert neighbour_counts(cells, "dead").tolist() == [[2, 2, 3], [2, 2, 2]]
    assert neighbour_counts(cells, "dead", "von-neumann").tolist() == [[1, 1, 2], [1, 2, 1]]
    assert neighbour_counts(cells, "dead", "hexagonal").tolist() == [[2, 2, 2], [1, 2, 2]]


def test_a_rule_of_no_family_it_knows_is_refused():
    class Unknown(Rule):
        family = "unknown"

        @property
        def spontaneous(self):
            return False

        def __str__(self):
            return "?"

    with pytest.raises(TypeError, match="family unknown"):
        simulate(np.zeros((1, 1), np.uint8), Unknown(), 1)


# --- Golly ------------------------------------------------------------------------------------------------------------------------


def golly(folder, cells, rule, steps, algorithm):
    """Return the bounding box of what Golly makes of the cells; `rule` is in Golly's spelling and may name a torus."""
    start, end = folder / "start.rle", folder / "end.rle"
    rows = ["".join(_letter(int(state)) for state in row) for row in cells]
    start.write_text(f"x = {cells.shape[1]}, y = {cells.shape[0]}, rule = {rule}\n" + "$\n".join(rows) + "!\n")
    command = ["bgolly", "-a", algorithm, "-m", str(steps), "-i", str(steps), "-o", end, start]
    subprocess.run(command, check=True, capture_output=True)
    text = end.read_text()
    body = text.partition("rule = ")[2].partition("\n")[2]
    return cropped(of_rle(body)) if "x = 0" not in text else np.zeros((1, 1), np.uint8)


def _letter(state):
    """Return a state as RLE writes it: `.`, A to X, pA to pX, qA, ..."""
    page, letter = divmod(state - 1, 24)
    return "." if state == 0 else ("" if page == 0 else "opqrstuvwxy"[page]) + chr(ord("A") + letter)


def _digits(rng, low, most):
    return "".join(map(str, sorted(rng.choice(np.arange(low, most + 1), size=rng.integers(1, most), replace=False))))


def _some_rule(rng, family):
    """Return a rule of a family without B0, as Golly spells it, and the algorithm it runs on."""
    suffix, most = [("", 8), ("H", 6), ("V", 4)][rng.integers(3)]
    if family == "two states":
        return f"B{_digits(rng, 1, most)}/S{_digits(rng, 0, most)}{suffix}", "QuickLife"
    if family == "isotropic":
        names = [name for name in CONFIGURATIONS if name != "0"]
        birth, survival = (sorted(rng.choice(names, size=rng.integers(5, 30), replace=False)) for _ in range(2))
        return str(Isotropic(frozenset(birth), frozenset(survival))), "QuickLife"
    states = int(rng.choice([3, 4, 9, 26, 256]))
    if family == "generations":
        return f"{_digits(rng, 0, most)}/{_digits(rng, 1, most)}/{states}{suffix}", "Generations"
    radius, middle, letter = int(rng.integers(1, 7)), int(rng.integers(2)), "MNC"[rng.integers(3)]
    size = parse_rule(f"R{radius},C0,M0,S,B,N{letter}", dimensions=2).most
    ranges = [sorted(map(int, rng.integers(low, size // 2 + 2, 2))) for low in (0, 1)]
    (low, high), (first, last) = ranges
    return f"R{radius},C{rng.choice([0, states])},M{middle},S{low}..{high},B{first}..{last},N{letter}", "Larger than Life"


@needs_golly
@pytest.mark.parametrize("family", ["two states", "isotropic", "generations", "larger than life"])
@pytest.mark.parametrize("case", range(10))
def test_golly_agrees_on_random_rules_and_tori(tmp_path, family, case):
    rng = stream(case, family)
    text, algorithm = _some_rule(rng, family)
    rule = parse_rule(text, dimensions=2)
    height, width = (int(size) for size in rng.integers(13, 60, 2))
    cells = (rng.integers(1, rule.states, (height, width)) * (rng.random((height, width)) < 0.4)).astype(np.uint8)
    steps = int(rng.choice([1, 2, 7, 30]))
    theirs = golly(tmp_path, cells, f"{text}:T{width},{height}", steps, algorithm)
    np.testing.assert_array_equal(cropped(simulate(cells, rule, steps, "torus")), theirs)


@needs_golly
def test_golly_agrees_on_every_letter(tmp_path):
    """Each configuration alone, for birth and for survival, on all 512 blocks, set apart so that each stands on its own."""
    cells = np.zeros((16 * 6, 32 * 6), np.uint8)
    for block in range(512):
        y, x = 6 * (block // 32) + 1, 6 * (block % 32) + 1
        cells[y : y + 3, x : x + 3] = np.array([block >> bit & 1 for bit in range(9)]).reshape(3, 3)
    for name in CONFIGURATIONS:
        for text in ([] if name == "0" else [f"B{name}/S"]) + [f"B/S{name}"]:
            theirs = golly(tmp_path, cells, text, 1, "QuickLife")
            ours = cropped(run(np.pad(cells, 1), text, 1))
            np.testing.assert_array_equal(ours, theirs, err_msg=text)


@needs_golly
@pytest.mark.parametrize("text", ["B03/S23", "B013/S1238", "B02/S34H", "B0/S013V", "B02-a/S12", "B02-a/S128"])
@pytest.mark.parametrize("steps", [2, 6])
def test_golly_agrees_on_rules_with_b0(tmp_path, text, steps):
    """Golly keeps the complement of what B0 fills (its help, "Emulating B0 rules"): for ever with S8 as well, else on odd steps."""
    cells = (stream(steps, text).random((22, 31)) < 0.4).astype(np.uint8)
    inverted = text.endswith("8")
    ours = run(1 - cells if inverted else cells, text, steps, "torus")
    theirs = golly(tmp_path, cells, f"{text}:T31,22", steps, "QuickLife")
    np.testing.assert_array_equal(cropped(1 - ours if inverted else ours), theirs)


@needs_golly
@pytest.mark.parametrize("number", [18, 30, 54, 90, 110, 150, 184, 236])
def test_golly_agrees_on_elementary_rules(tmp_path, number):
    """Golly writes the next row below the last one, so that a row and `n` steps make n + 1 rows."""
    width, steps = 40, 25
    row = (stream(number, "row").random((1, width)) < 0.5).astype(np.uint8)
    ours = np.concatenate([run(row, f"W{number}", step, "torus") for step in range(steps + 1)])
    start = np.zeros((steps + 2, width), np.uint8)
    start[0] = row
    theirs = golly(tmp_path, start, f"W{number}:T{width},{steps + 2}", steps, "QuickLife")
    np.testing.assert_array_equal(cropped(ours), theirs)


@needs_golly
def test_golly_agrees_on_elementary_rules_without_a_torus(tmp_path):
    row = np.zeros((1, 90), np.uint8)
    row[0, 35:55] = stream(9, "row").random(20) < 0.5
    ours = np.concatenate([run(row, "W110", step) for step in range(26)])
    np.testing.assert_array_equal(cropped(ours), golly(tmp_path, row, "W110", 25, "QuickLife"))
