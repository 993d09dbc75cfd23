"""The house holds: floors, sizes, names, promises about imports."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "thunderlab"

# Floors from the ground up. A module imports from its own folder and from floors below; the flat ground files may use each other.
FLOORS = (
    (
        "ground",
        (
            "errors",
            "canonical",
            "clock",
            "keys",
            "store",
            "sqlite",
            "postgres",
            "locks",
            "documents",
            "files",
            "stats",
            "seeds",
            "workspace",
        ),
    ),
    ("words", ("events",)),
    ("meters", ("telemetry",)),
    ("ledger", ("ledger",)),
    ("rooms", ("automata", "vault", "clustering", "policy", "learning", "federation")),
    ("gate", ("gate",)),
    ("hall", ("lab",)),
    ("faces", ("faces",)),
)
# One adapter module per heavy library; nobody else may name it.
ADAPTERS = {
    "taichi": ("automata/backend.py", "automata/kernels/"),
    "papermill": ("faces/notebooks.py",),
    "nbclient": ("faces/notebooks.py",),
    "nbconvert": ("faces/report/",),
    "nacl": ("keys.py",),
    "jinja2": ("faces/report/",),
    "nh3": ("faces/report/",),
    "mistune": ("faces/report/",),
    "pg8000": ("postgres.py",),
    "PIL": ("automata/formats/image.py",),
    "cedarpy": ("policy/text/cedar.py", "policy/text/blame.py"),
    "polars": ("policy/columns/", "policy/record/"),
}
MOST_LINES = 320


def _modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


def _place(path):
    return path.relative_to(PACKAGE).as_posix()


def _floor_of(dotted):
    """Return (number, floor, room) of `thunderlab.room.module`; None for the front door, which stands outside."""
    parts = dotted.split(".")
    if len(parts) < 2:
        return None
    for number, (floor, rooms) in enumerate(FLOORS):
        if parts[1] in rooms:
            return number, floor, parts[1]
    return None


def _type_checking_only(tree):
    """Return the imports that only type checkers see; they build no arrow at run time."""
    guarded = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    return {id(inner) for node in guarded for inner in ast.walk(node)}


def _imports(path):
    tree = ast.parse(path.read_text())
    skipped = _type_checking_only(tree)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def crossings(modules):
    """Return a sentence per import that runs up, or from one room into another of its floor."""
    found = []
    for path in modules:
        here = _floor_of("thunderlab." + _place(path).removesuffix(".py").replace("/", "."))
        if here is None:
            continue
        for name, line in _imports(path):
            there = _floor_of(name) if name.startswith("thunderlab") else None
            if there is None or there[2] == here[2] or there[0] < here[0]:
                continue
            if here[1] == there[1] == "ground":
                continue
            found.append(f"{_place(path)}:{line}: {here[2]} on the floor {here[1]} imports {there[2]} on the floor {there[1]}")
    return found


def test_imports_point_downwards_and_rooms_never_import_each_other():
    assert crossings(_modules()) == []


def test_the_floor_check_notices_a_crossing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "automata").mkdir()
    (tmp_path / "store.py").write_text("from thunderlab.gate import Gate\n")
    (tmp_path / "automata" / "x.py").write_text("from thunderlab.vault import search\nimport thunderlab.faces.charts\n")
    found = crossings(sorted(tmp_path.rglob("*.py")))
    assert [line.partition(": ")[2] for line in found] == [
        "automata on the floor rooms imports vault on the floor rooms",
        "automata on the floor rooms imports vault on the floor rooms",
        "automata on the floor rooms imports faces on the floor faces",
        "store on the floor ground imports gate on the floor gate",
        "store on the floor ground imports gate on the floor gate",
    ]


def test_every_module_stands_on_a_floor():
    strangers = [
        _place(path)
        for path in _modules()
        if path.parent == PACKAGE and path.stem not in ("__init__", "__main__") and not _floor_of(f"thunderlab.{path.stem}")
    ]
    folders = [
        path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name[0] not in "_." and not _floor_of(f"thunderlab.{path.name}")
    ]
    assert strangers + folders == []


def test_heavy_libraries_are_named_in_their_adapter_only():
    found = [
        f"{_place(path)}:{line}: {name}"
        for path in _modules()
        for name, line in _imports(path)
        if name.split(".")[0] in ADAPTERS and not _place(path).startswith(ADAPTERS[name.split(".")[0]])
    ]
    assert found == []


def test_modules_are_one_thing_each():
    assert [f"{_place(path)}: {lines}" for path in _modules() if (lines := len(path.read_text().splitlines())) > MOST_LINES] == []


def test_functions_fit_on_a_screen():
    long = [
        f"{_place(path)}:{node.name}: {node.end_lineno - node.lineno}"
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno > 70
    ]
    assert long == []


def test_no_module_is_a_drawer_for_everything():
    assert [_place(path) for path in _modules() if re.search(r"util|helper|manager|handler|core|misc|common", path.stem)] == []


def test_nothing_is_left_to_do():
    marks = re.compile(r"TO" + r"DO|FIX" + r"ME|XX" + r"X|NotImplemented" + r"Error")
    files = [*_modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb"), *ROOT.glob("*.md")]
    assert [path.name for path in files if marks.search(path.read_text())] == []


HEAVY = (
    "numpy",
    "taichi",
    "PIL",
    "polars",
    "scipy",
    "sklearn",
    "chromadb",
    "optuna",
    "umap",
    "hdbscan",
    "papermill",
    "nbconvert",
    "sqlalchemy",
    "jinja2",
    "rich",
    "IPython",
)


def _loaded_by(code):
    """Return the modules that a process has loaded when it has run `code`."""
    program = f"import contextlib, io, json, sys\nwith contextlib.redirect_stdout(io.StringIO()):\n    exec({code!r})\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    ["import thunderlab", "import sys; sys.argv = ['thunderlab', '--help']; from thunderlab.faces.cli.app import run; run(['--help'])"],
)
def test_the_front_door_and_help_load_nothing_heavy(code):
    loaded = _loaded_by(code)
    assert sorted(loaded & set(HEAVY)) == []
    assert "thunderlab" in loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--soup", "0.3", "--size", "64x64", "--rule", "nonsense", "--steps", "3"],
        ["run", "--soup", "0.3", "--size", "9999999x9999999", "--steps", "3"],
        ["run", "--soup", "0.3", "--size", "64x64", "--steps", "-3"],
        ["run", "--pattern", "no-such-file.rle", "--steps", "3"],
        ["attractor", "--soup", "0.3", "--size", "64x64", "--rule", "nonsense"],
    ],
    ids=" ".join,
)
def test_a_refused_run_has_loaded_numbers_only(arguments):
    loaded = _loaded_by(f"from thunderlab.faces.cli.app import run; assert run({['automata', *arguments]!r}) == 2")
    assert sorted(loaded & {*HEAVY, "yaml", "asyncio"}) == ["numpy"]


def _notebooks():
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", _notebooks(), ids=lambda path: path.stem)
def test_notebooks_are_thin_and_clean(path):
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    source = ["".join(cell["source"]) for cell in code]
    compared = [("nbval-check-output" in cell["metadata"].get("tags", [])) for cell in code]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in code) == 1
    assert len(code) <= 14
    assert sum(len(text.splitlines()) for text in source) <= 60
    assert not re.search(r"^\s*(def|class|async def) ", "\n".join(source), re.MULTILINE)
    # nbval compares only cells that ran; everything else is committed without a trace of having run.
    assert [cell["execution_count"] for cell in code] == [1 if kept else None for kept in compared]
    assert [bool(cell["outputs"]) for cell in code] == compared
    assert sum("thunderlab.open(" in text for text in source) == 1


def test_the_pack_names_every_notebook():
    import yaml

    packs = yaml.safe_load((ROOT / "notebooks" / "packs.yaml").read_text())["packs"]
    named = {name for pack in packs.values() for stage in pack for name in stage}
    assert named == {path.stem for path in _notebooks()}


def test_constraints_are_plain_versions_and_cover_every_dependency():
    import tomllib

    lines = (ROOT / "constraints.txt").read_text().split()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_]+", line)] == []
    pinned = {re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower() for line in lines}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [name for extra in project["optional-dependencies"].values() for name in extra]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", text)[0]).lower() for text in wanted}
    assert names - pinned == set()


def test_the_stack_is_named_for_pip_and_for_conda():
    stack = (
        "jupyterlab",
        "papermill",
        "ipywidgets",
        "polars",
        "numpy",
        "taichi",
        "scikit-learn",
        "hdbscan",
        "umap-learn",
        "chromadb",
        "optuna",
        "nbval",
    )
    for name in ("pyproject.toml", "environment.yml"):
        text = (ROOT / name).read_text()
        assert [part for part in stack if part not in text] == []


def test_no_committed_text_names_a_machine_or_a_download_address():
    tracked = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT)
    if tracked.returncode != 0:
        pytest.skip("not a Git checkout: only committed files are looked at")
    bad = re.compile(r"/work" + r"/|/root" + r"/|files\.pythonhosted|index" + r"-url|\"resolved\": \"http")
    found = []
    for name in filter(None, tracked.stdout.split("\0")):
        try:
            text = (ROOT / name).read_text()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        if bad.search(text):
            found.append(name)
    assert found == []
