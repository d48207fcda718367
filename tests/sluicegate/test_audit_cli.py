"""`sluicegate audit` as installed: exit statuses, what it prints, and one line for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import run_here

COMMAND = Path(sys.executable).with_name("sluicegate")

pytestmark = pytest.mark.skipif(
    not COMMAND.exists(), reason=f"the command is not installed at {COMMAND}; run: make setup"
)


@pytest.fixture
def folder(tmp_path, write_corpus, write_benchmark, vocabulary):
    questions = [" ".join(vocabulary(20 * i, 20 * i + 20)) for i in range(60)]
    items = [{"id": f"q{i}", "question": text, "answer": "4"} for i, text in enumerate(questions)]
    write_benchmark(tmp_path / "quiz.jsonl", items)
    write_corpus(tmp_path / "leaky.jsonl", questions[:20])
    rows = [{"item_id": f"q{i}", "model": "m", "correct": i < 20 or i % 3 == 0} for i in range(60)]
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def audit(folder, *arguments):
    told = ("audit", *arguments, "--out", "out", "--quiet", "--calibration", "off")
    return run_here(*told, folder=folder)


def test_an_audit_prints_the_answer_and_leaves_the_files(folder):
    done = audit(folder, "leaky.jsonl", "--benchmarks", "quiz.jsonl", "--scores", "scores.jsonl")
    assert done.returncode == 0, done.stderr
    assert "NO          m on quiz, " in done.stdout
    assert (folder / "out" / "run.json").exists()
    assert len((folder / "out" / "clean_items.jsonl").read_text().splitlines()) == 40
    again = subprocess.run(
        [COMMAND, "report", "out"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert again.stdout in done.stdout


def test_fail_on_and_json(folder):
    given = (
        "leaky.jsonl",
        "--benchmarks",
        "quiz.jsonl",
        "--scores",
        "scores.jsonl",
        "--json",
        "--no-overlap",
    )
    done = audit(folder, *given, "--fail-on", "no")
    assert done.returncode == 1
    assert json.loads(done.stdout)["scores"][0]["answer"] == "no"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--benchmarks", "quiz.jsonl"), "nothing to search; name a CORPUS"),
        (("leaky.jsonl", "--benchmarks", "quiz.jsonl", "--scores", "none.jsonl"), "none.jsonl: does not exist"),
        (("leaky.jsonl", "--benchmarks", "quiz.jsonl", "--scores", "leaky.jsonl"), "name no item and score"),
        (("leaky.jsonl", "--benchmarks", "quiz.jsonl", "--scores", "scores.jsonl", "--clean-model", "x"), "'x' is no model"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(folder, arguments, message):
    done = audit(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
