"""Notebook parameters: read from the tagged cell, checked before any kernel starts.

Papermill only warns about unknown parameters, takes any type, and writes parameter names into code as they come. So a name is
accepted only when the notebook declares it, and a value only when it is of the declared type.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from thunderlab import files
from thunderlab.errors import InputError

NOTEBOOK_LIMIT = 16 << 20
Value = int | float | str | bool | list[Any]

_TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "list": list}
_ACCEPTED = {"int": "an integer", "float": "a finite number", "bool": "true or false", "list": "a JSON list"}
_MOST_TEXT = 10_000


class Parameter(msgspec.Struct, frozen=True):
    """One parameter a notebook declares: its type (`int`, `float`, `str`, `bool` or `list`), default and comment."""

    name: str
    kind: str
    default: Value
    about: str


def declared(notebook: Path) -> dict[str, Parameter]:
    """Return the parameters of a notebook: the annotated assignments of the cell tagged `parameters`; none without such a cell.

    Raises:
        InputError: when the file is no notebook, or the cell holds anything but `name: type = value  # what it is for`.
    """
    try:
        document = json.loads(files.read_text(notebook, NOTEBOOK_LIMIT))
        cells = [cell for cell in document["cells"] if "parameters" in cell["metadata"].get("tags", [])]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("is not a Jupyter notebook", where=notebook) from None
    if len(sources) > 1:
        raise InputError("has more than one cell tagged parameters", where=notebook)
    return _parse(sources[0], notebook) if sources else {}


def _parse(source: str, notebook: Path) -> dict[str, Parameter]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise InputError(f"does not parse: {error.msg}", where=notebook, field="parameters cell") from None
    lines = source.splitlines()
    found: dict[str, Parameter] = {}
    for statement in statements:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value) if kind in _TYPES:
                about = lines[statement.end_lineno - 1][statement.end_col_offset :].strip() if statement.end_lineno else ""
                found[name] = Parameter(name, kind, _literal(value, notebook, name), about.lstrip("# "))
            case _:
                raise InputError(
                    "write each parameter as name: int|float|str|bool|list = value",
                    where=notebook,
                    field=f"parameters cell, line {statement.lineno}",
                )
    return found


def _literal(value: ast.expr, notebook: Path, name: str) -> Value:
    try:
        found: Value = ast.literal_eval(value)
    except ValueError:
        raise InputError("its default must be a literal", where=notebook, field=name) from None
    return found


def parse_given(given: tuple[str, ...]) -> dict[str, str]:
    """Return `("steps=5",)` as `{"steps": "5"}`; a parameter without `=` or given twice is refused."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"{text!r} is not KEY=VALUE", field="-p")
        if name in found:
            raise InputError("is given twice", field=f"-p {name}")
        found[name] = value
    return found


def resolve(given: Mapping[str, str], notebooks: Mapping[str, Mapping[str, Parameter]]) -> dict[str, dict[str, Value]]:
    """Return for every notebook the typed values of those given parameters that it declares.

    Args:
        given: parameter name -> text.
        notebooks: notebook name -> its declared parameters.

    Raises:
        InputError: when no notebook declares a parameter, or the text is not of a declared type.
    """
    known = sorted({name for parameters in notebooks.values() for name in parameters})
    for name in given:
        if name not in known:
            raise InputError(f"no notebook of this pack has that parameter; there are: {', '.join(known) or 'none'}", field=f"-p {name}")
    return {
        notebook: {name: _typed(text, parameters[name]) for name, text in given.items() if name in parameters}
        for notebook, parameters in notebooks.items()
    }


def _typed(text: str, parameter: Parameter) -> Value:
    if parameter.kind == "str":
        if len(text) > _MOST_TEXT or not text.isprintable():
            raise InputError(f"at most {_MOST_TEXT} printable characters are accepted", field=f"-p {parameter.name}")
        return text
    try:
        value = json.loads(text, parse_constant=lambda _: None)
    except (json.JSONDecodeError, RecursionError):
        value = None
    if parameter.kind == "float" and type(value) is int and abs(value) < 1 << 53:
        value = float(value)
    sound = type(value) is _TYPES[parameter.kind]
    if type(value) is float:
        sound = sound and math.isfinite(value)
    if type(value) is int:
        sound = sound and abs(value) < 1 << 63
    if not sound:
        raise InputError(f"{text[:80]!r} is not {_ACCEPTED[parameter.kind]}", field=f"-p {parameter.name}")
    return value  # type: ignore[no-any-return]
