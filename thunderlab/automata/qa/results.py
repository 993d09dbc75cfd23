"""What a QA run answers with: plain frozen records that travel to the store, the report and JSON alike."""

from __future__ import annotations

import msgspec

Value = float | int | str | None


class Breach(msgspec.Struct, frozen=True):
    """One metric outside what was promised: the value, what was expected, and the limits it had to stay within."""

    metric: str
    value: Value
    baseline: Value
    low: Value
    high: Value


class EngineDigest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which engine computed something.

    Attributes:
        digest: over its sources and its backend, see `engine_digest.engine_digest`.
        backend: what its kernels run on, for example `taichi`.
        version: of the backend.
    """

    digest: str
    backend: str
    version: str

    def __str__(self) -> str:
        return f"{self.digest[:12]} ({self.backend} {self.version})"


class Checkpoint(msgspec.Struct, frozen=True):
    """The state at one step, as it lies: SHA-256 of `fingerprint.canonical_cells`, which no engine and no layout has a part in."""

    step: int
    cells_sha256: str


class ScenarioResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one scenario went.

    Attributes:
        name: the scenario's name.
        title: what it is, in words.
        regime: `fixed`, `periodic`, `chaotic` or `edge`.
        rule: the rule in its canonical spelling.
        boundary: `torus`, `dead` or `plane`.
        shape: lattice size, `[y, x]` or `[z, y, x]`; on a plane that of the box the start lies in.
        steps: steps simulated.
        seed: the scenario's seed.
        passed: no breach.
        metrics: observables by name; None where one is undefined.
        breaches: what was outside, empty when it passed.
        duration_us: wall time of the scenario.
        entropy: state entropy in bits, at most 200 samples evenly spread from step 0 to the end; on a plane of the box around the cells.
        scenario_digest: digest of the scenario as run.
        final_state: the last lattice as `packed_states.pack` writes it, for pictures and for replay; on a plane the box around its cells.
        checkpoints: the states at the probes and at the end, for replay.
        ensemble: what each further seed measured, by metric; empty for a scenario without an ensemble.
    """

    name: str
    title: str
    regime: str
    rule: str
    boundary: str
    shape: tuple[int, ...]
    steps: int
    seed: int
    passed: bool
    metrics: dict[str, Value]
    breaches: tuple[Breach, ...]
    duration_us: int
    entropy: tuple[float, ...]
    scenario_digest: str
    final_state: bytes
    checkpoints: tuple[Checkpoint, ...] = ()
    ensemble: dict[str, tuple[float, ...]] = {}


class SuiteResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one suite went.

    Attributes:
        suite: its name.
        passed: every scenario passed and the suite stayed within its budget.
        duration_us: wall time of the whole suite.
        budget_s: the longest it may take.
        breaches: what the suite as a whole breached (`suite.duration_s`), empty when nothing.
        scenarios: one result each, in name order.
        pack: digest of the pack that was run, see `pack.pack_of`; empty in results of versions that had none.
        engine: what computed it.
        courses: digest of the populations and fingerprints of every step, see `courses`; empty when they were not kept.
        notes: what a reader should know and what breaches nothing.
    """

    suite: str
    passed: bool
    duration_us: int
    budget_s: float
    breaches: tuple[Breach, ...]
    scenarios: tuple[ScenarioResult, ...]
    pack: str = ""
    engine: EngineDigest | None = None
    courses: str = ""
    notes: tuple[str, ...] = ()
