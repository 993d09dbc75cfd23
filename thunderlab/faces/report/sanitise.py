"""HTML from notebooks made harmless: only listed elements and attributes survive, and nothing that fetches or runs is listed."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_DATA_IMAGE = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+")
# The ways a drawing's paint can point somewhere else, with the backslash that could spell them otherwise.
_POINTING = re.compile(r"\\|url|image", re.IGNORECASE)

_PROSE = {
    "p",
    "br",
    "hr",
    "div",
    "span",
    "pre",
    "blockquote",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "details",
    "summary",
    "figure",
    "figcaption",
}
_PHRASES = {
    "strong",
    "b",
    "em",
    "i",
    "u",
    "s",
    "del",
    "ins",
    "sub",
    "sup",
    "small",
    "mark",
    "code",
    "kbd",
    "samp",
    "var",
    "q",
    "cite",
    "abbr",
}
_LISTS = {"ul", "ol", "li", "dl", "dt", "dd", "data", "time"}
_TABLES = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "colgroup", "col"}
_TEXT = _PROSE | _PHRASES | _LISTS | _TABLES | {"img"}
_DRAWING = {"svg", "g", "path", "line", "polyline", "polygon", "rect", "circle", "ellipse", "text", "tspan", "title", "desc"}
_VOID = {"br", "hr", "img", "col"}
# Their text is program or style, not content: it goes with the element.
_PROGRAMS = {"script", "style", "template", "noscript", "noembed", "noframes", "xmp", "math", "head"}
_CONTROLS = {"iframe", "object", "textarea", "select"}

_ATTRIBUTES = {
    "th": {"colspan", "rowspan", "scope", "align"},
    "td": {"colspan", "rowspan", "align"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "data": {"value"},
    "time": {"datetime"},
    "details": {"open"},
}
_PLACES = {
    "width",
    "height",
    "viewbox",
    "d",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "dx",
    "dy",
    "points",
    "transform",
}
_STROKES = {"stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"}
_PAINTS = {"fill", "fill-opacity", "opacity", "text-anchor", "dominant-baseline", "font-size", "font-weight"}
_DRAWING_ATTRIBUTES = _PLACES | _STROKES | _PAINTS | {"role", "aria-label"}


def sanitise(html: str) -> str:
    """Return the same content with nothing in it that runs, fetches, links out or reaches beyond its own place.

    Kept are text elements, tables, pictures given as `data:` URIs and plain SVG drawings, every one closed where it was opened. Links become
    their text followed by the address as text. Styles, classes, ids, handlers, forms, frames and scripts are dropped; unknown elements
    leave their text behind.

    >>> sanitise('<b onclick="x()">bold<script>x()</script></b> <a href="javascript:x()">link</a>')
    '<b>bold</b> link'
    >>> sanitise('<td>1<p>open')
    '<td>1<p>open</p></td>'
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    """Rebuilds HTML from parser events, so that what comes out is only ever what is written here."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._dropping: list[str] = []
        self._addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _PROGRAMS | _CONTROLS:
            self._dropping.append(tag)
        if self._dropping:
            return
        if tag == "a":
            self._addresses.append(dict(attrs).get("href") or "")
        drawing = "svg" in self._open
        if tag in (_DRAWING if drawing or tag == "svg" else _TEXT):
            kept = self._attributes(tag, attrs, _DRAWING_ATTRIBUTES if tag in _DRAWING else _ATTRIBUTES.get(tag, set()))
            if tag == "img" and " src=" not in kept:
                self._parts.append(escape(dict(attrs).get("alt") or "[picture not included]"))
                return
            self._parts.append(f"<{tag}{kept}>")
            if tag not in _VOID:
                self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # Outside a drawing the slash means nothing in HTML, as browsers read it.
        self.handle_starttag(tag, attrs)
        if self._open[-1:] == [tag] and tag in _DRAWING:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping[-1]:
                self._dropping.pop()
            return
        if tag == "a" and self._addresses:
            address = self._addresses.pop()
            if address.startswith(("http://", "https://")):
                self._parts.append(escape(f" ({address})"))
        if tag in self._open:
            while True:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self._parts.append(escape(data, quote=False))

    def result(self) -> str:
        return "".join(self._parts) + "".join(f"</{tag}>" for tag in reversed(self._open))

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]], allowed: set[str]) -> str:
        found: dict[str, str] = {}
        for name, value in attrs:
            text = value or ""
            if name == "src":
                fits = _DATA_IMAGE.fullmatch(text) is not None
            else:
                fits = name in {"alt", "aria-label"} or _POINTING.search(text) is None
            if fits and name in allowed:
                # The parser lower-cases names; this one a drawing needs as it was.
                found.setdefault("viewBox" if name == "viewbox" else name, text)
        if tag == "svg":
            found.setdefault("role", "img")
        return "".join(f' {name}="{escape(text)}"' for name, text in found.items())
