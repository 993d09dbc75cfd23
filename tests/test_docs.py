"""The documentation is true: generated parts are fresh, links lead somewhere, numbers and commands exist."""

import re

import pytest

from tests.docs_tables import GENERATED, PAGES, ROOT, SNAPSHOT, filled, snapshot

ALL_PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "tests").rglob("*.md"), *(ROOT / "reports").glob("*.md"))
)


@pytest.mark.parametrize("page", PAGES)
def test_generated_parts_are_what_the_code_says(page):
    text = (ROOT / page).read_text()
    assert filled(text) == text, "run: make docs"
    assert "<!-- generated:" in text


def test_every_generated_part_is_used():
    together = "".join((ROOT / page).read_text() for page in PAGES)
    assert [name for name in GENERATED if f"<!-- generated: {name} -->" not in together] == []


def test_the_event_snapshot_is_what_the_code_says():
    assert SNAPSHOT.read_text() == snapshot(), "run: make docs"


@pytest.mark.parametrize("page", ALL_PAGES)
def test_links_and_pictures_lead_to_files(page):
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    assert [target for target in targets if not target.startswith("http") and not (path.parent / target).exists()] == []


def test_architecture_names_every_module_that_exists_and_none_that_does_not():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {path.name for path in (ROOT / "thunderlab").iterdir() if path.is_dir() and path.name[0] not in "_."}
    flat = {path.stem for path in (ROOT / "thunderlab").glob("*.py") if path.stem[0] != "_"}
    assert [name for name in sorted(rooms | flat) if f"`{name}" not in text] == []
    named = re.findall(r"`thunderlab/([\w/]+\.\w+)`", text)
    assert [name for name in named if not (ROOT / "thunderlab" / name).is_file()] == []


def test_make_targets_named_in_the_pages_exist():
    makefile = (ROOT / "Makefile").read_text()
    for page in PAGES:
        named = set(re.findall(r"`make ([a-z]+)`", (ROOT / page).read_text()))
        assert [name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []
        assert named
