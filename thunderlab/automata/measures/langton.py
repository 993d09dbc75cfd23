"""Langton's lambda: the share of a rule's table that does not lead to the quiescent state."""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction

import numpy as np

from thunderlab.automata.rules import Elementary, Isotropic, LargerThanLife, OuterTotalistic, Rule


def langton_lambda(rule: Rule) -> Fraction | None:
    """Return the share of neighbourhood configurations, the cell itself included, whose next state is not 0; None when undefined.

    lambda = (K^N - n) / K^N with K states, N cells in the neighbourhood and n configurations that lead to the quiescent state
    (Langton, "Computation at the edge of chaos", 1990). The quiescent state is 0 here. Rules with a table are counted in it. For
    rules that count live neighbours there are C(N - 1, m) (K - 1)^(N - 1 - m) ways to have m of them; with more than two states a
    live cell that does not stay decays to 2, 3, ..., K - 1, 0. A family with no finite table of its own, such as Lenia, has none.

    >>> langton_lambda(OuterTotalistic.parse("B3/S23", dimensions=2)), langton_lambda(Elementary(110))  # 140/512 and 5/8
    (Fraction(35, 128), Fraction(5, 8))
    """
    if isinstance(rule, Elementary):
        return Fraction(rule.number.bit_count(), 8)
    if isinstance(rule, Isotropic):
        return Fraction(int(rule.table.sum()), 512)
    if isinstance(rule, OuterTotalistic):
        return _of_counts(rule.neighbours, rule.states, rule.birth, rule.survival)
    if isinstance(rule, LargerThanLife):
        middle = int(rule.middle)
        survival = frozenset((np.flatnonzero(rule.stays) - middle).tolist())  # a cell that counts itself adds one to its count
        return _of_counts(rule.most - middle, rule.states, rule.birth, survival)
    return None


def _of_counts(neighbours: int, states: int, birth: Container[int], survival: Container[int]) -> Fraction:
    """Return lambda of a rule that counts live neighbours, the cell itself apart."""
    alive, ways = 0, (states - 1) ** neighbours
    for count in range(neighbours + 1):
        # With more than two states a live cell becomes 1 or 2, never 0.
        alive += ways * ((count in birth) + (states == 2 and count in survival))
        ways = ways * (neighbours - count) // ((count + 1) * (states - 1))
    every = states**neighbours
    return Fraction(alive + (states - 2) * every, states * every)
