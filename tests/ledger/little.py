"""A lab without rooms: a store, its chains and their custody, for tests that open one hundreds of times."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from thunderlab import events, ledger
from thunderlab.clock import SystemClock
from thunderlab.events import Bus, Catalogue
from thunderlab.keys import KeyRing
from thunderlab.ledger import CHAINS, Chain, Custody, NoteRecorded
from thunderlab.store import Store
from thunderlab.telemetry import Meter

CATALOGUE = Catalogue([*events.EVENTS, *ledger.EVENTS])


class LittleLab:
    """What a `Lab` holds of the ledger, in the same places of a workspace."""

    def __init__(self, folder, clock=None, store=None):
        folder.mkdir(parents=True, exist_ok=True)
        clock = clock or SystemClock()
        self.store = Store(store or folder / "lab.db")
        try:
            meter = Meter(self.store, clock)
            self.chains = [Chain(self.store, CATALOGUE, clock, meter, folder / "anchors", kind) for kind in CHAINS]
            self.ledger = self.chains[0]
            self.events = Bus(CATALOGUE, clock, self.ledger.append)
            self.keys = KeyRing(folder / "keys", clock)
            self.custody = Custody(self.store, self.chains, self.events, self.keys, clock)
        except BaseException:
            self.store.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def note(self, text="", value=None, within=None):
        """Emit one note and return its id, which thereby is acknowledged, unless it is within somebody's transaction."""
        (told,) = self.events.emit(NoteRecorded(text=text, value=value), within=within)
        return told.id

    def notes(self, count):
        return [told.id for told in self.events.emit(*(NoteRecorded(text=f"one of {count}", value=number) for number in range(count)))]

    def notes_within(self, count):
        """Emit notes one by one in a transaction of our own, and return their ids, once it was committed."""
        with self.store.write() as connection:
            return [self.note("within", number, connection) for number in range(count)]

    def prune(self):
        """Prune half of what was signed for; return before which block."""
        signed = self.custody.anchored()
        before = max(1, signed.checkpoint.size // 2)
        self.custody.prune(before)
        return before

    def ids(self):
        return [block_id for (block_id,) in self._rows("SELECT id FROM event_chain_blocks ORDER BY seq")]

    def _rows(self, query):
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]

    def is_sound(self):
        """Audit both chains in full with the workspace's own keys and anchors; return what was found of the first, or fail saying it."""
        audits = [self.custody.audit(kind, full=True) for kind in CHAINS]
        assert all(found.ok for found in audits), [failure for found in audits for failure in found.failures]
        return audits[0]


def integrity(path):
    """Return what SQLite itself thinks of the file."""
    with closing(sqlite3.connect(path)) as database:
        return database.execute("PRAGMA integrity_check").fetchall()
