"""`thunderlab automata cluster`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, table
from thunderlab.faces.cli.automata import chosen_start, start_options, use_cache
from thunderlab.faces.cli.command import command, group, option_output

if TYPE_CHECKING:
    from thunderlab.automata.cluster.named import NamedLattice
    from thunderlab.lab import Lab

cluster = group("cluster", "Named lattices that go on running, several at once.")

_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 60


@command("create", "thunderlab automata cluster create tank --soup 0.35 --size 256x256 --seed 7 --until 100000", cluster)
@click.argument("name")
@start_options
@click.option("--rate", type=float, metavar="STEPS_PER_S", help="The most steps a second, 0.001..1000000; as many as there is time for.")
@click.option("--until", type=int, metavar="STEP", help="The step at which it is stopped; never.")
@click.option("--paused", is_flag=True, help="Create it paused instead of running.")
def create(name: str, rate: float | None, until: int | None, paused: bool, **how: Any) -> Answer:
    """Create the lattice NAME from a SCENARIO file, a pattern or a random soup; `run` then runs it, with all others."""
    import thunderlab
    from thunderlab.automata.cluster.named import check_name, plan

    check_name(name)
    start = chosen_start(**how)
    use_cache()
    planned = plan(name, start.cells, start.rule, start.boundary, source=_source(**how), rate=rate, until=until, paused=paused)
    with thunderlab.open() as lab:
        made = lab.automata.cluster.add(planned)
        return _changed(lab, made, "Created")


@command("list", "thunderlab automata cluster list", cluster)
def list_lattices() -> Answer:
    """List all lattices."""
    import thunderlab
    from thunderlab import workspace

    if workspace.nothing_yet():
        return _listing((), None)
    with thunderlab.open() as lab:
        return _listing(lab.automata.cluster.list(), lab.automata.cluster.runner())


@command("show", "thunderlab automata cluster show tank --out tank.rle", cluster)
@click.argument("name")
@option_output("--out", help="Write its cells as RLE.")
def show(name: str, out: Path | None) -> Answer:
    """Show a lattice as it was last saved: where it stands, its digests, and how its entropy went."""
    from thunderlab import files
    from thunderlab.automata.formats.output import rle
    from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
    from thunderlab.errors import InputError

    with _lab_with(name) as lab:
        found, cells, origin = lab.automata.cluster.seen(name)
        runner = lab.automata.cluster.runner()
    if out is not None:
        if cells.ndim != 2:
            raise InputError("RLE holds two-dimensional patterns; leave --out out", field="--out")
        files.write_whole(out, rle(cells, found.rule, found.boundary, origin if found.boundary == "plane" else None))
    data = {
        **_data(found),
        "bbox": bbox(cells, origin),
        "cells_sha256": cells_sha256(cells),
        "cells_sha256_absolute": cells_sha256(cells, origin=origin),
        "runner": runner,
    }
    box = data["bbox"]
    shown = {
        **data,
        "shape": _size(found),
        "bbox": "empty" if box is None else " ".join(f"{low}..{high}" for low, high in box),
        "runner": runner if found.status == "running" else None,
    }
    del shown["trace"]
    return Answer(data, f"{facts(list(shown.items()))}\n\n{_sparkline(found)}")


def _change(verb: str, done: str, about: str) -> None:
    """Declare a command that does with one lattice what the room's method of that name does, and says so."""

    def change(name: str) -> Answer:
        with _lab_with(name) as lab:
            return _changed(lab, getattr(lab.automata.cluster, verb)(name), done)

    change.__doc__ = about
    command(verb, f"thunderlab automata cluster {verb} tank", cluster)(click.argument("name")(change))


_change("pause", "Paused", "Have a lattice stay at the step it was last saved at.")
_change("resume", "Resumed", "Have a paused lattice run on, as soon as there is a runner.")


@command("step", "thunderlab automata cluster step tank --steps 100", cluster)
@click.argument("name")
@click.option("--steps", type=int, default=1, show_default=True, help="How many steps.")
def step(name: str, steps: int) -> Answer:
    """Run a paused lattice by exactly so many steps, here and now; no runner is needed. Interrupted, it stays where it was."""
    from thunderlab.faces.cli.progress import bar

    with _lab_with(name) as lab, bar(f"Stepping {name}") as update:
        stepped = lab.automata.cluster.step(name, steps, on_progress=lambda done: update("", done, steps))
        return _changed(lab, stepped, "Stepped")


_change("stop", "Stopped", "End a lattice for good and record its end in the ledger; it can still be looked at.")
_change("remove", "Removed", "Throw a paused or stopped lattice away; the ledger keeps that it was created and how it ended.")


@command("run", "thunderlab automata cluster run --until-idle", cluster)
@click.option("--until-idle", is_flag=True, help="End once no lattice is running.")
@click.option("--for", "seconds", type=float, metavar="SECONDS", help="End after so long; else at Ctrl-C.")
@click.option("--every", type=float, default=1.0, show_default=True, metavar="SECONDS", help="Between two entropy samples of a lattice.")
def run(until_idle: bool, seconds: float | None, every: float) -> Answer:
    """Run all running lattices in turns, and save them about once a second; one runner a workspace.

    Other terminals and notebooks create, pause, resume and stop lattices meanwhile. Ctrl-C saves them; a killed runner loses what it
    ran in the last second, and the next one goes on from there with the same result.
    """
    import thunderlab
    from thunderlab.automata.cluster.running import check_every
    from thunderlab.errors import InputError
    from thunderlab.faces.cli.progress import bar

    check_every(every)
    if seconds is not None and not 0 <= seconds <= 1e9:
        raise InputError(f"expected 0 to 1000000000 seconds, not {seconds!r}", field="--for")

    def say(text: str) -> None:
        click.echo(text, err=True)

    with thunderlab.open() as lab, bar("Running") as update:
        with lab.automata.cluster.running(every_s=every, on_note=say) as running:

            def show_progress() -> None:
                update(f"{running.steps} steps", running.lattices, running.lattices)

            running.wait(seconds, until_idle=until_idle, on_progress=show_progress)
        answer = _listing(lab.automata.cluster.list(), None)
    data = {**answer.data, "steps": running.steps, "notes": list(running.notes)}
    return Answer(data, f"Ran {running.steps} steps.\n{answer.text}")


@contextlib.contextmanager
def _lab_with(name: str) -> Iterator[Lab]:
    """Open the lab to look for a lattice; where there is no workspace there is none, and no workspace is made to say so."""
    import thunderlab
    from thunderlab import workspace
    from thunderlab.automata.cluster.named import check_name
    from thunderlab.automata.cluster.rows import no_such_lattice

    check_name(name)
    if workspace.nothing_yet():
        raise no_such_lattice(name, [])
    with thunderlab.open() as lab:
        yield lab


def _source(scenario: Path | None, pattern: Path | None, soup: float | None, seed: int, **_: Any) -> str:
    """Return where the cells came from, in words."""
    if soup is not None:
        return f"soup of density {soup:g}, seed {seed}"
    kind, file = ("scenario", scenario) if scenario is not None else ("pattern", pattern)
    assert file is not None
    return f"{kind} {''.join(letter if letter.isprintable() else '?' for letter in file.name)}"[:200]


def _data(found: NamedLattice) -> dict[str, Any]:
    import msgspec

    made: dict[str, Any] = msgspec.to_builtins(found)
    return made


def _listing(lattices: tuple[NamedLattice, ...], runner: str | None) -> Answer:
    data = {"lattices": [{key: value for key, value in _data(one).items() if key != "trace"} for one in lattices], "runner": runner}
    if not lattices:
        return Answer(data, "There is no lattice; make one with: thunderlab automata cluster create")
    rows = [
        (one.name, one.status, one.rule, one.boundary, _size(one), one.step, one.until, one.population, round(one.entropy, 6))
        for one in lattices
    ]
    text = table(["name", "status", "rule", "boundary", "size", "step", "until", "population", "entropy"], rows)
    return Answer(data, f"{text}{_runner_line(any(one.status == 'running' for one in lattices), runner)}")


def _changed(lab: Lab, now: NamedLattice, done: str) -> Answer:
    """Return the answer of a command that changed a lattice."""
    data = {key: value for key, value in _data(now).items() if key != "trace"}
    hint = _runner_line(now.status == "running", lab.automata.cluster.runner())
    return Answer(
        data, f"{done} {now.name}: {now.status} at step {now.step}, {now.rule} on {_size(now)}, {now.population} live cells.{hint}"
    )


def _runner_line(running: bool, runner: str | None) -> str:
    if runner is not None:
        return f"\nRun by {runner}."
    return "\nNobody runs lattices here at the moment; start with: thunderlab automata cluster run" if running else ""


def _size(one: NamedLattice) -> str:
    return "x".join(map(str, one.shape))


def _sparkline(one: NamedLattice) -> str:
    """Return the newest samples of entropy as one line of bars, from the least to the most of them."""
    values = [sample.entropy for sample in one.trace][-_COLUMNS:]
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    bars = "".join(_BARS[round((value - low) * scale)] for value in values)
    first = one.trace[-len(values)].step
    return f"{bars}\nentropy {low:.6f} to {high:.6f} over steps {first} to {one.trace[-1].step}"
