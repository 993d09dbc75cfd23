"""Merkle trees of RFC 6962 and RFC 9162 (section 2.1) over leaf hashes: roots in one pass, proofs, and what checks them.

Roots that are stored or shown are hexadecimal; leaves, nodes and proofs are their 32 bytes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import overload

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()

_WIDTH = 32
_CHUNK = 1 << 16
_PAIR = struct.Struct(f"{2 * _WIDTH}s")


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
        # What the last leaf was merged with, lowest first; None when that is not known.
        self._merged: list[bytes] | None = []

    @classmethod
    def from_peaks(cls, size: int, peaks: Sequence[bytes]) -> Frontier:
        """Return the frontier of a tree of `size` leaves with these peaks, widest first, as `peaks` gave them.

        Raises:
            ValueError: when a tree of that size has another number of peaks, or a peak is not 32 bytes.
        """
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != _WIDTH for peak in peaks):
            raise ValueError(f"a tree of {size} leaves has one peak of {_WIDTH} bytes for every one-bit of its size")
        frontier = cls()
        frontier.size, frontier._peaks = size, list(peaks)
        if size and size % 2 == 0:
            frontier._merged = None
        return frontier

    @classmethod
    def resume(cls, size: int, last_leaf: bytes, path: Sequence[bytes]) -> Frontier:
        """Return the frontier of a tree of `size` leaves (>= 1), from its last leaf and that leaf's inclusion proof.

        Nothing is proved by this: the caller compares `root()` with a root it trusts.

        Raises:
            ValueError: when the last leaf of a tree of that size has a proof of another length.
        """
        # All siblings of the last leaf lie to its left: they are the peaks of the tree without it, narrowest first.
        frontier = cls.from_peaks(size - 1, path[::-1])
        frontier.add(last_leaf.hex())
        return frontier

    def copy(self) -> Frontier:
        """Return a frontier that grows apart from this one."""
        other = Frontier()
        other.size, other._peaks = self.size, list(self._peaks)
        other._merged = None if self._merged is None else list(self._merged)
        return other

    def add(self, leaf_hash: str) -> None:
        """Take in the next leaf's hash, hexadecimal.

        Raises:
            ValueError: when it is none.
        """
        node = bytes.fromhex(leaf_hash)
        if len(node) != _WIDTH:
            raise ValueError(f"a leaf's hash has {_WIDTH} bytes")
        # As many merges as the size has trailing ones: each makes one complete subtree of twice the width.
        merged: list[bytes] = []
        carry = self.size
        while carry & 1:
            merged.append(self._peaks.pop())
            node = _parent(merged[-1], node)
            carry >>= 1
        self._peaks.append(node)
        self._merged = merged
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Take in many leaf hashes at once, for about one SHA-256 a leaf.

        Args:
            leaves: 32 bytes each.

        Raises:
            ValueError: when one is not; then none is taken in.
        """
        if not leaves:
            return
        level = bytes(leaves) if isinstance(leaves, Leaves) else _joined(leaves)
        level, last = level[:-_WIDTH], level[-_WIDTH:]
        # Level by level: the peak that waits at a level goes first, what finds no partner waits there in its place.
        sha256, carry, waiting = hashlib.sha256, self.size, []
        while level:
            if carry & 1:
                level = self._peaks.pop() + level
            if len(level) % (2 * _WIDTH):
                level, alone = level[:-_WIDTH], level[-_WIDTH:]
                waiting.append(alone)
            level = b"".join([sha256(b"\1" + pair).digest() for (pair,) in _PAIR.iter_unpack(level)])
            carry >>= 1
        self._peaks += reversed(waiting)
        self.size += len(leaves) - 1
        self.add(last.hex())  # alone, so that its path is known

    def root(self) -> str:
        """Return the tree's root, hexadecimal: the peaks joined from the right."""
        if not self._peaks:
            return EMPTY_ROOT
        node = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            node = _parent(peak, node)
        return node.hex()

    def peaks(self) -> list[bytes]:
        """Return the roots of the complete subtrees, widest first: one for every one-bit of the size."""
        return list(self._peaks)

    def last_path(self) -> list[bytes]:
        """Return the inclusion proof of the last leaf in the tree as it is now.

        Raises:
            ValueError: when there is no leaf, or when the frontier was made from peaks that have the last leaf merged into them.
        """
        if not self.size or self._merged is None:
            raise ValueError("the path of the last leaf is not known")
        return self._merged + self._peaks[-2::-1]


class Leaves(Sequence[bytes]):
    """Many hashes in one object of bytes, 32 each: a sequence that takes no more memory than they do.

    >>> leaves = Leaves(bytes(64) + b"x" * 32)
    >>> len(leaves), leaves[2] == leaves[-1] == b"x" * 32, len(leaves[1:])
    (3, True, 2)
    """

    def __init__(self, data: bytes) -> None:
        if len(data) % _WIDTH:
            raise ValueError(f"{len(data)} bytes are not a whole number of hashes of {_WIDTH}")
        self._data = data

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Leaves: ...
    def __getitem__(self, index: int | slice) -> bytes | Leaves:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return Leaves(self._data[start * _WIDTH : max(start, stop) * _WIDTH])
            return Leaves(b"".join([self[at] for at in range(start, stop, step)]))
        at = range(len(self))[index] * _WIDTH
        return self._data[at : at + _WIDTH]

    def __len__(self) -> int:
        return len(self._data) // _WIDTH

    def __bytes__(self) -> bytes:
        return self._data


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of all `leaves`: siblings from the leaf up (RFC 9162 section 2.1.3.1).

    Args:
        leaves: leaf hashes, 32 bytes each.
        index: 0 <= index < len(leaves).

    Raises:
        ValueError: for an index that is not there.
    """
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no leaf {index} among {len(leaves)}")
    low, high, path = 0, len(leaves), []
    while high - low > 1:
        middle = _split(low, high)
        if index < middle:
            path.append(_root_of(leaves, middle, high))
            high = middle
        else:
            path.append(_root_of(leaves, low, middle))
            low = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that the tree of all `leaves` begins with that of the first `first` ones (RFC 9162 section 2.1.4.1).

    Args:
        leaves: leaf hashes, 32 bytes each.
        first: 0 <= first <= len(leaves); the proof is empty at both ends, where there is nothing to prove.

    Raises:
        ValueError: for a size outside these.
    """
    if not 0 <= first <= len(leaves):
        raise ValueError(f"there is no tree of {first} leaves within {len(leaves)}")
    if first == 0:
        return []
    low, high, path = 0, len(leaves), []
    while first < high:
        middle = _split(low, high)
        if first <= middle:
            path.append(_root_of(leaves, middle, high))
            high = middle
        else:
            path.append(_root_of(leaves, low, middle))
            low = middle
    # Nothing to the left was split off: the subtree that is left is the first tree itself, whose root the verifier has.
    if low > 0:
        path.append(_root_of(leaves, low, high))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether `proof` leads from the leaf hash at `index` to the root of a tree of `size` leaves (RFC 9162 section 2.1.3.2).

    The size is one the root was signed with: a proof alone tells sizes apart only where the path is another.
    """
    if not 0 <= index < size or any(len(node) != _WIDTH for node in (leaf, *proof)):
        return False
    at, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = _parent(sibling, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = _parent(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes) -> bool:
    """Return whether `proof` shows that the tree of `second` leaves begins with that of `first` ones (RFC 9162 section 2.1.4.2).

    A tree is consistent with itself, and any tree with the empty one; both have an empty proof.
    """
    if not 0 <= first <= second or any(len(node) != _WIDTH for node in (first_root, second_root, *proof)):
        return False
    if first == second:
        return not proof and first_root == second_root
    if first == 0:
        return not proof and first_root.hex() == EMPTY_ROOT
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not proof:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    older = newer = path[0]
    for node in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            older, newer = _parent(node, older), _parent(node, newer)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            newer = _parent(newer, node)
        at, last = at >> 1, last >> 1
    return last == 0 and older == first_root and newer == second_root


def _root_of(leaves: Sequence[bytes], low: int, high: int) -> bytes:
    """Return the root of the leaves from `low` to `high`, taken in piece by piece."""
    frontier = Frontier()
    for start in range(low, high, _CHUNK):
        frontier.extend(leaves[start : min(start + _CHUNK, high)])
    return bytes.fromhex(frontier.root())


def _split(low: int, high: int) -> int:
    """Return where a tree over [low, high) splits: after the largest power of two that is smaller than its size."""
    return low + (1 << (high - low - 1).bit_length() - 1)


def _joined(leaves: Sequence[bytes]) -> bytes:
    if set(map(len, leaves)) != {_WIDTH}:
        raise ValueError(f"a leaf's hash has {_WIDTH} bytes")
    return b"".join(leaves)


def _parent(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right), the hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()
