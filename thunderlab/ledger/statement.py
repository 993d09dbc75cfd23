"""The statements a ledger signs besides its checkpoints, each the text of a C2SP signed note.

The first line says what kind of statement it is, the second which ledger it is about, so that none can be taken for another one.
"""

from __future__ import annotations

from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys, PublicKey
from thunderlab.ledger import note


def of_key(origin: str, previous: str | None, key: str) -> str:
    """Return the statement that `key` (hexadecimal) signs from now on, after the key with the id `previous`.

    >>> print(of_key("thunderlab/x", None, "ab" * 32), end="")
    thunderlab-key/1
    thunderlab/x
    -
    abababababababababababababababababababababababababababababababab
    """
    return f"thunderlab-key/1\n{origin}\n{previous or '-'}\n{key}\n"


def of_prune(origin: str, before: int, size: int, root: str) -> str:
    """Return the statement that payloads before block `before` were removed, all of them covered by the checkpoint of `size` blocks."""
    return f"thunderlab-prune/1\n{origin}\n{before}\n{size}\n{root}\n"


def sign(text: str, origin: str, ring: KeyRing, key: PublicKey) -> str:
    """Return the statement as a note signed by one of the ring's keys, in the ledger's name."""
    return note.encode(note.sign(text, origin, ring, key)).decode()


def signer(signed: str, text: str, origin: str, pins: PinnedKeys) -> PublicKey:
    """Return the pinned key that signed exactly this text.

    Raises:
        EvidenceError: when the note is malformed, says something else, or is not signed by a pinned key.
    """
    try:
        found = note.parse(signed.encode())
    except UnicodeEncodeError:
        raise EvidenceError("the note is not text") from None
    if found.text != text:
        raise EvidenceError("the note says something else than the block")
    key = note.verified_by(found, origin, pins)
    if key is None:
        raise EvidenceError("the note is not signed by a pinned key")
    return key
