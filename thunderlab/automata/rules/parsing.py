"""From a rule string to a rule: which families are tried, in which order."""

from __future__ import annotations

from thunderlab.automata.rules.outer_totalistic import OuterTotalistic
from thunderlab.automata.rules.rule import Rule


def parse_rule(text: str, *, dimensions: int) -> Rule:
    """Return the rule a string stands for.

    Args:
        text: a rule string of any family.
        dimensions: axes of the cells it is to run on.

    Raises:
        InputError: naming what is wrong and what is accepted.

    >>> parse_rule("23/3", dimensions=2)
    Rule('B3/S23', dimensions=2)
    """
    return OuterTotalistic.parse(text, dimensions=dimensions)
