import json
import re
from xml.etree import ElementTree as ET

import msgspec
import pytest

from thunderlab import canonical
from thunderlab.faces.report import twins

from . import samples


@pytest.fixture(params=samples.STATUSES)
def status(request):
    return request.param


def rows(markdown, heading):
    """The cells of the table below a heading, as GitHub splits them: at every pipe no backslash stands before."""
    block = markdown.split(f"## {heading}")[1].split("\n\n")[1]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.splitlines()]


class TestJson:
    def test_holds_what_gate_check_answers(self, status):
        found = twins.brg_json(*samples.sample(status))
        readiness = samples.readiness(status)
        assert found["status"] == status
        assert found["absent"] == list(readiness.absent)
        assert [set(reason) for reason in found["blocking"]] == [{"gate", "value", "threshold", "why"}] * len(readiness.blocking)
        assert {"name", "value", "unit", "samples", "age_s", "source", "status"} <= set(found["readings"][0])
        assert {"gates", "coverage", "thresholds_sha256", "at", "suites", "provenance", "notebooks", "format"} <= set(found)

    def test_is_json_native_and_canonical(self, status):
        found = twins.brg_json(*samples.sample(status))
        assert json.loads(canonical.encode(found)) == found

    def test_states_are_digests(self):
        (suite,) = twins.brg_json(*samples.sample())["suites"]
        for written, scenario in zip(suite["scenarios"], samples.suite().scenarios, strict=True):
            assert "final_state" not in written
            assert written["final_state_sha256"] == canonical.digest(scenario.final_state)
            assert written["metrics"] == scenario.metrics

    def test_says_what_each_suite_was_held_against(self):
        (suite,) = twins.brg_json(*samples.sample())["suites"]
        held = suite["baseline"]
        assert (suite["pack"], held["pack"], held["engine"]["digest"]) == (samples.PACK, samples.PACK, samples.ENGINE.digest)
        assert held["changed_since"] == [] and set(held["bands"]) == {"life-soup"}
        assert (
            held["bands"]["life-soup"]["entropy_mean"] | {"low": 0.1, "high": 0.25, "samples": 16, "confidence": 0.95, "most_outside": 4}
            == (held["bands"]["life-soup"]["entropy_mean"])
        )
        (judged,) = twins.brg_json(*samples.sample("blocked"))["suites"]
        assert judged["baseline"]["changed_since"] == ["life-soup"]
        assert twins.brg_json(*samples.sample()[:4])["suites"][0]["baseline"] is None

    def test_says_null_for_what_json_cannot_say(self):
        reading = msgspec.structs.replace(samples.readings("healthy")[0], value=float("inf"), history=(float("nan"), 1.0))
        readiness = msgspec.structs.replace(samples.readiness(), readings=(reading,))
        (written,) = twins.brg_json(readiness, (), samples.provenance(parameters={"odd": "\ud800"}), ())["readings"]
        assert written["value"] is None and written["history"] == [None, 1.0]


class TestJunit:
    def test_counts_are_right(self, status):
        root = ET.fromstring(twins.junit(*samples.sample(status)[:2]))
        assert root.tag == "testsuites"
        for element in [root, *root]:
            cases = list(element.iter("testcase"))
            assert int(element.get("tests")) == len(cases) > 0
            assert int(element.get("failures")) == sum(case.find("failure") is not None for case in cases)
            assert int(element.get("skipped")) == sum(case.find("skipped") is not None for case in cases)
            assert element.get("errors") == "0"
            assert all(case.get("name") and case.get("classname") and float(case.get("time")) >= 0 for case in cases)

    def test_fails_exactly_when_not_ready(self, status):
        root = ET.fromstring(twins.junit(*samples.sample(status)[:2]))
        assert (int(root.get("failures")) == 0) == (status == "healthy")

    def test_every_reason_is_a_failure_of_its_reading(self, status):
        root = ET.fromstring(twins.junit(*samples.sample(status)[:2]))
        failed = {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None}
        assert {reason.gate for reason in samples.readiness(status).blocking} <= failed

    def test_a_reason_without_a_reading_still_fails(self):
        readiness = msgspec.structs.replace(samples.readiness("blocked"), readings=())
        root = ET.fromstring(twins.junit(readiness, ()))
        assert {case.get("name") for case in root.iter("testcase") if case.find("failure") is not None} == {
            "verdict",
            "event_chain.audit.failures",
            "ca.qa.breaches",
        }

    def test_absent_gates_and_optional_unknowns_are_skipped(self):
        optional = msgspec.structs.replace(samples.readings("healthy")[2], value=None, status="unknown", why="never sampled")
        readiness = msgspec.structs.replace(samples.readiness(), readings=(optional,))
        root = ET.fromstring(twins.junit(readiness, ()))
        skipped = {
            case.get("name"): case.find("skipped").get("message") for case in root.iter("testcase") if case.find("skipped") is not None
        }
        assert skipped["ca.entropy.mean_bits"] == "never sampled"
        assert {"policy chain", "vector latency", "cluster churn"} < set(skipped)
        assert root.get("failures") == "0"

    def test_a_failed_scenario_lists_its_breaches(self):
        root = ET.fromstring(twins.junit(*samples.sample("blocked")[:2]))
        (suite,) = (element for element in root if element.get("name") == "qa.core")
        (case,) = (case for case in suite if case.get("name") == "life-soup")
        assert all(part in case.find("failure").text for part in ("entropy_mean", "0.412", "0.351", "0.333", "0.369", "oscillation_period"))
        assert suite.get("time") == "96.200000"

    @pytest.mark.parametrize("text", [samples.ODD, "\x00\x0b\ufffe\ud800", "]]>\"'<&>", *samples.PAYLOADS])
    def test_any_text_makes_well_formed_xml(self, text):
        document = twins.junit(*samples.hostile(text)[:2])
        root = ET.fromstring(document.encode())
        assert {element.tag for element in root.iter()} <= {"testsuites", "testsuite", "testcase", "failure", "skipped", "system-out"}


class TestSummary:
    def test_begins_with_the_verdict(self, status):
        first = twins.summary_markdown(*samples.sample(status)).splitlines()[0]
        assert first == {"healthy": "# ✔ READY", "degraded": "# ▲ NOT READY", "blocked": "# ✖ BLOCKED", "unknown": "# ? UNKNOWN"}[status]

    def test_tables_are_whole(self, status):
        summary = twins.summary_markdown(*samples.sample(status))
        readings = rows(summary, "Readings")
        assert {len(row) for row in readings} == {6} and len(readings) == 2 + 5
        if status == "healthy":
            assert "## Blocking reasons\n\nNone." in summary
        else:
            assert {len(row) for row in rows(summary, "Blocking reasons")} == {5}

    def test_says_pack_engine_seeds_and_notes(self):
        summary = twins.summary_markdown(*samples.sample())
        assert "Pack core@c0dec0dec0de · engine e11ee11ee11e \\(taichi 1.7.4\\) · baseline: same pack, same engine" in summary
        assert "Seeds against their bands: 1 scenario with seeds, 1 as their bands allow" in summary and "Note:" not in summary
        blocked = twins.summary_markdown(*samples.sample("blocked"))
        assert "1 outside: life-soup" in blocked and "Note: no baseline is known for 2 of the scenarios" in blocked
        old = msgspec.structs.replace(samples.suite(), pack="", engine=None)
        assert "Pack not recorded · engine not recorded · baseline: none" in twins.summary_markdown(
            samples.readiness(), (old,), samples.provenance()
        )

    def test_values_are_for_people(self):
        summary = twins.summary_markdown(*samples.sample("unknown"))
        assert "no data" in summary and "4 d 15 h" in summary and "8.43 ms" in summary

    @pytest.mark.parametrize("text", [samples.ODD, "a|b", "a\\|b", "\\", "x\n\n# heading\n| a |", "`code`", "\x00", *samples.PAYLOADS])
    def test_nothing_leaves_its_cell(self, text):
        plain, odd = (twins.summary_markdown(*samples.hostile(value)) for value in ("plain", text))
        assert odd.count("\n") == plain.count("\n")
        assert "<" not in odd.replace("&lt;", "")
        for before, after in zip(plain.splitlines(), odd.splitlines(), strict=True):
            assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", after)) == len(re.findall(r"(?<!\\)(?:\\\\)*\|", before))
