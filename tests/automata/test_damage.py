"""Damage against a copy run by the plain reference, and against rules whose light cones are known by heart."""

import math

import numpy as np
import pytest

from thunderlab.automata.kernels import reference
from thunderlab.automata.measures.damage import damage
from thunderlab.automata.rules import parse_rule
from thunderlab.automata.soup import soup
from thunderlab.errors import InputError

FULL = "B12345678/S012345678"


def by_hand(cells, text, steps, boundary, site, state):
    """Return distance and reach of a copy whose cell at `site` has another state, step by step in plain NumPy."""
    rule, copy, rows = parse_rule(text, dimensions=cells.ndim), cells.copy(), []
    copy[site] = state
    for step in range(steps + 1):
        if step:
            cells, copy = (reference.simulate(one, rule, 1, boundary) for one in (cells, copy))
        away = [
            min(abs(at - home), size - abs(at - home)) if boundary == "torus" else abs(at - home)
            for place in np.argwhere(cells != copy).tolist()
            for at, home, size in zip(place, site, cells.shape, strict=True)
        ]
        rows.append((int((cells != copy).sum()), max(away, default=0)))
    return [list(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("copies", [1, 5])
@pytest.mark.parametrize("boundary", ["torus", "dead"])
@pytest.mark.parametrize(("text", "shape"), [("B3/S23", (20, 31)), ("B2/S", (16, 16)), ("B5-7/S4-6", (9, 8, 10))])
def test_damage_is_that_of_copies_run_one_by_one(text, shape, boundary, copies):
    cells = soup(shape, 0.4, seed=3)
    found = damage(cells, text, 12, boundary, seed=8, copies=copies)
    assert found.distance.shape == found.reach.shape == (copies, 13) and found.distance.dtype == np.int64
    for copy, site in enumerate(found.sites):
        distance, reach = by_hand(cells, text, 12, boundary, site, 1 - cells[site])
        assert (found.distance[copy].tolist(), found.reach[copy].tolist()) == (distance, reach)


@pytest.mark.parametrize("text", ["W110", "/2/3", "R2,C0,M1,S5..9,B6..8,NM", "B2-a/S12", "B2/S34H"])
def test_every_family_can_be_disturbed(text):
    rule = parse_rule(text, dimensions=2)
    cells = np.random.default_rng(2).integers(0, rule.states, (24, 30), dtype=np.uint8)
    found = damage(cells, rule, 8, "torus", seed=1, copies=3)
    assert (found.distance[:, 0] == 1).all() and (found.reach[:, 0] == 0).all()
    for copy, site in enumerate(found.sites):
        courses = [by_hand(cells, text, 8, "torus", site, state) for state in range(rule.states) if state != cells[site]]
        assert [found.distance[copy].tolist(), found.reach[copy].tolist()] in courses


def test_squares_grow_at_the_speed_of_light_until_they_meet_themselves():
    found = damage(np.zeros((21, 33), np.uint8), FULL, 40, seed=4)
    assert found.distance[0, :11].tolist() == [(2 * step + 1) ** 2 for step in range(11)] == found.cone.tolist()
    assert found.clear == 10 and found.reach[0, -1] == 16 and found.distance[0, -1] == 21 * 33
    assert (found.speed, found.exponent, found.healed) == (1.0, 1.0, 0.0)


def test_a_cell_that_stays_alone_and_one_that_dies():
    still = damage(np.zeros((15, 15), np.uint8), "B/S012345678", 20, copies=4)
    assert still.distance.tolist() == [[1] * 21] * 4 and (still.speed, still.exponent, still.healed) == (0.0, 0.0, 0.0)
    gone = damage(np.zeros((15, 15), np.uint8), "B3/S23", 20, copies=4)
    assert gone.distance.tolist() == [[1] + [0] * 20] * 4 and (gone.speed, gone.exponent, gone.healed) == (0.0, 0.0, 1.0)


def test_rule_90_grows_as_pascals_triangle_modulo_two_whatever_the_state():
    """Glaisher 1899: row n of Pascal's triangle has 2^(ones of n in binary) odd entries."""
    found = damage(soup((1, 300), 0.5, seed=1), "W90", 100, copies=6)
    assert found.distance.tolist() == [[2 ** step.bit_count() for step in range(101)]] * 6
    assert found.reach.tolist() == [list(range(101))] * 6 and found.speed == 1.0
    assert found.cone.tolist() == list(range(1, 202, 2))
    grown = [math.log(2 ** step.bit_count()) / math.log(2 * step + 1) for step in range(51, 101)]
    assert found.exponent == pytest.approx(sum(grown) / 50, abs=1e-11)


def test_rows_of_an_elementary_rule_do_not_touch_and_a_shift_carries_one_cell():
    found = damage(soup((7, 41), 0.5, seed=1), "W170", 60, copies=3)
    assert (found.distance == 1).all() and found.clear == 20 and found.speed == 1.0 and found.exponent == 0.0
    assert found.reach[:, 20].tolist() == [20] * 3 and found.reach[:, 41].tolist() == [0] * 3


def test_speed_counts_in_units_of_the_radius():
    found = damage(np.zeros((41, 41), np.uint8), "R4,C0,M1,S1..81,B1..81,NM", 9)
    assert (found.clear, found.light, found.speed, found.exponent) == (5, 4, 1.0, 1.0)
    assert found.distance[0, :6].tolist() == [(8 * step + 1) ** 2 for step in range(6)]


def test_axes_that_a_cell_sees_all_of_limit_nothing():
    found = damage(np.zeros((2, 31), np.uint8), FULL, 20)
    assert found.clear == 15 and found.cone[-1] == 62 and found.exponent == 1.0
    tiny = damage(np.zeros((2, 2), np.uint8), FULL, 5)
    assert (tiny.clear, tiny.speed, tiny.exponent) == (0, 0.0, 0.0)


def test_sites_are_drawn_from_a_stream_of_their_own_and_spread_evenly():
    cells = np.zeros((8, 8), np.uint8)
    found = [damage(cells, "B3/S23", 0, seed=seed, copies=64).sites for seed in range(8)]
    assert found[0] == damage(cells, "B3/S23", 0, seed=0, copies=64).sites != found[1]
    assert found[0][:5] == damage(cells, "B3/S23", 0, seed=0, copies=5).sites
    counts = np.bincount([8 * y + x for sites in found for y, x in sites], minlength=64)
    assert counts.min() >= 1 and counts.max() <= 24  # 8 on average


def test_new_states_are_others_and_all_of_them():
    cells = np.full((4, 4), 2, np.uint8)
    from thunderlab.automata.measures.damage import _kick

    sites, kicked = _kick(cells, 5, seed=1, copies=100)
    assert {int(kicked[(copy, *site)]) for copy, site in enumerate(sites)} == {0, 1, 3, 4}
    assert ((kicked != cells).sum(axis=(1, 2)) == 1).all()


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"steps": -1}, "steps lie in"),
        ({"steps": 10**6 + 1}, "steps lie in"),
        ({"copies": 0}, "1 to 256 copies"),
        ({"copies": 257}, "1 to 256 copies"),
        ({"seed": -1}, "seed"),
        ({"cells": np.zeros((2048, 2049), np.uint8), "copies": 256}, "cells in all"),
        ({"boundary": "plane"}, "torus, dead"),
        ({"rule": "B9/S"}, "rule"),
    ],
)
def test_what_cannot_be_run_is_refused(more, what):
    with pytest.raises(InputError, match=what):
        damage(**{"cells": np.zeros((5, 5), np.uint8), "rule": "B3/S23", "steps": 5, **more})
