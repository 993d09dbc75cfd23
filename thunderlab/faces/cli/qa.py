"""`thunderlab qa`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, seconds, status, table
from thunderlab.faces.cli.command import command, group, option_file

if TYPE_CHECKING:
    from thunderlab.automata.runs import RecordedRun

qa = group("qa", "Judge the automata by published facts and committed baselines.")


@command("run", "thunderlab qa run --suite core --junit qa.xml", qa)
@click.option("--suite", required=True, help="A folder of scenarios with a suite.yaml.")
@click.option("--scenario", help="Run this scenario alone.")
@option_file("--junit", help="Also write the result as JUnit XML.")
def run(suite: str, scenario: str | None, junit: Path | None) -> Answer:
    """Run a suite; exit 1 on any breach of a fact, a baseline or the time budget."""
    import thunderlab
    from thunderlab import files
    from thunderlab.automata.junit import junit as junit_xml
    from thunderlab.faces.cli.progress import bar

    _check_suite(suite, scenario)
    with thunderlab.open() as lab, bar(f"QA {suite}") as update:
        recorded = lab.automata.qa.run(suite, only=scenario, on_progress=update)
    if junit is not None:
        files.write_whole(junit, junit_xml(recorded.result))
    return _answer(recorded)


@command("baseline", "thunderlab qa baseline --suite core", qa)
@click.option("--suite", required=True, help="A folder of scenarios with a suite.yaml.")
def baseline(suite: str) -> Answer:
    """Run a suite and write what it measured as its new baseline."""
    import thunderlab
    from thunderlab.faces.cli.progress import bar

    _check_suite(suite, None)
    with thunderlab.open() as lab, bar(f"QA {suite}") as update:
        path, recorded = lab.automata.qa.baseline(suite, on_progress=update)
    data = {"suite": suite, "baseline": str(path), "run_id": recorded.run_id, "scenarios": len(recorded.result.scenarios)}
    return Answer(data, f"Wrote {path}: {len(recorded.result.scenarios)} scenarios. Read its difference before you commit it.")


@command("replay", "thunderlab qa replay r-pentomino --steps 500", qa)
@click.argument("target", metavar="RUN_ID|SCENARIO")
@click.option("--steps", type=int, help="How far; the scenario's duration by default.")
def replay(target: str, steps: int | None) -> Answer:
    """Run something again from its seed and compare it state by state; exit 1 unless every state is identical."""
    import thunderlab
    from thunderlab import workspace
    from thunderlab.automata.qa import find_scenario, is_run_id
    from thunderlab.automata.runs import no_such_run
    from thunderlab.faces.cli.progress import bar

    if not is_run_id(target):
        find_scenario(workspace.shipped("scenarios"), target)
    elif not workspace.locate().is_dir():
        raise no_such_run(target)
    with thunderlab.open() as lab, bar("Replaying") as update:
        found = []
        for name, result in lab.automata.qa.replay(target, steps=steps):
            found.append((name, result))
            update(name, len(found), len(found))
    fidelity = min(result.fidelity for _, result in found)
    first = next((result.first_difference for _, result in found if result.first_difference is not None), None)
    rows = [(name, f"{result.fidelity:.6f}", result.steps, result.first_difference) for name, result in found]
    data = {
        "fidelity": fidelity,
        "steps": sum(result.steps for _, result in found),
        "first_difference": first,
        "scenarios": [
            {"name": name, "fidelity": result.fidelity, "steps": result.steps, "first_difference": result.first_difference}
            for name, result in found
        ],
    }
    return Answer(data, table(["scenario", "fidelity", "steps", "first difference"], rows), ok=fidelity == 1.0)


def _check_suite(suite: str, scenario: str | None) -> None:
    """Refuse what is wrong with a suite's files before any workspace is made."""
    from thunderlab import workspace
    from thunderlab.automata.qa import find_suite

    loaded = find_suite(workspace.shipped("scenarios"), suite)
    if scenario is not None:
        loaded.scenario(scenario)


def _answer(recorded: RecordedRun) -> Answer:
    from thunderlab.automata.baseline import diff

    result = recorded.result
    scenarios = [
        {
            "name": one.name,
            "passed": one.passed,
            "metrics": one.metrics,
            "breaches": [_breach(breach) for breach in one.breaches],
            "duration_us": one.duration_us,
        }
        for one in result.scenarios
    ]
    data = {
        "passed": result.passed,
        "suite": result.suite,
        "duration_us": result.duration_us,
        "scenarios": scenarios,
        "breaches": [_breach(breach) for breach in result.breaches],
        "run_id": recorded.run_id,
    }
    rows = [
        (
            status("passed" if one.passed else "failed"), one.name, one.regime, "x".join(map(str, one.shape)), one.steps,
            one.metrics["population_final"], round(float(one.metrics["entropy_mean"] or 0), 6),
            one.metrics["convergence_steps"], one.metrics["oscillation_period"], seconds(one.duration_us),
        )
        for one in result.scenarios
    ]  # fmt: skip
    headings = ["result", "scenario", "regime", "size", "steps", "population", "entropy", "converges", "period", "time"]
    lines = [table(headings, rows), "", *diff(result, colour=True), f"recorded as run {recorded.run_id}"]
    return Answer(data, "\n".join(lines), ok=result.passed)


def _breach(breach: Any) -> dict[str, Any]:
    return {"metric": breach.metric, "value": breach.value, "baseline": breach.baseline, "low": breach.low, "high": breach.high}


COMMANDS = (qa,)
