"""`thunderlab automata bench`."""

from __future__ import annotations

import click

from thunderlab.faces.cli.answer import Answer, facts, table
from thunderlab.faces.cli.command import command

NOTE = (
    "Gcells/CPU-s: 10^9 cells stepped per second of processor time, the median of the rounds; spread: slowest and fastest round.\n"
    "Machines are noisy: compare only what ran in the same minutes, and run it again when the spread is wide."
)


@command("bench", "thunderlab automata bench --size 4096x4096 --seconds 2")
@click.option(
    "--size", "sizes", multiple=True, metavar="HxW|DxHxW", help="May be given again; 1024x1024, 4096x4096, 128x128x128, 256x256x256."
)
@click.option("--rule", help="Life in 2D and B13-14,17-19/S13-26 in 3D by default.")
@click.option("--seconds", type=float, default=1.0, show_default=True, help="Processor time per size, with and without a trace each.")
def bench(sizes: tuple[str, ...], rule: str | None, seconds: float) -> Answer:
    """Measure how fast lattices step on this machine; nothing is written, no workspace is needed."""
    import msgspec

    from thunderlab.automata.bench import bench as measure
    from thunderlab.automata.start import parse_size
    from thunderlab.faces.cli.progress import bar

    wanted = [parse_size(size) for size in sizes] or None
    with bar("Measuring") as update:
        speeds = measure(wanted, rule, seconds=seconds, on_progress=update)
    measured = [msgspec.to_builtins(speed) for speed in speeds]
    rows = [
        (
            speed.size,
            "yes" if speed.traced else "no",
            round(speed.gcells_per_cpu_s, 3),
            f"{speed.spread[0]:.3g}..{speed.spread[1]:.3g}",
            round(speed.gcells_per_wall_s, 3),
            speed.rounds,
            speed.rule if speed.population else f"{speed.rule} (died out)",
        )
        for speed in speeds
    ]
    heading = ["size", "traced", "Gcells/CPU-s", "spread", "Gcells/wall-s", "rounds", "rule"]
    return Answer({**measured[0], "measured": measured}, f"{facts(list(speeds[0].engine.items()))}\n\n{table(heading, rows)}\n\n{NOTE}")
