"""The report in a real browser. Skipped, saying so, where no Chromium is installed."""

import shutil

import pytest

from thunderlab.faces.report import page
from thunderlab.faces.report.build import build

from . import samples
from .test_notebook_page import ATTACKS, attacked, code, markdown, render, shown

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found: install one (Debian: apt-get install chromium)")

# Contrast of every element with text of its own, by the formula of WCAG 2.2; large text (24 px, or 18.66 px bold) may have 3:1.
CONTRAST = """() => {
  const parse = text => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1] };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = colour => { const [r, g, b] = colour.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b };
  const ground = element => element ? over(parse(getComputedStyle(element).backgroundColor), ground(element.parentElement)) : [255, 255, 255, 1];
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
    if (!own || element.closest('svg, script, style, .skip') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element), under = ground(element);
    const [a, b] = [light(over(parse(style.color), under)), light(under)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700) ? 3 : 4.5;
    found.push([ratio, needed, element.textContent.trim().slice(0, 40)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """The four sample reports, each in its own folder."""
    folder = tmp_path_factory.mktemp("reports")
    return {status: build(folder / status, *samples.sample(status))["index.html"] for status in samples.STATUSES}


@pytest.fixture
def visit(browser):
    """Open a file and return the page; whatever it asks for or complains about is collected and must be nothing."""
    contexts, trouble = [], []

    def opened(path, *, width=1280, scheme="light", media="screen", scripts=True):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts)
        contexts.append(context)
        tab = context.new_page()
        tab.emulate_media(media=media, color_scheme=scheme)
        tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or trouble.append(request.url))
        tab.on("console", lambda message: trouble.append(message.text))
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("dialog", lambda dialog: (trouble.append(dialog.message), dialog.dismiss()))
        tab.goto(path.as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert trouble == []


@pytest.mark.parametrize("status", samples.STATUSES)
@pytest.mark.parametrize("width", [360, 800, 1280])
def test_nothing_scrolls_sideways(visit, reports, status, width):
    tab = visit(reports[status], width=width)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width


def test_hostile_length_does_not_scroll_sideways(visit, tmp_path):
    long = build(tmp_path, *samples.hostile("unbroken" * 60))["index.html"]
    assert visit(long, width=360).evaluate("document.scrollingElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("status", samples.STATUSES)
def test_text_has_enough_contrast(visit, reports, status, scheme):
    tab = visit(reports[status], scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    measured = tab.evaluate(CONTRAST)
    assert len(measured) > 60
    assert [row for row in measured if row[0] < row[1]] == []


def test_light_and_dark_differ(visit, reports):
    grounds = {
        visit(reports["healthy"], scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor") for scheme in ("light", "dark")
    }
    assert len(grounds) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_works_without_scripts(visit, reports, scheme):
    tab = visit(reports["blocked"], scheme=scheme, scripts=False)
    assert tab.locator("h1").inner_text() == "BLOCKED"
    assert tab.locator(".card img").first.bounding_box()["height"] > 100
    more = tab.locator("main details").first
    assert more.locator("dl").is_hidden()
    more.locator("summary").click()
    assert more.locator("dl").is_visible()


def test_print_shows_what_is_folded_and_drops_navigation(visit, reports):
    visible = "[...document.querySelectorAll('details > dl')].map(part => part.checkVisibility({contentVisibilityAuto: true}))"
    screen, paper = visit(reports["healthy"]), visit(reports["healthy"], media="print", width=700)
    assert not any(screen.evaluate(visible))
    assert all(paper.evaluate(visible)) and len(paper.evaluate(visible)) == len(screen.evaluate(visible)) > 3
    assert paper.locator("nav").is_hidden()
    assert [row for row in paper.evaluate(CONTRAST) if row[0] < row[1]] == []


def test_the_keyboard_reaches_everything_starting_with_the_skip_link(visit, reports):
    tab = visit(reports["blocked"])
    focused = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        focused.append(tab.evaluate("(document.activeElement.getAttribute('href') || document.activeElement.tagName)"))
    assert focused[0] == "#content"
    assert {"#readings", "notebooks/00_tour.html", "brg.json", "SUMMARY"} <= set(focused)


def test_pictures_decode_in_a_browser(visit, reports):
    sizes = visit(reports["healthy"]).evaluate("[...document.images].map(one => [one.complete, one.naturalWidth])")
    assert len(sizes) == 3 and all(complete and width >= 180 for complete, width in sizes)


# What lines and dots are drawn with, by the same formula, over the ground they lie on; what is not text needs 3:1 (WCAG 2.2, 1.4.11).
DRAWN = (
    CONTRAST[: CONTRAST.index("  const found")]
    + """
  return [...document.querySelectorAll('.dots svg path')].map(path => {
    const style = getComputedStyle(path), under = ground(path.closest('tr, article')), colour = style.stroke === 'none' ? style.fill : style.stroke;
    const drawn = parse(colour); drawn[3] *= parseFloat(style.stroke === 'none' ? style.fillOpacity : style.strokeOpacity);
    const [a, b] = [light(over(drawn, under)), light(under)];
    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), path.getAttribute('d').slice(0, 20)];
  });
}"""
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("status", ["healthy", "blocked"])
def test_seeds_and_bands_can_be_told_from_their_ground(visit, reports, status, scheme):
    drawn = visit(reports[status], scheme=scheme).evaluate(DRAWN)
    assert len(drawn) >= 4 and [row for row in drawn if row[0] < 3] == []


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_seeds_have_a_picture_of_a_size_to_read_beside_their_numbers(visit, reports, width):
    tab = visit(reports["blocked"], width=width, scripts=False)
    row = tab.locator("tr.strayed")
    box = row.locator("svg[aria-label]").bounding_box()
    assert 180 <= box["width"] <= width and box["height"] >= 34 and box["x"] >= 0 and box["x"] + box["width"] <= width
    for words in ("outside", "9 of 16", "7 of 16 seeds lie outside the band"):
        assert words in row.inner_text()
    ground, others = (
        tab.locator(f"tbody tr{kind}").last.evaluate("one => getComputedStyle(one).backgroundColor")
        for kind in (".strayed", ":not(.strayed)")
    )
    assert ground != others


def test_the_data_can_be_read_back(visit, reports):
    tab = visit(reports["unknown"])
    assert tab.evaluate("JSON.parse(document.getElementById('brg').textContent).status") == "unknown"


@pytest.fixture(scope="module")
def target(browser):
    """A tab to attack. The policy is taken out of each page first: what is harmless without it is harmless with it."""
    tab, signs = browser.new_page(), []
    tab.on("dialog", lambda dialog: (signs.append(dialog.message), dialog.dismiss()))
    tab.on("request", lambda request: request.url.startswith(("file:", "data:image/png", "data:image/jpeg")) or signs.append(request.url))

    def attack(path, html):
        """Every sign that a page did something: a mark set, a dialog, a request, a frame, another address."""
        signs.clear()
        path.write_text(html.replace("Content-Security-Policy", "X-None"), encoding="utf-8")
        tab.goto(path.as_uri())
        tab.evaluate("document.querySelectorAll('body, body *:not(a):not(summary)').forEach(one => { one.focus?.(); one.click?.() })")
        tab.wait_for_timeout(30)
        if tab.evaluate("window.hit") is not None or len(tab.frames) > 1 or tab.url != path.as_uri():
            signs.append("something ran")
        return signs

    yield attack
    tab.close()


def test_an_attack_that_works_is_noticed(target, tmp_path):
    assert target(tmp_path / "a.html", "<img src=x onerror='window.hit=1'>") == ["something ran"]
    assert target(tmp_path / "b.html", "<img src='http://127.0.0.1:9/'>") == ["http://127.0.0.1:9/"]


@pytest.mark.parametrize("payload", samples.PAYLOADS)
def test_hostile_text_never_runs_even_without_the_policy(target, tmp_path, payload):
    fields = str(samples.hostile("FIELD")).count("'FIELD")
    assert fields * len(samples.PAYLOADS) >= 400
    html = page.render(*samples.hostile(payload))
    assert html.count("Content-Security-Policy") == 1
    assert target(tmp_path / "page.html", html) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_notebooks_never_run_even_without_the_policy(target, tmp_path, attack):
    assert target(tmp_path / "page.html", attacked(tmp_path, attack)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_notebook_page_is_readable(visit, tmp_path, scheme):
    outputs = [shown(text_html="<table><caption>t</caption><tr><th>n</th><td>1</td></tr></table>"), shown(text_plain="word " * 200)]
    error = {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["E: " + "x" * 900]}
    render(
        tmp_path,
        markdown("# Title\n\ntext `code` *em*\n\n> quote"),
        code("import os  # why\nx: str = f'{1} text'\n" + "y = " + "1 + " * 200 + "1", *outputs, error),
    )
    tab = visit(tmp_path / "out" / "page.html", width=360, scheme=scheme)
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= 360
    measured = tab.evaluate(CONTRAST)
    assert len(measured) > 10 and [row for row in measured if row[0] < row[1]] == []
