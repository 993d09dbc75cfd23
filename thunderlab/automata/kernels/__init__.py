"""Kernels: one file per family, each bit-identical to `reference`."""
