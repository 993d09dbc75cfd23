"""Elementary rules: one dimension, two states, a cell and its two neighbours decide."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

_FORM = re.compile(r"(?:w|rule ?)([0-9]+)", re.IGNORECASE)


@dataclass(frozen=True, repr=False)
class Elementary(Rule):
    """An elementary rule in Wolfram's numbering ("Statistical mechanics of cellular automata", 1983).

    It runs on cells `[y x]`, every row a lattice of its own: the new state of a cell is bit 4 * left + 2 * centre + right of `number`,
    where left is the cell at x - 1 and right the one at x + 1.

    Attributes:
        number: 0..255.

    Raises:
        InputError: the number is another.

    >>> str(Elementary(110)), Elementary(110).spontaneous, Elementary(1).spontaneous
    ('W110', False, True)
    """

    number: int

    family = "elementary"
    dimensions = 2
    states = 2
    radius = 1

    def __post_init__(self) -> None:
        if not 0 <= self.number <= 255:
            raise InputError(f"elementary rules are W0 to W255, not W{self.number}", field="rule")

    @property
    def spontaneous(self) -> bool:
        """Whether three dead cells make a live one, as under every odd number."""
        return self.number % 2 == 1

    @classmethod
    def parse(cls, text: str) -> Elementary | None:
        """Return the rule `W110` or `Rule 110` stands for, or None when the string has another form.

        Raises:
            InputError: it has this form, and the number is above 255.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        digits = match[1]
        if len(digits) > 3:
            raise InputError("elementary rules are W0 to W255", field="rule")
        return cls(int(digits))

    def __str__(self) -> str:
        return f"W{self.number}"
