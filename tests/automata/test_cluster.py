"""Named lattices: what a runner loses, what others may do meanwhile, and that the cells are always those of an uninterrupted run."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import textwrap
import time

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import thunderlab
from tests.conftest import ROOT
from thunderlab.automata import simulate, soup
from thunderlab.automata.cluster.named import MOST_BITS, MOST_LATTICES, MOST_SAMPLES, pack_state, plan, unpack_state
from thunderlab.automata.cluster.runner import MOST_TURN_STEPS, Runner
from thunderlab.automata.events import EntropySampled, LatticeCreated, LatticeStopped
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.measures.fingerprint import bbox, cells_sha256
from thunderlab.automata.measures.observables import state_entropy
from thunderlab.automata.tables import CA_LATTICES
from thunderlab.clock import VirtualClock
from thunderlab.errors import BusyError, EvidenceError, InputError
from thunderlab.lab import Lab

LIFE = "B3/S23"
START = soup((24, 40), 0.4, seed=11)
BLINKER = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], dtype=np.uint8)


@pytest.fixture
def cluster(lab):
    return lab.automata.cluster


def make_runner(lab, every_s=1.0, name="runner-1"):
    notes = []
    runner = Runner(lab.automata.cluster._services, name=name, every_s=every_s, on_note=notes.append)
    return runner, notes


def told(lab, kind):
    blocks = list(lab.ledger.blocks(name=kind.NAME))[::-1]
    return [msgspec.json.decode(block.payload, type=kind) for block in blocks]


def run_for(lab, runner, clock, seconds, every=0.05):
    for _ in range(round(seconds / every)):
        runner.turn()
        clock.advance(every)


# --- what there is ---------------------------------------------------------------------------------------------------


def test_a_lattice_is_created_running_listed_and_in_the_ledger(lab, cluster):
    made = cluster.create("tank", START, "23/3", "dead", source="a soup", rate=50, until=900)
    assert (made.name, made.status, made.rule, made.boundary, made.shape, made.step) == ("tank", "running", LIFE, "dead", (24, 40), 0)
    assert (made.rate, made.until, made.source) == (50.0, 900, "a soup")
    assert made.population == START.sum() and made.entropy == state_entropy(int(START.sum()), START.size)
    assert cluster.list() == (made,) == (cluster.get("tank"),)
    assert (cluster.cells("tank") == START).all()
    [event] = told(lab, LatticeCreated)
    assert (event.lattice_id, event.name, event.rule, event.boundary, event.shape) == (made.id, "tank", LIFE, "dead", (24, 40))
    assert event.cells_sha256 == cells_sha256(START, moved=False)


def test_lattices_are_listed_in_name_order_and_an_empty_list_is_an_answer(cluster):
    assert cluster.list() == ()
    for name in ("b", "a", "a-1"):
        cluster.create(name, BLINKER, LIFE)
    assert [one.name for one in cluster.list()] == ["a", "a-1", "b"]


def test_three_dimensions(lab, cluster):
    cells = soup((6, 7, 8), 0.3, seed=3)
    cluster.create("cloud", cells, "B5-7/S4-6", paused=True)
    cluster.step("cloud", 4)
    assert (cluster.cells("cloud") == simulate(cells, "B5-7/S4-6", 4)).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, ["name", "hyphens"]),
        ({"name": "Tank"}, ["'Tank'"]),
        ({"name": "-a"}, ["hyphens"]),
        ({"name": "a--b"}, ["hyphens"]),
        ({"name": "a\n"}, ["hyphens"]),
        ({"name": "ä"}, ["hyphens"]),
        ({"name": "a" * 65}, ["64"]),
        ({"name": "a" * 10**6}, ["64"]),
        ({"name": 3}, ["hyphens"]),
        ({"rule": "B9/S1"}, ["rule"]),
        ({"boundary": "ring"}, ["boundary", "torus"]),
        ({"cells": BLINKER.astype(float)}, ["cells", "uint8"]),
        ({"cells": BLINKER + 1}, ["cells"]),
        ({"cells": np.zeros((4096, 4097), np.uint8)}, ["cells", "16777216 bits", "16781312"]),
        ({"rate": 0}, ["rate", "0.001"]),
        ({"rate": float("nan")}, ["rate"]),
        ({"rate": float("inf")}, ["rate"]),
        ({"rate": 10**5000}, ["rate"]),
        ({"rate": True}, ["rate"]),
        ({"until": 0}, ["until"]),
        ({"until": 10**5000}, ["until", "far larger"]),
        ({"until": 1.5}, ["until"]),
        ({"source": "a\nb"}, ["source"]),
        ({"source": "a" * 201}, ["source", "200"]),
    ],
    ids=lambda value: ascii(value)[:30] if isinstance(value, list) else next(iter(value)),
)
def test_what_cannot_be_a_lattice_is_refused_in_one_line_and_leaves_nothing(lab, cluster, changed, words):
    given_ = {"name": "tank", "cells": BLINKER, "rule": LIFE, "boundary": "torus", **changed}
    with pytest.raises(InputError) as refused:
        cluster.create(**given_)
    message = str(refused.value)
    assert [word for word in words if word not in message] == [] and len(message) < 400 and "\n" not in message
    assert cluster.list() == () and told(lab, LatticeCreated) == []


@pytest.mark.parametrize("name", ["a", "0", "a-b", "gosper-gun-2", "a" * 64])
def test_names_that_are_accepted(name):
    assert plan(name, BLINKER, LIFE).name == name


def test_a_name_is_taken_once_and_there_are_at_most_64(lab, cluster):
    cluster.create("l0", BLINKER, LIFE)
    with pytest.raises(InputError, match="already"):
        cluster.create("l0", START, LIFE)
    assert (cluster.cells("l0") == BLINKER).all()
    for number in range(1, MOST_LATTICES):
        cluster.create(f"l{number}", BLINKER, LIFE)
    with pytest.raises(InputError, match="64 lattices"):
        cluster.create("one-more", BLINKER, LIFE)
    assert len(told(lab, LatticeCreated)) == 64


@pytest.mark.parametrize("verb", ["get", "cells", "seen", "pause", "resume", "stop", "remove"])
def test_an_unknown_name_is_refused_naming_those_there_are(cluster, verb):
    with pytest.raises(InputError, match="there is none; make one"):
        getattr(cluster, verb)("nobody")
    cluster.create("tank", BLINKER, LIFE)
    cluster.create("pond", BLINKER, LIFE)
    with pytest.raises(InputError, match="'nobody'; there are: pond, tank"):
        getattr(cluster, verb)("nobody")
    with pytest.raises(InputError, match="hyphens"):
        getattr(cluster, verb)("No Body")


# --- pausing, stepping, stopping ----------------------------------------------------------------------------------------


def test_a_lattice_is_stepped_by_exactly_so_many_steps(lab, cluster):
    cluster.create("tank", START, LIFE, paused=True)
    seen = []
    assert cluster.step("tank", 7).step == 7
    now = cluster.step("tank", 100, on_progress=seen.append)
    assert (now.step, now.status, now.population) == (107, "paused", int(cluster.cells("tank").sum()))
    assert (cluster.cells("tank") == simulate(START, LIFE, 107)).all()
    assert seen[-1] == 100
    assert [sample.step for sample in now.trace] == [0, 7, 107]
    assert cluster.get("tank") == now


def test_only_paused_lattices_are_stepped_and_never_beyond_their_end(lab, cluster):
    cluster.create("tank", START, LIFE, until=10)
    with pytest.raises(InputError, match="is running; pause it first"):
        cluster.step("tank", 1)
    cluster.pause("tank")
    for steps in (0, -1, 10**8 + 1, 10**5000, True, 1.0):
        with pytest.raises(InputError, match="1 to 100000000 steps"):
            cluster.step("tank", steps)
    with pytest.raises(InputError, match="10 steps left"):
        cluster.step("tank", 11)
    assert cluster.step("tank", 10).status == "stopped"
    [event] = told(lab, LatticeStopped)
    assert (event.step, event.reason) == (10, "finished")
    assert event.cells_sha256 == cells_sha256(simulate(START, LIFE, 10), moved=False)
    with pytest.raises(InputError, match="is stopped"):
        cluster.step("tank", 1)


def test_pausing_and_resuming_twice_change_nothing(cluster):
    made = cluster.create("tank", START, LIFE)
    assert cluster.resume("tank") == made
    paused = cluster.pause("tank")
    assert (paused.status, cluster.pause("tank")) == ("paused", paused)
    assert cluster.resume("tank").status == "running"


def test_stopping_is_for_good_and_told_once(lab, cluster):
    made = cluster.create("tank", START, LIFE)
    stopped = cluster.stop("tank")
    assert (stopped.status, stopped.step) == ("stopped", 0) and cluster.stop("tank") == stopped
    for verb in (cluster.pause, cluster.resume):
        with pytest.raises(InputError, match="stopped for good at step 0"):
            verb("tank")
    [event] = told(lab, LatticeStopped)
    assert (event.lattice_id, event.reason, event.population) == (made.id, "asked", made.population)
    assert event.cells_sha256 == cells_sha256(START, moved=False)
    assert (cluster.cells("tank") == START).all()


def test_removing_frees_the_name_and_tells_of_an_end_that_was_not_told(lab, cluster):
    first = cluster.create("tank", START, LIFE)
    with pytest.raises(InputError, match="is running; pause or stop it first"):
        cluster.remove("tank")
    cluster.pause("tank")
    assert cluster.remove("tank").id == first.id
    assert cluster.list() == ()
    second = cluster.create("tank", BLINKER, LIFE)
    cluster.stop("tank")
    cluster.remove("tank")
    assert [(event.lattice_id, event.reason) for event in told(lab, LatticeStopped)] == [(first.id, "removed"), (second.id, "asked")]


# --- the runner ---------------------------------------------------------------------------------------------------------


def test_several_lattices_run_in_turns_each_to_its_end(lab, cluster, clock):
    starts = {"a": (START, 130), "b": (BLINKER, 41), "c": (soup((64, 64), 0.3, seed=2), 77)}
    for name, (cells, until) in starts.items():
        cluster.create(name, cells, LIFE, until=until)
    cluster.create("idle", START, LIFE, paused=True)
    runner, notes = make_runner(lab)
    runner.turn()
    # The first turns are a step each: nobody waits for another to end.
    assert {live.saved.name: live.step for live in runner._live.values()} == {"a": 1, "b": 1, "c": 1}
    run_for(lab, runner, clock, 3)
    for name, (cells, until) in starts.items():
        assert (cluster.get(name).status, cluster.get(name).step) == ("stopped", until)
        assert (cluster.cells(name) == simulate(cells, LIFE, until)).all()
    assert cluster.get("idle").step == 0 and runner.steps == 130 + 41 + 77 and notes == []
    assert sorted((event.name, event.step, event.reason) for event in told(lab, LatticeStopped)) == [
        ("a", 130, "finished"),
        ("b", 41, "finished"),
        ("c", 77, "finished"),
    ]
    assert runner.turn() is False


def test_entropy_is_sampled_once_a_second_of_each_lattice_at_most(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=40)
    cluster.create("b", soup((30, 30), 0.5, seed=5), LIFE, rate=7)
    heard = []
    lab.events.subscribe("ca.entropy.sample", lambda envelope: heard.append((clock.now_us(), envelope.event)))
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 20)
    for name, start in (("a", START), ("b", soup((30, 30), 0.5, seed=5))):
        mine = [(at, event) for at, event in heard if event.scenario == name]
        gaps = [(after - before) / 1e6 for (before, _), (after, _) in zip(mine, mine[1:], strict=False)]
        assert 18 <= len(mine) <= 20 and min(gaps) >= 1.0
        for _, event in mine:
            assert event.entropy == state_entropy(int(simulate(start, LIFE, event.step).sum()), start.size)
    assert len(lab.telemetry.window("ca.entropy.sample", "ubit").samples()) == len(heard)
    assert told(lab, EntropySampled) == []


def test_the_distance_of_samples_is_a_parameter_and_outlives_a_pause(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=40)
    heard = []
    lab.events.subscribe("ca.entropy.sample", lambda envelope: heard.append(clock.now_us()))
    runner, _ = make_runner(lab, every_s=4.0)
    for _ in range(8):
        run_for(lab, runner, clock, 2)
        cluster.pause("a")
        runner.turn()
        clock.advance(0.3)
        runner.turn()
        cluster.resume("a")
    gaps = [(after - before) / 1e6 for before, after in zip(heard, heard[1:], strict=False)]
    assert 3 <= len(heard) <= 5 and min(gaps) >= 4.0


def test_a_rate_is_kept_and_what_could_not_be_run_is_not_owed(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=10)
    cluster.create("slow", START, LIFE, rate=0.5)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 30)
    runner.close()
    assert 295 <= cluster.get("a").step <= 300 and 14 <= cluster.get("slow").step <= 15
    runner, _ = make_runner(lab)
    runner.turn()
    clock.advance(3600)  # the machine slept
    run_for(lab, runner, clock, 10)
    runner.close()
    assert 395 <= cluster.get("a").step <= 415


def test_turns_grow_until_they_fill_their_time(lab, cluster, clock):
    cluster.create("a", START, LIFE)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 1)
    [live] = runner._live.values()
    assert live.turn_steps == MOST_TURN_STEPS  # on this clock a turn takes no time at all
    begun = live.lattice.advance

    def slow(steps):
        clock.advance(steps * 0.01)
        return begun(steps)

    live.lattice.advance = slow
    live.turn_steps = 64
    runner.turn()
    assert live.turn_steps == 10  # a tenth of a second


def test_a_pause_holds_at_once_whatever_the_runner_has_run_since(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=100)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 2.52)
    paused = cluster.pause("a")
    assert 0 < paused.step < runner.steps
    run_for(lab, runner, clock, 2)
    assert cluster.get("a") == paused and runner._live == {}
    assert (cluster.cells("a") == simulate(START, LIFE, paused.step)).all()
    cluster.step("a", 3)
    cluster.resume("a")
    run_for(lab, runner, clock, 2)
    runner.close()
    now = cluster.get("a")
    assert now.step > paused.step + 100
    assert (cluster.cells("a") == simulate(START, LIFE, now.step)).all()


def test_a_lattice_of_the_same_name_is_not_taken_for_the_one_before(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=100)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 0.5)
    cluster.pause("a")
    cluster.remove("a")
    cluster.create("a", BLINKER, LIFE, "dead", rate=100)
    run_for(lab, runner, clock, 1.5)
    runner.close()
    now, cells, _ = cluster.seen("a")
    assert now.shape == (3, 3) and now.step > 0 and (cells == simulate(BLINKER, LIFE, now.step, "dead")).all()


def test_a_save_that_comes_too_late_takes_no_step_back(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=100)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 1.5)
    cluster.pause("a")
    stepped = cluster.step("a", 1000)
    cluster.resume("a")
    runner.close()
    assert cluster.get("a").step == stepped.step
    assert (cluster.cells("a") == simulate(START, LIFE, stepped.step)).all()


def test_a_save_that_comes_too_late_does_not_touch_another_of_that_name(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=100)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, 0.5)
    assert runner.steps > 0 and cluster.get("a").step == 0
    cluster.pause("a")
    cluster.remove("a")
    another = cluster.create("a", BLINKER, LIFE)
    runner.close()
    assert cluster.get("a") == another and (cluster.cells("a") == BLINKER).all()


def test_an_end_is_told_at_once(lab, cluster):
    cluster.create("a", BLINKER, LIFE, until=1)
    runner, _ = make_runner(lab)
    runner.turn()
    assert cluster.get("a").status == "stopped" and len(told(lab, LatticeStopped)) == 1


def test_the_trace_keeps_the_newest_samples(lab, cluster, clock):
    cluster.create("a", START, LIFE, rate=5)
    runner, _ = make_runner(lab)
    run_for(lab, runner, clock, MOST_SAMPLES + 10, every=0.5)
    runner.close()
    trace = cluster.get("a").trace
    steps = [sample.step for sample in trace]
    assert len(trace) == MOST_SAMPLES and steps == sorted(set(steps)) and steps[-1] == cluster.get("a").step and steps[0] > 0


def test_one_that_cannot_be_run_is_paused_and_the_others_run_on(lab, cluster, clock):
    for name in ("a", "b", "c"):
        cluster.create(name, START, LIFE, rate=100)
    with lab.store.write() as connection:
        connection.execute(CA_LATTICES.update().where(CA_LATTICES.c.name == "a").values(state=b"noise"))
        connection.execute(CA_LATTICES.update().where(CA_LATTICES.c.name == "b").values(rule="W110x"))
    runner, notes = make_runner(lab)
    run_for(lab, runner, clock, 2)
    runner.close()
    assert [cluster.get(name).status for name in "abc"] == ["paused", "paused", "running"]
    assert cluster.get("c").step > 100
    assert [note.partition(":")[0] for note in notes] == ["a", "b"] and "packed state" in notes[0] and "rule" in notes[1]
    with pytest.raises(EvidenceError, match="lattice a: the packed state"):
        cluster.cells("a")


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("turns"), st.integers(1, 30)),
        st.tuples(st.just("step"), st.integers(1, 9)),
        st.tuples(st.sampled_from(["pause", "resume", "kill", "leave", "recreate"]), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


@settings(max_examples=25)
@given(operations=OPERATIONS, seed=st.integers(0, 9))
def test_whatever_happens_the_cells_are_those_of_an_uninterrupted_run(operations, seed):
    """Runners come, go and are killed, others pause, step and replace: a row's cells are always the start's after `step` steps."""
    clock, start = VirtualClock(), soup((12, 15), 0.4, seed)
    with tempfile.TemporaryDirectory() as folder, Lab(folder, clock=clock) as lab:
        cluster = lab.automata.cluster
        cluster.create("a", start, LIFE, rate=30)
        runner, _ = make_runner(lab)
        most = 0
        for verb, number in operations:
            match verb:
                case "turns":
                    run_for(lab, runner, clock, number * 0.1, every=0.1)
                case "step":
                    if cluster.get("a").status == "paused":
                        cluster.step("a", number)
                case "pause" | "resume":
                    getattr(cluster, verb)("a")
                case "kill":
                    runner, _ = make_runner(lab, name="another")
                case "leave":
                    runner.close()
                case "recreate":
                    cluster.pause("a")
                    cluster.remove("a")
                    cluster.create("a", start, LIFE, rate=30)
                    most = 0
            now, cells, _ = cluster.seen("a")
            assert now.step >= most, "a step that was acknowledged is never taken back"
            most = now.step
            assert (cells == simulate(start, LIFE, now.step)).all() and now.population == cells.sum()


# --- in a thread --------------------------------------------------------------------------------------------------------


def test_a_notebook_starts_watches_and_stops_lattices(real_lab):
    cluster, heard = real_lab.automata.cluster, []
    real_lab.events.subscribe("ca.entropy.sample", lambda envelope: heard.append(envelope.event))
    cluster.create("short", START, LIFE, until=500)
    cluster.create("long", soup((40, 40), 0.3, seed=4), LIFE)
    assert cluster.runner() is None
    with cluster.running(every_s=0.05) as running:
        assert f"pid {os.getpid()} " in cluster.runner()
        _until(lambda: cluster.get("short").status == "stopped" and cluster.get("long").step > 0)
        cluster.create("later", BLINKER, LIFE, "dead", until=3)
        _until(lambda: cluster.get("later").status == "stopped")
        stopped = cluster.stop("long")
        running.wait(until_idle=True)
    assert cluster.runner() is None and running.notes == type(running.notes)()
    assert cluster.get("long") == stopped
    assert (cluster.cells("long") == simulate(soup((40, 40), 0.3, seed=4), LIFE, stopped.step)).all()
    assert (cluster.cells("short") == simulate(START, LIFE, 500)).all()
    assert (cluster.cells("later") == BLINKER.T).all()
    assert {event.scenario for event in heard} == {"short", "long", "later"} and running.steps >= 500 + stopped.step


def test_leaving_the_block_saves_what_was_run(real_lab):
    cluster = real_lab.automata.cluster
    cluster.create("a", START, LIFE, rate=1000)
    with cluster.running() as running:
        running.wait(0.4)
        _until(lambda: running.steps > 0)
    now, cells, _ = cluster.seen("a")
    assert now.status == "running" and now.step == running.steps
    assert (cells == simulate(START, LIFE, now.step)).all()
    with cluster.running(on_note=pytest.fail) as running:  # it was signed off: nothing to take over
        _until(lambda: running.steps > 0)


def test_a_second_runner_is_refused_by_name(real_lab):
    with (
        real_lab.automata.cluster.running(),
        pytest.raises(BusyError, match=f"cluster.lock: held by pid {os.getpid()} "),
        real_lab.automata.cluster.running(),
    ):
        pass
    with real_lab.automata.cluster.running():
        assert True


def test_what_goes_wrong_in_the_runner_is_raised_and_the_rest_is_saved(real_lab):
    cluster = real_lab.automata.cluster

    def refuse(_envelope):
        raise RuntimeError("a listener broke")

    real_lab.events.subscribe("ca.entropy.sample", refuse)
    cluster.create("a", START, LIFE, rate=1000)
    with pytest.raises(RuntimeError, match="a listener broke"), cluster.running(every_s=0.05) as running:
        running.wait(30)
    now, cells, _ = cluster.seen("a")
    assert now.step > 0 and (cells == simulate(START, LIFE, now.step)).all()
    assert cluster.runner() is None


@pytest.mark.parametrize("every", [0, -1, float("nan"), 1e9, True, "1"])
def test_samples_have_a_sensible_distance(real_lab, every):
    with pytest.raises(InputError, match="0.05 to 3600 seconds"):
        real_lab.automata.cluster.running(every_s=every)


def test_a_runner_that_nobody_stopped_ends_with_its_program_and_saves(tmp_path):
    program = f"""
        import time, numpy as np, thunderlab
        lab = thunderlab.open({str(tmp_path / "workspace")!r})
        lab.automata.cluster.create("a", np.eye(9, dtype=np.uint8), {LIFE!r}, rate=500)
        running = lab.automata.cluster.running(every_s=3600)
        running.start()
        while running.steps == 0:
            time.sleep(0.01)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=True, cwd=ROOT, timeout=120)
    with thunderlab.open(tmp_path / "workspace") as lab:
        now, cells, _ = lab.automata.cluster.seen("a")
        assert now.step > 0 and (cells == simulate(np.eye(9, dtype=np.uint8), LIFE, now.step)).all()
        assert _signed(lab) == [None]


# --- many processes -----------------------------------------------------------------------------------------------------


def _create(path, barrier, outcomes, number):
    with thunderlab.open(path) as lab:
        barrier.wait(60)
        try:
            lab.automata.cluster.create("tank", soup((9, 9), 0.5, seed=number), LIFE, paused=True)
            outcomes.put(("created", number))
        except InputError as error:
            outcomes.put((str(error), number))


def _step(path, barrier, rounds, steps):
    with thunderlab.open(path) as lab:
        barrier.wait(60)
        for _ in range(rounds):
            lab.automata.cluster.step("tank", steps)


def _at_once(target, *arguments):
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(2)
    workers = [spawn.Process(target=target, args=(arguments[0], barrier, *rest)) for rest in arguments[1:]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_of_two_processes_that_create_one_name_one_wins(tmp_path):
    outcomes = multiprocessing.get_context("spawn").Queue()
    _at_once(_create, tmp_path / "workspace", (outcomes, 0), (outcomes, 1))
    found = dict([outcomes.get(timeout=10), outcomes.get(timeout=10)])
    winner = found.pop("created")
    assert all("already" in text for text in found)
    with thunderlab.open(tmp_path / "workspace") as lab:
        assert (lab.automata.cluster.cells("tank") == soup((9, 9), 0.5, seed=winner)).all()
        assert len(told(lab, LatticeCreated)) == 1


def test_no_step_of_two_processes_is_lost(tmp_path):
    with thunderlab.open(tmp_path / "workspace") as lab:
        lab.automata.cluster.create("tank", START, LIFE, paused=True)
        _at_once(_step, tmp_path / "workspace", (20, 3), (20, 5))
        assert lab.automata.cluster.get("tank").step == 20 * (3 + 5)
        assert (lab.automata.cluster.cells("tank") == simulate(START, LIFE, 160)).all()


def test_a_killed_runner_loses_only_what_it_had_not_saved_and_the_next_says_so(tmp_path):
    with thunderlab.open(tmp_path / "workspace") as lab:
        cluster = lab.automata.cluster
        cluster.create("tank", START, LIFE, rate=1500, until=4500)
        runner = subprocess.Popen(
            [sys.executable, "-m", "thunderlab", "automata", "cluster", "run", "--workspace", str(tmp_path / "workspace")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip
        try:
            _until(lambda: cluster.get("tank").step > 0)
            assert f"pid {runner.pid} " in cluster.runner()
        finally:
            runner.kill()
            runner.communicate()
        _until(lambda: cluster.runner() is None)
        left, cells, _ = cluster.seen("tank")
        assert (left.status, 0 < left.step < 4500) == ("running", True)
        assert (cells == simulate(START, LIFE, left.step)).all()
        with cluster.running() as running:
            running.wait(until_idle=True)
        [note] = running.notes
        assert note.startswith(f"tank: taken up at step {left.step}, ") and f"pid {runner.pid} " in note
        assert running.steps == 4500 - left.step
        assert (cluster.cells("tank") == simulate(START, LIFE, 4500)).all()
        assert [event.cells_sha256 for event in told(lab, LatticeStopped)] == [cells_sha256(simulate(START, LIFE, 4500), moved=False)]


GLIDER = np.array([[0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=np.uint8)


def _where(lab, name="ship"):
    """Where the live cells of a lattice are: the box around them, and the digest of them where they lie."""
    found, cells, origin = lab.automata.cluster.seen(name)
    return found.step, bbox(cells, origin), cells_sha256(cells, origin=origin)


def test_on_a_plane_a_lattice_keeps_its_place_when_the_workspace_is_closed_and_opened(tmp_path):
    """A glider is a quarter as many cells away as there are steps, whoever runs them and however often it was put aside."""
    start = np.zeros((9, 7), np.uint8)
    start[4:7, 2:5] = GLIDER
    with thunderlab.open(tmp_path / "workspace") as lab:
        lab.automata.cluster.create("ship", start, LIFE, "plane", until=4000, paused=True)
        assert _where(lab)[:2] == (0, [[4, 6], [2, 4]])
        [created] = told(lab, LatticeCreated)
        assert created.cells_sha256 == cells_sha256(start, moved=False)
        lab.automata.cluster.step("ship", 100)
        assert _where(lab)[:2] == (100, [[29, 31], [27, 29]])
    with thunderlab.open(tmp_path / "workspace") as lab:
        lab.automata.cluster.step("ship", 300)
        assert _where(lab)[:2] == (400, [[104, 106], [102, 104]])
        lab.automata.cluster.resume("ship")
        with lab.automata.cluster.running() as running:
            running.wait(until_idle=True)
        assert _where(lab)[:2] == (4000, [[1004, 1006], [1002, 1004]])
        far = np.zeros((1007, 1005), np.uint8)
        far[1004:, 1002:] = GLIDER
        assert [event.cells_sha256 for event in told(lab, LatticeStopped)] == [cells_sha256(far, moved=False)] == [_where(lab)[2]]


def test_on_a_plane_a_killed_runner_s_lattice_goes_on_where_it_was(tmp_path):
    with thunderlab.open(tmp_path / "workspace") as lab:
        cluster = lab.automata.cluster
        cluster.create("ship", GLIDER[::-1, ::-1].copy(), LIFE, "plane", rate=1500, until=4000)
        runner = subprocess.Popen(
            [sys.executable, "-m", "thunderlab", "automata", "cluster", "run", "--workspace", str(tmp_path / "workspace")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        try:
            _until(lambda: cluster.get("ship").step > 100)
        finally:
            runner.kill()
            runner.communicate()
        _until(lambda: cluster.runner() is None)
        found, cells, origin = cluster.seen("ship")
        plain = Lattice(GLIDER[::-1, ::-1].copy(), LIFE, "plane")
        plain.run(found.step)
        assert 0 < found.step < 4000 and origin == plain.origin and (cells == plain.cells()).all()
        with cluster.running() as running:
            running.wait(until_idle=True)
        assert _where(lab)[:2] == (4000, [[-1000, -998], [-1000, -998]])


def test_on_a_plane_a_lattice_that_dies_lies_nowhere_and_one_saved_without_a_place_counts_from_its_first_cell(lab, cluster):
    cluster.create("pair", np.pad(np.ones((1, 2), np.uint8), 5), LIFE, "plane", paused=True)
    cluster.step("pair", 1)
    assert _where(lab, "pair")[:2] == (1, None) and cluster.seen("pair")[2] == (0, 0)
    fields = msgspec.msgpack.decode(pack_state(BLINKER, 2, (3, -4)))
    assert unpack_state(msgspec.msgpack.encode(fields))[1] == (3, -4)
    assert unpack_state(msgspec.msgpack.encode(fields[:3]))[1] == (0, 0)


def _until(reached, patience_s=60):
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


def _signed(lab):
    with lab.store.read() as connection:
        return list(connection.execute(sa.select(CA_LATTICES.c.runner)).scalars())


# --- the bytes of a state -------------------------------------------------------------------------------------------------


@given(
    states=st.integers(2, 256),
    shape=st.lists(st.integers(1, 9), min_size=2, max_size=3).map(tuple),
    data=st.data(),
)
def test_states_are_read_back_as_they_were_packed(states, shape, data):
    cells = data.draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, states - 1)))
    packed = pack_state(cells, states)
    read, origin = unpack_state(packed)
    assert origin == (0,) * len(shape)
    assert read.dtype == np.uint8 and read.shape == shape and (read == cells).all()
    cut = data.draw(st.integers(0, len(packed) - 1))
    with pytest.raises(EvidenceError):
        unpack_state(packed[:cut])


@pytest.mark.parametrize(
    "damage",
    [
        lambda fields: [fields[0], 0, fields[2]],
        lambda fields: [fields[0], 9, fields[2]],
        lambda fields: [[3], 1, fields[2]],
        lambda fields: [[], 1, fields[2]],
        lambda fields: [[3, 0], 1, fields[2]],
        lambda fields: [[3, 6], 1, fields[2]],
        lambda fields: [[2**40, 2**20], 1, fields[2]],
        lambda fields: [fields[0], 1, fields[2] + b"x"],
        lambda fields: [fields[0], 1, b""],
        lambda fields: [*fields[:3], [0]],
        lambda fields: [*fields[:3], [0, 0, 0]],
        lambda fields: [*fields[:3], "text"],
        lambda fields: "text",
    ],
)
def test_other_bytes_are_refused(damage):
    fields = msgspec.msgpack.decode(pack_state(np.eye(3, dtype=np.uint8), 2))
    with pytest.raises(EvidenceError):
        unpack_state(msgspec.msgpack.encode(damage(fields)))


def test_a_state_of_many_states_may_have_fewer_cells():
    cells = np.zeros((MOST_BITS // 8192, 4096), dtype=np.uint8)
    assert len(pack_state(cells, 4)) < 10_000
    with pytest.raises(InputError, match=r"of 3 would have 25165824"):
        pack_state(cells, 5)
