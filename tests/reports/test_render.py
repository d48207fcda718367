import json

import pytest

from reports.page import style_hash
from reports.render import RENDERERS, render_json
from reports.schema import SCHEMA

EMPTY = {
    "schema": SCHEMA,
    "tool": {"name": "sluicegate", "version": "0"},
    "title": "Nothing scanned",
    "complete": True,
    "calibration": {"status": "CALIBRATED", "reason": "300 of 300 planted copies were found"},
    "corpus": {
        "name": "none", "shards": 0, "shards_unread": 0, "documents": 0, "bytes": 0, "words": 0,
        "bad_documents": 0, "problems": [], "problems_not_shown": 0, "domains": [],
    },
    "parameters": {}, "normal_form": "nf1", "definitions": [], "benchmarks": [], "presets": [],
    "findings_total": 0, "findings_shown": 0, "examples": [],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_the_sample_is_rendered_as_in_the_golden_file(name, report, golden):
    files = {
        "html": "report.html",
        "json": "report.json",
        "md": "summary.md",
        "terminal": "terminal.txt",
    }
    golden(files[name], RENDERERS[name](report))


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_equal_reports_give_equal_bytes_whatever_the_order_of_keys(name, report):
    turned = json.loads(json.dumps(report), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert RENDERERS[name](turned) == RENDERERS[name](report)


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_a_report_of_nothing_is_rendered(name):
    assert "Nothing scanned" in RENDERERS[name](EMPTY)


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_rendering_does_not_change_the_report(name, hostile_report):
    before = json.dumps(hostile_report)
    RENDERERS[name](hostile_report)
    assert json.dumps(hostile_report) == before


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_no_hidden_character_of_the_corpus_reaches_a_rendering(name, hostile_report):
    text = RENDERERS[name](hostile_report)
    text.encode()
    assert not set(text) & set("\x1b\x07\x08\r\x9b\u202e\u2066\u200b\u2028\ufeff\U000e0041")


def test_json_keeps_hidden_characters_as_escapes(hostile_report):
    assert json.loads(render_json(hostile_report)) == hostile_report


def test_json_refuses_numbers_that_json_does_not_have(report):
    report["parameters"]["x"] = float("nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        render_json(report)


def test_the_page_allows_its_own_style_and_nothing_else(report):
    page = RENDERERS["html"](report)
    style = page.split("<style>")[1].split("</style>")[0]
    policy = (
        f"default-src 'none'; script-src 'none'; style-src '{style_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert f'content="{policy}"' in page
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert " style=" not in page


def test_an_incomplete_report_says_so_first_in_every_rendering(report):
    page = RENDERERS["html"](report)
    assert page.index("<title>INCOMPLETE: ") < page.index("<body>")
    assert page.index(">INCOMPLETE<") < page.index("<h1>")
    assert RENDERERS["terminal"](report).startswith("INCOMPLETE: ")
    assert RENDERERS["md"](report).split("\n\n")[1].startswith("> **INCOMPLETE**")


def test_markup_in_the_corpus_is_text_on_the_page(hostile_report):
    page = RENDERERS["html"](hostile_report)
    assert "<script" not in page
    assert "<img" not in page
    assert "<h1>owned" not in page
    assert "{{ 7*7 }}" in page


def test_clean_benchmarks_are_a_folded_list_when_there_are_many(report):
    page = RENDERERS["html"](report)
    assert "6 benchmarks with nothing found" in page
    report["benchmarks"] = [b for b in report["benchmarks"] if b["n_findings"]] + report[
        "benchmarks"
    ][:1]
    assert "with nothing found" not in RENDERERS["html"](report)


def crowded(report):
    benchmark, example = report["benchmarks"][0], report["examples"][0]
    report["benchmarks"] = [
        {
            **benchmark,
            "benchmark": f"b{n:03}",
            "domains": {f"domain-{m:03}" + "<" * 40: m for m in range(300)},
        }
        for n in range(200)
    ]
    segments = [["<&>'\"\u202e" * 40 + " ", n % 2 == 0] for n in range(200)]
    report["examples"] = [
        {**example, "item_segments": segments, "document_segments": segments} for _ in range(100)
    ]
    report["corpus"]["problems"] *= 40
    return report


def test_the_page_stays_under_a_megabyte_whatever_it_holds(report):
    assert len(RENDERERS["html"](crowded(report)).encode()) < 1_000_000


def test_the_sample_page_is_within_the_usual_budget(report):
    report["examples"] *= 8
    assert len(RENDERERS["html"](report).encode()) < 300_000
