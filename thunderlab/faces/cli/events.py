"""`thunderlab events`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, table
from thunderlab.faces.cli.command import command, group

if TYPE_CHECKING:
    from thunderlab.events.catalogue import Entry

events = group("events", "The catalogue of events.")


@command("list", "thunderlab events list", events)
def list_events() -> Answer:
    """List every event there is; nothing else can be emitted."""
    from thunderlab.lab import catalogue

    entries = list(catalogue())
    rows = [(entry.name, ", ".join(reversed(entry.versions)), entry.kept, entry.about) for entry in entries]
    data = [_told(entry) for entry in entries]
    return Answer({"events": data}, table(["event", "version", "kept", "about"], rows))


def _told(entry: Entry) -> dict[str, Any]:
    """Return what is said of an event wherever it is listed."""
    return {name: getattr(entry, name) for name in ("name", "version", "versions", "durable", "kept", "about", "digest")}


@command("show", "thunderlab events show ca.qa.scenario.completed@1.0", events)
@click.argument("name", metavar="NAME[@VERSION]")
def show_event(name: str) -> Answer:
    """Show one event, its newest version when none is named: fields, versions, and with --json its JSON Schema."""
    import msgspec

    from thunderlab.lab import catalogue

    known = catalogue()
    called, _, version = name.partition("@")
    entry, fields = known.entry(called, version or None), known.fields(called, version or None)
    data = {**_told(entry), "fields": msgspec.to_builtins(fields), "schema": entry.json_schema}
    rows = [
        (field.name, field.type, "required" if field.default is None else f"default {field.default}", field.meaning) for field in fields
    ]
    head = facts([("event", entry.name), ("version", entry.version), ("versions", ", ".join(entry.versions)), ("kept", entry.kept)])
    return Answer(data, f"{entry.about}\n\n{head}\n\n{table(['field', 'holds', '', 'meaning'], rows)}")


@command("check", "thunderlab events check", events)
def check_events() -> Answer:
    """Compare the catalogue with the committed snapshot: exit 1 when a promise to old readers or old blocks is broken, or anything differs."""
    from thunderlab.events import committed_snapshot
    from thunderlab.lab import catalogue

    try:
        differences = catalogue().differences(committed_snapshot())
    except ValueError as error:  # the events cannot even be put together
        differences = [str(error)]
    data = {"ok": not differences, "differences": differences}
    return Answer(data, "\n".join(differences) or "The catalogue is the committed one.", ok=not differences)


COMMANDS = (events,)
