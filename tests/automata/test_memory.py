"""What a lattice takes in memory is known before it is made, for every family, and is what it then takes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from thunderlab.automata import ensemble as ensembles
from thunderlab.automata import memory
from thunderlab.automata.ensemble import Ensemble, simulate_many
from thunderlab.automata.lattice import Lattice
from thunderlab.automata.memory import needed_bytes, packed_bytes
from thunderlab.automata.rules import parse_rule
from thunderlab.errors import InputError

BUGS = "R5,C0,M1,S34..58,B34..45,NM"
FADING = "R10,C4,M0,S122..211,B123..170,NC"
GIB = 2**30


@pytest.mark.parametrize(
    ("shape", "states"), [((1000, 1, 1), 2), ((7, 300, 5), 256), ((1, 1, 70_000), 3), ((1, 70_000, 1), 2), ((900, 3), 2)]
)
def test_what_bits_take(shape, states):
    rule = parse_rule(f"4/5/{states}" + ("/M" if len(shape) == 3 else ""), dimensions=len(shape))
    taken = Lattice(np.zeros(shape, dtype=np.uint8), rule)._engine
    taken = getattr(taken, "_engine", taken)._grid.nbytes
    assert taken < 1.01 * packed_bytes(shape, states)
    assert len(shape) == 2 or packed_bytes(shape, states) < 1.01 * taken


@pytest.mark.parametrize("boundary", ["torus", "dead"])
@pytest.mark.parametrize("seeds", [1, 6])
@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (BUGS, (700, 650)),
        (BUGS, (3, 90_000)),
        (FADING, (500, 700)),
        ("R50,C0,M1,S3000..5000,B3000..4000,NM", (200, 200)),
        ("Lenia", (512, 540)),
        ("Lenia", (521, 509)),
        ("Lenia R100,T10,m0.15,s0.015", (300, 70)),
    ],
)  # fmt: skip
def test_what_numbers_take_at_the_most_while_they_are_made_and_stepped(rule, shape, seeds, boundary):
    """As Python's own account of memory has it, in which NumPy enters its arrays."""
    simulate_many(np.zeros((1, 2, 2), np.uint8), rule, 1, boundary)  # compiled and imported
    cells = np.zeros((seeds, *shape), np.uint8)
    cells[..., ::3] = 1
    tracemalloc.start()
    Ensemble(cells, rule, boundary).advance(3)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    said = needed_bytes(shape, parse_rule(rule, dimensions=2), boundary, seeds) + cells.size
    assert 0.75 * said < most < 1.25 * said


@pytest.mark.parametrize(
    ("rule", "shape", "seeds", "gib"),
    [
        ("Lenia", (1024, 1024), 300, 300 * 21 / 1024),
        ("Lenia", (64, 64), 100_000, 100_000 * 4096 * 21 / GIB),
        (FADING, (2048, 2048), 150, None),
        (BUGS, (1, 1), 1_000_000, None),
    ],
)
def test_many_lattices_of_numbers_are_refused_before_one_is_made(rule, shape, seeds, gib, monkeypatch):
    """All of them have far fewer cells than there may be, and their bits would fit."""
    monkeypatch.setattr(ensembles, "make_engine", lambda *_: pytest.fail("a lattice was made"))
    cells = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (seeds, *shape))
    assert cells.size < memory.MOST_CELLS
    for make in (Ensemble, lambda cells, rule: simulate_many(cells, rule, 0)):
        with pytest.raises(InputError, match=r"^cells: .* at most 4 GiB; these \d+ cells under .* would need \d+\.\d GiB$") as caught:
            make(cells, rule)
        said = float(str(caught.value).split()[-2])
        assert said > 4 and (gib is None or said == pytest.approx(gib, rel=0.02))


def test_a_lattice_of_numbers_is_bounded_like_one_of_bits():
    whole = parse_rule("R50,C256,M1,S,B0..0,NM", dimensions=2)
    with pytest.raises(InputError, match=r"^cells: .* 1073741824 cells under R50,C256.* would need 13\.\d GiB"):
        memory.check_size((32768, 32768), whole, "torus")
    memory.check_size((32768, 32768), parse_rule(BUGS, dimensions=2), "torus")
    memory.check_size((8192, 8192), parse_rule("Lenia", dimensions=2), "torus")
    with pytest.raises(InputError, match=r"^cells: .* would need \d+\.\d GiB"):
        memory.check_size((16384, 16384), parse_rule("Lenia", dimensions=2), "dead")


def test_a_lattice_of_bits_too_big_says_what_it_would_need():
    big = np.broadcast_to(np.zeros((1, 1), dtype=np.uint8), (2**16, 2**15))
    assert big.size == 2 * memory.MOST_CELLS
    with pytest.raises(InputError, match=r"^cells: a lattice has at most 1073741824 cells.* these 2147483648 cells .* would need 2\.5 GiB"):
        Lattice(big, "B3/S23")
    narrow = np.broadcast_to(np.zeros((1, 1), dtype=np.uint8), (2**25 + 1, 1))  # odd, so that rows cannot share lines
    with pytest.raises(InputError, match=r"at most 4 GiB; these 33554433 cells under B3/S23 would need 12\.0 GiB"):
        Lattice(narrow, "B3/S23")


def test_many_planes_of_few_cells_are_refused_before_memory_is_taken():
    """Of nine vectors a plane of one cell has but one that is no ghost."""
    deep = np.broadcast_to(np.zeros((1, 1, 1), dtype=np.uint8), (2**24, 1, 1))
    with pytest.raises(InputError, match=r"^cells: .* at most 4 GiB; these 16777216 cells under B5/S4-5 would need \d+\.\d GiB"):
        Lattice(deep, "B5/S4-5")
