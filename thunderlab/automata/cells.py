"""What states are made of and where they end: the types every module of this room speaks in."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

# uint8 `[y x]` or `[z y x]`, states 0..n-1.
Cells = NDArray[np.uint8]

# "torus" wraps every axis, "dead" surrounds the lattice with cells that stay 0, "plane" grows with the pattern.
Boundary = Literal["torus", "dead", "plane"]
BOUNDARIES: tuple[Boundary, ...] = ("torus", "dead", "plane")
