"""JAX on the CPU, in bytes and in 64-bit words, and CAX, which is built on it."""

from __future__ import annotations

import inspect
from importlib import metadata

import numpy as np

from tests.benchmarks._engines import Absent, Engine, only_known, sum_rule


class Bytes(Engine):
    """Rolls of whole arrays, fused by XLA; the loop over steps is compiled, too. A batch is one array, as `vmap` would make it."""

    def prepare(self):
        import jax
        from jax import numpy as jnp

        only_known(self.rule, self.three_d)

        def step(_, state):
            total = state
            for axis in self.axes:
                total = total + jnp.roll(total, 1, axis) + jnp.roll(total, -1, axis)
            return sum_rule(total, state, self.three_d).astype(jnp.uint8)

        self.steps = jax.jit(lambda state, steps: jax.lax.fori_loop(0, steps, step, state))
        self.device = jax.numpy.asarray

    def restart(self):
        self.state = self.device(self.start).block_until_ready()

    def advance(self, steps):
        self.state = self.steps(self.state, steps).block_until_ready()

    def cells(self):
        return np.asarray(self.state)

    def about(self):
        return f"JAX {metadata.version('jax')}"


class PackedWords(Bytes):
    def prepare(self):
        import jax
        from jax import numpy as jnp

        if self.rule != "B3/S23" or self.three_d:
            raise Absent("written for Life alone")
        if self.start.shape[-1] % 64:
            raise Absent("takes widths that are multiples of 64")
        jax.config.update("jax_enable_x64", True)
        one, end = np.uint64(1), np.uint64(63)

        def add(a, b, c):
            half = a ^ b
            return half ^ c, (a & b) | (half & c)

        def step(_, cells):
            up, down = jnp.roll(cells, 1, -2), jnp.roll(cells, -1, -2)
            sums, carries = add(up, cells, down)
            left, right = (lambda a: (a << one) | (jnp.roll(a, 1, -1) >> end)), (lambda a: (a >> one) | (jnp.roll(a, -1, -1) << end))
            ones, carry = add(left(sums), up ^ down, right(sums))
            twos, fours = add(left(carries), up & down, right(carries))
            return (twos ^ carry) & ~(fours | (twos & carry)) & (ones | cells)

        self.steps = jax.jit(lambda state, steps: jax.lax.fori_loop(0, steps, step, state))
        self.device = jnp.asarray
        self.packed = np.packbits(self.start, axis=-1, bitorder="little").view(np.uint64)

    def restart(self):
        self.state = self.device(self.packed).block_until_ready()

    def cells(self):
        return np.unpackbits(np.asarray(self.state).view(np.uint8), axis=-1, bitorder="little")


class Cax(Bytes):
    """CAX's own Life, called as its documentation does."""

    def prepare(self):
        from cax.cs.life import Life
        from jax import numpy as jnp

        if self.batch or self.three_d:
            raise Absent("its Life takes one lattice in two dimensions")
        options = {}
        if "rngs" in inspect.signature(Life.__init__).parameters:  # until 0.3
            from flax import nnx

            options["rngs"] = nnx.Rngs(0)
        birth, survival = Life.birth_survival_from_string(self.rule)
        self.system = Life(birth=birth, survival=survival, **options)
        self.device = lambda cells: jnp.asarray(cells, dtype=jnp.float32)[..., None]

    def advance(self, steps):
        self.state = self.system(self.state, num_steps=steps).block_until_ready()

    def cells(self):
        return np.asarray(self.state)[..., 0].astype(np.uint8)

    def about(self):
        return f"CAX {metadata.version('cax')}, JAX {metadata.version('jax')}"
