"""Signed notes of C2SP (c2sp.org/signed-note, v1.0.0): a text, an empty line, and a line per signature."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Callable

import msgspec

from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys, PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
MOST_BYTES = 1 << 16
MOST_SIGNATURES = 100

_MARK = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature line.

    Attributes:
        name: the signer's name; neither spaces nor `+`.
        key_hash: 4 bytes that say which key and which kind of signature it is; see `key_hash`.
        blob: what that kind of signature consists of; 64 bytes for a plain Ed25519 one.
    """

    name: str
    key_hash: bytes
    blob: bytes


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A text, which ends in a line break, and its signatures in the order of their lines. Nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]


def parse(data: bytes) -> Note:
    """Return the note these bytes are; `encode` gives the same bytes again.

    Raises:
        EvidenceError: when they are none, with the reason: more than 64 KiB or 100 signatures, no UTF-8, control characters, no
            text or signature, a line of another form, base64 not as RFC 4648 section 4 writes it.
    """
    if len(data) > MOST_BYTES:
        raise EvidenceError(f"the note is larger than {MOST_BYTES} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise EvidenceError(f"the note is not UTF-8 (byte {error.start})") from None
    if _CONTROL.search(whole):
        raise EvidenceError("the note holds a control character")
    # The text may hold empty lines itself; signature lines cannot.
    text, gap, rest = whole.rpartition("\n\n")
    lines = rest.split("\n")
    if not gap or lines.pop() or not lines:
        raise EvidenceError("the note is not a text, an empty line and signature lines")
    if len(lines) > MOST_SIGNATURES:
        raise EvidenceError(f"the note has more than {MOST_SIGNATURES} signatures")
    return Note(text=f"{text}\n", signatures=tuple(_signature_of(line, number) for number, line in enumerate(lines, start=1)))


def encode(note: Note) -> bytes:
    r"""Return the bytes of a note.

    Raises:
        ValueError: when `parse` would not read this note from them.

    >>> signature = Signature(name="example.com/x", key_hash=bytes(4), blob=bytes(2))
    >>> print(encode(Note(text="A text.\n", signatures=(signature,))).decode(), end="")
    A text.
    <BLANKLINE>
    — example.com/x AAAAAAAA
    """
    lines = [f"{_MARK}{one.name} {to_base64(one.key_hash + one.blob)}\n" for one in note.signatures]
    data = f"{note.text}\n{''.join(lines)}".encode()
    try:
        same = parse(data) == note
    except EvidenceError as error:
        raise ValueError(str(error)) from None
    if not same:
        raise ValueError("the note's text or a name in it cannot be told from what surrounds it")
    return data


@functools.lru_cache(maxsize=1024)  # a verifier asks for all its keys at every signature
def key_hash(name: str, kind: int, public: bytes) -> bytes:
    """Return the key id of a signature line: SHA-256(name || 0x0A || kind || public key)[:4].

    Args:
        name: the key's name.
        kind: the type of signature, `ED25519` or `COSIGNATURE`.
        public: the 32 bytes of the public key.
    """
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_key(name: str, key: PublicKey, kind: int = ED25519) -> str:
    """Return the key as other programs for signed notes are told it (a vkey): name+hex(key id)+base64(kind || public key).

    >>> from thunderlab.keys import public_key
    >>> raw = from_base64("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]  # the specification's own example
    >>> verifier_key("example.com/foo", public_key(raw, at_us=0))
    'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
    """
    return f"{name}+{key_hash(name, kind, key.raw()).hex()}+{to_base64(bytes([kind]) + key.raw())}"


def sign(text: str, name: str, ring: KeyRing, key: PublicKey | None = None) -> Note:
    """Return the text as a note with one signature in that name.

    Args:
        text: ends in a line break.
        name: of the key, for a ledger its origin.
        ring: signs.
        key: which key of the ring signs; the active one when not given.
    """
    if key is None:
        key, blob = ring.sign(text.encode())
    else:
        blob = ring.sign_with(key.id, text.encode())
    note = Note(text=text, signatures=(Signature(name=name, key_hash=key_hash(name, ED25519, key.raw()), blob=blob),))
    encode(note)  # what cannot be read again is not handed out
    return note


def verified_by(note: Note, name: str, pins: PinnedKeys) -> PublicKey | None:
    """Return the first pinned key that signed the note in that name, None when none did.

    Signatures of keys that are not pinned are passed over, as the specification demands.

    Raises:
        EvidenceError: when a signature claims a pinned key, name and key id, and does not verify; then nothing in the note counts.
    """
    return first_verified(note, name, ED25519, pins, lambda key, blob: pins.verify(key.id, note.text.encode(), blob))


def first_verified(note: Note, name: str, kind: int, pins: PinnedKeys, verifies: Callable[[PublicKey, bytes], bool]) -> PublicKey | None:
    """Return the pinned key of the first signature of one name and kind, once all that claim a pinned key verify.

    Raises:
        EvidenceError: when one does not.
    """
    found: PublicKey | None = None
    hashes = [(key_hash(name, kind, key.raw()), key) for key in pins]
    for number, signature in enumerate(note.signatures, start=1):
        # Four bytes name a key: two pinned keys may share them, and then either may have signed.
        claimed = [key for hash_, key in hashes if signature.name == name and signature.key_hash == hash_]
        signer = next((key for key in claimed if verifies(key, signature.blob)), None)
        if claimed and signer is None:
            raise EvidenceError(f"signature {number} of the note claims key {claimed[0].id} and does not verify")
        found = found or signer
    return found


def to_base64(data: bytes) -> str:
    """Return the standard base64 of RFC 4648 section 4, with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes | None:
    r"""Return the bytes whose base64 is exactly this text, None when there are none: of several spellings only one is accepted.

    >>> from_base64("AAA="), from_base64("AAB="), from_base64("AAA")
    (b'\x00\x00', None, None)
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if to_base64(data) == text else None


def _signature_of(line: str, number: int) -> Signature:
    name, gap, encoded = line.removeprefix(_MARK).partition(" ")
    data = from_base64(encoded)
    if not line.startswith(_MARK) or not gap or not name or "+" in name or any(map(str.isspace, name)):
        raise EvidenceError(f"signature line {number} of the note is not an em dash, a name and base64")
    if data is None or len(data) < 5:
        raise EvidenceError(f"signature line {number} of the note does not end in the base64 of a key id and a signature")
    return Signature(name=name, key_hash=data[:4], blob=data[4:])
