"""The report for machines: the same records as JSON, as JUnit XML and as a Markdown summary."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from thunderlab.automata.qa.baseline import Baseline, breach_text
from thunderlab.automata.qa.junit import junit as junit_of_suite
from thunderlab.automata.qa.results import SuiteResult
from thunderlab.canonical import digest
from thunderlab.faces.report import policy as policy_section
from thunderlab.faces.report import standing, wording
from thunderlab.faces.report.policy import PolicyReport
from thunderlab.faces.report.provenance import NotebookRun, Provenance
from thunderlab.faces.report.standing import Standing
from thunderlab.gate.readiness import Readiness
from thunderlab.gate.reading import Reading

FORMAT = "thunderlab.brg/1"

# Everything XML 1.0 cannot say, not even escaped (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Signs that mean something only at the start of a line (-, +, digits) stay: no line here starts with a value.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#!|~])")


def brg_json(
    readiness: Readiness,
    suites: Sequence[SuiteResult],
    provenance: Provenance,
    notebooks: Sequence[NotebookRun],
    baselines: Mapping[str, Baseline] | None = None,
    policy: PolicyReport | None = None,
) -> dict[str, Any]:
    """Return the report as one JSON-native document; `canonical.encode` of it is what `brg.json` holds and the page prints the digest of.

    At the top are the fields `gate check` answers with (`status`, `blocking`, `readings`, `gates`, `absent`, `coverage`,
    `thresholds_sha256`, `at`); then `suites`, `provenance`, `notebooks`, `policy`, and `format`. Binary states are replaced by
    `final_state_sha256`, numbers that are not finite by null. Each suite's `baseline` says what it was held against, see
    `standing.twin`; it is null without one.
    """
    document: dict[str, Any] = msgspec.to_builtins(readiness)
    document |= {
        "format": FORMAT,
        "suites": [_suite_json(suite, (baselines or {}).get(suite.suite)) for suite in suites],
        "provenance": msgspec.to_builtins(provenance),
        "notebooks": [msgspec.to_builtins(run) for run in notebooks],
        "policy": policy_section.twin(policy),
    }
    return _json_native(document)  # type: ignore[no-any-return]


def _suite_json(suite: SuiteResult, baseline: Baseline | None) -> dict[str, Any]:
    """Return a suite with the digest of every final state in place of its bytes, and what it was held against."""
    bare = msgspec.structs.replace(
        suite, scenarios=tuple(msgspec.structs.replace(scenario, final_state=b"") for scenario in suite.scenarios)
    )
    plain: dict[str, Any] = msgspec.to_builtins(bare)
    for written, scenario in zip(plain["scenarios"], suite.scenarios, strict=True):
        del written["final_state"]
        written["final_state_sha256"] = digest(scenario.final_state)
    plain["baseline"] = msgspec.to_builtins(standing.twin(suite, baseline))
    return plain


def _json_native(value: Any) -> Any:
    """Return the same value with lists for tuples, null for what is not finite, and text that UTF-8 can say."""
    if isinstance(value, dict):
        return {_json_native(key): _json_native(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_native(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def junit(readiness: Readiness, suites: Sequence[SuiteResult]) -> str:
    """Return JUnit XML: a suite `gate` (verdict, readings, absent gates), then one `qa.NAME` per QA suite.

    Something fails in it exactly when the lab is not ready or a suite did not pass. What holds the lab back is a failure whose type is its
    status; an optional reading without data and a deploy gate nothing measures are skipped, never passed.

    >>> from thunderlab.gate.readiness import Readiness
    >>> nothing = Readiness(status="unknown", blocking=(), readings=(), gates=(), absent=(), coverage="", thresholds_sha256="", at="")
    >>> ET.fromstring(junit(nothing, ())).get("failures")
    '1'
    """
    root = ET.Element("testsuites", name="thunderlab")
    _gate_xml(root, readiness)
    for suite in suites:
        _qa_xml(root, suite, readiness.at)
    for element in root:
        _count(element, element.findall("testcase"))
    _count(root, list(root.iter("testcase")))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _gate_xml(root: ET.Element, readiness: Readiness) -> None:
    suite = ET.SubElement(root, "testsuite", name="gate", timestamp=_xml(readiness.at))
    verdict = wording.VERDICTS[readiness.status]
    case = _case(suite, "gate", "verdict")
    if readiness.status != "healthy":
        _verdict(case, "failure", verdict.word, readiness.status, f"{verdict.sentence}\n{readiness.coverage}")
    held_back = {reason.gate: reason for reason in readiness.blocking}
    for reading in readiness.readings:
        case = _case(suite, "gate.reading", reading.name)
        reason = held_back.pop(reading.name, None)
        if reason is not None or reading.status == "blocked" or (reading.required and reading.status != "healthy"):
            _verdict(case, "failure", (reason and reason.why) or reading.why or reading.status, reading.status, _reading_words(reading))
        elif reading.status == "unknown":
            _verdict(case, "skipped", reading.why or "no data", "unknown", "")
        ET.SubElement(case, "system-out").text = _xml(_reading_words(reading))
    for reason in held_back.values():
        words = f"{reason.gate} = {wording.quantity(reason.value)}; {reason.threshold}"
        _verdict(_case(suite, "gate.reading", reason.gate), "failure", reason.why, readiness.status, words)
    for name in readiness.absent:
        _verdict(_case(suite, "gate.deploy", name), "skipped", "absent: nothing measures this gate yet", "absent", "")


def _qa_xml(root: ET.Element, result: SuiteResult, at: str) -> None:
    """Add a suite as its own room writes it, under a name that says where it belongs."""
    element = ET.fromstring(junit_of_suite(result)).find("testsuite")  # noqa: S314 - our own document, written one call ago
    assert element is not None
    element.set("name", _xml(f"qa.{result.suite}"))
    element.set("timestamp", _xml(at))
    root.append(element)


def _case(suite: ET.Element, classname: str, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_xml(classname), name=_xml(name), time="0.000000")


def _verdict(case: ET.Element, tag: str, message: str, kind: str, text: str) -> None:
    found = ET.SubElement(case, tag, message=_xml(message))
    if tag == "failure":
        found.set("type", kind)
    found.text = _xml(text) or None


def _count(element: ET.Element, cases: list[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    element.set("errors", "0")
    element.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _reading_words(reading: Reading) -> str:
    value, age = wording.quantity(reading.value, reading.unit), wording.quantity(reading.age_s, "s")
    limit = reading.threshold or "no limit set"
    return f"{reading.status}: {value} ({limit}); {reading.samples} samples, age {age}, from {reading.source or 'nowhere'}"


def summary_markdown(
    readiness: Readiness,
    suites: Sequence[SuiteResult],
    provenance: Provenance,
    notebooks: Sequence[NotebookRun] = (),
    baselines: Mapping[str, Baseline] | None = None,
    policy: PolicyReport | None = None,
) -> str:
    """Return the report as GitHub-flavoured Markdown for a build's summary page: verdict, reasons, readings, QA, notebooks.

    Every value is escaped: nothing in it can end a table cell, start a tag or format what follows.
    """
    verdict = wording.VERDICTS[readiness.status]
    commit = f"commit {provenance.commit[:12]}" if provenance.commit else "not from a checkout"
    parts = [
        f"# {verdict.sign} {verdict.word.upper()}",
        f"{verdict.sentence} {_cell(readiness.coverage)}.",
        f"Decided {_cell(wording.moment(readiness.at))} · {_cell(commit)}{', uncommitted changes' if provenance.dirty else ''}",
        *_of_the_ledger(provenance),
        "## Blocking reasons",
    ]
    units = {reading.name: reading.unit for reading in readiness.readings}
    reasons = [
        (reason.gate, wording.quantity(reason.value, units.get(reason.gate, "")), reason.threshold or "none set", reason.why, action)
        for reason in readiness.blocking
        for action in [wording.action(reason.gate)]
    ]
    parts.append(_table(("Gate", "Value", "Limit", "Why", "Look into it"), reasons) if reasons else "None.")
    parts += ["## Readings", _table(("Status", "Reading", "Value", "Limit", "Samples", "Age"), map(_reading_row, readiness.readings))]
    for suite in suites:
        title = f"## QA {_cell(suite.suite)}: {'✔ passed' if suite.passed else '✖ failed'}"
        rows = [
            (
                "✔ passed" if found.passed else "✖ failed",
                found.name,
                wording.duration(found.duration_us / 1e6),
                "; ".join(map(breach_text, found.breaches)),
            )
            for found in suite.scenarios
        ]
        over = [("✖ failed", "(the suite)", wording.duration(suite.duration_us / 1e6), breach_text(breach)) for breach in suite.breaches]
        against = standing.stand(suite, (baselines or {}).get(suite.suite))
        parts += [title, *_made_with(suite, against), _table(("Result", "Scenario", "Duration", "Breaches"), [*over, *rows])]
    if policy is not None:
        parts += ["## Policy", *_policy(policy)]
    if notebooks:
        runs = [(run.status, run.name, wording.duration(run.duration_us / 1e6), run.why) for run in notebooks]
        parts += ["## Notebooks", _table(("Status", "Notebook", "Duration", "Why"), runs)]
    return "\n\n".join(parts) + "\n"


def _policy(policy: PolicyReport) -> Iterator[str]:
    """Yield what was decided, and what the newest replay would change: one paragraph each."""
    latency = ", ".join(
        f"{name} {wording.quantity(value, 'us')}"
        for name, value in (("p50", policy.latency.p50_us), ("p95", policy.latency.p95_us), ("p99", policy.latency.p99_us))
    )
    yield f"{policy.total} verdicts: {policy.allowed} allowed, {policy.denied} denied, {policy.failed_closed} of these because something went wrong"
    if policy.total:
        yield f"Latency: {latency} of {policy.latency.samples}"
    if policy.damaged:
        yield _cell(policy.damaged)
    if policy.replay is not None:
        replay = policy.replay
        yield f"Replay under {_cell(replay.name)}: of {replay.total} requests {replay.newly_denied} newly denied, {replay.newly_allowed} newly allowed"
        if replay.changed:
            rows = [(kind, one.name, str(one.newly_denied), str(one.newly_allowed)) for kind, one in policy_section.concerned(replay)]
            yield _table(("What", "Name", "Newly denied", "Newly allowed"), rows)


def _of_the_ledger(provenance: Provenance) -> Iterator[str]:
    """Yield one line on what is missing from the ledger; none when nothing is."""
    if provenance.ledger_pruned:
        blocks = sum(one.blocks for one in provenance.ledger_pruned)
        yield f"Pruned from the ledger: the payloads of {blocks} blocks; their headers are there, and what was pruned is signed for."


def _made_with(suite: SuiteResult, against: Standing) -> Iterator[str]:
    """Yield what a suite was run with, how its seeds lie, and its notes: one paragraph each."""
    pack, engine = standing.pack_name(suite) or "not recorded", "not recorded" if suite.engine is None else str(suite.engine)
    yield f"Pack {_cell(pack)} · engine {_cell(engine)} · baseline: {_cell(against.word)}"
    if against.seeds:
        yield _cell(f"Seeds against their bands: {against.seeds_words}")
    for note in suite.notes:
        yield f"Note: {_cell(note)}"


def _reading_row(reading: Reading) -> tuple[str, ...]:
    return (
        f"{wording.VERDICTS[reading.status].sign} {reading.status}",
        reading.title,
        wording.quantity(reading.value, reading.unit),
        reading.threshold or "none set",
        str(reading.samples),
        wording.quantity(reading.age_s, "s"),
    )


def _table(head: Sequence[str], rows: Any) -> str:
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    """Return text that stays one Markdown table cell and means only itself."""
    line = " ".join(_NOT_XML.sub("\ufffd", text).split())
    return _MARKDOWN.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
