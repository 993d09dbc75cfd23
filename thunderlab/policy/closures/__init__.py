"""Policies for single requests: the first compiler, to Python functions."""
