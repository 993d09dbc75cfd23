"""The parse against one written with strings, and the reference against the published growth of its phrases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thunderlab import seeds
from thunderlab.automata.measures.compressibility import _constant_phrases, _random_phrases, compressibility, phrase_count
from thunderlab.errors import InputError


def parse(text):
    """Return the phrases of a string, by looking each candidate up among all phrases so far."""
    phrases, phrase = [], ""
    for letter in text:
        phrase += letter
        if phrase not in phrases:
            phrases.append(phrase)
            phrase = ""
    return phrases + [phrase] * bool(phrase)


@given(st.binary(max_size=200))
def test_phrases_are_those_of_a_parse_of_strings(data):
    assert phrase_count(data) == len(parse(data.decode("latin-1")))
    assert phrase_count(byte & 1 for byte in data) == len(parse("".join(str(byte & 1) for byte in data)))


def test_phrases_of_a_textbook_example():
    # Cover and Thomas, Elements of Information Theory, section 13.4: 1,0,11,01,010,00,10
    assert phrase_count(map(int, "1011010100010")) == 7


@given(st.integers(0, 3000))
def test_equal_symbols_make_phrases_of_length_one_two_three(length):
    assert _constant_phrases(length) == phrase_count(bytes(length))


@pytest.mark.parametrize(("length", "states"), [(1 << 16, 2), (1 << 20, 2), (1 << 18, 3), (1 << 20, 16)])
def test_random_symbols_make_as_many_phrases_as_published(length, states):
    """Path length of a digital search tree of m keys: m (log_V m + 1/2 + (gamma - 1) / ln V - sum 1 / (V^k - 1)).

    Flajolet and Sedgewick, "Digital search trees revisited" (1986), for V = 2; Louchard and Szpankowski (1995) tie it to this parse.
    """
    alpha = math.fsum(1 / (states**k - 1) for k in range(1, 60))
    offset = 0.5 + (0.5772156649015329 - 1) / math.log(states) - alpha

    def symbols(phrases):
        return phrases * (math.log(phrases, states) + offset)

    low, high = 2.0, float(length)
    while high - low > 0.1:
        middle = (low + high) / 2
        low, high = (middle, high) if symbols(middle) < length else (low, middle)
    assert _random_phrases(length, states) == pytest.approx(low, rel=0.005)


def test_constant_is_one_noise_is_zero_and_pattern_is_between():
    noise = np.random.default_rng(1).integers(0, 2, (128, 128), dtype=np.uint8)
    assert compressibility(np.ones((128, 128), np.uint8)) == 1.0
    assert compressibility(noise) == pytest.approx(0, abs=0.01)
    assert compressibility(np.tile(noise[:4, :4], (32, 32))) > 0.6
    sparse = (np.random.default_rng(2).random((128, 128)) < 0.05).astype(np.uint8)
    assert compressibility(sparse) == pytest.approx(1 - 0.2864, abs=0.1)  # the entropy of one cell, roughly
    assert compressibility(np.random.default_rng(1).integers(0, 8, (128, 128), dtype=np.uint8), states=8) == pytest.approx(0, abs=0.01)
    assert compressibility(noise, states=8) > 0.5  # two of eight states


def test_the_value_is_the_same_everywhere():
    """Whole numbers that another machine, NumPy or Python has to find again."""
    y, x = np.indices((64, 64))
    cells = ((y * y + x * x) % 3 % 2).astype(np.uint8)
    phrases = len(parse("".join(map(str, cells.ravel()))))
    bits = seeds.stream(0, "compressibility").bit_generator.random_raw(4096) >> np.uint64(63)
    random = len(parse("".join(map(str, bits))))
    assert (phrase_count(cells.tobytes()), _random_phrases(4096, 2), _constant_phrases(4096)) == (phrases, random, 91) == (238, 553, 91)
    assert compressibility(cells) == compressibility(np.asfortranarray(cells)) == round((553 - 238) / (553 - 91), 12)


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_hardly_any_cells(size):
    assert compressibility(np.zeros((1, size), np.uint8)) == 1.0


def test_states_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="found 2"):
        compressibility(np.full((2, 2), 2, np.uint8))
    for states in (1, 257):
        with pytest.raises(InputError, match="2 to 256 states"):
            compressibility(np.zeros((2, 2), np.uint8), states)
