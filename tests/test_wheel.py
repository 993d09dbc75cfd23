"""The wheel carries everything: installed in an empty folder, `thunderlab run` works there."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from thunderlab import workspace


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel, built and unpacked as an installer would, with nothing of the checkout in reach."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _thunderlab(installed, empty, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != workspace.VARIABLE}
    environment["PYTHONPATH"] = str(installed)
    return subprocess.run(
        [sys.executable, "-m", "thunderlab", *arguments], capture_output=True, text=True, cwd=empty, env=environment, timeout=500
    )


def test_the_wheel_holds_the_package_its_notebooks_and_scenarios_and_nothing_else(installed):
    names = {path.relative_to(installed).parts[0] for path in installed.iterdir()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"thunderlab"}
    shipped = installed / "thunderlab" / "_shipped"
    for kind in ("notebooks", "scenarios"):
        ours = {
            path.relative_to(ROOT / kind) for path in (ROOT / kind).rglob("*") if path.is_file() and ".ipynb_checkpoints" not in path.parts
        }
        assert {path.relative_to(shipped / kind) for path in (shipped / kind).rglob("*") if path.is_file()} == ours
    kept = ("py.typed", "events/catalogue.json", "faces/report/page.html.j2", "faces/report/page.css")
    assert [name for name in kept if not (installed / "thunderlab" / name).is_file()] == []


def test_the_main_job_is_healthy_in_an_empty_folder(installed, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = _thunderlab(installed, empty, "run", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["blocking"]) == ("healthy", [])
    assert [run["status"] for run in answer["notebooks"]] == ["ok", "ok", "ok", "ok"]
    assert all(Path(run["html"]).is_file() and run["duration_us"] > 0 for run in answer["notebooks"])
    report = Path(answer["report"])
    assert report.is_relative_to(empty / "reports") and report.stat().st_size < 1 << 20
    assert (empty / ".thunderlab" / "lab.db").is_file()
    assert str(installed) in json.loads(_thunderlab(installed, empty, "doctor", "--json").stdout)["scenarios"]
    audited = json.loads(_thunderlab(installed, empty, "ledger", "audit", "--json").stdout)
    assert audited["ok"] and audited["blocks"] > 50
