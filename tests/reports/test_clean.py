"""The report of a cleaning: a sample and its renderings as golden files, and its hostile twin."""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.cleaning.edits import DOCUMENTS_SCHEMA, REMOVED_SCHEMA
from reports.clean_render import render_clean_markdown, render_clean_terminal
from reports.clean_schema import SCHEMA_FILE, adapter, json_schema
from reports.clean_summary import CleanFacts, build_clean_report
from reports.markdown_parts import MAX_BYTES
from reports.render import find_report, render_file, render_json
from reports.terminal import cells
from tests.reports.hostile import poisoned

GOLDEN = Path(__file__).with_name("golden")
KEPT = {"schema", "status"}


@pytest.fixture
def report():
    return adapter().validate_json((GOLDEN / "clean.json").read_text(encoding="utf-8"))


@pytest.fixture
def hostile(report):
    """The sample with every free string replaced by an attack."""
    return poisoned(report, KEPT)


def test_the_renderings_are_those_of_the_golden_files(report, golden):
    golden("clean.json", render_json(report))
    golden("clean.md", render_clean_markdown(report))
    golden("clean.txt", render_clean_terminal(report))


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def test_the_sample_is_valid_under_the_shipped_json_schema(report):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(report)


def test_a_folder_s_report_is_rendered_again(report, tmp_path):
    (tmp_path / "clean.json").write_text(render_json(report), encoding="utf-8")
    path = find_report(tmp_path)
    assert path == tmp_path / "clean.json"
    assert render_file(path, "terminal") == render_clean_terminal(report)
    assert render_file(path, "md") == render_clean_markdown(report)


@pytest.mark.parametrize("width", [40, 110, 200])
@pytest.mark.parametrize("name", ["report", "hostile"])
def test_no_line_is_wider_than_the_terminal(width, name, request):
    lines = render_clean_terminal(request.getfixturevalue(name), width=width).splitlines()
    assert max(map(cells, lines)) <= width


@pytest.mark.parametrize("render", [render_clean_terminal, render_clean_markdown])
def test_hostile_text_brings_no_control_character(render, hostile):
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", render(hostile)
    )


def test_hostile_text_makes_no_element_link_mention_or_cell(hostile):
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = (
        markdown_it.MarkdownIt("commonmark").enable("table").render(render_clean_markdown(hostile))
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
    report["notes"] *= 1000
    text = render_clean_markdown(report)
    assert len(text.encode()) <= MAX_BYTES
    assert "parts left out for length: see `clean.json`.*\n" in text


def test_what_was_before_is_what_is_there_and_what_went():
    place = {"shard": "a", "doc_id": None, "domain": "web", "round": 1, "reason": "found"}
    log = [
        place | {"row": 0, "action": "document", "benchmark": "q", "item_id": "1", "removed_chars": 9},
        place | {"row": 1, "action": "span", "benchmark": "q", "item_id": "1", "removed_chars": 4},
        place | {"row": 1, "action": "span", "benchmark": "p", "item_id": "2", "removed_chars": 1},
        place | {"row": 2, "action": "unreadable", "removed_chars": 0},
    ]  # fmt: skip
    documents = [
        (0, "document", "web", 9, 9, 10, 10, 0),
        (1, "span", "web", 6, 5, 12, 10, 5),  # two bytes are left, and three of a mask
        (2, "unreadable", None, 0, 0, 0, 0, 0),
    ]
    report = build_clean_report(
        CleanFacts(
            corpus="a", copy="out/corpus", findings="result", parameters={}, tool_version="0",
            normal_form="nf", documents_before=11, bytes_before=122,
            domain_documents={"web": 5, "books": 4}, domain_bytes={"web": 55, "books": 60},
            log=pl.DataFrame(log, schema=REMOVED_SCHEMA),
            documents=pl.DataFrame(documents, schema=DOCUMENTS_SCHEMA, orient="row"),
            actions={"a": "rewritten", "b": "copied", "c": "left out"}, rounds=[],
            remaining=pl.DataFrame(schema=REMOVED_SCHEMA | {"status": pl.String}), notes=[],
        )
    )  # fmt: skip
    assert report["title"] == (
        "1 document and 1 unreadable document left out, 1 document cut: the copy is clean"
    )
    assert report["before"] == {"shards": 3, "documents": 11, "bytes": 122}
    assert report["after"] == {"shards": 2, "documents": 9, "bytes": 115}
    removed = report["removed"]
    assert (removed["characters"], removed["bytes"], removed["thin_documents"]) == (14, 20, 1)
    assert (removed["share_of_documents"], removed["share_of_bytes"]) == (2 / 11, 20 / 122)
    assert report["benchmarks"] == [
        {"benchmark": "p", "items": 1, "documents_left_out": 0, "documents_cut": 1, "characters": 1},
        {"benchmark": "q", "items": 1, "documents_left_out": 1, "documents_cut": 1, "characters": 13},
    ]  # fmt: skip
    by_name = {row["domain"]: row for row in report["domains"]}
    assert list(by_name) == ["web", "(no domain)", "books"]
    assert (by_name["web"]["documents"], by_name["web"]["bytes"]) == (6, 72)
    assert (
        by_name["(no domain)"]["documents"] == by_name["(no domain)"]["documents_unreadable"] == 1
    )
