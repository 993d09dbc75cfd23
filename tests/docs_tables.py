"""The generated parts of the documentation, made from the code: `make docs` writes them, `tests/test_docs.py` compares them.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from thunderlab.faces.cli.app import thunderlab
from thunderlab.lab import catalogue
from thunderlab.store import METADATA

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "thunderlab" / "events" / "catalogue.json"
PAGES = ("README.md", "ARCHITECTURE.md")


def commands() -> str:
    """Return a table of every command: what it does and an example."""
    rows = ["| command | what it does |", "|---|---|"]
    for path, command in _leaves(thunderlab, ()):
        first = (command.help or "").strip().splitlines()[0]
        example = (command.epilog or "").partition("Example:")[2].strip()
        rows.append(f"| `thunderlab {' '.join(path)}` | {first} Example: `{example}` |")
    return "\n".join(rows)


def _leaves(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name))
        else:
            yield (*path, name), command


def events() -> str:
    """Return a table of every event."""
    rows = ["| event | version | kept in | about |", "|---|---|---|---|"]
    rows += [
        f"| `{entry.name}` | {entry.version} | {'ledger' if entry.durable else 'telemetry'} | {entry.about} |" for entry in catalogue()
    ]
    return "\n".join(rows)


def tables() -> str:
    """Return a table of every table of the store."""
    rows = ["| table | columns |", "|---|---|"]
    ours = [table for table in METADATA.sorted_tables if not table.name.startswith("test_")]
    rows += [
        f"| `{table.name}` | {', '.join(f'`{column.name}`' for column in table.columns)} |"
        for table in sorted(ours, key=lambda one: one.name)
    ]
    return "\n".join(rows)


GENERATED = {"commands": commands, "events": events, "tables": tables}


def filled(text: str) -> str:
    """Return a page with every generated part made anew."""
    for name, make in GENERATED.items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(\n<!-- end -->)"
        text = re.sub(pattern, lambda match, make=make: match[1] + make() + match[2], text, flags=re.DOTALL)
    return text


def snapshot() -> str:
    """Return the event catalogue as it is to be committed."""
    return json.dumps(catalogue().snapshot(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every page and the snapshot."""
    if "--write" not in sys.argv:
        sys.exit("usage: python tests/docs_tables.py --write")
    for page in PAGES:
        (ROOT / page).write_text(filled((ROOT / page).read_text()))
    SNAPSHOT.write_text(snapshot())


if __name__ == "__main__":
    main()
