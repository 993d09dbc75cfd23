"""The front of the command line: global flags anywhere, one line per error, one JSON document per answer, exit codes."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import IO

import click

from thunderlab import __version__
from thunderlab.errors import EnvironmentBlockedError, InputError, InterruptedByUserError, ThunderlabError
from thunderlab.faces.cli.answer import Answer
from thunderlab.faces.cli.command import SETTINGS, LabGroup
from thunderlab.faces.cli.progress import interruption

EPILOG = """\b
Everywhere:
  --workspace DIR  the workspace (default: THUNDERLAB_WORKSPACE, else the nearest .thunderlab upward)
  --json           one JSON document on stdout and nothing else
\b
Exit codes: 0 fine; 1 it ran, and the answer is no; 2 bad input; 3 the environment is in the way; 130 interrupted.
"""


ABOUT = """A research workbench for emergent systems, with evidence.

\b
Start with:
  thunderlab run    run the notebooks, decide readiness, write the report
  thunderlab lab    open JupyterLab on the notebooks
"""


@click.group(cls=LabGroup, help=ABOUT, epilog=EPILOG, invoke_without_command=True, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="thunderlab")
@click.pass_context
def thunderlab(context: click.Context) -> None:
    """Show the help when nothing is asked for."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _add_commands() -> None:
    from thunderlab.faces.cli import automata, bench, cluster, emergence, events, gate_report, keys, ledger, policy, qa, run

    automata.automata.add_command(bench.bench)
    automata.automata.add_command(cluster.cluster)
    automata.automata.add_command(emergence.emergence)
    for command in (
        *run.COMMANDS,
        *automata.COMMANDS,
        *qa.COMMANDS,
        *gate_report.COMMANDS,
        *events.COMMANDS,
        *ledger.COMMANDS,
        *keys.COMMANDS,
        *policy.COMMANDS,
    ):
        thunderlab.add_command(command)


_add_commands()


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; everything printed goes through here."""
    for wanted in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(wanted) is not signal.SIG_IGN:
            signal.signal(wanted, interruption.ask)
    _open_what_is_closed()
    try:
        rest, workspace, as_json = split_global(arguments)
        if workspace is not None:
            os.environ["THUNDERLAB_WORKSPACE"] = workspace
        with _stdout_kept_clean() as stdout:
            answer = thunderlab.main(args=rest, prog_name="thunderlab", standalone_mode=False)
            if isinstance(answer, Answer):
                _print(answer, stdout, as_json=as_json)
                _flush(stdout)
                return 0 if answer.ok else 1
            return answer if isinstance(answer, int) else 0
    except ThunderlabError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        context = error.ctx
        verbs = ", ".join(context.command.list_commands(context)) if isinstance(context.command, click.Group) else ""
        return _fail(
            f"{context.command_path}: name one of: {verbs}" if verbs else f"{context.command_path}: arguments are missing; see --help", 2
        )
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else "thunderlab"
        return _fail(f"{path}: {' '.join(error.format_message().split())}", 2)
    except (KeyboardInterrupt, click.Abort):
        return _fail(str(InterruptedByUserError()), InterruptedByUserError.exit_code)
    except BrokenPipeError:
        # Whoever read us has seen enough, as in `thunderlab events list | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # noqa: BLE001 - a defect of ours is neither a no nor the user's mistake; the traceback is for its report
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            return _fail(f"{error.filename or 'stdout'}: {error.strerror}", EnvironmentBlockedError.exit_code)
        traceback.print_exc()
        return _fail("this is a defect of thunderlab; please report the lines above", ThunderlabError.exit_code)


def split_global(arguments: Sequence[str]) -> tuple[list[str], str | None, bool]:
    """Return the arguments without `--workspace DIR` and `--json`, which may stand anywhere, and what they said.

    >>> split_global(["qa", "--json", "run", "--workspace", "w", "--suite", "core"])
    (['qa', 'run', '--suite', 'core'], 'w', True)
    """
    rest: list[str] = []
    workspace: str | None = None
    as_json = False
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            rest += [argument, *given]
        elif argument == "--json":
            as_json = True
        elif argument == "--workspace" or argument.startswith("--workspace="):
            workspace = argument.partition("=")[2] if "=" in argument else next(given, "")
            if not workspace:
                raise InputError("needs a folder", field="--workspace")
        else:
            rest.append(argument)
    return rest, workspace, as_json


@contextlib.contextmanager
def _stdout_kept_clean() -> Iterator[IO[str]]:
    """Send whatever libraries print to descriptor 1 to stderr for the block, and give our own way to the real stdout.

    `sys.stdout` is that way too, for click's help; while a command runs `command.LabCommand` points it at stderr as well.
    """
    sys.stdout.flush()
    before, real = sys.stdout, os.dup(1)
    stdout = os.fdopen(real, "w", encoding="utf-8", errors="backslashreplace")
    os.dup2(2, 1)
    sys.stdout = stdout
    try:
        yield stdout
        _flush(stdout)
    finally:
        sys.stdout = before
        os.dup2(real, 1)
        with contextlib.suppress(OSError):
            stdout.close()


def _open_what_is_closed() -> None:
    """Have descriptors 0 to 2 lead nowhere when they are closed: else the next file opened, a store perhaps, would be one of them."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode))


def _flush(stdout: IO[str]) -> None:
    try:
        stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EnvironmentBlockedError(f"the answer cannot be written: {error.strerror}", where="stdout") from None


def _print(answer: Answer, stdout: IO[str], *, as_json: bool) -> None:
    if as_json:
        stdout.write(json.dumps(answer.data, ensure_ascii=False, allow_nan=False) + "\n")
        return
    coloured = stdout.isatty() and "NO_COLOR" not in os.environ
    stdout.write((answer.text if coloured else click.unstyle(answer.text)) + "\n")


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    sys.stderr.flush()
    return code
