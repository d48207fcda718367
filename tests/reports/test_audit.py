"""An audit's report: its schema, its renderings, and hostile text in every string."""

import json
import re

import pytest

from reports.audit_answers import answer_benchmark, answer_score
from reports.audit_html import render_audit_html
from reports.audit_markdown import render_audit_markdown
from reports.audit_schema import SCHEMA_FILE, adapter, json_schema
from reports.audit_terminal import render_audit_terminal
from reports.render import KINDS, render_file, render_json
from tests.reports.audit_sample import ROW


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
