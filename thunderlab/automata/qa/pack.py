"""Packs: everything a run of a suite depends on but the engine, in one canonical text that is known by its digest."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any, Literal

import msgspec

from thunderlab import canonical
from thunderlab.automata.qa.archive import Archive
from thunderlab.automata.qa.cell_runs import runs_of
from thunderlab.automata.qa.scenario import Scenario
from thunderlab.automata.qa.scenario_file import scenario_of
from thunderlab.automata.qa.suite import Suite, SuiteSettings, baseline_in
from thunderlab.documents import Document
from thunderlab.errors import EvidenceError, InputError

MOST_BYTES = 1 << 26

_NAMED = re.compile(r"(?P<suite>[^@]+)@(?P<digest>[^@]*)")


class _PackFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pack: Literal[1]
    suite: SuiteSettings
    scenarios: list[dict[str, Any]]


def pack_of(suite: Suite) -> bytes:
    """Return a suite's pack: canonical JSON of its settings and of every scenario in name order, each a scenario file's content.

    Rules stand in their canonical spelling and patterns as the runs of their cells (`cell_runs.runs_of`), so spelling, comments, the
    order of fields, and whether a pattern has a file of its own do not count; a title does. The baseline is no part of it, since a
    baseline names the pack it was taken with. Equal packs have equal bytes, and their digest is the SHA-256 of those.
    """
    settings = SuiteSettings(suite.name, 1, suite.title, suite.budget_s, suite.entropy_band)
    return canonical.encode(
        {"pack": 1, "suite": msgspec.to_builtins(settings), "scenarios": [_written(scenario) for scenario in suite.scenarios]}
    )


def _written(scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario file of this meaning would hold, every part in its one form."""
    pattern = {} if scenario.pattern is None else {"runs": runs_of(scenario.pattern), "offset": scenario.offset}
    further = {
        "soup_box": scenario.soup_box,
        "ensemble": msgspec.to_builtins(scenario.ensemble),
        "emergence": msgspec.to_builtins(scenario.emergence),
    }
    return {
        "scenario": 1,
        "name": scenario.name,
        "title": scenario.title,
        "regime": scenario.regime,
        "grid": {"size": scenario.shape, "boundary": scenario.boundary},
        "seed": scenario.seed,
        "parameters": {"rule": str(scenario.rule), **({} if scenario.density is None else {"density": scenario.density})},
        **pattern,
        **{name: value for name, value in further.items() if value is not None},
        "duration": scenario.duration,
        "probes": scenario.probes,
        "expect": msgspec.to_builtins(scenario.expect),
        "source": scenario.source,
    }


def read_pack(data: bytes, where: Path) -> tuple[SuiteSettings, tuple[Scenario, ...]]:
    """Return what `pack_of` wrote: the settings and the scenarios, checked like those of a folder.

    Raises:
        EvidenceError: when these bytes are no pack, or one in another than its only form.
    """
    try:
        value = msgspec.json.decode(data)
        canonical_form = canonical.encode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise EvidenceError("is not a pack", where=where) from None
    if canonical_form != data:
        raise EvidenceError("is not in the only form a pack is written in", where=where)
    try:
        found = Document(where, value, {}).convert(_PackFile)
        scenarios = tuple(scenario_of(one, where) for one in found.scenarios)
    except InputError as error:
        raise EvidenceError(f"is not a pack: {error.field}: {error.what}", where=where) from None
    if not scenarios or any(before.name >= after.name for before, after in itertools.pairwise(scenarios)):
        raise EvidenceError("is not a pack: scenarios: one or more are expected, in the order of their names", where=where)
    return found.suite, scenarios


class Packs:
    """The packs of one workspace, each stored once, in a file named by its digest.

    Args:
        folder: where they lie.
        suites: the folder whose subfolders are suites; their baselines are held against what stored packs measure.
    """

    def __init__(self, folder: Path, suites: Path) -> None:
        self._archive = Archive(folder, ".json", "pack", MOST_BYTES)
        self._suites = suites

    def keep(self, suite: Suite) -> str:
        """Store a suite's pack, unless it is stored already, and return its digest."""
        return self._archive.put(pack_of(suite))

    def digests(self) -> list[str]:
        """Return the digests of all stored packs, in order."""
        return list(self._archive.digests())

    def suite(self, digest: str) -> Suite:
        """Return the suite that a stored pack is.

        Its baseline is the one its folder holds today, if there is still such a folder.

        Raises:
            EvidenceError: when it is not stored any more, or its bytes are no longer those of its digest.
        """
        settings, scenarios = read_pack(self._archive.get(digest), self._archive.path(digest))
        folder = self._suites / settings.suite
        return Suite(
            name=settings.suite,
            title=settings.title,
            budget_s=settings.budget_s,
            entropy_band=settings.entropy_band,
            folder=folder,
            scenarios=scenarios,
            baseline=baseline_in(folder, settings.suite),
            stored=digest,
        )

    def named(self, name: str) -> Suite:
        """Return the suite of a stored pack by its name, as in `core@7d3f0a9b2c41`: 12 digits of the digest do where no two begin so.

        Raises:
            InputError: when it is no such name, or nothing of that name is stored.
            EvidenceError: as for `suite`.
        """
        parts = _NAMED.fullmatch(name)
        if parts is None:
            raise InputError(f"{name!r} is not the name of a pack; SUITE@DIGEST is, as in core@7d3f0a9b2c41", field="--suite")
        digest = self._archive.find(parts["digest"])
        found = None if digest is None else self.suite(digest)
        if found is None or found.name != parts["suite"]:
            raise InputError(f"no pack {name!r} is stored here; list those there are with: thunderlab qa packs", field="--suite")
        return found


def is_pack_name(name: str) -> bool:
    """Return whether a suite's name is meant to be that of a stored pack."""
    return "@" in name
