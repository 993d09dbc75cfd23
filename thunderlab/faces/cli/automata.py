"""`thunderlab automata`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, table
from thunderlab.faces.cli.command import argument_file, command, group, option_file, option_output

if TYPE_CHECKING:
    from thunderlab.automata.cells import Boundary
    from thunderlab.automata.observe import Observation
    from thunderlab.automata.start import Start

# Files that are patterns whatever is in them, with or without `--pattern`.
_PATTERNS = (".rle", ".cells", ".lif", ".life")

automata = group("automata", "Run cellular automata.")


def start_options(function: Any) -> Any:
    """Declare the three ways to start a run, which every command that runs a lattice shares."""
    for option in (
        click.option("--boundary", help="torus, dead or plane (unbounded); the file's, else torus."),
        click.option("--rule", help="Like B3/S23, 345/2/4, B2/S34H, B3/S2-i34q, W110 or a name; the file's, else B3/S23."),
        click.option("--seed", type=int, default=0, show_default=True, help="What a soup is drawn from."),
        click.option("--size", help="HxW, or DxHxW in 3D; a pattern is centred on it."),
        click.option("--soup", type=float, metavar="DENSITY", help="A random start: the share of live cells, 0..1."),
        option_file("--pattern", help="A pattern: RLE, .cells, Life 1.05 or 1.06; files named so need no --pattern."),
        argument_file("scenario", required=False),
    ):
        function = option(function)
    return function


def chosen_start(
    scenario: Path | None, pattern: Path | None, soup: float | None, size: str | None, seed: int, rule: str | None, boundary: str | None
) -> Start:
    """Return the one start that the options of `start_options` name, refusing none and several."""
    from thunderlab.automata import start
    from thunderlab.errors import InputError

    given = [name for name, value in (("SCENARIO", scenario), ("--pattern", pattern), ("--soup", soup)) if value is not None]
    if len(given) != 1:
        raise InputError(f"give one start: a scenario file, --pattern or --soup; got {' and '.join(given) or 'none'}")
    edge = _boundary(boundary)
    lattice = start.parse_size(size) if size is not None else None
    if scenario is not None and scenario.suffix.lower() in _PATTERNS:
        scenario, pattern = None, scenario
    if scenario is not None:
        if lattice is not None:
            raise InputError("a scenario names its own grid; leave --size out", field="--size")
        return start.from_scenario(scenario, rule, edge)
    if pattern is not None:
        return start.from_pattern(pattern, lattice, rule, edge)
    assert soup is not None
    return start.from_soup(soup, lattice, seed, rule, edge)


def use_cache() -> None:
    """Take compiled kernels from this project's workspace; runs that record nothing make none, so only one that is there."""
    from thunderlab import workspace
    from thunderlab.automata import backend

    place = workspace.locate()
    backend.start(place / "cache" / "taichi" if place.is_dir() else None)


def _boundary(text: str | None) -> Boundary | None:
    from thunderlab.automata.cells import BOUNDARIES
    from thunderlab.errors import InputError

    if text is None:
        return None
    for boundary in BOUNDARIES:
        if text == boundary:
            return boundary
    raise InputError(f"{text!r} is not a boundary; accepted: {', '.join(BOUNDARIES)}", field="--boundary")


@command("run", "thunderlab automata run --soup 0.35 --size 256x256 --seed 7 --steps 1000 --out final.rle", automata)
@start_options
@click.option("--steps", type=int, help="How many steps; the scenario's duration by default.")
@option_output("--out", help="Write the final state as .rle, .cells or .png, or the samples as .gif.")
@click.option("--every", type=int, help="Steps between two samples of the trace; a hundredth of --steps by default.")
def run(scenario: Path | None, steps: int | None, out: Path | None, every: int | None, **how: Any) -> Answer:
    """Run a SCENARIO file, a pattern or a random soup, and describe where it ended."""
    from thunderlab.errors import InputError

    start = chosen_start(scenario, **how)  # before all else is loaded: a refusal should not take longer than it must
    import msgspec

    from thunderlab.automata.film import Film
    from thunderlab.automata.formats.output import check_output, write_pattern
    from thunderlab.automata.lattice import check_start
    from thunderlab.automata.observe import check_samples, observe
    from thunderlab.faces.cli.progress import bar

    total = steps if steps is not None else start.steps
    if total is None:
        raise InputError("say how many steps to run", field="--steps")
    check_samples(total, every)
    check_start(start.cells, start.rule, start.boundary)
    ending = "" if out is None else out.suffix.lower()
    # One row under an elementary rule is shown as it is drawn in books: time downwards.
    space_time = ending == ".png" and start.rule.family == "elementary" and start.cells.shape[0] == 1
    film = Film() if ending == ".gif" or space_time else None
    if out is not None:
        check_output(out, start.rule, animated=film is not None)
    if film is not None:
        every = _check_film(start, total, every, space_time=space_time)
    use_cache()
    with bar("Running") as update:
        seen, final = observe(
            start.cells, start.rule, start.boundary, total, every=every,
            on_progress=lambda done: update("", done, total), on_sample=None if film is None else film.add,
        )  # fmt: skip
    if out is not None:
        shown_cells = film.rows() if film is not None and space_time else final
        frames = film.frames() if film is not None and not space_time else None
        write_pattern(out, shown_cells, start.rule, boundary=start.boundary, origin=_place(start, seen), frames=frames)
    data = msgspec.to_builtins(seen)
    shown = [(name, value) for name, value in data.items() if name not in ("trace", "shape", "bbox")]
    shown[2:2] = [
        ("shape", "x".join(map(str, seen.shape))),
        ("bbox", "empty" if seen.bbox is None else " ".join(f"{low}..{high}" for low, high in seen.bbox)),
    ]
    rows = [(sample.step, sample.population, round(sample.entropy, 6)) for sample in _thinned(seen.trace)]
    return Answer(data, f"{facts(shown)}\n\n{table(['step', 'population', 'entropy'], rows)}")


def _place(start: Start, seen: Observation) -> tuple[int, ...] | None:
    """Return the coordinates of the first cell left on a plane, which a pattern's file may count from elsewhere than the answer."""
    if seen.boundary != "plane" or seen.bbox is None:
        return None
    return tuple(first + low for first, (low, _) in zip(start.origin, seen.bbox, strict=True))


def _check_film(start: Start, steps: int, every: int | None, *, space_time: bool) -> int:
    """Return how often a sample is taken for a picture, having made sure before the run that it will not have too many of them."""
    from thunderlab.automata.formats.image import MOST_FRAMES, check_frames
    from thunderlab.errors import InputError

    usual = 1 if space_time and steps <= MOST_FRAMES else max(1, steps // 100)
    stride = every if every is not None else usual
    count = 1 + -(-steps // stride)
    if space_time:
        if count > 2**26 // start.cells.shape[1]:
            raise InputError(f"a picture of {count} rows is too large; take fewer with --every", field="--every")
    else:
        try:
            check_frames(count, start.cells.shape)
        except InputError as error:
            raise InputError(error.what, field="--every") from None
    return stride


def _thinned(trace: Any) -> list[Any]:
    """Return at most about twenty samples, always the first and the last."""
    stride = max(1, len(trace) // 20)
    return [sample for index, sample in enumerate(trace) if index % stride == 0 or index == len(trace) - 1]


@command("attractor", "thunderlab automata attractor scenarios/core/pulsar.yaml --max-steps 100", automata)
@start_options
@click.option("--max-steps", type=click.IntRange(1, 10_000_000), default=10_000, show_default=True, help="How far to look.")
def attractor(scenario: Path | None, max_steps: int, **how: Any) -> Answer:
    """Find where a run ends up: its transient, period, and displacement when the pattern moves."""
    from thunderlab.automata.lattice import check_start
    from thunderlab.automata.measures.attractor import find
    from thunderlab.automata.measures.trail import check_exact
    from thunderlab.errors import InputError

    start = chosen_start(scenario, **how)
    check_exact(start.rule)
    check_start(start.cells, start.rule, start.boundary)
    use_cache()
    try:
        found = find(start.cells, start.rule, start.boundary, max_steps=max_steps)
    except InputError as error:
        raise InputError(error.what, where=error.where, field="--max-steps" if error.field == "max_steps" else error.field) from None
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
