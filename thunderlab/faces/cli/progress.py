"""Progress bars on stderr, for anything that may take longer than two seconds."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

# Called with (what is being done, how many are done, how many there are).
Update = Callable[[str, int, int], None]


@contextlib.contextmanager
def bar(title: str) -> Iterator[Update]:
    """Show a bar while the block runs; off a terminal nothing is drawn, so that logs stay readable."""
    if not sys.stderr.isatty():
        yield lambda _doing, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.fields[title]}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", title=title, total=None)

        def update(doing: str, done: int, total: int) -> None:
            progress.update(task, description=doing, completed=done, total=total)

        yield update
