"""`thunderlab events`."""

from __future__ import annotations

import click

from thunderlab.faces.cli.answer import Answer, table
from thunderlab.faces.cli.command import command, group

events = group("events", "The catalogue of events.")


@command("list", "thunderlab events list", events)
def list_events() -> Answer:
    """List every event there is; nothing else can be emitted."""
    from thunderlab.lab import catalogue

    entries = list(catalogue())
    rows = [(entry.name, entry.version, "ledger" if entry.durable else "telemetry", entry.about) for entry in entries]
    data = [
        {"name": entry.name, "version": entry.version, "durable": entry.durable, "about": entry.about, "digest": entry.digest}
        for entry in entries
    ]
    return Answer({"events": data}, table(["event", "version", "kept in", "about"], rows))


@command("show", "thunderlab events show ca.qa.scenario.completed", events)
@click.argument("name")
def show_event(name: str) -> Answer:
    """Show one event with its JSON Schema."""
    import json

    from thunderlab.lab import catalogue

    entry = catalogue().entry(name)
    data = {
        "name": entry.name,
        "version": entry.version,
        "durable": entry.durable,
        "about": entry.about,
        "digest": entry.digest,
        "schema": entry.json_schema,
    }
    return Answer(data, f"{entry.name}, version {entry.version}: {entry.about}\n\n{json.dumps(entry.json_schema, indent=2)}")


@command("check", "thunderlab events check", events)
def check_events() -> Answer:
    """Compare the catalogue with the committed snapshot: exit 1 when a shape changed without a version, or anything differs."""
    from thunderlab.events import committed_snapshot
    from thunderlab.lab import catalogue

    differences = catalogue().differences(committed_snapshot())
    data = {"ok": not differences, "differences": differences}
    return Answer(data, "\n".join(differences) or "The catalogue is the committed one.", ok=not differences)


COMMANDS = (events,)
