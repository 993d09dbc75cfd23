"""Whatever a forger does to a store is found, at the first block that is wrong; honest ledgers raise no alarm.

Each attack is a function of a copy, a chain and a random source. It alters the copy and returns where the first failure must stand:
(lowest, highest) block, or None when there was nothing to do. The random sources are seeded: every run does the same.
"""

import contextlib
import itertools
import os
import random
import shutil
import sqlite3
import tempfile
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger import forger
from tests.ledger.forger import (
    AT,
    HASH,
    ID,
    KNOWN,
    NAME,
    OWN,
    PAYLOAD,
    PAYLOAD_HASH,
    PREV,
    SEQ,
    VERSION,
    Copy,
    Raw,
    Workshop,
    announcement,
    checkpoint_note,
    checkpoint_payload,
    follow,
    leaf,
    other_note,
    prune_statement,
    releaf,
    relink,
    resign,
)
from thunderlab.clock import VirtualClock
from thunderlab.errors import EvidenceError
from thunderlab.faces.ledger_audit import answer, audit_file, read_evidence
from thunderlab.faces.ledger_verify import verify_file
from thunderlab.keys import PinnedKeys
from thunderlab.lab import Lab
from thunderlab.ledger import CHAINS, EVENTS_CHAIN, VERDICTS_CHAIN, Auditor, NoteRecorded, Witness, newest_start
from thunderlab.ledger.checkpoint import read as read_checkpoint
from thunderlab.ledger.events import AuditCompleted, CheckpointSigned, KeyAnnounced, PayloadsPruned

SEED = bytes(range(32))


# Honest ledgers.


def _only_opened(shop):
    pass


def _unsigned(shop):
    shop.note(11)
    shop.decide(5)


def _signed_once(shop):
    shop.note(9)
    shop.decide(6)
    shop.steal() if shop.ring.active() else shop.ring.new()
    shop.sign(*CHAINS)
    shop.note(4)
    shop.decide(2)


def _signed_often(shop):
    shop.ring.new()
    shop.steal()
    for count in (1, 2, 5, 3, 8):
        shop.note(count, "Grüße, 世界 \N{ROCKET} \u2028")
        shop.sign()
    shop.decide(12)
    shop.sign(VERDICTS_CHAIN)
    shop.rotate()
    shop.note(6)
    shop.decide(3)
    shop.sign(*CHAINS)
    shop.sign()  # again, with nothing new
    shop.note(3)
    shop.decide(2)


def _pruned(shop):
    shop.note(8)
    shop.decide(8)
    shop.sign(*CHAINS)
    shop.custody.prune(5)
    shop.signed["events"].append(shop.custody.anchored())
    shop.custody.prune(6, VERDICTS_CHAIN)
    shop.signed["verdicts"].append(shop.custody.anchored(VERDICTS_CHAIN))
    shop.note(6)
    shop.steal()
    shop.rotate()
    shop.custody.prune(12)
    shop.signed["events"].append(shop.custody.anchored())
    shop.note(7)
    shop.decide(3)
    shop.sign(*CHAINS, witness=Witness(shop.folder / "witness", shop.clock))
    shop.note(4)
    shop.decide(4)


def _rotated(shop):
    shop.ring.new()
    for number in range(100):
        shop.note()
        if number in (30, 99):
            shop.steal()
        shop.rotate()
    shop.note(2)


def _large(shop):
    shop.note(600)
    shop.decide(20)
    shop.sign()
    shop.note(30, "x" * 20_000)
    shop.sign()
    shop.note(381)
    shop.steal()
    shop.rotate()
    shop.note(490, "ü" * 40)
    shop.custody.prune(300)
    shop.signed["events"].append(shop.custody.anchored())
    shop.note(20)


BUILDERS = {found.__name__[1:]: found for found in (_only_opened, _unsigned, _signed_once, _signed_often, _pruned, _rotated, _large)}
SMALL = ("unsigned", "signed_once", "signed_often", "pruned")
SIGNED = ("signed_once", "signed_often", "pruned")
LONG = ("rotated", "large")


@pytest.fixture(scope="module")
def copies():
    """Every honest ledger, built once, as a copy in memory."""
    found = {}
    for name, build in BUILDERS.items():
        with _quick_folder() as folder:
            shop = Workshop(folder / "lab.db", folder)
            build(shop)
            found[name] = Copy(shop.ledger(name))
    return found


@contextlib.contextmanager
def _quick_folder():
    """Give a folder in memory where there is one: a hundred rotations wait for the disk a thousand times."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def other():
    """Return rows of other ledgers, short or long, signed by a stranger's key or not at all."""
    with _quick_folder() as folder:
        shop = Workshop(folder / "lab.db", folder)
        shop.note(3)
        unsigned = [list(row) for row in _rows_of(shop)]
        shop.note(60)
        shop.decide(40)
        shop.sign(*CHAINS)
        shop.note(2)
        return unsigned, Copy(shop.ledger("other"))


def _rows_of(shop):
    with shop.store.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM event_chain_blocks ORDER BY seq")]


# Blunt attacks: nothing is hashed anew, so no evidence is needed.


def byte(copy, kind, rng):
    """Change one byte of one value."""
    table = copy.tables[kind.name]
    seq, column = rng.randrange(len(table)), rng.randrange(len(table.columns))
    value = table.honest[seq][column]
    if value is None or value == b"":
        return None
    data = bytearray(str(value).encode() if not isinstance(value, bytes) else value)
    place = rng.randrange(len(data))
    data[place] = rng.choice([one for one in range(256) if one != data[place]])
    if isinstance(value, int):
        data[place] = rng.choice([one for one in b"0123456789" if one != str(value).encode()[place]])
        if int(data) == value:
            return None
        if column == SEQ:
            return _renumbered(table, seq, int(data))
        changed = int(data)
    else:
        changed = bytes(data) if isinstance(value, bytes) else Raw(bytes(data))
    table.set(seq, column, changed)
    return seq, seq


def _renumbered(table, seq, changed):
    table.loosen()
    table.set(seq, SEQ, changed)
    return (seq, seq) if changed > seq or changed < 0 else (changed, changed)


def renumber(copy, kind, rng):
    """Give one row another number."""
    table = copy.tables[kind.name]
    seq = rng.randrange(len(table))
    changed = rng.choice([-1, -7, len(table) + 5, 2**63 - 1, -(2**63), rng.randrange(len(table))])
    return None if changed == seq else _renumbered(table, seq, changed)


def confuse(copy, kind, rng):
    """Have one value be of another type."""
    table = copy.tables[kind.name]
    seq, column = rng.randrange(len(table)), rng.randrange(len(table.columns))
    value = table.honest[seq][column]
    as_text = value.decode() if isinstance(value, bytes) else str(value)
    changed = rng.choice(
        [as_text, as_text.encode(), float(value) if isinstance(value, int) else 1.5, 7, None, b"", "", Raw(b""), 2**62, -1.0, float("inf")]
    )
    if type(changed) is type(value) and changed == value:
        return None
    if column == PAYLOAD and changed is None and not table.honest[seq][NAME].startswith(OWN) and seq < _pruned_before(table):
        return None
    if column == SEQ and type(changed) is int:
        return None
    table.loosen()
    table.set(seq, column, changed)
    return seq, seq


def _pruned_before(table):
    told = [msgspec.json.decode(row[PAYLOAD])["before"] for row in table.honest if row[NAME] == PayloadsPruned.NAME]
    return max(told, default=0)


def spoil_text(copy, kind, rng):
    """Put bytes into a text that are no UTF-8, or a NUL, or what only looks the same."""
    table = copy.tables[kind.name]
    seq, column = rng.randrange(len(table)), rng.choice([ID, PREV, PAYLOAD_HASH, HASH, NAME, VERSION, AT])
    data = table.honest[seq][column].encode()
    place = rng.randrange(len(data) + 1)
    junk = rng.choice([b"\xff", b"\0", b"\xc3", b"\n", b" ", b"\xed\xa0\x80", b"\xef\xbc\x91", b"\xe2\x80\x8b", b"A"])
    changed = rng.choice([data[:place] + junk + data[place:], data[:place] + junk + data[place + 1 :]])
    if changed == data:
        return None
    table.set(seq, column, Raw(changed))
    return seq, seq


def delete(copy, kind, rng):
    """Delete rows within the chain."""
    table = copy.tables[kind.name]
    if len(table) < 3:
        return None
    first = rng.randrange(len(table) - 1)
    last = rng.randrange(first, min(len(table) - 1, first + 3))
    copy.db.execute(f"DELETE FROM {table.name} WHERE seq BETWEEN ? AND ?", (first, last))
    return first, first


def insert(copy, kind, rng):
    """Insert a copy of some row somewhere; those behind it move on, or keep their numbers."""
    table = copy.tables[kind.name]
    rows = table.copy()
    at, source = rng.randrange(len(rows) + 1), rng.randrange(len(rows))
    row = list(rows[source])
    row[SEQ] = at
    if rng.random() < 0.5:
        row[ID] = f"01890000-0000-7000-8000-{rng.randrange(10**12):012d}"
    rows.insert(at, row)
    if rng.random() < 0.5:
        for seq in range(at + 1, len(rows)):
            rows[seq][SEQ] = seq
    table.loosen()
    table.put(rows)
    # The same row once more at its own place: there are two of them, and either may be called the second.
    return (at, at + 1) if source == at else (at, at)


def duplicate(copy, kind, rng):
    """Have a row in the table twice."""
    table = copy.tables[kind.name]
    seq = rng.randrange(len(table))
    table.loosen()
    copy.db.execute(f"INSERT INTO {table.name} SELECT * FROM {table.name} WHERE seq = ?", (seq,))
    return seq, seq


def stray(copy, kind, rng):
    """Add a row whose number is none."""
    table = copy.tables[kind.name]
    table.loosen()
    row = list(rng.choice(table.honest))
    row[SEQ] = rng.choice([None, "abc", b"\0", 0.5, -3, "5"])
    copy.db.execute(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(row))})", row)
    return 0, len(table)


def swap_rows(copy, kind, rng):
    """Have two rows change places."""
    table = copy.tables[kind.name]
    if len(table) < 2:
        return None
    first, second = sorted(rng.sample(range(len(table)), 2))
    rows = table.copy()
    rows[first][SEQ], rows[second][SEQ] = second, first
    table.loosen()
    table.put(rows)
    return first, first


def swap_values(copy, kind, rng):
    """Have two rows change one of their values, or several."""
    table = copy.tables[kind.name]
    if len(table) < 2:
        return None
    first, second = sorted(rng.sample(range(len(table)), 2))
    choices = [[column] for column in range(1, len(table.columns))]
    choices += [[PAYLOAD, PAYLOAD_HASH], [PAYLOAD, PAYLOAD_HASH, NAME], [PREV, HASH], [ID, AT]]
    rows, columns = table.copy(), rng.choice(choices)
    if all(rows[first][column] == rows[second][column] for column in columns):
        return None
    if PAYLOAD in columns and None in (rows[first][PAYLOAD], rows[second][PAYLOAD]):
        return None
    for column in columns:
        rows[first][column], rows[second][column] = rows[second][column], rows[first][column]
    table.loosen()
    table.put(rows)
    return first, first


def exchange_payload(copy, kind, rng):
    """Put another payload in, or take one out that nobody pruned."""
    table = copy.tables[kind.name]
    seq = rng.randrange(len(table))
    row = table.honest[seq]
    if row[PAYLOAD] is None:
        return None
    gone = None if row[NAME].startswith(OWN) or seq >= _pruned_before(table) else b"{}"
    table.set(seq, PAYLOAD, rng.choice([gone, other_note(1), row[PAYLOAD] + b" ", row[PAYLOAD] * 2, b'{"a":1}']))
    return seq, seq


def downgrade(copy, kind, rng):
    """Hash one row, and those behind it, under another format's tag; or by the old way of hashing rows."""
    table = copy.tables[kind.name]
    rows = table.copy()
    seq = rng.randrange(len(rows))
    relink(rows, seq, table.origin, tag=rng.choice(["thunderlab-ledger/0", "thunderlab-ledger/2", "", "thunderlab-ledger"]))
    table.put(rows)
    return seq, seq


def empty(copy, kind, rng):
    """Leave no row, or no table."""
    copy.db.execute(rng.choice(["DELETE FROM {}", "DROP TABLE {}"]).format(kind.table.name))
    return 0, 0


BLUNT = (
    byte,
    renumber,
    confuse,
    spoil_text,
    delete,
    insert,
    duplicate,
    stray,
    swap_rows,
    swap_values,
    exchange_payload,
    downgrade,
    empty,
)


# Attacks that hash all anew and leave something that no writer writes: they need no evidence either.


def unlink(copy, kind, rng):
    """Have a block follow another one than the one before it."""
    table = copy.tables[kind.name]
    rows = table.copy()
    seq = 512 if len(rows) > 512 and rng.random() < 0.6 else rng.randrange(len(rows))
    rows[seq][PREV] = rng.choice([rng.randbytes(32).hex(), "0" * 64, rows[seq - 1][PREV]])
    if rows[seq][PREV] == table.honest[seq][PREV]:
        return None
    rows[seq][HASH] = leaf(rows[seq], table.origin)
    relink(rows, seq + 1, table.origin)
    table.put(rows)
    return seq, seq


def shift(copy, kind, rng):
    """Have a hash lose its last digit to the one below: end to end they read the same."""
    table, column = copy.tables[kind.name], rng.choice([PAYLOAD_HASH, HASH])
    rows = table.copy()
    if len(rows) < 2:
        return None
    seq, digit = rng.randrange(len(rows) - 1), ""
    if None in (rows[seq][PAYLOAD], rows[seq + 1][PAYLOAD]):
        return None
    if column == PAYLOAD_HASH:
        rows[seq + 1][column] = rows[seq][column][-1] + rows[seq + 1][column]
        rows[seq][column] = rows[seq][column][:-1]
    for at in range(seq, len(rows)):
        rows[at][PREV] = rows[at - 1][HASH] if at else "0" * 64
        rows[at][HASH] = leaf(rows[at], table.origin)
        if column == HASH and at == seq + 1:
            rows[at][HASH] = digit + rows[at][HASH]
        if column == HASH and at == seq:
            digit, rows[at][HASH] = rows[at][HASH][-1], rows[at][HASH][:-1]
    table.put(rows)
    return seq, seq


def misform(copy, kind, rng):
    """Have a column hold what no writer writes there."""
    table = copy.tables[kind.name]
    rows = table.copy()
    seq = rng.randrange(len(rows))
    row = rows[seq]
    column, value = rng.choice(
        [
            (ID, row[ID].upper()),
            (ID, row[ID][:14] + "4" + row[ID][15:]),
            (ID, row[ID].replace("-", "")),
            (AT, "2023-02-29T00:00:00.000000Z"),
            (AT, row[AT][:-1] + "z"),
            (AT, row[AT].replace("Z", "+00:00")),
            (AT, "2023-11-14T24:00:00.000000Z"),
            (NAME, "no.such.event"),
            (VERSION, "1.7"),
            (VERSION, "1"),
            (PAYLOAD, None if row[PAYLOAD] is None else b" " + row[PAYLOAD]),
            (PAYLOAD, None if row[PAYLOAD] is None else row[PAYLOAD].replace(b"{", b'{"text":"x",')),
            (PAYLOAD, None if row[PAYLOAD] is None else row[PAYLOAD][:-1] + b',"x":1}'),
            (PAYLOAD, None if row[PAYLOAD] is None else b"\xff"),
        ]
    )
    if row[column] == value:
        return None
    row[column] = value
    relink(rows, seq, table.origin)
    table.put(rows)
    return seq, seq


HASHED = (unlink, shift, misform)


# Attacks on the leaf hashes kept in the store: they are no truth of their own, but nobody may change them unseen.


def leaf_rows(copy, kind, rng):
    """Change, cut, lengthen, move, copy or delete a row of leaf hashes."""
    rows = copy.leaves(kind)
    if not rows:
        return None
    first, hashes = rng.choice(rows)
    where, keys = "WHERE chain = ? AND first = ?", (kind.name, first)
    size = copy.signed_size(kind)
    copy.db.execute("CREATE TABLE loose (chain, first, hashes)")
    copy.db.execute("INSERT INTO loose SELECT * FROM ledger_leaves")
    copy.db.execute("DROP TABLE ledger_leaves")
    copy.db.execute("ALTER TABLE loose RENAME TO ledger_leaves")
    what = rng.randrange(9)
    if what <= 1:
        place = rng.randrange(len(hashes))
        data = bytearray(hashes)
        data[place] ^= rng.randrange(1, 256)
        copy.db.execute(f"UPDATE ledger_leaves SET hashes = ? {where}", (bytes(data), *keys))
        return first + place // 32, first + place // 32
    if what == 2:
        copy.db.execute(f"DELETE FROM ledger_leaves {where}", keys)
        return first, first
    if what == 3:
        left = rng.randrange(len(hashes))
        copy.db.execute(f"UPDATE ledger_leaves SET hashes = ? {where}", (hashes[:left], *keys))
        return first if left % 32 or not left else first + left // 32, first + left // 32
    if what == 4:
        end = first + len(hashes) // 32
        more = hashes + rng.choice([bytes(32), bytes(5), bytes.fromhex(copy.tables[kind.name].honest[end][HASH])])
        copy.db.execute(f"UPDATE ledger_leaves SET hashes = ? {where}", (more, *keys))
        return first, end + 1
    if what == 5:
        changed = rng.choice([first + 1, first + 512, first - 1, first + 0.5, float(first), str(first), None, b"0", 2**63 - 1, -(2**63)])
        copy.db.execute(f"UPDATE ledger_leaves SET first = ? {where}", (changed, *keys))
        return max(first - 1, 0), first
    if what == 6:
        changed = rng.choice(["Events", "event", "", None, b"events", Raw(b"\xff"), kind.name + "\0"])
        given = changed.data if isinstance(changed, Raw) else changed
        copy.db.execute(f"UPDATE ledger_leaves SET chain = {'CAST(? AS TEXT)' if given is not changed else '?'} {where}", (given, *keys))
        return first, first
    if what == 7:
        changed = rng.choice([hashes.hex(), None, 5, 1.5, 10**15, Raw(b"\xff")])
        given = changed.data if isinstance(changed, Raw) else changed
        copy.db.execute(f"UPDATE ledger_leaves SET hashes = {'CAST(? AS TEXT)' if given is not changed else '?'} {where}", (given, *keys))
        return first, first
    at = rng.choice([first, first + 1, size, size + 1, size + 600, -5])
    copy.db.execute("INSERT INTO ledger_leaves VALUES (?, ?, ?)", (kind.name, at, rng.choice([hashes, bytes(32), b""])))
    return 0, len(copy.tables[kind.name])


def no_leaves(copy, kind, rng):
    """Delete all leaf hashes of a chain, or the table."""
    if not copy.leaves(kind):
        return None
    if rng.random() < 0.5:
        copy.db.execute("DROP TABLE ledger_leaves")
    else:
        copy.db.execute("DELETE FROM ledger_leaves WHERE chain = ?", (kind.name,))
    return 0, 0


LEAVES = (leaf_rows, no_leaves)


# Clever attacks: every hash is made anew, as far as the forger likes. They take evidence, or leaf hashes that he forgot.


def _changed(row, rng):
    """Change what a row says, so that it stays an event somebody could have written."""
    what = rng.randrange(4)
    if what == 0:
        row[ID] = f"01890000-0000-7000-8000-{rng.randrange(10**12):012d}"
    elif what == 1:
        row[AT] = f"2024-01-01T00:00:00.{rng.randrange(10**6):06d}Z"
    elif row[NAME] == NoteRecorded.NAME and row[PAYLOAD] is not None:
        row[PAYLOAD] = other_note(rng.randrange(1000))
    elif row[PAYLOAD] is None:
        row[PAYLOAD_HASH] = sha256(str(rng.random()).encode()).hexdigest()
    else:
        row[AT] = "2023-12-31T23:59:59.000000Z"


def _finish(copy, kind, rows, first, rng, put=True):
    """Put the forged rows in, cover up or not, and return where it must be found."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    table.loosen()
    table.put(rows)
    covered = rng.random() < 0.6
    if covered:
        if rng.random() < 0.5:
            releaf(copy.db, kind, rows, min(size, len(rows)))
        else:
            copy.db.execute("DELETE FROM ledger_leaves WHERE chain = ?", (kind.name,))
        if rng.random() < 0.2 and first + 2 < min(size, len(rows)):
            # Half covered up: the leaf hashes are now of neither ledger, and do not tell where they differ.
            relinked = [list(row) for row in rows]
            relinked[first + 2][HASH] = "ab" * 32
            releaf(copy.db, kind, relinked, min(size, len(rows)))
        # Where fewer blocks are left than were signed for, nothing tells which of them are the forger's.
        return copy.holds_before(kind, first), max(first, len(rows) if len(rows) <= size else 0)
    return first, first


def rebuild(copy, kind, rng):
    """Change a block that was signed for and everything after it, and sign what was signed with a key of one's own, or not."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows = table.copy()
    seq = rng.randrange(1, size)
    _changed(rows[seq], rng)
    if rng.random() < 0.5:
        relink(rows, seq, table.origin)
    else:
        resign(rows, seq, table.origin, SEED)
    return _finish(copy, kind, rows, seq, rng)


def insert_hashed(copy, kind, rng):
    """Insert a block where blocks were signed for, and rebuild all behind it."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows, seq = table.copy(), rng.randrange(1, size + 1)
    row = list(rows[seq - 1])
    follow(head := rows[:seq], table.origin, other_note(seq), copies=len(row) - 9)
    rows = head + rows[seq:]
    relink(rows, seq, table.origin)
    return _finish(copy, kind, rows, seq, rng)


def delete_hashed(copy, kind, rng):
    """Delete a block that was signed for, and rebuild all behind it."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows, seq = table.copy(), rng.randrange(1, size)
    del rows[seq]
    relink(rows, seq, table.origin)
    return _finish(copy, kind, rows, seq, rng)


def swap_hashed(copy, kind, rng):
    """Have two blocks that were signed for change places, and rebuild all behind them."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows = table.copy()
    first, second = sorted(rng.sample(range(1, size), 2))
    rows[first], rows[second] = rows[second], rows[first]
    relink(rows, first, table.origin)
    return _finish(copy, kind, rows, first, rng)


def truncate(copy, kind, rng):
    """Cut the end off, so that something is gone that was signed for."""
    rows, size = copy.tables[kind.name].copy(), copy.signed_size(kind)
    left = rng.randrange(1, size + 1)
    return _finish(copy, kind, rows[:left], left, rng) if left < size else _cut_at_the_newest(copy, kind, rows[:left], left)


def _cut_at_the_newest(copy, kind, rows, left):
    copy.tables[kind.name].put(rows)
    return left, left


def truncate_and_append(copy, kind, rng):
    """Cut the end off, and go on with blocks of one's own, as many or more."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    left = rng.choice([size, rng.randrange(1, size + 1)])
    rows = table.copy()[:left]
    for number in range(rng.choice([1, 2, size - left + 1, size - left + 30])):
        follow(rows, table.origin, other_note(number), copies=len(table.columns) - 9)
    return _finish(copy, kind, rows, left, rng) if left < size else _cut_at_the_newest(copy, kind, rows, left)


def other_origin(copy, kind, rng):
    """Rebuild everything under another name."""
    table = copy.tables[kind.name]
    origin = rng.choice(["thunderlab/forged", table.origin + "/verdicts", table.origin[:-1]])
    rows = table.copy()
    rows[0][PAYLOAD] = b'{"origin":"%s"}' % origin.encode()
    if rng.random() < 0.5:
        relink(rows, 0, origin)
    else:
        resign(rows, 0, origin, SEED)
    _finish(copy, kind, rows, 0, rng)
    return 0, 0


def rename(copy, kind, rng):
    """Have a block tell of another event, or of another version of it, and rebuild all behind it."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows = table.copy()
    seq = rng.randrange(1, size)
    if rng.random() < 0.5:
        rows[seq][VERSION] = rng.choice(["1.1", "2.0", "1.9"])
    else:
        rows[seq][NAME] = rng.choice([AuditCompleted.NAME, "gate.readiness.decided", "ledger.opened", "no.such.event"])
    if rows[seq][NAME] == table.honest[seq][NAME] and rows[seq][VERSION] == table.honest[seq][VERSION]:
        return None
    relink(rows, seq, table.origin)
    return _finish(copy, kind, rows, seq, rng)


def rekey(copy, kind, rng):
    """Put a key of one's own in the place of one that was announced, and sign everything behind it with that."""
    table = copy.tables[kind.name]
    rows = table.copy()
    seq = rng.choice([row[SEQ] for row in rows if row[NAME] == KeyAnnounced.NAME])
    before = [row for row in rows[:seq] if row[NAME] == KeyAnnounced.NAME]
    if before:
        previous = _active(rows[:seq])
        signer = rng.choice([SEED, *copy.ledger.stolen])
        rows[seq][PAYLOAD] = announcement(table.origin, SEED, previous, signer)
        relink(rows, seq, table.origin)
        resign(rows, seq + 1, table.origin, SEED)
    else:
        resign(rows, seq, table.origin, SEED)
    low, high = _finish(copy, kind, rows, seq, rng)
    # What was pruned under keys that are not believed was pruned by nobody.
    gone = [row[SEQ] for row in rows if row[PAYLOAD] is None]
    return min([low, *gone]), high


def _active(rows):
    return next(msgspec.json.decode(row[PAYLOAD])["key_id"] for row in reversed(rows) if row[NAME] == KeyAnnounced.NAME)


def append_key(copy, kind, rng):
    """Announce a key of one's own at the end, and sign with it."""
    table = copy.tables[kind.name]
    rows, size = table.copy(), len(table)
    active, copies = _active(rows), len(table.columns) - 9
    signer = rng.choice([SEED, *copy.ledger.stolen])
    previous = rng.choice([active, None, forger.key_id(signer)])
    follow(rows, table.origin, announcement(table.origin, SEED, previous, signer), KeyAnnounced.NAME, copies)
    follow(rows, table.origin, checkpoint_payload(rows, len(rows), table.origin, SEED), CheckpointSigned.NAME, copies)
    table.put(rows)
    return size, size


def append_checkpoint(copy, kind, rng):
    """Sign a checkpoint at the end with a key that was never announced, or is no longer the one that signs."""
    table = copy.tables[kind.name]
    rows, size = table.copy(), len(table)
    seed = rng.choice([SEED, *copy.ledger.stolen])
    follow(rows, table.origin, checkpoint_payload(rows, size, table.origin, seed), CheckpointSigned.NAME, len(table.columns) - 9)
    table.put(rows)
    return size, size


def replay_checkpoint(copy, kind, rng):
    """Put an older checkpoint, the other chain's, or the right one with something else about it, in the newest one's place."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows = table.copy()
    other_kind = next(one for one in CHAINS if one is not kind)
    told = msgspec.json.decode(rows[size][PAYLOAD], type=CheckpointSigned)
    older = [row[PAYLOAD] for row in rows[:size] if row[NAME] == CheckpointSigned.NAME]
    theirs = copy.tables[other_kind.name].honest[copy.signed_size(other_kind)][PAYLOAD]
    note = msgspec.json.decode(theirs, type=CheckpointSigned).note
    replaced = msgspec.structs.replace
    root = rng.randbytes(32).hex()
    payloads = [
        *older,
        theirs,
        replaced(told, note=note).encode(),
        replaced(told, path=told.path[:-1]).encode(),
        replaced(told, path=[*told.path, root]).encode(),
        replaced(told, size=told.size - 1).encode(),
        replaced(told, root=root).encode(),
        replaced(told, root=root, note=checkpoint_note(table.origin, size, root, SEED)).encode(),
        replaced(told, key_id=forger.key_id(SEED)).encode(),
        replaced(told, note="").encode(),
        replaced(told, note=told.note.replace("A", "B")).encode(),
    ]
    rows[size][PAYLOAD] = rng.choice(payloads)
    if rows[size][PAYLOAD] == table.honest[size][PAYLOAD]:
        return None
    relink(rows, size, table.origin)
    table.put(rows)
    return size, size


def forge_prune(copy, kind, rng):
    """Take payloads out, and say that they were pruned: with a key of one's own, a stolen one, or another chain's statement."""
    table, size = copy.tables[kind.name], copy.signed_size(kind)
    rows, origin, copies = table.copy(), table.origin, len(table.columns) - 9
    there = [row[SEQ] for row in rows[: size - 1] if row[PAYLOAD] is not None and not row[NAME].startswith(OWN)]
    going = sorted(rng.sample(there, min(len(there), rng.randrange(1, 4))))
    for seq in going:
        rows[seq][PAYLOAD:] = [None] * (copies + 1)
    signed = copy.ledger.anchors[kind.name].checkpoint
    theirs = [
        row[PAYLOAD] for other in copy.tables.values() if other.kind is not kind for row in other.honest if row[NAME] == PayloadsPruned.NAME
    ]
    ours = [row[PAYLOAD] for row in rows if row[NAME] == PayloadsPruned.NAME]
    if copy.ledger.stolen and rng.random() < 0.3:
        # Announced once more, as nobody who may has said.
        seed = rng.choice(copy.ledger.stolen)
        follow(rows, origin, announcement(origin, seed, _active(rows), seed), KeyAnnounced.NAME, copies)
    payload = rng.choice(
        [*(prune_statement(origin, size, size, signed.root, seed) for seed in (SEED, *copy.ledger.stolen)), *theirs, *ours]
    )
    if payload in ours and going[0] < _pruned_before(table):
        return None
    follow(rows, origin, payload, PayloadsPruned.NAME, copies)
    table.put(rows)
    return going[0], going[0]


def prune_own(copy, kind, rng):
    """Take the payload of one of the ledger's own blocks out, which nobody may."""
    table = copy.tables[kind.name]
    seq = rng.choice([row[SEQ] for row in table.honest if row[NAME].startswith(OWN)])
    table.set(seq, PAYLOAD, None)
    return seq, seq


def change_statement(copy, kind, rng):
    """Have a statement on pruning say something else."""
    table = copy.tables[kind.name]
    rows = table.copy()
    statements = [row[SEQ] for row in rows if row[NAME] == PayloadsPruned.NAME]
    if not statements:
        return None
    seq = rng.choice(statements)
    told = msgspec.json.decode(rows[seq][PAYLOAD], type=PayloadsPruned)
    field = rng.choice(["before", "size", "blocks", "bytes", "root", "key_id", "note"])
    value = getattr(told, field)
    changed = value + rng.choice([1, -1, 100]) if isinstance(value, int) else value[::-1]
    rows[seq][PAYLOAD] = msgspec.structs.replace(told, **{field: changed}).encode()
    relink(rows, seq, table.origin)
    low, high = _finish(copy, kind, rows, seq, rng)
    # When nobody said it, the first payload that is gone is the first that is wrong.
    gone = next(row[SEQ] for row in rows if row[PAYLOAD] is None)
    return (low, high) if field in ("blocks", "bytes") else (gone, high)


CLEVER = (
    rebuild,
    insert_hashed,
    delete_hashed,
    swap_hashed,
    truncate,
    truncate_and_append,
    other_origin,
    rename,
    rekey,
    append_key,
    append_checkpoint,
    replay_checkpoint,
    forge_prune,
    prune_own,
    change_statement,
)

KINDS = {
    "malformed", "gap", "duplicate", "link", "payload_hash", "aggregate_hash", "duplicate_id", "unknown_event", "payload", "copy", "pruned",
    "origin", "empty", "unreadable", "key", "checkpoint", "leaf", "rebuilt", "truncated",
}  # fmt: skip


def _attack(copy, kind, attack, seed, rounds, *, evidence=(True,)):
    """Attack a copy again and again; return how often, once every attack was found where it must be."""
    done = 0
    for number in range(rounds):
        rng = random.Random(f"{seed}/{copy.ledger.name}/{kind.name}/{attack.__name__}/{number}")
        with copy.altered():
            expected = attack(copy, kind, rng)
            if expected is None:
                continue
            what = f"{attack.__name__} {number} of {copy.ledger.name}, {kind.name}"
            # With evidence or without, by turns where either will do.
            for known in (evidence[number % len(evidence)],):
                found = copy.audit(kind, evidence=known)
                assert not found.ok, what
                first = found.failures[0]
                assert expected[0] <= first.seq <= expected[1], (what, expected, found.failures[:4])
                assert first.kind in KINDS and first.chain == kind.name and first.detail, what
            done += 1
    return done


# The tests.


@pytest.mark.parametrize("name", BUILDERS)
def test_honest_ledgers_raise_no_alarm(copies, name):
    copy = copies[name]
    for kind in CHAINS:
        size = len(copy.tables[kind.name])
        for evidence in (True, False):
            found = copy.audit(kind, evidence=evidence)
            assert (found.ok, found.failures, found.blocks) == (True, (), size)
            assert found.signed_size == copy.signed_size(kind)
        if copy.ledger.pins:
            start = newest_start(copy.connection, KNOWN, copy.ledger.pins, kind)
            assert (start.size if start else 0) == copy.signed_size(kind)
            found = copy.audit(kind, start=start)
            assert (found.ok, found.blocks) == (True, size - start.size if start else size)
        # Every checkpoint that was ever kept outside still holds.
        if copy.ledger.signed[kind.name]:
            assert copy.audit(kind, anchors=copy.ledger.signed[kind.name]).ok


@pytest.mark.parametrize("kind", CHAINS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("attack", BLUNT, ids=lambda attack: attack.__name__)
def test_what_is_not_hashed_anew_is_found_without_evidence(copies, attack, kind):
    done = sum(_attack(copies[name], kind, attack, 1, 8, evidence=(True, False)) for name in ("only_opened", *SMALL))
    done += _attack(copies["large"], kind, attack, 1, 5) + _attack(copies["rotated"], EVENTS_CHAIN, attack, 1, 5)
    assert done >= 15


@pytest.mark.parametrize("kind", CHAINS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("attack", HASHED, ids=lambda attack: attack.__name__)
def test_what_no_writer_writes_is_found_without_evidence_though_hashed(copies, attack, kind):
    done = sum(_attack(copies[name], kind, attack, 6, 20, evidence=(True, False)) for name in SMALL)
    done += _attack(copies["large"], EVENTS_CHAIN, attack, 6, 6, evidence=(False, True))
    assert done >= 30


def test_columns_that_repeat_a_payload_are_empty_once_it_is_pruned(copies):
    copy = copies["pruned"]
    table = copy.tables["verdicts"]
    pruned = [row[SEQ] for row in table.honest if row[PAYLOAD] is None]
    assert pruned
    for seq, (column, value) in itertools.product(pruned, [(9, "rooms/é1"), (10, 37)]):
        with copy.altered():
            table.set(seq, column, value)
            (failure,) = copy.audit(VERDICTS_CHAIN).failures
            assert (failure.seq, failure.kind) == (seq, "copy")


@pytest.mark.parametrize("column", range(9))
def test_every_byte_of_a_short_ledger_counts(copies, column):
    copy = copies["signed_once"]
    table = copy.tables["events"]
    rng = random.Random(column)
    for seq, row in enumerate(table.honest):
        data = str(row[column]).encode() if not isinstance(row[column], bytes) else row[column]
        for place in range(len(data)) if column != SEQ else ():
            if column in (ID, PREV, PAYLOAD_HASH, HASH, PAYLOAD) and place % 9 != seq % 9:
                continue
            changed = bytearray(data)
            changed[place] ^= rng.randrange(1, 256)
            with copy.altered():
                table.set(seq, column, bytes(changed) if column == PAYLOAD else Raw(bytes(changed)))
                found = copy.audit(EVENTS_CHAIN)
                assert not found.ok and found.failures[0].seq == seq, (seq, column, place)


@pytest.mark.parametrize("kind", CHAINS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("attack", LEAVES, ids=lambda attack: attack.__name__)
def test_the_leaf_hashes_kept_are_guarded_too(copies, attack, kind):
    done = sum(_attack(copies[name], kind, attack, 2, 25, evidence=(True, False)) for name in SIGNED)
    done += _attack(copies["large"], EVENTS_CHAIN, attack, 2, 15)
    assert done >= 70


@pytest.mark.parametrize("kind", CHAINS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("attack", CLEVER, ids=lambda attack: attack.__name__)
def test_what_is_hashed_anew_is_found_with_pinned_keys_and_the_newest_checkpoint(copies, attack, kind):
    done = sum(_attack(copies[name], kind, attack, 3, 13) for name in SIGNED)
    done += _attack(copies["large"], EVENTS_CHAIN, attack, 3, 3) + _attack(copies["rotated"], EVENTS_CHAIN, attack, 3, 3)
    assert done >= 10


def test_the_other_chain_raises_no_alarm(copies):
    for name, kind in itertools.product(SMALL, CHAINS):
        copy, rng = copies[name], random.Random(name)
        others = [one for one in CHAINS if one is not kind]
        for attack in (spoil_text, delete, swap_rows, exchange_payload):
            with copy.altered():
                if (expected := attack(copy, kind, rng)) is not None and expected[0] > 0:
                    assert all(copy.audit(one).ok for one in others)


@pytest.mark.parametrize("name", SIGNED)
def test_another_ledger_in_the_place_of_this_one(copies, other, name):
    short, long = other
    copy = copies[name]
    for rows, leaves in ((short, ()), (long.tables["events"].honest, long.leaves(EVENTS_CHAIN))):
        with copy.altered() as database:
            copy.tables["events"].put(rows)
            database.execute("DELETE FROM ledger_leaves WHERE chain = 'events'")
            database.executemany("INSERT INTO ledger_leaves VALUES ('events', ?, ?)", leaves)
            found = copy.audit(EVENTS_CHAIN)
            assert (found.ok, found.failures[0].seq, found.failures[0].kind) == (False, 0, "origin")
            # The verdicts that stayed are of another ledger than these events now.
            assert copy.audit(VERDICTS_CHAIN, evidence=False).failures[0].kind == "origin"


def test_a_rolled_back_checkpoint_takes_nothing_from_a_newer_one(copies):
    """An older checkpoint in the newest one's place proves less, and no more: it holds, as its blocks are still there."""
    copy = copies["signed_often"]
    older, newest = copy.ledger.signed["events"][2], copy.ledger.anchors["events"]
    assert copy.audit(EVENTS_CHAIN, anchors=[older]).ok
    with copy.altered():
        copy.tables["events"].put(copy.tables["events"].honest[: older.checkpoint.size + 1])
        releaf(copy.db, EVENTS_CHAIN, copy.tables["events"].honest, older.checkpoint.size)
        assert copy.audit(EVENTS_CHAIN, anchors=[older]).ok  # the ledger as it was then, which only a newer checkpoint can tell
        found = copy.audit(EVENTS_CHAIN, anchors=[older, newest])
        assert (found.failures[0].kind, found.failures[0].seq) == ("truncated", older.checkpoint.size + 1)


def test_checkpoints_that_contradict_each_other_are_never_both_right(copies):
    copy = copies["signed_often"]
    kept, stolen = copy.ledger.anchors["events"], copy.ledger.stolen[0]
    size, origin = kept.checkpoint.size, kept.checkpoint.origin
    forged = read_checkpoint(checkpoint_note(origin, size, "ab" * 32, stolen).encode())
    for anchors in ([kept, forged], [forged, kept], [forged]):
        found = copy.audit(EVENTS_CHAIN, anchors=anchors)
        assert not found.ok and found.failures[0].kind == "rebuilt" and found.failures[0].seq < size
    unpinned = read_checkpoint(checkpoint_note(origin, size, kept.checkpoint.root, SEED).encode())
    found = copy.audit(EVENTS_CHAIN, anchors=[unpinned])
    assert [failure.kind for failure in found.failures] == ["checkpoint"]


@pytest.mark.parametrize("name", SIGNED)
def test_without_evidence_a_forgery_that_is_complete_is_a_ledger_like_any_other(copies, name):
    """What cannot be found without pins and a checkpoint kept outside, and is found with them; `_finish` left nothing behind here."""
    copy, rng = copies[name], random.Random(name)
    table, kind = copy.tables["events"], EVENTS_CHAIN
    size = copy.signed_size(kind)

    def rewritten():
        rows = table.copy()
        _changed(rows[2], rng)
        resign(rows, 1, table.origin, SEED)
        signed = max(row[SEQ] for row in rows if row[NAME] == CheckpointSigned.NAME)
        releaf(copy.db, kind, rows, signed)
        return rows

    def cut():
        signed = [row[SEQ] for row in table.honest[:size] if row[NAME] == CheckpointSigned.NAME]
        releaf(copy.db, kind, table.honest, max(signed, default=0))
        return table.honest[: max(signed, default=1) + 1]

    for forge in (rewritten, cut) if name != "pruned" else (rewritten,):
        with copy.altered():
            table.put(forge())
            assert copy.audit(kind, evidence=False).ok
            assert not copy.audit(kind).ok


def test_blocks_behind_the_newest_checkpoint_are_anybodys_until_the_next_one(copies):
    """Whoever can write the store can write as the lab does; with evidence and all, this is what a checkpoint is for."""
    copy = copies["signed_often"]
    table, size = copy.tables["events"], copy.signed_size(EVENTS_CHAIN)
    for seq in range(size + 1, len(table)):
        rows = table.copy()
        rows[seq][PAYLOAD] = other_note(seq)
        rows[seq][NAME] = NoteRecorded.NAME
        relink(rows, seq, table.origin)
        with copy.altered():
            table.put(rows)
            assert copy.audit(EVENTS_CHAIN).ok


@pytest.mark.parametrize("name", SIGNED)
def test_leaf_hashes_that_a_forger_left_tell_where_the_end_was_cut_off(copies, name):
    copy = copies[name]
    for kind in CHAINS:
        for left in range(1, copy.signed_size(kind)):
            with copy.altered():
                copy.tables[kind.name].put(copy.tables[kind.name].honest[:left])
                failure = copy.audit(kind, evidence=False).failures[0]
                # Where a statement on pruning was cut off with the rest, that is all that is wrong.
                assert (failure.seq, failure.kind) == (left, "truncated")


def test_keys_out_of_order_are_found_even_by_who_knows_none(copies):
    copy = copies["signed_often"]
    table, stolen = copy.tables["events"], copy.ledger.stolen[0]
    active, size = _active(table.honest), len(table)
    good = msgspec.json.decode(announcement(table.origin, SEED, active, SEED), type=KeyAnnounced)
    for told in (
        msgspec.structs.replace(good, key_id=forger.key_id(stolen)),
        msgspec.structs.replace(good, key=good.key.upper()),
        msgspec.structs.replace(good, key="no key"),
        msgspec.structs.replace(good, previous=None),
        msgspec.structs.replace(good, previous=forger.key_id(stolen)),
        msgspec.json.decode(announcement(table.origin, stolen, active, SEED), type=KeyAnnounced),
    ):
        rows = table.copy()
        follow(rows, table.origin, told.encode(), KeyAnnounced.NAME)
        with copy.altered():
            table.put(rows)
            for evidence in (True, False):
                if evidence or told.key != good.key.upper():
                    (failure,) = copy.audit(EVENTS_CHAIN, evidence=evidence).failures
                    assert (failure.seq, failure.kind) == (size, "key"), told


def test_what_the_active_key_signs_must_be_true_all_the_same(copies):
    """A key that fell into other hands, or a lab with an error in it: signatures that verify, under claims that do not hold."""
    copy = copies["signed_often"]
    table, size, active = copy.tables["events"], len(copy.tables["events"]), copy.ledger.active
    origin, stolen = table.origin, copy.ledger.stolen[0]
    true = msgspec.json.decode(checkpoint_payload(table.copy(), size, origin, active), type=CheckpointSigned)
    kept = copy.ledger.anchors["events"].checkpoint
    notes = (
        checkpoint_note(f"{origin}/verdicts", size, true.root, active),
        checkpoint_note(origin, size + 1, true.root, active),
        checkpoint_note(origin, size, "ab" * 32, active),
        checkpoint_note(origin, size, true.root, stolen),
    )
    checkpoints = [msgspec.structs.replace(true, note=note).encode() for note in notes]
    prunes = [
        prune_statement(origin, before, signed, kept.root, active)
        for before, signed in ((kept.size + 1, kept.size), (0, kept.size), (2, kept.size - 1), (1, size + 1))
    ]
    for name, payloads in ((CheckpointSigned.NAME, checkpoints), (PayloadsPruned.NAME, prunes)):
        for payload in payloads:
            rows = table.copy()
            follow(rows, origin, payload, name)
            with copy.altered():
                table.put(rows)
                (failure,) = copy.audit(EVENTS_CHAIN).failures
                assert (failure.seq, failure.kind) == (size, "checkpoint"), payload
    rows = table.copy()
    follow(rows, origin, true.encode(), CheckpointSigned.NAME)
    with copy.altered():
        table.put(rows)
        releaf(copy.db, EVENTS_CHAIN, rows, size)
        assert copy.audit(EVENTS_CHAIN).ok


def test_an_announcement_that_is_gone_is_named_before_what_is_damaged_behind_it(copies):
    copy = copies["signed_often"]
    table, size = copy.tables["events"], copy.signed_size(EVENTS_CHAIN)
    rows = table.copy()
    rows[size][NAME], rows[size][PAYLOAD] = NoteRecorded.NAME, other_note(1)
    relink(rows, size, table.origin)
    rows[size + 2][PAYLOAD] = other_note(2)
    with copy.altered():
        table.put(rows)
        found = [(failure.seq, failure.kind) for failure in copy.audit(EVENTS_CHAIN).failures]
        assert found == [(size, "truncated"), (size + 2, "payload_hash")]


def test_a_payload_taken_out_is_named_though_more_is_damaged_behind_it(copies):
    """Not all before it are gone, so it is not what a statement further on was about."""
    copy = copies["signed_once"]
    table = copy.tables["events"]
    with copy.altered():
        table.set(5, PAYLOAD, None)
        table.set(8, PAYLOAD, b"{}")
        assert [(failure.seq, failure.kind) for failure in copy.audit(EVENTS_CHAIN).failures[:2]] == [(5, "pruned"), (8, "payload_hash")]


@pytest.mark.parametrize("changed", [-1, None, "abc", 0.5, b"x"])
def test_the_last_row_without_its_number_is_missed_where_it_was(copies, changed):
    copy = copies["unsigned"]
    table = copy.tables["events"]
    with copy.altered():
        table.loosen()
        table.set(len(table) - 1, SEQ, changed)
        (failure,) = copy.audit(EVENTS_CHAIN).failures
        assert (failure.seq, failure.kind) == (len(table) - 1, "malformed")


def test_a_pinned_key_signs_once_the_one_before_says_so(copies):
    copy = copies["signed_often"]
    table, active, size = copy.tables["events"], _active(copy.tables["events"].honest), len(copy.tables["events"])
    pins = PinnedKeys([*copy.ledger.pins, forger.public(SEED)])
    for signer in (SEED, *copy.ledger.stolen):
        rows = table.copy()
        follow(rows, table.origin, announcement(table.origin, SEED, active, signer), KeyAnnounced.NAME)
        with copy.altered():
            table.put(rows)
            (failure,) = Auditor(KNOWN, pins=pins).run(copy.connection).failures
            assert (failure.seq, failure.kind) == (size, "key")


def test_a_key_changed_rightly_is_still_one_that_is_not_pinned(copies):
    copy = copies["signed_often"]
    announced = [row[SEQ] for row in copy.tables["events"].honest if row[NAME] == KeyAnnounced.NAME]
    older = PinnedKeys(copy.ledger.pins[:1])
    found = Auditor(KNOWN, pins=older).run(copy.connection)
    assert (found.failures[0].seq, found.failures[0].kind) == (announced[1], "key")
    newer = PinnedKeys(copy.ledger.pins[1:])
    assert Auditor(KNOWN, pins=newer).run(copy.connection).failures[0].seq == announced[0]


# Audits that begin at a checkpoint.


@pytest.mark.parametrize("attack", [byte, confuse, spoil_text, delete, insert, duplicate, swap_rows, swap_values, exchange_payload])
def test_an_audit_that_begins_at_a_checkpoint_finds_all_that_is_wrong_behind_it(copies, attack):
    done = 0
    for name, number in itertools.product(SIGNED, range(150)):
        copy, rng = copies[name], random.Random(f"{name}/{number}")
        start = newest_start(copy.connection, KNOWN, copy.ledger.pins)
        with copy.altered():
            expected = attack(copy, EVENTS_CHAIN, rng)
            if expected is None or expected[0] < start.size:
                continue
            found = copy.audit(EVENTS_CHAIN, start=start)
            assert not found.ok and expected[0] <= found.failures[0].seq <= expected[1], (name, number)
            # Found anew in the damaged copy, the start is this one or an older one, or none; never one that hides the damage.
            again = newest_start(copy.connection, KNOWN, copy.ledger.pins)
            assert again is None or again.size <= start.size
            assert not copy.audit(EVENTS_CHAIN, start=again).ok
            done += 1
    assert done >= 5


def test_a_start_that_a_forger_made_is_not_trusted(copies):
    for name, number in itertools.product(SIGNED, range(40)):
        copy, rng = copies[name], random.Random(f"{name}/{number}")
        table = copy.tables["events"]
        for seed in (SEED, *copy.ledger.stolen):
            rows = table.copy()[: rng.randrange(1, len(table))]
            follow(rows, table.origin, other_note(number))
            follow(rows, table.origin, checkpoint_payload(rows, len(rows), table.origin, seed), CheckpointSigned.NAME)
            with copy.altered():
                table.put(rows)
                assert newest_start(copy.connection, KNOWN, copy.ledger.pins) is None
        # The lab's own note, in a block that says something else.
        rows = table.copy()[: rng.randrange(1, len(table))]
        follow(rows, table.origin, other_note(number))
        newest = msgspec.json.decode(table.honest[copy.signed_size(EVENTS_CHAIN)][PAYLOAD], type=CheckpointSigned)
        forged = msgspec.json.decode(checkpoint_payload(rows, len(rows), table.origin, SEED), type=CheckpointSigned)
        told = msgspec.structs.replace(forged, note=newest.note, key_id=newest.key_id)
        follow(rows, table.origin, told.encode(), CheckpointSigned.NAME)
        with copy.altered():
            table.put(rows)
            assert newest_start(copy.connection, KNOWN, copy.ledger.pins) is None
        # The lab's own checkpoint, with something else around it.
        size = copy.signed_size(EVENTS_CHAIN)
        with copy.altered():
            table.loosen()
            table.set(size, rng.choice([PREV, PAYLOAD]), rng.choice(["ab" * 32, b"{}", other_note(1), Raw(b"\xff"), None, 5]))
            assert newest_start(copy.connection, KNOWN, copy.ledger.pins) is None
        with copy.altered():
            rows = table.copy()
            rows[size][SEQ], rows[-1][SEQ] = len(rows) + 7, size
            table.loosen()
            table.put(rows)
            assert newest_start(copy.connection, KNOWN, copy.ledger.pins) is None


def test_a_duplicate_id_is_found_from_wherever_an_audit_begins(copies):
    """Rightly hashed and linked, at the end, where only the id gives it away."""
    copy = copies["signed_often"]
    table, start = copy.tables["events"], newest_start(copy.connection, KNOWN, copy.ledger.pins)
    for twin in (0, 5, start.size, len(table) - 1):
        rows = table.copy()
        follow(rows, table.origin, other_note(1))
        rows[-1][ID] = rows[twin][ID]
        relink(rows, len(rows) - 1, table.origin)
        with copy.altered():
            table.loosen()
            table.put(rows)
            for begin in (None, start):
                (failure,) = copy.audit(EVENTS_CHAIN, start=begin).failures
                assert (failure.seq, failure.kind) == (len(rows) - 1, "duplicate_id")


def test_a_second_opening_is_no_part_of_a_ledger(copies):
    copy = copies["unsigned"]
    rows = copy.tables["events"].copy()
    follow(rows, copy.tables["events"].origin, rows[0][PAYLOAD], "ledger.opened")
    with copy.altered():
        copy.tables["events"].put(rows)
        (failure,) = copy.audit(EVENTS_CHAIN).failures
        assert (failure.seq, failure.kind) == (len(rows) - 1, "origin")


@settings(max_examples=150)
@given(data=st.data())
def test_payloads_nobody_expects_do_not_stop_an_auditor(copies, data):
    copy = copies["unsigned"]
    table = copy.tables["events"]
    seq = data.draw(st.integers(0, len(table) - 1))
    value = data.draw(
        st.one_of(
            st.binary(max_size=40),
            st.text(max_size=40),
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.sampled_from(
                [b"[" * 100_000, b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b',"origin":"a"}', Raw(b'{"origin":"\xff"}'), b"\xff"]
            ),
        )
    )
    with copy.altered():
        table.loosen()
        table.set(seq, PAYLOAD, value)
        found = copy.audit(EVENTS_CHAIN)
        assert not found.ok and found.failures[0].seq == seq


def test_a_connection_takes_no_broken_text_after_an_audit(copies):
    copy = copies["unsigned"]
    with copy.altered():
        copy.tables["events"].set(3, ID, Raw(b"\xff"))
        for _ in range(2):
            assert copy.audit(EVENTS_CHAIN).failures[0].seq == 3
            with pytest.raises(sqlite3.OperationalError, match="UTF-8"):
                copy.db.execute("SELECT id FROM event_chain_blocks").fetchall()


# An open workspace, its files and the command line.


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace whose key changed twice, with a proof, its newest checkpoint and its keys as files beside it."""
    folder = tmp_path_factory.mktemp("workspace")
    with Lab(folder / "lab", clock=VirtualClock()) as lab:
        for number in range(12):
            lab.events.emit(NoteRecorded(text=f"note {number} é", value=number))
        lab.custody.sign_all()
        for number in range(2):
            lab.events.emit(NoteRecorded(text=f"key {number}"))
            lab.custody.rotate_key()
        lab.custody.prune(4)
        (folder / "block.tlog-proof").write_bytes(lab.custody.prove(8).encode())
        (folder / "lab.checkpoint").write_bytes(lab.custody.anchored().note)
        lab.keys.export(folder / "keys.json")
        lab.events.emit(*(NoteRecorded(text=f"behind {number}") for number in range(4)))
    with contextlib.closing(sqlite3.connect(folder / "lab" / "lab.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")
    return folder


@pytest.fixture
def damaged(workspace, tmp_path):
    """Return a function that copies the workspace, runs a statement on the copy's store, and returns the copy's folder."""
    numbers = itertools.count()

    def damage(*statements):
        folder = tmp_path / f"copy{next(numbers)}"
        shutil.copytree(workspace, folder)
        with contextlib.closing(sqlite3.connect(folder / "lab" / "lab.db")) as database, database:
            for statement in statements:
                database.execute(statement)
        return folder

    return damage


DAMAGE = {
    "payload": ("UPDATE event_chain_blocks SET payload = x'7b7d' WHERE seq = 6", 6, "payload_hash"),
    "origin": ("UPDATE event_chain_blocks SET payload = replace(payload, 'thunderlab', 'thunderlap') WHERE seq = 0", 0, "malformed"),
    "name": ("UPDATE event_chain_blocks SET event_name = CAST(x'6cff' AS TEXT) WHERE seq = 7", 7, "malformed"),
    "newest": (
        "UPDATE event_chain_blocks SET id = CAST(x'ff' AS TEXT) WHERE seq = (SELECT max(seq) FROM event_chain_blocks)",
        -1,
        "malformed",
    ),
    "time": ("UPDATE event_chain_blocks SET inserted_at = 'now' WHERE seq = (SELECT max(seq) FROM event_chain_blocks)", -1, "malformed"),
    "type": ("UPDATE event_chain_blocks SET inserted_at = x'00' WHERE seq = 3", 3, "malformed"),
    "gone": ("DELETE FROM event_chain_blocks WHERE seq > 9", 10, "truncated"),
    "checkpoint": (
        "UPDATE event_chain_blocks SET payload = CAST(x'ff' AS TEXT) WHERE event_name = 'ledger.checkpoint.signed'",
        14,
        "malformed",
    ),
    "leaves": ("UPDATE ledger_leaves SET hashes = 'text' WHERE chain = 'events' AND first = 0", 0, "leaf"),
    "pruned": ("UPDATE event_chain_blocks SET payload = NULL WHERE seq = 9", 9, "pruned"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_an_open_workspace_and_a_copy_of_its_store_show_the_same(damaged, name):
    statement, seq, kind = DAMAGE[name]
    folder = damaged(statement)
    evidence = read_evidence(folder / "keys.json", [folder / "lab.checkpoint"])
    data = answer(audit_file(folder / "lab" / "lab.db", evidence, lambda *_: None), evidence.refused)
    seq = seq if seq >= 0 else data["blocks"] - 1
    assert not data["ok"] and (data["failures"][0]["seq"], data["failures"][0]["kind"]) == (seq, kind), data["failures"][:3]
    msgspec.json.encode(data)
    with _opened(folder) as lab:
        found = lab.custody.audit(full=True)
        assert (found.ok, found.failures[0].seq, found.failures[0].kind) == (False, seq, kind)
        begun = lab.custody.audit(full=False)
        assert begun.ok is (begun.first > seq)


def _opened(folder):
    return Lab(folder / "lab", clock=VirtualClock(1_800_000_000_000_000))


def test_honest_workspaces_raise_no_alarm(damaged):
    folder = damaged()
    evidence = read_evidence(folder / "keys.json", [folder / "lab.checkpoint"])
    assert answer(audit_file(folder / "lab" / "lab.db", evidence, lambda *_: None))["ok"]
    with _opened(folder) as lab:
        for kind, full in itertools.product(CHAINS, (True, False, None)):
            found = lab.custody.audit(kind, full=full)
            assert found.ok and (found.first > 0) is (full is False)


@pytest.mark.parametrize(
    ("meanwhile", "first"),
    [
        ("UPDATE event_chain_blocks SET inserted_at = '2026-01-01T00:00:00.000000Z' WHERE seq = 5", 1),
        ("UPDATE event_chain_blocks SET payload = x'7b7d' WHERE seq = 5", 1),
        # Whether payloads were pruned, and the statement cut off, or taken away, rows alone cannot tell.
        ("DELETE FROM event_chain_blocks WHERE seq >= 8", 8),
    ],
)
def test_a_payload_taken_away_is_not_hidden_by_a_block_damaged_further_on(tmp_path, meanwhile, first):
    with Lab(tmp_path / "lab", clock=VirtualClock()) as lab:
        lab.events.emit(*(NoteRecorded(text=f"note {number}") for number in range(9)))
        lab.custody.sign()
        with lab.store.write() as connection:
            connection.exec_driver_sql("UPDATE event_chain_blocks SET payload = NULL WHERE seq IN (1, 2)")
            connection.exec_driver_sql(meanwhile)
        assert lab.custody.audit(full=True).failures[0].seq == first


def test_an_emptied_store_is_not_the_one_that_was_signed_and_takes_nothing_more(damaged):
    folder = damaged("DELETE FROM event_chain_blocks", "DELETE FROM policy_verdict_chain", "DELETE FROM ledger_leaves")
    with _opened(folder) as lab:
        for full in (True, False, None):
            found = lab.custody.audit(full=full)
            assert [(failure.seq, failure.kind) for failure in found.failures] == [(0, "origin"), (0, "empty")]
        with pytest.raises(EvidenceError, match="restore the store"):
            lab.events.emit(NoteRecorded(text="never"))


def test_a_store_begun_anew_is_not_the_one_that_was_signed(damaged):
    folder = damaged("DELETE FROM event_chain_blocks", "DELETE FROM policy_verdict_chain", "DELETE FROM ledger_leaves")
    anchors = folder / "lab" / "anchors"
    anchors.rename(folder / "anchors")
    with _opened(folder):
        pass
    (folder / "anchors").rename(anchors)
    with _opened(folder) as lab:
        for full in (True, False, None):
            found = lab.custody.audit(full=full)
            assert [(failure.seq, failure.kind) for failure in found.failures] == [(0, "origin")]


def test_an_anchor_older_than_the_start_is_held_against_the_blocks_all_the_same(damaged):
    folder = damaged()
    with _opened(folder) as lab:
        assert lab.custody.audit(full=False).first > 0
        older = read_checkpoint(checkpoint_note(lab.ledger.origin, 5, "ab" * 32, SEED).encode())
        found = lab.custody.audit(full=False, anchors=[older])
        assert (found.ok, found.first) == (False, 0)
        anchor = lab.custody.anchor_path()
        signed = next(row for row in lab.ledger.blocks(name=CheckpointSigned.NAME, newest=9) if row.seq < 20)
        anchor.write_text(msgspec.json.decode(signed.payload, type=CheckpointSigned).note)
        found = lab.custody.audit(full=False)
        assert (found.ok, found.first) == (True, 0)


@pytest.mark.parametrize(
    ("statement", "code"),
    [("SELECT 1", 0), (DAMAGE["newest"][0], 1), (DAMAGE["time"][0], 1)],
)
def test_the_command_says_no_whatever_was_damaged(damaged, cli, statement, code):
    folder = damaged(statement)
    ran = cli("ledger", "audit", "--json", env={"THUNDERLAB_WORKSPACE": str(folder / "lab")})
    assert ran.code == code, (ran.stdout, ran.stderr)
    assert ran.json()["ok"] is (ran.code == 0)


def test_the_command_on_a_copy_with_pins_and_checkpoint(damaged, cli):
    for statement, code in (("SELECT 1", 0), ("DELETE FROM event_chain_blocks WHERE seq > 12", 1)):
        folder = damaged(statement)
        arguments = ("--store", folder / "lab" / "lab.db", "--key", folder / "keys.json", "--checkpoint", folder / "lab.checkpoint")
        assert cli("ledger", "audit", *arguments).code == code


def test_every_byte_of_a_proof_and_of_a_checkpoint_counts(workspace, tmp_path):
    rng = random.Random(4)
    keys, changed = workspace / "keys.json", tmp_path / "changed"
    for name in ("block.tlog-proof", "lab.checkpoint"):
        data = (workspace / name).read_bytes()
        assert verify_file(workspace / name, keys, None)["ok"]
        for place in range(len(data)):
            other = bytearray(data)
            other[place] ^= rng.randrange(1, 256)
            changed.write_bytes(other)
            assert not verify_file(changed, keys, None)["ok"], (name, place)
            if name == "lab.checkpoint" and place % 16 == 0:
                evidence = read_evidence(keys, [changed])
                assert not answer(audit_file(workspace / "lab" / "lab.db", evidence, lambda *_: None), evidence.refused)["ok"], place


def test_bytes_of_the_file_itself_may_be_anything(workspace, tmp_path):
    """What SQLite makes of a file that was written over is anybody's guess: there is an answer all the same, and no alarm without a change."""
    data, evidence = (workspace / "lab" / "lab.db").read_bytes(), read_evidence(workspace / "keys.json", [workspace / "lab.checkpoint"])
    rng, found = random.Random(5), 0
    for _ in range(80):
        other = bytearray(data)
        place = rng.choice([rng.randrange(len(data)), rng.randrange(200), rng.randrange(4096)])
        other[place : place + rng.choice([1, 8, 512])] = rng.randbytes(rng.choice([1, 8, 512]))
        (tmp_path / "lab.db").write_bytes(other)
        found += not answer(audit_file(tmp_path / "lab.db", evidence, lambda *_: None), ())["ok"]
    assert found > 20


@pytest.mark.parametrize(
    ("statement", "seq", "kind"),
    [
        ("UPDATE event_chain_blocks SET payload = decode('7b7d', 'hex') WHERE seq = 4", 4, "payload_hash"),
        ("UPDATE event_chain_blocks SET inserted_at = '2026-01-01T00:00:00.000000Z' WHERE seq = 3", 3, "aggregate_hash"),
        ("UPDATE event_chain_blocks SET event_name = 'gate.readiness.decided' WHERE seq = 2", 2, "aggregate_hash"),
        ("UPDATE event_chain_blocks SET payload = NULL WHERE seq = 5", 5, "pruned"),
        ("UPDATE event_chain_blocks SET seq = 99 WHERE seq = 6", 6, "gap"),
        ("DELETE FROM event_chain_blocks WHERE seq = 0", 0, "gap"),
        ("DELETE FROM event_chain_blocks WHERE seq > 7", 8, "truncated"),
        ("UPDATE ledger_leaves SET hashes = decode('00', 'hex') || substr(hashes, 2) WHERE chain = 'events'", 0, "leaf"),
        ("DROP TABLE ledger_leaves", 0, "unreadable"),
        ("ALTER TABLE event_chain_blocks ALTER COLUMN seq TYPE text", 0, "malformed"),
    ],
)
def test_on_postgresql_too(postgres_url, tmp_path, statement, seq, kind):
    shop = Workshop(postgres_url, tmp_path)
    shop.note(9)
    shop.ring.new()
    shop.sign()
    shop.note(3)
    assert shop.custody.audit().ok and shop.custody.audit(full=False).ok
    with shop.store.write() as connection:
        connection.exec_driver_sql(statement)
    found = shop.custody.audit()
    assert (found.ok, found.failures[0].seq) == (False, seq), found.failures[:3]
    assert found.failures[0].kind in (kind, "unreadable")
    shop.store.close()
