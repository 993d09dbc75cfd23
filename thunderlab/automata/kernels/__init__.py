"""Kernels: one file per family, each bit-identical to `reference`, but for `lenia`, which equals plain sums within a declared tolerance."""
