"""Bars say what they show in words, and what is there is seen, however little it is."""

import re
from xml.etree import ElementTree as ET

import pytest

from thunderlab.faces.bars import bar


def _lengths(svg):
    return [float(found) for found in re.findall(r"v[\d.]+h-([\d.]+)Z", svg)]


@pytest.mark.parametrize(
    ("denied", "allowed", "most", "lengths"),
    [
        (50, 0, 100, [64.5]),
        (0, 100, 100, [129.0]),
        (25, 75, 100, [32.2, 96.8]),
        (1, 0, 1_000_000, [2.0]),
        (0, 0, 0, []),
        (30, 0, 10, [129.0]),
    ],
)
def test_bars_are_as_long_as_their_share(denied, allowed, most, lengths):
    """The width of 132 pixels less a margin of 1.5 on either side stands for `most`."""
    svg = bar(denied, allowed, most, title="a & b <i>")
    assert _lengths(svg) == pytest.approx(lengths, abs=0.06)
    assert ET.fromstring(svg).get("aria-label") == f"a & b <i>: {denied} newly denied, {allowed} newly allowed"


def test_the_two_kinds_differ_in_more_than_colour():
    denied, allowed = bar(1, 0, 1, title="x"), bar(0, 1, 1, title="x")
    assert 'fill="none"' in allowed and 'fill="none"' not in denied
