"""Connected groups of cells that are not 0, on a torus across its seams."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from thunderlab.automata.cells import Boundary, Cells
from thunderlab.automata.rules.outer_totalistic import NEIGHBOURS, Neighbourhood
from thunderlab.errors import InputError

_SLAB = 1 << 24


@dataclass(frozen=True, eq=False)
class Components:
    """Connected groups of cells.

    Attributes:
        count: how many there are.
        largest: cells of the largest one, 0 when there is none.
        sizes: int64 `[count]`, cells of each, the largest first.
    """

    count: int
    largest: int
    sizes: NDArray[np.int64]


def components(cells: Cells, boundary: Boundary, neighbourhood: Neighbourhood = "moore") -> Components:
    """Return the connected groups of cells that are not 0.

    These are the components of the graph whose nodes are the cells that are not 0 and whose edges join neighbours. Groups are
    labelled as if there were no seams (Rosenfeld and Pfaltz 1966, as SciPy has it); on a torus labels that meet across a seam, an
    edge of it or a corner are then united.

    Args:
        cells: uint8 `[y x]` or `[z y x]`.
        boundary: "torus" wraps every axis; "dead" and "plane" do not.
        neighbourhood: whose cells are neighbours: "moore" (corners too), "von-neumann" (edges or faces), "hexagonal" (2D).

    Raises:
        InputError: there is no such neighbourhood in these dimensions.

    >>> corners = np.array([[1, 0, 2], [0, 0, 0], [0, 0, 1]], np.uint8)
    >>> components(corners, "dead").sizes.tolist(), components(corners, "torus").sizes.tolist()
    ([1, 1, 1], [3])
    """
    from scipy import ndimage

    near = _neighbours(cells.ndim, neighbourhood)
    structure = np.zeros((3,) * cells.ndim, dtype=np.bool_)
    structure[tuple(np.array(near).T + 1)] = True
    structure[(1,) * cells.ndim] = True
    labels, count = ndimage.label(cells, structure)
    flat, cells_of = labels.ravel(), np.zeros(count + 1, dtype=np.int64)
    for start in range(0, flat.size, _SLAB):  # counting takes eight bytes a cell
        cells_of += np.bincount(flat[start : start + _SLAB], minlength=count + 1)
    cells_of = cells_of[1:]
    if boundary == "torus" and count > 1:
        cells_of = _unite(labels, cells_of, near)
    sizes = np.sort(cells_of)[::-1]
    return Components(len(sizes), int(sizes[0]) if len(sizes) else 0, sizes)


def _neighbours(dimensions: int, neighbourhood: Neighbourhood) -> list[tuple[int, ...]]:
    """Return the shifts to a cell's neighbours."""
    if (dimensions, neighbourhood) not in NEIGHBOURS:
        raise InputError(f"there is no {neighbourhood} neighbourhood in {dimensions} dimensions", field="neighbourhood")
    around = [shift for shift in product((-1, 0, 1), repeat=dimensions) if any(shift)]
    if neighbourhood == "von-neumann":
        return [shift for shift in around if sum(map(abs, shift)) == 1]
    return [shift for shift in around if neighbourhood == "moore" or shift not in ((-1, 1), (1, -1))]


def _unite(labels: NDArray[np.int32], cells_of: NDArray[np.int64], near: list[tuple[int, ...]]) -> NDArray[np.int64]:
    """Return the sizes of the groups after joining those whose labels meet across a seam."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = []
    for axis in range(labels.ndim):
        lines = np.moveaxis(labels, axis, 0)
        first, last = lines[0], lines[-1]
        # Turning the first line round its own seams reaches across edges and corners, too.
        for shift in near:
            if shift[axis] == 1:
                along = tuple(-step for other, step in enumerate(shift) if other != axis)
                across = np.roll(first, along, tuple(range(first.ndim)))
                met = (last > 0) & (across > 0)
                pairs.append(np.unique(np.stack((last[met], across[met])) - 1, axis=1))
    ends = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(ends.shape[1], dtype=np.bool_), (ends[0], ends[1])), shape=(cells_of.size, cells_of.size))
    count, group = connected_components(graph, directed=False)
    united = np.zeros(count, dtype=np.int64)
    np.add.at(united, group, cells_of)
    return united
