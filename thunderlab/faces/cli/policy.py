"""`thunderlab policy`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thunderlab.faces.cli.answer import Answer, facts, seconds, status, table
from thunderlab.faces.cli.command import FILE, command, group, option_file

if TYPE_CHECKING:
    from thunderlab.policy.record.verdict import Verdict

policy = group("policy", "May somebody do something? Every answer is on record.")

BATCH = 1_000
_MODULE = "cli"

_SCHEMA = "A Cedar schema; the folder's own by default."
_ENTITIES = "What is known of the world: a JSON list of Cedar's entity objects."


@command("check", "thunderlab policy check scenarios/policies/lab", policy)
@click.argument("files", metavar="FILE...", type=FILE, nargs=-1, required=True)
@option_file("--schema", help="A Cedar schema; by default the one among the files, or in the folder.")
def check(files: tuple[Path, ...], schema: Path | None) -> Answer:
    """Read policies (files, which make one set, or folders, each a set), hold them against their schema and run their tests."""
    from thunderlab.faces.policy_check import check_all, check_text

    found = check_all(files, schema)
    return Answer(found, check_text(found), ok=found["ok"])


@command("decide", "thunderlab policy decide --policies scenarios/policies/lab --request request.json", policy)
@option_file("--policies", help="A folder with *.cedar files; the lab's own policy set by default.")
@option_file("--schema", help=_SCHEMA)
@option_file(
    "--request", "request_file", required=True, help='A JSON file, or - for stdin: {"principal": {"type", "id"}, "action": ..., ...}.'
)
@option_file("--entities", "entities_file", help=_ENTITIES)
def decide(policies: Path | None, schema: Path | None, request_file: Path, entities_file: Path | None) -> Answer:
    """Decide a request, failing closed, and put the verdict on record; exit 0 when allowed, 1 when denied."""
    import thunderlab
    from thunderlab.faces import policy_inputs as inputs

    _schema_needs_policies(policies, schema)
    chosen = None if policies is None else inputs.policy_set(policies, schema)
    known, request = inputs.entities(entities_file), inputs.request(request_file)
    with thunderlab.open() as lab:
        chosen = chosen or lab.policy.policies
        verdict = lab.policy.decide(request, entities=known, module=_module(chosen.name), policies=chosen)
    whys = [f"  {one}: {why}" for one, why in chosen.whys.items() if one in verdict.reasons]
    text = [f"{_coloured(verdict.decision)} in {seconds(verdict.latency_us)}", *whys, facts(_facts(verdict))]
    return Answer(_data(verdict), "\n".join(text), ok=verdict.allowed)


def _schema_needs_policies(policies: Path | None, schema: Path | None) -> None:
    if policies is None and schema is not None:
        raise click.UsageError("--schema is about the policies in --policies; name both")


def _module(name: str) -> str:
    """Return who asks, for the record: the command line, and which policies it asks."""
    return f"{_MODULE}/{''.join(one if one.isprintable() else '?' for one in name)}"[:200]


def _data(verdict: Verdict) -> dict[str, Any]:
    import msgspec

    return msgspec.to_builtins(verdict)  # type: ignore[no-any-return]


def _facts(verdict: Verdict) -> list[tuple[str, object]]:
    named = (("reasons", verdict.reasons), ("errors", verdict.errors), ("request errors", verdict.request_errors))
    lists = [(name, ", ".join(found)) for name, found in named if found]
    why = [] if verdict.reasons or verdict.errors or verdict.request_errors else [("reasons", "none: nothing permits it")]
    closed = [("failed closed", "yes: denied because something went wrong")] if verdict.failed_closed else []
    return [*lists, *why, *closed, ("policy set", verdict.policy_set), ("verdict id", verdict.verdict_id)]


def _coloured(decision: str) -> str:
    return click.style(decision, fg="green" if decision == "allow" else "red")


@command("batch", "thunderlab policy batch --policies scenarios/policies/lab --requests requests.jsonl --json", policy)
@option_file("--policies", help="A folder with *.cedar files; the lab's own policy set by default.")
@option_file("--schema", help=_SCHEMA)
@option_file("--requests", "requests_file", required=True, help="JSON Lines, a request a line, or - for stdin.")
@option_file("--entities", "entities_file", help=_ENTITIES)
def batch(policies: Path | None, schema: Path | None, requests_file: Path, entities_file: Path | None) -> Answer:
    """Decide many requests like `decide`, recorded a thousand at a time; exit 0 once all were decided, however."""
    import thunderlab
    from thunderlab.faces import policy_inputs as inputs
    from thunderlab.faces.cli.progress import bar
    from thunderlab.policy.record.wire import say_entities

    _schema_needs_policies(policies, schema)
    chosen = None if policies is None else inputs.policy_set(policies, schema)
    known, requests = say_entities(inputs.entities(entities_file)), inputs.RequestLines(requests_file)
    total = requests.check()
    answers: list[dict[str, Any]] = []
    with thunderlab.open() as lab, bar("Deciding") as update:
        chosen = chosen or lab.policy.policies
        for lines in inputs.several(requests, BATCH):
            verdicts = lab.policy.decide_many(
                [request for _, request in lines], entities=known, module=_module(chosen.name), policies=chosen
            )
            answers += [{"line": line, **_short(verdict)} for (line, _), verdict in zip(lines, verdicts, strict=True)]
            update("", len(answers), total)
    allowed = sum(one["decision"] == "allow" for one in answers)
    data = {
        "total": len(answers),
        "allowed": allowed,
        "denied": len(answers) - allowed,
        "failed_closed": sum(one["failed_closed"] for one in answers),
        "policy_set": chosen.digest,
        "answers": answers,
    }
    rows = [
        (one["line"], _coloured(one["decision"]), ", ".join(one["reasons"] or one["errors"] or one["request_errors"])) for one in answers
    ]
    return Answer(
        data, f"{len(answers)} decided: {allowed} allowed, {len(answers) - allowed} denied.\n{table(['line', '', 'because'], rows)}"
    )


def _short(verdict: Verdict) -> dict[str, Any]:
    """Return what differs from verdict to verdict."""
    return {name: value for name, value in _data(verdict).items() if name not in ("policy_set", "entities", "policy_module")}


@command("replay", "thunderlab policy replay --policies scenarios/policies/lab --since 7d", policy)
@option_file("--policies", required=True, help="A folder with the changed *.cedar files.")
@option_file("--schema", help="A schema for them; without any, each request is held against that of the policy set that decided it.")
@click.option(
    "--since", "since_text", metavar="TIME", help="Leave out what was recorded before: 2026-01-31, an RFC 3339 time, or 15m, 24h, 7d."
)
@click.option("--limit", type=click.IntRange(1), help="Judge so many recorded requests at most, the newest.")
@option_file("--requests", "requests_file", help="Judge the requests in this Parquet file instead of the recorded ones.")
@option_file(
    "--against", help="With --requests: compare with this policy set; by default with the file's `decision` column or the lab's own."
)
@option_file("--entities", "entities_file", help=f"With --requests: {_ENTITIES[0].lower()}{_ENTITIES[1:]}")
def replay(
    policies: Path, schema: Path | None, since_text: str | None, limit: int | None, requests_file: Path | None, against: Path | None,
    entities_file: Path | None,
) -> Answer:  # fmt: skip
    """Judge recorded requests again under changed policies, failing closed, and say what would be decided differently."""
    import msgspec

    import thunderlab
    from thunderlab.clock import SystemClock
    from thunderlab.faces import policy_inputs as inputs
    from thunderlab.faces.cli.progress import bar
    from thunderlab.faces.policy_texts import replay_text

    since = inputs.since(since_text, SystemClock().now_us())
    if requests_file is None and (against is not None or entities_file is not None):
        raise click.UsageError("--against and --entities are about --requests; recorded requests have their own")
    if requests_file is not None and since is not None:
        raise click.UsageError("--since is about recorded requests; those in a file have no time")
    changed = inputs.policy_set(policies, schema, needs_schema=requests_file is not None)
    before = None if against is None else inputs.policy_set(against, None)
    known = inputs.entities(entities_file)
    if requests_file is not None:
        inputs.check_requests(requests_file, limit, [one for one in (changed, before) if one is not None], entities_file)
    with thunderlab.open() as lab, bar("Judging") as update:
        if requests_file is None:
            total = lab.policy.history.count(since)
            found = lab.policy.replay(
                changed, since=since, limit=limit, on_progress=lambda done: update("", done, min(total, limit or total))
            )
        else:
            found = lab.policy.replay_file(
                changed, requests_file, against=before, entities=known, limit=limit, on_progress=lambda done, of: update("", done, of)
            )
    return Answer(msgspec.to_builtins(found), replay_text(found))


@command("log", "thunderlab policy log --decision deny --since 24h --limit 20", policy)
@click.option("--decision", type=click.Choice(["allow", "deny"]), help="Only these.")
@click.option(
    "--since", "since_text", metavar="TIME", help="Leave out what was recorded before: 2026-01-31, an RFC 3339 time, or 15m, 24h, 7d."
)
@click.option("--limit", type=click.IntRange(0, 100_000), default=50, show_default=True, help="List so many at most; all are counted.")
def log(decision: str | None, since_text: str | None, limit: int) -> Answer:
    """Show what was decided, newest first, with how long deciding took."""
    import thunderlab
    from thunderlab.clock import SystemClock
    from thunderlab.faces import policy_inputs as inputs
    from thunderlab.faces.cli.progress import bar
    from thunderlab.faces.policy_texts import log_data, log_text

    since = inputs.since(since_text, SystemClock().now_us())
    with thunderlab.open() as lab, bar("Reading") as update:
        total = lab.policy.history.count(since)
        found = lab.policy.log(decision=decision, since=since, limit=limit, on_progress=lambda done: update("", done, total))
    return Answer(log_data(found), log_text(found))


@command("audit", "thunderlab policy audit --json", policy)
def audit() -> Answer:
    """Decide every recorded verdict again from its stored request; exit 1 when anything differs. Nothing is changed."""
    import msgspec

    import thunderlab
    from thunderlab.faces.cli.progress import bar

    with thunderlab.open() as lab, bar("Deciding again") as update:
        total = lab.policy.history.count()
        found = lab.policy.audit(lambda done: update("", done, total))
    kept = f"{found.reproduced} of {found.verdicts} verdicts reproduced" + (f", {found.pruned} are pruned" if found.pruned else "")
    rows = [(failure.seq, status("failed"), failure.kind, failure.detail) for failure in found.failures]
    failed = [table(["seq", "", "kind", "detail"], rows)] if rows else []
    return Answer(msgspec.to_builtins(found), "\n".join([f"{status('ok' if found.ok else 'failed')}: {kept}", *failed]), ok=found.ok)


COMMANDS = (policy,)
