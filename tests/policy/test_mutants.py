"""A fixed sample of the mutants of both compilers: each must be told from the real thing by many cases. `python -m tests.policy.mutants` runs all."""

from __future__ import annotations

import pytest

from tests.policy import framed_pools, mutants, pools
from tests.policy.mutation import in_place
from tests.policy.mutation import mutants as made


@pytest.fixture(scope="module")
def cases():
    return pools.pool(scale=0.12, batches=3)


@pytest.fixture(scope="module")
def frames():
    return framed_pools.framed_pool(scale=0.03, batches=1)


def test_what_is_mutated_answers_everything_as_cedar_does(cases, frames):
    assert (pools.kills(cases), framed_pools.kills_columns(frames)) == (0, 0)
    assert sum(one.size for one in cases) > 50_000 and sum(one.size for one in frames) > 30_000


def _survivors(names, judge, every, first):
    """Return how many of the mutants of modules are tried here, every so manyth of them, and which of them survive."""
    sample = [mutant for mutant in mutants.every_mutant(names, every, first) if mutants.equivalent(mutant) is None]
    return len(sample), [str(mutant) for mutant in sample if not mutants.counted(mutant, judge)]


# The cases here are a tenth of all: `python -m tests.policy.mutants` has the others, and all mutants.
def test_mutants_of_the_closures_are_killed(cases):
    tried, survivors = _survivors(mutants.CLOSURES, lambda one: pools.kills(cases, one), 101, 7)
    assert tried >= 8 and len(survivors) <= 1, survivors


def test_mutants_of_the_columns_are_killed(frames):
    tried, survivors = _survivors(
        [f"columns.{name}" for name in mutants.COLUMNS], lambda one: framed_pools.kills_columns(frames, one), 301, 7
    )
    assert tried >= 5 and len(survivors) <= 1, survivors


def test_a_mutant_stands_in_its_module_only_while_it_is_asked_for():
    import thunderlab.policy.closures.operators as before
    import thunderlab.policy.closures.program  # noqa: F401 - what imports it must be loaded, to be loaded anew

    mutant = next(one for one in made("thunderlab.policy.closures.operators") if one.what == "left < right -> left <= right")
    with in_place(mutant) as changed:
        assert changed["thunderlab.policy.closures.operators"].less(1, 1) is True
        assert "thunderlab.policy.closures.index" in changed
    import thunderlab.policy.closures.operators as after

    assert after is before and after.less(1, 1) is False


def test_reasons_for_equivalence_are_about_mutants_there_are():
    """A reason for a change that nobody makes any more would excuse the next one that looks alike."""
    from tests.policy.same_answers import EQUIVALENT

    there = list(mutants.every_mutant(sorted({name for name, *_ in EQUIVALENT})))
    for name, function, what, _ in EQUIVALENT:
        assert any(one.module.endswith(f".{name}") and function in ("", one.function) and mutants.says(one, what) for one in there), (
            name,
            function,
            what,
        )
