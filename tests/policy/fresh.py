"""Fresh cases by hand: as many made-up policies and requests as asked for, from seeds nobody has looked at.

    python -m tests.policy.fresh --seed 1000 --cases 100000            closures and columns against Cedar
    python -m tests.policy.fresh --seed 1000 --cases 100000 --only closures --wrong 0.2

A case is one policy held against one request. What differs is made as small as it gets and printed.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import sys
import time

from tests.policy import cases, world
from tests.policy.cases import Made, Node
from tests.policy.oracle import Oracle, closures, columns

JUDGED = {
    "closures": lambda batch: closures(batch, batch.schema),
    "untyped": closures,
    "columns": lambda batch: columns(batch, world.polars_type(world.CONTEXT)),
}
MOST_SHOWN = 10


def expected(batch, judge):
    """Return what Cedar says to each request of a batch; the judge `untyped` has no schema, so Cedar has none."""
    return Oracle(batch.text, None if judge == "untyped" else batch.schema).answers(batch.requests, list(batch.entities))


def differences(batch, judge):
    """Return (place of the request, Cedar's answer, ours) wherever they differ; a crash of ours differs everywhere."""
    wanted = expected(batch, judge)
    try:
        ours = JUDGED[judge](batch)
    except Exception as error:  # noqa: BLE001 - a crash is a difference
        return [(place, one, repr(error)) for place, one in enumerate(wanted)]
    return [(place, one, other) for place, (one, other) in enumerate(zip(wanted, ours, strict=True)) if one != other]


def smaller(batch, judge, budget=400):
    """Return the smallest batch that can be had from one that shows a difference by leaving things out, and still shows one."""
    best, left = batch, budget
    progress = True
    while progress and left > 0:
        progress = False
        for candidate in _simpler(best):
            left -= 1
            if left <= 0:
                break
            try:
                differs = bool(differences(candidate, judge))
            except ValueError:  # Cedar's parser refuses it
                continue
            if differs:
                best, progress = candidate, True
                break
    return best


def _simpler(batch):
    """Yield batches that lack something of this one, the largest pieces first."""
    for name in ("requests", "policies", "entities"):
        whole = getattr(batch, name)
        if len(whole) > 1:
            half = len(whole) // 2
            yield _with(batch, name, whole[:half])
            yield _with(batch, name, whole[half:])
    for name in ("requests", "policies"):
        whole = getattr(batch, name)
        if 1 < len(whole) <= 12:
            yield from (_with(batch, name, whole[:place] + whole[place + 1 :]) for place in range(len(whole)))
    if len(batch.policies) <= 3:
        for place, policy in enumerate(batch.policies):
            for one in _simpler_policies(policy):
                yield _with(batch, "policies", (*batch.policies[:place], one, *batch.policies[place + 1 :]))
        if len(batch.entities) == 1:
            yield _with(batch, "entities", ())
        if len(batch.requests) == 1:
            context = batch.requests[0]["context"]
            for name in context:
                yield _with(
                    batch, "requests", ({**batch.requests[0], "context": {one: value for one, value in context.items() if one != name}},)
                )


def _with(batch, name, value):
    return dataclasses.replace(batch, **{name: value})


def _simpler_policies(policy):
    if not isinstance(policy, Made):
        return
    plain = "principal, action, resource"
    if policy.head != plain:
        yield Made(policy.effect, plain, policy.conditions)
    if len(policy.conditions) > 1:
        yield from (Made(policy.effect, policy.head, (one,)) for one in policy.conditions)
    if policy.conditions == ():
        return
    (word, condition), *rest = policy.conditions
    yield from (Made(policy.effect, policy.head, ((word, one), *rest)) for one in _simpler_nodes(condition))


def _simpler_nodes(node):
    """Yield expressions in which one part gives way to a simple one of its kind, or to one that is inside of it."""
    if not isinstance(node, Node):
        return
    text = str(node)
    yield from (Node(node.kind, (one,)) for one in cases.SIMPLEST.get(node.kind, ()) if len(one) < len(text))
    yield from (inner for inner in _inside(node) if inner.kind == node.kind)
    for place, part in enumerate(node.parts):
        for one in _simpler_nodes(part):
            yield Node(node.kind, (*node.parts[:place], one, *node.parts[place + 1 :]))


def _inside(node):
    for part in node.parts:
        if isinstance(part, Node):
            yield part
            yield from _inside(part)


def shown(batch, judge):
    """Return the text of a difference."""
    lines = [f"== {judge}", batch.text]
    for place, wanted, ours in differences(batch, judge)[:1]:
        lines += [f"request: {batch.requests[place]}", f"Cedar: {wanted}", f"ours:  {ours}"]
    return "\n".join([*lines, *(f"entity: {one}" for one in batch.entities[:6])])


def main():
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.policy.fresh", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--wrong", type=float, default=0.03, help="how often something of the wrong kind stands in an expression")
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--only", choices=sorted(JUDGED), action="append")
    asked = parser.parse_args()
    seed, done, differing = asked.seed, 0, 0
    started = time.process_time()
    tally = {"applies": 0, "fails": 0}
    while done < asked.cases:
        batch = cases.batch(random.Random(seed), wrong=asked.wrong, depth=asked.depth)
        for answer in expected(batch, "closures"):
            tally["applies"] += len(answer.reasons)
            tally["fails"] += len(answer.errors)
        for judge in asked.only or sorted(JUDGED):
            found = differences(batch, judge)
            differing += len(found)
            if found and differing <= MOST_SHOWN * len(found):
                print(f"seed {seed}: {len(found)} requests\n{shown(smaller(batch, judge), judge)}\n", flush=True)
        done += len(batch.policies) * len(batch.requests)
        seed += 1
    print(
        f"{done} cases, seeds {asked.seed}..{seed - 1}, {tally}, {differing} requests answered differently, {time.process_time() - started:.0f} s of CPU"
    )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
