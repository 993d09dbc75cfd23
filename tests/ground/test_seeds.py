"""Named random streams."""

import numpy as np
import pytest

from thunderlab.seeds import stream


def test_the_same_name_gives_the_same_numbers_for_ever():
    # Written down once: a change of NumPy, machine or code that shifts them would silently change every scenario.
    assert stream(7, "soup").integers(0, 1000, 5).tolist() == PINNED


def test_streams_of_different_names_and_seeds_are_unrelated():
    draws = [stream(seed, *names).random(4000) for seed, names in ((1, ("a",)), (1, ("b",)), (2, ("a",)), (1, ("a", 1)), (1, ("a", "1")))]
    correlations = np.corrcoef(draws)[np.triu_indices(5, 1)]
    assert np.abs(correlations).max() < 0.08


def test_negative_seeds_are_refused():
    with pytest.raises(ValueError):
        stream(-1, "soup")


PINNED = [959, 277, 741, 423, 765]
