"""From a rule string to a rule: which families are tried, in which order."""

from __future__ import annotations

from thunderlab.automata.rules import notation
from thunderlab.automata.rules.aliases import names_like, rule_named
from thunderlab.automata.rules.elementary import Elementary
from thunderlab.automata.rules.isotropic import Isotropic
from thunderlab.automata.rules.larger_than_life import LargerThanLife
from thunderlab.automata.rules.lenia import LeniaRule
from thunderlab.automata.rules.outer_totalistic import OuterTotalistic
from thunderlab.automata.rules.rule import Rule
from thunderlab.errors import InputError

MOST_CHARACTERS = 200

_ACCEPTED = {
    2: "B3/S23 or 23/3, hexagonal B2/S34H, von Neumann B2/S013V, Generations 345/2/4, isotropic B3/S2-i34q, "
    "Larger than Life R5,C0,M1,S34..58,B34..45,NM, elementary W110, Lenia R13,T10,m0.15,s0.015, or a name such as Life",
    3: "B5-7/S4-6, survival/birth/states/neighbourhood as in 4/4/5/M or 0-6/1,3/2/N, or a name such as Clouds",
}


def parse_rule(text: str, *, dimensions: int) -> Rule:
    """Return the rule a string stands for.

    Accepted in 2D, in either case:

    - outer-totalistic: `B3/S23`, `S23/B3`, `B3S23`, survival/birth `23/3`; hexagonal with H (`B2/S34H`), von Neumann with V
      (`B2/S013V`). Counts may have commas and ranges where that is unambiguous (`B3,6-8/S2,3`);
    - Generations: survival/birth/states `345/2/4`, or `B2/S345/4`; H and V as above;
    - isotropic, in Hensel's notation: `B3/S2-i34q`. One that depends on counts alone is returned as outer-totalistic;
    - Larger than Life: `R5,C0,M1,S34..58,B34..45,NM`, LifeViewer's `R5,C2,S33-57,B34-45,NM`, or Evans's `5,34,45,34,58`;
    - elementary: `W110`, `Rule 110`;
    - Lenia: `Lenia R13,T10,m0.15,s0.015`, or `Lenia` alone;
    - the names in `aliases.NAMES`: `Life`, `Brian's Brain`.

    Accepted in 3D: `B5-7,12/S4-6` (26 neighbours, two states), survival/birth/states/neighbourhood `4/4/5/M` (26 neighbours) and
    `0-6/1,3/2/N` (6), and names such as `Clouds`. Counts go up to 26, so a run of digits such as `567` is refused there as ambiguous.

    Args:
        text: a rule string of any family.
        dimensions: axes of the cells it is to run on, 2 or 3.

    Raises:
        InputError: naming what is wrong and what is accepted.

    >>> parse_rule("23/3", dimensions=2), parse_rule("B2/S345/4", dimensions=2)
    (Rule('B3/S23', dimensions=2), Rule('345/2/4', dimensions=2))
    >>> parse_rule("clouds", dimensions=3)
    Rule('B13-14,17-19/S13-26', dimensions=3)
    """
    if dimensions not in (2, 3):
        raise InputError(f"rules exist in 2 and 3 dimensions, not {dimensions}", field="rule")
    stripped = text.strip()
    if len(stripped) > MOST_CHARACTERS:
        raise InputError(f"a rule string has at most {MOST_CHARACTERS} characters", field="rule")
    try:
        found = _by_form(rule_named(stripped, dimensions) or stripped, dimensions)
    except InputError as error:
        raise InputError(f"{stripped!r}: {error.what}", field="rule") from None
    if found is None:
        raise InputError(_unknown(stripped, dimensions), field="rule")
    return found


def _by_form(text: str, dimensions: int) -> Rule | None:
    """Return the rule of a string that has the form of one, None when it has not."""
    if not text.isascii():
        return None
    parts = notation.split(text, dimensions)
    if parts is not None:
        return Isotropic.of(parts) if parts.is_isotropic else OuterTotalistic.of(parts, dimensions)
    if dimensions == 3:
        return None
    return LargerThanLife.parse(text) or Elementary.parse(text) or LeniaRule.parse(text)


def _unknown(text: str, dimensions: int) -> str:
    """Return what to say of a string that is no rule in so many dimensions."""
    accepted = f"accepted in {dimensions}D: {_ACCEPTED[dimensions]}"
    other = 5 - dimensions
    try:
        exists = _by_form(rule_named(text, other) or text, other) is not None
    except InputError:
        exists = False
    if exists:
        return f"{text!r} is a rule in {other} dimensions, and the cells have {dimensions}; {accepted}"
    if ":" in text:
        return f"{text!r} has bounds, which are not part of a rule here: leave out `:...` and choose a boundary; {accepted}"
    if text[:3].upper() == "MAP":
        return f"{text!r} is a MAP rule, which this engine does not run; {accepted}"
    near = names_like(text, dimensions)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{text!r} is not a rule{hint}; {accepted}"
