"""The unbounded plane: Golly on the same soups, published patterns, and the reference inside edges that nothing reaches."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from thunderlab.automata import plane
from thunderlab.automata.kernels import reference
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.plane import contained
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError
from thunderlab.seeds import stream

GLIDER = "x = 3, y = 3\nbo$2bo$3o!"
GUN = "x = 36, y = 9\n24bo$22bobo$12b2o6b2o12b2o$11bo3bo4b2o12b2o$2o8bo5bo3b2o$2o8bo3bob2o4bobo$10bo5bo7bo$11bo3bo$12b2o!"
golly = pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not installed (Debian: apt-get install golly)")


def cells_of(text):
    return Pattern.parse(text).cells


def soup_of(shape, states, density, seed):
    rng = stream(seed, "plane")
    return ((rng.random(shape) < density) * rng.integers(1, states, shape)).astype(np.uint8)


def live(cells, origin):
    """The cells that are not 0 as a set of places and states."""
    return {(*(int(at + low) for at, low in zip(place, origin, strict=True)), int(cells[tuple(place)])) for place in np.argwhere(cells)}


def box_of(cells):
    """The smallest box with all cells that are not 0, written differently than the engine does it."""
    places = np.argwhere(cells)
    return cells[tuple(slice(low, high + 1) for low, high in zip(places.min(axis=0), places.max(axis=0), strict=True))]


def in_golly(folder, algorithm, cells, rule, steps, ending):
    """Golly's text after `steps`, from cells whose first lies at (0, 0)."""
    start, end = folder / "start.rle", folder / f"end.{ending}"
    header, _, body = Pattern(cells, rule).text().partition("\n")
    start.write_text(f"#CXRLE Pos=0,0\n{header}\n{body}")
    subprocess.run(["bgolly", "-q", "-a", algorithm, "-m", str(steps), "-i", str(steps), "-o", end, start], check=True, capture_output=True)
    return end.read_text()


def from_macrocell(text):
    """The live cells of a macrocell file as `live` gives them (Golly's help, "File formats", .mc).

    Lines are nodes, the last one the root: of 8 x 8 cells of two states drawn with `.`, `*` and `$`, or a level and four numbers, quarters
    or at level 1 states, upper left, upper right, lower left, lower right. The root's centre is the corner of (0, 1).
    """
    nodes = [(0, set())]
    for line in text.splitlines()[1:]:
        if line.startswith("#"):
            continue
        if line[0] in ".*$":
            rows = line.split("$")
            nodes.append((3, {(y, x, 1) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "*"}))
            continue
        level, *parts = map(int, line.split())
        half = 2 ** (level - 1)
        corners = ((0, 0), (0, half), (half, 0), (half, half))
        found = set()
        for (dy, dx), part in zip(corners, parts, strict=True):
            inside = nodes[part][1] if level > 1 else {(0, 0, part)} if part else set()
            found |= {(y + dy, x + dx, state) for y, x, state in inside}
        nodes.append((level, found))
    level, found = nodes[-1]
    half = 2**level // 2
    return {(y - half + 1, x - half, state) for y, x, state in found}


def random_rule(rng, family):
    born, stays = (
        sorted(rng.choice(np.arange(low, 7 if family == "hexagonal" else 9), rng.integers(1, 4), replace=False)) for low in (1, 0)
    )
    birth, survival = ("".join(map(str, counts)) for counts in (born, stays))
    if family == "generations":
        return f"{survival}/{birth}/{rng.integers(3, 9)}"
    return f"B{birth}/S{survival}{'H' if family == 'hexagonal' else ''}"


@golly
@pytest.mark.parametrize("family", ["life-like", "hexagonal", "isotropic", "generations"])
@pytest.mark.parametrize("case", range(6))
def test_soups_under_random_rules_are_golly_s_cell_by_cell(tmp_path, family, case):
    """Absolutely, by HashLife and Golly's Generations, which say where cells lie; and moved to a corner, by QuickLife, which does not."""
    rng = stream(case, f"plane {family}")
    rule = ("B2-a/S12", "B3/S2-i34q", "B3-k4ci/S23", "B2ek3ain/S1c2-n4w8", "B2i34c/S2-i3", "B3/S2ae3")[case]
    if family != "isotropic":
        rule = random_rule(rng, family)
    parsed = parse_rule(rule, dimensions=2)
    shape, steps = (int(rng.integers(3, 40)), int(rng.integers(3, 40))), int(rng.choice([1, 30, 77, 150]))
    start = soup_of(shape, parsed.states, 0.5, case)
    start[0, 0] = start[-1, -1] = 1
    ours = Lattice(start, parsed, "plane")
    ours.run(steps)
    assert live(ours.cells(), ours.origin) == from_macrocell(
        in_golly(tmp_path, "Generations" if family == "generations" else "HashLife", start, str(parsed), steps, "mc")
    )
    if family != "generations":
        theirs = in_golly(tmp_path, "QuickLife", start, str(parsed), steps, "rle")
        expected = Pattern.parse(theirs).cells if "x = 0" not in theirs else np.zeros((1, 1), np.uint8)
        np.testing.assert_array_equal(ours.cells(), expected)


@golly
@pytest.mark.parametrize("rule", ["R5,C0,M1,S34..58,B34..45,NM", "R2,C0,M0,S3..8,B5..7,NC", "R3,C4,M0,S4..9,B6..11,NN"])
def test_larger_than_life_is_golly_s(tmp_path, rule):
    for seed, steps in ((1, 1), (2, 13), (3, 40)):
        start = soup_of((24, 31), 2, 0.45, seed)
        start[0, 0] = start[-1, -1] = 1
        theirs = in_golly(tmp_path, "Larger than Life", start, str(parse_rule(rule, dimensions=2)), steps, "rle")
        expected = Pattern.parse(theirs).cells if not re.search(r"x = 0\b", theirs) else np.zeros((1, 1), np.uint8)
        np.testing.assert_array_equal(simulate(start, rule, steps, "plane"), expected)


@pytest.mark.parametrize(
    ("rule", "shape", "steps"),
    [
        ("B3/S23", (9, 14), 40),
        ("B2/S34H", (7, 7), 25),
        ("B2/S013V", (6, 9), 30),
        ("B2-a/S12", (8, 5), 20),
        ("B1e2k/S1-c", (3, 3), 15),
        ("345/2/4", (12, 12), 30),
        ("/2/255", (6, 6), 20),
        ("W30", (1, 1), 50),
        ("W110", (4, 9), 40),
        ("R3,C0,M1,S5..12,B6..9,NC", (10, 10), 12),
        ("R4,C5,M0,S8..20,B10..18,NM", (12, 9), 9),
        ("B5-7/S4-6", (6, 7, 8), 12),
        ("0-6/1,3/2/N", (2, 1, 3), 10),
        ("4/4/5/M", (5, 5, 5), 14),
    ],
)
def test_every_family_equals_the_reference_inside_far_edges(rule, shape, steps):
    """States, populations and places, with steps taken at once, one by one, and in threes."""
    parsed = parse_rule(rule, dimensions=len(shape))
    start = soup_of(shape, parsed.states, 0.5, steps)
    far = steps * parsed.radius
    expected = [np.pad(start, far)]
    for _ in range(steps):
        expected.append(reference.simulate(expected[-1], parsed, 1, "dead"))
    corner = (-far,) * len(shape)
    at_once, one_by_one, in_threes = (Lattice(start, rule, "plane") for _ in range(3))
    trace = at_once.advance(steps)
    assert trace.digest is None
    assert trace.population.tolist() == [np.count_nonzero(state) for state in expected[1:]]
    for step in range(1, steps + 1):
        one_by_one.run(1)
        assert live(one_by_one.cells(), one_by_one.origin) == live(expected[step], corner)
    while in_threes.step < steps:
        in_threes.advance(min(3, steps - in_threes.step))
    for other in (one_by_one, in_threes):
        np.testing.assert_array_equal(other.cells(), at_once.cells())
        assert (other.origin, other.shape, other.digest, other.population) == (
            at_once.origin, at_once.shape, at_once.digest, int(trace.population[-1]),
        )  # fmt: skip
    if expected[-1].any():
        np.testing.assert_array_equal(simulate(start, rule, steps, "plane"), box_of(expected[-1]))


def test_the_r_pentomino_settles_with_116_cells_at_step_1103():
    """LifeWiki, "R-pentomino": generation 1103, population 116; six gliders have escaped and go on flying."""
    lattice = Lattice(cells_of("x = 3, y = 3\nb2o$2o$bo!"), "B3/S23", "plane")
    trace = lattice.advance(1400)
    assert trace.population[1102 - 1] != 116
    assert set(trace.population[1103 - 1 :]) == {116}
    assert lattice.population == 116


def test_the_acorn_takes_5206_steps_to_633_cells():
    """LifeWiki, "Acorn"."""
    lattice = Lattice(cells_of("x = 7, y = 3\nbo$3bo$2o2b3o!"), "B3/S23", "plane")
    lattice.run(5206)
    assert lattice.population == 633


def test_diehard_vanishes_after_130_steps_and_stays_away():
    lattice = Lattice(cells_of("x = 8, y = 3\n6bo$2o$bo3b3o!"), "B3/S23", "plane")
    trace = lattice.advance(200)
    assert trace.population[128] > 0 and not trace.population[129:].any()
    assert (lattice.step, lattice.population, lattice.digest, lattice.shape, lattice.origin) == (200, 0, 0, (1, 1), (0, 0))
    assert lattice.advance(7).population.tolist() == [0] * 7
    assert lattice.step == 207


def test_a_glider_is_a_quarter_as_many_cells_away_however_many_steps_there_are():
    start = np.zeros((50, 60), np.uint8)
    start[20:23, 30:33] = cells_of(GLIDER)
    lattice = Lattice(start, "B3/S23", "plane")
    assert (lattice.shape, lattice.origin) == ((3, 3), (20, 30))
    lattice.run(10_000)
    assert (lattice.shape, lattice.origin) == ((3, 3), (2520, 2530))
    np.testing.assert_array_equal(lattice.cells(), cells_of(GLIDER))


def test_a_pattern_may_go_where_coordinates_are_negative():
    start = cells_of(GLIDER)[::-1, ::-1]
    lattice = Lattice(start, "B3/S23", "plane")
    before = lattice.digest
    lattice.run(4000)
    assert lattice.origin == (-1000, -1000)
    np.testing.assert_array_equal(lattice.cells(), start)
    assert lattice.digest != before, "equal cells elsewhere are another state of a plane"


def test_gosper_s_gun_grows_by_a_glider_every_thirty_steps():
    """LifeWiki, "Gosper glider gun": period 30, 36 cells."""
    trace = Lattice(cells_of(GUN), "B3/S23", "plane").advance(930)
    assert [int(trace.population[30 * turn - 1]) for turn in range(1, 32)] == [36 + 5 * turn for turn in range(1, 32)]


def test_the_glider_of_bays_flies_in_three_dimensions():
    """C. Bays, Complex Systems 1 (1987): in Life 5766 a Life glider doubled into two planes, one cell diagonally every four steps."""
    lattice = Lattice(np.stack([cells_of(GLIDER)] * 2), "B6/S5-7", "plane")
    lattice.run(400)
    assert (lattice.shape, lattice.origin) == ((2, 3, 3), (0, 100, 100))


def test_an_elementary_rule_grows_along_its_row_only():
    """Rule 90 from one cell is Pascal's triangle modulo 2: after 2^k - 1 steps all 2^k odd places, after 2^k two cells (Wolfram 1983)."""
    lattice = Lattice(np.ones((1, 1), np.uint8), "W90", "plane")
    assert lattice.advance(511).population[-1] == 512
    assert (lattice.shape, lattice.origin) == ((1, 1023), (0, -511))
    lattice.run(1)
    assert (lattice.shape, lattice.population) == ((1, 1025), 2)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (1, 9), (3, 1, 2)])
def test_an_empty_plane_stays_empty(shape):
    lattice = Lattice(np.zeros(shape, np.uint8), parse_rule("B3/S2-3", dimensions=len(shape)), "plane")
    assert lattice.shape == (1,) * len(shape)
    assert lattice.advance(3).population.tolist() == [0, 0, 0]
    assert (lattice.step, lattice.population, lattice.digest, lattice.origin) == (3, 0, 0, (0,) * len(shape))
    lattice.run(10**8)
    assert lattice.step == 10**8 + 3
    assert not lattice.cells().any()


def test_the_result_of_simulate_is_the_smallest_box():
    block = np.zeros((20, 30), np.uint8)
    block[7:9, 4:6] = 1
    for steps in (0, 5):
        assert simulate(block, "B3/S23", steps, "plane").tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("rule", ["B0/S", "B03/S23", "0/0/3", "W1", "B02-a/S12", "R2,C0,M0,S3..5,B0..2,NM", "Lenia"])
def test_what_would_fill_the_plane_is_refused(rule):
    with pytest.raises(InputError, match=r"^boundary: .*accepted with (this rule|it): torus, dead"):
        Lattice(np.ones((3, 3), np.uint8), rule, "plane")


def test_a_pattern_that_outgrows_the_plane_stops_at_the_last_step_it_may_take(monkeypatch):
    monkeypatch.setattr(plane, "MOST_CELLS", 400)
    start = cells_of("x = 4, y = 2\n4A$4A!")
    lattice = Lattice(start, "B2/S", "plane")
    with pytest.raises(InputError) as refused:
        lattice.run(1000)
    found = re.match(
        r"steps: after (\d+) steps the pattern on the plane is (\d+) x (\d+) cells and needs a box of more than the 400 there may be; "
        r"run fewer steps, or give a torus or dead edges and a size$",
        str(refused.value),
    )
    step, height, width = map(int, found.groups())
    assert (lattice.step, lattice.shape) == (step, (height, width))
    assert (height + 2) * (width + 2) > 400 and 0 < step < 1000
    monkeypatch.undo()
    expected = reference.simulate(np.pad(start, step), parse_rule("B2/S", dimensions=2), step, "dead")
    assert live(lattice.cells(), lattice.origin) == live(expected, (-step, -step))
    assert lattice.population == expected.sum()
    lattice.run(5)
    assert lattice.step == step + 5


def test_an_engine_that_finds_its_box_too_large_is_heard(monkeypatch):
    """Long thin patterns need more memory than their cells tell."""
    from thunderlab.automata import memory

    tall = np.ones((300, 1), np.uint8)
    grown = Lattice(tall, "B3/S012345678", "plane")
    monkeypatch.setattr(memory, "MOST_BYTES", 1000)
    with pytest.raises(
        InputError, match=r"^steps: after 0 steps the pattern on the plane is 300 x 1 cells and cannot be run: .* GiB; run fewer"
    ):
        grown.run(1)
    assert grown.step == 0


def test_an_interrupt_leaves_the_plane_at_a_step_it_goes_on_from(monkeypatch):
    start = soup_of((20, 20), 2, 0.4, 5)
    monkeypatch.setattr(plane, "_FREE_CELLS", 3000)
    lattice = Lattice(start, "B3/S23", "plane")
    make, made = lattice._engine._make, []

    class Interrupted:
        """Takes all but the last three steps it was asked for."""

        def __init__(self, engine):
            self._engine = engine

        def __getattr__(self, name):
            return getattr(self._engine, name)

        def advance(self, steps, *, traced):
            self._engine.advance(steps - 3, traced=traced)
            raise KeyboardInterrupt

    def making(*arguments):
        made.append(arguments)
        engine = make(*arguments)
        return Interrupted(engine) if len(made) == 2 else engine

    lattice._engine._make = making
    with pytest.raises(KeyboardInterrupt):
        lattice.advance(60)
    stopped = lattice.step
    assert 0 < stopped < 60 and len(made) == 2
    plain = Lattice(start, "B3/S23", "plane")
    plain.run(stopped)
    np.testing.assert_array_equal(lattice.cells(), plain.cells())
    assert (lattice.origin, lattice.digest, lattice.population) == (plain.origin, plain.digest, plain.population)
    for one in (lattice, plain):
        one.run(60 - stopped)
    assert (lattice.step, lattice.digest) == (60, plain.digest)


@pytest.mark.parametrize(
    ("text", "rule", "steps"), [(GLIDER, "B3/S23", 300), ("x = 3, y = 3\nb2o$2o$bo!", "B3/S23", 250), (GLIDER, "B2/S", 30)]
)
def test_what_is_done_in_a_box_that_contains_a_run_is_done_on_the_plane(text, rule, steps):
    from thunderlab.automata.lattice import make_engine

    start, parsed = cells_of(text), parse_rule(rule, dimensions=2)
    box, at = contained(make_engine, start, parsed, steps)
    np.testing.assert_array_equal(box[at[0] : at[0] + 3, at[1] : at[1] + 3], start)
    inside, unbounded = Lattice(box, parsed, "dead"), Lattice(start, parsed, "plane")
    for _ in range(steps):
        inside.run(1)
        unbounded.run(1)
        assert live(inside.cells(), (-at[0], -at[1])) == live(unbounded.cells(), unbounded.origin)


def test_a_run_that_wanders_too_far_cannot_be_contained(monkeypatch):
    from thunderlab.automata.lattice import make_engine

    monkeypatch.setattr(plane, "_FREE_CELLS", 400)
    monkeypatch.setattr(plane, "MOST_CELLS", 2000)
    with pytest.raises(InputError, match=r"^steps: within 1000 steps the pattern wanders over more than the 2000 cells"):
        contained(make_engine, cells_of(GLIDER), parse_rule("B3/S23", dimensions=2), 1000)
