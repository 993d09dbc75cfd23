"""The bytes a state is stored as, for pictures and for replay."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np

from thunderlab.automata.cells import Cells
from thunderlab.errors import EvidenceError

MOST_CELLS = 1 << 30

# One bit a cell, and one byte a cell.
_TWO_STATES = b"TLC1"
_MORE_STATES = b"TLC2"


def pack(cells: Cells) -> bytes:
    """Return a lattice as bytes: `TLC1`, the number of axes and their sizes (little-endian 32 bits each), then the cells.

    Cells are in row-major order and compressed with zlib; one bit each, or one byte each behind `TLC2` when a state above 1 occurs.
    Equal states give equal bytes under one zlib.

    >>> unpack(pack(np.eye(3, dtype=np.uint8))).tolist(), unpack(pack(np.array([[0, 2]], np.uint8))).tolist()
    ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 2]])
    """
    more = bool(cells.max(initial=0) > 1)
    body = cells.tobytes() if more else np.packbits(cells).tobytes()
    return (_MORE_STATES if more else _TWO_STATES) + struct.pack(f"<{cells.ndim + 1}I", cells.ndim, *cells.shape) + zlib.compress(body, 6)


def unpack(packed: bytes) -> Cells:
    """Return the lattice that `pack` wrote: uint8 `[y x]` or `[z y x]`, states 0..n-1.

    Raises:
        EvidenceError: when these are not such bytes, or not all of them.
    """
    try:
        magic, ndim = struct.unpack_from("<4sI", packed)
        if magic not in (_TWO_STATES, _MORE_STATES) or ndim not in (2, 3):
            raise EvidenceError("is not a packed lattice")
        shape = struct.unpack_from(f"<{ndim}I", packed, 8)
        size = math.prod(shape)
        if size > MOST_CELLS:
            raise EvidenceError(f"a packed lattice has at most {MOST_CELLS} cells")
        expected = size if magic == _MORE_STATES else (size + 7) // 8
        # One byte more than needed is enough to notice a stream that goes on, whatever it would grow to.
        reader = zlib.decompressobj()
        body = reader.decompress(packed[8 + 4 * ndim :], expected + 1)
        if len(body) != expected or not reader.eof or reader.unused_data:
            raise EvidenceError("a packed lattice of another size than its header says")
    except (struct.error, zlib.error):
        raise EvidenceError("is not a packed lattice, or not all of it") from None
    found = np.frombuffer(body, dtype=np.uint8)
    return (found.copy() if magic == _MORE_STATES else np.unpackbits(found, count=size)).reshape(shape)
