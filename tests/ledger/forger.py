"""Honest ledgers, copies of them in memory, and what a forger does to copies.

The forger can write any byte of the store, knows all the code and recomputes every hash. He has no private key but his own and, where
it is said, one that was stolen and is retired since. His hashes are made here with `hashlib` alone, not with the code that is tested.
"""

import contextlib
import hashlib
import json
import sqlite3
from dataclasses import dataclass, field

import msgspec
import sqlalchemy as sa
from nacl.signing import SigningKey

from thunderlab import events
from thunderlab.clock import VirtualClock
from thunderlab.events import Bus, Catalogue, Event
from thunderlab.keys import KeyRing, PinnedKeys, public_key
from thunderlab.ledger import CHAINS, EVENTS, EVENTS_CHAIN, Auditor, Chain, Custody, NoteRecorded, SignedCheckpoint
from thunderlab.ledger import note as notes
from thunderlab.ledger.events import AuditCompleted, CheckpointSigned, KeyAnnounced, PayloadsPruned
from thunderlab.ledger.merkle import Frontier
from thunderlab.store import Store
from thunderlab.telemetry import Meter

SEQ, ID, PREV, PAYLOAD_HASH, HASH, NAME, VERSION, AT, PAYLOAD = range(9)
TAG = "thunderlab-ledger/1"
OWN = "ledger."


class Decided(Event, frozen=True):
    """A policy decided about a request.

    Attributes:
        decision: allow or deny.
        policy_module: which policies decided.
        latency_us: how long it took.
    """

    NAME = "policy.verdict.complete"
    DURABLE = True

    decision: str
    policy_module: str
    latency_us: int


KNOWN = Catalogue([*events.EVENTS, *EVENTS, Decided])


@dataclass
class Ledger:
    """An honest store as bytes, the evidence its verifiers hold, and private keys: those that were stolen, and the active one."""

    name: str
    data: bytes
    pins: PinnedKeys | None
    anchors: dict[str, SignedCheckpoint]
    signed: dict[str, list[SignedCheckpoint]]
    stolen: list[bytes]
    active: bytes | None


class Workshop:
    """Builds one honest ledger with the real writer, notary and keys."""

    def __init__(self, place, folder):
        self.clock, self.folder = VirtualClock(), folder
        self.store = Store(place)
        self.chains = {
            kind.name: Chain(self.store, KNOWN, self.clock, Meter(self.store, self.clock), folder / "anchors", kind) for kind in CHAINS
        }
        self.bus = Bus(KNOWN, self.clock, self.chains["events"].append)
        self.ring = KeyRing(folder / "keys", self.clock)
        self.custody = Custody(self.store, list(self.chains.values()), self.bus, self.ring, self.clock)
        self.signed = {kind.name: [] for kind in CHAINS}
        self.stolen = []
        self._count = 0

    def note(self, count=1, text="note"):
        """Write notes, and now and then an event of another kind."""
        told = []
        for _ in range(count):
            self._count += 1
            self.clock.advance(0.37)
            if self._count % 7 == 3:
                told.append(AuditCompleted(first=0, blocks=self._count, root="ab" * 32, signed_size=0))
            else:
                told.append(NoteRecorded(text=f"{text} {self._count}", value=self._count if self._count % 3 else None))
        self.bus.emit(*told)

    def decide(self, count=1):
        """Write verdicts."""
        for _ in range(count):
            self._count += 1
            self.clock.advance(0.11)
        self.bus.emit(
            *(Decided(decision="deny" if i % 5 else "allow", policy_module=f"rooms/é{i % 4}", latency_us=37 + i) for i in range(count)),
            into=self.chains["verdicts"].append,
        )

    def sign(self, *kinds, witness=None):
        """Sign a checkpoint over the events, or over the chains named."""
        for kind in kinds or (EVENTS_CHAIN,):
            self.clock.advance(1)
            self.signed[kind.name].append(self.custody.sign(kind, witness=witness))

    def steal(self):
        """Keep a copy of the active key's private half."""
        self.stolen.append(self._private())

    def _private(self):
        key = self.ring.active()
        return None if key is None else bytes.fromhex((self.folder / "keys" / f"{key.id}.private").read_text())

    def rotate(self):
        """Change the key."""
        self.custody.rotate_key()
        for kind in CHAINS:
            self.signed[kind.name].append(self.custody.anchored(kind))

    def ledger(self, name):
        """Close the store, and return it as bytes, with the evidence."""
        anchors = {kind.name: found for kind in CHAINS if (found := self.custody.anchored(kind)) is not None}
        pins = self.ring.pins() or None
        path = self.store.path
        self.store.close()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode=DELETE")
        return Ledger(name, path.read_bytes(), pins, anchors, self.signed, self.stolen, self._private())


class Copy:
    """A copy of a ledger in memory, altered again and again and put back each time."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.db = sqlite3.connect(":memory:", isolation_level=None)
        self.db.deserialize(ledger.data)
        engine = sa.create_engine("sqlite://", creator=lambda: self.db, poolclass=sa.pool.StaticPool)
        self.connection = engine.connect()
        self.tables = {kind.name: Rows(self.db, kind) for kind in CHAINS}

    @contextlib.contextmanager
    def altered(self):
        """Within, anything may be done to the copy."""
        self.db.execute("BEGIN")
        try:
            yield self.db
        finally:
            self.db.execute("ROLLBACK")

    def audit(self, kind, *, evidence=True, anchors=(), start=None):
        """Return what the auditor says of the copy as it is, with pins and newest checkpoint or without both."""
        pins = self.ledger.pins if evidence else None
        newest = self.ledger.anchors.get(kind.name)
        held = [*anchors] if anchors else [newest] if newest is not None and evidence else []
        return Auditor(KNOWN, kind=kind, pins=pins, anchors=held, start=start).run(self.connection)

    def signed_size(self, kind):
        """Return how many blocks the newest checkpoint covers."""
        anchor = self.ledger.anchors.get(kind.name)
        return 0 if anchor is None else anchor.checkpoint.size

    def holds_before(self, kind, seq):
        """Return the size of the largest checkpoint that a change of block `seq` leaves as it was."""
        return max((one.checkpoint.size for one in self.ledger.signed[kind.name] if one.checkpoint.size < seq), default=0)

    def leaves(self, kind):
        """Return the leaf hashes kept of a chain, by first block."""
        return self.db.execute("SELECT first, hashes FROM ledger_leaves WHERE chain = ? ORDER BY first", (kind.name,)).fetchall()


@dataclass
class Rows:
    """The rows of one chain's table, as lists in the order of its columns, and ways to put others in their place."""

    db: sqlite3.Connection
    kind: object
    honest: list = field(init=False)

    def __post_init__(self):
        self.name, self.columns = self.kind.table.name, self.kind.columns
        self.honest = [tuple(row) for row in self.db.execute(f"SELECT {', '.join(self.columns)} FROM {self.name} ORDER BY seq")]
        self.origin = json.loads(self.honest[0][PAYLOAD])["origin"]

    def __len__(self):
        return len(self.honest)

    def copy(self):
        return [list(row) for row in self.honest]

    def loosen(self):
        """Remake the table without types, keys and constraints: now any column holds anything, as often as one likes."""
        columns = ", ".join(self.columns)
        self.db.execute(f"CREATE TABLE loose ({columns})")
        self.db.execute(f"INSERT INTO loose SELECT {columns} FROM {self.name} ORDER BY seq")
        self.db.execute(f"DROP TABLE {self.name}")
        self.db.execute(f"ALTER TABLE loose RENAME TO {self.name}")

    def put(self, rows):
        """Have these rows in the table and no others."""
        self.db.execute(f"DELETE FROM {self.name}")
        self.db.executemany(f"INSERT INTO {self.name} VALUES ({', '.join('?' * len(self.columns))})", rows)

    def set(self, seq, column, value):
        """Set one column of one row; text may be given as `Raw` bytes."""
        expression = "CAST(? AS TEXT)" if isinstance(value, Raw) else "?"
        given = value.data if isinstance(value, Raw) else value
        self.db.execute(f"UPDATE {self.name} SET {self.columns[column]} = {expression} WHERE seq = ?", (given, seq))


@dataclass(frozen=True)
class Raw:
    """Text given by its bytes, which need not be UTF-8."""

    data: bytes


def leaf(row, origin, tag=TAG):
    """Return the hash of a row's header."""
    lines = (tag, origin, row[SEQ], row[PREV], row[PAYLOAD_HASH], row[ID], row[AT], row[NAME], row[VERSION])
    return hashlib.sha256(b"\0" + "".join(f"{line}\n" for line in lines).encode()).hexdigest()


def relink(rows, first, origin, tag=TAG):
    """Number and hash all rows from `first` on as the writer would have."""
    for seq in range(first, len(rows)):
        row = rows[seq]
        row[SEQ], row[PREV] = seq, rows[seq - 1][HASH] if seq else "0" * 64
        if row[PAYLOAD] is not None:
            row[PAYLOAD_HASH] = hashlib.sha256(row[PAYLOAD]).hexdigest()
        row[HASH] = leaf(row, origin, tag)


def releaf(db, kind, rows, size):
    """Have the leaf hashes kept be those of the rows."""
    db.execute("DELETE FROM ledger_leaves WHERE chain = ?", (kind.name,))
    for first in range(0, size, 512):
        hashes = bytes.fromhex("".join(row[HASH] for row in rows[first : min(first + 512, size)]))
        db.execute("INSERT INTO ledger_leaves VALUES (?, ?, ?)", (kind.name, first, hashes))


def key_id(seed):
    return public(seed).id


def signed_note(text, name, seed):
    """Return a signed note, made with a private key of the forger's."""
    blob = SigningKey(seed).sign(text.encode()).signature
    line = notes.Signature(name=name, key_hash=notes.key_hash(name, notes.ED25519, public(seed).raw()), blob=blob)
    return notes.encode(notes.Note(text=text, signatures=(line,))).decode()


def checkpoint_note(origin, size, root, seed):
    return signed_note(f"{origin}\n{size}\n{notes.to_base64(bytes.fromhex(root))}\n", origin, seed)


def announcement(origin, seed, previous, signer):
    """Return the payload that announces a key, signed by `signer`."""
    key = public(seed)
    text = f"thunderlab-key/1\n{origin}\n{previous or '-'}\n{key.key}\n"
    return KeyAnnounced(key_id=key.id, key=key.key, previous=previous, note=signed_note(text, origin, signer)).encode()


def prune_statement(origin, before, size, root, seed):
    """Return the payload that says that payloads were pruned, signed by the forger."""
    note = signed_note(f"thunderlab-prune/1\n{origin}\n{before}\n{size}\n{root}\n", origin, seed)
    return PayloadsPruned(before=before, blocks=1, bytes=9, size=size, root=root, key_id=key_id(seed), note=note).encode()


def checkpoint_payload(rows, size, origin, seed):
    """Return the payload that announces a checkpoint over the first `size` rows, signed by the forger."""
    tree = Frontier()
    tree.extend([bytes.fromhex(row[HASH]) for row in rows[:size]])
    root = tree.root()
    path = [one.hex() for one in tree.last_path()]
    note = checkpoint_note(origin, size, root, seed)
    return CheckpointSigned(size=size, root=root, key_id=key_id(seed), note=note, path=path).encode()


def resign(rows, first, origin, seed):
    """Relink the rows from `first` on, and have the forger sign whatever is signed among them: keys become his, checkpoints too."""
    announced = any(row[NAME] == KeyAnnounced.NAME for row in rows[:first])
    kept, signed = rows[:first], None
    for row in rows[first:]:
        if row[NAME] == KeyAnnounced.NAME:
            if announced:
                continue
            row[PAYLOAD], announced = announcement(origin, seed, None, seed), True
        elif row[NAME] == CheckpointSigned.NAME:
            row[PAYLOAD] = checkpoint_payload(kept, len(kept), origin, seed)
            signed = msgspec.json.decode(row[PAYLOAD])
        elif row[NAME] == PayloadsPruned.NAME:
            told = msgspec.json.decode(row[PAYLOAD])
            behind = signed or told
            row[PAYLOAD] = prune_statement(origin, told["before"], behind["size"], behind["root"], seed)
        kept.append(row)
        relink(kept, len(kept) - 1, origin)
    rows[:] = kept


def follow(rows, origin, payload, name=NoteRecorded.NAME, copies=0):
    """Append a row that is linked as the writer would link it."""
    number = len(rows)
    row = [
        number,
        f"01890000-{number % 65536:04x}-7000-8000-{number:012x}",
        "",
        "",
        "",
        name,
        "1.0",
        "2026-01-01T00:00:00.000000Z",
        payload,
        *[None] * copies,
    ]
    rows.append(row)
    relink(rows, number, origin)


def other_note(number):
    """Return the payload of a note nobody recorded."""
    return NoteRecorded(text=f"forged {number}", value=number).encode()


def public(seed):
    return public_key(bytes(SigningKey(seed).verify_key), at_us=0)
