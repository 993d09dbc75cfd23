"""Automata: rules, lattices, patterns, scenarios and their QA.

>>> import numpy as np
>>> from thunderlab.automata import simulate
>>> blinker = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
>>> simulate(blinker, "B3/S23", 1, boundary="dead").tolist()
[[0, 1, 0], [0, 1, 0], [0, 1, 0]]
"""

from importlib import import_module
from typing import TYPE_CHECKING

from thunderlab.automata.ensemble import Ensemble, simulate_many
from thunderlab.automata.lattice import Lattice, simulate
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import Rule, parse_rule
from thunderlab.automata.soup import soup

if TYPE_CHECKING:
    from thunderlab.automata.events import EVENTS
    from thunderlab.automata.qa.scenario import Scenario
    from thunderlab.automata.qa.scenario_file import read_scenario
    from thunderlab.automata.room import Automata

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

# What needs the store or reads YAML comes when it is asked for, so that a run that is refused, or needs neither, does not wait for it.
_LATER = {"EVENTS": "events", "Automata": "room", "Scenario": "qa.scenario", "read_scenario": "qa.scenario_file"}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(f"thunderlab.automata.{_LATER[name]}"), name)
    raise AttributeError(f"module 'thunderlab.automata' has no attribute {name!r}")
