"""The lab's own policies answer as their tests say, and fit their schema; a test that is not met is told."""

import pytest

from tests.policy.little_policies import load, write
from thunderlab.errors import InputError
from thunderlab.gate import deploy
from thunderlab.policy.record.expectations import find_tests, run_tests
from thunderlab.policy.record.loaded import load_folder
from thunderlab.policy.text.source import problems
from thunderlab.workspace import shipped

LAB = shipped("scenarios") / "policies" / "lab"

TESTS = """
policy_tests: 1
requests:
  read: {principal: {type: User, id: ann}, action: {type: Action, id: read}, resource: {type: Page, id: p}, context: {hour: 9}}
entities:
  - {uid: {type: User, id: ann}, attrs: {level: 3}, parents: [{type: Group, id: people}]}
tests:
"""


@pytest.fixture(scope="module")
def own():
    return load_folder(LAB)


def test_the_lab_s_own_policies_pass_their_tests(own):
    found = run_tests(find_tests(LAB), own)
    assert found.tests > 40 and found.unmet == ()


def test_the_lab_s_own_policies_fit_their_schema(own):
    assert list(problems(own.source)) == []


def test_every_policy_of_the_lab_says_why_and_decides_some_test(own):
    policies = own.policies.policies
    assert all(policy.annotations.get("why") for policy in policies) and len(own.whys) == len(policies)
    text = find_tests(LAB).read_text()
    assert [policy.id for policy in policies if policy.id not in text] == []


def test_the_deploy_policy_knows_all_that_the_gate_tells(own):
    """A number the schema has not would deny every deployment."""
    schema = own.source.schema[1]
    assert all(f"{told}?: Long" in schema for told, _ in deploy.TOLD)


@pytest.mark.parametrize(
    ("test", "unmet"),
    [
        ("{name: a, of: read, decision: allow, reasons: [readers]}", None),
        ("{name: a, of: read, context: {hour: 18}, decision: deny}", None),
        ("{name: a, of: read, without: [hour], decision: deny, built: false}", None),
        ("{name: a, of: read, principal: {type: User, id: bob}, decision: deny}", None),
        ("{name: a, of: read, decision: deny}", "decision: expected deny, got allow; reasons: expected [], got [readers]"),
        ("{name: a, of: read, decision: allow, reasons: [writers]}", "reasons: expected [writers], got [readers]"),
        ("{name: a, of: read, decision: allow, reasons: [readers], errors: [dear]}", "errors: expected [dear], got []"),
        ("{name: a, of: read, decision: allow, reasons: [readers], built: false}", "built: expected false, got true"),
    ],
)
def test_what_is_expected_is_held_against_what_is_answered(tmp_path, test, unmet):
    little = load(tmp_path / "little")
    path = tmp_path / "tests.yaml"
    path.write_text(TESTS + f"  - {test}\n")
    found = run_tests(path, little)
    assert [one.detail for one in found.unmet] == ([] if unmet is None else [unmet])
    assert all(one.line == 8 for one in found.unmet)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("policy_tests: 2\nrequests: {}\ntests: []", "format 2"),
        (TESTS + "  - {name: a, of: rread, decision: allow}", "line 8: tests[0].of: there is no request 'rread'"),
        (TESTS + "  - {name: a, of: read, decision: maybe}", "line 8: tests[0].decision"),
        (TESTS + "  - {name: a, of: read, decision: allow, reason: []}", "did you mean reasons?"),
    ],
)
def test_tests_that_are_none_name_file_and_line(tmp_path, text, word):
    path = tmp_path / "tests.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        run_tests(path, load(tmp_path / "little"))
    assert str(refused.value).startswith(str(path)) and word in str(refused.value)


def test_a_folder_without_tests_has_none(tmp_path):
    assert find_tests(write(tmp_path / "little")) is None
