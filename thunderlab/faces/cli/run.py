"""`thunderlab run`, `thunderlab lab` and `thunderlab doctor`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from thunderlab.faces.cli.answer import Answer, facts, seconds, status, table
from thunderlab.faces.cli.command import command


@command("run", "thunderlab run -p steps=200 --workers 2")
@click.option("--pack", default="default", show_default=True, help="Which notebooks, as named in notebooks/packs.yaml.")
@click.option("-p", "parameters", multiple=True, metavar="KEY=VALUE", help="A notebook parameter; may be repeated.")
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True, help="Notebooks run side by side.")
@click.option("--fresh", is_flag=True, help="Start anew even when the last run was interrupted.")
def run(pack: str, parameters: tuple[str, ...], workers: int, fresh: bool) -> Answer:
    """Run the notebooks, decide readiness, write the report.

    Exits 0 only when the lab is healthy. An interrupted run is taken up where it stopped.
    """
    import msgspec

    import thunderlab
    from thunderlab import workspace
    from thunderlab.faces.cli.gate_report import readiness_text
    from thunderlab.faces.cli.progress import bar
    from thunderlab.faces.main_job import MainJob, plan
    from thunderlab.faces.parameters import parse_given

    planned = plan(pack, parse_given(parameters))
    with thunderlab.open() as lab, bar("Running") as update:
        outcome = MainJob(lab, planned, workspace.project_root() / "reports").run(workers=workers, fresh=fresh, on_progress=update)
    notebooks = [
        {
            "name": run.name,
            "status": run.status,
            "duration_us": run.duration_us,
            "html": str(outcome.report["index.html"].parent / run.html) if run.html else None,
        }
        for run in outcome.notebooks
    ]
    report = outcome.report["index.html"]
    data = {**msgspec.to_builtins(outcome.readiness), "report": str(report), "notebooks": notebooks, "duration_us": outcome.duration_us}
    rows = [(run.name, status(run.status), seconds(run.duration_us), run.why) for run in outcome.notebooks]
    resumed = (
        f"Took up an interrupted run: {outcome.resumed} of {len(outcome.notebooks)} notebooks were done already.\n"
        if outcome.resumed
        else ""
    )
    text = f"{resumed}{table(['notebook', 'status', 'time', 'why'], rows)}\n\n{readiness_text(outcome.readiness)}\n\nReport: {report}"
    return Answer(data, text, ok=outcome.readiness.status == "healthy")


@command("lab", "thunderlab lab --no-browser -- --port 9999")
@click.option("--no-browser", is_flag=True, help="Print the address instead of opening a browser.")
@click.argument("extra", nargs=-1, metavar="[-- JUPYTER_OPTIONS...]")
def lab(no_browser: bool, extra: tuple[str, ...]) -> None:
    """Open JupyterLab on the notebooks, with this workspace."""
    import sys

    from thunderlab import workspace
    from thunderlab.errors import EnvironmentBlockedError

    if os.geteuid() == 0 and "--allow-root" not in extra:
        raise EnvironmentBlockedError("does not run as root unless told to: thunderlab lab -- --allow-root", where="JupyterLab")
    place = workspace.locate()
    notebooks = workspace.shipped("notebooks")
    options = [
        f"--notebook-dir={notebooks.parent}",
        f"--LabApp.default_url=/lab/tree/{notebooks.name}/00_tour.ipynb",
        # A lab asks nobody outside for updates; the settings beside the package keep it from asking about news.
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        *(["--no-browser"] if no_browser else []),
        *extra,
    ]
    # JupyterLab takes over this process, so that Ctrl-C and its exit code are its own.
    settings = os.pathsep.join(filter(None, [str(Path(__file__).parents[1] / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]))
    environment = {**os.environ, workspace.VARIABLE: str(place), "JUPYTER_CONFIG_PATH": settings}
    os.execve(sys.executable, [sys.executable, "-m", "jupyterlab", *options], environment)  # noqa: S606 - no shell, our own interpreter


@command("doctor", "thunderlab doctor --json")
def doctor() -> Answer:
    """Say what is here and what each part is for."""
    from thunderlab.faces.doctor import examine

    found = examine()
    parts = [(part.name, status("ok" if part.present else "absent"), part.detail, part.purpose) for part in found.parts]
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    text = f"{facts([*found.facts.items(), ('versions', versions)])}\n\n{table(['part', 'here', 'detail', 'for'], parts)}"
    data = {
        **found.facts,
        "versions": found.versions,
        "parts": [{"name": part.name, "present": part.present, "detail": part.detail, "purpose": part.purpose} for part in found.parts],
    }
    return Answer(data, text)


COMMANDS = (run, lab, doctor)
