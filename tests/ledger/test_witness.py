"""A witness signs what extends what it has seen, and nothing else, whatever happens in between."""

import hashlib
import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thunderlab.clock import VirtualClock
from thunderlab.errors import EnvironmentBlockedError, EvidenceError, InputError
from thunderlab.keys import KeyRing, PinnedKeys
from thunderlab.ledger import checkpoint
from thunderlab.ledger.checkpoint import Checkpoint
from thunderlab.ledger.merkle import EMPTY_ROOT, Frontier, consistency_proof
from thunderlab.ledger.witness import Seen, Witness


def _leaves(count, version=0, common=0):
    """Leaf hashes; two versions agree in the first `common` ones."""
    return [hashlib.sha256(b"%d/%d" % (number, 0 if number < common else version)).digest() for number in range(count)]


def _root(leaves):
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


class Log:
    """A ledger's side: keys, and checkpoints over whatever leaves it claims to have."""

    def __init__(self, folder, origin="thunderlab/x"):
        self.ring = KeyRing(folder, VirtualClock())
        if self.ring.active() is None:
            self.ring.new()
        self.origin = origin

    def signed(self, leaves):
        return checkpoint.sign(Checkpoint(origin=self.origin, size=len(leaves), root=_root(leaves)), self.ring)

    def shown_to(self, witness, leaves):
        return witness.cosign(self.signed(leaves), self.ring.pins(), lambda size: consistency_proof(leaves, size))


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "keys")


@pytest.fixture
def witness(tmp_path):
    return Witness(tmp_path / "witness", VirtualClock())


def test_a_growing_ledger_is_cosigned_at_every_size(log, witness, tmp_path):
    for size in (1, 2, 3, 3, 7, 8, 20, 33):
        signed = log.shown_to(witness, _leaves(size))
        assert checkpoint.verify_cosignature(signed, witness.name(), witness.ring.pins()) == (witness.ring.active(), 1_700_000_000)
        assert checkpoint.verify(signed, log.ring.pins()) == log.ring.active()
    assert witness.name() == f"witness/{witness.ring.active().id}"
    assert Witness(tmp_path / "witness", VirtualClock()).seen() == {"thunderlab/x": Seen(size=33, root=_root(_leaves(33)))}
    assert stat.S_IMODE((tmp_path / "witness" / "seen.json").stat().st_mode) == 0o600


def test_whoever_pins_the_exported_key_can_check_the_cosignature(log, witness, tmp_path):
    signed = log.shown_to(witness, _leaves(5))
    witness.ring.export(tmp_path / "witness.json")
    pins = PinnedKeys.read(tmp_path / "witness.json")
    assert checkpoint.verify_cosignature(signed, f"witness/{pins[0].id}", pins)[0] == pins[0]


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(0, 40), st.integers(0, 40))
def test_only_what_extends_what_was_seen_is_cosigned(tmp_path_factory, before, after, common):
    folder = tmp_path_factory.mktemp("witness")
    log, witness = Log(folder.parent / "one-log"), Witness(folder / "w", VirtualClock())
    log.shown_to(witness, _leaves(before))
    shown = _leaves(after, version=1, common=common)
    if after >= before and shown[:before] == _leaves(before):
        log.shown_to(witness, shown)
        assert witness.seen()[log.origin].size == after
        return
    with pytest.raises(EvidenceError, match="cut off" if after < before else "its history is another"):
        log.shown_to(witness, shown)
    assert witness.seen()[log.origin] == Seen(size=before, root=_root(_leaves(before)))
    log.shown_to(witness, _leaves(before + 1))


def test_no_made_up_proof_helps_a_rewritten_ledger(log, witness):
    honest, forged = _leaves(6), _leaves(9, version=1)
    log.shown_to(witness, honest)
    root = [bytes.fromhex(_root(leaves)) for leaves in (honest, forged)]
    for proof in ([], root, root[::-1], root[:1], root[1:], consistency_proof(forged, 6), consistency_proof(_leaves(9), 6)):
        with pytest.raises(EvidenceError, match="another"):
            witness.cosign(log.signed(forged), log.ring.pins(), lambda _, proof=proof: proof)


def test_the_proof_is_asked_for_from_the_size_that_was_seen(log, witness):
    log.shown_to(witness, _leaves(5))
    asked = []
    witness.cosign(log.signed(_leaves(8)), log.ring.pins(), lambda size: asked.append(size) or consistency_proof(_leaves(8), size))
    witness.cosign(log.signed(_leaves(8)), log.ring.pins(), lambda size: asked.append(size) or [])
    assert asked == [5]


def test_ledgers_are_remembered_each_for_itself(log, witness, tmp_path):
    other = Log(tmp_path / "other-keys", "thunderlab/y")
    log.shown_to(witness, _leaves(9))
    other.shown_to(witness, _leaves(2, version=1))
    assert {origin: seen.size for origin, seen in witness.seen().items()} == {"thunderlab/x": 9, "thunderlab/y": 2}
    with pytest.raises(EvidenceError, match="cut off"):
        log.shown_to(witness, _leaves(3))


def test_a_checkpoint_its_ledger_did_not_sign_is_not_remembered(log, witness, tmp_path):
    stranger = Log(tmp_path / "strange-keys")
    with pytest.raises(EvidenceError, match="not signed by a pinned key"):
        witness.cosign(stranger.signed(_leaves(100)), log.ring.pins(), lambda _: [])
    assert witness.seen() == {}
    assert witness.ring.active() is None


def test_what_was_seen_is_durable_before_it_is_signed(log, witness, monkeypatch):
    log.shown_to(witness, _leaves(3))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "cosign", die)
        with pytest.raises(KeyboardInterrupt):
            log.shown_to(witness, _leaves(7))
    assert witness.seen()["thunderlab/x"].size == 7
    with pytest.raises(EvidenceError, match="another"):
        log.shown_to(witness, _leaves(7, version=1, common=3))


def test_what_cannot_be_remembered_is_not_signed(log, witness, monkeypatch):
    log.shown_to(witness, _leaves(3))
    signed = []
    monkeypatch.setattr(checkpoint, "cosign", lambda *given: signed.append(given))
    monkeypatch.setattr(
        "thunderlab.files.write_whole", lambda path, *_, **__: (_ for _ in ()).throw(EnvironmentBlockedError("full", where=path))
    )
    with pytest.raises(EnvironmentBlockedError, match="full"):
        log.shown_to(witness, _leaves(7))
    assert signed == []


ONE = json.dumps({"size": 1, "root": EMPTY_ROOT})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        '{"thunderlab/x": {"size": 1}}',
        json.dumps({"thunderlab/x": {"size": -1, "root": EMPTY_ROOT}}),
        json.dumps({"thunderlab/x": {"size": 1, "root": EMPTY_ROOT[:-1]}}),
        json.dumps({"thunderlab/x": {"size": 1, "root": EMPTY_ROOT[:-2]}}),
        json.dumps({"thunderlab/x": {"size": 1, "root": EMPTY_ROOT.upper()}}),
        f'{{"thunderlab/x": {ONE}, "thunderlab/x": {ONE}}}',
    ],
)
def test_a_witness_whose_memory_cannot_be_read_signs_nothing(log, witness, tmp_path, text):
    log.shown_to(witness, _leaves(3))
    (tmp_path / "witness" / "seen.json").write_text(text)
    with pytest.raises(InputError, match=r"seen\.json"):
        log.shown_to(witness, _leaves(4))
    assert (tmp_path / "witness" / "seen.json").read_text() == text


def test_a_witness_without_a_key_has_no_name(witness):
    with pytest.raises(InputError, match="no key yet"):
        witness.name()


def test_of_two_histories_shown_at_once_one_is_signed(log, witness, tmp_path):
    """Reading, checking and remembering happen behind one lock: the second is held against what the first left."""
    log.shown_to(witness, _leaves(4))
    first, second = _leaves(9, 1, 4), _leaves(9, 2, 4)
    asked, answered = threading.Event(), threading.Event()

    def slowly(size):
        asked.set()
        # Long enough for the other one to be done, if nothing keeps it.
        answered.wait(0.5)
        return consistency_proof(first, size)

    def show_second():
        asked.wait()
        try:
            log.shown_to(Witness(tmp_path / "witness", VirtualClock()), second)
        except EvidenceError as error:
            return str(error)
        finally:
            answered.set()

    with ThreadPoolExecutor() as pool:
        told = pool.submit(show_second)
        witness.cosign(log.signed(first), log.ring.pins(), slowly)
        assert "its history is another" in told.result()
    assert witness.seen()["thunderlab/x"].root == _root(first)
