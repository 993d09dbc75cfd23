"""Boundary cases of what finds a request's policies: their heads, what their conditions ask first, and what an action is in."""

from __future__ import annotations

import itertools

from tests.policy.cases import Batch, quoted
from tests.policy.tabled import ANN, PEOPLE, WHO, asked, when


def heads():
    """Yield every form of a policy's head against every principal, action and resource."""
    uids = [("Person", "ann"), ("Person", "nobody"), ("Team", "t0"), ("Team", "t1"), ("Team", "nowhere"), ("Nope", "x")]
    written = [f"{kind}::{quoted(name)}" for kind, name in uids]
    forms = (
        ["{}"]
        + [f"{{}} == {one}" for one in written]
        + [f"{{}} in {one}" for one in written]
        + [f"{{}} is {kind}" for kind in ("Person", "Team", "Nope", "Lab::Person")]
    )
    forms += [f"{{}} is {kind} in {one}" for kind in ("Person", "Team", "Nope") for one in written]
    actions = [
        "action",
        'action == Action::"act"',
        'action == Action::"up"',
        'action in Action::"up"',
        'action in Action::"act"',
        'action in [Action::"top"]',
        "action in []",
        'action in [Action::"no", Action::"act"]',
        'action == Action::"no"',
    ]
    policies = [
        f"permit({form.format('principal')}, action, {other.format('resource')});"
        for form in forms
        for other in forms[:: 1 if form == "{}" else 4]
    ]
    policies += [f"permit(principal, {one}, resource);" for one in actions] + [
        f"forbid({form.format('principal')}, {one}, resource);" for one in actions[3:6] for form in forms[1:8:3]
    ]
    policies += [f"permit(principal, action, resource) when {{ {form.format('principal')} }};" for form in forms[1:]] + [
        f"permit(principal, action, resource) when {{ {one} }};" for one in actions[1:]
    ]
    policies += [
        f"permit(principal, action, resource) when {{ {form.format(one)} }};"
        for form in forms[1:]
        for one in ("resource", 'Team::"t0"', 'Person::"ann"', 'Team::"nowhere"')
    ]
    policies += [
        when(one)
        for one in (
            "action.x == 1",
            "action has x",
            'action.hasTag("x")',
            'action.getTag("x") == 1',
            "action is Action",
            "action in action",
            "action in [principal, action]",
            "action == principal",
            'action["x y"]',
        )
    ]
    policies += [
        f"permit(principal, action, resource) when {{ principal in [{', '.join(chosen)}] }};"
        for chosen in itertools.combinations(written[:5], 2)
    ]
    policies += [
        f"permit({one.format('principal')}, action, {other.format('resource')}) when {{ {rest} }};"
        for one in forms[1:12:2]
        for other in forms[1:12:3]
        for rest in ("context has zz", "context.zz", "principal == resource")
    ]
    requests = tuple(
        {
            "principal": {"type": one[0], "id": one[1]},
            "action": {"type": "Action", "id": action},
            "resource": {"type": other[0], "id": other[1]},
            "context": {},
        }
        for one in uids[:5]
        for other in uids[:5]
        for action in ("act", "up")
    )
    types = "{ principal: [Person, Team], resource: [Team, Person], context: {} }"
    with_actions = f"entity Team in [Team]; entity Person in [Team] {{ a?: Long }} tags String; action top; action up in [top] appliesTo {types}; action act in [up] appliesTo {types};"
    few = [
        "permit(principal, action, resource);",
        'permit(principal == Person::"ann", action, resource);',
        'permit(principal in Team::"t1", action, resource);',
        'permit(principal, action, resource in Team::"t0");',
    ]
    few += [
        'permit(principal == Person::"ann", action, resource == Team::"t0");',
        'permit(principal, action, resource == Team::"t0") when { context.zz };',
        'permit(principal in Team::"t0", action, resource in Team::"t1") when { true };',
        'permit(principal == Person::"ann", action, resource == Team::"t0") when { context has zz };',
    ]
    for place, pair in enumerate(itertools.permutations(few, 2)):
        yield f"two, {place}", Batch(pair, requests[::3], PEOPLE, with_actions)
    named_first = [
        policy.replace("permit(", "forbid(") for policy in (*few[1:], few[0], "permit(principal, action, resource) when { context.zz };")
    ]
    yield "forbids", Batch(tuple(named_first), requests, PEOPLE, with_actions)
    yield "heads", Batch(tuple(policies), requests, PEOPLE, with_actions)


def worlds():
    """Yield batches of the same policies and requests, in worlds that differ in what the action is in; nobody has a schema."""
    policies = [
        f"{effect}(principal, action in {within}, resource);"
        for effect in ("permit", "forbid")
        for within in ('Action::"up"', '[Action::"top", Action::"no"]')
    ]
    policies += ['permit(principal, action == Action::"act", resource);', 'permit(principal, action in Action::"act", resource);']
    requests = tuple({**WHO, "action": {"type": "Action", "id": name}, "context": {}} for name in ("act", "up", "other"))
    action = lambda name, *above: {
        "uid": {"type": "Action", "id": name},
        "attrs": {},
        "parents": [{"type": "Action", "id": one} for one in above],
    }
    hierarchies = (
        (),
        (action("act", "up"),),
        (action("act", "top"), action("up", "top")),
        (action("act", "up"), action("up", "top"), action("other", "up")),
        (action("other", "no"),),
    )
    for some in (policies, policies[:4]):
        yield [Batch(tuple(some), requests, (*PEOPLE, *actions), None) for actions in (*hierarchies, *hierarchies[::-1])]


def questions():
    """Yield policies that begin by asking which string an attribute is, as most do: of context, principal and resource, there or not, string or not."""
    first = (
        'context.x == "a"',
        'action.x == "a"',
        '"b" == context.x',
        'context.x == ""',
        'principal.x == "a"',
        '"a" == resource.x',
        'principal.x == "b"',
        'context.y == "a"',
        'context.x != "a"',
        "context.x == context.y",
        "context.x == 1",
        '["a", "only"].contains(context.x)',
        '["a", 1, "a"].contains(context.x)',
        '["b", context.y].contains(context.x)',
        "[1].contains(context.x)",
        "context.z",
        "!context.z",
    )
    then = (
        "",
        " && context.z",
        " && true",
        " && context.y.a",
        ' && context.y == "b"',
        " || context.z",
        " && context.z && principal has x",
        " && 1",
        " == true",
    )
    policies = [
        f"permit(principal, action, resource) when {{ {'(' + one + ')' if rest == ' == true' else one}{rest} }};"
        for rest in then
        for one in first
    ]
    policies += [
        f"permit({head}) when {{ {one} && context.z }};"
        for one in first[:6]
        for head in (
            'principal == Person::"ann", action, resource',
            'principal in Team::"t1", action, resource',
            "principal is Person, action, resource",
        )
    ]
    policies += [f"permit(principal, action, resource) unless {{ {one} }};" for one in first] + [
        f"permit(principal, action, resource) when {{ {one} }} when {{ context.z }};" for one in first
    ]
    policies += [
        'permit(principal, action, resource) when { context has x && context.x == "a" };',
        "permit(principal, action, resource);",
        'permit(principal, action, resource) when { context.x == "only" && context.z };',
    ]
    policies += [
        f'permit(principal, action, resource) when {{ context["{name}"] == "a" && context.x == "a" }};' for name in ("w", "x", "y")
    ]
    people = [
        {"uid": {"type": "Person", "id": name}, "attrs": attributes, "parents": [{"type": "Team", "id": "t1"}]}
        for name, attributes in (("ann", {"x": "a"}), ("bob", {}), ("eve", {"x": 1}))
    ]
    wholes = ("a", "b", "", "only", 1, True, ["a"], {"a": "a"}, ANN, None)
    requests = [
        {
            **WHO,
            "principal": {"type": "Person", "id": name},
            "resource": {"type": "Person", "id": other},
            "context": asked(x=x, y=y, z=z)["context"],
        }
        for name, other in (("ann", "bob"), ("bob", "ann"), ("eve", "ann"), ("nobody", "eve"), ("ann", "nobody"))
        for x, y, z in itertools.product(wholes, ("a", {"a": True}, None), (True, False, 1))
    ]
    yield "untyped", Batch(tuple(policies), tuple(requests), tuple(people), None)
    typed = [
        request
        for request in requests
        if all(isinstance(request["context"].get(name, ""), str) for name in "xy") and type(request["context"]["z"]) is bool
    ]
    fits = "entity Team; entity Person in [Team] { x?: String }; action act appliesTo { principal: Person, resource: Person, context: { x?: String, y?: String, z?: Bool } };"
    yield "typed", Batch(tuple(policies), tuple(typed), tuple(people[:2]), fits, (("x", "String"), ("y", "String"), ("z", "Bool")))
