"""The deploy policy: the judged readings are put to it as integers, and its answer is a reading of its own.

It is asked last, since it judges the others. Its verdict is on record like any other, and a denial blocks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from thunderlab.gate.reading import Reading, Status
from thunderlab.policy import ppm

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "policy.deploy.denied"
MODULE = "gate"
PRINCIPAL = {"type": "Lab::Service", "id": "gate"}
ACTION = {"type": "Lab::Action", "id": "deploy"}
WORKSPACE = "Lab::Workspace"

# What the policy is told, and by which reading; what ends in `ppm` is a fraction in parts per million.
TOLD = (
    ("event_chain_failures", "event_chain.audit.failures"),
    ("policy_chain_failures", "policy.chain.failures"),
    ("qa_breaches", "ca.qa.breaches"),
    ("replay_fidelity_ppm", "ca.qa.replay_fidelity"),
    ("notebooks_failed", "run.notebooks.failed"),
    ("append_us_p95", "ledger.append.latency_us_p95"),
    ("verdict_us_p95", "policy.verdict.latency_us_p95"),
)


def question(readings: Sequence[Reading], workspace: str) -> dict[str, Any]:
    """Return the request that asks whether a lab with these judged readings may be deployed.

    Numbers are whole: counts and microseconds rounded up, parts per million down, so that rounding never makes a lab look better. What
    was not read, or cannot be relied on, is not told.

    Args:
        readings: judged by the thresholds file.
        workspace: what the lab is called.

    >>> fidelity = Reading(name="ca.qa.replay_fidelity", title="", value=0.9999999, unit="fraction", samples=9, age_s=0.0, source="", status="blocked")
    >>> question([fidelity], "here")["context"]
    {'blocked': 1, 'unknown': 0, 'replay_fidelity_ppm': 999999}
    """
    by_name = {reading.name: reading for reading in readings}
    context: dict[str, int] = {
        "blocked": sum(reading.status == "blocked" for reading in readings),
        "unknown": sum(reading.status == "unknown" and reading.required for reading in readings),
    }
    for told, name in TOLD:
        reading = by_name.get(name)
        if reading is not None and reading.value is not None and reading.status != "unknown":
            context[told] = ppm(reading.value, "down") if told.endswith("_ppm") else math.ceil(reading.value)
    return {"principal": PRINCIPAL, "action": ACTION, "resource": {"type": WORKSPACE, "id": workspace}, "context": context}


def why_denied(reasons: Sequence[str], errors: Sequence[str], request_errors: Sequence[str], whys: dict[str, str]) -> str:
    """Return why the policy denies, in its own words where it has some.

    >>> why_denied(["deploy.qa"], [], [], {"deploy.qa": "the suite must have run"})
    'deploy.qa: the suite must have run'
    >>> why_denied([], [], [], {})
    'no policy permits it'
    """
    if request_errors:
        return f"the question cannot be put: {'; '.join(request_errors)}"
    if errors and not reasons:
        return f"could not be evaluated: {', '.join(errors)}"
    return "; ".join(f"{policy}: {whys[policy]}" if policy in whys else policy for policy in reasons) or "no policy permits it"


def counts(status: Status) -> bool:
    """Return whether a denial counts as one: where evidence is missing, it says no more than that, and nothing is known to be wrong."""
    return status != "unknown"
