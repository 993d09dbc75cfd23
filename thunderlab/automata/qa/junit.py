"""A suite's result as JUnit XML, which continuous-integration servers show."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from thunderlab.automata.qa.baseline import breach_text
from thunderlab.automata.qa.results import Breach, SuiteResult

# XML 1.0 has no way at all to write these (section 2.2, production Char).
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(result: SuiteResult) -> str:
    """Return the result as one XML document: a `testcase` per scenario, its breaches the text of its `failure`.

    Breaches of the suite as a whole make one more test case, `suite`; notes are its `system-out`. Times are seconds.
    """
    failures = sum(not one.passed for one in result.scenarios) + bool(result.breaches)
    counts = {"tests": str(len(result.scenarios) + bool(result.breaches)), "failures": str(failures), "errors": "0"}
    seconds = _seconds(result.duration_us)
    root = ET.Element("testsuites", {**counts, "time": seconds})
    suite = ET.SubElement(root, "testsuite", {"name": _writable(result.suite), **counts, "skipped": "0", "time": seconds})
    for one in result.scenarios:
        _case(suite, result.suite, one.name, one.duration_us, one.breaches)
    if result.breaches:
        _case(suite, result.suite, "suite", result.duration_us, result.breaches)
    if result.notes:
        ET.SubElement(suite, "system-out").text = _writable("\n".join(result.notes))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(parent: ET.Element, suite: str, name: str, duration_us: int, breaches: tuple[Breach, ...]) -> None:
    case = ET.SubElement(parent, "testcase", {"classname": _writable(suite), "name": _writable(name), "time": _seconds(duration_us)})
    if breaches:
        message = f"{len(breaches)} breach{'es' if len(breaches) > 1 else ''}: " + ", ".join(breach.metric for breach in breaches)
        failure = ET.SubElement(case, "failure", {"type": "breach", "message": _writable(message)})
        failure.text = _writable("\n".join(map(breach_text, breaches)))


def _seconds(duration_us: int) -> str:
    return f"{duration_us / 1e6:.6f}"


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
