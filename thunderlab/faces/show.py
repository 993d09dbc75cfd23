"""What notebooks display: lattices as pictures, courses as lines, results as tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from thunderlab.automata.cells import Cells
from thunderlab.automata.packed_states import unpack
from thunderlab.faces import charts

if TYPE_CHECKING:
    from IPython.display import HTML, Image

    from thunderlab.automata.qa.results import ScenarioResult
    from thunderlab.automata.qa.runs import RecordedRun
    from thunderlab.gate import Readiness
    from thunderlab.policy.record.replay import Replay

_LONGEST = 28


def lattice(cells: Cells, *, size: int = 360, amounts: bool = False) -> Image:
    """Return a lattice as a picture of about `size` pixels; see `charts.cells_png`.

    With `amounts` states say how much there is of something, as Lenia's do, and are shown as such; see `image.palette`.
    """
    from IPython.display import Image

    if not amounts:
        return Image(data=charts.cells_png(cells, size=size), format="png")
    from thunderlab.automata.formats import image

    return Image(data=image.png(cells, states=256, scale=max(1, round(size / max(cells.shape))), amounts=True), format="png")


def gallery(results: Sequence[ScenarioResult], *, size: int = 120) -> HTML:
    """Return the last states of scenarios side by side, each with its title."""
    from IPython.display import HTML

    figures = [
        f'<figure style="display: inline-block; width: {size + 40}px; margin: 8px; vertical-align: top">'
        f'<img src="data:image/png;base64,{b64encode(charts.cells_png(unpack(one.final_state), size=size)).decode()}" '
        f'width="{size}" height="{size}" style="object-fit: contain" alt=""><figcaption>{escape(one.title)}</figcaption></figure>'
        for one in results
    ]
    return HTML(f"<div>{''.join(figures)}</div>")


def line(values: Sequence[float], *, title: str, unit: str = "", limits: Sequence[float] = ()) -> HTML:
    """Return values over time as a line with its description; see `charts.sparkline`."""
    from IPython.display import HTML

    drawing = charts.sparkline(values, title=title, unit=unit, limits=limits, width=560, height=120)
    return HTML(f"<figure><figcaption>{escape(title)}</figcaption>{drawing}</figure>")


def table(rows: Sequence[Mapping[str, Any]]) -> HTML:
    """Return rows as a table: text to the left, numbers to the right; long text is cut, except in the last column, and whole as its tooltip.

    >>> "yes</td>" in table([{"name": "a", "passed": True}]).data
    True
    """
    from IPython.display import HTML

    columns = list(rows[0]) if rows else []
    numbers = {
        name for name in columns if all(isinstance(row[name], int | float | None) and not isinstance(row[name], bool) for row in rows)
    }
    sides = {name: "right" if name in numbers else "left" for name in columns}
    head = "".join(f'<th align="{sides[name]}" style="text-align: {sides[name]}">{escape(name.replace("_", " "))}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(_cell(row[name], sides[name], last=name == columns[-1]) for name in columns)}</tr>" for row in rows)
    return HTML(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _cell(value: Any, side: str, *, last: bool) -> str:
    if value is None:
        text = "-"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    else:
        text = f"{value:.5g}" if isinstance(value, float) else str(value)
    # JupyterLab puts everything to the right unless each cell says otherwise.
    style = f'align="{side}" style="text-align: {side}{"" if last else "; white-space: nowrap"}"'
    if len(text) > _LONGEST and not last:
        return f'<td {style} title="{escape(text)}">{escape(text[: _LONGEST - 1])}…</td>'
    return f"<td {style}>{escape(text)}</td>"


def scenarios(run: RecordedRun) -> HTML:
    """Return one row per scenario of a QA run: how it went and what was measured."""
    shown = {
        "population": "population_final",
        "entropy": "entropy_mean",
        "clusters": "cluster_count",
        "converges": "convergence_steps",
        "period": "oscillation_period",
    }
    return table(
        [
            {
                "scenario": one.name,
                "passed": one.passed,
                "regime": one.regime,
                "rule": one.rule,
                "size": "x".join(map(str, one.shape)),
                "steps": one.steps,
                **{heading: one.metrics[name] for heading, name in shown.items()},
            }
            for one in run.result.scenarios
        ]
    )


def breaches(run: RecordedRun) -> HTML:
    """Return one row per breach of a QA run; a single row that says so when there is none."""
    from thunderlab.automata.qa.baseline import breach_text

    found = [(one.name, breach) for one in run.result.scenarios for breach in one.breaches]
    found += [(run.result.suite, breach) for breach in run.result.breaches]
    return table([{"where": name, "breach": breach_text(breach)} for name, breach in found] or [{"where": "nowhere", "breach": "none"}])


def readings(readiness: Readiness, *, sources: bool = True) -> HTML:
    """Return one row per reading of the gate, with where each comes from unless `sources` is false."""
    return table(
        [
            {
                "status": reading.status,
                "reading": reading.name,
                "value": reading.value,
                "unit": reading.unit,
                "samples": reading.samples,
                "age_s": None if reading.age_s is None else round(reading.age_s, 1),
                "limits": reading.threshold,
                **({"source": reading.source} if sources else {}),
            }
            for reading in readiness.readings
        ]
    )


def reasons(readiness: Readiness) -> HTML:
    """Return one row per reason the lab is not ready; a single row that says so when there is none."""
    found = [{"gate": one.gate, "value": one.value, "why": one.why} for one in readiness.blocking]
    return table(found or [{"gate": "none", "value": None, "why": "every required reading is present, fresh and within its limits"}])


def changes(found: Replay) -> HTML:
    """Return who and what a replay concerns, with a picture of how many decisions change; a single row that says so when nothing changes."""
    from IPython.display import HTML

    from thunderlab.faces import bars
    from thunderlab.faces.policy_texts import by

    drawn = [
        f"<tr><td>{escape(kind)}</td><td>{escape(one.name)}</td><td>{one.newly_denied}</td><td>{one.newly_allowed}</td>"
        f"<td>{bars.bar(one.newly_denied, one.newly_allowed, found.changed, title=one.name)}</td></tr>"
        for kind, shares in by(found)
        for one in shares
    ]
    heads = "".join(
        f'<th align="left" style="text-align: left">{name}</th>' for name in ("what", "name", "newly denied", "newly allowed", "")
    )
    body = "".join(drawn) or '<tr><td colspan="5">nothing changes</td></tr>'
    return HTML(f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>")
