"""`thunderlab automata cluster` as a user meets it: exit codes, answers, a runner that is interrupted, others that work meanwhile."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT, heed_interrupts
from thunderlab import workspace

GLIDER = "x = 3, y = 3, rule = B3/S23\nbo$2bo$3o!\n"


@pytest.fixture
def cluster(cli):
    return lambda *arguments, **how: cli("automata", "cluster", *arguments, "--json", **how)


@pytest.fixture
def glider(tmp_path):
    path = tmp_path / "glider.rle"
    path.write_text(GLIDER)
    return path


@pytest.fixture
def start(tmp_path):
    """Start a command in the background; whatever is left of it at the end is killed."""
    env = {**os.environ, workspace.VARIABLE: str(tmp_path / "workspace")}
    started = []

    def begin(*arguments):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "thunderlab", "automata", "cluster", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=env,
                preexec_fn=heed_interrupts,
            )  # fmt: skip
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["create, list, show, pause, resume, step, stop, remove, run"]),
        (["create"], ["NAME"]),
        (["create", "tank"], ["--soup"]),
        (["create", "Tank", "--soup", "0.5", "--size", "9x9"], ["'Tank'", "lower-case"]),
        (["create", "tank", "--soup", "0.5", "--size", "9x9", "--rate", "0"], ["rate", "0.001"]),
        (["create", "tank", "--soup", "0.5", "--size", "9x9", "--until", "-5"], ["until"]),
        (["create", "tank", "--soup", "0.5", "--size", "4096x4097"], ["cells", "16777216 bits"]),
        (["create", "tank", "none.yaml"], ["none.yaml", "no such file"]),
        (["show", "tank"], ["'tank'", "create"]),
        (["pause", "tank"], ["'tank'", "create"]),
        (["step", "No", "--steps", "1"], ["lower-case"]),
        (["run", "--every", "0"], ["every", "0.05"]),
        (["run", "--for", "-1"], ["--for"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_bad_input_is_one_line_exit_2_and_makes_no_workspace(cluster, tmp_path, arguments, words):
    ran = cluster(*arguments)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1 and ran.stderr.startswith("error: ")
    assert [word for word in words if word not in ran.stderr] == []
    assert not (tmp_path / "workspace").exists()


def test_an_empty_cluster_is_an_answer_and_makes_no_workspace(cli, cluster, tmp_path):
    ran = cluster("list")
    assert (ran.code, ran.json()) == (0, {"lattices": [], "runner": None})
    assert "no lattice" in cli("automata", "cluster", "list").stdout
    assert not (tmp_path / "workspace").exists()


def test_a_lattice_from_its_creation_to_its_removal(cli, cluster, glider, tmp_path):
    made = cluster("create", "ship", "--pattern", glider, "--size", "16x16", "--paused")
    assert made.code == 0
    found = made.json()
    assert (found["name"], found["status"], found["step"], found["shape"], found["population"]) == ("ship", "paused", 0, [16, 16], 5)
    assert (found["rule"], found["boundary"], found["source"]) == ("B3/S23", "torus", "pattern glider.rle")
    again = cluster("create", "ship", "--pattern", glider, "--size", "16x16")
    assert again.code == 2 and "'ship' already" in again.stderr
    nobody = cluster("pause", "boat")
    assert nobody.code == 2 and "there are: ship" in nobody.stderr

    begun = cluster("show", "ship").json()
    cluster("step", "ship", "--steps", 4)
    moved = cluster("show", "ship").json()
    # A glider moves by one cell along either axis in 4 steps, and on a torus of 16 it is back after 64.
    assert moved["bbox"] == [[low + 1, high + 1] for low, high in begun["bbox"]]
    assert moved["cells_sha256"] == begun["cells_sha256"] and moved["cells_sha256_absolute"] != begun["cells_sha256_absolute"]
    assert cluster("step", "ship", "--steps", 60).json()["step"] == 64
    out = tmp_path / "out" / "ship.rle"
    back = cluster("show", "ship", "--out", out).json()
    assert back["cells_sha256_absolute"] == begun["cells_sha256_absolute"]
    assert out.read_text() == "x = 16, y = 16, rule = B3/S23:T16,16\n" + "6$7bo$8bo$6b3o!\n"
    assert [(sample["step"], sample["population"]) for sample in back["trace"]] == [(0, 5), (4, 5), (64, 5)]
    assert "entropy 0.13" in cli("automata", "cluster", "show", "ship").stdout

    assert cluster("resume", "ship").json()["status"] == "running"
    assert "Nobody runs lattices here" in cli("automata", "cluster", "list").stdout
    assert cluster("stop", "ship").json()["status"] == "stopped"
    assert cluster("remove", "ship").code == 0
    assert cluster("list").json()["lattices"] == []
    assert cli("ledger", "audit", "--json").json()["blocks"] == 3


def test_what_lies_on_a_plane_is_written_where_it_lies(cluster, glider, tmp_path):
    cluster("create", "ship", "--pattern", glider, "--boundary", "plane", "--paused")
    cluster("step", "ship", "--steps", 120)
    out = tmp_path / "ship.rle"
    found = cluster("show", "ship", "--out", out).json()
    assert found["bbox"] == [[30, 32], [30, 32]]  # by one cell along either axis in 4 steps
    assert out.read_text() == "#CXRLE Pos=30,30\nx = 3, y = 3, rule = B3/S23\nbo$2bo$3o!\n"


def test_the_runner_runs_all_to_their_end_with_the_cells_of_an_uninterrupted_run(cli, cluster):
    for name, seed in (("a", 1), ("b", 2)):
        cluster("create", name, "--soup", 0.4, "--size", "40x50", "--seed", seed, "--until", 300)
    ran = cluster("run", "--until-idle")
    assert (ran.code, ran.stderr) == (0, "")
    found = ran.json()
    assert found["steps"] == 600 and [(one["name"], one["status"], one["step"]) for one in found["lattices"]] == [
        ("a", "stopped", 300),
        ("b", "stopped", 300),
    ]
    alone = cli("automata", "run", "--soup", 0.4, "--size", "40x50", "--seed", 2, "--steps", 300, "--json").json()
    assert cluster("show", "b").json()["cells_sha256_absolute"] == alone["cells_sha256_absolute"]
    text = cli("metrics").stdout
    assert "thunderlab_ca_entropy_sample_ubit_count 2" in text and "thunderlab_ca_cluster_save_seconds_count" in text
    idle = cluster("run", "--until-idle")
    assert (idle.code, idle.json()["steps"]) == (0, 0)


def test_an_interrupted_runner_saves_and_others_work_while_it_runs(cluster, start, real_lab):
    seen = real_lab.automata.cluster
    cluster("create", "tank", "--soup", 0.4, "--size", "40x50", "--rate", 200)
    runner = start("run", "--json")
    _until(lambda: seen.get("tank").step > 0)
    assert f"pid {runner.pid} " in cluster("list").json()["runner"]

    second = cluster("run")
    assert (second.code, second.stdout) == (3, "") and f"held by pid {runner.pid} " in second.stderr

    cluster("create", "later", "--soup", 0.4, "--size", "20x20", "--until", 50)
    _until(lambda: seen.get("later").status == "stopped")
    paused = cluster("pause", "tank").json()
    assert cluster("step", "tank", "--steps", 5).json()["step"] == paused["step"] + 5
    resumed = cluster("resume", "tank").json()
    _until(lambda: seen.get("tank").step > resumed["step"])

    assert _interrupted(runner, signal.SIGINT) == (130, "", "error: interrupted; nothing acknowledged was lost\n")
    left = seen.get("tank")
    assert left.status == "running" and seen.runner() is None
    another = start("run", "--json")
    _until(lambda: seen.get("tank").step > left.step)
    # No word of taking over: the first one had signed off.
    assert _interrupted(another, signal.SIGTERM) == (130, "", "error: interrupted; nothing acknowledged was lost\n")


def _interrupted(process, how):
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout, stderr


def _until(reached, patience_s=60):
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
