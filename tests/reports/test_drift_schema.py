import json

import pytest

from reports.drift_schema import SCHEMA_FILE, adapter, json_schema
from reports.render import find_report, render_file, render_json
from reports.schema import ReportError
from tests.reports.drift_sample import sample


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, json_schema())


def test_the_sample_is_valid_under_the_shipped_json_schema():
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(sample())))


def test_a_share_over_one_is_refused():
    report = sample()
    report["domains"][0]["candidate"] = 1.01
    with pytest.raises(ValueError, match=r"domains\.0\.candidate"):
        adapter().validate_json(json.dumps(report), strict=True)


def test_a_folder_of_a_drift_run_is_rendered_again_from_its_report(tmp_path):
    (tmp_path / "report.json").write_text(render_json(sample()), encoding="utf-8")
    path = find_report(tmp_path)
    assert path == tmp_path / "report.json"
    assert render_file(path, "terminal").startswith("INCOMPLETE: 1 shard and 3 documents")
    assert render_file(path, "html").startswith("<!doctype html>")
    assert render_file(path, "json") == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["duplicates", "calibration"])
def test_other_results_are_rendered_again_and_have_no_page(kind, tmp_path, golden_folder):
    text = (golden_folder / f"{kind}.json").read_text(encoding="utf-8")
    (tmp_path / f"{kind}.json").write_text(text, encoding="utf-8")
    path = find_report(tmp_path)
    expected = (golden_folder / f"{kind}.md").read_text(encoding="utf-8")
    assert render_file(path, "md") == expected
    with pytest.raises(ReportError, match="no html rendering; choose from json, md, terminal"):
        render_file(path, "html")


def test_an_empty_folder_has_no_report(tmp_path):
    assert find_report(tmp_path) is None


def test_a_later_schema_version_is_refused_by_name(tmp_path):
    path = tmp_path / "report.json"
    path.write_text('{"schema": "sluicegate.drift/2"}', encoding="utf-8")
    with pytest.raises(ReportError, match=r"'sluicegate\.drift/2', and this version reads"):
        render_file(path, "md")


def test_an_unknown_schema_is_no_report(tmp_path):
    path = tmp_path / "report.json"
    path.write_text('{"schema": "sluicegate.driftwood"}', encoding="utf-8")
    with pytest.raises(ReportError, match="not a Sluicegate report"):
        render_file(path, "md")
