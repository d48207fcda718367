"""`sluicegate drift`, `gate` and `policy` as installed: exit statuses, one-line errors, files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.gate_settings import GateSettings
from sluicegate.arguments import build_parser
from tests.command_line import run_here
from tests.pipelines.drift_corpora import documents, write

COMMAND = Path(sys.executable).with_name("sluicegate")

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"the command is not installed at {COMMAND}; run: make setup"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vocabulary):
    """Two versions that lie apart, and a benchmark that is in neither."""
    folder = tmp_path_factory.mktemp("cli")
    records = documents(vocabulary, 400, seed=1)
    write(folder / "old", records)
    write(folder / "new", [r for r in documents(vocabulary, 400, seed=2) if r["domain"] != "code"])
    write(folder / "damaged", records)
    (folder / "damaged" / "0.jsonl").write_bytes(b'{"text": 1\n')
    words = vocabulary(5000, 5400)
    items = [{"id": str(n), "question": " ".join(words[n : n + 30]), "answer": words[n]} for n in range(50)]  # fmt: skip
    (folder / "bench.jsonl").write_text("\n".join(map(json.dumps, items)), encoding="utf-8")
    (folder / "policy.yaml").write_text(
        "format: 1\nname: p\ncontamination: {default: {contaminated: {items: {fail: 0}}}}\n"
        "calibration: {required: false}\ndrift: {domains: {vanished: {fail: 0.0}}}\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def run(folder):
    def run_command(*arguments, **environment):
        return run_here(*arguments, folder=folder, environment=environment)

    return run_command


def test_drift_says_what_moved_and_writes_its_files(run, folder):
    answer = run("drift", "old", "new", "--out", "moved", "--quiet")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "moved beyond noise" in answer.stdout.splitlines()[0]
    assert answer.stdout.endswith("report: moved/report.html\n")
    report = json.loads((folder / "moved" / "report.json").read_text(encoding="utf-8"))
    gone = next(s for s in report["statements"] if s["subject"] == "code")
    assert gone["text"].startswith("is gone")
    again = run("report", "moved")
    assert again.stdout.splitlines()[0] == answer.stdout.splitlines()[0]


def test_drift_exits_with_1_on_an_alarm_if_asked(run):
    assert run("drift", "old", "new", "--out", "a", "--quiet", "--fail-on", "alarm").returncode == 1
    assert run("drift", "old", "old", "--out", "b", "--quiet", "--fail-on", "alarm").returncode == 0


def test_drift_warns_of_rules_that_fit_nothing(run, folder):
    (folder / "rules.yaml").write_text("rules: [{domain: code, value: Code}]\ndefault: web\n")
    options = ("--domain-rules", "rules.yaml", "--out", "ruled", "--quiet", "--json")
    answer = run("drift", "old", "new", *options)
    assert answer.returncode == 0
    (line,) = answer.stderr.splitlines()
    assert line.startswith(
        "sluicegate: warning: no rule in rules.yaml fits a document of the baseline"
    )


def test_drift_prints_json(run):
    report = json.loads(run("drift", "old", "old", "--out", "j", "--quiet", "--json").stdout)
    assert (report["schema"], report["alarms"]) == ("sluicegate.drift/1", 0)


def test_what_cannot_be_read_is_exit_status_3_and_is_named(run):
    answer = run("drift", "old", "damaged", "--out", "d", "--quiet")
    assert answer.returncode == 3
    (line,) = answer.stderr.splitlines()
    assert line.startswith("sluicegate: incomplete: damaged/0.jsonl, row 0: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("old", "nowhere"), "nowhere"),
        (("old", "new", "--tokenizer", "none.json"), "none.json"),
        (("old", "new", "--domain-rules", "none.yaml"), "none.yaml"),
        (("old", "new", "--benchmarks", "none.jsonl"), "none.jsonl"),
        (("old", "new", "--minimum-share", "2"), "--minimum-share"),
    ],
)
def test_wrong_input_is_one_line_and_exit_status_2(run, arguments, said):
    answer = run("drift", *arguments, "--out", "w", "--quiet")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("sluicegate: ")
    assert said in line


def test_gate_fails_by_the_policy_and_stays_failed_when_nobody_reads(run, folder):
    arguments = (
        "gate", "new", "--against", "old", "--policy", "policy.yaml", "--benchmarks", "bench.jsonl",
        "--calibration", "off", "--quiet", "--out", "gate",
    )  # fmt: skip
    answer = run(*arguments)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout.startswith("FAIL: ")
    assert "drift.domains.vanished" in answer.stdout
    again = run("report", "gate")
    assert again.stdout.splitlines()[0] == answer.stdout.splitlines()[0]
    assert run("report", "gate", "--format", "junit").stdout == (
        (folder / "gate" / "junit.xml").read_text(encoding="utf-8")
    )
    piped = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$@" | true', "-", str(COMMAND), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert (piped.returncode, piped.stderr) == (1, "")


def test_gate_annotates_and_summarises_in_github_actions(run, folder):
    summary = folder / "step.md"
    answer = run(
        "gate", "new", "--against", "old", "--policy", "policy.yaml", "--benchmarks",
        "bench.jsonl", "--calibration", "off", "--quiet", "--out", "github",
        GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary),
    )  # fmt: skip
    assert answer.returncode == 1
    assert any(line.startswith("::error ") for line in answer.stdout.splitlines())
    assert summary.read_text(encoding="utf-8").startswith("<!-- sluicegate:gate -->")


def test_a_gate_without_a_baseline_is_incomplete_under_the_shipped_policy(run):
    answer = run("gate", "old", "--benchmarks", "bench.jsonl", "--out", "alone", "--quiet")
    assert answer.returncode == 3
    assert answer.stdout.startswith("INCOMPLETE: ")


def test_policy_check_explains_and_refuses(run, folder):
    assert "CONTAMINATION" in run("policy", "check").stdout
    assert run("policy", "check", "policy.yaml").returncode == 0
    (folder / "wrong.yaml").write_text("format: 1\nname: p\ncontaminaton: {}\n", encoding="utf-8")
    answer = run("policy", "check", "wrong.yaml")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert "wrong.yaml, line 3: unknown key 'contaminaton'; did you mean 'contamination'?" in line


def test_a_gate_takes_no_option_that_it_does_not_heed():
    told = ["gate", "mix.yaml", "--benchmarks", "b.jsonl", "--out", "o"]
    options = set(vars(build_parser().parse_args(told)))
    of_the_command = {"command", "mix", "against", "policy", "benchmarks", "out", "json", "quiet"}
    assert options - of_the_command <= set(GateSettings.model_fields)
    with pytest.raises(SystemExit):
        build_parser().parse_args([*told, "--skip-bad"])
