"""Bounded grids as Golly writes them behind a rule: `B3/S23:T30,20` is Life on a torus 30 cells wide and 20 high."""

from __future__ import annotations

import re

from thunderlab.automata.cells import Boundary
from thunderlab.automata.formats.source import short, too_large

_KINDS: dict[str, Boundary] = {"T": "torus", "P": "dead"}
_SIDES = re.compile(r"([PT])\s*([0-9]{1,18})\s*,\s*([0-9]{1,18})", re.IGNORECASE)
_OTHERS = {"K": "a Klein bottle", "C": "a cross-surface", "S": "a sphere"}
_ACCEPTED = "accepted are :T30,20 (a torus 30 wide and 20 high) and :P30,20 (a bounded plane)"


def read(text: str) -> tuple[Boundary, tuple[int, int]]:
    """Return boundary and size (rows, columns) of a grid (Golly's help, "Bounded Grids").

    Args:
        text: what stands behind the colon.

    Raises:
        ValueError: in words for the user: another surface, a shifted or twisted edge, a side left out, unbounded or too long.

    >>> read("T30,20"), read("p4,3")
    (('torus', (20, 30)), ('dead', (3, 4)))
    """
    stripped = text.strip()
    match = _SIDES.fullmatch(stripped)
    if match is None:
        raise ValueError(f"the grid :{short(stripped)} is {_fault(stripped)}; {_ACCEPTED}")
    width, height = int(match[2]), int(match[3])
    if not width or not height:
        raise ValueError(f"the grid :{short(stripped)} is unbounded in one direction; {_ACCEPTED}")
    problem = too_large(height, width)
    if problem:
        raise ValueError(f"the grid :{short(stripped)}: {problem}")
    return _KINDS[match[1].upper()], (height, width)


def write(boundary: Boundary, size: tuple[int, int]) -> str:
    """Return what `read` reads back, with its colon.

    Raises:
        ValueError: the boundary is "plane", which has no size.

    >>> write("torus", (20, 30))
    ':T30,20'
    """
    for letter, kind in _KINDS.items():
        if kind == boundary:
            return f":{letter}{size[1]},{size[0]}"
    raise ValueError("an unbounded plane has no size")


def _fault(text: str) -> str:
    kind = text[:1].upper()
    if kind in _OTHERS:
        return f"{_OTHERS[kind]}, which is not run here"
    if kind not in _KINDS:
        return "not one of a kind known here"
    if any(mark in text for mark in "*+-"):
        return "shifted or twisted at an edge, which is not run here"
    if re.fullmatch(r"[0-9]+", text[1:].strip()):
        return "given one side only"
    return "not two whole numbers behind its letter"
