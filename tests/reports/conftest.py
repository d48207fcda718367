"""The sample report, its hostile twin, and golden files.

`UPDATE_GOLDEN=1 pytest tests/reports` writes the golden files and the JSON Schema anew; look at the
difference before it is committed.
"""

import json
import os
from pathlib import Path

import pytest

from reports.schema import load_report
from reports.verdict_schema import adapter
from tests.reports import audit_sample, drift_sample, gate_sample
from tests.reports.hostile import poisoned

GOLDEN = Path(__file__).with_name("golden")

KEPT = {"schema", "status", "complete"}
MAPS = {"domains", "leak_types", "parameters"}  # of free names
CHOSEN = {"version", "measure", "state", "change_kind", "kind", "direction", "grade"}  # from a list


@pytest.fixture
def report():
    return load_report(GOLDEN / "report.json")


@pytest.fixture
def hostile_report(report):
    """Return the sample with every free string, keys included, replaced by an attack."""
    return poisoned(report, KEPT, MAPS)


@pytest.fixture
def drift_report():
    return drift_sample.sample()


@pytest.fixture
def calm_drift():
    return drift_sample.calm()


@pytest.fixture
def hostile_drift(drift_report):
    """Return the sample with every free string replaced by an attack."""
    return poisoned(drift_report, KEPT | CHOSEN, MAPS)


@pytest.fixture
def audit(report):
    return audit_sample.sample(report)


@pytest.fixture
def hostile_audit(audit, hostile_report):
    """Return the sample with every free string replaced by an attack."""
    kept = KEPT | {"answer", "kind", "design"}
    attacked = poisoned({k: v for k, v in audit.items() if k != "scan"}, kept, MAPS)
    names = [each["benchmark"] for each in hostile_report["benchmarks"]]
    for each, name in zip(attacked["benchmarks"], names, strict=True):
        each["benchmark"] = name
    return attacked | {"scan": hostile_report}


@pytest.fixture
def verdict():
    return adapter().validate_json(json.dumps(gate_sample.sample()), strict=True)


@pytest.fixture
def hostile_verdict(verdict):
    return gate_sample.hostile(verdict)


@pytest.fixture
def golden_folder():
    return GOLDEN


@pytest.fixture
def golden():
    """Return a check that `text` equals the golden file `name`, or writes it."""

    def check(name, text):
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture
def golden_json():
    """Return a check that `value` equals the JSON file at `path`, or writes it."""

    def check(path, value):
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        assert value == json.loads(path.read_text(encoding="utf-8"))

    return check
