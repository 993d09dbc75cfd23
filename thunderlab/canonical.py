"""The one encoder of bytes that get hashed, and the one digest."""

from __future__ import annotations

import hashlib
import json


def encode(value: object) -> bytes:
    """Return the only byte form of a JSON value: UTF-8, keys sorted by code point, no spaces, finite numbers.

    It is not RFC 8785: numbers keep Python's shortest form (`1.0`, not `1`), so equal values of different type differ.

    Raises:
        ValueError: for NaN, infinities and anything JSON cannot say.

    >>> encode({"b": 1, "a": [True, None, "é"]}).decode()
    '{"a":[true,null,"é"],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of `data` (FIPS 180-4).

    >>> digest(b"abc")
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    """
    return hashlib.sha256(data).hexdigest()


def digest_of(value: object) -> str:
    """Return the digest of a JSON value's canonical bytes: two equal values, one digest.

    >>> digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    True
    """
    return digest(encode(value))
