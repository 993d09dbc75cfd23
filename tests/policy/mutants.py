"""Mutation testing of both compilers: every change of `tests.policy.mutation` to their modules is held against cases that Cedar has labelled.

    python -m tests.policy.mutants closures            every mutant of the closures' modules, about ten minutes
    python -m tests.policy.mutants columns             of the columns'
    python -m tests.policy.mutants closures --only language.extensions closures.index --every 5

A mutant is killed by each policy and request whose answer (applies, does not, fails) it changes, or that it crashes. `same_answers` names the
changes that change no answer, and why; whatever else survives is printed, and so is what fewer than twenty cases kill.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import resource
import signal
import sys
import time
from collections import Counter

from tests.policy.framed_pools import framed_pool, kills_columns
from tests.policy.mutation import mutants
from tests.policy.pools import ENOUGH, kills, pool
from tests.policy.same_answers import EQUIVALENT

CLOSURES = (
    "closures.closure",
    "closures.contextual",
    "closures.index",
    "closures.lookups",
    "closures.operators",
    "closures.program",
    "closures.questions",
    "closures.shapes",
    "closures.written",
    "language.extensions",
    "language.values",
)
COLUMNS = (
    "compiler",
    "evaluate",
    "layout",
    "lists",
    "logic",
    "nodes",
    "operators",
    "outcomes",
    "part",
    "reading",
    "sets",
    "shared",
    "tables",
)
PATIENCE_S = 90
MOST_MEMORY = 6 << 30  # bytes; a mutant that never ends must not take all there is


@contextlib.contextmanager
def patience(seconds):
    """Raise TimeoutError in what takes longer: a mutant may never end."""

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def counted(mutant, judge):
    """Return how many cases kill a mutant; one that cannot be loaded, or never ends, is killed by all of them."""
    try:
        with patience(PATIENCE_S):
            return judge(mutant)
    except TimeoutError:
        return sys.maxsize
    except Exception:  # noqa: BLE001 - it cannot even be loaded
        return sys.maxsize


def equivalent(mutant):
    """Return why a mutant changes no answer; None when it should."""
    module = mutant.module.removeprefix("thunderlab.policy.")
    matching = (
        why for name, function, what, why in EQUIVALENT if name == module and function in ("", mutant.function) and says(mutant, what)
    )
    return next(matching, None)


def says(mutant, what):
    """Return whether a mutant's change has these words; a dollar sign behind them means that it ends there, `@` that its line has what follows."""
    what, _, line = what.partition(" @ ")
    return line in mutant.source and (mutant.what.endswith(what[:-1]) if what.endswith("$") else what in mutant.what)


def every_mutant(names, every=1, first=0):
    """Yield the mutants of modules of the policy room."""
    found = itertools.chain.from_iterable(mutants(f"thunderlab.policy.{name}") for name in names)
    yield from itertools.islice(found, first, None, every)


def main():
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.policy.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("which", choices=["closures", "columns"])
    parser.add_argument("--only", nargs="+", metavar="MODULE")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--trust", action="store_true", help="leave out those that have a reason to change no answer")
    parser.add_argument("--scale", type=float, default=1.0, help="how many cases, as a share of all")
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    closures = asked.which == "closures"
    names = [name if closures else f"columns.{name}" for name in asked.only or (CLOSURES if closures else COLUMNS)]
    judged, tell = (pool(asked.scale), kills) if closures else (framed_pool(asked.scale), kills_columns)
    judge = lambda mutant: tell(judged, mutant)
    print(
        f"{sum(one.size for one in judged)} cases in {len(judged)} sets; {tell(judged)} answered wrongly by what is to be mutated",
        flush=True,
    )
    started, tally, survivors, few = time.process_time(), Counter(), [], []
    for mutant in every_mutant(names, asked.every, asked.first):
        reason = equivalent(mutant)
        if reason and asked.trust:
            tally["equivalent"] += 1
            continue
        told = counted(mutant, judge)
        kind = "equivalent" if reason and not told else "survived" if not told else "few" if told < ENOUGH else "killed"
        tally[kind] += 1
        if kind == "survived":
            survivors.append(mutant)
            print(f"survived: {mutant}", flush=True)
        elif kind == "few":
            few.append(mutant)
            print(f"killed by {told}: {mutant}", flush=True)
        elif reason and told:
            print(f"not equivalent after all, killed by {told}: {mutant}", flush=True)
    alive = sum(tally[kind] for kind in ("survived", "few", "killed"))
    print(
        f"{dict(tally)}; killed {1 - tally['survived'] / max(1, alive):.2%}, by {ENOUGH} or more {tally['killed'] / max(1, alive):.2%}, {time.process_time() - started:.0f} s"
    )
    return 1 if tally["survived"] else 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.exit(main())
