"""`thunderlab ledger`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, status, table
from thunderlab.faces.cli.command import FILE, OUTPUT, argument_file, command, group, option_file, option_output

if TYPE_CHECKING:
    from msgspec import Struct

    from thunderlab.ledger import ChainKind

ledger = group("ledger", "The tamper-evident record of what happened.")

_CHOICES = ("events", "verdicts")
MOST_BLOCKS = 2**63 - 1  # that a store can number
BLOCK = click.IntRange(0, MOST_BLOCKS)


def option_chain(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with an option that says which chain is meant."""
    about = "Which of the two chains."
    return click.option("--chain", type=click.Choice(_CHOICES), default=_CHOICES[0], show_default=True, help=about)(function)


def _kind(chain: str) -> ChainKind:
    from thunderlab.ledger import CHAINS

    return next(kind for kind in CHAINS if kind.name == chain)


def _require_something(field: str) -> None:
    """Refuse what is asked of a block where nothing was ever recorded, before a workspace is made for it."""
    from thunderlab import workspace
    from thunderlab.errors import InputError

    if workspace.nothing_yet():
        raise InputError(f"there is no block: nothing was recorded in {workspace.locate()} yet", field=field)


@command("append", "thunderlab ledger append --event lab.note.recorded --payload note.json", ledger)
@click.option("--event", "name", required=True, help="The event's name; people write lab.note.recorded.")
@option_file("--payload", required=True, help='A JSON file, or - for stdin: {"text": "...", "value": 3 or null}.')
def append(name: str, payload: Path) -> Answer:
    """Write a note into the ledger."""
    import msgspec

    import thunderlab
    from thunderlab import files
    from thunderlab.errors import InputError, UndocumentedEventError
    from thunderlab.ledger import NoteRecorded

    if name != NoteRecorded.NAME:
        raise InputError(f"{name!r} cannot be written by hand; {NoteRecorded.NAME} can", field="--event")
    if str(payload) == "-":
        document = files.parse_json(sys.stdin.buffer.read(files.TEXT_LIMIT + 1), Path("-"))
    else:
        document = files.parse_json(files.read_bytes(payload), payload)
    note = NoteRecorded(**msgspec.structs.asdict(document.convert(_note_file())))
    try:
        note.encode()
    except UndocumentedEventError as error:
        raise InputError(f"cannot be recorded: {error}", where=payload) from None
    with thunderlab.open() as lab:
        (told,) = lab.events.emit(note)
        head = lab.ledger.head()
        block = lab.ledger.block(told.id)
    assert block is not None
    data = {"seq": block.seq, "aggregate_hash": block.aggregate_hash, "root": head.root}
    return Answer(data, f"Written as block {block.seq}, {block.aggregate_hash}.")


def _note_file() -> type[Struct]:
    """Return what a note's file holds: the event's fields and nothing else.

    Readers of events skip what they do not know, and whoever writes a note by hand should hear of a misspelt field.
    """
    import msgspec

    from thunderlab.ledger import NoteRecorded

    fields = [(field.encode_name, field.type, msgspec.field(default=field.default)) for field in msgspec.structs.fields(NoteRecorded)]
    return msgspec.defstruct("NoteFile", fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


@command("head", "thunderlab ledger head --json", ledger)
@option_chain
def head(chain: str) -> Answer:
    """Show the newest block and the Merkle root over all blocks."""
    import msgspec

    import thunderlab

    with thunderlab.open() as lab:
        found = lab.custody.chain(_kind(chain)).head()
    data = msgspec.to_builtins(found)
    return Answer(data, facts(list(data.items())))


@command("audit", "thunderlab ledger audit --store copy-of-lab.db --key verifier-keys.json --checkpoint lab.checkpoint", ledger)
@click.option("--full", is_flag=True, help="From block 0; long ledgers are otherwise audited from their newest signed checkpoint.")
@option_file("--store", help="Audit this SQLite file instead of the workspace's store, in full; it is opened read-only.")
@option_file("--key", "keys", help="Believe these public keys, as `keys export` wrote them, instead of the workspace's own.")
@click.option("--checkpoint", "checkpoints", type=FILE, multiple=True, help="A checkpoint kept outside; may be given for each chain.")
@option_file("--witness", "witnesses", help="Public keys of witnesses: one of them must have cosigned each checkpoint given.")
def audit(full: bool, store: Path | None, keys: Path | None, checkpoints: tuple[Path, ...], witnesses: Path | None) -> Answer:
    """Recompute the chains from their rows; exit 1 when anything is wrong. Nothing is changed."""
    from thunderlab.faces.cli.progress import bar
    from thunderlab.faces.ledger_audit import answer, audit_file, audit_workspace, read_evidence

    evidence = read_evidence(keys, checkpoints, witnesses)
    with bar("Auditing") as update:
        audits = audit_file(store, evidence, update) if store else audit_workspace(evidence, update, full=full or None)
    data = answer(audits, evidence.refused)
    rows = [(failure["chain"], failure["seq"], status("failed"), failure["kind"], failure["detail"]) for failure in data["failures"]]
    verdicts = [
        f"{found.chain}: {status('ok')}: {found.blocks} blocks from {found.first} on, {found.signed_size} of them signed for, root {found.root}"
        for found in audits
        if found.ok
    ]
    failed = [table(["chain", "seq", "", "kind", "detail"], rows)] if rows else []
    return Answer(data, "\n".join([*verdicts, *failed]), ok=data["ok"])


@command("checkpoint", "thunderlab ledger checkpoint --out lab.checkpoint", ledger)
@option_output("--out", help="Also write the checkpoint to this file: commit it, or give it to somebody.")
@click.option(
    "--witness", type=click.Path(path_type=Path, file_okay=False), help="A second signer: a folder of its own, made when missing."
)
@option_chain
def checkpoint(out: Path | None, witness: Path | None, chain: str) -> Answer:
    """Audit what is new, sign a checkpoint over all blocks, and anchor it outside the store."""
    import thunderlab
    from thunderlab import files
    from thunderlab.faces.cli.progress import bar
    from thunderlab.ledger import Witness

    kind = _kind(chain)
    with thunderlab.open() as lab, bar("Auditing") as update:
        second = None if witness is None else Witness(witness, lab.clock)
        signed = lab.custody.sign(kind, witness=second, on_blocks=lambda done: update("", done, done))
        last = lab.custody.chain(kind).block_at(signed.checkpoint.size - 1)
        anchor = lab.custody.anchor_path(kind)
    if out is not None:
        files.write_whole(out, signed.note)
    data = {
        "origin": signed.checkpoint.origin,
        "size": signed.checkpoint.size,
        "seq": signed.checkpoint.size - 1,
        "aggregate_hash": last.aggregate_hash if last else None,
        "root": signed.checkpoint.root,
        "note": signed.note.decode(),
        "path": str(out or anchor),
        "anchor": str(anchor),
    }
    return Answer(data, f"{data['note']}\nWritten to {data['path']}.")


@command("prove", "thunderlab ledger prove 12 --out block-12.tlog-proof", ledger)
@click.argument("seq", type=BLOCK)
@option_output("--out", required=True, help="The proof, a text file: C2SP tlog-proof.")
@option_file("--checkpoint", "checkpoint_file", help="Prove against this signed checkpoint; the newest by default.")
@option_chain
def prove(seq: int, out: Path, checkpoint_file: Path | None, chain: str) -> Answer:
    """Write a proof that block SEQ is in the ledger, which is verified offline."""
    import thunderlab
    from thunderlab import files
    from thunderlab.ledger import read_anchor

    against = None if checkpoint_file is None else read_anchor(checkpoint_file)
    _require_something("SEQ")
    with thunderlab.open() as lab:
        proof = lab.custody.prove(seq, _kind(chain), against=against)
        block = lab.custody.chain(_kind(chain)).block_at(seq)
    files.write_whole(out, proof.encode())
    assert block is not None
    signed = proof.signed.checkpoint
    data = {"seq": seq, "aggregate_hash": block.aggregate_hash, "root": signed.root, "size": signed.size, "path": str(out)}
    return Answer(data, f"Wrote {out}: block {seq} is one of the {signed.size} that were signed for.")


@command("verify", "thunderlab ledger verify block-12.tlog-proof --key verifier-keys.json", ledger)
@argument_file("file")
@option_file("--key", "keys", required=True, help="The public keys to believe, as `keys export` wrote them.")
@option_file("--checkpoint", "checkpoint_file", help="A checkpoint kept outside that the proof must be against.")
@option_file("--witness", "witnesses", help="Public keys of witnesses: one of them must have cosigned.")
def verify(file: Path, keys: Path, checkpoint_file: Path | None, witnesses: Path | None) -> Answer:
    """Verify a proof, or a checkpoint, offline: no workspace is needed. Exit 1 when it proves nothing."""
    from thunderlab.faces.ledger_verify import verify_file

    found = verify_file(file, keys, checkpoint_file, witnesses)
    if not found["ok"]:
        return Answer(found, f"{status('failed')}: {found['why']}", ok=False)
    return Answer(found, f"{status('verified')}\n{facts([(name, value) for name, value in found.items() if name not in ('ok', 'why')])}")


@command("export", "thunderlab ledger export ledger.jsonl", ledger)
@click.argument("file", type=OUTPUT)
@click.option("--from", "first", type=BLOCK, default=0, help="The first block.")
@option_chain
def export(file: Path, first: int, chain: str) -> Answer:
    """Write the ledger as JSON Lines, one CloudEvent per block."""
    import thunderlab
    from thunderlab import files
    from thunderlab.faces.cli.progress import bar
    from thunderlab.ledger import count_blocks
    from thunderlab.ledger.export import lines

    kind = _kind(chain)
    with thunderlab.open() as lab, lab.store.read() as connection, bar("Exporting") as update:
        total = count_blocks(connection, kind, first)
        pieces = lines(connection, lab.custody.chain(kind).origin, kind=kind, first=first, on_blocks=lambda done: update("", done, total))
        files.write_pieces(file, pieces)
    return Answer({"path": str(file), "blocks": total, "first": first}, f"Wrote {total} blocks to {file}.")


@command("prune", "thunderlab ledger prune --before 1000", ledger)
@click.option(
    "--before",
    type=click.IntRange(1, MOST_BLOCKS),
    required=True,
    help="The first block whose payload stays; at most the size of the newest checkpoint.",
)
@option_chain
def prune(before: int, chain: str) -> Answer:
    """Remove payloads behind a signed checkpoint. Headers stay, so does every proof, and a signed block says what went."""
    import msgspec

    import thunderlab
    from thunderlab.faces.cli.progress import bar

    _require_something("--before")
    with thunderlab.open() as lab, bar("Auditing") as update:
        pruned = lab.custody.prune(before, _kind(chain), on_blocks=lambda done: update("", done, done))
    data = msgspec.to_builtins(pruned)
    return Answer(data, f"Removed {pruned.blocks} payloads, {pruned.bytes} bytes, before block {before}.")


COMMANDS = (ledger,)
