"""Lenia: Chan's own figures, plain sums, SciPy's convolutions, the Game of Life, and the symmetries it must have."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import interrupted
from thunderlab.automata.kernels import lenia, reference
from thunderlab.automata.kernels.dense import fingerprint
from thunderlab.automata.kernels.lenia import RUN_TOLERANCE, STEP_TOLERANCE, Lenia
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures import attractor
from thunderlab.automata.measures.trail import Trail
from thunderlab.automata.rules import parse_rule
from thunderlab.automata.rules.lenia import LeniaRule
from thunderlab.errors import InputError
from thunderlab.seeds import stream

BOUNDARIES = ("torus", "dead")
ORBIUM_RULE = LeniaRule.parse("Lenia R13,T10,m0.15,s0.015")
# Orbium unicaudatus, "O2u" in Python/animals.json of github.com/Chakazul/Lenia (B. W.-C. Chan, MIT licence): states in 255ths.
ROWS = """\
  0   0   0   0   0   0   0  13   4   0   0   0   0   0   0  60   0   0   0   0
  0   0   0   0   0   0  35  53  54  21  18  25  26  18   1  65   0   0   0   0
  0   0   0   0   0  22  68  91  98  87  48  47  44  47  45  27  89   0   0   0
  0   0   0   0   3  17  89 116 119  97  33  20  14  16  31  55 180   0   0   0
  0   0   0   9  33  47  87 103  98  72  34   0   0   0   0  12 102  84   0   0
  1   0   4  35  43  34  28  63  69  67  53   0   0   0   0   0   5 220   0   0
 60   0  26  44  20   0   0  51  79  94  95  61   0   0   0   0   0 116  40   0
  0  31  47  28   0   0   0  69 109 129 137 130   0   0   0   0   0   0 132   0
  0 150  55   8   0   0   0  48 135 162 174 174 107   0   0   0   0   0 109   0
  0 141  60   0   0   0   0   7 158 193 214 218 206  27   0   0   0   0  72  25
  0   0 152   0   0   0   0   0 170 223 245 253 248 143   0   0   0   0  57  36
  0   0 214   0   0   0   0   0 129 247 255 255 255 233  71   0   0   6  56  34
  0   0 141  19   0   0   0   0  85 255 255 250 255 248 142  40  13  30  62  22
  0   0   8 114   0   0   0   0  45 217 255 228 220 221 166  85  50  55  59  10
  0   0   0 108  29   0   0   0  29 158 224 210 199 189 156 104  75  68  42   0
  0   0   0  20  85  19   0   0  30 108 172 184 173 160 134 103  79  57  16   0
  0   0   0   0  42  66  38  30  44  86 127 142 139 127 109  86  62  30   0   0
  0   0   0   0   0  37  59  60  66  81  99 108 105  92  78  58  32   5   0   0
  0   0   0   0   0   0  18  43  58  64  70  71  66  59  42  24   5   0   0   0
  0   0   0   0   0   0   0   0  15  26  33  34  30  20  11   0   0   0   0   0"""
ORBIUM = np.array([row.split() for row in ROWS.splitlines()], np.uint8)


def orbium(size, y, x):
    cells = np.zeros((size, size), np.uint8)
    cells[y : y + 20, x : x + 20] = ORBIUM
    return cells


def around(field, rule, boundary):
    """The weighted mean around each cell, added up one neighbour after the other, weights from their definition."""
    reach = rule.radius
    beyond = np.pad(field, reach, mode="wrap" if boundary == "torus" else "constant")
    total, weight = np.zeros(field.shape), 0.0
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            r = (dy * dy + dx * dx) ** 0.5 / reach
            if r < 1:
                ring, r = divmod(r * len(rule.rings), 1)
                core = {
                    1: lambda r: (4 * r * (1 - r)) ** 4,
                    2: lambda r: 0.0 if r == 0 else np.exp(4 - 1 / (r * (1 - r))),
                    3: lambda r: float(0.25 <= r <= 0.75),
                    4: lambda r: 0.5 if r < 0.25 else float(r <= 0.75),
                }[rule.core](r)
                total += rule.rings[int(ring)] * core * beyond[reach + dy :, reach + dx :][: field.shape[0], : field.shape[1]]
                weight += rule.rings[int(ring)] * core
    return total / weight


def growth(mean, rule):
    z = (mean - rule.mu) / rule.sigma
    if rule.peak == 1:
        return np.where(abs(z) < 3, 2 * (1 - z**2 / 9) ** 4 - 1, -1)
    return 2 * np.exp(-(z**2) / 2) - 1 if rule.peak == 2 else np.where(abs(z) <= 1, 1, -1)


def plain_step(field, rule, boundary):
    return np.clip(field + growth(around(field, rule, boundary), rule) / rule.time, 0, 1)


@st.composite
def rules(draw, peaks=(1, 2)):
    return LeniaRule(
        draw(st.integers(2, 20)), draw(st.integers(1, 100)), draw(st.floats(0.05, 0.5)), draw(st.floats(0.01, 0.2)),
        tuple(draw(st.lists(st.integers(1, 12).map(lambda n: n / 12), min_size=1, max_size=3))),
        draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from(peaks)),
    )  # fmt: skip


@given(rule=rules(), height=st.integers(1, 50), width=st.integers(1, 50), boundary=st.sampled_from(BOUNDARIES), seed=st.integers(0, 2**32))
def test_one_step_is_what_plain_sums_give(rule, height, width, boundary, seed):
    """Also on tori smaller than the neighbourhood, where a cell counts as often as it is met."""
    field = stream(seed, "field").random((height, width)) * 0.4
    engine = Lenia(field, rule, boundary)
    np.testing.assert_allclose(engine.around(), around(field, rule, boundary), rtol=0, atol=1e-14)
    engine.advance(1)
    np.testing.assert_allclose(engine.field(), plain_step(field, rule, boundary), rtol=0, atol=STEP_TOLERANCE)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_hundred_steps_of_orbium_are_what_plain_sums_give(boundary):
    cells = orbium(56, 4, 4)
    engine, field = Lenia(cells, ORBIUM_RULE, boundary), cells / 255
    for _ in range(100):
        field = plain_step(field, ORBIUM_RULE, boundary)
    engine.advance(100, traced=False)
    assert field.max() > 0.9
    np.testing.assert_allclose(engine.field(), field, rtol=0, atol=RUN_TOLERANCE)


@pytest.mark.parametrize(
    "rule", ["Lenia", "Lenia R20,T10,m0.2,s0.03,b1/2;1;1/3,kn2,gn2", "Lenia R9,T5,m0.3,s0.05,kn3", "Lenia R2,T1,m0.3,s0.1,kn4"]
)
def test_convolutions_of_scipy(rule):
    rule = LeniaRule.parse(rule)
    field = stream(1, "field").random((61, 47))
    np.testing.assert_allclose(
        Lenia(field, rule, "torus").around(), scipy.signal.convolve2d(field, rule.weights, mode="same", boundary="wrap"), rtol=0, atol=1e-15
    )
    np.testing.assert_allclose(
        Lenia(field, rule, "dead").around(), scipy.signal.fftconvolve(field, rule.weights, mode="same"), rtol=0, atol=1e-15
    )


# What Chan's own notebook (Jupyter/Lenia.ipynb of the repository above, complex transforms by NumPy) makes of O2u in the middle of
# 128 x 128 cells: mass and centre after so many steps, and the mass with his exponential core and growth function.
CHAN = {1: 74.94319479892526, 10: 73.8543854131621, 50: 73.41867628706933, 100: 73.51900048818192}
CHAN_CENTRES = {50: (93.95924332520573, 76.06629400780203), 100: (122.9092544949941, 87.59081946559598)}
CHAN_EXPONENTIAL = {1: 74.04830142990426, 10: 73.93252906207752, 100: 71.2518833512131}


def centre(field):
    """The centre of mass on a torus, from the angles at which axes wrap."""
    turns = [np.exp(2j * np.pi * np.arange(size) / size) for size in field.shape]
    return [
        float(np.angle(field.sum(axis=1 - axis) @ turns[axis]) / (2 * np.pi) * field.shape[axis] % field.shape[axis]) for axis in (0, 1)
    ]


@pytest.mark.parametrize(("rule", "masses"), [("Lenia", CHAN), ("Lenia R13,T10,m0.15,s0.015,kn2,gn2", CHAN_EXPONENTIAL)])
def test_orbium_as_in_chans_notebook(rule, masses):
    engine = Lenia(orbium(128, 54, 54), LeniaRule.parse(rule), "torus")
    for step, mass in masses.items():
        engine.advance(step - engine.steps, traced=False)
        assert engine.mass == pytest.approx(mass, rel=RUN_TOLERANCE)
        if rule == "Lenia" and step in CHAN_CENTRES:
            assert centre(engine.field()) == pytest.approx(CHAN_CENTRES[step], rel=RUN_TOLERANCE)


def test_orbium_glides():
    """It keeps its mass within one percent, its speed (0.62 cells a step here, R / 2 in a unit of time) and its direction."""
    engine = Lenia(orbium(128, 54, 54), ORBIUM_RULE, "torus")
    engine.advance(100, traced=False)  # ten units of time, in which it recovers from being rounded
    masses, places = [], [centre(engine.field())]
    for _ in range(50):
        engine.advance(10, traced=False)
        masses.append(engine.mass)
        places.append(centre(engine.field()))
    assert np.abs(np.array(masses) / np.mean(masses) - 1).max() < 0.01
    moves = (np.diff(places, axis=0) + 64) % 128 - 64
    moves = moves.reshape(5, 10, 2).sum(axis=1)
    speeds, angles = np.hypot(*moves.T) / 100, np.degrees(np.arctan2(*moves.T[::-1]))
    assert np.ptp(speeds) / speeds.mean() < 0.005
    assert np.ptp(angles) < 0.5
    assert speeds.mean() * ORBIUM_RULE.time / ORBIUM_RULE.radius == pytest.approx(0.48, abs=0.005)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_game_of_life_as_a_lenia(boundary):
    """Chan's own parameters for it ("Glider (diagonal c/4)" and others in animals.json), against plain NumPy."""
    rule = LeniaRule.parse("Lenia R2,T1,m0.35,s0.07,kn4,gn3")
    soup = (stream(3, "soup").random((90, 67)) < 0.3).astype(np.uint8)
    ours = Lenia(255 * soup, rule, boundary)
    for _ in range(6):
        ours.advance(25, traced=False)
        soup = reference.simulate(soup, parse_rule("B3/S23", dimensions=2), 25, boundary)
        np.testing.assert_array_equal(ours.unpack(), 255 * soup)
    assert ours.mass > 100


@pytest.mark.parametrize(("size", "rule"), [((40, 36), "Lenia"), ((37, 41), "Lenia R9,T5,m0.2,s0.03,b1;1/2,kn2,gn2")])
def test_moving_turning_and_mirroring_a_lattice_moves_turns_and_mirrors_what_becomes_of_it(size, rule):
    rule = LeniaRule.parse(rule)
    field = stream(5, "field").random(size) * 0.35

    def run(start, boundary="torus"):
        engine = Lenia(start, rule, boundary)
        engine.advance(5, traced=False)
        return engine.field()

    end = run(field)
    assert 0 < end.mean() < 1 and end.std() > 0.01
    for change in (lambda a: np.roll(a, (11, 30), axis=(0, 1)), np.rot90, np.flipud, np.fliplr, np.transpose):
        np.testing.assert_allclose(run(change(field)), change(end), rtol=0, atol=RUN_TOLERANCE)
    for change in (np.rot90, np.flipud, np.transpose):
        np.testing.assert_allclose(run(change(field), "dead"), change(run(field, "dead")), rtol=0, atol=RUN_TOLERANCE)
    np.testing.assert_allclose(run(np.tile(field, (2, 3))), np.tile(end, (2, 3)), rtol=0, atol=RUN_TOLERANCE)


@pytest.mark.parametrize("core", [1, 2, 3, 4])
@pytest.mark.parametrize("radius", [2, 3, 13, 100])
def test_weights_are_a_mean_and_look_the_same_from_every_side(core, radius):
    weights = LeniaRule(radius, 10, 0.1, 0.1, (1.0, 0.5), core).weights
    assert weights.shape == (2 * radius + 1, 2 * radius + 1)
    assert weights.sum() == pytest.approx(1, abs=1e-14)
    assert (weights >= 0).all() and not weights.flags.writeable
    for other in (weights.T, weights[::-1], np.rot90(weights)):
        np.testing.assert_array_equal(weights, other)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    assert not weights[np.hypot(y, x) >= radius].any()


@pytest.mark.parametrize("peak", [1, 2, 3])
def test_growth_is_greatest_at_m_and_positive_near_it(peak):
    rule = LeniaRule(13, 10, 0.3, 0.0205, peak=peak)
    mean = np.linspace(0, 1, 1001)
    found = rule.growth(mean)
    assert found[300] == 1 and found.max() == 1 and found.min() == -1
    np.testing.assert_allclose(found, growth(mean, rule), rtol=0, atol=1e-14)
    # Half way up at 3 sqrt(1 - 2^(-1/4)) s, sqrt(2 ln 2) s, and s.
    width = {1: 3 * (1 - 2**-0.25) ** 0.5, 2: (2 * np.log(2)) ** 0.5, 3: 1}[peak] * 20.5
    assert mean[found > 0][[0, -1]] * 1000 == pytest.approx([300 - int(width), 300 + int(width)])
    assert not rule.spontaneous
    assert LeniaRule(13, 10, 0.01, 0.02, peak=peak).spontaneous


def test_what_is_handed_in_and_out():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    engine = Lenia(levels, ORBIUM_RULE, "torus")
    np.testing.assert_array_equal(engine.unpack(), levels)
    assert Lenia(np.array([[0.4, 0.6, 254.4, 254.6]]) / 255, ORBIUM_RULE, "torus").unpack().tolist() == [[0, 1, 254, 255]]
    assert engine.mass == pytest.approx(255 * 128 / 255)
    assert engine.fingerprint() == fingerprint(levels) and engine.fingerprint()[0] == 255
    np.testing.assert_array_equal(engine.field(), Lenia(levels / 255, ORBIUM_RULE, "torus").field())
    assert Lenia((levels / 255).astype(np.float32), ORBIUM_RULE, "dead").field().dtype == np.float64
    before = engine.field().copy()
    engine.field()[:] = 0
    engine.unpack()[:] = 0
    levels[:] = 0
    np.testing.assert_array_equal(engine.field(), before)
    floats = before.copy()
    engine = Lenia(floats, ORBIUM_RULE, "torus")
    floats[:] = 0
    np.testing.assert_array_equal(engine.field(), before)


def test_what_looks_for_equal_states_is_refused():
    """Equal whole numbers are not equal states: growing by a twentieth of one in a step, a state seems to stand still, and does not."""
    cells, slow = np.full((24, 24), 38, np.uint8), LeniaRule.parse("Lenia R13,T5000,m0.15,s0.015")
    lattice = Lattice(cells, slow)
    first = lattice.digest
    assert set(lattice.advance(8).digest.tolist()) == {first}
    lattice.run(32)
    assert lattice.digest != first and not np.array_equal(lattice.cells(), cells)
    for look in (attractor.find, lambda cells, rule: Trail(cells, rule, "torus"), lambda cells, rule: attractor.find(cells, rule, "dead")):
        with pytest.raises(InputError, match=r"^rule: Lenia computes with rounded numbers, so .*; rules of whole states are accepted$"):
            look(cells, slow)


def test_a_trace_is_of_what_is_handed_out():
    engine, other = (Lenia(orbium(64, 9, 9), ORBIUM_RULE, "torus") for _ in range(2))
    trace = engine.advance(5)
    for step in range(5):
        assert other.advance(1, traced=False) is None
        assert tuple(trace[step].tolist()) == fingerprint(other.unpack())
    assert engine.steps == other.steps == 5
    np.testing.assert_array_equal(engine.field(), other.field())


@pytest.mark.parametrize("line", range(21))
def test_an_interrupt_leaves_a_state_and_its_count(line):
    """At every line of three steps."""
    engine, other = (Lenia(orbium(32, 9, 9), ORBIUM_RULE, "torus") for _ in range(2))
    assert interrupted(lambda: engine.advance(3, traced=False), line, lambda code: code.co_name == "_run")
    assert engine.steps < 3
    other.advance(engine.steps, traced=False)
    np.testing.assert_array_equal(engine.field(), other.field())
    engine.advance(2, traced=False)
    other.advance(2, traced=False)
    np.testing.assert_array_equal(engine.field(), other.field())


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (np.zeros((3, 3), np.int64), "expected a NumPy array of uint8, float32 or float64, not int64"),
        ([[0.0]], "not list"),
        (np.zeros((3, 3, 3)), r"not the shape \(3, 3, 3\)"),
        (np.zeros((3, 0)), r"not the shape \(3, 0\)"),
        (np.broadcast_to(np.zeros(1), (2**14, 2**14)), "at most 67108864 cells"),
        (np.full((3, 3), 1.01), "expected states from 0 to 1"),
        (np.full((3, 3), -1e-9), "expected states from 0 to 1"),
        (np.full((3, 3), np.nan), "expected states from 0 to 1"),
    ],
)
def test_cells_that_are_none_are_refused(cells, what):
    with pytest.raises(InputError, match=f"^cells: .*{what}"):
        Lenia(cells, ORBIUM_RULE, "torus")


HEIGHTS = st.integers(0, 10**10).map(lambda n: n / 10**10) | st.builds(
    lambda a, b: min(a, b) / max(a, b), st.integers(0, 999), st.integers(1, 999)
)


@given(
    rule=st.builds(
        LeniaRule,
        st.integers(9, 100), st.integers(1, 100_000), st.just(0.0) | st.floats(1e-9, 1), st.floats(1e-4, 1),
        st.lists(HEIGHTS, max_size=7).map(lambda rings: (*rings, 1.0)), st.sampled_from([1, 2, 4]), st.integers(1, 3),
    )
)  # fmt: skip
def test_the_spelling_of_a_rule_reads_as_that_rule(rule):
    found = LeniaRule.parse(str(rule))
    assert found == rule and str(found) == str(rule)
    assert len(str(rule)) < 200  # as much as any rule string may have


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("Lenia", "Lenia R13,T10,m0.15,s0.015"),
        (" lenia ", "Lenia R13,T10,m0.15,s0.015"),
        ("LENIA r=13, t=10, M=.150, S=0.015, KN=1, gn1, b1", "Lenia R13,T10,m0.15,s0.015"),
        ("Lenia s0.025,R20,m1/3,T5", "Lenia R20,T5,m0.3333333333333333,s0.025"),
        ("Lenia R20,T5,m0,s1,b0.5;1;0,kn4,gn3", "Lenia R20,T5,m0,s1,b1/2;1;0,kn4,gn3"),
    ],
)
def test_spellings(text, spelling):
    found = LeniaRule.parse(text)
    assert str(found) == spelling
    assert LeniaRule.parse(spelling) == found


def test_other_strings_are_left_to_others():
    for text in ("B3/S23", "Lenias", "R5,C0,M1,S34..58,B34..45,NM", "", "Leni"):
        assert LeniaRule.parse(text) is None


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Lenia R13", "T, m, s missing; accepted: Lenia, or Lenia R13,T10,m0.15,s0.015"),
        ("Lenia R13,T10,m0.15", "s missing"),
        ("Lenia 13", "'13' is not a part of it"),
        ("Lenia R13,,T10", "'' is not a part of it"),
        ("Lenia R13,T10,m0.15,s0.015,x3", "'x3' is not a part of it"),
        ("Lenia R13,T10,m0.15,s-1", "'s-1' is not a part of it"),
        ("Lenia R13,T10,m0.15,s1e-2", "'s1e-2' is not a part of it"),
        ("Lenia R13,T10,m0.15,s0.015,r9", "r is named twice"),
        ("Lenia R1,T10,m0.15,s0.015", "R, the radius, is from 2 to 100, not 1"),
        ("Lenia R101,T10,m0.15,s0.015", "not 101"),
        ("Lenia R1.5,T10,m0.15,s0.015", "R is a whole number, not '1.5'"),
        (f"Lenia R{'9' * 5000},T10,m0.15,s0.015", "R is a whole number, not '9999"),
        ("Lenia R13,T0,m0.15,s0.015", "T, the steps in a unit of time, is from 1 to 100000, not 0"),
        ("Lenia R13,T100001,m0.15,s0.015", "not 100001"),
        ("Lenia R13,T10,m0.0000000001,s0.015", "m, where growth is greatest, is 0 or at least 1e-09, not 1e-10"),
        ("Lenia R13,T10,m1.5,s0.015", "m, where growth is greatest, is from 0 to 1, not 1.5"),
        ("Lenia R13,T10,m0.15,s0", "s, the width of growth, is from 0.0001 to 1, not 0"),
        ("Lenia R13,T10,m1/0,s0.015", "m is a number such as 0.15 or 1/3, not '1/0'"),
        ("Lenia R13,T10,m0..1,s0.015", "m is a number"),
        (f"Lenia R13,T10,m0.{'1' * 5000},s0.015", "m is a number such as 0.15 or 1/3, not '0.1111"),
        ("Lenia R13,T10,m0.15,s0.015,b", "'b' is not a part of it"),
        ("Lenia R13,T10,m0.15,s0.015,b1;", "b is a number"),
        ("Lenia R13,T10,m0.15,s0.015,b2", "b, the heights of the rings, are from 0 to 1"),
        ("Lenia R13,T10,m0.15,s0.015,b0.12345678901", "are fractions of numbers up to 999 or decimals of up to 10 places"),
        ("Lenia R13,T10,m0.15,s0.015,b0;0", "no cell within R13 lies in a ring of height above 0"),
        ("Lenia R2,T10,m0.15,s0.015,b0;0;0;1,kn3", "no cell within R2 lies in a ring of height above 0"),
        (f"Lenia R13,T10,m0.15,s0.015,b{';'.join('1' * 9)}", "b, the rings, are from 1 to 8, not 9"),
        ("Lenia R13,T10,m0.15,s0.015,kn5", "kn, the kernel's profile, is from 1 to 4, not 5"),
        ("Lenia R13,T10,m0.15,s0.015,gn0", "gn, the growth function, is from 1 to 3, not 0"),
    ],
)
def test_rules_that_are_none_are_refused_in_one_short_line(text, what):
    with pytest.raises(InputError) as caught:
        LeniaRule.parse(text)
    assert what in str(caught.value) and str(caught.value).startswith("rule: ")
    assert len(str(caught.value)) < 200 and "\n" not in str(caught.value)


def test_a_parameter_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="m, where growth is greatest, is from 0 to 1, not nan"):
        LeniaRule(13, 10, float("nan"), 0.1)


def test_the_declared_tolerances_say_something():
    """A run in single precision is outside of them; a tolerance that let it pass would hide a mistake."""
    field = orbium(64, 9, 9) / 255
    single = np.float32(field)
    mean = np.float32(around(single.astype(np.float64), ORBIUM_RULE, "torus"))
    step = np.clip(single + np.float32(growth(mean, ORBIUM_RULE)) / np.float32(10), 0, 1)
    engine = Lenia(field, ORBIUM_RULE, "torus")
    engine.advance(1)
    assert abs(engine.field() - step).max() > 100 * lenia.STEP_TOLERANCE
