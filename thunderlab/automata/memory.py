"""What lattices take in memory, known before any of it is taken: every family has a layout of its own."""

from __future__ import annotations

import math

from thunderlab.automata.cells import Boundary
from thunderlab.automata.rules import LargerThanLife, LeniaRule, Rule
from thunderlab.errors import InputError

# 32768 x 32768, or 1024 cubed: a gibibyte as uint8, and less than half of one packed.
MOST_CELLS = 2**30
# Lines of few cells take as much memory as full ones, and numbers far more than bits, so some meet this limit first.
MOST_BYTES = 2**32


def check_size(shape: tuple[int, ...], rule: Rule, boundary: Boundary, lattices: int = 1) -> None:
    """Refuse what would not fit into memory, be it one lattice or many of one shape.

    Raises:
        InputError: naming `cells` and how much memory they would need.
    """
    cells = lattices * math.prod(shape)
    needed = needed_bytes(shape, rule, boundary, lattices)
    if cells > MOST_CELLS or needed > MOST_BYTES:
        raise InputError(
            f"a lattice has at most {MOST_CELLS} cells, and its states take at most {MOST_BYTES // 2**30} GiB; "
            f"these {cells} cells under {rule} would need {(cells + needed) / 2**30:.1f} GiB",
            field="cells",
        )


def needed_bytes(shape: tuple[int, ...], rule: Rule, boundary: Boundary, lattices: int = 1) -> int:
    """Return about the memory that lattices of one shape take: the states of all, and what one takes beside when made or stepped.

    The cells handed in, a byte each, are not among it.
    """
    torus = boundary == "torus"
    if isinstance(rule, LargerThanLife):
        from thunderlab.automata.kernels.lanes import Lanes  # needs no compiler

        states = Lanes(shape, rule, torus=torus).bytes
        return lattices * states + states // 2
    if isinstance(rule, LeniaRule):
        from thunderlab.automata.kernels.lenia import transform_lengths

        transformed = math.prod(transform_lengths(shape, rule.radius, torus=torus))
        # Two fields, and half of the weights' transform, which is symmetric; a field, its complex transform and the mean around; the weights.
        return lattices * (16 * math.prod(shape) + 4 * transformed) + 24 * transformed + 16 * (2 * rule.radius + 1) ** 2
    return lattices * packed_bytes(shape, rule.states)


def packed_bytes(shape: tuple[int, ...], states: int) -> int:
    """Return about the memory that the two states of a lattice take in bit planes; narrow lattices waste much of every vector.

    >>> from thunderlab.automata.kernels.layout import LANES
    >>> packed_bytes((999, LANES), 2) == 2 * 1002 * 3 * LANES // 8  # three lines more; of three vectors two are ghosts
    True
    >>> packed_bytes((999, 1, 1), 2) == 2 * 1000 * 3 * 3 * LANES // 8  # of the 3 x 3 vectors of a plane one is no ghost
    True
    """
    # These need no compiler.
    from thunderlab.automata.kernels.folds import Folds
    from thunderlab.automata.kernels.layout import LANES, parts_of

    planes = 1 + (states - 2).bit_length()
    if len(shape) == 3:
        return 2 * planes * (shape[0] + 1) * math.prod(Folds(*shape[1:]).shape) * LANES // 8
    parts = parts_of(*shape)
    return 2 * planes * (shape[0] // parts + 3) * (-(-shape[1] * parts // LANES) + 2) * LANES // 8
