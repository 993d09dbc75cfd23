"""Published facts about a scenario, the small vocabulary they are written in, and the check of a course against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from thunderlab.automata.cells import Cells
from thunderlab.automata.measures.attractor import Attractor
from thunderlab.automata.measures.settling import Settling
from thunderlab.automata.measures.trail import State, Trail
from thunderlab.automata.qa.results import Breach, Value

Step = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Period = Annotated[int, Meta(ge=1)]


class PopulationAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many cells live after so many steps."""

    step: Step
    population: Count


class CopiesAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """After `step` steps the state is the start, translated by each of the offsets and laid on top of each other."""

    step: Step
    offsets: Annotated[tuple[tuple[int, ...], ...], Meta(min_length=1, max_length=64)]


class Displacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pattern is back after `steps` steps, moved `by` so many cells per axis, and not sooner."""

    steps: Period
    by: tuple[int, ...]


class Growth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """In the steps `from`..`to` each `every` steps add exactly `population` cells."""

    every: Period
    population: int
    start: Step
    end: Step


class Between(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fraction within limits, both included."""

    low: Annotated[float, Meta(ge=0, le=1)]
    high: Annotated[float, Meta(ge=0, le=1)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric within limits, both included."""

    low: Annotated[float, Meta(ge=-8, le=8)]
    high: Annotated[float, Meta(ge=-8, le=8)]


# The metrics that limits may be set to: those every scenario has, those of its further seeds, those of its emergence.
OF_COURSES = ("alive_ratio", "entropy_mean", "entropy_std", "entropy_final", "entropy_trend")
OF_ENSEMBLES = ("ensemble_entropy_mean", "ensemble_alive_entropy_mean", "ensemble_alive_ratio", "ensemble_activity")
OF_EMERGENCE = (
    "emergence",
    "emergence_space",
    "emergence_time",
    "emergence_spread",
    "activity",
    "compressibility",
    "damage_healed",
    "damage_speed",
)


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known about a scenario from outside; what is left out is not checked.

    Attributes:
        population_at: populations after given steps.
        copies_at: states made of translated copies of the start.
        dies_at: the first step without a live cell.
        settles_at: the first step from which the population repeats itself, see `settling.settle`.
        repeats: whether the state repeats at all within the duration.
        transient: the first step whose state comes again.
        period: after how many steps it comes again; 1 for a still life.
        displacement: how a moving pattern moves.
        growth: steady growth, as of a gun.
        clusters: connected groups of live cells at the end.
        alive_ratio: share of live cells at the end, on a plane in the box around them.
        between: limits of metrics by name, of `OF_COURSES`, `OF_ENSEMBLES` and `OF_EMERGENCE`.
    """

    population_at: tuple[PopulationAt, ...] = ()
    copies_at: tuple[CopiesAt, ...] = ()
    dies_at: Step | None = None
    settles_at: Step | None = None
    repeats: bool | None = None
    transient: Step | None = None
    period: Period | None = None
    displacement: Displacement | None = None
    growth: Growth | None = None
    clusters: Count | None = None
    alive_ratio: Between | None = None
    between: dict[str, Limits] = {}

    def steps(self) -> Iterator[tuple[tuple[str | int, ...], int]]:
        """Yield every step the facts speak of, with the field it stands in."""
        yield from ((("population_at", index, "step"), fact.step) for index, fact in enumerate(self.population_at))
        yield from ((("copies_at", index, "step"), copies.step) for index, copies in enumerate(self.copies_at))
        for name, step in (
            ("dies_at", self.dies_at),
            ("settles_at", self.settles_at),
            ("transient", self.transient),
            ("period", self.period),
        ):
            if step is not None:
                yield (name,), step
        if self.displacement is not None:
            yield ("displacement", "steps"), self.displacement.steps
        if self.growth is not None:
            yield ("growth", "from"), self.growth.start
            yield ("growth", "to"), self.growth.end

    def vectors(self) -> Iterator[tuple[tuple[str | int, ...], tuple[int, ...]]]:
        """Yield every list that needs one number per axis, with the field it stands in."""
        for index, copies in enumerate(self.copies_at):
            yield from ((("copies_at", index, "offsets", at), offset) for at, offset in enumerate(copies.offsets))
        if self.displacement is not None:
            yield ("displacement", "by"), self.displacement.by


def check(facts: Facts, trail: Trail, attractor: Attractor, settling: Settling | None, clusters: int) -> list[Breach]:
    """Return every fact the course contradicts, as a breach whose metric is `expect.` and the fact's name.

    Args:
        facts: what is known.
        trail: the course, recorded to its end.
        attractor: its first repeat.
        settling: how its population settles.
        clusters: connected groups at its end.
    """
    said = {name: getattr(facts, name) for name in ("dies_at", "settles_at", "transient", "period", "clusters")}
    said["repeats"] = None if facts.repeats is None else _whether(repeats=facts.repeats)
    dead = np.flatnonzero(trail.populations == 0)
    seen = {
        "dies_at": int(dead[0]) if dead.size else None,
        "settles_at": settling.step if settling else None,
        "repeats": _whether(repeats=attractor.found),
        "transient": attractor.transient,
        "period": attractor.period,
        "clusters": clusters,
    }
    found = [_exactly(name, seen[name], said[name]) for name in said if said[name] is not None and seen[name] != said[name]]
    return [*found, *_at_steps(facts, trail), *_moving(facts, attractor), *_growing(facts, trail), *_ratio(facts, trail)]


def limits(facts: Facts, metrics: Mapping[str, Value]) -> list[Breach]:
    """Return every metric outside the limits the facts set to it, as a breach whose metric is `expect.between.` and its name."""
    found = []
    for name, said in facts.between.items():
        value = metrics.get(name)
        if not isinstance(value, float | int) or not said.low <= value <= said.high:
            found.append(Breach(f"expect.between.{name}", value, None, said.low, said.high))
    return found


def _whether(*, repeats: bool) -> str:
    return "yes" if repeats else "no"


def _exactly(name: str, value: Value, expected: Value) -> Breach:
    return Breach(f"expect.{name}", value, expected, expected, expected)


def _at_steps(facts: Facts, trail: Trail) -> Iterator[Breach]:
    for fact in facts.population_at:
        value = int(trail.populations[fact.step])
        if value != fact.population:
            yield _exactly(f"population_at[{fact.step}]", value, fact.population)
    for copies in facts.copies_at:
        if trail.boundary == "plane":
            differing: int | None = len(_placed(trail.state_at(copies.step)) ^ _placed(trail.state_at(0), copies.offsets))
        else:
            expected = _laid_over(trail.cells_at(0), copies.offsets, wraps=trail.boundary == "torus")
            differing = int(np.count_nonzero(trail.cells_at(copies.step) != expected)) if expected is not None else None
        if differing != 0:
            yield Breach(f"expect.copies_at[{copies.step}]", differing, 0, 0, 0)


def _laid_over(start: Cells, offsets: tuple[tuple[int, ...], ...], *, wraps: bool) -> Cells | None:
    """Return the start translated by each offset, laid over each other; None when one leaves a lattice that does not wrap."""
    laid = np.zeros_like(start)
    axes = tuple(range(start.ndim))
    places = np.argwhere(start)
    for offset in offsets:
        moved = places + np.array(offset)
        if not wraps and bool(((moved < 0) | (moved >= start.shape)).any()):
            return None
        np.maximum(laid, np.roll(start, offset, axes), out=laid)
    return laid


def _placed(state: State, offsets: tuple[tuple[int, ...], ...] = ()) -> set[tuple[int, ...]]:
    """Return place and state of every cell that is not 0, of all translated copies laid over each other when there are offsets."""
    places, states = np.argwhere(state.cells) + np.array(state.origin), state.cells[state.cells != 0].tolist()
    laid: dict[tuple[int, ...], int] = {}
    for offset in offsets or ((0,) * state.cells.ndim,):
        for place, own in zip(map(tuple, (places + np.array(offset)).tolist()), states, strict=True):
            laid[place] = max(own, laid.get(place, 0))
    return {(*place, own) for place, own in laid.items()}


def _moving(facts: Facts, attractor: Attractor) -> Iterator[Breach]:
    said = facts.displacement
    if said is not None and (attractor.period, attractor.displacement) != (said.steps, said.by):
        seen = None if attractor.period is None else _words(attractor.period, attractor.displacement or (0,) * len(said.by))
        yield _exactly("displacement", seen, _words(said.steps, said.by))


def _words(steps: int, by: tuple[int, ...]) -> str:
    return f"{','.join(map(str, by))} in {steps}"


def _growing(facts: Facts, trail: Trail) -> Iterator[Breach]:
    said = facts.growth
    if said is None:
        return
    window = trail.populations[said.start : said.end + 1]
    for gained in window[said.every :] - window[: -said.every]:
        if int(gained) != said.population:
            yield _exactly("growth", int(gained), said.population)
            return


def _ratio(facts: Facts, trail: Trail) -> Iterator[Breach]:
    said = facts.alive_ratio
    if said is None:
        return
    ratio = int(trail.populations[-1]) / trail.cells_at(trail.steps).size
    if not said.low <= ratio <= said.high:
        yield Breach("expect.alive_ratio", ratio, None, said.low, said.high)
