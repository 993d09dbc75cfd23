"""An executed notebook as one offline HTML page in the report's style: what it said stays, nothing in it runs or is fetched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from thunderlab import files
from thunderlab.errors import InputError
from thunderlab.faces.report.sanitise import sanitise

_NOTEBOOK_LIMIT = 64 << 20
_TEXT_LIMIT = 100_000
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")
_PICTURES = ("image/png", "image/jpeg", "image/gif")
_LABELS = {"parameters": "Parameters: defaults", "injected-parameters": "Parameters of this run"}


def render_notebook(notebook_path: Path, html_path: Path, title: str, *, back: str | None = None) -> None:
    """Write an executed notebook as one self-contained HTML page.

    Markdown (tables, strikethrough and formulas as text), highlighted code, streams with progress bars collapsed to their last line, errors
    without terminal colours, pictures and sanitised HTML tables are kept. Scripts, styles, frames and remote addresses are not; a widget
    leaves a note. Cells tagged `remove-cell`, `remove-input` or `remove-output` are obeyed.

    Args:
        notebook_path: an `.ipynb` file of format 4, at most 64 MiB.
        html_path: where the page goes; its folder is made when missing.
        title: title of the page; its first heading, too, when the notebook does not begin with one of its own.
        back: relative address of the report, for a link; none when None.

    Raises:
        InputError: when the file is not such a notebook.
        EnvironmentBlockedError: when the page cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from thunderlab.faces.report import page

    cells = [_cell(cell, notebook_path) for cell in _cells(notebook_path) if "remove-cell" not in _tags(cell)]
    css = page.stylesheet()
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.get_template("notebook.html.j2")
    failed = any(output["kind"] == "error" for cell in cells for output in cell["outputs"])
    html = template.render(
        title=_clean(title),
        name=_clean(notebook_path.name),
        headed=bool(cells) and cells[0]["source"].startswith("<h1>"),
        back=back,
        cells=cells,
        failed=failed,
        css=css,
        css_hash=page.style_hash(css),
    )
    files.write_whole(html_path, html)


def _cells(path: Path) -> list[dict[str, Any]]:
    """Return a notebook's cells after making sure that it is one."""
    try:
        notebook = json.loads(files.read_text(path, _NOTEBOOK_LIMIT))
    except (json.JSONDecodeError, RecursionError):
        raise InputError("is not a notebook: it is not JSON", where=path) from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or notebook.get("nbformat") != 4:
        raise InputError("is not a notebook of format 4", where=path)
    if not all(isinstance(cell, dict) for cell in cells):
        raise InputError("holds a cell that is not one", where=path, field="cells")
    return cells


def _cell(cell: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return what the template shows of a cell: kind, label, finished HTML of its source, outputs."""
    kind, tags = cell.get("cell_type"), _tags(cell)
    if kind == "markdown":
        return {"kind": "markdown", "label": "", "source": _markdown(_joined(cell.get("source"))), "outputs": []}
    if kind != "code":
        return {"kind": "raw", "label": "", "source": _joined(cell.get("source")), "outputs": []}
    source = "" if "remove-input" in tags else _joined(cell.get("source"))
    outputs = cell.get("outputs") or []
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise InputError("holds an output that is not one", where=path, field="outputs")
    count = cell.get("execution_count")
    return {
        "kind": "code",
        "label": next((_LABELS[tag] for tag in _LABELS if tag in tags), f"In {count}" if isinstance(count, int) else "Not run"),
        "source": _highlighted(source) if source.strip() else "",
        "outputs": [] if "remove-output" in tags else [found for output in outputs if (found := _output(output))],
    }


def _tags(cell: dict[str, Any]) -> frozenset[str]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()


def _output(output: dict[str, Any]) -> dict[str, str] | None:
    """Return one output as kind and content; None when there is nothing to show."""
    kind = output.get("output_type")
    if kind == "stream":
        text = _terminal(_joined(output.get("text")))
        return {"kind": "warning" if output.get("name") == "stderr" else "text", "content": text} if text.strip() else None
    if kind == "error":
        trace = output.get("traceback")
        lines = "\n".join(map(str, trace)) if isinstance(trace, list) and trace else f"{output.get('ename')}: {output.get('evalue')}"
        return {"kind": "error", "content": _terminal(lines)}
    data = output.get("data")
    return _rich(data) if isinstance(data, dict) else None


def _rich(data: dict[str, Any]) -> dict[str, str] | None:
    """Return the best of the forms an output offers that can be shown without running anything."""
    plain = _terminal(_joined(data.get("text/plain")))
    if any("widget-view" in kind for kind in data):
        return {"kind": "note", "content": "An interactive widget: open the notebook to use it."}
    for kind in _PICTURES:
        picture = _joined(data.get(kind))
        if picture and _BASE64.fullmatch(picture):
            return {"kind": "picture", "content": f"data:{kind};base64,{''.join(picture.split())}", "alt": plain[:200] or "Picture"}
    for kind, make in (("image/svg+xml", sanitise), ("text/html", sanitise), ("text/markdown", _markdown)):
        source = _joined(data.get(kind))
        if source and len(source) <= _NOTEBOOK_LIMIT and (html := _as_html(make(source))).strip():
            return {"kind": "html", "content": html}
    if not plain and "application/json" in data:
        plain = _terminal(json.dumps(data["application/json"], indent=2, ensure_ascii=False))
    return {"kind": "text", "content": plain} if plain.strip() else None


def _markdown(source: str) -> Any:
    """Return Markdown as harmless HTML: whatever HTML it holds goes through the same sanitiser as outputs."""
    import mistune

    render = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "math"])
    return _as_html(sanitise(str(render(_clean(source)))))


def _highlighted(source: str) -> Any:
    """Return Python code with its words marked by class."""
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    return _as_html(highlight(_clean(source), PythonLexer(), HtmlFormatter(nowrap=True, classprefix="py-")))


def _as_html(html: str) -> Any:
    from markupsafe import Markup

    return Markup(html)  # noqa: S704 - only ever given what the sanitiser or the highlighter wrote


def _joined(value: object) -> str:
    """Return notebook text, which is stored as one string or as lines."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _terminal(text: str) -> str:
    r"""Return terminal output as it looked at the end: without colours, overwritten lines gone, of bearable length.

    >>> _terminal("10 %\r100 %\n\x1b[31mred\x1b[0m")
    '100 %\nred'
    """
    lines = _ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")
    shown = _clean("\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in lines))
    if len(shown) <= _TEXT_LIMIT:
        return shown
    return f"{shown[:_TEXT_LIMIT]}\n… {len(shown) - _TEXT_LIMIT:,} more characters are in the notebook"


def _clean(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)
