"""The gate: is this lab ready, and if not, exactly why."""

from thunderlab.gate.events import EVENTS, RunCompleted
from thunderlab.gate.gate import Gate, decide
from thunderlab.gate.readiness import Blocking, DeployGate, Readiness
from thunderlab.gate.reading import Reading

__all__ = ["EVENTS", "Blocking", "DeployGate", "Gate", "Readiness", "Reading", "RunCompleted", "decide"]
