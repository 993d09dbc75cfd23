"""What a report says of policy: counts, latency, what if; and what it cannot tell it says, too."""

import json

import sqlalchemy as sa

from tests.faces import samples
from tests.policy.little_policies import ENTITIES, POLICIES, asks, load
from thunderlab.faces.report.build import build
from thunderlab.faces.report.policy import changed_samples, collect_policy


def _built(lab, folder):
    policy = collect_policy(lab)
    paths = build(folder, *samples.sample(), policy)
    return policy, paths["index.html"].read_text(), json.loads(paths["brg.json"].read_bytes())["policy"], paths["summary.md"].read_text()


def test_nothing_decided_is_said(lab, tmp_path):
    _, page, twin, summary = _built(lab, tmp_path / "report")
    assert "No what-if was run" in page and twin["total"] == 0 and twin["latency"]["p50_us"] is None
    assert "0 verdicts" in summary


def test_counts_latency_and_what_if(lab, tmp_path):
    little = load(tmp_path / "little")
    lab.policy.decide_many([asks(hour=hour) for hour in range(12, 20)] + [asks("<b>", hour=1.5)], entities=ENTITIES, policies=little)
    hostile = POLICIES.replace("< 17", "< 15").replace('"readers"', '"readers<script>|"')
    found = lab.policy.replay(load(tmp_path / "what-if<&|", hostile))
    policy, page, twin, summary = _built(lab, tmp_path / "report")
    assert (policy.total, policy.allowed, policy.denied, policy.failed_closed) == (9, 5, 4, 1)
    assert policy.replay == found and found.newly_denied == 2
    assert "Of 9 requests 2 would be newly denied" in page and "<script>|" not in page and "what-if&lt;&amp;|" in page
    assert "2 newly denied, 0 newly allowed" in page  # the picture, in words
    assert twin["replay"]["newly_denied"] == 2 and twin["replayed_at"]
    assert "5 allowed, 4 denied, 1 of these because something went wrong" in summary and "what-if&lt;&amp;\\|" in summary
    assert [why for *_, why in changed_samples(found)] == ["readers no longer permits"] * 2


def test_what_is_damaged_is_said(lab, tmp_path):
    little = load(tmp_path / "little")
    lab.policy.decide(asks(), policies=little)
    lab.policy.replay(little)
    with lab.store.write() as connection:
        connection.execute(sa.text("UPDATE policy_archive SET document = x'7b7d' WHERE kind = 'replay'"))
        connection.execute(sa.text("UPDATE policy_verdict_chain SET payload = x'7b7d' WHERE seq = 1"))
    (lab.workspace / "policies").mkdir()
    policy, page, _, summary = _built(lab, tmp_path / "report")
    assert all(word in policy.damaged for word in ("1 blocks", "newest replay cannot be shown", "own policies cannot be read"))
    assert "newest replay cannot be shown" in page and "cannot be read" in summary
    assert policy.replay is None and policy.policy_set is None
