"""numba: Life and clouds in 64-bit words and in bytes, each as its compiler vectorises it best."""

from __future__ import annotations

import functools

import numpy as np

from tests.benchmarks._engines import Absent, Engine, only_known


class PackedWords(Engine):
    """64-bit words: row by row with the ends peeled in 2D, along y in 3D, so that the inner loop vectorises."""

    def prepare(self):
        import numba

        only_known(self.rule, self.three_d)
        if self.start.shape[-1] % 64 or self.start.shape[-1] < 128:
            raise Absent("takes widths that are multiples of 64, from 128")
        self.version = numba.__version__
        self.step = words_3d(numba) if self.three_d else words_2d(numba)
        packed = np.packbits(self.start, axis=-1, bitorder="little").view(np.uint64)
        self.packed = np.ascontiguousarray(packed.transpose(0, 2, 1)) if self.three_d else packed

    def restart(self):
        self.here, self.there = self.packed.copy(), np.empty_like(self.packed)

    def advance(self, steps):
        # Lattices of a batch one after the other: each fits into the cache.
        for here, there in zip(self.here, self.there, strict=True) if self.batch else ((self.here, self.there),):
            self.step(here, there, steps)
        if steps % 2:
            self.here, self.there = self.there, self.here

    def cells(self):
        words = np.ascontiguousarray(self.here.transpose(0, 2, 1)) if self.three_d else self.here
        return np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")

    def about(self):
        return f"numba {self.version}"


class Bytes(Engine):
    """A byte a cell: column sums into a row of scratch, then three of them and the rule."""

    def prepare(self):
        import numba

        only_known(self.rule, self.three_d)
        self.version = numba.__version__
        self.step = bytes_3d(numba) if self.three_d else bytes_2d(numba)

    def restart(self):
        self.state, self.there = self.start.copy(), np.empty_like(self.start)

    def advance(self, steps):
        for here, there in zip(self.state, self.there, strict=True) if self.batch else ((self.state, self.there),):
            self.step(here, there, steps)
        if steps % 2:
            self.state, self.there = self.there, self.state

    def about(self):
        return f"numba {self.version}"


@functools.cache
def adders(numba):
    @numba.njit(inline="always")
    def add(a, b, c):
        half = a ^ b
        return half ^ c, (a & b) | (half & c)

    return add


@functools.cache
def words_2d(numba):
    add = adders(numba)

    @numba.njit(inline="always")
    def word(up, row, down, left, x, right):
        one, end = np.uint64(1), np.uint64(63)
        m0, m1 = add(up[x], row[x], down[x])
        l0, l1 = add(up[left], row[left], down[left])
        r0, r1 = add(up[right], row[right], down[right])
        b0, carry = add((m0 << one) | (l0 >> end), up[x] ^ down[x], (m0 >> one) | (r0 << end))
        twos, fours = add((m1 << one) | (l1 >> end), up[x] & down[x], (m1 >> one) | (r1 << end))
        return (twos ^ carry) & ~(fours | (twos & carry)) & (b0 | row[x])

    @numba.njit
    def advance(source, target, steps):
        height, words = source.shape
        for _ in range(steps):
            for y in range(height):
                up, row, down = source[y - 1 if y else height - 1], source[y], source[y + 1 if y + 1 < height else 0]
                out = target[y]
                out[0] = word(up, row, down, words - 1, 0, 1)
                for x in range(1, words - 1):
                    out[x] = word(up, row, down, x - 1, x, x + 1)
                out[words - 1] = word(up, row, down, words - 2, words - 1, 0)
            source, target = target, source

    return advance


@functools.cache
def words_3d(numba):
    """Clouds in words `[z word y]`: inner loops run along y, which is long, so that neighbouring words stand in neighbouring lanes.

    Three planes make a number of two bits, three rows of those one of four bits, three columns of those the sum of 27.
    """
    add = adders(numba)

    @numba.njit(inline="always")
    def across(left, here, right):
        one, end = np.uint64(1), np.uint64(63)
        return add((here << one) | (left >> end), here, (here >> one) | (right << end))

    @numba.njit
    def planes(under, plane, over, ones, twos):
        height = len(plane)
        for y in range(height):
            ones[y + 1], twos[y + 1] = add(under[y], plane[y], over[y])
        ones[0], ones[height + 1] = ones[height], ones[1]
        twos[0], twos[height + 1] = twos[height], twos[1]

    @numba.njit
    def rows(ones, twos, s0, s1, s2, s3):
        for y in range(len(s0)):
            s0[y], carry = add(ones[y], ones[y + 1], ones[y + 2])
            both, fours = add(twos[y], twos[y + 1], twos[y + 2])
            s1[y] = both ^ carry
            carry = both & carry
            s2[y] = fours ^ carry
            s3[y] = fours & carry

    @numba.njit
    def columns(left, here, right, cells, out):
        for y in range(len(cells)):
            s0, c1 = across(left[0, y], here[0, y], right[0, y])
            t1, c2 = across(left[1, y], here[1, y], right[1, y])
            t2, c3 = across(left[2, y], here[2, y], right[2, y])
            t3, c4 = across(left[3, y], here[3, y], right[3, y])
            s1, k2 = t1 ^ c1, t1 & c1
            s2, k3 = add(t2, c2, k2)
            s3, k4 = add(t3, c3, k3)
            s4 = c4 ^ k4  # at most 27, so no 32
            high = s3 & s2 & ~s4
            born = (high & (s1 ^ s0)) | (s4 & ~s3 & ~s2 & (s1 | s0))  # 13, 14; 17, 18, 19
            out[y] = (cells[y] & (s4 | (high & s1))) | (~cells[y] & born)  # 14 and more, the cell among them

    @numba.njit
    def advance(source, target, steps):
        depth, words, height = source.shape
        ones, twos = np.empty(height + 2, dtype=np.uint64), np.empty(height + 2, dtype=np.uint64)
        sums = np.empty((words, 4, height), dtype=np.uint64)
        for _ in range(steps):
            for z in range(depth):
                under, plane, over = source[z - 1 if z else depth - 1], source[z], source[z + 1 if z + 1 < depth else 0]
                for w in range(words):
                    planes(under[w], plane[w], over[w], ones, twos)
                    rows(ones, twos, sums[w, 0], sums[w, 1], sums[w, 2], sums[w, 3])
                for w in range(words):
                    columns(sums[w - 1 if w else words - 1], sums[w], sums[w + 1 if w + 1 < words else 0], plane[w], target[z, w])
            source, target = target, source

    return advance


@functools.cache
def bytes_2d(numba):
    byte = np.uint8

    @numba.njit(inline="always")
    def life(total, cell):
        return byte((total == byte(3)) | ((total == byte(4)) & (cell == byte(1))))

    @numba.njit
    def advance(source, target, steps):
        height, width = source.shape
        sums = np.empty(width, dtype=byte)
        for _ in range(steps):
            for y in range(height):
                up, row, down = source[y - 1 if y else height - 1], source[y], source[y + 1 if y + 1 < height else 0]
                out = target[y]
                for x in range(width):
                    sums[x] = byte(up[x] + row[x] + down[x])
                out[0] = life(byte(sums[width - 1] + sums[0] + sums[1]), row[0])
                for x in range(1, width - 1):
                    out[x] = life(byte(sums[x - 1] + sums[x] + sums[x + 1]), row[x])
                out[width - 1] = life(byte(sums[width - 2] + sums[width - 1] + sums[0]), row[width - 1])
            source, target = target, source

    return advance


@functools.cache
def bytes_3d(numba):
    byte = np.uint8

    @numba.njit(inline="always")
    def clouds(total, cell):
        born = (total == byte(13)) | (total == byte(14)) | ((total >= byte(17)) & (total <= byte(19)))
        return byte(((cell == byte(0)) & born) | ((cell == byte(1)) & (total >= byte(14))))

    @numba.njit
    def advance(source, target, steps):
        depth, height, width = source.shape
        sums = np.empty(width, dtype=byte)
        for _ in range(steps):
            for z in range(depth):
                under, over = z - 1 if z else depth - 1, z + 1 if z + 1 < depth else 0
                for y in range(height):
                    up, down = y - 1 if y else height - 1, y + 1 if y + 1 < height else 0
                    a, b, c = source[under, up], source[under, y], source[under, down]
                    d, row, e = source[z, up], source[z, y], source[z, down]
                    f, g, h = source[over, up], source[over, y], source[over, down]
                    out = target[z, y]
                    for x in range(width):
                        sums[x] = byte(a[x] + b[x] + c[x] + d[x] + row[x] + e[x] + f[x] + g[x] + h[x])
                    out[0] = clouds(byte(sums[width - 1] + sums[0] + sums[1]), row[0])
                    for x in range(1, width - 1):
                        out[x] = clouds(byte(sums[x - 1] + sums[x] + sums[x + 1]), row[x])
                    out[width - 1] = clouds(byte(sums[width - 2] + sums[width - 1] + sums[0]), row[width - 1])
            source, target = target, source

    return advance
