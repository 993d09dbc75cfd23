"""How commands are declared: each returns an `Answer` and shows an example in its help."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from thunderlab import workspace
from thunderlab.errors import InterruptedByUserError

Function = TypeVar("Function", bound=Callable[..., Any])

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

# Whether a file exists is checked by the front door for files, which says more than click does.
FILE = click.Path(path_type=Path)


class Output(click.Path):
    """A file to be written: what cannot be one is refused before anything is run for it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if not str(value):
            self.fail("the name of a file is empty", param, ctx)
        path = Path(str(super().convert(value, param, ctx)))
        if workspace.is_own(path):
            self.fail(f"{str(path)!r} is one of the workspace's own files; name a place outside", param, ctx)
        with contextlib.suppress(OSError):  # where nobody may look, writing will tell
            folder = next(place for place in path.absolute().parents if place.exists())
            if not folder.is_dir():
                self.fail(f"{str(folder)!r} is no folder", param, ctx)
        return path


OUTPUT = Output(dir_okay=False)


class LabCommand(click.Command):
    """A command whose libraries may print what they like: only its answer reaches stdout."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command with Python's stdout pointed at stderr."""
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            # Click would print an empty line of its own first.
            raise InterruptedByUserError from None


class LabGroup(click.Group):
    """A group that lists its verbs in the order they were written."""

    command_class = LabCommand

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return verbs in declaration order."""
        return list(self.commands)


def command(name: str, example: str, parent: click.Group | None = None) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a function a command, of a group when one is given.

    Args:
        name: the verb.
        example: a whole command line that works, shown at the end of `--help`.
        parent: the group it belongs to.
    """
    epilog = f"\b\nExample:\n  {example}"

    def declare(function: Callable[..., Any]) -> click.Command:
        made = click.command(name, cls=LabCommand, epilog=epilog, context_settings=SETTINGS)(function)
        if parent is not None:
            parent.add_command(made)
        return made

    return declare


def group(name: str, about: str) -> click.Group:
    """Return a group of commands."""
    return LabGroup(name, help=about, short_help=about, context_settings=SETTINGS)


def argument_file(name: str, **settings: Any) -> Callable[[Function], Function]:
    """Return a file argument."""
    return click.argument(name, type=FILE, **settings)


def option_file(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """Return a file option."""
    return click.option(*names, type=FILE, **settings)


def option_output(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """Return an option for a file that is going to be written."""
    return click.option(*names, type=OUTPUT, **settings)
