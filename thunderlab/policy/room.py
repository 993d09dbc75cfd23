"""The policy room as a lab holds it: `lab.policy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from thunderlab.canonical import digest
from thunderlab.clock import Clock
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus, Envelope
from thunderlab.ledger import Chain
from thunderlab.policy.events import ReplayCompleted, VerdictCompleted
from thunderlab.policy.record.archive import Archive
from thunderlab.policy.record.audit import Reproduced, reproduce
from thunderlab.policy.record.history import History
from thunderlab.policy.record.loaded import Loaded, Shelf
from thunderlab.policy.record.log import Log, read_log
from thunderlab.policy.record.precedents import Precedents
from thunderlab.policy.record.replay import Replay, replay_history
from thunderlab.policy.record.verdict import Judgement, Verdict, event_of, verdict_of
from thunderlab.policy.record.wire import EntitySet, say, say_entities
from thunderlab.store import Store
from thunderlab.telemetry import Meter

METRIC = "policy.verdict"
MODULE = "lab"
MOST_MODULE = 200

Request = Mapping[str, Any]
Entities = Sequence[Mapping[str, Any]] | EntitySet


class Policy:
    """Decides, and puts every decision on record before it tells it.

    Args:
        store: where verdicts and what they rest on are kept.
        bus: what tells of them.
        chain: the chain of events, where replays are told of.
        verdicts: the chain of verdicts.
        meter: what times them.
        clock: where times come from.
        folders: where the lab's own policy set may be; the first of these folders that exists.

    Attributes:
        archive: policy sets and entities by their digests.
        history: what was decided.
    """

    def __init__(
        self, *, store: Store, bus: Bus, chain: Chain, verdicts: Chain, meter: Meter, clock: Clock, folders: Sequence[Path]
    ) -> None:
        self._store = store
        self._bus = bus
        self._chain = chain
        self._verdicts = verdicts
        self._meter = meter
        self._clock = clock
        self._shelf = Shelf(folders)
        self._kept: frozenset[str] = frozenset()
        self.archive = Archive(store)
        self.history = History(store, verdicts.kind, bus.catalogue)

    @property
    def policies(self) -> Loaded:
        """The lab's own policy set, as its folder holds it now.

        Raises:
            InputError: when something in the folder is wrong.
        """
        return self._shelf.current()

    @property
    def folder(self) -> Path:
        """Where the lab's own policy set lies: `policies` in the workspace when that is there, else the one that ships with the lab."""
        return self._shelf.folder

    def decide(
        self,
        request: Request,
        *,
        entities: Entities = (),
        module: str = MODULE,
        policies: Loaded | None = None,
        within: sa.Connection | None = None,
    ) -> Verdict:
        """Return the answer to a question, once it is durable in the chain of verdicts.

        It fails closed: a request that cannot be built or written down, and one that a `forbid` could not be evaluated for, is denied; so is
        what nothing permits. Each of these is recorded like any other verdict. Threads that ask at the same time share a transaction.

        Args:
            request: `{"principal": {"type", "id"}, "action": ..., "resource": ..., "context": {...}}`, in JSON's values; numbers are integers.
            entities: what is known of the world, in Cedar's JSON form, besides what the policy set's own folder says.
            module: who asks, for the record; at most 200 characters.
            policies: the policy set to ask; the lab's own by default.
            within: record the verdict in this transaction of the store, so that it and what it permits stand or fall together; whoever has one
                open must hand it in, since there is one writer at a time.

        Raises:
            InputError: when the policy set cannot be read: nothing is decided, and whoever asked has no permission.
            EvidenceError: when the chain of verdicts, or the archive, is damaged: nothing can be recorded, and so nothing is decided.
        """
        return self.decide_many([request], entities=entities, module=module, policies=policies, within=within)[0]

    def decide_many(
        self,
        requests: Sequence[Request],
        *,
        entities: Entities = (),
        module: str = MODULE,
        policies: Loaded | None = None,
        within: sa.Connection | None = None,
    ) -> list[Verdict]:
        """Return the answers to several questions, recorded in one transaction; see `decide`."""
        if not 0 < len(module) <= MOST_MODULE or not module.isprintable():
            raise InputError(f"expected 1 to {MOST_MODULE} printable characters", field="module")
        chosen = policies or self.policies
        known, wrong = _known(chosen, entities)
        events = [self._judged(chosen, known, wrong, module, request) for request in requests]
        if not events:
            return []
        told = self._record(events, chosen, known, within)
        for event in events:
            self._meter.record(METRIC, event.latency_us)
        return [verdict_of(event, envelope.id, envelope.at) for event, envelope in zip(events, told, strict=True)]

    def _judged(self, chosen: Loaded, known: EntitySet, wrong: str | None, module: str, request: Request) -> VerdictCompleted:
        said = say(request)
        unsaid = said.unsaid or wrong
        started = self._clock.monotonic_ns()
        judged = Judgement.of_unbuildable(unsaid) if unsaid else chosen.judge(said.document, known)
        latency_us = (self._clock.monotonic_ns() - started) // 1_000
        return event_of(
            judged, module=module, latency_us=latency_us, policy_set=chosen.digest, entities=known.digest, request=said.text, unsaid=unsaid
        )

    def _record(
        self, events: Sequence[VerdictCompleted], chosen: Loaded, known: EntitySet, within: sa.Connection | None
    ) -> Sequence[Envelope]:
        """Make verdicts durable. The first that rest on something bring it into the archive, in their own transaction."""
        if within is not None:  # which may yet be undone, and all that it keeps with it
            return self._keep_and_emit(events, chosen, known, within)
        names = {chosen.digest, known.digest}
        if names <= self._kept:
            return self._bus.emit(*events, into=self._verdicts.append)
        with self._store.write() as connection:
            told = self._keep_and_emit(events, chosen, known, connection)
        self._kept |= names
        return told

    def _keep_and_emit(
        self, events: Sequence[VerdictCompleted], chosen: Loaded, known: EntitySet, connection: sa.Connection
    ) -> Sequence[Envelope]:
        self.archive.put(connection, "policy set", chosen.data)
        self.archive.put(connection, "entities", known.data)
        return self._bus.emit(*events, within=connection, into=self._verdicts.append)

    def log(
        self,
        *,
        decision: str | None = None,
        since: str | None = None,
        limit: int = 50,
        on_progress: Callable[[int], None] | None = None,
    ) -> Log:
        """Return what was decided, newest first; see `log.read_log`."""
        return read_log(self.history, decision=decision, since=since, limit=limit, on_progress=on_progress)

    def audit(self, on_progress: Callable[[int], None] | None = None) -> Reproduced:
        """Decide every recorded verdict again from what is stored, and compare; see `audit.reproduce`."""
        return reproduce(self.history, Precedents(self.archive), on_progress)

    def replay(
        self, policies: Loaded, *, since: str | None = None, limit: int | None = None, on_progress: Callable[[int], None] | None = None
    ) -> Replay:
        """Return what would have been decided differently under another policy set, once that is on record; see `replay.replay_history`."""
        precedents = Precedents(self.archive)
        return self._replayed(
            policies, lambda: replay_history(self.history, precedents, policies, since=since, limit=limit, on_progress=on_progress)
        )

    def replay_file(
        self,
        policies: Loaded,
        path: Path,
        *,
        against: Loaded | None = None,
        entities: Entities = (),
        limit: int | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Replay:
        """Return what would be decided differently of the requests in a Parquet file, once that is on record; see `frames`.

        Args:
            policies: the other policy set.
            path: the file.
            against: the policy set that decides before; without one it is the file's `decision` column, or else the lab's own policy set.
            entities: what is known of the world.
            limit: judge so many of the first rows at most.
            on_progress: called with how many were judged, and how many there are.
        """
        from thunderlab.policy.record.replay_file import replay_file

        given = entities if isinstance(entities, EntitySet) else say_entities(entities)
        return self._replayed(
            policies, lambda: replay_file(path, policies, against, lambda: self.policies, given, limit=limit, on_progress=on_progress)
        )

    def _replayed(self, policies: Loaded, run: Callable[[], Replay]) -> Replay:
        """Take the time of a replay, and put it on record with its result and its policy set."""
        started = self._clock.monotonic_ns()
        found = run()
        found = msgspec.structs.replace(found, duration_us=(self._clock.monotonic_ns() - started) // 1_000)
        data = msgspec.json.encode(found)
        told = ReplayCompleted(
            policy_set=found.policy_set,
            requests=found.requests,
            since=found.since,
            total=found.total,
            changed=found.changed,
            newly_denied=found.newly_denied,
            newly_allowed=found.newly_allowed,
            cannot_be_built=found.cannot_be_built,
            left_out=found.pruned + found.damaged,
            result_sha256=digest(data),
            duration_us=found.duration_us,
        )
        with self._store.write() as connection:
            self.archive.put(connection, "policy set", policies.data)
            self.archive.put(connection, "replay", data)
            self._bus.emit(told, within=connection)
        return found

    def newest_replay(self) -> tuple[Replay, str] | None:
        """Return the newest replay on record and when it was, RFC 3339 UTC; None when there was none.

        Raises:
            EvidenceError: when its stored result is not the one the ledger recorded.
        """
        block = next(self._chain.blocks(name=ReplayCompleted.NAME, newest=1), None)
        if block is None:
            return None
        told = self._bus.catalogue.read(block.event_name, block.event_version, block.payload)
        if not isinstance(told, ReplayCompleted):
            raise EvidenceError(f"block {block.seq} tells of {block.event_name}@{block.event_version}, which is not known here")
        data = self.archive.get("replay", told.result_sha256)
        return msgspec.json.decode(data, type=Replay), block.inserted_at


def _known(chosen: Loaded, entities: Entities) -> tuple[EntitySet, str | None]:
    """Return what is known of the world, and what is wrong with what was said of it."""
    try:
        return chosen.with_own(entities if isinstance(entities, EntitySet) else say_entities(entities)), None
    except InputError as error:
        return chosen.own, str(error)
