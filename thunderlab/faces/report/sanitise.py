"""HTML from notebooks made harmless by nh3: only listed elements and attributes survive, and nothing that fetches or runs is listed."""

from __future__ import annotations

import re

_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+")
# The ways a drawing's paint can point somewhere else, with the backslash that could spell them otherwise.
_POINTING = re.compile(r"\\|url|image", re.IGNORECASE)
# Everything that may be a drawing, as one match; otherwise the beginning of one tag.
_DRAWING_OR_TAG = re.compile(r"<svg\b.*</svg|<svg\b.*|<(/?)([a-z]+)(?=[\s/>])", re.IGNORECASE | re.DOTALL)

_BLOCKS = {"p", "br", "hr", "div", "pre", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "details", "summary", "figure", "figcaption"}
_MARKS = {"span", "strong", "b", "em", "i", "u", "s", "del", "ins", "sub", "sup", "small", "mark"}
_PHRASES = {"code", "kbd", "samp", "var", "q", "cite", "abbr", "data", "time", "img"}
_LISTS = {"ul", "ol", "li", "dl", "dt", "dd"}
_TABLES = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "colgroup", "col"}
_HTML = _BLOCKS | _MARKS | _PHRASES | _LISTS | _TABLES
_DRAWING = {"svg", "g", "path", "line", "polyline", "polygon", "rect", "circle", "ellipse", "text", "tspan", "title", "desc"}
# What they hold is program, style, control or a drawing's stock, not content: it goes with the element.
_DROPPED = {"script", "style", "template", "noscript", "noembed", "noframes", "xmp", "math", "iframe", "object", "textarea", "select"}
_STOCK = {"defs", "clipPath", "mask", "symbol"}

_PLACES = {"x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "d", "points", "transform"}
_STROKES = {"stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"}
_PAINTS = {"fill", "fill-opacity", "opacity", "text-anchor", "dominant-baseline", "font-size", "font-weight"}
_DRAWING_ATTRIBUTES = _PLACES | _STROKES | _PAINTS | {"width", "height", "viewBox", "role", "aria-label"}
_ATTRIBUTES = dict.fromkeys(_DRAWING, _DRAWING_ATTRIBUTES) | {
    "*": set(),
    "th": {"colspan", "rowspan", "scope", "align"},
    "td": {"colspan", "rowspan", "align"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "data": {"value"},
    "time": {"datetime"},
    "details": {"open"},
}


def sanitise(html: str) -> str:
    """Return the same content with nothing in it that runs, fetches, links out or reaches beyond its own place.

    Kept are text elements, tables, pictures given as `data:` URIs and plain SVG drawings, every one closed where it was opened. Links become
    their text. Styles, classes, ids, handlers, forms, frames and scripts are dropped; unknown elements leave their text behind.

    >>> sanitise('<b onclick="x()">bold<script>x()</script></b> <a href="javascript:x()">link</a>')
    '<b>bold</b> link'
    >>> sanitise('<table><td>1<p>open')
    '<table><tbody><tr><td>1<p>open</p></td></tr></tbody></table>'
    >>> sanitise('run <path> twice')
    'run  twice'
    """
    import nh3

    cleaned = nh3.clean(
        _DRAWING_OR_TAG.sub(_renamed, html.encode("utf-8", "replace").decode()),
        tags=_HTML | _DRAWING,
        clean_content_tags=_DROPPED | _STOCK,
        attributes=_ATTRIBUTES,
        attribute_filter=_fitting,
        set_tag_attribute_values={"svg": {"role": "img"}},
        url_schemes={"data"},
    )
    return cleaned.replace("<img>", "[picture not included]")


def _fitting(_tag: str, name: str, value: str) -> str | None:
    """Return an attribute's value; None when it points anywhere."""
    if name == "src":
        return value if _DATA_IMAGE.fullmatch(value) else None
    return value if name in {"alt", "aria-label"} or not _POINTING.search(value) else None


def _renamed(found: re.Match[str]) -> str:
    """Return a drawing or a known element as it is, and any other under a name that means nothing.

    Outside of drawings and formulas nh3 drops the elements of SVG and MathML, `<path>` and `<list>` among them, with all they hold.
    """
    return found[0] if not found[2] or found[2].lower() in _HTML | _DROPPED else f"<{found[1]}x-{found[2]}"
