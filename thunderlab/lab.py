"""The hall: opens a workspace, wires every room, and is the one object notebooks, commands and tests hold."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from thunderlab import automata, events, files, gate, ledger, policy, workspace
from thunderlab.automata.room import Automata
from thunderlab.clock import Clock, SystemClock
from thunderlab.errors import EvidenceError, ThunderlabError
from thunderlab.events import Bus, Catalogue
from thunderlab.gate.collectors import Sources
from thunderlab.keys import KeyRing
from thunderlab.ledger import CHAINS, Chain, Custody
from thunderlab.policy.room import Policy
from thunderlab.postgres import parse
from thunderlab.store import Store
from thunderlab.telemetry import Meter


def catalogue() -> Catalogue:
    """Return every event there is: each room's own vocabulary, put together."""
    return Catalogue([*events.EVENTS, *ledger.EVENTS, *automata.EVENTS, *policy.EVENTS, *gate.EVENTS])


def key_ring(place: Path, clock: Clock) -> KeyRing:
    """Return the keys of a workspace; reading them needs no store, so none is made."""
    return KeyRing(place / "keys", clock)


class Lab:
    """An open workspace. Any number of processes may have it open at once; use it as a context manager.

    Args:
        path: the workspace folder; see `thunderlab.workspace.locate` for what None means. Created on first use.
        clock: where time comes from; tests hand in a virtual one.

    Attributes:
        workspace: the folder.
        store: the tables all processes share; in the workspace, or on the server that THUNDERLAB_DATABASE_URL names.
        events: emit and subscribe.
        ledger: the chain that durable events become blocks of.
        verdicts: the chain of policy verdicts.
        custody: audits both chains, signs checkpoints over them, and rotates keys.
        telemetry: spans and windows.
        keys: the workspace's Ed25519 keys.
        automata: simulate, observe and judge cellular automata.
        policy: may somebody do something? Every answer is on record.
        gate: is this lab ready?

    Raises:
        InputError: when THUNDERLAB_DATABASE_URL is set and is no address of a database.
        EnvironmentBlockedError: when the workspace cannot be made, or its store not be opened.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, clock: Clock | None = None) -> None:
        self.workspace: Path = workspace.locate(path)
        database = workspace.database_url()
        if database is not None:
            parse(database)  # bad input is told before a folder is made
        files.make_folder(self.workspace, advice="name another workspace with --workspace")
        self.clock: Clock = clock or SystemClock()
        scenarios = workspace.shipped("scenarios")
        self.store = Store(database or self.workspace / workspace.STORE)
        try:
            self._wire(scenarios)
        except BaseException:
            self.store.close()
            raise

    def _wire(self, scenarios: Path) -> None:
        """Give every room what it needs; nothing else in the house knows who talks to whom."""
        self.telemetry = Meter(self.store, self.clock)
        known = catalogue()
        anchors = self.workspace / "anchors"
        self.ledger, self.verdicts = (Chain(self.store, known, self.clock, self.telemetry, anchors, kind) for kind in CHAINS)
        self.events = Bus(known, self.clock, self.ledger.append)
        self.keys = key_ring(self.workspace, self.clock)
        self.custody = Custody(self.store, (self.ledger, self.verdicts), self.events, self.keys, self.clock)
        self.automata = Automata(
            store=self.store,
            bus=self.events,
            chain=self.ledger,
            meter=self.telemetry,
            clock=self.clock,
            scenarios=scenarios,
            workspace=self.workspace,
        )
        self.policy = Policy(
            store=self.store,
            bus=self.events,
            chain=self.ledger,
            verdicts=self.verdicts,
            meter=self.telemetry,
            clock=self.clock,
            folders=(self.workspace / "policies", scenarios / "policies" / "lab"),
        )
        sources = Sources(
            store=self.store,
            clock=self.clock,
            bus=self.events,
            chain=self.ledger,
            custody=self.custody,
            meter=self.telemetry,
            qa=self.automata.qa,
            policy=self.policy,
        )
        self.gate = gate.Gate(sources, default_thresholds=scenarios / "gate" / "thresholds.yaml")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Lab({str(self.workspace)!r})"

    def close(self) -> None:
        """Save counts and telemetry, sign checkpoints that are due, and close the store.

        Nothing durable waits for this: a killed process loses latency samples and the counts of its last minute, nothing else.
        """
        try:
            # Of a damaged ledger the gate tells; that it takes no counts any more must not keep a lab from closing.
            with contextlib.suppress(EvidenceError):
                self.events.flush()
            with contextlib.suppress(ThunderlabError):
                self.custody.sign_when_due()
            self.telemetry.flush()
        finally:
            self.store.close()
