"""What notebooks display: lattices as pictures, courses as lines, results as Polars frames."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from thunderlab.automata.kernels.reference import Cells
from thunderlab.automata.observables import unpack
from thunderlab.faces import charts

if TYPE_CHECKING:
    import polars as pl
    from IPython.display import HTML, Image

    from thunderlab.automata.qa import RecordedRun
    from thunderlab.automata.results import ScenarioResult
    from thunderlab.gate import Readiness


def lattice(cells: Cells, *, size: int = 360) -> Image:
    """Return a lattice as a picture of about `size` pixels; see `charts.cells_png`."""
    from IPython.display import Image

    return Image(data=charts.cells_png(cells, size=size), format="png")


def gallery(results: Sequence[ScenarioResult], *, size: int = 150) -> HTML:
    """Return the last states of scenarios side by side, each with its title."""
    from IPython.display import HTML

    figures = [
        f'<figure style="display: inline-block; width: {size + 30}px; margin: 8px; vertical-align: top">'
        f'<img src="data:image/png;base64,{b64encode(charts.cells_png(unpack(one.final_state), size=size)).decode()}" alt="">'
        f"<figcaption>{escape(one.title)}</figcaption></figure>"
        for one in results
    ]
    return HTML(f"<div>{''.join(figures)}</div>")


def line(values: Sequence[float], *, title: str, unit: str = "", limits: Sequence[float] = ()) -> HTML:
    """Return values over time as a line with its description; see `charts.sparkline`."""
    from IPython.display import HTML

    return HTML(
        f"<figure><figcaption>{escape(title)}</figcaption>{charts.sparkline(values, title=title, unit=unit, limits=limits, width=560, height=120)}</figure>"
    )


def frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as a Polars frame that shows all of them when displayed."""
    import polars as pl

    pl.Config.set_tbl_rows(200)
    pl.Config.set_fmt_str_lengths(120)
    pl.Config.set_tbl_hide_dataframe_shape(True)
    pl.Config.set_tbl_hide_column_data_types(True)
    return pl.DataFrame(list(rows), infer_schema_length=None)


def scenarios(run: RecordedRun) -> pl.DataFrame:
    """Return one row per scenario of a QA run: how it went and what was measured."""
    shown = ("population_final", "alive_ratio", "entropy_mean", "cluster_count", "convergence_steps", "oscillation_period")
    return frame(
        [
            {
                "scenario": one.name,
                "regime": one.regime,
                "rule": one.rule,
                "size": "x".join(map(str, one.shape)),
                "steps": one.steps,
                "passed": one.passed,
                **{name: one.metrics[name] for name in shown},
            }
            for one in run.result.scenarios
        ]
    )


def breaches(run: RecordedRun) -> pl.DataFrame:
    """Return one row per breach of a QA run, none when all is well."""
    found = [(one.name, breach) for one in run.result.scenarios for breach in one.breaches]
    found += [(run.result.suite, breach) for breach in run.result.breaches]
    columns = ("metric", "value", "baseline", "low", "high")
    rows = [{"scenario": name, **{column: str(getattr(breach, column)) for column in columns}} for name, breach in found]
    return frame(rows or [dict.fromkeys(("scenario", *columns), "none")])


def readings(readiness: Readiness) -> pl.DataFrame:
    """Return one row per reading of the gate."""
    return frame(
        [
            {
                "status": reading.status,
                "reading": reading.name,
                "value": None if reading.value is None else float(reading.value),
                "unit": reading.unit,
                "samples": reading.samples,
                "age_s": reading.age_s,
                "limits": reading.threshold,
                "source": reading.source,
            }
            for reading in readiness.readings
        ]
    )
