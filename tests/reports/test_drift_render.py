"""The renderings of a drift report: golden files, hostile text, what each must say."""

import copy
import json
import re

import pytest

from reports.drift_schema import adapter
from reports.markdown_parts import MAX_BYTES
from reports.page import style_hash
from reports.render import DRIFT_RENDERERS
from reports.terminal import cells
from tests.reports import drift_sample

FILES = {"html": "drift.html", "json": "drift.json", "md": "drift.md", "terminal": "drift.txt"}
HIDDEN = "\x1b\x07\x08\r\x9b\u202e\u2066\u200b\u2028\ufeff\U000e0041"
render_html, render_markdown, render_terminal = (
    DRIFT_RENDERERS[name] for name in ("html", "md", "terminal")
)


@pytest.mark.parametrize("name", sorted(DRIFT_RENDERERS))
def test_the_sample_is_rendered_as_in_the_golden_file(name, drift_report, golden):
    golden(FILES[name], DRIFT_RENDERERS[name](drift_report))


@pytest.mark.parametrize("make", ["sample", "calm", "crowded"])
def test_the_samples_are_reports(make):
    text = json.dumps(getattr(drift_sample, make)())
    adapter().validate_json(text, strict=True)


@pytest.mark.parametrize("name", sorted(DRIFT_RENDERERS))
def test_equal_reports_give_equal_bytes_whatever_the_order_of_keys(name, drift_report):
    turned = json.loads(
        json.dumps(drift_report), object_pairs_hook=lambda pairs: dict(reversed(pairs))
    )
    assert DRIFT_RENDERERS[name](turned) == DRIFT_RENDERERS[name](drift_report)


@pytest.mark.parametrize("name", sorted(DRIFT_RENDERERS))
def test_rendering_does_not_change_the_report(name, hostile_drift):
    before = copy.deepcopy(hostile_drift)
    DRIFT_RENDERERS[name](hostile_drift)
    assert hostile_drift == before


# --- hostile text --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(DRIFT_RENDERERS))
def test_no_hidden_character_of_the_corpus_reaches_a_rendering(name, hostile_drift):
    text = DRIFT_RENDERERS[name](hostile_drift)
    text.encode()
    assert not set(text) & set(HIDDEN)


def test_markup_in_names_and_tokens_is_text_on_the_page(hostile_drift):
    page = render_html(hostile_drift)
    assert "<script" not in page
    assert "<img" not in page
    assert "<h1>owned" not in page
    assert "{{·7*7·}}" in page  # as a token


def test_white_space_of_tokens_is_visible_everywhere(drift_report):
    for render in (render_html, render_markdown, render_terminal):
        text = render(drift_report)
        for token in ("·lemma", "⏎⏎⏎", "⇥assert", "⟨U+202E⟩abc"):
            assert token in text
    assert '<code class="token">&lt;/script&gt;</code>' in render_html(drift_report)


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("name", ["drift_report", "calm_drift", "hostile_drift"])
def test_no_line_is_wider_than_the_terminal(width, name, request):
    lines = render_terminal(request.getfixturevalue(name), width=width).splitlines()
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize("color", [False, True])
def test_the_only_control_characters_are_our_own_colours(color, hostile_drift):
    text = render_terminal(hostile_drift, color=color)
    ours = re.sub(r"\x1b\[(0|1|31|33|34)m", "", text) if color else text
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", ours
    )


def test_colour_does_not_change_the_words(drift_report):
    painted = re.sub(r"\x1b\[\d+m", "", render_terminal(drift_report, color=True))
    assert painted == render_terminal(drift_report)


def test_hostile_text_makes_no_element_link_mention_or_cell(hostile_drift):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = (
        markdown_it.MarkdownIt("commonmark").enable("table").render(render_markdown(hostile_drift))
    )
    allowed = {"details", "summary", "code", "strong", "em", "p", "ul", "ol", "li", "blockquote"}
    allowed |= {"h2", "h3", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"<([a-zA-Z0-9]+)", html)) <= allowed
    prose = re.sub(r"<[^>]*>", "", re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL))
    assert not re.search(r"@\w|#\d|://|www\.\w", prose)
    tables = re.findall(r"<table>.*?</table>", html, flags=re.DOTALL)
    assert len(tables) > 8
    for table in tables:
        rows = re.findall(r"<tr>.*?</tr>", table, flags=re.DOTALL)
        assert len({len(re.findall(r"<t[hd]\b", row)) for row in rows}) == 1
    assert html.count("<details>") == html.count("</details>") > 2


# --- the page ------------------------------------------------------------------------------------


def test_the_page_allows_its_own_style_and_nothing_else(drift_report):
    page = render_html(drift_report)
    style = page.split("<style>")[1].split("</style>")[0]
    policy = (
        f"default-src 'none'; script-src 'none'; style-src '{style_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert f'content="{policy}"' in page
    for absent in ("<script", "http:", "https:", " style=", "<img", "@import", "url("):
        assert absent not in page


def test_every_drawing_has_words_or_is_hidden_from_readers(drift_report):
    drawings = re.findall(r'<svg class="plot[^>]*>|<svg role[^>]*>', render_html(drift_report))
    assert len(drawings) > 40
    for drawing in drawings:
        labelled = 'role="img" aria-label="' in drawing and 'aria-label=""' not in drawing
        assert labelled or 'aria-hidden="true"' in drawing


@pytest.mark.parametrize("name", ["drift_report", "calm_drift"])
def test_every_link_of_the_page_leads_somewhere(name, request):
    page = render_html(request.getfixturevalue(name))
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert len(re.findall(r' id="', page)) == len(ids)


def test_the_four_questions_stand_before_everything_else(drift_report):
    page = render_html(drift_report)
    questions = ("What moved?", "Is it real?", "Who will feel it?", "What to look at first?")
    places = [page.index(question) for question in questions]
    assert places == sorted(places)
    assert places[-1] < page.index("<nav")
    assert "Yes: 13 times the noise" in page


def test_a_hypothesis_is_labelled_wherever_it_stands(drift_report):
    claim = "Two fifths of its words"
    page = render_html(drift_report)
    assert page.count(claim) == page.count("Hypothesis, not measured:</b> " + claim) == 4
    assert page.count("HYPOTHESIS, grade B") == 4
    comment = render_markdown(drift_report)
    assert comment.count(claim) == comment.count("**HYPOTHESIS, grade B") == 4
    lines = render_terminal(drift_report).splitlines()
    first = next(n for n, line in enumerate(lines) if claim in line)
    assert "HYPOTHESES: what scores may do, not measured" in lines[first - 1]


def test_an_incomplete_report_says_so_first_in_every_rendering(drift_report):
    page = render_html(drift_report)
    assert page.index("<title>INCOMPLETE: ") < page.index("<body>")
    assert page.index(">INCOMPLETE<") < page.index("<h1>")
    assert "v2/legal-004.parquet" in page
    assert render_terminal(drift_report).startswith("INCOMPLETE: 1 shard and 3 documents")
    assert render_markdown(drift_report).split("\n\n")[1].startswith("> **INCOMPLETE**")


@pytest.mark.parametrize("name", ["html", "md", "terminal"])
def test_a_calm_report_says_what_would_have_been_seen(name, calm_drift):
    text = re.sub(r"\s+", " ", DRIFT_RENDERERS[name](calm_drift))
    for words in (
        "Nothing moved beyond noise",
        "No: within noise",
        "None of 8 benchmarks",
        "Nothing needs a look",
        "from 0.50 to 1.32 points",
        "×2.6 in 100 documents",
        "from 0.029 to 0.098 bits",
    ):
        assert words in text
    assert not re.search(r">INCOMPLETE<|\*\*INCOMPLETE|^INCOMPLETE", text)


@pytest.mark.parametrize("name", ["html", "md", "terminal"])
def test_a_report_of_nothing_is_rendered(name, calm_drift):
    for key in ("domains", "mix", "domain_tokens", "exposure", "shapes", "copies", "definitions"):
        calm_drift[key] = []
    calm_drift["tokens"] |= {"divergences": [], "detectable": [], "moved": 0, "mix": 0, "within": 0}
    calm_drift["parameters"] = {}
    text = DRIFT_RENDERERS[name](calm_drift)
    assert "Nothing moved beyond noise" in text
    assert "No benchmarks given" in text


def test_words_are_called_words(drift_report):
    drift_report["unit"] = "words"
    page = render_html(drift_report)
    assert "10 of 15 domains, 1,549 words" in page
    assert "Shares of words" in page
    assert "Words that moved" in page


# --- size ----------------------------------------------------------------------------------------


def test_the_page_of_a_usual_report_is_within_its_budget():
    page = render_html(drift_sample.crowded(domains=15, benchmarks=50, tokens=50))
    assert len(page.encode()) < 300_000


def test_whatever_a_report_holds_its_renderings_stay_small(drift_report):
    report = drift_sample.crowded(domains=300, benchmarks=300, tokens=500)
    for row in (*report["domains"], *report["domain_tokens"]):
        row["domain"] += "<&>\u202e" * 200
    for benchmark in report["exposure"]:
        benchmark["benchmark"] += "'\"<>" * 200
    assert len(render_html(report).encode()) < 1_000_000
    assert len(render_markdown(report).encode()) <= MAX_BYTES
    assert len(render_terminal(report).splitlines()) < 250


def test_what_is_not_listed_is_counted():
    report = drift_sample.crowded(domains=120, benchmarks=120, tokens=50)
    report["domains_not_shown"] = 7
    page = render_html(report)
    assert "105 further domains with smaller changes: in the table" in page
    assert "27 further domains: see <code>domains.parquet</code>" in page
    assert "20 further benchmarks: see <code>exposure.parquet</code>" in page
    assert "102 further domains: see domains.parquet" in render_terminal(report)
    assert "*102 further domains: see `domains.parquet`.*" in render_markdown(report)
