"""Benchmarks: one file per claim, rivals side by side and interleaved. `make bench` prints the table; nothing here is a test."""
