"""The policies of a set over the rows of one environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from thunderlab.policy.columns.compiler import Compiler, Environment
from thunderlab.policy.columns.nodes import BOOL, Cells, Known, Opaque
from thunderlab.policy.columns.outcomes import Outcomes, Rows
from thunderlab.policy.columns.reading import CONTEXT, Reading
from thunderlab.policy.columns.shared import Shared
from thunderlab.policy.columns.tables import Tables
from thunderlab.policy.language.tree import Policy
from thunderlab.policy.language.types import Vocabulary
from thunderlab.policy.requests.request import Request

Closures = Callable[[int, Iterable[Request]], Iterable[bool | None]]
"""Given a policy's place and requests, whether it applies to each; None when it has no value."""

BLOCK_ROWS = 1 << 17


class Part:
    """The policies of a set, compiled for one environment.

    Args:
        policies: in the order of their text.
        shared: their expressions.
        environment: what the rows have in common; one that the schema allows.
        dtype: of the frame's context; None when it has none.
        tables: the entities.
        vocabulary: the schema.

    Attributes:
        inexpressible: by their places, policies that columns cannot express here, and why.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        shared: Shared,
        environment: Environment,
        dtype: pl.DataType | None,
        tables: Tables,
        vocabulary: Vocabulary,
    ) -> None:
        self.inexpressible: dict[int, str] = {}
        self._entities = tables.entities
        self._reading = Reading(environment, dtype, vocabulary)
        compiler = Compiler(shared, self._reading.variables, tables, vocabulary)
        self._sheet = compiler.sheet
        self._satisfied: list[int] = []
        self._failed: list[int] = []
        self._bits: list[tuple[int, bool]] = []
        self._exprs: list[pl.Expr] = []
        for at in range(len(policies)):
            self._add(at, compiler)

    def _add(self, at: int, compiler: Compiler) -> None:
        node = compiler.policy(at)
        if isinstance(node, Opaque):
            self.inexpressible[at] = node.why
        elif isinstance(node, Known) and type(node.value) is bool:
            if node.value:
                self._satisfied.append(at)
        elif isinstance(node, Cells) and node.type == BOOL:
            node = self._sheet.keep(node) if node.errs else node
            self._bits.append((at, False))
            self._exprs.append(node.expr.fill_null(value=False) if node.errs else node.expr)
            if node.errs:
                self._bits.append((at, True))
                self._exprs.append(node.expr.is_null())
        else:
            self._failed.append(at)

    def run(self, frame: pl.DataFrame, rows: Rows, outcomes: Outcomes, closures: Closures) -> None:
        """Evaluate the policies over some rows of a frame."""
        frame = frame.select("principal_id", "resource_id", *([CONTEXT] if CONTEXT in frame.columns else []))
        for start in range(0, len(rows), BLOCK_ROWS):
            places = rows[start : start + BLOCK_ROWS]
            self._block(frame[start : start + len(places)] if len(rows) == frame.height else frame[places], places, outcomes, closures)

    def _block(self, block: pl.DataFrame, places: Rows, outcomes: Outcomes, closures: Closures) -> None:
        faults = block.select(fault.expr.alias(str(at)) for at, fault in enumerate(self._reading.faults))
        read = block.select(self._reading.columns)
        wrong = [at for at, any_ in enumerate(faults.select(pl.all().any()).row(0)) if any_]
        if wrong:
            fine = np.ones(len(places), dtype=bool)
            for at in reversed(wrong):
                where = _booleans(faults[str(at)].fill_null(value=False), len(places))
                outcomes.refuse(places[where], self._reading.faults[at].what)
                fine &= ~where
            read, places = read.filter(pl.Series(fine)), places[fine]
        if not len(places):
            return
        bits = self._evaluated(read)
        policies = list(self._bits)
        for at in self.inexpressible:
            answers = list(closures(at, self._reading.requests(read, self._entities)))
            policies += [(at, False), (at, True)]
            bits += [np.array([answer is True for answer in answers]), np.array([answer is None for answer in answers])]
        outcomes.put(places, self._satisfied, self._failed, policies, bits)

    def _evaluated(self, read: pl.DataFrame) -> list[npt.NDArray[np.bool_]]:
        if not self._exprs:
            return []
        filled = self._sheet.fill(read)
        # A column of the frame beside them, so that what is the same in every row is as long as the others.
        made = filled.select("principal", *(expr.alias(str(at)) for at, expr in enumerate(self._exprs)))
        return [_booleans(made[str(at)], read.height) for at in range(len(self._exprs))]


def _booleans(series: pl.Series, rows: int) -> npt.NDArray[np.bool_]:
    found = series.to_numpy()
    return np.broadcast_to(found, (rows,)) if len(found) == 1 else found
