"""The report of duplicates: a sample and its renderings as golden files, and its hostile twin."""

import json
import re
from pathlib import Path

import pytest

from reports.duplicates_render import render_duplicates_markdown, render_duplicates_terminal
from reports.duplicates_schema import SCHEMA_FILE, adapter, json_schema
from reports.markdown_parts import MAX_BYTES
from reports.terminal import cells
from tests.reports.hostile import poisoned

GOLDEN = Path(__file__).with_name("golden")
KEPT = {"schema", "version"}


@pytest.fixture
def report():
    return adapter().validate_json((GOLDEN / "duplicates.json").read_text(encoding="utf-8"))


@pytest.fixture
def hostile(report):
    """The sample with every free string replaced by an attack."""
    return poisoned(report, KEPT)


def test_the_renderings_are_those_of_the_golden_files(report, golden):
    golden("duplicates.md", render_duplicates_markdown(report))
    golden("duplicates.txt", render_duplicates_terminal(report))


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def test_the_sample_is_valid_under_the_shipped_json_schema(report):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)


@pytest.mark.parametrize("width", [40, 110, 200])
@pytest.mark.parametrize("name", ["report", "hostile"])
def test_no_line_is_wider_than_the_terminal(width, name, request):
    lines = render_duplicates_terminal(request.getfixturevalue(name), width=width).splitlines()
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize("render", [render_duplicates_terminal, render_duplicates_markdown])
def test_hostile_text_brings_no_control_character(render, hostile):
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", render(hostile)
    )


def test_hostile_text_makes_no_element_link_mention_or_cell(hostile):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = (
        markdown_it.MarkdownIt("commonmark")
        .enable("table")
        .render(render_duplicates_markdown(hostile))
    )
    elements = set(re.findall(r"<([a-zA-Z0-9]+)", html))
    prose_elements = {"p", "h2", "h3", "ul", "li", "strong", "em", "code", "blockquote"}
    assert elements <= prose_elements | {"table", "thead", "tbody", "tr", "th", "td"}
    prose = re.sub(r"<[^>]*>", "", re.sub(r"<code>.*?</code>", "", html, flags=re.DOTALL))
    assert not re.search(r"@\w|#\d|://|www\.\w", prose)
    for one in re.findall(r"<table>.*?</table>", html, flags=re.DOTALL):
        rows = re.findall(r"<tr>.*?</tr>", one, flags=re.DOTALL)
        assert len({len(re.findall(r"<t[hd]\b", row)) for row in rows}) == 1


def test_what_does_not_fit_a_comment_is_left_out_and_said(report):
    report["definitions"] *= 1000
    text = render_duplicates_markdown(report)
    assert len(text.encode()) <= MAX_BYTES
    assert text.endswith("*1 part left out for length: see `duplicates.json`.*\n")


def test_bands_and_rows_stand_over_the_s_curve(report):
    text = render_duplicates_terminal(report)
    assert "bands 16, rows 8, threshold 0.8" in text
    for jaccard in ("0.5", "0.6", "0.7", "0.8", "0.9"):
        assert re.search(rf"^{jaccard} +[<>]?\d", text, flags=re.MULTILINE)
