"""Pictures: every pixel of what Pillow decodes is the colour of its cell, every frame is there, and too much is refused first."""

import io
import re
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageSequence

from thunderlab.automata.formats import image
from thunderlab.errors import InputError
from thunderlab.faces import charts
from thunderlab.seeds import stream
from thunderlab.workspace import shipped

shapes = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)


def _expected(cells, states, scale):
    return np.array(image.palette(states), np.uint8)[cells.repeat(scale, axis=0).repeat(scale, axis=1)]


def _decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _frames(data):
    with Image.open(io.BytesIO(data)) as opened:
        return [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(opened)]


def _luminance(colour):
    """Return the relative luminance of WCAG 2.2."""
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@settings(deadline=None, max_examples=50)
@given(arrays(np.uint8, shapes, elements=st.integers(0, 255)), st.integers(1, 5))
def test_every_pixel_of_a_png_is_the_colour_of_its_cell(cells, scale):
    for states in {int(cells.max()) + 1, 256} - {1}:
        data = image.png(cells, states=states, scale=scale)
        assert np.array_equal(_decoded(data), _expected(cells, states, scale))
        assert data == image.png(cells, states=states, scale=scale)


def _lightness(colour):
    """Return CIE 1976 L*, even to the eye, 0..100."""
    luminance = _luminance(colour)
    return 116 * luminance ** (1 / 3) - 16 if luminance > 216 / 24389 else luminance * 24389 / 27


@pytest.mark.parametrize("states", [2, 16, 256])
def test_amounts_grow_lighter_evenly_from_nearly_black(states):
    colours = image.palette(states, amounts=True)
    lightness = np.array([_lightness(colour) for colour in colours])
    assert lightness[0] < 1 and lightness[-1] > 95
    rises = np.diff(lightness)
    assert (rises > 0).all() and rises.max() < 1.7 * rises.mean()
    assert len(set(colours)) == states


@pytest.mark.parametrize("name", ["red-blind", "green-blind"])
def test_amounts_are_told_apart_without_seeing_red_or_green(name):
    """Simulated after Vienot, Brettel and Mollon (Color Research and Application 24, 1999), whose matrices these are, in linear light."""
    short = {"red-blind": [(0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)]}
    short["green-blind"] = [(0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)]
    encoded = np.array(image.palette(256, amounts=True)) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(short[name]).T, 0, 1) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(seen) > 0).all()


def test_pictures_of_amounts_have_their_colours():
    cells = np.arange(256, dtype=np.uint8).reshape(16, 16)
    colours = np.array(image.palette(256, amounts=True), np.uint8)
    assert np.array_equal(_decoded(image.png(cells, states=256, scale=1, amounts=True)), colours[cells])
    frames = [cells, cells.T.copy()]
    for frame, (pixels, _) in zip(frames, _frames(image.gif(frames, states=256, scale=1, amounts=True)), strict=True):
        assert np.array_equal(pixels, colours[frame])


@settings(deadline=None, max_examples=50)
@given(
    shapes.flatmap(lambda shape: st.lists(arrays(np.uint8, shape, elements=st.integers(0, 255), fill=st.just(0)), min_size=1, max_size=6)),
    st.integers(1, 3),
    st.sampled_from([20, 50, 130, 60_000]),
    st.sampled_from([2, 3, 4, 5, 16, 17, 255, 256]),
)
def test_every_frame_of_a_gif_is_there_with_its_delay_and_every_pixel(frames, scale, delay, states):
    frames = [(cells % np.uint16(states)).astype(np.uint8) for cells in frames]
    frames = [frames[0], *frames, frames[-1]]  # equal ones next to each other, at the start and at the end
    data = image.gif(frames, states=states, scale=scale, delay_ms=delay)
    found = _frames(data)
    assert [duration for _, duration in found] == [delay] * len(frames)
    for cells, (pixels, _) in zip(frames, found, strict=True):
        assert np.array_equal(pixels, _expected(cells, states, scale))
    assert data == image.gif(frames, states=states, scale=scale, delay_ms=delay)


def test_a_gif_repeats_for_ever_and_stores_what_changed_only():
    still = stream(1, "gif").integers(0, 2, (100, 100)).astype(np.uint8)
    blinking = [still.copy() for _ in range(50)]
    for index, cells in enumerate(blinking):
        cells[40, 60] = index % 2
    data = image.gif(blinking)
    assert Image.open(io.BytesIO(data)).info["loop"] == 0
    assert len(data) < 2 * len(image.gif(blinking[:1]))
    assert len(_frames(data)) == 50


def test_a_long_busy_animation_decodes_whole():
    rng = stream(2, "gif")
    frames = [rng.integers(0, 7, (90, 130)).astype(np.uint8) for _ in range(20)]
    for cells, (pixels, _) in zip(frames, _frames(image.gif(frames, states=7)), strict=True):
        assert np.array_equal(pixels, _expected(cells, 7, 4))


@pytest.mark.parametrize(
    ("shape", "scale"), [((1, 1), 512), ((3, 2), 171), ((64, 48), 8), ((200, 100), 3), ((300, 10), 2), ((512, 512), 1), ((3000, 20), 1)]
)
def test_a_picture_is_about_512_pixels_long(shape, scale):
    assert _decoded(image.png(np.ones(shape, np.uint8))).shape == (shape[0] * scale, shape[1] * scale, 3)


def test_long_animations_get_smaller_cells_until_they_fit():
    assert [image.check_frames(count, (64, 64)) for count in (1, 200, 1000, 2000)] == [8, 8, 4, 2]


def test_colours_are_those_of_the_house():
    paper, live = image.palette(2)
    assert live == charts._LIVE
    css = (shipped("thunderlab") / "faces" / "report" / "page.css").read_text()
    assert "#{:02x}{:02x}{:02x}".format(*paper) == re.search(r"--paper: (#[0-9a-f]{6})", css)[1]


def test_every_state_has_a_colour_of_its_own_and_dying_ones_grow_lighter():
    for states in range(2, 257):
        colours = image.palette(states)
        assert len(colours) == len(set(colours)) == states
        ages = [_luminance(colour) for colour in colours[2:]]
        assert all(younger < older for younger, older in zip(ages, ages[1:], strict=False))
        assert all(luminance < 0.8 * _luminance(colours[0]) for luminance in ages)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda cells: image.png(cells, scale=0), "a cell has at least 1 pixel, not 0"),
        (lambda cells: image.png(cells, scale=33), "33 pixels for each of 64x64 cells make a picture too large; a side has at most 2048"),
        (lambda cells: image.gif([cells] * 2001), "an animation of 2,001 frames is too long; at most 2,000 are written"),
        (lambda cells: image.gif([cells] * 1000, scale=8), "1,000 frames of 64x64 cells would need 262,144,000 pixels; at most 67,108,864"),
        (lambda cells: image.gif([cells], delay_ms=10), "20 to 60000 ms in steps of 10, not 10"),
        (lambda cells: image.gif([cells], delay_ms=55), "20 to 60000 ms in steps of 10, not 55"),
        (lambda cells: image.gif([cells], delay_ms=60_010), "20 to 60000 ms in steps of 10, not 60010"),
    ],
)
def test_too_much_is_refused_with_what_it_would_need(call, what):
    with pytest.raises(InputError, match=re.escape(what)):
        call(np.zeros((64, 64), np.uint8))


def test_a_lattice_too_large_for_a_picture_is_refused_before_memory_is_taken():
    cells = np.broadcast_to(np.uint8(0), (1 << 14, 1 << 13))
    tracemalloc.start()
    with pytest.raises(InputError, match="16384x8192 cells would need 134,217,728 pixels; at most 67,108,864 are drawn"):
        image.png(cells)
    with pytest.raises(InputError, match="at most 65535 pixels wide"):
        image.check_frames(1, (65_536, 4))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [np.zeros((2, 2, 2), np.uint8)],
        [np.zeros((0, 2), np.uint8)],
        [np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8)],
        [np.full((2, 2), 2, np.uint8)],
        [np.zeros((2, 2), np.int64)],
    ],
)
def test_cells_that_are_none_are_a_mistake_of_the_caller(frames):
    with pytest.raises(ValueError):
        image.gif(frames)
