"""`&&`, `||`, `!` and `if` in columns: what is not evaluated cannot be an error.

Polars' `&` and `|` follow Kleene: `null & false` is false. In Cedar an error on the left stays one, and an error on the right matters only where the right is
evaluated. So with *l* and *r* for the sides, `l && r` is `l & r` if *l* cannot be null, and else `l & (r | l.is_null())`: null where *l* is, whatever *r* is.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from thunderlab.policy.columns.lists import list_of
from thunderlab.policy.columns.nodes import (
    BOOL,
    Cells,
    Fields,
    Items,
    Known,
    Never,
    Node,
    Opaque,
    Sheet,
    cells_of,
    derived,
    fields_of,
    spread,
    type_of,
)
from thunderlab.policy.language.types import Type
from thunderlab.policy.language.values import equal


def all_of(terms: Sequence[Node], sheet: Sheet) -> Node:
    """Return `a && b && ...`."""
    return _chain(terms, sheet, stop=False)


def any_of(terms: Sequence[Node], sheet: Sheet) -> Node:
    """Return `a || b || ...`."""
    return _chain(terms, sheet, stop=True)


def opposite(node: Node) -> Node:
    """Return `!a`."""
    if isinstance(node, Known):
        return Known(not node.value)
    if isinstance(node, Cells) and node.type == BOOL:
        return derived(BOOL, ~node.expr, node)
    return node if isinstance(node, Opaque) else Never()


def choice(test: Node, yes: Node, no: Node, sheet: Sheet) -> Node:
    """Return `if test then yes else no`."""
    if isinstance(test, Known) and type(test.value) is bool:
        return yes if test.value else no
    if not (isinstance(test, Cells) and test.type == BOOL):
        return test if isinstance(test, Opaque) else Never()
    for branch in (yes, no):
        if isinstance(branch, Opaque):
            return branch
    if isinstance(yes, Never) and isinstance(no, Never):
        return Never()
    if isinstance(yes, Known) and isinstance(no, Known) and equal(yes.value, no.value) and not test.errs:
        return yes
    return _merged(sheet.keep(test), yes, no, sheet)


def _chain(terms: Sequence[Node], sheet: Sheet, *, stop: bool) -> Node:
    """Combine terms until one that decides for sure; `stop` is the value that ends the evaluation."""
    taken: list[Cells] = []
    for term in terms:
        if isinstance(term, Known) and type(term.value) is bool:
            if term.value is not stop:
                continue
            if not taken:
                return term
            taken.append(Cells(BOOL, pl.lit(stop), errs=False))
            break
        if isinstance(term, Opaque):
            return term
        if isinstance(term, Cells) and term.type == BOOL:
            taken.append(term)
            continue
        if not taken:
            return Never()
        taken.append(Cells(BOOL, pl.lit(None, dtype=pl.Boolean), errs=True))
        break
    return _halved(taken, sheet, stop=stop) if taken else Known(not stop)


def _halved(terms: Sequence[Cells], sheet: Sheet, *, stop: bool) -> Cells:
    """Combine terms in halves, so that a thousand of them are ten deep."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    left, right = _halved(terms[:half], sheet, stop=stop), _halved(terms[half:], sheet, stop=stop)
    if not left.errs:
        return derived(BOOL, left.expr | right.expr if stop else left.expr & right.expr, left, right)
    left = sheet.keep(left)
    if stop:
        return derived(BOOL, left.expr | (right.expr & left.expr.is_not_null()), left, right)
    return derived(BOOL, left.expr & (right.expr | left.expr.is_null()), left, right)


def _merged(test: Cells, yes: Node, no: Node, sheet: Sheet) -> Node:
    """Return what a column of booleans chooses of two nodes."""
    if any(fields_of(branch) for branch in (yes, no)):
        return _merged_fields(test, yes, no, sheet)
    type_ = _common(yes, no)
    if type_ is None:
        return Opaque("an if of two types")
    yes_cells, no_cells = _branch(yes, type_), _branch(no, type_)
    if yes_cells is None or no_cells is None:
        return Opaque("an if of two types")
    chosen = pl.when(test.expr).then(spread(yes_cells))
    expr = chosen.when(test.expr.is_not_null()).then(spread(no_cells)) if test.errs else chosen.otherwise(spread(no_cells))
    return derived(type_, expr, test, yes_cells, no_cells)


def _common(yes: Node, no: Node) -> Type | None:
    """Return the type of the branch that has one."""
    found: list[Type | None] = [branch.type for branch in (yes, no) if isinstance(branch, Cells)]
    found += [made.type for branch in (yes, no) if isinstance(branch, Items) and (made := list_of(branch))]
    found += [type_of(branch.value) for branch in (yes, no) if isinstance(branch, Known)]
    return next((type_ for type_ in found if type_ is not None), None)


def _branch(node: Node, type_: Type) -> Cells | None:
    one = list_of(node) if isinstance(node, Items) else node
    return None if one is None else cells_of(one, type_)


def _merged_fields(test: Cells, yes: Node, no: Node, sheet: Sheet) -> Node:
    sides = [
        fields_of(branch) or (Fields(frozenset(), lambda _: (Never(), Never())) if isinstance(branch, Never) else None)
        for branch in (yes, no)
    ]
    if sides[0] is None or sides[1] is None:
        return Opaque("an if of two types")
    first, second = sides[0], sides[1]

    def get(name: str) -> tuple[Node, Node]:
        (there, value), (also, other) = first.get(name), second.get(name)
        return choice(test, there, also, sheet), choice(test, value, other, sheet)

    oks = [Never() if isinstance(branch, Never) else side.ok or Known(True) for branch, side in ((yes, first), (no, second))]
    ok = all_of([any_of([test, Known(True)], sheet), choice(test, oks[0], oks[1], sheet)], sheet)
    return Fields(first.names | second.names, get, ok if isinstance(ok, Cells) and ok.errs else None)
