"""No event is documented that nobody emits: a complete run fails on one, and every class of an event is in the catalogue."""

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import thunderlab
from tests.emitted import VARIABLE, blocks_noted, noted
from thunderlab.automata.events import EntropySampled
from thunderlab.events import Event
from thunderlab.lab import catalogue
from thunderlab.ledger import NoteRecorded

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "thunderlab"

BELLS = '''
from thunderlab.clock import VirtualClock
from thunderlab.events import EVENTS, Bus, Catalogue, Event

class Rang(Event, frozen=True):
    """A bell rang."""
    NAME = "bell.rang"
    times: int

class Broke(Event, frozen=True):
    """A bell broke."""
    NAME = "bell.broke"

bus = Bus(Catalogue([Rang, Broke, *EVENTS]), VirtualClock(), lambda envelopes, within: None)

def ring():
    bus.emit(Rang(times=1))

def break_one():
    bus.emit(Broke())
'''
CONFTEST = """
from pathlib import Path
from tests.emitted import Emitted

def pytest_configure(config):
    code = Path(__file__).parents[1] / "code"
    config.pluginmanager.register(Emitted(config, lambda: {"bell.rang", "bell.broke"}, code), "emitted")
"""


@pytest.fixture
def suite(tmp_path):
    """A package of two events with a suite of its own, run as a user runs it: returns exit code and output."""
    for name, text in {
        "pytest.ini": "[pytest]\ntestpaths = tests\n",
        "code/bells.py": BELLS,
        "tests/conftest.py": CONFTEST,
        "tests/test_rings.py": "import bells\n\ndef test_ring():\n    bells.ring()\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    def run(*arguments, test):
        (tmp_path / "tests" / "test_breaks.py").write_text(f"import bells\n\ndef test_break():\n    {test}\n")
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", VARIABLE))}
        environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path / 'code'}"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_complete_run_fails_when_an_event_was_never_emitted_by_the_code(suite):
    # The test emits it itself, which does not count.
    code, output = suite("-p", "xdist", "-n", "2", test="bells.bus.emit(bells.Broke())")
    assert code == 1
    assert "2 passed" in output
    assert "never emitted by the code in any test: bell.broke\n" in output


def test_a_complete_run_passes_when_the_processes_together_emitted_all(suite):
    code, output = suite("-p", "xdist", "-n", "2", test="bells.break_one()")
    assert (code, "never emitted" in output) == (0, False)


@pytest.mark.parametrize("narrowed", [["-k", "ring"], ["tests/test_rings.py"], ["--deselect", "tests/test_breaks.py::test_break"]])
def test_a_part_of_the_tests_is_not_judged(suite, narrowed):
    code, output = suite(*narrowed, test="pass")
    assert (code, "never emitted" in output) == (0, False)


def test_commands_are_noted_by_the_blocks_they_leave(tmp_path, monkeypatch):
    notes = tmp_path / "notes"
    notes.mkdir()
    monkeypatch.setenv(VARIABLE, str(notes))
    store = tmp_path / "workspace" / "lab.db"
    with blocks_noted(store), thunderlab.open(store.parent):
        pass
    assert noted() == {"ledger.opened"}
    (notes / str(os.getpid())).unlink()
    with blocks_noted(store), thunderlab.open(store.parent) as lab:
        lab.events.emit(NoteRecorded(text="x"), EntropySampled(scenario="x", step=0, entropy=0.5))
    assert noted() == {"lab.note.recorded", "events.minute.counted", "ca.entropy.sample"}


def _declared():
    """Return (module, class) of everything under the package that stands on `Event`, found by reading the sources."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = "thunderlab." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
        for node in ast.walk(ast.parse(path.read_text())):
            bases = {ast.unparse(base).rpartition(".")[2] for base in getattr(node, "bases", ())}
            if isinstance(node, ast.ClassDef) and bases & {"Event", *(name for _, name in found)}:
                found.append((module, node.name))
    return found


def test_every_event_declared_anywhere_is_in_the_catalogue():
    known, declared = catalogue(), _declared()
    assert ("thunderlab.events.events", "MinuteCounted") in declared
    kinds = {(module, name): getattr(import_module(module), name, None) for module, name in declared}
    assert [place for place, kind in kinds.items() if kind is None or not issubclass(kind, Event) or kind not in known] == []
