import struct
import tracemalloc
import zlib
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from thunderlab.faces import png, voxels
from thunderlab.faces.charts import _shares, cells_png, is_folded, sparkline

NAN, INF = float("nan"), float("inf")


def decode(data):
    """A reader written from the PNG specification alone: palette images, filter 0, every checksum verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length) == (zlib.crc32(kind + body),)
        assert kind not in chunks
        chunks[kind] = body
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height, bits, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (colour, packing, filtering, interlace) == (3, 0, 0, 0)
    stride = 1 + -(-width * bits // 8)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, stride)
    assert not lines[:, 0].any()
    pixels = np.unpackbits(lines[:, 1:], axis=1)[:, :width] if bits == 1 else lines[:, 1:]
    colours = np.frombuffer(chunks[b"PLTE"], dtype=np.uint8).reshape(-1, 3)
    alpha = np.frombuffer(chunks[b"tRNS"], dtype=np.uint8)
    assert pixels.max() < len(colours) == len(alpha)
    return np.dstack([colours[pixels], alpha[pixels]])


def opaque(cells, **options):
    return decode(cells_png(np.asarray(cells), **options))[..., 3]


class TestSparkline:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ([], "no data"),
            ([NAN, INF], "no data"),
            ([5], "1 value, 5"),
            ([2, 2, 2], "3 values, all 2"),
            ([1, 4, 2], "3 values, from 1 to 4, latest 2"),
            ([1, NAN, 3], "2 values, from 1 to 3, latest 3, 1 missing"),
            ([1e308, -1e308], "2 values, from -1e+308 to 1e+308, latest -1e+308"),
        ],
    )
    def test_is_one_described_drawing(self, values, words):
        drawing = ET.fromstring(sparkline(values, title="Age"))
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label") == f"Age: {words}"
        assert [child.text for child in drawing[:2]] == ["Age", words]

    @pytest.mark.parametrize("values", [[], [5], [2, 2], [1, NAN, 3, 4], [1e308, -1e308], [5e-324, 0], list(range(500))])
    @pytest.mark.parametrize("limits", [(), (3,), (NAN, INF), (-1e308,)])
    def test_stays_inside_its_box(self, values, limits):
        drawing = ET.fromstring(sparkline(values, title="t", limits=limits, width=100, height=20))
        for dot in drawing.iter("{http://www.w3.org/2000/svg}circle"):
            assert 0 <= float(dot.get("cx")) <= 100 and 0 <= float(dot.get("cy")) <= 20
        for path in drawing.iter("{http://www.w3.org/2000/svg}path"):
            for letter in "MLHV":
                path.set("d", path.get("d").replace(letter, " "))
            assert all(0 <= float(number) <= 100 for number in path.get("d").split())

    def test_draws_by_hand_checkable_points(self):
        # 106 wide with 3 of padding each side: 0, 50, 100 across; 26 high: values 0..10 over 20 pixels, 0 at the bottom (23).
        assert 'd="M3 23L53 13L103 3"' in sparkline([0, 5, 10], title="t", width=106, height=26)

    def test_points_between_others_of_their_height_are_left_out(self):
        assert 'd="M3 23L63 23L83 13L103 3"' in sparkline([0, 0, 0, 0, 5, 10], title="t", width=106, height=26)
        assert 'd="M3 13L103 13"' in sparkline([7] * 1001, title="t", width=106, height=26)

    def test_breaks_the_line_where_a_value_is_missing(self):
        assert 'd="M3 23M103 3"' in sparkline([0, NAN, 10], title="t", width=106, height=26)

    def test_a_limit_is_a_dashed_line_and_widens_the_scale(self):
        drawn = sparkline([0, 5], title="t", limits=[10], width=106, height=26)
        assert 'd="M3 3H103" stroke="currentColor" stroke-opacity=".55" stroke-dasharray' in drawn
        assert 'd="M3 23L103 13"' in drawn

    def test_an_extent_makes_charts_comparable(self):
        assert 'd="M3 13L103 13"' in sparkline([0.5, 0.5], title="t", extent=(0, 1), width=106, height=26)

    def test_text_is_escaped(self):
        assert "<script" not in sparkline([1], title='"><script>', unit="</desc><script>")

    def test_takes_the_colour_of_its_surroundings(self):
        drawn = sparkline([1, 2], title="t")
        assert "currentColor" in drawn and "#" not in drawn and "style=" not in drawn


class TestPng:
    def test_holds_the_pixels_it_was_given(self):
        pixels = np.random.default_rng(0).integers(0, 2, (13, 11), dtype=np.uint8)
        read = decode(png.encode(pixels, [(1, 2, 3, 4), (5, 6, 7, 8)]))
        assert np.array_equal(read, np.array([[1, 2, 3, 4], [5, 6, 7, 8]], dtype=np.uint8)[pixels])

    def test_holds_many_colours(self):
        pixels = np.arange(200, dtype=np.uint8).reshape(10, 20)
        assert np.array_equal(decode(png.encode(pixels, [(value, 0, 0, 255) for value in range(200)]))[..., 0], pixels)

    @pytest.mark.parametrize(
        ("pixels", "palette"),
        [
            (np.zeros((0, 3), np.uint8), [(0, 0, 0, 0)]),
            (np.ones((1, 1), np.uint8), [(0, 0, 0, 0)]),
            (np.zeros(3, np.uint8), [(0, 0, 0, 0)]),
        ],
    )
    def test_refuses_what_is_no_picture(self, pixels, palette):
        with pytest.raises(ValueError):
            png.encode(pixels, palette)


class TestCells2d:
    def test_live_cells_are_opaque_and_dead_ones_transparent(self):
        shown = opaque([[1, 0], [0, 1]], size=32)
        assert shown.shape == (32, 32)
        assert shown[7, 7] == shown[23, 23] == 255
        assert shown[7, 23] == shown[23, 7] == 0

    def test_neighbours_are_kept_apart_when_there_is_room(self):
        shown = opaque(np.ones((2, 2)), size=32)
        assert shown[:, 15].max() == 0 and shown[:15, :15].min() == 255

    def test_a_small_pattern_on_a_large_lattice_is_shown_close_up(self):
        cells = np.zeros((500, 500))
        cells[250, 240:243] = 1
        shown = opaque(cells, size=160)
        assert shown.shape == (160, 160)
        assert (shown > 0).sum() == 3 * 9 * 9  # three cells of ten pixels, hairline taken off

    @pytest.mark.parametrize("corner", [(0, 0), (0, 99), (99, 0), (99, 99)])
    def test_a_close_up_at_the_edge_keeps_every_cell(self, corner):
        cells = np.zeros((100, 100))
        cells[corner] = 1
        assert (opaque(cells, size=160) > 0).sum() == 81

    @pytest.mark.parametrize("size", [32, 160, 177])
    @pytest.mark.parametrize("length", [161, 500, 1000])
    def test_lone_cells_survive_any_shrinking(self, length, size):
        cells = np.zeros((length, length))
        cells[3, 3] = cells[length - 1, length - 1] = 1
        shown = opaque(cells, size=size)
        assert shown[0, 0] == shown[-1, -1] == 255 or (shown > 0).any(axis=1).sum() >= 2

    def test_shrinking_shows_density(self):
        cells = np.zeros((320, 320))
        cells[:160] = 1
        cells[160:, ::2] = 1
        shown = opaque(cells, size=160)
        assert shown[10, 10] == 255 > shown[150, 10] > 100

    @pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 200), (161, 7)])
    def test_any_shape_is_drawn(self, shape):
        assert opaque(np.ones(shape)).max() == 255

    @pytest.mark.parametrize("shape", [(1, 400), (4, 4096), (4096, 4), (2, 161), (3, 100_000)])
    def test_a_strip_is_folded_into_a_picture_that_can_be_seen(self, shape):
        shown = opaque(np.ones(shape), size=160)
        assert is_folded(np.ones(shape))
        assert 2 * min(shown.shape) > max(shown.shape) and max(shown.shape) < 320

    def test_folding_shows_each_piece_below_the_one_before(self):
        # 2 x 200: eight pieces of 25 columns, three lines each but for the last; a cell is 7 pixels, a hairline between.
        cells = np.zeros((2, 200))
        cells[0, 0] = cells[1, 25] = cells[0, 199] = 1
        cells[1, 100] = 1  # keeps the middle from being cut out as empty
        shown = opaque(cells, size=160) > 0
        assert shown.shape == (7 * 23, 7 * 25)
        assert sorted(zip(*map(list, np.nonzero(shown[::7, ::7])), strict=True)) == [(0, 0), (4, 0), (13, 0), (21, 24)]

    def test_other_lattices_and_close_ups_are_not_folded(self):
        lone = np.zeros((40, 2000))
        lone[10, 1000] = 1
        assert not is_folded(np.ones((100, 1500))) and not is_folded(np.ones((2, 2, 100)))
        assert opaque(lone).shape == (160, 160) and not is_folded(lone)

    @pytest.mark.parametrize(("shape", "block"), [((7, 9), 2), ((5, 5), 7), ((10, 3), 3), ((1, 11), 4), ((5, 6, 7), 3), ((4, 4, 4), 4)])
    def test_shares_are_those_counted_block_by_block(self, shape, block):
        alive = (np.random.default_rng(5).random(shape) < 0.4).astype(np.uint8)
        found = _shares(alive, block)
        assert found.shape == tuple(-(-length // block) for length in shape)
        for place in np.ndindex(found.shape):
            part = alive[tuple(slice(index * block, (index + 1) * block) for index in place)]
            assert found[place] == int(part.sum()) / part.size

    def test_a_large_lattice_costs_little_more_memory_than_its_cells(self):
        cells = (np.random.default_rng(6).random((2000, 2000), dtype=np.float32) < 0.3).astype(np.uint8)
        tracemalloc.start()
        picture = cells_png(cells, size=180)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * cells.size and len(picture) < 1 << 17

    def test_nothing_alive_is_an_empty_picture(self):
        assert opaque(np.zeros((40, 40))).max() == 0

    def test_the_same_cells_give_the_same_bytes(self):
        cells = np.random.default_rng(1).integers(0, 2, (90, 90))
        assert cells_png(cells) == cells_png(cells.astype(np.uint8)) == cells_png(cells.astype(bool))

    @pytest.mark.parametrize("shape", [(3,), (2, 2, 2, 2), (0, 3), (2, 0, 2)])
    def test_refuses_other_shapes(self, shape):
        with pytest.raises(ValueError):
            cells_png(np.zeros(shape))

    def test_refuses_absurd_sizes(self):
        for size in (0, 31, 5000):
            with pytest.raises(ValueError):
                cells_png(np.ones((2, 2)), size=size)

    def test_its_blue_shows_on_white_and_on_black(self):
        red, green, blue, _ = decode(cells_png(np.ones((1, 1)), size=32))[0, 0]
        linear = [(value / 255 / 12.92) if value < 11 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in (red, green, blue)]
        light = np.dot(linear, [0.2126, 0.7152, 0.0722])
        assert 1.05 / (light + 0.05) >= 3 and (light + 0.05) / 0.05 >= 3


class TestCells3d:
    def test_one_cube_shows_three_faces_of_falling_light(self):
        picture = voxels.project(np.ones((1, 1, 1), dtype=np.uint8), 8)
        colours = np.array(voxels.palette())[picture]
        top, left, right = (colours[place][:3].sum() for place in ((4, 8), (10, 3), (10, 12)))
        assert top > left > right > 0
        assert colours[0, 0, 3] == 0

    def test_a_nearer_cube_covers_a_farther_one(self):
        far, both = np.zeros((2, 2, 2), dtype=np.uint8), np.zeros((2, 2, 2), dtype=np.uint8)
        far[0, 0, 0] = both[0, 0, 0] = 1
        near = np.zeros_like(far)
        near[1, 1, 1] = both[1, 1, 1] = 1
        assert np.array_equal(voxels.project(both, 8), voxels.project(near, 8))
        assert not np.array_equal(voxels.project(far, 8), voxels.project(near, 8))

    def test_nearer_means_lighter(self):
        cells = np.zeros((1, 9, 9), dtype=np.uint8)
        cells[0, 0, 0] = cells[0, 8, 8] = 1
        colours = np.array(voxels.palette())[voxels.project(cells, 8)][..., :3].sum(axis=2)
        assert colours[-20:].max() > colours[:20].max() > 0

    def test_leaving_out_covered_cells_never_changes_the_picture(self, monkeypatch):
        pictures = [(np.random.default_rng(seed).random((5, 6, 7)) < 0.1 * seed).astype(np.uint8) for seed in range(1, 10)]
        quick = [voxels.project(cells, 6) for cells in pictures]
        monkeypatch.setattr(voxels, "_in_sight", lambda cells: cells != 0)
        assert all(np.array_equal(before, voxels.project(cells, 6)) for before, cells in zip(quick, pictures, strict=True))

    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, 30, 2), (30, 1, 1), (10, 10, 10), (24, 24, 24), (64, 64, 64), (128, 40, 100)])
    def test_any_lattice_fits_twice_its_size(self, shape):
        cells = np.random.default_rng(2).random(shape) < 0.3
        cells[0, 0, 0] = True
        picture = decode(cells_png(cells, size=160))
        assert max(picture.shape[:2]) <= 320
        assert (picture[..., 3] == 255).any()

    def test_an_empty_lattice_is_a_faint_floor(self):
        assert 0 < decode(cells_png(np.zeros((5, 5, 5))))[..., 3].max() < 80
