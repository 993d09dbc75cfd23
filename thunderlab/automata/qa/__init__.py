"""Suites of scenarios, judged by published facts and by what was agreed, recorded and replayed."""
