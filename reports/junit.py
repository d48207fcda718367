"""`junit.xml`: one suite per family of rules, one case per rule and scope.

A violation is a failure, what could not be decided an error, what is waived or was skipped is
skipped, and a warning is a passing case with an output: test viewers hide skipped cases, and a
warning should be seen. No times and no clock: equal verdicts give equal bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from reports import verdict_view
from reports.escape import one_line, visible, visible_everywhere
from reports.verdict_schema import Result, Verdict

SHOWN_EVIDENCE: Final = 10


def render_junit(verdict: Verdict) -> str:
    """Return the verdict for a test viewer of a continuous-integration system."""
    safe: Verdict = visible_everywhere(verdict)
    results = safe["results"]
    root = ET.Element("testsuites", {"name": "sluicegate gate", **_counts(results)})
    for family in verdict_view.families(found["family"] for found in results):
        _suite(root, family, [found for found in results if found["family"] == family], safe)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, family: str, results: Sequence[Result], verdict: Verdict) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": f"sluicegate.{family}", **_counts(results)})
    judged = verdict["judged"]
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("verdict", verdict["verdict"]), ("mix", verdict_view.mix_name(verdict)), ("baseline", judged["baseline"] or ""),
        ("policy", judged["policy"]), ("policy_digest", judged["policy_digest"]), ("date", verdict["date"]),
    ):  # fmt: skip
        ET.SubElement(properties, "property", {"name": name, "value": one_line(value)})
    for found in results:
        _case(suite, found)


def _case(suite: ET.Element, found: Result) -> None:
    attributes = {
        "classname": f"sluicegate.{found['rule']}",
        "name": one_line(f"{found['rule']} [{verdict_view.where(found)}]"),
        "time": "0",
    }
    if found["place"] is not None:
        attributes |= {
            "file": one_line(found["place"]["file"]),
            "line": str(found["place"]["line"]),
        }
    case = ET.SubElement(suite, "testcase", attributes)
    told = {"message": one_line(found["sentence"]), "type": found["rule"]}
    status = found["status"]
    if status in ("fail", "incomplete"):
        element = ET.SubElement(case, "failure" if status == "fail" else "error", told)
        element.text = _text(found)
    elif status in ("waived", "skipped"):
        ET.SubElement(case, "skipped", {"message": one_line(f"{status}: {found['sentence']}")})
    elif status == "warn":
        ET.SubElement(case, "system-out").text = f"warning: {_text(found)}"


def _text(found: Result) -> str:
    shown = found["evidence"][:SHOWN_EVIDENCE]
    more = found["evidence_total"] - len(shown)
    lines = [found["sentence"]]
    for each in shown:
        at = verdict_view.evidence_at(each)
        name = verdict_view.evidence_name(each)
        lines.append(one_line(f"- {name}: {each['text']}{f' at {at}' if at else ''}"))
    lines += [f"- {more} more"] if more > 0 else []
    lines += [f"shown by: {found['command']}"] if found["command"] else []
    return visible("\n".join(lines))


def _counts(results: Sequence[Result]) -> dict[str, str]:
    by_status = [found["status"] for found in results]
    return {
        "tests": str(len(results)),
        "failures": str(by_status.count("fail")),
        "errors": str(by_status.count("incomplete")),
        "skipped": str(by_status.count("waived") + by_status.count("skipped")),
        "time": "0",
    }
