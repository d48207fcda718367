"""A verdict as page, comment, terminal text and annotations: golden files, and a hostile_verdict twin."""

import json
import re

import pytest

from reports.annotations import render_annotations
from reports.junit import render_junit
from reports.markdown_parts import MAX_BYTES
from reports.page import style_hash
from reports.policy import default_policy
from reports.render import render_json
from reports.sarif import render_sarif
from reports.terminal import cells
from reports.verdict_html import render_verdict_html
from reports.verdict_markdown import MARKER, render_verdict_markdown
from reports.verdict_terminal import render_verdict_terminal
from tests.reports.gate_sample import TODAY, Gate, policy

RENDERERS = {
    "verdict.html": render_verdict_html,
    "verdict.json": render_json,
    "verdict.md": render_verdict_markdown,
    "verdict.txt": render_verdict_terminal,
    "verdict.xml": render_junit,
    "verdict.sarif": render_sarif,
    "verdict-github.txt": render_annotations,
}


@pytest.mark.parametrize("name", RENDERERS)
def test_the_sample_is_rendered_as_in_the_golden_file(name, verdict, golden):
    golden(name, RENDERERS[name](verdict))


@pytest.mark.parametrize("name", RENDERERS)
def test_equal_verdicts_give_equal_bytes_whatever_the_order_of_keys(name, verdict):
    turned = json.loads(json.dumps(verdict), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert RENDERERS[name](turned) == RENDERERS[name](verdict)


@pytest.mark.parametrize("name", RENDERERS)
def test_rendering_does_not_change_the_verdict(name, hostile_verdict):
    before = json.dumps(hostile_verdict)
    RENDERERS[name](hostile_verdict)
    assert json.dumps(hostile_verdict) == before


@pytest.mark.parametrize("name", RENDERERS)
def test_no_hidden_character_reaches_a_rendering(name, hostile_verdict):
    text = RENDERERS[name](hostile_verdict)
    text.encode()
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", text
    )


@pytest.mark.parametrize("name", RENDERERS)
def test_a_clean_verdict_and_one_of_nothing_are_rendered(name):
    clean = Gate().judge(default_policy())
    nothing = Gate({})
    nothing.has_drift = nothing.baseline_named = False
    for each in (clean, nothing.judge(policy())):
        assert RENDERERS[name](each) or name == "verdict-github.txt"


@pytest.mark.parametrize("name", ["verdict.html", "verdict.md", "verdict.txt"])
def test_every_report_has_the_verdict_first_and_every_waiver(name, verdict):
    text = RENDERERS[name](verdict)
    assert text.index("FAIL: ") < text.index("code: 30% of the tokens became 15%")
    for words in ("quoted in a paper that we keep", "ann", "2026-05-31", "planned for April", "bob", "2026-04-30", "LAPSED 1 day ago"):  # fmt: skip
        assert words in text
    assert "No waivers." in RENDERERS[name](Gate().judge(default_policy())) or "<p>None.</p>" in RENDERERS[name](Gate().judge(default_policy()))  # fmt: skip


@pytest.mark.parametrize("name", ["verdict.html", "verdict.md", "verdict.txt", "verdict.xml"])
def test_each_reason_is_told_with_its_sentence_and_its_command(name, verdict):
    text = re.sub(r"\s+", " ", re.sub("</?span>", "", RENDERERS[name](verdict)))
    for reason in verdict["reasons"]:
        told = reason["sentence"].split(":")[0].split(",")[0]
        assert told in text
    assert "sluicegate drift mixes/pretrain-2026-04.yaml mixes/pretrain.yaml --out evidence" in text


# --- page ----------------------------------------------------------------------------------------


def test_the_title_of_the_page_carries_the_verdict_and_only_its_style_applies(verdict):
    page = render_verdict_html(verdict)
    assert re.search(r"<title>FAIL: \d+ of \d+ rules violated", page)
    style = page.split("<style>")[1].split("</style>")[0]
    assert f"style-src '{style_hash(style)}'" in page
    for sign in ("<script", "http:", "https:", " style=", "{{", "{%"):
        assert sign not in page


def test_markup_in_names_is_text_on_the_page(hostile_verdict):
    page = render_verdict_html(hostile_verdict)
    assert "<script" not in page
    assert "<img" not in page


def crowded():
    gate = Gate({f"benchmark_{n:03}": 50 for n in range(150)})
    for name in gate.items:
        gate.leak(name, 30)
    gate.domain_shares = {f"domain_{n:03}<&>": 1 / 300 for n in range(300)}
    waivers = [
        {"rule": "drift.domains.new", "domain": f"d{n}", "reason": "<&|" * 80, "owner": "o", "expires": TODAY}
        for n in range(80)
    ]  # fmt: skip
    rules = default_policy().model_dump(exclude_unset=True) | {"waivers": waivers}
    return gate.judge(policy(**rules))


def test_whatever_there_is_the_page_stays_under_a_megabyte_and_the_comment_fits():
    verdict = crowded()
    assert len(render_verdict_html(verdict).encode()) < 1_000_000
    text = render_verdict_markdown(verdict)
    assert len(text.encode()) <= MAX_BYTES
    assert "80 waivers" in text
    assert "further reasons" in text


# --- comment -------------------------------------------------------------------------------------


def test_the_comment_has_its_hidden_mark_and_fits(verdict, hostile_verdict):
    for each in (verdict, hostile_verdict):
        text = render_verdict_markdown(each)
        assert text.startswith(f"{MARKER}\n")
        assert len(text.encode()) <= MAX_BYTES


def test_hostile_verdict_text_makes_no_element_link_mention_or_cell(hostile_verdict):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(render_verdict_markdown(hostile_verdict))  # fmt: skip
    flat = [inner for token in tokens for inner in (token, *(token.children or ()))]
    assert not {"link_open", "image", "html_inline"} & {token.type for token in flat}
    plain = "".join(token.content for token in flat if token.type == "text")
    assert not re.search(r"@octocat|#1\b|://|www\.", plain)


# --- terminal ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 100, 200])
@pytest.mark.parametrize("name", ["verdict", "hostile_verdict"])
def test_no_line_is_wider_than_the_terminal(width, name, request):
    lines = render_verdict_terminal(request.getfixturevalue(name), width=width).splitlines()
    assert max(map(cells, lines)) <= width


def test_colours_are_there_only_where_they_are_asked_for(verdict):
    assert "\x1b" not in render_verdict_terminal(verdict)
    assert "\x1b[31m" in render_verdict_terminal(verdict, color=True)


# --- annotations ---------------------------------------------------------------------------------


def test_annotations_are_ten_at_most_gravest_first_and_say_how_many_more():
    lines = render_annotations(crowded()).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("::error ") for line in lines[:9])
    assert re.fullmatch(r"::notice title=sluicegate gate::[\d,]+ further reasons: see report.html", lines[9])  # fmt: skip


def test_annotations_stand_on_the_line_that_declared_what_they_are_about(verdict):
    first = render_annotations(verdict).splitlines()[0]
    assert first.startswith(
        "::error file=mixes/pretrain.yaml,line=12,title=fail%3A drift.domains.change (domain code)::code: 30%25 of"
    )


def test_hostile_verdict_text_makes_no_further_annotation(hostile_verdict):
    text = render_annotations(hostile_verdict)
    reasons = len(hostile_verdict["reasons"])
    assert len(text.splitlines()) == min(reasons, 10)
    for line in text.splitlines():
        command, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
        assert command in ("error", "warning", "notice")
        assert re.fullmatch(r"(file=[^,:]*,line=\d+,)?title=[^,:]*", properties)
        assert not re.search("%(?!25|0D|0A|3A|2C)", message)
