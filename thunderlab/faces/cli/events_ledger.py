"""`thunderlab events`, `thunderlab ledger` and `thunderlab keys`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thunderlab.faces.cli.answer import Answer, facts, status, table
from thunderlab.faces.cli.command import OUTPUT, command, group, option_file

if TYPE_CHECKING:
    from msgspec import Struct

    from thunderlab.keys import KeyRing

events = group("events", "The catalogue of events.")
ledger = group("ledger", "The tamper-evident record of what happened.")
keys = group("keys", "The workspace's Ed25519 keys; private halves are never shown.")


@command("list", "thunderlab events list", events)
def list_events() -> Answer:
    """List every event there is; nothing else can be emitted."""
    from thunderlab.lab import catalogue

    entries = list(catalogue())
    rows = [(entry.name, ", ".join(reversed(entry.versions)), entry.kept, entry.about) for entry in entries]
    data = [
        {
            "name": entry.name,
            "version": entry.version,
            "versions": entry.versions,
            "durable": entry.durable,
            "kept": entry.kept,
            "about": entry.about,
            "digest": entry.digest,
        }
        for entry in entries
    ]
    return Answer({"events": data}, table(["event", "version", "kept", "about"], rows))


@command("show", "thunderlab events show ca.qa.scenario.completed@1.0", events)
@click.argument("name", metavar="NAME[@VERSION]")
def show_event(name: str) -> Answer:
    """Show one event, its newest version when none is named: fields, versions, and with --json its JSON Schema."""
    import msgspec

    from thunderlab.lab import catalogue

    known = catalogue()
    called, _, version = name.partition("@")
    entry, fields = known.entry(called, version or None), known.fields(called, version or None)
    data = {
        "name": entry.name,
        "version": entry.version,
        "versions": entry.versions,
        "durable": entry.durable,
        "kept": entry.kept,
        "about": entry.about,
        "digest": entry.digest,
        "fields": msgspec.to_builtins(fields),
        "schema": entry.json_schema,
    }
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

    differences = catalogue().differences(committed_snapshot())
    data = {"ok": not differences, "differences": differences}
    return Answer(data, "\n".join(differences) or "The catalogue is the committed one.", ok=not differences)


@command("append", "thunderlab ledger append --event lab.note.recorded --payload note.json", ledger)
@click.option("--event", "name", required=True, help="The event's name; people write lab.note.recorded.")
@option_file("--payload", required=True, help='A JSON file, or - for stdin: {"text": "...", "value": 3 or null}.')
def append(name: str, payload: Path) -> Answer:
    """Write a note into the ledger."""
    import msgspec

    import thunderlab
    from thunderlab import files
    from thunderlab.errors import InputError
    from thunderlab.ledger import NoteRecorded

    if name != NoteRecorded.NAME:
        raise InputError(f"{name!r} cannot be written by hand; {NoteRecorded.NAME} can", field="--event")
    if str(payload) == "-":
        document = files.parse_json(sys.stdin.buffer.read(files.TEXT_LIMIT + 1), Path("-"))
    else:
        document = files.parse_json(files.read_bytes(payload), payload)
    note = document.convert(_note_file())
    with thunderlab.open() as lab:
        lab.events.emit(NoteRecorded(**msgspec.structs.asdict(note)))
        head = lab.ledger.head()
    data = {"seq": head.seq, "aggregate_hash": head.aggregate_hash, "root": head.root}
    return Answer(data, f"Written; the ledger's newest block is {head.seq}, {head.aggregate_hash}.")


def _note_file() -> type[Struct]:
    """Return what a note's file holds: the event's fields and nothing else.

    Readers of events skip what they do not know, and whoever writes a note by hand should hear of a misspelt field.
    """
    import msgspec

    from thunderlab.ledger import NoteRecorded

    fields = [(field.encode_name, field.type, msgspec.field(default=field.default)) for field in msgspec.structs.fields(NoteRecorded)]
    return msgspec.defstruct("NoteFile", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


@command("head", "thunderlab ledger head --json", ledger)
def head() -> Answer:
    """Show the newest block and the Merkle root over all blocks."""
    import msgspec

    import thunderlab

    with thunderlab.open() as lab:
        found = lab.ledger.head()
    data = msgspec.to_builtins(found)
    return Answer(data, facts(list(data.items())))


@command("audit", "thunderlab ledger audit --store copy-of-lab.db", ledger)
@click.option("--full", is_flag=True, help="From block 0; every audit is, as long as no signed checkpoint exists to start from.")
@option_file("--store", help="Audit this SQLite file instead of the workspace's; it is opened read-only.")
def audit(full: bool, store: Path | None) -> Answer:
    """Recompute the whole chain from its rows; exit 1 when anything is wrong."""
    del full
    import msgspec

    from thunderlab.faces.cli.progress import bar
    from thunderlab.faces.ledger_audit import audit_file, audit_workspace

    with bar("Auditing") as update:
        found = audit_file(store, update) if store else audit_workspace(update)
    rows = [(failure.seq, status("failed"), failure.kind, failure.detail) for failure in found.failures]
    verdict = f"{status('ok')}: {found.blocks} blocks, root {found.root}" if found.ok else table(["seq", "", "kind", "detail"], rows)
    return Answer(msgspec.to_builtins(found), verdict, ok=found.ok)


@command("new", "thunderlab keys new", keys)
def new_key() -> Answer:
    """Make a key pair and make it the active one."""
    import msgspec

    import thunderlab

    with thunderlab.open() as lab:
        made = lab.keys.new()
    return Answer(msgspec.to_builtins(made), f"Made key {made.id}; it is the active one.")


@command("list", "thunderlab keys list", keys)
def list_keys() -> Answer:
    """List all public keys, oldest first; the last one is active."""
    import msgspec

    found = _key_ring().public_keys()
    text = (
        table(["id", "made", "public key"], [(key.id, key.made_at, key.key) for key in found])
        if found
        else "No key yet; make one with: thunderlab keys new"
    )
    return Answer({"keys": msgspec.to_builtins(found)}, text)


@command("export", "thunderlab keys export verifier-keys.json", keys)
@click.argument("file", type=OUTPUT)
def export_keys(file: Path) -> Answer:
    """Write all public keys to FILE, for whoever checks our signatures."""
    found = _key_ring().export(file)
    return Answer({"path": str(file), "keys": [key.id for key in found]}, f"Wrote {len(found)} public keys to {file}.")


def _key_ring() -> KeyRing:
    """Return this workspace's keys without making the workspace."""
    from thunderlab import workspace
    from thunderlab.clock import SystemClock
    from thunderlab.lab import key_ring

    return key_ring(workspace.locate(), SystemClock())


COMMANDS = (events, ledger, keys)
