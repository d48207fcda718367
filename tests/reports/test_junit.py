from xml.etree import ElementTree as ET

import pytest

from reports.junit import render_junit
from reports.policy import default_policy
from tests.reports.gate_sample import Gate, sample

ELEMENTS = {"fail": "failure", "incomplete": "error", "waived": "skipped", "skipped": "skipped", "warn": "system-out", "pass": None}  # fmt: skip


@pytest.fixture
def verdict():
    return sample()


def cases(verdict):
    root = ET.fromstring(render_junit(verdict).encode())
    assert root.tag == "testsuites"
    return {case.get("name"): case for case in root.iter("testcase")}


def test_each_result_is_one_case_with_the_element_of_its_status(verdict):
    unread = Gate()
    unread.bad_documents = 1
    for each in (verdict, unread.judge(default_policy())):
        found = cases(each)
        assert len(found) == len(each["results"])
        for result in each["results"]:
            scope = result["scope"]
            where = "all" if scope["kind"] == "whole" else f"{scope['kind']} {scope['name']}"
            case = found[f"{result['rule']} [{where}]"]
            inside = [child.tag for child in case]
            assert inside == ([ELEMENTS[result["status"]]] if ELEMENTS[result["status"]] else [])


def test_suites_are_the_families_and_their_counts_are_those_of_their_cases(verdict):
    root = ET.fromstring(render_junit(verdict).encode())
    names = [suite.get("name") for suite in root]
    assert names[0] == "sluicegate.contamination"
    assert {name.partition(".")[2] for name in names} == {f["family"] for f in verdict["results"]}
    for suite in [root, *root]:
        inside = list(suite.iter("testcase"))
        counts = [sum(case.find(tag) is not None for case in inside) for tag in ("failure", "error", "skipped")]  # fmt: skip
        written = [int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")]
        assert written == [len(inside), *counts]


def test_a_warning_is_a_passing_case_that_says_what_it_is(verdict):
    case = cases(verdict)["contamination.suspect.share [benchmark arithmetic]"]
    assert case.find("system-out").text.startswith("warning: arithmetic: 30 of 1,000 searchable")
    assert case.find("failure") is None


def test_a_failure_has_its_evidence_its_place_and_its_command(verdict):
    case = cases(verdict)["contamination.contaminated.share [benchmark arithmetic]"]
    assert (case.get("file"), case.get("line")) == ("mixes/pretrain.yaml", "7")
    failure = case.find("failure")
    assert failure.get("message").startswith("arithmetic: 10 of 1,000 searchable items")
    assert "- test-0: contaminated" in failure.text
    assert "at web/0001.jsonl:100" in failure.text
    assert "shown by: sluicegate scan web/0001.jsonl" in failure.text


def test_what_is_waived_says_who_waived_it(verdict):
    case = cases(verdict)["contamination.contaminated.share [benchmark functions]"]
    assert case.find("skipped").get("message").startswith("waived: functions: 0 of 160")


def test_text_that_xml_does_not_allow_is_made_visible():
    gate = Gate({"a\x00b\x1b]<&>\"'\ufffe": 100})
    gate.leak("a\x00b\x1b]<&>\"'\ufffe", 5)
    text = render_junit(gate.judge(default_policy()))
    names = [case.get("name") for case in ET.fromstring(text.encode()).iter("testcase")]
    assert any("a⟨U+0000⟩b⟨U+001B⟩]<&>\"'⟨U+FFFE⟩" in name for name in names)
