"""Telemetry: spans timed into windows with exact percentiles, shared between processes through the store."""

from thunderlab.telemetry.exposition import exposition
from thunderlab.telemetry.meter import Meter, Recorded
from thunderlab.telemetry.window import Summary, Window, summarise

__all__ = ["Meter", "Recorded", "Summary", "Window", "exposition", "summarise"]
