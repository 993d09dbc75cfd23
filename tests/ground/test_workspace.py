"""Where the workspace and the shipped files are looked for."""

import pytest

import thunderlab
from thunderlab import workspace
from thunderlab.errors import EnvironmentBlockedError, InputError


def test_the_order_is_explicit_then_variable_then_upward_then_project_root(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    inner = tmp_path / "a" / "b"
    assert workspace.locate(environment={}, start=inner) == inner / ".thunderlab"
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "scenarios").mkdir()
    assert workspace.locate(environment={}, start=inner) == tmp_path / ".thunderlab"
    (tmp_path / "a" / ".thunderlab").mkdir()
    assert workspace.locate(environment={}, start=inner) == tmp_path / "a" / ".thunderlab"
    assert workspace.locate(environment={workspace.VARIABLE: str(tmp_path / "v")}, start=inner) == tmp_path / "v"
    assert workspace.locate(tmp_path / "x", environment={workspace.VARIABLE: str(tmp_path / "v")}, start=inner) == tmp_path / "x"


def test_locating_creates_nothing(tmp_path):
    workspace.locate(tmp_path / "new", environment={})
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_workspace_should_be_is_bad_input(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        workspace.locate(tmp_path / "file", environment={})


def test_a_database_is_named_by_its_address():
    assert workspace.database_url(environment={}) is None
    assert workspace.database_url(environment={workspace.DATABASE_VARIABLE: " "}) is None
    for url in ("postgresql://host/lab", "postgres://ann@host:1/lab"):
        assert workspace.database_url(environment={workspace.DATABASE_VARIABLE: url}) == url


@pytest.mark.parametrize("url", ["mysql://ann:secret@host/lab", "host/lab?secret", "sqlite:///secret.db"])
def test_another_kind_of_address_is_refused_not_ignored(url):
    with pytest.raises(InputError, match=r"THUNDERLAB_DATABASE_URL: expected .*postgresql://") as caught:
        workspace.database_url(environment={workspace.DATABASE_VARIABLE: url})
    assert "secret" not in str(caught.value)


def test_there_is_nothing_yet_without_a_folder_or_a_database(tmp_path, monkeypatch):
    monkeypatch.setenv(workspace.VARIABLE, str(tmp_path / "w"))
    assert workspace.nothing_yet()
    monkeypatch.setenv(workspace.DATABASE_VARIABLE, "postgresql://host/lab")
    assert not workspace.nothing_yet()
    monkeypatch.delenv(workspace.DATABASE_VARIABLE)
    (tmp_path / "w").mkdir()
    assert not workspace.nothing_yet()


def test_a_place_that_cannot_be_made_is_the_environments_fault():
    with pytest.raises(EnvironmentBlockedError, match=r"cannot be made.*--workspace"):
        thunderlab.open("/proc/none/workspace")


def test_a_project_without_its_own_files_gets_the_packages(tmp_path):
    assert (workspace.shipped("scenarios", tmp_path) / "gate" / "thresholds.yaml").is_file()
    assert (workspace.shipped("notebooks", tmp_path) / "packs.yaml").is_file()
