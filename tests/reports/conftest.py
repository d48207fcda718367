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

GOLDEN = Path(__file__).with_name("golden")

PAYLOADS = (
    '<script>document.title="owned"</script>',
    '"><img src=x onerror=\'document.title="owned"\'>',
    "</pre></code></details><h1>owned</h1>",
    "| a | b |\n|---|---|\n| `x` | ``y`` \\| \\\\| z |",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png) <http://evil.example>",
    "@octocat please see #1, www.evil.example and http://evil.example",
    "# heading\n\n---\n> quote\n\n```\nfence",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b5A\r\x08overwrite",
    "abc\u202egnp.exe\u2066\u200b\u2028\ufeff\U000e0041\ud800",
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }}{% raw %}${7*7}",
    "‹fake›《全角文字》\u0301\u0301",
    "a" * 3000,
)
KEPT = {"schema", "status", "complete"}
CHOSEN = {"version", "measure", "state", "change_kind", "kind", "direction", "grade"}  # from a list


@pytest.fixture
def report():
    return load_report(GOLDEN / "report.json")


@pytest.fixture
def hostile_report(report):
    """Return the sample with every free string, keys included, replaced by an attack."""
    payloads = iter(PAYLOADS * 1000)
    return _poison(report, payloads)


@pytest.fixture
def drift_report():
    return drift_sample.sample()


@pytest.fixture
def calm_drift():
    return drift_sample.calm()


@pytest.fixture
def hostile_drift(drift_report):
    """Return the sample with every free string replaced by an attack."""
    return _poison(drift_report, iter(PAYLOADS * 1000), kept=KEPT | CHOSEN)


@pytest.fixture
def audit(report):
    return audit_sample.sample(report)


@pytest.fixture
def hostile_audit(audit, hostile_report):
    """Return the sample with every free string replaced by an attack."""
    kept = KEPT | {"answer", "kind", "design"}
    poisoned = _poison(
        {k: v for k, v in audit.items() if k != "scan"}, iter(PAYLOADS * 1000), kept=kept
    )
    names = [each["benchmark"] for each in hostile_report["benchmarks"]]
    for each, name in zip(poisoned["benchmarks"], names, strict=True):
        each["benchmark"] = name
    return poisoned | {"scan": hostile_report}


@pytest.fixture
def verdict():
    return adapter().validate_json(json.dumps(gate_sample.sample()), strict=True)


@pytest.fixture
def hostile_verdict(verdict):
    return gate_sample.hostile(verdict)


@pytest.fixture
def golden_folder():
    return GOLDEN


def _poison(value, payloads, key="", kept=frozenset(KEPT)):
    if key in kept:
        return value
    if isinstance(value, str):
        return next(payloads)
    if isinstance(value, list):
        return [_poison(inner, payloads, kept=kept) for inner in value]
    if isinstance(value, dict):
        free = key in {"domains", "leak_types", "parameters"}
        return {
            (name + next(payloads) if free else name): _poison(inner, payloads, name, kept)
            for name, inner in value.items()
        }
    return value


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
