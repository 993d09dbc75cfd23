"""The front door for files: what is refused, what the message says, and that files are written whole or not at all."""

import json
import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from thunderlab import files
from thunderlab.errors import EnvironmentBlockedError, InputError

REFUSED = [
    ("a: no", "line 1: a", "ambiguous"),
    ("a: Yes", "line 1: a", "ambiguous"),
    ("a: off", "line 1: a", "ambiguous"),
    ("a: True", "line 1: a", "ambiguous"),
    ("x: 1\na: 12:30", "line 2: a", "ambiguous"),
    ("a: 010", "line 1: a", "ambiguous"),
    ("a: 0x1f", "line 1: a", "ambiguous"),
    ("a: 1_000", "line 1: a", "ambiguous"),
    ("a: 1\nb: 2\na: 3", "line 3: a", "twice"),
    ("a: &x 1\nb: *x", "line 1: a", "alias"),
    ("a: [*x]", "line 1: a.0", "alias"),
    ("a: !!python/object:os.system x", "line 1: a", "tag"),
    ("a: .nan", "line 1: a", "finite"),
    ("a: -.inf", "line 1: a", "finite"),
    ("a: 1e999", "line 1: a", "finite"),
    ("a: 12345678901234567890", "line 1: a", "digits"),
    ("1: a", "line 1", "key must be text"),
    ("? [a]\n: 1", "line 1", "key must be text"),
    ("a: 1\n---\nb: 2", "line 2", "second document"),
    ("a: [1, 2", "line 2", "expected"),
    ("a: " + "[" * 40 + "]" * 40, "line 1", "nested"),
    ("", "", "empty"),
    ("# only a comment", "", "empty"),
    ("a: x\0y", "", "NUL"),
]


@pytest.mark.parametrize(("text", "place", "reason"), REFUSED)
def test_what_yaml_could_misread_is_refused_with_file_line_and_field(tmp_path, text, place, reason):
    path = tmp_path / "given.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        files.read_document(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: {place}") and reason in message and "\n" not in message


@pytest.mark.parametrize(
    "text", ["[1,]", "{'a': 1}", '{"a": 1, "a": 2}', '{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', "[" * 100_000, "{} x", '"\\x"']
)
def test_json_by_name_is_json_and_nothing_else(tmp_path, text):
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(InputError, match=str(path)):
        files.read_document(path)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4), st.booleans())
def test_every_json_document_reads_as_json_reads_it(tmp_path_factory, value, ascii_only):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(value, ensure_ascii=ascii_only, indent=1))
    expected = json.loads(path.read_text())
    if "\\u0000" in path.read_text() or "\0" in path.read_text():
        return
    assert files.read_document(path).value == expected


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), max_size=12))
def test_a_scalar_reads_as_yaml_reads_it_or_is_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(f"a: {text}\n")
    try:
        found = files.read_document(path).value
    except InputError:
        return
    reference = yaml.safe_load(path.read_text())
    if found != reference:
        # YAML 1.1 has dates, and numbers such as 1e5 as text; YAML 1.2 does not agree with it there.
        assert type(reference["a"]).__name__ in ("date", "datetime", "str") and not isinstance(found["a"], dict | list)


class Grid(msgspec.Struct, forbid_unknown_fields=True):
    size: tuple[int, int]
    wraps: bool = False


class Spec(msgspec.Struct, forbid_unknown_fields=True):
    grid: Grid
    steps: int


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("steps: 1\ngrid:\n  size: [1, two]", "line 3: grid.size[1]", "expected an integer, got text"),
        ("steps: 1\ngrid:\n  size: [1, 2]\n  sise: 3", "line 4: grid.sise", "is not a field here; did you mean size?"),
        ("steps: true\ngrid: {size: [1, 2]}", "line 1: steps", "expected an integer, got true or false"),
        ("grid: {size: [1, 2]}", "line 1: steps", "is missing"),
        ("- 1", "line 1", "expected a mapping, got a list"),
    ],
)
def test_wrong_shapes_name_line_and_field(tmp_path, text, place, reason):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        files.read_as(path, Spec)
    assert f"{path}: {place}" in str(refused.value) and reason in str(refused.value)


def test_a_sound_file_is_read(tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("grid: {size: [3, 4], wraps: true}  # comment\nsteps: 12\n")
    assert files.read_as(path, Spec) == Spec(Grid((3, 4), wraps=True), 12)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        Path.mkdir,
        lambda path: path.write_bytes(b"\xff"),
        lambda path: path.write_bytes(b"a" * (files.TEXT_LIMIT + 1)),
        os.mkfifo,
    ],
)
def test_what_is_no_readable_text_file_is_refused(tmp_path, make):
    path = tmp_path / "odd.yaml"
    make(path)
    with pytest.raises(InputError, match=r"odd\.yaml"):
        files.read_document(path)


def test_writing_replaces_whole_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    files.write_whole(path, "one")
    files.write_whole(path, b"two", mode=0o600)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["file.txt"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    files.write_whole(path, "old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EnvironmentBlockedError, match="No space left"):
        files.write_whole(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.txt"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "file.txt", tmp_path / "link"
    link.symlink_to(target)
    for text in ("one", "two"):
        files.write_whole(link, text)
        assert link.is_symlink() and target.read_text() == text
    assert [entry.name for entry in target.parent.iterdir()] == ["file.txt"]


def test_a_link_to_itself_is_replaced(tmp_path):
    link = tmp_path / "link"
    link.symlink_to(link)
    files.write_whole(link, "one")
    assert link.read_text() == "one" and not link.is_symlink()


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    files.write_pieces(pipe, [b"one, ", b"two"])
    reader.join(10)
    assert heard == [b"one, two"] and pipe.is_fifo()


def test_contained_follows_links(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to(tmp_path)
    assert files.contained(root / "a" / ".." / "b", root) == root / "b"
    for escape in (root / ".." / "x", root / "out" / "x", Path("/etc/passwd")):
        with pytest.raises(InputError, match="outside"):
            files.contained(escape, root)
