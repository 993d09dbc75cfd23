"""What the policy commands answer, for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from thunderlab.faces.cli.answer import facts, seconds, table

if TYPE_CHECKING:
    from thunderlab.policy.record.log import Entry, Log
    from thunderlab.policy.record.replay import Replay
    from thunderlab.policy.record.tally import Sample, Share

_SHOWN = 10


def log_data(found: Log) -> dict[str, Any]:
    """Return a log as JSON: each verdict with the number of its block and the request it answers."""
    data: dict[str, Any] = msgspec.to_builtins(found)
    data["verdicts"] = [
        {"seq": entry.seq, **msgspec.to_builtins(entry.verdict), "request": json.loads(entry.request)} for entry in found.entries
    ]
    del data["entries"]
    return data


def log_text(found: Log) -> str:
    """Return a log for people: counts, latency, then the verdicts."""
    latency = found.latency
    counted = [
        ("verdicts", found.total),
        ("allowed", found.allowed),
        ("denied", f"{found.denied}, {found.failed_closed} of them because something went wrong"),
        ("latency", f"p50 {_us(latency.p50_us)}, p95 {_us(latency.p95_us)}, p99 {_us(latency.p99_us)} of {latency.samples}"),
        *([("pruned", found.pruned)] if found.pruned else []),
        *([("damaged", f"blocks {', '.join(map(str, found.damaged))}; see thunderlab ledger audit")] if found.damaged else []),
    ]
    rows = [_entry(entry) for entry in found.entries]
    listed = [table(["seq", "at", "decision", "who", "does", "to", "because", "us"], rows)] if rows else []
    return "\n\n".join([facts(counted), *listed])


def _entry(entry: Entry) -> tuple[object, ...]:
    verdict, (who, does, to) = entry.verdict, request_words(entry.request)
    because = ", ".join(verdict.reasons or verdict.errors or verdict.request_errors) or "nothing permits it"
    return entry.seq, verdict.at[:19], verdict.decision, who, does, to, because[:60], verdict.latency_us


def request_words(text: str) -> tuple[str, str, str]:
    """Return who does what to what, of a recorded request.

    >>> request_words('{"action":{"id":"view","type":"Action"},"principal":{"id":"ann","type":"User"}}')
    ('User::"ann"', 'view', '?')
    """
    from thunderlab.policy.record.tally import uid_text

    try:
        request = json.loads(text)
    except ValueError:
        request = {}
    action = uid_text(request.get("action"))
    short = action.rpartition("::")[2]
    return uid_text(request.get("principal")), short.strip('"') or action, uid_text(request.get("resource"))


def _us(value: int | None) -> str:
    return "-" if value is None else seconds(value)


def replay_text(found: Replay) -> str:
    """Return a replay for people: totals, who and what is concerned, then samples."""
    totals = [
        ("judged", found.total),
        ("changed", found.changed),
        ("newly denied", f"{found.newly_denied}, {found.cannot_be_built} of them since the request no longer fits the schema"),
        ("newly allowed", found.newly_allowed),
        ("policy set", found.policy_set),
        ("took", seconds(found.duration_us)),
        *([("left out", f"{found.pruned} pruned, {found.damaged} damaged")] if found.pruned or found.damaged else []),
    ]
    parts = [facts(totals)]
    parts += [_shares(title, shares) for title, shares in by(found) if shares]
    for title, samples in (("newly denied", found.samples.newly_denied), ("newly allowed", found.samples.newly_allowed)):
        if samples:
            parts.append(table(["seq", title, "does", "to", "because"], [_sample(one) for one in samples]))
    if found.fallbacks:
        parts.append(table(["judged by its closure", "why"], [(one.policy, one.why) for one in found.fallbacks]))
    return "\n\n".join(parts)


def by(found: Replay) -> tuple[tuple[str, Sequence[Share]], ...]:
    """Return who and what a replay concerns, each under its heading."""
    return (("principal", found.by_principal), ("action", found.by_action), ("policy", found.by_policy))


def _shares(title: str, found: Sequence[Share]) -> str:
    return table([title, "newly denied", "newly allowed"], [(one.name, one.newly_denied, one.newly_allowed) for one in found[:_SHOWN]])


def _sample(one: Sample) -> tuple[object, ...]:
    return one.seq, *request_words(one.request), because(one)


def because(one: Sample) -> str:
    """Return why a decision changed: the policies that make the difference, or that nothing permits any more."""
    if one.after.request_errors:
        return f"cannot be built: {one.after.request_errors[0][:80]}"
    gone = one.after.decision == "deny" and not one.after.reasons and not one.after.errors
    return ", ".join(one.policies) + (" no longer permits" if gone and one.policies else "")
