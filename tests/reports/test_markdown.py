import re

import pytest

from reports import markdown
from reports.markdown import MARKER, render_markdown
from reports.markdown_parts import MAX_BYTES, code, prose


def html_of(text):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    return markdown_it.MarkdownIt("commonmark").enable("table").render(text)


def outside_code(html):
    """Return the text that a forge searches for mentions, references and addresses."""
    without_code = re.sub(r"<(pre|code)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", "", without_code)


def test_the_first_line_is_the_marker_of_the_sticky_comment(report):
    assert render_markdown(report).startswith(MARKER + "\n")


def test_hostile_text_makes_no_element_link_or_mention(hostile_report):
    html = html_of(render_markdown(hostile_report))
    allowed = {
        "details",
        "summary",
        "code",
        "pre",
        "b",
        "strong",
        "em",
        "p",
        "ul",
        "li",
        "blockquote",
    }
    allowed |= {"h2", "h3", "table", "thead", "tbody", "tr", "th", "td"}
    assert set(re.findall(r"<([a-zA-Z0-9]+)", html)) <= allowed
    prose_text = outside_code(html)
    assert not re.search(r"@\w|#\d|://|www\.\w", prose_text)


def test_hostile_text_neither_adds_nor_removes_table_cells(hostile_report):
    html = html_of(render_markdown(hostile_report))
    tables = re.findall(r"<table>.*?</table>", html, flags=re.DOTALL)
    assert len(tables) == 8
    for table in tables:
        rows = re.findall(r"<tr>.*?</tr>", table, flags=re.DOTALL)
        assert len({len(re.findall(r"<t[hd]\b", row)) for row in rows}) == 1


def test_every_fold_is_closed(hostile_report):
    html = html_of(render_markdown(hostile_report))
    assert html.count("<details>") == html.count("</details>") > 3


@pytest.mark.parametrize(
    "text", ["a", "`", "``a`", "a|b", "a\\|b", "a\\\\|b|", "<b>&amp;", "*x* _y_", "\\"]
)
def test_a_code_span_in_a_table_shows_the_text_itself(text):
    html = html_of(f"| a | b |\n|---|---|\n| {code(text)} | z |\n")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"\\(?=\\*\|)", "⟨U+005C⟩", escaped)
    assert f"<td><code>{shown}</code></td>\n<td>z</td>" in html


def test_an_empty_name_is_shown_as_such():
    assert code(" \n") == "(empty)"


def test_numbers_in_prose_stay_readable():
    assert prose("12 of 1,319 items (0.9%) in 1 of 3 benchmarks.") == (
        "12 of 1,319 items (0.9%) in 1 of 3 benchmarks."
    )


def test_a_pipe_in_prose_is_a_pipe():
    assert prose("a | b #1") == "a &#124; b #&#8203;1"


def test_matched_words_are_bold(report):
    assert "<pre>Which of the following best describes <b>why the tide gauge" in render_markdown(
        report
    )


def test_a_crowded_report_fits_a_comment_and_says_what_is_left_out(report, monkeypatch):
    monkeypatch.setattr(markdown, "MAX_EXAMPLES", 1000)
    report["examples"] *= 100
    text = render_markdown(report)
    assert len(text.encode()) <= MAX_BYTES
    assert re.search(r"\*\d+ parts left out for length: see `report\.html`\.\*\n$", text)
    assert text.count("<details>") == text.count("</details>")
