"""Policy: Cedar text in, signed verdicts out, history replayed in bulk.

>>> from thunderlab.policy import PolicySet
>>> rules = PolicySet.parse('permit(principal, action, resource) when { context.hour < 17 };')
>>> asked = {"principal": {"type": "User", "id": "ann"}, "action": {"type": "Action", "id": "read"}, "resource": {"type": "Page", "id": "1"}}
>>> rules.decide(asked | {"context": {"hour": 9}}).decision, rules.decide(asked | {"context": {"hour": 17}}).decision
('allow', 'deny')
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thunderlab.policy.events import EVENTS
    from thunderlab.policy.policy_set import Answer, PolicySet
    from thunderlab.policy.record.loaded import load_folder
    from thunderlab.policy.record.verdict import Verdict
    from thunderlab.policy.requests.entities import Entities
    from thunderlab.policy.requests.integers import micros, ppm
    from thunderlab.policy.requests.request import RequestError
    from thunderlab.policy.room import Policy

__all__ = ["EVENTS", "Answer", "Entities", "Policy", "PolicySet", "RequestError", "Verdict", "load_folder", "micros", "ppm"]

# What is not asked for is not waited for.
_LATER = {
    "EVENTS": "events",
    "Answer": "policy_set",
    "Entities": "requests.entities",
    "Policy": "room",
    "PolicySet": "policy_set",
    "RequestError": "requests.request",
    "Verdict": "record.verdict",
    "load_folder": "record.loaded",
    "micros": "requests.integers",
    "ppm": "requests.integers",
}


def __getattr__(name: str) -> object:
    if name in _LATER:
        return getattr(import_module(f"thunderlab.policy.{_LATER[name]}"), name)
    raise AttributeError(f"module 'thunderlab.policy' has no attribute {name!r}")
