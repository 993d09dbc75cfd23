"""Pictures of two-dimensional states: PNG for one, GIF for many. The one module that names Pillow."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from thunderlab.automata.cells import Cells
from thunderlab.errors import InputError

MOST_FRAMES = 2_000
MOST_PIXELS = 1 << 26
MOST_ENLARGED = 2_048
MOST_DELAY_MS = 60_000

_USUAL_SIDE = 512
_MOST_GIF_SIDE = 65_535

# Paper and the blue of live cells are those of the report and the notebooks. Dying states go from rust to sand: no red next to green,
# the older the lighter, never as light as the paper.
_PAPER = (251, 250, 247)
_LIVE = (47, 125, 190)
_DYING = (112, 39, 0)
_LAST = (239, 221, 196)
# Amounts go from black over violet to pale yellow: ten colours of "magma" (Smith and van der Walt, 2015; CC0), which is even to the eye,
# grows lighter all the way, and so reads the same without colours and to the colour-blind.
_AMOUNTS = np.array(
    [
        (0, 0, 4), (24, 15, 61), (68, 15, 118), (114, 31, 129), (158, 47, 127),
        (205, 64, 113), (241, 96, 93), (253, 150, 104), (254, 202, 141), (252, 253, 191),
    ]
)  # fmt: skip


def palette(states: int, *, amounts: bool = False) -> list[tuple[int, int, int]]:
    """Return the colour of every state as (red, green, blue): paper, blue, and from dark rust to light sand for dying states.

    Args:
        states: 2..256.
        amounts: states are how much there is, from nothing to everything, as in Lenia: from black over violet to pale yellow.

    >>> palette(4)
    [(251, 250, 247), (47, 125, 190), (112, 39, 0), (239, 221, 196)]
    >>> palette(4, amounts=True)
    [(0, 0, 4), (114, 31, 129), (241, 96, 93), (252, 253, 191)]
    """
    if not 2 <= states <= 256:
        raise ValueError("a rule has 2 to 256 states")
    if amounts:
        places = np.linspace(0, len(_AMOUNTS) - 1, states)
        parts = [np.rint(np.interp(places, np.arange(len(_AMOUNTS)), part)).astype(int).tolist() for part in _AMOUNTS.T]
        return list(zip(*parts, strict=True))
    return [_PAPER, _LIVE, *_ramp(states - 2)]


def _ramp(count: int) -> list[tuple[int, int, int]]:
    """Return `count` colours from dark to light, no two alike.

    One channel rises by one at a time on the straight way between the ends, and colours are taken from it at even distances: plain
    interpolation would round some of two hundred neighbours to the same colour.
    """
    rises = sorted(
        ((step + 0.5) / (last - first), channel)
        for channel, (first, last) in enumerate(zip(_DYING, _LAST, strict=True))
        for step in range(last - first)
    )
    way = [_DYING]
    for _, channel in rises:
        red, green, blue = (part + (channel == index) for index, part in enumerate(way[-1]))
        way.append((red, green, blue))
    return [way[round(age * len(rises) / max(1, count - 1))] for age in range(count)]


def png(cells: Cells, *, states: int = 2, scale: int | None = None, amounts: bool = False) -> bytes:
    r"""Return a picture of a state as a PNG file with one colour per state, the same bytes for the same state.

    Args:
        cells: uint8 `[y x]`, each below `states`; both axes at least 1. For one-dimensional automata rows are times.
        states: how many states the rule has, 2..256.
        scale: pixels per cell, at least 1; by default what makes the longer side about 512 pixels, or 1.
        amounts: as for `palette`.

    Raises:
        InputError: a `scale` above 1 makes the longer side more than 2048 pixels, or there are more than 2**26; says how many there
            would be.
        ValueError: other cells than described.

    >>> data = png(np.eye(4, dtype=np.uint8))
    >>> data[:4], int.from_bytes(data[16:20])  # the width
    (b'\x89PNG', 512)
    """
    _check_cells([cells], states)
    image = _image(_enlarged(cells, _scale(cells.shape, 1, scale)))
    image.putpalette([part for colour in palette(states, amounts=amounts) for part in colour])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def gif(frames: Sequence[Cells], *, states: int = 2, scale: int | None = None, delay_ms: int = 50, amounts: bool = False) -> bytes:
    """Return states one after the other as an animated GIF that repeats for ever, the same bytes for the same states.

    Every state becomes a frame, also one that equals the state before. Of later frames only the box that changed is stored.

    Args:
        frames: uint8 `[y x]` of one shape, each cell below `states`; at least one frame.
        states: how many states the rule has, 2..256.
        scale: pixels per cell, at least 1; by default what makes the longer side about 512 pixels, less where 2**26 pixels in all ask
            for it.
        delay_ms: how long each frame is shown, 20..60000, in steps of 10 as the format has it.
        amounts: as for `palette`.

    Raises:
        InputError: there are more than 2000 frames, a scale or delay out of range, or more than 2**26 pixels; says how many there
            would be.
        ValueError: other cells than described.

    >>> data = gif([np.eye(4, dtype=np.uint8)] * 3, scale=2)
    >>> data[:6], int.from_bytes(data[6:8], "little")  # the width
    (b'GIF89a', 8)
    """
    _check_cells(frames, states)
    height, width = frames[0].shape
    scale = check_frames(len(frames), (height, width), scale)
    if not 20 <= delay_ms <= MOST_DELAY_MS or delay_ms % 10:
        raise InputError(f"a frame is shown for 20 to {MOST_DELAY_MS} ms in steps of 10, not {delay_ms}", field="delay")
    bits = (states - 1).bit_length()
    colours = np.zeros((1 << bits, 3), dtype=np.uint8)
    colours[:states] = palette(states, amounts=amounts)
    parts = [
        b"GIF89a",
        # Logical screen: size, a global colour table of 2**bits colours, background 0, square pixels (GIF89a, 18).
        struct.pack("<HHBBB", width * scale, height * scale, 0x80 | (bits - 1) << 4 | (bits - 1), 0, 0),
        colours.tobytes(),
        b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00",  # repeat for ever
    ]
    before: Cells | None = None
    for cells in frames:
        parts += _frame(cells, _changed(before, cells), scale, bits, delay_ms // 10)
        before = cells
    return b"".join([*parts, b"\x3b"])


def check_frames(count: int, shape: tuple[int, ...], scale: int | None = None) -> int:
    """Return the pixels per cell that a GIF of so many states will have, before any of them is computed.

    Args:
        count: how many frames.
        shape: rows and columns of each.
        scale: pixels per cell when they are given.

    Raises:
        InputError: as for `gif`.

    >>> check_frames(100, (64, 64)), check_frames(1000, (64, 64))
    (8, 4)
    """
    if count > MOST_FRAMES:
        raise InputError(f"an animation of {count:,} frames is too long; at most {MOST_FRAMES:,} are written", field="frames")
    chosen = _scale(shape, count, scale)
    if max(shape) * chosen > _MOST_GIF_SIDE:
        raise InputError(f"a GIF is at most {_MOST_GIF_SIDE} pixels wide and high, not {max(shape) * chosen}", field="frames")
    return chosen


def _scale(shape: tuple[int, ...], frames: int, scale: int | None) -> int:
    """Return the pixels per cell: the one given, or the one that makes the longer side about 512 pixels where the limits allow it."""
    longer, cells = max(shape), frames * math.prod(shape)
    size = f"{shape[0]}x{shape[1]} cells"
    if scale is None:
        scale = min(max(1, round(_USUAL_SIDE / longer)), max(1, math.isqrt(MOST_PIXELS // cells)))
    elif scale < 1:
        raise InputError(f"a cell has at least 1 pixel, not {scale}", field="scale")
    elif scale > 1 and longer * scale > MOST_ENLARGED:
        raise InputError(f"{scale} pixels for each of {size} make a picture too large; a side has at most {MOST_ENLARGED}", field="scale")
    pixels = cells * scale**2
    if pixels > MOST_PIXELS:
        what = f"{frames:,} frames of {size}" if frames > 1 else size
        raise InputError(f"{what} would need {pixels:,} pixels; at most {MOST_PIXELS:,} are drawn", field="frames" if frames > 1 else None)
    return scale


def _check_cells(frames: Sequence[Cells], states: int) -> None:
    if not frames or any(cells.ndim != 2 or 0 in cells.shape or cells.shape != frames[0].shape for cells in frames):
        raise ValueError("a picture shows cells [y x], each axis at least 1 long, in every frame the same")
    if any(cells.dtype != np.uint8 or cells.max() >= states for cells in frames):
        raise ValueError(f"cells are uint8 and below {states}")


def _enlarged(cells: Cells, scale: int) -> Cells:
    return cells.repeat(scale, axis=0).repeat(scale, axis=1)


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    height, width = pixels.shape
    return Image.frombytes("P", (width, height), pixels.tobytes())


def _changed(before: Cells | None, cells: Cells) -> tuple[slice, slice]:
    """Return the box of cells that differ from the frame before; the first frame is whole, and a box has at least one cell."""
    if before is None:
        return slice(0, cells.shape[0]), slice(0, cells.shape[1])
    rows, columns = np.nonzero(before != cells)
    if not rows.size:
        return slice(0, 1), slice(0, 1)
    return slice(int(rows.min()), int(rows.max()) + 1), slice(int(columns.min()), int(columns.max()) + 1)


def _frame(cells: Cells, box: tuple[slice, slice], scale: int, bits: int, hundredths: int) -> list[bytes]:
    """Return the blocks of one frame (GIF89a, 20 to 23): how long it is shown, where it lies, its compressed pixels."""
    pixels = _enlarged(cells[box], scale)
    # The compressor starts with at least four codes, even for two colours.
    code_size = max(2, bits)
    return [
        # Left in place, so that the next frame is drawn over it.
        struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 1 << 2, hundredths, 0, 0),
        struct.pack("<BHHHHB", 0x2C, box[1].start * scale, box[0].start * scale, pixels.shape[1], pixels.shape[0], 0),
        bytes([code_size]),
        _image(pixels).tobytes("gif", ("P", code_size, 0)),
        b"\x00",
    ]
