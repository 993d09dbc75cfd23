"""Keys: signatures others can check, private halves nobody else can read."""

import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.clock import VirtualClock
from thunderlab.errors import EnvironmentBlockedError, InputError
from thunderlab.keys import KeyRing


@pytest.fixture
def ring(tmp_path):
    return KeyRing(tmp_path / "keys", VirtualClock())


def test_signatures_verify_after_any_number_of_new_keys(ring):
    ring.new()
    signed = ring.sign(b"a message")
    for _ in range(5):
        ring.new()
    assert ring.verify(signed[0], b"a message", signed[1])
    assert len(ring.public_keys()) == 6
    assert ring.sign(b"x")[0] == ring.public_keys()[-1].id


@settings(max_examples=30)
@given(st.binary(max_size=50), st.integers(0, 63), st.integers(1, 255))
def test_any_change_of_message_signature_or_key_is_noticed(tmp_path_factory, message, place, flip):
    ring = KeyRing(tmp_path_factory.mktemp("keys"), VirtualClock())
    ring.new()
    key_id, signature = ring.sign(message)
    broken = bytearray(signature)
    broken[place] ^= flip
    assert ring.verify(key_id, message, signature)
    assert not ring.verify(key_id, message + b"x", signature)
    assert not ring.verify(key_id, message, bytes(broken))
    assert not ring.verify("0" * 16, message, signature)


def test_private_keys_are_for_the_owner_alone_and_never_in_the_public_list(ring, tmp_path):
    made = ring.new()
    private = tmp_path / "keys" / f"{made.id}.private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    secret = private.read_text().strip()
    ring.export(tmp_path / "public.json")
    assert secret not in (tmp_path / "public.json").read_text()
    assert json.loads((tmp_path / "public.json").read_text())[0]["key"] == made.key


def test_a_private_key_open_to_others_is_not_used(ring, tmp_path):
    made = ring.new()
    (tmp_path / "keys" / f"{made.id}.private").chmod(0o644)
    with pytest.raises(EnvironmentBlockedError, match="0600"):
        ring.sign(b"x")


def test_without_a_key_the_message_says_how_to_make_one(ring, tmp_path):
    with pytest.raises(InputError, match="thunderlab keys new"):
        ring.sign(b"x")
    with pytest.raises(InputError, match="thunderlab keys new"):
        ring.export(tmp_path / "public.json")
