"""The runner of named lattices: gives each that is to run its turn, saves them about once a second, and samples their entropy then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from thunderlab.automata.cluster.named import NamedLattice
from thunderlab.automata.cluster.rows import Change, LatticeRows, advanced
from thunderlab.automata.events import EntropySampled
from thunderlab.automata.lattice import Lattice
from thunderlab.clock import Clock
from thunderlab.errors import EvidenceError, InputError
from thunderlab.events import Bus
from thunderlab.telemetry import Meter

# A turn of one lattice, shorter when they are many, so that each has a turn about once a second.
TURN_S = 0.1
ROUND_S = 1.0
SAVE_S = 1.0
# How often the store is asked what is to run; a lattice that is paused is left within this time.
LOOK_S = 0.25
# Samples of 64 lattices in so many seconds are fewer than a window of telemetry holds.
FLUSH_S = 60.0
# The trace of a turn takes 16 bytes a step.
MOST_TURN_STEPS = 2**16


@dataclass(frozen=True)
class Services:
    """What a runner is handed: the rows, and the lab's bus, meter and clock."""

    rows: LatticeRows
    bus: Bus
    meter: Meter
    clock: Clock


@dataclass(eq=False)
class _Live:
    """A lattice in memory.

    Attributes:
        saved: its row as it was last read or written.
        lattice: at step `start` when it was made, its first cell then at `origin`.
        since_ns, since_step: from when on its rate is counted.
        turn_steps: how many steps fill a turn.
    """

    saved: NamedLattice
    lattice: Lattice
    origin: tuple[int, ...]
    start: int
    since_ns: int
    since_step: int
    turn_steps: int = 1

    @property
    def step(self) -> int:
        return self.start + self.lattice.step


@dataclass(eq=False)
class Runner:
    """Runs the lattices that are to run, one turn after the other; make only one a workspace, under its lock.

    Args:
        services: what it works with.
        name: who it is, for the rows it signs.
        every_s: the fewest seconds between two samples of one lattice.
        on_note: called with sentences a person may want to read.

    Attributes:
        steps: steps run, in all.
    """

    services: Services
    name: str
    every_s: float
    on_note: Callable[[str], None]
    steps: int = 0
    _live: dict[str, _Live] = field(default_factory=dict)
    _sampled_ns: dict[str, int] = field(default_factory=dict)
    _looked_ns: int | None = None
    _saved_ns: int | None = None
    _flushed_ns: int | None = None

    @property
    def lattices(self) -> int:
        """How many lattices are in its hands."""
        return len(self._live)

    def turn(self) -> bool:
        """Give each lattice that is to run one turn, saving and looking at the store in between; return whether any took a step."""
        self._keep_up()
        moved = False
        for live in tuple(self._live.values()):
            # Looking at the store may have taken it away.
            if live.saved.id in self._live and self._advance(live):
                moved = True
                self._keep_up()
        return moved

    def close(self) -> None:
        """Save everything and sign off."""
        try:
            self._save(self.services.clock.monotonic_ns())
        finally:
            self._live.clear()
            self.services.rows.sign_off(self.name)

    def _keep_up(self) -> None:
        """Save and look at the store when it is time to; a lattice at its end is saved at once."""
        now_ns = self.services.clock.monotonic_ns()
        finished = any(live.step == live.saved.until for live in self._live.values())
        if finished or _is_due(self._saved_ns, min(SAVE_S, self.every_s), now_ns):
            self._save(now_ns)
            self._saved_ns = now_ns
        if _is_due(self._looked_ns, LOOK_S, now_ns):
            self._look()
            self._looked_ns = now_ns
        if _is_due(self._flushed_ns, FLUSH_S, now_ns):
            self.services.meter.flush()
            self._flushed_ns = now_ns

    def _look(self) -> None:
        """Let go of what is no longer to run, take up what is. What others changed meanwhile is noticed when it is saved."""
        wanted = self.services.rows.running()
        for key in self._live.keys() - wanted.keys():
            del self._live[key]
        for key, name in wanted.items():
            if key not in self._live:
                self._take_up(key, name)

    def _take_up(self, id: str, name: str) -> None:
        try:
            found, cells, origin = self.services.rows.with_cells(name)
            if found.status != "running":
                return
            lattice = Lattice(cells, found.rule, found.boundary)
        except (EvidenceError, InputError) as error:
            self._set_aside(id, name, error)
            return
        before = self.services.rows.take(found, self.name)
        if before is not None:
            self.on_note(f"{name}: taken up at step {found.step}, where it was last saved; its runner, {before}, did not live to save more")
        now = self.services.clock.monotonic_ns()
        self._live[found.id] = _Live(saved=found, lattice=lattice, origin=origin, start=found.step, since_ns=now, since_step=found.step)

    def _advance(self, live: _Live) -> bool:
        """Run one turn of a lattice; return whether it took a step."""
        clock = self.services.clock
        started = clock.monotonic_ns()
        steps = self._allowed(live, started)
        if steps == 0:
            return False
        try:
            live.lattice.advance(steps)
        except (EvidenceError, InputError) as error:
            self._set_aside(live.saved.id, live.saved.name, error)
            return False
        self.steps += steps
        turn_s = min(TURN_S, ROUND_S / len(self._live))
        took_s = (clock.monotonic_ns() - started) / 1e9
        fitting = int(steps * turn_s / took_s) if took_s > 0 else MOST_TURN_STEPS
        # A turn says little about the next when it was short or compiled a kernel: grow and shrink by steps.
        live.turn_steps = max(1, min(fitting, 4 * live.turn_steps, MOST_TURN_STEPS))
        return True

    def _allowed(self, live: _Live, now_ns: int) -> int:
        """Return how many steps a lattice may take in this turn."""
        steps = live.turn_steps
        if live.saved.until is not None:
            steps = min(steps, live.saved.until - live.step)
        rate = live.saved.rate
        if rate is None:
            return steps
        owed = int((now_ns - live.since_ns) * rate / 1e9) - (live.step - live.since_step)
        if owed > max(2.0, rate):
            # More than a second behind: what could not be run is not owed for ever.
            live.since_ns, live.since_step, owed = now_ns, live.step, max(1, int(rate))
        return max(0, min(steps, owed))

    def _save(self, now_ns: int) -> None:
        """Save what has moved, record the end of what has reached it, and sample what was saved."""
        moved = [live for live in self._live.values() if live.step != live.saved.step]
        if not moved:
            return
        changes: list[Change] = []
        with self.services.meter.span("ca.cluster.save"):
            for live in moved:
                try:
                    changes.append(advanced(live.saved, live.lattice, live.origin, live.step))
                except InputError as error:
                    self._set_aside(live.saved.id, live.saved.name, error)
            written = self.services.rows.put(changes, runner=self.name)
        for change, now in zip(changes, written, strict=True):
            if now is None or now.status != "running":
                # It ended, or somebody changed it meanwhile; then what was run beyond the last save is run again when it is wanted.
                del self._live[change.found.id]
            else:
                self._live[now.id].saved = now
            if now is not None:
                self._sample(now, now_ns)

    def _sample(self, now: NamedLattice, now_ns: int) -> None:
        if _is_due(self._sampled_ns.get(now.id), self.every_s, now_ns):
            self._sampled_ns[now.id] = now_ns
            self.services.meter.record("ca.entropy.sample", round(now.entropy * 1e6), "ubit")
            self.services.bus.emit(EntropySampled(scenario=now.name, step=now.step, entropy=now.entropy))

    def _set_aside(self, id: str, name: str, error: EvidenceError | InputError) -> None:
        """Pause a lattice that cannot be run, so that the others can be."""
        self._live.pop(id, None)
        self.services.rows.set_aside(id)
        self.on_note(f"{name}: cannot be run on and was paused: {error}")


def _is_due(last_ns: int | None, every_s: float, now_ns: int) -> bool:
    return last_ns is None or now_ns - last_ns >= round(every_s * 1e9)
