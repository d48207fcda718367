"""A calibration as it is shipped, printed and written."""

import json
import re
from pathlib import Path

import pytest

from reports.calibration import SCHEMA_FILE, calibration_json_schema
from reports.calibration_text import render_calibration_markdown, render_calibration_terminal
from reports.render import render_json
from reports.terminal import cells

SAMPLE = Path(__file__).with_name("golden") / "calibration.json"
ATTACK = "\x1b[2J\u202e</pre><script>x</script> | `a` |\n# b [c](d) @octocat https://evil.example"


@pytest.fixture
def calibration():
    return json.loads(SAMPLE.read_text(encoding="utf-8"))


@pytest.fixture
def hostile(calibration):
    """The sample with an attack in every string that comes from outside."""
    calibration["corpus"]["name"] = calibration["normal_form"] = ATTACK
    calibration["calibration"]["reason"] = ATTACK
    calibration["corpus"]["problems"][0] |= dict.fromkeys(("shard", "reason", "mend"), ATTACK)
    for record in (*calibration["benchmarks"], calibration["paraphrases"]):
        record |= {key: ATTACK for key, value in record.items() if isinstance(value, str)}
    for rate in calibration["calibration"]["rates"]:
        rate |= {"form": ATTACK, "kind": ATTACK}
    return calibration


def test_the_shipped_json_schema_is_that_of_the_types(golden_json):
    golden_json(SCHEMA_FILE, calibration_json_schema())


def test_the_sample_is_valid_under_the_shipped_json_schema(calibration):
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(calibration)


def test_the_sample_is_rendered_as_in_the_golden_files(calibration, golden):
    golden("calibration.json", render_json(calibration))
    golden("calibration.md", render_calibration_markdown(calibration))
    golden("calibration.txt", render_calibration_terminal(calibration))


def test_the_verdict_comes_first_and_rates_stand_by_kind(calibration):
    lines = render_calibration_terminal(calibration).splitlines()
    assert lines[0].startswith("INCOMPLETE: 3 things ")
    assert next(line for line in lines if "CALIBRATED" in line).startswith(
        "UNCALIBRATED: other work"
    )
    heads = [line.split("  ")[0] for line in lines if line.endswith("95% INTERVAL")]
    assert heads == [
        "PLANTED LEAKS FOUND", "TEXTS WITHOUT A LEAK CALLED CONTAMINATED", "COPIES COUNTED RIGHT",
        "DOCUMENTS WITH THE SAME FINDINGS",
    ]  # fmt: skip


def test_paraphrases_that_were_not_planted_are_told(calibration):
    assert "Paraphrases: 12 of 10 items, 0 planted." in render_calibration_terminal(calibration)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_no_line_is_wider_than_asked(calibration, width):
    lines = render_calibration_terminal(calibration, width=width).splitlines()
    assert max(map(cells, lines)) <= width


def test_hostile_words_neither_drive_a_terminal_nor_become_markup(hostile):
    printed = render_calibration_terminal(hostile)
    page = render_calibration_markdown(hostile)
    for text in (printed, page):
        assert not set(text) & set("\x1b\u202e")
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it-py is not installed")
    html = markdown_it.MarkdownIt("commonmark").enable("table").render(page)
    assert not re.search(r"<(script|h1|a)\b", html)
    assert html.count("<table>") == 2
    assert json.loads(render_json(hostile)) == hostile


def test_a_battery_without_rates_is_rendered(calibration):
    del calibration["calibration"]["rates"]
    calibration |= {"complete": True, "paraphrases": None, "benchmarks": []}
    assert render_calibration_terminal(calibration).startswith("UNCALIBRATED: ")
    assert "UNCALIBRATED" in render_calibration_markdown(calibration)
