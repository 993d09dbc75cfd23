"""The engine's identity: over exactly the files a measurement depends on."""

import ast
from pathlib import Path

import pytest

from thunderlab.automata.backend import describe
from thunderlab.automata.qa import engine_digest as module
from thunderlab.automata.qa.engine_digest import engine_digest, sources

PACKAGE = Path(__file__).parents[2] / "thunderlab"


def imported(place):
    """Return the modules of this package that a file imports, read from its syntax tree."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / place).read_text())):
        assert not (isinstance(node, ast.Import) and any(alias.name.startswith("thunderlab") for alias in node.names)), place
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("thunderlab"):
            folder = PACKAGE.joinpath(*node.module.split(".")[1:])
            for alias in node.names:
                for path in (
                    folder / f"{alias.name}.py",
                    folder / alias.name / "__init__.py",
                    folder.with_suffix(".py"),
                    folder / "__init__.py",
                ):
                    if path.is_file():
                        found.add(path.relative_to(PACKAGE).as_posix())
                        break
    return found


def test_what_a_measurement_imports_is_in_and_what_surrounds_it_is_not():
    found = set(sources())
    assert set().union(*(imported(place) for place in found)) <= found
    assert {
        "automata/lattice.py",
        "automata/ensemble.py",
        "automata/soup.py",
        "automata/measures/observables.py",
        "automata/qa/course.py",
    } <= found
    assert {
        "automata/measures/emergence.py",
        "automata/measures/attractor.py",
        "automata/qa/facts.py",
        "seeds.py",
        "stats.py",
        "canonical.py",
    } <= found
    assert {
        path.relative_to(PACKAGE).as_posix() for part in ("kernels", "rules") for path in (PACKAGE / "automata" / part).glob("*.py")
    } <= found
    assert not found & {
        "automata/__init__.py",
        "automata/qa/desk.py",
        "automata/qa/runs.py",
        "automata/qa/harness.py",
        "automata/room.py",
        "store.py",
    }
    assert not [place for place in found if place.startswith(("faces/", "gate/", "ledger/", "events/", "telemetry/"))]


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The sources in a folder one may change, with nothing remembered of the real ones."""
    places = sources()
    for place in places:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes((PACKAGE / place).read_bytes())
    monkeypatch.setattr(module, "_PACKAGE", tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget():
    module.sources.cache_clear()
    module.engine_digest.cache_clear()


def test_any_byte_of_any_source_makes_another_engine(copied):
    known, places = engine_digest(), sources()
    assert (known.backend, known.version) == (describe()["backend"], describe()["version"]) and len(known.digest) == 64
    assert known.digest[:12] in str(known) and known.version in str(known)
    seen = {known.digest}
    for place in places:
        path = copied / place
        before = path.read_bytes()
        path.write_bytes(before + b"\n# a word\n")
        forget()
        seen.add(engine_digest().digest)
        path.write_bytes(before)
    assert len(seen) == len(places) + 1
    forget()
    assert engine_digest() == known


def test_new_kernels_and_new_imports_are_found_and_other_files_do_not_count(copied):
    known = engine_digest().digest
    (copied / "automata" / "qa" / "desk.py").write_text("print('a desk')\n")
    forget()
    assert engine_digest().digest == known
    (copied / "automata" / "kernels" / "newest.py").write_text("")
    forget()
    assert "automata/kernels/newest.py" in sources() and engine_digest().digest != known
    (copied / "automata" / "spare.py").write_text("")
    (copied / "automata" / "qa" / "measure.py").write_text(
        "from thunderlab.automata import (\n    lattice as lattices,  # why\n    spare,\n)\n    from thunderlab import seeds\n"
    )
    forget()
    assert {"automata/spare.py", "automata/lattice.py", "seeds.py"} <= set(sources())


def test_another_backend_is_another_engine(copied, monkeypatch):
    known = engine_digest().digest
    monkeypatch.setattr(module.backend, "describe", lambda: {"backend": "taichi", "version": "9.9", "arch": "x64", "threads": 1})
    forget()
    other = engine_digest()
    assert other.digest != known and other.version == "9.9"
    monkeypatch.setattr(module.backend, "describe", lambda: {"backend": "taichi", "version": "9.9", "arch": "arm64", "threads": 7})
    forget()
    assert engine_digest() == other
