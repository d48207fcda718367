"""An audit's report: its schema, its renderings, and hostile text in every string."""

import json
import re

import pytest

from reports.audit_answers import answer_benchmark, answer_score, note
from reports.audit_html import render_audit_html
from reports.audit_markdown import render_audit_markdown
from reports.audit_schema import SCHEMA_FILE, adapter, json_schema
from reports.audit_summary import DEFINITIONS
from reports.audit_terminal import render_audit_terminal
from reports.render import KINDS, render_file, render_json

ROW = {
    "benchmark": "gsm8k_test", "model": "ours", "items": 1319, "samples": 1319, "score": 0.71,
    "n_dirty": 132, "n_clean": 1187, "n_left_out": 0, "suspect_points": 0.0, "score_dirty": 0.9, "score_clean": 0.69,
    "gap_dirty_minus_clean": 0.21, "ci_low": 0.15, "ci_high": 0.26, "epg_all_minus_clean": 0.021,
    "epg_low": 0.015, "epg_high": 0.026, "within_strata": 0.2, "within_low": 0.14, "within_high": 0.25,
    "design": "within strata", "leak_points": 0.02, "leak_low": 0.014, "leak_high": 0.025,
    "p_value": 0.0001, "minimal_detectable": 0.11, "q_value": 0.0002, "seen_from": 0.11,
    "strata": "length in 10 bands", "items_compared": 1319, "odds_ratio": 2.5, "odds_low": 1.5,
    "odds_high": 4.0, "adjusted_points": 0.17, "adjusted_low": 0.1, "adjusted_high": 0.22,
    "adjusted_p": 0.0002, "reference_models": 4, "did": None, "did_low": None, "did_high": None,
    "did_p": None, "did_minimal_detectable": None, "threshold": 0.6, "threshold_gap": 0.2,
    "threshold_p": 0.0005, "threshold_q": 0.0005, "threshold_dirty": 132, "clean_items": 1187, "clean_effective": 1187.0,
    "clean_score": 0.69, "clean_low": 0.663, "clean_high": 0.716,
}  # fmt: skip


@pytest.fixture
def audit(report):
    """An audit of the scan that is the sample of the other tests."""
    name = report["benchmarks"][0]["benchmark"]
    row = ROW | {"benchmark": name}
    verdict, sentence = answer_score(row, report["benchmarks"][0], complete=True)
    return {
        "schema": "sluicegate.audit/1",
        "tool": report["tool"],
        "title": "1 of 1 score should not be quoted",
        "complete": report["complete"],
        "scan": report,
        "parameters": {"seed": 0, "clean_models": []},
        "definitions": list(DEFINITIONS),
        "score_files": [
            {"path": "s.jsonl", "digest": "0", "layout": "rows", "results": 1319, "without_item": 2, "skipped": {"a twin": 3}}
        ],
        "benchmarks": [
            {
                "benchmark": each["benchmark"], "items": each["items"], "clean_items": each["clean"],
                "clean_effective": float(each["clean"]), "lost_share": 0.0, "half_width": 0.03, "subjects": 3,
                "items_without_score": 0, "answer": None if each["benchmark"] == name else "yes",
                "sentence": "none was found",
            }
            for each in report["benchmarks"]
        ],
        "scores": [row | {"answer": verdict, "sentence": sentence, "note": note(row)}],
        "versions": ["v1", "v2"],
        "overlap_searched": True,
        "overlap_counts": [{"benchmark": name, "other_benchmark": "other", "kind": "equal", "pairs": 2}],
        "overlaps": [
            {"benchmark": name, "item_id": "1", "other_benchmark": "other", "other_item_id": "2", "kind": "equal", "score": 1.0}
        ],
    }  # fmt: skip


def hostile(value, payloads, key=""):
    kept = {"schema", "status", "complete", "answer", "kind", "design"}
    if key in kept:
        return value
    if isinstance(value, str):
        return next(payloads)
    if isinstance(value, list):
        return [hostile(inner, payloads) for inner in value]
    if isinstance(value, dict):
        return {name: hostile(inner, payloads, name) for name, inner in value.items()}
    return value


@pytest.fixture
def hostile_audit(audit, hostile_report):
    from tests.reports.conftest import PAYLOADS

    payloads = iter(PAYLOADS * 1000)
    poisoned = hostile({k: v for k, v in audit.items() if k != "scan"}, payloads)
    names = [each["benchmark"] for each in hostile_report["benchmarks"]]
    for each, name in zip(poisoned["benchmarks"], names, strict=True):
        each["benchmark"] = name
    return poisoned | {"scan": hostile_report}


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def test_the_report_is_rendered_again_from_its_file(audit, tmp_path):
    adapter().validate_python(audit)
    path = tmp_path / "report.json"
    path.write_text(render_json(audit), encoding="utf-8")
    for form, render in KINDS["sluicegate.audit/1"].renderers.items():
        assert render_file(path, form) == render(json.loads(path.read_text(encoding="utf-8"))), form


def test_the_first_screen_answers_before_any_table(audit):
    page = render_audit_html(audit)
    assert page.index("Is it safe to quote this score?") < page.index("<table")
    assert page.index("2.0 points of it could be leakage") < page.index("<table")
    assert page.index("Is it safe") < page.index('class="pair"')
    terminal = render_audit_terminal(audit)
    assert "NO          ours on" in terminal
    assert terminal.index("SAFE TO QUOTE") < terminal.index("MODEL ")
    assert "**No**, `ours` on" in render_audit_markdown(audit)


def test_hostile_text_stays_text_in_html(hostile_audit):
    page = render_audit_html(hostile_audit)
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"[\u202e\u2066\u200b\x1b]", page)
    assert len(re.findall("<h1>", page)) == 1


def test_hostile_text_stays_text_elsewhere(hostile_audit):
    terminal = render_audit_terminal(hostile_audit, width=80)
    assert "\x1b" not in terminal
    markdown = re.sub(
        r"(`+).*?\1", "", render_audit_markdown(hostile_audit)
    )  # code spans hold anything
    assert "<script" not in markdown
    assert "<img" not in markdown
    assert "](javascript" not in markdown.replace("\\]", "")


BENCHMARK = {"items": 100, "contaminated": 10, "suspect": 0, "unsearchable": 0}


@pytest.mark.parametrize(
    ("change", "answer", "words"),
    [
        ({}, "no", "Quote 69.0% on the 1,187 clean items (66.3% to 71.6%)"),
        ({"q_value": 0.3}, "cannot tell", "+2.0 points of it (95% interval +1.4 points to +2.5 points), which is within chance; with 132 leaked and 1,187 clean items no gap between them under about 11 points can be seen"),
        ({"q_value": 0.3, "leak_high": 0.004}, "yes", "132 leaked items can be worth 0.4 points of the score at most"),
        ({"seen_from": None}, "cannot tell", "At worst leakage is worth 9.0 points"),
        ({"n_clean": 0}, "no", "nothing to compare"),
        ({"n_dirty": 0}, "cannot tell", "was scored on none of them"),
        ({"design": "declared clean"}, "yes", "its gap of +20.0 points on 132 leaked items is of the items"),
        ({"q_value": 0.3, "seen_from": 1.2}, "cannot tell", "no gap between them can be seen, however large"),
    ],
)  # fmt: skip
def test_answers(change, answer, words):
    found, sentence = answer_score(ROW | change, BENCHMARK, complete=True)
    assert found == answer
    assert words in sentence


def test_suspect_items_are_worth_no_more_than_was_answered_on_them():
    benchmark = BENCHMARK | {"contaminated": 0, "suspect": 14}
    for points, answer in ((0.007, "yes"), (0.02, "cannot tell")):
        row = ROW | {"n_dirty": 0, "suspect_points": points}
        found, sentence = answer_score(row, benchmark, complete=True)
        assert found == answer
        assert "had all 14 suspect items leaked" in sentence


@pytest.mark.parametrize(
    ("change", "complete", "answer"),
    [
        ({}, True, "yes"),
        ({}, False, "cannot tell"),
        ({"suspect": 1}, True, "cannot tell"),
        ({"unsearchable": 6}, True, "cannot tell"),
        ({"contaminated": 1}, True, "cannot tell"),
    ],
)
def test_answers_without_scores(change, complete, answer):
    benchmark = BENCHMARK | {"contaminated": 0} | change
    assert answer_benchmark(benchmark, complete=complete)[0] == answer
