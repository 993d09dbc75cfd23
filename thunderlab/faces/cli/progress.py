"""Progress bars on stderr, for anything that may take longer than two seconds."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

# Called with (what is being done, how many are done, how many there are).
Update = Callable[[str, int, int], None]


class Interruption:
    """Remembers that the user wants out. Python drops an exception raised inside a library's callback, so it is raised again here."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, _signal: int, _frame: Any) -> NoReturn:
        """Raise KeyboardInterrupt, and remember: the signal handler of the command line."""
        self.asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt when it was asked for and got lost on the way."""
        if self.asked:
            raise KeyboardInterrupt


interruption = Interruption()


@contextlib.contextmanager
def bar(title: str) -> Iterator[Update]:
    """Show a bar while the block runs; off a terminal nothing is drawn, so that logs stay readable.

    Every update is also a point where an interruption takes effect.
    """
    if not sys.stderr.isatty():
        yield lambda _doing, _done, _total: interruption.check()
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
            interruption.check()
            progress.update(task, description=doing, completed=done, total=total)

        yield update
