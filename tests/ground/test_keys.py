"""Keys: signatures others can check, private halves nobody else can read, and lists of keys that hold nothing but keys."""

import json
import pickle
import signal
import stat
import subprocess
import sys
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab import files
from thunderlab.canonical import digest
from thunderlab.clock import VirtualClock
from thunderlab.errors import EnvironmentBlockedError, InputError
from thunderlab.keys import KeyRing, PinnedKeys, public_key

# RFC 8032 section 7.1: tests 1, 2, 3 and SHA(abc): secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]
# All encodings of the eight points of small order, canonical or not: table 6 of "Taming the many EdDSAs", eprint.iacr.org/2020/1244.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
P = 2**255 - 19


@pytest.fixture
def ring(tmp_path):
    return KeyRing(tmp_path / "keys", VirtualClock())


def _listed(raw, **changes):
    return {"id": digest(raw)[:16], "key": raw.hex(), "made_at": "2026-01-31T12:00:00.000000Z"} | changes


def _file(tmp_path, listed):
    path = tmp_path / "pinned.json"
    path.write_text(json.dumps(listed))
    return path


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_signing_and_verifying_follow_rfc_8032(tmp_path, seed, public, message, signature):
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    listed = _listed(bytes.fromhex(public))
    (folder / "public.json").write_text(json.dumps([listed]))
    files.write_whole(folder / f"{listed['id']}.private", seed + "\n", mode=0o600)
    key, made = KeyRing(folder, VirtualClock()).sign(bytes.fromhex(message))
    assert (key.key, made.hex()) == (public, signature)
    pins = PinnedKeys.read(folder / "public.json")
    assert pins.verify(listed["id"], bytes.fromhex(message), bytes.fromhex(signature))


def test_signatures_verify_after_any_number_of_new_keys(ring):
    ring.new()
    key, signature = ring.sign(b"a message")
    for _ in range(5):
        ring.new()
    assert ring.pins().verify(key.id, b"a message", signature)
    assert len(ring.public_keys()) == 6
    assert ring.sign(b"x")[0] == ring.active() == ring.public_keys()[-1]
    assert ring.sign_with(key.id, b"a message") == signature


@settings(max_examples=30)
@given(st.binary(max_size=50), st.integers(0, 63), st.integers(1, 255))
def test_any_change_of_message_signature_or_key_is_noticed(tmp_path_factory, message, place, flip):
    ring = KeyRing(tmp_path_factory.mktemp("rings") / "keys", VirtualClock())
    ring.new()
    key, signature = ring.sign(message)
    pins = ring.pins()
    broken = bytearray(signature)
    broken[place] ^= flip
    assert pins.verify(key.id, message, signature)
    assert not pins.verify(key.id, message + b"x", signature)
    assert not pins.verify(key.id, message, bytes(broken))
    assert not pins.verify(key.id, message, signature[:-1])
    assert not pins.verify(key.id, message, signature + b"\0")
    assert not pins.verify("0" * 16, message, signature)


def test_a_signature_whose_scalar_is_not_reduced_is_refused():
    _, public, message, signature = RFC_8032[2]
    pins = PinnedKeys([public_key(bytes.fromhex(public), at_us=0)])
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(bytes.fromhex(signature)[32:], "little") + order
    assert not pins.verify(pins[0].id, bytes.fromhex(message), bytes.fromhex(signature)[:32] + scalar.to_bytes(32, "little"))


@pytest.mark.parametrize("point", SMALL_ORDER)
def test_points_of_small_order_are_refused(tmp_path, point):
    with pytest.raises(InputError, match=r"pinned\.json: \[0\]\.key: .*small order"):
        PinnedKeys.read(_file(tmp_path, [_listed(bytes.fromhex(point))]))


@pytest.mark.parametrize("torsion", sorted(set(SMALL_ORDER[1:8])))
def test_points_outside_the_main_subgroup_are_refused(tmp_path, torsion):
    from nacl.bindings import crypto_core_ed25519_add

    mixed = crypto_core_ed25519_add(bytes.fromhex(RFC_8032[0][1]), bytes.fromhex(torsion))
    with pytest.raises(InputError, match="main subgroup"):
        PinnedKeys.read(_file(tmp_path, [_listed(mixed)]))


def _on_curve(y):
    """Decompression as RFC 8032 section 5.1.3 has it: x^2 = (y^2 - 1) / (d y^2 + 1) must be a square modulo p."""
    d = -121665 * pow(121666, -1, P) % P
    square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
    return square == 0 or pow(square, (P - 1) // 2, P) == 1


def test_points_off_the_curve_and_unreduced_ones_are_refused(tmp_path):
    off = [y for y in range(2, 60) if not _on_curve(y)]
    assert off
    for y in [*off, *range(P, 2**255)]:
        with pytest.raises(InputError, match=r"\.key: "):
            PinnedKeys.read(_file(tmp_path, [_listed(y.to_bytes(32, "little"))]))


GOOD = bytes.fromhex(RFC_8032[0][1])


@pytest.mark.parametrize(
    ("listed", "complaint"),
    [
        ([], "holds no key"),
        ([_listed(GOOD, key=GOOD.hex()[:-2])], r"\[0\]\.key: is not 32 bytes"),
        ([_listed(GOOD, key=GOOD.hex() + "00")], r"\[0\]\.key: is not 32 bytes"),
        ([_listed(GOOD, key=GOOD.hex().upper())], r"\[0\]\.key: is not 32 bytes"),
        ([_listed(GOOD, id="0" * 16)], r"\[0\]\.id: is not the first 16"),
        ([_listed(GOOD, id=digest(GOOD)[:17])], r"\[0\]\.id: is not the first 16"),
        ([_listed(GOOD, made_at="yesterday")], r"\[0\]\.made_at: is not an RFC 3339 time"),
        ([_listed(GOOD), _listed(bytes.fromhex(RFC_8032[1][1])), _listed(GOOD)], r"\[2\]\.id: is there twice"),
        ([_listed(GOOD, trusted=True)], "trusted: is not a field here"),
        ([{"id": digest(GOOD)[:16], "key": GOOD.hex()}], "made_at: is missing"),
        ({"keys": [_listed(GOOD)]}, "expected a list"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_of_keys_is_refused_by_file_and_field(tmp_path, listed, complaint):
    with pytest.raises(InputError, match=rf"pinned\.json: .*{complaint}"):
        PinnedKeys.read(_file(tmp_path, listed))


def test_a_key_named_twice_in_one_entry_is_refused(tmp_path):
    path = tmp_path / "pinned.json"
    path.write_text(json.dumps([_listed(GOOD)]).replace('"key"', f'"key": "{RFC_8032[1][1]}", "key"'))
    with pytest.raises(InputError, match="key: appears twice"):
        PinnedKeys.read(path)


def test_pinned_keys_are_what_was_exported(ring, tmp_path):
    assert list(ring.pins()) == []
    assert not ring.pins().verify("0" * 16, b"", bytes(64))
    for _ in range(3):
        ring.new()
    ring.export(tmp_path / "public.json")
    pins = PinnedKeys.read(tmp_path / "public.json")
    assert list(pins) == ring.public_keys() == list(ring.pins())
    assert [pins.find(key.id) for key in pins] == list(pins)
    assert list(pins[1:]) == ring.public_keys()[1:]


def test_a_key_made_by_another_process_is_seen(ring, tmp_path):
    ring.new()
    assert len(ring.pins()) == 1
    made = KeyRing(tmp_path / "keys", VirtualClock()).new()
    assert ring.active() == made
    assert ring.sign(b"x")[0] == made


def test_private_keys_are_for_the_owner_alone_and_never_in_the_public_list(ring, tmp_path):
    made = ring.new()
    private = tmp_path / "keys" / f"{made.id}.private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(private.parent.stat().st_mode) == 0o700
    secret = private.read_text().strip()
    ring.export(tmp_path / "public.json")
    assert secret not in (tmp_path / "public.json").read_text()
    assert json.loads((tmp_path / "public.json").read_text())[0]["key"] == made.key


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o601])
def test_a_private_key_open_to_others_is_not_used(ring, tmp_path, mode):
    made = ring.new()
    (tmp_path / "keys" / f"{made.id}.private").chmod(mode)
    with pytest.raises(EnvironmentBlockedError, match="0600"):
        ring.sign(b"x")


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711])
def test_a_folder_open_to_others_is_not_used(ring, tmp_path, mode):
    ring.new()
    (tmp_path / "keys").chmod(mode)
    with pytest.raises(EnvironmentBlockedError, match="0700"):
        ring.sign(b"x")
    with pytest.raises(EnvironmentBlockedError, match="0700"):
        ring.new()


def _shown(error):
    """Return all that a generous traceback shows of the frames below the test's own: values of locals, causes, contexts."""
    assert error.__context__ is None
    frames = traceback.TracebackException(type(error), error, error.__traceback__.tb_next, capture_locals=True)
    return "".join(frames.format()) + repr(error)


def _troubles(folder, made, other):
    """Return what can be wrong with a private key's file: a name, and what makes it so."""
    path = folder / f"{made.id}.private"
    return {
        "gone": path.unlink,
        "cut short": lambda: path.write_text(path.read_text()[:40]),
        "too long": lambda: path.write_text(path.read_text().strip() + "00\n"),
        "not hexadecimal": lambda: path.write_text("é" + path.read_text()[1:]),
        "another key's": lambda: path.write_text((folder / f"{other.id}.private").read_text()),
        "a folder": lambda: (path.unlink(), path.mkdir(mode=0o700)),
    }


@pytest.mark.parametrize("trouble", ["gone", "cut short", "too long", "not hexadecimal", "another key's", "a folder", "no message"])
def test_no_error_holds_a_private_key(ring, tmp_path, trouble):
    other, made = ring.new(), ring.new()
    secrets = [(tmp_path / "keys" / f"{key.id}.private").read_text().strip() for key in (made, other)]
    if trouble != "no message":
        _troubles(tmp_path / "keys", made, other)[trouble]()
    with pytest.raises((EnvironmentBlockedError, TypeError)) as caught:
        ring.sign("text" if trouble == "no message" else b"x")
    shown = _shown(caught.value)
    assert made.id in shown
    for secret in secrets:
        assert secret[:16] not in shown
        assert repr(bytes.fromhex(secret[:20]))[2:-1] not in shown


def test_a_full_disk_shows_no_private_key_and_leaves_the_ring_as_it_was(ring, tmp_path, monkeypatch):
    made = ring.new()
    seen = []

    def full(path, data, mode=0o644):
        seen.append(data.strip())
        raise EnvironmentBlockedError("cannot be written: No space left on device", where=path)

    with monkeypatch.context() as patched:
        patched.setattr(files, "write_whole", full)
        with pytest.raises(EnvironmentBlockedError, match="No space left") as caught:
            ring.new()
    assert len(seen[0]) == 64
    assert seen[0][:16] not in _shown(caught.value)
    assert ring.active() == made


def test_a_ring_shows_and_pickles_without_its_private_keys(ring, tmp_path):
    made = ring.new()
    ring.sign(b"x")
    secret = (tmp_path / "keys" / f"{made.id}.private").read_text().strip()
    pickled = pickle.dumps(ring)
    for shown in (repr(ring).encode(), str(vars(ring)).encode(), pickled):
        assert secret.encode() not in shown
        assert bytes.fromhex(secret) not in shown
    assert pickle.loads(pickled).sign(b"x") == ring.sign(b"x")


def test_killed_between_the_private_and_the_public_half_the_ring_works_on(ring, tmp_path):
    made = ring.new()
    program = (
        "import os, pathlib, signal, sys, thunderlab.keys as keys\n"
        "from thunderlab.clock import SystemClock\n"
        "keys._write_list = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "keys.KeyRing(pathlib.Path(sys.argv[1]), SystemClock()).new()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "keys")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert ring.active() == made
    assert ring.sign(b"x")[0] == made
    strays = [path.stem for path in (tmp_path / "keys").glob("*.private") if path.stem != made.id]
    assert len(strays) == 1
    assert ring.has_private(strays[0])
    assert ring.new() == ring.active()
    assert ring.retire(strays[0])
    assert not ring.has_private(strays[0])


def test_a_retired_key_signs_no_more_and_verifies_for_ever(ring, tmp_path):
    old = ring.new()
    _, signature = ring.sign(b"x")
    with pytest.raises(InputError, match="is the active key"):
        ring.retire(old.id)
    new = ring.new()
    assert ring.has_private(old.id)
    assert ring.retire(old.id) is True
    assert ring.retire(old.id) is False
    assert not ring.has_private(old.id)
    assert ring.has_private(new.id)
    assert ring.pins().verify(old.id, b"x", signature)
    with pytest.raises(EnvironmentBlockedError, match="cannot be read"):
        ring.sign_with(old.id, b"x")
    assert [path.name for path in (tmp_path / "keys").glob("*.private")] == [f"{new.id}.private"]


def test_a_retired_key_is_overwritten_before_it_is_unlinked(ring, tmp_path):
    old = ring.new()
    ring.new()
    private = tmp_path / "keys" / f"{old.id}.private"
    (tmp_path / "kept").hardlink_to(private)
    ring.retire(old.id)
    assert (tmp_path / "kept").read_bytes() == bytes(65)


@pytest.mark.parametrize("id", ["0" * 16, "../keys/public", "", "public"])
def test_keys_that_are_not_there_are_neither_used_nor_removed(ring, id):
    ring.new()
    assert not ring.has_private(id)
    with pytest.raises(InputError, match="no key of this ring"):
        ring.sign_with(id, b"x")
    with pytest.raises(InputError, match="no key of this ring"):
        ring.retire(id)


def test_without_a_key_the_message_says_how_to_make_one(ring, tmp_path):
    assert ring.active() is None
    with pytest.raises(InputError, match="thunderlab keys new"):
        ring.sign(b"x")
    with pytest.raises(InputError, match="thunderlab keys new"):
        ring.export(tmp_path / "public.json")
