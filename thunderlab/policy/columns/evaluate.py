"""The door of the bulk compiler: a table of requests in, a table of decisions out, in the order of its rows.

Rows are parted by environment, and each part is computed in blocks, so that what is computed on the way stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from thunderlab.errors import InputError
from thunderlab.policy.closures.program import Program
from thunderlab.policy.columns.compiler import Environment
from thunderlab.policy.columns.layout import Unfit, examine, is_text, natural
from thunderlab.policy.columns.outcomes import Outcomes, Rows
from thunderlab.policy.columns.part import Closures, Part
from thunderlab.policy.columns.reading import CONTEXT
from thunderlab.policy.columns.shared import Shared
from thunderlab.policy.columns.tables import Tables
from thunderlab.policy.language.tree import Policy
from thunderlab.policy.language.types import Vocabulary
from thunderlab.policy.language.values import Record, Uid
from thunderlab.policy.requests.entities import Entities

_KEYS = ("principal_type", "action_type", "action_id", "resource_type")
_TEXTS = ("principal_type", "principal_id", "action_type", "action_id", "resource_type", "resource_id")


class Columns:
    """A policy set compiled to columns.

    Args:
        policies: in the order of their text.
        vocabulary: the schema; without one no column has a type.

    Attributes:
        fallbacks: of each policy that some rows were held against one by one, why.
    """

    def __init__(self, policies: Sequence[Policy], vocabulary: Vocabulary) -> None:
        self._policies = policies
        self._vocabulary = vocabulary
        self._shared = Shared(policies)
        self._program: Program | None = None
        self.fallbacks: dict[str, str] = {}

    def evaluate(self, frame: pl.DataFrame, entities: Entities | None = None, *, closures: Closures | None = None) -> pl.DataFrame:
        """Return what Cedar says of each row.

        Args:
            frame: `principal_type`, `principal_id`, `action_type`, `action_id`, `resource_type`, `resource_id`: String, Categorical or Enum; `context`:
                Struct, in which null means absent. `layout` has the dtypes of its fields. `context` may be missing when no action needs one.
            entities: what is known of the world, as the schema has it.
            closures: what evaluates a policy that columns cannot express; the first compiler when not given.

        Returns:
            In the rows' order: `decision` (`allow`, `deny`, null for a request that the schema does not allow), `reasons` and `errors` (ids of policies in
            the order of their text; empty for such a request), `request_errors` (what is wrong with such a request, else null).

        Raises:
            InputError: when a column is missing or its dtype is not what the schema says, with the column's name.
        """
        _check(frame)
        world = with_actions(entities or Entities(), self._vocabulary)
        parts = list(_parted(frame))
        self._check_context(frame, [environment for environment, _ in parts])
        answers = Outcomes(self._policies, frame.height)
        tables = Tables(world)
        for environment, rows in parts:
            wrong = self._wrong(environment)
            if wrong is not None:
                answers.refuse(rows, wrong)
                continue
            part = Part(self._policies, self._shared, environment, _context_dtype(frame), tables, self._vocabulary)
            self.fallbacks.update({self._policies[at].id: why for at, why in part.inexpressible.items()})
            part.run(frame, rows, answers, closures or self._one_by_one)
        return answers.frame()

    def explain(self) -> dict[str, str]:
        """Return the policies that columns cannot express for some request that the schema allows, by their ids, and why.

        What depends on the entities is not seen here; `fallbacks` has it after an evaluation.
        """
        found: dict[str, str] = {}
        tables = Tables(with_actions(Entities(), self._vocabulary))
        for action, kind in self._vocabulary.actions.items():
            for principal in sorted(kind.principals):
                for resource in sorted(kind.resources):
                    environment = Environment(principal, action, resource)
                    if self._wrong(environment) is None:
                        part = Part(self._policies, self._shared, environment, natural(kind.context), tables, self._vocabulary)
                        found.update({self._policies[at].id: why for at, why in part.inexpressible.items()})
        return found

    def _one_by_one(self, at: int, requests: Iterable[Any]) -> Iterable[bool | None]:
        """Evaluate a policy with the first compiler."""
        if self._program is None:
            self._program = Program(self._policies)
        program = self._program
        return (program.applies(at, request) for request in requests)

    def _wrong(self, environment: Environment) -> str | None:
        """Return what the schema has against all requests of an environment; None when nothing."""
        kind = self._vocabulary.actions.get(environment.action)
        if kind is None:
            return f"action: the schema has no {environment.action}"
        for role, type_, applicable in (
            ("principal", environment.principal_type, kind.principals),
            ("resource", environment.resource_type, kind.resources),
        ):
            if type_ not in self._vocabulary.entities and type_ not in {action.type for action in self._vocabulary.actions}:
                return f"{role}: the schema has no type {type_}"
            if type_ not in applicable:
                return f"{role}: {environment.action} does not apply to {type_}"
        return None

    def _check_context(self, frame: pl.DataFrame, environments: Sequence[Environment]) -> None:
        """Refuse a context that can hold what the schema says for none of the actions that are there.

        Raises:
            InputError: with the column's name.
        """
        kinds = [self._vocabulary.actions[one] for one in {one.action: None for one in environments} if one in self._vocabulary.actions]
        if CONTEXT not in frame.columns:
            for kind in kinds:
                if any(attribute.required for attribute in kind.context.attributes.values()):
                    raise InputError(f"is missing, and {kind.uid} needs it", field=f"column {CONTEXT}")
            return
        dtype = frame.schema[CONTEXT]
        if not isinstance(dtype, pl.Struct | pl.Null):
            raise InputError(f"expected a struct, got {dtype}", field=f"column {CONTEXT}")
        columns: dict[str, Any] = {one.name: one.dtype for one in dtype.fields} if isinstance(dtype, pl.Struct) else {}
        for name, own in columns.items():
            types = [kind.context.attributes[name].type for kind in kinds if name in kind.context.attributes]
            found = [self._unfit(own, name, type_) for type_ in types]
            refused = [one for one in found if one is not None]
            if refused and len(refused) == len(found):
                raise InputError(refused[0].what, field=f"column {refused[0].where}")

    def _unfit(self, dtype: pl.DataType, name: str, type_: Any) -> Unfit | None:
        try:
            examine(dtype, type_, f"{CONTEXT}.{name}", self._vocabulary)
        except Unfit as error:
            return error
        return None


def fail_closed(evaluated: pl.DataFrame, policies: Sequence[Policy]) -> pl.DataFrame:
    """Return decisions that deny where Cedar would leave something out: a request that cannot be built, and a forbid that is an error.

    Args:
        evaluated: what `Columns.evaluate` returned.
        policies: those it was made of.

    Returns:
        The same with `failed_closed`, Boolean: such a row has the decision `deny` and no reasons.
    """
    forbids = pl.Series([policy.id for policy in policies if policy.effect == "forbid"], dtype=pl.String)
    unsure = pl.col("decision").is_null()
    if evaluated["errors"].list.len().max():
        may_forbid = pl.col("errors").list.eval(pl.element().is_in(forbids.implode())).list.any().fill_null(value=False)
        unsure = unsure | (may_forbid & (pl.col("decision") == "allow"))
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return evaluated.with_columns(
        decision=pl.when(unsure).then(pl.lit("deny")).otherwise("decision"),
        reasons=pl.when(unsure).then(nothing).otherwise("reasons"),
        failed_closed=unsure,
    )


def with_actions(entities: Entities, vocabulary: Vocabulary) -> Entities:
    """Return entities with the actions of a schema and what those are in, which no request has to bring along."""
    above: dict[Uid, frozenset[Uid]] = {uid: _groups(uid, vocabulary) for uid in vocabulary.actions}
    if all(uid in entities.attributes and entities.ancestors.get(uid, frozenset()) == groups for uid, groups in above.items()):
        return entities
    attributes: Mapping[Uid, Record] = {**{uid: Record() for uid in above}, **entities.attributes}
    return Entities(attributes, {**entities.ancestors, **above}, entities.tags)


def _groups(uid: Uid, vocabulary: Vocabulary) -> frozenset[Uid]:
    """Return the groups that an action is in, directly or not."""
    found: set[Uid] = set()
    waiting = [uid]
    while waiting:
        kind = vocabulary.actions.get(waiting.pop())
        more = kind.parents - found if kind else frozenset()
        found |= more
        waiting.extend(more)
    return frozenset(found)


def _check(frame: pl.DataFrame) -> None:
    """Refuse a frame without the columns that say who wants to do what with what.

    Raises:
        InputError: with the column's name.
    """
    for name in _TEXTS:
        if name not in frame.columns:
            raise InputError(f"is missing; expected {', '.join(_TEXTS)} and context", field=f"column {name}")
        dtype = frame.schema[name]
        if not is_text(dtype) and dtype != pl.Null:
            raise InputError(f"expected strings, got {dtype}", field=f"column {name}")


def _parted(frame: pl.DataFrame) -> Iterator[tuple[Environment, Rows]]:
    """Yield the environments of a frame, each with its rows."""
    if not frame.height:
        return
    first = {name: frame[name][0] for name in _KEYS}
    # A column that is the same throughout costs nothing to compare, and much to hash.
    varying = [name for name in _KEYS if first[name] is None or frame[name].null_count() or not (frame[name] == first[name]).all()]
    if not varying:
        yield _environment(first), np.arange(frame.height, dtype=np.uint32)
        return
    groups = frame.select(varying).with_row_index("at").group_by(varying, maintain_order=True).agg("at")
    for values, rows in zip(groups.select(varying).iter_rows(named=True), groups["at"], strict=True):
        yield _environment({**first, **values}), rows.to_numpy()


def _environment(of: Mapping[str, str | None]) -> Environment:
    texts = {name: str(value) if value is not None else "" for name, value in of.items()}
    return Environment(texts["principal_type"], Uid(texts["action_type"], texts["action_id"]), texts["resource_type"])


def _context_dtype(frame: pl.DataFrame) -> pl.DataType | None:
    return frame.schema.get(CONTEXT)
