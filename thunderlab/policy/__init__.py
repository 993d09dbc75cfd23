"""Policy: Cedar text in, signed verdicts out, history replayed in bulk."""

from thunderlab.policy.events import EVENTS

__all__ = ["EVENTS"]
