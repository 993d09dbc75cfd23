"""The report as one HTML file: no script runs, nothing is fetched, every state has a shape and a word besides its colour."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from thunderlab import canonical
from thunderlab.automata import packed_states
from thunderlab.automata.qa.baseline import Baseline, breach_text
from thunderlab.automata.qa.results import Breach, ScenarioResult, SuiteResult, Value
from thunderlab.errors import ThunderlabError
from thunderlab.faces import charts
from thunderlab.faces.dots import dots
from thunderlab.faces.report import policy as policy_section
from thunderlab.faces.report import standing, twins, wording
from thunderlab.faces.report.policy import PolicyReport
from thunderlab.faces.report.provenance import NotebookRun, Provenance
from thunderlab.faces.report.standing import Held
from thunderlab.gate.readiness import Readiness
from thunderlab.gate.reading import Reading, Status

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_HERE = Path(__file__).parent
_SECTIONS = (
    ("reasons", "Blocking reasons"),
    ("coverage", "Coverage"),
    ("readings", "Readings"),
    ("qa", "Automata QA"),
    ("policy", "Policy"),
    ("notebooks", "Notebooks"),
    ("provenance", "Where this came from"),
    ("again", "Check it again"),
)
# What is shown of a scenario at once; the rest unfolds.
_KEY_METRICS = ("entropy_mean", "emergence", "alive_ratio", "cluster_count", "convergence_steps", "oscillation_period")
_SHOWN_METRICS = 5
_DIGEST = re.compile("[0-9a-f]{64}")
_BESIDE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./-]*\.html")
_PICTURE_SIZE = 180
_SHOWN_SCENARIOS = 12


class _Metrics(NamedTuple):
    first: list[tuple[str, Value]]
    rest: list[tuple[str, Value]]


class _SeedCounts(NamedTuple):
    shown: list[Held]
    rest: list[Held]


class _Promise(NamedTuple):
    value: str
    words: str


class _Picture(NamedTuple):
    source: str
    alt: str
    note: str = ""


def render(
    readiness: Readiness,
    suites: Sequence[SuiteResult],
    provenance: Provenance,
    notebooks: Sequence[NotebookRun],
    baselines: Mapping[str, Baseline] | None = None,
    policy: PolicyReport | None = None,
) -> str:
    """Return the whole report as one self-contained HTML document.

    It makes no request, needs no script and carries its own data (`twins.brg_json`, canonical bytes with `<`, `>` and `&` escaped) with
    the SHA-256 of those bytes printed beside it. All text is escaped, whatever it says; a final state that cannot be read is said to be so.

    Args:
        readiness: the verdict and the readings it rests on.
        suites: QA runs to show, failed scenarios first within each; of many that passed, all but the first dozen are folded away.
        provenance: what produced all this.
        notebooks: the pack; a page is linked only when its path is a plain one below the report's folder.
        baselines: what the suites are held against, by suite; a suite without one is said to have none.
        policy: what was decided; see `policy.collect_policy`.
    """
    data = canonical.encode(twins.brg_json(readiness, suites, provenance, notebooks, baselines, policy))
    css = stylesheet()
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            readiness=readiness,
            suites=[(suite, standing.stand(suite, (baselines or {}).get(suite.suite))) for suite in suites],
            provenance=provenance,
            notebooks=notebooks,
            policy=policy,
            verdict=wording.VERDICTS[readiness.status],
            sections=_SECTIONS,
            by_name={reading.name: reading for reading in readiness.readings},
            measured=[gate for gate in readiness.gates if gate.reading],
            shown_at_once=_SHOWN_SCENARIOS,
            dirty=_dirty(provenance.dirty),
            commands=_commands(provenance, suites),
            twin=_script_text(data),
            twin_digest=canonical.digest(data),
            css=css,
            css_hash=style_hash(css),
        )
    )


def stylesheet() -> Markup:
    """Return the style every page of a report shares."""
    from markupsafe import Markup

    # Our own file, not anybody's input; the assertion holds it to that even if a comment ever quotes a tag.
    css = (_HERE / "page.css").read_text(encoding="utf-8")
    assert "<" not in css
    return Markup(css)  # noqa: S704


def style_hash(css: str) -> str:
    """Return the Content-Security-Policy source that allows exactly this style element (CSP level 3, section 2.3.1).

    >>> style_hash("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return f"sha256-{base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()}"


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "quantity": wording.quantity,
        "moment": wording.moment,
        "capitalize_first": _capitalize_first,
        "span": wording.span,
        "at_scale": wording.at_scale,
        "action": wording.action,
        "argument": shlex.quote,
        "state_word": _state_word,
        "metric": _metric,
        "promise": _promise,
        "plain": _plain,
        "history": _history,
        "entropy_line": _entropy_line,
        "key_metrics": _key_metrics,
        "picture": _picture,
        "seed_dots": _seed_dots,
        "seed_counts": _seed_counts,
        "pack_name": standing.pack_name,
        "notebook_status": _notebook_status,
        "is_beside": _is_beside,
        "concerned": policy_section.concerned,
        "share_bar": policy_section.share_bar,
        "changed_samples": policy_section.changed_samples,
    }
    return environment


def _script_text(data: bytes) -> Markup:
    """Return JSON as it may stand in a script element: no character in it can end or comment the element."""
    from markupsafe import Markup

    text = data.decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704


def _dirty(dirty: bool | None) -> str:
    if dirty is None:
        return "whether it had uncommitted changes is not known"
    return "with changes that are not committed" if dirty else "nothing uncommitted"


def _commands(provenance: Provenance, suites: Sequence[SuiteResult]) -> str:
    checkout = [f"git checkout {shlex.quote(provenance.commit)}"] if provenance.commit else []
    suite_runs = [f"thunderlab qa run --suite {shlex.quote(suite.suite)}" for suite in suites]
    return "\n".join([*checkout, "make run", "thunderlab gate check", *suite_runs, "thunderlab ledger audit --full"])


def _state_word(status: Status) -> str:
    return wording.VERDICTS[status].state


def _metric(value: Value) -> str:
    if isinstance(value, str) and _DIGEST.fullmatch(value):  # whole in brg.json; here it would be eight lines of noise
        return f"{value[:8]}…"
    return "undefined" if value is None else wording.quantity(value)


def _promise(breach: Breach) -> _Promise:
    """Return a breach as its value and, in words, what had been promised."""
    low, high = breach.low, breach.high
    if breach.metric.startswith("baseline."):  # about the baseline itself, which has no value worth a line
        return _Promise("", breach_text(breach).partition(": ")[2])
    if breach.metric.startswith("ensemble_") and breach.metric.endswith("_outside"):
        return _Promise(_metric(breach.value), f"seeds outside their band, at most {_metric(high)} may be")
    if low is None or high is None:
        limits = " and ".join(f"at {word} {_metric(limit)}" for word, limit in (("least", low), ("most", high)) if limit is not None)
    else:
        limits = f"exactly {_metric(low)}" if low == high else f"{_metric(low)} to {_metric(high)}"
    baseline = "" if breach.baseline is None or breach.baseline == low == high else f", baseline {_metric(breach.baseline)}"
    return _Promise(_metric(breach.value), f"allowed {limits or 'only when defined'}{baseline}")


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _plain(value: float | None) -> str:
    return "" if value is None else repr(value)


def _history(reading: Reading) -> Markup:
    from markupsafe import Markup

    return Markup(charts.sparkline(reading.history, title=f"History of {reading.title}", unit=reading.unit, width=112, height=28))  # noqa: S704


def _entropy_line(scenario: ScenarioResult) -> Markup:
    from markupsafe import Markup

    return Markup(  # noqa: S704
        charts.sparkline(scenario.entropy, title=f"State entropy of {scenario.title}", unit="bits", extent=(0.0, 1.0), width=132, height=40)
    )


def _seed_dots(held: Held) -> Markup:
    from markupsafe import Markup

    band = None if held.band is None else (held.band.low, held.band.high)
    median = None if held.band is None else (held.band.median_low, held.band.median_high)
    title = f"{held.metric} of the seeds of {held.title}"
    return Markup(dots(held.values, title=title, unit=held.unit, band=band, median=median))  # noqa: S704


def _seed_counts(found: Sequence[Held]) -> _SeedCounts:
    """Return the metrics of a scenario's seeds split into those that get a picture, entropy and what strayed, and the rest."""
    shown = [held for place, held in enumerate(found) if place == 0 or held.reasons]
    return _SeedCounts(shown, [held for held in found if held not in shown])


def _key_metrics(metrics: dict[str, Value]) -> _Metrics:
    """Return metrics split into the few shown at once, in the order people ask for them, and the rest in their own order."""

    def rank(name: str) -> int:
        return _KEY_METRICS.index(name) if name in _KEY_METRICS else len(_KEY_METRICS)

    first = sorted(metrics, key=rank)[:_SHOWN_METRICS]
    return _Metrics([(name, metrics[name]) for name in first], [(name, value) for name, value in metrics.items() if name not in first])


def _picture(scenario: ScenarioResult) -> _Picture:
    """Return a scenario's final state as a data URI with its description, or the description alone."""
    try:
        cells = packed_states.unpack(scenario.final_state)
        alive = int((cells != 0).sum())
        if alive == 0:
            return _Picture("", "Nothing is alive at the end.")
        image = charts.cells_png(cells, size=_PICTURE_SIZE)
    except (ThunderlabError, ValueError):
        return _Picture("", "No picture: the final state cannot be read.")
    words = f"Final state: {alive:,} of {cells.size:,} cells alive ({wording.quantity(alive / cells.size, 'fraction')})"
    note = "Long rows, continued line by line" if charts.is_folded(cells) else ""
    return _Picture(f"data:image/png;base64,{base64.b64encode(image).decode()}", words, note)


def _notebook_status(status: str) -> str:
    return {"ok": "healthy", "failed": "blocked"}.get(status, "quiet")


def _is_beside(html: str | None) -> bool:
    """Return whether a page's path is a plain relative one, which no scheme, host or parent folder hides in."""
    return html is not None and _BESIDE.fullmatch(html) is not None
