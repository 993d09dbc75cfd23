"""Notebook parameters: nothing unknown, mistyped or clever reaches a kernel."""

import json

import pytest

from tests.conftest import ROOT
from thunderlab.errors import InputError
from thunderlab.faces.parameters import declared, parse_given, resolve


def _notebook(path, source, tags=("parameters",)):
    cell = {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source, "outputs": [], "execution_count": None, "id": "a"}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


@pytest.fixture
def known(tmp_path):
    source = 'steps: int = 5  # how many\nscale: float = 1.0\nname: str = "x"  # called\nfast: bool = True\nsizes: list = [1]\n'
    return {
        "one": declared(_notebook(tmp_path / "one.ipynb", source)),
        "two": declared(_notebook(tmp_path / "two.ipynb", "steps: int = 9")),
    }


def test_declarations_carry_type_default_and_comment(known):
    assert {name: (one.kind, one.default, one.about) for name, one in known["one"].items()} == {
        "steps": ("int", 5, "how many"), "scale": ("float", 1.0, ""), "name": ("str", "x", "called"), "fast": ("bool", True, ""), "sizes": ("list", [1], ""),
    }  # fmt: skip


def test_a_parameter_goes_to_every_notebook_that_declares_it(known):
    found = resolve({"steps": "7", "name": 'it\'s "quoted" \\', "scale": "2", "fast": "false", "sizes": "[1, [2], {}]"}, known)
    assert found == {
        "one": {"steps": 7, "name": 'it\'s "quoted" \\', "scale": 2.0, "fast": False, "sizes": [1, [2], {}]},
        "two": {"steps": 7},
    }
    assert isinstance(found["one"]["scale"], float)


BAD_VALUES = {
    "steps": [
        "",
        "x",
        "1.0",
        "1.5",
        "true",
        "null",
        "[1]",
        '"1"',
        "1e3",
        "NaN",
        "0x10",
        "1;import os",
        "10**9",
        "9" * 30,
        "1 2",
        "--1",
        "٣",
        "[" * 5000,
    ],
    "scale": ["", "x", "NaN", "Infinity", "-Infinity", "1e999", "true", "null", "[1.0]", '"1.0"', "1,5", "__import__('os')"],
    "fast": ["", "True", "yes", "1", "0", "null", '"true"', "not False"],
    "sizes": ["", "1", "(1, 2)", "{}", "[1", "[NaN", "x", "null", "{1}"],
    "name": ["a\nimport os", "a\x00b", "a\rb", "a\u2028b", "\x1b[31m", "x" * 10_001],
}
BAD_NAMES = [
    "stepz",
    "Steps",
    "steps ",
    " steps",
    "",
    "steps; import os",
    "__builtins__",
    "steps: int",
    "a.b",
    "stéps",
    "exec('1')",
    "import os\nx",
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD_VALUES.items() for text in texts])
def test_a_value_of_another_type_is_refused_by_name(known, name, text):
    with pytest.raises(InputError, match=f"-p {name}: "):
        resolve({name: text}, known)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_nobody_declares_is_refused_and_the_real_ones_are_listed(known, name):
    with pytest.raises(InputError, match="fast, name, scale, sizes, steps"):
        resolve({name: "1"}, known)


def test_arguments_are_key_value_pairs_given_once():
    assert parse_given(("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}
    for bad in (("a",), ("a=1", "a=2")):
        with pytest.raises(InputError):
            parse_given(bad)


@pytest.mark.parametrize(
    "source",
    [
        "steps = 5",
        "steps: int",
        "import os",
        "steps: int = len('x')",
        "steps: Path = 5",
        "def f(): pass",
        "steps: int = (",
        "a.b: int = 1",
        "x: int = y = 2",
    ],
)
def test_a_parameters_cell_that_is_more_than_declarations_is_refused(tmp_path, source):
    with pytest.raises(InputError, match="bad"):
        declared(_notebook(tmp_path / "bad.ipynb", source))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"cells": [1]}', "not json", '{"cells": [{"cell_type": "code"}]}'])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    path = tmp_path / "bad.ipynb"
    path.write_text(text)
    with pytest.raises(InputError, match="not a Jupyter notebook"):
        declared(path)


def test_a_notebook_without_parameters_has_none_and_two_cells_are_too_many(tmp_path):
    assert declared(_notebook(tmp_path / "none.ipynb", "x = 1", tags=())) == {}
    path = _notebook(tmp_path / "two.ipynb", "steps: int = 1")
    document = json.loads(path.read_text())
    document["cells"] *= 2
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match="more than one"):
        declared(path)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_shipped_notebooks_explain_each_parameter(path):
    parameters = declared(path)
    assert parameters
    assert all(one.about for one in parameters.values())
