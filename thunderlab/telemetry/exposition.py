"""Prometheus text exposition, version 0.0.4."""

from __future__ import annotations

import re

from thunderlab.telemetry.meter import Recorded
from thunderlab.telemetry.window import summarise

_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_:]")
_SECONDS = {"us": 1e-6, "s": 1.0}


def exposition(metrics: list[Recorded]) -> str:
    """Return the metrics as Prometheus summaries, durations in seconds as its conventions ask.

    >>> from thunderlab.telemetry.meter import Recorded
    >>> print(exposition([Recorded(metric="a.b", unit="us", samples=[1000000], newest_at="")]))
    # TYPE thunderlab_a_b_seconds summary
    thunderlab_a_b_seconds{quantile="0.5"} 1.0
    thunderlab_a_b_seconds{quantile="0.95"} 1.0
    thunderlab_a_b_seconds{quantile="0.99"} 1.0
    thunderlab_a_b_seconds_sum 1.0
    thunderlab_a_b_seconds_count 1
    <BLANKLINE>
    """
    lines: list[str] = []
    for metric in metrics:
        summary = summarise(metric.samples)
        if summary is None:
            continue
        scale = _SECONDS.get(metric.unit, 1.0)
        suffix = "_seconds" if metric.unit in _SECONDS else f"_{metric.unit}"
        name = f"thunderlab_{_NOT_ALLOWED.sub('_', metric.metric)}{suffix}"
        lines.append(f"# TYPE {name} summary")
        lines += [
            f'{name}{{quantile="{label}"}} {q.value * scale}'
            for label, q in (("0.5", summary.p50), ("0.95", summary.p95), ("0.99", summary.p99))
        ]
        lines += [f"{name}_sum {sum(metric.samples) * scale}", f"{name}_count {summary.samples}"]
    return "\n".join([*lines, ""])
