"""`thunderlab keys`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from thunderlab.faces.cli.answer import Answer, table
from thunderlab.faces.cli.command import OUTPUT, command, group

if TYPE_CHECKING:
    from thunderlab.keys import KeyRing

keys = group("keys", "The workspace's Ed25519 keys; private halves are never shown.")


@command("new", "thunderlab keys new", keys)
def new_key() -> Answer:
    """Make a key pair and make it the active one; where there is one already, it is announced under that one, as by `rotate`."""
    import msgspec

    import thunderlab

    with thunderlab.open() as lab:
        made = lab.custody.rotate_key() if lab.keys.active() else lab.keys.new()
    return Answer(msgspec.to_builtins(made), f"Made key {made.id}; it is the active one.")


@command("rotate", "thunderlab keys rotate", keys)
def rotate_key() -> Answer:
    """Replace the active key: the new one is announced in the ledger under the old one, whose private half is destroyed."""
    import msgspec

    import thunderlab
    from thunderlab.errors import InputError

    if not _key_ring().public_keys():
        raise InputError("there is no key to replace yet; make one with: thunderlab keys new", field="keys")
    with thunderlab.open() as lab:
        before = lab.keys.active()
        made = lab.custody.rotate_key()
    data = {**msgspec.to_builtins(made), "previous": before.id if before else None}
    return Answer(
        data, f"Key {made.id} signs from now on. Give the new public keys to whoever checks our signatures: thunderlab keys export FILE"
    )


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


COMMANDS = (keys,)
