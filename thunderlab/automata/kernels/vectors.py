"""What the packed kernels are made of: vectors of bits, adders, and the hash of a line.

A line is a run of vectors that lie one behind the other, with a ghost on either end; a row of a 2D lattice is one, and so is a row of
folded rows in 3D. Importing this module starts the backend. Annotations here are read by Taichi, so they must not be postponed.
"""

# mypy: disable-error-code="valid-type, index, name-defined"

from thunderlab.automata import backend
from thunderlab.automata.kernels.layout import WORDS

ti = backend.start().module

vector = ti.types.vector(WORDS, ti.u64)
Vectors = ti.types.ndarray(dtype=vector, ndim=1)
Words = ti.types.ndarray(dtype=ti.u64, ndim=1)  # the same memory as a `Vectors`, word by word
Numbers = ti.types.ndarray(dtype=ti.i32, ndim=1)
Trace = ti.types.ndarray(dtype=ti.u64, ndim=3)  # [steps shares 2]: population and digest of each share of the work


@ti.func
def add2(a, b):
    """Return sum and carry of two bits."""
    return a ^ b, a & b


@ti.func
def add3(a, b, c):
    """Return sum and carry of three bits, sharing nothing between them: each is then one or two ternary instructions."""
    return a ^ b ^ c, (a & b) | ((a | b) & c)


@ti.func
def add_pairs(a0, a1, b0, b1, c0, c1):
    """Return the four bits of the sum of three numbers of two bits each, together at most 9."""
    bit0, carry1 = add3(a0, b0, c0)
    twos, fours = add3(a1, b1, c1)
    return bit0, twos ^ carry1, fours ^ (twos & carry1), fours & (twos & carry1)


@ti.func
def splat(word):
    """Return a vector of this word over and over."""
    return ti.Vector([word for _ in ti.static(range(WORDS))])


@ti.func
def total(words):
    """Return the sum of a vector's words."""
    result = words[0]
    for i in ti.static(range(1, WORDS)):
        result += words[i]
    return result


@ti.func
def any_of(words):
    """Return the OR of a vector's words."""
    result = words[0]
    for i in ti.static(range(1, WORDS)):
        result = result | words[i]
    return result


@ti.func
def lanes_up(words, shift):
    """Return a vector with lane p moved to lane p + shift and zeros behind; the shift is a power of two."""
    result = words & ti.u64(0)
    if shift < 64:
        carry = words >> (64 - shift)
        result = words << shift
        for i in ti.static(range(1, WORDS)):
            result[i] = result[i] | carry[i - 1]
    else:
        for power in ti.static(range((WORDS - 1).bit_length())):
            if shift == ti.static(64 << power):
                for i in ti.static(range(1 << power, WORDS)):
                    result[i] = words[i - (1 << power)]
    return result


@ti.func
def lanes_down(words, shift):
    """Return a vector with lane p moved to lane p - shift and zeros behind; the shift is a power of two."""
    result = words & ti.u64(0)
    if shift < 64:
        carry = words << (64 - shift)
        result = words >> shift
        for i in ti.static(range(WORDS - 1)):
            result[i] = result[i] | carry[i + 1]
    else:
        for power in ti.static(range((WORDS - 1).bit_length())):
            if shift == ti.static(64 << power):
                for i in ti.static(range(WORDS - (1 << power))):
                    result[i] = words[i + (1 << power)]
    return result


@ti.func
def popcount(words):
    """Return live bits per word (Warren, Hacker's Delight, figure 5-2); the compiler recognises this and vectorises it."""
    pairs = words - ((words >> 1) & ti.u64(0x5555555555555555))
    nibbles = (pairs & ti.u64(0x3333333333333333)) + ((pairs >> 2) & ti.u64(0x3333333333333333))
    bytes_ = (nibbles + (nibbles >> 4)) & ti.u64(0x0F0F0F0F0F0F0F0F)
    return (bytes_ * ti.u64(0x0101010101010101)) >> 56


@ti.func
def product(words):
    """Return low half times high half of each word, the step of NH."""
    return (words & ti.u64(0xFFFFFFFF)) * (words >> 32)


@ti.func
def mix(word: ti.u64) -> ti.u64:
    """Return the word scrambled as `layout.mix` does."""
    z = (word ^ (word >> 30)) * ti.u64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> 27)) * ti.u64(0x94D049BB133111EB)
    return z ^ (z >> 31)


@ti.func
def digest_of(population, sum0, sum1, line):
    """Return what a line adds to the digest, nothing when it is empty: see `layout.fingerprint`."""
    digest = ti.u64(0)
    if population:
        digest = mix(sum0 ^ mix(sum1 + ti.cast(line + 1, ti.u64) * ti.u64(0x9E3779B97F4A7C15)))
    return digest
