"""Telemetry: exact percentiles, honest counts, shared between processes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab.lab import Lab
from thunderlab.telemetry import Window, exposition, summarise
from thunderlab.telemetry.window import CAPACITY


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300))
def test_percentiles_are_those_of_the_sorted_samples(samples):
    found, ordered = summarise(samples), sorted(samples)
    assert found.samples == len(samples)
    for q, value in ((0.5, found.p50.value), (0.95, found.p95.value), (0.99, found.p99.value)):
        assert sum(sample <= value for sample in ordered) >= q * len(samples) - 1e-6
        assert sum(sample < value for sample in ordered) < q * len(samples)


def test_without_samples_there_is_no_summary():
    assert summarise([]) is None


def test_a_window_keeps_the_newest():
    window = Window()
    for sample in range(CAPACITY + 10):
        window.add(sample)
    assert window.samples() == list(range(10, CAPACITY + 10))
    assert window.count == CAPACITY + 10


def test_spans_are_timed_and_failures_kept_apart(lab, clock):
    with lab.telemetry.span("work"):
        clock.advance(0.0025)
    with pytest.raises(ZeroDivisionError), lab.telemetry.span("work"):
        clock.advance(1)
        raise ZeroDivisionError
    assert lab.telemetry.window("work", "us").samples() == [2500]
    assert lab.telemetry.window("work.failed", "us").samples() == [1_000_000]


def test_another_process_reads_what_a_closed_one_measured(tmp_path, clock):
    for value in (3, 1):
        with Lab(tmp_path / "w", clock=clock) as lab:
            lab.telemetry.record("probe", value)
            clock.advance(1)
    with Lab(tmp_path / "w", clock=clock) as lab:
        found = lab.telemetry.recorded("probe")
        assert (found.samples, found.unit) == ([3, 1], "us")
        assert lab.telemetry.recorded("never") is None
        lab.telemetry.flush()
        lab.telemetry.flush()
        assert lab.telemetry.recorded("probe").samples == [3, 1]


def test_prometheus_text_is_well_formed(lab):
    lab.telemetry.record('odd "name"\n', 1500)
    lab.telemetry.flush()
    text = exposition([lab.telemetry.recorded(name) for name in lab.telemetry.metrics()])
    line = re.compile(r'(# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* summary|[a-zA-Z_:][a-zA-Z0-9_:]*(\{quantile="0\.\d+"\})? \S+)')
    assert text.endswith("\n")
    assert all(line.fullmatch(row) for row in text.splitlines())
    assert "thunderlab_odd__name___seconds_sum 0.0015" in text
