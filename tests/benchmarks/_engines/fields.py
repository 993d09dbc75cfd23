"""Taichi as its tutorials write a cellular automaton: a byte a cell, neighbours by index, one launch a step."""

from __future__ import annotations

import numpy as np

from tests.benchmarks._engines import Absent, Engine, only_known


class Naive(Engine):
    def prepare(self):
        import taichi as ti

        only_known(self.rule, self.three_d)
        if self.batch:
            raise Absent("written for one lattice")
        ti.init(arch=ti.cpu, cpu_max_num_threads=1, offline_cache=False, log_level=ti.ERROR)
        self.version = ".".join(map(str, ti.__version__))
        here, there = (ti.field(ti.u8, shape=self.start.shape) for _ in range(2))
        kernel = clouds if self.three_d else life
        self.turns = [(here, kernel(ti, here, there)), (there, kernel(ti, there, here))]

    def restart(self):
        self.steps = 0
        self.turns[0][0].from_numpy(self.start)

    def advance(self, steps):
        for _ in range(steps):
            self.turns[self.steps % 2][1]()
            self.steps += 1

    def cells(self):
        return self.turns[self.steps % 2][0].to_numpy().astype(np.uint8)

    def about(self):
        return f"Taichi {self.version}"


def life(ti, here, there):
    height, width = here.shape

    @ti.kernel
    def step():
        for y, x in here:
            count = 0
            for dy, dx in ti.static(ti.ndrange((-1, 2), (-1, 2))):
                if ti.static(dy != 0 or dx != 0):
                    count += here[(y + dy + height) % height, (x + dx + width) % width]
            alive = 0
            if count == 3 or (count == 2 and here[y, x] == 1):
                alive = 1
            there[y, x] = ti.cast(alive, ti.u8)

    return step


def clouds(ti, here, there):
    depth, height, width = here.shape

    @ti.kernel
    def step():
        for z, y, x in here:
            count = 0
            for dz, dy, dx in ti.static(ti.ndrange((-1, 2), (-1, 2), (-1, 2))):
                if ti.static(dz != 0 or dy != 0 or dx != 0):
                    count += here[(z + dz + depth) % depth, (y + dy + height) % height, (x + dx + width) % width]
            alive = 0
            born = (count >= 13 and count <= 14) or (count >= 17 and count <= 19)
            if born or (count >= 13 and here[z, y, x] == 1):
                alive = 1
            there[z, y, x] = ti.cast(alive, ti.u8)

    return step
