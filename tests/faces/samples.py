"""Readiness, suites, provenance and notebooks to render: one set per status, and one with hostile text in every field."""

from __future__ import annotations

import msgspec
import numpy as np

from thunderlab.automata.kernels.reference import simulate
from thunderlab.automata.packed_states import pack
from thunderlab.automata.qa.bands import Band, EnsembleBand
from thunderlab.automata.qa.baseline import Baseline, ScenarioBaseline
from thunderlab.automata.qa.results import Breach, EngineDigest, ScenarioResult, SuiteResult
from thunderlab.automata.rules import parse_rule
from thunderlab.faces.report.provenance import NotebookRun, Provenance, Pruning
from thunderlab.gate.readiness import Blocking, DeployGate, Readiness
from thunderlab.gate.reading import Reading

STATUSES = ("healthy", "degraded", "blocked", "unknown")
ODD = 'a|b\n"quoted" <i>é\u2028</i> & \x07 `tick` ]]> \U0001f9ec'
DIGEST = "3f5a" * 16
PACK = "c0de" * 16
ENGINE = EngineDigest("e11e" * 16, "taichi", "1.7.4")
# Sixteen seeds: 0.10, 0.11, ... 0.25 bits. Their median, the eighth of them, is 0.17.
ENTROPIES = tuple(round(0.10 + index / 100, 2) for index in range(16))


def _soup(seed, density, shape):
    return (np.random.default_rng(seed).random(shape) < density).astype(np.uint8)


def scenario(name="glider-torus", *, passed=True, **changes):
    cells = np.zeros((64, 64), dtype=np.uint8)
    cells[30, 31] = cells[31, 32] = 1
    cells[32, 30:33] = 1
    breaches = (
        ()
        if passed
        else (
            Breach("entropy_mean", 0.412, 0.351, 0.333, 0.369),
            Breach("oscillation_period", None, 4, 4, 4),
            Breach("baseline.scenario_digest", DIGEST, DIGEST, DIGEST, DIGEST),
        )
    )
    fields = {
        "name": name,
        "title": "A glider crosses the torus",
        "regime": "periodic",
        "rule": "B3/S23",
        "boundary": "torus",
        "shape": (64, 64),
        "steps": 256,
        "seed": 7,
        "passed": passed,
        "metrics": {
            "entropy_mean": 0.01337,
            "entropy_std": 0.0,
            "alive_ratio": 0.001221,
            "cluster_count": 1,
            "convergence_steps": None,
            "oscillation_period": 256,
            "population": 5,
            "digest": DIGEST,
        },
        "breaches": breaches,
        "duration_us": 18_420,
        "entropy": tuple([0.0134] * 100),
        "scenario_digest": DIGEST,
        "final_state": pack(cells),
    }
    return ScenarioResult(**(fields | changes))


def band(low=0.1, high=0.25, *, median_low=0.13, median_high=0.2, most_outside=4):
    """A band, by default one that all of `ENTROPIES` lie in; with 0.12 to 0.2 nine do and seven do not."""
    return EnsembleBand(low, high, 16, 0.73604, 0.95, most_outside, 0.17, median_low, median_high)


def baseline(of, *, bands=None, **changes):
    """The baseline that a suite's results set, its engine and pack included, with these bands for `life-soup`."""
    bands = {"activity": band(0.0, 1.0, median_low=0.0, median_high=1.0), "entropy_mean": band()} if bands is None else bands
    found = {
        one.name: ScenarioBaseline(one.scenario_digest, dict(one.metrics), Band(0.0, 1.0), bands if one.ensemble else {})
        for one in of.scenarios
    }
    return Baseline(**({"format": 2, "suite": of.suite, "pack": PACK, "engine": ENGINE, "scenarios": found} | changes))


def baselines(status="healthy"):
    """What the suite of `sample` is held against: degraded by another engine, blocked by narrower limits than the run was judged by."""
    if status == "unknown":
        return {}
    narrow = {"entropy_mean": band(0.12, 0.2, median_low=0.18, median_high=0.2)} if status == "blocked" else None
    engine = EngineDigest("d0d0" * 16, "taichi", "1.7.3") if status == "degraded" else ENGINE
    return {"core": baseline(suite(passed=status != "blocked"), bands=narrow, engine=engine)}


def suite(*, passed=True):
    life, bays = parse_rule("B3/S23", dimensions=2), parse_rule("B5-7/S4-6", dimensions=3)
    soup = simulate(_soup(1, 0.4, (96, 96)), life, 60)
    solid = simulate(_soup(2, 0.3, (20, 20, 20)), bays, 10, "dead")
    falling = tuple(float(0.97 * np.exp(-step / 60) + 0.2) for step in range(200))
    noisy = tuple(float(value) for value in 0.86 + 0.02 * np.random.default_rng(3).standard_normal(200))
    found = (
        scenario("bays-5766", title="Bays 5766 in three dimensions", regime="chaotic", rule="B5-7/S4-6", boundary="dead", shape=(20, 20, 20), steps=120, entropy=noisy, final_state=pack(solid), duration_us=912_000),
        scenario(),
        scenario("life-soup", title="A 40 % soup settles", regime="edge", shape=(96, 96), steps=2_000, entropy=falling, final_state=pack(soup), passed=passed, duration_us=1_203_000, ensemble={"activity": ENTROPIES, "entropy_mean": ENTROPIES}),
        scenario("lone-cell", title="A lone cell dies", regime="fixed", shape=(32, 32), steps=10, entropy=(0.01, 0.0), final_state=pack(np.zeros((32, 32), dtype=np.uint8))),
    )  # fmt: skip
    breaches = (
        () if passed else (Breach("suite.duration_s", 96.2, None, 0.0, 90.0), Breach("baseline.orphan", None, "old-name", None, None))
    )
    return SuiteResult(
        suite="core",
        passed=passed,
        duration_us=2_150_000 if passed else 96_200_000,
        budget_s=90.0,
        breaches=breaches,
        scenarios=found,
        pack=PACK,
        engine=ENGINE,
        notes=() if passed else ("no baseline is known for 2 of the scenarios",),
    )


def readings(status):
    wave = tuple(float(8_000 + 900 * np.sin(step / 3)) for step in range(30))
    found = [
        Reading(name="event_chain.audit.failures", title="Event chain audit failures", value=0, unit="count", samples=1_204, age_s=42.0, source="event_chain_blocks", status="healthy", required=True, threshold="blocked above 0", history=(0.0,) * 12),
        Reading(name="ca.qa.breaches", title="CA QA breaches, core suite", value=0, unit="count", samples=4, age_s=3.0, source="ca.qa.scenario.completed", status="healthy", required=True, threshold="blocked above 0"),
        Reading(name="ca.entropy.mean_bits", title="CA state entropy, mean over scenarios", value=0.5713, unit="bits", samples=4, age_s=3.0, source="ca.entropy.sample", status="healthy", threshold="degraded outside 0.2 to 0.9", history=(0.56, 0.571, 0.5713)),
        Reading(name="ledger.append.latency_us_p95", title="Ledger append latency, 95th percentile", value=8_431.5, unit="us", samples=512, age_s=61.0, source="ledger.append", status="healthy", threshold="degraded above 20 ms", history=wave),
        Reading(name="run.notebooks.failed", title="Notebooks that failed in the last main job", value=0, unit="count", samples=3, age_s=5.5, source="run.completed", status="healthy", required=True, threshold="blocked above 0"),
    ]  # fmt: skip
    if status == "degraded":
        found[3] = msgspec.structs.replace(found[3], value=31_007.0, status="degraded", required=True, why="p95 is above 20 ms.")
    if status == "blocked":
        found[0] = msgspec.structs.replace(found[0], value=2, status="blocked", why="Two blocks do not hash to what they say.")
        found[1] = msgspec.structs.replace(found[1], value=1, status="blocked", why="life-soup breached 2 metrics.")
    if status == "unknown":
        found[0] = msgspec.structs.replace(
            found[0], value=None, samples=0, age_s=None, history=(), status="unknown", why="No audit has been recorded yet."
        )
        found[1] = msgspec.structs.replace(found[1], age_s=401_000.0, status="unknown", why="The newest sample is older than 1 day.")
    return tuple(found)


def readiness(status="healthy"):
    found = readings(status)
    blocking = tuple(
        Blocking(gate=reading.name, value=reading.value, threshold=reading.threshold, why=reading.why)
        for reading in found
        if reading.status != "healthy"
    )
    gates = (
        DeployGate(name="event chain", title="Event chain audit failures", reading="event_chain.audit.failures"),
        DeployGate(name="ca_qa", title="CA QA suite", reading="ca.qa.breaches"),
        DeployGate(name="policy chain", title="Policy chain continuity", reading=None),
        DeployGate(name="vector latency", title="Vector search latency, 95th percentile", reading=None),
        DeployGate(name="cluster churn", title="Clustering churn, sustained over 3 intervals", reading=None),
    )
    return Readiness(
        status=status,
        blocking=blocking,
        readings=found,
        gates=gates,
        absent=("policy chain", "vector latency", "cluster churn"),
        coverage="2 of 5 deploy gates measured; not yet: policy chain, vector latency, cluster churn",
        thresholds_sha256=DIGEST,
        at="2026-01-31T12:05:09.123456Z",
    )


def provenance(**changes):
    fields = {
        "run_id": "018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b",
        "built_at": "2026-01-31T12:05:10.000000Z",
        "commit": "9f2c1e7d6b5a49382716f5e4d3c2b1a098765432",
        "dirty": False,
        "versions": {"thunderlab": "0.1.0", "numpy": "2.4.1", "taichi": "1.7.4", "papermill": "2.7.0"},
        "python": "3.11.9",
        "platform": "Linux 6.1 x86_64, 2 processors",
        "seeds": {"bays-5766": 11, "glider-torus": 7, "life-soup": 7, "lone-cell": 1},
        "parameters": {"suite": "core", "steps": "256"},
        "ledger_origin": "thunderlab/main",
        "ledger_seq": 1_204,
        "ledger_head": "ab12" * 16,
        "ledger_root": "cd34" * 16,
        "ledger_signed_size": 1_200,
        "ledger_pruned": (
            Pruning(chain="events", seq=1_101, at="2026-01-30T03:00:00.000000Z", before=1_000, blocks=987, bytes=123_456, size=1_100),
        ),
    }
    return Provenance(**(fields | changes))


def notebooks(status="healthy"):
    found = [
        NotebookRun(name="00_tour", status="ok", duration_us=4_210_000, html="notebooks/00_tour.html"),
        NotebookRun(name="10_ca_qa", status="ok", duration_us=11_800_000, html="notebooks/10_ca_qa.html"),
        NotebookRun(name="90_readiness", status="ok", duration_us=3_050_000, html="notebooks/90_readiness.html"),
    ]
    if status == "blocked":
        found[1] = NotebookRun(
            name="10_ca_qa", status="failed", duration_us=9_000_000, html="notebooks/10_ca_qa.html", why="cell 5: AssertionError"
        )
        found[2] = NotebookRun(name="90_readiness", status="skipped", duration_us=0, html=None, why="10_ca_qa failed")
    return tuple(found)


def sample(status="healthy"):
    """Everything a report is made of: readiness, suites, provenance, notebooks, baselines."""
    suites = () if status == "unknown" else (suite(passed=status != "blocked"),)
    changes = {"commit": None, "dirty": None, "run_id": None, "seeds": {}, "parameters": {}} if status == "unknown" else {}
    changes |= {"dirty": True} if status == "degraded" else {}
    return readiness(status), suites, provenance(**changes), () if status == "unknown" else notebooks(status), baselines(status)


PAYLOADS = (
    '"><img src=x onerror="window.hit=1">',
    "<script>window.hit=1</script>",
    "</script><script>window.hit=1</script>",
    "</style><svg onload=window.hit=1>",
    "</title></textarea></noscript><img src=x onerror=window.hit=1>",
    "javascript:window.hit=1//",
    "' autofocus onfocus=window.hit=1 x='",
    "{{ 7*7 }}<svg/onload=window.hit=1>{% raw %}",
    "<!--><script>window.hit=1</script>-->",
    "\u003cscript\u003ewindow.hit=1\u003c/script\u003e<iframe srcdoc='<script>parent.hit=1</script>'>",
)


def hostile(text):
    """A report in which every text field, and every key of every mapping, is `text`."""
    breach = Breach(text, text, text, text, text)
    result = scenario(text, title=text, regime=text, rule=text, boundary=text, passed=False, metrics={text: text, text + "2": None}, breaches=(breach,), scenario_digest=text, ensemble={text: (0.1, 0.2, 5.0)})  # fmt: skip
    engine = EngineDigest(text, text, text)
    found = SuiteResult(suite=text, passed=False, duration_us=1, budget_s=1.0, breaches=(breach,), scenarios=(result,), pack=text, engine=engine, notes=(text,))  # fmt: skip
    held = baseline(found, bands={text: band(most_outside=0)}, pack=text + "2", engine=EngineDigest(text + "2", text, text))
    reading = Reading(name=text, title=text, value=1.5, unit=text, samples=1, age_s=1.0, source=text, status="blocked", threshold=text, why=text, history=(1.0, 2.0))  # fmt: skip
    verdict = Readiness(
        status="blocked",
        blocking=(Blocking(gate=text, value=1, threshold=text, why=text),),
        readings=(reading,),
        gates=(DeployGate(name=text, title=text, reading=text), DeployGate(name=text, title=text, reading=None)),
        absent=(text,),
        coverage=text,
        thresholds_sha256=text,
        at=text,
    )
    source = provenance(run_id=text, built_at=text, commit=text, versions={text: text}, python=text, platform=text, seeds={text: 1}, parameters={text: text}, ledger_origin=text, ledger_head=text, ledger_root=text)  # fmt: skip
    runs = (NotebookRun(name=text, status=text, duration_us=1, html=text, why=text),)
    return verdict, (found,), source, runs, {text: held}
