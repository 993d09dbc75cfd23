"""Offline proofs: everything in one is load-bearing, and what is not proved is refused with a reason. Headers, which they rest on, too."""

import base64
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.clock import IdSource, VirtualClock, rfc3339
from thunderlab.errors import EvidenceError
from thunderlab.keys import KeyRing, PinnedKeys
from thunderlab.ledger import block, checkpoint, proof
from thunderlab.ledger.checkpoint import Checkpoint
from thunderlab.ledger.merkle import Frontier, inclusion_proof
from thunderlab.ledger.proof import Proof

# c2sp.org/tlog-proof, its example; the signatures, which are cut short there, are those of the example in c2sp.org/tlog-cosignature.
C2SP = """\
c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness1.example jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
# The lowest common form of the implementations in transparency-dev/formats: no extra line, no hashes.
SMALLEST = "c2sp.org/tlog-proof@v1\nindex 0\n\n" + C2SP.partition("\n\n")[2]

ORIGIN = "thunderlab/018bcfe5-6800-7000-8f3a-5c1d2e3f4a5b"
FIELDS = {
    "origin": ORIGIN,
    "seq": 7,
    "prev_hash": "ab" * 32,
    "payload_hash": "cd" * 32,
    "id": "018bcfe5-6800-7000-8f3a-5c1d2e3f4a5c",
    "inserted_at": "2026-01-31T12:00:00.000000Z",
    "event_name": "lab.note.recorded",
    "event_version": "1.0",
}


class Ledger:
    """Blocks as a ledger makes them, in memory, with a key ring."""

    def __init__(self, folder, count, origin=ORIGIN):
        clock = VirtualClock()
        ids = IdSource(clock)
        self.origin, self.ring = origin, KeyRing(folder, clock)
        self.ring.new()
        self.payloads = [
            json.dumps({"text": f"n\u00f6te {number}", "value": number}, ensure_ascii=False).encode() for number in range(count)
        ]
        self.heads, self.leaves, prev = [], [], block.GENESIS_PREV
        for seq, payload in enumerate(self.payloads):
            made = block.header(
                origin=origin,
                seq=seq,
                prev_hash=prev,
                payload_hash=hashlib.sha256(payload).hexdigest(),
                id=ids.new(),
                inserted_at=rfc3339(clock.now_us()),
                event_name="lab.note.recorded",
                event_version="1.0",
            )
            prev = hashlib.sha256(b"\0" + made).hexdigest()
            self.heads.append(made)
            self.leaves.append(bytes.fromhex(prev))

    def signed(self, size=None):
        size = len(self.leaves) if size is None else size
        frontier = Frontier()
        frontier.extend(self.leaves[:size])
        return checkpoint.sign(Checkpoint(origin=self.origin, size=size, root=frontier.root()), self.ring)

    def proof(self, seq, size=None, *, pruned=False):
        size = len(self.leaves) if size is None else size
        return Proof(
            index=seq,
            hashes=tuple(inclusion_proof(self.leaves[:size], seq)),
            signed=self.signed(size),
            extra=proof.extra_of(self.heads[seq], None if pruned else self.payloads[seq]),
        )


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    return Ledger(tmp_path_factory.mktemp("ledger") / "keys", 21)


@pytest.mark.parametrize("text", [C2SP, SMALLEST], ids=["the specification's", "the smallest"])
def test_published_proofs_are_read_and_written_back(text):
    found = proof.parse(text.encode())
    assert found.encode() == text.encode()
    assert found.signed.checkpoint.size == 109482
    if text == C2SP:
        assert (found.index, len(found.hashes), found.extra[:27]) == (73894, 5, b"age-v1.2.1-darwin-arm64.tar")
        assert found.hashes[0].hex() == "8122b25e861952067a8ddb9662b9033804629ce30626f7978e032405371d3e54"


def test_a_proof_is_the_text_the_specification_describes(ledger):
    made = ledger.proof(7)
    lines = made.encode().decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert json.loads(base64.b64decode(lines[1].removeprefix("extra "))) == {
        "header": ledger.heads[7].decode(),
        "payload": ledger.payloads[7].decode(),
    }
    assert lines[2] == "index 7"
    assert [base64.b64decode(line) for line in lines[3:8]] == inclusion_proof(ledger.leaves, 7)
    assert "\n".join(lines[8:]) == "\n" + ledger.signed().note.decode()


@pytest.mark.parametrize("pruned", [False, True])
@pytest.mark.parametrize("size", [1, 2, 8, 13, 21])
def test_every_block_of_every_size_is_proved(ledger, size, pruned):
    for seq in range(size):
        found = proof.verify(proof.parse(ledger.proof(seq, size, pruned=pruned).encode()), ledger.ring.pins(), ledger.signed(size))
        head = ledger.heads[seq].decode().split("\n")
        assert (found.origin, found.seq, found.size) == (ORIGIN, seq, size)
        assert (found.id, found.inserted_at, found.event_name, found.event_version) == (head[5], head[6], "lab.note.recorded", "1.0")
        assert found.aggregate_hash == ledger.leaves[seq].hex()
        assert found.root == ledger.signed(size).checkpoint.root
        assert found.key_id == ledger.ring.active().id
        assert found.payload == (None if pruned else ledger.payloads[seq])


@settings(max_examples=300)
@given(st.data())
def test_every_byte_of_a_proof_is_load_bearing(ledger, data):
    """Any one byte changed, left out or put in: either it is no proof any more, or it does not verify."""
    whole = ledger.proof(data.draw(st.integers(0, 20)), pruned=data.draw(st.booleans())).encode()
    place, byte = data.draw(st.integers(0, len(whole) - 1)), bytes([data.draw(st.integers(0, 255))])
    changed = data.draw(
        st.sampled_from(
            [whole[:place] + byte + whole[place + 1 :], whole[:place] + whole[place + 1 :], whole[:place] + byte + whole[place:]]
        )
    )
    if changed == whole:
        return
    with pytest.raises(EvidenceError):
        proof.verify(proof.parse(changed), ledger.ring.pins())


def test_every_place_of_one_proof_is_load_bearing(ledger):
    whole = ledger.proof(13).encode()
    for place in range(len(whole)):
        for flip in (1, 0x20):
            with pytest.raises(EvidenceError):
                proof.verify(proof.parse(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]), ledger.ring.pins())


LINES = C2SP.split("\n")
HASH = LINES[3]
MALFORMED = {
    "nothing": "",
    "another version": C2SP.replace("@v1", "@v2"),
    "Windows line breaks": C2SP.replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + C2SP,
    "more than ASCII": C2SP.replace(HASH, "é" + HASH[1:]),
    "an empty extra line": C2SP.replace(LINES[1], "extra "),
    "an extra line without base64": C2SP.replace(LINES[1], "extra *"),
    "two extra lines": C2SP.replace(LINES[1], f"{LINES[1]}\n{LINES[1]}"),
    "the extra line after the index": C2SP.replace(f"{LINES[1]}\n{LINES[2]}", f"{LINES[2]}\n{LINES[1]}"),
    "no index": C2SP.replace(f"{LINES[2]}\n", ""),
    "an index with a leading zero": C2SP.replace("index 73894", "index 073894"),
    "an index with a sign": C2SP.replace("index 73894", "index +73894"),
    "a negative index": C2SP.replace("index 73894", "index -1"),
    "an index with a space": C2SP.replace("index 73894", "index 73894 "),
    "an index no ledger has": C2SP.replace("index 73894", f"index {10**18}"),
    "a hash without padding": C2SP.replace(HASH, HASH[:-1]),
    "a hash with idle bits set": C2SP.replace("PlQ=", "PlR="),
    "a short hash": C2SP.replace(HASH, base64.b64encode(bytes(31)).decode()),
    "a hash in hexadecimal": C2SP.replace(HASH, "00" * 32),
    "more hashes than a tree has levels": C2SP.replace(HASH, "\n".join([HASH] * 61)),
    "no empty line": C2SP.replace("\n\nexample", "\nexample"),
    "two empty lines": C2SP.replace("\n\nexample", "\n\n\nexample"),
    "no checkpoint": C2SP.partition("\n\n")[0] + "\n\n",
    "a checkpoint cut short": C2SP[:-1],
    "something after the checkpoint": C2SP + "\n",
    "more than 16 MiB": C2SP.replace(LINES[1], "extra " + "A" * (1 << 24)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_proof_is_refused(name):
    assert MALFORMED[name] != C2SP
    with pytest.raises(EvidenceError):
        proof.parse(MALFORMED[name].encode())


def _changed(made, **changes):
    told = {"index": made.index, "hashes": made.hashes, "signed": made.signed, "extra": made.extra} | changes
    return proof.parse(Proof(**told).encode())


def test_what_does_not_hold_together_is_refused_with_the_reason(ledger, tmp_path):
    made, pins = ledger.proof(7), ledger.ring.pins()
    other = Ledger(tmp_path / "other", 21, "thunderlab/other")
    head = ledger.heads[7]
    cases = {
        "not signed by a pinned key": _changed(made, signed=other.signed()),
        "holds no block": _changed(made, extra=None),
        "the block is number 7, the proof is about number 8": _changed(made, index=8),
        "the block is number 8, the proof is about number 7": _changed(made, extra=proof.extra_of(ledger.heads[8], ledger.payloads[8])),
        "the block is one of thunderlab/other": _changed(made, extra=proof.extra_of(other.heads[7], other.payloads[7])),
        "the payload is not the one": _changed(made, extra=proof.extra_of(head, ledger.payloads[6])),
        "is not among the 5": _changed(made, signed=ledger.signed(5)),
        "do not lead to the root": _changed(made, hashes=made.hashes[:-1]),
        "lead to the root": _changed(made, signed=ledger.signed(20)),
        "to the root": _changed(made, extra=proof.extra_of(head.replace(b"note", b"nota"), ledger.payloads[7])),
        "nine lines": _changed(made, extra=proof.extra_of(head[:-1], ledger.payloads[7])),
        "format": _changed(made, extra=proof.extra_of(head.replace(b"ledger/1", b"ledger/2"), ledger.payloads[7])),
    }
    for reason, wrong in cases.items():
        with pytest.raises(EvidenceError, match=reason):
            proof.verify(wrong, pins)
    with pytest.raises(EvidenceError, match="no key is pinned"):
        proof.verify(made, PinnedKeys([]))


@pytest.mark.parametrize(
    "extra",
    [
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"header":1,"payload":null}',
        b'{"header":"x","payload":1}',
        b'{"header":"x"}',
        b'{"header":"\\ud800","payload":null}',
        "canonical, but with a space",
        "canonical, but in the other order",
        "canonical, but with a third field",
        "canonical, but with a field twice",
        "canonical, but with an escape",
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_block_has_one_form_only(ledger, extra):
    made = ledger.proof(3)
    text = made.extra.decode()
    header, _, payload = text[1:-1].partition(',"payload":')
    forms = {
        "canonical, but with a space": text.replace(",", ", ", 1),
        "canonical, but in the other order": f'{{"payload":{payload},{header}}}',
        "canonical, but with a third field": text[:-1] + ',"trusted":true}',
        "canonical, but with a field twice": text[:-1] + f',"payload":{payload}}}',
        "canonical, but with an escape": text.replace("ö", "\\u00f6"),
    }
    wrong = extra if isinstance(extra, bytes) else forms[extra].encode()
    assert wrong != made.extra
    with pytest.raises(EvidenceError, match="not a block"):
        proof.verify(_changed(made, extra=wrong), ledger.ring.pins())


def test_a_payload_no_ledger_writes_is_not_put_into_a_proof(ledger):
    with pytest.raises(EvidenceError, match="UTF-8"):
        proof.extra_of(ledger.heads[0], b"\xff")


def test_a_proof_leads_to_the_checkpoint_kept_elsewhere_or_is_refused(ledger, tmp_path):
    made, pins = ledger.proof(7), ledger.ring.pins()
    assert proof.verify(made, pins, ledger.signed()).seq == 7
    other = Ledger(tmp_path / "other", 21, "thunderlab/other")
    rebuilt = Ledger(tmp_path / "rebuilt", 22)
    rebuilt.ring = ledger.ring
    both = PinnedKeys([*pins, *other.ring.pins()])
    cases = (
        ("does not count: .*not signed by a pinned key", pins, other.signed()),
        ("the checkpoint to compare with about thunderlab/other", both, other.signed()),
        ("has 20: make a proof against that one", pins, ledger.signed(20)),
        ("two checkpoints of 21 blocks with different roots", pins, rebuilt.signed(21)),
    )
    for reason, trusted, anchor in cases:
        with pytest.raises(EvidenceError, match=reason):
            proof.verify(made, trusted, anchor)


def test_another_signature_of_the_same_checkpoint_is_the_same_anchor(ledger, tmp_path):
    """Witnesses may have signed one copy and not the other."""
    witness = KeyRing(tmp_path / "witness", VirtualClock())
    witness.new()
    anchor = checkpoint.cosign(ledger.signed(), "witness/w", witness, 1_700_000_000)
    assert proof.verify(ledger.proof(7), ledger.ring.pins(), anchor) == proof.verify(ledger.proof(7), ledger.ring.pins())


def test_a_header_is_read_back_as_it_was_written():
    found = block.parse_header(block.header(**FIELDS))
    assert {name: getattr(found, name) for name in FIELDS} == FIELDS


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("origin", "two words", "origin"),
        ("origin", "", "origin"),
        ("seq", "07", "seq"),
        ("seq", "-7", "seq"),
        ("seq", str(10**18), "seq"),
        ("prev_hash", "AB" * 32, "prev_hash"),
        ("prev_hash", block.GENESIS_PREV, "zeros in block 0"),
        ("payload_hash", "cd" * 31, "payload_hash"),
        ("id", "018bcfe5-6800-4000-8f3a-5c1d2e3f4a5c", "UUID"),
        ("inserted_at", "2026-01-31T12:00:00Z", "time"),
        ("inserted_at", "2026-02-31T12:00:00.000000Z", "time"),
        ("event_name", "note", "event_name"),
        ("event_version", "1", "event_version"),
        ("event_version", "1.00", "event_version"),
        ("event_version", "1.0.0", "event_version"),
    ],
)
def test_what_no_ledger_writes_is_no_header(field, value, complaint):
    with pytest.raises(EvidenceError, match=complaint):
        block.parse_header(block.header(**FIELDS | {field: value}))


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head[:-1],
        lambda head: head + b"\n",
        lambda head: head + b"x",
        lambda head: b"\n" + head,
        lambda head: head.replace(b"\n", b"\r\n"),
        lambda head: head.replace(b"thunderlab-ledger/1", b"thunderlab-ledger/2"),
        lambda head: head.replace(b"note", "nöte".encode()),
        lambda head: b"",
    ],
)
def test_what_are_not_nine_lines_of_this_format_are_no_header(change):
    with pytest.raises(EvidenceError, match="header"):
        block.parse_header(change(block.header(**FIELDS)))


@settings(max_examples=50)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_header_is_read_from_anything_else(data):
    with pytest.raises(EvidenceError):
        block.parse_header(data)
    with pytest.raises(EvidenceError):
        proof.parse(data)
