"""One tree of errors: each says what is wrong, where, and what to do, and knows its exit code.

The command line prints `str(error)` behind `error: ` and exits with `error.exit_code`; nothing else decides either.
"""

from __future__ import annotations

from typing import ClassVar


class ThunderlabError(Exception):
    """The root of every error this package raises on purpose.

    Args:
        what: what is wrong and, for input, what is accepted; one line.
        where: the file, command or resource concerned.
        field: the field inside `where`, with its line when there is one.

    >>> str(InputError("expected an integer from 1 to 9", where="a.yaml", field="line 3: steps"))
    'a.yaml: line 3: steps: expected an integer from 1 to 9'
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: object = None, field: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.field = field
        parts = (self.where, self.field, self.what)
        super().__init__(": ".join(" ".join(part.split()) for part in parts if part))


class InputError(ThunderlabError):
    """The user handed in something we cannot accept; nothing was written."""

    exit_code = 2


class EvidenceError(ThunderlabError):
    """Evidence given to a check is malformed: the check ran, and the answer is no."""

    exit_code = 1


class EnvironmentBlockedError(ThunderlabError):
    """The environment is in the way (disk full, no permission, missing part); nothing acknowledged was lost."""


class BusyError(EnvironmentBlockedError):
    """Something needed is held by another process; the message says by whom."""


class UndocumentedEventError(ThunderlabError):
    """Somebody tried to emit an event that is not in the catalogue, or whose values its own schema refuses."""


class InterruptedByUserError(ThunderlabError):
    """The user stopped a command."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("interrupted; nothing acknowledged was lost")


class NotebookFailedError(ThunderlabError):
    """A notebook ran and one of its cells failed: the answer is no."""

    exit_code = 1
