"""A fixed sample of the mutants of both compilers: each must be told from the real thing by many cases. `python -m tests.policy.mutants` runs all."""

from __future__ import annotations

import pytest

from tests.policy import mutants, pools
from tests.policy.mutation import in_place
from tests.policy.mutation import mutants as made

EVERY = 101  # how many mutants there are for each that is tried here


@pytest.fixture(scope="module")
def cases():
    return pools.pool(scale=0.12, batches=3)


def test_what_is_mutated_answers_everything_as_cedar_does(cases):
    assert pools.kills(cases) == 0
    assert sum(one.size for one in cases) > 6000


def test_mutants_of_the_closures_are_killed(cases):
    sample = [mutant for mutant in mutants.every_mutant(mutants.CLOSURES, EVERY, 7) if mutants.equivalent(mutant) is None]
    killed = {mutant: mutants.counted(mutant, lambda one: pools.kills(cases, one)) for mutant in sample}
    survivors = [str(mutant) for mutant, told in killed.items() if not told]
    assert len(sample) >= 8
    # These are an eighth of the cases: `python -m tests.policy.mutants` has all of them, and all mutants.
    assert len(survivors) <= 1, survivors


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
