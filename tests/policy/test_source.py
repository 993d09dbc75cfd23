"""Policy sets in folders: what they are called, where they are wrong, and bytes that name them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cedarpy
import pytest

from tests.policy.test_lexer import HEAD, when
from thunderlab.errors import InputError
from thunderlab.policy.text import source

SCHEMA = 'entity U; entity R; action "a" appliesTo {principal: [U], resource: [R], context: {a: Long}};'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "policies"
    place.mkdir()
    (place / "b.cedar").write_text(f'// one\n{HEAD};\n@id("last") {HEAD};')
    (place / "a.cedar").write_text(f"{HEAD};\n\n{HEAD}; // and no more")
    (place / "lab.cedarschema").write_text(SCHEMA)
    (place / "entities.json").write_text("[]")
    (place / ".hidden.cedar").write_text("nonsense")
    (place / "notes.txt").write_text("nonsense")
    return place


def refusal(of: object, *arguments: object) -> str:
    with pytest.raises(InputError) as refused:
        of(*arguments)
    return str(refused.value)


def test_a_folder_is_read_in_the_order_of_names(folder: Path):
    read = source.read_folder(folder)
    assert [name for name, _ in read.texts] == ["a.cedar", "b.cedar"]
    assert read.schema == ("lab.cedarschema", SCHEMA)
    assert read.places == (("policy0", "a.cedar", 1), ("policy1", "a.cedar", 3), ("policy2", "b.cedar", 2), ("last", "b.cedar", 3))
    assert source.read_entities(folder) == ("entities.json", "[]")


def test_text_and_ids_are_those_of_all_files_as_one(folder: Path):
    read = source.read_folder(folder)
    alone = source.source([("all.cedar", read.text)])
    assert alone.ids == read.ids == ("policy0", "policy1", "policy2", "last")
    assert list(json.loads(cedarpy.policies_to_json_str(read.text))["staticPolicies"]) == ["policy0", "policy1", "policy2", "policy3"]


def test_the_digest_is_that_of_the_document_and_of_nothing_else(folder: Path, tmp_path: Path):
    read = source.read_folder(folder)
    texts = [[name, (folder / name).read_text()] for name in ("a.cedar", "b.cedar")]
    document = {"format": "thunderlab-policies/1", "policies": texts, "schema": ["lab.cedarschema", SCHEMA]}
    written = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    assert read.to_bytes() == written
    assert read.digest == hashlib.sha256(written).hexdigest()
    folder.rename(tmp_path / "elsewhere")
    assert source.read_folder(tmp_path / "elsewhere") == read
    (tmp_path / "elsewhere" / "b.cedar").write_text(f"{HEAD};")
    assert source.read_folder(tmp_path / "elsewhere").digest != read.digest


def test_what_was_recorded_is_read_back(folder: Path):
    read = source.read_folder(folder)
    again = source.from_bytes(read.to_bytes())
    assert (again, again.places, again.digest) == (read, read.places, read.digest)
    bare = source.source([("p", "")])
    assert source.from_bytes(bare.to_bytes()) == bare


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data.replace(b"policies/1", b"policies/2"),
        lambda data: data.replace(b'"schema"', b'"scheme"'),
        lambda data: b'{"format":"x",' + data[1:],
        lambda data: b"[" * 100_000,
        lambda data: b"\xff",
        lambda data: b"null",
        lambda data: json.dumps({"format": source.FORMAT, "policies": [["a", 1]], "schema": None}, separators=(",", ":")).encode(),
        lambda data: json.dumps({"format": source.FORMAT, "policies": {}, "schema": None}, separators=(",", ":")).encode(),
        lambda data: json.dumps({"format": source.FORMAT, "policies": [], "schema": "x"}, separators=(",", ":")).encode(),
        lambda data: json.dumps({"format": source.FORMAT, "policies": [["a", "permit"]], "schema": None}, separators=(",", ":")).encode(),
    ],
)
def test_other_bytes_are_refused(folder: Path, change):
    assert refusal(source.from_bytes, change(source.read_folder(folder).to_bytes()), "row 7")


def test_hostile_folders_are_refused(folder: Path, tmp_path: Path):
    assert refusal(source.read_folder, tmp_path / "none") == f"{tmp_path}/none: no such folder"
    assert refusal(source.read_folder, folder / "a.cedar") == f"{folder}/a.cedar: no such folder"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refusal(source.read_folder, empty) == f"{empty}: holds no policies: expected files called *.cedar"
    (tmp_path / "out.cedar").write_text(f"{HEAD};")
    (folder / "c.cedar").symlink_to(tmp_path / "out.cedar")
    assert refusal(source.read_folder, folder) == f"{folder}/c.cedar: lies outside {folder}"
    (folder / "c.cedar").unlink()
    (folder / "other.cedarschema.json").write_text("{}")
    assert (
        refusal(source.read_folder, folder)
        == f"{folder}: holds more than one schema (lab.cedarschema and other.cedarschema.json); one is accepted"
    )
    (folder / "other.cedarschema.json").unlink()
    (folder / "c.cedar").mkdir()
    assert refusal(source.read_folder, folder) == f"{folder}/c.cedar: is not a regular file"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("b.cedar", f"{HEAD};\n{HEAD} when {{ 1 ** 2 }};", "b.cedar: line 2: policy policy3: unexpected token `*`"),
        ("b.cedar", "(" * 300, "b.cedar: line 1: policy policy2: brackets are nested deeper than 200"),
        (
            "b.cedar",
            f'\n@id("policy1") {HEAD};',
            "b.cedar: line 2: policy policy1: the policy of {folder}/a.cedar, line 3 has this id, too",
        ),
        ("b.cedar", f"{HEAD};\0", "b.cedar: line 1: U+0000 is a control character; write it as \\u{0} in a string"),
        ("b.cedar", "x" * (1 << 20), "b.cedar: with the other files there are over 1048576 bytes, the most accepted here"),
        ("b.cedar", "x" * (10 << 20), "b.cedar: is larger than 1048576 bytes, the most accepted here"),
        ("b.cedar", b"//\n\xff", "b.cedar: line 2: is not UTF-8 text (byte 3)"),
        (
            "b.cedar",
            when('\n"\u0430dmin" == 1'),
            "b.cedar: line 2: the string mixes letters of different scripts (CYRILLIC, LATIN) in one word; ",
        ),
        ("lab.cedarschema", "entity A;\nentity A;", "lab.cedarschema: line 2: `A` is declared twice"),
        ("lab.cedarschema", "entity A {x: " + "Set<" * 1000, "lab.cedarschema: line 1: brackets are nested deeper than 50"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_policy(folder: Path, name: str, text: str | bytes, said: str):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert refusal(source.read_folder, folder).startswith(f"{folder}/{said.replace('{folder}', str(folder))}")


def test_two_files_of_one_name_are_refused(folder: Path, tmp_path: Path):
    other = tmp_path / "a.cedar"
    other.write_text(f"{HEAD};")
    assert refusal(source.read_files, [folder / "a.cedar", other]) == f"{other}: another file of this policy set is called a.cedar, too"


def test_files_are_read_in_the_order_given(folder: Path):
    read = source.read_files([folder / "b.cedar", folder / "a.cedar"])
    assert read.ids == ("policy0", "last", "policy2", "policy3") and read.schema is None
    assert source.problems(read) == ()


def test_problems_name_file_line_and_policy():
    texts = [
        ("a.cedar", when("context.b") + f'\n@id("x")\n{when("context.a == true")}'),
        ("b.cedar", f"// two\npermit(principal == ?principal, action, resource);\n{when('context.a > 1')}"),
    ]
    found = source.problems(source.source(texts, ("s", SCHEMA)))
    assert [(one.file, one.line, one.policy) for one in found] == [
        ("a.cedar", 1, "policy0"),
        ("a.cedar", 2, "x"),
        ("b.cedar", 2, "policy2"),
    ]
    assert found[0].message == 'attribute `b` in context for Action::"a" not found'
    assert found[1].message.endswith("and Long are not compatible")
    assert found[2].message == "is a template: nothing links it here, so it never applies"
    assert [one.policy for one in source.problems(source.source(texts))] == ["policy2"]
