"""Policies over a table of requests: the second compiler, to Polars. Only this folder imports it."""

from thunderlab.policy.columns.evaluate import Columns, fail_closed
from thunderlab.policy.columns.part import Closures

__all__ = ["Closures", "Columns", "fail_closed"]
