import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from thunderlab.errors import InputError
from thunderlab.faces import charts
from thunderlab.faces.report.notebook_page import render_notebook
from thunderlab.faces.report.sanitise import sanitise

from . import samples

PICTURE = base64.b64encode(charts.cells_png(np.eye(8, dtype=np.uint8))).decode()

ATTACKS = (
    *samples.PAYLOADS,
    "<a href='java\nscript:window.hit=1'>x</a>",
    "<svg><script>window.hit=1</script><a xlink:href='javascript:window.hit=1'><text>x</text></a></svg>",
    "<svg><set attributeName=onload to=window.hit=1><animate onbegin=window.hit=1 attributeName=x dur=1s></svg>",
    "<svg><title><img src=x onerror=window.hit=1></title></svg>",
    "<svg><foreignObject><img src=x onerror=window.hit=1></foreignObject></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=window.hit=1>",
    "<form action=https://evil.example/><input autofocus onfocus=window.hit=1><button formaction=javascript:window.hit=1>x",
    "<object data='data:text/html,<script>parent.hit=1</script>'></object><embed src=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'><base href=https://evil.example/><link rel=stylesheet href=//evil.example/a.css>",
    "<img src=https://evil.example/a.png srcset='//evil.example/b 2x'><video poster=//evil.example/p src=//evil.example/v></video>",
    "<p style='background:url(https://evil.example/x)'>x</p><td background=//evil.example/x>",
    "<svg><rect fill='url(https://evil.example/#x)' width=9 height=9 /><image href=https://evil.example/i /><use href='//evil.example/#u'/></svg>",
    "<svg><rect fill='u\\72l(https://evil.example/#x)'/></svg>",
    "<img src='data:image/svg+xml;base64,PHN2Zy8+'><img src='data:text/html,x'>",
    "</section></main></body><h1>READY</h1>",
    "<title><script>window.hit=1</script>",
    "<plaintext><img src=x onerror=window.hit=1>",
    "[x](javascript:window.hit=1) ![y](https://evil.example/y.png) <https://evil.example/> \n\n[z]: https://evil.example/",
    "<iframe src=https://evil.example/></iframe><portal src=//evil.example/>",
)

# The page's own elements, and those of the attacks that are harmless and stay.
FRAME = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "footer", "figure"}
KEPT = {
    "p",
    "div",
    "span",
    "pre",
    "code",
    "em",
    "b",
    "br",
    "img",
    "h1",
    "svg",
    "g",
    "rect",
    "text",
    "desc",
    "table",
    "tr",
    "td",
    "th",
    "tbody",
}


def code(source="1", *outputs, tags=()):
    return {"cell_type": "code", "source": source, "metadata": {"tags": list(tags)}, "execution_count": 1, "outputs": list(outputs)}


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": {kind.replace("_", "/", 1): value for kind, value in data.items()}}


def markdown(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def write(folder, *cells, **changes):
    path = folder / "10_ca_qa.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | changes))
    return path


def render(folder, *cells, title="QA", **options):
    page = folder / "out" / "page.html"
    render_notebook(write(folder, *cells), page, title, **options)
    return page.read_text(encoding="utf-8")


def attacked(folder, attack):
    """One page with an attack in every place a notebook has for text."""
    data = [
        shown(**{kind: attack})
        for kind in ("text_html", "text_markdown", "text_plain", "image_svg+xml", "application_javascript", "image_png")
    ]
    streams = [{"output_type": "stream", "name": name, "text": attack} for name in ("stdout", "stderr")]
    error = {"output_type": "error", "ename": attack, "evalue": attack, "traceback": [attack]}
    nested = shown(application_json={attack: attack})
    raw = {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": attack}
    return render(folder, markdown(attack), raw, code(attack, *data, *streams, error, nested, tags=[attack]), title=attack)


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


class TestContent:
    def test_markdown_code_and_outputs_survive(self, tmp_path):
        html = render(
            tmp_path,
            markdown("# Title\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\nformula $a_i * b_i * c$"),
            code("x = 'text'  # why", {"output_type": "stream", "name": "stdout", "text": ["one\n", "two"]}),
            code("picture", shown(image_png=PICTURE, text_plain="<Image>")),
            code("table", shown(text_html="<style>p{}</style><table><tr><th>n</th></tr><tr><td>42</td></tr></table>", text_plain="n 42")),
        )
        for part in (
            "<h1>Title</h1>",
            "<strong>2</strong>",
            "a_i * b_i * c",
            "one\ntwo",
            "<td>42</td>",
            f"data:image/png;base64,{PICTURE}",
        ):
            assert part in html
        assert "p{}" not in html
        assert "text" in html and "# why" in html and "py-" in html

    def test_a_sparkline_comes_through_whole(self, tmp_path):
        line = charts.sparkline([1, 3, 2], title="Entropy", unit="bits")
        html = render(tmp_path, code("line", shown(text_html=line)))
        path = re.search(r'd="[^"]*"', line).group()
        assert path in html and 'viewBox="0 0 132 32"' in html and "<desc>3 values" in html and "var(--line, currentColor)" in html

    def test_an_error_has_no_terminal_codes(self, tmp_path):
        trace = ["\x1b[0;31m---\x1b[0m", "\x1b[0;31mValueError\x1b[0m: \x1b]8;;https://x\x07no\x1b]8;;\x07 <b>"]
        html = render(tmp_path, code("1/0", {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": trace}))
        assert "ValueError: no &lt;b&gt;" in html and "\x1b" not in html
        assert "This notebook stopped with an error." in html

    def test_a_progress_bar_is_its_last_line(self, tmp_path):
        html = render(tmp_path, code("run()", {"output_type": "stream", "name": "stderr", "text": "10 %\r 50 %\r100 %\n"}))
        assert "100 %" in html and "50 %" not in html

    def test_long_output_is_cut_and_says_so(self, tmp_path):
        html = render(tmp_path, code("run()", {"output_type": "stream", "name": "stdout", "text": "x" * 250_000}))
        assert "150,000 more characters are in the notebook" in html and len(html) < 200_000

    def test_tags_are_obeyed(self, tmp_path):
        out = {"output_type": "stream", "name": "stdout", "text": "printed"}
        assert "secret" not in render(tmp_path, code("secret", out, tags=["remove-cell"]))
        assert "secret" not in (html := render(tmp_path, code("secret", out, tags=["remove-input"]))) and "printed" in html
        assert "printed" not in render(tmp_path, code("x", out, tags=["remove-output"]))
        assert "Parameters of this run" in render(tmp_path, code("x = 1", tags=["injected-parameters"]))

    def test_a_widget_leaves_a_note(self, tmp_path):
        data = {"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "text/plain": "VBox(children=())"}
        html = render(tmp_path, code("panel", {"output_type": "display_data", "metadata": {}, "data": data}))
        assert "An interactive widget" in html and "VBox" not in html

    def test_html_that_was_only_a_program_falls_back_to_text(self, tmp_path):
        assert "Chart(...)" in render(tmp_path, code("chart", shown(text_html="<script>draw()</script>", text_plain="Chart(...)")))

    def test_its_title_is_a_heading_unless_the_notebook_has_one(self, tmp_path):
        assert render(tmp_path, markdown("plain"), title="Mine").count("<h1>Mine</h1>") == 1
        assert render(tmp_path, markdown("# Own"), title="Mine").count("<h1>") == 1

    def test_it_can_link_back(self, tmp_path):
        assert '<a href="../index.html">the report</a>' in render(tmp_path, back="../index.html")
        assert "<a " not in render(tmp_path).replace("<abbr", "")

    @pytest.mark.parametrize(
        "content",
        [
            "",
            "[]",
            "{",
            "{}",
            '{"nbformat": 3, "worksheets": []}',
            '{"nbformat": 4, "cells": {}}',
            '{"nbformat": 4, "cells": [1]}',
            "\x00",
            "[" * 50_000,
        ],
    )
    def test_what_is_no_notebook_is_refused_before_anything_is_written(self, tmp_path, content):
        path = tmp_path / "bad.ipynb"
        path.write_text(content)
        with pytest.raises(InputError, match="bad.ipynb"):
            render_notebook(path, tmp_path / "page.html", "Bad")
        assert not (tmp_path / "page.html").exists()

    @pytest.mark.parametrize("broken", [{"outputs": 3}, {"outputs": [None]}])
    def test_a_broken_output_is_refused(self, tmp_path, broken):
        with pytest.raises(InputError, match="output"):
            render(tmp_path, code() | broken)

    @pytest.mark.parametrize(
        "odd",
        [
            {"source": None},
            {"source": [1, "x"]},
            {"metadata": None},
            {"metadata": {"tags": "x"}},
            {"execution_count": "7"},
            {"cell_type": "future"},
            {"outputs": None},
        ],
    )
    def test_odd_but_harmless_cells_are_shown(self, tmp_path, odd):
        assert "<main" in render(tmp_path, code("x", shown(text_plain=["a", "b"])) | odd)


class TestSafety:
    @pytest.mark.parametrize("attack", ATTACKS)
    def test_nothing_runs_links_or_is_fetched(self, tmp_path, attack):
        html = attacked(tmp_path, attack)
        tags = Tags(html).found
        assert {tag for tag, _ in tags} <= FRAME | KEPT
        for tag, attrs in tags:
            assert not any(name.startswith("on") or name in {"style", "srcset", "href", "action", "srcdoc", "poster"} for name in attrs)
            assert attrs.get("src", "data:image/png;base64,").startswith("data:image/")
            assert not any("url(" in str(value) for value in attrs.values() if tag in {"rect", "svg"})
        assert [tag for tag, _ in tags].count("main") == html.count("</main>") == html.count("</body>") == 1

    def test_links_become_their_text(self):
        assert sanitise('see <a href="https://example.org/a?b=1&amp;c">this</a>') == "see this"
        assert sanitise('<a href="javascript:x">this</a>') == "this"

    def test_everything_opened_is_closed_as_browsers_do_it(self):
        assert sanitise("</div>x<b><i>y</b>z") == "x<b><i>y</i></b><i>z</i>"
        assert sanitise("<table><td>1<p>open") == "<table><tbody><tr><td>1<p>open</p></td></tr></tbody></table>"

    # nh3 alone takes away what follows the last four, which belong to SVG and MathML and yet are words people fill in.
    @pytest.mark.parametrize("name", ["a", "font", "lattice", "path", "list", "mask", "title"])
    def test_elements_that_are_not_kept_leave_their_text(self, name):
        assert sanitise(f"<p>run <{name}> twice</p><p>then</p>") == "<p>run  twice</p><p>then</p>"

    def test_a_drawing_keeps_its_shapes_and_loses_its_stock(self):
        drawn = sanitise('<svg viewBox="0 0 9 9"><defs><clipPath id="c"><rect/></clipPath></defs><path d="M0 0" onclick="x()"/></svg>')
        assert drawn == '<svg viewBox="0 0 9 9" role="img"><path d="M0 0"></path></svg>'

    def test_a_picture_from_elsewhere_leaves_a_note(self):
        assert sanitise('<img src="https://example.org/a.png">') == "[picture not included]"
        assert sanitise('<img src="a.png" alt="Growth">') == '<img alt="Growth">'

    def test_half_a_character_is_no_obstacle(self):
        assert sanitise("<b>\ud800</b>") == "<b>?</b>"

    def test_sanitising_twice_changes_nothing(self):
        for attack in ATTACKS:
            once = sanitise(attack)
            assert sanitise(once) == once
