import json

import pytest

from reports.policy import default_policy
from reports.sarif import MAX_RESULTS, message, render_sarif, uri
from tests.reports.gate_sample import STRICT, Gate, policy, sample

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")


def only(properties, *required):
    """Return an object of the SARIF 2.1.0 schema: what we write of it, and what it needs."""
    return {
        "type": "object", "properties": properties, "required": list(required), "additionalProperties": False,
    }  # fmt: skip


TEXT = only({"text": {"type": "string"}}, "text")
BAG = {"type": "object"}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = only(
    {
        "physicalLocation": only(
            {
                "artifactLocation": only({"uri": {"type": "string", "format": "uri-reference"}}),
                "region": only({"startLine": {"type": "integer", "minimum": 1}}),
            }
        ),
        "logicalLocations": {
            "type": "array",
            "uniqueItems": True,
            "items": only(
                {"name": {"type": "string"}, "fullyQualifiedName": {"type": "string"}, "kind": {"type": "string"}}
            ),
        },
    }
)  # fmt: skip
RESULT = only(
    {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION, "minItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "items": only(
                {"kind": {"enum": ["inSource", "external"]}, "status": {"enum": ["accepted"]}, "justification": {"type": "string"}},
                "kind",
            ),
        },
        "properties": BAG,
    },
    "message",
)  # fmt: skip
RULE = only(
    {"id": {"type": "string"}, "shortDescription": TEXT, "help": TEXT, "defaultConfiguration": only({"level": LEVEL})},
    "id",
)  # fmt: skip
DRIVER = only(
    {"name": {"type": "string"}, "version": {"type": "string"}, "rules": {"type": "array", "uniqueItems": True, "items": RULE}},
    "name",
)  # fmt: skip
RUN = only(
    {
        "tool": only({"driver": DRIVER}, "driver"),
        "automationDetails": only({"id": {"type": "string"}}),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "invocations": {
            "type": "array",
            "items": only({"executionSuccessful": {"type": "boolean"}, "exitCode": {"type": "integer"}}, "executionSuccessful"),
        },
        "properties": BAG,
        "results": {"type": "array", "items": RESULT},
    },
    "tool",
)  # fmt: skip
REDUCED = only(
    {"$schema": {"type": "string"}, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": RUN}},
    "version", "runs",
)  # fmt: skip


def results(verdict):
    document = json.loads(render_sarif(verdict))
    jsonschema.Draft202012Validator(REDUCED).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[entry["ruleIndex"]] == entry["ruleId"] for entry in run["results"])
    return run["results"]


def many(items):
    return Gate({"b": 4000}).leak("b", items).judge(policy(**STRICT))


def test_the_sample_and_a_clean_verdict_are_valid_under_what_we_use_of_the_schema():
    assert results(sample())
    assert results(Gate().judge(default_policy())) == []


def test_levels_are_those_of_the_statuses_and_what_is_waived_is_suppressed():
    found = {(entry["properties"]["status"], entry["level"]) for entry in results(sample())}
    assert found == {("fail", "error"), ("incomplete", "error"), ("warn", "warning"), ("waived", "warning")}  # fmt: skip
    waived = [entry for entry in results(sample()) if entry["properties"]["status"] == "waived"]
    assert all(entry["suppressions"][0]["status"] == "accepted" for entry in waived)


def test_the_place_is_the_line_of_the_mix_that_declared_the_source():
    (entry,) = [
        e for e in results(sample()) if e["message"]["text"].startswith("arithmetic test-3:")
    ]
    place = entry["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "mixes/pretrain.yaml"}, "region": {"startLine": 7}}
    names = [each["fullyQualifiedName"] for each in entry["locations"][0]["logicalLocations"]]
    assert names == ["benchmark arithmetic", "arithmetic/test-3", "web/0001.jsonl:103"]


def test_fingerprints_are_of_rule_scope_and_item_and_never_of_scores():
    gate = Gate().leak("arithmetic", 3)
    items, findings = gate.tables()
    before = results(gate.judge(policy(**STRICT)))
    gate.tables = lambda: (items.with_columns(score=items["score"] * 0.9), findings.with_columns(score=findings["score"] * 0.9))  # fmt: skip
    after = results(gate.judge(policy(**STRICT)))
    assert [e["partialFingerprints"] for e in before] == [e["partialFingerprints"] for e in after]
    assert len({e["partialFingerprints"]["sluicegate/v1"] for e in before}) == 3
    assert before != after


def test_an_item_stands_under_its_gravest_rule_only():
    found = results(Gate().leak("arithmetic", 10).judge(default_policy()))
    assert [e["ruleId"] for e in found] == ["contamination.contaminated.share"] * 10


def test_more_items_than_the_verdict_lists_are_one_result_that_stays_the_same():
    one, other = results(many(25)), results(many(26))
    assert (len(one), len(other)) == (1, 1)
    assert one[0]["partialFingerprints"] == other[0]["partialFingerprints"]


def test_no_more_than_a_thousand_results_are_written_and_the_rest_is_counted():
    gate = Gate({f"b{n:03}": 100 for n in range(80)})
    for name in gate.items:
        gate.leak(name, 20)
    verdict = gate.judge(policy(**STRICT))
    assert len(results(verdict)) == MAX_RESULTS
    properties = json.loads(render_sarif(verdict))["runs"][0]["properties"]
    assert properties["resultsLeftOut"] == 600


def test_brackets_make_no_link_and_paths_are_uris():
    assert message("see [x](http://evil.example) \\") == "see \\[x\\](http://evil.example) \\\\"
    assert uri("a b/c%d#e?.yaml") == "a%20b/c%25d%23e%3F.yaml"
    assert uri("/srv/mix.yaml") == "file:///srv/mix.yaml"
    assert uri("s3://bucket/mix.yaml?x=1") == "s3://bucket/mix.yaml?x=1"
