"""How neighbour counts are written, and how a birth/survival string falls into its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from thunderlab.errors import InputError

# One half of a rule: counts, each with letters behind it. They are those of Hensel's notation and more, so that a wrong one can be
# named; never b, h, s or v, which separate the parts.
_HALF = r"(?:[0-9,-][ac-gi-rtuw-z]*)*"
_STATES = r"(?:/[cg]?(?P<states>[0-9]+))?"
_SUFFIX = r"(?P<suffix>[hv]?)"
_FORMS_2D = tuple(
    re.compile(form + _STATES + _SUFFIX)
    for form in (
        rf"b(?P<birth>{_HALF})/?s(?P<survival>{_HALF})",
        rf"s(?P<survival>{_HALF})/?b(?P<birth>{_HALF})",
        rf"(?P<survival>{_HALF})/(?P<birth>{_HALF})",
    )
)
_COUNTS_3D = r"[0-9,-]*"
_FORMS_3D = tuple(
    re.compile(form)
    for form in (
        rf"b(?P<birth>{_COUNTS_3D})/s(?P<survival>{_COUNTS_3D})",
        rf"s(?P<survival>{_COUNTS_3D})/b(?P<birth>{_COUNTS_3D})",
        rf"(?P<survival>{_COUNTS_3D})/(?P<birth>{_COUNTS_3D})/(?P<states>[0-9]+)/(?P<suffix>[mn])",
    )
)
_LIST = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")


@dataclass(frozen=True)
class Parts:
    """A birth/survival string taken apart, in lower case; nothing in it is checked yet.

    Attributes:
        birth: its birth half, without the B.
        survival: likewise.
        states: the digits of the number of states, or None when it is not given.
        suffix: the letter of the neighbourhood: "", "h" or "v" in 2D, "", "m" or "n" in 3D.
    """

    birth: str
    survival: str
    states: str | None
    suffix: str

    @property
    def is_isotropic(self) -> bool:
        """Whether letters follow counts, as in Hensel's notation."""
        return any(letter.isalpha() for letter in self.birth + self.survival)


def split(text: str, dimensions: int) -> Parts | None:
    """Return the parts of a birth/survival string, or None when it has another form.

    >>> split("B2/S34H", 2)
    Parts(birth='2', survival='34', states=None, suffix='h')
    >>> split("345/2/4", 2)
    Parts(birth='2', survival='345', states='4', suffix='')
    >>> split("0-6/1,3/2/N", 3)
    Parts(birth='1,3', survival='0-6', states='2', suffix='n')
    """
    for form in _FORMS_2D if dimensions == 2 else _FORMS_3D:
        match = form.fullmatch(text.lower())
        if match:
            found = match.groupdict()
            return Parts(found["birth"], found["survival"], found.get("states"), found.get("suffix") or "")
    return None


def read_counts(text: str, dimensions: int, most: int) -> frozenset[int]:
    """Return the neighbour counts that one half of a rule names.

    Args:
        text: digits in 2D (`34`); commas and ranges in either dimension (`5-7,12`).
        dimensions: 2 or 3.
        most: how many neighbours a cell has.

    Raises:
        InputError: a count is impossible, ambiguous or named twice, or a range runs backwards.

    >>> sorted(read_counts("34", 2, 8)), sorted(read_counts("5-7,12", 3, 26))
    ([3, 4], [5, 6, 7, 12])
    """
    if dimensions == 2 and re.fullmatch(r"[0-9]*", text):
        found = [int(digit) for digit in text]
    else:
        found = [count for part in text.split(",") if text for count in _read_range(part, text, dimensions, most)]
    if found and max(found) > most:
        raise InputError(f"{max(found)} cannot be counted: a cell has {most} neighbours here, so counts go from 0 to {most}", field="rule")
    if len(found) != len(set(found)):
        raise InputError("the same count is named twice", field="rule")
    return frozenset(found)


def read_states(digits: str | None) -> int:
    """Return a number of states, 2 when none is given; whether a rule may have so many is for the rule to say.

    Raises:
        InputError: it has more than three digits, which are not worth converting.
    """
    if digits is None:
        return 2
    if len(digits) > 3:
        raise InputError(f"a rule has 2 to 256 states, not {digits}", field="rule")
    return int(digits)


def write_digits(counts: frozenset[int]) -> str:
    """Return counts below ten as digits: {2, 3} -> `23`."""
    return "".join(map(str, sorted(counts)))


def write_ranges(counts: frozenset[int], to: str = "-", *, always: bool = False) -> str:
    """Return counts as ranges joined by commas.

    Args:
        counts: any.
        to: what joins the ends of a range.
        always: whether a single count is written as a range, too.

    >>> write_ranges(frozenset({5, 6, 7, 12})), write_ranges(frozenset({2, 3, 5}), "..", always=True)
    ('5-7,12', '2..3,5..5')
    """
    runs: list[list[int]] = []
    for count in sorted(counts):
        if runs and runs[-1][-1] == count - 1:
            runs[-1].append(count)
        else:
            runs.append([count])
    return ",".join(f"{run[0]}{to}{run[-1]}" if always or len(run) > 1 else str(run[0]) for run in runs)


def _read_range(part: str, half: str, dimensions: int, most: int) -> range | tuple[int, int]:
    """Return the counts of one part between commas: `5` or `5-7`."""
    if not _LIST.fullmatch(part) or len(part) > 20:
        raise InputError(f"{part!r} is neither a count nor a range of counts such as 5-7", field="rule")
    low, _, high = part.partition("-")
    first, last = int(low), int(high or low)
    if last < first:
        raise InputError(f"the range {part} runs backwards", field="rule")
    if not high and len(part) > 1 and (first > most or dimensions == 2):
        raise InputError(f"{part} is ambiguous where counts go up to {most}: write a range or commas, as in 5-7,12", field="rule")
    if dimensions == 2 and first + 1 < last <= most and "," not in half:
        raise InputError(f"{part} is ambiguous: write the counts one by one, as in {first}{first + 1}{last}", field="rule")
    # Too high a count is refused by the caller; a huge range must not be expanded first.
    return (first, last) if last > most else range(first, last + 1)
