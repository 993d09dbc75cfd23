"""The product's measurement of itself: what it runs, what it counts, and what it refuses. No figure is judged here."""

from __future__ import annotations

import itertools

import pytest

from thunderlab.automata import backend, bench
from thunderlab.automata.bench import DENSITIES, ROUNDS, RULES, SIZES
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.soup import soup
from thunderlab.errors import InputError


def test_each_size_is_measured_and_says_what_ran():
    speeds = bench.bench([(48, 64), (6, 8, 10)], seconds=0.02)
    assert {(speed.size, speed.rule) for speed in speeds} == {("48x64", "B3/S23"), ("6x8x10", "B13-14,17-19/S13-26")}
    for speed in speeds:
        assert speed.engine == backend.describe()
        assert speed.boundary == "torus" and speed.rounds == ROUNDS and speed.steps >= 1
        assert 0 < speed.spread[0] <= speed.gcells_per_cpu_s <= speed.spread[1]
        assert speed.gcells_per_wall_s > 0


def test_each_size_runs_without_a_trace_and_with_one(monkeypatch):
    asked = []

    class Told(Lattice):
        def advance(self, steps):
            asked.append(True)
            return super().advance(steps)

        def run(self, steps):
            asked.append(False)
            super().run(steps)

    monkeypatch.setattr(bench, "Lattice", Told)
    assert [speed.traced for speed in bench.bench([(8, 8)], seconds=0.01)] == [False, True]
    assert asked[:ROUNDS] == [False] * ROUNDS and asked[-ROUNDS:] == [True] * ROUNDS


def test_a_round_is_the_steps_it_says_from_the_soup_it_names():
    speed = bench.bench([(40, 50)], "B36/S23", seconds=0.01, boundary="dead")[0]
    after = simulate(soup((40, 50), DENSITIES[2], seed=1), "B36/S23", speed.steps, "dead")
    assert (speed.rule, speed.boundary, speed.population) == ("B36/S23", "dead", after.sum())


def test_speed_is_cells_times_steps_over_seconds(monkeypatch):
    """Clocks that tick by themselves: 2 s of processor time and 4 s of wall time between any two looks."""
    cpu, wall = itertools.count(0, 2 * 10**9), itertools.count(0, 4 * 10**9)
    monkeypatch.setattr(bench.time, "process_time_ns", lambda: next(cpu))
    monkeypatch.setattr(bench.time, "perf_counter_ns", lambda: next(wall))
    speed = bench.bench([(20, 100)], seconds=1)[0]
    assert speed.steps == 1
    assert speed.gcells_per_cpu_s == pytest.approx(2000 / 2 / 1e9)
    assert speed.gcells_per_wall_s == pytest.approx(2000 / 4 / 1e9)
    assert speed.spread == pytest.approx((1e-6, 1e-6))


def test_a_rule_that_dies_out_is_told_by_its_population():
    assert {speed.population for speed in bench.bench([(16, 16)], "B/S", seconds=0.01)} == {0}


@pytest.mark.parametrize(("rule", "sizes"), [("B36/S23", SIZES[:2]), ("B5-7/S4-6", SIZES[2:]), (None, SIZES)])
def test_without_sizes_those_that_fit_the_rule_are_run(rule, sizes, monkeypatch):
    asked = []
    monkeypatch.setattr(bench, "_measure", lambda size, parsed, *_, **__: asked.append((size, parsed.dimensions)))
    bench.bench(None, rule)
    assert list(dict.fromkeys(asked)) == [(size, len(size)) for size in sizes]


def test_progress_is_told_before_each_measurement():
    told = []
    speeds = bench.bench([(8, 8), (9, 9)], seconds=0.01, on_progress=lambda *what: told.append(what))
    assert [name for name, _, _ in told] == [speed.size for speed in speeds]
    assert [(done, total) for _, done, total in told] == [(number, len(speeds)) for number in range(len(speeds))]


@pytest.mark.parametrize(
    ("sizes", "rule", "seconds", "message"),
    [
        (None, None, 0.0, "--seconds: expected 0.01 to 60 seconds, not 0"),
        (None, None, 61.0, "--seconds: expected 0.01 to 60 seconds, not 61"),
        (None, None, float("nan"), "--seconds: expected 0.01 to 60 seconds, not nan"),
        ([], None, 1.0, "--size: expected 1 to 16 sizes, not 0"),
        ([(8, 8)] * 17, None, 1.0, "--size: expected 1 to 16 sizes, not 17"),
        (None, "nonsense", 1.0, "rule: "),
        ([(8, 8, 8)], "B3/S2-i34q", 1.0, "rule: "),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_runs(sizes, rule, seconds, message, monkeypatch):
    monkeypatch.setattr(bench, "_measure", lambda *_, **__: pytest.fail("something ran"))
    with pytest.raises(InputError) as refused:
        bench.bench(sizes, rule, seconds=seconds)
    assert str(refused.value).startswith(message)


def test_what_is_measured_by_default_stays_dense():
    """An emptying lattice would measure little: after a hundred steps of small ones a good share of the cells is alive."""
    for dimensions, shape in ((2, (128, 128)), (3, (64, 64, 64))):
        start = soup(shape, DENSITIES[dimensions], seed=1)
        assert simulate(start, RULES[dimensions], 100).mean() > 0.05
