"""The catalogue keeps its promises: old blocks can be read for ever, and a change that would break that is named."""

import copy
import json

import msgspec
import pytest

from tests import docs_tables
from thunderlab.errors import EvidenceError, InputError, UndocumentedEventError
from thunderlab.events import Catalogue, Envelope, Event
from thunderlab.lab import catalogue


def event(version="1.0", *, name="bell.rang", about="A bell rang.", durable=True, base=Event, **fields):
    """Return an event class as a room would write it; a field is given as its type, or as (type, default)."""
    listed = [(field, *kind) if isinstance(kind, tuple) else (field, kind) for field, kind in fields.items()]
    space = {"__doc__": about, "NAME": name, "VERSION": version, "DURABLE": durable}
    return msgspec.defstruct("Rang", listed, bases=(base,), namespace=space, frozen=True, kw_only=True)


FIRST = event("1.0", times=int, loudness=(float, 0.5))
SECOND = event("1.1", times=int, loudness=(float, 0.5), by=(str | None, None))
THIRD = event("1.2", times=int, by=(str | None, None))
OTHER = event("2.0", times=list[str])
BELLS = Catalogue([SECOND, OTHER, FIRST, THIRD])


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        ([FIRST, event("1.0", times=str)], "two events are called bell.rang@1.0"),
        ([event(name="nodot")], "dotted"),
        ([event(name="Bell.rang")], "dotted"),
        ([event(about=None)], "undocumented"),
        ([event("1")], "is not a version"),
        ([event("1.0.0")], "is not a version"),
        ([event("01.0")], "is not a version"),
        ([event(1)], "is not a version"),
        ([event("1.1")], "1.1 is there and the one before is not"),
        ([event("2.0")], "2.0 is there and the one before is not"),
        ([FIRST, event("1.2")], "1.2 is there"),
        ([FIRST, event("2.1")], "2.1 is there"),
        ([event(at=msgspec.Raw)], "Raw is not one of"),
        ([event(blob=bytes)], "Bytes is not one of"),
        ([event(pair=tuple[int, int] | str | None)], "a tuple of a certain length is in a union"),
        ([event(counts=dict[int, int])], "keys of a map are not text"),
        ([event(inner=msgspec.defstruct("Inner", [("x", int)], array_like=True))], "Inner is written as an array"),
    ],
)
def test_what_a_catalogue_does_not_take(kinds, why):
    with pytest.raises(ValueError, match=why):
        Catalogue(kinds)


def test_a_class_that_refuses_unknown_fields_is_not_taken_since_old_readers_could_not_read_new_events():
    class Strict(Event, frozen=True, forbid_unknown_fields=True):
        """A bell rang."""

        NAME = "bell.rang"

    with pytest.raises(ValueError, match="refuses unknown fields"):
        Catalogue([Strict])


def test_only_the_newest_version_can_be_emitted_and_every_one_can_be_found():
    BELLS.require([OTHER])
    with pytest.raises(UndocumentedEventError, match=r"bell.rang@1.2 is only read any more; emit 2.0"):
        BELLS.require([OTHER, THIRD])
    assert [BELLS.kind("bell.rang", version) for version in ("1.0", "1.1", "1.2", "2.0", "2.1")] == [FIRST, SECOND, THIRD, OTHER, None]
    assert [entry.version for entry in BELLS] == ["2.0"]
    assert BELLS.entry("bell.rang", "1.1").versions == ("1.0", "1.1", "1.2", "2.0")
    for name, version in (("no.such", None), ("bell.rang", "3.0")):
        with pytest.raises(InputError, match=r"there are: "):
            BELLS.entry(name, version)


def test_versions_are_ordered_as_numbers():
    versions = [event(f"1.{minor}", times=int) for minor in range(11)]
    assert next(iter(Catalogue(versions))).version == "1.10"


@pytest.mark.parametrize(
    ("version", "payload", "told"),
    [
        ("1.0", b'{"times":3,"loudness":0.25}', THIRD(times=3)),
        ("1.1", b'{"times":3,"loudness":0.25,"by":"Ann"}', THIRD(times=3, by="Ann")),
        ("1.2", b'{"times":3,"by":null}', THIRD(times=3)),
        ("1.9", b'{"times":3,"by":"Bob","pitch":440.0}', THIRD(times=3, by="Bob")),
        ("2.0", b'{"times":["noon"]}', OTHER(times=["noon"])),
    ],
)
def test_an_event_of_any_version_is_read_as_the_newest_of_its_major_version(version, payload, told):
    assert BELLS.read("bell.rang", version, payload) == told
    assert type(BELLS.read("bell.rang", version, payload)) is type(told)


def test_structs_within_an_event_are_read_as_the_newest_version_has_them():
    old, new = (
        event(version, who=msgspec.defstruct("Ringer", fields))
        for version, fields in (("1.0", [("name", str)]), ("1.1", [("name", str), ("age", int | None, None)]))
    )
    assert Catalogue([old, new]).read("bell.rang", "1.0", b'{"who":{"name":"Ann"}}').who.age is None


@pytest.mark.parametrize(
    ("name", "version", "payload", "why"),
    [
        ("no.such", "1.0", b"{}", "event no.such@1.0: is not known here"),
        ("bell.rang", "3.0", b"{}", "event bell.rang@3.0: is not known here; a newer"),
        ("bell.rang", "1", b"{}", "is not known here"),
        ("bell.rang", 1, b"{}", "is not known here"),
        ("bell.rang", "1.0", b"{}", "does not hold what it should"),
        ("bell.rang", "1.0", b'{"times":1,"loudness":"loud"}', "does not hold what it should"),
        ("bell.rang", "1.0", b'{"times":', "does not hold what it should"),
        ("bell.rang", "1.2", b'{"times":1,"by":"\xff"}', "does not hold what it should"),
        ("bell.rang", "1.0", None, "pruned"),
        ("bell.rang", "1.0", '{"times":1}', "no payload"),
    ],
)
def test_what_cannot_be_read_is_evidence_and_says_what_it_is(name, version, payload, why):
    with pytest.raises(EvidenceError, match=why):
        BELLS.read(name, version, payload)


ID, AT = "018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b", "2026-02-28T23:59:59.000000Z"


def _envelope(of, **changes):
    made = Envelope(id=ID, name=of.NAME, version=of.VERSION, at=AT, payload=of.encode(), event=of)
    return msgspec.structs.replace(made, **changes)


def test_an_envelope_is_checked_against_what_the_bus_would_have_put_in():
    sound = event(times=int, loudness=(float | None, None))
    bells = Catalogue([sound, event("1.0", name="bell.broke", at=str)])
    good = sound(times=1, loudness=2)
    right = [_envelope(good), _envelope(sound(times=3)), _envelope(good)]
    bells.check([])
    bells.check(right)
    stranger = event(times=int, loudness=(float | None, None))
    for wrong in (
        _envelope(good, name="bell.broke"),
        _envelope(good, version="1.1"),
        *(_envelope(good, id=id_) for id_ in ("", "x", 7, ID[:-1], ID.upper(), f"{ID}\n", ID.replace("-7", "-4"))),
        *(_envelope(good, at=at) for at in ("", "yesterday", None, [], f"{AT}\n", AT[:-1], "2026-02-30T00:00:00.000000Z")),
        _envelope(good, payload=b'{"times":2,"loudness":2.0}'),
        _envelope(good, payload=b'{"times":1,"loudness":2}'),
        _envelope(good, payload=b'{"times":1,"loudness":2.0,"by":1}'),
        _envelope(good, payload=b'{"times":1, "loudness":2.0}'),
        _envelope(good, payload=b"{"),
        _envelope(good, event=sound(times="1", loudness=2)),
        _envelope(good, event=sound(times=1, loudness=float("nan")), payload=b'{"times":1,"loudness":null}'),
        _envelope(stranger(times=1)),
        _envelope(event(name="no.such")()),
    ):
        for together in ([wrong], [right[0], wrong, right[1]]):
            with pytest.raises(UndocumentedEventError):
                bells.check(together)


def changed(**changes):
    """Return what `differences` says of the bells' second version changed so, with the first version beside it."""
    fields = {"times": int, "loudness": (float, 0.5), "by": (str | None, None)} | changes
    kept = {name: kind for name, kind in fields.items() if kind is not None}
    return Catalogue([FIRST, event("1.1", **kept)]).differences(Catalogue([FIRST, SECOND]).snapshot())


def test_a_catalogue_does_not_differ_from_its_own_snapshot():
    assert changed() == []
    assert BELLS.differences(json.loads(json.dumps(BELLS.snapshot()))) == []


@pytest.mark.parametrize(
    "changes", [{"by": None}, {"by": (str, "")}, {"by": (str | None, "nobody")}, {"by": (int | None, None)}, {"pitch": (int, 0)}]
)
def test_a_shape_that_changed_without_a_new_version_is_named(changes):
    assert any(line.startswith("bell.rang@1.1: its shape changed without a new version") for line in changed(**changes))


def test_the_order_of_fields_is_shape_since_it_is_the_order_of_the_bytes():
    swapped = event("1.0", loudness=(float, 0.5), times=int)
    optional = [event(a=(int, 1), b=(int, 2)), event(b=(int, 2), a=(int, 1))]
    assert Catalogue([swapped]).broken_promises(Catalogue([FIRST]).snapshot())
    assert Catalogue([optional[0]]).broken_promises(Catalogue([optional[1]]).snapshot())


def test_a_field_called_title_or_description_is_shape_like_any_other():
    plain = Catalogue([event(times=int)]).snapshot()
    for name in ("title", "description"):
        assert Catalogue([event(times=int, **{name: (str, "")})]).broken_promises(plain)


def test_a_class_that_gives_its_name_to_a_newer_version_keeps_its_shape():
    inner = msgspec.defstruct("Ringer", [("name", str)])
    renamed = msgspec.defstruct("RingerOf2025", [("name", str)])
    old, new = (Catalogue([event(who=list[kind], again=kind)]) for kind in (inner, renamed))
    assert new.broken_promises(old.snapshot()) == []
    assert new.differences(old.snapshot()) == ["bell.rang@1.0: is described in other words; write the snapshot anew with: make docs"]


def test_versions_that_are_gone_new_or_kept_otherwise_are_named():
    snapshot = Catalogue([FIRST]).snapshot()
    gone = Catalogue([]).differences(snapshot)
    new = Catalogue([FIRST, SECOND]).differences(snapshot)
    passing = Catalogue([event("1.0", durable=False, times=int, loudness=(float, 0.5))]).differences(snapshot)
    assert [line.partition(":")[0] for line in (*gone, *new, *passing)] == ["bell.rang@1.0", "bell.rang@1.1", "bell.rang@1.0"]
    assert "no longer in the code" in gone[0]
    assert "make docs" in new[0]
    assert "DURABLE changed" in passing[0]


def test_incompatible_minor_versions_are_named_with_both_versions_and_the_path():
    third = event("1.2", times=int, by=str)
    found = Catalogue([FIRST, SECOND, third]).broken_promises({})
    assert found == [
        "bell.rang@1.2: cannot read what 1.0 writes: by: is required, and may be missing in what is written",
        "bell.rang@1.2: cannot read what 1.1 writes: by: is required, and may be missing in what is written",
        "bell.rang@1.2: cannot read what 1.1 writes: by: null may be written, text is read",
    ]


def test_compatibility_is_transitive_a_field_that_comes_back_as_something_else_is_found():
    """1.0 with 1.1 and 1.1 with 1.2 are fine on their own; a block of 1.0 would still be misread by 1.2."""
    first, second, third = event("1.0", a=(int, 0)), event("1.1"), event("1.2", a=(str, ""))
    assert Catalogue([first, second]).broken_promises({}) == []
    assert [line[:46] for line in Catalogue([first, second, third]).broken_promises({})] == [
        "bell.rang@1.0: cannot read what 1.2 writes: a:",
        "bell.rang@1.2: cannot read what 1.0 writes: a:",
    ]


def test_a_new_major_version_may_be_anything():
    assert Catalogue([FIRST, event("2.0", times=str)]).broken_promises({}) == []


def test_docs_do_not_write_over_a_broken_promise(monkeypatch):
    snapshot = copy.deepcopy(catalogue().snapshot())
    snapshot["lab.note.recorded@1.0"]["digest"] = "0" * 64
    monkeypatch.setattr(docs_tables, "committed_snapshot", lambda: snapshot)
    monkeypatch.setattr(docs_tables.sys, "argv", ["docs_tables.py", "--write"])
    before = docs_tables.SNAPSHOT.read_bytes()
    with pytest.raises(SystemExit, match=r"lab.note.recorded@1.0: its shape changed"):
        docs_tables.main()
    assert docs_tables.SNAPSHOT.read_bytes() == before
