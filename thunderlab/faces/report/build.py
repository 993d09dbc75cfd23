"""The report's folder: the page for people and its three twins, each written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from thunderlab import canonical, files
from thunderlab.automata.qa.baseline import Baseline
from thunderlab.automata.qa.results import SuiteResult
from thunderlab.faces.report import page, twins
from thunderlab.faces.report.policy import PolicyReport
from thunderlab.faces.report.provenance import NotebookRun, Provenance
from thunderlab.gate.readiness import Readiness


def build(
    out: Path,
    readiness: Readiness,
    suites: Sequence[SuiteResult],
    provenance: Provenance,
    notebooks: Sequence[NotebookRun],
    baselines: Mapping[str, Baseline] | None = None,
    policy: PolicyReport | None = None,
) -> dict[str, Path]:
    """Write the report into a folder, which is made when missing, and return the path of each file by its name.

    Everything is rendered before the first byte is written, so a report is never half new; `index.html` comes last.

    Args:
        out: the folder, for example `reports/latest`.
        readiness: the verdict.
        suites: QA runs to show.
        provenance: what produced all this.
        notebooks: the pack; their pages are expected below `out`.
        baselines: what the suites are held against, by suite; see `standing.baselines_of`.
        policy: what was decided; see `policy.collect_policy`.

    Returns:
        `brg.json` (canonical bytes: its SHA-256 is the one the page prints), `junit.xml`, `summary.md`, `index.html`.

    Raises:
        EnvironmentBlockedError: when the folder cannot be written.
    """
    contents: dict[str, bytes | str] = {
        "brg.json": canonical.encode(twins.brg_json(readiness, suites, provenance, notebooks, baselines, policy)),
        "junit.xml": twins.junit(readiness, suites),
        "summary.md": twins.summary_markdown(readiness, suites, provenance, notebooks, baselines, policy),
        "index.html": page.render(readiness, suites, provenance, notebooks, baselines, policy),
    }
    paths = {name: out / name for name in contents}
    for name, content in contents.items():
        files.write_whole(paths[name], content)
    return paths
