"""How far a state can be compressed, by a parse that gives the same answer on every machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import numpy as np

from thunderlab import seeds
from thunderlab.automata.cells import Cells
from thunderlab.automata.measures.observables import DECIMALS
from thunderlab.errors import InputError

_CHUNK = 1 << 20


def compressibility(cells: Cells, states: int = 2) -> float:
    """Return how compressible a state is: 1 for one that is the same all over, about 0 for a random one.

    It is (random - phrases) / (random - constant), held within 0..1. `phrases` are those of `phrase_count` when the cells are read
    row by row, `random` those of as many cells that take every state equally often, drawn once from a fixed stream, and `constant`
    those of as many equal cells. A compressor's length would differ between its versions; a count of phrases does not.

    Reading is along the last axis, so what repeats along it counts for more than what repeats across. Unequal shares of the states
    alone make a state compressible: compare with a soup of the same density to see what its pattern adds. A cell takes about
    0.2 microseconds, and as much again for a size not asked for before.

    Args:
        cells: uint8 `[y x]` or `[z y x]`, 0..states-1.
        states: 2..256.

    Raises:
        InputError: a number is out of its range.

    >>> compressibility(np.zeros((64, 64), np.uint8)), compressibility(np.eye(64, dtype=np.uint8)) > 0.8
    (1.0, True)
    """
    if not 2 <= states <= 256:
        raise InputError(f"cells have 2 to 256 states, not {states}", field="states")
    if cells.size and (most := int(cells.max())) >= states:
        raise InputError(f"expected states 0 to {states - 1}, found {most}", field="cells")
    phrases, random, constant = phrase_count(cells.tobytes()), _random_phrases(cells.size, states), _constant_phrases(cells.size)
    if random <= constant:
        return 1.0 if phrases <= constant else 0.0  # so few cells that there is nothing to compare
    return round(float(min(max(Fraction(random - phrases, random - constant), Fraction(0)), Fraction(1))), DECIMALS)


def phrase_count(symbols: Iterable[int]) -> int:
    """Return into how many phrases Ziv and Lempel's incremental parse cuts a sequence.

    Each phrase is the shortest that did not occur as one before, so it is an earlier one and a symbol more; the last may be an earlier
    one ("Compression of individual sequences via variable-rate coding", 1978).

    Args:
        symbols: numbers from 0 to 255, bytes for example.

    >>> phrase_count([1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 0])  # 1 0 11 01 010 00 10
    7
    """
    # Phrases are numbered in steps of 256, so that a phrase and the symbol after it make one key.
    longer: dict[int, int] = {}
    known, phrase = 0, 0
    for symbol in symbols:
        key = phrase | symbol
        phrase = longer.get(key, 0)
        if not phrase:
            known += 256
            longer[key] = known
    return known // 256 + (phrase != 0)


def _constant_phrases(length: int) -> int:
    """Return the phrases of `length` equal symbols: the least c with 1 + 2 + ... + c >= length."""
    return (math.isqrt(8 * length - 7) + 1) // 2 if length else 0


@lru_cache(maxsize=64)
def _random_phrases(length: int, states: int) -> int:
    return phrase_count(chain.from_iterable(_random_symbols(length, states)))


def _random_symbols(length: int, states: int) -> Iterator[bytes]:
    """Yield equally likely symbols: the upper half of each raw word of a fixed stream, scaled down in integers."""
    source = seeds.stream(0, "compressibility").bit_generator
    for start in range(0, length, _CHUNK):
        words = source.random_raw(min(_CHUNK, length - start)) >> np.uint64(32)
        yield (words * np.uint64(states) >> np.uint64(32)).astype(np.uint8).tobytes()
