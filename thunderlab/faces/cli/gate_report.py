"""`thunderlab gate`, `thunderlab report` and `thunderlab metrics`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from thunderlab.faces.cli.answer import Answer, status, table
from thunderlab.faces.cli.command import command, group, option_file

if TYPE_CHECKING:
    from thunderlab.gate import Readiness

gate = group("gate", "Is this lab ready?")
report = group("report", "The readiness report.")


def readiness_text(readiness: Readiness) -> str:
    """Return a verdict as people read it: the verdict, what blocks, then every reading."""
    rows = [
        (
            status(reading.status),
            reading.name,
            reading.value,
            reading.unit,
            reading.samples,
            None if reading.age_s is None else round(reading.age_s, 1),
            reading.threshold,
        )
        for reading in readiness.readings
    ]
    reasons = [f"  {reason.gate}: {reason.why}" for reason in readiness.blocking]
    verdict = [f"Readiness: {status(readiness.status)} ({readiness.coverage})", *reasons]
    return "\n".join([*verdict, "", table(["status", "reading", "value", "unit", "samples", "age s", "limits"], rows)])


@command("check", "thunderlab gate check --thresholds scenarios/gate/thresholds.yaml", gate)
@option_file("--thresholds", help="A thresholds file; the lab's own by default.")
def check(thresholds: Path | None) -> Answer:
    """Collect live readings and decide; exit 0 only when healthy."""
    import msgspec

    import thunderlab
    from thunderlab.faces.cli.progress import bar
    from thunderlab.gate.collectors import COLLECTORS
    from thunderlab.gate.thresholds import read

    if thresholds is not None:
        read(thresholds, frozenset(collector.name for collector in COLLECTORS))
    with thunderlab.open() as lab, bar("Checking"):
        readiness = lab.gate.check(thresholds)
    return Answer(msgspec.to_builtins(readiness), readiness_text(readiness), ok=readiness.status == "healthy")


@command("build", "thunderlab report build --out reports/today", report)
@option_file("--out", help="The folder to write into; a new one under reports/ by default.")
def build_report(out: Path | None) -> Answer:
    """Check the gate and write index.html, brg.json, junit.xml and summary.md; exit as `gate check`."""
    import thunderlab
    from thunderlab import workspace
    from thunderlab.clock import rfc3339
    from thunderlab.faces.report.build import build
    from thunderlab.faces.report.policy import collect_policy
    from thunderlab.faces.report.provenance import collect
    from thunderlab.faces.report.standing import baselines_of

    with thunderlab.open() as lab:
        readiness = lab.gate.check()
        suites = lab.automata.qa.newest_results()
        folder = out or workspace.project_root() / "reports" / f"{rfc3339(lab.clock.now_us())[:19].replace(':', '')}Z-report"
        paths = build(folder, readiness, suites, collect(lab, suites), (), baselines_of(suites), collect_policy(lab))
    data = {"status": readiness.status, **{name: str(path) for name, path in paths.items()}}
    return Answer(data, f"Readiness: {status(readiness.status)}\nReport: {paths['index.html']}", ok=readiness.status == "healthy")


@command("open", "thunderlab report open", report)
def open_report() -> Answer:
    """Open the newest report in a browser, and say where it is."""
    import webbrowser

    from thunderlab import workspace
    from thunderlab.faces.main_job import newest_report

    page = newest_report(workspace.project_root() / "reports")
    opened = webbrowser.open(page.absolute().as_uri())
    return Answer({"path": str(page), "opened": opened}, f"{page}{'' if opened else ' (no browser found here)'}")


@command("metrics", "thunderlab metrics > metrics.prom")
def metrics() -> Answer:
    """Print the lab's metrics as Prometheus text."""
    import thunderlab
    from thunderlab.telemetry import exposition

    with thunderlab.open() as lab:
        recorded = [found for name in lab.telemetry.metrics() if (found := lab.telemetry.recorded(name))]
    text = exposition(recorded).rstrip("\n")
    return Answer(
        {"metrics": [{"name": found.metric, "unit": found.unit, "samples": len(found.samples)} for found in recorded], "text": text}, text
    )


COMMANDS = (gate, report, metrics)
