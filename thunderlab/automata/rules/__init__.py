"""Rules and the strings people write them as, one module per family."""

from thunderlab.automata.rules.elementary import Elementary
from thunderlab.automata.rules.isotropic import Isotropic
from thunderlab.automata.rules.larger_than_life import LargerThanLife
from thunderlab.automata.rules.lenia import LeniaRule
from thunderlab.automata.rules.outer_totalistic import OuterTotalistic
from thunderlab.automata.rules.parsing import parse_rule
from thunderlab.automata.rules.rule import Rule, refuse_on_plane

__all__ = ["Elementary", "Isotropic", "LargerThanLife", "LeniaRule", "OuterTotalistic", "Rule", "parse_rule", "refuse_on_plane"]
