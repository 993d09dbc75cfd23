"""`thunderlab automata emergence`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thunderlab.faces.cli.answer import Answer, facts
from thunderlab.faces.cli.automata import chosen_start, start_options, use_cache
from thunderlab.faces.cli.command import command

STEPS = 500


@command("emergence", 'thunderlab automata emergence --soup 0.5 --size 128x128 --rule "HighLife"')
@start_options
@click.option("--steps", type=int, default=STEPS, show_default=True, help="How many steps to watch.")
def emergence(scenario: Path | None, steps: int, seed: int, **how: Any) -> Answer:
    """Score how structured and alive a run is, from 0 (frozen, or noise) to 1, and say from what."""
    import msgspec

    from thunderlab.automata.measures.emergence import measure

    start = chosen_start(scenario, seed=seed, **how)
    use_cache()
    found = measure(start.cells, start.rule, start.boundary, steps, seed)
    data = msgspec.to_builtins(found)
    score = data.pop("score")
    lines = facts([("score", score["value"]), *((f"  {name}", value) for name, value in score.items() if name != "value")])
    return Answer({"score": score, **data}, f"{lines}\n\n{facts(list(data.items()))}")
