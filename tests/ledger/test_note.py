"""Signed notes against the specification's example, the vectors of Go's own implementation, and a note of Go's checksum database."""

import base64
import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab import files
from thunderlab.clock import VirtualClock
from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys, public_key
from thunderlab.ledger import note
from thunderlab.ledger.note import Note, Signature

# c2sp.org/signed-note, section "Verifier keys".
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The same specification, its first example: the text holds an empty line itself, and a letter outside ASCII.
C2SP_POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)
# golang.org/x/mod/sumdb/note, note_test.go: two keys, one of them with its private half, and what they sign.
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
ENOCH_LINE = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# What sum.golang.org signed at 6,476,701 modules, with the key every Go toolchain holds.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTE = (
    "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n"
    "— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n"
)


def _key(vkey):
    """The name and the key in a verifier key's text."""
    name, _, rest = vkey.partition("+")
    raw = base64.b64decode(rest.partition("+")[2])
    assert raw[0] == 1
    return name, public_key(raw[1:], at_us=0)


def _pins(*vkeys):
    return PinnedKeys([_key(vkey)[1] for vkey in vkeys])


def _peter(folder):
    """A ring that holds the published private key."""
    folder.mkdir(mode=0o700)
    key = _key(PETER)[1]
    seed = base64.b64decode(PETER_PRIVATE.split("+", 4)[4])[1:]
    files.write_whole(folder / f"{key.id}.private", seed.hex() + "\n", mode=0o600)
    files.write_whole(folder / "public.json", json.dumps([{"id": key.id, "key": key.key, "made_at": key.made_at}]))
    return KeyRing(folder, VirtualClock())


@pytest.mark.parametrize(
    ("vkey", "data"),
    [(C2SP_KEY, C2SP_NOTE), (PETER, f"{TEXT}\n{PETER_LINE}"), (ENOCH, f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}"), (SUMDB, SUMDB_NOTE)],
    ids=["the specification's", "Peter's", "Enoch's, the second line", "the Go checksum database's"],
)
def test_published_notes_verify(vkey, data):
    name, key = _key(vkey)
    found = note.parse(data.encode())
    assert note.verified_by(found, name, _pins(vkey)) == key
    assert note.verifier_key(name, key) == vkey
    assert note.encode(found) == data.encode()
    assert note.verified_by(found, name, PinnedKeys([])) is None
    assert note.verified_by(found, name + "x", _pins(vkey)) is None


def test_signing_gives_the_published_bytes(tmp_path):
    ring = _peter(tmp_path / "keys")
    signed = note.sign(TEXT, "PeterNeumann", ring)
    assert note.encode(signed) == f"{TEXT}\n{PETER_LINE}".encode()
    assert note.sign(TEXT, "PeterNeumann", ring, ring.active()) == signed


def test_the_text_goes_to_the_last_empty_line():
    found = note.parse(C2SP_POEM.encode())
    assert found.text == "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n"
    assert [(one.name, one.key_hash.hex(), len(one.blob)) for one in found.signatures] == [("quasimodo.example/salvatore", "367ba04b", 64)]
    assert note.encode(found) == C2SP_POEM.encode()


def test_keys_that_are_not_pinned_are_passed_over():
    found = note.parse(f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode())
    assert note.verified_by(found, "PeterNeumann", _pins(ENOCH)) is None
    assert note.verified_by(found, "PeterNeumann", _pins(ENOCH, PETER)) == _key(PETER)[1]
    # The name of one with the id of the other is neither's signature, whatever it holds.
    mixed = Signature(name="EnochRoot", key_hash=found.signatures[0].key_hash, blob=bytes(64))
    beside = Note(text=TEXT, signatures=(mixed, *found.signatures))
    assert note.verified_by(beside, "EnochRoot", _pins(ENOCH, PETER)) == _key(ENOCH)[1]


@pytest.mark.parametrize("blob", [bytes(64), b"\1" * 63, b"\1" * 65, b"\1"], ids=["zeros", "short", "long", "one byte"])
def test_a_line_that_claims_a_pinned_key_and_does_not_verify_rejects_the_whole_note(blob):
    found = note.parse(f"{TEXT}\n{PETER_LINE}".encode())
    false = Signature(name="PeterNeumann", key_hash=found.signatures[0].key_hash, blob=blob)
    for signatures in ((*found.signatures, false), (false, *found.signatures), (false,)):
        with pytest.raises(EvidenceError, match="claims key .* and does not verify"):
            note.verified_by(Note(text=TEXT, signatures=signatures), "PeterNeumann", _pins(PETER))


def test_the_same_signature_twice_is_no_other_note():
    found = note.parse(f"{TEXT}\n{PETER_LINE}{PETER_LINE}".encode())
    assert note.verified_by(found, "PeterNeumann", _pins(PETER)) == _key(PETER)[1]


def test_two_pinned_keys_with_one_key_hash_do_not_hide_each_other(monkeypatch):
    """Four bytes collide by accident once in 2^32 pairs; here they do at once."""
    found = note.parse(f"{TEXT}\n{PETER_LINE}".encode())
    monkeypatch.setattr(note, "key_hash", lambda *_: found.signatures[0].key_hash)
    for vkeys in ((PETER, ENOCH), (ENOCH, PETER)):
        assert note.verified_by(found, "PeterNeumann", _pins(*vkeys)) == _key(PETER)[1]


@settings(max_examples=200)
@given(st.integers(0, 7), st.data())
def test_no_changed_bit_of_a_note_goes_unnoticed(bit, data):
    whole = bytearray(f"{TEXT}\n{PETER_LINE}".encode())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << bit
    with contextlib.suppress(EvidenceError):
        assert note.verified_by(note.parse(bytes(whole)), "PeterNeumann", _pins(PETER)) is None


ENCODED = PETER_LINE.split()[2]
MALFORMED = {
    "nothing": b"",
    "text alone": TEXT,
    "no signature": TEXT + "\n",
    "no line break at the end": f"{TEXT}\n{PETER_LINE[:-1]}",
    "no empty line": f"{TEXT}{PETER_LINE}",
    "no text": f"\n{PETER_LINE}",
    "a control character in the text": f"\x01{TEXT}\n{PETER_LINE}",
    "a tab": f"a\tb\n\n{PETER_LINE}",
    "a carriage return": f"{TEXT}\n{PETER_LINE}".replace("\n", "\r\n"),
    "no UTF-8": b"\xff" + f"{TEXT}\n{PETER_LINE}".encode(),
    "a surrogate": b"\xed\xa0\x80" + f"{TEXT}\n{PETER_LINE}".encode(),
    "a line after the signatures": f"{TEXT}\n{PETER_LINE}Unexpected line.\n",
    "a name of two words": f"{TEXT}\n— Bad Name {ENCODED}\n",
    "a name with a plus": f"{TEXT}\n— Bad+Name {ENCODED}\n",
    "a name with a no-break space": f"{TEXT}\n— Bad\u00a0Name {ENCODED}\n",
    "no name": f"{TEXT}\n—  {ENCODED}\n",
    "a hyphen for the em dash": f"{TEXT}\n- PeterNeumann {ENCODED}\n",
    "two spaces": f"{TEXT}\n—  PeterNeumann {ENCODED}\n",
    "a space at the end": f"{TEXT}\n— PeterNeumann {ENCODED} \n",
    "no base64": f"{TEXT}\n— PeterNeumann ****\n",
    "base64 for URLs": f"{TEXT}\n— PeterNeumann {ENCODED.replace('/', '_')}\n",
    "base64 without padding": f"{TEXT}\n— PeterNeumann {ENCODED.rstrip('=')}\n",
    "base64 with idle bits set": f"{TEXT}\n— PeterNeumann {ENCODED.replace('nAM=', 'nAN=')}\n",
    "a key id without a signature": f"{TEXT}\n— PeterNeumann x08gow==\n",
    "more than a hundred signatures": f"{TEXT}\n{PETER_LINE * 101}",
    "more than 64 KiB": "x" * 65536 + f"\n\n{PETER_LINE}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_note_is_refused(name):
    data = MALFORMED[name]
    with pytest.raises(EvidenceError, match="note"):
        note.parse(data if isinstance(data, bytes) else data.encode())


def test_as_many_signatures_as_the_specification_asks_for_are_read():
    assert len(note.parse(f"{TEXT}\n{PETER_LINE * 100}".encode()).signatures) == 100


names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="+"), min_size=1, max_size=20)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: text + "\n")
signatures = st.builds(Signature, name=names, key_hash=st.binary(min_size=4, max_size=4), blob=st.binary(min_size=1, max_size=80))


@given(texts, st.lists(signatures, max_size=4))
def test_what_is_encoded_is_read_again_or_not_encoded(text, signed):
    made = Note(text=text, signatures=tuple(signed))
    try:
        data = note.encode(made)
    except ValueError:
        assert not signed or any(ord(letter) < 32 for letter in text.replace("\n", ""))
    else:
        assert note.parse(data) == made


@given(st.binary(max_size=200) | texts.map(lambda text: f"{text}\n{PETER_LINE}".encode()))
def test_whatever_is_read_encodes_to_the_same_bytes(data):
    try:
        found = note.parse(data)
    except EvidenceError:
        return
    assert note.encode(found) == data


def test_a_note_that_could_not_be_read_is_not_signed(tmp_path):
    ring = _peter(tmp_path / "keys")
    for text, name in (("no line break", "x"), ("", "x"), ("a\tb\n", "x"), ("text\n", "two words"), ("text\n", "a+b"), ("text\n", "")):
        with pytest.raises(ValueError):
            note.sign(text, name, ring)
