"""A small policy set and its requests, for the tests of what the room does with verdicts."""

from __future__ import annotations

from thunderlab.policy.record.loaded import load_folder

SCHEMA = """
entity Group;
entity User in [Group] = { level: Long };
entity Page;
action "read" appliesTo { principal: [User], resource: [Page], context: { hour: Long, cost?: Long } };
action "write" appliesTo { principal: [User], resource: [Page], context: { hour: Long, cost?: Long } };
"""
POLICIES = """
@id("readers") @why("people may read before five")
permit (principal in Group::"people", action == Action::"read", resource) when { context.hour < 17 };

@id("writers")
permit (principal in Group::"people", action == Action::"write", resource) when { principal.level > 2 };

@id("dear") @why("nothing that costs too much")
forbid (principal, action, resource) when { context has cost && context.cost * 1000000000000 > 5000000000000 };
"""
ENTITIES = [
    {"uid": {"type": "Group", "id": "people"}, "attrs": {}, "parents": []},
    {"uid": {"type": "User", "id": "ann"}, "attrs": {"level": 3}, "parents": [{"type": "Group", "id": "people"}]},
    {"uid": {"type": "User", "id": "bob"}, "attrs": {"level": 1}, "parents": [{"type": "Group", "id": "people"}]},
]
OVERFLOWS = 2**62


def asks(who="ann", action="read", what="p1", **context):
    """Return a request."""
    return {
        "principal": {"type": "User", "id": who},
        "action": {"type": "Action", "id": action},
        "resource": {"type": "Page", "id": what},
        "context": {"hour": 9, **context},
    }


def write(folder, policies=POLICIES, schema=SCHEMA):
    """Write a policy set into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "all.cedar").write_text(policies)
    if schema:
        (folder / "all.cedarschema").write_text(schema)
    return folder


def load(folder, policies=POLICIES, schema=SCHEMA):
    """Return a policy set that lies in a folder."""
    return load_folder(write(folder, policies, schema))
