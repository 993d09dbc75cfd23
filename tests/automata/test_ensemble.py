"""Many lattices at once are each as if alone, for every family; and what was seen on the way is what was there."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

from tests.conftest import interrupted
from thunderlab import automata
from thunderlab.automata import ensemble as ensembles
from thunderlab.automata.ensemble import Ensemble, simulate_many
from thunderlab.automata.kernels import packed
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError
from thunderlab.seeds import stream

FAMILIES = [
    ("B3/S23", (12, 17)),
    ("B0123478/S01234678", (9, 40)),
    ("B2/S34H", (8, 9)),
    ("B2/S013V", (1, 33)),
    ("B2-a/S12", (11, 5)),
    ("345/2/4", (10, 21)),
    ("/2/256", (7, 7)),
    ("W30", (3, 65)),
    ("R2,C0,M1,S4..9,B5..8,NC", (15, 11)),
    ("R3,C5,M0,S9..20,B8..14,NM", (9, 14)),
    ("B5-7/S4-6", (5, 6, 7)),
    ("4/4/5/M", (4, 9, 8)),
    ("0-6/1,3/2/N", (6, 3, 10)),
]


def soups(rule, seeds, shape):
    parsed = parse_rule(rule, dimensions=len(shape))
    rng = stream(len(shape), rule)
    return ((rng.random((seeds, *shape)) < 0.5) * rng.integers(1, parsed.states, (seeds, *shape))).astype(np.uint8)


@pytest.mark.parametrize("boundary", ["torus", "dead"])
@pytest.mark.parametrize(("rule", "shape"), FAMILIES, ids=[rule for rule, _ in FAMILIES])
def test_every_family_is_stepped_as_one_by_one(rule, shape, boundary):
    cells = soups(rule, 5, shape)
    ensemble = Ensemble(cells, rule, boundary)
    alone = [Lattice(one, rule, boundary) for one in cells]
    watched = ensemble.observe(11, every=4)
    states = [[one] for one in cells]
    for seed, lattice in enumerate(alone):
        for _ in range(11):
            lattice.run(1)
            states[seed].append(lattice.cells())
    at = [0, 4, 8, 11]
    assert watched.step.tolist() == at
    assert watched.population.tolist() == [[np.count_nonzero(one[step]) for one in states] for step in at]
    assert watched.changed.tolist() == [[np.count_nonzero(one[step] != one[max(step - 1, 0)]) for one in states] for step in at]
    assert {column.dtype for column in watched} == {np.dtype(np.int64)}
    np.testing.assert_array_equal(ensemble.cells(), [one[-1] for one in states])
    np.testing.assert_array_equal(simulate_many(cells, rule, 11, boundary), ensemble.cells())
    assert ensemble.step == 11


@pytest.mark.parametrize("boundary", ["torus", "dead"])
def test_lenia_is_stepped_as_one_by_one(boundary):
    cells = soups("Lenia", 3, (40, 31))
    watched = Ensemble(cells, "Lenia", boundary).observe(7, every=3)
    alone = [[simulate(one, "Lenia", step, boundary) for step in range(8)] for one in cells]
    assert watched.step.tolist() == [0, 3, 6, 7]
    assert watched.population.tolist() == [[np.count_nonzero(one[step]) for one in alone] for step in (0, 3, 6, 7)]
    assert watched.changed.tolist() == [[0] * 3, *([np.count_nonzero(one[at] != one[at - 1]) for one in alone] for at in (3, 6, 7))]
    np.testing.assert_array_equal(simulate_many(cells, "Lenia", 7, boundary), [one[7] for one in alone])


def test_lattices_large_enough_for_bands_keep_the_step_before(monkeypatch):
    """What changed is told by the state that was left behind, whichever band or seam wrote it last."""
    cells = soups("B3/S23", 3, (200, 90))
    states = np.stack([[simulate(one, "B3/S23", step) for one in cells] for step in range(48)])
    for shared in (False, True):

        def cut(self, threads, shared=shared):
            assert self._units == 200
            return 5, 20, shared

        monkeypatch.setattr(packed.Packed, "_cut", cut)
        watched = Ensemble(cells, "B3/S23").observe(47, every=9)
        for step, population, changed in zip(*watched, strict=True):
            before, after = states[max(step - 1, 0)], states[step]
            assert population.tolist() == np.count_nonzero(after, axis=(1, 2)).tolist()
            assert changed.tolist() == np.count_nonzero(before != after, axis=(1, 2)).tolist()


@pytest.mark.parametrize("every", [1, 3, 10, 11, 10**9])
def test_samples_are_taken_at_the_start_every_so_often_and_at_the_end(every):
    ensemble = Ensemble(soups("B3/S23", 2, (8, 8)), "B3/S23")
    expected = sorted({0, 10, *range(0, 10, every)})
    assert ensemble.observe(10, every).step.tolist() == expected
    assert ensemble.observe(10, every).step.tolist() == [10 + step for step in expected]
    assert ensemble.step == 20


def test_no_steps_are_one_sample_in_which_nothing_has_changed():
    cells = soups("B3/S23", 2, (8, 8))
    ensemble = Ensemble(cells, "B3/S23")
    watched = ensemble.observe(0, every=5)
    assert watched.step.tolist() == [0]
    assert watched.population.tolist() == [cells.sum(axis=(1, 2)).tolist()]
    assert watched.changed.tolist() == [[0, 0]]
    ensemble.advance(0)
    np.testing.assert_array_equal(ensemble.cells(), cells)
    ensemble.advance(3)
    again = ensemble.observe(0, every=5)
    changed = [np.count_nonzero(simulate(one, "B3/S23", 2) != simulate(one, "B3/S23", 3)) for one in cells]
    assert (again.step.tolist(), again.changed.tolist()) == ([3], [changed])


@pytest.mark.parametrize(("rule", "shape"), [FAMILIES[0], FAMILIES[8], ("Lenia", (9, 14)), FAMILIES[10]], ids=lambda value: str(value))
def test_an_interrupt_anywhere_leaves_all_lattices_at_one_step(rule, shape):
    """Two groups of lattices that share vectors, or five lattices by themselves; interrupted at every line that a run comes to."""
    cells = soups(rule, 5, shape)
    states = [np.stack([simulate(one, rule, step) for one in cells]) for step in range(12)]
    for line in itertools.count():
        ensemble = Ensemble(cells, rule)
        ensemble.advance(2)
        halted = interrupted(lambda ensemble=ensemble: ensemble.advance(4), line, lambda code: code.co_filename == ensembles.__file__)
        step = ensemble.step
        assert step in range(2, 7) if halted else step == 6
        np.testing.assert_array_equal(ensemble.cells(), states[step])
        watched = ensemble.observe(3, every=2)
        assert watched.step.tolist() == [step, step + 2, step + 3]
        changed = [np.count_nonzero(states[at] != states[at - 1], axis=(1, 2, 3)[: len(shape)]).tolist() for at in watched.step]
        assert watched.changed.tolist() == changed
        np.testing.assert_array_equal(ensemble.cells(), states[step + 3])
        if not halted:
            break
    assert line > 10


def test_the_cells_belong_to_the_caller():
    for rule, shape in (("B3/S23", (6, 6)), ("R2,C0,M1,S4..9,B5..8,NC", (6, 6)), ("Lenia", (6, 6)), ("B5-7/S4-6", (4, 4, 4))):
        cells = soups(rule, 2, shape)
        kept = cells.copy()
        ensemble = Ensemble(cells, rule)
        cells[:] = 0
        ensemble.cells()[:] = 0
        np.testing.assert_array_equal(ensemble.cells(), kept)
        assert ensemble.observe(1, every=1).changed[0].tolist() == [0, 0]


def test_simulate_many_is_the_door_the_contract_names():
    assert automata.simulate_many is ensembles.simulate_many
    parameters = inspect.signature(automata.simulate_many).parameters
    assert list(parameters) == ["cells", "rule", "steps", "boundary"] and parameters["boundary"].default == "torus"
    blinkers = np.zeros((3, 5, 5), np.uint8)
    blinkers[:2, 2, 1:4] = 1
    after = automata.simulate_many(blinkers, "B3/S23", 1)
    assert (after.dtype, after.shape) == (np.uint8, (3, 5, 5))
    np.testing.assert_array_equal(after, blinkers.transpose(0, 2, 1))


GOOD = np.zeros((2, 3, 3), np.uint8)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("cells: expected a NumPy array of uint8, not float64", (np.zeros((2, 3, 3)), "B3/S23")),
        ("cells: expected a NumPy array of uint8, not bool", (GOOD > 0, "B3/S23")),
        ("cells: expected a NumPy array of uint8, not list", ([[[0, 1]], [[0]]], "B3/S23")),
        ("cells: expected a NumPy array of uint8, not list", ([[1], [1, 2]], "B3/S23")),
        ("cells: expected .seed y x. or .seed z y x. with no empty axis, not the shape .3,.", (GOOD[0, 0], "B3/S23")),
        ("cells: expected .seed y x. or .seed z y x. with no empty axis, not the shape .3, 3.", (GOOD[0], "B3/S23")),
        ("cells: expected .seed y x. or .seed z y x. with no empty axis, not the shape ..", (np.array(1, np.uint8), "B3/S23")),
        ("cells: .* no empty axis, not the shape .0, 3, 3.", (GOOD[:0], "B3/S23")),
        ("cells: .* no empty axis, not the shape .2, 3, 0.", (GOOD[..., :0], "B3/S23")),
        ("cells: expected states 0 to 1, as the rule has, found 2", (GOOD + np.uint8(2), "B3/S23")),
        ("cells: expected states 0 to 3, as the rule has, found 4", (GOOD + np.uint8(4), "345/2/4")),
        ("boundary: lattices that grow cannot share a shape; accepted: torus, dead", (GOOD, "B3/S23", "plane")),
        ("boundary: 'klein' is not a boundary", (GOOD, "B3/S23", "klein")),
        ("rule: .* is a rule in 3 dimensions, and the cells have 2", (GOOD, "4/4/5/M")),
        ("rule: expected a rule in 3 dimensions", (GOOD[None], parse_rule("B3/S23", dimensions=2))),
    ],
)
def test_what_is_no_ensemble_is_refused(message, arguments):
    with pytest.raises(InputError, match=f"^{message}"):
        Ensemble(*arguments)


def test_too_many_lattices_say_what_they_would_need():
    many = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (2**10, 2**10, 2**11))
    with pytest.raises(
        InputError, match=r"^cells: a lattice has at most 1073741824 cells.* these 2147483648 cells under B3/S23 would need 2\.\d GiB"
    ):
        Ensemble(many, "B3/S23")


@pytest.mark.parametrize("steps", [-1, 2.5, "3", None, True, 10**8 + 1])
def test_steps_that_are_no_count_are_refused(steps):
    ensemble = Ensemble(GOOD, "B3/S23")
    for ask in (ensemble.advance, lambda steps: ensemble.observe(steps, 1), lambda steps: simulate_many(GOOD, "B3/S23", steps)):
        with pytest.raises(InputError, match="^steps: expected a whole number from 0 to"):
            ask(steps)
    assert ensemble.step == 0


@pytest.mark.parametrize("every", [0, -3, 0.5, 1.5, "3", None, True])
def test_samples_that_are_no_steps_apart_are_refused(every):
    ensemble = Ensemble(GOOD, "B3/S23")
    with pytest.raises(InputError, match="^every: a sample every .* steps cannot be taken; give 1 or more"):
        ensemble.observe(4, every)
    assert ensemble.step == 0


def test_more_samples_than_can_be_kept_are_refused_before_the_first_step():
    ensemble = Ensemble(GOOD, "B3/S23")
    with pytest.raises(
        InputError, match=r"^every: 100000001 samples are more than the 33554432 that can be kept; take fewer, say every 3 steps"
    ):
        ensemble.observe(10**8, 1)
    assert ensemble.step == 0
