"""Files a run leaves behind, in the format their ending names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thunderlab import files
from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.formats import plaintext
from thunderlab.automata.pattern import Pattern
from thunderlab.automata.rules import LeniaRule, Rule
from thunderlab.errors import InputError

_ENDINGS = (".rle", ".cells", ".png", ".gif")


def check_output(path: Path, rule: Rule, *, animated: bool = False) -> None:
    """Return if `write_pattern` will know what to do, so that nobody waits for a run that cannot be written.

    Args:
        path: the file to write.
        rule: what is going to run.
        animated: whether there will be frames.

    Raises:
        InputError: the ending names no format, or one that cannot hold what the rule makes.

    >>> from thunderlab.automata.rules import parse_rule
    >>> check_output(Path("glider.rle"), parse_rule("B3/S23", dimensions=2))
    """
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        raise InputError(
            f"the ending {path.suffix!r} names no format; accepted: .rle (a pattern), .cells (one of two states), "
            ".png (a picture), .gif (an animation)",
            where=path,
        )
    if rule.dimensions != 2:
        raise InputError(f"{ending} holds two-dimensional states, and {rule} has {rule.dimensions} dimensions", where=path)
    if ending == ".cells" and rule.states > 2:
        raise InputError(f".cells holds two states, and {rule} has {rule.states}; .rle holds as many as you like", where=path)
    if ending == ".gif" and not animated:
        raise InputError(".gif shows a run, and here is one state only; write it as .png, or ask for frames", where=path)


def write_pattern(
    path: Path,
    cells: Cells,
    rule: Rule,
    *,
    boundary: Boundary | None = None,
    origin: tuple[int, ...] | None = None,
    frames: Sequence[Cells] | None = None,
    delay_ms: int = 50,
) -> None:
    """Write a state, or for `.gif` a run, in the format that the file's ending names.

    Args:
        path: `.rle`, `.cells`, `.png` or `.gif`, in any case.
        cells: uint8 `[y x]`, the state.
        rule: the rule it belongs to; RLE names it, pictures have a colour for each of its states, Lenia's a ramp.
        boundary: "torus" or "dead" to have RLE name the grid, too (`:T30,20`); None and "plane" leave it out.
        origin: y and x of the first cell on a plane, to have RLE name them, too (`#CXRLE Pos=x,y`).
        frames: the states of an animation, the last one included.
        delay_ms: how long a frame is shown.

    Raises:
        InputError: as `check_output`, or there is more than a picture may hold.
        EnvironmentBlockedError: the file cannot be written; nothing is left behind.
    """
    check_output(path, rule, animated=frames is not None)
    ending = path.suffix.lower()
    if ending == ".rle":
        files.write_whole(path, rle(cells, str(rule), boundary, origin))
    elif ending == ".cells":
        files.write_whole(path, plaintext.write(Pattern(cells)))
    else:
        # Pillow is loaded by those who want a picture only.
        from thunderlab.automata.formats import image

        amounts = rule.family == LeniaRule.family
        try:
            shown = (
                image.png(cells, states=rule.states, amounts=amounts)
                if ending == ".png"
                else image.gif(frames or [cells], states=rule.states, delay_ms=delay_ms, amounts=amounts)
            )
        except InputError as error:
            raise InputError(error.what, where=path, field=error.field) from None
        files.write_whole(path, shown)


def rle(cells: Cells, rule: str, boundary: Boundary | None, origin: tuple[int, ...] | None = None) -> str:
    r"""Return a whole lattice, or the cells of a plane, as RLE that names what it ran on; arguments as for `write_pattern`.

    >>> import numpy as np
    >>> rle(np.array([[0, 1]], np.uint8), "B3/S23", "torus")
    'x = 2, y = 1, rule = B3/S23:T2,1\nbo!\n'
    """
    bounded = boundary if boundary in ("torus", "dead") else None
    size = (cells.shape[0], cells.shape[1]) if bounded else None
    return Pattern(cells, rule, boundary=bounded, size=size, origin=None if origin is None else (origin[0], origin[1])).text()
