"""`thunderlab qa`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, seconds, status, table
from thunderlab.faces.cli.command import command, group, option_output

if TYPE_CHECKING:
    from thunderlab.automata.qa.results import SuiteResult
    from thunderlab.automata.qa.runs import RecordedRun
    from thunderlab.automata.qa.scenario import Scenario
    from thunderlab.automata.surrogate.model import Surrogate
    from thunderlab.automata.surrogate.scoring import Row, SurrogateScore

qa = group("qa", "Judge the automata by published facts and committed baselines.")


@command("run", "thunderlab qa run --suite core --junit qa.xml", qa)
@click.option("--suite", required=True, help="A folder of scenarios with a suite.yaml, or a stored pack: SUITE@DIGEST.")
@click.option("--scenario", help="Run this scenario alone.")
@option_output("--junit", help="Also write the result as JUnit XML.")
def run(suite: str, scenario: str | None, junit: Path | None) -> Answer:
    """Run a suite; exit 1 on any breach of a fact, a baseline or the time budget."""
    import thunderlab
    from thunderlab import files
    from thunderlab.automata.qa.junit import junit as junit_xml
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
    from thunderlab.automata.qa.desk import find_scenario, is_run_id
    from thunderlab.automata.qa.replay import check_steps
    from thunderlab.automata.qa.runs import no_such_run
    from thunderlab.faces.cli.progress import bar

    if not is_run_id(target):
        check_steps(find_scenario(workspace.shipped("scenarios"), target), steps)
    elif workspace.nothing_yet():
        raise no_such_run(target)
    with thunderlab.open() as lab, bar("Replaying") as update:
        found = []
        for name, result in lab.automata.qa.replay(target, steps=steps):
            found.append((name, result))
            update(name, len(found), len(found))
    fidelity = min(result.fidelity for _, result in found)
    first = next((result.first_difference for _, result in found if result.first_difference is not None), None)
    against = ["a second run" if result.recorded is None else f"the record, to step {result.recorded}" for _, result in found]
    rows = [
        (name, f"{result.fidelity:.6f}", result.steps, result.first_difference, held)
        for (name, result), held in zip(found, against, strict=True)
    ]
    data = {
        "fidelity": fidelity,
        "steps": sum(result.steps for _, result in found),
        "first_difference": first,
        "scenarios": [
            {
                "name": name,
                "fidelity": result.fidelity,
                "steps": result.steps,
                "first_difference": result.first_difference,
                "recorded": result.recorded,
            }
            for name, result in found
        ],
    }
    return Answer(data, table(["scenario", "fidelity", "steps", "first difference", "held against"], rows), ok=fidelity == 1.0)


@command("packs", "thunderlab qa packs", qa)
def packs() -> Answer:
    """List the packs suites were run from: each content a suite had, stored once, by its digest."""
    import msgspec

    import thunderlab
    from thunderlab import workspace

    listed = []
    if not workspace.nothing_yet():
        with thunderlab.open() as lab:
            listed = lab.automata.qa.packs()
    rows = [(one.pack, one.scenarios, one.first_used, one.why) for one in listed]
    text = table(["pack", "scenarios", "first used", "why"], rows) if rows else "No suite was run here yet."
    return Answer({"packs": [msgspec.to_builtins(one) for one in listed]}, text)


@command("surrogate", "thunderlab qa surrogate life-mlp life-soup-torus --density 0.1 --density 0.5", qa)
@click.argument("model", metavar="MODEL")
@click.argument("scenario", metavar="SCENARIO")
@click.option("--grids", type=int, help="Soups per density; 10 by default.")
@click.option("--steps", type=int, help="How far rollouts are followed; 50 by default.")
@click.option("--seed", type=int, default=0, show_default=True, help="What the soups are drawn from.")
@click.option("--density", "densities", type=float, multiple=True, help="Of the soups; may be given again. 0.1 to 0.9 by default.")
@click.option("--any-rule", is_flag=True, help="Compare with a rule the model was not made for, too.")
def surrogate(model: str, scenario: str, densities: tuple[float, ...], *, any_rule: bool, seed: int, **given: int | None) -> Answer:
    """Score a learned one-step predictor against the kernel. MODEL is a .json file or a shipped one's name; nothing is recorded."""
    import msgspec

    from thunderlab import workspace
    from thunderlab.automata.surrogate.file import find_surrogate
    from thunderlab.automata.surrogate.scoring import DENSITIES, check_score, score
    from thunderlab.faces.cli.automata import use_cache
    from thunderlab.faces.cli.progress import bar

    scenarios = workspace.shipped("scenarios")
    predictor, where = find_surrogate(scenarios, model), _scenario(scenarios, scenario)
    wanted: Any = {name: value for name, value in given.items() if value is not None}
    wanted |= {"densities": densities or DENSITIES, "seed": seed, "any_rule": any_rule}
    check_score(predictor, where, **wanted)
    use_cache()
    with bar(f"Scoring {predictor.name}") as update:
        found = score(predictor, where, on_progress=update, **wanted)
    overall = found.overall.surrogate
    data = {
        "cell_accuracy": overall.cell_accuracy,
        "grid_accuracy": overall.grid_accuracy,
        "horizon": overall.horizon,
        "scenario": where.name,
        "training": msgspec.to_builtins(predictor.training),
        **msgspec.to_builtins(found),
    }
    return Answer(data, _scored(predictor, where, found))


def _scenario(scenarios: Path, target: str) -> Scenario:
    from thunderlab.automata.qa.desk import find_scenario
    from thunderlab.errors import InputError

    try:
        return find_scenario(scenarios, target)
    except InputError as error:
        if error.where is not None:
            raise
        raise InputError(f"{target[:80]!r} is neither a scenario's name nor a scenario file", field="SCENARIO") from None


def _scored(predictor: Surrogate, where: Scenario, found: SurrogateScore) -> str:
    """Return a score for people: the table, then in words how far it holds."""
    size, own = "x".join(map(str, found.shape)), [("own start", found.course)] if found.course is not None else []
    rows = [*((f"{row.density:g}", row) for row in found.densities), ("together", found.overall), *own]
    headings = ["density", "predictor", "cells right", "balanced", "grids right", "95 %", "horizon", "worst", "grids"]
    overall = found.overall.surrogate
    soups = f"{found.grids} soups of {size} per density ({found.boundary})"
    lines = [
        f"{predictor.name} for {found.predicts}, compared with {found.rule} on {where.name}: {soups}, one step ahead",
        "",
        table(headings, [line for name, row in rows for line in _row(name, predictor.name, row)]),
        "",
    ]
    if found.neighbourhoods is not None and found.neighbourhoods_right is not None:
        wrong = found.neighbourhoods - found.neighbourhoods_right
        means = f"and wrong wherever one of the other {wrong} turns up" if wrong else "which proves that it is the rule"
        lines.append(f"It is right on {found.neighbourhoods_right} of the {found.neighbourhoods} neighbourhoods of a cell, {means}.")
    lines.append(
        f"Steps it stays exact when left to itself: {_steps(overall.horizon, found.steps)} (median; worst {overall.horizon_min}). "
        f"{overall.rollouts_held} of {overall.rollouts} rollouts were exact to step {found.steps}, and none is followed further."
    )
    if predictor.training is not None:
        seen = ", ".join(f"{density:g}" for density in predictor.training.densities)
        lines.append(f"It was trained on {predictor.training.samples} patches of soups of density {seen}.")
    return "\n".join(lines)


def _row(name: str, predictor: str, row: Row) -> list[tuple[object, ...]]:
    """Return three lines of the table; shares are cut off, not rounded, so that only what is exact reads as 1."""

    def share(value: float | None) -> str:
        return "-" if value is None else f"{math.floor(value * 1e6) / 1e6:.6f}"

    def between(low: float | None, high: float | None) -> str:
        return "-" if low is None or high is None else f"{low:.2f} to {high:.2f}"

    return [
        (
            name if number == 0 else "", label, share(skill.cell_accuracy), share(skill.balanced_accuracy), share(skill.grid_accuracy),
            between(skill.grid_accuracy_low, skill.grid_accuracy_high), _steps(skill.horizon, row.steps), skill.horizon_min, skill.grids,
        )
        for number, (label, skill) in enumerate(
            ((predictor, row.surrogate), ("all dead", row.all_dead), ("nothing changes", row.nothing_changes))
        )
    ]  # fmt: skip


def _steps(horizon: int, followed: int) -> str:
    return f"{followed} or more" if horizon == followed else str(horizon)


def _check_suite(suite: str, scenario: str | None) -> None:
    """Refuse what is wrong with a suite's files before any workspace is made."""
    from thunderlab import workspace
    from thunderlab.automata.qa.desk import find_suite, stored_packs
    from thunderlab.automata.qa.pack import is_pack_name

    scenarios = workspace.shipped("scenarios")
    loaded = stored_packs(workspace.locate(), scenarios).named(suite) if is_pack_name(suite) else find_suite(scenarios, suite)
    if scenario is not None:
        loaded.scenario(scenario)


def _answer(recorded: RecordedRun) -> Answer:
    from thunderlab.automata.qa.baseline import diff
    from thunderlab.faces.report.standing import folder_name

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
        "pack": f"{folder_name(result)}@{result.pack}" if result.pack else None,
        "engine": None if result.engine is None else result.engine.digest,
        "notes": list(result.notes),
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
    lines = [table(headings, rows), "", *diff(result, colour=True), *_made_with(result), f"recorded as run {recorded.run_id}"]
    return Answer(data, "\n".join(lines), ok=result.passed)


def _made_with(result: SuiteResult) -> Iterator[str]:
    """Yield what a run was made with, how that compares with the baseline, and how its seeds lie in their bands."""
    from thunderlab.faces.report import standing, wording

    against = standing.stand(result, standing.baselines_of([result]).get(result.suite))
    yield f"pack {standing.pack_name(result)}, engine {result.engine}; baseline: {against.word}"
    if against.seeds:
        yield f"seeds: {against.seeds_words}"
    if against.terms is not None:
        coverage, confidence = (wording.quantity(share, "fraction") for share in (against.terms.coverage, against.terms.confidence))
        yield f"       a band of {against.terms.samples} seeds holds at least {coverage} of all seeds, with {confidence} confidence"


def _breach(breach: Any) -> dict[str, Any]:
    return {"metric": breach.metric, "value": breach.value, "baseline": breach.baseline, "low": breach.low, "high": breach.high}


COMMANDS = (qa,)
