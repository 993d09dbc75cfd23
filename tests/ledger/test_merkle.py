"""The Merkle tree against the definitions of RFC 6962 and RFC 9162, written as they stand there, and their published vectors."""

import hashlib
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Leaves,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)

# The test inputs of Certificate Transparency's reference implementations, with the roots they publish for 0..8 leaves.
LEAVES = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Their published proofs over these leaves: (index, size) or (first, second), then the nodes.
PATHS = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENT = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def _leaf(data):
    return hashlib.sha256(b"\0" + data).digest()


def _split(n):
    """The largest power of two smaller than n."""
    return 1 << (n - 1).bit_length() - 1


def _root(leaves):
    """RFC 6962 section 2.1, word for word: split at the largest power of two smaller than n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return hashlib.sha256(b"\1" + _root(leaves[:k]) + _root(leaves[k:])).digest()


def _path(m, leaves):
    """PATH(m, D_n) of RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    return [*_path(m, leaves[:k]), _root(leaves[k:])] if m < k else [*_path(m - k, leaves[k:]), _root(leaves[:k])]


def _subproof(m, leaves, whole):
    """SUBPROOF(m, D_n, b) of RFC 9162 section 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [_root(leaves)]
    k = _split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], whole), _root(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], False), _root(leaves[:k])]


def _turns(m, n):
    """On which side the siblings of leaf m of n lie, from the leaf up: all that a path's check can know of both numbers."""
    if n == 1:
        return ""
    k = _split(n)
    return _turns(m, k) + "r" if m < k else _turns(m - k, n - k) + "l"


def _some(n, start=0):
    return [_leaf(str(number).encode()) for number in range(start, start + n)]


def _frontier(leaves):
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf.hex())
    return frontier


CT = [_leaf(data) for data in LEAVES]
sizes = st.integers(1, 80)


def test_published_roots():
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == ROOTS[0]
    for leaf, root in zip(CT, ROOTS[1:], strict=True):
        frontier.add(leaf.hex())
        assert frontier.root() == root


@pytest.mark.parametrize(("index", "size"), PATHS)
def test_published_inclusion_proofs(index, size):
    proof = inclusion_proof(CT[:size], index)
    assert tuple(node.hex() for node in proof) == PATHS[index, size]
    assert verify_inclusion(CT[index], index, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("first", "second"), CONSISTENT)
def test_published_consistency_proofs(first, second):
    proof = consistency_proof(CT[:second], first)
    assert tuple(node.hex() for node in proof) == CONSISTENT[first, second]
    assert verify_consistency(first, second, proof, bytes.fromhex(ROOTS[first]), bytes.fromhex(ROOTS[second]))


@given(st.lists(st.binary(max_size=4), max_size=70))
def test_the_frontier_agrees_with_the_definition(data):
    leaves = [_leaf(item) for item in data]
    frontier = _frontier(leaves)
    assert frontier.root() == _root(leaves).hex()
    assert frontier.size == len(leaves)


@given(st.lists(st.integers(0, 20), max_size=12))
def test_many_leaves_at_once_are_the_same_as_one_by_one(parts):
    frontier, done = Frontier(), 0
    for part in parts:
        frontier.extend(_some(part, done) if part % 2 else Leaves(b"".join(_some(part, done))))
        done += part
        single = _frontier(_some(done))
        assert (frontier.size, frontier.peaks(), frontier.root()) == (single.size, single.peaks(), single.root())
        if done:
            assert frontier.last_path() == single.last_path() == _path(done - 1, _some(done))


@given(sizes)
def test_a_frontier_goes_on_from_its_peaks_or_from_its_last_leaf(size):
    leaves = _some(size)
    frontier = _frontier(leaves)
    from_peaks = Frontier.from_peaks(size, frontier.peaks())
    resumed = Frontier.resume(size, leaves[-1], frontier.last_path())
    assert resumed.last_path() == frontier.last_path()
    if size % 2:
        assert from_peaks.last_path() == frontier.last_path()
    else:
        with pytest.raises(ValueError, match="not known"):
            from_peaks.last_path()
    for other in (from_peaks, resumed):
        assert (other.size, other.root()) == (size, frontier.root())
        other.extend(_some(3, size))
        assert other.root() == _root(_some(size + 3)).hex()
        assert other.last_path() == _path(size + 2, _some(size + 3))


def test_what_is_no_frontier_is_refused():
    with pytest.raises(ValueError, match="not known"):
        Frontier().last_path()
    for size, peaks in ((3, [CT[0]]), (2, [CT[0], CT[1]]), (-1, [CT[0]]), (1, [b"short"])):
        with pytest.raises(ValueError, match="one peak"):
            Frontier.from_peaks(size, peaks)
    for size, path in ((0, []), (2, []), (3, [CT[0], CT[1]])):
        with pytest.raises(ValueError, match="one peak"):
            Frontier.resume(size, CT[0], path)
    frontier = _frontier(CT)
    for wrong in ([CT[0], b"short", CT[1]], [CT[0] + b"x"], [CT[0], CT[1][:-1], CT[2] + b"x"]):
        with pytest.raises(ValueError, match="32 bytes"):
            frontier.extend(wrong)
    for wrong in ("00", "00" * 33, "zz" * 32):
        with pytest.raises(ValueError):
            frontier.add(wrong)
    assert (frontier.size, frontier.root()) == (8, ROOTS[8])
    with pytest.raises(ValueError, match="whole number"):
        Leaves(b"x" * 33)


@given(st.integers(0, 40), st.integers(-45, 45), st.integers(-45, 45), st.integers(-5, 5).filter(bool))
def test_leaves_are_a_sequence_like_any_other(size, start, stop, step):
    plain = _some(size)
    leaves = Leaves(b"".join(plain))
    assert list(leaves) == plain
    assert list(leaves[start:stop:step]) == plain[start:stop:step]
    if -size <= start < size:
        assert leaves[start] == plain[start]
    else:
        with pytest.raises(IndexError):
            leaves[start]


@given(sizes, st.data())
def test_proofs_are_those_of_the_definitions_and_verify(size, data):
    leaves = _some(size)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, first_root = _root(leaves), _root(leaves[:first])
    path, proof = inclusion_proof(Leaves(b"".join(leaves)), index), consistency_proof(leaves, first)
    assert path == _path(index, leaves)
    assert proof == _subproof(first, leaves, True)
    assert verify_inclusion(leaves[index], index, size, path, root)
    assert verify_consistency(first, size, proof, first_root, root)


@settings(max_examples=60)
@given(sizes, st.data())
def test_a_path_verifies_nothing_else(size, data):
    leaves = _some(size)
    index = data.draw(st.integers(0, size - 1))
    root, path = _root(leaves), inclusion_proof(leaves, index)
    for other in range(-2, size + 3):
        for of in range(size + 3):
            same_turns = 0 <= other < of and _turns(other, of) == _turns(index, size)
            assert verify_inclusion(leaves[index], other, of, path, root) == same_turns
    for changed in _changes(path, data):
        assert not verify_inclusion(leaves[index], index, size, changed, root)
    for leaf in _flips(leaves[index], data):
        assert not verify_inclusion(leaf, index, size, path, root)
    for wrong in _flips(root, data):
        assert not verify_inclusion(leaves[index], index, size, path, wrong)


@settings(max_examples=60)
@given(sizes, st.data())
def test_a_consistency_proof_verifies_nothing_else(size, data):
    leaves = _some(size)
    first = data.draw(st.integers(1, size))
    root, first_root, proof = _root(leaves), _root(leaves[:first]), consistency_proof(leaves, first)
    for other in range(-2, size + 3):
        if other != first:
            assert not verify_consistency(other, size, proof, first_root, root)
    for changed in _changes(proof, data):
        assert not verify_consistency(first, size, changed, first_root, root)
    for wrong in _flips(root, data):
        assert not verify_consistency(first, size, proof, first_root, wrong)
    for wrong in _flips(first_root, data):
        assert not verify_consistency(first, size, proof, wrong, root)


def _flips(node, data):
    """The node with one bit changed, one byte less and one more."""
    bit = data.draw(st.integers(0, 255))
    flipped = bytearray(node)
    flipped[bit // 8] ^= 1 << bit % 8
    return [bytes(flipped), node[:-1], node + b"\0"]


def _changes(proof, data):
    """The proof with a node more anywhere, and with any one changed, gone, or changed places with its neighbour."""
    yield from (proof[:at] + [extra] + proof[at:] for at in range(len(proof) + 1) for extra in (bytes(32), *proof))
    for at, node in enumerate(proof):
        yield proof[:at] + proof[at + 1 :]
        yield from (proof[:at] + [changed] + proof[at + 1 :] for changed in _flips(node, data))
        if at:
            yield [*proof[: at - 1], node, proof[at - 1], *proof[at + 1 :]]


def test_a_tree_that_was_rewritten_has_no_consistency_proof():
    """A forged tree's own proofs lead to another first root."""
    honest, forged = _some(20), [*_some(6), *_some(14, 100)]
    for first in range(7, 21):
        proof = consistency_proof(forged, first)
        assert not verify_consistency(first, 20, proof, _root(honest[:first]), _root(forged))


def test_the_ends_have_empty_proofs():
    root, empty = _root(CT), bytes.fromhex(EMPTY_ROOT)
    assert consistency_proof(CT, 0) == consistency_proof(CT, 8) == consistency_proof([], 0) == []
    assert verify_consistency(0, 8, [], empty, root)
    assert verify_consistency(0, 0, [], empty, empty)
    assert verify_consistency(8, 8, [], root, root)
    assert not verify_consistency(0, 8, [], root, root)
    assert not verify_consistency(0, 8, [root], empty, root)
    assert not verify_consistency(8, 8, [], empty, root)
    assert not verify_consistency(8, 8, [root], root, root)
    assert not verify_consistency(4, 8, [], bytes.fromhex(ROOTS[4]), root)


@pytest.mark.parametrize("index", [-1, 8, 9])
def test_proofs_of_what_is_not_there_are_refused(index):
    with pytest.raises(ValueError, match="there is no leaf"):
        inclusion_proof(CT, index)
    with pytest.raises(ValueError, match="there is no tree"):
        consistency_proof(CT, index if index < 0 else index + 1)


def test_proofs_over_more_leaves_than_are_hashed_at_a_time():
    size = (1 << 17) + 12345
    leaves = Leaves(random.Random(5).randbytes(32 * size))
    frontier = Frontier()
    frontier.extend(leaves[:70_001])
    first_root = bytes.fromhex(frontier.root())
    frontier.extend(leaves[70_001:])
    root = bytes.fromhex(frontier.root())
    for index in (0, 65_535, 65_536, 131_072, size - 1):
        assert verify_inclusion(leaves[index], index, size, inclusion_proof(leaves, index), root)
    assert inclusion_proof(leaves, size - 1) == frontier.last_path()
    assert verify_consistency(70_001, size, consistency_proof(leaves, 70_001), first_root, root)
    assert not verify_inclusion(os.urandom(32), 0, size, inclusion_proof(leaves, 0), root)
