import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from thunderlab.faces.dots import dots

NAN, INF = float("nan"), float("inf")


def marks(drawn):
    """Where a drawing of dots has dots and crosses: the middle of each."""
    dot = [tuple(map(float, place)) for place in re.findall(r"M([-\d.]+) ([-\d.]+)h0", drawn)]
    cross = [(float(x) + 2, float(y) + 2) for x, y in re.findall(r"M([-\d.]+) ([-\d.]+)l4 4m-4 0l4-4", drawn)]
    return dot, cross


class TestDots:
    @pytest.mark.parametrize(
        ("values", "band", "words"),
        [
            ([], None, "no data"),
            ([NAN], (0, 1), "no data"),
            ([3, 1, 2, 9], None, "4 values, from 1 to 9 bits, median 2"),
            ([3, 1, 2, 9], (2, 9), "4 values, from 1 to 9 bits, median 2; 3 of them within 2 to 9"),
            ([3, INF], (0, 1), "1 values, from 3 to 3 bits, median 3, 1 missing; 0 of them within 0 to 1"),
        ],
    )
    def test_is_one_described_drawing(self, values, band, words):
        drawing = ET.fromstring(dots(values, title="Seeds", unit="bits", band=band))
        assert drawing.get("aria-label") == f"Seeds: {words}"
        assert [child.text for child in drawing[:2]] == ["Seeds", words]

    @pytest.mark.parametrize("count", [1, 2, 64, 1024])
    @pytest.mark.parametrize("band", [None, (0.25, 0.75), (0.4999, 0.5), (-1.0, 2.0), (5.0, 6.0)])
    def test_every_value_is_a_dot_or_a_cross_and_stays_in_the_picture(self, count, band):
        values = np.random.default_rng(count).random(count).tolist()
        dot, cross = marks(dots(values, title="t", band=band, width=240, height=46))
        inside = count if band is None else sum(band[0] <= value <= band[1] for value in values)
        assert (len(dot), len(cross)) == (inside, count - inside)
        assert all(2 <= x <= 238 and 2 <= y <= 44 for x, y in dot + cross)

    @pytest.mark.parametrize("values", [[0.5] * 64, [1e308, -1e308, 0.0], [5e-324, 0.0]])
    def test_odd_spreads_are_drawn(self, values):
        dot, cross = marks(dots(values, title="t", band=(min(values), max(values)), median=(values[0], values[0])))
        assert len(dot) == len(values) and cross == []

    def test_crosses_lie_beside_the_frame_however_little_is_missing(self):
        drawn = dots([0.0, 0.999, 1.0, 2.0, 2.001, 3.0], title="t", band=(1.0, 2.0))
        left, right = map(float, re.search(r'd="M([\d.]+) 1.5V[\d.]+H([\d.]+)V1.5Z"', drawn).groups())
        dot, cross = marks(drawn)
        assert [left < x < right for x, _ in dot] == [True, True]
        assert [x < left or x > right for x, _ in cross] == [True] * 4

    def test_equal_values_stand_on_each_other(self):
        dot, _ = marks(dots([1, 1, 1, 2], title="t"))
        assert len({x for x, _ in dot}) == 2 and len(set(dot)) == 4

    def test_colour_is_never_the_only_sign(self):
        drawn = dots([1, 2, 9], title="t", band=(1, 2))
        assert "var(--blocked, currentColor)" in drawn and len(marks(drawn)[1]) == 1
        assert "style=" not in drawn and "#" not in drawn

    def test_text_is_escaped(self):
        assert "<script" not in dots([1], title='"><script>', unit="</desc><script>")
