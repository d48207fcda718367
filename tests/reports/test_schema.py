import json

import pytest

from reports.schema import SCHEMA_FILE, ReportError, json_schema, load_report


def write(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def test_the_sample_is_valid_under_the_shipped_json_schema(report):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)


def test_loading_gives_back_what_was_written(report, tmp_path):
    assert load_report(write(tmp_path / "report.json", report)) == report


def test_a_key_of_a_later_version_of_the_tool_is_kept(report, tmp_path):
    report["later"] = 1
    assert load_report(write(tmp_path / "report.json", report))["later"] == 1


def test_another_schema_version_is_refused_by_name(report, tmp_path):
    report["schema"] = "sluicegate.report/2"
    with pytest.raises(ReportError, match=r"schema 'sluicegate\.report/2', and this version reads"):
        load_report(write(tmp_path / "report.json", report))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "line 1 is not JSON"),
        (b"{}", "it has no"),
        (b"[1, 2]", "it has no"),
        (b'{"schema": 3}', "it has no"),
        (b"\xff\xfe", "it is not UTF-8 text"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
    ids=["empty", "no schema", "list", "number", "bytes", "deep"],
)
def test_what_is_not_a_report_is_refused_with_the_reason(content, problem, tmp_path):
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ReportError, match="not a Sluicegate report") as caught:
        load_report(path)
    assert problem in str(caught.value)
    assert caught.value.path == path


def test_a_missing_key_is_named_with_its_place(report, tmp_path):
    del report["benchmarks"][1]["items"]
    with pytest.raises(ReportError, match=r"damaged report: benchmarks\.1\.items: Field required"):
        load_report(write(tmp_path / "report.json", report))


@pytest.mark.parametrize("value", [-1, 1.5, "7", True, None])
def test_a_count_is_a_whole_number_from_zero(value, report, tmp_path):
    report["benchmarks"][0]["items"] = value
    with pytest.raises(ReportError, match=r"benchmarks\.0\.items"):
        load_report(write(tmp_path / "report.json", report))


def test_a_score_over_one_is_refused(report, tmp_path):
    report["examples"][0]["score"] = 1.01
    with pytest.raises(ReportError, match=r"examples\.0\.score"):
        load_report(write(tmp_path / "report.json", report))
