"""Automata: rules, lattices, patterns, scenarios and their QA.

>>> import numpy as np
>>> from thunderlab.automata import simulate
>>> blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
>>> simulate(blinker, "B3/S23", 1, boundary="dead").tolist()
[[0, 1, 0], [0, 1, 0], [0, 1, 0]]
"""

from thunderlab.automata.ensemble import Ensemble, simulate_many
from thunderlab.automata.events import EVENTS
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_file import read_scenario
from thunderlab.automata.room import Automata
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.soup import soup

__all__ = [
    "EVENTS",
    "Automata",
    "Ensemble",
    "Lattice",
    "Pattern",
    "Rule",
    "Scenario",
    "parse_rule",
    "read_scenario",
    "simulate",
    "simulate_many",
    "soup",
]
