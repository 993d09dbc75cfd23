"""Merkle tree hash of RFC 6962 (section 2.1) over leaf hashes, in one pass and with memory for one path."""

from __future__ import annotations

import hashlib

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()


class Frontier:
    """The roots of the complete subtrees of a growing tree, widest first: all that is needed to add leaves and tell the root.

    >>> frontier = Frontier()
    >>> frontier.root() == EMPTY_ROOT
    True
    >>> frontier.add("00" * 32)
    >>> frontier.root() == "00" * 32
    True
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf_hash: str) -> None:
        """Take in the next leaf's hash."""
        node = bytes.fromhex(leaf_hash)
        # As many merges as the size has trailing ones: each makes one complete subtree of twice the width.
        carry = self.size
        while carry & 1:
            node = _parent(self._peaks.pop(), node)
            carry >>= 1
        self._peaks.append(node)
        self.size += 1

    def root(self) -> str:
        """Return the tree's root: the peaks joined from the right."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = _parent(peak, node)
        return node.hex()


def _parent(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()
