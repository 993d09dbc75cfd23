"""PNG files by hand: a palette image with transparency needs forty lines, not a dependency."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode(pixels: NDArray[np.uint8], palette: list[Colour]) -> bytes:
    """Return a PNG file (W3C PNG, third edition): colour type 3, one bit per pixel for two colours, else eight.

    The same arguments give the same bytes everywhere one zlib is used: no time stamp, no text chunk.

    Args:
        pixels: uint8 `[y x]`, each an index into `palette`; at least one pixel.
        palette: 1..256 colours as (red, green, blue, alpha), each 0..255.

    Raises:
        ValueError: when a pixel names no colour, or there are no pixels or no colours.

    >>> data = encode(np.array([[0, 1]], dtype=np.uint8), [(0, 0, 0, 0), (9, 9, 9, 255)])
    >>> int.from_bytes(data[16:20]), int.from_bytes(data[20:24]), data[24]  # width, height, bits per pixel
    (2, 1, 1)
    """
    if pixels.ndim != 2 or pixels.size == 0:
        raise ValueError("an image is a table of pixels with at least one in it")
    if not 1 <= len(palette) <= 256 or int(pixels.max()) >= len(palette):
        raise ValueError("every pixel names one of 1 to 256 colours")
    height, width = pixels.shape
    bits = 1 if len(palette) <= 2 else 8
    packed = np.packbits(pixels, axis=1) if bits == 1 else pixels
    # Each line starts with its filter; none (0) is best for flat colour (PNG, section 12.7).
    lines = np.hstack([np.zeros((height, 1), dtype=np.uint8), packed])
    colours = np.array(palette, dtype=np.uint8)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 3, 0, 0, 0)),
            _chunk(b"PLTE", colours[:, :3].tobytes()),
            _chunk(b"tRNS", colours[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
