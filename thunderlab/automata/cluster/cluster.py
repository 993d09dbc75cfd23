"""Named lattices that go on running, several at once: `lab.automata.cluster`.

A lattice is a row of the store, with its cells. Any process creates, pauses, steps, stops and looks at lattices there, at once and
without waiting; one runner per workspace (`thunderlab automata cluster run`, or `running` in Python) runs those that are to run and
saves them about once a second. What is not saved when a runner dies is run again by the next one, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.cluster.named import NamedLattice, Plan, Status, plan
from thunderlab.automata.cluster.rows import Change, LatticeRows, Seen, advanced, ended
from thunderlab.automata.cluster.runner import Services
from thunderlab.automata.cluster.running import Running
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.rules import Rule
from thunderlab.clock import Clock
from thunderlab.errors import InputError
from thunderlab.events import Bus
from thunderlab.locks import holder
from thunderlab.store import Store
from thunderlab.telemetry import Meter

LOCK = "cluster.lock"
MOST_STEPS = 10**8

# Between two calls of `on_progress`: cell updates (about a tenth of a second) and steps (a trace entry each).
_PART_CELLS = 10**9
_MOST_PART = 2**16


class Cluster:
    """The named lattices of a workspace.

    Args:
        store, bus, meter, clock: the lab's services.
        workspace: where the runner's lock is.
        engine: called before anything is simulated, to start the engine with the lab's cache.

    >>> import tempfile, numpy as np, thunderlab
    >>> row = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder, thunderlab.open(folder) as lab:
    ...     made = lab.automata.cluster.create("blinker", row, "B3/S23", "dead", until=3)
    ...     with lab.automata.cluster.running() as running:
    ...         running.wait(until_idle=True)
    ...     lab.automata.cluster.get("blinker").status, lab.automata.cluster.cells("blinker").tolist()
    ('stopped', [[0, 1, 0], [0, 1, 0], [0, 1, 0]])
    """

    def __init__(self, *, store: Store, bus: Bus, meter: Meter, clock: Clock, workspace: Path, engine: Callable[[], None]) -> None:
        self._rows = LatticeRows(store, bus, clock)
        self._services = Services(rows=self._rows, bus=bus, meter=meter, clock=clock)
        self._lock = workspace / LOCK
        self._engine = engine

    def create(
        self,
        name: str,
        cells: Cells,
        rule: Rule | str,
        boundary: Boundary = "torus",
        *,
        source: str = "",
        rate: float | None = None,
        until: int | None = None,
        paused: bool = False,
    ) -> NamedLattice:
        """Create a lattice and return it; arguments and errors as for `named_lattice.plan` and `add`."""
        self._engine()
        return self.add(plan(name, cells, rule, boundary, source=source, rate=rate, until=until, paused=paused))

    def add(self, planned: Plan) -> NamedLattice:
        """Create what was planned, and return it.

        Raises:
            InputError: the name is taken, also when another process was faster, or there are 64 lattices already.
        """
        return self._rows.add(planned)

    def list(self) -> tuple[NamedLattice, ...]:
        """Return every lattice, in name order."""
        return self._rows.all()

    def get(self, name: str) -> NamedLattice:
        """Return a lattice as it was last saved.

        Raises:
            InputError: there is none of that name; the message names those there are.
        """
        return self._rows.one(name)

    def cells(self, name: str) -> Cells:
        """Return a lattice's cells as they were last saved; errors as for `get`."""
        return self._rows.with_cells(name).cells

    def seen(self, name: str) -> Seen:
        """Return a lattice, its cells at that very step and where on a plane they lie; errors as for `get`."""
        return self._rows.with_cells(name)

    def pause(self, name: str) -> NamedLattice:
        """Have a lattice stay at the step it was last saved at, and return it; one that is paused stays so.

        Raises:
            InputError: there is none of that name, or it was stopped.
        """
        return self._turn(name, "paused")

    def resume(self, name: str) -> NamedLattice:
        """Have a lattice run on, as soon as there is a runner, and return it; one that runs stays so.

        Raises:
            InputError: there is none of that name, or it was stopped.
        """
        return self._turn(name, "running")

    def step(self, name: str, steps: int, *, on_progress: Callable[[int], None] | None = None) -> NamedLattice:
        """Run a paused lattice by exactly so many steps, here and now, and return it; interrupted, it stays where it was.

        No runner is needed and none is disturbed. When somebody else changes the lattice meanwhile, the steps are run again from
        where it then is. At its `until` it is stopped.

        Args:
            name: of a paused lattice.
            steps: 1..10^8.
            on_progress: called now and then with the number of steps done.

        Raises:
            InputError: there is none of that name, it is not paused, or `steps` is out of range or would lead beyond its `until`.
        """
        if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
            raise InputError(f"expected 1 to {MOST_STEPS} steps", field="steps")
        while True:
            found, cells, origin = self._rows.with_cells(name)
            if found.status != "paused":
                advice = "pause it first" if found.status == "running" else "it stays as it is"
                raise InputError(f"is {found.status}; {advice}", where=f"lattice {name}")
            if found.until is not None and found.step + steps > found.until:
                left = found.until - found.step
                raise InputError(f"has {left} steps left until step {found.until}, where it ends", where=f"lattice {name}", field="steps")
            self._engine()
            lattice = Lattice(cells, found.rule, found.boundary)
            part = max(1, min(_MOST_PART, _PART_CELLS // cells.size))
            while lattice.step < steps:
                lattice.advance(min(part, steps - lattice.step))
                if on_progress is not None:
                    on_progress(lattice.step)
            [now] = self._rows.put([advanced(found, lattice, origin, found.step + steps)])
            if now is not None:
                return now

    def stop(self, name: str) -> NamedLattice:
        """End a lattice for good at the step it was last saved at, record its end, and return it; it can still be looked at.

        Raises:
            InputError: there is none of that name.
        """
        while (found := self._rows.one(name)).status != "stopped":
            # First paused: a runner would go on saving while the digest is computed.
            if found.status == "running":
                self.pause(name)
            seen = self._rows.with_cells(name)
            found = seen.lattice
            if found.status == "paused":
                self._rows.put([ended(found, seen, "asked")])
        return found

    def remove(self, name: str) -> NamedLattice:
        """Throw a paused or stopped lattice away, and return what it was; the ledger keeps that it was created and how it ended.

        Raises:
            InputError: there is none of that name, or it is running.
        """
        while True:
            seen = self._rows.with_cells(name)
            found = seen.lattice
            if found.status == "running":
                raise InputError("is running; pause or stop it first", where=f"lattice {name}")
            if self._rows.remove(Change(found, found) if found.status == "stopped" else ended(found, seen, "removed")):
                return found

    def runner(self) -> str | None:
        """Return who runs the running lattices (`pid 41 (thunderlab automata cluster run)`), None when nobody does."""
        return holder(self._lock)

    def running(self, *, every_s: float = 1.0, on_note: Callable[[str], None] | None = None) -> Running:
        """Return a runner of this workspace's lattices: a background thread, for the length of a `with` block.

        Args:
            every_s: the fewest seconds between two `ca.entropy.sample` of one lattice, 0.05..3600.
            on_note: called, from that thread, with sentences a person may want to read.

        Raises:
            InputError: `every_s` is out of range.
        """
        return Running(self._services, self._lock, engine=self._engine, every_s=every_s, on_note=on_note)

    def _turn(self, name: str, wanted: Status) -> NamedLattice:
        while True:
            found = self._rows.one(name)
            if found.status == "stopped":
                raise InputError(f"was stopped for good at step {found.step}", where=f"lattice {name}")
            if found.status == wanted:
                return found
            [now] = self._rows.put([Change(found, msgspec.structs.replace(found, status=wanted))])
            if now is not None:
                return now
