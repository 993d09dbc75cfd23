"""Policies over a table of requests: the second compiler, to Polars. Only this folder imports it."""

from thunderlab.policy.columns.evaluate import Closures, Columns, fail_closed

__all__ = ["Closures", "Columns", "fail_closed"]
