"""The rows of named lattices: read whole, and changed only by those who know what they change.

Nobody locks a lattice. A change names the row as it was read (`id`, `status`, `step`); when another process has been there in
between, nothing is changed and the caller looks again. So pausing takes effect at once whatever a runner is doing, and what the
runner has in memory beyond the last save is dropped: the steps are the same whenever they are run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from thunderlab.automata.cells import Cells
from thunderlab.automata.cluster.named import MOST_LATTICES, MOST_SAMPLES, NamedLattice, Plan, Sample, check_name, pack_state, unpack_state
from thunderlab.automata.events import LatticeCreated, LatticeStopped
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.fingerprint import cells_sha256
from thunderlab.automata.measures.observables import state_entropy
from thunderlab.automata.tables import CA_LATTICES
from thunderlab.clock import Clock, IdSource, rfc3339
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.store import Store

Reason = Literal["asked", "finished", "removed"]

_ROW = CA_LATTICES.c
_KNOWN = [column for column in _ROW if column.name not in ("runner", "state")]


@dataclass(frozen=True)
class Change:
    """A lattice as it was read and as it is to be.

    Attributes:
        found: as it was read.
        now: as it is to be; `updated_at` is filled in when it is written.
        state: the packed cells when they changed.
        stopped: the event to record when this is its end.
    """

    found: NamedLattice
    now: NamedLattice
    state: bytes | None = None
    stopped: LatticeStopped | None = None


class Seen(NamedTuple):
    """A lattice and its cells at that very step.

    Attributes:
        lattice: what is known about it.
        cells: uint8 `[y x]` or `[z y x]`; on a plane the smallest box around those that are not 0.
        origin: where the first of them lies, counted from the first of the cells it was created with; other than zeros on a plane only.
    """

    lattice: NamedLattice
    cells: Cells
    origin: tuple[int, ...]


class LatticeRows:
    """The named lattices of one store."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ids = IdSource(clock)

    def all(self) -> tuple[NamedLattice, ...]:
        """Return every lattice, in name order."""
        with self._store.read() as connection:
            # Sorted here: a database sorts text as its language does.
            return tuple(sorted((_record(row) for row in connection.execute(sa.select(*_KNOWN)).mappings()), key=attrgetter("name")))

    def one(self, name: str) -> NamedLattice:
        """Return one lattice.

        Raises:
            InputError: there is none of that name; the message names those there are.
        """
        check_name(name)
        with self._store.read() as connection:
            return _record(_found(connection, name, _KNOWN))

    def with_cells(self, name: str) -> Seen:
        """Return one lattice and its cells at that very step; errors as for `one`, and EvidenceError when the cells are damaged."""
        check_name(name)
        with self._store.read() as connection:
            row = _found(connection, name, [*_KNOWN, _ROW.state])
        try:
            found, (cells, origin) = _record(row), unpack_state(row["state"])
        except EvidenceError as error:
            raise EvidenceError(error.what, where=f"lattice {name}") from None
        return Seen(found, cells, origin)

    def running(self) -> dict[str, str]:
        """Return the name of every running lattice by its id."""
        query = sa.select(_ROW.id, _ROW.name).where(_ROW.status == "running")
        with self._store.read() as connection:
            return {row.id: row.name for row in sorted(connection.execute(query), key=attrgetter("name"))}

    def add(self, plan: Plan) -> NamedLattice:
        """Create a lattice, with the event that tells of it.

        Raises:
            InputError: the name is taken, or there are as many lattices as there may be.
        """
        at = rfc3339(self._clock.now_us())
        entropy = state_entropy(plan.population, plan.cells.size)
        made = NamedLattice(
            name=plan.name,
            id=self._ids.new(),
            status="paused" if plan.paused else "running",
            rule=str(plan.rule),
            boundary=plan.boundary,
            shape=plan.cells.shape,
            source=plan.source,
            step=0,
            population=plan.population,
            entropy=entropy,
            rate=plan.rate,
            until=plan.until,
            created_at=at,
            updated_at=at,
            trace=(Sample(0, plan.population, entropy),),
        )
        told = LatticeCreated(
            lattice_id=made.id,
            name=made.name,
            rule=made.rule,
            boundary=made.boundary,
            shape=made.shape,
            source=made.source,
            cells_sha256=cells_sha256(plan.cells, origin=plan.origin),
        )
        row = {**_columns(made), "state": pack_state(plan.cells, plan.rule.states, plan.origin)}
        with self._store.write() as connection:
            names = connection.execute(sa.select(_ROW.name)).scalars().all()
            if made.name in names:
                raise InputError(f"there is a lattice {made.name!r} already; choose another name, or remove that one", field="name")
            if len(names) >= MOST_LATTICES:
                raise InputError(f"there are {len(names)} lattices, the most there may be; remove one first", field="name")
            connection.execute(CA_LATTICES.insert().values(row))
            self._bus.emit(told, within=connection)
        return made

    def put(self, changes: Sequence[Change], *, runner: str | None = None) -> list[NamedLattice | None]:
        """Write changes in one transaction; return each lattice as it is now, None where the row had moved on and nothing was done.

        Args:
            changes: each of another lattice.
            runner: who runs those that are running, when a runner writes.
        """
        at = rfc3339(self._clock.now_us())
        written: list[NamedLattice | None] = []
        with self._store.write() as connection:
            for change in changes:
                now = msgspec.structs.replace(change.now, updated_at=at)
                values = {**_columns(now), "runner": runner if now.status == "running" else None}
                if change.state is not None:
                    values["state"] = change.state
                done = connection.execute(CA_LATTICES.update().where(_as_found(change.found)).values(values)).rowcount == 1
                if done and change.stopped is not None:
                    self._bus.emit(change.stopped, within=connection)
                written.append(now if done else None)
        return written

    def remove(self, change: Change) -> bool:
        """Delete a lattice, with the event of its end when it had none yet; return False when the row had moved on."""
        with self._store.write() as connection:
            done = connection.execute(CA_LATTICES.delete().where(_as_found(change.found))).rowcount == 1
            if done and change.stopped is not None:
                self._bus.emit(change.stopped, within=connection)
        return done

    def take(self, found: NamedLattice, runner: str) -> str | None:
        """Sign a lattice as run by `runner`, and return who had signed it before and did not live to sign off."""
        with self._store.write() as connection:
            before: str | None = connection.execute(sa.select(_ROW.runner).where(_as_found(found))).scalar()
            connection.execute(CA_LATTICES.update().where(_as_found(found)).values(runner=runner))
        return before

    def set_aside(self, id: str) -> None:
        """Pause a running lattice without reading its row, which may be damaged."""
        with self._store.write() as connection:
            connection.execute(CA_LATTICES.update().where(_ROW.id == id, _ROW.status == "running").values(status="paused", runner=None))

    def sign_off(self, runner: str) -> None:
        """Take a runner's name off every lattice it had signed."""
        with self._store.write() as connection:
            connection.execute(CA_LATTICES.update().where(_ROW.runner == runner).values(runner=None))


def advanced(found: NamedLattice, lattice: Lattice, origin: tuple[int, ...], step: int) -> Change:
    """Return the change from a lattice as it was read to what it has become at `step`; at its `until` that is its end.

    Args:
        found: as it was read.
        lattice: what it has become.
        origin: where the first of the cells lay that `lattice` was made of.
        step: where it stands.

    Raises:
        InputError: it has outgrown what a named lattice may be.
    """
    cells = lattice.cells()
    population = lattice.population
    # Where nothing is alive there is no place; a plane that has died lies at its beginning again.
    at = tuple(before + low for before, low in zip(origin, lattice.origin, strict=True)) if population else (0,) * cells.ndim
    state = pack_state(cells, lattice.rule.states, at)
    entropy = state_entropy(population, cells.size)
    now = msgspec.structs.replace(
        found,
        shape=cells.shape,
        step=step,
        population=population,
        entropy=entropy,
        trace=(*found.trace, Sample(step, population, entropy))[-MOST_SAMPLES:],
    )
    return ended(found, Seen(now, cells, at), "finished", state) if step == found.until else Change(found, now, state)


def ended(found: NamedLattice, seen: Seen, reason: Reason, state: bytes | None = None) -> Change:
    """Return the change from a lattice as it was read to its end as `seen`, with the event that tells of it."""
    now = seen.lattice
    told = LatticeStopped(
        lattice_id=now.id,
        name=now.name,
        step=now.step,
        population=now.population,
        cells_sha256=cells_sha256(seen.cells, origin=seen.origin),
        reason=reason,
    )
    return Change(found, msgspec.structs.replace(now, status="stopped"), state, told)


def no_such_lattice(name: str, names: Sequence[str]) -> InputError:
    """Return the error for a name nobody gave, naming those there are; the caller raises it."""
    there = f"there are: {', '.join(names)}" if names else "there is none; make one with: thunderlab automata cluster create"
    return InputError(f"there is no lattice {name!r}; {there}", field="name")


def _found(connection: sa.Connection, name: str, columns: Sequence[sa.ColumnElement[Any]]) -> sa.RowMapping:
    row = connection.execute(sa.select(*columns).where(_ROW.name == name)).mappings().first()
    if row is None:
        raise no_such_lattice(name, sorted(connection.execute(sa.select(_ROW.name)).scalars()))
    return row


def _record(row: sa.RowMapping) -> NamedLattice:
    """Return what a row says, once it is well-formed."""
    try:
        values = {column: row[column] for column in NamedLattice.__struct_fields__}
        values["shape"] = [int(side) for side in row["shape"].split("x")]
        values["trace"] = msgspec.json.decode(row["trace"])
        return msgspec.convert(values, NamedLattice)
    except (msgspec.MsgspecError, ValueError, TypeError, AttributeError):
        raise EvidenceError("its row in the store is damaged", where=f"lattice {row['name']}") from None


def _columns(record: NamedLattice) -> dict[str, Any]:
    return {**msgspec.structs.asdict(record), "shape": "x".join(map(str, record.shape)), "trace": msgspec.json.encode(record.trace)}


def _as_found(found: NamedLattice) -> sa.ColumnElement[bool]:
    return sa.and_(_ROW.id == found.id, _ROW.status == found.status, _ROW.step == found.step)
