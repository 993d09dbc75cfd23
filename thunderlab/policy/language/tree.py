"""What a policy is once it was read: a frozen tree that both compilers start from.

The expressions are those of Cedar (https://docs.cedarpolicy.com/policies/syntax-grammar.html), a little simplified: runs of `&&`, of `||` and of
arithmetic are flat, so that a long condition is no deep one; `e is T in x` is `e is T && e in x`, as Cedar defines it; `unless` is `!`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from thunderlab.policy.language.values import Uid

Effect = Literal["permit", "forbid"]
VARIABLES = ("principal", "action", "resource", "context")


@dataclass(frozen=True, slots=True)
class Expression:
    """Something with a value; each kind is a class of its own."""

    @property
    def children(self) -> tuple[Expression, ...]:
        """The expressions it is made of, in the order in which they are evaluated."""
        return ()


@dataclass(frozen=True, slots=True)
class Constant(Expression):
    """A boolean, an integer of 64 bits, a string or an entity's uid, written down."""

    value: bool | int | str | Uid


@dataclass(frozen=True, slots=True)
class Variable(Expression):
    """`principal`, `action`, `resource` or `context`."""

    name: str


@dataclass(frozen=True, slots=True)
class And(Expression):
    """`a && b && ...`: true when all are; what stands behind the first false one is not evaluated."""

    terms: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The terms."""
        return self.terms


@dataclass(frozen=True, slots=True)
class Or(Expression):
    """`a || b || ...`: true when one is; what stands behind the first true one is not evaluated."""

    terms: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The terms."""
        return self.terms


@dataclass(frozen=True, slots=True)
class If(Expression):
    """`if test then yes else no`; only the chosen one is evaluated."""

    test: Expression
    yes: Expression
    no: Expression

    @property
    def children(self) -> tuple[Expression, ...]:
        """Test, yes and no."""
        return (self.test, self.yes, self.no)


@dataclass(frozen=True, slots=True)
class Arithmetic(Expression):
    """`first + a - b * c ...`, from left to right as it stands; each step must stay within 64 bits.

    Attributes:
        first: where it begins.
        steps: operator (`+`, `-`, `*`) and operand of each step. A product within a sum is an operand of its own.
    """

    first: Expression
    steps: tuple[tuple[str, Expression], ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The operands."""
        return (self.first, *(operand for _, operand in self.steps))


@dataclass(frozen=True, slots=True)
class Apply(Expression):
    """An operator, method or function that has all its operands evaluated first, from left to right.

    Attributes:
        name: as in Cedar's JSON form: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `!`, `neg`, `contains`, `containsAll`, `containsAny`, `isEmpty`,
            `getTag`, `hasTag`, or the name of an extension's function or method.
        operands: what it is applied to. Of an extension's function there may be too few or too many: that is an error once it is evaluated.
    """

    name: str
    operands: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The operands."""
        return self.operands


@dataclass(frozen=True, slots=True)
class GetAttribute(Expression):
    """`of.name`, of a record or an entity."""

    of: Expression
    name: str

    @property
    def children(self) -> tuple[Expression, ...]:
        """What the attribute is of."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class HasAttribute(Expression):
    """`of has name`, of a record or an entity."""

    of: Expression
    name: str

    @property
    def children(self) -> tuple[Expression, ...]:
        """What the attribute would be of."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Like(Expression):
    """`of like "..."`.

    Attributes:
        of: the string.
        pattern: the pieces between the wildcards: `a*b` is `("a", "b")`, `a*` is `("a", "")`, and `a` without a wildcard `("a",)`.
    """

    of: Expression
    pattern: tuple[str, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The string."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class Is(Expression):
    """`of is entity_type`."""

    of: Expression
    entity_type: str

    @property
    def children(self) -> tuple[Expression, ...]:
        """The entity."""
        return (self.of,)


@dataclass(frozen=True, slots=True)
class SetOf(Expression):
    """`[a, b, ...]`."""

    items: tuple[Expression, ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The items."""
        return self.items


@dataclass(frozen=True, slots=True)
class RecordOf(Expression):
    """`{a: ..., b: ...}`."""

    fields: tuple[tuple[str, Expression], ...]

    @property
    def children(self) -> tuple[Expression, ...]:
        """The fields' expressions."""
        return tuple(value for _, value in self.fields)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy's head asks of the principal, the action or the resource.

    Attributes:
        entity_type: what it must be, `is T`; None when anything.
        equal: the one entity it must be; None when not said.
        within: it must be one of these or below one of them; None when not said, and `()` is what nothing is within.
    """

    entity_type: str | None = None
    equal: Uid | None = None
    within: tuple[Uid, ...] | None = None

    @property
    def anything(self) -> bool:
        """Whether it asks for nothing."""
        return self.entity_type is None and self.equal is None and self.within is None


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    Attributes:
        id: its `@id`, or `policy0`, `policy1`, ... by its place in the text.
        effect: what it does when it applies.
        principal: its head's first part.
        action: the second.
        resource: the third.
        condition: `when` and `unless` together; None when there are none. Its head is evaluated first.
        annotations: what it says about itself.
        line: where it begins in its text, from 1.
    """

    id: str
    effect: Effect
    principal: Scope
    action: Scope
    resource: Scope
    condition: Expression | None
    annotations: Mapping[str, str]
    line: int


def bottom_up(root: Expression) -> Iterator[Expression]:
    """Yield an expression's parts, each behind those it is made of, without recursion: what is deep costs no stack.

    >>> sum_ = Arithmetic(Constant(1), (("+", Constant(2)),))
    >>> [part.value for part in bottom_up(sum_) if isinstance(part, Constant)]
    [1, 2]
    """
    waiting: list[tuple[Expression, bool]] = [(root, False)]
    while waiting:
        part, opened = waiting.pop()
        if opened or not part.children:
            yield part
        else:
            waiting.append((part, True))
            waiting.extend((child, False) for child in reversed(part.children))
