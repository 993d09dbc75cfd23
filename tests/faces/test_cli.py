"""The command line as a user meets it: exit codes, one JSON document, one line per error, nothing written on bad input."""

import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import jsonschema
import pytest

from tests.conftest import ROOT, heed_interrupts
from thunderlab import workspace
from thunderlab.faces.cli.app import split_global, thunderlab

from . import samples

SUITE = """suite: tiny
format: 1
title: Two scenarios for tests
budget_s: 60
"""
BLINKER = """scenario: 1
name: blinker
title: Blinker
regime: periodic
grid: {size: [9, 9], boundary: torus}
seed: 0
parameters: {rule: B3/S23}
pattern: |
  x = 3, y = 1
  3o!
duration: 20
probes: [0, 20]
expect: {period: 2}
source: "LifeWiki: Blinker"
"""
SOUP = """scenario: 1
name: soup
title: A soup
regime: chaotic
grid: {size: [32, 32], boundary: torus}
seed: 5
parameters: {rule: B3/S23, density: 0.4}
duration: 50
source: none
"""


@pytest.fixture
def project(tmp_path):
    """A project folder of its own with one small suite, as a user would make one."""
    folder = tmp_path / "project"
    suite = folder / "scenarios" / "tiny"
    suite.mkdir(parents=True)
    (folder / "notebooks").symlink_to(ROOT / "notebooks")
    (folder / "scenarios" / "gate").symlink_to(ROOT / "scenarios" / "gate")
    (suite / "suite.yaml").write_text(SUITE)
    (suite / "blinker.yaml").write_text(BLINKER)
    (suite / "soup.yaml").write_text(SOUP)
    return folder


def _commands(group=thunderlab, path=()):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(("path", "command"), list(_commands()), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_every_command_has_help_with_an_example_of_itself(path, command):
    context = click.Context(command, info_name=" ".join(path))
    text = command.get_help(context)
    assert f"thunderlab {' '.join(path)}" in text.partition("Example:")[2]
    assert command.help
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option) and parameter.name != "help")


def test_the_report_names_no_command_that_does_not_exist():
    from thunderlab.faces.report import wording

    known = {" ".join(path) for path, _ in _commands()}
    named = {command.partition("thunderlab ")[2] for _, command in wording._ACTIONS} | {"gate check"}
    assert [text for text in named if not any(text == name or text.startswith(f"{name} ") for name in known)] == []


def test_every_command_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert [path for path, _ in _commands() if f"thunderlab {' '.join(path)}" not in readme] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], (["run"], None, False)),
        (["--json", "run", "--workspace", "w"], (["run"], "w", True)),
        (["run", "--workspace=w", "--json"], (["run"], "w", True)),
        (["x", "--", "--json"], (["x", "--", "--json"], None, False)),
    ],
)
def test_global_flags_are_taken_from_anywhere(arguments, expected):
    assert split_global(arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nope"], ["nope"]),
        (["qa"], ["run, baseline, replay"]),
        (["qa", "run"], ["--suite"]),
        (["qa", "run", "--suite", "none"], ["--suite", "core"]),
        (["qa", "run", "--suite", "core", "--scenario", "none"], ["none", "acorn"]),
        (["qa", "replay", "nothing-of-that-name"], ["nothing-of-that-name"]),
        (["qa", "replay", "00000000-0000-7000-8000-000000000000"], ["no run"]),
        (["qa", "replay", "pulsar", "--steps", "-1"], ["pulsar: steps: -1 steps; 1 to"]),
        (["qa", "run", "--suite", "core", "--junit", "."], ["--junit", "is a directory"]),
        (["qa", "run", "--suite", "core", "--junit", ""], ["--junit", "is empty"]),
        (["qa", "surrogate", "life-mlp", "life-soup-torus", "--grids", "0"], ["grids: ", "from 1 to 10000"]),
        (["automata", "run"], ["scenario file"]),
        (["automata", "run", "--soup", "0.5"], ["--size"]),
        (["automata", "run", "--soup", "0.5", "--size", "10x10"], ["--steps"]),
        (["automata", "run", "--soup", "1.5", "--size", "10x10", "--steps", "1"], ["--soup", "0..1"]),
        (["automata", "run", "--soup", "0.5", "--size", "10", "--steps", "1"], ["--size", "HxW"]),
        (["automata", "run", "--soup", "0.5", "--size", "0x9", "--steps", "1"], ["--size", "empty"]),
        (["automata", "run", "--soup", "0.5", "--size", "99999x99999", "--steps", "1"], ["--size", "GiB"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9", "--steps", "-1"], ["steps"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9", "--steps", "1", "--every", "0"], ["--every"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9", "--steps", "1", "--seed", "-4"], ["--seed"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9", "--steps", "1", "--rule", "B9/S1"], ["rule", "8 neighbours"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9", "--steps", "1", "--boundary", "ring"], ["--boundary", "torus, dead"]),
        (["automata", "run", "--soup", "0.5", "--size", "9x9x9", "--steps", "1"], ["--rule"]),
        (["automata", "run", "--pattern", "none.rle", "--steps", "1"], ["none.rle", "no such file"]),
        (["automata", "run", "none.yaml"], ["none.yaml", "no such file"]),
        (["automata", "attractor", "--soup", "0.5", "--size", "9x9", "--max-steps", "0"], ["--max-steps"]),
        (["gate", "check", "--thresholds", "none.yaml"], ["none.yaml", "no such file"]),
        (["run", "--pack", "none"], ["--pack", "default"]),
        (["run", "-p", "stepz=1"], ["stepz", "steps"]),
        (["run", "-p", "steps=many"], ["steps", "integer"]),
        (["run", "-p", "steps"], ["KEY=VALUE"]),
        (["run", "--workers", "0"], ["--workers"]),
        (["events", "show", "no.such"], ["no.such", "ca.entropy.sample"]),
        (["events", "show", "lab.note.recorded@9.9"], ["lab.note.recorded", "9.9", "1.0"]),
        (["ledger", "append", "--event", "x.y", "--payload", "-"], ["x.y", "lab.note.recorded"]),
        (["keys", "export", "public.json"], ["keys new"]),
        (["ledger", "audit", "--store", "none.db"], ["none.db", "no such file"]),
        (["--workspace"], ["--workspace"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input_is_one_line_exit_2_and_writes_nothing(cli, tmp_path, arguments, words):
    ran = cli(*arguments, "--json") if arguments != ["--workspace"] else cli(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1 and ran.stderr.startswith("error: ")
    assert [word for word in words if word not in ran.stderr] == []
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["nope"], 2), (["events", "check", "--json"], 0), (["doctor", "--json"], 0), (["gate", "check", "--json"], 1)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_process_of_its_own_answers_alike(cli, cli_process, arguments, code):
    ran, here = cli_process(*arguments), cli(*arguments)
    assert (ran.code, here.code) == (code, code)
    assert ran.stderr == here.stderr and bool(ran.stdout) == (code != 2)
    assert code == 2 or ran.json().keys() == here.json().keys()


def test_the_answer_of_a_run_is_what_the_contract_says(cli, tmp_path):
    glider = tmp_path / "glider.rle"
    glider.write_text("x = 3, y = 3, rule = B3/S23\nbo$2bo$3o!\n")
    out = tmp_path / "out.rle"
    ran = cli(
        "automata", "run", "--pattern", glider, "--size", "20x30", "--boundary", "dead", "--steps", 8, "--every", 4, "--out", out, "--json"
    )
    assert ran.code == 0
    found = ran.json()
    moved = "".join(f"{x},{y},1\n" for y, x in [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)])
    absolute = "".join(f"{x},{y},1\n" for y, x in [(10, 16), (11, 17), (12, 15), (12, 16), (12, 17)])
    assert found["rule"] == "B3/S23" and found["boundary"] == "dead" and found["shape"] == [20, 30] and found["steps"] == 8
    assert found["population"] == 5 and found["bbox"] == [[10, 12], [15, 17]]
    assert found["cells_sha256"] == hashlib.sha256(moved.encode()).hexdigest()
    assert found["cells_sha256_absolute"] == hashlib.sha256(absolute.encode()).hexdigest()
    assert [(row["step"], row["population"]) for row in found["trace"]] == [(0, 5), (4, 5), (8, 5)]
    assert "b" in out.read_text() and out.read_text().rstrip().endswith("!")


def test_an_empty_lattice_has_no_bounding_box_and_the_digest_of_no_lines(cli):
    found = cli("automata", "run", "--soup", 0, "--size", "5x6x7", "--rule", "B5/S4-5", "--steps", 3, "--json").json()
    assert (found["population"], found["bbox"], found["shape"]) == (0, None, [5, 6, 7])
    assert found["cells_sha256"] == found["cells_sha256_absolute"] == hashlib.sha256(b"").hexdigest()


def test_attractors_are_found(cli, tmp_path):
    glider = tmp_path / "glider.rle"
    glider.write_text("x = 3, y = 3\nbo$2bo$3o!\n")
    found = cli("automata", "attractor", "--pattern", glider, "--size", "16x16", "--json").json()
    assert (found["found"], found["transient"], found["period"], found["displacement"]) == (True, 0, 4, [1, 1])
    none = cli("automata", "attractor", "--soup", 0.4, "--size", "64x64", "--max-steps", 5, "--json")
    assert (none.code, none.json()["found"], none.json()["period"]) == (0, False, None)


def test_qa_from_nothing_to_a_regression(cli, project, tmp_path):
    """A user's own suite: no baseline is a breach, a baseline mends it, a changed seed breaks it again."""
    first = cli("qa", "run", "--suite", "tiny", "--json", cwd=project)
    assert first.code == 1
    assert {breach["metric"] for one in first.json()["scenarios"] for breach in one["breaches"]} == {"baseline.scenario"}
    made = cli("qa", "baseline", "--suite", "tiny", "--json", cwd=project)
    assert made.code == 0 and Path(made.json()["baseline"]).is_file()
    junit = tmp_path / "out" / "qa.xml"
    good = cli("qa", "run", "--suite", "tiny", "--junit", junit, "--json", cwd=project)
    assert good.code == 0 and good.json()["passed"] and good.json()["suite"] == "tiny"
    assert "<testsuite" in junit.read_text()
    replayed = cli("qa", "replay", good.json()["run_id"], "--json", cwd=project)
    assert (replayed.code, replayed.json()["fidelity"], replayed.json()["first_difference"]) == (0, 1.0, None)
    (project / "scenarios" / "tiny" / "soup.yaml").write_text(SOUP.replace("seed: 5", "seed: 6"))
    bad = cli("qa", "run", "--suite", "tiny", cwd=project)
    assert bad.code == 1 and "✗ FAIL soup\n       baseline.scenario_digest: the scenario changed" in bad.stdout
    assert "\npack tiny@" in bad.stdout and "; baseline: another pack\n" in bad.stdout
    stale = cli("qa", "replay", good.json()["run_id"], cwd=project)
    assert stale.code == 0 and "1.000000" in stale.stdout  # from the pack that was kept, whatever the file says now


def test_a_run_says_what_it_was_made_with_and_how_its_seeds_lie(monkeypatch):
    from thunderlab.faces.cli.qa import _made_with
    from thunderlab.faces.report import standing

    monkeypatch.setattr(standing, "baselines_of", lambda _suites: samples.baselines("blocked"))
    assert list(_made_with(samples.suite())) == [
        "pack core@c0dec0dec0de, engine e11ee11ee11e (taichi 1.7.4); baseline: changed since this run",
        "seeds: 1 scenario with seeds, 0 as their bands allow; 1 outside: life-soup; 1 without a band",
        "       a band of 16 seeds holds at least 73.6 % of all seeds, with 95 % confidence",
    ]


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        ("{", "not JSON"),
        ('{"format": 1, "suite": "tiny", "scenarios": {"blinker": {"metrics": {}}}}', "scenario_digest"),
        ('{"format": 9, "suite": "tiny", "scenarios": {}}', "format"),
        ('{"format": 1, "suite": "other", "scenarios": {}}', "other"),
    ],
)
def test_a_damaged_baseline_names_file_and_field(cli, project, damage, word):
    (project / "scenarios" / "tiny" / "baseline.json").write_text(damage)
    ran = cli("qa", "run", "--suite", "tiny", cwd=project)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1 and "baseline.json" in ran.stderr and word in ran.stderr


def test_a_note_is_written_audited_and_bad_notes_are_not(cli, tmp_path):
    written = cli(
        "ledger", "append", "--event", "lab.note.recorded", "--payload", "-", "--json", stdin='{"text": "gr\\u00fc\\u00dfe", "value": 3}'
    )
    assert (written.code, written.json()["seq"]) == (0, 1)
    for payload in (
        '{"text": 5}',
        '{"text": "a", "colour": 1}',
        '{"text": "a", "value": 1.5}',
        "[]",
        "{",
        '{"text":"a","text":"b"}',
        '{"value": 1}',
    ):
        ran = cli("ledger", "append", "--event", "lab.note.recorded", "--payload", "-", stdin=payload)
        assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    head = cli("ledger", "head", "--json").json()
    audit = cli("ledger", "audit", "--json").json()
    assert head["seq"] == 1 and head["aggregate_hash"] == written.json()["aggregate_hash"]
    assert (audit["ok"], audit["blocks"], audit["failures"], audit["root"]) == (True, 2, [], head["root"])


def test_audit_of_a_handed_in_store_is_a_verdict_and_changes_nothing(cli, tmp_path):
    cli("ledger", "head")
    store = tmp_path / "workspace" / "lab.db"
    copy = tmp_path / "copy.db"
    copy.write_bytes(store.read_bytes())
    wal = store.with_name("lab.db-wal")
    if wal.exists():
        copy.with_name("copy.db-wal").write_bytes(wal.read_bytes())
    assert cli("ledger", "audit", "--store", copy, "--json").code == 0
    import sqlite3

    with sqlite3.connect(copy) as database:
        database.execute("UPDATE event_chain_blocks SET payload = x'00'")
    database.close()
    before = copy.read_bytes()
    ran = cli("ledger", "audit", "--store", copy, "--json")
    assert ran.code == 1 and ran.json()["failures"][0]["seq"] == 0
    assert copy.read_bytes() == before
    noise = tmp_path / "noise.db"
    noise.write_bytes(os.urandom(9000))
    assert cli("ledger", "audit", "--store", noise, "--json").code == 1


def test_gate_and_report_of_a_new_workspace_say_unknown(cli, tmp_path):
    ran = cli("gate", "check", "--json")
    found = ran.json()
    assert (ran.code, found["status"]) == (1, "unknown")
    fields = {"name", "value", "unit", "samples", "age_s", "source", "status"}
    assert all(fields <= reading.keys() for reading in found["readings"])
    assert all({"gate", "value", "threshold", "why"} <= reason.keys() for reason in found["blocking"])
    assert found["absent"] == ["policy chain", "vector latency", "cluster churn"]
    assert len(found["thresholds_sha256"]) == 64
    built = cli("report", "build", "--out", tmp_path / "report", "--json")
    assert built.code == 1
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"index.html", "brg.json", "junit.xml", "summary.md"}
    assert all(Path(built.json()[name]).is_file() for name in ("index.html", "brg.json", "junit.xml", "summary.md"))


def test_events_check_is_green_and_show_gives_a_schema(cli):
    assert cli("events", "check", "--json").json() == {"ok": True, "differences": []}
    shown = cli("events", "show", "ca.qa.scenario.completed", "--json").json()
    jsonschema.Draft202012Validator.check_schema(shown["schema"])
    assert {"duration_us", "entropy_mean", "convergence_steps"} <= set(shown["schema"]["$defs"]["ScenarioCompleted"]["properties"])
    assert cli("events", "show", "ca.qa.scenario.completed@1.0", "--json").json() == shown
    listed = {event["name"]: event for event in cli("events", "list", "--json").json()["events"]}
    assert (listed["lab.note.recorded"]["kept"], listed["ca.entropy.sample"]["kept"]) == ("one by one", "counted per minute")
    text = cli("events", "show", "lab.note.recorded").stdout
    assert re.search(r"value +an integer, or null +default null", text)


def test_keys_never_show_a_private_half(cli, tmp_path):
    made = cli("keys", "new", "--json")
    listed = cli("keys", "list", "--json")
    exported = cli("keys", "export", tmp_path / "public.json", "--json")
    secret = next((tmp_path / "workspace" / "keys").glob("*.private")).read_text().strip()
    everything = "".join(ran.stdout + ran.stderr for ran in (made, listed, exported)) + (tmp_path / "public.json").read_text()
    assert (made.code, listed.code, exported.code) == (0, 0, 0)
    assert made.json()["id"] == listed.json()["keys"][0]["id"] == exported.json()["keys"][0]
    assert secret not in everything


def test_doctor_creates_nothing_and_names_every_part(cli, tmp_path):
    ran = cli("doctor", "--json")
    found = ran.json()
    assert ran.code == 0 and "taichi" in found["engine"] and found["versions"]["numpy"]
    assert all({"name", "present", "purpose"} <= part.keys() for part in found["parts"])
    assert not (tmp_path / "workspace").exists()


def test_text_answers_carry_no_colour_codes_off_a_terminal(cli):
    ran = cli("gate", "check")
    assert "\x1b" not in ran.stdout and "unknown" in ran.stdout


def _on_a_terminal(arguments, env):
    """Run a command on a pseudo-terminal and return what it showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "thunderlab", *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT, env=env)
    os.close(slave)
    shown = b""
    while True:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                shown += os.read(master, 65536)
            except OSError:
                break
        elif process.poll() is not None:
            break
    process.wait()
    os.close(master)
    return shown.decode(errors="replace")


def test_on_a_terminal_words_are_coloured_and_never_colour_alone(tmp_path):
    env = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace"), "TERM": "xterm-256color", "COLUMNS": "200"}
    env.pop("NO_COLOR", None)
    shown = _on_a_terminal(["gate", "check"], env)
    assert "\x1b[33munknown\x1b[0m" in shown
    assert "\x1b[33m" not in _on_a_terminal(["gate", "check"], {**env, "NO_COLOR": "1"})


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_exits_130_and_loses_nothing(tmp_path, how):
    env = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace")}
    process = subprocess.Popen(
        [sys.executable, "-m", "thunderlab", "automata", "run", "--soup", "0.4", "--size", "2000x2000", "--steps", "1000000", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env, preexec_fn=heed_interrupts,
    )  # fmt: skip
    time.sleep(4)
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=240)
    assert (process.returncode, stdout) == (130, "")
    assert stderr == "error: interrupted; nothing acknowledged was lost\n"


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    env = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace")}
    command = f"{sys.executable} -m thunderlab events list | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_metrics_are_prometheus_text(cli):
    cli("ledger", "append", "--event", "lab.note.recorded", "--payload", "-", stdin='{"text": "x"}')
    ran = cli("metrics")
    assert ran.code == 0
    assert re.search(r'^thunderlab_ledger_append_seconds\{quantile="0.95"\} [0-9.e-]+$', ran.stdout, re.MULTILINE)


def test_two_commands_at_once_share_a_workspace(tmp_path):
    env = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace")}
    note = json.dumps({"text": "x"})
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "thunderlab", "ledger", "append", "--event", "lab.note.recorded", "--payload", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=env,
        )
        for _ in range(4)
    ]
    for process in running:
        process.communicate(note)
    assert [process.returncode for process in running] == [0] * 4
    done = subprocess.run(
        [sys.executable, "-m", "thunderlab", "ledger", "audit", "--json"], capture_output=True, text=True, cwd=ROOT, env=env
    )
    assert json.loads(done.stdout)["blocks"] == 5 and json.loads(done.stdout)["ok"]


def test_a_workspace_that_cannot_be_made_is_exit_3(cli):
    ran = cli("ledger", "head", env={workspace.VARIABLE: "/proc/none"})
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (3, "", 1)
    assert "--workspace" in ran.stderr


@pytest.mark.parametrize(("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 3)])
@pytest.mark.parametrize("command", ["events list --json", "--help"])
def test_closed_and_full_streams(tmp_path, redirection, code, command):
    ran = subprocess.run(
        ["sh", "-c", f'"$0" -m thunderlab {command} {redirection}', sys.executable],
        cwd=ROOT, env={**os.environ, workspace.VARIABLE: str(tmp_path / "w")}, capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == code and "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == (code == 3)


def test_events_that_cannot_be_put_together_are_a_no_and_not_a_defect(monkeypatch):
    from thunderlab import lab
    from thunderlab.faces.cli.events import check_events

    def broken():
        raise ValueError("event bell.rang@1.0 has no docstring, so it is undocumented")

    monkeypatch.setattr(lab, "catalogue", broken)
    answer = check_events.callback()
    assert not answer.ok and answer.data == {"ok": False, "differences": ["event bell.rang@1.0 has no docstring, so it is undocumented"]}
