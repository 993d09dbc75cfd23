import hashlib
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest

from thunderlab import canonical
from thunderlab.faces.report import page, wording
from thunderlab.faces.report.build import build

from . import samples

WORDS = {"healthy": "READY", "degraded": "NOT READY", "blocked": "BLOCKED", "unknown": "UNKNOWN"}
VOID = {"meta", "img", "br", "hr", "col", "link", "input"}


class Outline(HTMLParser):
    """The document as a checker sees it: every tag with its attributes, text per open element, balance."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.headings, self.texts = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.texts.append(data)

    def text(self):
        return " ".join(" ".join(self.texts).split())

    def every(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture(scope="module", params=samples.STATUSES)
def status(request):
    return request.param


@pytest.fixture(scope="module")
def html(status):
    return page.render(*samples.sample(status))


@pytest.fixture(scope="module")
def outline(html):
    return Outline(html)


class TestContent:
    def test_the_verdict_comes_first_in_words(self, status, outline):
        words = outline.text()
        assert words.index(WORDS[status]) < words.index(wording.VERDICTS[status].sentence) < words.index("Blocking reasons")
        assert f"Blocking reasons {len(samples.readiness(status).blocking)} Coverage 2 of 5 deploy gates" in words
        assert "31 January 2026, 12:05 UTC" in words

    def test_absent_gates_are_said_to_be_absent_and_never_green(self, status, outline):
        words = outline.text()
        assert "3 of 5 deploy gates are not measured yet and not part of this answer." in words
        for title in ("Policy chain continuity", "Vector search latency, 95th percentile", "Clustering churn, sustained over 3 intervals"):
            assert f"absent {title} Nothing measures this gate yet." in words

    def test_every_reason_says_value_limit_why_and_what_to_do(self, status, outline):
        words = outline.text()
        for reason in samples.readiness(status).blocking:
            for part in (reason.gate, reason.threshold, reason.why, wording.action(reason.gate)):
                assert part in words

    def test_every_reading_is_listed_with_its_evidence(self, status, outline):
        words = outline.text()
        for reading in samples.readiness(status).readings:
            for part in (reading.name, reading.title, reading.source, wording.quantity(reading.value, reading.unit)):
                assert part in words

    def test_no_data_is_its_own_state(self):
        words = Outline(page.render(*samples.sample("unknown"))).text()
        assert "event_chain.audit.failures from event_chain_blocks No audit has been recorded yet. no data" in words

    def test_failed_scenarios_come_first_with_their_breaches(self):
        words = Outline(page.render(*samples.sample("blocked"))).text()
        assert words.index("A 40 % soup settles") < words.index("Bays 5766 in three dimensions")
        assert "entropy_mean 0.412 allowed 0.333 to 0.369, baseline 0.351" in words
        assert "oscillation_period undefined allowed exactly 4" in words
        assert "suite.duration_s 96.2 allowed 0 to 90" in words
        assert "baseline.orphan old-name has a baseline and no scenario" in words
        assert "baseline.scenario_digest the scenario changed since its baseline was taken" in words
        assert "thunderlab qa run --suite core --scenario life-soup" in words

    def test_of_many_scenarios_that_passed_most_are_folded_and_none_is_lost(self):
        found = tuple(samples.scenario(f"s{index:02d}", passed=index > 2) for index in range(20))
        suite = msgspec.structs.replace(samples.suite(), scenarios=found)
        html = page.render(samples.readiness(), (suite,), samples.provenance(), ())
        assert html.count("<article") == 20
        folded = html.split('<details class="more"><summary>5 more that passed</summary>')[1]
        assert folded.count("<article") == 5

    def test_provenance_is_complete(self, status, outline):
        words, source = outline.text(), samples.sample(status)[2]
        for part in (source.python, source.platform, source.ledger_origin, source.ledger_head, source.ledger_root, *source.versions):
            assert part in words
        assert (source.commit or "not from a checkout") in words

    def test_what_was_pruned_is_said(self, outline):
        words = outline.text()
        assert "payloads of 987 blocks before block 1,000 (events)" in words
        assert "123,456 bytes" in words and "block 1,101 says so, behind a checkpoint of 1,100 blocks" in words
        assert "1,200 blocks, kept outside the store" in words
        for pruned, said in (((), "nothing"), (None, "damaged: it cannot be told")):
            source = samples.provenance(ledger_pruned=pruned, ledger_signed_size=None)
            after = Outline(page.render(samples.readiness(), (), source, ())).text().split("Pruned from the ledger")[1]
            assert after.split("Thresholds")[0].strip() == said

    def test_pages_are_linked_only_beside_the_report(self):
        links = [attrs["href"] for attrs in Outline(page.render(*samples.sample("blocked"))).every("a")]
        assert "notebooks/00_tour.html" in links
        for bad in (
            "javascript:alert(1)",
            "//evil.example/x.html",
            "http://e/x.html",
            "../x.html",
            "a/../../x.html",
            "/etc/x.html",
            "x.exe",
        ):
            run = msgspec.structs.replace(samples.notebooks()[0], html=bad)
            document = page.render(*samples.sample()[:3], (run,))
            assert not any(attrs["href"] == bad for attrs in Outline(document).every("a"))

    def test_an_unreadable_state_is_said_to_be_so(self):
        broken = samples.scenario(final_state=b"not a lattice")
        suite = msgspec.structs.replace(samples.suite(), scenarios=(broken,))
        assert "the final state cannot be read" in page.render(samples.readiness(), (suite,), samples.provenance(), ())

    def test_a_state_without_a_cell_is_said_to_be_dead(self):
        gone = samples.scenario(final_state=samples.pack(__import__("numpy").zeros((0, 0), dtype="uint8")))
        suite = msgspec.structs.replace(samples.suite(), scenarios=(gone,))
        assert "Nothing is alive at the end." in page.render(samples.readiness(), (suite,), samples.provenance(), ())

    def test_not_finite_numbers_do_not_stop_it(self):
        nan = float("nan")
        reading = msgspec.structs.replace(samples.readings("healthy")[0], value=nan, age_s=float("inf"), history=(nan, 1.0))
        scenario = samples.scenario(metrics={"a": nan}, entropy=(nan,))
        readiness = msgspec.structs.replace(samples.readiness(), readings=(reading,))
        suite = msgspec.structs.replace(samples.suite(), scenarios=(scenario,))
        assert "not a finite number" in page.render(readiness, (suite,), samples.provenance(), ())


class TestSeeds:
    """Sixteen seeds, 0.10 to 0.25 bits: all lie in 0.1 to 0.25, nine of them in 0.12 to 0.2, and their median is 0.17."""

    def words(self, status="healthy"):
        return Outline(page.render(*samples.sample(status))).text()

    def test_pack_engine_and_baseline_of_a_run_are_named(self):
        words = self.words()
        assert "Pack core@c0dec0dec0de" in words and "Engine e11ee11ee11e (taichi 1.7.4)" in words
        assert "Baseline same pack, same engine" in words

    def test_another_engine_is_said_to_be_another(self):
        words = self.words("degraded")
        assert "Baseline another engine" in words and "the engine d0d0d0d0d0d0 (taichi 1.7.3)" in words

    def test_seeds_are_held_against_their_band_with_its_confidence(self):
        words = self.words()
        assert "in band A 40 % soup settles life-soup" in words
        assert "16 of 16 in 0.1000 to 0.2500 bits 0.1700 may be 0.1300 to 0.2000 activity 16 of 16" in words
        assert "Set by 16 seeds, the band holds at least 73.6 % of all seeds, with 95 % confidence; up to 4 seeds may lie outside" in words
        assert "outside their bands" not in words

    def test_seeds_outside_stand_out_and_say_why(self):
        html = page.render(*samples.sample("blocked"))
        words = Outline(html).text()
        assert "Seeds outside their bands" in words and "1 outside: life-soup" in words
        assert "7 of 16 seeds lie outside the band; at most 4 may." in words and "The median lies outside 0.18000 to 0.20000." in words
        assert "9 of 16 in 0.12000 to 0.20000 bits" in words
        assert html.count('class="strayed"') == 1
        card = html.split('<article class="card failed">')[1].split("</article>")[0]
        assert "entropy_mean of 16 seeds" in card and "9 of them within 0.12 to 0.2" in card

    def test_a_few_seeds_outside_are_no_failure(self):
        (suite,) = samples.sample()[1]
        held = samples.baseline(suite, bands={"entropy_mean": samples.band(0.12), "activity": samples.band()})
        html = page.render(samples.readiness(), (suite,), samples.provenance(), (), {"core": held})
        assert "14 of 16" in Outline(html).text() and 'class="strayed"' not in html and "all as their bands allow" in html

    def test_a_metric_that_strays_beside_the_entropy_gets_a_row(self):
        (suite,) = samples.sample()[1]
        held = samples.baseline(suite, bands={"entropy_mean": samples.band(), "activity": samples.band(0.2)})
        html = page.render(samples.readiness(), (suite,), samples.provenance(), (), {"core": held})
        assert html.count('class="strayed"') == 1 and "10 of 16 seeds lie outside the band" in Outline(html).text()

    def test_a_run_judged_by_another_baseline_is_said_to_be_so(self):
        words = self.words("blocked")
        assert "Baseline changed since this run" in words and "which it would now judge otherwise: life-soup." in words

    def test_without_a_baseline_no_band_is_invented(self):
        words = Outline(page.render(*samples.sample()[:4])).text()
        assert "Baseline none" in words and "bands are missing" in words and "no band A 40 % soup settles" in words
        assert "16 from 0.1000 to 0.2500 bits" in words and "as their bands allow; 1 without a band" in words

    def test_a_result_of_an_older_version_still_builds(self):
        (suite,) = samples.sample()[1]
        bare = tuple(msgspec.structs.replace(one, ensemble={}) for one in suite.scenarios)
        old = msgspec.structs.replace(suite, scenarios=bare, pack="", engine=None, notes=())
        html = page.render(samples.readiness(), (old,), samples.provenance(), (), samples.baselines())
        words = Outline(html).text()
        assert "Pack not recorded" in words and "Engine not recorded" in words and "Baseline not known" in words
        assert "<caption id=" not in html

    def test_notes_are_shown(self):
        assert "Note No baseline is known for 2 of the scenarios" in self.words("blocked")

    def test_more_than_one_suite_can_be_jumped_to(self):
        (suite,) = samples.sample()[1]
        html = page.render(samples.readiness(), (suite, suite), samples.provenance(), (), samples.baselines())
        assert 'href="#suite-2"' in html and 'id="suite-2"' in html
        assert 'href="#suite-1"' not in page.render(*samples.sample())

    def test_long_digests_are_cut_and_whole_in_the_data(self):
        html = page.render(*samples.sample())
        seen, data = html.split('<script type="application/json"')
        assert f"<dd>{samples.DIGEST[:8]}…</dd>" in seen and samples.DIGEST in data

    def test_a_strip_is_folded_and_says_so(self):
        one = samples.scenario(shape=(2, 600), final_state=samples.pack(samples._soup(3, 0.5, (2, 600))))
        suite = msgspec.structs.replace(samples.suite(), scenarios=(one,))
        assert "Long rows, continued line by line" in page.render(samples.readiness(), (suite,), samples.provenance(), ())


class TestForm:
    def test_one_file_without_requests(self, html, outline):
        assert not re.search(r"""(?:src|href|action|poster|data|srcset)\s*=\s*["'](?:https?:)?//""", html)
        for tag in ("link", "iframe", "object", "embed", "form", "base", "audio", "video"):
            assert outline.every(tag) == []
        assert all(attrs["src"].startswith("data:image/png;base64,") for attrs in outline.every("img"))
        assert "@import" not in html and "url(" not in html

    def test_the_policy_forbids_everything_but_its_own_style(self, html, outline):
        (policy,) = (attrs["content"] for attrs in outline.every("meta") if attrs.get("http-equiv") == "Content-Security-Policy")
        style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
        assert policy == f"default-src 'none'; style-src '{page.style_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
        assert not any(name.startswith("on") or name == "style" for _, attrs in outline.tags for name in attrs)

    def test_the_only_script_element_is_data_with_its_digest_printed(self, html, outline, status):
        assert outline.every("script") == [{"type": "application/json", "id": "brg"}]
        text = re.search(r'id="brg">(.*?)</script>', html, re.DOTALL).group(1)
        assert not set(text) & set("<>&")
        found = json.loads(text)
        assert found["status"] == status
        assert hashlib.sha256(canonical.encode(found)).hexdigest() in outline.text()

    def test_headings_are_in_order_and_unique_ids_hold_every_anchor(self, outline):
        levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
        ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = [attrs["href"][1:] for attrs in outline.every("a") if attrs["href"].startswith("#")]
        labelled = [attrs["aria-labelledby"] for _, attrs in outline.tags if "aria-labelledby" in attrs]
        assert targets and {*targets, *labelled} <= set(ids)

    def test_tables_pictures_and_landmarks_are_named(self, outline):
        tables = outline.every("table")
        assert len(outline.every("caption")) == len(tables)
        assert all("scope" in attrs for attrs in outline.every("th"))
        assert all(attrs.get("alt") for attrs in outline.every("img"))
        assert all(attrs.get("aria-label") or attrs.get("aria-hidden") == "true" for attrs in outline.every("svg"))
        assert [len(outline.every(tag)) for tag in ("main", "nav", "footer", "h1", "title")][:4] == [1, 1, 1, 1]
        assert outline.every("html") == [{"lang": "en"}]

    def test_thirty_scenarios_stay_small(self):
        rng = __import__("numpy").random.default_rng(4)
        found = tuple(
            samples.scenario(
                f"s{index:02d}",
                shape=(24, 24, 24) if index % 3 == 0 else (200, 200),
                entropy=tuple(rng.random(200).tolist()),
                final_state=samples.pack((rng.random((24, 24, 24) if index % 3 == 0 else (200, 200)) < 0.3).astype("uint8")),
            )
            for index in range(30)
        )
        found = tuple(msgspec.structs.replace(one, ensemble={"entropy_mean": tuple(rng.random(64).tolist())}) for one in found)
        suite = msgspec.structs.replace(samples.suite(), scenarios=found)
        held = {"core": samples.baseline(suite, bands={"entropy_mean": samples.band(0.2, 0.8, most_outside=64)})}
        assert len(page.render(samples.readiness(), (suite,), samples.provenance(), samples.notebooks(), held).encode()) < 1 << 20

    @pytest.mark.parametrize("payload", samples.PAYLOADS)
    def test_no_text_becomes_markup(self, payload):
        plain, attacked = Outline(page.render(*samples.hostile("plain"))), Outline(page.render(*samples.hostile(payload)))
        assert [tag for tag, _ in attacked.tags] == [tag for tag, _ in plain.tags]
        assert [set(attrs) for _, attrs in attacked.tags] == [set(attrs) for _, attrs in plain.tags]

    def test_odd_text_is_shown_as_it_is(self):
        assert "<i>é" not in page.render(*samples.hostile(samples.ODD))

    def test_the_same_records_give_the_same_page(self):
        assert page.render(*samples.sample()) == page.render(*samples.sample())


class TestBuild:
    def test_writes_the_four_files(self, tmp_path, status):
        paths = build(tmp_path / "new" / "report", *samples.sample(status))
        assert sorted(paths) == ["brg.json", "index.html", "junit.xml", "summary.md"]
        assert sorted(path.name for path in (tmp_path / "new" / "report").iterdir()) == sorted(paths)
        digest = hashlib.sha256(paths["brg.json"].read_bytes()).hexdigest()
        assert digest in paths["index.html"].read_text(encoding="utf-8")

    def test_replaces_an_older_report(self, tmp_path):
        build(tmp_path, *samples.sample("blocked"))
        paths = build(tmp_path, *samples.sample("healthy"))
        assert json.loads(paths["brg.json"].read_bytes())["status"] == "healthy"


class TestWording:
    @pytest.mark.parametrize(
        ("value", "unit", "words"),
        [
            (0, "us", "0 s"),
            (999, "us", "999 µs"),
            (999.9, "us", "1 ms"),
            (59_990_000, "us", "1 min 0 s"),
            (3_599.7, "s", "1 h 0 min"),
            (-5, "s", "-5 s"),
            (1.0, "fraction", "100 %"),
            (0.12345, "fraction", "12.3 %"),
            (0.99999, "fraction", "> 99.9 %"),
            (9999.6, "count", "10,000"),
            (-0.0, "bits", "0 bits"),
            (12, "steps", "12 steps"),
            (float("nan"), "us", "not a finite number"),
            ("text", "us", "text"),
            (True, "count", "True"),
            (1e300, "count", "1e+300"),
        ],
    )
    def test_quantities(self, value, unit, words):
        assert wording.quantity(value, unit) == words

    def test_every_status_has_words_and_a_shape_of_its_own(self):
        assert set(wording.VERDICTS) == set(samples.STATUSES)
        for part in range(4):
            assert len({verdict[part] for verdict in wording.VERDICTS.values()}) == 4
