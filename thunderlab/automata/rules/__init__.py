"""Rules and the strings people write them as, one module per family."""

from thunderlab.automata.rules.outer_totalistic import OuterTotalistic
from thunderlab.automata.rules.parsing import parse_rule
from thunderlab.automata.rules.rule import Rule

__all__ = ["OuterTotalistic", "Rule", "parse_rule"]
