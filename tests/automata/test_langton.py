"""Lambda against published values and against every neighbourhood written out."""

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest

from thunderlab.automata.kernels import reference
from thunderlab.automata.measures.langton import langton_lambda
from thunderlab.automata.rules import Elementary, LargerThanLife, OuterTotalistic, parse_rule
from thunderlab.automata.rules.rule import Rule


def test_published_values():
    life = langton_lambda(parse_rule("B3/S23", dimensions=2))
    assert life == Fraction(2 * comb(8, 3) + comb(8, 2), 512) == Fraction(140, 512)
    assert float(life) == pytest.approx(0.273, abs=5e-4)
    assert [langton_lambda(Elementary(number)) for number in (0, 110, 30, 255)] == [0, Fraction(5, 8), Fraction(1, 2), 1]
    assert langton_lambda(parse_rule("B/S", dimensions=2)) == 0
    assert langton_lambda(parse_rule("B012345678/S012345678", dimensions=2)) == 1


def written_out(rule, window):
    """Return lambda from the centre of every window there is, run for one step."""
    alive = every = 0
    for cells in product(range(rule.states), repeat=int(np.prod(window))):
        state = np.array(cells, np.uint8).reshape(window)
        alive += bool(reference.simulate(state, rule, 1, "dead")[tuple(size // 2 for size in window)])
        every += 1
    return Fraction(alive, every)


@pytest.mark.parametrize("text", ["B3/S23", "B36/S125", "B2-a/S12", "B3/S2-i34q"])
def test_two_states_on_nine_cells(text):
    rule = parse_rule(text, dimensions=2)
    assert langton_lambda(rule) == written_out(rule, (3, 3))


@pytest.mark.parametrize("number", [0, 1, 30, 54, 110, 255])
def test_elementary_rules(number):
    assert langton_lambda(Elementary(number)) == written_out(Elementary(number), (1, 3))


def generations(rule):
    """Return lambda by the definition, every state of a cell and of its neighbours, without a lattice."""
    alive = 0
    for cell, *around in product(range(rule.states), repeat=rule.neighbours + 1):
        count = around.count(1)
        if cell == 0:
            alive += count in rule.birth
        elif cell == 1:
            alive += count in rule.survival or rule.states > 2
        else:
            alive += cell != rule.states - 1
    return Fraction(alive, rule.states ** (rule.neighbours + 1))


@pytest.mark.parametrize(
    ("birth", "survival", "dimensions", "neighbourhood", "states"),
    [
        ({2}, set(), 2, "moore", 3),
        ({2}, {3, 4}, 2, "von-neumann", 4),
        ({0, 1}, {1, 2}, 2, "von-neumann", 7),
        ({2}, {3, 4}, 2, "hexagonal", 2),
        ({2}, {3, 4}, 2, "hexagonal", 4),
        ({1, 3}, {0, 6}, 3, "von-neumann", 3),
    ],
)
def test_more_states_and_other_neighbourhoods(birth, survival, dimensions, neighbourhood, states):
    rule = OuterTotalistic(frozenset(birth), frozenset(survival), dimensions, neighbourhood, states)
    assert langton_lambda(rule) == generations(rule)


def test_three_dimensions_by_binomials():
    rule = parse_rule("B5/S4-5", dimensions=3)
    assert langton_lambda(rule) == Fraction(2 * comb(26, 5) + comb(26, 4), 2**27)


@pytest.mark.parametrize("middle", [False, True])
@pytest.mark.parametrize("states", [2, 3])
def test_larger_than_life_with_few_neighbours(middle, states):
    rule = LargerThanLife(1, states, middle, frozenset({2, 3}), frozenset({0, 3}), "von-neumann")
    alive = 0
    for cell, *around in product(range(states), repeat=5):
        count = around.count(1) + (middle and cell == 1)
        alive += (count in rule.birth) if cell == 0 else (states > 2 or count in rule.survival) if cell == 1 else cell != states - 1
    assert langton_lambda(rule) == Fraction(alive, states**5)


def test_larger_than_life_is_life_when_it_is_spelled_so():
    assert langton_lambda(parse_rule("R1,C0,M0,S2..3,B3..3,NM", dimensions=2)) == Fraction(140, 512)
    assert langton_lambda(parse_rule("R1,C0,M1,S3..4,B3..3,NM", dimensions=2)) == Fraction(140, 512)


def test_many_neighbours_stay_exact():
    majority = LargerThanLife(50, 2, True, frozenset(range(5101, 10202)), frozenset(range(5101, 10202)))
    assert langton_lambda(majority) == Fraction(1, 2)
    assert float(langton_lambda(LargerThanLife(50, 256, True, frozenset(), frozenset()))) == pytest.approx(254 / 256)


def test_a_family_without_a_table_has_none():
    class Smooth(Rule):
        spontaneous = False

        def __str__(self):
            return "smooth"

    assert langton_lambda(Smooth()) is None
