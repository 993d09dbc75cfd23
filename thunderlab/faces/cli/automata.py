"""`thunderlab automata`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, table
from thunderlab.faces.cli.command import argument_file, command, group, option_file

if TYPE_CHECKING:
    from thunderlab.automata.cells import Boundary
    from thunderlab.automata.start import Start

automata = group("automata", "Run cellular automata.")


def _start_options(function: Any) -> Any:
    """Declare the three ways to start a run, which `run` and `attractor` share."""
    for option in (
        click.option("--boundary", help="torus or dead; the scenario's, else torus."),
        click.option("--rule", help="B3/S23 or 23/3 in 2D, B5-7/S4-6 in 3D; the file's, else B3/S23."),
        click.option("--seed", type=int, default=0, show_default=True, help="What a soup is drawn from."),
        click.option("--size", help="HxW, or DxHxW in 3D; a pattern is centred on it."),
        click.option("--soup", type=float, metavar="DENSITY", help="A random start: the share of live cells, 0..1."),
        option_file("--pattern", help="An RLE file."),
        argument_file("scenario", required=False),
    ):
        function = option(function)
    return function


def _start(
    scenario: Path | None, pattern: Path | None, soup: float | None, size: str | None, seed: int, rule: str | None, boundary: str | None
) -> Start:
    from thunderlab.automata import start
    from thunderlab.errors import InputError

    given = [name for name, value in (("SCENARIO", scenario), ("--pattern", pattern), ("--soup", soup)) if value is not None]
    if len(given) != 1:
        raise InputError(f"give one start: a scenario file, --pattern or --soup; got {' and '.join(given) or 'none'}")
    edge = _boundary(boundary)
    lattice = start.parse_size(size) if size is not None else None
    if scenario is not None:
        if lattice is not None:
            raise InputError("a scenario names its own grid; leave --size out", field="--size")
        return start.from_scenario(scenario, rule, edge)
    if pattern is not None:
        return start.from_pattern(pattern, lattice, rule, edge)
    assert soup is not None
    return start.from_soup(soup, lattice, seed, rule, edge)


def _use_cache() -> None:
    """Take compiled kernels from this project's workspace; runs that record nothing make none, so only one that is there."""
    from thunderlab import workspace
    from thunderlab.automata import backend

    place = workspace.locate()
    backend.start(place / "cache" / "taichi" if place.is_dir() else None)


def _boundary(text: str | None) -> Boundary | None:
    from thunderlab.errors import InputError

    accepted: dict[str | None, Boundary | None] = {None: None, "torus": "torus", "dead": "dead"}
    if text in accepted:
        return accepted[text]
    if text == "plane":
        raise InputError("an unbounded plane is not run here; use dead with a --size that the pattern does not outgrow", field="--boundary")
    raise InputError(f"{text!r} is not a boundary; accepted: torus, dead", field="--boundary")


@command("run", "thunderlab automata run --soup 0.35 --size 256x256 --seed 7 --steps 1000 --out final.rle", automata)
@_start_options
@click.option("--steps", type=int, help="How many steps; the scenario's duration by default.")
@option_file("--out", help="Write the final state as RLE.")
@click.option("--every", type=int, help="Steps between two samples of the trace; a hundredth of --steps by default.")
def run(scenario: Path | None, steps: int | None, out: Path | None, every: int | None, **how: Any) -> Answer:
    """Run a SCENARIO file, an RLE pattern or a random soup, and describe where it ended."""
    import msgspec

    from thunderlab import files
    from thunderlab.automata.observe import observe
    from thunderlab.automata.pattern import Pattern
    from thunderlab.errors import InputError
    from thunderlab.faces.cli.progress import bar

    start = _start(scenario, **how)
    total = steps if steps is not None else start.steps
    if total is None:
        raise InputError("say how many steps to run", field="--steps")
    _use_cache()
    if out is not None and start.cells.ndim != 2:
        raise InputError("RLE holds two-dimensional patterns; leave --out out", field="--out")
    with bar("Running") as update:
        seen, final = observe(start.cells, start.rule, start.boundary, total, every=every, on_progress=lambda done: update("", done, total))
    if out is not None:
        files.write_whole(out, Pattern(final, rule=str(start.rule)).text())
    data = msgspec.to_builtins(seen)
    shown = [(name, value) for name, value in data.items() if name not in ("trace", "shape", "bbox")]
    shown[2:2] = [
        ("shape", "x".join(map(str, seen.shape))),
        ("bbox", "empty" if seen.bbox is None else " ".join(f"{low}..{high}" for low, high in seen.bbox)),
    ]
    rows = [(sample.step, sample.population, round(sample.entropy, 6)) for sample in _thinned(seen.trace)]
    return Answer(data, f"{facts(shown)}\n\n{table(['step', 'population', 'entropy'], rows)}")


def _thinned(trace: Any) -> list[Any]:
    """Return at most about twenty samples, always the first and the last."""
    stride = max(1, len(trace) // 20)
    return [sample for index, sample in enumerate(trace) if index % stride == 0 or index == len(trace) - 1]


@command("attractor", "thunderlab automata attractor scenarios/core/pulsar.yaml --max-steps 100", automata)
@_start_options
@click.option("--max-steps", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True, help="How far to look.")
def attractor(scenario: Path | None, max_steps: int, **how: Any) -> Answer:
    """Find where a run ends up: its transient, period, and displacement when the pattern moves."""
    from thunderlab.automata.attractor import find

    start = _start(scenario, **how)
    _use_cache()
    found = find(start.cells, start.rule, start.boundary, max_steps=max_steps)
    displacement = list(found.displacement) if found.displacement is not None else None
    data = {
        "found": found.found,
        "transient": found.transient,
        "period": found.period,
        "displacement": displacement,
        "exact_period": found.exact_period,
        "searched": found.searched,
    }
    text = facts(list(data.items())) if found.found else f"No repeat within {found.searched} steps."
    return Answer(data, text)


COMMANDS = (automata,)
