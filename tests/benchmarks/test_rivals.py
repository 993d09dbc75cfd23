"""The rivals are what they are said to be: each computes the same cells as NumPy written differently, and who cheats is found out."""

import shutil

import numpy as np
import pytest

from tests.benchmarks._engines import CLOUDS, ENGINES, Absent, find, golly
from tests.benchmarks._race import AGREED_STEPS, Worker, agree, made, row
from tests.benchmarks._worker import digest
from thunderlab.automata.soup import soup

LIFE = "B3/S23"
TAICHI = ("thunderlab", "thunderlab, traced", "naive Taichi")
# Taichi starts once in a process, and JAX is set up for one kind of numbers in a process.
APART = (*TAICHI, "JAX, packed words", "JAX, bytes", "CAX")
STEPS = 11
CASES = {
    "flat": ((20, 1024), LIFE, False),
    "few rows": ((5, 512), LIFE, False),
    "deep": ((6, 10, 128), CLOUDS, False),
    "256 seeds": ((256, 7, 128), LIFE, True),
}
# What an engine is written for, where that is not all of it.
TAKES = {
    "C, Life alone": ("flat", "few rows"),
    "C, Life alone, 4 steps a pass": ("flat", "few rows"),
    "C, Life alone, a bit per seed": ("256 seeds",),
    "JAX, packed words": ("flat", "few rows", "256 seeds"),
    "CAX": ("flat", "few rows"),
    "Golly QuickLife": ("flat", "few rows"),
    "naive Taichi": ("flat", "few rows", "deep"),
    "NumPy reference": ("flat", "few rows", "deep"),
}


def cases(names):
    return [pytest.param(name, *CASES[case], id=f"{name}: {case}") for name in names for case in TAKES.get(name, CASES)]


def by_definition(cells, rule, steps, batch=False):
    """Count neighbours with indices that wrap around."""
    axes = range(batch, cells.ndim)
    for _ in range(steps):
        total = cells.astype(int)
        for axis in axes:
            size = cells.shape[axis]
            total = sum(total.take((np.arange(size) + shift) % size, axis) for shift in (-1, 0, 1))
        count = total - cells
        born, stays = ({3}, {2, 3}) if rule == LIFE else ({13, 14, 17, 18, 19}, set(range(13, 27)))
        cells = np.where(cells == 1, np.isin(count, list(stays)), np.isin(count, list(born))).astype(np.uint8)
    return cells


def start(shape, batch=False):
    if batch:
        return np.stack([soup(shape[1:], 0.4, seed=seed) for seed in range(shape[0])])
    return soup(shape, 0.4 if len(shape) == 2 else 0.5, seed=3)


@pytest.mark.parametrize(("name", "shape", "rule", "batch"), cases(name for name in ENGINES if name not in APART))
def test_a_rival_computes_what_the_definition_says(name, shape, rule, batch):
    cells = start(shape, batch)
    try:
        engine = find(name)(cells, rule, batch)
    except (Absent, ImportError) as error:
        pytest.skip(str(error))
    expected = by_definition(cells, rule, STEPS, batch)
    if name == "Golly QuickLife":  # writes the bounding box of what lives
        expected = expected[tuple(slice(axis.min(), axis.max() + 1) for axis in np.nonzero(expected))]
    for _ in range(2):  # a restart is a restart
        engine.restart()
        engine.advance(4)
        engine.advance(STEPS - 4)
        np.testing.assert_array_equal(engine.cells(), expected)
    engine.close()


@pytest.mark.parametrize("rule", ["B36/S23", "345/2/4"])
def test_rivals_written_for_one_rule_refuse_others(rule):
    for name in ("C, Life alone", "numba, packed words", "numba, bytes", "JAX, packed words"):
        with pytest.raises((Absent, ImportError)):
            find(name)(start((8, 512)), rule)


def test_golly_text_goes_there_and_back():
    cells = soup((33, 70), 0.5, seed=1)
    cells[0, 0] = cells[-1, -1] = 1
    np.testing.assert_array_equal(golly.live_box(golly.rle(cells, LIFE)), cells)
    counted = golly.live_box(b"#C a remark\nx = 12, y = 4, rule = B3/S23:T12,4\n2b3o$\n2$10b2\no!\n")
    assert [tuple(place) for place in np.argwhere(counted)] == [(0, 2), (0, 3), (0, 4), (3, 10), (3, 11)]
    assert not golly.live_box(b"x = 0, y = 0\n!\n").any()


@pytest.fixture(scope="module")
def running():
    """Workers by name, started when first asked for."""
    workers = {}

    def run(name):
        if name not in workers or workers[name].process.poll() is not None:
            workers[name] = Worker(name)
        return workers[name]

    yield run
    for worker in workers.values():
        worker.close()


@pytest.mark.parametrize(("name", "shape", "rule", "batch"), cases(APART))
def test_so_does_one_that_needs_a_process_of_its_own(name, shape, rule, batch, running):
    cells = start(shape, batch)
    worker = running(name)
    made([worker], cells, rule, batch)
    if worker.wrong is not None:
        assert name not in ("thunderlab", "thunderlab, traced"), worker.wrong
        pytest.skip(worker.wrong)
    assert worker.ask("digest") == digest(by_definition(cells, rule, AGREED_STEPS, batch))
    assert worker.ask("time", steps=3)["cpu"] > 0


def test_who_computes_something_else_is_found_out(running):
    ours, other = running("thunderlab"), running("NumPy roll")
    made([ours, other], start((16, 128)), LIFE)
    agree([ours, other])
    other.ask("advance", steps=1)
    with pytest.raises(AssertionError, match="NumPy roll and thunderlab compute different cells"):
        agree([ours, other])


def test_a_rival_that_is_not_there_says_why(running, monkeypatch):
    monkeypatch.setenv("PATH", "")
    worker = running("C, Life alone")
    made([worker], start((8, 512)), LIFE)
    assert worker.wrong == "no gcc here"


def test_a_worker_that_dies_is_an_answer(running):
    worker = running("NumPy reference")
    worker.process.kill()
    worker.process.wait()
    assert worker.ask("digest") == {"wrong": "its process died"}
    worker.close()


@pytest.mark.skipif(shutil.which("bgolly") is None, reason="bgolly is not here")
def test_golly_is_timed_without_its_start():
    engine = find("Golly QuickLife")(start((64, 64)), LIFE)
    assert engine.timed(2000)[1] > 0
    engine.close()


def test_promises_are_kept_or_missed_and_the_absent_are_neither():
    assert row("a", "b", 3.0, 2.0, "x", "", at_least=1.2) | {"note": None} == {
        "claim": "a", "rival": "b", "value": 3.0, "rival_value": 2.0, "ratio": 1.5,
        "promised": "at least 1.2", "kept": True, "unit": "x", "note": None,
    }  # fmt: skip
    assert row("a", "b", 2.0, 2.0, "x", "", at_least=1.2)["kept"] is False
    assert row("a", "bound", 2.0, 4.0, "x", "", at_most=1)["kept"] is True
    assert row("a", "b", 2.0, None, "x", "", at_least=1.2)["kept"] is None
