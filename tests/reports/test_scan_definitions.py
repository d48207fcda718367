"""What a report says of the words it uses, by the scanners that ran."""

import html

import pytest

from reports.html import render_html
from reports.markdown import render_markdown
from reports.scan_definitions import definitions

SCANNERS = ("ngram", "minhash", "embedding")


def meaning(term, scanners):
    return next(entry["meaning"] for entry in definitions(scanners) if entry["term"] == term)


@pytest.mark.parametrize(
    "ran", [("ngram",), ("ngram", "minhash"), ("ngram", "embedding"), SCANNERS]
)
def test_contaminated_names_the_rule_of_every_scanner_that_ran_and_of_no_other(ran):
    told = meaning("contaminated", ran)
    assert told.startswith("the question stands in one place of one document")
    assert [name for name in SCANNERS[1:] if f"the scanner {name} finds" in told] == list(ran[1:])


@pytest.mark.parametrize("ran", [("ngram", "minhash"), ("ngram", "embedding")])
def test_a_rule_refers_to_a_term_that_is_defined(ran):
    told = meaning("contaminated", ran)
    assert sum(f"(see {entry['term']})" in told for entry in definitions(ran)) == 1


def test_the_row_of_our_own_definition_says_it_all(report):
    report["definitions"] = definitions(SCANNERS)
    told = meaning("contaminated", SCANNERS)
    assert f"sluicegate<small>{told}</small>" in html.unescape(render_html(report))
    row = next(
        line for line in render_markdown(report).split("\n") if line.startswith("| **sluicegate**")
    )
    assert row.endswith(f" {told} |")


def test_a_summary_holds_each_definition_to_its_end(report):
    report["definitions"] = definitions(SCANNERS)
    text = html.unescape(render_markdown(report)).replace("\\", "")
    assert [e["term"] for e in definitions(SCANNERS) if e["meaning"] not in text] == []
