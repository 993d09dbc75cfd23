"""The main job: notebooks run, failures named, interrupted runs taken up, outputs contained."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, heed_interrupts
from thunderlab import workspace
from thunderlab.errors import InputError, NotebookFailedError
from thunderlab.faces.main_job import MainJob, newest_report, plan
from thunderlab.faces.notebooks import Runner, read_pack


def _notebook(path, *sources, parameters=None):
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": f"c{number}"}
        for number, source in enumerate(sources)
    ]
    if parameters:
        cells.insert(
            0,
            {
                "cell_type": "code",
                "metadata": {"tags": ["parameters"]},
                "source": parameters,
                "outputs": [],
                "execution_count": None,
                "id": "p",
            },
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.write_text(json.dumps({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of two quick notebooks and the real scenarios, with the current folder inside it."""
    folder = tmp_path / "project"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "scenarios").symlink_to(ROOT / "scenarios")
    (folder / "notebooks" / "packs.yaml").write_text("packs:\n  default:\n    - [00_first, 01_other]\n    - [90_last]\n")
    marker = f"open({str(tmp_path)!r} + '/ran-%s', 'a').write('x')"
    _notebook(folder / "notebooks" / "00_first.ipynb", marker % "first", "print(steps)", parameters="steps: int = 3  # how many")
    _notebook(folder / "notebooks" / "01_other.ipynb", marker % "other", "import os; print(os.environ['THUNDERLAB_WORKSPACE'])")
    _notebook(folder / "notebooks" / "90_last.ipynb", marker % "last")
    monkeypatch.chdir(folder)
    return folder


def _run(lab, project, *, fresh=False, given=None, workers=2):
    seen = []
    outcome = MainJob(lab, plan("default", given or {}), project / "reports").run(
        workers=workers, fresh=fresh, on_progress=lambda *what: seen.append(what)
    )
    return outcome, seen


def test_a_run_writes_everything_into_its_own_folder(real_lab, project, tmp_path):
    outcome, seen = _run(real_lab, project, given={"steps": "7"})
    folder = outcome.report["index.html"].parent
    assert folder.parent == project / "reports"
    assert {path.name for path in folder.iterdir()} == {
        *(f"{name}.{kind}" for name in ("00_first", "01_other", "90_last") for kind in ("ipynb", "html")), "index.html", "brg.json", "junit.xml", "summary.md", "run.json",
    }  # fmt: skip
    assert [run.status for run in outcome.notebooks] == ["ok", "ok", "ok"]
    assert "7\n" in (folder / "00_first.ipynb").read_text().replace("\\n", "\n")
    assert str(real_lab.workspace) in (folder / "01_other.ipynb").read_text()
    assert (project / "reports" / "latest").resolve() == folder
    assert newest_report(project / "reports") == folder / "index.html"
    assert seen[-1] == ("deciding readiness", 3, 3)
    told = json.loads(next(real_lab.ledger.blocks(name="lab.run.completed")).payload)
    assert (told["notebooks"], told["failed"], told["pack"]) == (3, [], "default")
    assert outcome.readiness.status == "unknown"  # no QA ran here
    assert json.loads((folder / "brg.json").read_text())["provenance"]["parameters"] == {"steps": "7"}


def test_a_failing_cell_is_named_with_its_notebook_and_blocks(real_lab, project):
    _notebook(project / "notebooks" / "01_other.ipynb", "x = 1", "1 / 0")
    outcome, _ = _run(real_lab, project)
    failed = next(run for run in outcome.notebooks if run.name == "01_other")
    assert failed.status == "failed"
    assert "01_other.ipynb: cell [2] (1 / 0) failed: ZeroDivisionError" in failed.why
    assert outcome.readiness.status == "blocked"
    assert any(reason.gate == "run.notebooks.failed" and "01_other" in reason.why for reason in outcome.readiness.blocking)
    assert "ZeroDivisionError" in (outcome.report["index.html"].parent / "01_other.html").read_text()


def test_an_interrupted_run_is_taken_up_where_it_stopped(real_lab, project, tmp_path, monkeypatch):
    original = Runner.run

    def cut(self, notebook, output, parameters, on_cell=None):
        if notebook.stem == "90_last":
            raise KeyboardInterrupt
        return original(self, notebook, output, parameters, on_cell)

    monkeypatch.setattr(Runner, "run", cut)
    with pytest.raises(KeyboardInterrupt):
        _run(real_lab, project)
    monkeypatch.setattr(Runner, "run", original)
    monkeypatch.setattr("thunderlab.faces.main_job._alive", lambda _pid: False)
    outcome, _ = _run(real_lab, project)
    assert outcome.resumed == 2
    assert {name: (tmp_path / f"ran-{name}").read_text() for name in ("first", "other", "last")} == {
        "first": "x",
        "other": "x",
        "last": "x",
    }
    again, _ = _run(real_lab, project)
    assert again.resumed == 0
    assert (tmp_path / "ran-first").read_text() == "xx"


@pytest.fixture
def interrupted(real_lab, project, monkeypatch):
    """A run that was cut short just before its report, with every notebook done."""
    with monkeypatch.context() as cut:
        cut.setattr("thunderlab.faces.main_job.build", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _run(real_lab, project)
    monkeypatch.setattr("thunderlab.faces.main_job._alive", lambda _pid: False)
    return lambda given=None, *, fresh=False: len(
        MainJob(real_lab, plan("default", given or {}), project / "reports")._resume_or_start(fresh=fresh)[0].notebooks
    )


def test_what_is_taken_up_must_have_had_the_same_inputs(interrupted, project):
    assert interrupted() == 3
    assert interrupted({"steps": "9"}) == 0


def test_fresh_starts_anew(interrupted):
    assert interrupted(fresh=True) == 0


def test_a_changed_notebook_starts_anew(interrupted, project):
    _notebook(project / "notebooks" / "90_last.ipynb", "'changed'")
    assert interrupted() == 0


def test_a_changed_scenario_starts_anew(interrupted, project):
    shutil.copytree(ROOT / "scenarios", project / "copied")
    (project / "scenarios").unlink()
    (project / "copied").rename(project / "scenarios")
    assert interrupted() == 3
    soup = project / "scenarios" / "core" / "seeds.yaml"
    soup.write_text(soup.read_text() + "# changed\n")
    assert interrupted() == 0


def test_changed_code_starts_anew(interrupted, monkeypatch):
    monkeypatch.setattr("thunderlab.faces.main_job.__file__", str(ROOT / "tests" / "faces" / "samples.py"))
    assert interrupted() == 0


def test_stopping_reaches_a_kernel_that_is_only_starting(tmp_path):
    runner = Runner(tmp_path / "workspace", tmp_path)
    _notebook(tmp_path / "sleeps.ipynb", f"open({str(tmp_path / 'ran')!r}, 'w').close(); import time; time.sleep(600)")
    runner.stop()
    with pytest.raises(KeyboardInterrupt):
        runner.run(tmp_path / "sleeps.ipynb", tmp_path / "out.ipynb", {})
    assert not (tmp_path / "ran").exists()


def test_packs_name_their_mistakes(project):
    path = project / "notebooks" / "packs.yaml"
    with pytest.raises(InputError, match="there are: default"):
        read_pack(project / "notebooks", "none")
    for bad in ("../evil", "missing", "a/b"):
        path.write_text(f"packs:\n  default:\n    - ['{bad}']\n")
        with pytest.raises(InputError, match=r"packs\.yaml.*no notebook"):
            read_pack(project / "notebooks", "default")


def test_without_a_report_the_message_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="thunderlab run"):
        newest_report(tmp_path)


def _kernels(marker):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if marker.encode() in environment and b"ipykernel" in command:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_kernels_and_exits_130(project, tmp_path, how):
    _notebook(
        project / "notebooks" / "01_other.ipynb", "import time", f"open({str(tmp_path / 'sleeping')!r}, 'w').close(); time.sleep(600)"
    )
    place = str(tmp_path / "workspace")
    process = subprocess.Popen(
        [sys.executable, "-m", "thunderlab", "run", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project,
        env={**os.environ, workspace.VARIABLE: place},
        preexec_fn=heed_interrupts,
    )
    for _ in range(1200):
        if (tmp_path / "sleeping").exists():
            break
        time.sleep(0.1)
    process.send_signal(how)
    stdout, stderr = process.communicate(timeout=240)
    assert (process.returncode, stdout) == (130, "")
    assert stderr == "error: interrupted; nothing acknowledged was lost\n"
    for _ in range(100):
        if not _kernels(place):
            break
        time.sleep(0.1)
    assert _kernels(place) == []


def test_a_kernel_that_dies_is_the_environments_fault(project, tmp_path):
    from thunderlab.errors import EnvironmentBlockedError

    _notebook(tmp_path / "dies.ipynb", "import os; os._exit(1)")
    with pytest.raises(EnvironmentBlockedError, match=r"dies\.ipynb"):
        Runner(tmp_path / "workspace", tmp_path).run(tmp_path / "dies.ipynb", tmp_path / "out" / "dies.ipynb", {})


def test_kernels_listen_on_no_port(project, tmp_path):
    listening = "import json, ipykernel; print(json.load(open(ipykernel.get_connection_file()))['transport'])"
    _notebook(tmp_path / "asks.ipynb", listening)
    Runner(tmp_path / "workspace", tmp_path).run(tmp_path / "asks.ipynb", tmp_path / "asked.ipynb", {})
    assert "ipc" in (tmp_path / "asked.ipynb").read_text()


def test_a_failed_notebook_raises_with_its_output_written(tmp_path):
    _notebook(tmp_path / "fails.ipynb", "raise ValueError('first line\\nsecond line')")
    with pytest.raises(NotebookFailedError, match=r"fails\.ipynb: cell \[1\] .* ValueError: first line$"):
        Runner(tmp_path / "workspace", tmp_path).run(tmp_path / "fails.ipynb", tmp_path / "out" / "fails.ipynb", {})
    assert (tmp_path / "out" / "fails.ipynb").is_file()
