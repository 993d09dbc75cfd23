"""Verdicts on record: what was decided, on what it rests, and what would be decided otherwise."""
