"""What notebooks display of a lattice."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from thunderlab.automata.formats import image
from thunderlab.faces import charts, show


def test_amounts_are_shown_as_such_and_other_states_as_alive_or_not():
    cells = np.arange(256, dtype=np.uint8).reshape(8, 32)
    with Image.open(io.BytesIO(show.lattice(cells, size=64, amounts=True).data)) as opened:
        pixels = np.asarray(opened.convert("RGB"))
    colours = np.array(image.palette(256, amounts=True), np.uint8)
    np.testing.assert_array_equal(pixels, colours[cells].repeat(2, axis=0).repeat(2, axis=1))
    assert show.lattice(cells, size=64).data == charts.cells_png(cells, size=64)
