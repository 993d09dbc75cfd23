"""Checkpoints against the specifications' own examples; signatures and cosignatures against their definitions, made with plain PyNaCl."""

import base64
import contextlib
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey

from thunderlab.clock import VirtualClock
from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys, public_key
from thunderlab.ledger import checkpoint
from thunderlab.ledger.checkpoint import Checkpoint, SignedCheckpoint
from thunderlab.ledger.merkle import EMPTY_ROOT

# c2sp.org/tlog-cosignature: a checkpoint, its log's signature and a witness's; the text signed by the witness is published with it.
SOFA = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
SOFA_ROOT = "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"
SOFA_COSIGNED = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
# What sum.golang.org signed: its key is not named after the first line, which other logs may do and ours never does.
SUMDB = (
    "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n"
    "— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n"
)

ROOT = hashlib.sha256(b"a root").hexdigest()
PLAIN = Checkpoint(origin="thunderlab/x", size=1234, root=ROOT)
AT_S = 1_700_000_000


@pytest.fixture
def ring(tmp_path):
    made = KeyRing(tmp_path / "keys", VirtualClock())
    made.new()
    return made


@pytest.fixture
def witness(tmp_path):
    made = KeyRing(tmp_path / "witness", VirtualClock())
    made.new()
    return made


def test_published_checkpoints_are_read():
    found = checkpoint.read(SOFA.encode())
    assert found.checkpoint == Checkpoint(origin="example.com/behind-the-sofa", size=20852163, root=SOFA_ROOT)
    assert found.note == SOFA.encode()
    assert found.checkpoint.body() == SOFA.partition("\n\n")[0] + "\n"
    assert checkpoint.read(SUMDB.encode()).checkpoint.size == 6476701


def test_the_published_cosignature_is_taken_apart_as_it_was_put_together(monkeypatch):
    """No key is published with it, so what would be verified is looked at: the message and the time in the line."""
    asked = []
    pins = PinnedKeys([public_key(bytes(SigningKey(bytes(32)).verify_key), at_us=0)])
    monkeypatch.setattr(checkpoint.notes, "key_hash", lambda *_: base64.b64decode("jWbPPw=="))
    monkeypatch.setattr(PinnedKeys, "verify", lambda _, *given: asked.append(given) or True)
    assert checkpoint.verify_cosignature(checkpoint.read(SOFA.encode()), "witness.example.com/w1", pins) == (pins[0], 1679315147)
    assert asked == [(pins[0].id, SOFA_COSIGNED.encode(), base64.b64decode(SOFA.rsplit(maxsplit=1)[-1])[12:])]


def test_a_checkpoint_is_three_lines_signed_in_its_origins_name(ring):
    signed = checkpoint.sign(PLAIN, ring)
    key = ring.active()
    text, _, line = signed.note.decode().partition("\n\n")
    assert text == f"thunderlab/x\n1234\n{base64.b64encode(bytes.fromhex(ROOT)).decode()}"
    mark, name, encoded = line.split()
    blob = base64.b64decode(encoded)
    assert (mark, name) == ("—", "thunderlab/x")
    assert blob[:4] == hashlib.sha256(b"thunderlab/x\n\x01" + key.raw()).digest()[:4]
    VerifyKey(key.raw()).verify(f"{text}\n".encode(), blob[4:])
    assert signed == checkpoint.read(signed.note) == SignedCheckpoint(checkpoint=PLAIN, note=signed.note)
    assert checkpoint.verify(signed, ring.pins()) == key


def test_after_a_hundred_new_keys_old_checkpoints_still_verify(ring):
    first, key = checkpoint.sign(PLAIN, ring), ring.active()
    for _ in range(100):
        ring.new()
    assert checkpoint.verify(first, ring.pins()) == key
    newest = checkpoint.sign(PLAIN, ring)
    assert checkpoint.verify(newest, ring.pins()) == ring.active()
    assert checkpoint.sign(PLAIN, ring, key) == first


def test_a_checkpoint_nobody_pinned_signed_is_refused(ring, witness):
    signed = checkpoint.sign(PLAIN, ring)
    with pytest.raises(EvidenceError, match=f"not signed by a pinned key; pinned is {witness.active().id}"):
        checkpoint.verify(signed, witness.pins())
    with pytest.raises(EvidenceError, match="no key is pinned"):
        checkpoint.verify(signed, PinnedKeys([]))


def test_a_signature_in_another_name_is_none_for_this_origin(ring):
    signed = checkpoint.sign(PLAIN, ring)
    other = SignedCheckpoint(
        checkpoint=Checkpoint(origin="thunderlab/y", size=PLAIN.size, root=PLAIN.root),
        note=signed.note.replace(b"thunderlab/x\n", b"thunderlab/y\n", 1),
    )
    with pytest.raises(EvidenceError, match="not signed by a pinned key"):
        checkpoint.verify(other, ring.pins())


@settings(max_examples=150)
@given(st.data())
def test_every_bit_of_a_checkpoint_is_signed(tmp_path_factory, data):
    ring = KeyRing(tmp_path_factory.getbasetemp() / "every-bit", VirtualClock())
    if ring.active() is None:
        ring.new()
    whole = bytearray(checkpoint.sign(PLAIN, ring).note)
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(EvidenceError):
        checkpoint.verify(checkpoint.read(bytes(whole)), ring.pins())


@pytest.mark.parametrize("changes", [{"size": 1235}, {"root": EMPTY_ROOT}, {"origin": "thunderlab/y"}, {"extensions": ("x",)}])
def test_what_stands_beside_a_note_is_not_believed(ring, changes):
    signed = checkpoint.sign(PLAIN, ring)
    told = {"origin": PLAIN.origin, "size": PLAIN.size, "root": PLAIN.root} | changes
    pair = SignedCheckpoint(checkpoint=Checkpoint(**told), note=signed.note)
    for check in (
        lambda: checkpoint.verify(pair, ring.pins()),
        lambda: checkpoint.cosign(pair, "witness/x", ring, AT_S),
        lambda: checkpoint.verify_cosignature(pair, "witness/x", ring.pins()),
    ):
        with pytest.raises(EvidenceError, match="not the one in its note"):
            check()


BASE64 = base64.b64encode(bytes.fromhex(ROOT)).decode()
MALFORMED = {
    "two lines": "x\n1\n",
    "an empty origin": f"\n1\n{BASE64}\n",
    "an empty line": f"x\n1\n{BASE64}\n\nmore\n",
    "a size with a leading zero": f"x\n01\n{BASE64}\n",
    "a negative size": f"x\n-1\n{BASE64}\n",
    "a size with a plus": f"x\n+1\n{BASE64}\n",
    "a size with a space": f"x\n 1\n{BASE64}\n",
    "a size in other digits": f"x\n\u0661\n{BASE64}\n",
    "a size no tree has": f"x\n{10**18}\n{BASE64}\n",
    "a size that is none": f"x\nten\n{BASE64}\n",
    "a root in hexadecimal": f"x\n1\n{ROOT}\n",
    "a root without padding": f"x\n1\n{BASE64.rstrip('=')}\n",
    "a short root": f"x\n1\n{base64.b64encode(bytes(31)).decode()}\n",
    "an empty tree with a root": f"x\n0\n{BASE64}\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_checkpoint_is_refused(name):
    with pytest.raises(EvidenceError, match="checkpoint"):
        checkpoint.parse_body(MALFORMED[name])


def test_lines_other_logs_add_are_read_and_covered(ring):
    extended = Checkpoint(origin="example.com/log", size=1, root=ROOT, extensions=("one", "two"))
    signed = checkpoint.sign(extended, ring)
    assert checkpoint.read(signed.note).checkpoint == extended
    assert checkpoint.parse_body(extended.body()) == extended
    with pytest.raises(EvidenceError):
        checkpoint.verify(checkpoint.read(signed.note.replace(b"two", b"owt")), ring.pins())


def test_a_cosignature_is_made_as_the_specification_says(ring, witness):
    signed = checkpoint.cosign(checkpoint.sign(PLAIN, ring), "witness/w", witness, AT_S)
    key = witness.active()
    _, name, encoded = signed.note.decode().splitlines()[-1].split()
    blob = base64.b64decode(encoded)
    assert name == "witness/w"
    assert blob[:4] == hashlib.sha256(b"witness/w\n\x04" + key.raw()).digest()[:4]
    assert int.from_bytes(blob[4:12], "big") == AT_S
    VerifyKey(key.raw()).verify(f"cosignature/v1\ntime {AT_S}\n{PLAIN.body()}".encode(), blob[12:])
    assert checkpoint.verify_cosignature(signed, "witness/w", witness.pins()) == (key, AT_S)
    assert checkpoint.verify(signed, ring.pins()) == ring.active()


def test_a_cosignature_is_no_signature_and_a_signature_no_cosignature(ring):
    """Even where one key makes both in one name."""
    only = checkpoint.cosign(checkpoint.sign(PLAIN, ring), PLAIN.origin, ring, AT_S)
    assert len(only.note.decode().splitlines()) == 6
    signature, cosignature = only.note.decode().splitlines(keepends=True)[-2:]
    without = checkpoint.read(only.note.decode().replace(signature, "").encode())
    with pytest.raises(EvidenceError, match="not signed by a pinned key"):
        checkpoint.verify(without, ring.pins())
    without = checkpoint.read(only.note.decode().replace(cosignature, "").encode())
    with pytest.raises(EvidenceError, match="not cosigned by a pinned key"):
        checkpoint.verify_cosignature(without, PLAIN.origin, ring.pins())


def test_a_later_cosignature_of_the_same_key_takes_the_place_of_the_earlier(ring, witness):
    signed = checkpoint.sign(PLAIN, ring)
    once = checkpoint.cosign(signed, "witness/w", witness, AT_S)
    twice = checkpoint.cosign(once, "witness/w", witness, AT_S + 5)
    assert twice.note.count(b"witness/w") == 1
    assert checkpoint.verify_cosignature(twice, "witness/w", witness.pins()) == (witness.active(), AT_S + 5)
    witness.new()
    other = checkpoint.cosign(twice, "witness/w", witness, AT_S + 9)
    assert other.note.count(b"witness/w") == 2
    assert checkpoint.verify_cosignature(other, "witness/w", witness.pins()) == (witness.public_keys()[0], AT_S + 5)


@settings(max_examples=100)
@given(st.data())
def test_every_bit_of_a_cosignature_counts(tmp_path_factory, data):
    base = tmp_path_factory.getbasetemp()
    ring, witness = (KeyRing(base / f"every-bit-{name}", VirtualClock()) for name in ("log", "witness"))
    for one in (ring, witness):
        if one.active() is None:
            one.new()
    signed = checkpoint.cosign(checkpoint.sign(PLAIN, ring), "witness/w", witness, AT_S)
    start = signed.note.index("— witness/w".encode())
    whole = bytearray(signed.note)
    whole[data.draw(st.integers(start, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(EvidenceError):
        checkpoint.verify_cosignature(checkpoint.read(bytes(whole)), "witness/w", witness.pins())
    # The ledger's own signature stands, whatever became of a line of somebody who is not pinned.
    with contextlib.suppress(EvidenceError):
        assert checkpoint.verify(checkpoint.read(bytes(whole)), ring.pins()) == ring.active()


@pytest.mark.parametrize("at_s", [0, -1, 2**63])
def test_times_a_cosignature_cannot_have_are_refused(ring, at_s):
    with pytest.raises(ValueError, match="no time"):
        checkpoint.cosign(checkpoint.sign(PLAIN, ring), "witness/w", ring, at_s)


def test_a_cosignature_of_a_time_beyond_the_format_does_not_verify(ring, witness):
    at_s = 2**63
    signed = checkpoint.sign(PLAIN, ring)
    key, signature = witness.sign(f"cosignature/v1\ntime {at_s}\n{PLAIN.body()}".encode())
    blob = hashlib.sha256(b"witness/w\n\x04" + key.raw()).digest()[:4] + at_s.to_bytes(8, "big") + signature
    line = f"— witness/w {base64.b64encode(blob).decode()}\n".encode()
    with pytest.raises(EvidenceError, match="does not verify"):
        checkpoint.verify_cosignature(checkpoint.read(signed.note + line), "witness/w", witness.pins())
