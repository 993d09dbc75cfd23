"""Claim: a durable append costs at most 1.5 bare fdatasyncs; 50,000 blocks per CPU-second in batches; a full audit with Merkle runs at 0.30 of
the two hashes a block that any audit needs; 1,000 new blocks are audited in 50 ms; eight writers share the store fairly.

Appends and bare syncs take turns one by one, in the same folder, so that a slow disk is slow for both. The floor of the audit is two
calls of hashlib.sha256 a block, over that ledger's own headers and payloads, in memory, in the same process, in turns with the audit.

    python -m tests.benchmarks ledger
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks._race import row, span
from tests.ledger.little import LittleLab
from thunderlab.ledger import EVENTS_CHAIN, Auditor, NoteRecorded
from thunderlab.ledger.block import header

FRAME_BYTES = 4096 + 24  # of SQLite's write-ahead log, see https://www.sqlite.org/fileformat2.html#walformat
TEXT = "x" * 100
HEADER_BYTES = 293  # of a note's block, with the byte before it
WRITERS = 8
CONTEXT = multiprocessing.get_context("spawn")


def run(quick=False):
    """Return a row per claim."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = [*_single(place / "single", 20 if quick else 1000), *_batched(place / "long", 3 if quick else 200)]
        rows += [*_full(place / "middle", quick), *_memory(place, quick), *_incremental(place / "long", 3 if quick else 15)]
        rows += _writers(place / "shared", 0.3 if quick else 5.0)
    return rows


def _single(folder, rounds):
    """Append, then write and sync as many bytes to a plain file, and so on."""
    with LittleLab(folder) as lab, (folder / "plain").open("wb", buffering=0) as plain:
        for _ in range(5):
            lab.note(TEXT)
        before = _frames(folder)
        for _ in range(20):
            lab.note(TEXT)
        data = os.urandom(round((_frames(folder) - before) * FRAME_BYTES / 20))
        ours, theirs = [], []
        for _ in range(rounds):
            started = time.perf_counter()
            lab.note(TEXT)
            between = time.perf_counter()
            plain.write(data)
            os.fdatasync(plain.fileno())
            ours.append((between - started) * 1e6)
            theirs.append((time.perf_counter() - between) * 1e6)
    value, rival = statistics.median(ours), statistics.median(theirs)
    note = f"p50 of {rounds}, {len(data)} bytes each; p95 {_p95(ours):.0f} against {_p95(theirs):.0f}; load {os.getloadavg()[0]:.1f}"
    yield row("durable append of one block", "a bare fdatasync", value, rival, "us wall", note, at_most=1.5)


def _frames(folder):
    """Return how many frames of a store's write-ahead log are valid: those that bear the header's salts."""
    log = (folder / "lab.db-wal").read_bytes()
    return sum(log[place + 8 : place + 16] == log[16:24] for place in range(32, len(log), FRAME_BYTES))


def _p95(values):
    return sorted(values)[len(values) * 95 // 100]


def _batched(folder, rounds):
    """Append a batch, then do nothing but hash as many blocks, and so on: how fast the processor is changes from second to second."""
    with LittleLab(folder) as lab:
        speeds, bare, wall = [], [], 0.0
        for turn in range(rounds):
            notes = [NoteRecorded(text=TEXT, value=turn) for _ in range(1000)]
            started, clock = time.process_time(), time.perf_counter()
            told = lab.events.emit(*notes)
            speeds.append(1000 / (time.process_time() - started))
            wall += time.perf_counter() - clock
            head, payload = bytes(HEADER_BYTES), told[0].payload
            started = time.process_time()
            for _ in range(1000):
                hashlib.sha256(head).digest()
                hashlib.sha256(payload).digest()
            bare.append(1000 / (time.process_time() - started))
    note = f"median of {rounds} batches of 1,000, {span(speeds)}; {rounds * 1000 / wall:.0f} blocks per second of wall time, durable"
    value, rival = statistics.median(speeds), statistics.median(bare)
    yield row("appends in batches", "bound", value, 50_000, "blocks per CPU-second", note, at_least=1)
    note = "medians; the bound is 50,000 where two SHA-256 a block run at 300,000"
    ratio = statistics.median(mine / hashing for mine, hashing in zip(speeds, bare, strict=True))
    yield row("appends in batches", "two SHA-256 a block", ratio * rival, rival, "blocks per CPU-second", note, at_least=1 / 6)


def _full(folder, quick):
    """Audit everything, then do nothing but hash, and so on; many short turns, since how fast the processor is changes within seconds."""
    rounds = 3 if quick else 25
    for _ in _batched(folder, 2 if quick else 50):
        pass
    with LittleLab(folder) as lab:
        blocks = [(_header(lab.ledger.origin, block), block.payload) for block in lab.ledger.blocks()]
        ours, floor = [], []
        for _ in range(rounds):
            started = time.process_time()
            found = _audit(lab)
            between = time.process_time()
            for head, payload in blocks:
                hashlib.sha256(head).digest()
                hashlib.sha256(payload).digest()
            ours.append(len(blocks) / (between - started))
            floor.append(len(blocks) / (time.process_time() - between))
        assert found.ok and found.blocks == len(blocks)
    ratios = [mine / bare for mine, bare in zip(ours, floor, strict=True)]
    value = statistics.median(ours)
    note = f"{len(blocks)} blocks, medians of {rounds}; ratios {span(ratios)}, load {os.getloadavg()[0]:.1f}"
    rival = value / statistics.median(ratios)
    yield row("full audit with Merkle root", "two SHA-256 a block", value, rival, "blocks per CPU-second", note, at_least=0.30)


def _header(origin, block):
    fields = ("seq", "prev_hash", "payload_hash", "id", "inserted_at", "event_name", "event_version")
    return b"\0" + header(origin=origin, **{field: getattr(block, field) for field in fields})


def _audit(lab):
    with lab.store.read() as connection:
        return Auditor(lab.events.catalogue, kind=EVENTS_CHAIN).run(connection)


def _memory(place, quick):
    """Hold the most memory that a process takes for an audit of a long ledger against one for a tenth of it."""
    rounds = 3 if quick else 20
    for _ in _batched(place / "short", rounds):
        pass
    sizes = []
    for folder in (place / "long", place / "short"):
        with CONTEXT.Pool(1) as pool:
            sizes.append(pool.apply(_peak, (folder,)))
    note = "most memory of a process that audits, ten times the blocks against once"
    yield row("memory of a full audit", "a tenth of the blocks", *sizes, "MiB", note, at_most=1.1)


def _peak(folder):
    with LittleLab(folder) as lab:
        assert _audit(lab).ok
    # Not `getrusage`, whose figure a process inherits from the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _incremental(folder, rounds):
    with LittleLab(folder) as lab:
        times = []
        for _ in range(rounds):
            lab.custody.sign()
            lab.notes(1000)
            started = time.perf_counter()
            found = lab.custody.audit(full=False)
            times.append((time.perf_counter() - started) * 1000)
            assert found.ok and found.first > 0 and found.blocks >= 1000
    note = f"median of {rounds}, {span(times)}, behind {found.first} blocks; load {os.getloadavg()[0]:.1f}"
    yield row("audit of 1,000 new blocks", "bound", statistics.median(times), 50, "ms wall", note, at_most=1)


def _writers(folder, seconds):
    with LittleLab(folder) as lab:
        lab.note()
    start, said = CONTEXT.Barrier(WRITERS + 1), CONTEXT.Queue()
    workers = [CONTEXT.Process(target=_write, args=(folder, seconds, start, said)) for _ in range(WRITERS)]
    for worker in workers:
        worker.start()
    start.wait()
    longest = _longest_sync(folder, seconds)
    waits = [said.get() for _ in workers]
    for worker in workers:
        worker.join()
    counts = [len(one) for one in waits]
    every = [wait for one in waits for wait in one]
    with LittleLab(folder) as lab:
        found = _audit(lab)
        forks = (not found.ok) + abs(found.blocks - 2 - len(every))
    who = f"{WRITERS} writers, {seconds:g} s"
    note = f"{sum(counts) / seconds:.0f} durable appends per second, load {os.getloadavg()[0]:.1f}"
    yield row(f"{who}: most rows", "fewest rows", max(counts), min(counts), "rows", note, at_most=2)
    note = f"p95 {_p95(every) * 1000:.1f} ms; the longest bare fdatasync of a few bytes meanwhile took {longest * 1000:.0f} ms"
    yield row(f"{who}: longest append", "median append", max(every) * 1000, statistics.median(every) * 1000, "ms wall", note, at_most=10)
    yield row(f"{who}: forks, gaps and rows lost", "bound", forks, 1, "blocks", f"{found.blocks} blocks audited", at_most=0)


def _longest_sync(folder, seconds):
    """Sync a file of its own some times a second, and return the longest that took: how far the disk itself is from steady."""
    longest, until = 0.0, time.perf_counter() + seconds
    with (folder / "beside").open("wb", buffering=0) as beside:
        while (now := time.perf_counter()) < until:
            beside.write(b"!" * 100)
            os.fdatasync(beside.fileno())
            longest = max(longest, time.perf_counter() - now)
            time.sleep(0.05)
    return longest


def _write(folder, seconds, start, said):
    waits = []
    with LittleLab(folder) as lab:
        start.wait()
        now = began = time.perf_counter()
        while now < began + seconds:
            lab.note(TEXT)
            waits.append(time.perf_counter() - now)
            now = time.perf_counter()
    said.put(waits)
