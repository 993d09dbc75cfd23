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

from thunderlab.events import Catalogue, committed_snapshot
from thunderlab.events.catalogue import Entry
from thunderlab.faces.cli.app import thunderlab
from thunderlab.lab import catalogue
from thunderlab.store import METADATA

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = ROOT / "thunderlab" / "events" / "catalogue.json"
PAGES = ("README.md", "ARCHITECTURE.md", "docs/events.md")


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
    rows = ["| event | version | kept | about |", "|---|---|---|---|"]
    rows += [f"| `{entry.name}` | {entry.version} | {entry.kept} | {entry.about} |" for entry in catalogue()]
    return "\n".join(rows)


def event_pages() -> str:
    """Return a section for every event: what it tells, how it is kept, its fields, its versions."""
    known = catalogue()
    return "\n\n".join(_event_page(known, entry) for entry in known)


def _event_page(known: Catalogue, entry: Entry) -> str:
    parts = [f"## `{entry.name}`", known.prose(entry.name), f"Version {entry.version}; kept {entry.kept}."]
    rows = ["| field | holds | | meaning |", "|---|---|---|---|"]
    for field in known.fields(entry.name):
        default = "required" if field.default is None else f"default `{field.default}`"
        rows.append(f"| `{field.name}` | {_in_cell(field.type)} | {default} | {_in_cell(field.meaning)} |")
    return "\n\n".join([*parts, "\n".join(rows), "\n".join(_history(known, entry))])


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _history(known: Catalogue, entry: Entry) -> Iterator[str]:
    """Yield a line per version, newest first: what it holds that the one before it did not, and the other way round."""
    fields = {version: {field.name: field for field in known.fields(entry.name, version)} for version in entry.versions}
    for version, before in reversed(list(zip(entry.versions, (None, *entry.versions), strict=False))):
        new, old = fields[version], fields[before] if before else {}
        said = {
            "new": [name for name in new if name not in old],
            "gone": [name for name in old if name not in new],
            "changed": [name for name in new if name in old and (new[name].type, new[name].default) != (old[name].type, old[name].default)],
        }
        told = "; ".join(f"{word}: {', '.join(f'`{name}`' for name in names)}" for word, names in said.items() if names)
        yield f"* {version}: {(told or 'the same fields in another order') if before else 'the first'}"


def tables() -> str:
    """Return a table of every table of the store."""
    rows = ["| table | columns |", "|---|---|"]
    ours = [table for table in METADATA.sorted_tables if not table.name.startswith("test_")]
    rows += [
        f"| `{table.name}` | {', '.join(f'`{column.name}`' for column in table.columns)} |"
        for table in sorted(ours, key=lambda one: one.name)
    ]
    return "\n".join(rows)


GENERATED = {"commands": commands, "events": events, "event pages": event_pages, "tables": tables}


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
    # A snapshot written over a broken promise would hide it from everybody who comes later.
    if broken := catalogue().broken_promises(committed_snapshot()):
        sys.exit("\n".join(["the event catalogue breaks promises, so nothing was written:", *broken]))
    for page in PAGES:
        (ROOT / page).write_text(filled((ROOT / page).read_text()))
    SNAPSHOT.write_text(snapshot())


if __name__ == "__main__":
    main()
