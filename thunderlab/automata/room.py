"""The automata room as a lab holds it: `lab.automata`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from thunderlab.automata import backend
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.cluster.cluster import Cluster
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.observe import Observation, observe
from thunderlab.automata.qa.desk import Qa
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.rules import parse_rule
from thunderlab.clock import Clock
from thunderlab.events import Bus
from thunderlab.ledger import Chain
from thunderlab.store import Store
from thunderlab.telemetry import Meter


class Automata:
    """Simulates, observes and judges cellular automata.

    Attributes:
        qa: suites, baselines and replays.
        cluster: named lattices that go on running.
    """

    def __init__(self, *, store: Store, bus: Bus, chain: Chain, meter: Meter, clock: Clock, scenarios: Path, workspace: Path) -> None:
        self._cache = workspace / "cache" / "taichi"
        self.qa = Qa(
            store=store, bus=bus, chain=chain, meter=meter, clock=clock, scenarios=scenarios, workspace=workspace, engine=self._engine
        )
        self.cluster = Cluster(store=store, bus=bus, meter=meter, clock=clock, workspace=workspace, engine=self._engine)

    def observe(
        self,
        cells: Cells,
        rule: str,
        steps: int,
        boundary: Boundary = "torus",
        *,
        every: int | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> tuple[Observation, Cells]:
        """Run a lattice and return what was seen together with its final cells; see `observe.observe`."""
        self._engine()
        return observe(cells, parse_rule(rule, dimensions=cells.ndim), boundary, steps, every=every, on_progress=on_progress)

    def lattice(self, scenario: Scenario) -> Lattice:
        """Return a scenario's lattice at step 0, ready to be advanced."""
        self._engine()
        return Lattice(scenario.initial_cells(), scenario.rule, scenario.boundary)

    def _engine(self) -> None:
        """Start the engine with this workspace's cache of compiled kernels; only the first start in a process counts."""
        backend.start(self._cache)
